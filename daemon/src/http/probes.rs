//! `/healthz` and `/readyz`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use nightcap_core::engine::Snapshot;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::error::Refusal;

/// The process answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`.
    status: &'static str,
    /// Always `nightcap`: a command line that looks for a daemon asks who answers.
    name: &'static str,
}

/// Whether the daemon can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether everything is there.
    ready: bool,
    /// What is missing.
    missing: Vec<String>,
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "probes", responses((status = 200, description = "It does", body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok", name: "nightcap" })
}

/// Whether everything that the cluster holds has been listed, and every node has a price.
#[utoipa::path(get, path = "/readyz", tag = "probes", responses(
    (status = 200, description = "Ready", body = Readiness),
    (status = 503, description = "Not yet; the body says what is missing", body = Readiness),
))]
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Response, Refusal> {
    let missing = missing(&*state.snapshot().await?);
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(Readiness { ready: missing.is_empty(), missing })).into_response())
}

fn missing(snapshot: &Snapshot) -> Vec<String> {
    let lists = snapshot.missing.iter().map(|kind| format!("the list of {}", kind.plural()));
    let unpriced = snapshot.nodes.iter().filter(|node| node.price.is_none());
    lists.chain(unpriced.map(|node| format!("the price of node {}", node.node.name))).collect()
}
