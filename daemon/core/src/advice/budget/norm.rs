//! What each hour of the week usually costs: so that a Monday is told from a jump.

use chrono_tz::Tz;

use super::BudgetBook;
use super::period::hour_of_week;
use crate::units::{Instant, Millis, PicoUsd, Window};

/// Hours of a week.
const HOURS: usize = 168;
/// The median absolute deviation of a normal distribution, times this, is its standard deviation.
pub(super) const SIGMA_PER_MAD: f64 = 1.4826;

/// What one hour of the week usually costs.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Slot {
    /// The median of the past ones.
    pub median: PicoUsd,
    /// Their robust standard deviation: 1.4826 × the median absolute deviation.
    pub sigma: f64,
    /// How many past ones there are: at most eight, nine where clocks were put back.
    pub samples: usize,
}

/// The norm of each hour of the local week, from up to eight weeks.
#[derive(Clone, PartialEq, Debug)]
pub struct Norm {
    slots: Vec<Slot>,
    /// Hours it rests on.
    hours: usize,
}

impl Norm {
    /// From what the book knows of the eight weeks before `until`.
    pub fn of(book: &BudgetBook, until: Instant, zone: Tz) -> Self {
        let mut samples: Vec<Vec<i128>> = vec![Vec::new(); HOURS];
        let window = Window::new(until - Millis::from_hours(super::HOURS_KEPT), until);
        let mut hours = 0;
        for hour in book.whole_hours(window).filter(|hour| hour.start.next_hour() <= until) {
            samples[hour_of_week(hour.start, zone)].push(hour.whole.0);
            hours += 1;
        }
        let known: Vec<Option<Slot>> = samples.iter_mut().map(|values| slot(values)).collect();
        // An hour that never was, as where clocks are put forward, is taken to cost what an hour costs in the middle.
        let mut medians: Vec<i128> = known.iter().flatten().map(|slot| slot.median.0).collect();
        let typical = median(&mut medians).unwrap_or(0);
        let slots = known
            .into_iter()
            .map(|slot| slot.unwrap_or(Slot { median: PicoUsd(typical), ..Slot::default() }))
            .collect();
        Self { slots, hours }
    }

    /// Hours it rests on: 168 are a week.
    pub const fn hours(&self) -> usize {
        self.hours
    }

    /// Whole weeks it rests on.
    pub const fn weeks(&self) -> usize {
        self.hours / HOURS
    }

    /// The norm of the hour that `at` lies in.
    pub fn slot(&self, at: Instant, zone: Tz) -> Slot {
        self.slots[hour_of_week(at, zone)]
    }

    /// What a window usually costs; of an hour that it cuts, in proportion to time.
    pub fn over(&self, window: Window, zone: Tz) -> PicoUsd {
        self.over_parts(&parts_of(window, zone))
    }

    pub(super) fn over_parts(&self, parts: &[Part]) -> PicoUsd {
        let weighed = parts.iter().map(|part| self.of_part(*part).median.0 * part.weight());
        PicoUsd(weighed.sum::<i128>() / i128::from(Millis::HOUR.0))
    }

    pub(super) fn of_part(&self, part: Part) -> Slot {
        self.slots[part.slot]
    }

    /// The standard deviation of what a window costs: hours of one local day are taken to err together, days apart
    /// from each other.
    pub(super) fn sigma_over(&self, parts: &[Part]) -> f64 {
        let (mut squares, mut of_day, mut day) = (0.0, 0.0, None);
        for part in parts {
            let today = part.slot / 24;
            if day != Some(today) {
                squares += of_day * of_day;
                (of_day, day) = (0.0, Some(today));
            }
            of_day += self.of_part(*part).sigma * part.window.length().as_hours();
        }
        (squares + of_day * of_day).sqrt()
    }
}

/// An hour, or what a window leaves of it, and which hour of the week that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) window: Window,
    slot: usize,
}

impl Part {
    /// Its length in milliseconds, as a factor of money.
    pub(super) fn weight(self) -> i128 {
        i128::from(self.window.length().0)
    }
}

/// The hours that a window touches, each cut to it.
pub(super) fn parts_of(window: Window, zone: Tz) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = window.start;
    while at < window.end {
        let window = Window::new(at, window.end.min(at.next_hour()));
        parts.push(Part { window, slot: hour_of_week(at.hour(), zone) });
        at = window.end;
    }
    parts
}

fn slot(values: &mut [i128]) -> Option<Slot> {
    let middle = median(values)?;
    let mut deviations: Vec<i128> = values.iter().map(|value| (value - middle).abs()).collect();
    let sigma = median(&mut deviations).unwrap_or(0) as f64 * SIGMA_PER_MAD;
    Some(Slot { median: PicoUsd(middle), sigma, samples: values.len() })
}

/// The middle value; of an even number, the mean of the middle two, rounded down.
pub(super) fn median(values: &mut [i128]) -> Option<i128> {
    values.sort_unstable();
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some((values[middle - 1] + upper).div_euclid(2))
}
