//! What is not put to sleep itself since something else turns it down.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use crate::cluster::WorkloadKey;

impl Engine {
    /// The workloads of a namespace whose size another of its objects governs, as a KEDA `ScaledObject` does: that one
    /// sleeps, and turns them down. Two hands on one size undo each other's work.
    ///
    /// Of a vCluster's control plane, what `vcluster pause` leaves running is left running: `vcluster resume` would not
    /// bring it back.
    pub(super) fn left_to_others(&self, space: &Arc<str>) -> BTreeSet<WorkloadKey> {
        let governed = self.workloads_in(space).filter_map(|(_, entry)| entry.workload.governs.as_deref());
        let governed = governed.cloned();
        governed.chain(self.parts_never_paused(space)).collect()
    }
}
