//! `GET /allocation` and `/allocation/compute`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use utoipa::{IntoParams, ToSchema};

use super::query::{Format, Question};
use super::row::AllocationRow;
use super::{csv, stream};
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::{OpenCostError, OpenCostRefusal};
use crate::http::v1_warnings;

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
    /// today, 7d, lastmonth, `45m offset 15m`, two instants or days with a comma between and so on
    window: String,
    /// cluster, node, namespace, space, vcluster, virtualNamespace, team, owner, controllerKind, controller, deployment, statefulset, daemonset, job, service, pod, container (as pod), label:KEY, department, environment, product; several with commas between; all: one row. Default: cluster,node,namespace,pod
    aggregate: Option<String>,
    /// Length of a step such as 1h, or by the calendar: hour, day, week, month, quarter, year. Default: the window
    step: Option<String>,
    /// true or all: one step over the whole window; hour, day, week, month, quarter: as accumulateBy
    accumulate: Option<String>,
    /// Steps by the calendar: hour, day, week, month, quarter; all: one step
    accumulate_by: Option<String>,
    /// The zone in which days begin. Default: the daemon's
    timezone: Option<String>,
    /// Which rows to show, in OpenCost's filter language: `namespace:"shop"+controllerKind!:"job"`. Changes nobody's share
    filter: Option<String>,
    /// Adds the row `__idle__`, with which the rows add up to /assets
    include_idle: Option<bool>,
    /// The same, as Kubecost calls it
    idle: Option<bool>,
    /// One row of idle per node, `NODE/__idle__`; spread over those on the node only
    idle_by_node: Option<bool>,
    /// The row of idle is called `CLUSTER/__idle__`
    split_idle: Option<bool>,
    /// true or weighted: spreads each resource's idle cost in proportion to cost; even: the same for each row
    share_idle: Option<String>,
    /// Namespaces whose cost is spread, with commas between; `*` stands for any text
    share_namespaces: Option<String>,
    /// Labels of what is spread, as KEY:VALUE with commas between
    share_labels: Option<String>,
    /// A sum of dollars a month that is on no bill and is spread; /assets does not have it
    share_cost: Option<f64>,
    /// How shared cost is spread: weighted (the default), even, or none
    share_split: Option<String>,
    /// Spreads the line `__overhead__`. Default: false
    share_tenancy_costs: Option<bool>,
    /// Spreads load balancers; also as shareLB
    sharelb: Option<bool>,
    /// Adds each row's shares of nodes
    include_proportional_asset_resource_costs: Option<bool>,
    /// Adds the labels that all pods of a row have in common
    include_aggregated_metadata: Option<bool>,
    /// Adds what a row's sharedCost is made of
    include_shared_cost_breakdown: Option<bool>,
    /// Passes over that many rows of each step
    offset: Option<usize>,
    /// Tells that many rows of each step at most
    limit: Option<usize>,
    /// json or csv. Default: json
    format: Option<String>,
    /// opencost: numbers as OpenCost would tell them; docs/opencost.md lists the differences
    compat: Option<String>,
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
) -> Result<Response, OpenCostRefusal> {
    let snapshot = state.snapshot().await?;
    let question = Question::read(&uri, &snapshot, &state)?;
    let mut warnings = v1_warnings(&snapshot, question.window);
    let format = question.format;
    let answer = off_thread(move || {
        let (sets, of_rows) = question.sets(&snapshot)?;
        warnings.extend(of_rows);
        match format {
            Format::Json => Ok(stream::answer(sets, &warnings)),
            Format::Csv => csv::answer(sets),
        }
    });
    Ok(answer.await?)
}

/// The same as `/allocation`.
#[utoipa::path(get, path = "/allocation/compute", tag = "opencost",
    params(AllocationParams),
    responses(
        (status = 200, description = "The rows", body = AllocationAnswer),
        (status = 400, description = "A parameter cannot be understood", body = OpenCostError),
        (status = 503, description = "The daemon is stopping", body = OpenCostError),
    ))]
pub(in crate::http) async fn compute(state: State<AppState>, uri: Uri) -> Result<Response, OpenCostRefusal> {
    allocation(state, uri).await
}
