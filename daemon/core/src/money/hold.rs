//! One pod's hold on one node: from when to when, how much, and what it cost so far in the open hour.

use std::sync::Arc;

use super::row::{AllocationRow, ByResource, NodeName, PodName, ResourceHours};
use crate::cluster::Attribution;
use crate::units::{Cost, Instant, Millis, PicoUsd, Resources, Window};

/// What a pod used, up to the sample's instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sample {
    /// End of the measured interval.
    pub(super) at: Instant,
    /// Start of the measured interval.
    pub(super) from: Instant,
    /// Average of CPU, last value of memory.
    pub(super) usage: Resources,
}

/// A pod on a node, with one owner and one request. When either changes, the hold ends and another begins.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) pod: Arc<PodName>,
    pub(super) attribution: Arc<Attribution>,
    pub(super) from: Instant,
    /// When it ended; `None` while it holds on.
    pub(super) to: Option<Instant>,
    pub(super) requests: Resources,
    /// Samples that may still matter, oldest first.
    pub(super) samples: Vec<Sample>,
}

impl Hold {
    /// Whether it holds the node in the segment that starts at `at`.
    pub(super) fn covers(&self, at: Instant) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// What it used in the segment that starts at `at`, if a sample tells: one that measured this time, else the
    /// last one before it, held forward for `hold_forward`.
    pub(super) fn usage(&self, at: Instant, hold_forward: Millis) -> Option<Resources> {
        let next = self.samples.partition_point(|sample| sample.at <= at);
        if let Some(sample) = self.samples.get(next).filter(|sample| sample.from <= at) {
            return Some(sample.usage);
        }
        let last = self.samples.get(next.checked_sub(1)?)?;
        (at.since(last.at) < hold_forward).then_some(last.usage)
    }

    /// Takes a sample in, in any order; the same instant again replaces.
    pub(super) fn sample(&mut self, sample: Sample, hold_forward: Millis) {
        match self.samples.binary_search_by_key(&sample.at, |s| s.at) {
            Ok(at) => self.samples[at] = sample,
            Err(at) => self.samples.insert(at, sample),
        }
        // Two samples in a row measure all the time between them, whatever window the source states: else a short
        // window would leave holes in which the older of the two, or requests alone, would count.
        for this in 1..self.samples.len() {
            let before = self.samples[this - 1].at;
            let sample = &mut self.samples[this];
            let joined = sample.at.since(before) <= hold_forward;
            sample.from = if joined { before } else { sample.from.max(before) };
        }
    }

    /// Forgets samples that cannot matter any more after `settled`.
    pub(super) fn forget(&mut self, settled: Instant) {
        let past = self.samples.partition_point(|sample| sample.at <= settled);
        if past > 1 {
            self.samples.drain(..past - 1);
        }
    }
}

/// What a hold has cost and held since the hour began.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(super) struct HoldSum {
    /// In the order of `Resource::ALL`.
    pub(super) cost: [Cost; 3],
    pub(super) requested: ResourceHours,
    pub(super) used: ResourceHours,
    pub(super) charged: ResourceHours,
    /// A late fact has corrected it.
    pub(super) late: bool,
}

impl HoldSum {
    /// The row this becomes, with the money rounded by the node's largest remainders.
    pub(super) fn row(
        self,
        node: &Arc<NodeName>,
        hold: &Hold,
        hour: Window,
        cost: [PicoUsd; 3],
    ) -> AllocationRow {
        let to = hold.to.unwrap_or(hour.end);
        AllocationRow {
            node: Arc::clone(node),
            pod: Arc::clone(&hold.pod),
            attribution: Arc::clone(&hold.attribution),
            window: hour.intersect(Window::new(hold.from, to)),
            cost: ByResource::from_array(cost),
            requested: self.requested,
            used: self.used,
            charged: self.charged,
            late: self.late,
        }
    }
}
