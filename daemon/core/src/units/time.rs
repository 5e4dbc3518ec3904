//! Instants and durations in whole milliseconds: the resolution every sum of money is taken at.

use std::fmt;
use std::ops::{Add, Sub};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, in milliseconds since the Unix epoch, UTC.
///
/// Written and read as RFC 3339; as a number where only machines read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub i64);

/// A span of time in milliseconds; may be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// One second.
    pub const SECOND: Self = Self(1_000);
    /// One minute.
    pub const MINUTE: Self = Self(60_000);
    /// One hour.
    pub const HOUR: Self = Self(3_600_000);
    /// Twenty-four hours (not a calendar day, which may be shorter or longer).
    pub const DAY: Self = Self(86_400_000);

    /// Whole seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1_000)
    }

    /// Whole minutes.
    pub const fn from_minutes(minutes: i64) -> Self {
        Self(minutes * 60_000)
    }

    /// Whole hours.
    pub const fn from_hours(hours: i64) -> Self {
        Self(hours * 3_600_000)
    }

    /// The length in hours, for display.
    pub fn as_hours(self) -> f64 {
        self.0 as f64 / 3_600_000.0
    }

    /// The length in minutes, for display.
    pub fn as_minutes(self) -> f64 {
        self.0 as f64 / 60_000.0
    }
}

impl Instant {
    /// The start of the UTC hour this instant lies in.
    #[must_use]
    pub const fn hour(self) -> Self {
        Self(self.0.div_euclid(3_600_000) * 3_600_000)
    }

    /// The start of the next UTC hour, strictly later.
    #[must_use]
    pub const fn next_hour(self) -> Self {
        Self(self.hour().0 + 3_600_000)
    }

    /// The time from `earlier` to `self`; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0 - earlier.0)
    }

    /// As a chrono value. Instants outside chrono's range (some 262,000 years) read as the epoch.
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// RFC 3339, with milliseconds only where there are any.
    pub fn to_rfc3339(self) -> String {
        let format = if self.0 % 1_000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        self.to_chrono().to_rfc3339_opts(format, true)
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(value: DateTime<Utc>) -> Self {
        Self(value.timestamp_millis())
    }
}

impl Add<Millis> for Instant {
    type Output = Self;
    fn add(self, rhs: Millis) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

impl Sub<Millis> for Instant {
    type Output = Self;
    fn sub(self, rhs: Millis) -> Self {
        Self(self.0.saturating_sub(rhs.0))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&self.to_rfc3339());
        }
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        parse_rfc3339(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not an RFC 3339 instant")))
    }
}

/// Reads an RFC 3339 instant such as `2026-03-01T08:00:00+01:00`.
pub fn parse_rfc3339(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| Instant(at.timestamp_millis()))
}
