//! `POST /api/v1/spaces/{name}/sleep`, `/wake`, `/keep-awake`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use nightcap_core::sleep::{Command, Mode};
use nightcap_core::units::{Instant, Millis, parse_duration, parse_rfc3339};
use serde::de::DeserializeOwned;

use crate::api::{Act, ActReport, ErrorReport, KeepAwakeRequest, SleepRequest, WakeRequest};
use crate::http::error::Refusal;
use crate::http::params::Params;
use crate::http::{AccessError, AppState, User, Verb};

/// Nobody means to keep a space awake, or asleep to the minute, for longer.
const LONGEST: Millis = Millis(366 * Millis::DAY.0);

/// Puts a space to sleep: until the given instant, else its next scheduled wake, else until somebody wakes it.
#[utoipa::path(post, path = "/api/v1/spaces/{name}/sleep", tag = "sleep", request_body = SleepRequest,
    params(("name" = String, Path, description = "Name of the namespace")),
    responses(
        (status = 200, description = "What is written for it", body = ActReport),
        (status = 400, description = "The body cannot be understood", body = ErrorReport),
        (status = 401, description = "No valid token", body = ErrorReport),
        (status = 403, description = "No right to this, or a request of another origin", body = ErrorReport),
        (status = 404, description = "There is no such namespace", body = ErrorReport),
        (status = 413, description = "The body is larger than 64 KiB", body = ErrorReport),
        (status = 415, description = "The body is not application/json", body = ErrorReport),
        (status = 503, description = "Rights cannot be checked now, or the daemon is stopping", body = ErrorReport),
    ))]
pub(in crate::http) async fn sleep(
    State(state): State<AppState>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ActReport>, Refusal> {
    let user = admit(&state, &uri, &headers, Verb::Sleep, &name).await?;
    let request: SleepRequest = read(body)?;
    let until = request.until.map(|text| later(&text, state.handle.now())).transpose()?;
    perform(&state, Act::Sleep, Command::Sleep { namespace: name.into(), until, by: user.name }).await
}

/// Wakes a space until its next scheduled sleep, else for two hours.
#[utoipa::path(post, path = "/api/v1/spaces/{name}/wake", tag = "sleep", request_body = WakeRequest,
    params(("name" = String, Path, description = "Name of the namespace")),
    responses(
        (status = 200, description = "What is written for it", body = ActReport),
        (status = 400, description = "The body cannot be understood", body = ErrorReport),
        (status = 401, description = "No valid token", body = ErrorReport),
        (status = 403, description = "No right to this, or a request of another origin", body = ErrorReport),
        (status = 404, description = "There is no such namespace", body = ErrorReport),
        (status = 413, description = "The body is larger than 64 KiB", body = ErrorReport),
        (status = 415, description = "The body is not application/json", body = ErrorReport),
        (status = 503, description = "Rights cannot be checked now, or the daemon is stopping", body = ErrorReport),
    ))]
pub(in crate::http) async fn wake(
    State(state): State<AppState>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ActReport>, Refusal> {
    let user = admit(&state, &uri, &headers, Verb::Wake, &name).await?;
    let WakeRequest {} = read(body)?;
    perform(&state, Act::Wake, Command::Wake { namespace: name.into(), by: user.name }).await
}

/// Keeps a space awake, waking it if it sleeps.
#[utoipa::path(post, path = "/api/v1/spaces/{name}/keep-awake", tag = "sleep", request_body = KeepAwakeRequest,
    params(("name" = String, Path, description = "Name of the namespace")),
    responses(
        (status = 200, description = "What is written for it", body = ActReport),
        (status = 400, description = "The body cannot be understood", body = ErrorReport),
        (status = 401, description = "No valid token", body = ErrorReport),
        (status = 403, description = "No right to this, or a request of another origin", body = ErrorReport),
        (status = 404, description = "There is no such namespace", body = ErrorReport),
        (status = 413, description = "The body is larger than 64 KiB", body = ErrorReport),
        (status = 415, description = "The body is not application/json", body = ErrorReport),
        (status = 503, description = "Rights cannot be checked now, or the daemon is stopping", body = ErrorReport),
    ))]
