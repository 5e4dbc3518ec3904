//! Time specs of other tools, read exactly as those tools read them.
//!
//! The rules were taken from the documentation and the observed behaviour of
//! [py-kube-downscaler](https://github.com/caas-team/py-kube-downscaler) and
//! [GoKubeDownscaler](https://github.com/caas-team/GoKubeDownscaler); `tests/vectors/` holds the cases.

pub mod gokubedownscaler;
pub mod kube_downscaler;
mod timestamp;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use super::timetable::{Rule, Timetable};
use super::{SpecError, TimeSpec, parse_zone};
use crate::units::Instant;

/// Whose grammar a time spec is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Dialect {
    /// Nightcap's own, see [`TimeSpec`].
    #[default]
    Native,
    /// py-kube-downscaler's and its ancestor kube-downscaler's.
    KubeDownscaler,
    /// `GoKubeDownscaler`'s.
    GoKubeDownscaler,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Native, Self::KubeDownscaler, Self::GoKubeDownscaler];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::KubeDownscaler => "kube-downscaler",
            Self::GoKubeDownscaler => "gokubedownscaler",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no dialect.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0:?} is no dialect: use native, kube-downscaler or gokubedownscaler")]
pub struct UnknownDialect(pub String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.name() == text)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}

/// What stands in for what a spec leaves out; an empty text counts as not set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckOptions {
    /// The zone of parts that name none. Without it the native grammar takes UTC, and the others refuse.
    pub default_timezone: Option<String>,
    /// The days of parts that name none, such as `Mon-Fri`. Without it the other tools refuse. The native
    /// grammar does not use it: there, no days means every day.
    pub default_weekframe: Option<String>,
}

impl CheckOptions {
    fn timezone(&self) -> Option<&str> {
        self.default_timezone.as_deref().filter(|text| !text.is_empty())
    }

    fn weekframe(&self) -> Option<&str> {
        self.default_weekframe.as_deref().filter(|text| !text.is_empty())
    }
}

/// What a time spec says at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// Whether it holds.
    pub holds: bool,
    /// The first later instant at which it does not say the same any more; none if it always will.
    pub next_change: Option<Instant>,
}

/// Reads a spec in a dialect and says whether it holds at an instant, and when that changes.
pub fn check(spec: &str, dialect: Dialect, at: Instant, options: &CheckOptions) -> Result<Check, SpecError> {
    match dialect {
        Dialect::Native => {
            let zone = options.timezone().map_or(Ok(chrono_tz::UTC), |zone| {
                parse_zone(zone).map_err(|error| SpecError::new(zone, zone, error.into()))
            })?;
            let spec = TimeSpec::parse(spec, zone)?;
            Ok(Check { holds: spec.holds(at), next_change: spec.next_change(at) })
        }
        Dialect::KubeDownscaler => kube_downscaler::parse(spec, options).check(at),
        Dialect::GoKubeDownscaler => gokubedownscaler::parse(spec, options)?.check(at),
    }
}

/// A time spec of another tool.
///
/// Those tools try the parts of a list in order and stop at the first that holds. A part that cannot be used is
/// an error only when it is reached, so that one spec may be fine on some days and an error on others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForeignSpec {
    /// The parts before the first that cannot be used.
    table: Timetable,
    /// What is wrong with that one.
    error: Option<SpecError>,
}

impl ForeignSpec {
    fn from_parts(parts: impl Iterator<Item = Result<Rule, SpecError>>) -> Self {
        let mut error = None;
        let usable = parts.map_while(|part| part.map_err(|cause| error = Some(cause)).ok());
        let table = usable.collect();
        Self { table, error }
    }

    /// Whether it holds at an instant, or why the tool fails then.
    pub fn holds(&self, at: Instant) -> Result<bool, SpecError> {
        match (self.table.holds(at), &self.error) {
            (true, _) => Ok(true),
            (false, None) => Ok(false),
            (false, Some(error)) => Err(error.clone()),
        }
    }

    /// The first instant strictly after `after` at which [`Self::holds`] is not what it is at `after`, which
    /// includes that it becomes an error or ceases to be one.
    pub fn next_change(&self, after: Instant) -> Option<Instant> {
        self.table.next_change(after)
    }

    /// The same in the native grammar, or why the tool fails at some instants.
    pub fn to_native(&self) -> Result<String, SpecError> {
        self.error.clone().map_or_else(|| Ok(self.table.native_text()), Err)
    }

    fn check(&self, at: Instant) -> Result<Check, SpecError> {
        Ok(Check { holds: self.holds(at)?, next_change: self.next_change(at) })
    }
}
