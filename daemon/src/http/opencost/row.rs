//! A row of `/allocation`: the fields of `OpenCost`, all of them, in its order.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::money::query::{Group, IDLE, Line, Table};
use nightcap_core::money::{AssetKind, NodeName};
use nightcap_core::units::{Instant, Usd, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::parts::{self, LoadBalancerPart, NodeShare, SharedPart, VolumePart};
use super::query::Show;
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
    container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller_kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<String>,
    #[serde(rename = "providerID", skip_serializing_if = "Option::is_none")]
    provider_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

/// Written as `null`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
struct NotKept;

/// A row: money in dollars with all its decimals, amounts averaged or summed over time as their names say.
///
/// `cpuCost` and its like include shared idle cost where that was asked for, and `cpuCostIdle` says how much of it that
/// is. `sharedCost` is what was spread of shared cost and overhead, and what the lines `__shared__` and `__overhead__`
/// cost themselves.
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
    pvs: Option<BTreeMap<String, VolumePart>>,
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
    /// Peaks are not kept: `null`, and left out where rows are aggregated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    raw_allocation_only: Option<NotKept>,
    proportional_asset_resource_costs: Option<BTreeMap<String, NodeShare>>,
    lb_allocations: Option<BTreeMap<String, LoadBalancerPart>>,
    shared_cost_breakdown: Option<BTreeMap<&'static str, SharedPart>>,
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

/// The rows of one step by name. `volumes` says how long each volume was there, where that matters.
pub(super) fn rows(
    table: &Table,
    cluster: &str,
    show: Show,
    volumes: &BTreeMap<Arc<str>, Window>,
) -> BTreeMap<String, AllocationRow> {
    let groups = table.groups.iter().map(|(key, group)| {
        // With nothing to group by, the one row is called like the cluster.
        let name = if key.is_empty() { cluster.to_owned() } else { key.join("/") };
        row(name, properties(cluster, group, show), group, table, show, volumes)
    });
    let lines = table.lines.iter().filter(|line| show.idle || &*line.name != IDLE);
    // OpenCost has no such rows: what a cluster costs at all is an asset there, and nobody's.
    let lines =
        lines.filter(|line| !show.compat.is_on() || ["__idle__", "__unmounted__"].contains(&&*line.name));
    let lines = lines.map(|line| {
        let name = line_name(line, cluster, show);
        row(name, line_properties(line, cluster), &line.group, table, show, volumes)
    });
    let mut rows = BTreeMap::new();
    for mut row in groups.chain(lines) {
        // Teams may be called anything, `a/b` or `__idle__`: no row may take another's place, else the sum is wrong.
        while rows.contains_key(&row.name) {
            row.name.push('\'');
        }
        rows.insert(row.name.clone(), row);
    }
    rows
}

fn line_name(line: &Line, cluster: &str, show: Show) -> String {
    match &line.node {
        Some(node) => format!("{}/{}", node.name, line.name),
        None if show.split_idle && &*line.name == IDLE => format!("{cluster}/{}", line.name),
        None => line.name.to_string(),
    }
}

fn line_properties(line: &Line, cluster: &str) -> Properties {
    let namespace = (&*line.name != IDLE).then(|| line.name.to_string());
    Properties {
        cluster: cluster.to_owned(),
        node: line.node.as_ref().map(|node| node.name.to_string()),
        namespace,
        provider_id: line.node.as_ref().and_then(provider_id),
        ..Properties::default()
    }
}

fn properties(cluster: &str, group: &Group, show: Show) -> Properties {
    let common = &group.common;
    // What nobody asked for reads as empty where rows come from an archive.
    let text =
        |value: &Option<Arc<str>>| value.as_deref().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let pod = text(&common.pod);
    let balancers = group.assets.values().filter(|part| part.asset.kind == AssetKind::LoadBalancer);
    Properties {
        cluster: cluster.to_owned(),
        node: common.node.as_ref().map(|node| node.name.to_string()).filter(|name| !name.is_empty()),
        container: pod.clone().filter(|_| show.containers),
        controller: common.workload.as_ref().map(|(_, name)| name.to_string()),
        controller_kind: common.workload.as_ref().map(|(kind, _)| kind.name().to_lowercase()),
        namespace: text(&common.namespace),
        pod,
        services: if show.labels {
            balancers.map(|part| parts::service(&part.asset).to_owned()).collect()
        } else {
            Vec::new()
        },
        provider_id: common.node.as_ref().and_then(provider_id),
        labels: common
            .labels
            .iter()
            .flat_map(|l| l.iter())
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect(),
    }
}

fn provider_id(node: &Arc<NodeName>) -> Option<String> {
    Some(node.provider_id.to_string()).filter(|id| !id.is_empty())
}

fn row(
    name: String,
    properties: Properties,
    group: &Group,
    table: &Table,
    show: Show,
    volumes: &BTreeMap<Arc<str>, Window>,
) -> AllocationRow {
    let lived = group.window.unwrap_or(table.window);
    let hours = lived.length().as_hours();
    let average = |sum: f64| if hours > 0.0 { sum / hours } else { 0.0 };
    let Group { charged, requested, used, costs, .. } = group;
    let own = costs.node;
    let cpu = efficiency(requested.cpu_core_hours, used.cpu_core_hours, own.cpu.usd());
    let ram = efficiency(requested.memory_byte_hours, used.memory_byte_hours, own.memory.usd());
    let weight = own.cpu.usd() + own.memory.usd();
    let total_efficiency =
        if weight > 0.0 { (cpu * own.cpu.usd() + ram * own.memory.usd()) / weight } else { 0.0 };
    let storage = show.compat.storage(group, volumes);
    let total = costs.total() - costs.storage + storage;
    let usd = |amount| show.compat.told(amount).exact();
    let cluster = properties.cluster.clone();
    AllocationRow {
        name,
        properties,
        window: table.window.into(),
        start: lived.start,
        end: lived.end,
        minutes: lived.length().as_minutes(),
        cpu_cores: average(charged.cpu_core_hours),
        cpu_core_request_average: average(requested.cpu_core_hours),
        cpu_core_usage_average: average(used.cpu_core_hours),
        cpu_core_hours: charged.cpu_core_hours,
        cpu_cost: usd(own.cpu + costs.idle.cpu),
        cpu_cost_adjustment: NONE,
        cpu_cost_idle: usd(costs.idle.cpu),
        cpu_efficiency: cpu,
        gpu_count: average(charged.gpu_hours),
        gpu_request_average: average(requested.gpu_hours),
        gpu_usage_average: average(used.gpu_hours),
        gpu_hours: charged.gpu_hours,
        gpu_cost: usd(own.gpu + costs.idle.gpu),
        gpu_cost_adjustment: NONE,
        gpu_cost_idle: usd(costs.idle.gpu),
        gpu_efficiency: 0.0,
        network_transfer_bytes: group.network_bytes,
        network_receive_bytes: 0.0,
        network_cost: usd(costs.network.total()),
        network_cross_zone_cost: usd(costs.network.zone),
        network_cross_region_cost: usd(costs.network.region),
        network_internet_cost: usd(costs.network.internet),
        network_cost_adjustment: NONE,
        load_balancer_cost: usd(costs.load_balancer),
        load_balancer_cost_adjustment: NONE,
        pv_bytes: average(group.volume_byte_hours),
        pv_byte_hours: group.volume_byte_hours,
        pv_cost: usd(storage),
        pvs: parts::volumes(group, &cluster, show.compat, volumes),
        pv_cost_adjustment: NONE,
        ram_bytes: average(charged.memory_byte_hours),
        ram_byte_request_average: average(requested.memory_byte_hours),
        ram_byte_usage_average: average(used.memory_byte_hours),
        ram_byte_hours: charged.memory_byte_hours,
        ram_cost: usd(own.memory + costs.idle.memory),
        ram_cost_adjustment: NONE,
        ram_cost_idle: usd(costs.idle.memory),
        ram_efficiency: ram,
        external_cost: NONE,
        shared_cost: usd(costs.shared + costs.overhead + costs.control_plane + costs.fixed),
        total_cost: usd(total),
        total_efficiency,
        raw_allocation_only: show.raw.then_some(NotKept),
        proportional_asset_resource_costs: show.nodes.then(|| parts::nodes(group, &cluster)),
        lb_allocations: parts::load_balancers(group, show.compat),
        shared_cost_breakdown: show.shared.then(|| parts::shared(group, table, show.compat)),
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

impl AllocationRow {
    /// Names of the columns of [`Self::csv_cells`].
    pub(super) const CSV_HEAD: [&str; 37] = [
        "name",
        "cluster",
        "node",
        "namespace",
        "controllerKind",
        "controller",
        "pod",
        "windowStart",
        "windowEnd",
        "start",
        "end",
        "minutes",
        "cpuCoreHours",
        "cpuCoreRequestAverage",
        "cpuCoreUsageAverage",
        "ramByteHours",
        "ramByteRequestAverage",
        "ramByteUsageAverage",
        "gpuHours",
        "pvByteHours",
        "networkTransferBytes",
        "totalEfficiency",
        "cpuCost",
        "cpuCostIdle",
        "gpuCost",
        "gpuCostIdle",
        "ramCost",
        "ramCostIdle",
        "pvCost",
        "networkCost",
        "networkCrossZoneCost",
        "networkCrossRegionCost",
        "networkInternetCost",
        "loadBalancerCost",
        "sharedCost",
        "externalCost",
        "totalCost",
    ];

    /// The row as cells.
    pub(super) fn csv_cells(&self) -> Vec<String> {
        let of = &self.properties;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let mut cells = vec![self.name.clone(), of.cluster.clone()];
        cells.extend([&of.node, &of.namespace, &of.controller_kind, &of.controller, &of.pod].map(text));
        let instants = [self.window.start, self.window.end, self.start, self.end];
        cells.extend(instants.map(Instant::to_rfc3339));
        let numbers = [
            self.minutes,
            self.cpu_core_hours,
            self.cpu_core_request_average,
            self.cpu_core_usage_average,
            self.ram_byte_hours,
            self.ram_byte_request_average,
            self.ram_byte_usage_average,
            self.gpu_hours,
            self.pv_byte_hours,
            self.network_transfer_bytes,
            self.total_efficiency,
        ];
        cells.extend(numbers.map(|number| number.to_string()));
        let money = [
            self.cpu_cost,
            self.cpu_cost_idle,
            self.gpu_cost,
            self.gpu_cost_idle,
            self.ram_cost,
            self.ram_cost_idle,
            self.pv_cost,
            self.network_cost,
            self.network_cross_zone_cost,
            self.network_cross_region_cost,
            self.network_internet_cost,
            self.load_balancer_cost,
            self.shared_cost,
            self.external_cost,
            self.total_cost,
        ];
        cells.extend(money.map(|amount| amount.to_string()));
        cells
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
