//! Why a policy cannot be understood.

use thiserror::Error;

use crate::schedule::{SpecError, ZoneError};

/// Why a policy cannot be understood: the field, the value in it, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PolicyError {
    /// It is about nothing.
    #[error(
        "names nothing: give namespaces, namespaceSelector, workloadSelector or teams; namespaces: [\"*\"] is everything"
    )]
    NoTarget,
    /// It wishes nothing.
    #[error("wishes nothing: give uptime, downtime or exclude: true")]
    NoWish,
    /// It wishes two things at once.
    #[error("exclude: true stands beside {0}: what is kept awake has no schedule, remove one of them")]
    ExcludeBeside(&'static str),
    /// A pattern that matches nothing at all.
    #[error("{0}: an empty pattern matches nothing: leave it out, or use \"*\" for any")]
    EmptyPattern(&'static str),
    /// A pattern that no namespace matches.
    #[error(
        "namespaces: {0:?} matches no namespace: use lower-case letters, digits and `-`, and `*` for any text"
    )]
    Namespace(String),
    /// A selector that is none.
    #[error("{field}: {value:?} {problem}")]
    Selector {
        /// Where it stands.
        field: &'static str,
        /// The value.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A time spec that is none.
    #[error("{0}: {1}")]
    Spec(&'static str, SpecError),
    /// The zone is unknown.
    #[error("timezone: {0}")]
    Zone(#[from] ZoneError),
    /// The priority is too high or too low.
    #[error("priority: {0} is no priority: use a whole number from -1000000 to 1000000")]
    Priority(i64),
    /// No calendar of this name is configured.
    #[error(
        "holidays: {name:?} is no calendar that the daemon's configuration names: {}",
        known_calendars(known)
    )]
    Calendar {
        /// The name.
        name: String,
        /// Those that are.
        known: String,
    },
}

fn known_calendars(known: &str) -> String {
    if known.is_empty() { "it names none".to_owned() } else { format!("use {known}") }
}
