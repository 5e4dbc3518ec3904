//! The cluster's own life: scheduler, controllers, autoscaler, runs, usage.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{PodPhase, Size, WorkloadKind};
use nightcap_core::engine::Event;
use nightcap_core::units::{Millis, Resources};
use nightcap_sim::activity::hour_of_week;
use nightcap_sim::spec::{WorkloadShape, WorkloadSpec};
use nightcap_sim::{World, demo, scale};

use crate::common::{MONDAY, amount, hours, key, space, web, world};

/// What all pods that hold a node request there, next to what it has.
fn loads(world: &World) -> BTreeMap<Arc<str>, (Resources, Resources, bool)> {
    let mut loads: BTreeMap<_, _> = world
        .nodes()
        .map(|node| (Arc::clone(&node.name), (Resources::default(), node.capacity, node.ready)))
        .collect();
    for pod in world.pods().filter(|pod| pod.phase != PodPhase::Finished) {
        if let Some(node) = &pod.node {
            loads.get_mut(node).expect("a pod's node is there").0 += pod.requests;
        }
    }
    loads
}

#[test]
fn scheduler_never_promises_more_than_a_node_has() {
    for seed in 0..4 {
        let mut world = World::new(demo::platform(seed), seed, MONDAY);
        let keys: Vec<_> = world.workloads().map(|workload| workload.key.clone()).collect();
        for hour in 0..30 {
            // All Deployments of a space in three go up and down, so that pods and nodes come and go.
            for key in keys.iter().skip(hour % 3).step_by(3) {
                let replicas = u32::try_from(hour * 7 % 5).unwrap();
                world.scale(key, Size::Replicas(replicas), world.now());
            }
            for minute in 0..60 {
                world.advance(MONDAY + Millis::from_minutes(60 * i64::try_from(hour).unwrap() + minute));
                for (node, (used, capacity, ready)) in loads(&world) {
                    let fits = used.cpu <= capacity.cpu
                        && used.memory <= capacity.memory
                        && used.gpu <= capacity.gpu;
                    assert!(fits, "{node} at {}: {used:?} of {capacity:?}", world.now());
                    assert!(ready || used == Resources::default(), "{node} is not ready");
                }
            }
        }
    }
}

#[test]
fn pending_pods_bring_a_node_within_two_minutes_and_it_goes_when_empty() {
    let spec = world(1, 4, vec![space("shop", &[], vec![web(3, amount(1_000, 1_024))])]);
    let mut world = World::new(spec, 1, MONDAY);
    let web = key("shop", WorkloadKind::Deployment, "web");
    world.advance(MONDAY);
    assert_eq!(world.nodes().count(), 1);
    assert!(world.scale(&web, Size::Replicas(8), MONDAY));
    world.advance(MONDAY + Millis::from_secs(55));
    assert_eq!((world.nodes().count(), world.workload(&web).unwrap().ready_replicas), (1, 3));
    world.advance(MONDAY + Millis::from_secs(140));
    assert_eq!((world.nodes().count(), world.workload(&web).unwrap().ready_replicas), (3, 8));
    assert!(world.scale(&web, Size::Replicas(1), world.now()));
    world.advance(MONDAY + Millis::from_minutes(10));
    assert_eq!((world.nodes().count(), world.workload(&web).unwrap().ready_replicas), (3, 1));
    world.advance(MONDAY + Millis::from_minutes(40));
    assert_eq!((world.nodes().count(), world.workload(&web).unwrap().ready_replicas), (1, 1));
}

#[test]
fn rollout_replaces_all_pods_and_is_over_when_they_are_ready() {
    let mut spec = world(2, 4, vec![space("shop", &[], vec![web(4, amount(200, 256))])]);
    spec.rollout_every = Some(Millis::from_hours(20));
    let mut world = World::new(spec, 5, MONDAY);
    world.advance(MONDAY);
    let names = |world: &World| world.pods().map(|pod| pod.name).collect::<Vec<_>>();
    let before = names(&world);
    let (mut rolled, mut most, mut fewest) = (false, 0, 4);
    for minute in 0..60 * 24 * 2 {
        for event in world.advance(MONDAY + Millis::from_minutes(minute)) {
            if let Event::Workload(workload) = event {
                rolled |= workload.rolling_out;
                fewest = fewest.min(workload.ready_replicas);
            }
        }
        most = most.max(world.pod_count());
    }
    let after = names(&world);
    assert!(rolled);
    assert!(before.iter().all(|name| !after.contains(name)), "{after:?}");
    assert_eq!((after.len(), fewest, most <= 9), (4, 4, true), "{most} pods at once");
    assert!(world.workloads().all(|workload| !workload.rolling_out));
}

