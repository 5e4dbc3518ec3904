//! What of an hour a budget pays for.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono_tz::Tz;

use super::Selector;
use super::period::midnight_inside;
use crate::cluster::Attribution;
use crate::money::query::{Cut, Field, Needs};
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

/// An hour, summed by payer: many rows share one, and many budgets ask.
#[derive(Debug)]
pub struct HourPayers<'a> {
    hour: &'a Hour,
    sums: Vec<(&'a Arc<Attribution>, PicoUsd)>,
}

impl<'a> HourPayers<'a> {
    /// Sums the rows: shares of nodes, and everything flat.
    pub fn of(hour: &'a Hour) -> Self {
        let mut sums: Vec<(&Arc<Attribution>, PicoUsd)> = Vec::new();
        // By address: rows of one payer nearly always share it, and where they do not, it is summed twice.
        let mut places: HashMap<*const Attribution, usize> = HashMap::new();
        for (payer, _, cost) in rows(hour) {
            let place = *places.entry(Arc::as_ptr(payer)).or_insert_with(|| {
                sums.push((payer, PicoUsd(0)));
                sums.len() - 1
            });
            sums[place].1 += cost.total();
        }
        Self { hour, sums }
    }

    /// What the payers that the selector matches owe. Exact; a local midnight cuts rows as a query's window does.
    pub fn sum(&self, selector: &Selector, zone: Tz) -> HourSum {
        let start = self.hour.start;
        let matched = self.sums.iter().filter(|(payer, _)| selector.matches(payer));
        let whole = matched.map(|(_, sum)| *sum).sum();
        let before = midnight_inside(start, zone).map_or(PicoUsd(0), |midnight| {
            let window = Window::new(start, midnight);
            let matched = rows(self.hour).filter(|(payer, _, _)| selector.matches(payer));
            matched.filter_map(|(_, row, cost)| Some(Cut::of(row, window)?.money(cost).total())).sum()
        });
        HourSum { start, whole, before }
    }
}

/// What a history has to know of rows, so that their sums for these selectors are what they are over all rows: who
/// paid, hour by hour, and where a local midnight lies inside an hour, each row of it.
pub fn needs<'a>(of: impl IntoIterator<Item = (&'a Selector, Tz)>, hours: Window) -> Needs {
    let mut needs = Needs::nothing();
    let mut cuts: BTreeSet<Instant> = BTreeSet::new();
    let mut zones: BTreeSet<&str> = BTreeSet::new();
    for (selector, zone) in of {
        let fields = [
            (Field::Team, &selector.teams),
            (Field::Owner, &selector.owners),
            (Field::Space, &selector.spaces),
            (Field::Namespace, &selector.namespaces),
        ];
        needs =
            fields.into_iter().filter(|(_, of)| !of.is_empty()).fold(needs, |n, (field, _)| n.with(field));
        needs = selector.labels.keys().fold(needs, |needs, key| needs.with_label(key));
        if zones.insert(zone.name()) {
            cuts.extend(starts(hours).filter_map(|start| midnight_inside(start, zone)));
        }
    }
    cuts.extend(starts(hours));
    cuts.insert(hours.end);
    let cuts: Vec<Instant> = cuts.into_iter().collect();
    needs.in_steps(cuts.windows(2).map(|pair| Window::new(pair[0], pair[1])).collect())
}

/// The starts of the hours of a window.
fn starts(hours: Window) -> impl Iterator<Item = Instant> {
    std::iter::successors(Some(hours.start), |start| Some(start.next_hour()))
        .take_while(move |start| *start < hours.end)
}

fn rows(hour: &Hour) -> impl Iterator<Item = (&Arc<Attribution>, Window, ByResource)> {
    let shares = hour.allocations.iter().map(|row| (&row.holder.attribution, row.window, row.cost.get()));
    let flat = hour
        .flat
        .iter()
        .map(|row| (&row.attribution, row.window, ByResource { cpu: row.cost, ..ByResource::default() }));
    shares.chain(flat)
}
