//! The newest pod of each namespace and name.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::money::PodName;

/// Pods by namespace and name, at a pointer a pod.
#[derive(Debug, Default)]
pub(super) struct PodNames(BTreeSet<ByName>);

#[derive(Debug)]
struct ByName(Arc<PodName>);

impl ByName {
    fn key(&self) -> (&str, &str) {
        (&self.0.namespace, &self.0.name)
    }
}

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ByName {}

/// What to look for: a set is searched by a value of its own kind.
fn probe(namespace: &Arc<str>, name: Arc<str>) -> ByName {
    ByName(Arc::new(PodName { uid: Arc::clone(namespace), namespace: Arc::clone(namespace), name }))
}

impl PodNames {
    /// The pod is the newest of its name.
    pub(super) fn insert(&mut self, pod: &Arc<PodName>) {
        self.0.replace(ByName(Arc::clone(pod)));
    }

    /// The pod is gone; a newer one of its name stays.
    pub(super) fn remove(&mut self, pod: &Arc<PodName>) {
        let by_name = ByName(Arc::clone(pod));
        if self.0.get(&by_name).is_some_and(|newest| newest.0.uid == pod.uid) {
            self.0.remove(&by_name);
        }
    }

    /// The newest pod of this name.
    pub(super) fn get(&self, namespace: &Arc<str>, name: &Arc<str>) -> Option<&Arc<PodName>> {
        self.0.get(&probe(namespace, Arc::clone(name))).map(|found| &found.0)
    }

    /// All pods of a namespace.
    pub(super) fn of<'a>(&'a self, namespace: &'a Arc<str>) -> impl Iterator<Item = &'a Arc<PodName>> {
        self.0
            .range(probe(namespace, "".into())..)
            .map(|found| &found.0)
            .take_while(move |pod| pod.namespace == *namespace)
    }
}
