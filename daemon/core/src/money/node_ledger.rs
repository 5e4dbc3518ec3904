//! The ledger of one node: who held how much of it when, settled up to an instant, open after it.
//!
//! Nothing here depends on the order in which facts arrive. They are kept as intervals, and a pass cuts time at every
//! instant at which one of them begins or ends; between two cuts all rates are constant and an amount is rate × time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hold::{Hold, HoldSum, Sample};
use super::row::{Holder, NodeName, PodName, ResourceHours};
use super::{Correction, NodePrice, PodRates, ResourceRates, Split};
use crate::cluster::{Attribution, WorkloadKey};
use crate::units::{Cost, Instant, Millis, Resources};

/// What a node offers and costs from an instant on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) from: Instant,
    pub(super) capacity: Resources,
    pub(super) price: Option<Arc<NodePrice>>,
    pub(super) rates: ResourceRates,
}

impl Terms {
    /// Set where the pods are billed and not the machine.
    pub(super) fn by_pod(&self) -> Option<PodRates> {
        self.price.as_ref().and_then(|price| price.by_pod)
    }
}

/// The price of a machine's resources: by the split, or by what its pods pay for each.
fn rates(price: &NodePrice, capacity: Resources, split: Split) -> ResourceRates {
    match price.by_pod {
        None => split.rates(price.hourly, capacity),
        Some(pods) => {
            let [cpu, memory, gpu] = pods.rates_of(capacity, "");
            ResourceRates { cpu, memory, gpu }
        }
    }
}

/// What the node has cost since the hour began.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub(super) struct NodeSum {
    pub(super) cost: [Cost; 3],
    pub(super) idle: [Cost; 3],
    pub(super) capacity: ResourceHours,
    pub(super) charged: ResourceHours,
}

/// The sums of the open hour.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) node: NodeSum,
    /// In step with `NodeLedger::holds`.
    pub(super) holds: Vec<HoldSum>,
}

/// The ledger of one node.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NodeLedger {
    pub(super) name: Arc<NodeName>,
    pub(super) start: Instant,
    pub(super) end: Option<Instant>,
    /// Oldest first; the first holds from the start.
    pub(super) terms: Vec<Terms>,
    /// By pod and begin, so that nothing depends on the order of arrival.
    pub(super) holds: Vec<Hold>,
    pub(super) sums: Sums,
    /// Instants of the samples of the open time, ascending: shared by the pods of a node.
    pub(super) sampled: Vec<Instant>,
    pub(super) settled: Instant,
}

impl NodeLedger {
    /// A node that is counted from `start`.
    pub(super) fn new(name: NodeName, start: Instant, capacity: Resources) -> Self {
        let terms = Terms { from: start, capacity, price: None, rates: ResourceRates::default() };
        Self {
            name: Arc::new(name),
            start,
            end: None,
            terms: vec![terms],
            holds: Vec::new(),
            sums: Sums::default(),
            sampled: Vec::new(),
            settled: start,
        }
    }

    /// Its last hour has been handed over.
    pub(super) fn is_finished(&self) -> bool {
        self.end.is_some_and(|end| end <= self.settled.hour())
    }

    /// The terms in force now.
    pub(super) fn current(&self) -> (Resources, ResourceRates, Option<&Arc<NodePrice>>) {
        // There is always one: made in `new`, never removed.
        let terms = &self.terms[self.terms.len() - 1];
        (terms.capacity, terms.rates, terms.price.as_ref())
    }

    /// Whether it is still there.
    pub(super) fn is_live(&self, at: Instant) -> bool {
        self.start <= at && self.end.is_none_or(|end| at < end)
    }

    /// How many holds it keeps, finished ones of the open hour included.
    pub(super) const fn holds_kept(&self) -> usize {
        self.holds.len()
    }

    /// How many pods hold it at `at`.
    pub(super) fn held_by(&self, at: Instant) -> usize {
        self.holds.iter().filter(|hold| hold.covers(at)).count()
    }

    /// The node offers something else from `at` on.
    pub(super) fn offer(&mut self, capacity: Resources, split: Split, at: Instant) {
        if self.current().0 != capacity {
            self.change_terms(split, at, |terms| terms.capacity = capacity);
        }
    }

