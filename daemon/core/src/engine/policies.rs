//! The sleep policies that the engine knows: which space each is about, and what is written on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::machine::Target;
use super::{Action, ActionId, Engine, Kind, Outcome, PolicyView, Severity, Subject};
use crate::cluster::Namespace;
use crate::sleep::Mode;
use crate::sleep::policy::{Policy, PolicyMatch, PolicyObject, PolicyReport, rank};
use crate::units::{Instant, Millis};

/// What happens to spaces is gathered for so long before policies are looked at: each status is a write.
const SOON: Millis = Millis::from_secs(10);
/// So many names of what a policy matched are told.
const NAMES: usize = 10;

/// A policy that the engine knows.
#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    generation: i64,
    problem: Option<Arc<str>>,
    /// What it says; the last version that could be understood.
    good: Option<Arc<Policy>>,
    matched: PolicyMatch,
    written: Option<PolicyReport>,
    in_flight: Option<ActionId>,
}

/// The policies.
#[derive(Debug, Default)]
pub(super) struct Policies {
    entries: BTreeMap<Arc<str>, Entry>,
    /// Those that can be followed, the first one first.
    ranked: Vec<Arc<Policy>>,
    /// When to look at them next.
    due: Option<Instant>,
}

impl Policies {
    /// When to look at them next.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn uids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.keys()
    }

    /// Those that are about a space, the first one first.
    pub(super) fn of_space(&self, namespace: &Namespace, team: &str) -> Vec<Arc<Policy>> {
        let about = |policy: &&Arc<Policy>| policy.matches_namespace(namespace, team);
        self.ranked.iter().filter(about).map(Arc::clone).collect()
    }

    /// Something happened to what they are about.
    pub(super) fn look_soon(&mut self, now: Instant) {
        if !self.entries.is_empty() {
            let soon = now + SOON;
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }
}

impl Engine {
    pub(super) fn observe_policy(&mut self, object: PolicyObject, now: Instant) {
        let PolicyObject { uid, name, generation, spec, status } = object;
        let read = spec.and_then(|spec| {
            Policy::new(&name, spec, &self.settings.sleep).map_err(|error| error.to_string().into())
        });
        let entry = self.policies.entries.entry(Arc::clone(&uid)).or_insert_with(|| Entry {
            name: Arc::clone(&name),
            generation,
            problem: None,
            good: None,
            matched: PolicyMatch::default(),
            written: status,
            in_flight: None,
        });
        let same_version = entry.generation == generation && entry.good.is_some();
        entry.generation = generation;
        match read {
            Err(reason) => {
                if entry.problem.as_ref() != Some(&reason) {
                    entry.problem = Some(Arc::clone(&reason));
                    self.unreadable(Kind::SleepPolicy, &name, &reason, now);
                    self.out.push(Action::Announce {
                        subject: Subject::SleepPolicy { name, uid },
                        severity: Severity::Warning,
                        reason: "BadPolicy",
                        note: reason,
                    });
                    self.policies.look_soon(now);
                }
            }
            Ok(policy) => {
                let mended = entry.problem.take().is_some();
                let is_new = entry.good.as_ref().is_none_or(|good| **good != policy);
                if is_new {
                    entry.good = Some(Arc::new(policy));
                }
                self.problems.clear_detail(Kind::SleepPolicy.plural(), "unreadable", &name);
                if is_new {
                    self.match_policies_again(now);
                }
                // What is written on it comes back as an event, too, and changes nothing.
                if is_new || mended || !same_version {
                    self.policies.look_soon(now);
                }
            }
        }
    }

    pub(super) fn policy_gone(&mut self, uid: &str, now: Instant) {
        if let Some(entry) = self.policies.entries.remove(uid) {
            self.problems.clear_detail(Kind::SleepPolicy.plural(), "unreadable", &entry.name);
            self.problems.forget(&format!("policy {}", entry.name));
            self.match_policies_again(now);
        }
    }

    /// Ranks the policies anew; spaces for which others count now, or the same with other words, are looked at.
    fn match_policies_again(&mut self, now: Instant) {
        let entries = self.policies.entries.values();
        self.policies.ranked = entries.filter_map(|entry| entry.good.clone()).collect();
        rank(&mut self.policies.ranked);
        for (name, space) in &mut self.spaces {
            let policies = self.policies.of_space(&space.namespace, &space.attribution.team);
            if policies != space.policies {
                space.policies = policies;
                space.foreseen = None;
                self.dirty.insert(Arc::clone(name));
            }
        }
        self.policies.look_soon(now);
    }

