//! The API server's side: patches with their checks, and what people do with kubectl.

use std::sync::Arc;

use nightcap_core::cluster::{Keys, Size, WorkloadKey};
use nightcap_core::engine::{Action, ActionId, Event, Kind, Outcome};
use nightcap_core::sleep::{AnnotationPatch, WorkloadPatch};
use nightcap_core::units::Instant;

use super::objects::second;
use super::{World, kind_of};
use crate::spec::SpaceSpec;

impl World {
    /// Does what the engine wants, as the API server would. Gives the outcome; the changed object follows by watch,
    /// from [`Self::advance`].
    pub fn perform(&mut self, action: Action, now: Instant) -> Vec<Event> {
        match action {
            Action::Workload { id, patch } => {
                let outcome = self.patch_workload(&patch, now);
                vec![ended(id, Some(patch.target), outcome)]
            }
            Action::Namespace { id, name, uid, annotations } => {
                let outcome = self.patch_namespace(&name, &uid, annotations, now);
                vec![ended(id, None, outcome)]
            }
            // No vCluster lives in it.
            Action::DeletePod { id, .. } => vec![ended(id, None, Outcome::NotFound)],
            Action::BudgetStatus { id, .. } | Action::PolicyStatus { id, .. } => {
                vec![ended(id, None, Outcome::NotFound)] // it has none
            }
            Action::Announce { .. } => Vec::new(),
        }
    }

    fn patch_workload(&mut self, patch: &WorkloadPatch, now: Instant) -> Outcome {
        let Some(id) = self.by_key.get(&patch.target).copied() else { return Outcome::NotFound };
        let Some(owner) = self.owners.get_mut(&id).filter(|owner| owner.object.uid == patch.uid) else {
            return Outcome::NotFound;
        };
        if owner.object.resource_version != patch.resource_version {
            return Outcome::Conflict;
        }
        apply(&mut owner.object.annotations, patch.annotations.clone());
        if let Some(skip) = patch.skip_runs_until {
            owner.last_run = owner.last_run.max(skip);
        }
        let size = patch.size.unwrap_or(owner.object.size);
        self.resize(id, size, now)
            .map_or(Outcome::NotFound, |resource_version| Outcome::Done { resource_version })
    }

    fn patch_namespace(&mut self, name: &str, uid: &str, patch: AnnotationPatch, now: Instant) -> Outcome {
        let Some(space) = self.spaces.get_mut(name).filter(|space| *space.object.uid == *uid) else {
            return Outcome::NotFound;
        };
        apply(&mut space.object.annotations, patch);
        self.touch_space(name, now)
            .map_or(Outcome::NotFound, |resource_version| Outcome::Done { resource_version })
    }

    /// The object gets this size, in one write with whatever else has changed.
    fn resize(&mut self, id: u64, size: Size, now: Instant) -> Option<Arc<str>> {
        let owner = self.owners.get_mut(&id)?;
        let before = std::mem::replace(&mut owner.object.size, size);
        let version = self.touch_workload(id, now);
        if before == Size::Suspended(true) && size == Size::Suspended(false) {
            self.cron_resumed(id, now);
        }
        self.owner_changed(id, now);
        version
    }

    /// Somebody scales or suspends a workload by hand. `false` if there is none of this name, or it has another knob.
    pub fn scale(&mut self, key: &WorkloadKey, size: Size, now: Instant) -> bool {
        let Some(id) = self.by_key.get(key).copied() else { return false };
        let same_knob = self
            .owners
            .get(&id)
            .is_some_and(|owner| std::mem::discriminant(&owner.object.size) == std::mem::discriminant(&size));
        same_knob && self.resize(id, size, now).is_some()
    }

    /// Somebody writes (`Some`) or removes (`None`) an annotation of a workload by hand.
    pub fn annotate_workload(
        &mut self,
        key: &WorkloadKey,
        name: &str,
        value: Option<&str>,
        now: Instant,
    ) -> bool {
        let Some(id) = self.by_key.get(key).copied() else { return false };
        let Some(owner) = self.owners.get_mut(&id) else { return false };
        apply(&mut owner.object.annotations, AnnotationPatch::from([(name.into(), value.map(Into::into))]));
        self.touch_workload(id, now).is_some()
    }

    /// Somebody writes (`Some`) or removes (`None`) an annotation of a namespace by hand.
    pub fn annotate_namespace(&mut self, space: &str, name: &str, value: Option<&str>, now: Instant) -> bool {
        self.write_annotation(space, name, value) && self.touch_space(space, now).is_some()
    }

    /// Somebody makes a namespace with everything in it; one of this name that is there goes first.
    pub fn add_space(&mut self, spec: SpaceSpec, now: Instant) {
        let name = Arc::clone(&spec.name);
        self.delete_space(&name, now);
        for id in self.new_space(spec, now) {
            if let Some(owner) = self.owners.get(&id).filter(|owner| owner.role.is_watched()) {
                let object = owner.object.clone();
                self.show(kind_of(&object.key), Event::Workload(object), now);
            }
            self.begin_owner(id, now);
        }
        if let Some(space) = self.spaces.get(&name) {
            let object = space.object.clone();
            self.show(Kind::Namespace, Event::Namespace(object), now);
        }
    }

    /// Somebody deletes a namespace with everything in it. `false` if there is none of this name.
    pub fn delete_space(&mut self, name: &str, now: Instant) -> bool {
        let Some(space) = self.spaces.remove(name) else { return false };
        for id in space.owners {
            self.delete_owner(id, now);
        }
        for service in space.services.into_values() {
            self.show_asset(Kind::Service, Event::ServiceGone { uid: service.uid, at: second(now) }, now);
        }
        self.delete_claims_in(name, now);
        self.show(Kind::Namespace, Event::NamespaceGone { uid: space.object.uid }, now);
        self.schedule_soon(now);
        true
    }

    /// Somebody deletes a workload. `false` if there is none of this name.
    pub fn delete_workload(&mut self, key: &WorkloadKey, now: Instant) -> bool {
        let Some(id) = self.by_key.get(key).copied() else { return false };
        if let Some(space) = self.spaces.get_mut(&key.namespace) {
            space.owners.remove(&id);
        }
        self.delete_owner(id, now);
        self.schedule_soon(now);
        true
    }

    fn delete_owner(&mut self, id: u64, now: Instant) {
        let Some(owner) = self.owners.remove(&id) else { return };
        for pod in owner.pods {
            self.remove_pod(pod, now);
        }
        if owner.role.is_watched() {
            self.by_key.remove(&owner.object.key);
            self.show(kind_of(&owner.object.key), Event::WorkloadGone { uid: owner.object.uid }, now);
        }
    }
}

fn ended(id: ActionId, target: Option<WorkloadKey>, outcome: Outcome) -> Event {
    Event::Ended { id, target, outcome }
}

fn apply(keys: &mut Keys, patch: AnnotationPatch) {
    for (key, value) in patch {
        match value {
            Some(value) => keys.insert(key, value),
            None => keys.remove(&key),
        };
    }
}
