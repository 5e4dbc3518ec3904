//! What reaches the engine: facts from the cluster, samples, prices, people's commands, outcomes of actions.

use std::sync::Arc;

use crate::advice::budget::{BudgetObject, HourSum};
use crate::cluster::{Claim, Namespace, Node, Pod, Service, Volume, Workload, WorkloadKey, WorkloadKind};
use crate::engine::action::ActionId;
use crate::engine::history::HistoryOperation;
use crate::money::{EgressPrices, NodePrice};
use crate::sleep::Command;
use crate::sleep::policy::PolicyObject;
use crate::units::{Bytes, Instant, Millis, Resources};

/// A kind of object that is watched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Nodes.
    Node,
    /// Namespaces.
    Namespace,
    /// Pods.
    Pod,
    /// Deployments.
    Deployment,
    /// `StatefulSets`.
    StatefulSet,
    /// `CronJobs`.
    CronJob,
    /// `DaemonSets`.
    DaemonSet,
    /// `ReplicaSets` without an owner.
    ReplicaSet,
    /// `ReplicationControllers`.
    ReplicationController,
    /// Jobs without an owner that have not ended.
    Job,
    /// `PersistentVolumes`.
    Volume,
    /// `PersistentVolumeClaims`.
    Claim,
    /// Services.
    Service,
    /// Sleep policies: a custom resource, which may not be installed. Nothing is decided before their list, an empty one
    /// where they are not, since what sleeps by one must not be woken by a daemon that has not seen it yet.
    SleepPolicy,
    /// Budgets: a custom resource, which may not be installed.
    Budget,
}

impl Kind {
    /// All that decisions rest on; the engine is synced when each has been listed once.
    pub const ALL: [Self; 14] = [
        Self::Node,
        Self::Namespace,
        Self::Pod,
        Self::Deployment,
        Self::StatefulSet,
        Self::CronJob,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::ReplicationController,
        Self::Job,
        Self::Volume,
        Self::Claim,
        Self::Service,
        Self::SleepPolicy,
    ];

    /// Kinds that a cluster may not have: nothing waits for them.
    pub const OPTIONAL: [Self; 1] = [Self::Budget];

    /// Kinds of workloads.
    pub const WORKLOADS: [Self; 7] = [
        Self::Deployment,
        Self::StatefulSet,
        Self::CronJob,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::ReplicationController,
        Self::Job,
    ];

    /// The watch that shows workloads of a kind, if there is one.
    pub const fn of_workload(kind: &WorkloadKind) -> Option<Self> {
        match kind {
            WorkloadKind::Deployment => Some(Self::Deployment),
            WorkloadKind::StatefulSet => Some(Self::StatefulSet),
            WorkloadKind::CronJob => Some(Self::CronJob),
            WorkloadKind::DaemonSet => Some(Self::DaemonSet),
            WorkloadKind::ReplicaSet => Some(Self::ReplicaSet),
            WorkloadKind::ReplicationController => Some(Self::ReplicationController),
            WorkloadKind::Job => Some(Self::Job),
            WorkloadKind::Other(_) => None,
        }
    }

    /// The plural, lower-case name, such as `deployments`: for logs and metric labels.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Node => "nodes",
            Self::Namespace => "namespaces",
            Self::Pod => "pods",
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
            Self::CronJob => "cronjobs",
            Self::DaemonSet => "daemonsets",
            Self::ReplicaSet => "replicasets",
            Self::ReplicationController => "replicationcontrollers",
            Self::Job => "jobs",
            Self::Volume => "persistentvolumes",
            Self::Claim => "persistentvolumeclaims",
            Self::Service => "services",
            Self::SleepPolicy => "sleeppolicies",
            Self::Budget => "budgets",
        }
    }
}

/// What one pod used, averaged over the interval that ends at `at`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageSample {
    /// Namespace of the pod.
    pub namespace: Arc<str>,
    /// Name of the pod. The metrics API knows no UID; `at` tells two pods of one name apart.
    pub pod: Arc<str>,
    /// End of the measured interval.
    pub at: Instant,
    /// Length of the measured interval.
    pub window: Millis,
    /// CPU averaged over the interval, memory as last seen.
    pub usage: Resources,
}

/// Bytes that left a pod, by where they went: what providers bill traffic by.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Egress {
    /// To another zone of the region.
    pub zone: Bytes,
    /// To another region.
    pub region: Bytes,
    /// To the internet.
    pub internet: Bytes,
}

/// What one pod received and sent over the interval that ends at `at`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrafficSample {
    /// Namespace of the pod.
    pub namespace: Arc<str>,
    /// Name of the pod.
    pub pod: Arc<str>,
    /// End of the measured interval.
    pub at: Instant,
    /// Length of the measured interval.
    pub window: Millis,
    /// All that it received.
    pub received: Bytes,
    /// All that it sent, wherever to.
    pub sent: Bytes,
    /// The part of it that is billed, where a counter tells who it went to.
    pub egress: Option<Egress>,
}

/// How an action ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done; the object's new resource version, so that the next patch does not conflict with this one.
    Done {
        /// New `metadata.resourceVersion`.
        resource_version: Arc<str>,
    },
    /// Somebody changed the object in between: look again and decide again.
    Conflict,
    /// The object is gone.
    NotFound,
    /// The API server refuses for good: rights, admission, validation.
    Refused {
        /// Its words.
        reason: Arc<str>,
    },
    /// It may work later: throttled, unavailable, timed out.
    Retry {
        /// What happened.
        reason: Arc<str>,
        /// How long the server asked to wait, if it did.
        after: Option<Millis>,
    },
}

