//! The ledger of the cluster: every node's, and the hours that are closed.
//!
//! Facts arrive late, so time is settled only up to [`OPEN_FOR`] ago; a view shows what is settled and a provisional
//! picture of the rest. What comes later still becomes a correction in its own hour.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::hold::Sample;
use super::node_ledger::NodeLedger;
use super::savings::ClusterPrice;
use super::{
    Correction, FlatBook, Holder, Hours, NodeName, NodePrice, PodName, ResourceRates, Savings, Split,
};
use crate::cluster::{Attribution, Node};
use crate::units::{Instant, Millis, Resources, Window};

/// How long time stays open for late facts before it is settled.
pub const OPEN_FOR: Millis = Millis::from_minutes(5);

/// A pod that holds a node which is not known yet: the two watches are not in step.
#[derive(Debug)]
struct Waiting {
    pod: Arc<PodName>,
    attribution: Arc<Attribution>,
    requests: Resources,
    from: Instant,
    to: Option<Instant>,
}

/// The ledger of a cluster.
#[derive(Debug)]
pub struct Ledger {
    pub(super) start: Instant,
    pub(super) split: Split,
    pub(super) hold_forward: Millis,
    pub(super) nodes: BTreeMap<Arc<str>, NodeLedger>,
    /// UID of the newest node of each name.
    pub(super) by_name: BTreeMap<Arc<str>, Arc<str>>,
    waiting: BTreeMap<Arc<str>, Vec<Waiting>>,
    pub(super) flat: FlatBook,
    pub(super) hours: Hours,
    pub(super) savings: Savings,
    pub(super) cluster_price: ClusterPrice,
    pub(super) settled: Instant,
    /// Times in which the daemon was not running; kept until their hours are handed over.
    pub(super) gaps: Vec<Window>,
    /// Corrections of hours that are in the history alone, until they are in it too.
    pub(super) owed: Vec<Arc<Correction>>,
    pub(super) late_facts: u64,
    pub(super) late_lost: u64,
}

impl Ledger {
    /// A ledger that counts from `start`. A usage sample is held forward for at most two of `scrape_interval`.
    pub fn new(start: Instant, split: Split, scrape_interval: Millis, keep_rows: usize) -> Self {
        Self {
            start,
            split,
            hold_forward: Millis(2 * scrape_interval.0),
            nodes: BTreeMap::new(),
            by_name: BTreeMap::new(),
            waiting: BTreeMap::new(),
            flat: FlatBook::new(start),
            hours: Hours::new(keep_rows),
            savings: Savings::default(),
            cluster_price: ClusterPrice::default(),
            settled: start,
            gaps: Vec::new(),
            owed: Vec::new(),
            late_facts: 0,
            late_lost: 0,
        }
    }

    /// A node appeared, or offers something else since `now`.
    pub fn node(&mut self, node: &Node, now: Instant) {
        match self.nodes.get_mut(&node.uid) {
            Some(ledger) => ledger.offer(node.capacity, self.split, now),
            None => {
                let name = NodeName {
                    uid: Arc::clone(&node.uid),
                    name: Arc::clone(&node.name),
                    provider_id: Arc::clone(&node.provider_id),
                    facts: node.facts.clone(),
                };
                let start = node.created.max(self.start);
                self.nodes.insert(Arc::clone(&node.uid), NodeLedger::new(name, start, node.capacity));
                self.by_name.insert(Arc::clone(&node.name), Arc::clone(&node.uid));
                for waiting in self.waiting.remove(&node.name).unwrap_or_default() {
                    let (pod, to) = (Arc::clone(&waiting.pod), waiting.to);
                    self.hold(&node.name, pod, waiting.attribution, waiting.requests, waiting.from);
                    if let Some(to) = to {
                        self.release(&node.name, &waiting.pod.uid, to);
                    }
                }
            }
        }
        self.reprice(now);
    }

    /// A node costs this much from `at` on; its first price holds from its start.
    pub fn node_priced(&mut self, uid: &str, price: Arc<NodePrice>, at: Instant) {
        if let Some(node) = self.nodes.get_mut(uid) {
            node.price(price, self.split, at);
        }
        self.reprice(at);
    }

    /// A node is gone since `at`.
    pub fn node_gone(&mut self, uid: &str, at: Instant) {
        if let Some(node) = self.nodes.get_mut(uid) {
            node.finish(at);
            if self.by_name.get(&node.name.name).is_some_and(|newest| **newest == *uid) {
                self.by_name.remove(&node.name.name);
            }
        }
        self.reprice(at);
    }

    /// A pod holds the node of this name since `from`. Known already: nothing happens.
    pub fn hold(
        &mut self,
        node: &Arc<str>,
        pod: Arc<PodName>,
        attribution: Arc<Attribution>,
        requests: Resources,
        from: Instant,
    ) {
        match self.node_named(node) {
            Some(ledger) => {
                let corrections = ledger.hold(pod, attribution, requests, from);
                self.correct(corrections);
            }
            None => {
                let waiting = self.waiting.entry(Arc::clone(node)).or_default();
                if !waiting.iter().any(|w| w.pod.uid == pod.uid) {
                    waiting.push(Waiting { pod, attribution, requests, from, to: None });
                }
            }
        }
    }

    /// A pod gave its node back at `at`.
    pub fn release(&mut self, node: &Arc<str>, pod_uid: &str, at: Instant) {
        // The node may be gone, and another of its name be there: look at all that ever had it.
        if let Some(waiting) = self.waiting_pod(node, pod_uid) {
            waiting.to = Some(waiting.to.map_or(at, |to| to.min(at)));
            return;
        }
        if let Some(ledger) = self.node_named(node) {
            let corrections = ledger.release(pod_uid, at);
            self.correct(corrections);
        }
    }

