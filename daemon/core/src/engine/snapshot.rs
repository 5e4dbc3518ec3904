//! The picture everything is read from: metrics, API, page, command line. Immutable and shared.

use std::sync::Arc;

use serde::Serialize;

use super::HistoryHealth;
use super::event::Kind;
use crate::advice::budget::{BudgetSpec, BudgetStatus};
use crate::cluster::{Node, OwnerKind, Tier, WorkloadKey};
use crate::money::{FlatNow, HeldPod, Hour, NodePrice, ResourceRates};
use crate::sleep::policy::{Policy, PolicyMatch};
use crate::sleep::{Decision, Mark, Mode, Original, Upcoming, Wish};
use crate::units::{Instant, Rate};

/// A node as it is now.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeView {
    /// The node.
    pub node: Arc<Node>,
    /// Its price, if one is known.
    pub price: Option<Arc<NodePrice>>,
    /// The price split over its resources: dollars per hour for all its CPU, all its memory, all its GPUs.
    pub rates: ResourceRates,
    /// Pods that hold it now.
    pub pods: usize,
}

/// A workload as it is now.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkloadView {
    /// Namespace, kind and name.
    pub key: WorkloadKey,
    /// Its size now.
    pub size: crate::cluster::Size,
    /// Pods that are ready.
    pub ready_replicas: u32,
    /// The mark of its sleep, if Nightcap put it to sleep.
    pub mark: Option<Mark>,
    /// What it was before.
    pub original: Option<Original>,
    /// What should be, and why.
    pub decision: Decision,
    /// Every wish that was considered; `None` where these are its space's.
    pub wishes: Option<Vec<Wish>>,
    /// What follows next, as far as wishes tell.
    pub upcoming: Option<Upcoming>,
    /// Why it cannot be put to sleep although it should be, or what its wake waits for.
    pub refusal: Option<Arc<str>>,
    /// Volumes whose data ends with its pods.
    pub local_volumes: Vec<Arc<str>>,
    /// What waking it would cost per hour, or what it costs awake, by its requests.
    pub hourly: Rate,
}

/// Whether a space sleeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpaceState {
    /// Everything that can sleep sleeps.
    Asleep,
    /// Nothing sleeps by our hand, and what was woken is ready.
    Awake,
    /// Size is restored, pods are not ready yet.
    Waking,
    /// Some workloads are still to be put to sleep.
    Falling,
}

/// A space as it is now.
#[derive(Clone, PartialEq, Debug)]
pub struct SpaceView {
    /// Name of the namespace.
    pub name: Arc<str>,
    /// Team.
    pub team: Arc<str>,
    /// What kind of team that is.
    pub team_kind: OwnerKind,
    /// Which rule named the team.
    pub team_rule: Arc<str>,
    /// Owner.
    pub owner: Arc<str>,
    /// What kind of owner that is.
    pub owner_kind: OwnerKind,
    /// Which rule named the owner.
    pub owner_rule: Arc<str>,
    /// Its tier, if it names one.
    pub tier: Option<Tier>,
    /// Whether it sleeps.
    pub state: SpaceState,
    /// Since when; `None` if not known, as for a space that was awake when the daemon started.
    pub since: Option<Instant>,
    /// What should be, and why.
    pub decision: Decision,
    /// What follows next, as far as wishes tell.
    pub upcoming: Option<Upcoming>,
    /// Every wish that was considered, the strongest first; for `explain`.
    pub wishes: Vec<Wish>,
    /// Its workloads that can sleep.
    pub workloads: Vec<WorkloadView>,
    /// What its pods cost per hour now.
    pub hourly: Rate,
    /// What it would cost per hour more if it were awake: saved while asleep.
    pub saving: Rate,
    /// What it would save per hour if it slept as it should: the forecast of observe mode.
    pub would_save: Rate,
    /// Running pods that nothing Nightcap can scale owns.
    pub bare_pods: usize,
}

