//! `GET /api/v1/export`: cost tables for other tools.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use nightcap_core::money::query::Details;

use super::cost::{CostParams, Defaults, Question};
use crate::api::ErrorReport;
use crate::export::{cost_csv, focus_csv};
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::Refusal;
use crate::http::params::Params;

const CSV: &str = "text/csv; charset=utf-8";

/// The shape of an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Csv,
    Json,
    Focus,
}

impl Format {
    fn read(params: &mut Params) -> Result<Self, Refusal> {
        match params.take("format").map(|format| format.to_ascii_lowercase()).as_deref() {
            None | Some("csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            Some("focus") => Ok(Self::Focus),
            Some(other) => {
                Err(Refusal::bad("bad-value", "format is none of csv, json and focus").value(other))
            }
        }
    }
}

const DEFAULTS: Defaults = Defaults { by: "namespace,controller", step: Some("day"), idle: true };

/// Cost tables for other tools: as for `/api/v1/cost`, but by namespace and controller, day by day and with idle cost
/// unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/export", tag = "cost",
    params(
        ("format" = Option<String>, Query, description = "csv, json (as /api/v1/cost) or focus (FOCUS 1.2 as CSV). Default: csv"),
        CostParams,
    ),
    responses(
        (status = 200, description = "The tables", content(
            (String = "text/csv"),
            (crate::api::CostReport = "application/json"),
        )),
        (status = 400, description = "A parameter cannot be understood", body = ErrorReport),
        (status = 503, description = "The daemon is stopping", body = ErrorReport),
    ))]
pub(in crate::http) async fn export(State(state): State<AppState>, uri: Uri) -> Result<Response, Refusal> {
    let snapshot = state.snapshot().await?;
    let mut params = Params::of(&uri)?;
    let format = Format::read(&mut params)?;
    let mut question = Question::read(&mut params, &snapshot, &state, &DEFAULTS)?;
    params.finish()?;
    off_thread(move || match format {
        Format::Json => Ok(Json(question.report(&snapshot)?).into_response()),
        Format::Csv => {
            let text = cost_csv(&question.report(&snapshot)?).map_err(|error| unwritable(&error))?;
            Ok(([(header::CONTENT_TYPE, CSV)], text).into_response())
        }
        Format::Focus => {
            question.query.details = Details { labels: true, ..Details::default() };
            let idle = question.idle;
            let (names, tables) = question.tables(&snapshot)?;
            let text =
                focus_csv(&tables, &snapshot.cluster, &names, idle).map_err(|error| unwritable(&error))?;
            Ok(([(header::CONTENT_TYPE, CSV)], text).into_response())
        }
    })
    .await
}

fn unwritable(error: &csv::Error) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "defect", format!("cannot write CSV: {error}"))
}
