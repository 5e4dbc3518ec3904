//! Other tools' wishes in the chain of decisions: when they count, what they hide, what hides them.

mod support;

use nightcap_core::cluster::Size;
use nightcap_core::engine::{Settings, SpaceState};
use nightcap_core::schedule::TimeSpec;
use nightcap_core::sleep::foreign::Tool;
use nightcap_core::sleep::{Decision, Mode, Spec, Wish};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use support::T0;
use support::scene::{Scene, cron_job, deployment, full_key};

const OFFICE: &str = "Mon-Fri 08:00-20:00 Europe/Berlin";
const NIGHT: &str = "Mon-Fri 20:00-08:00 Europe/Berlin";

fn when(text: &str) -> Instant {
    parse_rfc3339(text).expect("an instant")
}

/// Tuesday evening in Berlin, two hours after the office hours ended.
fn evening() -> Instant {
    when("2026-03-03T22:00:00+01:00")
}

fn morning() -> Instant {
    when("2026-03-04T08:00:00+01:00")
}

fn scene(read: &[Tool], mode: Mode, annotations: &[(&str, &str)]) -> Scene {
    let mut settings = Settings::new(T0);
    settings.mode = mode;
    settings.sleep.read = read.to_vec();
    let mut scene = Scene::with(settings, evening());
    scene.namespace("shop", annotations);
    scene
}

fn with_web(scene: &mut Scene, annotations: &[(&str, &str)]) {
    let mut web = deployment("shop", "web", 3);
    web.annotations = annotations.iter().map(|&(key, value)| (full_key(key), value.into())).collect();
    scene.put(web);
}

fn decision(scene: &mut Scene) -> (Decision, Vec<Wish>) {
    let now = scene.now;
    let space = scene.engine.snapshot(now).spaces.remove(0);
    (space.decision, space.wishes)
}

fn problems(scene: &mut Scene) -> Vec<String> {
    let now = scene.now;
    scene.engine.snapshot(now).problems.iter().map(|problem| problem.message.to_string()).collect()
}

#[test]
fn foreign_keys_stand_where_the_chain_says() {
    use Tool::{GoKubeDownscaler, KubeDownscaler, Loft, Nightshift};
    let py = &[KubeDownscaler][..];
    let go = &[GoKubeDownscaler][..];
    let up = ("downscaler/uptime", OFFICE);
    for (read, mode, namespace, workload, asleep) in [
        (py, Mode::Ask, vec![up], vec![], true),
        (py, Mode::Observe, vec![up], vec![], false),
        (&[], Mode::Act, vec![up], vec![], false),
        (go, Mode::Ask, vec![up], vec![], true),
        // One spec, two readings.
        (py, Mode::Act, vec![("downscaler/downtime", NIGHT)], vec![], false),
        (go, Mode::Act, vec![("downscaler/downtime", NIGHT)], vec![], true),
        (&[GoKubeDownscaler, KubeDownscaler], Mode::Act, vec![("downscaler/downtime", NIGHT)], vec![], true),
        (&[KubeDownscaler, GoKubeDownscaler], Mode::Act, vec![("downscaler/downtime", NIGHT)], vec![], false),
        // Our own of the same level hides them, of the other level only by its place.
        (py, Mode::Act, vec![up, ("uptime", "always")], vec![], false),
        (py, Mode::Act, vec![up, ("exclude", "true")], vec![], false),
        (py, Mode::Act, vec![("downscaler/exclude", "true"), ("uptime", "never")], vec![], true),
        (py, Mode::Act, vec![up], vec![("uptime", "always")], false),
        (py, Mode::Act, vec![("uptime", "always")], vec![("downscaler/uptime", OFFICE)], true),
        (py, Mode::Act, vec![("uptime", "never")], vec![("downscaler/exclude", "true")], false),
        // An override comes before, and hides nothing once it is over.
        (py, Mode::Act, vec![up, ("keep-awake-until", "2026-03-03T23:00:00Z")], vec![], false),
        (py, Mode::Act, vec![up, ("keep-awake-until", "2026-03-03T20:00:00Z")], vec![], true),
        // Left alone where the tool would leave it alone.
        (py, Mode::Act, vec![("downscaler/uptime", "Mon-Fri 08:00")], vec![], false),
        (py, Mode::Act, vec![up], vec![("downscaler/downtime-replicas", "1")], false),
        (go, Mode::Act, vec![up], vec![("downscaler/downscale-replicas", "50%")], false),
        (go, Mode::Act, vec![up, ("downscaler/downtime", "never")], vec![], false),
        (
            &[Loft],
            Mode::Act,
            vec![
                ("sleepmode.loft.sh/sleep-schedule", "0 20 * * *"),
                ("sleepmode.loft.sh/timezone", "Europe/Berlin"),
            ],
            vec![],
            true,
        ),
        (&[Loft], Mode::Act, vec![("sleepmode.loft.sh/force", "true")], vec![], true),
        (
            &[Loft],
            Mode::Act,
            vec![("sleepmode.loft.sh/force", "true")],
            vec![("sleepmode.loft.sh/exclude", "true")],
            false,
        ),
        (
            &[Nightshift],
            Mode::Act,
            vec![("joyrex2001.com/nightshift.schedule", "Mon-Fri 8:00 replicas=1;Mon-Fri 18:00 replicas=0")],
            vec![],
            true,
        ),
    ] {
        let mut scene = scene(read, mode, &namespace);
        with_web(&mut scene, &workload);
        scene.settle(evening());
        assert_eq!(
            scene.size("shop", "web").is_down(),
            asleep,
            "{read:?} {mode} {namespace:?} {workload:?} {:?}",
            decision(&mut scene)
        );
    }
}

