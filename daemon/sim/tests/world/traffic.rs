//! What pods receive and send has the shape of the measured machines.
//!
//! The expected numbers are quantiles over the measured slots themselves, each machine weighing the same:
//! `daemon/sim/scripts/traffic_table.py` prints them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Timelike;
use nightcap_core::cluster::{Size, WorkloadKind};
use nightcap_core::engine::{Event, TrafficSample};
use nightcap_core::units::{Bytes, Instant, Millis};
use nightcap_sim::activity::Activity;
use nightcap_sim::spec::{WorkloadShape, WorkloadSpec, WorldSpec};
use nightcap_sim::{World, demo, scale};

use crate::common::{MONDAY, amount, hours, key, space, web, world};

/// Bytes a second, both ways, that the kubelet's probes of one pod take: no part of what was measured.
const PROBES: u64 = 60;
const SLOT: i64 = 300_000;
const DAYS: i64 = 7;

fn spaces_of(activity: Activity, count: usize) -> WorldSpec {
    let spaces = (0..count)
        .map(|nth| {
            let mut space = space(&format!("space-{nth}"), &[], vec![web(2, amount(10, 16))]);
            space.activity = activity;
            space
        })
        .collect();
    world(1, 100, spaces)
}

/// Hour by hour: a week of samples at once would fill the memory.
fn each(world: &mut World, until: Instant, mut see: impl FnMut(TrafficSample)) {
    while world.now() < until {
        for event in world.advance((world.now() + Millis::HOUR).min(until)) {
            if let Event::Traffic(samples) = event {
                samples.into_iter().for_each(&mut see);
            }
        }
    }
}

fn traffic(world: &mut World, until: Instant) -> Vec<TrafficSample> {
    let mut all = Vec::new();
    each(world, until, |sample| all.push(sample));
    all
}

/// Bytes a second of each space in each slot, without probes.
fn slots(world: &mut World, until: Instant) -> BTreeMap<Arc<str>, BTreeMap<i64, u64>> {
    let mut slots: BTreeMap<_, BTreeMap<i64, u64>> = BTreeMap::new();
    each(world, until, |sample| {
        let (first, last) =
            ((sample.at - sample.window).0.div_euclid(SLOT), (sample.at.0 - 1).div_euclid(SLOT));
        if first == last {
            let bytes = sample.received.0 + sample.sent.0;
            let rate = (bytes * 1_000 / sample.window.0.unsigned_abs()).saturating_sub(PROBES);
            *slots.entry(sample.namespace).or_default().entry(first).or_default() += rate;
        }
    });
    slots
}

/// The rule by which the measured slots were told apart, word for word, but for automation: used, unused.
fn tell_apart(slots: &BTreeMap<i64, u64>) -> (Vec<u64>, Vec<u64>) {
    let is_off = |slot: i64| {
        let at = Instant(slot * SLOT).to_chrono();
        (slot - MONDAY.0 / SLOT) / 288 % 7 >= 5 || !(6..22).contains(&at.hour())
    };
    let mut off: Vec<u64> = slots.iter().filter(|(slot, _)| is_off(**slot)).map(|(_, rate)| *rate).collect();
    off.sort_unstable();
    let threshold = 2_000.max(3 * off[off.len() / 2]);
    let is_above = |slot: i64| usize::from(slots.get(&slot).is_some_and(|rate| *rate > threshold));
    let is_used =
        |slot: i64| is_above(slot) == 1 && is_above(slot - 1) + is_above(slot) + is_above(slot + 1) >= 2;
    let (used, unused): (Vec<_>, Vec<_>) = slots.iter().partition(|(slot, _)| is_used(**slot));
    (used.into_iter().map(|(_, rate)| *rate).collect(), unused.into_iter().map(|(_, rate)| *rate).collect())
}

/// What the measured machines of a group carried, in bytes a second.
struct Measured {
    used_median: u64,
    used_p95: u64,
    floor_median: u64,
    floor_p95: u64,
}

#[test]
fn spaces_carry_what_the_measured_machines_did() {
    let office =
        Measured { used_median: 101_375, used_p95: 6_362_657, floor_median: 408, floor_p95: 242_960 };
    let odd = Measured { used_median: 105_607, used_p95: 5_045_179, floor_median: 887, floor_p95: 259_617 };
    for (activity, expected) in [(Activity::OfficeLike, office), (Activity::Intermittent, odd)] {
        let mut world = World::new(spaces_of(activity, 500), 5, MONDAY);
        // Every other sample lies wholly in one slot.
        world.scrape_every(Millis(SLOT / 2));
        let slots = slots(&mut world, hours(24 * DAYS));
        assert_eq!(slots.len(), 500);
        let (mut used, mut floor) = (Vec::new(), Vec::new());
        for of in slots.values() {
            let (is_used, is_not) = tell_apart(of);
            used.extend(is_used);
            floor.extend(is_not);
        }
        used.sort_unstable();
        floor.sort_unstable();
        // As large a part of the time is above the floor as the table of the week says, within a twentieth of it.
        let week: usize = (0..168).map(|hour| usize::from(activity.share(hour))).sum();
        let share = used.len() * 100_000 / (used.len() + floor.len());
        let wanted = week * 100 / 168;
        assert!(
            share.abs_diff(wanted) <= wanted / 20,
            "{activity:?}: {share} instead of {wanted} of 100,000"
        );
        // And as many slots as should be are below each measured quantile, within four hundredths of all.
        for (of, quantile, thousandths) in [
            (&used, expected.used_median, 500),
            (&used, expected.used_p95, 950),
            (&floor, expected.floor_median, 500),
            (&floor, expected.floor_p95, 950),
        ] {
            let below = of.partition_point(|rate| *rate <= quantile) * 1_000 / of.len();
            assert!(
                below.abs_diff(thousandths) <= 40,
                "{activity:?}: {below} instead of {thousandths} thousandths are up to {quantile} B/s"
            );
        }
    }
}

