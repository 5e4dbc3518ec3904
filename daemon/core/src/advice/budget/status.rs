//! All that is said of a budget at an instant.

use std::sync::Arc;

use chrono_tz::Tz;

use super::forecast::Ground;
use super::{BudgetBook, BudgetSpec, Forecast, HourSum, Jump, Norm, jump};
use crate::units::{Instant, Millis, PicoUsd, Window};

/// What a budget is about, as it was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Matched {
    /// Spaces.
    pub spaces: usize,
    /// Workloads in them.
    pub workloads: usize,
    /// The first names of the spaces, at most ten.
    pub names: Vec<Arc<str>>,
}

/// What is said of a budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetStatus {
    /// The period that `at` lies in.
    pub period: Window,
    /// In whose calendar.
    pub zone: Tz,
    /// What may be spent.
    pub amount: PicoUsd,
    /// What was spent so far, open hours included.
    pub spent: PicoUsd,
    /// Percent of the amount, rounded down.
    pub percent: u32,
    /// The marks that are reached, ascending.
    pub reached: Vec<u32>,
    /// Hours of the period that lie behind and were not counted.
    pub missing_hours: i64,
    /// What will have been spent at the end.
    pub forecast: Forecast,
    /// How much more, or less, was spent so far than the norm says, in percent; `None` without a norm.
    pub pace_percent: Option<i64>,
    /// The last day or hour cost far more than such ones do.
    pub jump: Option<Jump>,
    /// What it is about.
    pub matched: Matched,
}

impl BudgetStatus {
    /// Spent by amount, for display: 1 is all of it.
    pub fn used_ratio(&self) -> f64 {
        if self.amount.0 == 0 { 0.0 } else { self.spent.0 as f64 / self.amount.0 as f64 }
    }
}

/// What follows from closed hours alone: the norm, and whether the last of them was a jump. Changes once an hour.
#[derive(Clone, PartialEq, Debug)]
pub struct Past {
    /// What each hour of the week usually costs.
    pub norm: Norm,
    /// The last day or hour cost far more than such ones do.
    pub jump: Option<Jump>,
}

impl Past {
    /// What the book tells at `now`.
    pub fn of(book: &BudgetBook, spec: &BudgetSpec, zone: Tz, now: Instant) -> Self {
        let period = spec.period.around(now, zone);
        Self { norm: Norm::of(book, now.hour(), zone), jump: jump::find(book, spec, period, zone) }
    }
}

/// What is to be said of a budget at `now`. `open` are the hours that the book does not have yet.
pub fn assess(
    spec: &BudgetSpec,
    zone: Tz,
    (book, past): (&BudgetBook, &Past),
    open: &[HourSum],
    matched: Matched,
    now: Instant,
) -> BudgetStatus {
    let period = spec.period.around(now, zone);
    let so_far = Window::new(period.start, now);
    let closed =
        Window::new(period.start, open.first().map_or(now, |hour| hour.start.min(now)).max(period.start));
    let of_open = open.iter().map(|hour| hour.within(period)).sum::<PicoUsd>();
    let spent = book.spent(closed) + of_open;
    let known: Vec<HourSum> = book
        .hours(closed)
        .chain(open.iter().copied().filter(|h| h.start.next_hour() > period.start))
        .collect();
    let behind = Window::new(period.start.hour(), now.hour());
    let missing = behind.length().0 / Millis::HOUR.0
        - i64::try_from(known.iter().filter(|hour| hour.start < behind.end).count()).unwrap_or(0);
    let forecast = Ground {
        amount: spec.amount,
        period,
        zone,
        book,
        norm: &past.norm,
        spent,
        missing: missing.max(0),
        breached: passed(&known, spec.amount, period, now),
        pace: pace(book, open, now),
        now,
    }
    .forecast();
    let percent = (spent.0.max(0) * 100).checked_div(spec.amount.0).unwrap_or(0);
    let reached = |mark: &u32| spent.0 * 100 >= spec.amount.0 * i128::from(*mark);
    BudgetStatus {
        period,
        zone,
        amount: spec.amount,
        spent,
        percent: u32::try_from(percent).unwrap_or(u32::MAX),
        reached: spec.marks.iter().copied().filter(reached).collect(),
        missing_hours: missing.max(0),
        forecast,
        pace_percent: pace_percent(&past.norm, &known, period, so_far, zone),
        jump: past.jump,
        matched,
    }
}

/// The instant, to the hour or to now, at which the sum passed the amount.
fn passed(known: &[HourSum], amount: PicoUsd, period: Window, now: Instant) -> Option<Instant> {
    let mut sum = PicoUsd(0);
    for hour in known {
        sum += hour.within(period);
        if sum > amount {
            return Some(hour.start.next_hour().min(now));
        }
    }
    None
}

/// The mean of an hour of the last week, as far as it is known, and how many hours that are; the first minutes of
/// counting are no measure.
fn pace(book: &BudgetBook, open: &[HourSum], now: Instant) -> Option<(PicoUsd, usize)> {
    let week = Window::new(now - Millis(7 * Millis::DAY.0), now);
    let (mut sum, mut hours) = (0, 0);
    for hour in
        book.whole_hours(week).chain(open.iter().copied()).filter(|hour| hour.start.next_hour() <= now)
    {
        sum += hour.whole.0;
        hours += 1;
    }
    if hours > 0 {
        return Some((PicoUsd(sum / i128::try_from(hours).unwrap_or(1)), hours));
    }
    // Within the first hour: by what of it has passed, from a minute on.
    let first = open.last().filter(|hour| now.since(hour.start) >= Millis::MINUTE)?;
    let passed = i128::from(now.since(first.start).0.min(Millis::HOUR.0));
    Some((PicoUsd(first.whole.0 * i128::from(Millis::HOUR.0) / passed), 1))
}

/// What was spent in the known hours of the period against their norm.
fn pace_percent(norm: &Norm, known: &[HourSum], period: Window, so_far: Window, zone: Tz) -> Option<i64> {
    if norm.weeks() == 0 {
        return None;
    }
    let (mut spent, mut normal) = (0, 0);
    for hour in known {
        let part = Window::new(hour.start, hour.start.next_hour()).intersect(so_far);
        spent += hour.within(period).0;
        normal += norm.over(part, zone).0;
    }
    // Rounded to the nearest.
    let percent = |part: i128, of: i128| (200 * part + of).div_euclid(2 * of);
    (normal > 0).then(|| i64::try_from(percent(spent - normal, normal)).unwrap_or(i64::MAX))
}
