//! `GET /api/v1/cost`: who cost what.

use std::collections::BTreeMap;

use nightcap_core::money::Confidence;
use nightcap_core::money::query::Component;
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
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct CostStep {
    /// The step.
    pub window: WindowReport,
    /// Groups by key, then `__others__`, then the lines of their own. With `idle=true` their costs and `filtered` add
    /// up to `total` exactly.
    pub rows: Vec<CostRow>,
    /// What nobody used, as far as it was not spread.
    pub idle: Money,
    /// What everybody uses, as far as it was not spread: the line `__shared__`.
    #[serde(default)]
    pub shared: Money,
    /// What running a cluster costs at all, as far as it was not spread: the line `__overhead__`.
    #[serde(default)]
    pub overhead: Money,
    /// What is paid for without a pod or a namespace: the line `__unmounted__`.
    #[serde(default)]
    pub unmounted: Money,
    /// What the filter left out, with its parts of what was spread.
    #[serde(default)]
    pub filtered: Money,
    /// The bill: what everything cost, nodes, volumes, load balancers, control plane and traffic.
    pub total: Money,
    /// What the groups pay together.
    pub allocated: Money,
    /// What sleep saved in the same time.
    pub saved: Money,
    /// How much of `total` rests on prices of which confidence: `exact`, `list`, `estimated`, `default`.
    #[schema(value_type = BTreeMap<String, Money>)]
    pub by_confidence: BTreeMap<Confidence, Money>,
    /// A row was cut by the step and counts in proportion to time.
    pub prorated: bool,
    /// Part of the step is known by the day only, since its hours are not kept any more, and such days count in proportion
    /// to time.
    #[serde(default)]
    pub coarse: bool,
    /// Part of the step may still change.
    pub provisional: bool,
}

/// What a row of a cost table is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowKind {
    /// A group.
    #[default]
    Group,
    /// The groups that `top` left out, together.
    Others,
    /// What nobody used.
    Idle,
    /// What everybody uses.
    Shared,
    /// What running a cluster costs at all.
    Overhead,
    /// What is paid for without a pod or a namespace.
    Unmounted,
    /// Another line of its own.
    Line,
}

/// One group, or one line of its own. All its parts of cost add up to `cost`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct CostRow {
    /// What it is.
    #[serde(default)]
    pub kind: RowKind,
    /// The group's value of each dimension; empty for what is no group.
    pub key: Labels,
    /// The values joined by `/`, or the name of the line such as `__idle__`.
    pub name: String,
    /// What it costs.
    pub cost: Money,
    /// The part of it that CPU costs.
    pub cpu_cost: Money,
    /// The part of it that memory costs.
    pub memory_cost: Money,
    /// The part of it that GPUs cost.
    pub gpu_cost: Money,
    /// The part of it that volumes cost.
    #[serde(default)]
    pub storage_cost: Money,
    /// The part of it that load balancers cost.
    #[serde(default)]
    pub load_balancer_cost: Money,
    /// The part of it that traffic to other zones costs.
    #[serde(default)]
    pub network_zone_cost: Money,
    /// The part of it that traffic to other regions costs.
    #[serde(default)]
    pub network_region_cost: Money,
    /// The part of it that traffic to the internet costs.
    #[serde(default)]
    pub network_internet_cost: Money,
    /// The part of it that the control plane costs.
    #[serde(default)]
    pub control_plane_cost: Money,
    /// The part of it that is a fixed sum.
    #[serde(default)]
    pub fixed_cost: Money,
    /// Its share of idle cost, where that is spread.
    #[serde(default)]
    pub idle_share_cost: Money,
    /// Its share of shared cost, where that is spread.
    #[serde(default)]
    pub shared_share_cost: Money,
    /// Its share of overhead, where that is spread.
    #[serde(default)]
    pub overhead_share_cost: Money,
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
    /// Volumes.
    #[serde(default)]
    pub storage_gib_hours: f64,
    /// Traffic that is paid for.
    #[serde(default)]
    pub network_gib: f64,
    /// Load balancers.
    #[serde(default)]
    pub load_balancer_hours: f64,
    /// The part of `total`, from 0 to 1.
    pub share: f64,
    /// How many groups this stands for.
    #[serde(default)]
    pub groups: usize,
    /// A row was cut by the step and counts in proportion to time.
    pub prorated: bool,
    /// Holds a correction from a fact that came late.
    pub late: bool,
    /// Holds time in which the daemon was not running, filled in from what the objects prove.
    #[serde(default)]
    pub backfilled: bool,
}

impl CostRow {
    /// What one component of it costs. All of them add up to `cost`.
    pub const fn part(&self, component: Component) -> Money {
        match component {
            Component::Cpu => self.cpu_cost,
            Component::Memory => self.memory_cost,
            Component::Gpu => self.gpu_cost,
            Component::Storage => self.storage_cost,
            Component::LoadBalancer => self.load_balancer_cost,
            Component::NetworkZone => self.network_zone_cost,
            Component::NetworkRegion => self.network_region_cost,
            Component::NetworkInternet => self.network_internet_cost,
            Component::ControlPlane => self.control_plane_cost,
            Component::Fixed => self.fixed_cost,
            Component::IdleShare => self.idle_share_cost,
            Component::SharedShare => self.shared_share_cost,
            Component::OverheadShare => self.overhead_share_cost,
        }
    }
}
