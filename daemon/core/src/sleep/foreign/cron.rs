//! Cron expressions of five fields in the wall clock of a zone, as Go's common cron library reads them.
//!
//! kube-green, loft and KEDA all use it. Occurrences come from the croner crate; what it allows beyond those five fields
//! is refused.
//!
//! * `minute hour day-of-month month day-of-week`; Sunday is 0 and there is no 7; months and days by three letters too.
//! * If both days are restricted, either is enough. `5/15` means from 5 to the end in steps of 15. `?` is `*`.
//! * `CRON_TZ=Zone ` or `TZ=Zone ` in front names the zone; `@daily` and its like are known, `@every` is not.
//! * What a change of the clocks skips comes right after the gap, what it repeats comes once.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use croner::Cron as Pattern;
use croner::parser::{CronParser, Seconds, Year};
use thiserror::Error;

use crate::schedule::{ZoneError, parse_zone};
use crate::units::{Instant, Millis};

/// Why a text is no cron expression.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CronError {
    /// Not five fields.
    #[error(
        "{text:?} has {found} fields; a cron expression has five: minute hour day-of-month month day-of-week"
    )]
    Fields {
        /// As written.
        text: String,
        /// How many it has.
        found: usize,
    },
    /// Neither a number nor a name in a field.
    #[error("{value:?} in {text:?} is not a number")]
    NotANumber {
        /// As written.
        text: String,
        /// The value.
        value: String,
    },
    /// A number that the field does not go to, a range that runs backwards, or a step of nothing.
    #[error(
        "{value:?} in {text:?} is out of range: the {field} goes from {min} to {max}, upwards, in steps of 1 or more"
    )]
    Range {
        /// As written.
        text: String,
        /// The value.
        value: String,
        /// The field.
        field: &'static str,
        /// Its least value.
        min: u32,
        /// Its greatest value.
        max: u32,
    },
    /// A zone that nobody knows.
    #[error("in {text:?}: {error}")]
    Zone {
        /// As written.
        text: String,
        /// What is wrong with it.
        error: ZoneError,
    },
}

/// A cron expression in a zone.
#[derive(Clone)]
pub struct Cron {
    text: Arc<str>,
    zone: Tz,
    pattern: Pattern,
    /// What each field allows; `None` is a star.
    fields: Vec<Option<Vec<u32>>>,
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {}", self.text, self.zone.name())
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

impl Eq for Cron {}

struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59, names: &[] },
    Field { name: "hour", min: 0, max: 23, names: &[] },
    Field { name: "day of the month", min: 1, max: 31, names: &[] },
    Field { name: "month", min: 1, max: 12, names: &MONTHS },
    Field { name: "day of the week", min: 0, max: 6, names: &WEEKDAYS },
];

const MACROS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Cron {
    /// Reads an expression; one that names no zone is in `default_zone`.
    pub fn parse(text: &str, default_zone: Tz) -> Result<Self, CronError> {
        let (zone, rest) = match named_zone(text) {
            Some((name, rest)) => {
                let zone =
                    parse_zone(name).map_err(|error| CronError::Zone { text: text.to_owned(), error })?;
                (zone, rest)
            }
            None => (default_zone, text),
        };
        Self::read(text, rest, zone)
    }

    /// Reads an expression in `zone`, whatever zone is written in it.
    pub fn parse_in(text: &str, zone: Tz) -> Result<Self, CronError> {
        Self::read(text, named_zone(text).map_or(text, |(_, rest)| rest), zone)
    }

    fn read(text: &str, rest: &str, zone: Tz) -> Result<Self, CronError> {
        let rest = MACROS.iter().find(|(name, _)| *name == rest.trim()).map_or(rest, |(_, meaning)| meaning);
        let words: Vec<&str> = rest.split_whitespace().collect();
        let wrong = || CronError::Fields { text: text.to_owned(), found: words.len() };
        if words.len() != FIELDS.len() {
            return Err(wrong());
        }
        let fields = FIELDS.iter().zip(&words).map(|(field, word)| field.values(text, word));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let list = |values: &Vec<u32>| values.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let normalised = fields.iter().map(|field| field.as_ref().map_or("*".to_owned(), list));
        let normalised = normalised.collect::<Vec<_>>().join(" ");
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        // What passed the checks above is a plain list of numbers in range, or a star.
        let pattern = parser.parse(&normalised).map_err(|_| wrong())?;
        Ok(Self { text: text.into(), zone, pattern, fields })
    }

    /// As written.
    pub const fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The zone whose clock it goes by.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The first occurrence strictly after `after`; `None` if there is none in the years to come.
    pub fn next(&self, after: Instant) -> Option<Instant> {
        let mut from = after;
        // Where a whole local day is left out croner finds no instant after the gap: look on from behind it.
        for _ in 0..4 {
            let found = self.pattern.find_next_occurrence(&self.local(from)?, false);
            match found {
                Ok(at) => return Some(Instant(at.timestamp_millis())).filter(|at| *at > after),
                Err(_) => from = from + Millis::DAY,
            }
        }
        None
    }

    /// The last occurrence at or before `at`.
    pub fn last(&self, at: Instant) -> Option<Instant> {
        let found = self.pattern.find_previous_occurrence(&self.local(at)?, true).ok()?;
        Some(Instant(found.timestamp_millis())).filter(|last| *last <= at)
    }

    /// Its minutes of the week, Monday 00:00 first; `None` if not every week is the same.
    pub(super) fn minutes_of_week(&self) -> Option<Vec<i64>> {
        let [minutes, hours, None, None, days] = &self.fields[..] else { return None };
        let values =
            |field: &Option<Vec<u32>>, max: u32| field.clone().unwrap_or_else(|| (0..=max).collect());
        let (minutes, hours) = (values(minutes, 59), values(hours, 23));
        let of_day = |day: u32| hours.iter().flat_map(move |hour| minutes_of(day, *hour));
        let mut all: Vec<i64> = values(days, 6).into_iter().flat_map(of_day).collect();
        all.retain(|at| minutes.contains(&u32::try_from(at.rem_euclid(60)).unwrap_or(60)));
        all.sort_unstable();
        Some(all)
    }

    /// The wall clock at the second that `at` lies in; `None` outside the years anybody schedules.
    fn local(&self, at: Instant) -> Option<DateTime<Tz>> {
        const FIRST: i64 = 0;
        const LAST: i64 = 32_503_680_000; // the year 3000
        let seconds = at.0.div_euclid(1_000);
        (FIRST..LAST).contains(&seconds).then(|| self.zone.timestamp_opt(seconds, 0).single()).flatten()
    }
}

