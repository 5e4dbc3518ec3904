//! A pass over one node: time is cut wherever a rate may change, and each piece is an amount of rate × time.

use std::cmp::Reverse;
use std::sync::Arc;

use super::hold::{Hold, HoldSum};
use super::node_ledger::{NodeHour, NodeLedger, NodeSum, Sums, Terms};
use super::row::{AssetRow, ByResource, ResourceHours};
use super::split::share;
use crate::units::{Cost, Instant, Millis, PicoUsd, Rate, Resource, Resources, Window};

impl NodeLedger {
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

    pub(super) fn terms_at(&self, at: Instant) -> &Terms {
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