#[test]
fn unused_space_shows_its_floor_and_a_sleeping_one_nothing() {
    let mut world = World::new(spaces_of(Activity::NearIdle, 40), 5, MONDAY);
    let night = slots(&mut world, hours(6));
    assert_eq!(night.len(), 40);
    let quiet = night.values().filter(|slots| slots.values().all(|rate| *rate <= 42_188)).count();
    assert!(quiet >= 35, "{quiet} of 40 spaces are quiet at night");
    for nth in 0..40 {
        world.scale(
            &key(&format!("space-{nth}"), WorkloadKind::Deployment, "web"),
            Size::Replicas(0),
            hours(6),
        );
    }
    world.advance(hours(7));
    assert_eq!(traffic(&mut world, hours(12)), []);
}

#[test]
fn how_often_it_is_sampled_does_not_change_what_was_carried() {
    let sums = |minutes: i64| {
        let mut world = World::new(spaces_of(Activity::OfficeLike, 20), 7, MONDAY);
        world.scrape_every(Millis::from_minutes(minutes));
        let mut sums: BTreeMap<Arc<str>, [u64; 2]> = BTreeMap::new();
        for sample in traffic(&mut world, hours(24)) {
            let [received, sent] = sums.entry(sample.pod).or_default();
            *received += sample.received.0;
            *sent += sample.sent.0;
        }
        sums
    };
    let (often, rarely) = (sums(1), sums(15));
    assert!(often.keys().eq(rarely.keys()) && often.len() == 40);
    for (pod, [received, sent]) in &often {
        for (one, other) in [(received, rarely[pod][0]), (sent, rarely[pod][1])] {
            // Up to three bytes are cut off a sample.
            assert!(one.abs_diff(other) <= 3 * 1_440, "{pod}: {one} and {other}");
        }
    }
}

#[test]
fn what_is_billed_is_part_of_what_was_sent_and_goes_where_it_should() {
    let shape = WorkloadShape::StatefulSet { replicas: 2, deletes_claims: false };
    let workloads = vec![
        web(2, amount(100, 128)).facing_people(),
        WorkloadSpec::new("worker", WorkloadShape::Deployment { replicas: 1 }, amount(100, 128)),
        WorkloadSpec::new("db", shape, amount(100, 128)).copied_nightly(),
    ];
    let mut world = World::new(world(1, 2, vec![space("shop", &[], workloads)]), 1, MONDAY);
    let mut ways: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    let mut copied_in = BTreeSet::new();
    for sample in traffic(&mut world, hours(24 * 5)) {
        let egress = sample.egress.unwrap();
        let Bytes(billed) = egress.zone + egress.region + egress.internet;
        assert!(billed <= sample.sent.0, "{sample:?}");
        let workload = if sample.pod.starts_with("db-") { &*sample.pod } else { &sample.pod[..3] };
        let sums = ways.entry(workload.to_owned()).or_default();
        *sums = [sums[0] + egress.zone.0, sums[1] + egress.region.0, sums[2] + egress.internet.0];
        if egress.region.0 > 0 {
            copied_in.insert(sample.at.to_chrono().hour());
        }
    }
    let used: Vec<_> = ways.iter().map(|(name, sums)| (&**name, sums.map(|sum| sum > 0))).collect();
    assert_eq!(
        used,
        [
            ("db-0", [true, true, false]),
            ("db-1", [true, false, false]),
            ("web", [true, false, true]),
            ("wor", [true, false, false])
        ]
    );
    assert!(copied_in.len() <= 2 && copied_in.iter().all(|hour| *hour < 6), "{copied_in:?}");
}

#[test]
fn traffic_is_counted_only_where_it_is_said_so_and_for_no_pod_of_the_host_s_network() {
    let mut world = World::new(scale::spec(100), 1, MONDAY);
    assert_eq!(traffic(&mut world, hours(1)), []);
    let mut world = World::new(demo::platform(1), 1, MONDAY);
    let names: BTreeSet<_> = traffic(&mut world, hours(1)).into_iter().map(|sample| sample.pod).collect();
    let daemons = ["aws-node-", "kube-proxy-", "ebs-csi-node-", "node-exporter-"];
    assert!(names.len() > 100);
    assert!(!names.iter().any(|name| daemons.iter().any(|daemon| name.starts_with(daemon))));
}
