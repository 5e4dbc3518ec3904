//! A row of `/allocation`: the fields of `OpenCost`, all of them, in its order.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::money::query::{Group, IDLE};
use nightcap_core::money::{ByResource, NodeName, ResourceHours};
use nightcap_core::units::{Instant, Usd, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{Answer, IdleLine};
use crate::api::{Money, WindowReport};

const NONE: Usd = Usd(nightcap_core::units::PicoUsd(0));

/// What a row's pods have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Properties {
    cluster: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller_kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<String>,
    #[serde(rename = "providerID", skip_serializing_if = "Option::is_none")]
    provider_id: Option<String>,
}

/// A row: money in dollars with all its decimals, amounts averaged or summed over time as their names say.
///
/// What is not counted (network, load balancers, volumes) is 0; `cpuCost` and its like include shared idle cost where
/// that was asked for, and `cpuCostIdle` says how much of it that is.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct AllocationRow {
    name: String,
    properties: Properties,
    window: WindowReport,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    minutes: f64,
    cpu_cores: f64,
    cpu_core_request_average: f64,
    cpu_core_usage_average: f64,
    cpu_core_hours: f64,
    #[schema(value_type = Money)]
    cpu_cost: Usd,
    #[schema(value_type = Money)]
    cpu_cost_adjustment: Usd,
    #[schema(value_type = Money)]
    cpu_cost_idle: Usd,
    cpu_efficiency: f64,
    gpu_count: f64,
    gpu_request_average: f64,
    gpu_usage_average: f64,
    gpu_hours: f64,
    #[schema(value_type = Money)]
    gpu_cost: Usd,
    #[schema(value_type = Money)]
    gpu_cost_adjustment: Usd,
    #[schema(value_type = Money)]
    gpu_cost_idle: Usd,
    gpu_efficiency: f64,
    network_transfer_bytes: f64,
    network_receive_bytes: f64,
    #[schema(value_type = Money)]
    network_cost: Usd,
    #[schema(value_type = Money)]
    network_cross_zone_cost: Usd,
    #[schema(value_type = Money)]
    network_cross_region_cost: Usd,
    #[schema(value_type = Money)]
    network_internet_cost: Usd,
    #[schema(value_type = Money)]
    network_cost_adjustment: Usd,
    #[schema(value_type = Money)]
    load_balancer_cost: Usd,
    #[schema(value_type = Money)]
    load_balancer_cost_adjustment: Usd,
    pv_bytes: f64,
    pv_byte_hours: f64,
    #[schema(value_type = Money)]
    pv_cost: Usd,
    #[schema(value_type = Option<Object>)]
    pvs: Option<()>,
    #[schema(value_type = Money)]
    pv_cost_adjustment: Usd,
    ram_bytes: f64,
    ram_byte_request_average: f64,
    ram_byte_usage_average: f64,
    ram_byte_hours: f64,
    #[schema(value_type = Money)]
    ram_cost: Usd,
    #[schema(value_type = Money)]
    ram_cost_adjustment: Usd,
    #[schema(value_type = Money)]
    ram_cost_idle: Usd,
    ram_efficiency: f64,
    #[schema(value_type = Money)]
    external_cost: Usd,
    #[schema(value_type = Money)]
    shared_cost: Usd,
    #[schema(value_type = Money)]
    total_cost: Usd,
    total_efficiency: f64,
    #[schema(value_type = Option<Object>)]
    raw_allocation_only: Option<()>,
    #[schema(value_type = Option<Object>)]
    proportional_asset_resource_costs: Option<()>,
    #[schema(value_type = Option<Object>)]
    lb_allocations: Option<()>,
    #[schema(value_type = Option<Object>)]
    shared_cost_breakdown: Option<()>,
}

