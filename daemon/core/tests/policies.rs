//! Sleep policies through the engine: who wins, in which mode, what is said of them.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use nightcap_core::cluster::Size;
use nightcap_core::engine::{Event, Kind, Settings};
use nightcap_core::schedule::Calendar;
use nightcap_core::sleep::policy::{PolicyMatch, PolicyObject, PolicyReport, RawPolicy, RawSelector};
use nightcap_core::sleep::{Command, Mode, Upcoming, Wish};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use support::T0;
use support::scene::{Scene, deployment};

fn when(text: &str) -> Instant {
    parse_rfc3339(text).expect("an instant")
}

/// Tuesday at noon, and late in the evening.
fn noon() -> Instant {
    when("2026-03-03T12:00:00Z")
}

fn night() -> Instant {
    when("2026-03-03T22:00:00Z")
}

fn office() -> RawPolicy {
    RawPolicy {
        namespaces: vec!["dev-*".to_owned()],
        uptime: Some("Mon-Fri 08:00-20:00".to_owned()),
        ..RawPolicy::default()
    }
}

fn apply(scene: &mut Scene, name: &str, generation: i64, raw: &RawPolicy) {
    let object = PolicyObject {
        uid: format!("uid-{name}").into(),
        name: name.into(),
        generation,
        spec: raw.read().map_err(|error| error.to_string().into()),
        status: None,
    };
    scene.engine.apply(Event::SleepPolicy(Box::new(object)), scene.now);
}

/// `dev-a` with a Deployment of two replicas, and a policy by which it sleeps at night.
fn scene(mode: Mode, annotations: &[(&str, &str)], raw: &RawPolicy) -> Scene {
    let mut scene = Scene::new(mode, noon());
    scene.namespace("dev-a", annotations);
    scene.put(deployment("dev-a", "web", 2));
    apply(&mut scene, "nights", 1, raw);
    scene
}

fn size_at(scene: &mut Scene, at: Instant) -> Size {
    scene.settle(at);
    scene.size("dev-a", "web")
}

fn chain(scene: &mut Scene, at: Instant) -> Vec<Wish> {
    let snapshot = scene.engine.snapshot(at);
    snapshot.spaces.into_iter().find(|space| &*space.name == "dev-a").expect("it is there").wishes
}

const UP: Size = Size::Replicas(2);
const DOWN: Size = Size::Replicas(0);

#[test]
fn policy_puts_to_sleep_and_wakes_in_mode_act_only() {
    for (mode, asleep) in [(Mode::Observe, UP), (Mode::Ask, UP), (Mode::Act, DOWN)] {
        let mut scene = scene(mode, &[], &office());
        assert_eq!(size_at(&mut scene, noon()), UP, "{mode}");
        assert_eq!(size_at(&mut scene, night()), asleep, "{mode}");
        let wishes = chain(&mut scene, night());
        let [wish] = wishes.as_slice() else { panic!("{wishes:?}") };
        assert_eq!((&*wish.source, &*wish.value), ("policy nights", "Mon-Fri 08:00-20:00"));
        assert_eq!((wish.asleep, wish.counts, wish.won), (true, mode == Mode::Act, true), "{mode}");
        assert_eq!(size_at(&mut scene, when("2026-03-04T08:00:00Z")), UP, "{mode}");
    }
}

#[test]
fn what_follows_next_is_told() {
    let mut scene = scene(Mode::Act, &[], &office());
    scene.settle(noon());
    let next = |scene: &mut Scene, at| {
        let snapshot = scene.engine.snapshot(at);
        assert_eq!(snapshot.spaces[0].upcoming, snapshot.spaces[0].workloads[0].upcoming);
        snapshot.spaces[0].upcoming.clone()
    };
    let sleeps = Upcoming {
        at: when("2026-03-03T20:00:00Z"),
        asleep: true,
        policy: "policy nights".into(),
        why: "Outside its uptime `Mon-Fri 08:00-20:00`.".into(),
    };
    assert_eq!(next(&mut scene, noon()), Some(sleeps.clone()));
    let until = when("2026-03-03T21:00:00Z");
    let command = Command::KeepAwake { namespace: "dev-a".into(), until, by: "ann".into() };
    scene.engine.apply(Event::Command(command), noon());
    scene.settle(noon());
    assert_eq!(next(&mut scene, noon()), Some(Upcoming { at: until, ..sleeps }));
    let wishes = chain(&mut scene, noon());
    assert_eq!(wishes[0].by.as_deref(), Some("ann"));
    assert_eq!(&*wishes[0].why, "Kept awake until 2026-03-03T21:00:00Z, by ann.");
    assert_eq!(scene.namespaces["dev-a"].annotations["nightcap.dev/override-by"], "ann".into());
}

