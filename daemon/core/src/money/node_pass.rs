//! A pass over one node: time is cut wherever a rate may change, and each piece is an amount of rate × time.

use std::cmp::Reverse;
use std::sync::Arc;

use super::PodRates;
use super::hold::HoldSum;
use super::hours::HourBook;
use super::node_ledger::{NodeLedger, NodeSum, Sums, Terms};
use super::row::{AssetRow, ByResource, HeldPod, Marks, ResourceHours};
use super::split::share;
use crate::units::{Cost, Instant, Millis, PicoUsd, Rate, Resource, Resources, Window};

impl NodeLedger {
    /// Settles up to `horizon` and hands the hours that ended to `book`.
    pub(super) fn settle(&mut self, horizon: Instant, hold_forward: Millis, book: &mut impl HourBook) {
        if horizon <= self.settled {
            return;
        }
        let mut sums = std::mem::take(&mut self.sums);
        self.integrate(self.settled, horizon, hold_forward, &mut sums, book);
        self.sums = sums;
        let hour_ended = horizon.hour() > self.settled.hour();
        self.settled = horizon;
        self.forget(horizon, hour_ended);
    }

    /// The provisional picture up to `now`: the open hours as they would be handed over.
    pub(super) fn provisional(&self, now: Instant, hold_forward: Millis, book: &mut impl HourBook) {
        let mut sums = self.sums.clone();
        if now > self.settled {
            self.integrate(self.settled, now, hold_forward, &mut sums, book);
        }
        let until = now.max(self.settled);
        if until > until.hour() {
            self.hand_over(until.hour(), until, &mut sums, book);
        }
    }

    /// What each pod holds at `at`, and what that costs per hour.
    pub(super) fn held(&self, at: Instant, hold_forward: Millis, pods: &mut Vec<HeldPod>) {
        let first = pods.len();
        let mut all = [0u128; 3];
        for hold in self.holds.iter().filter(|hold| hold.covers(at)) {
            let charge = hold.requests.max(hold.usage(at, hold_forward).unwrap_or_default());
            for (sum, resource) in all.iter_mut().zip(Resource::ALL) {
                *sum += u128::from(charge.get(resource));
            }
            pods.push(HeldPod { holder: Arc::clone(&hold.holder), charge, hourly: Rate(0) });
        }
        let terms = self.terms_at(at);
        if let Some(rates) = terms.by_pod() {
            let live = self.holds.iter().filter(|hold| hold.covers(at));
            for (pod, hold) in pods[first..].iter_mut().zip(live) {
                pod.charge = hold.requests;
                pod.hourly = rates.rates_of(hold.requests, &hold.holder.pod.namespace).into_iter().sum();
            }
            return;
        }
        for pod in &mut pods[first..] {
            for (sum, resource) in all.into_iter().zip(Resource::ALL) {
                let (rate, capacity) = (terms.rates.get(resource), terms.capacity.get(resource));
                pod.hourly += share(rate, pod.charge.get(resource), sum, capacity);
            }
        }
    }

