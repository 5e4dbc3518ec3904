//! `POST /api/v1/spaces/{name}/sleep`, `/wake`, `/keep-awake`: what a person asks for, and what was written for it.

use std::collections::BTreeMap;

use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Put to sleep.
    Sleep,
    /// Wake.
    Wake,
    /// Keep awake.
    KeepAwake,
}

/// The body of `/sleep`; an empty object is fine.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SleepRequest {
    /// Until when: an RFC 3339 instant. Left out: until the next scheduled wake, else until somebody wakes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// The body of `/wake`: an empty object. It stays awake until its next scheduled sleep, else for two hours.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WakeRequest {}

/// The body of `/keep-awake`: one of both.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepAwakeRequest {
    /// Until when: an RFC 3339 instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// For how long: a number with `m`, `h`, `d` or `w`, such as `90m` or `4h`.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub for_: Option<String>,
}

/// What was asked for, and what is written for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ActReport {
    /// The instant it was asked at.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// The space.
    pub space: String,
    /// The act.
    pub act: Act,
    /// Who asked.
    pub by: String,
    /// The annotations that are written on the namespace; `null` removes one.
    pub annotations: BTreeMap<String, Option<String>>,
    /// One sentence for people.
    pub message: String,
}
