//! The hours that are closed, kept in memory up to a bound.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Correction;
use super::row::{Hour, SavedRow};
use crate::units::{Instant, Millis, Window};

/// Where rows of an hour go: the closed hours, or the provisional picture of the open ones.
pub(super) trait HourBook {
    /// The hour that starts at `start`, made if it is not there.
    fn hour(&mut self, start: Instant) -> &mut Hour;
}

/// The provisional picture of the open hours.
#[derive(Debug, Default)]
pub(super) struct OpenHours {
    pub(super) hours: BTreeMap<Instant, Hour>,
    /// How many rows an hour will have at least: it is filled row by row, and growing means copying.
    pub(super) expected_rows: usize,
}

impl HourBook for OpenHours {
    fn hour(&mut self, start: Instant) -> &mut Hour {
        self.hours.entry(start).or_insert_with(|| Hour {
            allocations: Vec::with_capacity(self.expected_rows),
            open: true,
            ..Hour::new(start)
        })
    }
}

/// Closed hours by their start. Shared with snapshots: a correction copies its hour, nothing else is ever changed.
#[derive(Debug)]
pub struct Hours {
    hours: BTreeMap<Instant, Arc<Hour>>,
    keep_rows: usize,
    /// Hours that changed since they were written to the history; `None` where none is kept.
    unwritten: Option<BTreeSet<Instant>>,
    /// Hours before this one are not here any more: what comes for one of them is an addition to it.
    whole_from: Instant,
}

/// While hours cannot be written, so many times the bound of rows are kept before any is given up.
const PATIENCE: usize = 4;

impl Hours {
    /// Keeps at least the newest hour, and older ones while all together have at most `keep_rows` rows.
    pub const fn new(keep_rows: usize) -> Self {
        Self { hours: BTreeMap::new(), keep_rows, unwritten: None, whole_from: Instant(i64::MIN) }
    }

    /// A history is kept: from here on hours are not dropped before they are written to it.
    pub(super) fn keep_until_written(&mut self) {
        self.unwritten.get_or_insert_default();
    }

    /// Hours before `start` are in the history of an earlier life.
    pub(super) fn begin_at(&mut self, start: Instant) {
        self.whole_from = start.hour();
    }

    /// Hours that ended by `settled` and are to be written, or written again.
    pub(super) fn unwritten(&self, settled: Instant) -> Vec<Arc<Hour>> {
        let changed = self.unwritten.iter().flatten().filter(|start| **start + Millis::HOUR <= settled);
        changed.filter_map(|start| self.hours.get(start)).map(Arc::clone).collect()
    }

    /// These hours are written; one that changed meanwhile stays to be written again.
    pub(super) fn written(&mut self, hours: &[Arc<Hour>]) {
        let Some(unwritten) = &mut self.unwritten else { return };
        for hour in hours {
            if self.hours.get(&hour.start).is_some_and(|kept| Arc::ptr_eq(kept, hour)) {
                unwritten.remove(&hour.start);
                if hour.partial {
                    self.hours.remove(&hour.start); // it is one with the rest now
                }
            }
        }
    }

    /// The hours, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Hour>> {
        self.hours.values()
    }

    /// The hour that starts at `start`, if it is kept.
    pub fn get(&self, start: Instant) -> Option<&Arc<Hour>> {
        self.hours.get(&start)
    }

    /// Whether rows of this hour come on top of others, which are not here any more.
    pub(super) fn is_partial(&self, start: Instant) -> bool {
        start < self.whole_from
    }

    pub(super) fn add_saved(&mut self, row: SavedRow) {
        self.hour(row.window.start.hour()).saved.push(row);
    }

    /// Adds a correction; gives it back if its hour is not here as a whole any more.
    pub(super) fn correct(&mut self, correction: Correction) -> Option<Correction> {
        let start = correction.hour();
        if self.hours.get(&start).is_none_or(|hour| hour.partial) {
            return Some(correction);
        }
        correction.apply(self.hour(start));
        None
    }

    /// Whether a history is kept.
    pub(super) const fn is_kept(&self) -> bool {
        self.unwritten.is_some()
    }

    /// Hours before this one are in the history alone, if one is kept.
    pub(super) const fn whole_from(&self) -> Instant {
        self.whole_from
    }

    /// Marks the rows that lie in a gap. An hour without such rows is not touched.
    pub(super) fn mark(&mut self, gap: Window) {
        for (_, hour) in self.hours.range_mut(gap.start.hour()..gap.end) {
            if hour.has_unmarked(gap) {
                if let Some(unwritten) = &mut self.unwritten {
                    unwritten.insert(hour.start);
                }
                Arc::make_mut(hour).mark_backfilled(gap);
            }
        }
    }

    /// Drops the oldest hours over the bound, and the slack of the newest, which grew row by row.
    pub(super) fn trim(&mut self) {
        if let Some(hour) = self.hours.values_mut().next_back()
            && hour.allocations.capacity() > hour.allocations.len()
            && let Some(hour) = Arc::get_mut(hour)
        {
            hour.allocations.shrink_to_fit();
            hour.assets.shrink_to_fit();
            hour.flat.shrink_to_fit();
        }
        let mut rows: usize = self.hours.values().map(|hour| rows_of(hour)).sum();
        while rows > self.keep_rows && self.hours.len() > 1 {
            let Some(first) = self.hours.first_entry() else { break };
            let is_unwritten = self.unwritten.as_ref().is_some_and(|hours| hours.contains(first.key()));
            if is_unwritten && rows <= PATIENCE * self.keep_rows {
                break;
            }
            rows -= rows_of(first.get());
            let (start, _) = first.remove_entry();
            self.whole_from = self.whole_from.max(start + Millis::HOUR);
            if let Some(unwritten) = &mut self.unwritten {
                unwritten.remove(&start);
            }
        }
    }
}

impl HourBook for Hours {
    fn hour(&mut self, start: Instant) -> &mut Hour {
        if let Some(unwritten) = &mut self.unwritten {
            unwritten.insert(start);
        }
        let partial = self.is_partial(start);
        let new = || Arc::new(Hour { partial, ..Hour::new(start) });
        Arc::make_mut(self.hours.entry(start).or_insert_with(new))
    }
}

fn rows_of(hour: &Hour) -> usize {
    hour.allocations.len() + hour.assets.len() + hour.flat.len() + hour.saved.len()
}

/// The windows of the hours that `span` touches, each cut to it.
pub(super) fn by_hour(span: Window) -> impl Iterator<Item = Window> {
    let mut at = span.start;
    std::iter::from_fn(move || {
        (at < span.end).then(|| {
            let window = Window::new(at, span.end.min(at.hour() + Millis::HOUR));
            at = window.end;
            window
        })
    })
}
