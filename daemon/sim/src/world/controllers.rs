//! What the controllers of Kubernetes do: as many pods as wanted, of the present template, and a status that says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Size, Workload, WorkloadKey, WorkloadKind};
use nightcap_core::engine::Event;
use nightcap_core::units::{Instant, Millis};

use super::agenda::Happening;
use super::objects::{Owner, Role};
use super::{World, kind_of};
use crate::spec::{WorkloadShape, WorkloadSpec};

impl World {
    pub(super) fn new_owner(
        &mut self,
        role: Role,
        namespace: &Arc<str>,
        spec: WorkloadSpec,
        at: Instant,
    ) -> u64 {
        let id = self.number();
        let (kind, size) = match spec.shape {
            _ if role == Role::Daemon => (WorkloadKind::DaemonSet, Size::Replicas(0)),
            WorkloadShape::Deployment { replicas } => (WorkloadKind::Deployment, Size::Replicas(replicas)),
            WorkloadShape::StatefulSet { replicas, .. } => {
                (WorkloadKind::StatefulSet, Size::Replicas(replicas))
            }
            WorkloadShape::CronJob { .. } => (WorkloadKind::CronJob, Size::Suspended(false)),
            WorkloadShape::Jobs { .. } | WorkloadShape::BarePod => (WorkloadKind::Job, Size::Replicas(0)),
        };
        let key = WorkloadKey { namespace: Arc::clone(namespace), kind, name: Arc::clone(&spec.name) };
        let object = Workload {
            key: key.clone(),
            uid: self.rng.uuid(),
            resource_version: self.new_version(),
            created: at,
            size,
            ready_replicas: 0,
            wanted_pods: None,
            switch: None,
            pod_requests: spec.requests,
            labels: spec.labels.clone(),
            annotations: spec.annotations.clone(),
            deletes_claims_when_scaled: matches!(
                spec.shape,
                WorkloadShape::StatefulSet { deletes_claims: true, .. }
            ),
            rolling_out: false,
            running: false,
            local_volumes: Vec::new(),
            controller: None,
            resource: None,
            governs: None,
        };
        let template_hash = self.rng.suffix(9);
        let owner = Owner {
            role,
            spec,
            object,
            pods: std::collections::BTreeSet::new(),
            template: 0,
            template_hash,
            last_run: at,
        };
        self.owners.insert(id, owner);
        if role.is_watched() {
            self.by_key.insert(key, id);
        }
        id
    }

    /// A pod of this owner, or its size or template, has changed.
    pub(super) fn owner_changed(&mut self, id: u64, at: Instant) {
        let Some(role) = self.owners.get(&id).map(|owner| owner.role) else { return };
        match role {
            Role::Deployment => self.reconcile_deployment(id, at),
            Role::StatefulSet => self.reconcile_stateful_set(id, at),
            Role::CronJob | Role::Jobs | Role::Daemon | Role::Bare => return,
        }
        self.update_status(id, at);
    }

    fn reconcile_deployment(&mut self, id: u64, at: Instant) {
        let Some(owner) = self.owners.get(&id) else { return };
        let Size::Replicas(wanted) = owner.object.size else { return };
        let wanted = wanted as usize;
        let (mut new, mut old, mut new_ready) = (Vec::new(), Vec::new(), 0);
        for &pod_id in &owner.pods {
            let Some(pod) = self.pods.get(&pod_id).filter(|pod| !pod.stopping) else { continue };
            if pod.template == owner.template {
                new_ready += usize::from(pod.ready);
                new.push((!pod.ready, pod_id));
            } else {
                old.push((!pod.ready, pod_id));
            }
        }
        let surge = wanted.div_ceil(4);
        let room = (wanted + surge).saturating_sub(new.len() + old.len());
        let missing = wanted.saturating_sub(new.len()).min(room);
        let name = format!("{}-{}", owner.object.key.name, owner.template_hash);
        let key = owner.object.key.clone();
        // What is not ready goes first, then the youngest, as the ReplicaSet controller has it.
        new.sort_unstable();
        let surplus: Vec<u64> = new.iter().skip(wanted).map(|&(_, pod)| pod).collect();
        let spare = (new_ready + old.len()).saturating_sub(wanted);
        old.sort_unstable();
        let replaced: Vec<u64> = old.iter().rev().take(spare).map(|&(_, pod)| pod).collect();
        for _ in 0..missing {
            let name = format!("{name}-{}", self.rng.suffix(5)).into();
            self.add_pod(id, name, Some(key.clone()), None, at);
        }
        for pod in surplus.into_iter().chain(replaced) {
            self.stop_pod(pod, at);
        }
    }

