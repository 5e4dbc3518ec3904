//! The scheduler: the tightest of the first nodes that have room, so that nodes fill up and others run empty.

use std::collections::BTreeSet;
use std::sync::Arc;

use nightcap_core::units::{Instant, Millis, Resources};

use super::World;
use super::agenda::Happening;
use super::objects::{Role, SimNode, less, second};
use crate::spec::Place;

/// Enough nodes with room to choose from; a large cluster is not looked through for every pod.
const CHOICE: usize = 32;

impl World {
    /// Plans a pass of the scheduler, unless one is planned.
    pub(super) fn schedule_soon(&mut self, at: Instant) {
        if !self.is_scheduling && !self.pending.is_empty() {
            self.is_scheduling = true;
            let delay = self.rng.between(50, 500);
            self.agenda.add(at + Millis(delay), Happening::Schedule);
        }
    }

    /// Gives pending pods nodes; asks for new machines for those that fit nowhere.
    pub(super) fn schedule(&mut self, at: Instant) {
        self.is_scheduling = false;
        let mut without = Vec::new();
        // What found no place once in this pass finds none again.
        let mut hopeless: BTreeSet<(Place, [u64; 3])> = BTreeSet::new();
        for id in self.pending.iter().copied().collect::<Vec<_>>() {
            let Some(pod) = self.pods.get(&id) else { continue };
            let (place, requests) = (pod.place, pod.requests);
            let need = (place, [requests.cpu.0, requests.memory.0, requests.gpu.0]);
            let found = if hopeless.contains(&need) { None } else { self.find_node(place, requests) };
            match found {
                Some(node) => self.bind(id, node, at),
                None => {
                    hopeless.insert(need);
                    without.push(id);
                }
            }
        }
        self.ask_for_machines(&without, at);
    }

    /// A node with room, if there is one.
    pub(super) fn find_node(&mut self, place: Place, requests: Resources) -> Option<u64> {
        let nodes = self.nodes.range(self.next_node..).chain(self.nodes.range(..self.next_node));
        let mut best: Option<(u64, u64)> = None;
        let mut seen = 0;
        for (&id, node) in nodes {
            if !node.has_room(requests) || !place.accepts(self.pools[node.pool].spec.kind) {
                continue;
            }
            let left = tightness(node, requests);
            if best.is_none_or(|(least, _)| left < least) {
                best = Some((left, id));
            }
            seen += 1;
            if seen == CHOICE {
                self.next_node = id;
                break;
            }
        }
        best.map(|(_, id)| id)
    }

    fn bind(&mut self, id: u64, node: u64, at: Instant) {
        self.hold(id, node, at);
        self.provide_for(id, at);
        self.show_pod(id, at);
        let owner = self.pods.get(&id).and_then(|pod| self.owners.get(&pod.owner));
        let (from, to) = owner.map_or((Millis::SECOND, Millis::SECOND), |owner| owner.spec.starts_in);
        let starts = self.rng.between(from.0, to.0);
        self.agenda.add(at + Millis(starts), Happening::PodRuns(id));
    }

    /// The pod holds the node from now on.
    pub(super) fn hold(&mut self, id: u64, node: u64, at: Instant) {
        let (Some(pod), Some(on)) = (self.pods.get_mut(&id), self.nodes.get_mut(&node)) else { return };
        if on.pods.insert(id) {
            on.free = less(on.free, pod.requests);
            if pod.role != Role::Daemon {
                on.guests += 1;
                on.empty_since = None;
            }
        }
        pod.node = Some(node);
        pod.node_name = Some(Arc::clone(&on.object.name));
        pod.bound = Some(second(at));
        self.pending.remove(&id);
    }

    /// The pod gives its node back.
    pub(super) fn give_back(&mut self, id: u64, at: Instant) {
        let Some(pod) = self.pods.get_mut(&id) else { return };
        let Some(node) = pod.node.take().and_then(|node| self.nodes.get_mut(&node)) else { return };
        if node.pods.remove(&id) {
            node.free += pod.requests;
            if pod.role != Role::Daemon {
                node.guests -= 1;
                node.empty_since = (node.guests == 0).then_some(at);
            }
        }
    }
}

/// Thousandths of the node's CPU and memory that would be left: less is tighter.
fn tightness(node: &SimNode, requests: Resources) -> u64 {
    let left = less(node.free, requests);
    let part = |left: u64, all: u64| left.saturating_mul(1_000).checked_div(all).unwrap_or(0);
    let capacity = node.object.capacity;
    part(left.cpu.0, capacity.cpu.0) + part(left.memory.0 >> 10, capacity.memory.0 >> 10)
}
