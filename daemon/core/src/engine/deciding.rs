//! What should be with a space and each of its workloads: the wishes that meet on them, and what follows next.

use std::sync::Arc;

use super::Engine;
use super::machine::{Foreseen, SpaceEntry, WorkloadEntry};
use crate::cluster::{Workload, WorkloadKey};
use crate::sleep::foreign::ForeignSubject;
use crate::sleep::policy::PolicyLevels;
use crate::sleep::{
    Decision, ForeignLevels, Levels, Mode, Wish, decide, is_protected, protected_by, upcoming,
};
use crate::units::Instant;

impl Engine {
    /// The wishes that meet on a namespace, or on one of its workloads.
    pub(super) fn levels(&self, name: &Arc<str>, key: Option<&WorkloadKey>) -> Option<Levels<'_>> {
        let space = self.spaces.get(name)?;
        let entry = key.and_then(|key| self.workloads.get(key));
        Some(Levels {
            foreign: self.foreign_levels(space, entry.map(|entry| &**entry)),
            workload: entry.and_then(|entry| entry.wishes.as_deref()),
            namespace: &space.wishes,
            defaults: self.settings.sleep.defaults_of(&space.attribution.team),
            protected: protected_by(&self.settings.sleep.protected, name),
            tier: space.tier.filter(|&tier| is_protected(tier)),
            policies: (!space.policies.is_empty()).then(|| PolicyLevels {
                ranked: &space.policies,
                team: &space.attribution.team,
                labels: entry.map(|entry| &entry.workload.labels),
                count: self.settings.mode == Mode::Act,
            }),
        })
    }

    /// What other sleep tools' users have written on a space and one of its workloads; `None` if nothing.
    fn foreign_levels<'a>(
        &'a self,
        space: &'a SpaceEntry,
        entry: Option<&'a WorkloadEntry>,
    ) -> Option<ForeignLevels<'a>> {
        let namespace = space.foreign.as_deref();
        let own = entry.and_then(|entry| entry.foreign.as_deref());
        if namespace.is_none() && own.is_none() {
            return None;
        }
        let of_space = namespace.filter(|_| entry.is_none_or(|entry| !entry.is_marked()));
        let sleep = entry.and_then(WorkloadEntry::asleep_elsewhere);
        let workload = entry.map(|entry| {
            let Workload { key, labels, created, .. } = &entry.workload;
            (own, ForeignSubject { kind: key.kind.name(), name: &key.name, labels }, *created)
        });
        Some(ForeignLevels {
            read: &self.settings.sleep.read,
            zone: self.settings.sleep.zone_of(&space.attribution.team),
            workload,
            namespace,
            sleep: sleep.or_else(|| of_space.and_then(|of| of.sleep())),
        })
    }

    /// Says what a reader should know of other tools' values. Of what is not read there is nothing to know.
    pub(super) fn note_foreign(&mut self, object: &str, wishes: &[Wish], now: Instant) {
        let told: Vec<&Arc<str>> = wishes.iter().flat_map(|wish| &wish.warnings).collect();
        let details: Vec<&str> = told.iter().map(|warning| &***warning).collect();
        self.problems.keep(object, "foreign-key", &details);
        for warning in told {
            self.problems.raise(object, "foreign-key", warning, warning.to_string(), now);
        }
    }

    pub(super) fn decide_space(&self, name: &Arc<str>, now: Instant) -> Option<(Decision, Vec<Wish>)> {
        Some(decide(self.levels(name, None)?, self.settings.mode, now))
    }

    /// What should be with a workload of a space for which `of_space` was decided: the same, unless it has wishes of
    /// its own. Most have none, and there are many. What other tools read may differ from workload to workload.
    pub(super) fn decide_within(
        &self,
        of_space: &Decision,
        key: &WorkloadKey,
        entry: &WorkloadEntry,
        now: Instant,
    ) -> Decision {
        self.decide_apart(key, entry, now).map_or_else(|| of_space.clone(), |(decision, _)| decision)
    }

    /// What should be with a workload that may differ from its space, and every wish for it; `None` where it cannot.
    pub(super) fn decide_apart(
        &self,
        key: &WorkloadKey,
        entry: &WorkloadEntry,
        now: Instant,
    ) -> Option<(Decision, Vec<Wish>)> {
        let space = self.spaces.get(&key.namespace)?;
        let told_apart = || space.foreign.is_some() || space.policies.iter().any(|p| p.selects_workloads());
        if entry.wishes.is_none() && entry.foreign.is_none() && !told_apart() {
            return None;
        }
        Some(decide(self.levels(&key.namespace, Some(key))?, self.settings.mode, now))
    }

    /// Keeps what follows next in step with the decision.
    pub(super) fn foresee(&mut self, name: &Arc<str>, decision: &Decision, now: Instant) {
        let known = self.spaces.get(name).and_then(|space| space.foreseen.as_ref());
        if known.is_some_and(|known| is_foreseen(known, decision, now)) {
            return;
        }
        let next = self.levels(name, None).and_then(|of| upcoming(of, self.settings.mode, decision));
        if let Some(space) = self.spaces.get_mut(name) {
            space.foreseen = Some((decision.clone(), next));
        }
    }

    /// The same for a workload, where it is decided apart from its space.
    pub(super) fn foresee_within(
        &mut self,
        of_space: &Decision,
        key: &WorkloadKey,
        decision: &Decision,
        now: Instant,
    ) {
        let Some(entry) = self.workloads.get(key) else { return };
        let foreseen = if decision == of_space {
            None
        } else if entry.foreseen.as_ref().is_some_and(|known| is_foreseen(known, decision, now)) {
            return;
        } else {
            let levels = self.levels(&key.namespace, Some(key));
            let next = levels.and_then(|of| upcoming(of, self.settings.mode, decision));
            Some(Box::new((decision.clone(), next)))
        };
        if let Some(entry) = self.workloads.get_mut(key) {
            entry.foreseen = foreseen;
        }
    }
}

/// Whether what follows next is still that.
fn is_foreseen(known: &Foreseen, decision: &Decision, now: Instant) -> bool {
    known.0 == *decision && known.1.as_ref().is_none_or(|next| next.at > now)
}
