//! The router, asked over a real engine that stands still.

mod acts;
mod coarse;
mod export;
mod opencost;
mod reading;
mod rules;
mod sharing;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use chrono_tz::Tz;
use nightcap_core::engine::Engine;
use serde_json::Value;
use tower::ServiceExt;

use super::{Access, AppState, OpenAccess, router};
use crate::test_cluster;

/// An answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    /// The body as it is, where it is no text.
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code of an error in our own envelope.
    fn code(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error"]["code"].as_str().unwrap().to_owned())
    }
}

fn state_of(engine: Engine, access: Arc<dyn Access>) -> AppState {
    AppState::new(test_cluster::handle(engine), access, Tz::UTC)
}

fn state() -> AppState {
    state_of(test_cluster::engine(), Arc::new(OpenAccess))
}

async fn ask(state: &AppState, request: Request<Body>) -> Answer {
    let response = router(state.clone()).oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), 64 << 20).await.unwrap();
    let bytes = body.to_vec();
    Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned(), bytes }
}

async fn get(path: &str) -> Answer {
    ask(&state(), Request::get(path).body(Body::empty()).unwrap()).await
}

/// Asks over a picture with something of every kind on the bill, see [`test_cluster::rich_snapshot`].
async fn get_rich(path: &str) -> Answer {
    let handle = test_cluster::handle_of(test_cluster::rich_snapshot());
    let state = AppState::new(handle, Arc::new(OpenAccess), Tz::UTC);
    ask(&state, Request::get(path).body(Body::empty()).unwrap()).await
}
