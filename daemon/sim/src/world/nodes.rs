//! Machines: they boot when pods find no place, and go when nobody needs them, or when their owner wants them back.

use std::collections::BTreeMap;

use nightcap_core::cluster::{CapacityType, Node, NodeFacts};
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::{Instant, Millis, Resources};

use super::World;
use super::agenda::Happening;
use super::objects::{Boot, Pool, Role, SimNode, allocatable, fits, less, second};
use crate::spec::{DaemonSpec, Place, PoolKind, PoolSpec, WorkloadShape, WorkloadSpec};

/// A node without guests goes after this long.
const EMPTY_FOR: Millis = Millis::from_minutes(10);
/// How often the autoscaler looks for nodes that are not needed.
const SWEEP_EVERY: Millis = Millis::from_minutes(2);
/// A node that is used less than this (thousandths of CPU and of memory) is emptied if its pods fit elsewhere.
const LITTLE_USED: u64 = 500;

impl World {
    pub(super) fn add_daemon(&mut self, spec: &DaemonSpec, at: Instant) {
        let workload = WorkloadSpec::new(&spec.name, WorkloadShape::BarePod, spec.requests);
        let id = self.new_owner(Role::Daemon, &spec.namespace, workload, at);
        self.daemons.push(id);
        self.daemon_share += spec.requests;
    }

    /// The nodes that were there before the story begins.
    pub(super) fn fill_pools(&mut self, start: Instant) {
        for pool in 0..self.pools.len() {
            while self.pools[pool].nodes < self.pools[pool].spec.min {
                self.old_node(pool, start);
            }
        }
    }

    /// A node of this pool that has been there for days.
    pub(super) fn old_node(&mut self, pool: usize, start: Instant) -> u64 {
        self.pools[pool].nodes += 1;
        let age = self.rng.between(Millis::DAY.0, 20 * Millis::DAY.0);
        let id = self.new_node(pool, start - Millis(age));
        if let Some(node) = self.nodes.get_mut(&id) {
            node.object.ready = true;
        }
        self.start_daemons(id, start - Millis(age));
        id
    }

    /// A pool that may have one more node, on which this would fit.
    pub(super) fn pool_for(&mut self, place: Place, requests: Resources) -> Option<usize> {
        let share = self.daemon_share;
        let open: Vec<usize> = (0..self.pools.len())
            .filter(|&index| {
                let Pool { spec, nodes } = &self.pools[index];
                let room = less(allocatable(spec.capacity), share);
                *nodes < spec.max && place.accepts(spec.kind) && fits(room, requests)
            })
            .collect();
        (!open.is_empty()).then(|| open[self.rng.index(open.len())])
    }

    /// Boots machines for pods that fit neither on a node nor on a machine that boots already.
    pub(super) fn ask_for_machines(&mut self, pods: &[u64], at: Instant) {
        let room = |pool: &PoolSpec, share| less(allocatable(pool.capacity), share);
        let mut booting: BTreeMap<u64, Resources> = BTreeMap::new();
        for (&id, boot) in &self.boots {
            booting.insert(id, room(&self.pools[boot.pool].spec, self.daemon_share));
        }
        for pod in pods {
            let Some(pod) = self.pods.get(pod) else { continue };
            let (place, requests) = (pod.place, pod.requests);
            let found = booting.iter_mut().find(|(id, free)| {
                let pool = self.boots.get(id).map(|boot| self.pools[boot.pool].spec.kind);
                pool.is_some_and(|kind| place.accepts(kind)) && fits(**free, requests)
            });
            if let Some((_, free)) = found {
                *free = less(*free, requests);
                continue;
            }
            let Some(pool) = self.pool_for(place, requests) else { continue };
            self.pools[pool].nodes += 1;
            let id = self.number();
            self.boots.insert(id, Boot { pool });
            booting.insert(id, less(room(&self.pools[pool].spec, self.daemon_share), requests));
            let boot = self.rng.between(60_000, 90_000);
            self.agenda.add(at + Millis(boot), Happening::NodeJoins(id));
        }
    }

    pub(super) fn node_joins(&mut self, boot: u64, at: Instant) {
        let Some(Boot { pool }) = self.boots.remove(&boot) else { return };
        let id = self.new_node(pool, at);
        self.show_node(id, at);
        let warm_up = self.rng.between(2_000, 8_000);
        self.agenda.add(at + Millis(warm_up), Happening::NodeReady(id));
        self.plan_reclaim(id, at);
    }

