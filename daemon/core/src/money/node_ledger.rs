//! The ledger of one node: who held how much of it when, settled up to an instant, open after it.
//!
//! Nothing here depends on the order in which facts arrive. They are kept as intervals, and a pass cuts time at every
//! instant at which one of them begins or ends; between two cuts all rates are constant and an amount is rate × time.

use std::cmp::Reverse;
use std::sync::Arc;

use super::hold::{Hold, HoldSum, Sample};
use super::row::{AllocationRow, AssetRow, ByResource, NodeName, PodName, ResourceHours};
use super::split::share;
use super::{NodePrice, ResourceRates, Split};
use crate::cluster::Attribution;
use crate::units::{Cost, Instant, Millis, PicoUsd, Rate, Resource, Resources, Window};

/// What a node offers and costs from an instant on.
#[derive(Clone, Debug)]
struct Terms {
    from: Instant,
    capacity: Resources,
    price: Option<Arc<NodePrice>>,
    rates: ResourceRates,
}

/// What the node has cost since the hour began.
#[derive(Clone, Default, Debug)]
struct NodeSum {
    cost: [Cost; 3],
    idle: [Cost; 3],
    capacity: ResourceHours,
    charged: ResourceHours,
}

/// The sums of the open hour.
#[derive(Clone, Default, Debug)]
struct Sums {
    node: NodeSum,
    /// In step with `NodeLedger::holds`.
    holds: Vec<HoldSum>,
}

/// Rows that a node hands over when an hour ends, or as the provisional picture of one.
#[derive(Debug)]
pub(super) struct NodeHour {
    pub(super) hour: Instant,
    pub(super) allocations: Vec<AllocationRow>,
    pub(super) asset: AssetRow,
}

/// A correction of an hour that was handed over already: a pod was there, or not, other than was known.
#[derive(Debug)]
pub(super) struct Correction {
    pub(super) hour: Instant,
    /// The row to add; its cost is what to charge, or with `refund` what to give back at most.
    pub(super) row: AllocationRow,
    pub(super) refund: bool,
}

