//! Sleep and wake through engine and world together.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Size, WorkloadKind};
use nightcap_core::engine::SpaceState;
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Instant, Millis};
use nightcap_sim::spec::{WorkloadShape, WorkloadSpec};
use nightcap_sim::{ByCores, World, demo, history};

use crate::common::{MONDAY, amount, engine, hours, key, space, web, world};

const STEP: Millis = Millis::from_minutes(5);

fn sizes(world: &World) -> BTreeMap<String, Size> {
    world.workloads().map(|workload| (workload.key.to_string(), workload.size)).collect()
}

/// No workload and no namespace carries anything of ours but what people wrote.
fn marks(world: &World) -> Vec<String> {
    let marked = |keys: &nightcap_core::cluster::Keys| {
        keys.contains_key("nightcap.dev/asleep") || keys.contains_key("nightcap.dev/original")
    };
    let workloads = world.workloads().filter(|w| marked(&w.annotations)).map(|w| w.key.to_string());
    let spaces = world.namespaces().filter(|n| marked(&n.annotations)).map(|n| n.name.to_string());
    workloads.chain(spaces).collect()
}

#[test]
fn space_with_an_uptime_sleeps_and_wakes_with_it() {
    let db = WorkloadShape::StatefulSet { replicas: 2, deletes_claims: false };
    let cron = WorkloadShape::CronJob {
        every: Millis::HOUR,
        offset: Millis(0),
        lasts: (Millis::from_secs(30), Millis::from_secs(60)),
    };
    let workloads = vec![
        web(3, amount(500, 512)),
        WorkloadSpec::new("db", db, amount(300, 512)),
        WorkloadSpec::new("tidy", cron, amount(100, 128)),
    ];
    let uptime = [("nightcap.dev/uptime", "Mon-Fri 08:00-18:00")];
    let mut world = World::new(world(1, 3, vec![space("shop-dev", &uptime, workloads)]), 1, MONDAY);
    let mut engine = engine(Mode::Ask, Millis::MINUTE);
    let awake = sizes(&world);
    let asleep: BTreeMap<String, Size> =
        awake.iter().map(|(name, size)| (name.clone(), size.down())).collect();
    let mut now = MONDAY;
    let mut states = Vec::new();
    for (hour, expected, state) in [
        (7, &asleep, SpaceState::Asleep),
        (9, &awake, SpaceState::Awake),
        (17, &awake, SpaceState::Awake),
        (19, &asleep, SpaceState::Asleep),
        (33, &awake, SpaceState::Awake),
    ] {
        history::run(&mut engine, &mut world, &ByCores, now, hours(hour), STEP);
        now = hours(hour);
        assert_eq!(sizes(&world), *expected, "{now}");
        let picture = engine.snapshot(now);
        states.push((picture.spaces[0].state == state).then_some(hour));
        assert_eq!(picture.problems, []);
    }
    assert_eq!(states, [Some(7), Some(9), Some(17), Some(19), Some(33)]);
    // Edges are met to the second, whatever the step.
    let edge = hours(32 + 10);
    history::run(&mut engine, &mut world, &ByCores, now, edge + Millis::from_secs(10), Millis::HOUR);
    assert_eq!(sizes(&world), asleep);
    // No run in its sleep was made up for: the CronJob's only pods are of runs that were due while it was awake.
    let saved: i128 =
        engine.snapshot(edge).hours.iter().flat_map(|hour| &hour.saved).map(|row| row.saved.total().0).sum();
    assert!(saved > 0);
}

#[test]
fn all_originals_are_back_after_days_of_sleep_once_all_are_to_be_awake() {
    for seed in [1, 2] {
        let mut spec = demo::platform(seed);
        spec.rollout_every = Some(Millis::from_hours(12));
        let mut world = World::new(spec, seed, MONDAY);
        let mut engine = engine(Mode::Ask, Millis::MINUTE);
        let before = sizes(&world);
        history::run(&mut engine, &mut world, &ByCores, MONDAY, hours(68), STEP);
        let counters = engine.snapshot(hours(68)).counters;
        assert!(counters.slept > 150 && counters.woken > 100, "{counters:?}");
        assert!(!marks(&world).is_empty());
        assert_ne!(sizes(&world), before);
        let spaces: Vec<_> = world.namespaces().map(|space| Arc::clone(&space.name)).collect();
        for space in spaces {
            let until = Some("2027-01-01T00:00:00Z");
            assert!(world.annotate_namespace(&space, "nightcap.dev/keep-awake-until", until, hours(68)));
        }
        history::run(&mut engine, &mut world, &ByCores, hours(68), hours(69), STEP);
        assert_eq!(sizes(&world), before);
        assert_eq!(marks(&world), Vec::<String>::new());
        let waiting: Vec<_> = world
            .workloads()
            .filter(|w| matches!(w.size, Size::Replicas(n) if n != w.ready_replicas))
            .map(|w| w.key.to_string())
            .collect();
        assert_eq!(waiting, Vec::<String>::new());
    }
}

