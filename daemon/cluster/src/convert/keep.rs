//! Which labels and annotations are kept: ours, those that a rule names, those that platforms and vClusters write, and
//! those by which other sleep tools are told what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::cluster::{Keys, OwnerKeys, TeamRules};
use nightcap_core::sleep::{foreign, is_gitops_key, is_pause_key};

use super::Interner;

/// The keys that somebody reads. All others are dropped with the object they came on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeepKeys {
    owners: OwnerKeys,
    node_labels: BTreeSet<Arc<str>>,
}

impl KeepKeys {
    /// And of nodes these labels, which price rules look at.
    #[must_use]
    pub fn with_node_labels<'a>(mut self, labels: impl IntoIterator<Item = &'a str>) -> Self {
        self.node_labels.extend(labels.into_iter().map(Arc::from));
        self
    }

    /// Of a node's labels, those a price rule looks at.
    pub(super) fn priced_by(&self, labels: &Keys) -> Keys {
        let kept = labels.iter().filter(|(key, _)| self.node_labels.contains(*key));
        kept.map(|(key, value)| (Arc::clone(key), Arc::clone(value))).collect()
    }

    /// Keeps our own, and what tells teams, owners and vClusters.
    pub fn for_teams(rules: &TeamRules) -> Self {
        Self { owners: OwnerKeys::of(rules), node_labels: BTreeSet::new() }
    }

    /// The keys by which owners are found.
    pub(super) const fn owners(&self) -> &OwnerKeys {
        &self.owners
    }

    /// The kept ones of an object's labels or annotations.
    pub(super) fn filter(&self, all: Option<&BTreeMap<String, String>>, names: &mut Interner) -> Keys {
        let kept = all.into_iter().flatten().filter(|(key, _)| self.owners.keeps(key));
        kept.map(|(key, value)| (names.get(key), value.as_str().into())).collect()
    }

    /// Of what can sleep, also those by which other sleep tools are told what to do, or say what they did.
    pub(super) fn filter_of_sleeper(
        &self,
        all: Option<&BTreeMap<String, String>>,
        names: &mut Interner,
    ) -> Keys {
        let keeps = |key: &str| {
            self.owners.keeps(key) || foreign::reads(key) || is_pause_key(key) || is_gitops_key(key)
        };
        let kept = all.into_iter().flatten().filter(|(key, _)| keeps(key));
        kept.map(|(key, value)| (names.get(key), value.as_str().into())).collect()
    }
}

impl Default for KeepKeys {
    fn default() -> Self {
        Self::for_teams(&TeamRules::default())
    }
}

/// All of an object's labels.
pub(super) fn all(labels: Option<&BTreeMap<String, String>>, names: &mut Interner) -> Keys {
    labels.into_iter().flatten().map(|(key, value)| (names.get(key), names.get(value))).collect()
}