/// The ledger of one node.
#[derive(Debug)]
pub(super) struct NodeLedger {
    pub(super) name: Arc<NodeName>,
    start: Instant,
    end: Option<Instant>,
    /// Oldest first; the first holds from the start.
    terms: Vec<Terms>,
    /// By pod and begin, so that nothing depends on the order of arrival.
    holds: Vec<Hold>,
    sums: Sums,
    /// Instants of the samples of the open time, ascending: shared by the pods of a node.
    sampled: Vec<Instant>,
    settled: Instant,
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
                    terms.rates = split.rates(price.hourly, terms.capacity);
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
            next.price.as_ref().map_or_else(ResourceRates::default, |p| split.rates(p.hourly, next.capacity));
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
        if self.last_hold(&pod.uid).is_some() {
            return Vec::new();
        }
        let from = from.max(self.start);
        let index = self.insert(Hold::new(pod, attribution, requests, from));
        self.correct(index, from, self.settled, false)
    }

    /// A pod gave the node back at `at`.
    pub(super) fn release(&mut self, pod_uid: &str, at: Instant) -> Vec<Correction> {
        let Some(index) = self.last_hold(pod_uid).filter(|&i| self.holds[i].to().is_none()) else {
            return Vec::new();
        };
        let at = at.max(self.holds[index].from);
        self.holds[index].end(at);
        self.correct(index, at, self.settled, true)
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
        if hold.requests == requests && hold.attribution == *attribution {
            return;
        }
        let at = at.max(self.settled).max(hold.from);
        let mut next = hold.clone();
        next.requests = requests;
        next.attribution = Arc::clone(attribution);
        if hold.from == at {
            *hold = next;
            return;
        }
        hold.end(at);
        next.from = at;
        self.insert(next);
    }

    /// From `at` on somebody else pays for the pod.
    pub(super) fn reassign(&mut self, pod_uid: &str, attribution: &Arc<Attribution>, at: Instant) {
        if let Some(requests) = self.last_hold(pod_uid).map(|index| self.holds[index].requests) {
            self.change(pod_uid, attribution, requests, at);
        }
    }

    /// Where `before` paid for the pod, `after` does, from the hold's begin: it was not known better at first.
    pub(super) fn amend(&mut self, pod_uid: &str, before: &Arc<Attribution>, after: &Arc<Attribution>) {
        let first = self.holds.partition_point(|hold| *hold.pod.uid < *pod_uid);
        for hold in self.holds[first..].iter_mut().take_while(|hold| *hold.pod.uid == *pod_uid) {
            if hold.attribution == *before {
                hold.attribution = Arc::clone(after);
            }
        }
    }

    /// A pod used this much; `sample.at` is the same for all pods of one scrape of this node.
    pub(super) fn sample(&mut self, pod_uid: &str, sample: Sample, hold_forward: Millis) {
        if sample.at() + hold_forward <= self.settled {
            return; // older than anything that can still change
        }
        if let Err(at) = self.sampled.binary_search(&sample.at()) {
            self.sampled.insert(at, sample.at());
        }
        let first = self.holds.partition_point(|hold| *hold.pod.uid < *pod_uid);
        for hold in self.holds[first..].iter_mut().take_while(|hold| *hold.pod.uid == *pod_uid) {
            // A sample from before the pod began is one of an earlier pod of the same name.
            if sample.at() > hold.from && !hold.is_over(sample.from()) {
                hold.sample(sample, hold_forward);
            }
        }
    }

    /// Settles up to `horizon` and hands over the hours that ended.
    pub(super) fn settle(&mut self, horizon: Instant, hold_forward: Millis) -> Vec<NodeHour> {
        if horizon <= self.settled {
            return Vec::new();
        }
        let mut sums = std::mem::take(&mut self.sums);
        let mut done = Vec::new();
        self.integrate(self.settled, horizon, hold_forward, &mut sums, &mut done);
        self.sums = sums;
        self.settled = horizon;
        self.forget(horizon, !done.is_empty());
        done
    }

    /// The provisional picture up to `now`: the open hours as they would be handed over.
    pub(super) fn provisional(&self, now: Instant, hold_forward: Millis) -> Vec<NodeHour> {
        let mut sums = self.sums.clone();
        let mut done = Vec::new();
        if now > self.settled {
            self.integrate(self.settled, now, hold_forward, &mut sums, &mut done);
        }
        let until = now.max(self.settled);
        if until > until.hour() {
            done.extend(self.hand_over(until.hour(), until, &mut sums));
        }
        done
    }

    /// What each pod holds at `at`, and what that costs per hour.
    pub(super) fn charges(
        &self,
        at: Instant,
        hold_forward: Millis,
        mut each: impl FnMut(&Hold, Resources, Rate),
    ) {
        let terms = self.terms_at(at);
        let charges: Vec<_> = self
            .holds
            .iter()
            .filter(|hold| hold.covers(at))
            .map(|hold| (hold, hold.requests.max(hold.usage(at, hold_forward).unwrap_or_default())))
            .collect();
        let sums = Resource::ALL.map(|r| charges.iter().map(|(_, c)| u128::from(c.get(r))).sum::<u128>());
        for (hold, charge) in charges {
            let rate = Resource::ALL
                .into_iter()
                .zip(sums)
                .map(|(r, sum)| share(terms.rates.get(r), charge.get(r), sum, terms.capacity.get(r)))
                .sum();
            each(hold, charge, rate);
        }
    }

    fn integrate(
        &self,
        from: Instant,
        to: Instant,
        hold_forward: Millis,
        sums: &mut Sums,
        done: &mut Vec<NodeHour>,
    ) {
        sums.holds.resize(self.holds.len(), HoldSum::default());
        let mut charges = Vec::with_capacity(self.holds.len());
        let mut at = from;
        for cut in self.cuts(from, to, hold_forward) {
            self.segment(Window::new(at, cut), hold_forward, sums, &mut charges);
            if cut == cut.hour() {
                done.extend(self.hand_over(cut - Millis::HOUR, cut, sums));
            }
            at = cut;
        }
    }

    /// All instants in `(from, to]` at which a rate may change or an hour ends, ascending, the last being `to`.
    fn cuts(&self, from: Instant, to: Instant, hold_forward: Millis) -> Vec<Instant> {
        let mut cuts = vec![to];
        let mut hour = from.next_hour();
        while hour < to {
            cuts.push(hour);
            hour = hour + Millis::HOUR;
        }
        cuts.extend(self.end);
        cuts.extend(self.terms.iter().map(|terms| terms.from));
        for (index, &at) in self.sampled.iter().enumerate() {
            cuts.push(at);
            if self.sampled.get(index + 1).is_none_or(|&next| next > at + hold_forward) {
                cuts.push(at + hold_forward);
            }
        }
        for hold in &self.holds {
            cuts.push(hold.from);
            cuts.extend(hold.to());
            // Within a run of samples a pod may miss some, or begin: its first sample has a begin of its own, and
            // one that is followed by none ends alone.
            let mut before = None;
            for sample in &hold.samples {
                if before != Some(sample.from()) {
                    cuts.push(sample.from());
                    cuts.extend(before.map(|at| at + hold_forward));
                }
                before = Some(sample.at());
            }
            cuts.extend(before.map(|at| at + hold_forward));
        }
        cuts.retain(|&cut| from < cut && cut <= to);
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// Adds one segment in which nothing changes.
    fn segment(
        &self,
        span: Window,
        hold_forward: Millis,
        sums: &mut Sums,
        charges: &mut Vec<(usize, Resources)>,
    ) {
        if !self.is_live(span.start) || span.is_empty() {
            return;
        }
        let (time, hours) = (span.length(), span.length().as_hours());
        let terms = self.terms_at(span.start);
        charges.clear();
        let mut all = [0u128; 3];
        for (index, hold) in self.holds.iter().enumerate().filter(|(_, hold)| hold.covers(span.start)) {
            let usage = hold.usage(span.start, hold_forward);
            let charge = hold.requests.max(usage.unwrap_or_default());
            sums.holds[index].add(hold.requests, usage, time);
            for (sum, resource) in all.iter_mut().zip(Resource::ALL) {
                *sum += u128::from(charge.get(resource));
            }
            charges.push((index, charge));
        }
        let [cpu, memory, gpu] = all;
        sums.node.charged += ResourceHours {
            cpu_core_hours: cpu as f64 / 1e9 * hours,
            memory_byte_hours: memory as f64 * hours,
            gpu_hours: gpu as f64 / 1e3 * hours,
        };
        sums.node.capacity += ResourceHours::of(terms.capacity, hours);
        for (nth, resource) in Resource::ALL.into_iter().enumerate() {
            let (rate, capacity) = (terms.rates.get(resource), terms.capacity.get(resource));
            if rate.0 == 0 {
                continue;
            }
            let mut paid = Rate(0);
            for &(index, charge) in charges.iter() {
                let part = share(rate, charge.get(resource), all[nth], capacity);
                sums.holds[index].cost[nth] += part.over(time);
                paid += part;
            }
            sums.node.cost[nth] += rate.over(time);
            sums.node.idle[nth] += (rate - paid).over(time);
        }
    }

    fn terms_at(&self, at: Instant) -> &Terms {
        let next = self.terms.partition_point(|terms| terms.from <= at);
        &self.terms[next.saturating_sub(1)]
    }

    /// The rows of one hour, or of its part up to `until`; the sums start anew. `None` if the node was not there.
    fn hand_over(&self, hour: Instant, until: Instant, sums: &mut Sums) -> Option<NodeHour> {
        let window = Window::new(hour, until);
        let lived = window.intersect(Window::new(self.start, self.end.unwrap_or(until)));
        let sums = std::mem::replace(
            sums,
            Sums { node: NodeSum::default(), holds: vec![HoldSum::default(); sums.holds.len()] },
        );
        if lived.is_empty() {
            return None;
        }
        let mut parts = vec![[PicoUsd(0); 3]; sums.holds.len()];
        let (mut cost, mut idle) = ([PicoUsd(0); 3], [PicoUsd(0); 3]);
        for nth in 0..3 {
            cost[nth] = sums.node.cost[nth].floor_pico();
            idle[nth] = round_parts(cost[nth], nth, sums.node.idle[nth], &sums.holds, &mut parts);
        }
        let allocations = self
            .holds
            .iter()
            .zip(&sums.holds)
            .zip(parts)
            .filter(|((hold, sum), _)| hold.touches(hour, until) || sum.cost != [Cost(0); 3])
            .map(|((hold, sum), cost)| sum.row(&self.name, hold, lived, cost))
            .collect();
        let terms = self.terms_at(lived.end - Millis(1));
        let asset = AssetRow {
            node: Arc::clone(&self.name),
            price: terms.price.clone(),
            window: lived,
            cost: ByResource::from_array(cost),
            idle: ByResource::from_array(idle),
            capacity: sums.node.capacity,
            charged: sums.node.charged,
            late: false,
        };
        Some(NodeHour { hour, allocations, asset })
    }

    /// A fact came after `settled`: between `from` and `until` the pod was there after all, or (`refund`) was not.
    ///
    /// What it is charged or given back then is what its request costs, taken from idle or given to it: the price of
    /// usage in a time already settled is not known any more. The open hour is corrected here, older ones by rows.
    fn correct(&mut self, index: usize, from: Instant, until: Instant, refund: bool) -> Vec<Correction> {
        let mut corrections = Vec::new();
        let mut at = from.max(self.start);
        self.sums.holds.resize(self.holds.len(), HoldSum::default());
        while at < until {
            let end = at.next_hour().min(until);
            let (span, hold, terms) = (Window::new(at, end), &self.holds[index], self.terms_at(at));
            let amounts = Resource::ALL.map(|r| {
                share(terms.rates.get(r), hold.requests.get(r), 0, terms.capacity.get(r)).over(span.length())
            });
            if at.hour() == self.settled.hour() && self.settled != self.settled.hour() {
                // A pod that was gone before the hour began gets all back, what it seemed to use included.
                let all = refund && at <= hold.from.max(at.hour());
                let (sum, node) = (&mut self.sums.holds[index], &mut self.sums.node);
                for (nth, amount) in amounts.into_iter().enumerate() {
                    let amount = if all { sum.cost[nth] } else { amount };
                    let (from, to) = if refund {
                        (&mut sum.cost[nth], &mut node.idle[nth])
                    } else {
                        (&mut node.idle[nth], &mut sum.cost[nth])
                    };
                    let amount = amount.min(*from);
                    *from -= amount;
                    *to += amount;
                }
                sum.held_ms += if refund { -span.length().0 } else { span.length().0 };
                sum.late = true;
            } else {
                let sum = HoldSum { held_ms: span.length().0, late: true, ..HoldSum::default() };
                let mut row = sum.row(&self.name, hold, span, amounts.map(Cost::floor_pico));
                row.window = span; // a refund lies after the hold's end
                corrections.push(Correction { hour: at.hour(), row, refund });
            }
            at = end;
        }
        corrections
    }

    fn insert(&mut self, hold: Hold) -> usize {
        let index = self.holds.partition_point(|h| (&h.pod.uid, h.from) < (&hold.pod.uid, hold.from));
        self.holds.insert(index, hold);
        if index <= self.sums.holds.len() {
            self.sums.holds.insert(index, HoldSum::default());
        }
        index
    }

    /// The newest hold of a pod.
    fn last_hold(&self, pod_uid: &str) -> Option<usize> {
        let after = self.holds.partition_point(|hold| *hold.pod.uid <= *pod_uid);
        let index = after.checked_sub(1)?;
        (*self.holds[index].pod.uid == *pod_uid).then_some(index)
    }

    /// Drops what cannot matter any more; finished holds only after their hour was handed over.
    fn forget(&mut self, settled: Instant, hour_ended: bool) {
        let past = self.sampled.partition_point(|&at| at <= settled);
        if past > 1 {
            self.sampled.drain(..past - 1);
        }
        for hold in &mut self.holds {
            hold.forget(settled);
        }
        if !hour_ended || !self.holds.iter().any(|hold| hold.is_over(settled)) {
            return;
        }
        let keep: Vec<bool> = self.holds.iter().map(|hold| !hold.is_over(settled.hour())).collect();
        let mut kept = keep.iter();
        self.holds.retain(|_| kept.next().copied().unwrap_or(true));
        let mut kept = keep.iter();
        self.sums.holds.retain(|_| kept.next().copied().unwrap_or(true));
    }
}

