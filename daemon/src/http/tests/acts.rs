//! Acts: who may, what is written, what is refused.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Answer, ask, state, state_of};
use crate::http::{Access, AccessError, AppState, User, Verb};
use crate::test_cluster;

/// Knows one token, whose bearer may wake, and may put to sleep only the lab.
#[derive(Debug)]
struct OneToken;

impl Access for OneToken {
    fn authorize<'a>(
        &'a self,
        token: Option<&'a str>,
        verb: Verb,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<User, AccessError>> {
        let answer = match token {
            None => Err(AccessError::NoToken),
            Some("good") if verb == Verb::Sleep && namespace != "lab" => {
                Err(AccessError::Forbidden { user: "robot".into(), verb, namespace: namespace.into() })
            }
            Some("good") => Ok(User { name: "robot".into() }),
            Some("slow") => {
                Err(AccessError::Unavailable { reason: "the API server does not answer".to_owned() })
            }
            Some(_) => Err(AccessError::InvalidToken { reason: "unknown".to_owned() }),
        };
        Box::pin(std::future::ready(answer))
    }
}

async fn post(state: &AppState, path: &str, headers: &[(header::HeaderName, &str)], body: &str) -> Answer {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    ask(state, request.body(Body::from(body.to_owned())).unwrap()).await
}

const JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

/// The answer without its instant, which is the clock's.
fn written(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut report = answer.json();
    let at = report.as_object_mut().unwrap().remove("at").unwrap();
    assert!(at.as_str().unwrap().starts_with("2026-03-02T10:3"), "{at}");
    report
}

#[tokio::test]
async fn acts_answer_what_they_write() {
    let keep = "nightcap.dev/keep-awake-until";
    let asleep = "nightcap.dev/asleep-until";
    let by = "nightcap.dev/override-by";
    for (path, body, act, annotations, message) in [
        (
            "/api/v1/spaces/lab/sleep",
            "{}",
            "sleep",
            json!({keep: null, asleep: "2026-03-02T20:00:00Z", by: "anybody"}),
            "lab goes to sleep until 2026-03-02T20:00:00Z",
        ),
        (
            "/api/v1/spaces/shop-dev/sleep",
            "",
            "sleep",
            json!({keep: null, asleep: "manual", by: "anybody"}),
            "shop-dev goes to sleep until somebody wakes it",
        ),
        (
            "/api/v1/spaces/shop-dev/sleep",
            r#"{"until": "2026-03-03T08:00:00+01:00"}"#,
            "sleep",
            json!({keep: null, asleep: "2026-03-03T07:00:00Z", by: "anybody"}),
            "shop-dev goes to sleep until 2026-03-03T07:00:00Z",
        ),
        (
            "/api/v1/spaces/shop-dev/wake",
            "{}",
            "wake",
            json!({keep: "2026-03-02T12:30:00Z", asleep: null, by: "anybody"}),
            "shop-dev is kept awake until 2026-03-02T12:30:00Z",
        ),
        (
            "/api/v1/spaces/lab/keep-awake",
            r#"{"until": "2026-03-02T18:00:00Z"}"#,
            "keep-awake",
            json!({keep: "2026-03-02T18:00:00Z", asleep: null, by: "anybody"}),
            "lab is kept awake until 2026-03-02T18:00:00Z",
        ),
    ] {
        let answer = post(&state(), path, &[JSON], body).await;
        let space = path.split('/').nth(4).unwrap();
        assert_eq!(
            written(&answer),
            json!({"space": space, "act": act, "by": "anybody", "annotations": annotations, "message": message})
        );
    }
}

