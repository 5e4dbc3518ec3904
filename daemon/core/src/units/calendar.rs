//! Days, weeks, months and so on as the reader's calendar has them: 23 or 25 hours long where clocks are changed.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::{GapInfo, Tz};
use thiserror::Error;

use super::{DurationError, Instant, Millis, Window, parse_duration};

/// A unit of the calendar. Weeks begin on Sunday, as in the windows `week` and `lastweek`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Period {
    /// An hour, of UTC: so it is never cut by one of the ledger.
    Hour,
    /// A local day.
    Day,
    /// Seven local days from a Sunday on.
    Week,
    /// A local month.
    Month,
    /// Three local months from January, April, July or October on.
    Quarter,
    /// A local year.
    Year,
}

/// How a window is cut into steps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// From the window's begin on, all of one length.
    Every(Millis),
    /// At the edges of the calendar; the first and the last step may be shorter.
    Calendar(Period),
}

/// Why a text is no step.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum StepError {
    /// Neither a period nor a duration.
    #[error("{0}; or a step by the calendar: hour, day, week, month, quarter or year")]
    Unknown(#[from] DurationError),
    /// No time at all.
    #[error("the step {0:?} has to be longer than nothing")]
    Empty(String),
}

impl Period {
    const NAMES: [(&'static str, Self); 6] = [
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("year", Self::Year),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, period)| *period == self).map_or("", |(name, _)| name)
    }

    /// From a name, in any case.
    pub fn from_name(text: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|&(_, period)| period)
    }

    /// The shortest it can be: for bounds.
    const fn shortest(self) -> Millis {
        match self {
            Self::Hour => Millis::HOUR,
            Self::Day => Millis::from_hours(23),
            Self::Week => Millis::from_hours(7 * 24 - 1),
            Self::Month => Millis::from_hours(28 * 24 - 1),
            Self::Quarter => Millis::from_hours(90 * 24 - 1),
            Self::Year => Millis::from_hours(365 * 24),
        }
    }

    /// The first instant of the period that `at` lies in; `None` beyond the calendar.
    pub fn start_of(self, at: Instant, zone: Tz) -> Option<Instant> {
        if self == Self::Hour {
            return Some(at.hour());
        }
        Some(midnight(self.first_day(local_date(at, zone)?)?, zone))
    }

    /// The first instant of the next period; `None` beyond the calendar.
    fn end_of(self, at: Instant, zone: Tz) -> Option<Instant> {
        if self == Self::Hour {
            return Some(at.hour() + Millis::HOUR);
        }
        let next = self.next_day(self.first_day(local_date(at, zone)?)?)?;
        Some(midnight(next, zone))
    }

    fn first_day(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Hour | Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_sunday().into())),
            Self::Month => day.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        }
    }

    /// The first day of the period after the one that begins on `first`.
    pub(super) fn next_day(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Hour | Self::Day => first.succ_opt(),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Quarter => first.checked_add_months(Months::new(3)),
            Self::Year => first.checked_add_months(Months::new(12)),
        }
    }

    /// The period that `today` lies in and the one before, by their first days.
    pub(super) fn this_and_last(self, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let this = self.first_day(today)?;
        Some((this, self.first_day(this.pred_opt()?)?))
    }
}

impl Step {
    /// Reads `day`, `month` and so on, or a duration such as `1h30m`.
    pub fn parse(text: &str) -> Result<Self, StepError> {
        if let Some(period) = Period::from_name(text.trim()) {
            return Ok(Self::Calendar(period));
        }
        let length = parse_duration(text)?;
        if length.0 > 0 { Ok(Self::Every(length)) } else { Err(StepError::Empty(text.to_owned())) }
    }

    /// How long most steps are, to tell it.
    pub const fn length(self) -> Millis {
        match self {
            Self::Every(length) => length,
            Self::Calendar(Period::Hour) => Millis::HOUR,
            Self::Calendar(Period::Day) => Millis::DAY,
            Self::Calendar(Period::Week) => Millis(7 * Millis::DAY.0),
            Self::Calendar(Period::Month) => Millis(30 * Millis::DAY.0),
            Self::Calendar(Period::Quarter) => Millis(91 * Millis::DAY.0),
            Self::Calendar(Period::Year) => Millis(365 * Millis::DAY.0),
        }
    }

    /// No more steps than this are in `window`.
    pub const fn at_most(self, window: Window) -> i64 {
        let step = match self {
            Self::Every(length) => length.0,
            Self::Calendar(period) => period.shortest().0,
        };
        if step > 0 { window.length().0 / step + 2 } else { 1 }
    }

    /// The steps of a window: they cover it without gap or overlap. An empty window is one empty step.
    pub fn cut(self, window: Window, zone: Tz) -> Vec<Window> {
        if window.is_empty() {
            return vec![window];
        }
        match self {
            Self::Every(length) => window.steps(length).collect(),
            Self::Calendar(period) => {
                let mut steps = Vec::new();
                let mut start = window.start;
                while start < window.end {
                    // Some days do not exist, and beyond the calendar there are none: never stand still.
                    let end = period.end_of(start, zone).filter(|end| *end > start).unwrap_or(window.end);
                    let step = Window::new(start, end.min(window.end));
                    start = step.end;
                    steps.push(step);
                }
                steps
            }
        }
    }
}

