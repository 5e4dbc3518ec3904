//! A workload: what owns pods and can be put to sleep.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::namespace::Keys;
use crate::units::{Instant, Resources};

/// The kind of a pod's owner. Written and read by its Kubernetes name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum WorkloadKind {
    /// apps/v1 Deployment.
    Deployment,
    /// apps/v1 `StatefulSet`.
    StatefulSet,
    /// batch/v1 `CronJob`.
    CronJob,
    /// apps/v1 `DaemonSet`.
    DaemonSet,
    /// apps/v1 `ReplicaSet` that no Deployment owns.
    ReplicaSet,
    /// batch/v1 Job that no `CronJob` owns.
    Job,
    /// Any other controller, by its kind.
    Other(Arc<str>),
}

impl WorkloadKind {
    /// The kind from its Kubernetes name.
    pub fn from_name(kind: &str) -> Self {
        match kind {
            "Deployment" => Self::Deployment,
            "StatefulSet" => Self::StatefulSet,
            "CronJob" => Self::CronJob,
            "DaemonSet" => Self::DaemonSet,
            "ReplicaSet" => Self::ReplicaSet,
            "Job" => Self::Job,
            other => Self::Other(other.into()),
        }
    }

    /// The Kubernetes name, such as `Deployment`.
    pub fn name(&self) -> &str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::CronJob => "CronJob",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::Other(kind) => kind,
        }
    }
}

impl From<String> for WorkloadKind {
    fn from(name: String) -> Self {
        Self::from_name(&name)
    }
}

impl From<WorkloadKind> for String {
    fn from(kind: WorkloadKind) -> Self {
        kind.name().to_owned()
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names one workload of the cluster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct WorkloadKey {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Kind.
    pub kind: WorkloadKind,
    /// Name.
    pub name: Arc<str>,
}

impl fmt::Display for WorkloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// What is turned to put a workload to sleep.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Size {
    /// `spec.replicas`.
    Replicas(u32),
    /// `spec.suspend`.
    Suspended(bool),
}

impl Size {
    /// Whether nothing runs, or starts, at this size.
    pub const fn is_down(self) -> bool {
        matches!(self, Self::Replicas(0) | Self::Suspended(true))
    }

    /// The same knob, turned down.
    #[must_use]
    pub const fn down(self) -> Self {
        match self {
            Self::Replicas(_) => Self::Replicas(0),
            Self::Suspended(_) => Self::Suspended(true),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas(n) => write!(f, "{n} replicas"),
            Self::Suspended(true) => f.write_str("suspended"),
            Self::Suspended(false) => f.write_str("not suspended"),
        }
    }
}

/// A workload that Nightcap can put to sleep: Deployment, `StatefulSet` or `CronJob`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Workload {
    /// Namespace, kind and name.
    pub key: WorkloadKey,
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// `metadata.resourceVersion` of the object this was read from: a patch states it, so that a change in
    /// between is a conflict and not a loss.
    pub resource_version: Arc<str>,
    /// When it was created.
    pub created: Instant,
    /// Its size now.
    pub size: Size,
    /// Pods that are ready now; 0 for a `CronJob`.
    pub ready_replicas: u32,
    /// What one pod of its template requests.
    pub pod_requests: Resources,
    /// Labels that somebody reads: those a team rule names.
    pub labels: Keys,
    /// Annotations that somebody reads: ours, and those a team rule names.
    pub annotations: Keys,
    /// A `StatefulSet` whose `persistentVolumeClaimRetentionPolicy.whenScaled` is Delete: scaling it down would
    /// delete its data, so it is never put to sleep.
    pub deletes_claims_when_scaled: bool,
    /// A rollout is under way: observed generation behind, or updated replicas missing.
    pub rolling_out: bool,
    /// Whether another controller owns it (an operator, a Helm controller's object does not count).
    pub controlled: bool,
}
