//! What pods use: a little always, more while somebody is there, memory slowly up and down.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::PodPhase;
use nightcap_core::engine::{Event, UsageSample};
use nightcap_core::units::{Bytes, Cpu, Gpu, Instant, Millis, Resources};

use super::World;
use super::agenda::Happening;
use super::objects::{Role, SimPod};
use crate::activity::hour_of_week;
use crate::rng::{hash, scale};

/// A pod that runs for less than this has no sample yet: the metrics API needs two readings.
pub(super) const NO_SAMPLE_YET: Millis = Millis::from_secs(20);

impl World {
    pub(super) fn scrape(&mut self, at: Instant) {
        let interval = self.scrape_interval;
        self.agenda.add(next_scrape(at, interval), Happening::Scrape);
        let mut hours = BTreeMap::new();
        let mut levels: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, space) in &self.spaces {
            let zone = space.spec.zone;
            let hour = *hours.entry(zone.name()).or_insert_with(|| hour_of_week(at, zone));
            levels.insert(name, space.spec.activity.level(space.seed, at, hour));
        }
        let mut samples = Vec::with_capacity(self.pods.len());
        for node in self.nodes.values() {
            let end = at - node.sample_age;
            for pod in node.pods.iter().filter_map(|pod| self.pods.get(pod)) {
                let Some(bound) = pod.bound.filter(|_| pod.phase == PodPhase::Running) else { continue };
                let age = end.since(bound);
                if age < NO_SAMPLE_YET {
                    continue;
                }
                let level = levels.get(&*pod.namespace).copied().unwrap_or(0);
                samples.push(UsageSample {
                    namespace: Arc::clone(&pod.namespace),
                    pod: Arc::clone(&pod.name),
                    at: end,
                    window: age.min(interval),
                    usage: usage(pod, level, end),
                });
            }
        }
        if !samples.is_empty() {
            self.agenda.add(at, Happening::Seen(Box::new(Event::Usage(samples))));
        }
        if self.counts_traffic {
            self.count_traffic(at);
        }
    }
}

/// The next whole multiple of the interval.
pub(super) const fn next_scrape(at: Instant, interval: Millis) -> Instant {
    Instant((at.0.div_euclid(interval.0) + 1) * interval.0)
}

/// What the pod uses at `at` while its space is `level` thousandths active.
fn usage(pod: &SimPod, level: u64, at: Instant) -> Resources {
    let minute = at.0.div_euclid(Millis::MINUTE.0).cast_unsigned();
    let chance = hash(pod.seed, minute);
    // Twice the same 64 bits, once from each end: the two noises need not be independent of each other.
    let noise = 700 + scale(chance, 600);
    let own = scale(pod.seed, 1_000);
    let busy = match pod.role {
        Role::CronJob | Role::Jobs => 950,
        Role::Daemon => 200 + level / 10,
        Role::Deployment | Role::StatefulSet | Role::Bare => {
            let idle = 20 + own / 20;
            idle + level * (400 + own / 2) / 1_000
        }
    };
    let cpu = part(pod.requests.cpu.0, busy * noise / 1_000);
    // Memory follows the day, not the minute.
    let hour = at.0.div_euclid(Millis::HOUR.0).cast_unsigned();
    let drift = scale(hash(pod.seed, !hour), 60);
    let memory = part(pod.requests.memory.0, 450 + own * 35 / 100 + level / 10 + drift);
    // The metrics API knows nothing of GPUs.
    Resources { cpu: Cpu(cpu), memory: Bytes(memory), gpu: Gpu(0) }
}

/// Thousandths of an amount.
fn part(amount: u64, thousandths: u64) -> u64 {
    u64::try_from(u128::from(amount) * u128::from(thousandths) / 1_000).unwrap_or(u64::MAX)
}
