//! One event of an iCalendar file, and the days it is on.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone};
use rrule::{Frequency, RRule, Tz, Unvalidated};

use super::CalendarError;
use super::content_line::ContentLine;

/// Up to here what repeats is written out: no zone's rules are known for later.
const LAST_YEAR: i32 = 2100;
/// A holiday that is longer is a typing error.
const MOST_DAYS: u64 = 366;

/// An event, as far as it matters.
#[derive(Default, Debug)]
pub(super) struct Event {
    /// Where it begins.
    pub(super) line: usize,
    pub(super) uid: Option<String>,
    /// The occurrence of the event with the same UID that this one stands for.
    pub(super) replaces: Option<NaiveDate>,
    name: Arc<str>,
    start: Option<NaiveDate>,
    /// It begins at a time of the day: no holiday.
    timed: bool,
    end: Option<NaiveDate>,
    length: Option<u64>,
    rules: Vec<(usize, RRule<Unvalidated>)>,
    added: Vec<NaiveDate>,
    excluded: BTreeSet<NaiveDate>,
    cancelled: bool,
}

impl Event {
    /// One of which nothing is known yet.
    pub(super) fn begun(line: usize) -> Self {
        Self { line, ..Self::default() }
    }

    /// Takes a property in.
    pub(super) fn take(&mut self, property: &ContentLine) -> Result<(), CalendarError> {
        let ContentLine { number, name, value } = property;
        self.read(*number, name, value).map_err(|problem| CalendarError::new(*number, problem))
    }

    fn read(&mut self, line: usize, name: &str, value: &str) -> Result<(), String> {
        match name {
            "UID" => self.uid = Some(value.to_owned()),
            "SUMMARY" => self.name = unescaped(value).into(),
            "STATUS" => self.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            "DTSTART" => {
                self.start = Some(date(value)?);
                self.timed = value.contains('T');
            }
            "DTEND" => self.end = Some(date(value)?),
            "DURATION" if !self.timed => self.length = whole_days(value),
            "RRULE" => self.rules.push((line, rule(value)?)),
            "RDATE" => self.added.extend(dates(value)?),
            "EXDATE" => self.excluded.extend(dates(value)?),
            "RECURRENCE-ID" => self.replaces = Some(date(value)?),
            _ => {}
        }
        Ok(())
    }

    /// The days it is on, by name. `replaced` are those of its occurrences for which other events stand.
    pub(super) fn days(
        &self,
        replaced: &BTreeSet<NaiveDate>,
    ) -> Result<Vec<(NaiveDate, Arc<str>)>, CalendarError> {
        let fail = |problem: String| Err(CalendarError::new(self.line, problem));
        let Some(start) = self.start else { return fail("the event has no DTSTART".to_owned()) };
        if self.timed || self.cancelled {
            return Ok(Vec::new());
        }
        let length = match (self.end, self.length) {
            // Some programs write the same day for one day.
            (Some(end), _) => u64::try_from((end - start).num_days()).map(|days| days.max(1)).ok(),
            (None, length) => Some(length.unwrap_or(1)),
        };
        let Some(length) = length.filter(|length| (1..=MOST_DAYS).contains(length)) else {
            return fail(format!("the event ends before it begins, or lasts more than {MOST_DAYS} days"));
        };
        let mut starts = BTreeSet::from([start]);
        for (line, rule) in &self.rules {
            starts.extend(repeated(rule, start).map_err(|problem| CalendarError::new(*line, problem))?);
        }
        starts.extend(&self.added);
        let kept = starts.into_iter().filter(|day| !self.excluded.contains(day) && !replaced.contains(day));
        let days =
            kept.flat_map(|first| (0..length).filter_map(move |n| first.checked_add_days(Days::new(n))));
        Ok(days.map(|day| (day, Arc::clone(&self.name))).collect())
    }
}

/// Every start that a rule gives.
fn repeated(rule: &RRule<Unvalidated>, start: NaiveDate) -> Result<Vec<NaiveDate>, String> {
    let end = NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31).map(at_midnight);
    let set = rule
        .clone()
        .build(at_midnight(start))
        .map_err(|error| format!("the rule cannot be used: {error}"))?;
    let set = end.into_iter().fold(set, rrule::RRuleSet::before);
    Ok(set.all(u16::MAX).dates.into_iter().map(|at| at.date_naive()).collect())
}

fn at_midnight(day: NaiveDate) -> DateTime<Tz> {
    Tz::UTC.from_utc_datetime(&day.and_time(NaiveTime::MIN))
}

fn rule(value: &str) -> Result<RRule<Unvalidated>, String> {
    // The end of what lasts whole days is a date: here its midnight, as the starts are midnights.
    let part = |part: &str| match part.split_once('=') {
        Some((key, until)) if key.eq_ignore_ascii_case("UNTIL") => {
            format!("UNTIL={}T000000Z", until.get(..8).unwrap_or(until))
        }
        _ => part.to_owned(),
    };
    let whole = value.split(';').map(part).collect::<Vec<_>>().join(";");
    let rule: RRule<Unvalidated> =
        whole.parse().map_err(|error| format!("{value:?} is no rule of repetition: {error}"))?;
    match rule.get_freq() {
        Frequency::Yearly | Frequency::Monthly | Frequency::Weekly | Frequency::Daily => Ok(rule),
        _ => Err(format!("{value:?} repeats within a day: use YEARLY, MONTHLY, WEEKLY or DAILY")),
    }
}

fn dates(value: &str) -> Result<Vec<NaiveDate>, String> {
    value.split(',').map(date).collect()
}

/// `YYYYMMDD`, with or without a time behind it.
fn date(value: &str) -> Result<NaiveDate, String> {
    let value = value.trim();
    let (day, time) = value.split_at_checked(8).unwrap_or((value, ""));
    let is_shaped =
        day.bytes().all(|byte| byte.is_ascii_digit()) && (time.is_empty() || time.starts_with('T'));
    NaiveDate::parse_from_str(day, "%Y%m%d")
        .ok()
        .filter(|_| is_shaped)
        .ok_or_else(|| format!("{value:?} is no date: expected YYYYMMDD"))
}

/// `P3D` or `P1W`; nothing for a length that is no whole number of days, as it is not a holiday's.
fn whole_days(value: &str) -> Option<u64> {
    let text = value.strip_prefix('+').unwrap_or(value).strip_prefix('P')?;
    let (number, times) =
        text.strip_suffix('D').map(|n| (n, 1)).or_else(|| Some((text.strip_suffix('W')?, 7)))?;
    number.parse::<u64>().ok().map(|number| number.saturating_mul(times))
}

fn unescaped(text: &str) -> String {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => plain.push(' '),
                Some(other) => plain.push(other),
                None => {}
            },
            (char, false) => plain.push(char),
        }
    }
    plain
}