#[test]
fn precedence_holds_from_override_to_default() {
    let enforced = RawPolicy { enforced: true, ..office() };
    let awake = [("uptime", "always")];
    for (policy, annotations, tier, expected, winner) in [
        (&office(), &[][..], None, DOWN, "policy nights"),
        (&office(), &awake[..], None, UP, "namespace uptime"),
        (&enforced, &awake[..], None, DOWN, "enforced policy nights"),
        (&enforced, &[("exclude", "true")], None, UP, "namespace exclude"),
        (&enforced, &[("keep-awake-until", "2026-03-04T00:00:00Z")], None, UP, "namespace keep-awake-until"),
        (
            &RawPolicy { enforced: true, uptime: Some("always".to_owned()), ..office() },
            &[("asleep-until", "manual")],
            None,
            DOWN,
            "namespace asleep-until",
        ),
        (&office(), &[], Some("production"), UP, "namespace tier"),
        (&enforced, &[], Some("production"), DOWN, "enforced policy nights"),
        (&RawPolicy { uptime: None, exclude: true, ..office() }, &[], None, UP, "policy nights"),
        (
            &RawPolicy { uptime: None, exclude: true, ..office() },
            &[("downtime", "always")],
            None,
            DOWN,
            "namespace downtime",
        ),
        (
            &RawPolicy { uptime: None, exclude: true, enforced: true, ..office() },
            &[("downtime", "always")],
            None,
            UP,
            "enforced policy nights",
        ),
    ] {
        let mut settings = Settings::new(T0);
        settings.mode = Mode::Act;
        settings.sleep.defaults.downtime =
            Some(nightcap_core::sleep::Spec::parse("always", chrono_tz::Tz::UTC).unwrap());
        let mut scene = Scene::with(settings, noon());
        scene.namespace("dev-a", annotations);
        if let Some(tier) = tier {
            let namespace = scene.namespaces.get_mut("dev-a").unwrap();
            namespace.labels.insert("tier".into(), tier.into());
            let namespace = namespace.clone();
            scene.engine.apply(Event::Namespace(namespace), noon());
        }
        scene.put(deployment("dev-a", "web", 2));
        apply(&mut scene, "nights", 1, policy);
        assert_eq!(size_at(&mut scene, night()), expected, "{winner}");
        let wishes = chain(&mut scene, night());
        let won: Vec<&str> = wishes.iter().filter(|wish| wish.won).map(|wish| &*wish.source).collect();
        assert_eq!(won, [winner]);
        // The default stands last in every chain.
        assert_eq!(&*wishes.last().unwrap().source, "default downtime");
    }
}

#[test]
fn of_two_policies_the_higher_priority_wins_then_the_name() {
    let mut scene = scene(Mode::Act, &[], &office());
    let awake = RawPolicy { uptime: None, exclude: true, ..office() };
    apply(&mut scene, "zz", 1, &awake);
    assert_eq!(size_at(&mut scene, night()), DOWN, "nights comes before zz");
    apply(&mut scene, "zz", 2, &RawPolicy { priority: 1, ..awake });
    assert_eq!(size_at(&mut scene, night()), UP);
    scene.engine.apply(Event::SleepPolicyGone { uid: "uid-zz".into() }, night());
    assert_eq!(size_at(&mut scene, night()), DOWN);
}

