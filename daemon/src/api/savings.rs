//! `GET /api/v1/savings`: what sleep saved.

use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Labels, Money, WindowReport};

/// What sleep saved in a window: the requests that were freed × their price × the time asleep.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SavingsReport {
    /// Name of the cluster.
    pub cluster: String,
    /// The instant of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// The window as it was understood; it ends at `at` at the latest.
    pub window: WindowReport,
    /// What rows are grouped by, in order.
    pub by: Vec<String>,
    /// Always `USD`.
    pub currency: String,
    /// By key.
    pub rows: Vec<SavingsRow>,
    /// All rows together.
    pub saved: Money,
    /// What all nodes cost in the same window.
    pub cost: Money,
    /// A row was cut by the window and counts in proportion to time.
    pub prorated: bool,
    /// Part of the window may still change.
    pub provisional: bool,
    /// What a reader should know before relying on the numbers.
    pub warnings: Vec<String>,
}

/// One group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct SavingsRow {
    /// The group's value of each dimension.
    pub key: Labels,
    /// The values joined by `/`.
    pub name: String,
    /// What was saved.
    pub saved: Money,
    /// The part of it that CPU would have cost.
    pub cpu_saved: Money,
    /// The part of it that memory would have cost.
    pub memory_saved: Money,
    /// The part of it that GPUs would have cost.
    pub gpu_saved: Money,
    /// CPU requests that were freed.
    pub cpu_freed_core_hours: f64,
    /// Memory requests that were freed.
    pub memory_freed_gib_hours: f64,
    /// GPU requests that were freed.
    pub gpu_freed_hours: f64,
    /// Hours asleep, summed over the workloads of the group.
    pub asleep_workload_hours: f64,
}
