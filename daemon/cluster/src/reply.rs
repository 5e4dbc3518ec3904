//! One request, one reply, and what the reply means for who wrote.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, StatusCode};
use kube::client::Body;
use nightcap_core::engine::Outcome;
use nightcap_core::units::Millis;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::words;
use crate::{Cluster, ClusterError};

/// Answers to a write carry the object's metadata only: nothing else of it is read.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

/// A request to the API server.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
}

impl Call {
    /// A merge patch (RFC 7386) of one object.
    pub(crate) fn merge(path: &str, body: Value) -> Self {
        Self { method: Method::PATCH, path: format!("{path}?fieldManager=nightcap"), body }
    }

    /// The end of one object: of the one with this UID, and no other of its name.
    pub(crate) fn delete(path: &str, uid: &str) -> Self {
        let body = json!({ "preconditions": { "uid": uid } });
        Self { method: Method::DELETE, path: path.to_owned(), body }
    }

    /// A new object.
    pub(crate) fn create(path: &str, body: Value) -> Self {
        Self { method: Method::POST, path: path.to_owned(), body }
    }

    fn request(&self) -> Result<Request<Body>, http::Error> {
        let builder = Request::builder().method(&self.method).uri(&self.path);
        let builder = if self.method == Method::PATCH {
            builder.header(CONTENT_TYPE, "application/merge-patch+json").header(ACCEPT, METADATA_ONLY)
        } else {
            builder.header(CONTENT_TYPE, "application/json").header(ACCEPT, "application/json")
        };
        builder.body(Body::from(self.body.to_string().into_bytes()))
    }
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Millis>,
    pub(crate) body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NoReply {
    /// The request cannot even be written.
    Malformed(String),
    /// Transport, credentials or patience failed.
    Lost(String),
}

impl From<NoReply> for Outcome {
    fn from(none: NoReply) -> Self {
        match none {
            NoReply::Malformed(reason) => Self::Refused { reason: reason.into() },
            NoReply::Lost(reason) => Self::Retry { reason: reason.into(), after: None },
        }
    }
}

impl From<NoReply> for ClusterError {
    fn from(none: NoReply) -> Self {
        match none {
            NoReply::Malformed(reason) | NoReply::Lost(reason) => Self::Unreachable(reason),
        }
    }
}

impl Cluster {
    /// Sends one request and reads the whole reply, within `patience`.
    pub(crate) async fn call(&self, call: &Call, patience: Duration) -> Result<Reply, NoReply> {
        let request = call.request().map_err(|error| {
            NoReply::Malformed(format!("{:?} is no address of an object: {error}", call.path))
        })?;
        let exchange = async {
            let response = self.client.send(request).await?;
            let (parts, body) = response.into_parts();
            let seconds = parts.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let body = body.collect_bytes().await?.to_vec();
            Ok::<_, kube::Error>(Reply {
                status: parts.status,
                retry_after: seconds.map(|s: u32| Millis::from_secs(s.into())),
                body,
            })
        };
        match tokio::time::timeout(patience, exchange).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(NoReply::Lost(words(&error))),
            Err(_) => Err(NoReply::Lost(format!("no answer within {} s", patience.as_secs()))),
        }
    }
}

/// What of a `Status` matters here.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    message: String,
    reason: String,
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    causes: Vec<Cause>,
    retry_after_seconds: u32,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Cause {
    field: String,
}

#[derive(Deserialize)]
struct Written {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
}

impl Reply {
    /// The words of an answer that is not the wanted one.
    pub(crate) fn words(&self) -> String {
        let status = self.api_status();
        let said = [status.message, status.reason].into_iter().find(|text| !text.is_empty());
        said.unwrap_or_else(|| {
            let text = String::from_utf8_lossy(&self.body);
            let text: String = text.trim().chars().take(300).collect();
            if text.is_empty() { self.status.to_string() } else { text }
        })
    }

    fn api_status(&self) -> Status {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a reply to a write means.
    pub(crate) fn outcome(&self) -> Outcome {
        let code = self.status.as_u16();
        match code {
            200..=299 => self.written(),
            404 => Outcome::NotFound,
            409 => Outcome::Conflict,
            // A patch states the UID it was decided on. On a new object of the old name that reads as an attempt to
            // change what cannot be changed.
            422 if self.hits_another_object() => Outcome::Conflict,
            // An expired token is renewed by its issuer, so that 401 may pass; so may throttling and faults.
            401 | 408 | 429 | 500..=599 => {
                let details = self.api_status().details.unwrap_or_default();
                let seconds = Some(details.retry_after_seconds).filter(|seconds| *seconds > 0);
                let after = self.retry_after.or(seconds.map(|s| Millis::from_secs(s.into())));
                Outcome::Retry { reason: format!("{code}: {}", self.words()).into(), after }
            }
            _ => Outcome::Refused { reason: format!("{code}: {}", self.words()).into() },
        }
    }

    fn written(&self) -> Outcome {
        match serde_json::from_slice::<Written>(&self.body) {
            Ok(written) => Outcome::Done { resource_version: written.metadata.resource_version.into() },
            // Written it is; but without a version nobody knows when the watch shows it. Look again and decide again.
            Err(error) => Outcome::Retry {
                reason: format!("the answer to a write cannot be read: {error}").into(),
                after: None,
            },
        }
    }

    fn hits_another_object(&self) -> bool {
        let details = self.api_status().details.unwrap_or_default();
        details.causes.iter().any(|cause| cause.field == "metadata.uid")
    }
}
