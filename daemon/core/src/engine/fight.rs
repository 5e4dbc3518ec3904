//! Two hands on one size: what becomes of a sleep that somebody undoes again and again. Put to sleep again a few times,
//! then left alone for longer and longer.

use std::collections::BTreeMap;

use super::Engine;
use crate::cluster::WorkloadKey;
use crate::sleep::{Decision, GitOpsOwner, Step};
use crate::units::{Instant, Millis};

/// So often within [`WITHIN`] a sleep that was undone is put right.
const TRIES: usize = 3;
/// The time within which undone sleeps count together.
const WITHIN: Millis = Millis::from_minutes(30);
/// How long it is left alone first; each further time twice as long.
const FIRST_PAUSE: Millis = Millis::from_hours(1);
/// The longest time it is left alone.
const LONGEST_PAUSE: Millis = Millis::from_hours(24);

/// The sleeps of one workload that somebody has undone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Fight {
    /// The newest that were put right.
    recent: Vec<Instant>,
    /// The first.
    since: Option<Instant>,
    /// All of them.
    count: u32,
    /// How often it was left alone.
    pauses: u32,
    /// Until when it is left alone.
    until: Option<Instant>,
    /// The last time anything happened: undone, or taken up again after a pause.
    last: Option<Instant>,
}

impl Fight {
    /// Somebody has undone the sleep. Whether that is no longer put right, for now.
    fn undone(&mut self, now: Instant) -> bool {
        self.since.get_or_insert(now);
        self.count = self.count.saturating_add(1);
        self.recent.retain(|&at| now.since(at) <= WITHIN);
        self.last = Some(now);
        if self.pauses == 0 && self.recent.len() < TRIES {
            self.recent.push(now);
            return false;
        }
        let pause = Millis(FIRST_PAUSE.0.saturating_mul(1 << self.pauses.min(5))).min(LONGEST_PAUSE);
        self.pauses = self.pauses.saturating_add(1);
        self.recent.clear();
        self.until = Some(now + pause);
        self.last = self.until;
        true
    }

    /// Until when it is left alone, if it is.
    fn left_until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|&until| now < until)
    }

    /// When it counts as settled, should nobody undo it until then.
    fn settled_at(&self) -> Instant {
        self.last.unwrap_or_default() + WITHIN
    }

    /// What a person has to know, and what to do.
    fn tell(
        &self,
        key: &WorkloadKey,
        policy: &str,
        until: Instant,
        owner: Option<GitOpsOwner<'_>>,
    ) -> String {
        let since = self.since.unwrap_or_default();
        let times = self.count;
        let (whose, remedy) = match owner {
            Some(owner) => (format!(" The {owner} owns it."), owner.remedy()),
            None => (String::new(), "let what restores its size ignore the replicas field"),
        };
        format!(
            "{key} should sleep by {policy}, but somebody has undone that {times} times since {since}; it is left alone until {until}.{whose} Exclude it from sleep, or {remedy}"
        )
    }
}

/// All fights; few workloads have one.
pub(super) type Fights = BTreeMap<WorkloadKey, Fight>;

impl Engine {
    /// Counts sleeps that somebody has undone, and leaves alone what is undone too often. Gives when to look again.
    pub(super) fn judge_undoing(
        &mut self,
        key: &WorkloadKey,
        decision: &Decision,
        step: Step,
        now: Instant,
    ) -> (Step, Option<Instant>) {
        let Some(entry) = self.workloads.get_mut(key) else { return (step, None) };
        let down = entry.workload.size.is_down();
        let undone = decision.asleep && !decision.hands_off && entry.slept && !down;
        if undone || !decision.asleep {
            entry.slept = false;
        }
        if undone && self.fights.entry(key.clone()).or_default().undone(now) {
            self.counters.fights += 1;
        }
        let Some(fight) = self.fights.get(key) else { return (step, None) };
        if !decision.asleep {
            // What is to be awake is fought over by nobody; how it went before is remembered for a day.
            if now >= fight.settled_at() + LONGEST_PAUSE {
                self.fights.remove(key);
            }
            self.problems.clear_detail(&key.to_string(), "fight", "sleep");
            return (step, None);
        }
        if down {
            let settled = fight.settled_at();
            if now < settled {
                return (step, Some(settled));
            }
            self.fights.remove(key);
            self.problems.clear_detail(&key.to_string(), "fight", "sleep");
            return (step, None);
        }
        let Some(until) = fight.left_until(now) else { return (step, None) };
        if !matches!(step, Step::Sleep(_) | Step::Refused(..)) {
            return (step, Some(until));
        }
        let Some(entry) = self.workloads.get(key) else { return (step, None) };
        let owner = GitOpsOwner::of(&entry.workload.labels, &entry.workload.annotations);
        let message = fight.tell(key, &decision.policy, until, owner);
        (Step::Refused("fight", message), Some(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(of: i64) -> Instant {
        Instant(0) + Millis::from_minutes(of)
    }

    #[test]
    fn is_put_right_three_times_and_then_left_alone_for_longer_and_longer() {
        let mut fight = Fight::default();
        assert_eq!([0, 10, 20].map(|at| fight.undone(minutes(at))), [false; 3]);
        let mut pauses = Vec::new();
        let mut now = minutes(30);
        for _ in 0..7 {
            assert!(fight.undone(now));
            let until = fight.left_until(now).unwrap();
            assert_eq!(fight.left_until(until), None, "then it is tried once");
            pauses.push(until.since(now).0 / Millis::from_hours(1).0);
            now = until + Millis::from_minutes(10);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 24, 24]);
    }

    #[test]
    fn slow_undoing_is_put_right_each_time() {
        let mut fight = Fight::default();
        assert_eq!([0, 16, 32, 48, 64].map(|at| fight.undone(minutes(at))), [false; 5]);
        assert_eq!(fight.settled_at(), minutes(94));
    }

    #[test]
    fn message_names_what_how_often_since_when_until_when_and_what_to_do() {
        let key = WorkloadKey {
            namespace: "shop".into(),
            kind: crate::cluster::WorkloadKind::Deployment,
            name: "web".into(),
        };
        let mut fight = Fight::default();
        let _ = [0, 1, 2, 3].map(|at| fight.undone(minutes(at)));
        let owner = GitOpsOwner { kind: "Flux Kustomization", name: "apps" };
        let until = fight.left_until(minutes(3)).unwrap();
        assert_eq!(
            fight.tell(&key, "namespace uptime", until, Some(owner)),
            "Deployment shop/web should sleep by namespace uptime, but somebody has undone that 4 times since 1970-01-01T00:00:00Z; it is left alone until 1970-01-01T01:03:00Z. The Flux Kustomization apps owns it. Exclude it from sleep, or leave the replicas field out of what Flux applies"
        );
    }
}
