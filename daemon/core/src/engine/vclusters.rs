//! vClusters asleep by their own pause contract: the control plane first, then the pods it has synced to the host.
//!
//! The order matters: a live syncer makes deleted pods again, and without one nobody ends them. So they are deleted once no
//! pod of the control plane is left, and never before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::errand::{Errand, LONGEST_PAUSE, LOST_AFTER};
use super::machine::{PodState, Target, WorkloadEntry};
use super::perform::REFUSED_PAUSE;
use super::{Action, ActionId, Engine, Outcome};
use crate::cluster::{
    ControlPlanePart, MappedNamespace, OwnerFacts, Workload, WorkloadKey, WorkloadKind, control_plane_part,
};
use crate::sleep::{Command, Decision, Step, decide, is_control_plane, is_paused, resume_paused};
use crate::units::Instant;

/// The pods that are being deleted, by UID.
pub(super) type Deletions = BTreeMap<Arc<str>, Deletion>;

/// More bare pods than these are counted, not named.
const NAMED: usize = 3;

/// A pod that is being deleted.
#[derive(Debug, Default)]
pub(super) struct Deletion {
    errand: Errand,
    /// The API server has taken it; what is left is the pod's own time to end.
    taken: bool,
}

impl Engine {
    /// The parts of control planes in a namespace that `vcluster pause` never touches: the scheduler, and all but the
    /// `StatefulSet` of a vCluster that has one.
    pub(super) fn parts_never_paused(&self, space: &Arc<str>) -> Vec<WorkloadKey> {
        let parts = || {
            self.workloads_in(space).filter_map(|(key, entry)| {
                let (part, vcluster) = control_plane_part(&entry.workload.labels)?;
                is_control_plane(&entry.workload).then_some((key, part, vcluster))
            })
        };
        let of_set = |(key, part, vcluster): (&WorkloadKey, ControlPlanePart, &Arc<str>)| {
            let is_main = part == ControlPlanePart::Main && key.kind == WorkloadKind::StatefulSet;
            is_main.then(|| Arc::clone(vcluster))
        };
        let with_set: BTreeSet<Arc<str>> = parts().filter_map(of_set).collect();
        let never = parts().filter(|&(key, part, vcluster)| {
            let is_set = part == ControlPlanePart::Main && key.kind == WorkloadKind::StatefulSet;
            part == ControlPlanePart::Scheduler || with_set.contains(vcluster) && !is_set
        });
        never.map(|(key, ..)| key.clone()).collect()
    }

    /// What a control plane's vCluster adds to what is to be done with it.
    pub(super) fn step_of_vcluster(&self, entry: &WorkloadEntry, step: Step, now: Instant) -> Step {
        let workload = &entry.workload;
        if !is_control_plane(workload) {
            return step;
        }
        match step {
            Step::Sleep(patch) => match self.bare_pods(workload) {
                Some(message) => Step::Refused("bare-pods", message),
                None => Step::Sleep(patch),
            },
            Step::Nothing if self.is_to_be_resumed(entry, now) => Step::Wake(resume_paused(workload)),
            step => step,
        }
    }

    /// Whether `vcluster pause` has put it to sleep, and somebody has asked on the namespace, by name, for it to be awake.
    fn is_to_be_resumed(&self, entry: &WorkloadEntry, now: Instant) -> bool {
        let workload = &entry.workload;
        if entry.is_marked() || !workload.size.is_down() || !is_paused(&workload.annotations) {
            return false;
        }
        let Some(mut levels) = self.levels(&workload.key.namespace, Some(&workload.key)) else {
            return false;
        };
        if let Some(foreign) = &mut levels.foreign {
            foreign.sleep = None;
        }
        let (decision, _) = decide(levels, self.settings.mode, now);
        !decision.asleep && decision.policy.ends_with(" keep-awake-until")
    }

    /// Somebody has woken by `vcluster resume` what Nightcap had put to sleep: as if they had told Nightcap. Gives when to
    /// look again.
    pub(super) fn follow_resume(
        &mut self,
        space: &Arc<str>,
        of_space: &Decision,
        now: Instant,
    ) -> Option<Instant> {
        let is_resumed = |(key, entry): (&WorkloadKey, &WorkloadEntry)| {
            let workload = &entry.workload;
            let resumed = entry.is_marked() && !workload.size.is_down() && !is_paused(&workload.annotations);
            resumed && is_control_plane(workload) && self.decide_within(of_space, key, entry, now).asleep
        };
        if !self.workloads_in(space).any(is_resumed) {
            return None;
        }
        let command = Command::Wake { namespace: Arc::clone(space), by: "vcluster resume".into() };
        self.preview(&command, now).ok()?;
        let free = self.spaces.get(space).and_then(|entry| entry.errand.free_at()).filter(|&at| at > now);
        if free.is_none() {
            self.command(&command, now);
        }
        Some(free.unwrap_or(now + LOST_AFTER))
    }

    /// Why a vCluster must not sleep: pods in it that nobody would make again.
    fn bare_pods(&self, workload: &Workload) -> Option<String> {
        let (_, vcluster) = control_plane_part(&workload.labels)?;
        let bare = |pod: &&PodState| {
            pod.facts.as_ref().and_then(|facts| facts.synced.as_ref()).is_some_and(|of| of.is_bare())
        };
        let names: Vec<&str> = self
            .synced_pods(&workload.key.namespace, vcluster)
            .filter(bare)
            .map(|pod| &*pod.name.name)
            .collect();
        let (first, more) = names.split_at_checked(NAMED).unwrap_or((&names, &[]));
        if first.is_empty() {
            return None;
        }
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        Some(format!(
            "{} is not put to sleep: pods of vCluster {vcluster} that name no owner would be lost ({}{more})",
            workload.key,
            first.join(", "),
        ))
    }

