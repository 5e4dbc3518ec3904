//! What holds for every path.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::{ask, get, state};
use crate::http::openapi;
use crate::http::routes::routes;

#[tokio::test]
async fn every_path_is_in_the_openapi_document_and_no_other() {
    let document: Value = get("/api/v1/openapi.json").await.json();
    assert_eq!(document, serde_json::to_value(openapi()).unwrap());
    let written: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(|m| (path.clone(), m.clone())))
        .collect();
    let served: BTreeSet<_> =
        routes().iter().map(|route| (route.path.to_owned(), route.method.to_owned())).collect();
    assert_eq!(written, served);
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(operation["summary"].is_string(), "{path} has no summary");
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_openapi_document_leads_somewhere() {
    fn references<'a>(value: &'a Value, out: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(map) => {
                out.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| references(value, out));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, out)),
            _ => {}
        }
    }
    let document = serde_json::to_value(openapi()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.contains("#/components/schemas/Money"), "{found:?}");
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_browsers_from_harm() {
    for path in ["/", "/metrics", "/api/v1/status", "/allocation?window=today", "/nothing", "/allocation"] {
        let answer = get(path).await;
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(
            (
                header("x-content-type-options"),
                header("x-frame-options"),
                header("referrer-policy"),
                header("cache-control")
            ),
            ("nosniff".to_owned(), "DENY".to_owned(), "no-referrer".to_owned(), "no-store".to_owned()),
            "{path}"
        );
        assert!(header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
    }
    let page = get("/").await;
    assert_eq!(page.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("connect-src 'self'"));
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_told() {
    let answer = get("/api/v2/status").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (
            404,
            json!({"error": {
                "code": "no-such-path", "message": "there is nothing at this path", "value": "/api/v2/status",
                "hint": "GET /api/v1/openapi.json lists what there is",
            }})
        )
    );
    for (method, path) in
        [("GET", "/api/v1/spaces/lab/sleep"), ("POST", "/api/v1/status"), ("DELETE", "/metrics")]
    {
        let answer =
            ask(&state(), Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.code(), (405, "wrong-method".to_owned()), "{method} {path}");
        assert!(answer.headers.contains_key(header::ALLOW), "{method} {path}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_what_was_typed() {
    let state = state();
    for path in ["/api/v1/spaces/lab", "/api/v1/spaces/data", "/api/v1/spaces/x", "/wp-admin", "/x?y=z"] {
        ask(&state, Request::get(path).body(Body::empty()).unwrap()).await;
    }
    let request = Request::builder().method("BREW").uri("/x").body(Body::empty()).unwrap();
    ask(&state, request).await;
    let text = ask(&state, Request::get("/metrics").body(Body::empty()).unwrap()).await.text;
    let mut lines: Vec<_> = text.lines().filter(|l| l.starts_with("nightcap_http_requests_total{")).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            r#"nightcap_http_requests_total{route="/api/v1/spaces/{name}",method="get",code="200"} 2"#,
            r#"nightcap_http_requests_total{route="/api/v1/spaces/{name}",method="get",code="404"} 1"#,
            r#"nightcap_http_requests_total{route="other",method="get",code="404"} 2"#,
            r#"nightcap_http_requests_total{route="other",method="other",code="404"} 1"#,
        ]
    );
}

#[tokio::test]
async fn nothing_answers_when_the_engine_has_stopped() {
    let (sender, inputs) = tokio::sync::mpsc::channel(1);
    drop(inputs);
    let clock = crate::runtime::Clock::simulated(crate::test_cluster::now(), 1);
    let handle = crate::runtime::Handle::new(sender, clock);
    let state =
        crate::http::AppState::new(handle, std::sync::Arc::new(crate::http::OpenAccess), chrono_tz::Tz::UTC);
    for path in ["/api/v1/status", "/readyz", "/metrics"] {
        let answer = ask(&state, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.code(), (503, "stopping".to_owned()), "{path}");
    }
    let answer = ask(&state, Request::get("/allocation?window=today").body(Body::empty()).unwrap()).await;
    assert_eq!(
        answer.json(),
        json!({"code": 503, "status": "error", "message": "the daemon is stopping: try again soon", "data": null})
    );
}