#[test]
fn selectors_pick_namespaces_and_workloads() {
    let mut scene = Scene::new(Mode::Act, noon());
    for name in ["dev-a", "dev-b", "prod"] {
        scene.namespace(name, &[]);
        scene.put(deployment(name, "web", 2));
        let mut db = deployment(name, "db", 1);
        db.labels.insert("class".into(), "database".into());
        scene.put(db);
    }
    let databases = RawSelector {
        labels: BTreeMap::from([("class".to_owned(), "database".to_owned())]),
        expressions: Vec::new(),
    };
    apply(&mut scene, "databases", 1, &RawPolicy { workload_selector: Some(databases), ..office() });
    scene.settle(night());
    let sizes = |scene: &Scene| {
        let of = |name| [scene.size(name, "web"), scene.size(name, "db")];
        ["dev-a", "dev-b", "prod"].map(of)
    };
    assert_eq!(sizes(&scene), [[UP, DOWN], [UP, DOWN], [UP, Size::Replicas(1)]]);
    let snapshot = scene.engine.snapshot(night());
    let space = &snapshot.spaces[0];
    assert!(space.wishes.is_empty(), "the namespace as a whole is not meant");
    let [db, web] = space.workloads.as_slice() else { panic!() };
    assert_eq!(&*db.wishes.as_ref().unwrap()[0].source, "policy databases");
    assert_eq!(db.upcoming.as_ref().map(|next| next.at), Some(when("2026-03-04T08:00:00Z")));
    assert_eq!(web.wishes.as_deref(), Some(&[][..]));

    // A label that goes takes the policy with it.
    let mut db = scene.workload("dev-a", "db").clone();
    db.labels.clear();
    scene.put(db);
    scene.settle(night());
    assert_eq!(sizes(&scene)[0], [UP, Size::Replicas(1)]);
}

#[test]
fn status_is_written_when_it_has_changed_and_only_then() {
    let mut scene = scene(Mode::Act, &[], &office());
    scene.settle(noon());
    let soon = noon() + Millis::from_secs(10);
    scene.settle(soon);
    let matched = PolicyMatch {
        namespaces: 1,
        workloads: 1,
        deciding: 1,
        names: vec!["dev-a".into()],
        next_change: Some(when("2026-03-03T20:00:00Z")),
    };
    let first = PolicyReport {
        generation: 1,
        problem: None,
        since: soon,
        idle: None,
        idle_since: soon,
        matched: Some(matched.clone()),
    };
    assert_eq!(scene.statuses, [("nights".into(), first.clone())]);

    // Nothing happens: nothing is written, through hours.
    for hour in 13..20 {
        scene.settle(when(&format!("2026-03-03T{hour}:30:00Z")).min(when("2026-03-03T19:59:59Z")));
    }
    assert_eq!(scene.statuses.len(), 1);

    // The edge is something.
    scene.settle(when("2026-03-03T20:00:00Z"));
    scene.settle(when("2026-03-03T20:00:10Z"));
    let evening = PolicyMatch { next_change: Some(when("2026-03-04T08:00:00Z")), ..matched };
    let second = PolicyReport { matched: Some(evening), ..first };
    assert_eq!(scene.statuses[1..], [("nights".into(), second.clone())]);

    // What is malformed is told; the last good version holds on.
    apply(&mut scene, "nights", 2, &RawPolicy { uptime: Some("Funday 08:00-20:00".to_owned()), ..office() });
    let later = when("2026-03-03T20:01:00Z");
    scene.settle(later);
    scene.settle(later + Millis::from_secs(10));
    assert_eq!(scene.size("dev-a", "web"), DOWN);
    let (_, third) = &scene.statuses[2];
    let problem = third.problem.clone().unwrap();
    assert!(problem.starts_with("uptime: in \"Funday 08:00-20:00\""), "{problem}");
    let expected = PolicyReport {
        generation: 2,
        problem: Some(Arc::clone(&problem)),
        since: third.since,
        ..second.clone()
    };
    assert_eq!((third, scene.statuses.len()), (&expected, 3));
    assert!(third.since > second.since);
    let snapshot = scene.engine.snapshot(later);
    let told: Vec<&str> = snapshot.problems.iter().map(|problem| &*problem.message).collect();
    assert_eq!(told, [format!("nights cannot be read: {problem}; what was seen of it last holds")]);
    assert_eq!(snapshot.counters.unreadable, 1);
    assert!(scene.announced.contains(&format!("BadPolicy: {problem}")), "{:?}", scene.announced);

    // A daemon that has just started finds its own words on the object, and writes nothing.
    let mut next = Scene::new(Mode::Act, later);
    next.namespace("dev-a", &[]);
    next.put(scene.workload("dev-a", "web").clone());
    let object = PolicyObject {
        uid: "uid-nights".into(),
        name: "nights".into(),
        generation: 1,
        spec: Ok(office().read().unwrap()),
        status: Some(second),
    };
    next.engine.apply(Event::SleepPolicy(Box::new(object)), later);
    next.settle(later);
    next.settle(later + Millis::MINUTE);
    assert_eq!(next.statuses, []);
}

