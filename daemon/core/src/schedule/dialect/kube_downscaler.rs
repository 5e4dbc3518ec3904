//! The time specs of py-kube-downscaler, whose `downscaler/*` annotations hold them.
//!
//! * `always` or `never`, in any case, as the whole spec; else a list.
//! * `Mon-Fri 07:30-20:30 Europe/Berlin`: two days of three letters in any case (one day is `Mon-Mon`), single
//!   blanks, two digits each (25:00 and 07:60 pass), a zone of letters, `/` and `_` only, in any case. It holds
//!   from the first minute until before the last of the same day: an overnight range never holds.
//! * A missing zone or missing days are filled in as text from the defaults, without which they are an error.
//! * `2026-02-01T00:00:00+00:00-2026-02-02T00:00:00+00:00`: no blanks, no `Z`; the end **counts**.
//! * A part that is wrong is an error only when it is reached, see [`ForeignSpec`].

use chrono_tz::Tz;

use super::super::days::{Days, parse_short_day};
use super::super::error::{Fault, SpecError};
use super::super::spec::two_digits;
use super::super::timetable::Rule;
use super::super::week::Week;
use super::super::zone::{ZoneError, zone_in_any_case};
use super::timestamp::{self, Reading};
use super::{CheckOptions, ForeignSpec};

const SHAPE: &str = "kube-downscaler expects \"Mon-Fri 06:30-20:30 Europe/Berlin\" (zone of letters, / and _) or \
                     \"2019-01-01T00:00:00+00:00-2019-01-02T12:34:56+00:00\", or always or never as the whole spec";

/// Length of `2019-01-01T00:00:00+00:00`.
const INSTANT_LENGTH: usize = 25;

/// Reads a spec; what is wrong in it is told by [`ForeignSpec::holds`] at the instants at which it matters.
pub fn parse(text: &str, options: &CheckOptions) -> ForeignSpec {
    match text.to_lowercase().as_str() {
        "always" => ForeignSpec::from_parts(std::iter::once(Ok(Rule::Always))),
        "never" => ForeignSpec::from_parts(std::iter::once(Ok(Rule::Never))),
        _ => ForeignSpec::from_parts(text.split(',').map(|part| parse_part(part.trim(), options))),
    }
}

fn parse_part(part: &str, options: &CheckOptions) -> Result<Rule, SpecError> {
    let fail = |value: &str, fault| SpecError::new(part, value, fault);
    if let Some((start, end)) = absolute(part) {
        let read = |text| {
            let fault = Fault::Instant("2019-01-01T00:00:00+00:00");
            timestamp::parse(text, Reading::Python).ok_or_else(|| fail(text, fault))
        };
        // The end is the last instant that counts.
        return Ok(Rule::Span(read(start)?.0, read(end)?.0.saturating_add(1)));
    }
    let mut filled = part.to_owned();
    if ends_in_two_digits(part) {
        let zone = options.timezone().ok_or_else(|| fail(part, Fault::NoZone))?;
        filled = format!("{filled} {zone}");
    }
    if matches!(filled.split(' ').collect::<Vec<_>>()[..], [times, zone] if is_times(times) && is_zone(zone))
    {
        let days = options.weekframe().ok_or_else(|| fail(part, Fault::NoDays))?;
        filled = format!("{days} {filled}");
    }
    let shape = || fail(&filled, Fault::Shape(SHAPE));
    let (days, times, zone) = match filled.split(' ').collect::<Vec<_>>()[..] {
        [days, times, zone] if is_days(days) && is_zone(zone) => (days, times, zone),
        _ => return Err(shape()),
    };
    let (start, end) = minutes(times).ok_or_else(shape)?;
    let zone = parse_zone(zone).map_err(|fault| fail(zone, fault))?;
    let day = |text: &str| {
        parse_short_day(text).ok_or_else(|| fail(text, Fault::Day("use Mon, Tue, Wed, Thu, Fri, Sat or Sun")))
    };
    let (first, last) = days.split_once('-').ok_or_else(shape)?;
    Ok(Rule::Weekly(zone, Week::within_days(Days::new(day(first)?, day(last)?), start, end)))
}

/// The two instants of a part that has the form of an absolute range.
fn absolute(part: &str) -> Option<(&str, &str)> {
    let (start, rest) = part.split_at_checked(INSTANT_LENGTH)?;
    let end = rest.strip_prefix('-')?;
    (is_instant(start) && is_instant(end)).then_some((start, end))
}

fn is_instant(text: &str) -> bool {
    const FORM: &str = "dddd-dd-ddTdd:dd:dd+dd:dd";
    text.len() == FORM.len()
        && text.bytes().zip(FORM.bytes()).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            b'+' => byte == b'+' || byte == b'-',
            literal => byte == literal,
        })
}

/// How this tool recognises that the zone was left out.
fn ends_in_two_digits(part: &str) -> bool {
    !part.contains('\n') && part.len() >= 2 && part.bytes().rev().take(2).all(|byte| byte.is_ascii_digit())
}

fn is_days(text: &str) -> bool {
    let three_letters = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    text.split_once('-').is_some_and(|(first, last)| three_letters(first) && three_letters(last))
}

fn is_times(text: &str) -> bool {
    minutes(text).is_some()
}

fn is_zone(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'/' || byte == b'_')
}

/// `HH:MM-HH:MM` in minutes since midnight, any two digits each.
fn minutes(text: &str) -> Option<(i64, i64)> {
    let time = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        Some(two_digits(hour)? * 60 + two_digits(minute)?)
    };
    let (start, end) = text.split_once('-')?;
    Some((time(start)?, time(end)?))
}

/// This tool's zones have no case.
fn parse_zone(name: &str) -> Result<Tz, Fault> {
    zone_in_any_case(name).ok_or_else(|| ZoneError { name: name.to_owned(), suggestion: None }.into())
}
