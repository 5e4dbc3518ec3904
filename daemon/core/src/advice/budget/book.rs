//! Eight weeks of hourly sums of one budget: all that is remembered of rows.

use std::collections::BTreeMap;

use super::HourSum;
use crate::units::{Instant, Millis, PicoUsd, Window};

/// Hours that are remembered: eight weeks, which is longer than any period.
pub const HOURS_KEPT: i64 = 8 * 7 * 24;

/// The hourly sums of one budget.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BudgetBook {
    /// In pico-dollars: nine million dollars an hour fit.
    sums: BTreeMap<Instant, i64>,
    /// The part before a local midnight inside the hour; few hours have one.
    before: BTreeMap<Instant, i64>,
    /// The hour in which counting began: it is not whole, and no measure of others.
    partial: Option<Instant>,
    version: u64,
}

impl BudgetBook {
    /// A book of somebody who counts from `start`.
    pub fn new(start: Instant) -> Self {
        let partial = Some(start.hour()).filter(|hour| *hour < start);
        Self { partial, ..Self::default() }
    }

    /// Takes a closed hour in. The same hour again replaces what was said of it.
    pub fn closed(&mut self, hour: HourSum) {
        let oldest = self.last().map_or(hour.start, |last| last - Millis::from_hours(HOURS_KEPT - 1));
        if hour.start < oldest {
            return;
        }
        self.sums.insert(hour.start, bounded(hour.whole));
        if hour.before == PicoUsd(0) {
            self.before.remove(&hour.start);
        } else {
            self.before.insert(hour.start, bounded(hour.before));
        }
        let oldest = oldest.max(hour.start - Millis::from_hours(HOURS_KEPT - 1));
        while self.sums.first_key_value().is_some_and(|(start, _)| *start < oldest) {
            self.sums.pop_first();
        }
        while self.before.first_key_value().is_some_and(|(start, _)| *start < oldest) {
            self.before.pop_first();
        }
        self.version += 1;
    }

    /// Takes hours in that were closed before: what is known already stays.
    pub fn seed(&mut self, hours: impl IntoIterator<Item = HourSum>) {
        for hour in hours {
            if !self.sums.contains_key(&hour.start) {
                self.closed(hour);
            }
        }
    }

    /// The newest hour.
    pub fn last(&self) -> Option<Instant> {
        self.sums.last_key_value().map(|(start, _)| *start)
    }

    /// How many hours are known.
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether no hour is known.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Changes whenever the book does.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What was spent in a window whose bounds are full hours or local midnights.
    pub fn spent(&self, window: Window) -> PicoUsd {
        self.hours(window).map(|hour| hour.within(window)).sum()
    }

    /// The known hours that a window touches, oldest first.
    pub fn hours(&self, window: Window) -> impl DoubleEndedIterator<Item = HourSum> + '_ {
        let range = if window.is_empty() { window.end..window.end } else { window.start.hour()..window.end };
        self.sums.range(range).map(|(start, whole)| HourSum {
            start: *start,
            whole: PicoUsd((*whole).into()),
            before: PicoUsd(self.before.get(start).copied().unwrap_or(0).into()),
        })
    }

    /// Those of them that are whole: the others say nothing of what an hour costs.
    pub(super) fn whole_hours(&self, window: Window) -> impl DoubleEndedIterator<Item = HourSum> + '_ {
        self.hours(window).filter(|hour| Some(hour.start) != self.partial)
    }

    /// What a window of which every hour is known and whole cost; `None` if one is missing.
    pub(super) fn complete(&self, window: Window) -> Option<PicoUsd> {
        let end = Instant(window.end.0 - 1).next_hour();
        let hours = end.since(window.start.hour()).0 / Millis::HOUR.0;
        let known = i64::try_from(self.whole_hours(window).count()).ok()?;
        (known == hours).then(|| self.spent(window))
    }
}

fn bounded(amount: PicoUsd) -> i64 {
    i64::try_from(amount.0).unwrap_or(if amount.0 < 0 { i64::MIN } else { i64::MAX })
}
