//! A row of `/allocation`: the fields of `OpenCost`, all of them, in its order.

use std::collections::BTreeMap;

use nightcap_core::units::{Instant, Usd};
use serde::Serialize;
use utoipa::ToSchema;

use super::parts::{LoadBalancerPart, NodeShare, SharedPart, VolumePart};
use crate::api::{Money, WindowReport};

/// What a row's pods have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Properties {
    pub(super) cluster: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) controller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) controller_kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pod: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) services: Vec<String>,
    #[serde(rename = "providerID", skip_serializing_if = "Option::is_none")]
    pub(super) provider_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, String>,
}

/// Written as `null`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(super) struct NotKept;

/// A row: money in dollars with all its decimals, amounts averaged or summed over time as their names say.
///
/// `cpuCost` and its like include shared idle cost where that was asked for, and `cpuCostIdle` says how much of it that
/// is. `sharedCost` is what was spread of shared cost and overhead, and what the lines `__shared__` and `__overhead__`
/// cost themselves.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct AllocationRow {
    pub(super) name: String,
    pub(super) properties: Properties,
    pub(super) window: WindowReport,
    #[schema(value_type = String, format = DateTime)]
    pub(super) start: Instant,
    #[schema(value_type = String, format = DateTime)]
    pub(super) end: Instant,
    pub(super) minutes: f64,
    pub(super) cpu_cores: f64,
    pub(super) cpu_core_request_average: f64,
    pub(super) cpu_core_usage_average: f64,
    pub(super) cpu_core_hours: f64,
    #[schema(value_type = Money)]
    pub(super) cpu_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) cpu_cost_adjustment: Usd,
    #[schema(value_type = Money)]
    pub(super) cpu_cost_idle: Usd,
    pub(super) cpu_efficiency: f64,
    pub(super) gpu_count: f64,
    pub(super) gpu_request_average: f64,
    pub(super) gpu_usage_average: f64,
    pub(super) gpu_hours: f64,
    #[schema(value_type = Money)]
    pub(super) gpu_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) gpu_cost_adjustment: Usd,
    #[schema(value_type = Money)]
    pub(super) gpu_cost_idle: Usd,
    pub(super) gpu_efficiency: f64,
    pub(super) network_transfer_bytes: f64,
    pub(super) network_receive_bytes: f64,
    #[schema(value_type = Money)]
    pub(super) network_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) network_cross_zone_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) network_cross_region_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) network_internet_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) network_cost_adjustment: Usd,
    #[schema(value_type = Money)]
    pub(super) load_balancer_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) load_balancer_cost_adjustment: Usd,
    pub(super) pv_bytes: f64,
    pub(super) pv_byte_hours: f64,
    #[schema(value_type = Money)]
    pub(super) pv_cost: Usd,
    pub(super) pvs: Option<BTreeMap<String, VolumePart>>,
    #[schema(value_type = Money)]
    pub(super) pv_cost_adjustment: Usd,
    pub(super) ram_bytes: f64,
    pub(super) ram_byte_request_average: f64,
    pub(super) ram_byte_usage_average: f64,
    pub(super) ram_byte_hours: f64,
    #[schema(value_type = Money)]
    pub(super) ram_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) ram_cost_adjustment: Usd,
    #[schema(value_type = Money)]
    pub(super) ram_cost_idle: Usd,
    pub(super) ram_efficiency: f64,
    #[schema(value_type = Money)]
    pub(super) external_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) shared_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) total_cost: Usd,
    pub(super) total_efficiency: f64,
    /// Peaks are not kept: `null`, and left out where rows are aggregated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) raw_allocation_only: Option<NotKept>,
    pub(super) proportional_asset_resource_costs: Option<BTreeMap<String, NodeShare>>,
    pub(super) lb_allocations: Option<BTreeMap<String, LoadBalancerPart>>,
    pub(super) shared_cost_breakdown: Option<BTreeMap<&'static str, SharedPart>>,
}
