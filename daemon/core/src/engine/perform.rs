//! From decisions to actions, and what becomes of them. Level-triggered: each look compares what should be with what
//! is, so that a lost outcome, a crash or a missed edge only means that the next look finds the same gap again.

use std::sync::Arc;

use super::errand::{LONGEST_PAUSE, LONGEST_PAUSE_WAITED_FOR, LOST_AFTER};
use super::machine::{SpaceEntry, Target};
use super::{Action, ActionId, Engine, Outcome, Severity, Subject};
use crate::cluster::{Size, Workload, WorkloadKey};
use crate::sleep::wake_order::Rising;
use crate::sleep::{
    AnnotationPatch, Asked, Command, CommandError, Decision, MAY_LOSE_DATA, Mark, Step, WorkloadPatch, step,
};
use crate::units::{Instant, Millis};

/// So many failures in a row are worth telling a person; fewer are weather.
const TRIES_BEFORE_PROBLEM: u32 = 4;
/// The pause after the API server refused a write for good: rights or admission may be mended.
pub(super) const REFUSED_PAUSE: Millis = Millis::from_minutes(5);

impl Engine {
    /// Looks at all spaces that something happened to, or whose time has come.
    pub(super) fn look_at_spaces(&mut self, now: Instant) {
        while let Some((at, name)) = self.due.first().cloned() {
            if at > now {
                break;
            }
            self.due.remove(&(at, Arc::clone(&name)));
            self.dirty.insert(name);
        }
        loop {
            for name in std::mem::take(&mut self.dirty) {
                if let Some(at) = self.look_at(&name, now) {
                    self.due.insert((at.max(now + Millis(1)), name));
                }
            }
            if !self.admit(now) {
                return;
            }
        }
    }

    /// Looks at one space; returns when to look again although nothing happens to it.
    fn look_at(&mut self, name: &Arc<str>, now: Instant) -> Option<Instant> {
        self.wakes.look_anew(name);
        let space = self.spaces.get(name)?;
        if space.namespace.terminating {
            return None;
        }
        let by = space.wishes.override_by.clone().or_else(|| space.commanded_by.clone());
        if !space.policies.is_empty() {
            self.policies.look_soon(now);
        }
        let mut again: Vec<Instant> = Vec::new();
        let (decision, wishes) = self.decide_space(name, now)?;
        self.note_foreign(&format!("namespace {name}"), &wishes, now);
        self.foresee(name, &decision, now);
        again.extend(decision.next_change);
        if let Some(at) = self.follow_resume(name, &decision, now) {
            return Some(at);
        }
        let keys: Vec<WorkloadKey> = self.workloads_in(name).map(|(key, _)| key.clone()).collect();
        let left = self.left_to_others(name);
        let mut rising = None;
        for key in keys {
            let left = left.contains(&key);
            again.extend(self.look_at_workload(&key, &decision, left, by.as_ref(), &mut rising, now));
        }
        again.extend(self.delete_synced_pods(name, now));
        again.extend(self.mark_space(name, &decision, now));
        again.into_iter().min()
    }