    /// The pods that a vCluster has synced to the host and that have not ended.
    fn synced_pods<'a>(
        &'a self,
        host: &'a Arc<str>,
        vcluster: &'a Arc<str>,
    ) -> impl Iterator<Item = &'a PodState> + 'a {
        self.pods.values().map(|pod| &**pod).filter(move |pod| {
            let of = |facts: &Arc<OwnerFacts>| {
                let synced = facts.synced.as_deref().filter(|synced| !synced.imported);
                synced.is_some_and(|synced| synced.vcluster == *vcluster)
            };
            !pod.ended
                && pod.facts.as_ref().is_some_and(of)
                && self.host_of_synced(&pod.name.namespace, pod.facts.as_deref()).as_ref() == Some(host)
        })
    }

    /// The namespace of the control plane of the vCluster that has synced a pod of this namespace.
    pub(super) fn host_of_synced(
        &self,
        namespace: &Arc<str>,
        facts: Option<&OwnerFacts>,
    ) -> Option<Arc<str>> {
        let synced = facts?.synced.as_ref()?;
        let space = self.spaces.get(namespace);
        let mapped = space.and_then(|space| MappedNamespace::read(&space.namespace));
        Some(mapped.map_or_else(|| Arc::clone(namespace), |mapped| mapped.of(&synced.vcluster).namespace))
    }

    /// Deletes the synced pods of the vClusters whose control plane sleeps by Nightcap's hand and is gone. Gives when to
    /// look again.
    pub(super) fn delete_synced_pods(&mut self, space: &Arc<str>, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for vcluster in self.sleeping_vclusters(space) {
            let pods: Vec<_> = self.synced_pods(space, &vcluster).map(|pod| Arc::clone(&pod.name)).collect();
            for pod in pods {
                let deletion = self.deletions.entry(Arc::clone(&pod.uid)).or_default();
                if deletion.taken {
                    continue;
                }
                if !deletion.errand.is_free(now) {
                    next = next.into_iter().chain(deletion.errand.free_at()).min();
                    continue;
                }
                let target = Target::Pod { namespace: Arc::clone(space), uid: Arc::clone(&pod.uid) };
                let id = self.number(target);
                let lost =
                    self.deletions.get_mut(&pod.uid).and_then(|deletion| deletion.errand.start(id, now));
                self.forget_action(lost);
                let (namespace, name, uid) =
                    (Arc::clone(&pod.namespace), Arc::clone(&pod.name), Arc::clone(&pod.uid));
                self.out.push(Action::DeletePod {
                    id,
                    namespace,
                    name,
                    uid,
                    vcluster: Arc::clone(&vcluster),
                });
                next = next.into_iter().chain([now + LOST_AFTER]).min();
            }
        }
        next
    }

    /// The vClusters of a namespace whose control plane sleeps, every part that ever does, without a pod left.
    fn sleeping_vclusters(&self, space: &Arc<str>) -> BTreeSet<Arc<str>> {
        let left = self.parts_never_paused(space);
        let (mut asleep, mut awake, mut parts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (key, entry) in self.workloads_in(space).filter(|(key, _)| !left.contains(key)) {
            let Some((_, vcluster)) = control_plane_part(&entry.workload.labels) else { continue };
            if entry.is_asleep() {
                asleep.insert(Arc::clone(vcluster));
                parts.insert((Arc::clone(vcluster), key));
            } else {
                awake.insert(Arc::clone(vcluster));
            }
        }
        if asleep.is_empty() {
            return asleep;
        }
        let still_runs = |vcluster: &Arc<str>| {
            self.pods.values().any(|pod| {
                let of = pod.attribution.workload.as_ref();
                !pod.ended && of.is_some_and(|of| parts.contains(&(Arc::clone(vcluster), of)))
            })
        };
        asleep.into_iter().filter(|vcluster| !awake.contains(vcluster) && !still_runs(vcluster)).collect()
    }

    /// A deletion was answered.
    pub(super) fn pod_deleted(
        &mut self,
        space: &Arc<str>,
        uid: &Arc<str>,
        id: ActionId,
        outcome: &Outcome,
        now: Instant,
    ) {
        self.dirty.insert(Arc::clone(space));
        let Some(deletion) = self.deletions.get_mut(uid) else { return };
        if !deletion.errand.answered(id) {
            return;
        }
        let object = format!("namespace {space}");
        match outcome {
            // A conflict is one of UIDs: that pod is gone.
            Outcome::Done { .. } | Outcome::NotFound | Outcome::Conflict => {
                deletion.taken = true;
                self.problems.clear_detail(&object, "delete-failed", uid);
            }
            Outcome::Refused { reason } => {
                deletion.errand.pause(now, Some(REFUSED_PAUSE), LONGEST_PAUSE);
                self.counters.refused += 1;
                let message = format!("a pod of a sleeping vCluster cannot be deleted: {reason}");
                self.problems.raise(&object, "delete-failed", uid, message, now);
            }
            Outcome::Retry { after, .. } => {
                deletion.errand.pause(now, *after, LONGEST_PAUSE);
                self.counters.retries += 1;
            }
        }
    }
}
