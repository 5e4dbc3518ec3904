//! A seed decides everything.

use nightcap_core::cluster::WorkloadKind;
use nightcap_core::engine::{Event, Kind};
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Instant, Millis};
use nightcap_sim::ByCores;
use nightcap_sim::spec::WorldSpec;
use nightcap_sim::{World, demo, history, scale};

use crate::common::{MONDAY, engine, hours};

/// All that an engine-less world delivers in a day, with the instants of delivery.
fn day(seed: u64) -> Vec<(Instant, Event)> {
    let mut world = World::new(demo::platform(seed), seed, MONDAY);
    let mut all = Vec::new();
    while let Some(at) = world.next_event().filter(|&at| at <= hours(24)) {
        all.extend(world.advance(at).into_iter().map(|event| (at, event)));
    }
    all
}

#[test]
fn same_seed_gives_the_same_events() {
    let (first, again, other) = (day(7), day(7), day(8));
    assert_eq!(first.len(), again.len());
    for (nth, (one, two)) in first.iter().zip(&again).enumerate() {
        assert_eq!(one, two, "event {nth}");
    }
    assert_ne!(first, other);
    assert!(first.len() > 4_000, "{} events are no life", first.len());
}

#[test]
fn same_seed_gives_the_same_story_with_an_engine_in_it() {
    let story = |seed| {
        let mut world = World::new(demo::platform(seed), seed, MONDAY);
        let mut engine = engine(Mode::Ask, Millis::MINUTE);
        let driven =
            history::run(&mut engine, &mut world, &ByCores, MONDAY, hours(30), Millis::from_minutes(5));
        (driven, world.list(), engine.snapshot(hours(30)))
    };
    let ((driven, objects, picture), (driven_2, objects_2, picture_2)) = (story(3), story(3));
    assert_eq!(driven, driven_2);
    assert_eq!(objects, objects_2);
    assert_eq!(picture.hours, picture_2.hours);
    assert_eq!(picture.spaces, picture_2.spaces);
    assert_eq!(picture.counters, picture_2.counters);
}

#[test]
fn steps_of_the_caller_do_not_change_what_happens() {
    let mut whole = World::new(demo::platform(2), 2, MONDAY);
    let at_once = whole.advance(hours(5));
    let mut cut = World::new(demo::platform(2), 2, MONDAY);
    let in_steps: Vec<Event> =
        (0..=300).flat_map(|m| cut.advance(MONDAY + Millis::from_minutes(m))).collect();
    assert_eq!(at_once, in_steps);
}

#[test]
fn each_kind_is_listed_once_and_the_list_names_every_object() {
    let platform = listed(demo::platform(1));
    // Kinds that the simulated platform has none of.
    let absent =
        [Kind::DaemonSet, Kind::ReplicaSet, Kind::ReplicationController, Kind::Job, Kind::SleepPolicy];
    let as_built = |(kind, count): &(Kind, usize)| (*count > 0) != absent.contains(kind);
    assert!(platform.iter().all(as_built), "{platform:?}");
    assert_eq!(
        listed(scale::spec(300)),
        [
            (Kind::Node, 12),
            (Kind::Namespace, 6),
            (Kind::Pod, 300),
            (Kind::Deployment, 102),
            (Kind::StatefulSet, 0),
            (Kind::CronJob, 0),
            (Kind::DaemonSet, 0),
            (Kind::ReplicaSet, 0),
            (Kind::ReplicationController, 0),
            (Kind::Job, 0),
            (Kind::Volume, 0),
            (Kind::Claim, 0),
            (Kind::Service, 0),
            (Kind::SleepPolicy, 0),
        ]
    );
}

/// Kinds in the order in which their lists end, with the number of their objects.
fn listed(spec: WorldSpec) -> Vec<(Kind, usize)> {
    let mut world = World::new(spec, 1, MONDAY);
    let events = world.advance(MONDAY);
    let mut named = std::collections::BTreeMap::<Kind, Vec<_>>::new();
    let (mut listed, mut unexpected) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::Node(node) => named.entry(Kind::Node).or_default().push(node.uid),
            Event::Namespace(space) => named.entry(Kind::Namespace).or_default().push(space.uid),
            Event::Workload(workload) => {
                let kind = match workload.key.kind {
                    WorkloadKind::StatefulSet => Kind::StatefulSet,
                    WorkloadKind::CronJob => Kind::CronJob,
                    _ => Kind::Deployment,
                };
                named.entry(kind).or_default().push(workload.uid);
            }
            Event::Pod(pod) => named.entry(Kind::Pod).or_default().push(pod.uid),
            Event::Volume(volume) => named.entry(Kind::Volume).or_default().push(volume.uid),
            Event::Claim(claim) => named.entry(Kind::Claim).or_default().push(claim.uid),
            Event::Service(service) => named.entry(Kind::Service).or_default().push(service.uid),
            Event::Listed { kind, uids } => {
                assert_eq!(named.remove(&kind).unwrap_or_default(), uids, "{kind:?}");
                listed.push((kind, uids.len()));
            }
            other => unexpected.push(other),
        }
    }
    assert_eq!(unexpected, []);
    listed
}