    /// All ordinals at once; one whose name is still taken by a stopping pod waits until that is gone.
    fn reconcile_stateful_set(&mut self, id: u64, at: Instant) {
        let Some(owner) = self.owners.get(&id) else { return };
        let Size::Replicas(wanted) = owner.object.size else { return };
        let key = owner.object.key.clone();
        let mut present: BTreeMap<u32, (u64, bool)> = BTreeMap::new();
        for &pod_id in &owner.pods {
            let Some(pod) = self.pods.get(&pod_id) else { continue };
            if let Some(number) = ordinal(&pod.name) {
                present.insert(number, (pod_id, pod.stopping));
            }
        }
        for number in 0..wanted {
            if !present.contains_key(&number) {
                let name = format!("{}-{number}", key.name).into();
                self.add_pod(id, name, Some(key.clone()), None, at);
            }
        }
        for (_, (pod, _)) in
            present.into_iter().filter(|&(number, (_, stopping))| number >= wanted && !stopping)
        {
            self.stop_pod(pod, at);
        }
    }

    /// Makes a pod, shows it and plans a pass of the scheduler.
    pub(super) fn add_pod(
        &mut self,
        owner: u64,
        name: Arc<str>,
        controller: Option<WorkloadKey>,
        runs_for: Option<Millis>,
        at: Instant,
    ) {
        if let Some(pod) = self.new_pod(owner, name, controller, runs_for) {
            self.claim_for(pod, at);
            self.show_pod(pod, at);
            self.schedule_soon(at);
        }
    }

    /// Writes the status if it has changed.
    fn update_status(&mut self, id: u64, at: Instant) {
        let Some(owner) = self.owners.get(&id) else { return };
        let Size::Replicas(wanted) = owner.object.size else { return };
        let (mut ready, mut new_ready, mut old) = (0, 0, false);
        for pod in owner.pods.iter().filter_map(|pod| self.pods.get(pod)).filter(|pod| !pod.stopping) {
            ready += u32::from(pod.ready);
            new_ready += u32::from(pod.ready && pod.template == owner.template);
            old |= pod.template != owner.template;
        }
        let rolling_out = owner.object.rolling_out && (old || new_ready < wanted);
        if (owner.object.ready_replicas, owner.object.rolling_out) == (ready, rolling_out) {
            return;
        }
        if let Some(owner) = self.owners.get_mut(&id) {
            owner.object.ready_replicas = ready;
            owner.object.rolling_out = rolling_out;
        }
        self.touch_workload(id, at);
    }

    /// The object has changed: a new version, and the watch shows it.
    pub(super) fn touch_workload(&mut self, id: u64, at: Instant) -> Option<Arc<str>> {
        let version = self.new_version();
        let owner = self.owners.get_mut(&id)?;
        owner.object.resource_version = Arc::clone(&version);
        let object = owner.object.clone();
        if owner.role.is_watched() {
            self.show(kind_of(&object.key), Event::Workload(object), at);
        }
        Some(version)
    }

    /// Somebody rolls a new image out, if the Deployment is up and people are at work; and will again some day.
    pub(super) fn rollout(&mut self, id: u64, at: Instant) {
        self.plan_rollout(id, at);
        let Some(owner) = self.owners.get(&id) else { return };
        let object = &owner.object;
        if object.size.is_down() || object.rolling_out || !self.is_office_hour(&object.key.namespace, at) {
            return;
        }
        let hash = self.rng.suffix(9);
        if let Some(owner) = self.owners.get_mut(&id) {
            owner.template += 1;
            owner.template_hash = hash;
            owner.object.rolling_out = true;
        }
        self.touch_workload(id, at);
        self.owner_changed(id, at);
    }

    pub(super) fn plan_rollout(&mut self, id: u64, at: Instant) {
        // Half of the tries fall into nights and weekends and come to nothing.
        if let Some(mean) = self.rollout_every {
            let wait = self.rng.between(mean.0 / 16, mean.0 / 2);
            self.agenda.add(at + Millis(wait), Happening::Rollout(id));
        }
    }
}

/// The number at the end of the name of a `StatefulSet`'s pod or claim.
pub(super) fn ordinal(name: &str) -> Option<u32> {
    name.rsplit('-').next().and_then(|number| number.parse().ok())
}
