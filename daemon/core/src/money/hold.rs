//! One pod's hold on one node: from when to when, how much, and what it cost so far in the open hour.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::row::{AllocationRow, ByResource, Holder, Marks, ResourceHours, UsageHours};
use crate::units::{Bytes, Cost, Cpu, Gpu, Instant, Millis, PicoUsd, Resources, Window};

/// What a pod used on average up to an instant, and since when: since the sample before, or for its own window.
///
/// Small, since each pod has one for every scrape of the open time: instants are whole seconds, which is all that the
/// metrics API tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    /// End of the measured interval, in seconds since the epoch: good until the year 2106.
    at_s: u32,
    /// Length of the measured interval.
    window_s: u32,
    cpu: Cpu,
    memory: Bytes,
}

impl Sample {
    /// A sample whose interval ends with the last whole second before `at`.
    pub(super) fn new(at: Instant, window: Millis, usage: Resources) -> Self {
        let seconds = |millis: i64| u32::try_from(millis / 1_000).unwrap_or_default();
        Self { at_s: seconds(at.0), window_s: seconds(window.0).max(1), cpu: usage.cpu, memory: usage.memory }
    }

    /// End of the measured interval.
    pub(super) fn at(&self) -> Instant {
        Instant(i64::from(self.at_s) * 1_000)
    }

    /// Start of the measured interval.
    pub(super) fn from(&self) -> Instant {
        Instant((i64::from(self.at_s) - i64::from(self.window_s)) * 1_000)
    }

    fn usage(&self) -> Resources {
        Resources { cpu: self.cpu, memory: self.memory, gpu: Gpu(0) }
    }
}

/// The end of a hold that has none yet.
const FOREVER: Instant = Instant(i64::MAX);

/// A pod on a node, with one owner and one request. When either changes, the hold ends and another begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) holder: Arc<Holder>,
    pub(super) from: Instant,
    to: Instant,
    pub(super) requests: Resources,
    /// Samples that may still matter, oldest first.
    pub(super) samples: Vec<Sample>,
}

impl Hold {
    pub(super) const fn new(holder: Arc<Holder>, requests: Resources, from: Instant) -> Self {
        Self { holder, from, to: FOREVER, requests, samples: Vec::new() }
    }

    /// UID of its pod.
    pub(super) fn uid(&self) -> &str {
        &self.holder.pod.uid
    }

    /// From here on, or for all of it, another pays.
    pub(super) fn pay(&mut self, attribution: &Arc<crate::cluster::Attribution>) {
        let holder = Holder { attribution: Arc::clone(attribution), ..(*self.holder).clone() };
        self.holder = Arc::new(holder);
    }

    /// When it ended; `None` while it holds on.
    pub(super) fn to(&self) -> Option<Instant> {
        (self.to != FOREVER).then_some(self.to)
    }

    pub(super) const fn end(&mut self, at: Instant) {
        self.to = at;
    }

    /// Whether it has ended by `at`.
    pub(super) fn is_over(&self, at: Instant) -> bool {
        self.to <= at
    }

    /// Whether it holds the node in the segment that starts at `at`.
    pub(super) fn covers(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether it holds the node at any time in `[start, end)`.
    pub(super) fn touches(&self, start: Instant, end: Instant) -> bool {
        self.from < end && self.to > start.max(self.from)
    }

    /// What it used in the segment that starts at `at`, if a sample tells: one that measured this time, else the
    /// last one before it, held forward for `hold_forward`.
    pub(super) fn usage(&self, at: Instant, hold_forward: Millis) -> Option<Resources> {
        let next = self.samples.partition_point(|sample| sample.at() <= at);
        if let Some(sample) = self.samples.get(next).filter(|sample| sample.from() <= at) {
            return Some(sample.usage());
        }
        let last = self.samples.get(next.checked_sub(1)?)?;
        (at.since(last.at()) < hold_forward).then(|| last.usage())
    }

    /// Takes a sample in, in any order; the same instant again replaces.
    pub(super) fn sample(&mut self, sample: Sample, hold_forward: Millis) {
        let at = match self.samples.binary_search_by_key(&sample.at_s, |s| s.at_s) {
            Ok(at) => {
                self.samples[at] = sample;
                at
            }
            Err(at) => {
                self.samples.reserve_exact(1);
                self.samples.insert(at, sample);
                at
            }
        };
        // Two samples in a row measure all the time between them, whatever window the source states: else a short
        // window would leave holes in which the older of the two, or requests alone, would count.
        for this in at.max(1)..self.samples.len().min(at + 2) {
            let before = self.samples[this - 1].at_s;
            let sample = &mut self.samples[this];
            let gap = sample.at_s - before;
            let joined = Millis::from_secs(i64::from(gap)) <= hold_forward;
            sample.window_s = if joined { gap } else { gap.min(sample.window_s) };
        }
    }

    /// Forgets samples that cannot matter any more after `settled`.
    pub(super) fn forget(&mut self, settled: Instant) {
        let past = self.samples.partition_point(|sample| sample.at() <= settled);
        if past > 1 {
            self.samples.drain(..past - 1);
        }
    }
}

/// What a hold has cost and used since the hour began.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
pub(super) struct HoldSum {
    /// In the order of `Resource::ALL`.
    pub(super) cost: [Cost; 3],
    /// How long it held; times its request, that is what it requested.
    pub(super) held_ms: i64,
    pub(super) used: UsageHours,
    /// Charged above the request.
    pub(super) above: UsageHours,
    /// A late fact has corrected it.
    pub(super) late: bool,
}

impl HoldSum {
    /// A segment in which the hold used `usage`, as far as that is known.
    pub(super) fn add(&mut self, requests: Resources, usage: Option<Resources>, time: Millis) {
        self.held_ms += time.0;
        let Some(usage) = usage else { return };
        let hours = time.as_hours();
        self.used.cpu_core_hours += usage.cpu.cores() * hours;
        self.used.memory_byte_hours += usage.memory.0 as f64 * hours;
        self.above.cpu_core_hours += (usage.cpu - requests.cpu).cores() * hours;
        self.above.memory_byte_hours += (usage.memory - requests.memory).0 as f64 * hours;
    }

    /// The row this becomes, with the money rounded by the node's largest remainders.
    pub(super) fn row(self, hold: &Hold, lived: Window, cost: [PicoUsd; 3]) -> AllocationRow {
        let to = hold.to.min(lived.end);
        AllocationRow {
            holder: Arc::clone(&hold.holder),
            window: lived.intersect(Window::new(hold.from, to)),
            cost: ByResource::from_array(cost).into(),
            requested: ResourceHours::of(hold.requests, Millis(self.held_ms).as_hours()),
            used: self.used,
            above: self.above,
            marks: Marks { late: self.late, backfilled: false },
        }
    }
}