    fn look_at_workload(
        &mut self,
        key: &WorkloadKey,
        of_space: &Decision,
        left_to_others: bool,
        by: Option<&Arc<str>>,
        rising: &mut Option<Vec<Rising>>,
        now: Instant,
    ) -> Option<Instant> {
        let entry = self.workloads.get(key)?;
        let decision = self.decide_within(of_space, key, entry, now);
        let next = decision.next_change;
        // It sleeps by the hand of what governs it; what carries our own mark is woken all the same.
        if decision.asleep && left_to_others {
            return next;
        }
        self.foresee_within(of_space, key, &decision, now);
        let entry = self.workloads.get(key)?;
        let nightcap: Arc<str> = "nightcap".into();
        let by = by.filter(|_| decision.policy.ends_with("asleep-until")).unwrap_or(&nightcap);
        let workload = &entry.workload;
        // To look through all pods is only worth it when it may be needed.
        let untold = decision.asleep && matches!(workload.size, Size::Off(false));
        let freed = untold.then(|| self.ledger.requests_of(key).into());
        let may_lose_data = self.may_lose_data(workload);
        let asked = Asked { by: Arc::clone(by), freed, may_lose_data };
        let step = step(workload, entry.known.as_deref(), &decision, &asked, &self.settings.sleep, now);
        let step = self.step_of_vcluster(entry, step, now);
        let (step, judged) = self.judge_undoing(key, &decision, step, now);
        let (step, followed) = self.follow_wake(key, &decision, step, now);
        let next = next.into_iter().chain(judged).chain(followed).min();
        let entry = self.workloads.get(key)?;
        if matches!(step, Step::Sleep(_) | Step::Wake(_)) && !entry.errand.is_free(now) {
            return next.into_iter().chain(entry.errand.free_at()).min();
        }
        if let Step::Wake(patch) = &step
            && let Err(until) = self.may_wake(patch, (of_space, &decision), rising, now)
        {
            return next.into_iter().chain(until).min();
        }
        self.note_refusal(key, &step, now);
        match step {
            Step::Nothing | Step::Refused(..) | Step::Lost(_) => next,
            Step::Sleep(patch) => {
                self.announce_losses(key);
                Some(self.write(Target::Sleep(key.clone()), patch, now))
            }
            Step::Wake(patch) => {
                self.waking(&patch, now);
                Some(self.write(Target::Wake(key.clone()), patch, now))
            }
        }
    }

    /// Whether the workload or its namespace says that data of local volumes may go.
    fn may_lose_data(&self, workload: &Workload) -> bool {
        let key = self.settings.sleep.key(MAY_LOSE_DATA);
        let space = self.spaces.get(&workload.key.namespace);
        let all = space.map(|space| &space.namespace.annotations).into_iter().chain([&workload.annotations]);
        all.into_iter().any(|of| of.get(&key).is_some_and(|value| value.eq_ignore_ascii_case("true")))
    }

    /// Who wished this sleep is told what ends with the pods.
    fn announce_losses(&mut self, key: &WorkloadKey) {
        let Some(entry) = self.workloads.get(key).filter(|entry| !entry.workload.local_volumes.is_empty())
        else {
            return;
        };
        let volumes = entry.workload.local_volumes.join(", ");
        let subject = Subject::Workload { key: key.clone(), uid: Arc::clone(&entry.workload.uid) };
        let note =
            format!("{key} is put to sleep; what is in its local volumes ({volumes}) ends with its pods")
                .into();
        self.out.push(Action::Announce {
            subject,
            severity: Severity::Warning,
            reason: "LocalVolumes",
            note,
        });
    }

    fn note_refusal(&mut self, key: &WorkloadKey, step: &Step, now: Instant) {
        let (reason, message) = match step {
            Step::Refused(reason, message) => (*reason, message.clone()),
            Step::Lost(message) => ("original-lost", message.clone()),
            _ => {
                self.problems.clear(&key.to_string(), "original-lost");
                if let Some(entry) = self.workloads.get_mut(key) {
                    entry.refusal = None;
                }
                return;
            }
        };
        let Some(entry) = self.workloads.get_mut(key) else { return };
        if entry.refusal.as_deref() == Some(message.as_str()) {
            return;
        }
        entry.refusal = Some(message.as_str().into());
        let subject = Subject::Workload { key: key.clone(), uid: Arc::clone(&entry.workload.uid) };
        if reason == "original-lost" {
            self.problems.raise(&key.to_string(), reason, "", message.clone(), now);
        }
        if reason == "fight" {
            // Known already, and only hidden for a while behind another reason.
            if !self.problems.raise(&key.to_string(), reason, "sleep", message.clone(), now) {
                return;
            }
            let note = message.into();
            let severity = Severity::Warning;
            self.out.push(Action::Announce { subject, severity, reason: "Fight", note });
            return;
        }
        // What ends by itself is nobody's business.
        if !matches!(reason, "rolling-out" | "running") {
            let note = message.into();
            self.out.push(Action::Announce {
                subject,
                severity: Severity::Warning,
                reason: "SleepRefused",
                note,
            });
        }
    }

