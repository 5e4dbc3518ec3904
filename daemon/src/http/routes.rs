//! Every path there is, once: the router is made of this list, and the `OpenAPI` document is tested against it.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use super::{AppState, layers, openapi, opencost, probes, scrape, v1};

/// No body that this server takes is longer than a line.
const BODY_LIMIT: usize = 64 * 1024;

/// `OpenCost`'s paths. Kubecost has them below `/model`, which is where its clients look: there they answer too.
const OPENCOST: [&str; 5] =
    ["/allocation", "/allocation/compute", "/allocation/summary", "/allocation/compute/summary", "/assets"];

/// One path.
pub(super) struct Route {
    pub(super) path: &'static str,
    /// Its only method, in lower case.
    pub(super) method: &'static str,
    handler: MethodRouter<AppState>,
}

pub(super) fn routes() -> Vec<Route> {
    let get = |path, handler| Route { path, method: "get", handler };
    let post = |path, handler| Route { path, method: "post", handler };
    vec![
        get("/", self::get(page)),
        get("/healthz", self::get(probes::healthz)),
        get("/readyz", self::get(probes::readyz)),
        get("/metrics", self::get(scrape::metrics)),
        get("/allocation", self::get(opencost::allocation::allocation)),
        get("/allocation/compute", self::get(opencost::allocation::compute)),
        get("/allocation/summary", self::get(opencost::summary::summary)),
        get("/allocation/compute/summary", self::get(opencost::summary::compute_summary)),
        get("/assets", self::get(opencost::assets::assets)),
        get("/api/v1/openapi.json", self::get(openapi::document)),
        get("/api/v1/status", self::get(v1::picture::status)),
        get("/api/v1/cost", self::get(v1::cost::cost)),
        get("/api/v1/export", self::get(v1::export::export)),
        get("/api/v1/savings", self::get(v1::savings::savings)),
        get("/api/v1/budgets", self::get(v1::budgets::budgets)),
        get("/api/v1/policies", self::get(v1::policies::policies)),
        get("/api/v1/nodes", self::get(v1::picture::nodes)),
        get("/api/v1/problems", self::get(v1::picture::problems)),
        get("/api/v1/spaces", self::get(v1::spaces::spaces)),
        get("/api/v1/spaces/{name}", self::get(v1::spaces::space)),
        post("/api/v1/spaces/{name}/sleep", self::post(v1::act::sleep)),
        post("/api/v1/spaces/{name}/wake", self::post(v1::act::wake)),
        post("/api/v1/spaces/{name}/keep-awake", self::post(v1::act::keep_awake)),
    ]
}

/// The whole server.
pub fn router(state: AppState) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, Route { path, method, handler }| {
            tracing::debug!(method, path, "Serving this path.");
            if OPENCOST.contains(&path) {
                return router.route(path, handler.clone()).route(&format!("/model{path}"), handler);
            }
            router.route(path, handler)
        })
        .method_not_allowed_fallback(layers::wrong_method)
        .fallback(layers::not_found)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(state.clone(), layers::guard))
        .with_state(state)
}

/// The built-in page.
#[utoipa::path(get, path = "/", tag = "page", responses((status = 200, description = "The page", content_type = "text/html", body = String)))]
pub(super) async fn page() -> Response {
    let language = [(header::CONTENT_LANGUAGE, "en")];
    (language, Html(include_str!("page.html"))).into_response()
}
