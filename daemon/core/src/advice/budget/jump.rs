//! Whether the last hour or day cost far more than such an hour or day does: a Monday after a weekend is no jump.

use chrono_tz::Tz;

use super::norm::{SIGMA_PER_MAD, median};
use super::period::{day_around, day_before, hour_of_week, weeks_before};
use super::{BudgetBook, BudgetSpec};
use crate::units::{Millis, PicoUsd, Window};

/// So many robust standard deviations above the norm are a jump, in tenths.
const JUMP: i64 = 35;
/// Fewer than this many past ones are no norm.
const FEWEST: usize = 3;
/// Below this share of the norm, in percent, a difference is noise, however even the past was.
const NOISE: i128 = 10;
/// Below this share of what the amount allows for the time, in percent, nobody needs to know.
const WORTH: i128 = 25;
/// Weeks that are looked back.
const WEEKS: u64 = 8;

/// What jumped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JumpSpan {
    /// The last closed hour.
    Hour,
    /// The last full local day.
    Day,
}

impl JumpSpan {
    /// `hour` or `day`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// An hour or a day that cost far more than such ones do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Jump {
    /// What jumped.
    pub span: JumpSpan,
    /// When it was.
    pub window: Window,
    /// What it cost.
    pub cost: PicoUsd,
    /// What it costs usually: the median of the same hour, or weekday, of the weeks before.
    pub norm: PicoUsd,
    /// How far above that is, in tenths of a robust standard deviation; at most 9,999.
    pub score_tenths: i64,
}

/// The jump of the last full day, else of the last closed hour.
pub(super) fn find(book: &BudgetBook, spec: &BudgetSpec, period: Window, zone: Tz) -> Option<Jump> {
    let last = book.last()?;
    // The day that has ended with the last closed hour, or before it.
    let end = last.next_hour();
    let day = if day_around(last, zone).end == end { day_around(last, zone) } else { day_before(last, zone) };
    let before = (1..=WEEKS).map(|weeks| weeks_before(day, weeks, zone));
    let days: Vec<i128> = before.filter_map(|day| book.complete(day)).map(|cost| cost.0).collect();
    let allowed = |window: Window| {
        let of_period = i128::from(period.length().0.max(1));
        spec.amount.0 * i128::from(window.length().0) / of_period
    };
    let of_day = book.complete(day).and_then(|cost| judge(JumpSpan::Day, day, cost, days, allowed(day)));
    of_day.or_else(|| {
        let hour = Window::new(last, end);
        let cost = book.complete(hour)?;
        let past = Window::new(last - Millis::from_hours(super::HOURS_KEPT), last);
        let slot = hour_of_week(last, zone);
        let same = book.whole_hours(past).filter(|other| hour_of_week(other.start, zone) == slot);
        judge(JumpSpan::Hour, hour, cost, same.map(|other| other.whole.0).collect(), allowed(hour))
    })
}

fn judge(span: JumpSpan, window: Window, cost: PicoUsd, mut past: Vec<i128>, allowed: i128) -> Option<Jump> {
    if past.len() < FEWEST {
        return None;
    }
    let norm = median(&mut past)?;
    let mut deviations: Vec<i128> = past.iter().map(|value| (value - norm).abs()).collect();
    let sigma = median(&mut deviations)? as f64 * SIGMA_PER_MAD;
    let above = cost.0 - norm;
    if above <= 0 || above * 100 < allowed * WORTH {
        return None;
    }
    let floor = (norm * NOISE / 100).max(1) as f64;
    #[expect(clippy::cast_possible_truncation, reason = "bounded just here")]
    let score_tenths = (above as f64 * 10.0 / sigma.max(floor)).round().min(9_999.0) as i64;
    (score_tenths >= JUMP).then_some(Jump { span, window, cost, norm: PicoUsd(norm), score_tenths })
}
