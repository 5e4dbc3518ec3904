//! What a policy's object says, and what is written back on it.

use std::time::Duration;

use nightcap_core::engine::Outcome;
use nightcap_core::sleep::policy::{PolicyMatch, PolicyReport, RawExpression, RawPolicy, RawSelector};
use nightcap_core::units::{Instant, parse_rfc3339};
use serde_json::{Value, json};

use super::{SleepPolicy, definitions, policy_report, policy_status};
use crate::act::write_policy;
use crate::convert::policy;
use crate::server::{Answer, scripted};

fn object(spec: &Value) -> SleepPolicy {
    serde_json::from_value(json!({
        "apiVersion": "nightcap.dev/v1alpha1",
        "kind": "SleepPolicy",
        "metadata": { "uid": "u-1", "name": "nights", "generation": 3 },
        "spec": spec,
    }))
    .unwrap()
}

fn at(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

#[test]
fn what_is_written_reaches_the_core_whole() {
    let spec = json!({
        "namespaces": ["dev-*"],
        "namespaceSelector": { "matchLabels": { "env": "dev" } },
        "workloadSelector": { "matchExpressions": [{ "key": "tier", "operator": "NotIn", "values": ["db"] }] },
        "teams": ["shop"],
        "enforced": true,
        "priority": -7,
        "uptime": "Mon-Fri 08:00-20:00",
        "downtime": "never",
        "timezone": "Europe/Berlin",
        "holidays": ["de"],
        "exclude": false,
    });
    let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let expected = RawPolicy {
        namespaces: texts(&["dev-*"]),
        namespace_selector: Some(RawSelector {
            labels: [("env".to_owned(), "dev".to_owned())].into(),
            expressions: Vec::new(),
        }),
        workload_selector: Some(RawSelector {
            labels: [].into(),
            expressions: vec![RawExpression {
                key: "tier".to_owned(),
                operator: "NotIn".to_owned(),
                values: texts(&["db"]),
            }],
        }),
        teams: texts(&["shop"]),
        enforced: true,
        priority: -7,
        uptime: Some("Mon-Fri 08:00-20:00".to_owned()),
        downtime: Some("never".to_owned()),
        timezone: Some("Europe/Berlin".to_owned()),
        holidays: Some(texts(&["de"])),
        exclude: false,
    };
    assert_eq!(object(&spec).spec.raw(), expected);
    let read = policy(&object(&spec)).unwrap();
    assert_eq!((read.generation, read.spec), (3, Ok(expected.read().unwrap())));
    // What an older schema let through is named, and the object not lost.
    let reason = policy(&object(&json!({ "uptime": "always" }))).unwrap().spec.unwrap_err();
    assert!(reason.starts_with("names nothing"), "{reason}");
}

#[test]
fn the_definition_refuses_what_cannot_be_meant() {
    let all = definitions().unwrap();
    let crd = &all[1].object["spec"];
    assert_eq!((crd["group"].as_str(), crd["scope"].as_str()), (Some("nightcap.dev"), Some("Cluster")));
    let version = &crd["versions"][0];
    assert_eq!(version["subresources"], json!({ "status": {} }));
    let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"];
    assert_eq!(spec["x-kubernetes-validations"].as_array().map(Vec::len), Some(3), "{spec}");
    let properties = &spec["properties"];
    assert_eq!(properties["enforced"]["default"], json!(false));
    assert_eq!(properties["namespaces"]["items"]["pattern"], "^[a-z0-9*-]+$");
    let expression = &properties["workloadSelector"]["properties"]["matchExpressions"]["items"];
    assert_eq!(expression["required"], json!(["key", "operator"]));
    assert_eq!(expression["x-kubernetes-validations"].as_array().map(Vec::len), Some(1), "{expression}");
}

#[tokio::test]
async fn status_says_all_and_is_read_back() {
    let matched = PolicyMatch {
        namespaces: 2,
        workloads: 5,
        deciding: 4,
        names: vec!["dev-a".into(), "dev-b".into()],
        next_change: Some(at("2026-03-10T19:00:00Z")),
    };
    let report = PolicyReport {
        generation: 3,
        problem: Some("uptime: \"Funday\" is no day".into()),
        since: at("2026-03-10T12:00:00Z"),
        idle: None,
        idle_since: at("2026-03-09T12:00:00Z"),
        matched: Some(matched),
    };
    let (cluster, log) = scripted([Answer::version("42")]);
    let outcome = write_policy(&cluster, "nights", "u-1", &report, Duration::from_secs(10)).await;
    assert_eq!(outcome, Outcome::Done { resource_version: "42".into() });
    let asked = &log.all()[0];
    let line = "PATCH /apis/nightcap.dev/v1alpha1/sleeppolicies/nights/status?fieldManager=nightcap";
    assert_eq!(asked.line, line);
    let expected = json!({ "metadata": { "uid": "u-1" }, "status": {
        "observedGeneration": 3,
        "matched": { "namespaces": 2, "workloads": 5, "names": ["dev-a", "dev-b"] },
        "deciding": 4,
        "nextChange": "2026-03-10T19:00:00Z",
        "conditions": [
            {
                "type": "Accepted", "status": "False", "observedGeneration": 3, "reason": "Malformed",
                "lastTransitionTime": "2026-03-10T12:00:00Z", "message": "uptime: \"Funday\" is no day",
            },
            {
                "type": "Active", "status": "True", "observedGeneration": 3, "reason": "ModeAct",
                "lastTransitionTime": "2026-03-09T12:00:00Z", "message": "The daemon acts by policies.",
            },
        ],
    } });
    assert_eq!(asked.body, expected);
    let nothing = PolicyReport { matched: None, ..report.clone() };
    for report in [report, nothing] {
        assert_eq!(policy_report(&policy_status(&report)), Some(report));
    }
}
