//! The demo holds what it promises.

use std::collections::{BTreeMap, BTreeSet};

use nightcap_core::cluster::CapacityType;
use nightcap_core::engine::Event;
use nightcap_core::money::{AssetKind, Hour};
use nightcap_core::sleep::Mode;
use nightcap_core::units::Millis;
use nightcap_sim::{ByCores, World, demo, history, scale};

use crate::common::{MONDAY, engine, hours};

#[test]
fn platform_has_the_promised_size_and_mix() {
    for seed in 0..20 {
        let world = World::new(demo::platform(seed), seed, MONDAY);
        let spaces: Vec<_> = world.namespaces().collect();
        let teams: BTreeSet<_> = spaces.iter().filter_map(|space| space.labels.get("team")).collect();
        let with = |key: &str| spaces.iter().filter(|space| space.annotations.contains_key(key)).count();
        assert!((34..=38).contains(&spaces.len()), "{} spaces", spaces.len());
        assert_eq!(teams.len(), 8);
        assert!(with("nightcap.dev/uptime") >= 15 && with("nightcap.dev/downtime") >= 3);
        assert_eq!(with("nightcap.dev/exclude"), 2);
        assert_eq!(spaces.iter().filter(|space| !space.labels.contains_key("team")).count(), 3);
        assert!((150..=260).contains(&world.pod_count()), "{} pods", world.pod_count());
        assert!((12..=20).contains(&world.nodes().count()), "{} nodes", world.nodes().count());
        let spot = world.nodes().filter(|node| node.facts.capacity_type == CapacityType::Spot).count();
        assert!(spot >= 1);
        for machine in ["g4dn.xlarge", "edge-box"] {
            assert!(world.nodes().any(|node| *node.facts.instance_type == *machine), "{machine}");
        }
        assert_eq!(world.workloads().filter(|workload| workload.deletes_claims_when_scaled).count(), 1);
        assert!(world.pods().all(|pod| pod.node.is_some()), "all pods have a place at the start");
    }
}

#[test]
fn month_has_life_in_it() {
    let mut world = World::new(demo::platform(1), 1, MONDAY);
    world.scrape_every(Millis::from_minutes(15));
    let mut engine = engine(Mode::Ask, Millis::from_minutes(15));
    let end = hours(24 * 30);
    history::run(&mut engine, &mut world, &ByCores, MONDAY, end, Millis::from_minutes(15));
    let picture = engine.snapshot(end);
    let problems: Vec<_> =
        picture.problems.iter().map(|problem| (&*problem.object, problem.reason)).collect();
    assert_eq!(problems, [("namespace platform-sandbox", "bad-annotation")]);
    assert_eq!(picture.counters.late_facts, 0);
    assert!(picture.counters.slept > 1_500 && picture.counters.woken > 1_500, "{:?}", picture.counters);
    // People came to many of the sleeping spaces.
    let woken =
        world.namespaces().filter(|n| n.annotations.contains_key("nightcap.dev/keep-awake-until")).count();
    assert!(woken >= 8, "{woken} spaces were woken by people");
    // Fewer machines at night than by day.
    let mut nodes: BTreeMap<i64, usize> = BTreeMap::new();
    for hour in &picture.hours {
        *nodes.entry(hour.start.0.div_euclid(Millis::HOUR.0).rem_euclid(24)).or_default() +=
            hour.assets.len();
    }
    assert!(nodes[&2] * 10 < nodes[&12] * 8, "{nodes:?}");
    let saved: i128 = picture.hours.iter().flat_map(|hour| &hour.saved).map(|row| row.saved.total().0).sum();
    assert!(saved > 0);
}

#[test]
fn traffic_of_rare_scrapes_is_in_time() {
    let mut world = World::new(demo::platform(1), 1, MONDAY);
    world.scrape_every(Millis::from_minutes(15));
    let mut engine = engine(Mode::Act, Millis::from_minutes(15));
    let end = hours(24 * 2);
    history::run_with_assets(&mut engine, &mut world, &ByCores, MONDAY, end, Millis::HOUR);
    let picture = engine.snapshot(end);
    let flat = picture.hours.iter().flat_map(|hour| &hour.flat);
    let traffic: Vec<_> = flat.filter(|row| row.asset.kind == AssetKind::Network).collect();
    assert!(traffic.len() > 48 * 50, "{} rows", traffic.len());
    assert_eq!(traffic.iter().filter(|row| row.marks.late).count(), 0);
    let late = |hour: &Hour| hour.allocations.iter().filter(|row| row.marks.late).count();
    assert_eq!(picture.hours.iter().map(|hour| late(hour)).sum::<usize>(), 0);
}

#[test]
fn scale_gives_as_many_pods_as_asked_for() {
    for pods in [1, 49, 1_000, 2_345] {
        let mut world = World::new(scale::spec(pods), 1, MONDAY);
        let listed = world.advance(MONDAY).into_iter().filter(|event| matches!(event, Event::Pod(_))).count();
        assert_eq!((listed, world.pod_count()), (pods, pods));
        assert!(world.pods().all(|pod| pod.node.is_some()));
    }
}