    /// Whether the pod holds this node, or did in the open hour.
    pub fn knows(&self, node: &str, pod_uid: &str) -> bool {
        self.by_name.get(node).and_then(|uid| self.nodes.get(uid)).is_some_and(|node| node.knows(pod_uid))
    }

    /// UIDs of all nodes that are there.
    pub fn node_uids(&self) -> Vec<Arc<str>> {
        let live = self.nodes.iter().filter(|(_, node)| node.end.is_none());
        live.map(|(uid, _)| Arc::clone(uid)).collect()
    }

    /// Every pod that holds a node and has not given it back.
    pub fn holders(&self) -> Vec<Arc<Holder>> {
        self.nodes.values().flat_map(NodeLedger::holders).map(Arc::clone).collect()
    }

    /// What the pods of a workload request now.
    pub fn requests_of(&self, workload: &crate::cluster::WorkloadKey) -> Resources {
        self.nodes.values().map(|node| node.requests_of(workload)).fold(Resources::default(), |a, b| a + b)
    }

    /// From `at` on the pod requests something else.
    pub fn resize(&mut self, node: &Arc<str>, pod_uid: &str, requests: Resources, at: Instant) {
        if let Some(ledger) = self.node_named(node) {
            ledger.resize(pod_uid, requests, at);
        }
    }

    /// Workloads that are counted as asleep.
    pub fn sleepers(&self) -> Vec<crate::cluster::WorkloadKey> {
        self.savings.keys().cloned().collect()
    }

    /// From `at` on somebody else pays for the pod.
    pub fn reassign(&mut self, node: &Arc<str>, pod_uid: &str, attribution: &Arc<Attribution>, at: Instant) {
        if let Some(ledger) = self.node_named(node) {
            ledger.reassign(pod_uid, attribution, at);
        } else if let Some(waiting) = self.waiting_pod(node, pod_uid) {
            waiting.attribution = Arc::clone(attribution);
        }
    }

    /// From `at` on the pod requests something else, or somebody else pays.
    pub fn change(
        &mut self,
        node: &Arc<str>,
        pod_uid: &str,
        attribution: &Arc<Attribution>,
        requests: Resources,
        at: Instant,
    ) {
        if let Some(ledger) = self.node_named(node) {
            ledger.change(pod_uid, attribution, requests, at);
        } else if let Some(waiting) = self.waiting_pod(node, pod_uid) {
            waiting.requests = requests;
            waiting.attribution = Arc::clone(attribution);
        }
    }

    /// Who pays for a pod was not known when it was first seen: for all of its hold where it was `before`, it is
    /// `after`.
    pub fn amend(
        &mut self,
        node: &Arc<str>,
        pod_uid: &str,
        before: &Arc<Attribution>,
        after: &Arc<Attribution>,
    ) {
        if let Some(ledger) = self.node_named(node) {
            ledger.amend(pod_uid, before, after);
        } else if let Some(waiting) = self.waiting_pod(node, pod_uid) {
            waiting.attribution = Arc::clone(after);
        }
    }

    /// A pod used `usage`, on average from `at - window` to `at`. `pod` is the very one that was given to
    /// [`Self::hold`]: it is told by its address.
    pub fn usage(
        &mut self,
        node: &Arc<str>,
        pod: &Arc<PodName>,
        at: Instant,
        window: Millis,
        usage: Resources,
    ) {
        let hold_forward = self.hold_forward;
        if let Some(ledger) = self.node_named(node) {
            ledger.sample(pod, Sample::new(at, window, usage), hold_forward);
        }
    }

    /// Everything on the bill that is no node.
    pub const fn flat(&mut self) -> &mut FlatBook {
        &mut self.flat
    }

    /// A workload sleeps since `since`, which frees `freed`.
    pub fn asleep(
        &mut self,
        key: &crate::cluster::WorkloadKey,
        attribution: &Arc<Attribution>,
        policy: &Arc<str>,
        freed: Resources,
        since: Instant,
    ) {
        self.savings.asleep(key, attribution, policy, freed, since.max(self.start));
    }

    /// A workload is awake again since `at`, or gone.
    pub fn awake(&mut self, key: &crate::cluster::WorkloadKey, at: Instant) {
        self.savings.awake(key, self.cluster_price, at, &mut self.hours);
    }

    /// What a unit of each resource costs in this cluster. While no node is there, as when the last one was.
    pub const fn cluster_price(&self) -> ClusterPrice {
        self.cluster_price
    }

    fn node_named(&mut self, name: &str) -> Option<&mut NodeLedger> {
        self.nodes.get_mut(self.by_name.get(name)?)
    }

    fn waiting_pod(&mut self, node: &str, pod_uid: &str) -> Option<&mut Waiting> {
        self.waiting.get_mut(node)?.iter_mut().find(|waiting| *waiting.pod.uid == *pod_uid)
    }

    fn reprice(&mut self, now: Instant) {
        let mut price = ClusterPrice::default();
        for node in self.nodes.values().filter(|node| node.is_live(now)) {
            let (capacity, rates, _) = node.current();
            price.capacity += capacity;
            price.rates = ResourceRates {
                cpu: price.rates.cpu + rates.cpu,
                memory: price.rates.memory + rates.memory,
                gpu: price.rates.gpu + rates.gpu,
            };
        }
        if price.capacity != Resources::default() {
            self.savings.count(self.cluster_price, now, &mut self.hours);
            self.cluster_price = price;
        }
    }
}
