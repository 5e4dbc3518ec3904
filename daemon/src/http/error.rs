//! Errors as both APIs write them: with the value that was wrong and what to do about it.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::AccessError;
use crate::api::{ErrorBody, ErrorReport};
use crate::runtime::HandleError;
use nightcap_core::sleep::CommandError;
use nightcap_history::HistoryError;

/// A value is repeated in an error up to this many characters.
const SHOWN: usize = 200;

/// Why a request is not answered as asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    body: ErrorBody,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let body = ErrorBody { code: code.to_owned(), message: message.into(), value: None, hint: None };
        Self { status, body }
    }

    /// 400: something in the request cannot be understood.
    pub(super) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Names the value that was wrong.
    pub(super) fn value(mut self, value: &str) -> Self {
        self.body.value = Some(value.chars().take(SHOWN).collect());
        self
    }

    /// Says what to do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body.hint = Some(hint.into());
        self
    }

    pub(super) fn no_such_space(name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-space", "there is no such namespace in this cluster")
            .value(name)
            .hint("GET /api/v1/spaces lists those there are")
    }

    /// As `OpenCost` writes it.
    pub(super) fn opencost(self) -> OpenCostRefusal {
        let hint = self.body.hint.map(|hint| format!(": {hint}")).unwrap_or_default();
        let message = self.body.message;
        let untold = self.body.value.filter(|value| !message.contains(value.as_str()));
        let value = untold.map(|value| format!(" ({value:?})")).unwrap_or_default();
        OpenCostRefusal { status: self.status, message: format!("{message}{value}{hint}") }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(ErrorReport { error: self.body })).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<HistoryError> for Refusal {
    fn from(error: HistoryError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "history", error.to_string())
            .hint("what is in memory is answered for a shorter window")
    }
}

impl From<HandleError> for Refusal {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Stopped => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string())
                .hint("try again soon"),
            HandleError::Command(CommandError::NoSuchSpace(name)) => Self::no_such_space(&name),
            HandleError::Command(error @ CommandError::Protected { .. }) => {
                Self::new(StatusCode::CONFLICT, "protected", error.to_string())
                    .hint("what the cluster itself lives on stays awake")
            }
        }
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        let (status, code, hint) = match &error {
            AccessError::NoToken => (
                StatusCode::UNAUTHORIZED,
                "no-token",
                "send `Authorization: Bearer TOKEN`, e.g. with the answer of `kubectl create token`"
                    .to_owned(),
            ),
            AccessError::InvalidToken { .. } => {
                (StatusCode::UNAUTHORIZED, "invalid-token", "get a new token".to_owned())
            }
            AccessError::Forbidden { verb, .. } => (
                StatusCode::FORBIDDEN,
                "forbidden",
                format!(
                    "it takes the right to `{verb}` the resource `spaces.nightcap.dev` in that namespace"
                ),
            ),
            AccessError::Unavailable { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "access-unknown", "try again soon".to_owned())
            }
        };
        Self::new(status, code, error.to_string()).hint(hint)
    }
}

/// An error in `OpenCost`'s envelope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OpenCostRefusal {
    status: StatusCode,
    message: String,
}

/// An error as `OpenCost`'s clients read it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(super) struct OpenCostError {
    /// The HTTP status.
    code: u16,
    /// Always `error`.
    status: &'static str,
    /// What is wrong, with the value, and what to do.
    message: String,
    /// Always `null`.
    data: Option<()>,
}

impl IntoResponse for OpenCostRefusal {
    fn into_response(self) -> Response {
        let body =
            OpenCostError { code: self.status.as_u16(), status: "error", message: self.message, data: None };
        (self.status, Json(body)).into_response()
    }
}

impl From<Refusal> for OpenCostRefusal {
    fn from(refusal: Refusal) -> Self {
        refusal.opencost()
    }
}

impl From<HandleError> for OpenCostRefusal {
    fn from(error: HandleError) -> Self {
        Refusal::from(error).opencost()
    }
}
