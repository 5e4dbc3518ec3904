//! `GET /api/v1/cost`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::engine::Snapshot;
use nightcap_core::money::ResourceHours;
use nightcap_core::money::query::{self, Dimension, Group, IDLE, Table};
use nightcap_core::units::{PicoUsd, Window};

use super::warnings;
use crate::api::{CURRENCY, CostReport, CostRow, CostStep, ErrorReport, Labels};
use crate::http::AppState;
use crate::http::big::{RowCount, off_thread};
use crate::http::error::Refusal;
use crate::http::params::Params;
use crate::http::share::{Sharing, share_idle};

const BYTES_PER_GIB: f64 = 1_073_741_824.0;

/// Who cost what: by team, space, workload and so on, in a window, step by step.
#[utoipa::path(get, path = "/api/v1/cost", tag = "cost",
    params(
        ("by" = Option<String>, Query, description = "What to group by, with commas between: cluster, node, namespace, space, team, owner, controllerKind, controller, workload, deployment, statefulset, daemonset, job, pod. Default: team"),
        ("window" = Option<String>, Query, description = "today, yesterday, week, lastweek, month, lastmonth, 7d and the like, `45m offset 15m`, or two instants with a comma between. Default: today"),
        ("step" = Option<String>, Query, description = "Length of a step such as 1h or 1d. Default: one step"),
        ("share_idle" = Option<String>, Query, description = "Spreads each resource's idle cost over the rows: weighted (in proportion to cost) or even. What is left of it, since nobody used the resource, stays idle. Default: none"),
        ("idle" = Option<bool>, Query, description = "Adds a row `__idle__`, with which the rows add up to the total. Default: false"),
    ),
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
    let by = params.dimensions("by", "team")?;
    let window = params.window(Some("today"), snapshot.at, state.zone)?;
    let (_, steps) = params.steps(window)?;
    let idle = params.switch("idle", false)?;
    let sharing = Sharing::read(&mut params, "share_idle")?;
    params.finish()?;
    off_thread(move || report(&snapshot, window, &steps, &by, idle, sharing)).await.map(Json)
}

fn report(
    snapshot: &Snapshot,
    window: Window,
    steps: &[Window],
    by: &[(&'static str, Dimension)],
    idle: bool,
    sharing: Option<Sharing>,
) -> Result<CostReport, Refusal> {
    let names: Vec<&str> = by.iter().map(|&(name, _)| name).collect();
    let dimensions: Vec<Dimension> = by.iter().map(|&(_, dimension)| dimension).collect();
    let mut warnings = warnings::of_window(snapshot, window);
    let (mut total, mut by_confidence) = (PicoUsd(0), BTreeMap::new());
    let (mut answers, mut count) = (Vec::with_capacity(steps.len()), RowCount::default());
    for &step in steps {
        let mut table = query::table(&snapshot.hours, &snapshot.cluster, step, &dimensions);
        count.add(table.groups.len())?;
        if let Some(sharing) = sharing {
            share_idle(&mut table, sharing);
        }
        total += table.total.total();
        for (&confidence, &sum) in &table.by_confidence {
            *by_confidence.entry(confidence).or_default() += sum;
        }
        answers.push(step_of(&table, &names, idle));
    }
    if sharing.is_some() {
        warnings.push("the rows include shared idle cost, as asked".to_owned());
    }
    warnings.extend(warnings::of_prices(total, &by_confidence));
    Ok(CostReport {
        cluster: snapshot.cluster.to_string(),
        at: snapshot.at,
        settled: snapshot.settled,
        window: window.into(),
        by: names.iter().map(ToString::to_string).collect(),
        currency: CURRENCY.to_owned(),
        steps: answers,
        warnings,
    })
}

fn step_of(table: &Table, names: &[&str], idle: bool) -> CostStep {
    let total = table.total.total();
    let mut rows: Vec<_> = table.groups.iter().map(|(key, group)| row(key, group, names, total)).collect();
    if idle {
        rows.push(CostRow {
            name: IDLE.to_owned(),
            cost: table.idle.total().into(),
            cpu_cost: table.idle.cpu.into(),
            memory_cost: table.idle.memory.into(),
            gpu_cost: table.idle.gpu.into(),
            share: share(table.idle.total(), total),
            prorated: table.prorated,
            ..CostRow::default()
        });
    }
    CostStep {
        window: table.window.into(),
        rows,
        idle: table.idle.total().into(),
        total: total.into(),
        allocated: (total - table.idle.total()).into(),
        saved: table.saved.into(),
        by_confidence: table.by_confidence.iter().map(|(&c, &sum)| (c, sum.into())).collect(),
        prorated: table.prorated,
        provisional: table.open,
    }
}

fn row(key: &[Arc<str>], group: &Group, names: &[&str], total: PicoUsd) -> CostRow {
    let ResourceHours { cpu_core_hours, memory_byte_hours, gpu_hours } = group.charged;
    let (requested, used) = (group.requested, group.used);
    CostRow {
        key: labels(names, key),
        name: key.join("/"),
        cost: group.cost.total().into(),
        cpu_cost: group.cost.cpu.into(),
        memory_cost: group.cost.memory.into(),
        gpu_cost: group.cost.gpu.into(),
        cpu_core_hours,
        cpu_requested_core_hours: requested.cpu_core_hours,
        cpu_used_core_hours: used.cpu_core_hours,
        cpu_efficiency: ratio(used.cpu_core_hours, requested.cpu_core_hours),
        memory_gib_hours: memory_byte_hours / BYTES_PER_GIB,
        memory_requested_gib_hours: requested.memory_byte_hours / BYTES_PER_GIB,
        memory_used_gib_hours: used.memory_byte_hours / BYTES_PER_GIB,
        memory_efficiency: ratio(used.memory_byte_hours, requested.memory_byte_hours),
        gpu_hours,
        share: share(group.cost.total(), total),
        prorated: group.prorated,
        late: group.late,
    }
}

pub(super) fn labels(names: &[&str], key: &[Arc<str>]) -> Labels {
    names.iter().zip(key).map(|(name, value)| ((*name).to_owned(), value.to_string())).collect()
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn share(part: PicoUsd, whole: PicoUsd) -> f64 {
    if whole.0 > 0 { part.usd() / whole.usd() } else { 0.0 }
}
