//! The objects of a world as they really are; the watch shows them a moment later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::cluster::{Namespace, Node, Pod, PodPhase, Service, Workload, WorkloadKey};
use nightcap_core::units::{Bytes, Cpu, Gpu, Instant, Millis, Resources};

use crate::spec::{Place, PoolSpec, SpaceSpec, WorkloadSpec};

/// No more pods on one node.
const MOST_PODS: usize = 110;

#[derive(Debug)]
pub(super) struct Space {
    pub(super) object: Namespace,
    pub(super) spec: SpaceSpec,
    pub(super) seed: u64,
    pub(super) owners: BTreeSet<u64>,
    /// Services with a load balancer, by name.
    pub(super) services: BTreeMap<Arc<str>, Service>,
}

/// What owns pods. Also what nobody watches: `DaemonSets`, people who start Jobs, the maker of a bare pod.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) role: Role,
    pub(super) spec: WorkloadSpec,
    pub(super) object: Workload,
    pub(super) pods: BTreeSet<u64>,
    /// The present pod template: its number, and its hash as pod names show it.
    pub(super) template: u32,
    pub(super) template_hash: String,
    /// The last run that was started, or skipped: `status.lastScheduleTime`.
    pub(super) last_run: Instant,
}

/// What kind of owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Deployment,
    StatefulSet,
    CronJob,
    Jobs,
    Daemon,
    Bare,
}

impl Role {
    /// Whether the objects of this kind are watched.
    pub(super) const fn is_watched(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::CronJob)
    }

    /// Whether a lost pod comes back on another node.
    pub(super) const fn is_replicated(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet)
    }
}

#[derive(Debug)]
pub(super) struct SimPod {
    pub(super) uid: Arc<str>,
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) owner: u64,
    /// The controller that the pod names: for a Job's pod the Job.
    pub(super) controller: Option<WorkloadKey>,
    pub(super) role: Role,
    pub(super) requests: Resources,
    pub(super) place: Place,
    pub(super) template: u32,
    /// Its own share of chance in usage.
    pub(super) seed: u64,
    pub(super) node: Option<u64>,
    pub(super) node_name: Option<Arc<str>>,
    pub(super) bound: Option<Instant>,
    pub(super) runs_for: Option<Millis>,
    pub(super) ended: Option<Instant>,
    pub(super) phase: PodPhase,
    pub(super) ready: bool,
    pub(super) stopping: bool,
    /// Names of the claims that it mounts.
    pub(super) claims: Vec<Arc<str>>,
}

impl SimPod {
    /// As the watch shows it.
    pub(super) fn record(&self) -> Pod {
        Pod {
            uid: Arc::clone(&self.uid),
            namespace: Arc::clone(&self.namespace),
            name: Arc::clone(&self.name),
            node: self.node_name.clone(),
            owner: self.controller.clone(),
            requests: self.requests,
            bound: self.bound,
            ended: self.ended,
            phase: self.phase,
            ready: self.ready,
            claims: self.claims.clone(),
            facts: None,
        }
    }
}

#[derive(Debug)]
pub(super) struct SimNode {
    pub(super) object: Node,
    pub(super) pool: usize,
    /// What may still be requested.
    pub(super) free: Resources,
    pub(super) pods: BTreeSet<u64>,
    /// Pods that are no daemons.
    pub(super) guests: usize,
    pub(super) empty_since: Option<Instant>,
    /// Nothing new is placed here.
    pub(super) cordoned: bool,
    /// Its metrics are this much older than the scrape.
    pub(super) sample_age: Millis,
}

impl SimNode {
    pub(super) fn has_room(&self, requests: Resources) -> bool {
        self.object.ready && !self.cordoned && self.pods.len() < MOST_PODS && fits(self.free, requests)
    }
}

/// A pool with the machines it has or waits for.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) spec: PoolSpec,
    pub(super) nodes: usize,
}

/// A machine that boots.
#[derive(Debug)]
pub(super) struct Boot {
    pub(super) pool: usize,
}

/// Whether `requests` fit into `free`.
pub(super) fn fits(free: Resources, requests: Resources) -> bool {
    requests.cpu <= free.cpu && requests.memory <= free.memory && requests.gpu <= free.gpu
}

/// `from` less `amount`, never below zero.
pub(super) fn less(from: Resources, amount: Resources) -> Resources {
    Resources { cpu: from.cpu - amount.cpu, memory: from.memory - amount.memory, gpu: from.gpu - amount.gpu }
}

/// What is left for pods after the kubelet's and the system's own share.
pub(super) fn allocatable(capacity: Resources) -> Resources {
    let Resources { cpu: Cpu(cpu), memory: Bytes(memory), gpu: Gpu(gpu) } = capacity;
    let reserved =
        Resources { cpu: Cpu(cpu / 50), memory: Bytes(memory / 20) + Bytes::from_mib(256), gpu: Gpu(0) };
    less(Resources { cpu: Cpu(cpu), memory: Bytes(memory), gpu: Gpu(gpu) }, reserved)
}

/// Kubernetes times have a resolution of one second.
pub(super) const fn second(at: Instant) -> Instant {
    Instant(at.0.div_euclid(1_000) * 1_000)
}
