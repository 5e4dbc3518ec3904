//! A correction of an hour that was handed over already: a pod was there, or not, other than was known.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::row::{AllocationRow, AssetRow, ByResource, Hour, Marks, ResourceHours};
use crate::units::{Instant, PicoUsd};

/// What a fact that came late changes in a closed hour. It adds rows, and takes none away.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Correction {
    pub(super) hour: Instant,
    /// The row to add; its cost is what to charge, or with `refund` what to give back at most.
    pub(super) row: AllocationRow,
    pub(super) refund: bool,
}

impl Correction {
    /// The start of the hour it is about.
    pub const fn hour(&self) -> Instant {
        self.hour
    }

    /// Adds its rows to the hour, bounded by what can be given: never more than idle has, or than the pod paid.
    pub fn apply(&self, hour: &mut Hour) {
        let mut row = self.row.clone();
        let sum = |values: &mut dyn Iterator<Item = ByResource>| {
            values.fold(ByResource::default(), |mut sum, value| {
                sum += value;
                sum
            })
        };
        let node = &row.holder.node;
        let available = if self.refund {
            let pod = &row.holder.pod.uid;
            sum(&mut hour.allocations.iter().filter(|r| r.holder.pod.uid == *pod).map(|r| r.cost.get()))
        } else {
            sum(&mut hour.assets.iter().filter(|a| a.node.uid == node.uid).map(|a| a.idle))
        };
        let bounded = |wanted: PicoUsd, available: PicoUsd| wanted.min(available).max(PicoUsd(0));
        let wanted = row.cost.get();
        let amount = ByResource {
            cpu: bounded(wanted.cpu, available.cpu),
            memory: bounded(wanted.memory, available.memory),
            gpu: bounded(wanted.gpu, available.gpu),
        };
        let none = ByResource::default();
        let (cost, idle) = if self.refund { (none - amount, amount) } else { (amount, none - amount) };
        row.cost = cost.into();
        if self.refund {
            row.requested = row.requested.scaled(-1.0);
            row.above = row.above.scaled(-1.0);
        }
        let asset = AssetRow {
            node: Arc::clone(node),
            price: hour.assets.iter().find(|a| a.node.uid == node.uid).and_then(|a| a.price.clone()),
            window: row.window,
            cost: none,
            idle,
            capacity: ResourceHours::default(),
            charged: row.charged(),
            marks: Marks { late: true, backfilled: false },
        };
        hour.allocations.push(row);
        hour.assets.push(asset);
    }

    /// The same to an hour of which it is not known whether this was done already, by a life that ended before it
    /// could note that. Returns whether it changed anything.
    ///
    /// Nobody holds a node twice at once, and gives it back once: where the pod has rows of this time, it was done.
    /// Of a node that the hour does not know there is nothing to take.
    pub fn apply_once(&self, hour: &mut Hour) -> bool {
        let (pod, node) = (&self.row.holder.pod.uid, &self.row.holder.node.uid);
        let is_done = hour.allocations.iter().any(|row| {
            row.holder.pod.uid == *pod
                && row.holder.node.uid == *node
                && is_refund(row) == self.refund
                && !row.window.intersect(self.row.window).is_empty()
        });
        if is_done || hour.assets.iter().all(|asset| asset.node.uid != *node) {
            return false;
        }
        self.apply(hour);
        true
    }
}

/// Only what is given back has requests below zero.
fn is_refund(row: &AllocationRow) -> bool {
    let requested = row.requested;
    row.cost.total() < PicoUsd(0)
        || requested.cpu_core_hours < 0.0
        || requested.memory_byte_hours < 0.0
        || requested.gpu_hours < 0.0
}
