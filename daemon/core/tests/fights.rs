//! Sleeps that somebody else undoes.

mod support;

use nightcap_core::cluster::Size;
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use support::scene::{Scene, deployment};

fn evening() -> Instant {
    parse_rfc3339("2026-03-03T20:00:00Z").expect("an instant")
}

fn after(minutes: i64) -> Instant {
    evening() + Millis::from_minutes(minutes)
}

/// A space that sleeps, with a workload that Argo CD has deployed.
fn shop() -> Scene {
    let mut scene = Scene::new(Mode::Act, evening());
    scene.namespace("shop", &[("uptime", "Mon-Fri 08:00-20:00")]);
    let mut web = deployment("shop", "web", 3);
    web.labels.insert("argocd.argoproj.io/instance".into(), "shop-app".into());
    scene.put(web);
    scene.put(deployment("shop", "worker", 1));
    scene.settle(evening());
    assert_eq!(
        (scene.size("shop", "web"), scene.size("shop", "worker")),
        (Size::Replicas(0), Size::Replicas(0))
    );
    scene.announced.clear();
    scene
}

/// Undoes the sleep, with the marks or without; returns whether it sleeps again.
fn undo(scene: &mut Scene, now: Instant, with_marks: bool) -> bool {
    let mut web = scene.find("shop", "web").clone();
    web.size = Size::Replicas(3);
    if with_marks {
        web.annotations.clear();
    }
    scene.now = now;
    scene.put(web);
    scene.settle(now);
    scene.size("shop", "web").is_down()
}

fn problems(scene: &mut Scene) -> Vec<(String, &'static str, String)> {
    let problems = scene.engine.snapshot(scene.now).problems;
    let told = |p: &nightcap_core::engine::Problem| (p.object.to_string(), p.reason, p.message.to_string());
    problems.iter().map(told).collect()
}

#[test]
fn undone_sleep_is_put_right_three_times_and_then_left_alone_for_longer_and_longer() {
    for with_marks in [false, true] {
        let mut scene = shop();
        for minute in [1, 2, 3] {
            assert!(undo(&mut scene, after(minute), with_marks), "{minute}");
        }
        assert_eq!(problems(&mut scene), []);
        assert!(!undo(&mut scene, after(4), with_marks));
        let message = "Deployment shop/web should sleep by namespace uptime, but somebody has undone that 4 times since 2026-03-03T20:01:00Z; it is left alone until 2026-03-03T21:04:00Z. The Argo CD application shop-app owns it. Exclude it from sleep, or let Argo CD ignore the replicas field (ignoreDifferences with RespectIgnoreDifferences=true)";
        assert_eq!(problems(&mut scene), [("Deployment shop/web".into(), "fight", message.into())]);
        assert_eq!(scene.announced, [format!("Fight: {message}")]);
        let written = scene.patches.len();
        scene.settle(after(63));
        assert_eq!((scene.patches.len(), scene.size("shop", "web")), (written, Size::Replicas(3)));
        assert_eq!(scene.engine.next_due(), Some(after(64)), "nobody looks in between");
        // Then it is tried once, and left alone for twice as long when that is undone, too.
        scene.settle(after(64));
        assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
        assert!(!undo(&mut scene, after(70), with_marks));
        let counters = scene.engine.snapshot(after(70)).counters;
        assert_eq!((counters.fights, scene.announced.len()), (2, 2));
        scene.settle(after(189));
        assert_eq!(scene.size("shop", "web"), Size::Replicas(3));
        scene.settle(after(190));
        assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
        assert_eq!(scene.annotation("shop", "web", "original"), Some(r#"{"replicas":3}"#));
        // Nobody undoes it any more: it is settled, and the next time counts from the beginning.
        scene.settle(after(219));
        assert_eq!(problems(&mut scene).len(), 1);
        scene.settle(after(220));
        assert_eq!(problems(&mut scene), []);
        assert!(undo(&mut scene, after(221), with_marks));
        assert_eq!(scene.size("shop", "worker"), Size::Replicas(0), "the others sleep on");
    }
}

#[test]
fn what_is_seldom_undone_is_put_right_each_time() {
    let mut scene = shop();
    for minute in [0, 16, 32, 48, 64, 80] {
        assert!(undo(&mut scene, after(minute), false), "{minute}");
    }
    assert_eq!(problems(&mut scene), []);
}

#[test]
fn status_of_what_is_scaled_up_is_no_further_undoing() {
    let mut scene = shop();
    for minute in 1..=4 {
        undo(&mut scene, after(minute), false);
    }
    for minute in 5..60 {
        let web = scene.find("shop", "web").clone();
        scene.put(web);
        scene.settle(after(minute));
    }
    assert_eq!(scene.engine.snapshot(after(60)).counters.fights, 1);
    assert_eq!(scene.announced.len(), 1);
}

#[test]
fn what_is_left_alone_is_awake_when_that_is_wished_and_nobodys_problem() {
    let mut scene = shop();
    for minute in 1..=4 {
        undo(&mut scene, after(minute), false);
    }
    scene.annotate("shop", "exclude", Some("true"));
    scene.settle(after(5));
    assert_eq!((problems(&mut scene), scene.size("shop", "web")), (vec![], Size::Replicas(3)));
    assert_eq!(scene.annotation("shop", "web", "asleep"), None, "its marks go");
    assert_eq!(scene.size("shop", "worker"), Size::Replicas(1));
}

#[test]
fn undoing_of_a_marked_workload_is_seen_after_a_restart() {
    let mut scene = shop();
    let mut web = scene.find("shop", "web").clone();
    web.size = Size::Replicas(3);
    scene.workloads.insert(web.key.clone(), web);
    let mut scene = scene.restarted(Mode::Act);
    scene.settle(after(1));
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    for minute in [2, 3] {
        assert!(undo(&mut scene, after(minute), false));
    }
    assert!(!undo(&mut scene, after(4), false), "the first one was counted");
}
