//! What of an hour a budget pays for.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::Selector;
use super::period::midnight_inside;
use crate::cluster::Attribution;
use crate::money::query::Cut;
use crate::money::{ByResource, Hour};
use crate::units::{Instant, PicoUsd, Window};

/// What a budget pays for in one hour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HourSum {
    /// The hour's first instant.
    pub start: Instant,
    /// All of it.
    pub whole: PicoUsd,
    /// The part before the local midnight, where one lies strictly inside the hour; else nothing.
    pub before: PicoUsd,
}

impl HourSum {
    /// The part that lies in a window, of which the bounds within the hour are local midnights.
    pub(super) fn within(self, window: Window) -> PicoUsd {
        let end = self.start.next_hour();
        if window.end <= self.start || window.start >= end {
            return PicoUsd(0);
        }
        match (window.start > self.start, window.end < end) {
            (false, false) => self.whole,
            (true, false) => self.whole - self.before,
            (false, true) => self.before,
            (true, true) => PicoUsd(0),
        }
    }
}

/// Sums the rows of an hour whose payers the selector matches: shares of nodes, and everything flat. Exact; a local
/// midnight cuts rows as a query's window does.
pub fn hour_sum(selector: &Selector, zone: Tz, hour: &Hour) -> HourSum {
    let before = midnight_inside(hour.start, zone).map(|midnight| Window::new(hour.start, midnight));
    let mut sum = HourSum { start: hour.start, ..HourSum::default() };
    // Many rows share a payer: each is matched once.
    let mut known: HashMap<*const Attribution, bool> = HashMap::new();
    let mut counts = |payer: &Arc<Attribution>| {
        *known.entry(Arc::as_ptr(payer)).or_insert_with(|| selector.matches(payer))
    };
    let part = |row: Window, amount: ByResource| match before.and_then(|window| Cut::of(row, window)) {
        Some(cut) => cut.money(amount).total(),
        None => PicoUsd(0),
    };
    for row in &hour.allocations {
        if counts(&row.holder.attribution) {
            sum.whole += row.cost.total();
            sum.before += part(row.window, row.cost.get());
        }
    }
    for row in &hour.flat {
        if counts(&row.attribution) {
            sum.whole += row.cost;
            sum.before += part(row.window, ByResource { cpu: row.cost, ..ByResource::default() });
        }
    }
    sum
}
