//! `GET /metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::AppState;
use super::big::off_thread;
use super::error::Refusal;
use crate::api::ErrorReport;
use crate::metrics::{CLASSIC_CONTENT_TYPE, CONTENT_TYPE, classic};

/// All metrics, in the OpenMetrics text format for who accepts it, else in the older one of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "metrics", responses(
    (status = 200, description = "The metrics", content_type = "application/openmetrics-text", body = String),
    (status = 503, description = "The daemon is stopping", body = ErrorReport),
))]
pub(super) async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, Refusal> {
    let snapshot = state.snapshot().await?;
    let metrics = Arc::clone(&state.metrics);
    let text = off_thread(move || {
        metrics.render(snapshot.snapshot()).map_err(|_| {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "defect", "the metrics cannot be written")
        })
    })
    .await?;
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.any(|value| value.contains("application/openmetrics-text")) {
        return Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response());
    }
    Ok(([(header::CONTENT_TYPE, CLASSIC_CONTENT_TYPE)], classic(&text)).into_response())
}
