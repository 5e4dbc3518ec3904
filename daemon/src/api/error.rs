//! How `/api/v1` says no.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every answer that is an error.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorReport {
    /// What is wrong.
    pub error: ErrorBody,
}

/// What is wrong, and what to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// A short, stable word, such as `bad-window` or `no-such-space`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// The value that was wrong, as it came; left out where no value was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What to do about it, if something can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
