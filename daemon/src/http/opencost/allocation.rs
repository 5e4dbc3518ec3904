//! `GET /allocation` and `/allocation/compute`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use utoipa::ToSchema;

use super::Envelope;
use super::query::Question;
use super::row::AllocationRow;
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::{OpenCostError, OpenCostRefusal};
use crate::http::v1_warnings;

/// The maps of all steps.
pub(in crate::http) type AllocationSets = Vec<BTreeMap<String, AllocationRow>>;

/// The answer of `/allocation`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(in crate::http) struct AllocationAnswer {
    /// Always 200.
    code: u16,
    /// Always `success`.
    status: String,
    /// One map per step, from row name to row.
    data: Vec<BTreeMap<String, AllocationRow>>,
    /// What a reader should know before relying on the numbers.
    warning: Option<String>,
}

/// Who cost what, as `OpenCost` tells it.
#[utoipa::path(get, path = "/allocation", tag = "opencost",
    params(
        ("window" = String, Query, description = "today, 7d, lastmonth, `45m offset 15m`, two instants with a comma between and so on"),
        ("aggregate" = Option<String>, Query, description = "cluster, node, namespace, space, team, owner, controllerKind, controller, deployment, statefulset, daemonset, job, pod; several with commas between. Default: cluster,node,namespace,pod"),
        ("step" = Option<String>, Query, description = "Length of a step such as 1h or 1d. Default: the window"),
        ("accumulate" = Option<String>, Query, description = "true or all: one step over the whole window"),
        ("accumulateBy" = Option<String>, Query, description = "all: the same"),
        ("includeIdle" = Option<bool>, Query, description = "Adds the row `__idle__`, with which the rows add up to /assets"),
        ("idleByNode" = Option<bool>, Query, description = "One row of idle per node, `NODE/__idle__`"),
        ("shareIdle" = Option<String>, Query, description = "true or weighted: spreads each resource's idle cost in proportion to cost; even: the same for each row"),
        ("resolution" = Option<String>, Query, description = "Taken and not needed: amounts are exact to the second"),
    ),
    responses(
        (status = 200, description = "The rows", body = AllocationAnswer),
        (status = 400, description = "A parameter cannot be understood", body = OpenCostError),
        (status = 503, description = "The daemon is stopping", body = OpenCostError),
    ))]
pub(in crate::http) async fn allocation(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<Envelope<AllocationSets>>, OpenCostRefusal> {
    let snapshot = state.snapshot().await?;
    let question = Question::read(&uri, &snapshot, state.zone)?;
    let warnings = v1_warnings(&snapshot, question.window);
    let sets = off_thread(move || question.sets(&snapshot)).await?;
    Ok(Json(Envelope::new(sets, &warnings)))
}

/// The same as `/allocation`.
#[utoipa::path(get, path = "/allocation/compute", tag = "opencost",
    params(
        ("window" = String, Query, description = "As for /allocation"),
        ("aggregate" = Option<String>, Query, description = "As for /allocation"),
        ("step" = Option<String>, Query, description = "As for /allocation"),
        ("accumulate" = Option<String>, Query, description = "As for /allocation"),
        ("accumulateBy" = Option<String>, Query, description = "As for /allocation"),
        ("includeIdle" = Option<bool>, Query, description = "As for /allocation"),
        ("idleByNode" = Option<bool>, Query, description = "As for /allocation"),
        ("shareIdle" = Option<String>, Query, description = "As for /allocation"),
        ("resolution" = Option<String>, Query, description = "As for /allocation"),
    ),
    responses(
        (status = 200, description = "The rows", body = AllocationAnswer),
        (status = 400, description = "A parameter cannot be understood", body = OpenCostError),
        (status = 503, description = "The daemon is stopping", body = OpenCostError),
    ))]
pub(in crate::http) async fn compute(
    state: State<AppState>,
    uri: Uri,
) -> Result<Json<Envelope<AllocationSets>>, OpenCostRefusal> {
    allocation(state, uri).await
}
