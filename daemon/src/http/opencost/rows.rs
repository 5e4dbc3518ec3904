//! Rows out of a table: what each is called, and its numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::money::query::{Dimension, Group, IDLE, Line, Table};
use nightcap_core::units::{Usd, Window};

use super::parts;
use super::properties;
use super::query::Show;
use super::row::{AllocationRow, NotKept, Properties};

const NONE: Usd = Usd(nightcap_core::units::PicoUsd(0));

/// The rows of one step in the order of their names, each made when it is asked for: ten thousand of them at once take as
/// much memory as all the rest of the daemon.
#[derive(Debug)]
pub(super) struct Rows {
    named: std::vec::IntoIter<(String, Of)>,
    step: Step,
}

/// What a row is made of.
#[derive(Debug)]
enum Of {
    Group(Vec<Arc<str>>, Box<Group>),
    Line(Box<Line>),
}

/// What the rows of a step have in common.
#[derive(Debug)]
struct Step {
    /// Without its groups and lines, which are the rows.
    table: Table,
    cluster: Arc<str>,
    by: Vec<Dimension>,
    show: Show,
    volumes: BTreeMap<Arc<str>, Window>,
}

impl Rows {
    /// The rows of a table. `volumes` says how long each volume was there, where that matters.
    pub(super) fn new(
        mut table: Table,
        cluster: Arc<str>,
        by: Vec<Dimension>,
        show: Show,
        volumes: BTreeMap<Arc<str>, Window>,
    ) -> Self {
        let groups = std::mem::take(&mut table.groups).into_iter().map(|(key, group)| {
            // With nothing to group by, the one row is called like the cluster.
            let name = if key.is_empty() { cluster.to_string() } else { key.join("/") };
            (name, Of::Group(key, Box::new(group)))
        });
        let lines = std::mem::take(&mut table.lines).into_iter();
        let lines = lines.filter(|line| show.idle || &*line.name != IDLE);
        // OpenCost has no such rows: what a cluster costs at all is an asset there, and nobody's.
        let lines =
            lines.filter(|line| !show.compat.is_on() || ["__idle__", "__unmounted__"].contains(&&*line.name));
        let lines = lines.map(|line| (line_name(&line, &cluster, &by, show), Of::Line(Box::new(line))));
        let mut named = BTreeMap::new();
        for (mut name, of) in groups.chain(lines) {
            // Teams may be called anything, `a/b` or `__idle__`: no row may take another's place, else the sum is wrong.
            while named.contains_key(&name) {
                name.push('\'');
            }
            named.insert(name, of);
        }
        let named: Vec<_> = named.into_iter().collect();
        Self { named: named.into_iter(), step: Step { table, cluster, by, show, volumes } }
    }

    /// Passes over the first `offset` of them, and tells `limit` at most.
    #[must_use]
    pub(super) fn page(self, offset: usize, limit: usize) -> Self {
        let named: Vec<_> = self.named.skip(offset).take(limit).collect();
        Self { named: named.into_iter(), step: self.step }
    }
}

impl Iterator for Rows {
    type Item = AllocationRow;

    fn next(&mut self) -> Option<AllocationRow> {
        let (name, of) = self.named.next()?;
        let Step { table, cluster, by, show, volumes } = &self.step;
        Some(match of {
            Of::Group(key, group) => {
                let properties = properties::of_group(cluster, by, &key, &group, *show);
                row(name, properties, &group, table, *show, volumes)
            }
            Of::Line(line) => {
                row(name, properties::of_line(&line, cluster), &line.group, table, *show, volumes)
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.named.size_hint()
    }
}

impl ExactSizeIterator for Rows {}

/// Idle is called by its name alone. Other lines have as many parts as there are things to group by, as in `OpenCost`, where
/// they are rows of a namespace with that name: clients cut names at the slashes, and count.
fn line_name(line: &Line, cluster: &str, by: &[Dimension], show: Show) -> String {
    match &line.node {
        Some(node) => format!("{}/{}", node.name, line.name),
        None if show.split_idle && &*line.name == IDLE => format!("{cluster}/{}", line.name),
        None if by.len() < 2 || &*line.name == IDLE => line.name.to_string(),
        None => {
            let part = |of: &Dimension| if *of == Dimension::Cluster { cluster } else { &line.name };
            by.iter().map(part).collect::<Vec<_>>().join("/")
        }
    }
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
