//! What will have been spent when the period ends, and how sure that is.

use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;

use super::norm::{Part, parts_of};
use super::{BudgetBook, Norm};
use crate::units::{Instant, Millis, PicoUsd, Window};

/// Standard deviations from the middle to the tenth and the ninetieth percentile of a normal distribution.
const TENTH: f64 = 1.2816;
/// A level, and everything else that is a ratio of amounts, in millionths.
const MILLION: i128 = 1_000_000;
/// The recent level counts between half and double the norm: one strange day is not the future.
const LEVELS: (i128, i128) = (MILLION / 2, 2 * MILLION);
/// Of the last 24 hours, so many must be known.
const LEVEL_HOURS: usize = 12;
/// Below so many hours of history there is no norm.
const ONE_WEEK: usize = 168;
/// From so many whole weeks on, a forecast may be called sure.
const SURE_WEEKS: usize = 4;
/// A range that reaches further than a quarter of the sum to both sides is not sure.
const SURE_SPREAD: f64 = 0.25;
/// By the pace alone, what is left may be half as much or half as much more.
const PACE_SPREAD: f64 = 0.5;

/// How far a forecast can be relied on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Confidence {
    /// A guess.
    Low,
    /// Rests on a norm of few weeks, or on one that varies much.
    Medium,
    /// Rests on four weeks or more that were alike.
    High,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// What will have been spent at the end of the period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forecast {
    /// The expected sum: never less than what is spent.
    pub expected: PicoUsd,
    /// In one of ten periods it is less than this.
    pub low: PicoUsd,
    /// In one of ten periods it is more than this.
    pub high: PicoUsd,
    /// How far that can be relied on.
    pub confidence: Confidence,
    /// Why.
    pub reason: Arc<str>,
    /// When the expected line crosses the amount, or the sum did; `None` if it does not in this period.
    pub breach: Option<Instant>,
}

/// What a forecast rests on.
pub(super) struct Ground<'a> {
    pub(super) amount: PicoUsd,
    pub(super) period: Window,
    pub(super) zone: Tz,
    pub(super) book: &'a BudgetBook,
    pub(super) norm: &'a Norm,
    /// Spent so far in the period, open hours included.
    pub(super) spent: PicoUsd,
    /// Hours of the period that lie behind and are not known.
    pub(super) missing: i64,
    /// When the sum passed the amount, if it did.
    pub(super) breached: Option<Instant>,
    /// Mean of the known hours of the last week, and how many they are.
    pub(super) pace: Option<(PicoUsd, usize)>,
    pub(super) now: Instant,
}

impl Ground<'_> {
    pub(super) fn forecast(&self) -> Forecast {
        let rest = parts_of(Window::new(self.now.max(self.period.start), self.period.end), self.zone);
        let by_norm = self.norm.hours() >= ONE_WEEK;
        let level = if by_norm { self.level() } else { MILLION };
        let hourly = |part: Part| {
            let of_hour = if by_norm {
                self.norm.of_part(part).median.0 * level / MILLION
            } else {
                self.pace.map_or(0, |(mean, _)| mean.0)
            };
            of_hour.max(0)
        };
        let breach = self.breached.or_else(|| self.crossing(&rest, hourly));
        let weighed = rest.iter().map(|part| hourly(*part) * part.weight());
        let left = PicoUsd(weighed.sum::<i128>() / i128::from(Millis::HOUR.0));
        let expected = self.spent + left;
        let reach = if by_norm {
            // Few weeks tell the spread itself only roughly.
            let unsure = (1.0 + 1.0 / self.norm.weeks().max(1) as f64).sqrt();
            let level = level as f64 / MILLION as f64;
            TENTH * level * unsure * self.norm.sigma_over(&rest)
        } else {
            PACE_SPREAD * left.0 as f64
        };
        let reach = rounded(reach);
        let (confidence, reason) = self.confidence(by_norm, expected, reach);
        Forecast {
            expected,
            low: (expected - reach).max(self.spent),
            high: expected + reach,
            confidence,
            reason: reason.into(),
            breach,
        }
    }

    /// The last 24 closed hours against their norm, in millionths.
    fn level(&self) -> i128 {
        let Some(last) = self.book.last() else { return MILLION };
        let day = Window::new(last.next_hour() - Millis::DAY, last.next_hour());
        let (mut hours, mut actual, mut normal) = (0, 0, 0);
        for hour in self.book.whole_hours(day) {
            hours += 1;
            actual += hour.whole.0;
            normal += self.norm.slot(hour.start, self.zone).median.0;
        }
        let week = Window::new(last - Millis(7 * Millis::DAY.0), last);
        let usual_day = self.norm.over(week, self.zone).0 / 7;
        // Of a day on which next to nothing usually runs, a ratio says nothing of the days to come.
        if hours < LEVEL_HOURS || normal <= 0 || normal < usual_day / 4 {
            return MILLION;
        }
        (actual * MILLION / normal).clamp(LEVELS.0, LEVELS.1)
    }

    /// When the line of `hourly` amounts, begun at what is spent, passes the amount.
    fn crossing(&self, rest: &[Part], hourly: impl Fn(Part) -> i128) -> Option<Instant> {
        let scale = i128::from(Millis::HOUR.0);
        let mut left = (self.amount - self.spent).0 * scale;
        for part in rest {
            let rate = hourly(*part);
            let cost = rate * part.weight();
            if cost > left {
                let millis = i64::try_from(left.max(0) / rate).unwrap_or(0);
                return Some(part.window.start + Millis(millis));
            }
            left -= cost;
        }
        None
    }

    fn confidence(&self, by_norm: bool, expected: PicoUsd, reach: PicoUsd) -> (Confidence, String) {
        let behind = self.now.since(self.period.start).0 / Millis::HOUR.0;
        if self.missing > 0 && self.missing * 20 >= behind {
            let missing = self.missing;
            let message = format!(
                "{missing} of {behind} hours of this period were not counted: what was spent in them is not known"
            );
            return (Confidence::Low, message);
        }
        if !by_norm {
            let message = match self.pace {
                None => "nothing has been counted yet".to_owned(),
                Some((_, hours)) => {
                    format!("by the mean of {hours} hours: there is less than a week of history")
                }
            };
            return (Confidence::Low, message);
        }
        let (weeks, hours) = (self.norm.weeks(), self.norm.hours());
        let wide = reach.0 as f64 > SURE_SPREAD * expected.0 as f64;
        if weeks < SURE_WEEKS {
            let message = format!("by the norm of {hours} hours: less than {SURE_WEEKS} weeks of history");
            return (Confidence::Medium, message);
        }
        if wide {
            let message = format!("by the norm of {weeks} weeks, which differ much from each other");
            return (Confidence::Medium, message);
        }
        (Confidence::High, format!("by the norm of {weeks} weeks, which are alike"))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an absurd amount is cut off at the bound, which is no harm"
)]
pub(super) fn rounded(amount: f64) -> PicoUsd {
    PicoUsd(i128::from(amount.round() as i64))
}
