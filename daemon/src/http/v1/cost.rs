//! `GET /api/v1/cost`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::engine::Snapshot;
use nightcap_core::money::ResourceHours;
use nightcap_core::money::query::{
    Details, Dimension, Group, IDLE, OTHERS, OVERHEAD, Query, SHARED, Table, UNMOUNTED,
};
use nightcap_core::units::{PicoUsd, Window};
use utoipa::IntoParams;

use super::warnings;
use crate::api::{CURRENCY, CostReport, CostRow, CostStep, ErrorReport, Labels, RowKind};
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::Refusal;
use crate::http::params::{Params, cut};
use crate::http::share;
use crate::records::Records;

const BYTES_PER_GIB: f64 = 1_073_741_824.0;

/// What `/api/v1/cost` and `/api/v1/export` are asked with. The answer's code reads them one by one, to name what is
/// wrong; this is their description for the document of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the shape of the question, for the OpenAPI document")]
pub(in crate::http) struct CostParams {
    /// What to group by, with commas between: cluster, node, namespace, space, vcluster, virtualNamespace, team, owner, controllerKind, controller, workload, deployment, statefulset, daemonset, job, service, pod, container, asset, label:KEY. Default: team
    by: Option<String>,
    /// today, yesterday, week, lastweek, month, lastmonth, quarter, lastquarter, year, lastyear, 7d and the like, `45m offset 15m`, or two instants or days with a comma between. Default: today
    window: Option<String>,
    /// Length of a step such as 1h, or by the calendar: hour, day, week, month, quarter, year. Default: one step
    step: Option<String>,
    /// true: one step over the whole window, whatever the step. Default: false
    accumulate: Option<bool>,
    /// The zone in which days begin, such as Europe/Berlin. Default: the daemon's
    timezone: Option<String>,
    /// Which rows to show, in OpenCost's filter language: `namespace:"shop","data"+controllerKind!:"job"`. Changes nobody's share. Default: all
    filter: Option<String>,
    /// Only that many of the costliest groups; the others are one row, `__others__`. Default: all
    top: Option<usize>,
    /// Adds the rows of what nobody used, with which the rows add up to the total. Default: false
    idle: Option<bool>,
    /// Spreads idle, shared and overhead cost as the configuration's `costs.share` says, in proportion to cost unless it says otherwise. Default: false, they are lines of their own
    share: Option<bool>,
    /// Idle cost by node: a row for each, and spread over those on the node only. Default: false
    idle_by_node: Option<bool>,
    /// Spreads each resource's idle cost over the groups: weighted (in proportion to cost) or even. What is left of it, since nobody used the resource, stays idle. Default: none, with share=true as configured
    share_idle: Option<String>,
    /// Spreads the line `__shared__`: weighted, even or none. Default: none, with share=true as configured
    share_shared: Option<String>,
    /// Spreads the line `__overhead__`: weighted, even or none. Default: none, with share=true as configured
    share_overhead: Option<String>,
    /// Namespaces that are for everybody, with commas between; `*` stands for any text. They make up the line `__shared__`. Default: `costs.shared` of the configuration, as for the next four
    shared_namespaces: Option<String>,
    /// Labels of what is for everybody, as KEY:VALUE with commas between
    shared_labels: Option<String>,
    /// Pods of daemon sets are for everybody
    shared_daemonsets: Option<bool>,
    /// kube-system, kube-public and kube-node-lease are for everybody
    shared_system: Option<bool>,
    /// Load balancers are for everybody
    shared_load_balancers: Option<bool>,
    /// false: only what this question names is for everybody, whatever the configuration says. Default: true
    shared_as_configured: Option<bool>,
}

/// Who cost what: by team, space, workload and so on, in a window, step by step.
#[utoipa::path(get, path = "/api/v1/cost", tag = "cost",
    params(CostParams),
    responses(
        (status = 200, description = "The tables", body = CostReport),
        (status = 400, description = "A parameter cannot be understood", body = ErrorReport),
        (status = 503, description = "The daemon is stopping", body = ErrorReport),
    ))]
