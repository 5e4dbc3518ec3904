//! A restart from a checkpoint: nothing of what requests cost is lost, nothing is counted twice, the gap is marked.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Keys, Namespace, Node, Pod};
use nightcap_core::engine::{Engine, Event, Kind, Settings, UsageSample};
use nightcap_core::money::{Checkpoint, Hour};
use nightcap_core::units::{Cpu, Instant, Millis, PicoUsd, Resources, Window};
use proptest::prelude::*;

mod support;
use support::{T0, assert_conserved, at, node, price, shop_pod as pod};

fn namespace(team: &str) -> Namespace {
    Namespace {
        uid: "ns-shop".into(),
        name: "shop".into(),
        resource_version: "1".into(),
        created: T0,
        labels: [("team".into(), team.into())].into(),
        annotations: Keys::new(),
        terminating: false,
    }
}

/// What the API server would list.
struct Cluster {
    nodes: Vec<Node>,
    namespaces: Vec<Namespace>,
    pods: Vec<Pod>,
}

impl Cluster {
    fn new(pods: Vec<Pod>) -> Self {
        Self { nodes: vec![node("n", T0)], namespaces: vec![namespace("commerce")], pods }
    }

    /// Lists everything to an engine, pods before the namespaces they are in.
    fn list(&self, engine: &mut Engine, now: Instant) {
        for pod in &self.pods {
            engine.apply(Event::Pod(pod.clone()), now);
        }
        let uids = self.pods.iter().map(|pod| Arc::clone(&pod.uid)).collect();
        engine.apply(Event::Listed { kind: Kind::Pod, uids }, now);
        for node in &self.nodes {
            engine.apply(Event::Node(node.clone()), now);
            engine.apply(Event::NodePriced { uid: Arc::clone(&node.uid), price: price(0.36) }, now);
        }
        let uids = self.nodes.iter().map(|node| Arc::clone(&node.uid)).collect();
        engine.apply(Event::Listed { kind: Kind::Node, uids }, now);
        for namespace in &self.namespaces {
            engine.apply(Event::Namespace(namespace.clone()), now);
        }
        let uids = self.namespaces.iter().map(|namespace| Arc::clone(&namespace.uid)).collect();
        engine.apply(Event::Listed { kind: Kind::Namespace, uids }, now);
        for kind in Kind::ALL {
            if !matches!(kind, Kind::Pod | Kind::Node | Kind::Namespace) {
                engine.apply(Event::Listed { kind, uids: Vec::new() }, now);
            }
        }
    }
}

fn start(cluster: &Cluster) -> Engine {
    let mut engine = Engine::new(Settings::new(T0));
    cluster.list(&mut engine, T0);
    engine
}

/// Kills the engine right after a checkpoint at `when`, and starts another from what was written.
#[expect(clippy::unwrap_used, reason = "what was just written can be read")]
fn killed(engine: &Engine, when: Instant) -> Engine {
    let bytes = postcard::to_stdvec(&engine.checkpoint(when)).unwrap();
    let checkpoint: Checkpoint = postcard::from_bytes(&bytes).unwrap();
    assert!(checkpoint.is_readable());
    Engine::resume(Settings::new(when), checkpoint)
}

fn sample(engine: &mut Engine, pod: &str, when: i64) {
    let usage = Resources { cpu: Cpu::from_millis(1_500), ..Resources::default() };
    let sample = UsageSample {
        namespace: "shop".into(),
        pod: pod.into(),
        at: at(when),
        window: Millis::MINUTE,
        usage,
    };
    engine.apply(Event::Usage(vec![sample]), at(when));
}

/// By pod: seconds held, team, and whether some of it was filled in.
fn held(hours: &[Arc<Hour>]) -> BTreeMap<String, (i64, String, bool)> {
    let mut pods = BTreeMap::new();
    for row in hours.iter().flat_map(|hour| &hour.allocations) {
        let team = row.holder.attribution.team.to_string();
        let entry = pods.entry(row.holder.pod.name.to_string()).or_insert((0, team, false));
        entry.0 += row.window.length().0 / 1_000;
        entry.2 |= row.marks.backfilled;
    }
    pods
}

