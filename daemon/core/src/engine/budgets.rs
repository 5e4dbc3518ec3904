//! The budgets that the engine knows: closed hours into their books, and what is written on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono_tz::Tz;

use super::machine::Target;
use super::recall::Recall;
use super::{Action, ActionId, BudgetReport, BudgetView, Engine, Kind, Outcome, Severity, Subject};
use crate::advice::budget::{
    BudgetBook, BudgetObject, BudgetSpec, BudgetStatus, HourPayers, HourSum, Matched, Past, assess,
};
use crate::money::Hour;
use crate::units::{Instant, Millis, PicoUsd};

/// How often a status is looked at, and so written at most.
const STATUS_EVERY: Millis = Millis::from_minutes(5);
/// A new budget is looked at sooner, but not each one alone.
const SOON: Millis = Millis::from_secs(10);
/// So many names of what a budget matched are told.
const NAMES: usize = 10;
/// Steps below which a written status is near enough: a part of the amount.
const SPENT_STEPS: i128 = 200;
const FORECAST_STEPS: i128 = 50;

/// A budget that the engine knows.
#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    generation: i64,
    problem: Option<Arc<str>>,
    /// What it says; the last version that could be understood.
    good: Option<Good>,
    written: Option<BudgetReport>,
    in_flight: Option<ActionId>,
}

/// What could be understood of a budget, and what follows from it.
#[derive(Debug)]
pub(super) struct Good {
    pub(super) spec: Arc<BudgetSpec>,
    pub(super) zone: Tz,
    pub(super) book: BudgetBook,
    matched: Matched,
    /// Its past is being read: until then nothing is written on it.
    pub(super) waits_until: Option<Instant>,
    /// What follows from the book, while that and the hour are the same.
    past: Option<(u64, Instant, Past)>,
}

/// The budgets.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    entries: BTreeMap<Arc<str>, Entry>,
    /// Hours that end by then are in the books.
    closed_until: Option<Instant>,
    /// How many rows each of these hours had: a late fact adds to them.
    rows: BTreeMap<Instant, usize>,
    /// When to look at them next.
    due: Option<Instant>,
    /// What is to be asked of the history.
    pub(super) recall: Recall,
}

impl Budgets {
    /// When to look at them next.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn uids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.keys()
    }

    pub(super) fn good(&self, uid: &str) -> Option<&Good> {
        self.entries.get(uid)?.good.as_ref()
    }

    pub(super) fn good_mut(&mut self, uid: &str) -> Option<&mut Good> {
        self.entries.get_mut(uid)?.good.as_mut()
    }

    pub(super) fn look_soon(&mut self, now: Instant) {
        let soon = now + SOON;
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }
}

impl Engine {
    pub(super) fn observe_budget(&mut self, object: BudgetObject, now: Instant) {
        let BudgetObject { uid, name, generation, spec } = object;
        let entry = self.budgets.entries.entry(Arc::clone(&uid)).or_insert_with(|| Entry {
            name: Arc::clone(&name),
            generation,
            problem: None,
            good: None,
            written: None,
            in_flight: None,
        });
        entry.generation = generation;
        match spec {
            Err(reason) => {
                if entry.problem.as_ref() == Some(&reason) {
                    return;
                }
                entry.problem = Some(Arc::clone(&reason));
                self.unreadable(Kind::Budget, &name, &reason, now);
                self.out.push(Action::Announce {
                    subject: Subject::Budget { name, uid },
                    severity: Severity::Warning,
                    reason: "BadBudget",
                    note: reason,
                });
            }
            Ok(spec) => {
                entry.problem = None;
                if entry.good.as_ref().is_some_and(|good| *good.spec == spec) {
                    self.problems.clear_detail("budgets", "unreadable", &name);
                    return;
                }
                self.problems.clear_detail("budgets", "unreadable", &name);
                let settings = &self.settings.sleep;
                let zone = spec.zone.unwrap_or_else(|| {
                    spec.selector.only_team().map_or(settings.zone, |team| settings.zone_of(team))
                });
                let before = self.budgets.entries.get_mut(&uid).and_then(|entry| entry.good.take());
                // Only whose money it is, and where a day begins, decides what hours cost.
                let same = before.filter(|good| good.spec.selector == spec.selector && good.zone == zone);
                let is_same = same.is_some();
                let (book, waits_until) = match same {
                    Some(good) => (good.book, good.waits_until),
                    None => (self.new_book(&spec, zone), None),
                };
                let matched = Matched::default();
                let good = Good { spec: Arc::new(spec), zone, book, matched, waits_until, past: None };
                if let Some(entry) = self.budgets.entries.get_mut(&uid) {
                    entry.good = Some(good);
                }
                if !is_same {
                    self.recall_all(&uid, now);
                }
            }
        }
        self.budgets.look_soon(now);
    }

    pub(super) fn budget_gone(&mut self, uid: &str) {
        if let Some(entry) = self.budgets.entries.remove(uid) {
            self.problems.clear_detail("budgets", "unreadable", &entry.name);
            self.problems.forget(&format!("budget {}", entry.name));
        }
    }

