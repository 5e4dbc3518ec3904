//! What holds for every request: a time limit, no panic that shows, headers that keep browsers from harm, counting.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use super::AppState;
use super::error::Refusal;

/// A request that takes longer is given up.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The page brings its own style and script and talks to this server only; nothing may frame it.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                           connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'none'";
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let answer = AssertUnwindSafe(tokio::time::timeout(TIME_LIMIT, next.run(request))).catch_unwind().await;
    let mut response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::warn!(route, "A request took longer than {} s and was given up.", TIME_LIMIT.as_secs());
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "the answer took too long")
                .hint("ask for a shorter window, or try again soon")
                .into_response()
        }
        Err(_) => {
            tracing::error!(route, "A request met a defect of the daemon.");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "defect", "the daemon has a defect here")
                .into_response()
        }
    };
    state.metrics.count_request(&route, &method_label(&method), response.status().as_u16());
    let policy = if is_page(&response) { PAGE_POLICY } else { DATA_POLICY };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Methods are free text; a label has to be one of few.
fn method_label(method: &Method) -> String {
    let known = [Method::GET, Method::HEAD, Method::POST].contains(method);
    if known { method.as_str().to_ascii_lowercase() } else { "other".to_owned() }
}

fn is_page(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

pub(super) async fn not_found(request: Request) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "no-such-path", "there is nothing at this path")
        .value(request.uri().path())
        .hint("GET /api/v1/openapi.json lists what there is")
}

pub(super) async fn wrong_method(request: Request) -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "this path does not take this method")
        .value(request.method().as_str())
        .hint("GET /api/v1/openapi.json tells which it takes")
}