#[test]
fn a_kill_between_two_events_changes_no_bill() {
    let cluster = Cluster::new(vec![pod("a", 100, None), pod("b", 200, None)]);
    let mut straight = start(&cluster);
    for minute in 5..40 {
        sample(&mut straight, "a", minute * 60);
        straight.tick(at(minute * 60 + 1));
    }
    let mut resumed = killed(&straight, at(2_341));
    cluster.list(&mut resumed, at(2_341));
    for minute in 40..100 {
        for engine in [&mut straight, &mut resumed] {
            sample(engine, "a", minute * 60);
            engine.tick(at(minute * 60 + 1));
        }
    }
    let (straight, resumed) = (straight.snapshot(at(6_000)), resumed.snapshot(at(6_000)));
    assert_eq!(straight.hours.len(), 2);
    assert_eq!(straight.hours, resumed.hours);
}

#[test]
fn a_gap_is_filled_from_what_objects_prove() {
    let before = [pod("stays", 0, None), pod("went", 0, None), pod("ended", 0, None)];
    let mut engine = start(&Cluster::new(before.to_vec()));
    engine.tick(at(1_800));
    // Down from 00:30 to 01:30. One pod went without a trace, one ended at 00:50, one began at 01:00, one came and
    // ended between, and one had ended before the daemon died and is listed still.
    let mut engine = killed(&engine, at(1_800));
    let after = [
        pod("stays", 0, None),
        pod("ended", 0, Some(3_000)),
        pod("new", 3_600, None),
        pod("brief", 3_700, Some(3_707)),
        pod("old", 60, Some(120)),
    ];
    Cluster::new(after.to_vec()).list(&mut engine, at(5_400));
    engine.tick(at(5_400));
    let picture = engine.snapshot(at(7_200));
    assert_conserved(&picture.hours);
    let team = "commerce".to_owned();
    let expected = [
        ("stays", 7_200, true),
        ("went", 1_800, false),
        ("ended", 3_000, true),
        ("new", 3_600, true),
        ("brief", 7, true),
        ("old", 60, false),
    ];
    let expected = expected.map(|(name, seconds, filled)| (name.to_owned(), (seconds, team.clone(), filled)));
    assert_eq!(held(&picture.hours), expected.into());
    let cost: PicoUsd = picture.hours.iter().flat_map(|h| &h.assets).map(|row| row.cost.total()).sum();
    assert_eq!(cost, PicoUsd(720_000_000_000), "two hours of a node at $0.36");
}

#[test]
fn a_node_that_went_in_the_gap_is_counted_up_to_the_checkpoint() {
    let mut engine = start(&Cluster::new(vec![pod("a", 0, None)]));
    engine.tick(at(900));
    let mut engine = killed(&engine, at(900));
    Cluster { nodes: vec![node("m", at(1_200))], ..Cluster::new(Vec::new()) }.list(&mut engine, at(1_500));
    let picture = engine.snapshot(at(3_600));
    let windows: Vec<_> = picture.hours[0].assets.iter().map(|row| (&*row.node.name, row.window)).collect();
    assert_eq!(windows, [("m", Window::new(at(1_200), at(3_600))), ("n", Window::new(T0, at(900)))]);
}

#[test]
fn a_namespace_that_changed_hands_in_the_gap_counts_for_the_new_team_from_the_start_on() {
    let mut engine = start(&Cluster::new(vec![pod("a", 0, None)]));
    engine.tick(at(900));
    let mut engine = killed(&engine, at(900));
    let moved = Cluster { namespaces: vec![namespace("search")], ..Cluster::new(vec![pod("a", 0, None)]) };
    moved.list(&mut engine, at(1_500));
    let picture = engine.snapshot(at(3_600));
    let rows: Vec<_> = picture.hours[0]
        .allocations
        .iter()
        .map(|row| (&*row.holder.attribution.team, row.window.length().0 / 1_000))
        .collect();
    assert_eq!(rows, [("commerce", 1_500), ("search", 2_100)]);
}