pub(in crate::http) async fn keep_awake(
    State(state): State<AppState>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ActReport>, Refusal> {
    let user = admit(&state, &uri, &headers, Verb::Wake, &name).await?;
    let request: KeepAwakeRequest = read(body)?;
    let now = state.handle.now();
    let until = match (request.until, request.for_) {
        (Some(text), None) => later(&text, now)?,
        (None, Some(text)) => after(&text, now)?,
        _ => {
            return Err(Refusal::bad("bad-body", "keep-awake takes one of `until` and `for`")
                .hint(r#"send e.g. {"for": "4h"} or {"until": "2026-03-01T18:00:00Z"}"#));
        }
    };
    perform(&state, Act::KeepAwake, Command::KeepAwake { namespace: name.into(), until, by: user.name }).await
}

/// Lets a request in that a browser was not tricked into, and whose sender may do this.
async fn admit(
    state: &AppState,
    uri: &Uri,
    headers: &HeaderMap,
    verb: Verb,
    namespace: &str,
) -> Result<User, Refusal> {
    same_origin(headers)?;
    json_only(headers)?;
    Params::of(uri)?.finish()?;
    let user = state.access.authorize(token(headers)?, verb, namespace).await?;
    Ok(user)
}

/// A page of another origin may not act in the name of whoever looks at it.
fn same_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or("unreadable");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let from = origin.split_once("://").and_then(|(_, rest)| rest.parse::<Authority>().ok());
    let same = from.zip(host).is_some_and(|(from, host)| from.as_str().eq_ignore_ascii_case(host));
    if same {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "cross-origin",
        "an act may not come from a page of another origin",
    )
    .value(origin)
    .hint("use the built-in page, the command line, or send no Origin header"))
}

/// A form of another site can send text, but not JSON.
fn json_only(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "the body has to be JSON")
        .value(given)
        .hint("send `content-type: application/json`, with {} if there is nothing to say"))
}

fn token(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let bearer = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    });
    // The value is not repeated: it may be a secret of another scheme.
    bearer.map(Some).ok_or_else(|| {
        AccessError::InvalidToken { reason: "the Authorization header is not `Bearer TOKEN`".to_owned() }
            .into()
    })
}

fn read<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Refusal> {
    let body = body.map_err(|rejection| {
        let status = rejection.status();
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            Refusal::new(status, "too-large", "the body is larger than 64 KiB")
        } else {
            Refusal::new(status, "bad-body", "the body cannot be read")
        }
    })?;
    let text = if body.is_empty() { b"{}" } else { &body[..] };
    serde_json::from_slice(text).map_err(|error| {
        Refusal::bad("bad-body", format!("the body cannot be understood: {error}"))
            .value(&String::from_utf8_lossy(text))
    })
}

fn later(text: &str, now: Instant) -> Result<Instant, Refusal> {
    let at = parse_rfc3339(text).ok_or_else(|| {
        Refusal::bad("bad-instant", "`until` is no RFC 3339 instant")
            .value(text)
            .hint("write e.g. 2026-03-01T18:00:00Z")
    })?;
    bounded(at, now, text)
}

fn after(text: &str, now: Instant) -> Result<Instant, Refusal> {
    let length =
        parse_duration(text).map_err(|error| Refusal::bad("bad-duration", error.to_string()).value(text))?;
    bounded(now + length, now, text)
}

fn bounded(at: Instant, now: Instant, text: &str) -> Result<Instant, Refusal> {
    if at <= now {
        return Err(Refusal::bad("not-later", format!("that is not after now, {now}")).value(text));
    }
    if at.since(now) > LONGEST {
        return Err(Refusal::bad("too-far", "that is more than a year from now")
            .value(text)
            .hint("use the annotation exclude to keep a space awake for good"));
    }
    Ok(at)
}

async fn perform(state: &AppState, act: Act, command: Command) -> Result<Json<ActReport>, Refusal> {
    let at = state.handle.now();
    let (space, by) = (Arc::clone(command.namespace()), Arc::clone(command.by()));
    let written = state.handle.command(command).await?;
    let mode = state.snapshot().await?.mode;
    tracing::info!(space = &*space, by = &*by, ?act, "A person asked for this.");
    let end = written.iter().find_map(|(_, value)| value.as_deref()).unwrap_or("manual");
    let until = if end == "manual" { "until somebody wakes it".to_owned() } else { format!("until {end}") };
    let message = match act {
        Act::Sleep if mode == Mode::Observe => format!(
            "{space} would sleep {until}; in mode observe nothing is put to sleep, and the wish is only written down"
        ),
        Act::Sleep => format!("{space} goes to sleep {until}"),
        Act::Wake | Act::KeepAwake => format!("{space} is kept awake {until}"),
    };
    Ok(Json(ActReport {
        at,
        space: space.to_string(),
        act,
        by: by.to_string(),
        annotations: written
            .iter()
            .map(|(key, value)| (key.to_string(), value.as_deref().map(ToOwned::to_owned)))
            .collect(),
        message,
    }))
}
