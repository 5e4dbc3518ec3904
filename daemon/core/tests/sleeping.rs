//! Sleep and wake through the engine: who wins, what is written, what survives.

mod support;

use nightcap_core::cluster::Size;
use nightcap_core::engine::{Action, Event, Outcome, Settings, SpaceState};
use nightcap_core::schedule::TimeSpec;
use nightcap_core::sleep::{Command, Mode, Spec};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use support::scene::{Scene, cron_job, deployment, stateful_set};
use support::{T0, at};

const OFFICE: &str = "Mon-Fri 08:00-20:00 Europe/Berlin";

fn when(text: &str) -> Instant {
    parse_rfc3339(text).expect("an instant")
}

/// Tuesday noon in Berlin.
fn noon() -> Instant {
    when("2026-03-03T12:00:00+01:00")
}

/// Tuesday evening in Berlin, two hours after the office hours ended.
fn evening() -> Instant {
    when("2026-03-03T22:00:00+01:00")
}

fn shop(mode: Mode) -> Scene {
    let mut scene = Scene::new(mode, noon());
    scene.namespace("shop", &[("uptime", OFFICE)]);
    scene.put(deployment("shop", "web", 3));
    scene.put(stateful_set("shop", "db", 1));
    scene.put(cron_job("shop", "report", false));
    scene.put(deployment("shop", "off", 0));
    scene.put(cron_job("shop", "paused", true));
    scene
}

fn sizes(scene: &Scene) -> [Size; 5] {
    ["web", "db", "report", "off", "paused"].map(|name| scene.size("shop", name))
}

const AWAKE: [Size; 5] =
    [Size::Replicas(3), Size::Replicas(1), Size::Suspended(false), Size::Replicas(0), Size::Suspended(true)];
const ASLEEP: [Size; 5] =
    [Size::Replicas(0), Size::Replicas(0), Size::Suspended(true), Size::Replicas(0), Size::Suspended(true)];

