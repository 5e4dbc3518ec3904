//! `GET /api/v1/problems`: what needs a person.

use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Everything that needs a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemList {
    /// The instant of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// By object.
    pub problems: Vec<ProblemReport>,
}

/// Something a person should mend; its own object is concerned, nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemReport {
    /// What it is about, such as `namespace shop-dev`.
    pub object: String,
    /// A short, stable word, such as `bad-annotation`.
    pub reason: String,
    /// What is wrong, with the value, and what holds meanwhile.
    pub message: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Instant,
}