/// A row of `/allocation/summary`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct SummaryRow {
    name: String,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    cpu_core_request_average: f64,
    cpu_core_usage_average: f64,
    #[schema(value_type = Money)]
    cpu_cost: Usd,
    #[schema(value_type = Money)]
    cpu_cost_idle: Usd,
    gpu_request_average: f64,
    gpu_usage_average: f64,
    #[schema(value_type = Money)]
    gpu_cost: Usd,
    #[schema(value_type = Money)]
    gpu_cost_idle: Usd,
    #[schema(value_type = Money)]
    network_cost: Usd,
    #[schema(value_type = Money)]
    load_balancer_cost: Usd,
    #[schema(value_type = Money)]
    pv_cost: Usd,
    ram_byte_request_average: f64,
    ram_byte_usage_average: f64,
    #[schema(value_type = Money)]
    ram_cost: Usd,
    #[schema(value_type = Money)]
    ram_cost_idle: Usd,
    #[schema(value_type = Money)]
    shared_cost: Usd,
    #[schema(value_type = Money)]
    external_cost: Usd,
    efficiency: f64,
}

/// The rows of one step by name.
pub(super) fn rows(answer: &Answer, cluster: &str) -> BTreeMap<String, AllocationRow> {
    let step = answer.table.window;
    let groups = answer.table.groups.iter().enumerate().map(|(nth, (key, group))| {
        let shared = answer.shared.get(nth).copied().unwrap_or_default();
        let lived = group.window.unwrap_or(step);
        row(key.join("/"), properties(cluster, group), step, lived, Amounts::of(group), group.cost, shared)
    });
    let idle = answer.idle.iter().map(|line| idle_row(line, cluster, step));
    let mut rows = BTreeMap::new();
    for mut row in groups.chain(idle) {
        // Teams may be called anything, `a/b` or `__idle__`: no row may take another's place, else the sum is wrong.
        while rows.contains_key(&row.name) {
            row.name.push('\'');
        }
        rows.insert(row.name.clone(), row);
    }
    rows
}

fn idle_row(line: &IdleLine, cluster: &str, step: Window) -> AllocationRow {
    let name = line.node.as_ref().map_or_else(|| IDLE.to_owned(), |node| format!("{}/{IDLE}", node.name));
    let properties = Properties {
        cluster: cluster.to_owned(),
        node: line.node.as_ref().map(|node| node.name.to_string()),
        provider_id: line.node.as_ref().and_then(provider_id),
        ..Properties::default()
    };
    let amounts = Amounts::default();
    row(name, properties, step, step, amounts, line.cost, ByResource::default())
}

fn properties(cluster: &str, group: &Group) -> Properties {
    let common = &group.common;
    let text = |value: &Option<Arc<str>>| value.as_deref().map(ToOwned::to_owned);
    Properties {
        cluster: cluster.to_owned(),
        node: common.node.as_ref().map(|node| node.name.to_string()),
        controller: common.workload.as_ref().map(|(_, name)| name.to_string()),
        controller_kind: common.workload.as_ref().map(|(kind, _)| kind.name().to_lowercase()),
        namespace: text(&common.namespace),
        pod: text(&common.pod),
        provider_id: common.node.as_ref().and_then(provider_id),
    }
}

fn provider_id(node: &Arc<NodeName>) -> Option<String> {
    Some(node.provider_id.to_string()).filter(|id| !id.is_empty())
}

/// What a row held over time.
#[derive(Clone, Copy, Default)]
struct Amounts {
    charged: ResourceHours,
    requested: ResourceHours,
    used: ResourceHours,
}

impl Amounts {
    const fn of(group: &Group) -> Self {
        Self { charged: group.charged, requested: group.requested, used: group.used }
    }
}