pub(in crate::http) async fn cost(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<CostReport>, Refusal> {
    let snapshot = state.snapshot().await?;
    let mut params = Params::of(&uri)?;
    let question = Question::read(&mut params, &snapshot, &state, &Defaults::COST)?;
    params.finish()?;
    off_thread(move || question.report(&snapshot)).await.map(Json)
}

/// What is asked where nothing is said.
#[derive(Debug)]
pub(super) struct Defaults {
    pub(super) by: &'static str,
    pub(super) step: Option<&'static str>,
    pub(super) idle: bool,
}

impl Defaults {
    const COST: Self = Self { by: "team", step: None, idle: false };
}

/// What `/api/v1/cost` and `/api/v1/export` were asked.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) window: Window,
    names: Vec<Arc<str>>,
    pub(super) query: Query,
    pub(super) idle: bool,
    /// What to tell of the configuration's say.
    configured: Option<String>,
}

impl Question {
    pub(super) fn read(
        params: &mut Params,
        snapshot: &Snapshot,
        state: &AppState,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let by = params.dimensions("by", defaults.by)?;
        let zone = params.zone(state.zone)?;
        let window = params.window(Some("today"), snapshot.at, zone)?;
        let step = params.step("step")?.or_else(|| defaults.step.and_then(|step| step.parse().ok()));
        let whole = params.switch("accumulate", false)?;
        let idle = params.switch("idle", defaults.idle)?;
        let (names, by): (Vec<Arc<str>>, Vec<Dimension>) = by.into_iter().unzip();
        let query = Query {
            cluster: Arc::clone(&snapshot.cluster),
            steps: cut(step.filter(|_| !whole), window, zone)?,
            by,
            filter: params.filter()?,
            sharing: share::sharing(params, &state.sharing)?,
            top: params.number("top")?,
            details: Details::default(),
        };
        let configured = share::configured_warning(&query.sharing, &state.sharing);
        Ok(Self { window, names, query, idle, configured })
    }

    /// The names of what is grouped by, and the tables.
    pub(super) fn tables(self, records: &Records) -> Result<(Vec<Arc<str>>, Vec<Table>), Refusal> {
        Ok((self.names, share::tables(records, self.query)?.0))
    }

    pub(crate) fn report(self, snapshot: &Records) -> Result<CostReport, Refusal> {
        let Self { window, names, query, idle, configured } = self;
        let mut warnings = warnings::of_window(snapshot, window);
        warnings.extend(configured);
        warnings.extend(share::warning(&query.sharing));
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let (tables, left_out) = share::tables(snapshot, query)?;
        warnings.extend(left_out);
        let (mut total, mut by_confidence) = (PicoUsd(0), BTreeMap::new());
        for table in &tables {
            total += table.total;
            for (&confidence, &sum) in &table.by_confidence {
                *by_confidence.entry(confidence).or_default() += sum;
            }
        }
        warnings.extend(warnings::of_prices(total, &by_confidence));
        Ok(CostReport {
            cluster: snapshot.cluster.to_string(),
            at: snapshot.at,
            settled: snapshot.settled,
            window: window.into(),
            by: names.iter().map(ToString::to_string).collect(),
            currency: CURRENCY.to_owned(),
            steps: tables.iter().map(|table| step_of(table, &names, idle)).collect(),
            warnings,
        })
    }
}

