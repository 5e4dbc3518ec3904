//! What will happen next, and when: the first instant at which another thing is to be done than now.

use std::sync::Arc;

use serde::Serialize;

use super::{Decision, Levels, Mode, decide};
use crate::units::Instant;

/// Wishes may change behind the one that decides: more of these than within weeks are not followed.
const MOST_STEPS: usize = 100;

/// The next change of what is to be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Upcoming {
    /// When.
    pub at: Instant,
    /// Whether it is to sleep from then on; in mode `observe`, whether that is wished.
    pub asleep: bool,
    /// Where the wish stands that will decide.
    pub policy: Arc<str>,
    /// One sentence.
    pub why: Arc<str>,
}

/// The first change strictly after `now`, as far as wishes tell that are written now; `first` is the decision at `now`.
pub fn upcoming(levels: Levels<'_>, mode: Mode, first: &Decision) -> Option<Upcoming> {
    let done = |decision: &Decision| {
        let asleep = if mode == Mode::Observe { decision.wished } else { decision.asleep };
        (asleep, decision.hands_off)
    };
    let mut next = first.next_change;
    for _ in 0..MOST_STEPS {
        let at = next?;
        let (decision, _) = decide(levels, mode, at);
        if done(&decision) != done(first) {
            let Decision { policy, why, .. } = &decision;
            let (policy, why) = (Arc::clone(policy), Arc::clone(why));
            return Some(Upcoming { at, asleep: done(&decision).0, policy, why });
        }
        next = decision.next_change;
    }
    None
}
