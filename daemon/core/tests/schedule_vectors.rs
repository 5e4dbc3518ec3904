//! Runs the behaviour cases of other sleep tools, see `tests/vectors/README.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use nightcap_core::schedule::dialect::{ForeignSpec, gokubedownscaler, kube_downscaler};
use nightcap_core::schedule::{CheckOptions, Fault, TimeSpec};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use serde_json::Value;

const KUBE_DOWNSCALER: &str = include_str!("../../../tests/vectors/kube-downscaler-timespec.json");
const GOKUBEDOWNSCALER: &str = include_str!("../../../tests/vectors/gokubedownscaler-timespan.json");
const DIVERGENCE: &str = include_str!("../../../tests/vectors/divergence-timespan.json");
const SABLIER: &str = include_str!("../../../tests/vectors/sablier-running-hours.json");
const SLUMLORD: &str = include_str!("../../../tests/vectors/slumlord-sleep-window.json");

/// A Monday, 00:00 UTC.
const MONDAY: Instant = Instant(1_767_571_200_000);
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn cases(file: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(file).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("{key} is missing in {case}"))
}

fn instant(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

/// `true`, `false` or `"error"`, as the files write it.
fn outcome<E>(result: Result<bool, E>) -> Value {
    result.map_or_else(|_| "error".into(), Value::from)
}

fn py(spec: &str, at: Instant) -> Value {
    outcome(kube_downscaler::parse(spec, &CheckOptions::default()).holds(at))
}

fn go(spec: &str, at: Instant, options: &CheckOptions) -> Value {
    outcome(gokubedownscaler::parse(spec, options).and_then(|spec| spec.holds(at)))
}

fn native(spec: &str, at: Instant) -> Value {
    outcome(TimeSpec::parse(spec, chrono_tz::UTC).map(|spec| spec.holds(at)))
}

fn options(zone: Option<&str>, days: Option<&str>) -> CheckOptions {
    CheckOptions { default_timezone: zone.map(str::to_owned), default_weekframe: days.map(str::to_owned) }
}

#[test]
fn kube_downscaler_reads_its_own_cases() {
    for case in cases(KUBE_DOWNSCALER) {
        let instants = match case["now"].as_str() {
            Some(now) => vec![instant(now)],
            // Any instant: every hour of a fortnight.
            None => (0..336).map(|hour| MONDAY + Millis::from_hours(hour)).collect(),
        };
        for at in instants {
            assert_eq!(py(text(&case, "spec"), at), case["expect"], "{case} at {at}");
        }
    }
}

#[test]
fn the_readings_of_one_spec_differ_as_observed() {
    for case in cases(DIVERGENCE) {
        let (spec, at) = (text(&case, "spec"), instant(text(&case, "now")));
        assert_eq!(py(spec, at), case["py"], "py {case}");
        assert_eq!(go(spec, at, &CheckOptions::default()), case["go"], "go {case}");
        if let Some(start_day) = case.get("start_day") {
            assert_eq!(&native(spec, at), start_day, "native {case}");
        }
    }
}

#[test]
fn gokubedownscaler_reads_its_own_cases() {
    for case in cases(GOKUBEDOWNSCALER) {
        let plain = CheckOptions::default();
        let parse = |spec: &str| gokubedownscaler::parse(spec, &plain);
        match text(&case, "fn") {
            "parse_relative" => relative(&case),
            "parse_absolute" | "parse_directional" if case["expect"] == "error" => {
                assert!(parse(text(&case, "input")).is_err(), "{case}");
            }
            "parse_absolute" => {
                let (from, to) = (text(&case["expect"], "from"), text(&case["expect"], "to"));
                assert_eq!(changes(&parse(text(&case, "input")).unwrap()), [instant(from), instant(to)]);
            }
            "parse_directional" => {
                let spec = parse(text(&case, "input")).unwrap();
                assert_eq!(changes(&spec), [instant(text(&case["expect"], "at"))], "{case}");
                let first = spec.holds(Instant(0)).unwrap();
                assert_eq!(first, text(&case["expect"], "mode") == "until", "{case}");
            }
            // Whether the span is of a kind shows in how often it changes: twice, once, or for ever.
            "is_absolute" => {
                let is = parse(text(&case, "input")).is_ok_and(|spec| changes(&spec).len() == 2);
                assert_eq!(Value::from(is), case["expect"], "{case}");
            }
            "is_directional" => {
                let is = parse(text(&case, "input")).is_ok_and(|spec| changes(&spec).len() == 1);
                assert_eq!(Value::from(is), case["expect"], "{case}");
            }
            "weekday_in_range" => {
                let day = (0..).zip(DAYS).find(|(_, name)| *name == text(&case, "day")).unwrap().0;
                let spec = format!("{}-{} 00:00-24:00 UTC", text(&case, "from"), text(&case, "to"));
                assert_eq!(
                    go(&spec, MONDAY + Millis::from_hours(24 * day + 12), &plain),
                    case["expect"],
                    "{case}"
                );
            }
            "time_of_day_in_range" => {
                let spec = format!("Mon-Sun {}-{} UTC", text(&case, "from"), text(&case, "to"));
                let at = instant(&format!("2026-01-05T{}:00Z", text(&case, "time")));
                assert_eq!(go(&spec, at, &plain), case["expect"], "{case}");
            }
            "in_absolute" => {
                let spec = format!("{}-{}", text(&case, "from"), text(&case, "to"));
                assert_eq!(go(&spec, instant(text(&case, "now")), &plain), case["expect"], "{case}");
            }
            "in_relative" => in_relative(&case),
            "format_minutes" => {
                let spec =
                    TimeSpec::parse(&format!("Mon 00:00-{}", text(&case, "expect")), chrono_tz::UTC).unwrap();
                let minutes = case["minutes"].as_i64().unwrap();
                assert_eq!(spec.next_change(MONDAY), Some(MONDAY + Millis::from_minutes(minutes)), "{case}");
            }
            other => panic!("the cases of {other} are not run"),
        }
    }
}

/// Every change of a spec that has at most two; three of a spec that has more.
fn changes(spec: &ForeignSpec) -> Vec<Instant> {
    let next = |at: &Instant| spec.next_change(*at);
    std::iter::successors(next(&Instant(0)), next).take(3).collect()
}

/// What is parsed is what is read from the full spelling; what was left out needs a default.
fn relative(case: &Value) {
    let input = text(case, "input");
    let parse = |options| gokubedownscaler::parse(input, &options);
    let expect = &case["expect"];
    if expect == "error" {
        assert!(parse(options(Some("UTC"), Some("Mon-Fri"))).is_err(), "{case}");
        return;
    }
    let days = match expect["weekday_from"].as_str() {
        Some(from) => format!("{from}-{}", text(expect, "weekday_to")),
        None => "Tue-Wed".to_owned(),
    };
    let zone = expect["tz"].as_str().unwrap_or("Asia/Kolkata");
    let full = format!("{days} {}-{} {zone}", text(expect, "from"), text(expect, "to"));
    let full = gokubedownscaler::parse(&full, &CheckOptions::default()).unwrap();
    assert_eq!(parse(options(Some("Asia/Kolkata"), Some("Tue-Wed"))), Ok(full), "{case}");
    let complete = expect["weekday_from"].is_string() && expect["tz"].is_string();
    assert_eq!(parse(CheckOptions::default()).unwrap().holds(MONDAY).is_ok(), complete, "{case}");
}

fn in_relative(case: &Value) {
    let options = options(case["default_timezone"].as_str(), case["default_weekframe"].as_str());
    let spec = gokubedownscaler::parse(text(case, "spec"), &options).unwrap();
    let held = spec.holds(instant(text(case, "now")));
    match case["expect"].as_str() {
        Some("error: no default zone") => assert_eq!(held.unwrap_err().fault, Fault::NoZone, "{case}"),
        Some(_) => assert!(held.is_err(), "{case}"),
        None => assert_eq!(outcome(held), case["expect"], "{case}"),
    }
}

#[test]
fn slumlord_windows_read_alike_as_native_specs() {
    for case in cases(SLUMLORD) {
        let windows = case["windows"].as_array().unwrap();
        let spec = windows.iter().flat_map(native_parts).collect::<Vec<_>>().join(", ");
        let expected = match text(&case, "id") {
            // That tool leaves the start out, Nightcap counts it.
            "slumlord-12" | "slumlord-30" => Value::from(true),
            // That tool takes an unknown zone for UTC, Nightcap refuses it.
            "slumlord-14" => Value::from("error"),
            _ => case["asleep"].clone(),
        };
        assert_eq!(native(&spec, instant(text(&case, "now"))), expected, "{case}");
    }
}

/// One part per day; days are numbered from Sunday, none means every day.
fn native_parts(window: &Value) -> Vec<String> {
    let times = format!("{}-{} {}", text(window, "start"), text(window, "end"), text(window, "timezone"));
    let Some(days) = window["days"].as_array() else { return vec![times] };
    let name = |day: &Value| DAYS[(usize::try_from(day.as_u64().unwrap()).unwrap() + 6) % 7];
    days.iter().map(|day| format!("{} {times}", name(day))).collect()
}

#[test]
fn sablier_hours_and_days_read_alike_as_native_specs() {
    for case in cases(SABLIER) {
        let parse = |spec: &str| TimeSpec::parse(spec, chrono_tz::UTC);
        match text(&case, "fn") {
            "parse_running_hours" => {
                assert_eq!(parse(text(&case, "input")).is_ok(), case["expect"] == "ok", "{case}");
            }
            "window_at" => {
                let now = text(&case, "local_now");
                let at = instant(&format!("{now}Z"));
                let spec = parse(text(&case, "window")).unwrap();
                assert_eq!(Value::from(spec.holds(at)), case["inside"], "{case}");
                if let Some(end) = case["window_end"].as_str().and_then(|end| end.strip_suffix(" same day")) {
                    let end = instant(&format!("{}T{end}:00Z", &now[..10]));
                    assert_eq!(spec.next_change(at), Some(end), "{case}");
                }
            }
            "parse_running_days" => {
                let days = text(&case, "input").split(',').map(|day| format!("{} 10:00-11:00", day.trim()));
                let days =
                    if text(&case, "input").is_empty() { Vec::new() } else { days.collect::<Vec<_>>() };
                let parsed = parse(&days.join(","));
                match case["expect"].as_array() {
                    None => assert!(parsed.is_err(), "{case}"),
                    Some(names) => {
                        let names: Vec<_> = names
                            .iter()
                            .map(|day| format!("{} 10:00-11:00 UTC", day.as_str().unwrap()))
                            .collect();
                        assert_eq!(parsed.unwrap().to_string(), names.join(", "), "{case}");
                    }
                }
            }
            other => panic!("the cases of {other} are not run"),
        }
    }
}
