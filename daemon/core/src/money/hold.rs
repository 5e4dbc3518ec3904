//! One pod's hold on one node: from when to when, how much, and what it cost so far in the open hour.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::row::{AllocationRow, ByResource, Holder, Marks, ResourceHours, UsageHours};
use crate::units::{Bytes, Cost, Cpu, Gpu, Instant, Millis, PicoUsd, Resources, Window};

/// What a pod used on average up to an instant, and since when: since the sample before, or for its own window.
///
/// Small, since each pod has one for every scrape of the open time: instants are whole seconds, which is all that the
/// metrics API tells, and amounts share ten bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    /// End of the measured interval, in seconds since the epoch: good until the year 2106.
    at_s: u32,
    /// Length of the measured interval; one of more than 18 hours counts as one of 18.
    window_s: u16,
    usage: PackedUsage,
}

/// CPU in nanocores (44 bits: 17,592 cores) and memory in KiB (36 bits: 64 TiB), little end first. Memory comes in
/// pages of at least 4 KiB, so that nothing is rounded; what would not fit is cut off at the bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct PackedUsage([u8; 10]);

impl PackedUsage {
    const CPU_BITS: u32 = 44;
    const MEMORY_BITS: u32 = 36;
    const KIB: u64 = 1_024;

    fn new(cpu: Cpu, memory: Bytes) -> Self {
        let cpu = u128::from(cpu.0.min((1 << Self::CPU_BITS) - 1));
        let memory = u128::from((memory.0 / Self::KIB).min((1 << Self::MEMORY_BITS) - 1));
        let bytes = (cpu | memory << Self::CPU_BITS).to_le_bytes();
        Self(std::array::from_fn(|nth| bytes[nth]))
    }

    fn get(self) -> Resources {
        let mut bytes = [0; 16];
        bytes[..10].copy_from_slice(&self.0);
        let both = u128::from_le_bytes(bytes);
        // 44 and 36 bits: neither is ever cut off.
        let bits = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        let cpu = Cpu(bits(both & ((1 << Self::CPU_BITS) - 1)));
        let memory = Bytes(bits(both >> Self::CPU_BITS) * Self::KIB);
        Resources { cpu, memory, gpu: Gpu(0) }
    }
}

impl Sample {
    /// A sample whose interval ends with the last whole second before `at`.
    pub(super) fn new(at: Instant, window: Millis, usage: Resources) -> Self {
        Self {
            at_s: u32::try_from(at.0 / 1_000).unwrap_or_default(),
            window_s: u16::try_from((window.0 / 1_000).max(1)).unwrap_or(u16::MAX),
            usage: PackedUsage::new(usage.cpu, usage.memory),
        }
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
        self.usage.get()
    }
}

/// A scrape a minute for [`super::OPEN_FOR`], the one before, and two held forward.
const SAMPLES_AT_HAND: usize = 8;

/// The end of a hold that has none yet.
const FOREVER: Instant = Instant(i64::MAX);

/// A pod on a node, with one owner and one request. When either changes, the hold ends and another begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) holder: Arc<Holder>,
    pub(super) from: Instant,
    to: Instant,
    pub(super) requests: Resources,
    /// Samples that may still matter, oldest first. At a scrape a minute they all lie here: a pass looks at those of every
    /// pod, and would wait for memory each time if they lay elsewhere.
    pub(super) samples: SmallVec<[Sample; SAMPLES_AT_HAND]>,
}

impl Hold {
    pub(super) const fn new(holder: Arc<Holder>, requests: Resources, from: Instant) -> Self {
        Self { holder, from, to: FOREVER, requests, samples: SmallVec::new_const() }
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
                if self.samples.spilled() || self.samples.len() == SAMPLES_AT_HAND {
                    self.samples.reserve_exact(1);
                }
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
            let gap = u16::try_from(gap).unwrap_or(u16::MAX);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_is_small_and_keeps_every_page_and_nanocore() {
        assert_eq!(size_of::<Sample>(), 16);
        let cases = [(0, 0), (1, 4_096), (1_919_999_999_999, 32 << 40), (123_456_789, 987_654 * 4_096)];
        for (cpu, memory) in cases {
            let usage = Resources { cpu: Cpu(cpu), memory: Bytes(memory), gpu: Gpu(0) };
            let sample = Sample::new(Instant(1_772_539_200_999), Millis::from_secs(15), usage);
            assert_eq!(sample.usage(), usage);
            assert_eq!(
                (sample.from(), sample.at()),
                (Instant(1_772_539_185_000), Instant(1_772_539_200_000))
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_bounded() {
        let usage = Resources { cpu: Cpu(u64::MAX), memory: Bytes(u64::MAX), gpu: Gpu(7) };
        let sample = Sample::new(Instant(0), Millis::from_hours(1_000), usage);
        let most = Resources { cpu: Cpu((1 << 44) - 1), memory: Bytes((64 << 40) - 1_024), gpu: Gpu(0) };
        assert_eq!((sample.usage(), sample.from()), (most, Instant(-65_535_000)));
    }
}