/// A sleep policy as it is now.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyView {
    /// Name.
    pub name: Arc<str>,
    /// UID.
    pub uid: Arc<str>,
    /// What it says; the last version that could be understood, if one is known.
    pub policy: Option<Arc<Policy>>,
    /// What it is about, some seconds ago at most.
    pub matched: PolicyMatch,
    /// Why its newest version cannot be understood, if so.
    pub problem: Option<Arc<str>>,
}

/// A budget as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetView {
    /// Name.
    pub name: Arc<str>,
    /// UID.
    pub uid: Arc<str>,
    /// What it says; the last version that could be understood.
    pub spec: Arc<BudgetSpec>,
    /// What is said of it.
    pub status: BudgetStatus,
    /// Why its newest version cannot be understood, if so.
    pub problem: Option<Arc<str>>,
}

/// What is written as the status of a budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetReport {
    /// The version of the spec that was read.
    pub generation: i64,
    /// Why that cannot be understood, if so.
    pub problem: Option<Arc<str>>,
    /// What is said of it, by the last version that could be understood.
    pub status: Option<BudgetStatus>,
}

/// Something a person should mend; its own object is concerned, nothing else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Problem {
    /// What it is about, such as `namespace shop-dev`.
    pub object: Arc<str>,
    /// A short, stable word, such as `bad-annotation`.
    pub reason: &'static str,
    /// What is wrong, with the value, and what holds meanwhile.
    pub message: Arc<str>,
    /// Since when.
    pub since: Instant,
}

/// How the usage signal is doing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct UsageHealth {
    /// Newest sample.
    pub newest: Option<Instant>,
    /// Pods with a fresh sample.
    pub fresh_pods: usize,
    /// Why the last scrape failed, if it did.
    pub problem: Option<Arc<str>>,
}

/// One consistent picture of everything, at one instant.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The instant.
    pub at: Instant,
    /// Name of the cluster.
    pub cluster: Arc<str>,
    /// What the engine may do.
    pub mode: Mode,
    /// From when money is counted.
    pub start: Instant,
    /// Up to here rows do not change any more, corrections apart.
    pub settled: Instant,
    /// Whether this daemon is the one that acts.
    pub leads: bool,
    /// Whether every kind has been listed.
    pub synced: bool,
    /// Kinds that are not listed yet.
    pub missing: Vec<Kind>,
    /// Hours in order; the last one or two are open.
    pub hours: Vec<Arc<Hour>>,
    /// Nodes by name.
    pub nodes: Vec<NodeView>,
    /// Pods that hold a node, node by node.
    pub pods: Vec<HeldPod>,
    /// Disks, load balancers and fees that are there now.
    pub flat: Vec<FlatNow>,
    /// Spaces by name.
    pub spaces: Vec<SpaceView>,
    /// Sleep policies by name.
    pub policies: Vec<PolicyView>,
    /// Budgets by name.
    pub budgets: Vec<BudgetView>,
    /// What needs a person.
    pub problems: Vec<Problem>,
    /// The usage signal.
    pub usage: UsageHealth,
    /// How the history is doing.
    pub history: HistoryHealth,
    /// Actions under way.
    pub in_flight: usize,
    /// What was done so far.
    pub counters: Counters,
}

/// What the engine has done since it started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counters {
    /// Workloads put to sleep.
    pub slept: u64,
    /// Workloads woken.
    pub woken: u64,
    /// Patches that met a newer object and were decided again.
    pub conflicts: u64,
    /// Patches that failed and were tried again.
    pub retries: u64,
    /// Patches refused for good.
    pub refused: u64,
    /// Workloads left alone since somebody undoes their sleep, or their wake, again and again.
    pub fights: u64,
    /// Facts that came after their hour was settled.
    pub late_facts: u64,
    /// Objects or values that could not be read.
    pub unreadable: u64,
}