    /// Hours that end by then are in the books, or in the history alone.
    pub(super) fn closed_until(&self) -> Instant {
        self.budgets.closed_until.unwrap_or_else(|| self.closed_now())
    }

    fn closed_now(&self) -> Instant {
        self.ledger.closed().max(self.ledger.whole_from())
    }

    /// Notes from where on hours are to be closed, before the ledger closes the first.
    pub(super) fn before_closing_budgets(&mut self) {
        self.budgets.closed_until = Some(self.closed_until());
    }

    /// Takes the hours that the ledger has closed, or corrected, into the books.
    pub(super) fn close_budgets(&mut self) {
        let (from, until) = (self.closed_until(), self.closed_now());
        self.budgets.closed_until = Some(until.max(from));
        if self.budgets.entries.is_empty() {
            self.budgets.rows.clear();
            return;
        }
        // There was no room for these until now: the history tells.
        let mut unseen = from;
        while unseen < self.ledger.whole_from().min(until) {
            self.recall_hour(unseen);
            unseen = unseen.next_hour();
        }
        let mut changed = self.empty_hours(from, until);
        let mut rows = BTreeMap::new();
        for hour in self.ledger.hours().iter().filter(|hour| hour.start < until && !hour.partial) {
            let count = hour.allocations.len() + hour.flat.len();
            if self.budgets.rows.get(&hour.start) != Some(&count) {
                changed.push(Arc::clone(hour));
            }
            rows.insert(hour.start, count);
        }
        self.budgets.rows = rows;
        for hour in &changed {
            let payers = HourPayers::of(hour);
            for good in self.budgets.entries.values_mut().filter_map(|entry| entry.good.as_mut()) {
                good.book.closed(payers.sum(&good.spec.selector, good.zone));
            }
        }
    }

    /// A book of the closed hours that are kept.
    fn new_book(&self, spec: &BudgetSpec, zone: Tz) -> BudgetBook {
        let until = self.closed_until();
        let mut book = BudgetBook::new(self.settings.start);
        let hours = self.ledger.hours();
        let oldest = hours.iter().next().map_or(until, |hour| hour.start);
        let kept = hours.iter().filter(|hour| hour.start < until && !hour.partial).map(Arc::clone);
        for hour in kept.chain(self.empty_hours(oldest, until)) {
            book.closed(HourPayers::of(&hour).sum(&spec.selector, zone));
        }
        book
    }

    /// Closed hours in which nothing was there to be paid for; not those that are not kept any more.
    fn empty_hours(&self, from: Instant, until: Instant) -> Vec<Arc<Hour>> {
        let hours = self.ledger.hours();
        let oldest = hours.iter().next().map_or(from, |hour| hour.start);
        let (mut empty, mut at) = (Vec::new(), from.max(oldest).max(self.ledger.whole_from()));
        while at < until {
            if hours.get(at).is_none() {
                empty.push(Arc::new(Hour::new(at)));
            }
            at = at.next_hour();
        }
        empty
    }

    /// Looks at all budgets from time to time, and writes what has changed.
    pub(super) fn look_at_budgets(&mut self, now: Instant) {
        if self.budgets.due.is_none_or(|due| due > now) || self.resumed.is_some() {
            return;
        }
        self.budgets.due = None;
        if self.budgets.entries.is_empty() {
            return;
        }
        self.budgets.due = Some(now + STATUS_EVERY);
        self.match_budgets();
        let hours = self.ledger.view(now).hours;
        let mut views: BTreeMap<Arc<str>, BudgetStatus> =
            self.budget_views(&hours, now).into_iter().map(|view| (view.uid, view.status)).collect();
        let uids: Vec<Arc<str>> = self.budgets.uids().map(Arc::clone).collect();
        for uid in uids {
            let status = views.remove(&uid);
            let waits = self.budgets.good(&uid).and_then(|good| good.waits_until);
            match waits.filter(|until| *until > now) {
                Some(until) => self.budgets.due = self.budgets.due.map(|due| due.min(until)),
                None => self.write_budget(&uid, status),
            }
        }
    }

    fn write_budget(&mut self, uid: &Arc<str>, status: Option<BudgetStatus>) {
        let Some(entry) = self.budgets.entries.get_mut(uid) else { return };
        let report = BudgetReport { generation: entry.generation, problem: entry.problem.clone(), status };
        // An answer that has not come by now is lost: it is not known what is written.
        if let Some(lost) = entry.in_flight.take() {
            entry.written = None;
            self.targets.remove(&lost);
        }
        let Some(entry) = self.budgets.entries.get(uid) else { return };
        if entry.written.as_ref().is_some_and(|written| is_near(written, &report)) {
            return;
        }
        let name = Arc::clone(&entry.name);
        let id = self.number(Target::Budget(Arc::clone(uid)));
        if let Some(entry) = self.budgets.entries.get_mut(uid) {
            entry.written = Some(report.clone());
            entry.in_flight = Some(id);
        }
        self.out.push(Action::BudgetStatus { id, name, uid: Arc::clone(uid), report: Box::new(report) });
    }

