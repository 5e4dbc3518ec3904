//! `GET /api/v1/cost`: who cost what.

use std::collections::BTreeMap;

use nightcap_core::money::Confidence;
use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Labels, Money, WindowReport};

/// Who cost what in a window.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CostReport {
    /// Name of the cluster.
    pub cluster: String,
    /// The instant of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// Up to here amounts do not change any more, corrections of late facts apart.
    #[schema(value_type = String, format = DateTime)]
    pub settled: Instant,
    /// The window as it was understood; it ends at `at` at the latest.
    pub window: WindowReport,
    /// What rows are grouped by, in order.
    pub by: Vec<String>,
    /// Always `USD`.
    pub currency: String,
    /// One table per step, in order; without `step` it is one.
    pub steps: Vec<CostStep>,
    /// What a reader should know before relying on the numbers.
    pub warnings: Vec<String>,
}

/// The table of one step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CostStep {
    /// The step.
    pub window: WindowReport,
    /// By key; with `idle=true` the last one is `__idle__`, and their costs add up to `total` exactly.
    pub rows: Vec<CostRow>,
    /// What nobody used.
    pub idle: Money,
    /// What all nodes cost: `allocated` and `idle` together.
    pub total: Money,
    /// What the pods pay together.
    pub allocated: Money,
    /// What sleep saved in the same time.
    pub saved: Money,
    /// How much of `total` rests on prices of which confidence: `exact`, `list`, `estimated`, `default`.
    #[schema(value_type = BTreeMap<String, Money>)]
    pub by_confidence: BTreeMap<Confidence, Money>,
    /// A row was cut by the step and counts in proportion to time.
    pub prorated: bool,
    /// Part of the step may still change.
    pub provisional: bool,
}

/// One group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct CostRow {
    /// The group's value of each dimension; empty for `__idle__`.
    pub key: Labels,
    /// The values joined by `/`.
    pub name: String,
    /// What it costs.
    pub cost: Money,
    /// The part of it that CPU costs.
    pub cpu_cost: Money,
    /// The part of it that memory costs.
    pub memory_cost: Money,
    /// The part of it that GPUs cost.
    pub gpu_cost: Money,
    /// CPU charged for: at each instant the larger of request and usage.
    pub cpu_core_hours: f64,
    /// CPU requested.
    pub cpu_requested_core_hours: f64,
    /// CPU used, as far as there were samples.
    pub cpu_used_core_hours: f64,
    /// CPU used of what was requested; `null` where nothing was requested.
    pub cpu_efficiency: Option<f64>,
    /// Memory charged for: at each instant the larger of request and usage.
    pub memory_gib_hours: f64,
    /// Memory requested.
    pub memory_requested_gib_hours: f64,
    /// Memory used, as far as there were samples.
    pub memory_used_gib_hours: f64,
    /// Memory used of what was requested; `null` where nothing was requested.
    pub memory_efficiency: Option<f64>,
    /// GPUs charged for.
    pub gpu_hours: f64,
    /// The part of `total`, from 0 to 1.
    pub share: f64,
    /// A row was cut by the step and counts in proportion to time.
    pub prorated: bool,
    /// Holds a correction from a fact that came late.
    pub late: bool,
}
