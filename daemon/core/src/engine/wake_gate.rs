//! Wakes under way: which may go now, which wait for what comes before them, and whether those that went stay awake.
//!
//! Nothing of this has to survive: what waits still carries its mark, and what was woken by an earlier life and is not
//! ready yet is counted from the first list on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::machine::WorkloadEntry;
use super::{Action, Engine, Severity, Subject};
use crate::cluster::{Size, Workload, WorkloadKey};
use crate::sleep::wake_order::{self, Rising};
use crate::sleep::{Decision, Restored, Step, WorkloadPatch, restore};
use crate::units::{Instant, Millis};

/// So long after a wake a workload is watched: whether it stays awake, whether it gets ready.
const WATCHED_FOR: Millis = Millis::from_minutes(5);
/// So often in this time it is restored again when somebody turns it down.
const RESTORED: u8 = 3;

/// A workload that was woken a short while ago.
#[derive(Debug)]
struct Woken {
    /// When it was written; by the answer, once that came.
    at: Instant,
    /// What it was woken to; `None` for what an earlier life woke.
    to: Option<Restored>,
    /// Its pods.
    pods: u32,
    /// The answer to the write came.
    written: bool,
    /// It was ready once since.
    ready: bool,
    /// How often it was restored.
    restored: u8,
    /// It was turned down once too often, and a person told.
    told: bool,
}

/// Where a wake stands in the order: rank of its space, space, rank in it, workload.
type Place = (i32, Arc<str>, i32, WorkloadKey);

/// The wakes under way.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    woken: BTreeMap<WorkloadKey, Woken>,
    /// Wakes that wait for others' pods to be ready, with their own pods.
    queue: BTreeMap<Place, u32>,
    /// Those of them that go now.
    admitted: BTreeSet<WorkloadKey>,
}

impl Wakes {
    /// A space is looked at: what of it waits is found anew.
    pub(super) fn look_anew(&mut self, space: &Arc<str>) {
        // Mostly nothing waits; if something does, its place tells no space before its rank.
        self.queue.retain(|(_, of, ..), _| of != space);
    }

    /// It is gone, or another one has taken its name.
    pub(super) fn forget(&mut self, key: &WorkloadKey) {
        self.woken.remove(key);
        self.admitted.remove(key);
    }

    /// The write of a wake was answered.
    pub(super) fn written(&mut self, key: &WorkloadKey, now: Instant) {
        if let Some(woken) = self.woken.get_mut(key) {
            if woken.written {
                woken.restored = woken.restored.saturating_add(1);
            } else {
                woken.written = true;
                woken.at = now;
            }
        }
    }

    /// The watch shows a workload.
    pub(super) fn saw(&mut self, entry: &WorkloadEntry, first: bool, now: Instant) {
        let key = &entry.workload.key;
        let up = !entry.workload.size.is_down() && !entry.is_marked();
        if let Some(woken) = self.woken.get_mut(key) {
            woken.ready |= up && is_ready(&entry.workload);
        } else if first && up && !is_ready(&entry.workload) {
            let pods = wanted(&entry.workload);
            let woken =
                Woken { at: now, to: None, pods, written: true, ready: false, restored: 0, told: false };
            self.woken.insert(key.clone(), woken);
        }
    }
}

/// Pods that a workload wants now.
fn wanted(workload: &Workload) -> u32 {
    match workload.size {
        Size::Replicas(replicas) => replicas,
        Size::Suspended(_) => 0,
        Size::Off(_) => workload.wanted_pods.unwrap_or(0),
    }
}

/// Whether all its pods are ready.
pub(super) fn is_ready(workload: &Workload) -> bool {
    match workload.size {
        Size::Replicas(wanted) => workload.ready_replicas >= wanted,
        Size::Suspended(_) => true,
        Size::Off(_) => {
            !workload.rolling_out
                && workload.wanted_pods.is_none_or(|wanted| workload.ready_replicas >= wanted)
        }
    }
}

impl Engine {
    /// The rank of a workload in its space.
    fn rank_of(entry: &WorkloadEntry) -> i32 {
        let own = entry.wishes.as_ref().and_then(|wishes| wishes.wake_order);
        own.unwrap_or_else(|| wake_order::default_rank(&entry.workload.key.kind))
    }