    /// Starts a write; returns when to look again should no answer come.
    fn write(&mut self, target: Target, patch: WorkloadPatch, now: Instant) -> Instant {
        let id = self.number(target);
        let lost = self.workloads.get_mut(&patch.target).and_then(|entry| entry.errand.start(id, now));
        self.forget_action(lost);
        self.out.push(Action::Workload { id, patch });
        now + LOST_AFTER
    }

    /// Keeps the mark on the namespace in step. It only informs; the marks of the workloads are the truth.
    fn mark_space(&mut self, name: &Arc<str>, decision: &Decision, now: Instant) -> Option<Instant> {
        let (mut any, mut all) = (false, true);
        let left = self.left_to_others(name);
        for (key, entry) in self.workloads_in(name) {
            if left.contains(key) && !entry.is_marked() {
                continue;
            }
            let sleeps = entry.is_asleep();
            any |= entry.is_marked();
            // What was down before, unmarked, is no part of the question.
            all &= sleeps || !entry.is_marked() && entry.workload.size.is_down();
        }
        let asleep = any && all;
        let since = self.workloads_in(name).filter_map(|(_, w)| w.mark().map(|m| m.since)).max();
        let key = self.settings.sleep.key("asleep");
        let space = self.spaces.get_mut(name)?;
        if asleep != space.was_asleep {
            space.was_asleep = asleep;
            space.since = if asleep { since.or(Some(now)) } else { Some(now) };
        }
        let shown = space.namespace.annotations.get(&key);
        let wanted = if asleep {
            shown.cloned().or_else(|| {
                let mark = Mark {
                    since: since.unwrap_or(now),
                    why: Arc::clone(&decision.why),
                    policy: Arc::clone(&decision.policy),
                    by: space.commanded_by.clone().unwrap_or_else(|| "nightcap".into()),
                    freed: None,
                };
                Some(mark.to_json())
            })
        } else if any {
            shown.cloned() // in between: neither asleep nor awake
        } else {
            None
        };
        if wanted.as_ref() == shown {
            return None;
        }
        if !space.errand.is_free(now) {
            return space.errand.free_at();
        }
        let note: Arc<str> = match &wanted {
            Some(_) => format!("{name} is asleep. {}", decision.why).into(),
            None => format!("{name} is awake. {}", decision.why).into(),
        };
        let reason = if wanted.is_some() { "Asleep" } else { "Awake" };
        let uid = Arc::clone(&space.namespace.uid);
        let subject = Subject::Namespace { name: Arc::clone(name), uid };
        self.out.push(Action::Announce { subject, severity: Severity::Normal, reason, note });
        self.annotate(name, AnnotationPatch::from([(key, wanted)]), now)
    }

    fn annotate(&mut self, name: &Arc<str>, annotations: AnnotationPatch, now: Instant) -> Option<Instant> {
        let id = self.number(Target::Namespace(Arc::clone(name)));
        let space = self.spaces.get_mut(name)?;
        let lost = space.errand.start(id, now);
        let uid = Arc::clone(&space.namespace.uid);
        self.forget_action(lost);
        self.out.push(Action::Namespace { id, name: Arc::clone(name), uid, annotations });
        Some(now + LOST_AFTER)
    }

    pub(super) fn forget_action(&mut self, lost: Option<ActionId>) {
        if let Some(lost) = lost {
            self.targets.remove(&lost);
        }
    }

    pub(super) fn number(&mut self, target: Target) -> ActionId {
        self.next_action += 1;
        let id = ActionId(self.next_action);
        self.targets.insert(id, target);
        id
    }

