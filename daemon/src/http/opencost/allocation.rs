//! `GET /allocation` and `/allocation/compute`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use utoipa::{IntoParams, ToSchema};

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

/// What `/allocation` and `/allocation/summary` are asked with. The answer's code reads them one by one, to name what
/// is wrong; this is their description for the document of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape of the question, for the OpenAPI document")]
pub(in crate::http) struct AllocationParams {
    /// today, 7d, lastmonth, `45m offset 15m`, two instants with a comma between and so on
    window: String,
    /// cluster, node, namespace, space, team, owner, controllerKind, controller, deployment, statefulset, daemonset, job, pod; several with commas between. Default: cluster,node,namespace,pod
    aggregate: Option<String>,
    /// Length of a step such as 1h or 1d. Default: the window
    step: Option<String>,
    /// true or all: one step over the whole window
    accumulate: Option<String>,
    /// all: the same
    accumulate_by: Option<String>,
    /// Adds the row `__idle__`, with which the rows add up to /assets
    include_idle: Option<bool>,
    /// One row of idle per node, `NODE/__idle__`
    idle_by_node: Option<bool>,
    /// true or weighted: spreads each resource's idle cost in proportion to cost; even: the same for each row
    share_idle: Option<String>,
    /// Taken and not needed: amounts are exact to the second
    resolution: Option<String>,
}

/// Who cost what, as `OpenCost` tells it.
#[utoipa::path(get, path = "/allocation", tag = "opencost",
    params(AllocationParams),
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
    params(AllocationParams),
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
