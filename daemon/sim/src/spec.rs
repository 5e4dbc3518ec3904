//! What a world is made of: pools of machines, spaces, workloads, and how lively it is.

use std::sync::Arc;

use chrono_tz::Tz;
use nightcap_core::cluster::{Keys, Provider};
use nightcap_core::units::{Bytes, Millis, Resources};

use crate::activity::Activity;

/// A whole cluster, before anything happens in it.
#[derive(Clone, PartialEq, Debug)]
pub struct WorldSpec {
    /// Prefix of the annotations that people write, such as `nightcap.dev`.
    pub prefix: Arc<str>,
    /// Pools of machines.
    pub pools: Vec<PoolSpec>,
    /// What runs on every node.
    pub daemons: Vec<DaemonSpec>,
    /// Namespaces with what is in them.
    pub spaces: Vec<SpaceSpec>,
    /// Storage classes.
    pub classes: Vec<ClassSpec>,
    /// Volumes that were kept when their claims went.
    pub released: Vec<DiskSpec>,
    /// How often usage is sampled; a sample covers the whole interval.
    pub scrape_interval: Millis,
    /// Whether what pods receive and send is counted; if so, it is sampled with their usage.
    pub counts_traffic: bool,
    /// Mean time between two rollouts of one Deployment; `None` for no rollouts.
    pub rollout_every: Option<Millis>,
    /// Mean time after which a spot node is taken back; `None` for never.
    pub spot_lasts: Option<Millis>,
}

/// What may run on the nodes of a pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PoolKind {
    /// Anything without special wishes.
    General,
    /// Spare capacity that may be taken back: only what tolerates that.
    Spot,
    /// Only what asks for a GPU.
    Gpu,
    /// Only what is bound to this place.
    Edge,
}

/// Where a pod may run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// On demand or spot.
    Anywhere,
    /// On demand only.
    OnDemand,
    /// On a GPU node.
    Gpu,
    /// On an edge node.
    Edge,
}

impl Place {
    /// Whether a node of such a pool will do.
    pub const fn accepts(self, pool: PoolKind) -> bool {
        match self {
            Self::Anywhere => matches!(pool, PoolKind::General | PoolKind::Spot),
            Self::OnDemand => matches!(pool, PoolKind::General),
            Self::Gpu => matches!(pool, PoolKind::Gpu),
            Self::Edge => matches!(pool, PoolKind::Edge),
        }
    }
}

/// A pool of equal machines.
#[derive(Clone, PartialEq, Debug)]
pub struct PoolSpec {
    /// Name, such as `general-m6i`.
    pub name: Arc<str>,
    /// What may run there.
    pub kind: PoolKind,
    /// Who runs the machines.
    pub provider: Provider,
    /// Region such as `eu-central-1`.
    pub region: Arc<str>,
    /// Zones such as `eu-central-1a`.
    pub zones: Vec<Arc<str>>,
    /// Instance type such as `m6i.xlarge`.
    pub instance_type: Arc<str>,
    /// What one machine has.
    pub capacity: Resources,
    /// The pool never has fewer nodes.
    pub min: usize,
    /// The pool never has more nodes.
    pub max: usize,
}

/// A storage class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClassSpec {
    /// Name, such as `gp3`.
    pub name: Arc<str>,
    /// Who sells the volumes.
    pub provider: Provider,
    /// Region such as `eu-central-1`.
    pub region: Arc<str>,
    /// Driver, such as `ebs.csi.aws.com`.
    pub driver: Arc<str>,
    /// Parameters that a price follows from, such as `type`.
    pub parameters: Keys,
}

/// A volume, or the claim of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskSpec {
    /// Name of its storage class.
    pub class: Arc<str>,
    /// Size.
    pub size: Bytes,
}

/// A claim that people made by hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimSpec {
    /// Name.
    pub name: Arc<str>,
    /// What it claims.
    pub disk: DiskSpec,
}

/// A Service with a load balancer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BalancerSpec {
    /// Name.
    pub name: Arc<str>,
    /// Kind of load balancer, such as `nlb`; empty for the provider's default.
    pub class: Arc<str>,
}

/// A `DaemonSet`.
#[derive(Clone, PartialEq, Debug)]
pub struct DaemonSpec {
    /// Its namespace, which must be among the spaces.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// What its pod requests on each node.
    pub requests: Resources,
}

