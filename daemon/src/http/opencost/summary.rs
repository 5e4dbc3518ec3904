//! `GET /allocation/summary`, and `/allocation/compute/summary`, where `OpenCost` has it too.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::Envelope;
use super::allocation::AllocationParams;
use super::query::{Format, Question};
use super::summary_row::SummaryRow;
use crate::api::WindowReport;
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::{OpenCostError, OpenCostRefusal, Refusal};
use crate::http::v1_warnings;

/// The sets of all steps.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Summary {
    /// Length of a step in nanoseconds.
    step: i64,
    /// One per step.
    sets: Vec<SummarySet>,
    /// The whole window.
    window: WindowReport,
}

/// The rows of one step.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct SummarySet {
    /// From row name to row.
    allocations: BTreeMap<String, SummaryRow>,
    /// The step.
    window: WindowReport,
}

/// The answer of `/allocation/summary`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(in crate::http) struct SummaryAnswer {
    /// Always 200.
    code: u16,
    /// Always `success`.
    status: String,
    /// The sets.
    data: Summary,
    /// What a reader should know before relying on the numbers.
    warning: Option<String>,
}

/// Who cost what, in few columns, as `OpenCost` tells it.
#[utoipa::path(get, path = "/allocation/summary", tag = "opencost",
    params(AllocationParams),
    responses(
        (status = 200, description = "The sets", body = SummaryAnswer),
        (status = 400, description = "A parameter cannot be understood", body = OpenCostError),
        (status = 503, description = "The daemon is stopping", body = OpenCostError),
    ))]
pub(in crate::http) async fn summary(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<Envelope<Summary>>, OpenCostRefusal> {
    let snapshot = state.snapshot().await?;
    let question = Question::read(&uri, &snapshot, &state)?;
    if question.format == Format::Csv {
        return Err(Refusal::bad("unsupported", "the summary comes as JSON only")
            .value("format=csv")
            .opencost());
    }
    let (window, step) = (question.window, question.step.0.saturating_mul(1_000_000));
    let mut warnings = v1_warnings(&snapshot, window);
    let (sets, of_rows) = off_thread(move || {
        let steps = question.query.steps.clone();
        let (sets, of_rows) = question.sets(&snapshot)?;
        let sets = sets.into_iter().zip(steps).map(|(rows, step)| SummarySet {
            allocations: rows.map(|row| (row.name.clone(), row.into())).collect(),
            window: step.into(),
        });
        Ok((sets.collect(), of_rows))
    })
    .await?;
    warnings.extend(of_rows);
    let data = Summary { step, sets, window: window.into() };
    Ok(Json(Envelope::new(data, &warnings)))
}

/// The same as `/allocation/summary`.
#[utoipa::path(get, path = "/allocation/compute/summary", tag = "opencost",
    params(AllocationParams),
    responses(
        (status = 200, description = "The sets", body = SummaryAnswer),
        (status = 400, description = "A parameter cannot be understood", body = OpenCostError),
        (status = 503, description = "The daemon is stopping", body = OpenCostError),
    ))]
pub(in crate::http) async fn compute_summary(
    state: State<AppState>,
    uri: Uri,
) -> Result<Json<Envelope<Summary>>, OpenCostRefusal> {
    summary(state, uri).await
}