    /// Looks at all policies after something has happened to what they are about, and writes what has changed.
    pub(super) fn look_at_policies(&mut self, now: Instant) {
        if self.policies.due.is_none_or(|due| due > now) {
            return;
        }
        self.policies.due = None;
        let mut found = self.find_matches(now);
        let uids: Vec<Arc<str>> = self.policies.uids().map(Arc::clone).collect();
        for uid in uids {
            let Some(entry) = self.policies.entries.get_mut(&uid) else { continue };
            let matched = entry.good.as_ref().map(|good| found.remove(good.name()).unwrap_or_default());
            entry.matched = matched.clone().unwrap_or_default();
            self.write_policy(&uid, matched, now);
        }
    }

    /// What each policy is about, by its name.
    fn find_matches(&self, now: Instant) -> BTreeMap<Arc<str>, PolicyMatch> {
        let mut found: BTreeMap<Arc<str>, PolicyMatch> = BTreeMap::new();
        for (name, space) in self.spaces.iter().filter(|(_, space)| !space.policies.is_empty()) {
            let Some((of_space, _)) = self.decide_space(name, now) else { continue };
            let mut workloads = vec![(0, 0); space.policies.len()];
            for (key, entry) in self.workloads_in(name) {
                let decision = self.decide_within(&of_space, key, entry, now);
                for (policy, (about, decides)) in space.policies.iter().zip(&mut workloads) {
                    let is_about = policy.matches_workload(Some(&entry.workload.labels));
                    *about += usize::from(is_about);
                    let acts = self.settings.mode == Mode::Act;
                    *decides += usize::from(is_about && acts && decision.policy == *policy.source());
                }
            }
            for (policy, (about, decides)) in space.policies.iter().zip(workloads) {
                if about == 0 && policy.selects_workloads() {
                    continue;
                }
                let next = policy.wishes_of(&space.attribution.team).next_schedule_change(now);
                let matched = found.entry(Arc::clone(policy.name())).or_default();
                matched.namespaces += 1;
                matched.workloads += about;
                matched.deciding += decides;
                matched.next_change = matched.next_change.into_iter().chain(next).min();
                if matched.names.len() < NAMES {
                    matched.names.push(Arc::clone(name));
                }
            }
        }
        found
    }

    fn write_policy(&mut self, uid: &Arc<str>, matched: Option<PolicyMatch>, now: Instant) {
        let mode = self.settings.mode;
        let idle = (mode != Mode::Act)
            .then(|| format!("the daemon runs in mode {mode}: policies count in mode act only").into());
        let Some(entry) = self.policies.entries.get_mut(uid) else { return };
        // An answer that has not come by now is lost: it is not known what is written.
        let lost = entry.in_flight.take();
        let before = entry.written.take();
        let (generation, problem) = (entry.generation, entry.problem.clone());
        let report = PolicyReport { generation, problem, since: now, idle, idle_since: now, matched }
            .following(before.as_ref());
        let name = Arc::clone(&entry.name);
        if lost.is_none() && before.as_ref() == Some(&report) {
            entry.written = before;
            return;
        }
        entry.written = Some(report.clone());
        self.targets.retain(|id, _| Some(*id) != lost);
        let id = self.number(Target::Policy(Arc::clone(uid)));
        if let Some(entry) = self.policies.entries.get_mut(uid) {
            entry.in_flight = Some(id);
        }
        self.out.push(Action::PolicyStatus { id, name, uid: Arc::clone(uid), report: Box::new(report) });
    }

    /// A status was written, or was not. What was not is tried again with the next look.
    pub(super) fn policy_written(&mut self, uid: &str, id: ActionId, outcome: Outcome, now: Instant) {
        let entry = self.policies.entries.get_mut(uid).filter(|entry| entry.in_flight == Some(id));
        let Some(entry) = entry else { return };
        entry.in_flight = None;
        let object = format!("policy {}", entry.name);
        match outcome {
            Outcome::Done { .. } => self.problems.clear(&object, "write-failed"),
            Outcome::NotFound => entry.written = None,
            Outcome::Conflict | Outcome::Retry { .. } => {
                entry.written = None;
                self.policies.look_soon(now);
            }
            Outcome::Refused { reason } => {
                entry.written = None;
                let message = format!("the API server refuses its status: {reason}");
                self.problems.raise(&object, "write-failed", "", message, now);
            }
        }
    }

    /// All policies, by name, as they were when they were last looked at.
    pub(super) fn policy_views(&self) -> Vec<PolicyView> {
        let view = |(uid, entry): (&Arc<str>, &Entry)| PolicyView {
            name: Arc::clone(&entry.name),
            uid: Arc::clone(uid),
            policy: entry.good.clone(),
            matched: entry.matched.clone(),
            problem: entry.problem.clone(),
        };
        let mut views: Vec<PolicyView> = self.policies.entries.iter().map(view).collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }
}