/// A namespace.
#[derive(Clone, PartialEq, Debug)]
pub struct SpaceSpec {
    /// Name.
    pub name: Arc<str>,
    /// Labels.
    pub labels: Keys,
    /// Annotations, by full key.
    pub annotations: Keys,
    /// How active it is.
    pub activity: Activity,
    /// The clocks of the people who use it.
    pub zone: Tz,
    /// How often a week somebody comes by who wakes it if it sleeps.
    pub visits_a_week: u64,
    /// What is in it.
    pub workloads: Vec<WorkloadSpec>,
    /// Claims that no pod mounts.
    pub unmounted: Vec<ClaimSpec>,
    /// Services with a load balancer.
    pub balancers: Vec<BalancerSpec>,
}

/// What kind of workload, and how large.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkloadShape {
    /// A Deployment.
    Deployment {
        /// `spec.replicas`.
        replicas: u32,
    },
    /// A `StatefulSet`.
    StatefulSet {
        /// `spec.replicas`.
        replicas: u32,
        /// Its `persistentVolumeClaimRetentionPolicy.whenScaled` is Delete.
        deletes_claims: bool,
    },
    /// A `CronJob`.
    CronJob {
        /// The time between two runs; they start at whole multiples of it, UTC.
        every: Millis,
        /// How much later than the whole multiple.
        offset: Millis,
        /// Shortest and longest run.
        lasts: (Millis, Millis),
    },
    /// Jobs that somebody starts by hand while at work.
    Jobs {
        /// Mean number a week.
        a_week: u64,
        /// Shortest and longest run.
        lasts: (Millis, Millis),
    },
    /// One pod without a controller.
    BarePod,
}

/// A workload.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkloadSpec {
    /// Name.
    pub name: Arc<str>,
    /// Kind and size.
    pub shape: WorkloadShape,
    /// What one pod requests.
    pub requests: Resources,
    /// Shortest and longest time from binding to ready: image pull, start, probes.
    pub starts_in: (Millis, Millis),
    /// Where its pods may run.
    pub place: Place,
    /// What its pods mount: each of a `StatefulSet` a claim of its own, those of all others one together.
    pub disk: Option<DiskSpec>,
    /// Its data are copied to another region every night while it runs.
    pub copied_nightly: bool,
    /// It answers people: most of what it sends goes to the internet.
    pub faces_people: bool,
    /// Labels of the workload.
    pub labels: Keys,
    /// Annotations of the workload, by full key.
    pub annotations: Keys,
}

impl WorkloadSpec {
    /// A workload of this shape, of the usual kind otherwise.
    pub fn new(name: &str, shape: WorkloadShape, requests: Resources) -> Self {
        let (from, to) = match shape {
            WorkloadShape::Deployment { .. } => (4, 25),
            WorkloadShape::StatefulSet { .. } => (10, 45),
            WorkloadShape::CronJob { .. } | WorkloadShape::Jobs { .. } | WorkloadShape::BarePod => (1, 6),
        };
        Self {
            name: name.into(),
            shape,
            requests,
            starts_in: (Millis::from_secs(from), Millis::from_secs(to)),
            place: Place::Anywhere,
            disk: None,
            copied_nightly: false,
            faces_people: false,
            labels: Keys::new(),
            annotations: Keys::new(),
        }
    }

    /// The same, in another place.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// The same, with a disk: one for each pod of a `StatefulSet`, one for all pods of anything else.
    #[must_use]
    pub fn with_disk(self, class: &str, size: Bytes) -> Self {
        Self { disk: Some(DiskSpec { class: class.into(), size }), ..self }
    }

    /// The same, with its data copied to another region every night.
    #[must_use]
    pub fn copied_nightly(self) -> Self {
        Self { copied_nightly: true, ..self }
    }

    /// The same, answering people.
    #[must_use]
    pub fn facing_people(self) -> Self {
        Self { faces_people: true, ..self }
    }

    /// The same, slower or faster to start.
    #[must_use]
    pub fn starting_in(self, shortest: Millis, longest: Millis) -> Self {
        Self { starts_in: (shortest, longest), ..self }
    }

    /// The same, with one more annotation.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }
}