/// Rounds the parts of one resource down to whole pico-dollars and hands what is missing to `total` to those that
/// lost most, so that they add up to it exactly. Returns idle's part.
fn round_parts(
    total: PicoUsd,
    nth: usize,
    idle: Cost,
    holds: &[HoldSum],
    parts: &mut [[PicoUsd; 3]],
) -> PicoUsd {
    let mut idle_part = idle.floor_pico();
    let mut given = idle_part;
    for (part, sum) in parts.iter_mut().zip(holds) {
        part[nth] = sum.cost[nth].floor_pico();
        given += part[nth];
    }
    let mut missing = (total - given).0;
    if missing == 0 {
        return idle_part;
    }
    // Idle is the last among equals: index `holds.len()`.
    let remainder = |index: usize| holds.get(index).map_or(idle, |sum| sum.cost[nth]).remainder();
    let mut order: Vec<usize> = (0..=holds.len()).filter(|&index| remainder(index) > 0).collect();
    order.sort_by_key(|&index| (Reverse(remainder(index)), index));
    for index in order {
        if missing == 0 {
            break;
        }
        match parts.get_mut(index) {
            Some(part) => part[nth] += PicoUsd(1),
            None => idle_part += PicoUsd(1),
        }
        missing -= 1;
    }
    idle_part
}