#[tokio::test]
async fn keep_awake_for_a_while_ends_that_much_later() {
    let answer = post(&state(), "/api/v1/spaces/lab/keep-awake", &[JSON], r#"{"for": "4h"}"#).await;
    let until = written(&answer)["annotations"]["nightcap.dev/keep-awake-until"].clone();
    assert!(until.as_str().unwrap().starts_with("2026-03-02T14:3"), "{until}");
}

#[tokio::test]
async fn rights_are_asked_for() {
    let state = state_of(test_cluster::engine(), Arc::new(OneToken));
    let bearer = |token| (header::AUTHORIZATION, token);
    for (path, token, status, code) in [
        ("/api/v1/spaces/lab/wake", None, 401, "no-token"),
        ("/api/v1/spaces/lab/wake", Some("Bearer bad"), 401, "invalid-token"),
        ("/api/v1/spaces/lab/wake", Some("Basic Z29vZA=="), 401, "invalid-token"),
        ("/api/v1/spaces/lab/wake", Some("Bearer "), 401, "invalid-token"),
        ("/api/v1/spaces/lab/wake", Some("Bearer slow"), 503, "access-unknown"),
        ("/api/v1/spaces/data/sleep", Some("Bearer good"), 403, "forbidden"),
        ("/api/v1/spaces/nowhere/wake", Some("Bearer good"), 404, "no-such-space"),
    ] {
        let mut headers = vec![JSON];
        headers.extend(token.map(bearer));
        let answer = post(&state, path, &headers, "{}").await;
        assert_eq!(answer.code(), (status, code.to_owned()), "{path} {token:?}");
        assert_eq!(answer.headers.contains_key(header::WWW_AUTHENTICATE), status == 401);
    }
    let answer = post(&state, "/api/v1/spaces/data/sleep", &[JSON, bearer("Bearer good")], "{}").await;
    assert_eq!(answer.json()["error"]["message"], json!("robot may not sleep spaces in namespace \"data\""));
    let answer = post(&state, "/api/v1/spaces/lab/sleep", &[JSON, bearer("bearer good")], "{}").await;
    assert_eq!(written(&answer)["by"], json!("robot"));
}

#[tokio::test]
async fn requests_a_browser_was_tricked_into_are_refused() {
    let path = "/api/v1/spaces/lab/wake";
    let host = (header::HOST, "nightcap.example:8080");
    for (headers, status, code) in [
        (vec![], 415, "not-json"),
        (vec![(header::CONTENT_TYPE, "text/plain")], 415, "not-json"),
        (vec![(header::CONTENT_TYPE, "application/x-www-form-urlencoded")], 415, "not-json"),
        (vec![JSON, host.clone(), (header::ORIGIN, "http://elsewhere.example")], 403, "cross-origin"),
        (vec![JSON, host.clone(), (header::ORIGIN, "null")], 403, "cross-origin"),
        (vec![JSON, host.clone(), (header::ORIGIN, "http://nightcap.example:9090")], 403, "cross-origin"),
        (vec![JSON, (header::ORIGIN, "http://nightcap.example:8080")], 403, "cross-origin"),
    ] {
        let answer = post(&state(), path, &headers, "{}").await;
        assert_eq!(answer.code(), (status, code.to_owned()), "{headers:?}");
    }
    let own = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        host,
        (header::ORIGIN, "http://Nightcap.example:8080"),
    ];
    assert_eq!(post(&state(), path, &own, "{}").await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_not_understood_are_named() {
    let long = format!(r#"{{"until": "{}"}}"#, "x".repeat(70_000));
    for (act, body, status, code) in [
        ("sleep", "[", 400, "bad-body"),
        ("sleep", r#"{"till": "2026-03-03T08:00:00Z"}"#, 400, "bad-body"),
        ("sleep", r#"{"until": 5}"#, 400, "bad-body"),
        ("sleep", r#"{"until": "tomorrow"}"#, 400, "bad-instant"),
        ("sleep", r#"{"until": "2026-03-02T10:00:00Z"}"#, 400, "not-later"),
        ("sleep", r#"{"until": "2126-03-02T10:00:00Z"}"#, 400, "too-far"),
        ("wake", r#"{"until": "2026-03-03T08:00:00Z"}"#, 400, "bad-body"),
        ("keep-awake", "{}", 400, "bad-body"),
        ("keep-awake", r#"{"for": "4h", "until": "2026-03-03T08:00:00Z"}"#, 400, "bad-body"),
        ("keep-awake", r#"{"for": "a while"}"#, 400, "bad-duration"),
        ("keep-awake", r#"{"for": "0s"}"#, 400, "not-later"),
        ("keep-awake", r#"{"for": "99999999999w"}"#, 400, "bad-duration"),
        ("keep-awake", r#"{"for": "9999w"}"#, 400, "too-far"),
        ("sleep", long.as_str(), 413, "too-large"),
    ] {
        let answer = post(&state(), &format!("/api/v1/spaces/lab/{act}"), &[JSON], body).await;
        assert_eq!(answer.code(), (status, code.to_owned()), "{act} {}", body.get(..60).unwrap_or(body));
    }
}
