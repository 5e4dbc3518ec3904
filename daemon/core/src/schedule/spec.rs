//! The native grammar of time specs.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;

use super::days::{Days, parse_day};
use super::days_off::DaysOff;
use super::error::{Fault, SpecError};
use super::timetable::{Rule, Timetable};
use super::week::Week;
use super::zone::parse_zone;
use crate::units::{Instant, parse_rfc3339};

const SHAPE: &str = "expected [DAY[-DAY]] HH:MM-HH:MM [ZONE] such as \"Mon-Fri 08:00-20:00 Europe/Berlin\", \
                     always, never, or RFC3339-RFC3339";

/// When something should be so, in the wall clock of its people.
///
/// A list of parts joined by `,`; the spec holds while at least one part does. A part is one of
/// * `[DAY[-DAY]] HH:MM-HH:MM [ZONE]`, e.g. `Mon-Fri 08:00-20:00 Europe/Berlin`, `Sat 10:00-14:00`,
///   `22:00-06:00`. Days are English, in any case, cut to no fewer than three letters; ranges wrap over the end
///   of the week; no days means every day, no zone the default one. The end does not count any more. An end
///   before the start is on the following day, and the range belongs to the day it starts; equal bounds are
///   an empty range; `24:00` is allowed as an end.
/// * `always` or `never`, in any case.
/// * `RFC3339-RFC3339`, blanks around the dash allowed: from the first instant until before the second.
///
/// Ranges follow the wall clock: what a change to summer time skips never comes, what the change back repeats
/// comes twice.
#[derive(Clone, Debug)]
pub struct TimeSpec {
    parts: Vec<Part>,
    table: Timetable,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Always,
    Never,
    Between(Instant, Instant),
    Weekly { days: Days, start: TimeOfDay, end: TimeOfDay, zone: Tz },
}

/// Minutes since midnight, 24:00 included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct TimeOfDay(i64);

impl TimeSpec {
    /// Reads a spec; parts that name no zone are in `default_zone`.
    pub fn parse(text: &str, default_zone: Tz) -> Result<Self, SpecError> {
        if text.trim().is_empty() {
            return Err(SpecError::new(text, text, Fault::Empty(SHAPE)));
        }
        let parts = text
            .split(',')
            .map(|part| parse_part(text, part.trim(), default_zone))
            .collect::<Result<Vec<_>, _>>()?;
        let table = parts.iter().map(Part::rule).collect();
        Ok(Self { parts, table })
    }

    /// Whether it holds at an instant.
    pub fn holds(&self, at: Instant) -> bool {
        self.table.holds(at)
    }

    /// The first instant strictly after `after` at which [`Self::holds`] is not what it is at `after`; none if
    /// it stays like that for ever.
    pub fn next_change(&self, after: Instant) -> Option<Instant> {
        self.table.next_change(after)
    }

    /// Whether it holds at an instant that is on no day off. A weekly range is cut by the days of its own zone, all else
    /// by those of the days off.
    pub fn holds_except(&self, off: &DaysOff, at: Instant) -> bool {
        self.table.holds_except(off, at)
    }

    /// The first instant strictly after `after` at which [`Self::holds_except`] is not what it is at `after`.
    pub fn next_change_except(&self, off: &DaysOff, after: Instant) -> Option<Instant> {
        self.table.next_change_except(off, after)
    }
}

/// Two specs are equal if they are written alike, apart from spelling and from zones left out.
impl PartialEq for TimeSpec {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for TimeSpec {}

/// Writes the spec with every zone named, so that it reads the same whatever the default zone is.
impl fmt::Display for TimeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{part}")?;
        }
        Ok(())
    }
}