    fn integrate(
        &self,
        from: Instant,
        to: Instant,
        hold_forward: Millis,
        sums: &mut Sums,
        book: &mut impl HourBook,
    ) {
        sums.holds.resize(self.holds.len(), HoldSum::default());
        let mut charges = Vec::with_capacity(self.holds.len());
        let mut at = from;
        for cut in self.cuts(from, to, hold_forward) {
            self.segment(Window::new(at, cut), hold_forward, sums, &mut charges);
            if cut == cut.hour() {
                self.hand_over(cut - Millis::HOUR, cut, sums, book);
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
        if let Some(rates) = terms.by_pod() {
            self.segment_by_pod(span, rates, hold_forward, sums);
            return;
        }
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

    /// A segment of a node whose pods are billed: each pays for what it asks for, used or not, and nothing is idle.
    fn segment_by_pod(&self, span: Window, rates: PodRates, hold_forward: Millis, sums: &mut Sums) {
        let (time, hours) = (span.length(), span.length().as_hours());
        for (index, hold) in self.holds.iter().enumerate().filter(|(_, hold)| hold.covers(span.start)) {
            // What is used above the request is not paid for here, and so not charged.
            let usage = hold.usage(span.start, hold_forward);
            let above = sums.holds[index].above;
            sums.holds[index].add(hold.requests, usage, time);
            sums.holds[index].above = above;
            let asked = ResourceHours::of(hold.requests, hours);
            sums.node.charged += asked;
            sums.node.capacity += asked;
            let parts = rates.rates_of(hold.requests, &hold.holder.pod.namespace);
            for (nth, part) in parts.into_iter().enumerate() {
                sums.holds[index].cost[nth] += part.over(time);
                sums.node.cost[nth] += part.over(time);
            }
        }
    }

    pub(super) fn terms_at(&self, at: Instant) -> &Terms {
        let next = self.terms.partition_point(|terms| terms.from <= at);
        &self.terms[next.saturating_sub(1)]
    }

    /// The rows of one hour, or of its part up to `until`; the sums start anew. None if the node was not there.
    fn hand_over(&self, hour: Instant, until: Instant, sums: &mut Sums, book: &mut impl HourBook) {
        let window = Window::new(hour, until);
        let lived = window.intersect(Window::new(self.start, self.end.unwrap_or(until)));
        let sums = std::mem::replace(
            sums,
            Sums { node: NodeSum::default(), holds: vec![HoldSum::default(); sums.holds.len()] },
        );
        if lived.is_empty() {
            return;
        }
        let mut parts = vec![[PicoUsd(0); 3]; sums.holds.len()];
        // First the whole, then the resources, then their parts: each is rounded to add up to what stands above it.
        let cost = split_whole(sums.node.cost);
        let mut idle = [PicoUsd(0); 3];
        for (nth, idle) in idle.iter_mut().enumerate() {
            *idle = round_parts(cost[nth], nth, sums.node.idle[nth], &sums.holds, &mut parts);
        }
        let book = book.hour(hour);
        self.fetch_holders();
        let rows = self
            .holds
            .iter()
            .zip(&sums.holds)
            .zip(parts)
            .filter(|((hold, sum), _)| hold.touches(hour, until) || sum.cost != [Cost(0); 3])
            .map(|((hold, sum), cost)| sum.row(hold, lived, cost));
        book.allocations.extend(rows);
        let terms = self.terms_at(lived.end - Millis(1));
        book.assets.push(AssetRow {
            node: Arc::clone(&self.name),
            price: terms.price.clone(),
            window: lived,
            cost: ByResource::from_array(cost),
            idle: ByResource::from_array(idle),
            capacity: sums.node.capacity,
            charged: sums.node.charged,
            marks: Marks::default(),
        });
    }

    /// Looks at every holder before the first is shared. Each lies somewhere else in memory, and a processor waits for many
    /// reads at once, but for one count at a time to be raised: with 100,000 pods that is a fifth of a pass.
    fn fetch_holders(&self) {
        let counts = self.holds.iter().map(|hold| Arc::strong_count(&hold.holder));
        std::hint::black_box(counts.fold(0, usize::max));
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

/// Whole pico-dollars of each resource that add up to those of the node: what rounding down loses goes to the
/// resources that lost most.
fn split_whole(cost: [Cost; 3]) -> [PicoUsd; 3] {
    let mut split = cost.map(Cost::floor_pico);
    let whole: Cost = cost.into_iter().sum();
    let missing = whole.floor_pico() - split.into_iter().sum();
    let mut order = [0, 1, 2];
    order.sort_by_key(|&nth: &usize| (Reverse(cost[nth].remainder()), nth));
    // Three remainders below one pico-dollar make at most two whole ones.
    for (&nth, _) in order.iter().zip(0..missing.0) {
        split[nth] += PicoUsd(1);
    }
    split
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
    let (mut idle_part, idle_remainder) = idle.split();
    let mut given = idle_part;
    // Who lost something, with how much; idle, at `holds.len()`, is the last among equals.
    let mut losers = Vec::with_capacity(holds.len() + 1);
    for (index, (part, sum)) in parts.iter_mut().zip(holds).enumerate() {
        let (floor, remainder) = sum.cost[nth].split();
        part[nth] = floor;
        given += floor;
        if remainder > 0 {
            losers.push((Reverse(remainder), index));
        }
    }
    if idle_remainder > 0 {
        losers.push((Reverse(idle_remainder), holds.len()));
    }
    losers.sort_unstable();
    for (&(_, index), _) in losers.iter().zip(0..(total - given).0) {
        match parts.get_mut(index) {
            Some(part) => part[nth] += PicoUsd(1),
            None => idle_part += PicoUsd(1),
        }
    }
    idle_part
}