#[test]
fn space_sleeps_outside_its_uptime_in_one_patch_per_object_and_wakes_as_it_was() {
    let mut scene = shop(Mode::Act);
    scene.settle(noon());
    assert_eq!((sizes(&scene), scene.patches.len()), (AWAKE, 0));
    assert_eq!(
        scene.engine.next_tick().max(when("2026-03-03T20:00:00+01:00")),
        when("2026-03-03T20:00:00+01:00")
    );
    scene.settle(when("2026-03-03T20:00:00+01:00"));
    assert_eq!((sizes(&scene), scene.patches.len()), (ASLEEP, 3));
    assert_eq!(scene.annotation("shop", "web", "original"), Some(r#"{"replicas":3}"#));
    assert_eq!(scene.annotation("shop", "report", "original"), Some(r#"{"suspended":false}"#));
    assert_eq!(
        scene.annotation("shop", "web", "asleep"),
        Some(
            r#"{"since":"2026-03-03T19:00:00Z","why":"Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`.","policy":"namespace uptime","by":"nightcap"}"#
        )
    );
    assert_eq!(scene.annotation("shop", "off", "original"), None, "what was down before is not ours");
    scene.settle(when("2026-03-04T08:00:00+01:00"));
    assert_eq!((sizes(&scene), scene.patches.len()), (AWAKE, 6));
    assert_eq!(scene.annotation("shop", "web", "original"), None);
    assert_eq!(scene.annotation("shop", "web", "asleep"), None);
    assert_eq!(
        scene.announced,
        [
            "Asleep: shop is asleep. Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`.",
            "Awake: shop is awake. Within its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`."
        ]
    );
}

#[test]
fn cron_job_that_wakes_does_not_make_up_for_missed_runs() {
    let mut scene = shop(Mode::Act);
    scene.settle(evening());
    let morning = when("2026-03-04T08:00:00+01:00");
    scene.settle(morning);
    let report = scene.patches.iter().rfind(|p| *p.target.name == *"report").unwrap();
    assert_eq!((report.size, report.skip_runs_until), (Some(Size::Suspended(false)), Some(morning)));
}

#[test]
fn observe_sleeps_nothing_and_wakes_what_sleeps() {
    let mut scene = shop(Mode::Observe);
    scene.settle(evening());
    assert_eq!(sizes(&scene), AWAKE);
    let mut scene = shop(Mode::Act);
    scene.settle(evening());
    assert_eq!(sizes(&scene), ASLEEP);
    let mut scene = scene.restarted(Mode::Observe);
    scene.settle(evening());
    assert_eq!(sizes(&scene), AWAKE);
}

#[test]
fn any_daemon_wakes_what_another_put_to_sleep() {
    let mut scene = shop(Mode::Act);
    scene.settle(evening());
    let mut scene = scene.restarted(Mode::Act);
    scene.settle(evening() + Millis::MINUTE);
    assert_eq!((sizes(&scene), scene.patches.len()), (ASLEEP, 0), "nothing is to be done");
    scene.settle(when("2026-03-04T08:00:00+01:00"));
    assert_eq!(sizes(&scene), AWAKE);
}

#[test]
fn removing_the_last_wish_or_excluding_wakes() {
    for (key, value) in [("uptime", None), ("exclude", Some("true"))] {
        let mut scene = shop(Mode::Act);
        scene.settle(evening());
        scene.annotate("shop", key, value);
        scene.settle(evening() + Millis::SECOND);
        assert_eq!(sizes(&scene), AWAKE, "{key}");
    }
}

#[test]
fn precedence_is_as_documented() {
    let later = "2026-03-03T23:00:00Z";
    let earlier = "2026-03-03T20:00:00Z";
    for (annotations, asleep) in [
        (vec![("uptime", "always"), ("asleep-until", later)], true),
        (vec![("uptime", "always"), ("asleep-until", "manual")], true),
        (vec![("uptime", "always"), ("asleep-until", earlier)], false),
        (vec![("keep-awake-until", later), ("asleep-until", "manual")], false),
        (vec![("keep-awake-until", earlier), ("asleep-until", "manual")], true),
        (vec![("exclude", "true"), ("asleep-until", "manual")], true),
        (vec![("exclude", "true"), ("uptime", "never")], false),
        (vec![("exclude", "false"), ("uptime", "never")], true),
        (vec![("downtime", "always")], true),
        (vec![("downtime", "never")], false),
        (vec![("uptime", "always"), ("downtime", "always")], true),
        (vec![("uptime", "never"), ("downtime", "never")], true),
        (vec![], false),
    ] {
        let mut scene = Scene::new(Mode::Ask, evening());
        scene.namespace("shop", &annotations);
        scene.put(deployment("shop", "web", 2));
        scene.settle(evening());
        assert_eq!(scene.size("shop", "web").is_down(), asleep, "{annotations:?}");
    }
}

#[test]
fn workload_annotation_comes_before_its_namespaces() {
    let mut scene = Scene::new(Mode::Act, evening());
    scene.namespace("shop", &[("uptime", OFFICE)]);
    let mut web = deployment("shop", "web", 2);
    web.annotations.insert("nightcap.dev/uptime".into(), "always".into());
    scene.put(web);
    scene.put(deployment("shop", "worker", 2));
    scene.settle(evening());
    assert_eq!(
        (scene.size("shop", "web"), scene.size("shop", "worker")),
        (Size::Replicas(2), Size::Replicas(0))
    );
}

#[test]
fn protected_namespaces_are_never_touched() {
    for name in ["kube-system", "ingress-nginx", "nightcap", "istio-system"] {
        let mut scene = Scene::new(Mode::Act, evening());
        scene.namespace(name, &[("uptime", "never")]);
        scene.put(deployment(name, "web", 2));
        scene.settle(evening());
        assert_eq!(scene.size(name, "web"), Size::Replicas(2), "{name}");
    }
}

#[test]
fn stateful_set_whose_claims_go_with_its_size_is_refused_and_said() {
    let mut scene = Scene::new(Mode::Act, evening());
    scene.namespace("shop", &[("uptime", "never")]);
    let mut db = stateful_set("shop", "db", 1);
    db.deletes_claims_when_scaled = true;
    scene.put(db);
    scene.settle(evening());
    scene.settle(evening() + Millis::MINUTE);
    assert_eq!(scene.size("shop", "db"), Size::Replicas(1));
    assert_eq!(scene.announced.len(), 1, "said once: {:?}", scene.announced);
    assert!(scene.announced[0].contains("StatefulSet shop/db"), "{:?}", scene.announced);
}

#[test]
fn rollout_under_way_is_waited_for() {
    let mut scene = Scene::new(Mode::Act, evening());
    scene.namespace("shop", &[("uptime", "never")]);
    let mut web = deployment("shop", "web", 2);
    web.rolling_out = true;
    scene.put(web.clone());
    scene.settle(evening());
    assert_eq!(scene.size("shop", "web"), Size::Replicas(2));
    web.rolling_out = false;
    scene.put(web);
    scene.settle(evening());
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
}

#[test]
fn original_is_never_lost_when_somebody_scales_a_sleeping_workload() {
    let mut scene = shop(Mode::Act);
    scene.settle(evening());
    // Somebody scales it to less than it was, then to more; each time it is put back to sleep.
    for (by_hand, original) in [(1, r#"{"replicas":3}"#), (5, r#"{"replicas":5}"#)] {
        let mut web = scene.find("shop", "web").clone();
        web.size = Size::Replicas(by_hand);
        scene.put(web);
        scene.settle(evening() + Millis::MINUTE);
        assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
        assert_eq!(scene.annotation("shop", "web", "original"), Some(original));
    }
}

#[test]
fn malformed_annotation_hurts_only_its_own_space() {
    let mut scene = Scene::new(Mode::Act, evening());
    scene.namespace("broken", &[("uptime", "Mon-Fry 08:00-20:00")]);
    scene.namespace("shop", &[("uptime", OFFICE)]);
    scene.put(deployment("broken", "web", 2));
    scene.put(deployment("shop", "web", 2));
    scene.settle(evening());
    assert_eq!(scene.size("broken", "web"), Size::Replicas(2), "unknown is awake");
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    let problems = scene.engine.snapshot(evening()).problems;
    assert_eq!(problems.len(), 1);
    assert_eq!((&*problems[0].object, problems[0].reason), ("namespace broken", "bad-annotation"));
    assert!(problems[0].message.contains("Mon-Fry"), "{}", problems[0].message);
    scene.annotate("broken", "uptime", Some(OFFICE));
    scene.settle(evening());
    assert_eq!(scene.size("broken", "web"), Size::Replicas(0), "mended");
    assert_eq!(scene.engine.snapshot(evening()).problems, []);
}

#[test]
fn last_good_value_holds_while_a_new_one_is_malformed() {
    let mut scene = shop(Mode::Act);
    scene.settle(noon());
    scene.annotate("shop", "uptime", Some("whenever"));
    scene.settle(noon());
    assert_eq!(sizes(&scene), AWAKE);
    scene.settle(evening());
    assert_eq!(sizes(&scene), ASLEEP, "by the last good uptime");
}

#[test]
fn unreadable_original_is_reported_and_nothing_is_guessed() {
    let mut scene = shop(Mode::Act);
    scene.settle(evening());
    let mut web = scene.find("shop", "web").clone();
    web.annotations.insert("nightcap.dev/original".into(), "three".into());
    scene.workloads.insert(web.key.clone(), web);
    let mut scene = scene.restarted(Mode::Act);
    let morning = when("2026-03-04T08:00:00+01:00");
    scene.settle(morning);
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    assert_eq!(scene.size("shop", "db"), Size::Replicas(1), "the others wake");
    let reasons: Vec<_> = scene.engine.snapshot(morning).problems.iter().map(|p| p.reason).collect();
    assert_eq!(reasons, ["bad-original", "original-lost"]);
}

#[test]
fn conflict_is_decided_again_on_the_newer_object() {
    let mut scene = shop(Mode::Act);
    scene.now = evening();
    let actions = scene.ask(evening());
    // Meanwhile a person scales web to 4: the patch that was decided on 3 must not land.
    let mut web = scene.find("shop", "web").clone();
    web.size = Size::Replicas(4);
    scene.put(web);
    for action in actions {
        scene.perform(action);
    }
    assert_eq!(scene.size("shop", "web"), Size::Replicas(4));
    scene.settle(evening() + Millis::from_secs(2));
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    assert_eq!(scene.annotation("shop", "web", "original"), Some(r#"{"replicas":4}"#));
    assert_eq!(scene.engine.snapshot(evening()).counters.conflicts, 1);
}

#[test]
fn failing_api_server_is_tried_again_with_growing_pauses_and_never_flooded() {
    let mut scene = Scene::new(Mode::Act, evening());
    scene.namespace("shop", &[("uptime", "never")]);
    scene.put(deployment("shop", "web", 2));
    let mut tries = Vec::new();
    for second in 0..600 {
        for action in scene.ask(evening() + Millis::from_secs(second)) {
            if let Action::Workload { id, .. } = action {
                tries.push(second);
                let reason = "503 Service Unavailable".into();
                scene.ended(id, Outcome::Retry { reason, after: None });
            }
        }
    }
    assert_eq!(tries, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511]);
    let problems = scene.engine.snapshot(scene.now).problems;
    assert_eq!(problems.iter().map(|p| p.reason).collect::<Vec<_>>(), ["write-failed"]);
    scene.settle(evening() + Millis::from_secs(900));
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    assert_eq!(scene.engine.snapshot(scene.now).problems, []);
}

#[test]
fn answer_that_never_comes_is_asked_for_again() {
    let mut scene = Scene::new(Mode::Act, evening());
    scene.namespace("shop", &[("uptime", "never")]);
    scene.put(deployment("shop", "web", 2));
    let writes = |actions: &[Action]| actions.iter().filter(|a| matches!(a, Action::Workload { .. })).count();
    assert_eq!(writes(&scene.ask(evening())), 1);
    assert_eq!(writes(&scene.ask(evening() + Millis::from_secs(59))), 0);
    assert_eq!(writes(&scene.ask(evening() + Millis::from_secs(60))), 1);
}

#[test]
fn namespace_that_is_deleted_in_mid_sleep_leaves_nothing_behind() {
    let mut scene = shop(Mode::Act);
    let actions = scene.ask(evening());
    let mut gone = scene.namespaces.remove("shop").unwrap();
    gone.terminating = true;
    scene.engine.apply(Event::Namespace(gone.clone()), evening());
    let uids: Vec<_> = scene.workloads.values().map(|w| std::sync::Arc::clone(&w.uid)).collect();
    scene.workloads.clear();
    for action in actions {
        if let Action::Workload { id, .. } = action {
            scene.ended(id, Outcome::NotFound);
        }
    }
    for uid in uids {
        scene.engine.apply(Event::WorkloadGone { uid }, evening());
    }
    scene.engine.apply(Event::NamespaceGone { uid: gone.uid }, evening());
    assert_eq!(scene.ask(evening() + Millis::from_hours(1)), []);
    let snapshot = scene.engine.snapshot(evening() + Millis::from_hours(1));
    assert_eq!((snapshot.spaces.len(), snapshot.problems.len(), snapshot.in_flight), (0, 0, 0));
}

#[test]
fn commands_write_overrides_with_an_end() {
    for (command, expected, down) in [
        // Asleep now: a wake lasts until the schedule would put it to sleep the next time.
        ("wake", (Some("2026-03-04T19:00:00Z"), None), false),
        ("sleep", (None, Some("2026-03-04T07:00:00Z")), true),
        ("keep", (Some("2026-03-03T23:30:00Z"), None), false),
    ] {
        let mut scene = shop(Mode::Act);
        scene.settle(evening());
        let (namespace, by) = ("shop".into(), "engineer".into());
        scene.engine.apply(
            Event::Command(match command {
                "wake" => Command::Wake { namespace, by },
                "sleep" => Command::Sleep { namespace, until: None, by },
                _ => Command::KeepAwake { namespace, until: when("2026-03-03T23:30:00Z"), by },
            }),
            evening(),
        );
        scene.settle(evening());
        let annotations = &scene.namespaces["shop"].annotations;
        let value = |key: &str| annotations.get(key).map(|v| &**v);
        let written = (value("nightcap.dev/keep-awake-until"), value("nightcap.dev/asleep-until"));
        assert_eq!(written, expected, "{command}");
        assert_eq!(scene.size("shop", "web").is_down(), down, "{command}");
    }
}

#[test]
fn sleep_without_a_schedule_lasts_until_somebody_wakes_it() {
    let mut scene = Scene::new(Mode::Ask, noon());
    scene.namespace("shop", &[]);
    scene.put(deployment("shop", "web", 2));
    let (namespace, by) = ("shop".into(), "engineer".into());
    scene.engine.apply(Event::Command(Command::Sleep { namespace, until: None, by }), noon());
    scene.settle(noon());
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    let mark = scene.annotation("shop", "web", "asleep").unwrap();
    assert!(mark.contains(r#""policy":"namespace asleep-until","by":"engineer""#), "{mark}");
    let (namespace, by) = ("shop".into(), "engineer".into());
    scene.engine.apply(Event::Command(Command::Wake { namespace, by }), noon() + Millis::MINUTE);
    scene.settle(noon() + Millis::MINUTE);
    assert_eq!(scene.size("shop", "web"), Size::Replicas(2));
    let until = scene.namespaces["shop"].annotations.get("nightcap.dev/keep-awake-until").unwrap();
    assert_eq!(&**until, "2026-03-03T13:01:00Z", "two hours");
}

#[test]
fn nothing_is_decided_before_every_kind_was_listed() {
    let mut settings = nightcap_core::engine::Settings::new(support::T0);
    settings.mode = Mode::Act;
    let mut engine = nightcap_core::engine::Engine::new(settings);
    let scene = shop(Mode::Act);
    engine.apply(Event::Namespace(scene.namespaces["shop"].clone()), evening());
    engine.apply(Event::Workload(scene.find("shop", "web").clone()), evening());
    assert_eq!(engine.tick(evening()), []);
    assert!(!engine.is_synced());
}

#[test]
fn sleep_is_counted_as_saved_at_the_clusters_price() {
    let mut scene = shop(Mode::Act);
    // One node of 4 cores and 16 GiB; web frees 3 × (0.5 cores, 512 MiB), db one of it.
    scene.engine.apply(Event::Node(support::node("n", noon())), noon());
    let price = support::price(0.36);
    scene.engine.apply(Event::NodePriced { uid: "uid-n".into(), price }, noon());
    scene.settle(evening());
    let snapshot = scene.engine.snapshot(evening() + Millis::from_minutes(30));
    let space = &snapshot.spaces[0];
    let expected = space.workloads.iter().map(|w| w.hourly.0).sum::<u64>();
    assert_eq!(space.saving.0, expected);
    let saved: i128 = snapshot.hours.iter().flat_map(|h| &h.saved).map(|row| row.saved.total().0).sum();
    assert!((saved - i128::from(expected) / 2).abs() <= 6, "half an hour of {expected}: {saved}");
    // 2 of 4 cores and 2 of 16 GiB are freed: at OpenCost's ratio that is some 38 % of the price.
    assert!((0.13..0.15).contains(&space.saving.usd_per_hour()), "{:?}", space.saving);
}

#[test]
fn protected_space_refuses_the_command_to_sleep_and_says_why() {
    let mut scene = Scene::new(Mode::Act, noon());
    scene.namespace("kube-system", &[]);
    let command = |name: &str| Command::Sleep { namespace: name.into(), until: None, by: "engineer".into() };
    let refusals = ["kube-system", "nowhere"].map(|name| scene.engine.preview(&command(name), noon()));
    assert_eq!(
        refusals.map(|refusal| refusal.map_err(|error| error.to_string())),
        [
            Err("kube-system is never put to sleep: it is protected by the pattern \"kube-system\""
                .to_owned()),
            Err("there is no namespace \"nowhere\" in this cluster".to_owned()),
        ]
    );
    scene.engine.apply(Event::Command(command("kube-system")), noon());
    assert_eq!(scene.ask(noon()), []);
}

/// The watch shows what a write has made before the write's answer comes.
#[test]
fn space_is_waking_until_its_pods_are_ready_and_no_longer() {
    let state = |scene: &mut Scene| scene.engine.snapshot(scene.now).spaces[0].state;
    let mut scene = shop(Mode::Act);
    scene.settle(evening());
    assert_eq!(state(&mut scene), SpaceState::Asleep);
    let morning = when("2026-03-04T08:00:00+01:00");
    // What is ready is seen so at once: nothing is waking any more when the last answer has come.
    scene.settle(morning);
    assert_eq!(state(&mut scene), SpaceState::Awake);
    scene.settle(evening() + Millis::DAY);
    let asleep = scene.find("shop", "web").clone();
    scene.put(nightcap_core::cluster::Workload { ready_replicas: 0, ..asleep });
    scene.settle(morning + Millis::DAY);
    assert_eq!(state(&mut scene), SpaceState::Waking);
    let woken = scene.find("shop", "web").clone();
    scene.put(nightcap_core::cluster::Workload { ready_replicas: 3, ..woken });
    assert_eq!(state(&mut scene), SpaceState::Awake);
}

#[test]
fn production_sleeps_by_its_own_wish_and_never_by_default() {
    for (tier, own, sleeps) in [
        ("production", None, false),
        ("critical", None, false),
        ("staging", None, true),
        ("production", Some("never"), true),
    ] {
        let mut settings = Settings::new(T0);
        settings.mode = Mode::Act;
        let spec = TimeSpec::parse("never", chrono_tz::Tz::UTC).unwrap();
        settings.sleep.defaults.uptime = Some(Spec { text: "never".into(), spec });
        let mut scene = Scene::with(settings, T0);
        scene.namespace("shop", &own.map(|spec| ("uptime", spec)).into_iter().collect::<Vec<_>>());
        let mut namespace = scene.namespaces["shop"].clone();
        namespace.labels.insert("tier".into(), tier.into());
        scene.namespaces.insert("shop".into(), namespace.clone());
        scene.engine.apply(Event::Namespace(namespace), T0);
        scene.put(deployment("shop", "web", 2));
        scene.settle(at(60));
        let expected = if sleeps { Size::Replicas(0) } else { Size::Replicas(2) };
        assert_eq!(scene.size("shop", "web"), expected, "{tier} {own:?}");
        let why = &scene.engine.snapshot(at(60)).spaces[0].decision.policy;
        let expected = match (own, sleeps) {
            (Some(_), _) => "namespace uptime",
            (None, true) => "default uptime",
            (None, false) => "namespace tier",
        };
        assert_eq!(&**why, expected, "{tier} {own:?}");
    }
}