#[test]
fn stateful_set_gives_a_pod_the_name_of_the_last_but_never_to_two_at_once() {
    let shape = WorkloadShape::StatefulSet { replicas: 2, deletes_claims: false };
    let spec = world(1, 2, vec![space("shop", &[], vec![WorkloadSpec::new("db", shape, amount(500, 512))])]);
    let mut world = World::new(spec, 1, MONDAY);
    let db = key("shop", WorkloadKind::StatefulSet, "db");
    world.advance(MONDAY);
    let first: Vec<_> = world.pods().map(|pod| (pod.name, pod.uid)).collect();
    for (second, replicas) in [(1, 0), (2, 2), (200, 2)] {
        world.scale(&db, Size::Replicas(replicas), world.now());
        world.advance(MONDAY + Millis::from_secs(second));
        let mut names: Vec<_> = world.pods().map(|pod| pod.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), world.pod_count());
    }
    let second: Vec<_> = world.pods().map(|pod| (pod.name, pod.uid)).collect();
    let names = |pods: &[(Arc<str>, Arc<str>)]| {
        let mut names: Vec<_> = pods.iter().map(|(name, _)| name.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(
        (names(&first), names(&second)),
        (vec!["db-0".into(), "db-1".into()], vec!["db-0".into(), "db-1".into()])
    );
    assert!(first.iter().all(|(_, uid)| second.iter().all(|(_, other)| uid != other)));
    assert_eq!(world.workload(&db).unwrap().ready_replicas, 2);
}

#[test]
fn cron_job_runs_by_the_clock_and_makes_up_for_one_missed_run_only() {
    let shape = WorkloadShape::CronJob {
        every: Millis::from_minutes(10),
        offset: Millis::from_minutes(3),
        lasts: (Millis::from_secs(20), Millis::from_secs(40)),
    };
    let spec =
        world(1, 2, vec![space("shop", &[], vec![WorkloadSpec::new("tidy", shape, amount(100, 128))])]);
    let mut world = World::new(spec, 1, MONDAY);
    let tidy = key("shop", WorkloadKind::CronJob, "tidy");
    let mut jobs = std::collections::BTreeSet::new();
    let mut until = |world: &mut World, minutes: i64| {
        for event in world.advance(MONDAY + Millis::from_minutes(minutes)) {
            if let Event::Pod(pod) = event {
                jobs.insert(pod.owner.expect("a Job").name.to_string());
            }
        }
        std::mem::take(&mut jobs).into_iter().collect::<Vec<_>>()
    };
    let minute = MONDAY.0 / 60_000;
    let job = |minutes: i64| format!("tidy-{}", minute + minutes);
    assert_eq!(until(&mut world, 25), [job(3), job(13), job(23)]);
    world.scale(&tidy, Size::Suspended(true), world.now());
    assert_eq!(until(&mut world, 60), Vec::<String>::new());
    world.scale(&tidy, Size::Suspended(false), world.now());
    assert_eq!(until(&mut world, 61), [job(53)]);
    assert_eq!(until(&mut world, 64), [job(63)]);
}

#[test]
fn usage_follows_the_office_week() {
    let mut world = World::new(scale::spec(2_000), 1, MONDAY);
    world.scrape_every(Millis::from_minutes(30));
    // Cores used by the office-like spaces, on the clocks of Berlin.
    let (mut office, mut night, mut weekend) = (0.0, 0.0, 0.0);
    for event in world.advance(hours(24 * 7)) {
        let Event::Usage(samples) = event else { continue };
        assert_eq!(samples.len(), 2_000);
        let nth = |space: &str| space.trim_start_matches("space-").parse::<usize>().unwrap();
        let in_office = samples.iter().filter(|sample| nth(&sample.namespace).is_multiple_of(4));
        let cores: f64 = in_office.map(|sample| sample.usage.cpu.cores()).sum();
        match hour_of_week(samples[0].at, chrono_tz::Tz::Europe__Berlin) {
            hour if hour >= 5 * 24 => weekend += cores / 96.0,
            hour if (10..16).contains(&(hour % 24)) => office += cores / 60.0,
            hour if (0..6).contains(&(hour % 24)) => night += cores / 60.0,
            _ => {}
        }
    }
    assert!(office > 1.5 * night && office > 1.5 * weekend, "{office} {night} {weekend}");
    assert!(night > 0.0 && weekend > 0.0);
}
