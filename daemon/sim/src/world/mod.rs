//! The world: objects as they are, an agenda of what happens next, and the watch that tells of it.

mod agenda;
mod api;
mod balancers;
mod controllers;
mod node_names;
mod nodes;
mod objects;
mod people;
mod pods;
mod runs;
mod scheduler;
mod setup;
mod storage;
mod traffic;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::cluster::{Claim, Namespace, Node, Pod, Provider, Service, Volume, Workload, WorkloadKey};
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::{Instant, Millis, Resources};

use crate::rng::{Rng, hash};
use crate::spec::WorldSpec;
use agenda::{Agenda, Happening};
use objects::{Boot, Owner, Pool, SimNode, SimPod, Space};
use storage::Storage;

/// A cluster in memory. The same spec, seed and calls give the same events, to the byte.
#[derive(Debug)]
pub struct World {
    rng: Rng,
    now: Instant,
    prefix: Arc<str>,
    scrape_interval: Millis,
    counts_traffic: bool,
    /// Traffic is counted up to here.
    counted_to: Instant,
    rollout_every: Option<Millis>,
    spot_lasts: Option<Millis>,
    agenda: Agenda,
    /// Numbers objects in the order they were made.
    last_number: u64,
    /// `metadata.resourceVersion` of the newest change.
    version: u64,
    pools: Vec<Pool>,
    spaces: BTreeMap<Arc<str>, Space>,
    owners: BTreeMap<u64, Owner>,
    by_key: BTreeMap<WorkloadKey, u64>,
    daemons: Vec<u64>,
    /// What the daemons take of each node.
    daemon_share: Resources,
    nodes: BTreeMap<u64, SimNode>,
    node_names: BTreeSet<Arc<str>>,
    boots: BTreeMap<u64, Boot>,
    pods: BTreeMap<u64, SimPod>,
    /// Pods without a node.
    pending: BTreeSet<u64>,
    /// Where the scheduler looks first.
    next_node: u64,
    is_scheduling: bool,
    storage: Storage,
    /// Chance of disks and load balancers: the story of pods and nodes is the same with and without them.
    asset_rng: Rng,
    /// Watches that are slower than usual, and by how much at most.
    slow: BTreeMap<Kind, Millis>,
}

impl World {
    /// A cluster that has been running for a while at `start`. Its first [`Self::advance`] delivers the lists.
    pub fn new(spec: WorldSpec, seed: u64, start: Instant) -> Self {
        let WorldSpec {
            prefix,
            pools,
            daemons,
            spaces,
            classes,
            released,
            scrape_interval,
            counts_traffic,
            rollout_every,
            spot_lasts,
        } = spec;
        let mut world = Self {
            rng: Rng::new(seed),
            now: start,
            prefix,
            scrape_interval: scrape_interval.max(Millis::SECOND),
            counts_traffic,
            counted_to: start,
            rollout_every,
            spot_lasts,
            agenda: Agenda::default(),
            last_number: 0,
            version: 1_000,
            pools: pools.into_iter().map(|spec| Pool { spec, nodes: 0 }).collect(),
            spaces: BTreeMap::new(),
            owners: BTreeMap::new(),
            by_key: BTreeMap::new(),
            daemons: Vec::new(),
            daemon_share: Resources::default(),
            nodes: BTreeMap::new(),
            node_names: BTreeSet::new(),
            boots: BTreeMap::new(),
            pods: BTreeMap::new(),
            pending: BTreeSet::new(),
            next_node: 0,
            is_scheduling: false,
            storage: Storage::new(classes),
            asset_rng: Rng::new(hash(seed, 1)),
            slow: BTreeMap::new(),
        };
        for daemon in daemons {
            world.add_daemon(&daemon, start);
        }
        world.fill_pools(start);
        for space in spaces {
            world.new_space(space, start - Millis::DAY);
        }
        world.keep_released(&released, start);
        world.settle_in(start);
        world.relist();
        world.begin(start);
        world
    }

    /// Lets time pass until `now`; gives what the watches and scrapes delivered meanwhile, in order. Each event
    /// carries its own instants; for the instant of its delivery, step to each [`Self::next_event`].
    pub fn advance(&mut self, now: Instant) -> Vec<Event> {
        let mut delivered = Vec::new();
        while let Some((at, happening)) = self.agenda.take(now) {
            self.now = at.max(self.now);
            match happening {
                Happening::Seen(event) => delivered.push(*event),
                other => self.happen(other, at),
            }
        }
        self.now = now.max(self.now);
        delivered
    }

    /// When something happens next.
    pub fn next_event(&self) -> Option<Instant> {
        self.agenda.next()
    }

    /// Up to where it was advanced.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Samples usage this often from the next scrape on.
    pub fn scrape_every(&mut self, interval: Millis) {
        self.scrape_interval = interval.max(Millis::SECOND);
    }

    /// All watches break, with what they had not delivered yet, and all kinds are listed again: a daemon that starts
    /// now sees just that. The next [`Self::advance`] delivers the lists, those of [slow](Self::slow_watch) watches
    /// later.
    pub fn relist(&mut self) {
        self.agenda.lose_deliveries();
        let listing = self.listing();
        let late: BTreeMap<Kind, Millis> = Kind::ALL.map(|kind| (kind, self.lag(kind))).into();
        for (kind, event) in listing {
            let late = late.get(&kind).copied().unwrap_or_default();
            self.agenda.show(kind, event, self.now + late);
        }
    }

    /// From now on each delivery of this watch may take up to `by` longer than usual: its objects are seen in order
    /// still, but long after those of other kinds that they belong to.
    pub fn slow_watch(&mut self, kind: Kind, by: Millis) {
        self.slow.insert(kind, by.max(Millis(0)));
    }