/// Every minute of an hour of a day of cron, which begins its week on Sunday.
fn minutes_of(day: u32, hour: u32) -> impl Iterator<Item = i64> {
    let start = i64::from((day + 6) % 7) * 1_440 + i64::from(hour) * 60;
    start..start + 60
}

/// The zone in front of an expression, and the rest.
fn named_zone(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ="))?;
    Some(rest.split_once(' ').unwrap_or((rest, "")))
}

impl Field {
    /// The values that a field allows; `None` if it is a star.
    fn values(&self, text: &str, word: &str) -> Result<Option<Vec<u32>>, CronError> {
        let mut values = Vec::new();
        for part in word.split(',').filter(|part| !part.is_empty()) {
            match self.part(text, part)? {
                None => return Ok(None),
                Some(some) => values.extend(some),
            }
        }
        values.sort_unstable();
        values.dedup();
        if values.is_empty() {
            return Err(CronError::NotANumber { text: text.to_owned(), value: word.to_owned() });
        }
        Ok(Some(values))
    }

    /// The values of one part; `None` if it is a star without a step.
    fn part(&self, text: &str, part: &str) -> Result<Option<Vec<u32>>, CronError> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, self.number(text, step, false)?),
            None => (part, 1),
        };
        let out_of_range = || CronError::Range {
            text: text.to_owned(),
            value: part.to_owned(),
            field: self.name,
            min: self.min,
            max: self.max,
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" || range == "?" => {
                if step == 1 {
                    return Ok(None);
                }
                (self.min, self.max)
            }
            Some((first, last)) => (self.number(text, first, true)?, self.number(text, last, true)?),
            None => {
                let first = self.number(text, range, true)?;
                (first, if part.contains('/') { self.max } else { first })
            }
        };
        if first < self.min || last > self.max || first > last || step == 0 {
            return Err(out_of_range());
        }
        Ok(Some((first..=last).step_by(usize::try_from(step).map_err(|_| out_of_range())?).collect()))
    }

    fn number(&self, text: &str, value: &str, named: bool) -> Result<u32, CronError> {
        let lower = value.to_ascii_lowercase();
        let by_name = self.names.iter().zip(self.min..).find(|(name, _)| named && **name == lower);
        if let Some((_, number)) = by_name {
            return Ok(number);
        }
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| value.parse().ok()).flatten();
        number.ok_or_else(|| CronError::NotANumber { text: text.to_owned(), value: value.to_owned() })
    }
}

/// Edges that put to sleep and edges that wake: asleep while the last edge was one of sleep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CronPair {
    /// When sleep begins.
    pub sleep: Option<Cron>,
    /// When it ends.
    pub wake: Option<Cron>,
}

impl CronPair {
    /// Whether it says sleep at `at`; `None` if no edge was ever, or none of either kind is written. Where both fall
    /// on one instant it wakes.
    pub fn asleep(&self, at: Instant) -> Option<bool> {
        let last = |cron: &Option<Cron>| cron.as_ref().and_then(|cron| cron.last(at));
        match (last(&self.sleep), last(&self.wake)) {
            (None, None) => None,
            (sleep, wake) => Some(sleep > wake),
        }
    }

    /// The next edge of either kind, strictly later.
    pub fn next_edge(&self, after: Instant) -> Option<Instant> {
        [&self.sleep, &self.wake].into_iter().flatten().filter_map(|cron| cron.next(after)).min()
    }
}
