//! Which labels and annotations somebody reads: all others are dropped with the object they came on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::TeamRules;
use super::platforms::PLATFORMS;
use crate::cluster::vcluster::{self, KeyHashes};

/// What the Kubernetes controllers write anew on each pod: a row that kept it would be a row a pod.
const OF_ONE_POD: [&str; 12] = [
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
    "uid",
];

/// Whether a label of this key differs from pod to pod, or from rollout to rollout, of one workload.
pub fn differs_by_pod(key: &str) -> bool {
    OF_ONE_POD.contains(&key)
}

/// The keys by which owners are found and rows are grouped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnerKeys {
    prefix: String,
    own: [String; 2],
    keys: BTreeSet<Arc<str>>,
    hashes: KeyHashes,
}

impl OwnerKeys {
    /// The keys that these rules read.
    pub fn of(rules: &TeamRules) -> Self {
        let configured = rules.grouping().into_iter().chain([Arc::clone(&rules.tier_key)]);
        let of_rules = rules.rules.iter().flat_map(|rule| rule.labels.keys()).map(|key| key.as_str().into());
        let of_platforms = PLATFORMS.iter().map(|platform| platform.key.into());
        let keys: BTreeSet<Arc<str>> = configured.chain(of_rules).chain(of_platforms).collect();
        Self {
            prefix: format!("{}/", rules.prefix),
            own: own_keys(rules),
            hashes: KeyHashes::of(keys.iter().cloned()),
            keys,
        }
    }

    /// Whether anybody reads a label or annotation of this key.
    pub fn keeps(&self, key: &str) -> bool {
        key.starts_with(&self.prefix) || self.keys.contains(key) || vcluster::reads(key)
    }

    /// Whether it tells whose a pod, a claim or a Service is.
    pub(in crate::cluster) fn names_owners(&self, key: &str) -> bool {
        self.keys.contains(key) && !differs_by_pod(key) || self.own.iter().any(|own| own == key)
    }

    /// The hashes under which vClusters write the keys.
    pub(in crate::cluster) const fn hashes(&self) -> &KeyHashes {
        &self.hashes
    }
}

/// Our own annotations that name the team and the owner.
pub(super) fn own_keys(rules: &TeamRules) -> [String; 2] {
    ["team", "owner"].map(|name| format!("{}/{name}", rules.prefix))
}