    /// A status was written, or was not. What was not is written with the next look.
    pub(super) fn budget_written(&mut self, uid: &str, id: ActionId, outcome: Outcome, now: Instant) {
        let Some(entry) = self.budgets.entries.get_mut(uid).filter(|entry| entry.in_flight == Some(id))
        else {
            return;
        };
        entry.in_flight = None;
        let object = format!("budget {}", entry.name);
        match outcome {
            Outcome::Done { .. } => self.problems.clear(&object, "write-failed"),
            Outcome::Conflict | Outcome::NotFound | Outcome::Retry { .. } => entry.written = None,
            Outcome::Refused { reason } => {
                entry.written = None;
                let message = format!("the API server refuses its status: {reason}");
                self.problems.raise(&object, "write-failed", "", message, now);
            }
        }
    }

    /// Finds what each budget is about, among the payers that are known.
    fn match_budgets(&mut self) {
        for good in self.budgets.entries.values_mut().filter_map(|entry| entry.good.as_mut()) {
            let (mut spaces, mut workloads) = (BTreeSet::new(), BTreeSet::new());
            // A payer of a namespace that is gone, or of none, such as `__overhead__`, is no space.
            for payer in &self.attributions {
                if self.spaces.contains_key(&payer.namespace) && good.spec.selector.matches(payer) {
                    spaces.insert(&payer.space);
                    workloads.extend(&payer.workload);
                }
            }
            good.matched = Matched {
                spaces: spaces.len(),
                workloads: workloads.len(),
                names: spaces.into_iter().take(NAMES).map(Arc::clone).collect(),
            };
        }
    }

    /// All budgets at `now`, by name; `hours` are those of the ledger's view.
    pub(super) fn budget_views(&mut self, hours: &[Arc<Hour>], now: Instant) -> Vec<BudgetView> {
        if self.budgets.entries.is_empty() {
            return Vec::new();
        }
        let until = self.closed_until();
        let open = hours.partition_point(|hour| hour.start < until);
        let open: Vec<HourPayers<'_>> = hours[open..].iter().map(|hour| HourPayers::of(hour)).collect();
        let mut views: Vec<BudgetView> = self
            .budgets
            .entries
            .iter_mut()
            .filter_map(|(uid, entry)| {
                let good = entry.good.as_mut()?;
                let (name, problem) = (Arc::clone(&entry.name), entry.problem.clone());
                let status = good.assess(&open, now);
                let spec = Arc::clone(&good.spec);
                Some(BudgetView { name, uid: Arc::clone(uid), spec, status, problem })
            })
            .collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }
}

impl Good {
    fn assess(&mut self, open: &[HourPayers<'_>], now: Instant) -> BudgetStatus {
        let (version, hour) = (self.book.version(), now.hour());
        let past = match self.past.take() {
            Some((v, h, past)) if (v, h) == (version, hour) => past,
            _ => Past::of(&self.book, &self.spec, self.zone, now),
        };
        let open: Vec<HourSum> = open.iter().map(|hour| hour.sum(&self.spec.selector, self.zone)).collect();
        let status = assess(&self.spec, self.zone, (&self.book, &past), &open, self.matched.clone(), now);
        self.past = Some((version, hour, past));
        status
    }
}

/// Whether what is written says the same but for cents: every write is a request, and money grows all the time.
fn is_near(written: &BudgetReport, new: &BudgetReport) -> bool {
    let (Some(a), Some(b)) = (&written.status, &new.status) else { return written == new };
    let close = |a: PicoUsd, b: PicoUsd, steps| (a.0 - b.0).abs() * steps < new_amount(new);
    let same_words = {
        let quiet = |status: &BudgetStatus| {
            let mut status = status.clone();
            status.spent = PicoUsd(0);
            status.percent = 0;
            status.pace_percent = None;
            status.forecast.expected = PicoUsd(0);
            status.forecast.low = PicoUsd(0);
            status.forecast.high = PicoUsd(0);
            // To the day: hours move with every cent.
            status.forecast.breach = status.forecast.breach.map(|at| Instant(at.0 / Millis::DAY.0));
            // The reason counts hours.
            status.forecast.reason = "".into();
            status
        };
        quiet(a) == quiet(b)
    };
    (written.generation, &written.problem) == (new.generation, &new.problem)
        && same_words
        && close(a.spent, b.spent, SPENT_STEPS)
        && close(a.forecast.expected, b.forecast.expected, FORECAST_STEPS)
        && close(a.forecast.low, b.forecast.low, FORECAST_STEPS)
        && close(a.forecast.high, b.forecast.high, FORECAST_STEPS)
}

fn new_amount(report: &BudgetReport) -> i128 {
    report.status.as_ref().map_or(0, |status| status.amount.0)
}
