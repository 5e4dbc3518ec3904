//! The time spans of `GoKubeDownscaler`, the successor of py-kube-downscaler with the same annotations.
//!
//! A list of spans, read as a whole, each of them one of
//! * `always`, `true`, `never` or `false`, in any case.
//! * `[Mon-Fri] 07:30-20:30 [Europe/Berlin]`: two days of three letters in any case (one day is `Mon-Mon`), two
//!   digits each up to 24:59, any blanks. The day is the one of **now**: `Mon-Fri 20:00-08:00` begins on Monday
//!   at 00:00 and ends on Friday at 24:00. Missing days or a missing zone come from the defaults; without those
//!   the span is an error when it is reached, see [`ForeignSpec`]. The zone `Local`, which that tool takes for
//!   the one of its machine, is refused.
//! * `RFC3339 - RFC3339`, blanks around the dash allowed; the end does not count.
//! * `from RFC3339` and `until RFC3339` in lower case, with an optional blank or dash between.

use chrono_tz::Tz;

use super::super::days::{Days, parse_short_day};
use super::super::error::{Fault, SpecError};
use super::super::spec::two_digits;
use super::super::timetable::Rule;
use super::super::week::Week;
use super::super::zone::parse_zone;
use super::timestamp::{self, Reading};
use super::{CheckOptions, ForeignSpec};
use crate::units::Instant;

const SHAPE: &str = "GoKubeDownscaler expects \"[Mon-Fri] 07:30-20:30 [Europe/Berlin]\", \"RFC3339 - RFC3339\", \
                     \"from RFC3339\", \"until RFC3339\", always or never";
const EXAMPLE: &str = "2024-07-01T12:00:00Z";
const DAYS: &str = "use Mon, Tue, Wed, Thu, Fri, Sat or Sun, one day as Mon-Mon";

/// Reads a spec; a bad span anywhere in the list is an error, a missing default only when it is reached.
pub fn parse(text: &str, options: &CheckOptions) -> Result<ForeignSpec, SpecError> {
    let defaults = Defaults::parse(options)?;
    let spans = text.split(',').map(|part| parse_span(part.trim())).collect::<Result<Vec<_>, _>>()?;
    Ok(ForeignSpec::from_parts(spans.into_iter().map(|span| span.rule(&defaults))))
}

/// What stands in for what a span leaves out.
struct Defaults {
    zone: Option<Tz>,
    days: Option<Days>,
}

impl Defaults {
    fn parse(options: &CheckOptions) -> Result<Self, SpecError> {
        let zone = options.timezone().map(|text| location(text, text)).transpose()?;
        let days = options.weekframe().map(|text| days(text, text)).transpose()?;
        Ok(Self { zone, days })
    }
}

/// A span as written.
enum Span<'a> {
    Fixed(Rule),
    Relative { text: &'a str, days: Option<Days>, start: i64, end: i64, zone: Option<Tz> },
}

impl Span<'_> {
    fn rule(self, defaults: &Defaults) -> Result<Rule, SpecError> {
        match self {
            Self::Fixed(rule) => Ok(rule),
            Self::Relative { text, days, start, end, zone } => {
                let missing = |fault| SpecError::new(text, text, fault);
                let zone = zone.or(defaults.zone).ok_or_else(|| missing(Fault::NoZone))?;
                let days = days.or(defaults.days).ok_or_else(|| missing(Fault::NoDays))?;
                Ok(Rule::Weekly(zone, week(days, start, end)))
            }
        }
    }
}

/// The times of each day on its own: an overnight range is that day's morning and that day's evening.
fn week(days: Days, start: i64, end: i64) -> Week {
    if start <= end {
        Week::within_days(days, start, end)
    } else {
        Week::within_days(days, 0, end).union(Week::within_days(days, start, 1_440))
    }
}

fn parse_span(text: &str) -> Result<Span<'_>, SpecError> {
    match text.to_lowercase().as_str() {
        "always" | "true" => return Ok(Span::Fixed(Rule::Always)),
        "never" | "false" => return Ok(Span::Fixed(Rule::Never)),
        _ => {}
    }
    if let Some((start, end)) = absolute(text) {
        return Ok(Span::Fixed(Rule::Span(start.0, end.0)));
    }
    if let Some(rest) = text.strip_prefix("from") {
        return directional(text, rest).map(|at| Span::Fixed(Rule::Span(at.0, i64::MAX)));
    }
    if let Some(rest) = text.strip_prefix("until") {
        return directional(text, rest).map(|at| Span::Fixed(Rule::Span(i64::MIN, at.0)));
    }
    relative(text)
}

/// The two instants around a dash with any blanks.
fn absolute(text: &str) -> Option<(Instant, Instant)> {
    text.match_indices('-').find_map(|(dash, _)| {
        let (start, end) = text.split_at(dash);
        let start = timestamp::parse(start.trim_end_matches(' '), Reading::Go)?;
        Some((start, timestamp::parse(end.get(1..)?.trim(), Reading::Go)?))
    })
}

fn directional(text: &str, rest: &str) -> Result<Instant, SpecError> {
    let rest = rest.trim();
    let value = rest.strip_prefix('-').unwrap_or(rest).trim();
    timestamp::parse(value, Reading::Go).ok_or_else(|| SpecError::new(text, value, Fault::Instant(EXAMPLE)))
}

fn relative(text: &str) -> Result<Span<'_>, SpecError> {
    let shape = || SpecError::new(text, text, Fault::Shape(SHAPE));
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c');
    let words: Vec<&str> = text.split(is_blank).filter(|word| !word.is_empty()).collect();
    let (frame, times, zone) = match words[..] {
        [times] => (None, times, None),
        [frame, times] if times.contains(':') => (Some(frame), times, None),
        [times, zone] => (None, times, Some(zone)),
        [frame, times, zone] => (Some(frame), times, Some(zone)),
        _ => return Err(shape()),
    };
    let frame = frame.map(|frame| days(text, frame)).transpose()?;
    let (start, end) = times.split_once('-').ok_or_else(shape)?;
    let time = |value: &str| minutes(value).ok_or_else(|| SpecError::new(text, value, Fault::Time));
    let (start, end) = (time(start)?, time(end)?);
    let zone = zone.map(|zone| location(text, zone)).transpose()?;
    Ok(Span::Relative { text, days: frame, start, end, zone })
}

fn days(part: &str, text: &str) -> Result<Days, SpecError> {
    let day =
        |value: &str| parse_short_day(value).ok_or_else(|| SpecError::new(part, value, Fault::Day(DAYS)));
    let (first, last) = text.split_once('-').ok_or_else(|| SpecError::new(part, text, Fault::Day(DAYS)))?;
    Ok(Days::new(day(first)?, day(last)?))
}

/// `HH:MM` in minutes since midnight; this tool lets 24:59 pass.
fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
}

fn location(part: &str, name: &str) -> Result<Tz, SpecError> {
    if name == "Local" {
        return Err(SpecError::new(part, name, Fault::LocalZone));
    }
    parse_zone(name).map_err(|error| SpecError::new(part, name, error.into()))
}
