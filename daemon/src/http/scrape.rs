//! `GET /metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::AppState;
use super::big::off_thread;
use super::error::Refusal;
use crate::api::ErrorReport;

/// All metrics, in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "metrics", responses(
    (status = 200, description = "The metrics", content_type = "application/openmetrics-text", body = String),
    (status = 503, description = "The daemon is stopping", body = ErrorReport),
))]
pub(super) async fn metrics(State(state): State<AppState>) -> Result<Response, Refusal> {
    let snapshot = state.snapshot().await?;
    let metrics = Arc::clone(&state.metrics);
    let text = off_thread(move || {
        metrics.render(&snapshot).map_err(|_| {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "defect", "the metrics cannot be written")
        })
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, crate::metrics::CONTENT_TYPE)], text).into_response())
}
