//! `GET /api/v1/savings`.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::money::query;
use nightcap_core::money::savings_query::{self, SavedBy};
use nightcap_core::units::Window;

use super::cost::labels;
use super::warnings;
use crate::api::{CURRENCY, ErrorReport, SavingsReport, SavingsRow};
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::Refusal;
use crate::http::params::Params;
use crate::records::Records;
use nightcap_core::money::query::Needs;

const BYTES_PER_GIB: f64 = 1_073_741_824.0;

/// What sleep saved: freed requests × their price × the time asleep.
#[utoipa::path(get, path = "/api/v1/savings", tag = "sleep",
    params(
        ("by" = Option<String>, Query, description = "What to group by, with commas between: cluster, space, namespace, team, owner, workload, controller, policy. Default: team"),
        ("window" = Option<String>, Query, description = "As for /api/v1/cost. Default: today"),
    ),
    responses(
        (status = 200, description = "The table", body = SavingsReport),
        (status = 400, description = "A parameter cannot be understood", body = ErrorReport),
        (status = 503, description = "The daemon is stopping", body = ErrorReport),
    ))]
pub(in crate::http) async fn savings(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<SavingsReport>, Refusal> {
    let snapshot = state.snapshot().await?;
    let mut params = Params::of(&uri)?;
    let by = params.take("by").unwrap_or_else(|| "team".to_owned());
    let by = by.split(',').map(|part| dimension(part.trim())).collect::<Result<Vec<_>, _>>()?;
    let window = params.window(Some("today"), snapshot.at, state.zone)?;
    params.finish()?;
    off_thread(move || report(&snapshot, window, &by)).await.map(Json)
}

fn dimension(part: &str) -> Result<(&'static str, SavedBy), Refusal> {
    let found = SavedBy::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(part));
    found.copied().ok_or_else(|| {
        let names: Vec<_> = SavedBy::NAMES.iter().map(|(name, _)| *name).collect();
        Refusal::bad("bad-value", "savings cannot be grouped by that")
            .value(part)
            .hint(format!("use {}, or several of them with commas between", names.join(", ")))
    })
}

fn report(
    snapshot: &Records,
    window: Window,
    by: &[(&'static str, SavedBy)],
) -> Result<SavingsReport, Refusal> {
    let hours = snapshot.hours_of(window, &Needs::nothing().in_steps(vec![window]))?;
    let names: Vec<&str> = by.iter().map(|&(name, _)| name).collect();
    let dimensions: Vec<SavedBy> = by.iter().map(|&(_, by)| by).collect();
    let table = savings_query::savings(&hours, &snapshot.cluster, window, &dimensions);
    let cost = query::table(&hours, &snapshot.cluster, window, &[]);
    let rows = table
        .groups
        .iter()
        .map(|(key, group)| SavingsRow {
            key: labels(&names, key),
            name: key.join("/"),
            saved: group.saved.total().into(),
            cpu_saved: group.saved.cpu.into(),
            memory_saved: group.saved.memory.into(),
            gpu_saved: group.saved.gpu.into(),
            cpu_freed_core_hours: group.freed.cpu_core_hours,
            memory_freed_gib_hours: group.freed.memory_byte_hours / BYTES_PER_GIB,
            gpu_freed_hours: group.freed.gpu_hours,
            asleep_workload_hours: group.asleep_hours,
        })
        .collect();
    Ok(SavingsReport {
        cluster: snapshot.cluster.to_string(),
        at: snapshot.at,
        window: window.into(),
        by: names.iter().map(ToString::to_string).collect(),
        currency: CURRENCY.to_owned(),
        rows,
        saved: table.saved.total().into(),
        cost: cost.total.into(),
        prorated: table.prorated,
        provisional: table.open,
        warnings: warnings::of_window(snapshot, window),
    })
}
