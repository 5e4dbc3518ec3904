//! Runs the behaviour cases of the two tools that read `downscaler/*`, see `tests/vectors/README.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use nightcap_core::cluster::Keys;
use nightcap_core::schedule::CheckOptions;
use nightcap_core::sleep::foreign::gokubedownscaler::{
    Replicas, Scaling, Scope, ScopeName, begun, current_scaling, is_excluded,
};
use nightcap_core::sleep::foreign::gokubedownscaler_state::{
    Candidate, GoKind, GoOp, acted_on, freed_pods, scale,
};
use nightcap_core::sleep::foreign::kube_downscaler::{PyConfig, within_grace};
use nightcap_core::sleep::foreign::kube_downscaler_cycle::{PyKnob, PyObject};
use nightcap_core::units::{Instant, Millis, parse_bytes, parse_cpu, parse_rfc3339};
use serde_json::{Value, json};

const PY_CYCLE: &str = include_str!("../../../tests/vectors/py-kube-downscaler-autoscale.json");
const PY_GRACE: &str = include_str!("../../../tests/vectors/py-kube-downscaler-grace-period.json");
const GO_SCOPE: &str = include_str!("../../../tests/vectors/gokubedownscaler-scope.json");
const GO_STATE: &str = include_str!("../../../tests/vectors/gokubedownscaler-scale-state.json");

/// A Tuesday.
const NOW: Instant = Instant(1_767_700_000_000);

fn cases(file: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(file).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

fn instant(value: &Value) -> Instant {
    parse_rfc3339(value.as_str().unwrap()).unwrap()
}

fn text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.as_str().into()),
        other => Some(other.to_string().into()),
    }
}

fn keys(value: &Value) -> Keys {
    let all = value.as_object().into_iter().flatten();
    all.filter_map(|(key, value)| Some((key.as_str().into(), text(value)?))).collect()
}

mod py {
    use super::*;

    fn object(case: &Value) -> PyObject {
        let object = &case["object"];
        let spec = &object["spec"];
        let count = |value: &Value| match value {
            Value::String(text) => PyKnob::Uncountable(text.as_str().into()),
            number => PyKnob::Count(number.as_i64().unwrap_or(1)),
        };
        let replicas = if object["replicas"].is_null() { &spec["replicas"] } else { &object["replicas"] };
        let suspended = object["suspend"].as_bool().or(spec["suspend"].as_bool()).unwrap_or(false);
        let selector = &spec["template"]["spec"]["nodeSelector"];
        let owners = object["ownerReferences"].as_array().into_iter().flatten();
        PyObject {
            annotations: keys(&object["annotations"]),
            created: instant(&object["created"]),
            of_stack: owners
                .map(|owner| &owner["kind"])
                .chain([&object["owner"]])
                .any(|kind| kind == "Stack"),
            knob: match object["kind"].as_str().unwrap() {
                "Stack" => PyKnob::Stack {
                    replicas: replicas.as_i64(),
                    autoscaler_max: spec["autoscaler"]["maxReplicas"].as_i64(),
                },
                "HorizontalPodAutoscaler" => count(&spec["minReplicas"]),
                "PodDisruptionBudget" if spec["minAvailable"].is_null() => count(&spec["maxUnavailable"]),
                "PodDisruptionBudget" => count(&spec["minAvailable"]),
                "DaemonSet" => PyKnob::Parked(!selector["kube-downscaler-non-existent"].is_null()),
                "CronJob" | "Job" => PyKnob::Suspended(suspended),
                "ScaledObject" => PyKnob::Paused,
                _ => count(replicas),
            },
        }
    }

    fn config(config: &Value) -> PyConfig {
        let defaults = PyConfig::default();
        let of = |key: &str, default: &Arc<str>| text(&config[key]).unwrap_or_else(|| Arc::clone(default));
        PyConfig {
            upscale_period: of("upscale_period", &defaults.upscale_period),
            downscale_period: of("downscale_period", &defaults.downscale_period),
            uptime: of("default_uptime", &defaults.uptime),
            downtime: of("default_downtime", &defaults.downtime),
            force_uptime: of("forced_uptime", &defaults.force_uptime),
            force_downtime: of("forced_downtime", &defaults.force_downtime),
            excluded: config["namespace_excluded"].as_bool().filter(|is| *is).map(|_| ("".into(), "".into())),
            upscale_target_only: config["upscale_target_only"].as_bool().unwrap_or(false),
            grace: Millis::from_secs(config["grace_period"].as_i64().unwrap_or(0)),
            downtime_replicas: of("downtime_replicas", &defaults.downtime_replicas),
            deployment_time_key: text(&config["deployment_time_annotation"]),
            options: CheckOptions::default(),
        }
    }

