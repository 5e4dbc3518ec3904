//! `GET /api/v1/status`: how the daemon and its cluster are doing.

use nightcap_core::money::Confidence;
use nightcap_core::sleep::Mode;
use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Money, ProblemReport};

/// How the daemon and its cluster are doing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Name of the cluster.
    pub cluster: String,
    /// How far Nightcap is trusted: `observe`, `ask` or `act`.
    #[schema(value_type = String, example = "observe")]
    pub mode: Mode,
    /// The instant of the picture; the demo's clock is the simulated one.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// From when money is counted.
    #[schema(value_type = String, format = DateTime)]
    pub start: Instant,
    /// Up to here amounts do not change any more, corrections of late facts apart.
    #[schema(value_type = String, format = DateTime)]
    pub settled: Instant,
    /// Version of the daemon.
    pub version: String,
    /// Whether every kind of object has been listed once.
    pub synced: bool,
    /// Kinds that are not listed yet, such as `pods`.
    pub missing: Vec<String>,
    /// How many there are of what.
    pub counts: Counts,
    /// What all nodes cost per hour now.
    pub hourly_cost: Money,
    /// What sleep saves per hour now.
    pub hourly_saving: Money,
    /// What it would save per hour more if everything slept that should: the forecast of observe mode.
    pub hourly_would_save: Money,
    /// What all nodes have cost since `start`, as far as hours are kept.
    pub cost: Money,
    /// What sleep has saved since `start`, as far as hours are kept.
    pub saved: Money,
    /// How the usage signal is doing.
    pub usage: UsageReport,
    /// How much of `hourly_cost` rests on prices of which confidence, best first.
    pub price_confidence: Vec<ConfidenceShare>,
    /// What needs a person.
    pub problems: Vec<ProblemReport>,
    /// What was done since the daemon started.
    pub counters: CountersReport,
}

/// How many there are of what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Nodes.
    pub nodes: usize,
    /// Pods that hold a node.
    pub pods: usize,
    /// Spaces.
    pub spaces: usize,
    /// Spaces in which everything that can sleep sleeps.
    pub spaces_asleep: usize,
    /// Workloads that can sleep.
    pub workloads: usize,
    /// Workloads that Nightcap has put to sleep.
    pub workloads_asleep: usize,
    /// Writes to the cluster under way.
    pub actions_in_flight: usize,
}

/// How the usage signal is doing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct UsageReport {
    /// The newest sample.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub newest: Option<Instant>,
    /// Pods with a fresh sample.
    pub fresh_pods: usize,
    /// Why the last scrape failed, if it did.
    pub problem: Option<String>,
}

/// How much of a sum rests on prices of one confidence.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConfidenceShare {
    /// `exact`, `list`, `estimated` or `default`.
    #[schema(value_type = String, example = "list")]
    pub confidence: Confidence,
    /// The sum of their hourly prices.
    pub hourly_cost: Money,
    /// The part of the whole, from 0 to 1.
    pub share: f64,
}

/// What was done since the daemon started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct CountersReport {
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
    /// Facts that came after their time was settled.
    pub late_facts: u64,
    /// Objects or values that could not be read.
    pub unreadable: u64,
}