#[test]
fn policy_without_any_good_version_counts_as_not_there() {
    let unknown = RawPolicy { holidays: Some(vec!["mars".to_owned()]), ..office() };
    let mut scene = scene(Mode::Act, &[], &unknown);
    assert_eq!(size_at(&mut scene, night()), UP);
    assert_eq!(chain(&mut scene, night()), []);
    scene.settle(night() + Millis::MINUTE);
    let (_, report) = scene.statuses.last().unwrap();
    let expected = "holidays: \"mars\" is no calendar that the daemon's configuration names: it names none";
    assert_eq!((report.problem.as_deref(), &report.matched), (Some(expected), &None));
    apply(&mut scene, "nights", 2, &office());
    assert_eq!(size_at(&mut scene, night() + Millis::MINUTE), DOWN);
    assert_eq!(scene.engine.snapshot(night()).problems, []);
}

#[test]
fn what_sleeps_by_a_policy_is_not_woken_before_policies_are_listed() {
    let mut before = scene(Mode::Act, &[], &office());
    assert_eq!(size_at(&mut before, night()), DOWN);
    let mut settings = Settings::new(T0);
    settings.mode = Mode::Act;
    let mut engine = nightcap_core::engine::Engine::new(settings);
    engine.apply(Event::Namespace(before.namespaces["dev-a"].clone()), night());
    engine.apply(Event::Workload(before.workload("dev-a", "web").clone()), night());
    let uids = engine.known_uids();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::SleepPolicy) {
        engine.apply(Event::Listed { kind, uids: uids.clone() }, night());
    }
    assert_eq!(engine.tick(night()), []);
    assert!(!engine.is_synced());
    assert_eq!(engine.snapshot(night()).missing, [Kind::SleepPolicy]);
}

#[test]
fn wake_lasts_until_the_policy_would_put_it_to_sleep_again() {
    let mut settings = Settings::new(T0);
    settings.mode = Mode::Act;
    let friday: Calendar =
        [(NaiveDate::from_ymd_opt(2026, 3, 4).unwrap(), "Founders".into())].into_iter().collect();
    settings.sleep =
        settings.sleep.with_holidays(BTreeMap::from([("own".into(), Arc::new(friday))]), &BTreeMap::new());
    let mut scene = Scene::with(settings, noon());
    scene.namespace("dev-a", &[]);
    scene.put(deployment("dev-a", "web", 2));
    let raw = RawPolicy { enforced: true, holidays: Some(vec!["own".to_owned()]), ..office() };
    apply(&mut scene, "nights", 1, &raw);
    scene.settle(night());
    let wake = Command::Wake { namespace: "dev-a".into(), by: "ann".into() };
    let written = scene.engine.preview(&wake, night()).unwrap();
    // Wednesday is a holiday: it would sleep through it, and again on Thursday evening.
    assert_eq!(written["nightcap.dev/keep-awake-until"], Some("2026-03-05T20:00:00Z".into()));
    let holiday = when("2026-03-04T12:00:00Z");
    assert_eq!(size_at(&mut scene, holiday), DOWN);
    let wishes = chain(&mut scene, holiday);
    assert_eq!(&*wishes[0].why, "Outside its uptime `Mon-Fri 08:00-20:00`: it is a holiday, Founders.");
    assert_eq!(wishes[0].until, Some(when("2026-03-05T08:00:00Z")));
}