    /// Every object as it is now, as the lists of all kinds give it, each list closed by [`Event::Listed`].
    pub fn list(&self) -> Vec<Event> {
        self.listing().into_iter().map(|(_, event)| event).collect()
    }

    fn listing(&self) -> Vec<(Kind, Event)> {
        let mut events = Vec::new();
        let mut listed: BTreeMap<Kind, Vec<Arc<str>>> = Kind::ALL.map(|kind| (kind, Vec::new())).into();
        let mut add = |kind: Kind, uid: &Arc<str>, event: Event| {
            listed.entry(kind).or_default().push(Arc::clone(uid));
            events.push((kind, event));
        };
        for node in self.nodes() {
            add(Kind::Node, &node.uid, Event::Node(node.clone()));
        }
        for space in self.spaces.values() {
            add(Kind::Namespace, &space.object.uid, Event::Namespace(space.object.clone()));
        }
        for workload in self.workloads() {
            add(kind_of(&workload.key), &workload.uid, Event::Workload(workload.clone()));
        }
        for pod in self.pods.values() {
            add(Kind::Pod, &pod.uid, Event::Pod(pod.record()));
        }
        for volume in self.volumes() {
            add(Kind::Volume, &volume.uid, Event::Volume(volume.clone()));
        }
        for claim in self.claims() {
            add(Kind::Claim, &claim.uid, Event::Claim(claim.clone()));
        }
        for service in self.services() {
            add(Kind::Service, &service.uid, Event::Service(service.clone()));
        }
        events.extend(
            Kind::ALL
                .map(|kind| (kind, Event::Listed { kind, uids: listed.remove(&kind).unwrap_or_default() })),
        );
        events
    }

    /// All nodes as they really are, oldest first.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().map(|node| &node.object)
    }

    /// All Deployments, `StatefulSets` and `CronJobs` as they really are.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        self.by_key.values().filter_map(|id| self.owners.get(id)).map(|owner| &owner.object)
    }

    /// One of them.
    pub fn workload(&self, key: &WorkloadKey) -> Option<&Workload> {
        self.owners.get(self.by_key.get(key)?).map(|owner| &owner.object)
    }

    /// All namespaces as they really are.
    pub fn namespaces(&self) -> impl Iterator<Item = &Namespace> {
        self.spaces.values().map(|space| &space.object)
    }

    /// Who runs the cluster, and where: as its first pool.
    pub fn place(&self) -> (Provider, Arc<str>) {
        let pool = self.pools.first().map(|pool| &pool.spec);
        pool.map_or((Provider::Unknown, "".into()), |spec| (spec.provider, Arc::clone(&spec.region)))
    }

    /// All volumes as they really are, by name.
    pub fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.storage.volumes.values()
    }

    /// All claims as they really are, by namespace and name.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.storage.claims.values().map(|claim| &claim.object)
    }

    /// All Services with a load balancer as they really are.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.spaces.values().flat_map(|space| space.services.values())
    }

    /// All pods as they really are, oldest first.
    pub fn pods(&self) -> impl Iterator<Item = Pod> {
        self.pods.values().map(SimPod::record)
    }

    /// How many pods there are.
    pub fn pod_count(&self) -> usize {
        self.pods.len()
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn new_version(&mut self) -> Arc<str> {
        self.version += 1;
        self.version.to_string().into()
    }

    /// The watch of `kind` will show this: up to 3 s later, and never before what it was to show earlier.
    fn show(&mut self, kind: Kind, event: Event, at: Instant) {
        let delay = self.rng.between(0, 3_000).min(self.rng.between(0, 3_000));
        let late = self.lag(kind);
        self.agenda.show(kind, event, at + Millis(delay) + late);
    }

    /// The same for disks and load balancers, with their own chance.
    fn show_asset(&mut self, kind: Kind, event: Event, at: Instant) {
        let delay = self.asset_rng.between(0, 3_000);
        let late = self.lag(kind);
        self.agenda.show(kind, event, at + Millis(delay) + late);
    }

    fn lag(&mut self, kind: Kind) -> Millis {
        let most = self.slow.get(&kind).copied().unwrap_or_default();
        if most > Millis(0) { Millis(self.asset_rng.between(0, most.0)) } else { Millis(0) }
    }

    /// Everything but a delivery.
    fn happen(&mut self, happening: Happening, at: Instant) {
        match happening {
            Happening::Seen(_) => {}
            Happening::Schedule => self.schedule(at),
            Happening::PodRuns(id) => self.pod_runs(id, at),
            Happening::PodDone(id) => self.pod_done(id, at),
            Happening::PodExits(id) => self.pod_exits(id, at),
            Happening::PodForgotten(id) => self.remove_pod(id, at),
            Happening::NodeJoins(id) => self.node_joins(id, at),
            Happening::NodeReady(id) => self.node_ready(id, at),
            Happening::NodeReclaimed(id) => self.node_gone(id, at),
            Happening::Sweep => self.sweep(at),
            Happening::CronDue(id) => self.cron_due(id, at),
            Happening::JobDue(id) => self.job_due(id, at),
            Happening::Rollout(id) => self.rollout(id, at),
            Happening::Visit(space) => self.visit(&space, at),
            Happening::Hour => self.hour(at),
            Happening::Scrape => self.scrape(at),
            Happening::BalancerReady(space, name) => self.balancer_ready(&space, &name, at),
        }
    }
}

/// The kind of watch that shows this workload.
fn kind_of(key: &WorkloadKey) -> Kind {
    Kind::of_workload(&key.kind).unwrap_or(Kind::Deployment)
}