    /// The node costs something else from `at` on. Its first price holds from its start: it always cost something.
    pub(super) fn price(&mut self, price: Arc<NodePrice>, split: Split, at: Instant) {
        match self.current().2 {
            Some(known) if **known == *price => {}
            Some(_) => self.change_terms(split, at, |terms| terms.price = Some(price)),
            None => {
                for terms in &mut self.terms {
                    terms.rates = rates(&price, terms.capacity, split);
                    terms.price = Some(Arc::clone(&price));
                }
            }
        }
    }

    fn change_terms(&mut self, split: Split, at: Instant, change: impl FnOnce(&mut Terms)) {
        let at = at.max(self.settled);
        let mut next = self.terms[self.terms.len() - 1].clone();
        change(&mut next);
        next.rates =
            next.price.as_ref().map_or_else(ResourceRates::default, |p| rates(p, next.capacity, split));
        if next.from >= at {
            let last = self.terms.len() - 1;
            self.terms[last] = next; // two changes at one instant: the later one holds
        } else {
            next.from = at;
            self.terms.push(next);
        }
    }

    /// The node is gone from `at` on; what is settled stays.
    pub(super) fn finish(&mut self, at: Instant) {
        let at = at.max(self.settled);
        self.end = Some(self.end.map_or(at, |end| end.min(at)));
    }

    /// A pod holds the node from `from` on. Known already: nothing happens.
    pub(super) fn hold(
        &mut self,
        pod: Arc<PodName>,
        attribution: Arc<Attribution>,
        requests: Resources,
        from: Instant,
    ) -> Vec<Correction> {
        if let Some(last) = self.last_hold(&pod.uid) {
            self.rename(last, &pod);
            return Vec::new();
        }
        let from = from.max(self.start);
        let holder = Arc::new(Holder { node: Arc::clone(&self.name), pod, attribution });
        let index = self.insert(Hold::new(holder, requests, from));
        self.correct(index, from, self.settled, false)
    }

    /// A pod gave the node back at `at`.
    pub(super) fn release(&mut self, pod_uid: &str, at: Instant) -> Vec<Correction> {
        let Some(mut index) = self.last_hold(pod_uid).filter(|&i| self.holds[i].to().is_none()) else {
            return Vec::new();
        };
        let mut corrections = Vec::new();
        // Others may have begun to pay after it had ended, since that is told of late: they never did.
        while at < self.holds[index].from && index > 0 && self.holds[index - 1].uid() == pod_uid {
            let from = self.holds[index].from;
            self.holds[index].end(from);
            corrections.extend(self.correct(index, from, self.settled, true));
            index -= 1;
        }
        let at = at.max(self.holds[index].from);
        self.holds[index].end(at);
        corrections.extend(self.correct(index, at, self.settled, true));
        corrections
    }

    /// From `at` on the pod requests something else, or somebody else pays for it.
    pub(super) fn change(
        &mut self,
        pod_uid: &str,
        attribution: &Arc<Attribution>,
        requests: Resources,
        at: Instant,
    ) {
        let Some(index) = self.last_hold(pod_uid).filter(|&i| self.holds[i].to().is_none()) else {
            return;
        };
        let hold = &mut self.holds[index];
        if hold.requests == requests && hold.holder.attribution == *attribution {
            return;
        }
        let at = at.max(self.settled).max(hold.from);
        let mut next = hold.clone();
        next.requests = requests;
        next.pay(attribution);
        if hold.from == at {
            *hold = next;
            return;
        }
        hold.end(at);
        next.from = at;
        self.insert(next);
    }

    /// From `at` on the pod requests something else.
    pub(super) fn resize(&mut self, pod_uid: &str, requests: Resources, at: Instant) {
        let payer = self.last_hold(pod_uid).map(|index| Arc::clone(&self.holds[index].holder.attribution));
        if let Some(payer) = payer {
            self.change(pod_uid, &payer, requests, at);
        }
    }

    /// From `at` on somebody else pays for the pod.
    pub(super) fn reassign(&mut self, pod_uid: &str, attribution: &Arc<Attribution>, at: Instant) {
        if let Some(requests) = self.last_hold(pod_uid).map(|index| self.holds[index].requests) {
            self.change(pod_uid, attribution, requests, at);
        }
    }

