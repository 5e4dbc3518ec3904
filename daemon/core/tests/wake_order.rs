//! Waking in order and within a limit, and what becomes of what was woken.

mod support;

use nightcap_core::cluster::{Size, Workload};
use nightcap_core::engine::{Event, Settings, SpaceState};
use nightcap_core::sleep::{Command, Mode};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use proptest::prelude::*;
use support::T0;
use support::scene::{Scene, cron_job, deployment, stateful_set};

const OFFICE: &str = "Mon-Fri 08:00-20:00";

fn evening() -> Instant {
    parse_rfc3339("2026-03-03T22:00:00Z").expect("an instant")
}

fn morning() -> Instant {
    parse_rfc3339("2026-03-04T08:00:00Z").expect("an instant")
}

fn after(seconds: i64) -> Instant {
    morning() + Millis::from_secs(seconds)
}

fn ordered(mut workload: Workload, order: &str) -> Workload {
    workload.annotations.insert("nightcap.dev/wake-order".into(), order.into());
    workload
}

/// A scene in which all of these sleep, in namespaces with office hours.
fn asleep(workloads: Vec<Workload>) -> Scene {
    let mut scene = Scene::new(Mode::Act, evening());
    for workload in workloads {
        let namespace = std::sync::Arc::clone(&workload.key.namespace);
        if !scene.namespaces.contains_key(&namespace) {
            scene.namespace(&namespace, &[("uptime", OFFICE)]);
        }
        scene.put(workload);
    }
    scene.settle(evening());
    assert!(scene.workloads.values().all(|workload| workload.size.is_down()));
    scene.patches.clear();
    scene.slow = true;
    scene
}

fn shop() -> Scene {
    asleep(vec![
        deployment("shop", "web", 3),
        stateful_set("shop", "db", 1),
        cron_job("shop", "report", false),
    ])
}

/// What was woken since this was asked last.
fn woken(scene: &mut Scene) -> Vec<String> {
    let patches = std::mem::take(&mut scene.patches);
    patches.iter().filter(|patch| patch.size.is_some()).map(|patch| patch.target.name.to_string()).collect()
}

/// What is told of workloads that are not woken.
fn told(scene: &mut Scene) -> Vec<String> {
    let snapshot = scene.engine.snapshot(scene.now);
    let workloads = snapshot.spaces.iter().flat_map(|space| &space.workloads);
    workloads.filter_map(|workload| workload.refusal.as_ref().map(ToString::to_string)).collect()
}

fn problems(scene: &mut Scene) -> Vec<(&'static str, String)> {
    let problems = scene.engine.snapshot(scene.now).problems;
    problems.iter().map(|problem| (problem.reason, problem.message.to_string())).collect()
}

#[test]
fn what_keeps_data_is_ready_before_the_rest_is_woken() {
    let mut scene = shop();
    scene.settle(morning());
    assert_eq!(woken(&mut scene), ["db"]);
    assert_eq!(
        told(&mut scene),
        [
            "Deployment shop/web waits for StatefulSet db to be ready",
            "CronJob shop/report waits for StatefulSet db to be ready"
        ]
    );
    assert_eq!(scene.engine.snapshot(morning()).spaces[0].state, SpaceState::Waking);
    scene.settle(after(30));
    assert_eq!(woken(&mut scene), [""; 0]);
    scene.ready("shop", "db");
    scene.settle(after(31));
    assert_eq!(woken(&mut scene), ["report", "web"]);
    assert_eq!(told(&mut scene), [""; 0]);
    assert_eq!(scene.engine.snapshot(after(31)).spaces[0].state, SpaceState::Waking);
    scene.ready("shop", "web");
    scene.settle(after(40));
    assert_eq!(scene.engine.snapshot(after(40)).spaces[0].state, SpaceState::Awake);
    assert_eq!(scene.announced.iter().filter(|told| told.contains("waits")).count(), 0);
}

#[test]
fn what_never_gets_ready_is_waited_for_no_longer_than_the_limit_and_told_of() {
    let mut scene = shop();
    scene.settle(morning());
    assert_eq!(woken(&mut scene), ["db"]);
    scene.settle(after(60)); // where an answer had been lost, it would be asked for again
    assert_eq!(scene.engine.next_due(), Some(after(120)), "nobody looks in between");
    scene.settle(after(119));
    assert_eq!(woken(&mut scene), [""; 0]);
    scene.settle(after(120));
    assert_eq!(woken(&mut scene), ["report", "web"]);
    scene.ready("shop", "web");
    scene.settle(after(299));
    assert_eq!(problems(&mut scene), []);
    scene.settle(after(300));
    let slow = "StatefulSet shop/db was woken at 2026-03-04T08:00:00Z and is not ready 5 minutes later: 0 of 1 pods are; see its pods' events";
    assert_eq!(problems(&mut scene), [("wake-slow", slow.to_owned())]);
    scene.ready("shop", "db");
    scene.settle(after(400));
    assert_eq!(problems(&mut scene), []);
}

