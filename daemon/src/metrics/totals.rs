//! Sums of money that only grow, over hours that the engine keeps and hours that it has dropped.
//!
//! A closed hour is summed once, and again only if a late fact has changed it. When the engine drops it, its sums
//! stay. What is shown is never less than was shown before: a correction that gives money back holds the counter
//! still until cost has caught up, since Prometheus would take a step back for a restart and count all of it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use nightcap_core::cluster::Attribution;
use nightcap_core::engine::Snapshot;
use nightcap_core::money::Hour;
use nightcap_core::money::query::{OVERHEAD, SHARED, UNMOUNTED};
use nightcap_core::units::{Instant, PicoUsd};

/// A space and the team that paid for it.
pub(super) type SpaceOfTeam = (Arc<str>, Arc<str>);

/// Sums of money, however far back they reach.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sums {
    pub(super) cluster: PicoUsd,
    pub(super) idle: PicoUsd,
    /// What belongs to no team, by the name of its line.
    pub(super) lines: BTreeMap<Arc<str>, PicoUsd>,
    pub(super) teams: BTreeMap<Arc<str>, PicoUsd>,
    pub(super) spaces: BTreeMap<SpaceOfTeam, PicoUsd>,
    pub(super) saved: BTreeMap<Arc<str>, PicoUsd>,
}

/// The running totals.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Closed hours that are in `closed` and still kept by the engine. The weak pointer tells an hour that was
    /// changed since: the engine copies or moves it then.
    seen: BTreeMap<Instant, (Weak<Hour>, Sums)>,
    /// All hours that ever were closed, dropped ones included.
    closed: Sums,
    /// The largest that was shown of each.
    shown: Sums,
    /// Instant of the newest snapshot.
    at: Instant,
}

impl Totals {
    /// Takes in a snapshot; one older than the last changes nothing.
    pub(super) fn observe(&mut self, snapshot: &Snapshot) {
        if snapshot.at < self.at {
            return;
        }
        self.at = snapshot.at;
        self.drop_hours(snapshot);
        let mut all = Sums::default();
        for hour in &snapshot.hours {
            if hour.open {
                all.add(&Sums::of(hour));
                continue;
            }
            let known = self.seen.get(&hour.start);
            if known.is_some_and(|(seen, _)| std::ptr::eq(seen.as_ptr(), Arc::as_ptr(hour))) {
                continue;
            }
            let sums = Sums::of(hour);
            self.closed.add(&sums);
            if let Some((_, before)) = self.seen.insert(hour.start, (Arc::downgrade(hour), sums)) {
                self.closed.subtract(&before);
            }
        }
        all.add(&self.closed);
        all.add(&Sums::nothing(snapshot));
        self.shown.rise_to(&all);
    }

    /// What to show.
    pub(super) fn shown(&self) -> Sums {
        self.shown.clone()
    }

    /// Forgets hours that the snapshot does not have closed. Those before its first were dropped for room, and their
    /// sums stay; others are open again.
    fn drop_hours(&mut self, snapshot: &Snapshot) {
        let Some(first) = snapshot.hours.first().map(|hour| hour.start) else { return };
        let closed: BTreeSet<Instant> =
            snapshot.hours.iter().filter(|hour| !hour.open).map(|hour| hour.start).collect();
        let gone: Vec<Instant> = self.seen.keys().filter(|start| !closed.contains(start)).copied().collect();
        let mut trimmed = false;
        for start in gone {
            if let Some((_, sums)) = self.seen.remove(&start) {
                if start < first {
                    trimmed = true;
                } else {
                    self.closed.subtract(&sums);
                }
            }
        }
        if trimmed {
            self.forget_spaces(snapshot);
        }
    }

    /// Spaces that are gone, and whose last hour was dropped, are not shown for ever: namespaces on demand come and
    /// go by the thousand.
    fn forget_spaces(&mut self, snapshot: &Snapshot) {
        let mut alive: BTreeSet<&Arc<str>> = snapshot.spaces.iter().map(|space| &space.name).collect();
        alive.extend(self.seen.values().flat_map(|(_, sums)| sums.spaces.keys().map(|(space, _)| space)));
        for hour in snapshot.hours.iter().filter(|hour| hour.open) {
            alive.extend(hour.allocations.iter().map(|row| &row.holder.attribution.space));
            alive.extend(hour.flat.iter().map(|row| &row.attribution.space));
        }
        self.closed.spaces.retain(|(space, _), _| alive.contains(space));
        self.shown.spaces.retain(|(space, _), _| alive.contains(space));
    }
}

impl Sums {
    /// Zero for every team, space and line there is: a counter that begins at its first cost hides that cost from `rate`.
    fn nothing(snapshot: &Snapshot) -> Self {
        let mut sums = Self::default();
        for line in [OVERHEAD, SHARED, UNMOUNTED] {
            sums.lines.insert(line.into(), PicoUsd(0));
        }
        for space in &snapshot.spaces {
            add(&mut sums.teams, &space.team, PicoUsd(0));
            add(&mut sums.saved, &space.team, PicoUsd(0));
            sums.spaces.insert((Arc::clone(&space.name), Arc::clone(&space.team)), PicoUsd(0));
        }
        sums
    }

    fn of(hour: &Hour) -> Self {
        let mut sums = Self::default();
        for row in &hour.allocations {
            sums.pay(&row.holder.attribution, row.cost.total());
        }
        for row in &hour.flat {
            sums.pay(&row.attribution, row.cost);
        }
        for row in &hour.assets {
            sums.cluster += row.idle.total();
            sums.idle += row.idle.total();
        }
        for row in &hour.saved {
            add(&mut sums.saved, &row.attribution.team, row.saved.total());
        }
        sums
    }

    /// One row of the bill, to its team and space, or to its line.
    fn pay(&mut self, of: &Attribution, cost: PicoUsd) {
        self.cluster += cost;
        if of.is_line() {
            add(&mut self.lines, &of.namespace, cost);
            return;
        }
        add(&mut self.teams, &of.team, cost);
        let key = (Arc::clone(&of.space), Arc::clone(&of.team));
        *self.spaces.entry(key).or_default() += cost;
    }

    fn add(&mut self, other: &Self) {
        self.merge(other, |sum, value| *sum += value);
    }

    fn subtract(&mut self, other: &Self) {
        self.merge(other, |sum, value| *sum -= value);
    }

    fn rise_to(&mut self, other: &Self) {
        self.merge(other, |sum, value| *sum = (*sum).max(value));
    }

    fn merge(&mut self, other: &Self, each: impl Fn(&mut PicoUsd, PicoUsd)) {
        let Self { cluster, idle, lines, teams, spaces, saved } = other;
        each(&mut self.cluster, *cluster);
        each(&mut self.idle, *idle);
        for (key, &value) in lines {
            each(self.lines.entry(Arc::clone(key)).or_default(), value);
        }
        for (key, &value) in teams {
            each(self.teams.entry(Arc::clone(key)).or_default(), value);
        }
        for ((space, team), &value) in spaces {
            each(self.spaces.entry((Arc::clone(space), Arc::clone(team))).or_default(), value);
        }
        for (key, &value) in saved {
            each(self.saved.entry(Arc::clone(key)).or_default(), value);
        }
    }
}

fn add(sums: &mut BTreeMap<Arc<str>, PicoUsd>, key: &Arc<str>, value: PicoUsd) {
    match sums.get_mut(key) {
        Some(sum) => *sum += value,
        None => {
            sums.insert(Arc::clone(key), value);
        }
    }
}