#[test]
fn foreign_uptime_sleeps_and_wakes_and_says_as_who_reads_it() {
    let mut scene = scene(&[Tool::KubeDownscaler], Mode::Ask, &[("downscaler/uptime", OFFICE)]);
    with_web(&mut scene, &[]);
    scene.put(cron_job("shop", "report", false));
    scene.settle(evening());
    assert_eq!(
        scene.annotation("shop", "web", "asleep"),
        Some(
            r#"{"since":"2026-03-03T21:00:00Z","why":"Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`, as kube-downscaler reads it.","policy":"namespace downscaler/uptime","by":"nightcap"}"#
        )
    );
    assert_eq!(decision(&mut scene).0.next_change, Some(morning()));
    assert_eq!(scene.size("shop", "report"), Size::Suspended(true));
    scene.settle(morning());
    assert_eq!(
        (scene.size("shop", "web"), scene.size("shop", "report")),
        (Size::Replicas(3), Size::Suspended(false))
    );
    assert_eq!(problems(&mut scene), [""; 0]);
}

#[test]
fn what_is_not_read_is_shown_as_such_and_changes_nothing() {
    let mut scene = scene(&[], Mode::Act, &[("downscaler/uptime", OFFICE)]);
    with_web(&mut scene, &[]);
    scene.settle(evening());
    let (decision, wishes) = decision(&mut scene);
    assert_eq!((&*decision.policy, decision.wished, decision.next_change), ("no wish", false, None));
    let shown: Vec<_> = wishes.iter().map(|w| (&*w.source, w.asleep, w.counts, &*w.why)).collect();
    assert_eq!(
        shown,
        [
            (
                "namespace downscaler/uptime",
                true,
                false,
                "Not read: sleep.read does not name kube-downscaler. Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`, as kube-downscaler reads it."
            ),
            (
                "namespace downscaler/uptime",
                true,
                false,
                "Not read: sleep.read does not name gokubedownscaler. Outside the uptime `Mon-Fri 08:00-20:00 Europe/Berlin` of its namespace, as gokubedownscaler reads it."
            )
        ]
    );
    assert_eq!((problems(&mut scene), scene.patches.len()), (vec![], 0));
}

#[test]
fn warnings_name_key_value_and_both_readings() {
    let mut scene = scene(
        &[Tool::KubeDownscaler],
        Mode::Act,
        &[("downscaler/downtime", NIGHT), ("downscaler/downscale-replicas", "0"), ("uptime", "always")],
    );
    scene.settle(evening());
    assert_eq!(
        problems(&mut scene),
        [
            "downscaler/downtime \"Mon-Fri 20:00-08:00 Europe/Berlin\": ignored, since its namespace has a wish of Nightcap's own"
        ]
    );
    scene.annotate("shop", "uptime", None);
    scene.settle(evening());
    assert_eq!(
        problems(&mut scene),
        [
            "downscaler/downscale-replicas \"0\": kube-downscaler reads nothing, its key is downscaler/downtime-replicas, GoKubeDownscaler reads replicas while down",
            "downscaler/downtime \"Mon-Fri 20:00-08:00 Europe/Berlin\": kube-downscaler reads that it does not hold at 2026-03-03T21:00:00Z, GoKubeDownscaler reads that it holds then"
        ]
    );
    scene.annotate("shop", "downscaler/downtime", None);
    scene.settle(evening());
    assert_eq!(problems(&mut scene), [""; 0]);
}

#[test]
fn left_alone_means_neither_put_to_sleep_nor_woken() {
    let period = "Tue-Tue 21:00-23:00 Europe/Berlin";
    let mut scene = scene(&[Tool::KubeDownscaler], Mode::Act, &[("downscaler/downscale-period", period)]);
    with_web(&mut scene, &[]);
    scene.settle(evening());
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    // Outside of its period nothing is done: what sleeps sleeps on.
    scene.settle(evening() + Millis::from_hours(2));
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    let view = scene.engine.snapshot(scene.now).spaces.remove(0);
    assert_eq!(
        (view.decision.asleep, view.decision.hands_off, view.state),
        (false, true, SpaceState::Asleep)
    );
    // In observe nothing stays asleep by Nightcap's hand.
    let mut settings = Settings::new(T0);
    settings.sleep.read = vec![Tool::KubeDownscaler];
    let mut observing = Scene::with(settings, scene.now);
    observing.namespace("shop", &[("downscaler/downscale-period", period)]);
    observing.put(scene.find("shop", "web").clone());
    observing.settle(scene.now);
    assert_eq!(observing.size("shop", "web"), Size::Replicas(3));
}

