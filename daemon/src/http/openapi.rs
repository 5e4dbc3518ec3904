//! The `OpenAPI` document of everything the server answers.

use axum::Json;
use axum::extract::State;
use utoipa::OpenApi;

use super::{AppState, opencost, probes, routes, scrape, v1};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Nightcap",
        description = "What every team and space of a Kubernetes cluster costs, and what sleep saves. Reading is open; an act needs a bearer token. Amounts of money are JSON numbers with all their decimals: read as decimals, parts add up to the whole to the last digit.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        routes::page,
        probes::healthz,
        probes::readyz,
        scrape::metrics,
        opencost::allocation::allocation,
        opencost::allocation::compute,
        opencost::summary::summary,
        opencost::summary::compute_summary,
        opencost::assets::assets,
        document,
        v1::picture::status,
        v1::cost::cost,
        v1::export::export,
        v1::savings::savings,
        v1::budgets::budgets,
        v1::policies::policies,
        v1::picture::nodes,
        v1::picture::problems,
        v1::spaces::spaces,
        v1::spaces::space,
        v1::act::sleep,
        v1::act::wake,
        v1::act::keep_awake,
    ),
    tags(
        (name = "picture", description = "The cluster as it is now"),
        (name = "cost", description = "Who cost what"),
        (name = "sleep", description = "Who sleeps, why, what that saves, and acts"),
        (name = "opencost", description = "OpenCost's API under its own names"),
        (name = "probes", description = "For the kubelet"),
        (name = "metrics", description = "For Prometheus"),
        (name = "page", description = "For people"),
    ),
)]
struct Document;

/// The `OpenAPI` document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "picture", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn document(State(_): State<AppState>) -> Json<utoipa::openapi::OpenApi> {
    Json(openapi())
}
