//! `GET /api/v1/policies`: the sleep policies, what they are about and what they do.

use nightcap_core::sleep::Mode;
use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All sleep policies.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyList {
    /// The instant of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// How far Nightcap is trusted: policies count in `act` only.
    #[schema(value_type = String, example = "act")]
    pub mode: Mode,
    /// In the order in which they count.
    pub policies: Vec<PolicyReport>,
}

/// A sleep policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyReport {
    /// Name of the object.
    pub name: String,
    /// Whether it comes before what people write on namespaces and workloads.
    pub enforced: bool,
    /// Among policies of the same rank the higher one wins.
    pub priority: i32,
    /// Awake while this holds.
    pub uptime: Option<String>,
    /// Asleep while this holds.
    pub downtime: Option<String>,
    /// Zone of times that name none; `null`: the team's, else the configured one.
    pub timezone: Option<String>,
    /// Calendars of days on which the uptime does not hold; `null`: the team's.
    pub holidays: Option<Vec<String>>,
    /// Whether it keeps awake what it matches.
    pub exclude: bool,
    /// Namespaces it is about, or some workloads of which.
    pub namespaces: usize,
    /// Workloads it is about.
    pub workloads: usize,
    /// Those of them for which it decides now.
    pub deciding: usize,
    /// The first names of the namespaces, at most ten.
    pub names: Vec<String>,
    /// When it will wish otherwise for some of them.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_change: Option<Instant>,
    /// Why the newest version of the object cannot be understood, if so; the last one that could holds on, and if none is
    /// known it counts as not there.
    pub problem: Option<String>,
}