    pub(super) fn node_ready(&mut self, id: u64, at: Instant) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.object.ready = true;
        node.empty_since = Some(at);
        self.show_node(id, at);
        for pod in self.start_daemons(id, at) {
            self.show_pod(pod, at);
        }
        self.schedule_soon(at);
    }

    /// The machine is gone, and with it what ran there.
    pub(super) fn node_gone(&mut self, id: u64, at: Instant) {
        let Some(node) = self.nodes.get(&id) else { return };
        for pod in node.pods.clone() {
            self.lose_pod(pod, at);
        }
        let Some(node) = self.nodes.remove(&id) else { return };
        self.pools[node.pool].nodes -= 1;
        self.node_names.remove(&node.object.name);
        self.show(Kind::Node, Event::NodeGone { uid: node.object.uid, at }, at);
        self.schedule_soon(at);
    }

    /// Removes nodes that have been empty, and empties at most one that is hardly used.
    pub(super) fn sweep(&mut self, at: Instant) {
        self.agenda.add(at + SWEEP_EVERY, Happening::Sweep);
        let mut unneeded = Vec::new();
        let mut spare: Vec<usize> =
            self.pools.iter().map(|pool| pool.nodes.saturating_sub(pool.spec.min)).collect();
        for (&id, node) in &mut self.nodes {
            let wait = if node.cordoned { Millis(0) } else { EMPTY_FOR };
            let empty = node.object.ready && node.empty_since.is_some_and(|since| at.since(since) >= wait);
            if empty && spare[node.pool] > 0 {
                spare[node.pool] -= 1;
                unneeded.push(id);
            } else if empty {
                node.cordoned = false; // emptied, but the pool has become too small to let it go
            }
        }
        let busy = self.nodes.values().any(|node| node.cordoned && node.guests > 0)
            || !self.pending.is_empty()
            || !self.boots.is_empty();
        if unneeded.is_empty() && !busy {
            self.consolidate(&spare, at);
        }
        for id in unneeded {
            self.node_gone(id, at);
        }
    }

    /// Empties the least used node whose pods all fit elsewhere.
    fn consolidate(&mut self, spare: &[usize], at: Instant) {
        let mut little: Vec<(u64, u64)> = self
            .nodes
            .iter()
            .filter(|(_, node)| {
                node.guests > 0 && !node.cordoned && node.object.ready && spare[node.pool] > 0
            })
            .map(|(&id, node)| (used(node), id))
            .filter(|&(used, _)| used < LITTLE_USED)
            .collect();
        little.sort_unstable();
        for (_, id) in little.into_iter().take(3) {
            let Some(guests) = self.movable(id) else { continue };
            if let Some(node) = self.nodes.get_mut(&id) {
                node.cordoned = true;
            }
            for pod in guests {
                self.stop_pod(pod, at);
            }
            return;
        }
    }

    /// The guests of a node if all of them come back by themselves and fit on other nodes.
    fn movable(&self, id: u64) -> Option<Vec<u64>> {
        let node = self.nodes.get(&id)?;
        let mut rooms: Vec<(PoolKind, Resources)> = self
            .nodes
            .iter()
            .filter(|&(&other, node)| other != id && node.object.ready && !node.cordoned && node.guests > 0)
            .map(|(_, node)| (self.pools[node.pool].spec.kind, node.free))
            .collect();
        let mut guests = Vec::new();
        for pod in &node.pods {
            let sim = self.pods.get(pod)?;
            if sim.role == Role::Daemon {
                continue;
            }
            if !sim.role.is_replicated() || sim.stopping || !sim.ready {
                return None;
            }
            let room = rooms
                .iter_mut()
                .find(|(kind, free)| sim.place.accepts(*kind) && fits(*free, sim.requests))?;
            room.1 = less(room.1, sim.requests);
            guests.push(*pod);
        }
        Some(guests)
    }

    pub(super) fn plan_reclaim(&mut self, id: u64, at: Instant) {
        let spot = self.nodes.get(&id).is_some_and(|n| self.pools[n.pool].spec.kind == PoolKind::Spot);
        if let (true, Some(mean)) = (spot, self.spot_lasts) {
            let lasts = self.rng.between(mean.0 / 4, mean.0 * 7 / 4);
            self.agenda.add(at + Millis(lasts), Happening::NodeReclaimed(id));
        }
    }

    fn show_node(&mut self, id: u64, at: Instant) {
        if let Some(node) = self.nodes.get(&id).map(|node| node.object.clone()) {
            self.show(Kind::Node, Event::Node(node), at);
        }
    }

    fn new_node(&mut self, pool: usize, created: Instant) -> u64 {
        let id = self.number();
        let spec = self.pools[pool].spec.clone();
        let (name, provider_id, zone) = self.names(&spec);
        let spot = spec.kind == PoolKind::Spot;
        let object = Node {
            uid: self.rng.uuid(),
            name,
            created: second(created),
            provider_id,
            facts: NodeFacts {
                provider: spec.provider,
                region: spec.region,
                zone,
                instance_type: spec.instance_type,
                capacity_type: if spot { CapacityType::Spot } else { CapacityType::OnDemand },
                arch: "amd64".into(),
                os: "linux".into(),
                ..NodeFacts::default()
            },
            capacity: spec.capacity,
            ready: false,
        };
        let sample_age = Millis(self.rng.between(0, 14_000));
        let node = SimNode {
            free: allocatable(object.capacity),
            object,
            pool,
            pods: std::collections::BTreeSet::new(),
            guests: 0,
            empty_since: Some(created),
            cordoned: false,
            sample_age,
        };
        self.nodes.insert(id, node);
        id
    }
}

/// Thousandths of CPU or memory that guests and daemons request, the larger of the two.
fn used(node: &SimNode) -> u64 {
    let all = allocatable(node.object.capacity);
    let part =
        |free: u64, all: u64| 1_000 - free.saturating_mul(1_000).checked_div(all).unwrap_or(0).min(1_000);
    part(node.free.cpu.0, all.cpu.0).max(part(node.free.memory.0 >> 10, all.memory.0 >> 10))
}