    /// A person's command becomes annotations of the namespace; what follows from them follows as from anybody's.
    /// One that cannot be carried out changes nothing: who gives it asks [`Self::preview`] first.
    pub(super) fn command(&mut self, command: &Command, now: Instant) {
        let Ok(annotations) = self.preview(command, now) else { return };
        let name = Arc::clone(command.namespace());
        if let Some(space) = self.spaces.get_mut(&name) {
            space.commanded_by = Some(Arc::clone(command.by()));
            let verb = match command {
                Command::Sleep { .. } => "put to sleep",
                Command::Wake { .. } => "woken",
                Command::KeepAwake { .. } => "kept awake",
            };
            let subject =
                Subject::Namespace { name: Arc::clone(&name), uid: Arc::clone(&space.namespace.uid) };
            let note = format!("{name} is {verb} by {}", command.by()).into();
            self.out.push(Action::Announce {
                subject,
                severity: Severity::Normal,
                reason: "Commanded",
                note,
            });
        }
        self.annotate(&name, annotations, now);
    }

    /// What a command writes on its namespace, or why it is not carried out; without doing it.
    pub fn preview(&self, command: &Command, now: Instant) -> Result<AnnotationPatch, CommandError> {
        let name = command.namespace();
        let levels = self.levels(name, None).ok_or_else(|| CommandError::NoSuchSpace(Arc::clone(name)))?;
        command.annotations(levels, &self.settings.sleep, now)
    }

    /// An action ended. An answer to an action that is not known (any more) changes nothing.
    pub(super) fn ended(&mut self, id: ActionId, outcome: Outcome, now: Instant) {
        let Some(target) = self.targets.remove(&id) else { return };
        let (name, found) = match &target {
            Target::Budget(uid) => return self.budget_written(uid, id, outcome, now),
            Target::Policy(uid) => return self.policy_written(uid, id, outcome, now),
            Target::Pod { namespace, uid } => return self.pod_deleted(namespace, uid, id, &outcome, now),
            Target::Sleep(key) | Target::Wake(key) => {
                let entry = self.workloads.get_mut(key);
                let found =
                    entry.map(|e| (&mut e.errand, Arc::clone(&e.workload.resource_version), key.to_string()));
                (Arc::clone(&key.namespace), found)
            }
            Target::Namespace(name) => {
                let space = self.spaces.get_mut(name);
                let version = |s: &SpaceEntry| Arc::clone(&s.namespace.resource_version);
                let found = space.map(|s| (version(s), &mut s.errand));
                (Arc::clone(name), found.map(|(seen, errand)| (errand, seen, format!("namespace {name}"))))
            }
        };
        self.dirty.insert(name);
        let Some((errand, seen, object)) = found else { return };
        if !errand.answered(id) {
            return;
        }
        let longest = match target {
            Target::Sleep(_) | Target::Budget(_) | Target::Policy(_) | Target::Pod { .. } => LONGEST_PAUSE,
            Target::Wake(_) | Target::Namespace(_) => LONGEST_PAUSE_WAITED_FOR,
        };
        match outcome {
            Outcome::Done { resource_version } => {
                errand.done(resource_version, &seen, now);
                self.problems.clear(&object, "write-failed");
                self.count_done(&target);
                if let Target::Wake(key) = &target {
                    self.wakes.written(key, now);
                }
            }
            Outcome::Conflict => {
                self.counters.conflicts += 1;
                errand.conflict(now, longest);
            }
            Outcome::NotFound => errand.pause(now, None, longest),
            Outcome::Refused { reason } => {
                self.counters.refused += 1;
                errand.pause(now, Some(REFUSED_PAUSE), longest);
                let message = format!("the API server refuses the write: {reason}");
                self.problems.raise(&object, "write-failed", "", message, now);
            }
            Outcome::Retry { reason, after } => {
                self.counters.retries += 1;
                errand.pause(now, after, longest);
                if errand.failures() >= TRIES_BEFORE_PROBLEM {
                    let message = format!("the write fails and is tried again: {reason}");
                    self.problems.raise(&object, "write-failed", "", message, now);
                }
            }
        }
    }

    fn count_done(&mut self, target: &Target) {
        match target {
            Target::Sleep(_) => self.counters.slept += 1,
            Target::Wake(_) => self.counters.woken += 1,
            Target::Namespace(_) | Target::Budget(_) | Target::Policy(_) | Target::Pod { .. } => {}
        }
    }
}