proptest! {
    /// Requests alone: whenever it is killed, and however long it is down, the bill is the one of a daemon that was not.
    #[test]
    fn kills_cost_nothing_of_what_is_requested(
        pods in prop::collection::vec((0i64..9_000, 1i64..5_000), 1..8),
        kills in prop::collection::vec((0i64..9_000, 0i64..2_000), 0..4),
    ) {
        let end = 12_000;
        // What the API server lists at an instant: pods that are there, and those that ended are kept for long.
        let listed = |when: i64| {
            let there = pods.iter().enumerate().filter(|(_, (from, _))| *from <= when);
            Cluster::new(there.map(|(nth, (from, length))| {
                pod(&nth.to_string(), *from, (from + length <= when).then_some(from + length))
            }).collect())
        };
        let mut straight = start(&listed(0));
        listed(end).list(&mut straight, at(end));
        let mut engine = start(&listed(0));
        let mut kills = kills;
        kills.sort_unstable();
        let mut back = 0;
        for (when, down) in kills {
            let when = when.max(back);
            listed(when).list(&mut engine, at(when));
            engine.tick(at(when));
            engine = killed(&engine, at(when));
            back = when + down;
            listed(back).list(&mut engine, at(back));
            engine.tick(at(back));
        }
        listed(end).list(&mut engine, at(end));
        let (straight, resumed) = (straight.snapshot(at(end)), engine.snapshot(at(end)));
        assert_conserved(&resumed.hours);
        let seconds = |hours: &[Arc<Hour>]| {
            held(hours).into_iter().map(|(name, (seconds, ..))| (name, seconds)).collect::<BTreeMap<_, _>>()
        };
        // Hours that an earlier life has closed are in its history, not here: compare what both have.
        let first = resumed.hours.first().map_or(T0, |hour| hour.start);
        let hours: Vec<_> = straight.hours.iter().filter(|hour| hour.start >= first).cloned().collect();
        prop_assert_eq!(seconds(&hours), seconds(&resumed.hours));
    }
}

#[test]
fn a_pod_that_nobody_told_of_before_the_checkpoint_counts_although_it_had_ended_by_then() {
    let mut engine = start(&Cluster::new(Vec::new()));
    engine.tick(at(1_800));
    let mut engine = killed(&engine, at(1_800));
    Cluster::new(vec![pod("brief", 1_770, Some(1_798)), pod("old", 0, Some(60))])
        .list(&mut engine, at(1_900));
    engine.tick(at(1_900));
    let picture = engine.snapshot(at(3_600));
    assert_conserved(&picture.hours);
    let seconds = held(&picture.hours).into_iter().map(|(name, (seconds, ..))| (name, seconds));
    assert_eq!(seconds.collect::<Vec<_>>(), [("brief".to_owned(), 28), ("old".to_owned(), 60)]);
}

#[test]
fn a_pod_that_ended_before_another_began_to_pay_is_never_paid_for_by_that_one() {
    let mut engine = start(&Cluster::new(vec![pod("a", 0, None)]));
    engine.apply(Event::Namespace(namespace("search")), at(1_000));
    engine.apply(Event::Pod(pod("a", 0, Some(990))), at(1_003));
    engine.tick(at(1_003));
    let picture = engine.snapshot(at(3_600));
    assert_conserved(&picture.hours);
    assert_eq!(held(&picture.hours), [("a".to_owned(), (990, "commerce".to_owned(), false))].into());
}

#[test]
fn hours_stay_until_they_are_written_and_are_written_again_when_they_change() {
    let mut settings = Settings::new(T0);
    settings.keep_rows = 2;
    let mut engine = Engine::new(settings);
    engine.keep_until_written();
    Cluster::new(vec![pod("a", 0, None)]).list(&mut engine, T0);
    for minute in 0..=245 {
        engine.tick(at(minute * 60));
    }
    let starts = |hours: &[Arc<Hour>]| hours.iter().map(|hour| hour.start).collect::<Vec<_>>();
    let unwritten = engine.unwritten();
    assert_eq!(starts(&unwritten), [T0, at(3_600), at(7_200), at(10_800)], "more rows than are to be kept");
    engine.written(&unwritten);
    assert_eq!(starts(&engine.unwritten()), []);
    engine.tick(at(246 * 60));
    // A pod that ended in the last closed hour is told of late.
    engine.apply(Event::Pod(pod("a", 0, Some(14_000))), at(246 * 60));
    assert_eq!(starts(&engine.unwritten()), [at(10_800)]);
    engine.written(&engine.unwritten());
    assert_eq!(starts(&engine.unwritten()), []);
}