    #[test]
    fn one_cycle_on_one_object_does_what_the_tool_does() {
        for case in cases(PY_CYCLE) {
            let (before, config, now) = (object(&case), config(&case["config"]), instant(&case["now"]));
            let first = before.cycle(&config, now);
            let mut after = before.after(&first);
            for _ in 1..case["repeat"].as_i64().unwrap_or(1) {
                after = after.after(&after.cycle(&config, now));
            }
            let dry = case["config"]["dry_run"].as_bool().unwrap_or(false);
            for (what, expected) in case["expect"].as_object().unwrap() {
                let found = match what.as_str() {
                    "replicas" | "minReplicas" | "minAvailable" | "maxUnavailable" => {
                        after.count().map_or(Value::Null, Value::from)
                    }
                    "spec.replicas" => match &after.knob {
                        PyKnob::Stack { replicas, .. } => json!(replicas),
                        other => panic!("{other:?}"),
                    },
                    "suspend" => json!(after.knob == PyKnob::Suspended(true)),
                    "nodeSelector" if after.knob == PyKnob::Parked(true) => "true".into(),
                    "nodeSelector" => Value::Null,
                    "api_write" => json!(first.writes() && !dry),
                    "warning_logged" => json!(!first.warnings.is_empty()),
                    "annotations" => {
                        // Named ones only: those that are not named are not part of the case.
                        let named = expected.as_object().unwrap().keys();
                        named.map(|key| (key.clone(), json!(after.annotations.get(key.as_str())))).collect()
                    }
                    "annotation_absent" => {
                        assert!(!after.annotations.contains_key(expected.as_str().unwrap()), "{case}");
                        continue;
                    }
                    "single_patch" => {
                        let knob = first.knob.as_ref().map(|_| after.count().unwrap());
                        json!({"annotations": first.annotations, "spec": {"replicas": knob}})
                    }
                    other => panic!("{other} is not looked at in {case}"),
                };
                assert_eq!(&found, expected, "{what} of {case}\n{first:?}");
            }
        }
    }

    #[test]
    fn grace_is_told_by_age() {
        for case in cases(PY_GRACE) {
            let ago = |value: &Value| NOW - Millis::from_secs(value.as_i64().unwrap());
            let own =
                text(&case["annotation_grace_period"]).map(|text| ("downscaler/grace-period".into(), text));
            let deployed = match &case["deployment_time_age_seconds"] {
                Value::Null => None,
                Value::String(text) => Some(("deployed".into(), text.as_str().into())),
                age => Some(("deployed".into(), ago(age).to_rfc3339().into())),
            };
            let config = PyConfig {
                grace: Millis::from_secs(case["global_grace_period"].as_i64().unwrap()),
                deployment_time_key: case["deployment_time_annotation_configured"]
                    .as_bool()
                    .unwrap()
                    .then(|| "deployed".into()),
                ..PyConfig::default()
            };
            let keys = own.into_iter().chain(deployed).collect();
            let within = within_grace(&keys, ago(&case["age_seconds"]), &config, NOW);
            assert_eq!(Value::from(within), case["within_grace"], "{case}");
        }
    }
}

mod go {
    use super::*;

    /// `true` and `false` stand for a span that does and one that does not contain now, `+1y` and `-1y` for times.
    fn value(value: &Value) -> Option<Arc<str>> {
        match value.as_str() {
            Some("-1y") => Some((NOW - Millis::from_hours(24 * 365)).to_rfc3339().into()),
            Some("+1y") => Some((NOW + Millis::from_hours(24 * 365)).to_rfc3339().into()),
            Some(span) if span.contains(':') && span.len() == 11 => {
                Some(format!("Mon-Sun {span} UTC").into())
            }
            _ => text(value),
        }
    }

    fn scope(values: &Value) -> Result<Scope, String> {
        let all = values.as_object().into_iter().flatten();
        let keys = all.filter_map(|(key, of)| Some((format!("downscaler/{key}").into(), value(of)?)));
        Scope::read(&keys.collect(), &CheckOptions::default())
    }

