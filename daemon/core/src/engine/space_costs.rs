//! What the pods of each space cost now, summed while the ledger shows them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::cluster::{WorkloadKey, WorkloadKind};
use crate::money::HeldPod;
use crate::units::Rate;

/// What the pods of one space cost now.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct SpaceCost {
    /// Per hour.
    pub(super) hourly: Rate,
    /// Running pods that nothing Nightcap can scale owns.
    pub(super) bare_pods: usize,
}

/// Sums by the address of the space's name: its pods share it, so that names are compared once for a space and not for every
/// pod. The order of the map does not matter to sums of whole numbers.
pub(super) struct SpaceCosts<'a> {
    by_address: HashMap<*const u8, (Arc<str>, SpaceCost)>,
    /// Operators' objects, as owner references name them: namespace, kind, name.
    operators: BTreeSet<(&'a str, &'a str, &'a str)>,
}

impl<'a> SpaceCosts<'a> {
    /// Nothing yet, in a cluster with these workloads.
    pub(super) fn new(workloads: impl Iterator<Item = &'a WorkloadKey>) -> Self {
        let theirs = workloads.filter(|key| matches!(key.kind, WorkloadKind::Other(_)));
        let operators = theirs.map(|key| (&*key.namespace, key.kind.plain(), &*key.name)).collect();
        Self { by_address: HashMap::new(), operators }
    }

    /// Whether Nightcap can turn the pod's owner down.
    fn is_scalable(&self, key: &WorkloadKey) -> bool {
        !matches!(key.kind, WorkloadKind::Other(_))
            || self.operators.contains(&(&*key.namespace, key.kind.plain(), &*key.name))
    }

    /// Adds pods.
    pub(super) fn add(&mut self, pods: &[HeldPod]) {
        for pod in pods {
            let of = &pod.holder.attribution;
            // A workload inside a vCluster is none that Nightcap can turn down from outside.
            let scalable = of.virtual_namespace.is_none()
                && of.workload.as_ref().is_some_and(|workload| self.is_scalable(workload));
            let new = || (Arc::clone(&of.namespace), SpaceCost::default());
            let (_, sum) = self.by_address.entry(of.namespace.as_ptr()).or_insert_with(new);
            sum.hourly += pod.hourly;
            sum.bare_pods += usize::from(!scalable);
        }
    }

    /// The sums by the names themselves.
    pub(super) fn by_name(self) -> BTreeMap<Arc<str>, SpaceCost> {
        let mut spaces: BTreeMap<Arc<str>, SpaceCost> = BTreeMap::new();
        for (name, cost) in self.by_address.into_values() {
            let sum = spaces.entry(name).or_default();
            sum.hourly += cost.hourly;
            sum.bare_pods += cost.bare_pods;
        }
        spaces
    }
}