/// A pod of one core that began before the restart in an hour that only the history has, and is told of after it.
fn told_late() -> (Engine, Vec<Arc<Hour>>) {
    let mut engine = Engine::new(Settings::new(T0));
    engine.keep_until_written();
    Cluster::new(vec![pod("a", 0, None)]).list(&mut engine, T0);
    for minute in 0..=130 {
        engine.tick(at(minute * 60));
    }
    let written = engine.unwritten();
    engine.written(&written);
    let mut engine = killed(&engine, at(130 * 60));
    engine.keep_until_written();
    Cluster::new(vec![pod("a", 0, None)]).list(&mut engine, at(131 * 60));
    engine.tick(at(132 * 60));
    engine.apply(Event::Pod(pod("late", 1_800, Some(5_400))), at(133 * 60));
    (engine, written)
}

#[test]
fn a_correction_of_an_hour_that_only_the_history_has_is_owed_until_it_is_made_there() {
    let (mut engine, written) = told_late();
    let owed = engine.owed();
    // Half of the first hour, all of the second of which the half after its end is given back.
    let hours: Vec<_> = owed.iter().map(|correction| correction.hour()).collect();
    assert_eq!(hours, [T0, at(3_600), at(3_600)]);
    let mut corrected: Vec<Hour> = written.iter().map(|hour| (**hour).clone()).collect();
    for hour in &mut corrected {
        let start = hour.start;
        for correction in owed.iter().filter(|correction| correction.hour() == start) {
            assert!(correction.apply_once(hour));
        }
        // A crash before that is noted makes it no second time.
        let before = hour.clone();
        for correction in owed.iter().filter(|correction| correction.hour() == start) {
            assert!(!correction.apply_once(hour));
        }
        assert_eq!(*hour, before);
    }
    let corrected: Vec<_> = corrected.into_iter().map(Arc::new).collect();
    assert_conserved(&corrected);
    // By requests, a core and a GiB of 4 cores and 16 GiB: the same as for a pod that was known in time.
    let cost = |name: &str, nth: usize| -> i128 {
        let rows = corrected[nth].allocations.iter().filter(|row| *row.holder.pod.name == *name);
        rows.map(|row| row.cost.total().0).sum()
    };
    for nth in [0, 1] {
        assert!((cost("late", nth) - cost("a", nth) / 2).abs() <= 3, "rounded once for each row");
    }
    let late = corrected.iter().flat_map(|hour| &hour.allocations).filter(|row| row.marks.late);
    assert_eq!(late.count(), 3);
    // Owed also over a restart.
    let mut resumed = killed(&engine, at(134 * 60));
    resumed.keep_until_written();
    assert_eq!(resumed.owed(), owed);
    engine.corrected(&owed, 0);
    assert_eq!(engine.owed(), []);
    assert_eq!(engine.snapshot(at(135 * 60)).history.late_lost, 0);
}

#[test]
fn a_correction_that_nothing_can_take_any_more_is_counted() {
    let (mut engine, _) = told_late();
    let owed = engine.owed();
    engine.corrected(&owed, 3);
    assert_eq!(engine.owed(), []);
    assert_eq!(engine.snapshot(at(134 * 60)).history.late_lost, 3);
    // Without a history, hours that memory has no room for are gone.
    let mut engine = Engine::new(Settings { keep_rows: 2, ..Settings::new(T0) });
    Cluster::new(vec![pod("a", 0, None)]).list(&mut engine, T0);
    for minute in 0..=245 {
        engine.tick(at(minute * 60));
    }
    engine.apply(Event::Pod(pod("late", 0, Some(1_800))), at(246 * 60));
    let history = engine.snapshot(at(246 * 60)).history;
    assert!(history.late_lost >= 1, "{history:?}");
    assert_eq!(engine.owed(), []);
}