    fn scopes(case: &Value) -> Vec<(ScopeName, Scope)> {
        let all = ScopeName::ALL.into_iter().filter(|name| !case["scopes"][name.name()].is_null());
        all.map(|name| (name, scope(&case["scopes"][name.name()]).unwrap())).collect()
    }

    fn refs(scopes: &[(ScopeName, Scope)]) -> Vec<(ScopeName, &Scope)> {
        scopes.iter().map(|(name, scope)| (*name, scope)).collect()
    }

    fn scaled(result: &Result<Scaling, String>) -> Value {
        match result {
            Ok(Scaling::Multiple) => "multiple (error)".into(),
            Ok(scaling) => scaling.name().into(),
            Err(_) => "error".into(),
        }
    }

    fn ok<T>(result: &Result<T, String>) -> Value {
        if result.is_ok() { "ok".into() } else { "error".into() }
    }

    fn options(case: &Value) -> CheckOptions {
        let of = |key: &str| case[key].as_str().map(str::to_owned);
        CheckOptions { default_timezone: of("default_timezone"), default_weekframe: of("default_weekframe") }
    }

    #[test]
    fn scopes_come_before_each_other_as_in_the_tool() {
        for case in cases(GO_SCOPE) {
            let found = match case["fn"].as_str().unwrap() {
                "incompatible_in_one_scope" => {
                    let set = case["set"].as_array().unwrap().iter();
                    ok(&scope(&set.map(|key| (key.as_str().unwrap().to_owned(), json!(true))).collect()))
                }
                "scope_scaling" => match case["key"].as_str() {
                    None => scaled(&Scope::default().timed(NOW)),
                    Some(key) => scaled(&scope(&json!({key: case["inside_span"]})).unwrap().timed(NOW)),
                },
                "force_scaling" => {
                    let both = json!({"force-downtime": case["force_downtime"], "force-uptime": case["force_uptime"]});
                    scaled(&scope(&both).unwrap().forced(NOW))
                }
                "current_scaling" => scaled(&current_scaling(&refs(&scopes(&case)), NOW)),
                "excluded" => is_excluded(&refs(&scopes(&case)), NOW).unwrap().into(),
                "creation_time" => {
                    let (key, created) = (case["annotation_key"].as_str(), instant(&case["creation"]));
                    begun(key, &keys(&case["annotations"]), created)
                        .map_or("error".into(), |at| at.to_rfc3339().into())
                }
                "env_default_timezone" | "env_timezone_and_downtime" | "env_weekframe_and_downtime" => {
                    let zone = case["value"].as_str().map(str::to_owned);
                    let options = CheckOptions {
                        default_timezone: zone.clone().or(options(&case).default_timezone),
                        ..options(&case)
                    };
                    let downtime = case["downtime"].as_str().unwrap_or("Mon-Fri 08:00-09:00 UTC");
                    let keys = [("downscaler/downtime".into(), downtime.into())].into();
                    let read = Scope::read(&keys, &options).and_then(|scope| scope.timed(NOW));
                    match zone {
                        Some(zone) if read.is_ok() => json!(Some(zone).filter(|zone| !zone.is_empty())),
                        _ => ok(&read),
                    }
                }
                "parse_replicas" => match Replicas::parse(case["input"].as_str().unwrap()) {
                    Ok(Replicas::Absolute(number)) => json!({"absolute": number}),
                    Ok(Replicas::Percent(percent)) => json!({"percent": percent}),
                    Ok(Replicas::Bool(on)) => json!({"bool": on}),
                    Ok(Replicas::Text(text)) => json!({"string": text}),
                    Err(_) => "error".into(),
                },
                other => panic!("the cases of {other} are not run"),
            };
            let expected = match case["expect"].as_str() {
                Some(error) if error.starts_with("error") => "error".into(),
                _ => case["expect"].clone(),
            };
            assert_eq!(found, expected, "{case}");
        }
    }

    const PARKED: &str = "(parking class)";

