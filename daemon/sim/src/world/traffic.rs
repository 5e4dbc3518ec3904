//! What pods receive and send: the pods of a space share what a machine of its kind carries, and each is probed.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Offset;
use chrono_tz::Tz;
use nightcap_core::cluster::PodPhase;
use nightcap_core::engine::{Egress, Event, TrafficSample};
use nightcap_core::units::{Bytes, Instant, Millis};

use super::World;
use super::agenda::Happening;
use super::objects::{Owner, Role, SimPod, Space};
use super::usage::NO_SAMPLE_YET;
use crate::activity::hour_of_week;
use crate::rng::{hash, scale};
use crate::spec::Place;
use crate::traffic::{Flow, SLOT, flow, is_used, machine, nightly, slot_of};

/// Bytes a second, each way: a probe of some 300 bytes every ten seconds, from the kubelet of the pod's own node.
const PROBES: u64 = 30;
/// Nodes are read up to this long before the scrape.
const OLDEST_SAMPLE: Millis = Millis::from_secs(15);

/// What a space carries in the slots of a scrape.
struct Slots {
    first: i64,
    flows: Vec<Flow>,
}

impl World {
    /// Samples what was received and sent since the last scrape.
    pub(super) fn count_traffic(&mut self, at: Instant) {
        // Counters lose nothing between two scrapes, and count nothing twice, however far apart they are.
        let interval = at.since(self.counted_to);
        self.counted_to = at;
        let mut hours = BTreeMap::new();
        let mut samples = Vec::with_capacity(self.pods.len());
        let mut running: Vec<(&SimPod, &Owner, Instant, Millis)> = Vec::new();
        for space in self.spaces.values() {
            running.clear();
            for owner in space.owners.iter().filter_map(|id| self.owners.get(id)) {
                for pod in owner.pods.iter().filter_map(|pod| self.pods.get(pod)) {
                    let Some(bound) = pod.bound.filter(|_| pod.phase == PodPhase::Running) else { continue };
                    let Some(node) = pod.node.and_then(|node| self.nodes.get(&node)) else { continue };
                    let end = at - node.sample_age;
                    let age = end.since(bound);
                    if age >= NO_SAMPLE_YET {
                        running.push((pod, owner, end, age.min(interval)));
                    }
                }
            }
            if running.is_empty() {
                continue;
            }
            let slots = slots(space, at - interval - OLDEST_SAMPLE, at, &mut hours);
            let weights = running.iter().map(|(pod, ..)| weight(pod)).sum::<u64>().max(1);
            for &(pod, owner, end, window) in &running {
                samples.push(sample(space, pod, owner, &slots, weights, end, window));
            }
        }
        if !samples.is_empty() {
            self.agenda.add(at, Happening::Seen(Box::new(Event::Traffic(samples))));
        }
    }
}

fn slots(
    space: &Space,
    from: Instant,
    to: Instant,
    hours: &mut BTreeMap<(&'static str, i64), usize>,
) -> Slots {
    let (seed, zone, activity) = (space.seed, space.spec.zone, space.spec.activity);
    let machine = machine(activity, seed);
    let first = slot_of(from);
    let flows = (first..=slot_of(to))
        .map(|slot| {
            let start = Instant(slot * SLOT.0);
            let hour = *hours.entry((zone.name(), slot)).or_insert_with(|| hour_of_week(start, zone));
            let level = activity.level(seed, start, hour);
            flow(machine, seed, slot, is_used(seed, slot, level))
        })
        .collect();
    Slots { first, flows }
}

fn sample(
    space: &Space,
    pod: &SimPod,
    owner: &Owner,
    slots: &Slots,
    weights: u64,
    end: Instant,
    window: Millis,
) -> TrafficSample {
    let start = end - window;
    let shared = over(start, end, |slot| {
        let nth = usize::try_from(slot - slots.first).unwrap_or(usize::MAX);
        slots.flows.get(nth).copied().unwrap_or_default()
    });
    let weight = weight(pod);
    let part = |bytes: u64| u64::try_from(u128::from(bytes) * u128::from(weight) / u128::from(weights));
    let (received, sent) = (part(shared.received).unwrap_or(0), part(shared.sent).unwrap_or(0));
    let copied = if is_copied(pod, owner) {
        let shift = local_shift(start, space.spec.zone);
        over(start, end, |slot| nightly(space.seed, slot + shift))
    } else {
        Flow::default()
    };
    let probes = PROBES * window.0.unsigned_abs() / 1_000;
    TrafficSample {
        namespace: Arc::clone(&pod.namespace),
        pod: Arc::clone(&pod.name),
        at: end,
        window,
        received: Bytes(received + copied.received + probes),
        sent: Bytes(sent + copied.sent + probes),
        egress: Some(egress(pod, owner, sent, copied.sent)),
    }
}

/// Where it went. Probes and their answers stay on the node, and some of the rest in the zone.
fn egress(pod: &SimPod, owner: &Owner, sent: u64, copied: u64) -> Egress {
    let own = scale(hash(pod.seed, 1), 300);
    let (zone, internet) = match (owner.spec.faces_people, pod.place) {
        (true, Place::Edge) => (0, 700 + own),
        (false, Place::Edge) => (0, 100 + own),
        (true, _) => (50, 600 + own),
        (false, _) => (250 + own, 0),
    };
    Egress {
        zone: Bytes(sent * zone / 1_000),
        region: Bytes(copied),
        internet: Bytes(sent * internet / 1_000),
    }
}

/// One pod of the workload holds all that there is to copy.
fn is_copied(pod: &SimPod, owner: &Owner) -> bool {
    owner.spec.copied_nightly && (pod.role != Role::StatefulSet || pod.name.ends_with("-0"))
}

/// Its share among the pods of its space: no two are alike.
fn weight(pod: &SimPod) -> u64 {
    250 + scale(pod.seed, 1_000)
}

/// Bytes of an interval: each slot's flow for as long as the two overlap.
fn over(start: Instant, end: Instant, flow: impl Fn(i64) -> Flow) -> Flow {
    let mut sum = Flow::default();
    for slot in slot_of(start)..=slot_of(end) {
        let (from, to) = (Instant(slot * SLOT.0).max(start), Instant((slot + 1) * SLOT.0).min(end));
        let (flow, millis) = (flow(slot), to.since(from).0.max(0).unsigned_abs());
        sum.received += flow.received * millis;
        sum.sent += flow.sent * millis;
    }
    Flow { received: sum.received / 1_000, sent: sum.sent / 1_000 }
}

/// Slots by which the clocks of the zone are ahead of UTC.
fn local_shift(at: Instant, zone: Tz) -> i64 {
    let ahead = at.to_chrono().with_timezone(&zone).offset().fix().local_minus_utc();
    i64::from(ahead) / (SLOT.0 / 1_000)
}
