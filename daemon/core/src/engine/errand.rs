//! The writes to one object: one at a time, on a picture that shows the last one, with growing pauses after failures.

use std::sync::Arc;

use super::ActionId;
use crate::units::{Instant, Millis};

/// After this long without an answer an action counts as lost, and its object is looked at again.
pub(super) const LOST_AFTER: Millis = Millis::from_secs(60);
/// The first pause after a failed write; it doubles with each further failure.
const FIRST_PAUSE: Millis = Millis::from_secs(1);
/// The longest pause after failed writes that nobody waits for.
pub(super) const LONGEST_PAUSE: Millis = Millis::from_minutes(5);
/// The longest pause after failed writes that somebody may be waiting for: a space that stays asleep because the API
/// server was slow is what people do not forgive.
pub(super) const LONGEST_PAUSE_WAITED_FOR: Millis = Millis::from_secs(15);

/// The state of the writes to one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Errand {
    in_flight: Option<(ActionId, Instant)>,
    /// Version and time of the last write, until the watch shows it.
    written: Option<(Arc<str>, Instant)>,
    not_before: Option<Instant>,
    conflicted: bool,
    failures: u32,
}

impl Errand {
    /// Whether a write may start now.
    pub(super) fn is_free(&self, now: Instant) -> bool {
        self.free_at().is_none_or(|at| at <= now)
    }

    /// From when on a write may start, if something stands against it.
    pub(super) fn free_at(&self) -> Option<Instant> {
        let in_flight = self.in_flight.map(|(_, since)| since + LOST_AFTER);
        let written = self.written.as_ref().map(|&(_, since)| since + LOST_AFTER);
        in_flight.max(written).max(self.not_before)
    }

    /// A write starts. Gives the one before it, if that was lost.
    pub(super) fn start(&mut self, id: ActionId, now: Instant) -> Option<ActionId> {
        self.conflicted = false;
        self.in_flight.replace((id, now)).map(|(lost, _)| lost)
    }

    /// An answer came. `false` if it is to a write that was taken for lost meanwhile.
    pub(super) fn answered(&mut self, id: ActionId) -> bool {
        let ours = self.in_flight.is_some_and(|(pending, _)| pending == id);
        if ours {
            self.in_flight = None;
        }
        ours
    }

    /// The write was done and made this version of the object; `seen` is the version that the watch has shown.
    pub(super) fn done(&mut self, version: Arc<str>, seen: &str, now: Instant) {
        self.failures = 0;
        self.not_before = None;
        self.written = (!is_shown(&version, seen)).then_some((version, now));
    }

    /// Somebody changed the object in between: wait for the watch to show it.
    pub(super) fn conflict(&mut self, now: Instant, longest: Millis) {
        self.pause(now, None, longest);
        self.conflicted = true;
    }

    /// Wait before the next try: at most so long, unless the server asks for more.
    pub(super) fn pause(&mut self, now: Instant, at_least: Option<Millis>, longest: Millis) {
        let doubled = FIRST_PAUSE.0.saturating_mul(1 << self.failures.min(10));
        let pause = Millis(doubled).min(longest).max(at_least.unwrap_or_default());
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + pause);
    }

    /// How many writes failed in a row.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// The watch shows this version of the object.
    pub(super) fn saw(&mut self, version: &str) {
        if self.written.as_ref().is_some_and(|(written, _)| is_shown(written, version)) {
            self.written = None;
        }
        if std::mem::take(&mut self.conflicted) {
            self.not_before = None;
        }
    }
}

/// Whether a watch that shows `seen` has shown `written`. Resource versions of one kind are numbers that grow; for an
/// API server whose are not, any other version counts as newer, and a stale picture costs a conflict at worst.
fn is_shown(written: &str, seen: &str) -> bool {
    match (written.parse::<u64>(), seen.parse::<u64>()) {
        (Ok(written), Ok(seen)) => seen >= written,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(0);

    #[test]
    fn next_write_waits_until_the_watch_shows_the_last() {
        let mut errand = Errand::default();
        errand.start(ActionId(1), NOW);
        assert!(!errand.is_free(NOW));
        assert!(errand.answered(ActionId(1)));
        errand.done("12".into(), "9", NOW);
        assert!(!errand.is_free(NOW));
        errand.saw("11");
        assert!(!errand.is_free(NOW));
        errand.saw("12");
        assert!(errand.is_free(NOW));
    }

    #[test]
    fn watch_that_was_faster_than_the_answer_is_no_reason_to_wait() {
        let mut errand = Errand::default();
        errand.start(ActionId(1), NOW);
        assert!(errand.answered(ActionId(1)));
        errand.done("12".into(), "13", NOW);
        assert!(errand.is_free(NOW));
    }

    #[test]
    fn lost_answer_blocks_for_a_minute_only() {
        let mut errand = Errand::default();
        errand.start(ActionId(1), NOW);
        assert_eq!(errand.free_at(), Some(NOW + LOST_AFTER));
        assert_eq!(errand.start(ActionId(2), NOW + LOST_AFTER), Some(ActionId(1)));
        assert!(!errand.answered(ActionId(1)), "the late answer to a lost write");
        assert!(errand.answered(ActionId(2)));
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_respect_what_the_server_asks() {
        let mut errand = Errand::default();
        let mut pauses = Vec::new();
        for _ in 0..11 {
            errand.pause(NOW, None, LONGEST_PAUSE);
            pauses.push(errand.free_at().unwrap().0 / 1_000);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        let mut errand = Errand::default();
        errand.pause(NOW, Some(Millis::MINUTE), LONGEST_PAUSE_WAITED_FOR);
        assert_eq!(errand.free_at(), Some(NOW + Millis::MINUTE));
        for _ in 0..11 {
            errand.pause(NOW, None, LONGEST_PAUSE_WAITED_FOR);
        }
        assert_eq!(errand.free_at(), Some(NOW + LONGEST_PAUSE_WAITED_FOR));
    }

    #[test]
    fn conflict_waits_for_the_newer_object_only() {
        let mut errand = Errand::default();
        errand.conflict(NOW, LONGEST_PAUSE);
        assert!(!errand.is_free(NOW));
        errand.saw("14");
        assert!(errand.is_free(NOW));
    }
}
