//! What the ledger shows at an instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::hours::OpenHours;
use super::node_ledger::NodeLedger;
use super::{FlatNow, HeldPod, Hour, Ledger, NodePrice, ResourceRates};
use crate::units::Instant;

/// What the ledger shows at an instant.
#[derive(Debug)]
pub struct LedgerView {
    /// Closed hours, then the open one or two.
    pub hours: Vec<Arc<Hour>>,
    /// Pods that hold a node now, node by node.
    pub pods: Vec<HeldPod>,
    /// Assets that are no nodes and are there now.
    pub flat: Vec<FlatNow>,
    /// Up to here rows do not change any more, corrections apart.
    pub settled: Instant,
}

impl Ledger {
    /// Everything up to `now`.
    pub fn view(&mut self, now: Instant) -> LedgerView {
        self.view_with(now, |_| {})
    }

    /// Everything up to `now`. Calls `each` with the pods that hold a node, node after node, while they are at hand: with very
    /// many pods, to come back to them costs more than what is done with them.
    pub fn view_with(&mut self, now: Instant, mut each: impl FnMut(&[HeldPod])) -> LedgerView {
        self.savings.count(self.cluster_price, now, &mut self.hours);
        let held: usize = self.nodes.values().map(NodeLedger::holds_kept).sum();
        let mut open = OpenHours { expected_rows: held, ..OpenHours::default() };
        let mut pods = Vec::with_capacity(held);
        for node in self.nodes.values() {
            node.provisional(now, self.hold_forward, &mut open);
            if node.is_live(now) {
                let first = pods.len();
                node.held(now, self.hold_forward, &mut pods);
                each(&pods[first..]);
            }
        }
        self.flat.provisional(now, &mut open);
        let mut open = open.hours;
        Self::add_open_savings(&self.savings, &mut open);
        for gap in &self.gaps {
            for hour in open.values_mut() {
                hour.mark_backfilled(*gap);
            }
        }
        let mut hours: BTreeMap<Instant, Arc<Hour>> =
            self.hours.iter().map(|hour| (hour.start, Arc::clone(hour))).collect();
        for (start, mut provisional) in open {
            // Those of its rows that were written by an earlier life are in the history alone.
            provisional.partial = self.hours.is_partial(start);
            // An hour may have closed rows and open ones at once: of savings, of traffic, of a node that was known late.
            if let Some(closed) = self.hours.get(start) {
                let Hour { allocations, assets, flat, saved, .. } = (**closed).clone();
                provisional.allocations.splice(0..0, allocations);
                provisional.assets.splice(0..0, assets);
                provisional.flat.splice(0..0, flat);
                provisional.saved.splice(0..0, saved);
            }
            hours.insert(start, Arc::new(provisional));
        }
        LedgerView {
            hours: hours.into_values().collect(),
            pods,
            flat: self.flat.at(now),
            settled: self.settled,
        }
    }

    /// Calls `each` with every live node's UID, rates, price and number of pods.
    pub fn nodes_at(
        &self,
        at: Instant,
        mut each: impl FnMut(&Arc<str>, ResourceRates, Option<&Arc<NodePrice>>, usize),
    ) {
        for (uid, node) in self.nodes.iter().filter(|(_, node)| node.is_live(at)) {
            let (_, rates, price) = node.current();
            each(uid, rates, price, node.held_by(at));
        }
    }
}
