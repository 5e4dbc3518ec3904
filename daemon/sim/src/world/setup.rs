//! The beginning: objects from their specs, as if they had been there for days, and all that they do by themselves.

use std::sync::Arc;

use nightcap_core::cluster::Namespace;
use nightcap_core::units::{Instant, Millis};

use super::World;
use super::agenda::{Agenda, Happening};
use super::objects::{Role, Space};
use super::usage::next_scrape;
use crate::spec::{SpaceSpec, WorkloadShape};

impl World {
    /// Makes the objects of a namespace, without pods; gives the workloads.
    pub(super) fn new_space(&mut self, mut spec: SpaceSpec, created: Instant) -> Vec<u64> {
        let object = Namespace {
            uid: self.rng.uuid(),
            name: Arc::clone(&spec.name),
            resource_version: self.new_version(),
            created,
            labels: spec.labels.clone(),
            annotations: spec.annotations.clone(),
            terminating: false,
        };
        let mut made = Vec::new();
        for workload in std::mem::take(&mut spec.workloads) {
            let role = match workload.shape {
                WorkloadShape::Deployment { .. } => Role::Deployment,
                WorkloadShape::StatefulSet { .. } => Role::StatefulSet,
                WorkloadShape::CronJob { .. } => Role::CronJob,
                WorkloadShape::Jobs { .. } => Role::Jobs,
                WorkloadShape::BarePod => Role::Bare,
            };
            made.push(self.new_owner(role, &spec.name, workload, created));
        }
        let owners = made.iter().copied().collect();
        let seed = self.rng.draw();
        let (unmounted, balancers) =
            (std::mem::take(&mut spec.unmounted), std::mem::take(&mut spec.balancers));
        let name = Arc::clone(&spec.name);
        let services = std::collections::BTreeMap::new();
        self.spaces.insert(Arc::clone(&name), Space { object, spec, seed, owners, services });
        for claim in unmounted {
            self.new_claim(&name, &claim.name, claim.disk, created);
            self.provide(&name, &claim.name, created);
        }
        for balancer in balancers {
            self.new_balancer(&name, balancer, created);
        }
        made
    }

    /// Gives every workload its pods, and all of them nodes, as if they had been there for days.
    pub(super) fn settle_in(&mut self, start: Instant) {
        self.settle_assets();
        for id in self.owners.keys().copied().collect::<Vec<_>>() {
            self.begin_owner(id, start);
        }
        for id in self.pending.iter().copied().collect::<Vec<_>>() {
            let Some(pod) = self.pods.get(&id) else { continue };
            let (place, requests) = (pod.place, pod.requests);
            let node = match self.find_node(place, requests) {
                Some(node) => node,
                None => match self.pool_for(place, requests) {
                    Some(pool) => self.old_node(pool, start),
                    None => continue,
                },
            };
            let age = self.rng.between(Millis::HOUR.0, Millis::DAY.0 * 9 / 10);
            self.hold(id, node, start - Millis(age));
            self.make_ready(id);
        }
        for id in self.by_key.values().copied().collect::<Vec<_>>() {
            if let Some(owner) = self.owners.get_mut(&id).filter(|owner| owner.role.is_replicated()) {
                let ready = owner.pods.iter().filter(|pod| self.pods.get(pod).is_some_and(|pod| pod.ready));
                owner.object.ready_replicas = u32::try_from(ready.count()).unwrap_or(u32::MAX);
            }
        }
        // The lists tell of what is there now; nothing of how it came.
        self.agenda = Agenda::default();
        self.is_scheduling = false;
    }

    /// Plans all that happens by itself.
    pub(super) fn begin(&mut self, start: Instant) {
        self.agenda.add(next_scrape(start, self.scrape_interval), Happening::Scrape);
        self.agenda.add(start.next_hour(), Happening::Hour);
        self.agenda.add(start + Millis::MINUTE, Happening::Sweep);
        for id in self.owners.keys().copied().collect::<Vec<_>>() {
            self.plan_own(id, start);
        }
        for id in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.plan_reclaim(id, start);
        }
        self.schedule_soon(start);
    }

    /// A workload gets its first pods and its plans.
    pub(super) fn begin_owner(&mut self, id: u64, at: Instant) {
        let Some(owner) = self.owners.get(&id) else { return };
        if owner.role == Role::Bare {
            let name = Arc::clone(&owner.spec.name);
            self.add_pod(id, name, None, None, at);
        }
        self.owner_changed(id, at);
        self.plan_own(id, at);
    }

    fn plan_own(&mut self, id: u64, at: Instant) {
        match self.owners.get(&id).map(|owner| owner.role) {
            Some(Role::Deployment) => self.plan_rollout(id, at),
            Some(Role::CronJob) => self.plan_cron(id, at),
            Some(Role::Jobs) => self.plan_job(id, at),
            _ => {}
        }
    }
}
