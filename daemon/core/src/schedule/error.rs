//! Why a text is no time spec.

use std::fmt;

use thiserror::Error;

use super::ZoneError;

/// Why a text is no time spec: which part of it, which value there, and what was expected instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpecError {
    /// The part of the comma-separated list that is wrong, as written.
    pub part: String,
    /// The value in it that is wrong, as written.
    pub value: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with one value of a time spec.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Fault {
    /// Nothing where a part should be.
    #[error("is empty: {0}")]
    Empty(&'static str),
    /// The part follows none of the grammar's forms, which are given.
    #[error("is no time spec: {0}")]
    Shape(&'static str),
    /// Not a day of the week.
    #[error("is no day of the week: {0}")]
    Day(&'static str),
    /// Not a time of day.
    #[error("is no time of day: write two digits each, 00:00 to 23:59, or 24:00 as an end")]
    Time,
    /// 24:00 as a start.
    #[error("is no start: 24:00 is allowed as an end only, write 00:00 of the next day")]
    StartsAt24,
    /// Not a zone.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// Not an instant.
    #[error("is no instant: write RFC 3339 such as {0}")]
    Instant(&'static str),
    /// A span between two instants that ends before it starts.
    #[error("ends before it starts: swap the two instants")]
    Reversed,
    /// No zone given, and no default one.
    #[error("names no time zone: add one such as Europe/Berlin, or set the default time zone")]
    NoZone,
    /// No days given, and no default ones.
    #[error("names no days: add a range such as Mon-Fri, or set the default week frame")]
    NoDays,
    /// A zone that means something else on every machine.
    #[error("is the time zone of whichever machine reads it: name the zone, such as Europe/Berlin")]
    LocalZone,
}

impl SpecError {
    pub(super) fn new(part: &str, value: &str, fault: Fault) -> Self {
        Self { part: part.to_owned(), value: value.to_owned(), fault }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.part != self.value {
            write!(f, "in {:?}: ", self.part)?;
        }
        match &self.fault {
            // Names the zone itself.
            Fault::Zone(error) => write!(f, "{error}"),
            fault => write!(f, "{:?} {fault}", self.value),
        }
    }
}

impl std::error::Error for SpecError {}