#[test]
fn order_is_what_the_workload_says_and_the_default_where_that_cannot_be_read() {
    let mut scene = asleep(vec![
        ordered(deployment("shop", "first", 1), "-1"),
        ordered(stateful_set("shop", "late", 1), "20"),
        ordered(deployment("shop", "web", 1), "soon"),
        stateful_set("shop", "db", 1),
    ]);
    let bad = "nightcap.dev/wake-order: \"soon\" is no whole number such as 5; the default order holds";
    assert_eq!(problems(&mut scene), [("bad-annotation", bad.to_owned())]);
    let mut order = Vec::new();
    for second in 0..4 {
        scene.settle(after(second));
        let now = woken(&mut scene);
        for name in &now {
            scene.ready("shop", name);
        }
        order.push(now);
    }
    assert_eq!(order, [["first"], ["db"], ["web"], ["late"]]);
}

#[test]
fn no_more_pods_than_the_nodes_take_are_woken_at_once_in_the_order_of_spaces() {
    let mut scene = asleep(["a", "b", "c", "d"].map(|name| deployment(name, name, 4)).to_vec());
    scene.namespace("d", &[("uptime", OFFICE), ("wake-order", "1")]);
    scene.settle(morning());
    assert_eq!(woken(&mut scene), ["a", "d"], "10 pods for the one node that is counted");
    let waits = |name: &str| {
        format!(
            "Deployment {name}/{name} waits for pods that were woken before it to be ready: at most 10 for each node are woken at once"
        )
    };
    assert_eq!(told(&mut scene), [waits("b"), waits("c")]);
    // Two of four are ready: the next one fits.
    let mut half = scene.find("a", "a").clone();
    half.ready_replicas = 2;
    scene.put(half);
    scene.settle(after(10));
    assert_eq!(woken(&mut scene), ["b"]);
    // Nobody gets ready: those before have had their time.
    scene.settle(after(70));
    assert_eq!(scene.engine.next_due(), Some(after(120)), "nobody looks in between");
    scene.settle(after(119));
    assert_eq!(woken(&mut scene), [""; 0]);
    scene.settle(after(120));
    assert_eq!(woken(&mut scene), ["c"]);
    assert_eq!(told(&mut scene), [""; 0]);
}

#[test]
fn more_nodes_take_more() {
    let mut scene = asleep(["a", "b", "c", "d"].map(|name| deployment(name, name, 4)).to_vec());
    for name in ["n-1", "n-2"] {
        scene.engine.apply(Event::Node(support::node(name, T0)), evening());
    }
    scene.settle(morning());
    assert_eq!(woken(&mut scene), ["a", "b", "c", "d"]);
}

#[test]
fn what_is_larger_than_the_limit_is_woken_alone() {
    let mut scene = asleep(vec![deployment("a", "a", 1), deployment("b", "b", 50), deployment("c", "c", 1)]);
    scene.settle(morning());
    assert_eq!(woken(&mut scene), ["a"], "nobody overtakes");
    scene.ready("a", "a");
    scene.settle(after(1));
    assert_eq!(woken(&mut scene), ["b"]);
    scene.ready("b", "b");
    scene.settle(after(2));
    assert_eq!(woken(&mut scene), ["c"]);
}

#[test]
fn peoples_wakes_are_not_held_up_by_number_and_keep_their_order() {
    let mut workloads = ["a", "b", "c"].map(|name| deployment(name, name, 9)).to_vec();
    workloads.extend([deployment("shop", "web", 30), stateful_set("shop", "db", 30)]);
    let mut scene = asleep(workloads);
    scene
        .engine
        .apply(Event::Command(Command::Wake { namespace: "shop".into(), by: "engineer".into() }), after(-1));
    scene.settle(after(-1));
    assert_eq!(woken(&mut scene), ["db"]);
    scene.settle(morning());
    assert_eq!(woken(&mut scene), [""; 0], "30 pods are under way");
    scene.ready("shop", "db");
    scene.settle(after(1));
    assert_eq!(woken(&mut scene), ["web"], "before a, which has waited for longer");
}

#[test]
fn restart_in_between_keeps_order_and_limit() {
    let mut scene = shop();
    scene.settle(morning());
    let mut scene = scene.restarted(Mode::Act);
    scene.settle(after(60));
    assert_eq!(woken(&mut scene), [""; 0], "db is not ready yet");
    assert_eq!(scene.engine.next_due(), Some(after(120)), "the limit counts from the start");
    scene.ready("shop", "db");
    scene.settle(after(61));
    assert_eq!(woken(&mut scene), ["report", "web"]);
}

#[test]
fn without_a_gate_all_is_woken_at_once() {
    let mut settings = Settings::new(T0);
    settings.mode = Mode::Act;
    settings.sleep.wake_gate = Millis(0);
    let mut scene = Scene::with(settings, evening());
    scene.namespace("shop", &[("uptime", OFFICE)]);
    scene.put(stateful_set("shop", "db", 30));
    scene.put(deployment("shop", "web", 30));
    scene.settle(evening());
    (scene.slow, scene.patches) = (true, Vec::new());
    scene.settle(morning());
    assert_eq!(woken(&mut scene), ["web", "db"]);
}