fn step_of(table: &Table, names: &[&str], idle: bool) -> CostStep {
    let mut rows: Vec<_> = table
        .groups
        .iter()
        .map(|(key, group)| CostRow { key: labels(names, key), ..row(key.join("/"), group, table.total) })
        .collect();
    if let Some(others) = &table.others {
        rows.push(CostRow {
            kind: RowKind::Others,
            groups: others.count,
            ..row(OTHERS.to_owned(), &others.group, table.total)
        });
    }
    for line in table.lines.iter().filter(|line| idle || &*line.name != IDLE) {
        let node = line.node.as_ref().map(|node| format!("{}/", node.name)).unwrap_or_default();
        let row = row(format!("{node}{}", line.name), &line.group, table.total);
        let prorated = row.prorated || &*line.name == IDLE && table.prorated;
        rows.push(CostRow { kind: kind_of(&line.name), groups: 0, prorated, ..row });
    }
    CostStep {
        window: table.window.into(),
        rows,
        idle: table.line(IDLE).into(),
        shared: table.line(SHARED).into(),
        overhead: table.line(OVERHEAD).into(),
        unmounted: table.line(UNMOUNTED).into(),
        filtered: table.filtered.into(),
        total: table.total.into(),
        allocated: table.allocated().into(),
        saved: table.saved.into(),
        by_confidence: table.by_confidence.iter().map(|(&c, &sum)| (c, sum.into())).collect(),
        prorated: table.prorated,
        coarse: table.coarse,
        provisional: table.open,
    }
}

fn kind_of(line: &str) -> RowKind {
    match line {
        IDLE => RowKind::Idle,
        SHARED => RowKind::Shared,
        OVERHEAD => RowKind::Overhead,
        UNMOUNTED => RowKind::Unmounted,
        _ => RowKind::Line,
    }
}

fn row(name: String, group: &Group, total: PicoUsd) -> CostRow {
    let ResourceHours { cpu_core_hours, memory_byte_hours, gpu_hours } = group.charged;
    let (requested, used, costs) = (group.requested, group.used, group.costs);
    CostRow {
        kind: RowKind::Group,
        key: Labels::new(),
        name,
        cost: costs.total().into(),
        cpu_cost: costs.node.cpu.into(),
        memory_cost: costs.node.memory.into(),
        gpu_cost: costs.node.gpu.into(),
        storage_cost: costs.storage.into(),
        load_balancer_cost: costs.load_balancer.into(),
        network_zone_cost: costs.network.zone.into(),
        network_region_cost: costs.network.region.into(),
        network_internet_cost: costs.network.internet.into(),
        control_plane_cost: costs.control_plane.into(),
        fixed_cost: costs.fixed.into(),
        idle_share_cost: costs.idle.total().into(),
        shared_share_cost: costs.shared.into(),
        overhead_share_cost: costs.overhead.into(),
        cpu_core_hours,
        cpu_requested_core_hours: requested.cpu_core_hours,
        cpu_used_core_hours: used.cpu_core_hours,
        cpu_efficiency: ratio(used.cpu_core_hours, requested.cpu_core_hours),
        memory_gib_hours: memory_byte_hours / BYTES_PER_GIB,
        memory_requested_gib_hours: requested.memory_byte_hours / BYTES_PER_GIB,
        memory_used_gib_hours: used.memory_byte_hours / BYTES_PER_GIB,
        memory_efficiency: ratio(used.memory_byte_hours, requested.memory_byte_hours),
        gpu_hours,
        storage_gib_hours: group.volume_byte_hours / BYTES_PER_GIB,
        network_gib: group.network_bytes / BYTES_PER_GIB,
        load_balancer_hours: group.load_balancer_hours,
        share: share_of(costs.total(), total),
        groups: 1,
        prorated: group.prorated,
        late: group.late,
        backfilled: group.backfilled,
    }
}

pub(super) fn labels<T: AsRef<str>>(names: &[T], key: &[Arc<str>]) -> Labels {
    names.iter().zip(key).map(|(name, value)| (name.as_ref().to_owned(), value.to_string())).collect()
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn share_of(part: PicoUsd, whole: PicoUsd) -> f64 {
    if whole.0 > 0 { part.usd() / whole.usd() } else { 0.0 }
}