impl Part {
    fn rule(&self) -> Rule {
        match *self {
            Self::Always => Rule::Always,
            Self::Never => Rule::Never,
            Self::Between(start, end) => Rule::Span(start.0, end.0),
            Self::Weekly { days, start, end, zone } => {
                Rule::Weekly(zone, Week::from_start_days(days, start.0, end.0))
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
            Self::Between(start, end) => write!(f, "{start}-{end}"),
            Self::Weekly { days, start, end, zone } => {
                if *days != Days::EVERY {
                    write!(f, "{days} ")?;
                }
                write!(f, "{start}-{end} {}", zone.name())
            }
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let (hour, minute) = text.split_once(':').ok_or(Fault::Time)?;
        let minutes = two_digits(hour).zip(two_digits(minute)).filter(|(_, minute)| *minute < 60);
        let minutes = minutes.map(|(hour, minute)| hour * 60 + minute).filter(|minutes| *minutes <= 1_440);
        minutes.map(Self).ok_or(Fault::Time)
    }
}

/// A number of exactly two digits.
pub(super) fn two_digits(text: &str) -> Option<i64> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Reads one part of the list `whole`.
fn parse_part(whole: &str, part: &str, default_zone: Tz) -> Result<Part, SpecError> {
    let fail = |value: &str, fault| SpecError::new(part, value, fault);
    if part.is_empty() {
        return Err(SpecError::new(whole, part, Fault::Empty("remove a comma, or write what is missing")));
    }
    if part.eq_ignore_ascii_case("always") {
        return Ok(Part::Always);
    }
    if part.eq_ignore_ascii_case("never") {
        return Ok(Part::Never);
    }
    if looks_like_a_date(part) {
        return parse_between(part);
    }
    let words: Vec<&str> = part.split_whitespace().collect();
    let is_time = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    let (days, times, zone) = match *words.as_slice() {
        [times] if is_time(times) => (None, times, None),
        [times, zone] if is_time(times) => (None, times, Some(zone)),
        [days, times] => (Some(days), times, None),
        [days, times, zone] if !is_time(days) => (Some(days), times, Some(zone)),
        _ => return Err(fail(part, Fault::Shape(SHAPE))),
    };
    let days = days.map_or(Ok(Days::EVERY), |days| parse_days(part, days))?;
    let Some((start, end)) = times.split_once('-') else { return Err(fail(part, Fault::Shape(SHAPE))) };
    let start = start.parse().map_err(|fault| fail(start, fault))?;
    let end = end.parse().map_err(|fault| fail(end, fault))?;
    if start == TimeOfDay(1_440) {
        return Err(fail("24:00", Fault::StartsAt24));
    }
    let zone =
        zone.map_or(Ok(default_zone), |zone| parse_zone(zone).map_err(|error| fail(zone, error.into())))?;
    Ok(Part::Weekly { days, start, end, zone })
}

fn parse_days(part: &str, text: &str) -> Result<Days, SpecError> {
    let day = |text| {
        let fault = Fault::Day("use Mon, Tue, Wed, Thu, Fri, Sat or Sun, or a range such as Mon-Fri");
        parse_day(text).ok_or_else(|| SpecError::new(part, text, fault))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Ok(Days::new(day(first)?, day(last)?))
}

/// Whether a part begins like `2026-03-`, so that what is wrong in it can be said in terms of instants.
fn looks_like_a_date(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-') && bytes.iter().take(4).all(u8::is_ascii_digit)
}

/// Reads `RFC3339-RFC3339`. Dates and offsets have dashes too: the one between them is the one that has an
/// instant on either side.
fn parse_between(part: &str) -> Result<Part, SpecError> {
    const EXAMPLE: &str = "2026-03-01T08:00:00+01:00, with an offset or Z, on both sides of one dash";
    let bounds = part.match_indices('-').find_map(|(dash, _)| {
        let (start, end) = part.split_at(dash);
        instant(start).zip(instant(end.get(1..)?))
    });
    match bounds {
        None => Err(SpecError::new(part, part, Fault::Instant(EXAMPLE))),
        Some((start, end)) if end < start => Err(SpecError::new(part, part, Fault::Reversed)),
        Some((start, end)) => Ok(Part::Between(start, end)),
    }
}

/// An RFC 3339 instant that can be written again with a year of four digits.
fn instant(text: &str) -> Option<Instant> {
    const YEAR_0: Instant = Instant(-62_167_219_200_000);
    const YEAR_10000: Instant = Instant(253_402_300_800_000);
    parse_rfc3339(text).filter(|at| (YEAR_0..YEAR_10000).contains(at))
}