#[test]
fn key_that_says_nothing_now_leaves_the_decision_to_whoever_comes_next() {
    let forced = "2026-03-03T22:00:00+00:00-2026-03-03T23:00:00+00:00";
    let mut settings = Settings::new(T0);
    settings.mode = Mode::Act;
    settings.sleep.read = vec![Tool::KubeDownscaler];
    let downtime = TimeSpec::parse("always", chrono_tz::UTC).expect("a spec");
    settings.sleep.defaults.downtime = Some(Spec { text: "always".into(), spec: downtime });
    let mut scene = Scene::with(settings, evening());
    scene.namespace("shop", &[("downscaler/force-uptime", forced)]);
    with_web(&mut scene, &[]);
    scene.settle(evening());
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
    assert_eq!(decision(&mut scene).0.next_change, Some(when("2026-03-03T22:00:00Z")));
    scene.settle(when("2026-03-03T22:00:00Z"));
    assert_eq!(scene.size("shop", "web"), Size::Replicas(3));
    scene.settle(when("2026-03-03T23:00:01Z"));
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
}

#[test]
fn young_workloads_have_their_grace() {
    let mut scene = scene(&[Tool::KubeDownscaler], Mode::Act, &[("downscaler/uptime", OFFICE)]);
    let mut web = deployment("shop", "web", 3);
    web.created = evening() - Millis::from_minutes(10);
    scene.put(web);
    scene.settle(evening());
    assert_eq!(scene.size("shop", "web"), Size::Replicas(3));
    scene.settle(evening() + Millis::from_minutes(6));
    assert_eq!(scene.size("shop", "web"), Size::Replicas(0));
}

#[test]
fn what_another_tool_put_to_sleep_is_treated_as_asleep_and_left_alone() {
    for (key, value, tool) in [
        ("sleepmode.loft.sh/sleeping-since", "1772490000", "vCluster Platform"),
        ("loft.sh/sleep-mode", "true", "vCluster Platform"),
    ] {
        let mut scene = scene(
            &[],
            Mode::Act,
            &[(key, value), ("uptime", "never"), ("keep-awake-until", "2026-03-04T00:00:00Z")],
        );
        with_web(&mut scene, &[]);
        scene.put(deployment("shop", "off", 0));
        scene.settle(evening());
        let (decision, _) = decision(&mut scene);
        let why = format!("Put to sleep by {tool} ({key}: {value}); Nightcap leaves it alone.");
        assert_eq!((decision.asleep, decision.hands_off, &*decision.why), (true, true, why.as_str()));
        assert_eq!((scene.patches.len(), scene.size("shop", "web")), (0, Size::Replicas(3)));
    }
    // One workload only: the others follow the space's wish.
    let mut scene = scene(&[], Mode::Act, &[("uptime", "never")]);
    with_web(&mut scene, &[("downscaler/original-replicas", "3")]);
    scene.put(deployment("shop", "worker", 2));
    scene.settle(evening());
    assert_eq!(
        (scene.size("shop", "web"), scene.size("shop", "worker")),
        (Size::Replicas(3), Size::Replicas(0))
    );
}

#[test]
fn space_that_another_tool_put_to_sleep_is_shown_asleep() {
    let mut scene = scene(&[], Mode::Act, &[("sleepmode.loft.sh/sleeping-since", "1772490000")]);
    scene.put(deployment("shop", "web", 0));
    scene.settle(evening());
    let view = scene.engine.snapshot(scene.now).spaces.remove(0);
    assert_eq!((view.state, scene.patches.len()), (SpaceState::Asleep, 0));
}

#[test]
fn own_mark_comes_before_another_tools() {
    let mut scene = scene(&[], Mode::Act, &[("uptime", OFFICE)]);
    with_web(&mut scene, &[]);
    scene.settle(evening());
    let mut web = scene.find("shop", "web").clone();
    web.annotations.insert("downscaler/original-replicas".into(), "7".into());
    scene.put(web);
    scene.annotate("shop", "sleepmode.loft.sh/sleeping-since", Some("1772490000"));
    scene.settle(morning());
    assert_eq!(scene.size("shop", "web"), Size::Replicas(3));
}

#[test]
fn command_ends_with_the_next_foreign_edge() {
    use nightcap_core::sleep::Command;
    let mut scene = scene(&[Tool::KubeDownscaler], Mode::Ask, &[("downscaler/uptime", OFFICE)]);
    scene.settle(evening());
    let end = |command: Command, key: &str| {
        let patch = scene.engine.preview(&command, evening()).expect("a command");
        patch[&full_key(key)].as_ref().map(ToString::to_string)
    };
    let sleep = Command::Sleep { namespace: "shop".into(), until: None, by: "engineer".into() };
    assert_eq!(end(sleep, "asleep-until").as_deref(), Some("2026-03-04T07:00:00Z"));
    let wake = Command::Wake { namespace: "shop".into(), by: "engineer".into() };
    assert_eq!(end(wake, "keep-awake-until").as_deref(), Some("2026-03-04T19:00:00Z"));
}
