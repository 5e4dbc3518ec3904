//! What a pod, a claim or a Service says itself of whose it is.

use std::sync::Arc;

use super::OwnerKeys;
use crate::cluster::Keys;
use crate::cluster::vcluster::{self, Synced};

/// Labels and annotations by which an owner is found or rows are grouped, and the place in a vCluster.
///
/// Nothing in it differs between two pods of one workload, so that pods share it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct OwnerFacts {
    /// Labels that somebody reads.
    pub labels: Keys,
    /// Annotations that somebody reads.
    pub annotations: Keys,
    /// What a vCluster says of it that synced it to the host.
    pub synced: Option<Box<Synced>>,
    /// The vCluster whose control plane it is part of.
    pub control_plane: Option<Arc<str>>,
}

impl OwnerFacts {
    /// From an object's labels and annotations, of which all may be given, or those that [`OwnerKeys::keeps`]; `None`
    /// if they tell nothing.
    pub fn read(
        keys: &OwnerKeys,
        labels: &Keys,
        annotations: &Keys,
        name: &str,
        namespace: &str,
    ) -> Option<Self> {
        let own = |all: &Keys| -> Keys {
            let own = all.iter().filter(|(key, _)| keys.names_owners(key));
            own.map(|(key, value)| (Arc::clone(key), Arc::clone(value))).collect()
        };
        let synced = Synced::read(labels, annotations, name, namespace, keys.hashes());
        let control_plane = if synced.is_some() { None } else { vcluster::control_plane(labels).cloned() };
        let facts = Self {
            labels: own(labels),
            annotations: own(annotations),
            synced: synced.map(Box::new),
            control_plane,
        };
        let tells = !facts.labels.is_empty()
            || !facts.annotations.is_empty()
            || facts.synced.is_some()
            || facts.control_plane.is_some();
        tells.then_some(facts)
    }
}
