//! The life of a pod: made, bound, running, ended, gone.

use std::sync::Arc;

use nightcap_core::cluster::{PodPhase, WorkloadKey};
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::{Instant, Millis};

use super::World;
use super::agenda::Happening;
use super::objects::{Role, SimPod, second};
use super::storage::claims_of;

/// How long the object of an ended Job's pod is kept.
const REMEMBERED: Millis = Millis::from_minutes(30);

impl World {
    /// A new pod of this owner, without a node.
    pub(super) fn new_pod(
        &mut self,
        owner: u64,
        name: Arc<str>,
        controller: Option<WorkloadKey>,
        runs_for: Option<Millis>,
    ) -> Option<u64> {
        let id = self.number();
        let uid = self.rng.uuid();
        let seed = self.rng.draw();
        let claims = self.owners.get(&owner).map(|of| claims_of(of, &name)).unwrap_or_default();
        let of = self.owners.get_mut(&owner)?;
        of.pods.insert(id);
        let pod = SimPod {
            uid,
            namespace: Arc::clone(&of.object.key.namespace),
            name,
            owner,
            controller,
            role: of.role,
            requests: of.spec.requests,
            place: of.spec.place,
            template: of.template,
            seed,
            node: None,
            node_name: None,
            bound: None,
            runs_for,
            ended: None,
            phase: PodPhase::Pending,
            ready: false,
            stopping: false,
            claims,
        };
        self.pods.insert(id, pod);
        self.pending.insert(id);
        Some(id)
    }

    /// The pods of all daemons start on a node; they are up at once.
    pub(super) fn start_daemons(&mut self, node: u64, at: Instant) -> Vec<u64> {
        let mut started = Vec::new();
        for owner in self.daemons.clone() {
            let Some(key) = self.owners.get(&owner).map(|owner| owner.object.key.clone()) else { continue };
            let name = format!("{}-{}", key.name, self.rng.suffix(5)).into();
            let Some(id) = self.new_pod(owner, name, Some(key), None) else { continue };
            self.hold(id, node, at);
            self.make_ready(id);
            started.push(id);
        }
        started
    }

    /// The containers have started.
    pub(super) fn pod_runs(&mut self, id: u64, at: Instant) {
        let Some(pod) = self.pods.get(&id).filter(|pod| !pod.stopping && pod.phase == PodPhase::Pending)
        else {
            return;
        };
        let (owner, runs_for) = (pod.owner, pod.runs_for);
        self.make_ready(id);
        self.show_pod(id, at);
        if let Some(lasts) = runs_for {
            self.agenda.add(at + lasts, Happening::PodDone(id));
        }
        self.owner_changed(owner, at);
    }

    pub(super) fn make_ready(&mut self, id: u64) {
        if let Some(pod) = self.pods.get_mut(&id) {
            pod.phase = PodPhase::Running;
            pod.ready = true;
        }
    }

    /// A Job's pod has done its work; the object stays for a while.
    pub(super) fn pod_done(&mut self, id: u64, at: Instant) {
        let Some(pod) = self.pods.get_mut(&id).filter(|pod| pod.phase == PodPhase::Running) else { return };
        pod.phase = PodPhase::Finished;
        pod.ready = false;
        pod.ended = Some(second(at));
        self.give_back(id, at);
        self.show_pod(id, at);
        self.agenda.add(at + REMEMBERED, Happening::PodForgotten(id));
        self.schedule_soon(at);
    }

    /// Tells a pod to stop; it takes its time.
    pub(super) fn stop_pod(&mut self, id: u64, at: Instant) {
        let Some(pod) = self.pods.get_mut(&id).filter(|pod| !pod.stopping) else { return };
        pod.stopping = true;
        pod.ready = false;
        let grace = match pod.node {
            None => 0,
            Some(_) if self.rng.chance(100) => 30_000,
            Some(_) => self.rng.between(300, 8_000),
        };
        self.agenda.add(at + Millis(grace), Happening::PodExits(id));
    }

    /// The last container has ended and the object goes.
    pub(super) fn pod_exits(&mut self, id: u64, at: Instant) {
        let Some(pod) = self.pods.get(&id) else { return };
        let (owner, claims) = (pod.owner, pod.claims.clone());
        self.remove_pod(id, at);
        self.drop_claims(owner, &claims, at);
        self.owner_changed(owner, at);
        self.schedule_soon(at);
    }

    /// A pod is gone with its node.
    pub(super) fn lose_pod(&mut self, id: u64, at: Instant) {
        let Some(pod) = self.pods.get(&id) else { return };
        let (owner, role) = (pod.owner, pod.role);
        self.remove_pod(id, at);
        if role != Role::Daemon {
            self.owner_changed(owner, at);
        }
    }

    /// Takes the object away.
    pub(super) fn remove_pod(&mut self, id: u64, at: Instant) {
        self.give_back(id, at);
        self.pending.remove(&id);
        let Some(pod) = self.pods.remove(&id) else { return };
        if let Some(owner) = self.owners.get_mut(&pod.owner) {
            owner.pods.remove(&id);
        }
        let at_second = pod.ended.unwrap_or(second(at)).max(pod.bound.unwrap_or_default());
        self.show(Kind::Pod, Event::PodGone { uid: pod.uid, at: at_second }, at);
    }

    pub(super) fn show_pod(&mut self, id: u64, at: Instant) {
        if let Some(pod) = self.pods.get(&id).map(SimPod::record) {
            self.show(Kind::Pod, Event::Pod(pod), at);
        }
    }
}
