//! A workload: what owns pods and can be put to sleep.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::namespace::Keys;
use super::operator::Resource;
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
    /// v1 `ReplicationController`.
    ReplicationController,
    /// batch/v1 Job that no `CronJob` owns.
    Job,
    /// Any other controller, by its kind; one that Nightcap can turn off by kind and group, as in
    /// `Rollout.argoproj.io`, since several groups may have a kind of one name.
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
            "ReplicationController" => Self::ReplicationController,
            "Job" => Self::Job,
            other => Self::Other(other.into()),
        }
    }

    /// A kind of an operator's objects, by its group too.
    pub fn qualified(group: &str, kind: &str) -> Self {
        Self::Other(format!("{kind}.{group}").into())
    }

    /// The kind as an owner reference names it: without a group.
    pub fn plain(&self) -> &str {
        let name = self.name();
        name.split_once('.').map_or(name, |(kind, _)| kind)
    }

    /// The Kubernetes name, such as `Deployment`.
    pub fn name(&self) -> &str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::CronJob => "CronJob",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::ReplicationController => "ReplicationController",
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
    /// What a [`Switch`] turns, for kinds that have neither: `true` is off.
    Off(bool),
}

impl Size {
    /// Whether nothing runs, or starts, at this size.
    pub const fn is_down(self) -> bool {
        matches!(self, Self::Replicas(0) | Self::Suspended(true) | Self::Off(true))
    }

    /// The same knob, turned down.
    #[must_use]
    pub const fn down(self) -> Self {
        match self {
            Self::Replicas(_) => Self::Replicas(0),
            Self::Suspended(_) => Self::Suspended(true),
            Self::Off(_) => Self::Off(true),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas(n) => write!(f, "{n} replicas"),
            Self::Suspended(true) => f.write_str("suspended"),
            Self::Suspended(false) => f.write_str("not suspended"),
            Self::Off(true) => f.write_str("switched off"),
            Self::Off(false) => f.write_str("not switched off"),
        }
    }
}

/// Values by the JSON pointer (RFC 6901) of the place in an object where they stand; null is "not there".
pub type Fields = BTreeMap<Arc<str>, serde_json::Value>;

/// How a kind that has neither replicas nor `suspend` is turned off: values written into the object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Switch {
    /// What to write to turn it off.
    pub off: Fields,
    /// What to write to have it as it is now. Where a whole branch of the object is missing, this names the branch,
    /// so that turning on again leaves nothing empty behind.
    pub now: Fields,
}

impl Switch {
    /// Whether what stands at this place, or within this branch, is what turning off has written. What somebody has
    /// changed since is theirs.
    pub fn is_off_at(&self, at: &str) -> bool {
        let within =
            |place: &str| place.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.off.iter().any(|(place, off)| within(place) && self.now.get(place) == Some(off))
    }

    /// Whether writing this value there can be part of turning it on again: a place it changes, or the removal of a
    /// branch that came with it.
    pub fn restores(&self, at: &str, value: &serde_json::Value) -> bool {
        let is_within = |place: &str| place.strip_prefix(at).is_some_and(|rest| rest.starts_with('/'));
        // `/spec` alone is never a branch that came with a switch.
        let is_branch =
            || value.is_null() && at.matches('/').count() > 1 && self.off.keys().any(|p| is_within(p));
        self.off.contains_key(at) || is_branch()
    }
}

/// A workload that Nightcap can put to sleep.
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
    /// Pods that its controller wants now, where its size does not tell: of a `DaemonSet`, a Job, an operator's object.
    pub wanted_pods: Option<u32>,
    /// How it is turned off, where its size is [`Size::Off`].
    pub switch: Option<Arc<Switch>>,
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
    /// A Job that has started: it runs to its end.
    pub running: bool,
    /// Volumes of its pods that end with them: `emptyDir` on disk, generic ephemeral ones.
    pub local_volumes: Vec<Arc<str>>,
    /// UID of the controller that owns it (an operator, a Helm controller's object does not count), if one does.
    pub controller: Option<Arc<str>>,
    /// Where it is served, if it is an operator's object.
    pub resource: Option<Arc<Resource>>,
    /// The workload whose size it governs, as a KEDA `ScaledObject` does.
    pub governs: Option<Arc<WorkloadKey>>,
}
