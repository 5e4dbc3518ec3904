//! A pod: who holds how much of which node, from when to when.

use std::sync::Arc;

use super::{OwnerFacts, WorkloadKey};
use crate::units::{Instant, Resources};

/// A pod's phase, as far as money and sleep care.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PodPhase {
    /// Accepted, not all containers started. Bound to a node, it holds its requests all the same.
    Pending,
    /// At least one container runs or restarts.
    Running,
    /// All containers ended, well or not; it holds nothing any more.
    Finished,
}

/// A pod of the cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pod {
    /// Kubernetes UID: two pods of one name, one after the other, are two pods.
    pub uid: Arc<str>,
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// Name of the node it is bound to, if it is.
    pub node: Option<Arc<str>>,
    /// Its controller, already followed upwards (`ReplicaSet` to Deployment, Job to `CronJob`) where its names
    /// and labels prove it. `None` for a bare pod.
    pub owner: Option<WorkloadKey>,
    /// What the scheduler sets aside for it: containers, init containers by the max rule, sidecars, overhead.
    pub requests: Resources,
    /// When it was bound to its node (`PodScheduled`): from here it holds its requests.
    pub bound: Option<Instant>,
    /// When its last container ended, if all have.
    pub ended: Option<Instant>,
    /// Phase.
    pub phase: PodPhase,
    /// Whether its Ready condition is true.
    pub ready: bool,
    /// Names of the claims it mounts, those of generic ephemeral volumes included.
    pub claims: Vec<Arc<str>>,
    /// What its labels and annotations tell of whose it is; `None` if nothing.
    pub facts: Option<Arc<OwnerFacts>>,
}