impl FromStr for Step {
    type Err = StepError;
    fn from_str(text: &str) -> Result<Self, StepError> {
        Self::parse(text)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(length) => f.write_str(&super::format_duration(*length)),
            Self::Calendar(period) => f.write_str(period.name()),
        }
    }
}

fn local_date(at: Instant, zone: Tz) -> Option<NaiveDate> {
    let utc = DateTime::from_timestamp_millis(at.0)?;
    Some(utc.with_timezone(&zone).date_naive())
}

/// The first instant of a local day. Where clocks are put forward at midnight that is the moment after.
pub(crate) fn midnight(date: NaiveDate, zone: Tz) -> Instant {
    local_instant(date.and_time(chrono::NaiveTime::MIN), zone)
}

/// The instant at which a zone's clock first shows a time; where it skips it, the moment after the gap.
pub(crate) fn local_instant(local: NaiveDateTime, zone: Tz) -> Instant {
    let instant = |at: DateTime<Tz>| Instant(at.timestamp_millis());
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => instant(at),
        LocalResult::None => {
            let after_gap = GapInfo::new(&local, &zone).and_then(|gap| gap.end);
            after_gap.map_or_else(|| Instant(local.and_utc().timestamp_millis()), instant)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::parse_rfc3339;
    use proptest::prelude::*;

    fn cut(step: &str, from: &str, to: &str, zone: Tz) -> Vec<String> {
        let window = Window::new(parse_rfc3339(from).unwrap(), parse_rfc3339(to).unwrap());
        let steps = Step::parse(step).unwrap().cut(window, zone);
        let mut edges: Vec<String> = steps.iter().map(|step| step.start.to_rfc3339()).collect();
        edges.push(steps[steps.len() - 1].end.to_rfc3339());
        edges
    }

    #[test]
    fn days_follow_the_readers_clock() {
        assert_eq!(
            cut("day", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", Tz::Europe__Berlin),
            ["2026-03-28T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T12:00:00Z"]
        );
        assert_eq!(
            cut("Week", "2026-03-06T00:00:00Z", "2026-03-16T00:00:00Z", Tz::UTC),
            ["2026-03-06T00:00:00Z", "2026-03-08T00:00:00Z", "2026-03-15T00:00:00Z", "2026-03-16T00:00:00Z"]
        );
        assert_eq!(
            cut("month", "2026-01-15T00:00:00Z", "2026-03-02T00:00:00Z", Tz::America__New_York),
            ["2026-01-15T00:00:00Z", "2026-02-01T05:00:00Z", "2026-03-01T05:00:00Z", "2026-03-02T00:00:00Z"]
        );
        assert_eq!(
            cut("quarter", "2025-11-15T00:00:00Z", "2026-07-02T00:00:00Z", Tz::UTC),
            [
                "2025-11-15T00:00:00Z",
                "2026-01-01T00:00:00Z",
                "2026-04-01T00:00:00Z",
                "2026-07-01T00:00:00Z",
                "2026-07-02T00:00:00Z"
            ]
        );
        assert_eq!(
            cut("hour", "2026-03-01T00:30:00Z", "2026-03-01T02:00:00Z", Tz::Asia__Kolkata),
            ["2026-03-01T00:30:00Z", "2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z"]
        );
        assert_eq!(
            cut("90m", "2026-03-01T00:30:00Z", "2026-03-01T03:00:00Z", Tz::UTC),
            ["2026-03-01T00:30:00Z", "2026-03-01T02:00:00Z", "2026-03-01T03:00:00Z"]
        );
    }

    #[test]
    fn what_is_no_step_is_named() {
        let error = |text| Step::parse(text).map_err(|error| error.to_string());
        assert_eq!(error("0s"), Err("the step \"0s\" has to be longer than nothing".to_owned()));
        assert_eq!(
            error("often"),
            Err("\"often\" is no duration: write whole numbers with w, d, h, m, s or ms, longest first, e.g. 90s or 1h30m; or a step by the calendar: hour, day, week, month, quarter or year".to_owned())
        );
    }

    proptest! {
        #[test]
        fn steps_cover_every_window(
            start in -1_000_000_000_000i64..4_000_000_000_000,
            days in 0i64..800,
            ms in 0i64..86_400_000,
            period in prop::sample::select(vec![Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year]),
            zone in prop::sample::select(vec![Tz::UTC, Tz::Europe__Berlin, Tz::Pacific__Apia, Tz::Africa__Cairo]),
        ) {
            let window = Window::new(Instant(start), Instant(start + days * 86_400_000 + ms));
            let steps = Step::Calendar(period).cut(window, zone);
            prop_assert_eq!((steps[0].start, steps[steps.len() - 1].end), (window.start, window.end));
            prop_assert!(steps.windows(2).all(|pair| pair[0].end == pair[1].start && !pair[0].is_empty()));
            prop_assert!(i64::try_from(steps.len()).unwrap() <= Step::Calendar(period).at_most(window) + 1);
            for edge in &steps[1..] {
                prop_assert_eq!(period.start_of(edge.start, zone), Some(edge.start));
            }
        }
    }
}
