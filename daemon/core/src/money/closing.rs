//! How the ledger closes hours: what is settled, what is to be written, what comes late.

use std::sync::Arc;

use super::{Correction, Hour, Hours, Ledger, OPEN_FOR};
use crate::units::{Instant, Millis, Window};

/// While the history cannot be changed, so many corrections wait for it.
const MOST_OWED: usize = 10_000;

impl Ledger {
    /// Settles up to [`OPEN_FOR`] before `now`, traffic up to two scrapes before that. An earlier `now` than before
    /// changes nothing.
    pub fn settle(&mut self, now: Instant) {
        let horizon = now - OPEN_FOR;
        if horizon > self.settled {
            self.settled = horizon;
        }
        for node in self.nodes.values_mut() {
            node.settle(horizon, self.hold_forward, &mut self.hours);
        }
        self.nodes.retain(|_, node| !node.is_finished());
        self.flat.close(self.settled, self.traffic_waits(), &mut self.hours);
        self.savings.count(self.cluster_price, now, &mut self.hours);
        self.mark_gaps();
        self.hours.trim();
    }

    /// A history is kept: closed hours stay here until [`Self::written`] says that they are in it.
    pub fn keep_until_written(&mut self) {
        self.hours.keep_until_written();
    }

    /// Closed hours that are not in the history yet, or are there as they were before a correction.
    pub fn unwritten(&self) -> Vec<Arc<Hour>> {
        self.hours.unwritten(self.settled)
    }

    /// These hours are in the history now.
    pub fn written(&mut self, hours: &[Arc<Hour>]) {
        self.hours.written(hours);
    }

    /// The daemon was not running in this time: rows of it are marked.
    pub fn gap(&mut self, gap: Window) {
        if !gap.is_empty() {
            self.gaps.push(gap);
        }
    }

    /// Marks the rows of closed hours that lie in a gap; a gap that is closed all over is forgotten.
    fn mark_gaps(&mut self) {
        for gap in &self.gaps {
            self.hours.mark(*gap);
        }
        let closed = self.closed();
        self.gaps.retain(|gap| gap.end > closed);
    }

    /// The hours that are closed, as far as they are kept.
    pub const fn hours(&self) -> &Hours {
        &self.hours
    }

    /// Up to here time is settled: hours that end by then do not change any more, corrections apart.
    pub const fn settled(&self) -> Instant {
        self.settled
    }

    /// Hours that end by then are closed with all that is on them: their traffic too, which comes later.
    pub fn closed(&self) -> Instant {
        (self.settled - self.traffic_waits()).hour().max(self.start.hour())
    }

    /// So much longer than the rest traffic stays open. Its counters are told with the scrape that ends their
    /// interval, and that may be a whole interval after the end of an hour that lies in it.
    const fn traffic_waits(&self) -> Millis {
        self.hold_forward
    }

    /// How many facts came after their time was settled.
    pub const fn late_facts(&self) -> u64 {
        self.late_facts
    }

    /// How many corrections are lost, since their hours are neither here nor in a history that could take them.
    pub const fn late_lost(&self) -> u64 {
        self.late_lost
    }

    pub(super) fn correct(&mut self, corrections: Vec<Correction>) {
        self.late_facts += u64::from(!corrections.is_empty());
        for correction in corrections {
            let Some(owed) = self.hours.correct(correction) else { continue };
            if self.hours.is_kept() && self.owed.len() < MOST_OWED {
                self.owed.push(Arc::new(owed));
            } else {
                self.late_lost += 1;
            }
        }
    }

    /// Corrections of hours that are in the history alone, in the order in which they are to be made there.
    pub fn owed(&self) -> Vec<Arc<Correction>> {
        self.owed.clone()
    }

    /// These corrections are dealt with; of them, `lost` could not be made, since their hours are too old.
    pub fn corrected(&mut self, done: &[Arc<Correction>], lost: u64) {
        self.owed.retain(|owed| !done.iter().any(|done| Arc::ptr_eq(owed, done)));
        self.late_lost += lost;
    }

    /// From here on all closed hours are here; those before are in the history alone, if one is kept.
    pub const fn whole_from(&self) -> Instant {
        self.hours.whole_from()
    }

    /// Whether a history is kept.
    pub const fn is_kept(&self) -> bool {
        self.hours.is_kept()
    }
}