#[test]
fn nodes_go_while_spaces_sleep_and_come_back() {
    let uptime = [("nightcap.dev/uptime", "Mon-Fri 08:00-18:00")];
    let spaces =
        (0..6).map(|n| space(&format!("dev-{n}"), &uptime, vec![web(2, amount(900, 1_024))])).collect();
    let mut world = World::new(world(1, 8, spaces), 1, MONDAY + Millis::from_hours(9));
    let mut engine = engine(Mode::Ask, Millis::MINUTE);
    let mut seen = Vec::new();
    let mut now = hours(9);
    for hour in [10, 19, 31, 33] {
        history::run(&mut engine, &mut world, &ByCores, now, hours(hour), STEP);
        now = hours(hour);
        seen.push((world.nodes().count(), world.pod_count()));
    }
    assert_eq!(seen, [(3, 12), (1, 0), (1, 0), (3, 12)]);
    let nodes: Vec<usize> =
        engine.snapshot(now).hours.iter().map(|hour| hour.assets.len()).skip(19).take(12).collect();
    assert_eq!(nodes, [1; 12]);
}

#[test]
fn what_must_not_sleep_does_not() {
    let keeps = WorkloadShape::StatefulSet { replicas: 1, deletes_claims: true };
    let never = [("nightcap.dev/uptime", "never")];
    let spaces = vec![
        space("kube-system", &never, vec![web(1, amount(100, 128))]),
        space("excluded", &[never[0], ("nightcap.dev/exclude", "true")], vec![web(1, amount(100, 128))]),
        space("claims", &never, vec![WorkloadSpec::new("db", keeps, amount(100, 128))]),
        space("plain", &never, vec![web(1, amount(100, 128))]),
    ];
    let mut world = World::new(world(1, 1, spaces), 1, MONDAY);
    let mut engine = engine(Mode::Ask, Millis::MINUTE);
    history::run(&mut engine, &mut world, &ByCores, MONDAY, hours(1), STEP);
    let asleep: Vec<_> = sizes(&world).into_iter().filter(|(_, size)| size.is_down()).collect();
    assert_eq!(asleep, [("Deployment plain/web".to_owned(), Size::Replicas(0))]);
    assert_eq!(
        world.pods().map(|pod| pod.namespace.to_string()).collect::<Vec<_>>(),
        ["kube-system", "excluded", "claims"]
    );
}

#[test]
fn somebody_wakes_what_sleeps_and_it_sleeps_again() {
    let mut sleeping = space("shop-dev", &[("nightcap.dev/uptime", "never")], vec![web(1, amount(100, 128))]);
    sleeping.visits_a_week = 20;
    let mut world = World::new(world(1, 1, vec![sleeping]), 1, MONDAY);
    let mut engine = engine(Mode::Ask, Millis::MINUTE);
    let web = key("shop-dev", WorkloadKind::Deployment, "web");
    let mut edges = Vec::new();
    let mut up = true;
    let mut now: Instant = MONDAY;
    while now < hours(24 * 5) {
        let next = now + Millis::from_minutes(10);
        history::run(&mut engine, &mut world, &ByCores, now, next, STEP);
        now = next;
        let is_up = !world.workload(&web).unwrap().size.is_down();
        if is_up != up {
            edges.push((is_up, now));
        }
        up = is_up;
    }
    assert!(edges.len() >= 7, "{edges:?}");
    for pair in edges[1..].chunks_exact(2) {
        let stays = pair[1].1.since(pair[0].1);
        assert!(pair[0].0 && !pair[1].0);
        assert!((Millis::from_minutes(40)..=Millis::from_minutes(250)).contains(&stays), "{stays:?}");
    }
}

#[test]
fn another_daemon_wakes_what_the_first_put_to_sleep() {
    for seconds in [0, 1, 2, 5, 30] {
        let mut world = World::new(demo::platform(6), 6, MONDAY);
        let before = sizes(&world);
        let mut first = engine(Mode::Ask, Millis::MINUTE);
        // Killed in the middle of the evening's sleeps: spaces of Berlin sleep from 17:00 UTC on.
        let killed = hours(17) + Millis::from_secs(seconds);
        history::run(&mut first, &mut world, &ByCores, MONDAY, killed, Millis::HOUR);
        world.relist();
        let mut second = engine(Mode::Observe, Millis::MINUTE);
        history::run(&mut second, &mut world, &ByCores, killed, killed + Millis::HOUR, STEP);
        assert_eq!(sizes(&world), before, "killed after {seconds} s");
        assert_eq!(marks(&world), Vec::<String>::new());
    }
}