/// One fact that the engine takes in. Facts may come late and twice; each carries its own instant where it has one.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A node appeared or changed.
    Node(Node),
    /// A node is gone.
    NodeGone {
        /// Its UID.
        uid: Arc<str>,
        /// When it went.
        at: Instant,
    },
    /// What a node costs; sent after [`Event::Node`] whenever the answer is new.
    NodePriced {
        /// The node's UID.
        uid: Arc<str>,
        /// The price.
        price: NodePrice,
    },
    /// A namespace appeared or changed.
    Namespace(Namespace),
    /// A namespace is gone.
    NamespaceGone {
        /// Its UID.
        uid: Arc<str>,
    },
    /// A pod appeared or changed.
    Pod(Pod),
    /// A pod is gone.
    PodGone {
        /// Its UID.
        uid: Arc<str>,
        /// When it ended, as well as the object and the watch can tell.
        at: Instant,
    },
    /// A workload appeared or changed.
    Workload(Workload),
    /// A workload is gone.
    WorkloadGone {
        /// Its UID.
        uid: Arc<str>,
    },
    /// A full list of a kind has been delivered, as events before this one: what it does not name is gone.
    Listed {
        /// The kind.
        kind: Kind,
        /// UIDs of all objects in the list.
        uids: Vec<Arc<str>>,
    },
    /// A watch broke, or is well again (`problem: None`).
    Watch {
        /// The kind.
        kind: Kind,
        /// What is wrong, readable alone.
        problem: Option<Arc<str>>,
    },
    /// An object could not be read; its last good state is kept.
    Unreadable {
        /// The kind.
        kind: Kind,
        /// The object, as `namespace/name` as far as known.
        object: Arc<str>,
        /// What is wrong, with the value.
        reason: Arc<str>,
    },
    /// A kind of an operator's objects cannot be watched, or one of its objects cannot be read; or is well again
    /// (`problem: None`). Of an object that is read it need not be said.
    OperatorKind {
        /// The kind, by plural and group, such as `rollouts.argoproj.io`.
        resource: Arc<str>,
        /// The object, as `namespace/name`; `None` for the kind as a whole.
        object: Option<Arc<str>>,
        /// What is wrong, readable alone.
        problem: Option<Arc<str>>,
    },
    /// A volume appeared or changed.
    Volume(Volume),
    /// A volume is gone.
    VolumeGone {
        /// Its UID.
        uid: Arc<str>,
        /// When it went.
        at: Instant,
    },
    /// A claim appeared or changed.
    Claim(Claim),
    /// A claim is gone.
    ClaimGone {
        /// Its UID.
        uid: Arc<str>,
        /// When it went.
        at: Instant,
    },
    /// A Service with a load balancer appeared or changed.
    Service(Service),
    /// Such a Service is gone, or has no load balancer any more.
    ServiceGone {
        /// Its UID.
        uid: Arc<str>,
        /// When it went.
        at: Instant,
    },
    /// What a volume or load balancer costs; sent after the object whenever the answer is new.
    AssetPriced {
        /// UID of the volume or Service.
        uid: Arc<str>,
        /// The price of the whole asset.
        price: NodePrice,
    },
    /// What the cluster's control plane costs.
    ControlPlanePriced(NodePrice),
    /// What traffic costs.
    EgressPriced(EgressPrices),
    /// What pods received and sent.
    Traffic(Vec<TrafficSample>),
    /// A sleep policy appeared or changed.
    SleepPolicy(Box<PolicyObject>),
    /// A sleep policy is gone.
    SleepPolicyGone {
        /// Its UID.
        uid: Arc<str>,
    },
    /// A budget appeared or changed.
    Budget(Box<BudgetObject>),
    /// A budget is gone.
    BudgetGone {
        /// Its UID.
        uid: Arc<str>,
    },
    /// What a budget paid for in hours that were closed in an earlier life; what is known of an hour already stays.
    BudgetHistory {
        /// The budget's UID.
        uid: Arc<str>,
        /// Hours in any order, summed by the budget's own selector.
        hours: Vec<HourSum>,
    },
    /// Something was done to the history, or could not be.
    History {
        /// What.
        operation: HistoryOperation,
        /// Why it failed, readable alone: which file, and what to do.
        failed: Option<Arc<str>>,
    },
    /// Files of the history that cannot be read: all that are known, each told readable alone.
    HistoryDamaged(Vec<Arc<str>>),
    /// One scrape of the metrics API.
    Usage(Vec<UsageSample>),
    /// A scrape failed.
    UsageFailed {
        /// What happened.
        reason: Arc<str>,
    },
    /// This daemon is the one that acts from here on, or is it no more. One that is told nothing acts.
    Leads(bool),
    /// A person's command.
    Command(Command),
    /// An action ended.
    Ended {
        /// Which.
        id: ActionId,
        /// What it was about; an answer to an action of an earlier life of the daemon is ignored.
        target: Option<WorkloadKey>,
        /// How.
        outcome: Outcome,
    },
}