fn row(
    name: String,
    properties: Properties,
    step: Window,
    lived: Window,
    amounts: Amounts,
    cost: ByResource,
    shared: ByResource,
) -> AllocationRow {
    let hours = lived.length().as_hours();
    let average = |sum: f64| if hours > 0.0 { sum / hours } else { 0.0 };
    let Amounts { charged, requested, used } = amounts;
    let own = cost - shared;
    let cpu = efficiency(requested.cpu_core_hours, used.cpu_core_hours, own.cpu.usd());
    let ram = efficiency(requested.memory_byte_hours, used.memory_byte_hours, own.memory.usd());
    let weight = own.cpu.usd() + own.memory.usd();
    let total_efficiency =
        if weight > 0.0 { (cpu * own.cpu.usd() + ram * own.memory.usd()) / weight } else { 0.0 };
    AllocationRow {
        name,
        properties,
        window: step.into(),
        start: lived.start,
        end: lived.end,
        minutes: lived.length().as_minutes(),
        cpu_cores: average(charged.cpu_core_hours),
        cpu_core_request_average: average(requested.cpu_core_hours),
        cpu_core_usage_average: average(used.cpu_core_hours),
        cpu_core_hours: charged.cpu_core_hours,
        cpu_cost: cost.cpu.exact(),
        cpu_cost_adjustment: NONE,
        cpu_cost_idle: shared.cpu.exact(),
        cpu_efficiency: cpu,
        gpu_count: average(charged.gpu_hours),
        gpu_request_average: average(requested.gpu_hours),
        gpu_usage_average: average(used.gpu_hours),
        gpu_hours: charged.gpu_hours,
        gpu_cost: cost.gpu.exact(),
        gpu_cost_adjustment: NONE,
        gpu_cost_idle: shared.gpu.exact(),
        gpu_efficiency: 0.0,
        network_transfer_bytes: 0.0,
        network_receive_bytes: 0.0,
        network_cost: NONE,
        network_cross_zone_cost: NONE,
        network_cross_region_cost: NONE,
        network_internet_cost: NONE,
        network_cost_adjustment: NONE,
        load_balancer_cost: NONE,
        load_balancer_cost_adjustment: NONE,
        pv_bytes: 0.0,
        pv_byte_hours: 0.0,
        pv_cost: NONE,
        pvs: None,
        pv_cost_adjustment: NONE,
        ram_bytes: average(charged.memory_byte_hours),
        ram_byte_request_average: average(requested.memory_byte_hours),
        ram_byte_usage_average: average(used.memory_byte_hours),
        ram_byte_hours: charged.memory_byte_hours,
        ram_cost: cost.memory.exact(),
        ram_cost_adjustment: NONE,
        ram_cost_idle: shared.memory.exact(),
        ram_efficiency: ram,
        external_cost: NONE,
        shared_cost: NONE,
        total_cost: cost.total().exact(),
        total_efficiency,
        raw_allocation_only: None,
        proportional_asset_resource_costs: None,
        lb_allocations: None,
        shared_cost_breakdown: None,
    }
}

/// Used of requested; 1 for what uses and pays without a request, as `OpenCost` counts it.
fn efficiency(requested: f64, used: f64, cost: f64) -> f64 {
    if requested > 0.0 {
        used / requested
    } else if used > 0.0 && cost > 0.0 {
        1.0
    } else {
        0.0
    }
}

impl From<AllocationRow> for SummaryRow {
    fn from(row: AllocationRow) -> Self {
        Self {
            name: row.name,
            start: row.start,
            end: row.end,
            cpu_core_request_average: row.cpu_core_request_average,
            cpu_core_usage_average: row.cpu_core_usage_average,
            cpu_cost: row.cpu_cost,
            cpu_cost_idle: row.cpu_cost_idle,
            gpu_request_average: row.gpu_request_average,
            gpu_usage_average: row.gpu_usage_average,
            gpu_cost: row.gpu_cost,
            gpu_cost_idle: row.gpu_cost_idle,
            network_cost: row.network_cost,
            load_balancer_cost: row.load_balancer_cost,
            pv_cost: row.pv_cost,
            ram_byte_request_average: row.ram_byte_request_average,
            ram_byte_usage_average: row.ram_byte_usage_average,
            ram_cost: row.ram_cost,
            ram_cost_idle: row.ram_cost_idle,
            shared_cost: row.shared_cost,
            external_cost: row.external_cost,
            efficiency: row.total_efficiency,
        }
    }
}