    fn nodes_counted(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX).max(1)
    }

    /// What of a space is woken now, or about to be.
    fn rising(&self, space: &Arc<str>, of_space: &Decision, now: Instant) -> Vec<Rising> {
        let rising = self.workloads_in(space).filter_map(|(key, entry)| {
            let woken = self.wakes.woken.get(key).filter(|woken| !woken.ready);
            let is_rising = if entry.is_marked() {
                let decision = self.decide_within(of_space, key, entry, now);
                let workload = &entry.workload;
                let restored =
                    entry.original().and_then(|o| o.restored(workload.size, workload.switch.as_deref()));
                let changes = restored.is_some_and(|r| r.size != workload.size || !r.fields.is_empty());
                changes && !decision.asleep && !decision.hands_off
            } else {
                woken.is_some() && !entry.workload.size.is_down()
            };
            let (rank, since) = (Self::rank_of(entry), woken.map(|woken| woken.at));
            is_rising.then(|| Rising { rank, key: key.clone(), since })
        });
        rising.collect()
    }

    /// Whether a wake goes now; else says when to look again although nothing happens. `of_space` and `decision` are what
    /// should be with the space and the workload; `rising` is found once a look, where it is needed at all.
    pub(super) fn may_wake(
        &mut self,
        patch: &WorkloadPatch,
        (of_space, decision): (&Decision, &Decision),
        rising: &mut Option<Vec<Rising>>,
        now: Instant,
    ) -> Result<(), Option<Instant>> {
        let key = &patch.target;
        let gate = self.settings.sleep.wake_gate;
        let Some(entry) = self.workloads.get(key) else { return Ok(()) };
        // What was woken already is under way, and what only loses its marks brings no pods.
        let under_way = self.wakes.woken.get(key).is_some_and(|woken| woken.to.is_some());
        if gate <= Millis(0) || under_way || (patch.size.is_none() && patch.fields.is_empty()) {
            return Ok(());
        }
        let rank = Self::rank_of(entry);
        let rising = rising.get_or_insert_with(|| self.rising(&key.namespace, of_space, now));
        if let Some(wait) = wake_order::wait(rank, rising, gate, now) {
            let (message, until) = (format!("{key} {wait}"), wait.until);
            self.note_waiting(key, &message);
            return Err(until);
        }
        let pods =
            wake_order::pods_of(&entry.workload, &restored_by(patch, &entry.workload), self.nodes_counted());
        let per_node = self.settings.sleep.wake_pods_per_node;
        let people = decision.policy.ends_with("keep-awake-until");
        if per_node == 0 || pods == 0 || people || self.wakes.admitted.remove(key) {
            return Ok(());
        }
        let order = self.spaces.get(&key.namespace).and_then(|space| space.wishes.wake_order);
        let place =
            (order.unwrap_or(wake_order::DEFAULT_RANK), Arc::clone(&key.namespace), rank, key.clone());
        self.wakes.queue.insert(place, pods);
        let message = format!(
            "{key} waits for pods that were woken before it to be ready: at most {per_node} for each node are woken at once"
        );
        self.note_waiting(key, &message);
        Err(None)
    }

    /// What waits is shown, and nobody is told: it ends by itself.
    fn note_waiting(&mut self, key: &WorkloadKey, message: &str) {
        let Some(entry) = self.workloads.get_mut(key) else { return };
        if entry.refusal.as_deref() != Some(message) {
            entry.refusal = Some(message.into());
        }
    }

    /// Lets those go that fit now, in order: nobody overtakes, so that a large one is not passed over for ever. Their
    /// spaces are to be looked at; `false` if there are none.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        self.wakes.admitted.clear();
        if self.wakes.queue.is_empty() {
            return false;
        }
        let most = self.settings.sleep.wake_pods_per_node.saturating_mul(self.nodes_counted());
        let (mut under_way, next) = self.pods_under_way(now);
        while let Some(first) = self.wakes.queue.first_entry() {
            let pods = *first.get();
            if under_way > 0 && under_way.saturating_add(pods) > most {
                let space = Arc::clone(&first.key().1);
                self.due.extend(next.map(|at| (at, space)));
                break;
            }
            under_way = under_way.saturating_add(pods);
            let (_, space, _, key) = first.remove_entry().0;
            self.wakes.admitted.insert(key);
            self.dirty.insert(space);
        }
        !self.wakes.admitted.is_empty()
    }

    /// Pods that were woken and are not ready, and when the first of them have had their time.
    fn pods_under_way(&self, now: Instant) -> (u32, Option<Instant>) {
        let gate = self.settings.sleep.wake_gate;
        let (mut pods, mut next) = (0_u32, None::<Instant>);
        for (key, woken) in self.wakes.woken.iter().filter(|(_, w)| !w.ready && now < w.at + gate) {
            let entry = self.workloads.get(key);
            let ready = entry.filter(|e| !e.is_marked() && !e.workload.size.is_down());
            let left = woken.pods.saturating_sub(ready.map_or(0, |e| e.workload.ready_replicas));
            pods = pods.saturating_add(left);
            next = Some(next.map_or(woken.at + gate, |at| at.min(woken.at + gate)));
        }
        (pods, next)
    }

    /// A wake is written.
    pub(super) fn waking(&mut self, patch: &WorkloadPatch, now: Instant) {
        let Some(entry) = self.workloads.get(&patch.target) else { return };
        if patch.size.is_none() && patch.fields.is_empty() {
            return;
        }
        // One that is tried again, or restored, is the same wake.
        let again = self.wakes.woken.get(&patch.target);
        if again.is_some_and(|woken| woken.to.is_some() && (!woken.written || patch.annotations.is_empty())) {
            return;
        }
        let to = restored_by(patch, &entry.workload);
        let pods = wake_order::pods_of(&entry.workload, &to, self.nodes_counted());
        let woken =
            Woken { at: now, to: Some(to), pods, written: false, ready: false, restored: 0, told: false };
        self.wakes.woken.insert(patch.target.clone(), woken);
    }

    /// Watches a workload for some minutes after its wake: restores it again if somebody turns it down, and says so if it
    /// does not get ready. Gives when to look again.
    pub(super) fn follow_wake(
        &mut self,
        key: &WorkloadKey,
        decision: &Decision,
        step: Step,
        now: Instant,
    ) -> (Step, Option<Instant>) {
        let (Some(woken), Some(entry)) = (self.wakes.woken.get_mut(key), self.workloads.get(key)) else {
            return (step, None);
        };
        let workload = &entry.workload;
        let Some(to) = &woken.to else {
            let ends = woken.at + self.settings.sleep.wake_gate;
            if woken.ready || now >= ends || workload.size.is_down() {
                self.wakes.woken.remove(key);
                return (step, None);
            }
            return (step, Some(ends));
        };
        if decision.asleep || decision.hands_off {
            self.end_watch(key);
            return (step, None);
        }
        if entry.is_marked() {
            // Not written yet; the errand tries again. Nobody waits for it longer than that.
            return (step, Some(woken.at + self.settings.sleep.wake_gate).filter(|&at| at > now));
        }
        let ends = woken.at + WATCHED_FOR;
        let object = key.to_string();
        if workload.size.is_down() {
            if woken.restored >= RESTORED {
                if !woken.told {
                    woken.told = true;
                    let at = woken.at;
                    self.tell_turned_down(key, at, now);
                }
                return (step, None);
            }
            if now < ends && step == Step::Nothing {
                return (Step::Wake(restore(workload, to, now)), Some(ends));
            }
            self.end_watch(key);
            return (step, None);
        }
        if std::mem::take(&mut woken.told) {
            self.problems.clear_detail(&object, "fight", "wake");
        }
        if now < ends {
            // Others may go before, if it takes too long.
            let gate = Some(woken.at + self.settings.sleep.wake_gate).filter(|&at| at > now && !woken.ready);
            return (step, gate.into_iter().chain([ends]).min());
        }
        if is_ready(workload) {
            self.end_watch(key);
        } else {
            let minutes = WATCHED_FOR.0 / Millis::MINUTE.0;
            let (ready, wanted) = (workload.ready_replicas, wanted(workload));
            let at = woken.at;
            let message = format!(
                "{key} was woken at {at} and is not ready {minutes} minutes later: {ready} of {wanted} pods are; see its pods' events"
            );
            self.problems.raise(&object, "wake-slow", "", message, now);
        }
        (step, None)
    }

    /// It sleeps again, or all is well.
    fn end_watch(&mut self, key: &WorkloadKey) {
        self.wakes.woken.remove(key);
        let object = key.to_string();
        self.problems.clear_detail(&object, "wake-slow", "");
        self.problems.clear_detail(&object, "fight", "wake");
    }

    fn tell_turned_down(&mut self, key: &WorkloadKey, woken: Instant, now: Instant) {
        let Some(entry) = self.workloads.get(key) else { return };
        let owner = crate::sleep::GitOpsOwner::of(&entry.workload.labels, &entry.workload.annotations);
        let whose = owner.map(|owner| format!(" The {owner} owns it.")).unwrap_or_default();
        let message = format!(
            "{key} was woken at {woken}, and somebody has turned it down again {} times since; it is left as it is.{whose} Scale it by hand, and see what turns it down: an autoscaler or a GitOps tool that had seen it asleep",
            u32::from(RESTORED) + 1
        );
        let subject = Subject::Workload { key: key.clone(), uid: Arc::clone(&entry.workload.uid) };
        self.counters.fights += 1;
        if self.problems.raise(&key.to_string(), "fight", "wake", message.clone(), now) {
            let note = message.into();
            self.out.push(Action::Announce { subject, severity: Severity::Warning, reason: "Fight", note });
        }
    }
}

fn restored_by(patch: &WorkloadPatch, workload: &Workload) -> Restored {
    Restored { size: patch.size.unwrap_or(workload.size), fields: patch.fields.clone() }
}
