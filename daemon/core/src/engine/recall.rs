//! What budgets have to be told of hours that are in the history alone: those before a restart, those that memory has
//! no room for any more, those that were corrected there.
//!
//! The engine reads no files. It says what it wants to know, once, and goes on; the answer comes as an event.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::Engine;
use crate::advice::budget::{HOURS_KEPT, HourSum, Selector};
use crate::units::{Instant, Millis, Window};

/// So long nothing is written on a budget whose past is being read: a forecast without it says little.
const PATIENCE: Millis = Millis::from_minutes(2);

/// Hours that a budget wants to be told of, as [`Event::BudgetHistory`](super::Event::BudgetHistory).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetPast {
    /// The budget's UID.
    pub uid: Arc<str>,
    /// Whose money.
    pub selector: Selector,
    /// In whose calendar.
    pub zone: Tz,
    /// The hours, at most eight weeks of them.
    pub hours: Window,
    /// From here on hours were counted without a break: one that the history does not have cost nothing.
    pub counted_from: Instant,
}

/// What is to be asked for.
#[derive(Debug, Default)]
pub(super) struct Recall {
    hours: BTreeMap<Arc<str>, Window>,
}

impl Recall {
    fn add(&mut self, uid: &Arc<str>, hours: Window) {
        let known = self.hours.entry(Arc::clone(uid)).or_insert(hours);
        *known = Window::new(known.start.min(hours.start), known.end.max(hours.end));
    }
}

impl Engine {
    /// What budgets want to be told of the history; each question is asked once.
    pub fn forgotten(&mut self) -> Vec<BudgetPast> {
        let asked = std::mem::take(&mut self.budgets.recall.hours);
        asked
            .into_iter()
            .filter_map(|(uid, hours)| {
                let good = self.budgets.good(&uid)?;
                let (selector, zone) = (good.spec.selector.clone(), good.zone);
                Some(BudgetPast { uid, selector, zone, hours, counted_from: self.settings.start })
            })
            .collect()
    }

    /// A budget is new, or about somebody else: what it paid for before is in the history, if one is kept.
    pub(super) fn recall_all(&mut self, uid: &Arc<str>, now: Instant) {
        if !self.ledger.is_kept() {
            return;
        }
        let end = self.ledger.whole_from().max(self.settings.start.hour());
        let start = now.hour() - Millis::from_hours(HOURS_KEPT);
        if start < end {
            self.budgets.recall.add(uid, Window::new(start, end));
            if let Some(good) = self.budgets.good_mut(uid) {
                good.waits_until = Some(now + PATIENCE);
            }
        }
    }

    /// An hour of the history is other than it was.
    pub(super) fn recall_hour(&mut self, start: Instant) {
        if !self.ledger.is_kept() {
            return;
        }
        let uids: Vec<Arc<str>> = self.budgets.uids().map(Arc::clone).collect();
        for uid in &uids {
            self.budgets.recall.add(uid, Window::new(start, start.next_hour()));
        }
    }

    /// The answer. Of an hour that is in the history alone that is what holds; else what is known already stays.
    pub(super) fn budget_history(&mut self, uid: &str, hours: Vec<HourSum>, now: Instant) {
        let (until, kept_from) = (self.closed_until(), self.ledger.whole_from());
        if let Some(good) = self.budgets.good_mut(uid) {
            let (old, new): (Vec<_>, Vec<_>) =
                hours.into_iter().filter(|hour| hour.start < until).partition(|hour| hour.start < kept_from);
            for hour in old {
                good.book.closed(hour);
            }
            good.book.seed(new);
            good.waits_until = None;
            self.budgets.look_soon(now);
        }
    }
}