#[test]
fn what_is_turned_down_after_its_wake_is_restored_and_then_left_to_a_person() {
    let mut scene = asleep(vec![deployment("shop", "web", 3)]);
    scene.slow = false;
    scene.settle(morning());
    assert_eq!(woken(&mut scene), ["web"]);
    for second in [10, 20, 30] {
        scene.scale("shop", "web", 0);
        scene.settle(after(second));
        assert_eq!((woken(&mut scene), scene.size("shop", "web")), (vec!["web".into()], Size::Replicas(3)));
    }
    assert_eq!(problems(&mut scene), []);
    scene.scale("shop", "web", 0);
    scene.announced.clear();
    scene.settle(after(40));
    scene.settle(after(3_600));
    assert_eq!((woken(&mut scene), scene.size("shop", "web")), (vec![], Size::Replicas(0)));
    let message = "Deployment shop/web was woken at 2026-03-04T08:00:00Z, and somebody has turned it down again 4 times since; it is left as it is. Scale it by hand, and see what turns it down: an autoscaler or a GitOps tool that had seen it asleep";
    assert_eq!(problems(&mut scene), [("fight", message.to_owned())]);
    assert_eq!(scene.announced, [format!("Fight: {message}")]);
    assert_eq!(scene.engine.snapshot(scene.now).counters.fights, 1);
    scene.scale("shop", "web", 2);
    scene.settle(after(3_700));
    assert_eq!(problems(&mut scene), []);
}

#[test]
fn who_turns_it_down_later_meant_it() {
    let mut scene = asleep(vec![deployment("shop", "web", 3)]);
    scene.slow = false;
    scene.settle(morning());
    scene.scale("shop", "web", 0);
    scene.settle(after(300));
    scene.settle(after(301));
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    assert_eq!(problems(&mut scene), []);
}

#[derive(Clone, Debug)]
struct One {
    space: u8,
    replicas: u32,
    stateful: bool,
    order: Option<i8>,
    /// After so many seconds it is ready; `None` if never.
    ready_after: Option<i64>,
}

fn one() -> impl Strategy<Value = One> {
    let order = prop::option::weighted(0.3, -2_i8..20);
    let ready_after = prop::option::weighted(0.8, 0_i64..90);
    (0_u8..4, 1_u32..14, any::<bool>(), order, ready_after).prop_map(
        |(space, replicas, stateful, order, ready_after)| One {
            space,
            replicas,
            stateful,
            order,
            ready_after,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Everything is woken in the end, and at no time more pods are under way than the nodes take.
    #[test]
    fn all_are_woken_and_the_limit_holds(all in prop::collection::vec(one(), 1..12), restart in prop::option::of(0..60_i64)) {
        let workloads = all.iter().enumerate().map(|(nth, one)| {
            let make = if one.stateful { stateful_set } else { deployment };
            let workload = make(&format!("space-{}", one.space), &format!("w-{nth}"), one.replicas);
            one.order.map_or(workload.clone(), |order| ordered(workload, &order.to_string()))
        });
        let mut scene = asleep(workloads.collect());
        // When each was woken, while it is not ready and has not had its time.
        let mut since: Vec<Option<Instant>> = vec![None; all.len()];
        let mut now = morning();
        // Each may use up its whole limit, one after the other.
        for _ in 0..(2 * all.len() + 2) * 130 {
            if restart.is_some_and(|at| after(at) == now) {
                scene = scene.restarted(Mode::Act);
            }
            scene.settle(now);
            for name in woken(&mut scene) {
                let nth: usize = name[2..].parse().unwrap();
                prop_assert_eq!(since[nth], None, "woken once");
                since[nth] = Some(now);
            }
            let under_way: Vec<u32> = all.iter().zip(&since).enumerate().filter_map(|(nth, (one, since))| {
                let (namespace, name) = (format!("space-{}", one.space), format!("w-{nth}"));
                let since = (*since)?;
                let ready = scene.find(&namespace, &name).ready_replicas == one.replicas;
                (!ready && now < since + Millis::from_minutes(2)).then_some(one.replicas)
            }).collect();
            prop_assert!(under_way.iter().sum::<u32>() <= 10 || under_way.len() == 1, "{:?}", under_way);
            if since.iter().all(Option::is_some) {
                break;
            }
            now = now + Millis::SECOND;
            scene.now = now;
            for (nth, one) in all.iter().enumerate() {
                let due = since[nth].zip(one.ready_after).map(|(at, seconds)| at + Millis::from_secs(seconds));
                if due == Some(now) {
                    scene.ready(&format!("space-{}", one.space), &format!("w-{nth}"));
                }
            }
        }
        for (nth, one) in all.iter().enumerate() {
            prop_assert_eq!(scene.size(&format!("space-{}", one.space), &format!("w-{nth}")), Size::Replicas(one.replicas));
        }
    }
}
