//! An API server of a test: answers by a script, and keeps what it was asked.

use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use crate::Cluster;

/// A request as it was received.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Asked {
    /// Method and path with query.
    pub(crate) line: String,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

/// An answer of the script.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<&'static str>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, retry_after: None, body: body.to_string() }
    }

    /// A written object, as the API server shows its metadata.
    pub(crate) fn version(version: &str) -> Self {
        Self::json(
            200,
            &json!({ "kind": "PartialObjectMetadata", "metadata": { "resourceVersion": version } }),
        )
    }

    /// A refusal in the API server's own form.
    pub(crate) fn failure(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "kind": "Status", "code": status, "message": message }))
    }
}

/// What was asked so far.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Asked>>>);

impl Log {
    pub(crate) fn all(&self) -> Vec<Asked> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.all().into_iter().map(|asked| asked.line).collect()
    }
}

/// A cluster whose API server answers by this function of the request.
pub(crate) fn cluster(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> (Cluster, Log) {
    let log = Log::default();
    let answer = Arc::new(answer);
    let kept = log.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (answer, kept) = (Arc::clone(&answer), kept.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await?;
            let asked = Asked {
                line: format!("{} {}", parts.method, parts.uri),
                content_type: parts
                    .headers
                    .get(http::header::CONTENT_TYPE)
                    .map_or_else(String::new, |value| value.to_str().unwrap().to_owned()),
                body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            };
            let Answer { status, retry_after, body } = answer(&asked);
            kept.0.lock().unwrap().push(asked);
            let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
            if let Some(seconds) = retry_after {
                response = response.header(http::header::RETRY_AFTER, seconds);
            }
            Ok::<_, kube::Error>(response.body(Body::from(body.into_bytes())).unwrap())
        }
    });
    (Cluster::of(Client::new(service, "default")), log)
}

/// A cluster whose API server gives these answers one after the other.
pub(crate) fn scripted(answers: impl IntoIterator<Item = Answer>) -> (Cluster, Log) {
    let answers = Mutex::new(answers.into_iter().collect::<std::collections::VecDeque<_>>());
    cluster(move |asked| {
        let next = answers.lock().unwrap().pop_front();
        next.unwrap_or_else(|| panic!("no answer is left for {asked:?}"))
    })
}