    /// Where `before` paid for the pod, `after` does, from the hold's begin: it was not known better at first.
    pub(super) fn amend(&mut self, pod_uid: &str, before: &Arc<Attribution>, after: &Arc<Attribution>) {
        let first = self.holds.partition_point(|hold| hold.uid() < pod_uid);
        for hold in self.holds[first..].iter_mut().take_while(|hold| hold.uid() == pod_uid) {
            if hold.holder.attribution == *before {
                hold.pay(after);
            }
        }
    }

    /// A pod used this much; `sample.at` is the same for all pods of one scrape of this node.
    pub(super) fn sample(&mut self, pod: &Arc<PodName>, sample: Sample, hold_forward: Millis) {
        if sample.at() + hold_forward <= self.settled {
            return; // older than anything that can still change
        }
        if let Err(at) = self.sampled.binary_search(&sample.at()) {
            self.sampled.insert(at, sample.at());
        }
        // The holds of a node lie side by side: to look at all of them costs less than to follow texts in a search.
        for hold in self.holds.iter_mut().filter(|hold| Arc::ptr_eq(&hold.holder.pod, pod)) {
            // A sample from before the pod began is one of an earlier pod of the same name.
            if sample.at() > hold.from && !hold.is_over(sample.from()) {
                hold.sample(sample, hold_forward);
            }
        }
    }

    /// Whether the pod holds it, or did in the open hour.
    pub(super) fn knows(&self, pod_uid: &str) -> bool {
        self.last_hold(pod_uid).is_some()
    }

    /// Pods that hold it and have not given it back.
    pub(super) fn holders(&self) -> impl Iterator<Item = &Arc<Holder>> {
        self.holds.iter().filter(|hold| hold.to().is_none()).map(|hold| &hold.holder)
    }

    /// What the pods of a workload request of it now.
    pub(super) fn requests_of(&self, workload: &WorkloadKey) -> Resources {
        let holds = self.holds.iter().filter(|hold| hold.to().is_none());
        // A pod's owner reference names a kind without its group.
        let own = holds.filter(|hold| {
            let of = hold.holder.attribution.workload.as_ref();
            of.is_some_and(|of| {
                of.name == workload.name
                    && of.namespace == workload.namespace
                    && of.kind.plain() == workload.kind.plain()
            })
        });
        own.fold(Resources::default(), |sum, hold| sum + hold.requests)
    }

    /// One copy of each name again, after a checkpoint has written each wherever it stands.
    pub(super) fn share_names(&mut self, intern: &mut impl FnMut(&Attribution) -> Arc<Attribution>) {
        for hold in &mut self.holds {
            hold.holder = Arc::new(Holder {
                node: Arc::clone(&self.name),
                pod: Arc::clone(&hold.holder.pod),
                attribution: intern(&hold.holder.attribution),
            });
        }
    }

    /// From here on the pod is told by this very name: samples find it by its address.
    fn rename(&mut self, last: usize, pod: &Arc<PodName>) {
        let same_pod = self.holds[..=last].iter_mut().rev().take_while(|hold| hold.holder.pod == *pod);
        for hold in same_pod.filter(|hold| !Arc::ptr_eq(&hold.holder.pod, pod)) {
            hold.holder = Arc::new(Holder { pod: Arc::clone(pod), ..(*hold.holder).clone() });
        }
    }

    fn insert(&mut self, hold: Hold) -> usize {
        let index = self.holds.partition_point(|h| (h.uid(), h.from) < (hold.uid(), hold.from));
        // Exactly: a node has some dozens of them, and there are many nodes.
        self.holds.reserve_exact(1);
        self.holds.insert(index, hold);
        if index <= self.sums.holds.len() {
            self.sums.holds.reserve_exact(1);
            self.sums.holds.insert(index, HoldSum::default());
        }
        index
    }

    /// The newest hold of a pod.
    fn last_hold(&self, pod_uid: &str) -> Option<usize> {
        let after = self.holds.partition_point(|hold| hold.uid() <= pod_uid);
        let index = after.checked_sub(1)?;
        (self.holds[index].uid() == pod_uid).then_some(index)
    }
}
