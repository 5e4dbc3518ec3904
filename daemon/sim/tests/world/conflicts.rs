//! What the API server answers, and people who edit in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Size, Workload, WorkloadKind};
use nightcap_core::engine::{Action, ActionId, Event, Outcome};
use nightcap_core::sleep::{Mode, WorkloadPatch};
use nightcap_core::units::Millis;
use nightcap_sim::{ByCores, World, history};

use crate::common::{MONDAY, amount, engine, hours, key, space, web, world};

fn small(annotations: &[(&str, &str)]) -> World {
    World::new(world(1, 2, vec![space("shop", annotations, vec![web(2, amount(100, 128))])]), 1, MONDAY)
}

fn patch(workload: &Workload) -> WorkloadPatch {
    WorkloadPatch {
        target: workload.key.clone(),
        resource: None,
        uid: Arc::clone(&workload.uid),
        resource_version: Arc::clone(&workload.resource_version),
        size: Some(Size::Replicas(0)),
        fields: [].into(),
        annotations: BTreeMap::from([("nightcap.dev/original".into(), Some(r#"{"replicas":2}"#.into()))]),
        skip_runs_until: None,
    }
}

/// The outcome, if that is all that comes back, under the action's number and target.
fn outcome(world: &mut World, patch: WorkloadPatch) -> Option<Outcome> {
    let target = patch.target.clone();
    let action = Action::Workload { id: ActionId(9), patch };
    let now = world.now();
    match world.perform(action, now).as_slice() {
        [Event::Ended { id: ActionId(9), target: Some(of), outcome }] if *of == target => {
            Some(outcome.clone())
        }
        _ => None,
    }
}

#[test]
fn patch_is_done_on_the_version_it_was_decided_on_only() {
    let mut world = small(&[]);
    world.advance(MONDAY);
    let web = key("shop", WorkloadKind::Deployment, "web");
    let stale = patch(world.workload(&web).unwrap());
    assert!(world.scale(&web, Size::Replicas(5), MONDAY));
    assert_eq!(outcome(&mut world, stale.clone()), Some(Outcome::Conflict));
    assert_eq!(world.workload(&web).unwrap().size, Size::Replicas(5));
    assert!(world.workload(&web).unwrap().annotations.is_empty());

    let fresh = patch(world.workload(&web).unwrap());
    let Some(Outcome::Done { resource_version }) = outcome(&mut world, fresh) else { panic!("not done") };
    let done: u64 = resource_version.parse().unwrap();
    // The watch shows it within seconds, at this version or a newer one.
    let shown: Vec<Workload> = world
        .advance(MONDAY + Millis::from_secs(4))
        .into_iter()
        .filter_map(|event| match event {
            Event::Workload(workload) => Some(workload),
            _ => None,
        })
        .collect();
    let versions: Vec<u64> = shown.iter().map(|w| w.resource_version.parse().unwrap()).collect();
    assert!(versions.is_sorted() && versions.contains(&done), "{versions:?} without {done}");
    assert_eq!(shown.last(), world.workload(&web));
    assert_eq!(shown.last().unwrap().size, Size::Replicas(0));

    let mut other = patch(world.workload(&web).unwrap());
    other.uid = "another".into();
    assert_eq!(outcome(&mut world, other), Some(Outcome::NotFound));
    let last = patch(world.workload(&web).unwrap());
    assert!(world.delete_workload(&web, MONDAY + Millis::MINUTE));
    assert_eq!(outcome(&mut world, last), Some(Outcome::NotFound));
    assert_eq!(world.pod_count(), 0);
}

#[test]
fn namespace_patch_meets_the_namespace_of_its_uid_only() {
    let mut world = small(&[]);
    world.advance(MONDAY);
    let uid = Arc::clone(&world.namespaces().next().unwrap().uid);
    let annotations = BTreeMap::from([("nightcap.dev/asleep".into(), Some("x".into()))]);
    for (uid, expected) in [("another".into(), false), (uid, true)] {
        let action =
            Action::Namespace { id: ActionId(1), name: "shop".into(), uid, annotations: annotations.clone() };
        let done = match world.perform(action, MONDAY).as_slice() {
            [Event::Ended { outcome: Outcome::Done { .. }, .. }] => true,
            [Event::Ended { outcome: Outcome::NotFound, .. }] => false,
            other => panic!("unexpected: {other:?}"),
        };
        assert_eq!(done, expected);
    }
    assert_eq!(world.namespaces().next().unwrap().annotations.len(), 1);
}

#[test]
fn edits_in_between_are_conflicts_and_nothing_of_them_is_lost() {
    let mut world = small(&[("nightcap.dev/uptime", "Mon-Fri 08:00-18:00")]);
    let mut engine = engine(Mode::Ask, Millis::MINUTE);
    let web = key("shop", WorkloadKind::Deployment, "web");
    history::run(&mut engine, &mut world, &ByCores, MONDAY, hours(18) - Millis(1), Millis::from_minutes(5));
    // Scaled up a moment before its sleep: the watch has not shown it when the engine decides.
    assert!(world.scale(&web, Size::Replicas(4), hours(18) - Millis(1)));
    let end = hours(19);
    history::run(&mut engine, &mut world, &ByCores, hours(18) - Millis(1), end, Millis::from_minutes(5));
    let sleeping = world.workload(&web).unwrap();
    assert_eq!(sleeping.size, Size::Replicas(0));
    assert_eq!(sleeping.annotations.get("nightcap.dev/original").map(|o| &**o), Some(r#"{"replicas":4}"#));
    assert_eq!(engine.snapshot(end).counters.conflicts, 1);
    // Scaled up in its sleep: put back to sleep, and the larger size is what it wakes to.
    assert!(world.scale(&web, Size::Replicas(6), end));
    history::run(&mut engine, &mut world, &ByCores, end, hours(20), Millis::from_minutes(5));
    assert_eq!(world.workload(&web).unwrap().size, Size::Replicas(0));
    history::run(&mut engine, &mut world, &ByCores, hours(20), hours(33), Millis::from_minutes(5));
    let awake = world.workload(&web).unwrap();
    assert_eq!((awake.size, awake.ready_replicas, awake.annotations.len()), (Size::Replicas(6), 6, 0));
}

#[test]
fn space_made_and_deleted_is_seen_coming_and_going() {
    let mut world = small(&[]);
    let mut engine = engine(Mode::Ask, Millis::MINUTE);
    history::run(&mut engine, &mut world, &ByCores, MONDAY, hours(1), Millis::MINUTE);
    world.add_space(space("shop-pr-7", &[], vec![web(3, amount(100, 128))]), hours(1));
    history::run(&mut engine, &mut world, &ByCores, hours(1), hours(2), Millis::MINUTE);
    let names = |engine: &mut nightcap_core::engine::Engine, at| {
        let picture = engine.snapshot(at);
        let spaces: Vec<String> = picture.spaces.iter().map(|space| space.name.to_string()).collect();
        (spaces, picture.pods.len())
    };
    assert_eq!(names(&mut engine, hours(2)), (vec!["shop".to_owned(), "shop-pr-7".to_owned()], 5));
    assert!(world.delete_space("shop-pr-7", hours(2)));
    assert!(!world.delete_space("shop-pr-7", hours(2)));
    history::run(&mut engine, &mut world, &ByCores, hours(2), hours(3), Millis::MINUTE);
    assert_eq!(names(&mut engine, hours(3)), (vec!["shop".to_owned()], 2));
}