    fn kind(case: &Value) -> GoKind {
        match case["kind"].as_str().unwrap() {
            "ScaledObject" => GoKind::Paused,
            "CronJob" | "Job" => GoKind::Suspend,
            "DaemonSet" => GoKind::Selector,
            "PodDisruptionBudget" => GoKind::Disruption,
            "HorizontalPodAutoscaler" => GoKind::MinReplicas { max: case["max"].as_i64() },
            "Service" => GoKind::Value { parked: "ClusterIP".into() },
            "Ingress" | "Gateway" => GoKind::Value { parked: PARKED.into() },
            _ => GoKind::Replicas,
        }
    }

    fn state(value: &Value) -> Option<Replicas> {
        match value {
            Value::Null => None,
            Value::Number(number) => number.as_i64().map(Replicas::Absolute),
            Value::Bool(on) => Some(Replicas::Bool(*on)),
            Value::String(text) => Some(match text.as_str() {
                "selector set" => Replicas::Bool(true),
                "selector absent" => Replicas::Bool(false),
                other => Replicas::parse(other).unwrap(),
            }),
            other => panic!("{other}"),
        }
    }

    fn saved(case: &Value, pods: i64) -> Value {
        let request = |key: &str, parse: &dyn Fn(&str) -> f64| case[key].as_str().map_or(0.0, parse);
        let cpu = request("request_cpu", &|text| {
            parse_cpu(text).unwrap().0 as f64 / parse_cpu("1").unwrap().0 as f64
        });
        let memory = request("request_mem", &|text| parse_bytes(text).unwrap().0 as f64 / 1_048_576.0);
        json!([cpu * pods as f64, memory * pods as f64])
    }

    #[test]
    fn state_goes_from_original_to_target_and_back_as_in_the_tool() {
        for case in cases(GO_STATE).into_iter().filter(|case| case["op"] != "filter") {
            let (kind, original) = (kind(&case), state(&case["original"]));
            let op = if case["op"] == "up" { GoOp::Up } else { GoOp::Down };
            let target = state(&case["target"]).unwrap_or(Replicas::Absolute(0));
            let expect = &case["expect"];
            let found = scale(&kind, op, state(&case["current"]).as_ref(), original.as_ref(), &target);
            let Ok(found) = found else {
                assert_eq!(expect["value"], "error", "{case}");
                assert_eq!(state(&expect["original"]), original, "{case}");
                continue;
            };
            assert_eq!(found.value, state(&expect["value"]), "{case}");
            if let Some(expected) = expect.get("original") {
                assert_eq!(found.original, state(expected), "{case}");
            }
            if let Some(expected) = expect["update"].as_bool() {
                assert_eq!(found.update, expected, "{case}");
            }
            if case["saved"].is_object() {
                let pods = case["scheduled"].as_i64().or(case["parallelism"].as_i64()).unwrap_or(1);
                let expected = &case["saved"];
                let expected =
                    json!([expected["cpu"].as_f64().unwrap(), expected["mem_mib"].as_f64().unwrap()]);
                assert_eq!(saved(&case, freed_pods(&kind, &found, pods)), expected, "{case}");
            }
        }
    }

    fn candidate(text: &str) -> Candidate {
        let (namespace, name) = text.split_once('/').unwrap();
        let (name, owner) = name.split_once('(').map_or((name, None), |(name, owner)| (name, Some(owner)));
        let (name, scales) = name.split_once("->").map_or((name, None), |(name, of)| (name, Some(of)));
        Candidate {
            namespace: namespace.into(),
            name: name.into(),
            labels: Vec::new(),
            controlled: owner.is_some_and(|owner| owner.starts_with("owner")),
            scales: scales.map(Into::into),
        }
    }

    #[test]
    fn objects_are_passed_over_as_in_the_tool() {
        for case in cases(GO_STATE).into_iter().filter(|case| case["op"] == "filter") {
            let texts: Vec<&str> =
                case["workloads"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
            let all: Vec<Candidate> = texts.iter().map(|text| candidate(text)).collect();
            // The cases hold plain words only, for which a search is what it is for a pattern.
            let matches =
                |pattern: &Value, text: &str| pattern.as_str().is_some_and(|word| text.contains(word));
            let found =
                acted_on(&all, None, &|namespace| matches(&case["exclude_namespaces"], namespace), &|name| {
                    matches(&case["exclude_workloads"], name)
                });
            let found: Vec<&str> =
                found.iter().map(|one| texts[all.iter().position(|c| c == *one).unwrap()]).collect();
            assert_eq!(json!(found), case["expect"], "{case}");
        }
    }
}
