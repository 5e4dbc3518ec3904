//! `GET /api/v1/export`: cost tables for other tools.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use nightcap_core::money::query::Details;
use nightcap_core::units::Instant;

use super::cost::{CostParams, Defaults, Question};
use crate::api::{CostReport, ErrorReport};
use crate::export::{cost_csv, cost_parquet, focus_csv};
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::Refusal;
use crate::http::params::Params;

const CSV: &str = "text/csv; charset=utf-8";
/// Registered with IANA.
const PARQUET: &str = "application/vnd.apache.parquet";

/// The shape of an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Csv,
    Json,
    Focus,
    Parquet,
}

impl Format {
    fn read(params: &mut Params) -> Result<Self, Refusal> {
        match params.take("format").map(|format| format.to_ascii_lowercase()).as_deref() {
            None | Some("csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            Some("focus") => Ok(Self::Focus),
            Some("parquet") => Ok(Self::Parquet),
            Some(other) => {
                Err(Refusal::bad("bad-value", "format is none of csv, json, focus and parquet").value(other))
            }
        }
    }
}

const DEFAULTS: Defaults = Defaults { by: "namespace,controller", step: Some("day"), idle: true };

/// Cost tables for other tools: as for `/api/v1/cost`, but by namespace and controller, day by day and with idle cost
/// unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/export", tag = "cost",
    params(
        ("format" = Option<String>, Query, description = "csv, json (as /api/v1/cost), focus (FOCUS 1.2 as CSV) or parquet (the columns of the CSV, typed). Default: csv"),
        CostParams,
    ),
    responses(
        (status = 200, description = "The tables", content(
            (String = "text/csv"),
            (CostReport = "application/json"),
            (Vec<u8> = "application/vnd.apache.parquet"),
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
            let text = cost_csv(&question.report(&snapshot)?).map_err(|error| unwritable("CSV", &error))?;
            Ok(([(header::CONTENT_TYPE, CSV)], text).into_response())
        }
        Format::Parquet => {
            let report = question.report(&snapshot)?;
            let bytes = cost_parquet(&report).map_err(|error| unwritable("Parquet", &error))?;
            let name = format!("attachment; filename=\"{}\"", file_name(&report));
            let headers = [(header::CONTENT_TYPE, PARQUET.to_owned()), (header::CONTENT_DISPOSITION, name)];
            Ok((headers, bytes).into_response())
        }
        Format::Focus => {
            question.query.details = Details { labels: true, ..Details::default() };
            let idle = question.idle;
            let (names, tables) = question.tables(&snapshot)?;
            let text = focus_csv(&tables, &snapshot.cluster, &names, idle)
                .map_err(|error| unwritable("CSV", &error))?;
            Ok(([(header::CONTENT_TYPE, CSV)], text).into_response())
        }
    })
    .await
}

fn unwritable(what: &str, error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "defect", format!("cannot write {what}: {error}"))
}

/// What a browser calls the file: cluster and window, with what is no word replaced.
fn file_name(report: &CostReport) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
    let cluster: String = report.cluster.chars().map(word).collect();
    let at = |at: Instant| at.to_chrono().format("%Y%m%dT%H%M%SZ");
    format!("nightcap-cost-{cluster}-{}-{}.parquet", at(report.window.start), at(report.window.end))
}
