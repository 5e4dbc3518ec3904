//! Runs the behaviour cases of kube-green, nightshift, KEDA and kube-janitor, see `tests/vectors/README.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use chrono_tz::Tz;
use nightcap_core::cluster::Keys;
use nightcap_core::sleep::foreign::kube_green::{SleepInfoError, SleepInfoSpec, edge, in_delta};
use nightcap_core::sleep::foreign::kube_green_state::state;
use nightcap_core::sleep::foreign::kube_janitor::{Ttl, format_seconds, parse_expiry, parse_ttl};
use nightcap_core::sleep::foreign::nightshift::{ShiftEdge, ShiftSchedule};
use nightcap_core::sleep::foreign::slumlord::{SlumlordSchedule, SlumlordSpec};
use nightcap_core::sleep::foreign::{Ask, cron::CronError, keda::CronTrigger};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use serde_json::{Value, json};

const KUBE_GREEN_SCHEDULE: &str = include_str!("../../../tests/vectors/kube-green-schedule.json");
const KUBE_GREEN: &str = include_str!("../../../tests/vectors/kube-green-sleepinfo.json");
const NIGHTSHIFT: &str = include_str!("../../../tests/vectors/nightshift-schedule.json");
const KEDA: &str = include_str!("../../../tests/vectors/keda-cron-metadata.json");
const SLUMLORD: &str = include_str!("../../../tests/vectors/slumlord-sleep-window.json");
const JANITOR: &str = include_str!("../../../tests/vectors/kube-janitor-ttl.json");

fn cases(file: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(file).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("{key} is missing in {case}"))
}

fn instant(value: &Value) -> Option<Instant> {
    value.as_str().map(|text| parse_rfc3339(text).unwrap())
}

fn ok<T, E>(result: &Result<T, E>) -> Value {
    if result.is_ok() { "ok".into() } else { "error".into() }
}

#[test]
fn kube_green_acts_within_a_minute_of_an_edge_and_never_catches_up() {
    for case in cases(KUBE_GREEN_SCHEDULE) {
        if case["fn"] == "in_delta" {
            let millis = |key: &str| case[key].as_i64().unwrap();
            let found =
                in_delta(Instant(millis("t1_ms")), Instant(millis("t2_ms")), Millis(millis("delta_ms")));
            assert_eq!(Value::from(found), case["expect"], "{case}");
            continue;
        }
        let now = instant(&case["now"]).unwrap();
        let found =
            edge(text(&case, "current_cron"), text(&case, "next_cron"), instant(&case["last_schedule"]), now);
        let found = match found {
            Ok(edge) => {
                json!({"execute": edge.execute, "next_schedule": edge.next, "requeue_ms": edge.requeue, "failed": false})
            }
            Err(_) => json!({"execute": false, "next_schedule": null, "requeue_ms": 0, "failed": true}),
        };
        for key in ["execute", "next_schedule", "requeue_ms"] {
            assert_eq!(found[key], case[key], "{key} of {case}");
        }
        assert_eq!(found["failed"], Value::from(case["error"].is_string()), "{case}");
    }
}

/// The kind of an error in the words of the cases.
fn fault(error: &SleepInfoError) -> &'static [&'static str] {
    match error {
        SleepInfoError::EmptyWeekdays => &["error: empty weekdays"],
        SleepInfoError::TimeFormat { .. } => &["error: time format", "error: HH:mm"],
        SleepInfoError::Cron { error: CronError::Fields { .. }, .. } => &["error: cron fields"],
        SleepInfoError::Cron { error: CronError::NotANumber { .. }, .. } => &["error: not a number"],
        SleepInfoError::Cron { error: CronError::Range { .. }, .. } => &["error: out of range"],
        SleepInfoError::Cron { error: CronError::Zone { .. }, .. } => &["error: time zone"],
    }
}

fn agrees<T>(found: &Result<T, SleepInfoError>, expected: &Value, case: &Value) {
    match (found, expected.as_str()) {
        (Ok(_), Some("ok")) => {}
        (Err(error), Some(expected)) => assert!(fault(error).contains(&expected), "{error} in {case}"),
        (found, _) => panic!("{} is expected, not {}, in {case}", expected, ok(found)),
    }
}

fn operation(case: &Value) -> Value {
    let spec: SleepInfoSpec = serde_json::from_value(case["spec"].clone()).unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let secret = case["secret"].as_object().map(|secret| {
        secret.iter().map(|(key, value)| (key.clone(), text(value))).collect::<BTreeMap<_, _>>()
    });
    match state(&spec, secret.as_ref()) {
        Err(_) => "error".into(),
        Ok(state) => json!({
            "op": state.operation.name(),
            "current": state.current,
            "next": state.next,
            "restore": state.restore,
        }),
    }
}

