//! What each tool's keys and objects are read as, and what becomes of them on import.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use chrono_tz::Tz;
use nightcap_core::cluster::{Keys, Size};
use nightcap_core::sleep::SleepSettings;
use nightcap_core::sleep::foreign::cron::{Cron, CronPair};
use nightcap_core::sleep::foreign::keda::CronTrigger;
use nightcap_core::sleep::foreign::kube_green::{SleepInfo, SleepInfoSpec};
use nightcap_core::sleep::foreign::kube_green_state::{restore, state};
use nightcap_core::sleep::foreign::kube_janitor::{DeleteWish, delete_wish};
use nightcap_core::sleep::foreign::loft::LoftKeys;
use nightcap_core::sleep::foreign::snorlax::{SleepSchedule, SleepScheduleSpec};
use nightcap_core::sleep::foreign::vcluster_yaml::{self, VclusterSleep};
use nightcap_core::sleep::foreign::{
    Ask, Foreign, ForeignObject, ForeignSubject, ForeignWish, Import, Tool, foreign_sleep, foreign_wish,
    import_keys, import_restore, import_sleep_info, import_state, import_vcluster,
};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use serde_json::{Value, json};

fn when(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

/// Tuesday evening in Berlin.
fn evening() -> Instant {
    when("2026-03-03T22:00:00+01:00")
}

fn keys(all: &[(&str, &str)]) -> Keys {
    all.iter().map(|&(key, value)| (key.into(), value.into())).collect()
}

fn cron(text: &str, zone: Tz) -> Cron {
    Cron::parse(text, zone).unwrap()
}

#[test]
fn cron_goes_by_the_wall_clock_of_its_zone() {
    let berlin = Tz::Europe__Berlin;
    for (text, zone, after, next) in [
        ("0 20 * * 1-5", berlin, "2026-03-03T19:00:00Z", "2026-03-04T19:00:00Z"),
        ("0 20 * * MON-fri", Tz::UTC, "2026-03-06T20:00:00Z", "2026-03-09T20:00:00Z"),
        ("CRON_TZ=Asia/Tokyo 30 8 * * *", berlin, "2026-03-03T00:00:00Z", "2026-03-03T23:30:00Z"),
        ("TZ=UTC 0 12 1 */2 ?", berlin, "2026-03-02T00:00:00Z", "2026-05-01T12:00:00Z"),
        // Both days are restricted: either is enough.
        ("0 0 13 * 5", Tz::UTC, "2026-03-01T00:00:00Z", "2026-03-06T00:00:00Z"),
        ("5/20 * * * *", Tz::UTC, "2026-03-01T00:26:00.500Z", "2026-03-01T00:45:00Z"),
        ("@weekly", Tz::UTC, "2026-03-03T00:00:00Z", "2026-03-08T00:00:00Z"),
        ("0 0 29 2 *", Tz::UTC, "2026-03-03T00:00:00Z", "2028-02-29T00:00:00Z"),
        // Clocks are put forward over it: right after the gap; put back: once.
        ("30 2 * * *", berlin, "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"),
        ("30 2 * * *", berlin, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
    ] {
        let cron = Cron::parse(text, zone).unwrap();
        assert_eq!(cron.next(when(after)), Some(when(next)), "{text}");
        assert_eq!(cron.last(when(next)), Some(when(next)), "{text}");
    }
    assert_eq!(Cron::parse("0 0 30 2 *", Tz::UTC).unwrap().next(evening()), None);
}

#[test]
fn what_is_no_cron_expression_is_named() {
    for (text, problem) in [
        (
            "* * * *",
            r#""* * * *" has 4 fields; a cron expression has five: minute hour day-of-month month day-of-week"#,
        ),
        (
            "0 0 0 20 * * 1",
            r#""0 0 0 20 * * 1" has 7 fields; a cron expression has five: minute hour day-of-month month day-of-week"#,
        ),
        (
            "@every 5m",
            r#""@every 5m" has 2 fields; a cron expression has five: minute hour day-of-month month day-of-week"#,
        ),
        ("-5 0 * * *", r#""" in "-5 0 * * *" is not a number"#),
        ("0 0 L * *", r#""L" in "0 0 L * *" is not a number"#),
        (
            "0 24 * * *",
            r#""24" in "0 24 * * *" is out of range: the hour goes from 0 to 23, upwards, in steps of 1 or more"#,
        ),
        (
            "0 0 * * 7",
            r#""7" in "0 0 * * 7" is out of range: the day of the week goes from 0 to 6, upwards, in steps of 1 or more"#,
        ),
        (
            "5-1 0 * * *",
            r#""5-1" in "5-1 0 * * *" is out of range: the minute goes from 0 to 59, upwards, in steps of 1 or more"#,
        ),
        (
            "*/0 0 * * *",
            r#""*/0" in "*/0 0 * * *" is out of range: the minute goes from 0 to 59, upwards, in steps of 1 or more"#,
        ),
        (
            "CRON_TZ=Mars 0 0 * * *",
            r#"in "CRON_TZ=Mars 0 0 * * *": "Mars" is no known time zone: use an IANA name such as Europe/Berlin or UTC"#,
        ),
    ] {
        assert_eq!(Cron::parse(text, Tz::UTC).map_err(|error| error.to_string()), Err(problem.to_owned()));
    }
}

fn sleep_info(spec: Value) -> SleepInfo {
    SleepInfo::new("nights", serde_json::from_value::<SleepInfoSpec>(spec).unwrap()).unwrap()
}

#[test]
fn sleep_info_sleeps_from_its_last_edge_on() {
    let info = sleep_info(json!({
        "weekdays": "1-5", "sleepAt": "20:00", "wakeUpAt": "08:00", "timeZone": "Europe/Berlin",
        "patches": [{"target": {"group": "apps", "kind": "ReplicaSet"}, "patch": "[]"}]
    }));
    let wish = |ask, why: &str, until: &str| ForeignWish {
        tool: Tool::KubeGreen,
        ask,
        replicas: 0,
        key: "SleepInfo nights".into(),
        value: "20:00-08:00".into(),
        why: why.into(),
        until: Some(when(until)),
        warnings: vec!["the patch of ReplicaSet.apps is not carried out".into()],
    };
    let asleep = "Asleep from 20:00 to 08:00 Europe/Berlin on weekdays 1-5.";
    assert_eq!(info.wish(evening()), wish(Ask::Sleep, asleep, "2026-03-04T07:00:00Z"));
    // The same weekdays wake: from Friday's evening to Monday's morning.
    assert_eq!(info.wish(when("2026-03-07T12:00:00Z")), wish(Ask::Sleep, asleep, "2026-03-09T07:00:00Z"));
    assert_eq!(
        info.wish(when("2026-03-04T07:00:00Z")),
        wish(Ask::Awake, "Awake until 20:00 Europe/Berlin on weekdays 1-5.", "2026-03-04T19:00:00Z")
    );
    let for_ever = sleep_info(json!({"weekdays": "*", "sleepAt": "20:00"})).wish(evening());
    assert_eq!((for_ever.ask, for_ever.until), (Ask::Sleep, None));
    assert_eq!(&*for_ever.why, "Put to sleep at 20:00 UTC on weekdays *, until somebody wakes it.");
}

#[test]
fn sleep_info_means_what_it_names() {
    let base = json!({"weekdays": "*", "sleepAt": "20:00"});
    let with = |more: Value| {
        let mut spec = base.clone();
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        sleep_info(spec)
    };
    let named = |kind: &str, name: &str| json!({"apiVersion": "apps/v1", "kind": kind, "name": name});
    let backend = json!({"apiVersion": "apps/v1", "kind": "Deployment", "matchLabels": {"app": "backend"}});
    let labels = keys(&[("app", "backend")]);
    for (more, web, db, report) in [
        (json!({}), true, true, false),
        (json!({"suspendDeployments": false, "suspendCronJobs": true}), false, true, true),
        (json!({"excludeRef": [named("Deployment", "web")]}), false, true, false),
        (json!({"excludeRef": [backend]}), false, true, false),
        (json!({"excludeRef": [{"matchLabels": {"app": "other"}}]}), true, true, false),
        (json!({"includeRef": [named("Deployment", "web")]}), true, false, false),
        // kube-green asks for objects that have both names.
        (
            json!({"includeRef": [named("Deployment", "web"), named("Deployment", "api")]}),
            false,
            false,
            false,
        ),
    ] {
        let info = with(more.clone());
        let found = ["Deployment web", "StatefulSet db", "CronJob report"].map(|object| {
            let (kind, name) = object.split_once(' ').unwrap();
            info.covers(kind, name, &labels)
        });
        assert_eq!(found, [web, db, report], "{more}");
    }
}

#[test]
fn objects_of_other_tools_speak_for_the_workloads_they_mean() {
    let info = sleep_info(json!({"weekdays": "*", "sleepAt": "20:00", "wakeUpAt": "08:00"}));
    let snorlax: SleepScheduleSpec = serde_json::from_value(json!({
        "sleepTime": "11:00pm", "wakeTime": "6:30am", "timezone": "Europe/Berlin", "deployments": [{"name": "web"}]
    }))
    .unwrap();
    let snorlax = SleepSchedule::new("web", snorlax).unwrap();
    let objects = vec![ForeignObject::SleepInfo(info).into(), ForeignObject::SleepSchedule(snorlax).into()];
    let namespace = Foreign::of_objects(objects, evening());
    let none = Keys::new();
    let ask = |tool, name, kind| {
        let subject = ForeignSubject { kind, name, labels: &none };
        foreign_wish(tool, Some((None, subject, evening())), Some(&namespace), Tz::UTC, evening())
            .map(|wish| (wish.ask, wish.why.to_string(), wish.until))
    };
    assert_eq!(
        ask(Tool::KubeGreen, "db", "StatefulSet"),
        Some((
            Ask::Sleep,
            "Asleep from 20:00 to 08:00 UTC on weekdays *.".to_owned(),
            Some(when("2026-03-04T08:00:00Z"))
        ))
    );
    assert_eq!(
        ask(Tool::Snorlax, "web", "Deployment"),
        Some((
            Ask::Awake,
            "Awake from 6:30am to 11:00pm Europe/Berlin.".to_owned(),
            Some(when("2026-03-03T22:00:00Z"))
        ))
    );
    assert_eq!(ask(Tool::Snorlax, "db", "StatefulSet"), None);
    assert_eq!(ask(Tool::KubeDownscaler, "web", "Deployment"), None);
}

#[test]
fn loft_keys_are_read_whole() {
    let read = LoftKeys::read(&keys(&[
        ("sleepmode.loft.sh/sleep-after", "3600"),
        ("sleepmode.loft.sh/delete-after", "soon"),
        ("sleepmode.loft.sh/sleep-schedule", "CRON_TZ=UTC 0 20 * * *"),
        ("sleepmode.loft.sh/wakeup-schedule", "0 8 * *"),
        ("sleepmode.loft.sh/timezone", "Europe/Berlin#3600"),
        ("sleepmode.loft.sh/force", "true"),
        ("sleepmode.loft.sh/force-duration", "7200"),
        ("sleepmode.loft.sh/sleeping-since", "1772571600"),
        ("sleepmode.loft.sh/ignore-all", "true"),
    ]));
    assert_eq!(
        read,
        LoftKeys {
            sleep_after: Some(Millis::HOUR),
            schedule: CronPair {
                sleep: Some(Cron::parse_in("CRON_TZ=UTC 0 20 * * *", Tz::Europe__Berlin).unwrap()),
                wake: None
            },
            force: true,
            force_duration: Some(Millis::from_hours(2)),
            ignore_all: true,
            sleeping_since: Some(when("2026-03-03T21:00:00Z")),
            warnings: vec![
                "sleepmode.loft.sh/wakeup-schedule: \"0 8 * *\" has 4 fields; a cron expression has five: minute hour day-of-month month day-of-week".into(),
                "sleepmode.loft.sh/delete-after: \"soon\" is no whole number of seconds".into()
            ],
            ..LoftKeys::default()
        }
    );
}

#[test]
fn vcluster_yaml_is_read_in_its_four_forms() {
    let berlin = Tz::Europe__Berlin;
    let sleeps = VclusterSleep {
        sleep_after: Some(Millis::from_hours(3)),
        sleep: Some(cron("0 20 * * *", berlin)),
        wake: Some(cron("0 8 * * 1-5", berlin)),
        ..VclusterSleep::default()
    };
    let labels: BTreeMap<_, _> = [("sleep".to_owned(), "no".to_owned())].into();
    for (config, expected) in [
        (
            json!({"external": {"platform": {
                "autoSleep": {"afterInactivity": 10800, "schedule": "0 20 * * *", "timezone": "Europe/Berlin", "autoWakeup": {"schedule": "0 8 * * 1-5"}},
                "autoDelete": {"afterInactivity": 86400}}}}),
            VclusterSleep { path: "external.platform.autoSleep", delete_after: Some(Millis::DAY), ..sleeps.clone() },
        ),
        (
            json!({"experimental": {"sleepMode": {"enabled": true, "timeZone": "Europe/Berlin",
                "autoSleep": {"afterInactivity": "3h", "schedule": "0 20 * * *", "wakeup": {"schedule": "0 8 * * 1-5"}}}}}),
            VclusterSleep { path: "experimental.sleepMode", ..sleeps.clone() },
        ),
        (
            json!({"sleepMode": {"enabled": true, "timeZone": "Europe/Berlin", "autoWakeup": {"schedule": "0 8 * * 1-5"},
                "autoSleep": {"afterInactivity": "180m", "schedule": "0 20 * * *", "exclude": {"selector": {"labels": {"sleep": "no"}}}}}}),
            VclusterSleep { path: "sleepMode", excluded: labels, ..sleeps.clone() },
        ),
        (
            json!({"sleep": {"auto": {"afterInactivity": "3h", "schedule": "0 20 * * *", "timezone": "Europe/Berlin", "wakeup": {"schedule": "0 8 * * 1-5"}}},
                "deletion": {"prevent": true, "auto": {"afterInactivity": "24h"}}, "sleepMode": {"enabled": true, "autoSleep": {}}}),
            VclusterSleep {
                path: "sleep.auto",
                delete_after: Some(Millis::DAY),
                keeps: true,
                warnings: vec!["sleepMode stands beside sleep.auto and does not count".into()],
                ..sleeps
            },
        ),
        (json!({"sleepMode": {"enabled": false, "autoSleep": {"afterInactivity": "3h"}}}), VclusterSleep::default()),
        (json!("text"), VclusterSleep::default()),
        (
            json!({"sleep": {"auto": {"afterInactivity": "1d", "timezone": "Mars", "schedule": "0 0 * * *"}}}),
            VclusterSleep {
                path: "sleep.auto",
                warnings: vec![
                    "sleep.auto.afterInactivity: \"1d\" is no duration".into(),
                    "sleep.auto.timezone: \"Mars\" is no known time zone: use an IANA name such as Europe/Berlin or UTC".into()
                ],
                ..VclusterSleep::default()
            },
        ),
    ] {
        assert_eq!(vcluster_yaml::read(&config), expected, "{config}");
    }
}

#[test]
fn cron_trigger_is_active_until_its_next_end() {
    let read = |all: &[(&str, &str)]| CronTrigger::read(&keys(all)).map_err(|error| error.to_string());
    let base = [
        ("timezone", "Europe/Berlin"),
        ("start", "0 8 * * *"),
        ("end", "0 20 * * *"),
        ("desiredReplicas", "2"),
    ];
    let trigger = read(&base).unwrap();
    let wish = trigger.wish("ScaledObject web", 0, evening());
    assert_eq!(
        (wish.ask, &*wish.why, wish.until),
        (
            Ask::Sleep,
            "Outside its cron trigger `0 8 * * *` to `0 20 * * *` Europe/Berlin.",
            Some(when("2026-03-04T07:00:00Z"))
        )
    );
    assert!(trigger.is_active(when("2026-03-04T07:00:00Z")));
    let with = |key, value| read(&base.map(|of| if of.0 == key { (key, value) } else { of })).unwrap_err();
    assert_eq!(with("end", "0 8 * * *"), "start and end are both \"0 8 * * *\"");
    assert_eq!(with("desiredReplicas", "two"), "desiredReplicas: \"two\" is no number of replicas");
    assert_eq!(with("timezone", ""), "the trigger has no timezone");
}

#[test]
fn janitor_says_when_to_delete() {
    let created = when("2026-03-01T00:00:00Z");
    let wish = |all| delete_wish(&keys(all), created);
    assert_eq!(
        wish(&[("janitor/ttl", "7d")]),
        Ok(Some(DeleteWish {
            at: Some(when("2026-03-08T00:00:00Z")),
            key: "janitor/ttl".into(),
            value: "7d".into(),
            why: "It may live for 7d.".into()
        }))
    );
    assert_eq!(wish(&[("janitor/ttl", "forever")]).map(|wish| wish.unwrap().at), Ok(None));
    assert_eq!(
        wish(&[("janitor/expires", "2026-04-01T01:51")]).map(|wish| wish.unwrap().at),
        Ok(Some(when("2026-04-01T01:51:00Z")))
    );
    assert_eq!(
        wish(&[("janitor/ttl", "1y")]),
        Err("janitor/ttl: \"1y\" is no time to live: write a whole number with s, m, h, d or w, or forever"
            .to_owned())
    );
    assert_eq!(wish(&[]), Ok(None));
}

fn imported(pairs: &[(&str, &str)], notes: &[&str]) -> Import {
    Import {
        annotations: pairs
            .iter()
            .map(|&(key, value)| (format!("nightcap.dev/{key}").into(), Some(value.into())))
            .collect(),
        notes: notes.iter().map(|&note| note.into()).collect(),
    }
}

#[test]
fn keys_are_imported_as_they_were_read() {
    let settings = SleepSettings::new(Tz::UTC);
    let import = |tool, all: &[(&str, &str)]| import_keys(tool, &keys(all), &settings, evening());
    let night = [("downscaler/downtime", "Mon-Fri 20:00-08:00 Europe/Berlin")];
    assert_eq!(import(Tool::KubeDownscaler, &night), imported(&[("downtime", "never")], &[]));
    assert_eq!(
        import(Tool::GoKubeDownscaler, &night),
        imported(
            &[("downtime", "Mon-Fri 00:00-08:00 Europe/Berlin, Mon-Fri 20:00-24:00 Europe/Berlin")],
            &[]
        )
    );
    assert_eq!(
        import(
            Tool::KubeDownscaler,
            &[
                (
                    "downscaler/uptime",
                    "Mon-Fri 08:00-20:00 Europe/Berlin,2026-04-01T00:00:00+00:00-2026-04-02T00:00:00+00:00"
                ),
                ("downscaler/exclude-until", "2026-05-01"),
                ("downscaler/downtime-replicas", "1"),
                ("downscaler/downtime", "sometimes"),
                ("other/key", "x"),
            ]
        ),
        imported(
            &[
                (
                    "uptime",
                    "Mon-Fri 08:00-20:00 Europe/Berlin, 2026-04-01T00:00:00Z-2026-04-02T00:00:00.001Z"
                ),
                ("keep-awake-until", "2026-05-01T00:00:00Z")
            ],
            &[
                "downscaler/downtime \"sometimes\": \"sometimes\" is no time spec: kube-downscaler expects \"Mon-Fri 06:30-20:30 Europe/Berlin\" (zone of letters, / and _) or \"2019-01-01T00:00:00+00:00-2019-01-02T12:34:56+00:00\", or always or never as the whole spec",
                "downscaler/downtime-replicas \"1\" has no counterpart"
            ]
        )
    );
    assert_eq!(
        import(
            Tool::Loft,
            &[
                ("sleepmode.loft.sh/sleep-after", "3600"),
                ("sleepmode.loft.sh/delete-after", "604800"),
                ("sleepmode.loft.sh/sleep-schedule", "0 20 * * 1-5"),
                ("sleepmode.loft.sh/wakeup-schedule", "0 8 * * 1-5"),
                ("sleepmode.loft.sh/timezone", "Europe/Berlin"),
                ("sleepmode.loft.sh/force", "true"),
            ]
        ),
        imported(
            &[
                ("sleep-after", "1h"),
                ("delete-after", "7d"),
                ("asleep-until", "manual"),
                (
                    "downtime",
                    "Mon-Fri 00:00-08:00 Europe/Berlin, Mon-Fri 20:00-24:00 Europe/Berlin, Sat-Sun 00:00-24:00 Europe/Berlin"
                )
            ],
            &[]
        )
    );
    let spec: SleepInfoSpec = serde_json::from_value(json!({
        "weekdays": "*", "sleepAt": "20:00", "wakeUpAt": "8:00", "suspendCronJobs": true
    }))
    .unwrap();
    assert_eq!(
        import_sleep_info(&spec, &settings),
        imported(&[("downtime", "00:00-08:00 UTC, 20:00-24:00 UTC")], &[])
    );
    let config = json!({"sleep": {"auto": {"afterInactivity": "90m", "schedule": "0 0 1 * *", "wakeup": {"schedule": "0 0 2 * *"}}}});
    assert_eq!(
        import_vcluster(&vcluster_yaml::read(&config), &settings),
        imported(
            &[("sleep-after", "1h30m")],
            &["the schedule `0 0 1 * *` to `0 0 2 * *` is not the same every week and has no counterpart"]
        )
    );
}

#[test]
fn saved_state_is_taken_over_without_a_change_of_size() {
    let settings = SleepSettings::new(Tz::UTC);
    let marks = |tool: &str, original: &str| {
        Some(
            [
                (
                    "nightcap.dev/asleep".into(),
                    Some(format!(r#"{{"since":"2026-03-03T21:00:00Z","why":"Taken over from {tool}, which had put it to sleep.","policy":"import","by":"{tool}"}}"#).into()),
                ),
                ("nightcap.dev/original".into(), Some(original.into())),
            ]
            .into(),
        )
    };
    let down = Size::Replicas(0);
    for (tool, key, value, size, original) in [
        (Tool::KubeDownscaler, "downscaler/original-replicas", "3", down, Some(r#"{"replicas":3}"#)),
        (Tool::GoKubeDownscaler, "downscaler/original-replicas", "3", down, Some(r#"{"replicas":3}"#)),
        (
            Tool::KubeDownscaler,
            "downscaler/original-replicas",
            "1",
            Size::Suspended(true),
            Some(r#"{"suspended":false}"#),
        ),
        (
            Tool::GoKubeDownscaler,
            "downscaler/original-replicas",
            "false",
            Size::Suspended(true),
            Some(r#"{"suspended":false}"#),
        ),
        (Tool::Loft, "loft.sh/sleep-mode-replicas", "2", down, Some(r#"{"replicas":2}"#)),
        // Up already, unreadable, or of another tool: nothing is taken over.
        (Tool::KubeDownscaler, "downscaler/original-replicas", "3", Size::Replicas(3), None),
        (Tool::KubeDownscaler, "downscaler/original-replicas", "-1", down, None),
        (Tool::KubeDownscaler, "downscaler/original-replicas", "three", down, None),
        (Tool::GoKubeDownscaler, "downscaler/original-replicas", "true", Size::Suspended(true), None),
        (Tool::Loft, "downscaler/original-replicas", "3", down, None),
        (Tool::KubeGreen, "downscaler/original-replicas", "3", down, None),
    ] {
        let found = import_state(tool, &keys(&[(key, value)]), size, &settings, evening());
        assert_eq!(
            found,
            original.and_then(|original| marks(tool.name(), original)),
            "{tool} {key} {value} {size}"
        );
    }
    let secret = BTreeMap::from([
        (
            "original-resource-info".to_owned(),
            r#"{"StatefulSet.apps":{"db":{"spec":{"replicas":2}},"odd":{"metadata":{}}}}"#.to_owned(),
        ),
        ("deployment-replicas".to_owned(), r#"[{"name":"web","replicas":4}]"#.to_owned()),
        ("cronjobs-info".to_owned(), r#"[{"name":"report","suspend":false}]"#.to_owned()),
    ]);
    let restore = restore(&secret).unwrap();
    let import = |kind, name, size| import_restore(&restore, kind, name, size, &settings, evening());
    assert_eq!(import("Deployment", "web", down), marks("kube-green", r#"{"replicas":4}"#));
    assert_eq!(import("StatefulSet", "db", down), marks("kube-green", r#"{"replicas":2}"#));
    assert_eq!(
        import("CronJob", "report", Size::Suspended(true)),
        marks("kube-green", r#"{"suspended":false}"#)
    );
    assert_eq!(import("StatefulSet", "odd", down), None);
    assert_eq!(import("StatefulSet", "web", down), None);
    let spec: SleepInfoSpec = serde_json::from_value(json!({"weekdays": "1", "sleepAt": "20:00"})).unwrap();
    assert_eq!(
        state(&spec, Some(&secret)).map_err(|error| error.to_string()),
        Err("the key scheduled-at of the Secret cannot be read: \"\" is no RFC 3339 instant".to_owned())
    );
}

#[test]
fn marks_of_another_tools_sleep_are_known() {
    let found = |annotations: &[(&str, &str)], labels: &[(&str, &str)]| {
        foreign_sleep(&keys(annotations), &keys(labels)).map(|sleep| sleep.to_string())
    };
    assert_eq!(
        found(&[("downscaler/original-replicas", "3")], &[]).as_deref(),
        Some("Put to sleep by kube-downscaler (downscaler/original-replicas: 3); Nightcap leaves it alone.")
    );
    assert_eq!(
        found(&[], &[("loft.sh/sleep-mode", "true")]).as_deref(),
        Some("Put to sleep by vCluster Platform (loft.sh/sleep-mode: true); Nightcap leaves it alone.")
    );
    assert_eq!(found(&[("loft.sh/sleep-mode", "false"), ("downscaler/uptime", "always")], &[]), None);
}