#[test]
fn kube_green_reads_its_own_objects_and_secrets() {
    for case in cases(KUBE_GREEN) {
        match text(&case, "fn") {
            "cron_strings" => {
                let spec: SleepInfoSpec = serde_json::from_value(case.clone()).unwrap();
                for (key, found) in [("sleep", spec.sleep_cron()), ("wake", spec.wake_cron())] {
                    match found {
                        Ok(found) if case[key].is_string() => assert_eq!(case[key], found, "{key} of {case}"),
                        Ok(_) => assert_eq!(case[key], Value::Null, "{case}"),
                        Err(_) if case[key].is_null() => {}
                        found => agrees(&found, &case[key], &case),
                    }
                }
            }
            "validate" => {
                let spec: SleepInfoSpec = serde_json::from_value(case["spec"].clone()).unwrap();
                agrees(&spec.edges(), &case["expect"], &case);
            }
            "default" => {
                let spec: SleepInfoSpec =
                    serde_json::from_value(json!({text(&case, "field"): case["value"]})).unwrap();
                let found = match text(&case, "field") {
                    "suspendDeployments" => spec.suspends_deployments(),
                    "suspendStatefulSets" => spec.suspends_stateful_sets(),
                    "suspendCronJobs" => spec.suspends_cron_jobs(),
                    other => panic!("{other} is not looked at"),
                };
                assert_eq!(Value::from(found), case["expect"], "{case}");
            }
            "next_operation" => assert_eq!(operation(&case), case["expect"], "{case}"),
            other => panic!("the cases of {other} are not run"),
        }
    }
}

fn zone(case: &Value) -> Tz {
    case["timezone"].as_str().unwrap_or("UTC").parse().unwrap()
}

#[test]
fn nightshift_reads_its_own_edges() {
    for case in cases(NIGHTSHIFT) {
        let found = match text(&case, "fn") {
            "parse" => ShiftEdge::parse(text(&case, "input")).map_or(
                "error".into(),
                |edge| json!({"days": edge.days(), "time": edge.time(), "settings": edge.settings()}),
            ),
            "today_trigger" => {
                let edge = ShiftEdge::parse(&format!("Mon {}", text(&case, "time"))).unwrap();
                json!(edge.on_the_day_of(instant(&case["now"]).unwrap(), zone(&case)))
            }
            "next_trigger" => {
                let days: Vec<&str> =
                    case["days"].as_array().unwrap().iter().map(|day| day.as_str().unwrap()).collect();
                // An edge without days cannot be written.
                let edge = ShiftEdge::parse(&format!("{} {}", days.join(","), text(&case, "time")));
                let next = edge.map(|edge| edge.next(instant(&case["now"]).unwrap(), zone(&case)));
                next.map_or("error".into(), |next| json!(next))
            }
            "state" => {
                let state = case["value"].as_str().map_or(String::new(), |state| format!(" state={state}"));
                let edge = ShiftEdge::parse(&format!("Mon 8:00{state}")).unwrap();
                edge.state().map_or("error".into(), |state| state.name().into())
            }
            "events_between" => {
                let edges: Vec<&str> =
                    case["schedule"].as_array().unwrap().iter().map(|edge| edge.as_str().unwrap()).collect();
                let schedule = ShiftSchedule::parse(&edges.join(";"), zone(&case)).unwrap();
                json!(schedule.between(instant(&case["past"]).unwrap(), instant(&case["now"]).unwrap()))
            }
            "apply" => {
                let edge = ShiftEdge::parse(text(&case, "schedule")).unwrap();
                let saved = case["saved_replicas"].as_u64().map(|saved| u32::try_from(saved).unwrap());
                edge.apply(saved).map_or("error".into(), |shift| {
                    json!({"restored": shift.restored, "saved": shift.saved, "replicas": shift.replicas})
                })
            }
            other => panic!("the cases of {other} are not run"),
        };
        assert_eq!(found, case["expect"], "{case}");
    }
}

#[test]
fn keda_takes_and_refuses_its_own_triggers() {
    for case in cases(KEDA) {
        let metadata: Keys = serde_json::from_value(case["metadata"].clone()).unwrap();
        assert_eq!(ok(&CronTrigger::read(&metadata)), case["expect"], "{case}");
    }
}

#[test]
fn slumlord_sleeps_in_its_own_windows() {
    for case in cases(SLUMLORD) {
        let spec: SlumlordSpec = serde_json::from_value(json!({"schedules": case["windows"]})).unwrap();
        let now = instant(&case["now"]).unwrap();
        let found = SlumlordSchedule::new("night", spec).map(|schedule| schedule.wish(now).ask == Ask::Sleep);
        let expected = match text(&case, "id") {
            // That tool leaves the start out, Nightcap counts it; it takes an unknown zone for UTC, Nightcap refuses it.
            "slumlord-12" | "slumlord-30" => Value::from(true),
            "slumlord-14" => "error".into(),
            _ => case["asleep"].clone(),
        };
        assert_eq!(found.map_or("error".into(), Value::from), expected, "{case}");
    }
}

#[test]
fn kube_janitor_reads_its_own_times() {
    for case in cases(JANITOR) {
        match text(&case, "fn") {
            "parse_ttl" => {
                let found = match parse_ttl(text(&case, "input")) {
                    Ok(Ttl::For(length)) => json!(length.0 / 1_000),
                    Ok(Ttl::Forever) => json!(-1),
                    Err(_) => "error".into(),
                };
                assert_eq!(found, case["expect_seconds"], "{case}");
            }
            "parse_expiry" => {
                let found = parse_expiry(text(&case, "input"));
                match case["expect"].as_str().unwrap() {
                    "ok" | "error" => assert_eq!(ok(&found), case["expect"], "{case}"),
                    at => assert_eq!(
                        found,
                        Ok(parse_rfc3339(&format!("{}Z", at.trim_end_matches('Z'))).unwrap()),
                        "{case}"
                    ),
                }
            }
            "format_duration" => {
                assert_eq!(format_seconds(case["input_seconds"].as_i64().unwrap()), case["expect"], "{case}");
            }
            other => panic!("the cases of {other} are not run"),
        }
    }
}
