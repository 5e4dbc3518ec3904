//! `/api/v1` and the probes.

use axum::body::Body;
use axum::http::Request;
use nightcap_core::cluster::CapacityType;
use nightcap_core::engine::Event;
use serde_json::json;

use super::{Answer, OpenAccess, ask, get, state_of};
use crate::api;
use crate::test_cluster::{self, now, size};

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn cost_by_team_and_space_adds_up_to_the_bill() {
    let report: api::CostReport = read(&get("/api/v1/cost?by=team,space&window=today&idle=true").await);
    let step = &report.steps[0];
    let rows: Vec<_> = step.rows.iter().map(|row| (row.name.as_str(), row.cost.to_string())).collect();
    assert_eq!(
        rows,
        [
            ("data/data", "18.637309688115".to_owned()),
            ("shop/shop-dev", "0.552000000001".to_owned()),
            ("__idle__", "14.956690311884".to_owned()),
        ]
    );
    assert_eq!(step.rows.iter().map(|row| row.cost).sum::<api::Money>(), step.total);
    assert_eq!(step.allocated + step.idle, step.total);
    assert_eq!(step.by_confidence.values().copied().sum::<api::Money>(), step.total);
    let key = &step.rows[1].key;
    assert_eq!(serde_json::to_value(key).unwrap(), json!({"team": "shop", "space": "shop-dev"}));
    assert_eq!(
        (report.by, report.currency, report.warnings),
        (
            vec!["team".to_owned(), "space".to_owned()],
            "USD".to_owned(),
            vec!["94.1 % of the total rests on default rates: set price rules for machines without a list price".to_owned()]
        )
    );
}

#[tokio::test]
async fn cost_row_tells_what_was_requested_used_and_charged() {
    let answer = get("/api/v1/cost?by=pod&window=2026-03-02T10:28:00Z,2026-03-02T12:00:00Z").await;
    let report = answer.json();
    assert_eq!(
        report["window"],
        json!({"start": "2026-03-02T10:28:00Z", "end": "2026-03-02T10:30:00Z"}),
        "clipped to the picture"
    );
    let answer = get("/api/v1/cost?by=pod&window=2026-03-02T01:00:00Z,2026-03-02T03:00:00Z").await;
    assert_eq!(
        answer.json()["steps"][0]["rows"][2],
        json!({
            "key": {"pod": "web-2"}, "name": "web-2",
            "cost": 0.096, "cpu_cost": 0.062_494_201_97, "memory_cost": 0.033_505_798_03, "gpu_cost": 0.0,
            "cpu_core_hours": 2.0, "cpu_requested_core_hours": 2.0, "cpu_used_core_hours": 0.0, "cpu_efficiency": 0.0,
            "memory_gib_hours": 8.0, "memory_requested_gib_hours": 8.0, "memory_used_gib_hours": 0.0,
            "memory_efficiency": 0.0, "gpu_hours": 0.0, "share": 0.096 / 6.504, "prorated": false, "late": false,
            "kind": "group", "groups": 1, "storage_cost": 0.0, "load_balancer_cost": 0.0, "network_zone_cost": 0.0,
            "network_region_cost": 0.0, "network_internet_cost": 0.0, "control_plane_cost": 0.0, "fixed_cost": 0.0,
            "idle_share_cost": 0.0, "shared_share_cost": 0.0, "overhead_share_cost": 0.0, "storage_gib_hours": 0.0,
            "network_gib": 0.0, "load_balancer_hours": 0.0, "backfilled": false,
        })
    );
}

#[tokio::test]
async fn idle_is_shared_only_where_asked() {
    for (how, data, shop) in [
        ("none", "18.637309688115", "0.552000000001"),
        ("weighted", "30.936794695447", "3.209205304553"),
        ("even", "26.115654844058", "8.030345155942"),
    ] {
        let report: api::CostReport = read(&get(&format!("/api/v1/cost?share_idle={how}&idle=true")).await);
        let step = &report.steps[0];
        let costs: Vec<_> = step.rows.iter().map(|row| row.cost.to_string()).collect();
        assert_eq!(costs[..2], [data, shop], "{how}");
        assert_eq!(step.rows.iter().map(|row| row.cost).sum::<api::Money>(), step.total, "{how}");
        assert_eq!(step.idle == api::Money::default(), how != "none", "{how}");
        assert_eq!(report.warnings.iter().any(|w| w.contains("shared idle")), how != "none", "{how}");
    }
}

#[tokio::test]
async fn steps_of_a_window_add_up_to_it() {
    let whole: api::CostReport = read(&get("/api/v1/cost?window=today").await);
    let steps: api::CostReport = read(&get("/api/v1/cost?window=today&step=1h7m").await);
    assert_eq!(steps.steps.len(), 10);
    assert_eq!(steps.steps.iter().map(|step| step.total).sum::<api::Money>(), whole.steps[0].total);
    assert_eq!(steps.steps.iter().map(|step| step.idle).sum::<api::Money>(), whole.steps[0].idle);
    assert!(steps.steps[0].prorated && !whole.steps[0].prorated && whole.steps[0].provisional);
}

#[tokio::test]
async fn savings_are_grouped_and_compared_with_cost() {
    let report: api::SavingsReport = read(&get("/api/v1/savings?by=team,policy&window=today").await);
    let rows: Vec<_> = report.rows.iter().map(|row| (row.name.as_str(), row.saved.to_string())).collect();
    assert_eq!(rows, [("lab/namespace uptime", "0.45721986852".to_owned())]);
    assert_eq!((report.saved, report.cost.to_string()), (report.rows[0].saved, "34.146".to_owned()));
    assert_eq!((report.rows[0].asleep_workload_hours, report.rows[0].cpu_freed_core_hours), (6.5, 6.5));
}

#[tokio::test]
async fn savings_of_two_windows_that_meet_are_those_of_both() {
    let saved = async |window: &str| -> api::Money {
        read::<api::SavingsReport>(&get(&format!("/api/v1/savings?by=workload&window={window}")).await).saved
    };
    let (early, late) =
        ("2026-03-02T00:00:00Z,2026-03-02T07:12:31Z", "2026-03-02T07:12:31Z,2026-03-02T10:30:00Z");
    let both = saved("2026-03-02T00:00:00Z,2026-03-02T10:30:00Z").await;
    assert_eq!(both.to_string(), "0.45721986852");
    assert_eq!(saved(early).await + saved(late).await, both);
}

#[tokio::test]
async fn status_tells_how_everything_is() {
    let status: api::Status = read(&get("/api/v1/status").await);
    assert_eq!(
        status.counts,
        api::Counts {
            nodes: 2,
            pods: 2,
            spaces: 3,
            spaces_asleep: 1,
            workloads: 2,
            workloads_asleep: 1,
            actions_in_flight: status.counts.actions_in_flight,
        }
    );
    assert_eq!(
        (status.hourly_cost.to_string(), status.hourly_saving.to_string(), status.saved.to_string()),
        ("3.252".to_owned(), "0.070341518234".to_owned(), "0.45721986852".to_owned())
    );
    let shares: Vec<_> = status
        .price_confidence
        .iter()
        .map(|c| (c.confidence.to_string(), c.hourly_cost.to_string()))
        .collect();
    assert_eq!(shares, [("list".to_owned(), "0.192".to_owned()), ("default".to_owned(), "3.06".to_owned())]);
    assert_eq!(
        status.usage,
        api::UsageReport {
            newest: Some(now() - nightcap_core::units::Millis::MINUTE),
            fresh_pods: 1,
            problem: None
        }
    );
    let problems: Vec<_> = status.problems.iter().map(|p| (p.object.as_str(), p.reason.as_str())).collect();
    assert_eq!(problems, [("namespace data", "bad-annotation"), ("node n2", "default-price")]);
    assert!(status.synced && status.missing.is_empty());
}

#[tokio::test]
async fn space_is_told_with_its_wishes_workloads_and_problems() {
    let answer = get("/api/v1/spaces/lab").await;
    let why = "Outside its uptime `Mon-Fri 20:00-22:00`.";
    let next = json!({
        "at": "2026-03-02T20:00:00Z", "asleep": false, "policy": "namespace uptime",
        "why": "Within its uptime `Mon-Fri 20:00-22:00`.",
    });
    assert_eq!(
        answer.json(),
        json!({
            "at": "2026-03-02T10:30:00Z", "mode": "act",
            "space": {
                "name": "lab", "team": "lab", "team_kind": "team",
                "team_rule": "label team of the namespace", "owner": "unowned", "owner_kind": "unknown",
                "owner_rule": "no rule matched", "tier": null,
                "state": "asleep", "since": "2026-03-02T04:00:00Z", "should_sleep": true, "wished_asleep": true,
                "policy": "namespace uptime", "why": why, "next_change": "2026-03-02T20:00:00Z",
                "hourly_cost": 0.0, "hourly_saving": 0.070_341_518_234, "hourly_would_save": 0.0,
                "workloads": 1, "workloads_asleep": 1, "bare_pods": 0, "next": next,
            },
            "wishes": [{
                "source": "namespace uptime", "value": "Mon-Fri 20:00-22:00", "asleep": true, "why": why,
                "until": "2026-03-02T20:00:00Z", "counts": true, "won": true, "by": null, "hands_off": false,
                "warnings": [],
            }],
            "workloads": [{
                "kind": "Deployment", "name": "notebook", "replicas": 0, "suspended": null, "switched_off": null, "ready_replicas": 0,
                "asleep": true, "asleep_since": "2026-03-02T04:00:00Z", "asleep_why": "Outside its uptime.",
                "asleep_policy": "namespace uptime", "asleep_by": "nightcap", "original_replicas": 2,
                "original_suspended": null, "should_sleep": true, "policy": "namespace uptime", "why": why,
                "next_change": "2026-03-02T20:00:00Z", "refusal": null, "local_volumes": [], "hourly_cost": 0.070_341_518_234,
                "next": next, "wishes": null,
            }],
            "problems": [],
        })
    );
    let detail: api::SpaceDetail = read(&get("/api/v1/spaces/data").await);
    assert_eq!(detail.problems.len(), 1);
    let list: api::SpaceList = read(&get("/api/v1/spaces").await);
    assert_eq!(list.spaces.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["data", "lab", "shop-dev"]);
}

#[tokio::test]
async fn node_is_told_with_the_price_and_its_origin() {
    let list: api::NodeList = read(&get("/api/v1/nodes").await);
    assert_eq!(list.hourly_cost.to_string(), "3.252");
    let answer = get("/api/v1/nodes").await.json();
    assert_eq!(
        answer["nodes"][0],
        json!({
            "name": "n1", "provider": "aws", "provider_id": "aws:///eu-central-1a/i-n1", "region": "eu-central-1",
            "zone": "eu-central-1a", "instance_type": "m5.xlarge", "capacity_type": "on-demand", "arch": "amd64",
            "cpu_cores": 4.0, "memory_gib": 16.0, "gpus": 0.0, "pods": 1, "ready": true,
            "created": "2026-03-02T00:00:00Z", "hourly_cost": 0.192, "cpu_hourly_cost": 0.124_988_403_94,
            "memory_hourly_cost": 0.067_011_596_06, "gpu_hourly_cost": 0.0,
            "price": {
                "hourly": 0.192, "confidence": "list", "source": "test-prices", "date": "2026-03-01",
                "reason": "as the test says",
            },
        })
    );
}

#[tokio::test]
async fn ready_when_lists_and_prices_are_there() {
    assert_eq!(get("/readyz").await.json(), json!({"ready": true, "missing": []}));
    assert_eq!(get("/healthz").await.json(), json!({"status": "ok", "name": "nightcap"}));
    let mut engine =
        nightcap_core::engine::Engine::new(nightcap_core::engine::Settings::new(test_cluster::start()));
    engine.apply(
        Event::Node(test_cluster::node("n9", size(1_000, 1, 0), CapacityType::Spot)),
        test_cluster::start(),
    );
    let state = state_of(engine, std::sync::Arc::new(OpenAccess));
    let answer = ask(&state, Request::get("/readyz").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (
            503,
            json!({"ready": false, "missing": [
                "the list of nodes", "the list of namespaces", "the list of pods", "the list of deployments",
                "the list of statefulsets", "the list of cronjobs", "the list of daemonsets",
                "the list of replicasets", "the list of replicationcontrollers", "the list of jobs",
                "the list of persistentvolumes",
                "the list of persistentvolumeclaims", "the list of services", "the list of sleeppolicies", "the price of node n9",
            ]})
        )
    );
}

#[tokio::test]
async fn window_that_reaches_further_than_what_is_known_is_warned_of() {
    let report: api::CostReport = read(&get("/api/v1/cost?window=2d").await);
    assert_eq!(
        report.warnings[0],
        "the window begins before 2026-03-02T00:00:00Z, from when money is counted"
    );
    let report: api::CostReport =
        read(&get("/api/v1/cost?window=2027-01-01T00:00:00Z,2027-01-02T00:00:00Z").await);
    assert_eq!(
        report.warnings,
        ["the window holds no time before 2026-03-02T10:30:00Z, the instant of the picture"]
    );
    assert_eq!((report.steps.len(), report.steps[0].total), (1, api::Money::default()));
}

#[tokio::test]
async fn what_is_not_understood_is_named() {
    for (path, code, value) in [
        ("/api/v1/cost?window=soon", "bad-window", "soon"),
        (
            "/api/v1/cost?window=2026-03-02T00:00:00Z,2026-03-01T00:00:00Z",
            "bad-window",
            "2026-03-02T00:00:00Z,2026-03-01T00:00:00Z",
        ),
        ("/api/v1/cost?by=colour", "bad-value", "colour"),
        ("/api/v1/cost?by=annotation:x", "bad-value", "annotation:x"),
        ("/api/v1/cost?filter=colour:red", "bad-filter", "colour:red"),
        ("/api/v1/cost?top=few", "bad-value", "few"),
        ("/api/v1/cost?share_shared=fairly", "bad-value", "fairly"),
        ("/api/v1/cost?shared_labels=app", "bad-value", "app"),
        ("/api/v1/cost?timezone=Bonn", "bad-value", "Bonn"),
        ("/api/v1/cost?by=team,team", "bad-value", "team,team"),
        ("/api/v1/cost?by=team,,space", "bad-value", ""),
        ("/api/v1/cost?step=often", "bad-step", "often"),
        ("/api/v1/cost?step=0s", "bad-step", "0s"),
        ("/api/v1/cost?step=1ms", "bad-step", "1ms"),
        ("/api/v1/cost?idle=maybe", "bad-value", "maybe"),
        ("/api/v1/cost?teams=shop", "unknown-parameter", "teams"),
        ("/api/v1/cost?by=team&by=space", "bad-query", "by"),
        ("/api/v1/status?window=today", "unknown-parameter", "window"),
        ("/api/v1/savings?by=node", "bad-value", "node"),
    ] {
        let answer = get(path).await;
        let (status, found) = answer.code();
        let given = answer.json()["error"]["value"].clone();
        assert_eq!((status, found.as_str(), given), (400, code, json!(value)), "{path}: {}", answer.text);
    }
    let answer = get("/api/v1/spaces/nowhere").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (
            404,
            json!({"error": {
                "code": "no-such-space", "message": "there is no such namespace in this cluster", "value": "nowhere",
                "hint": "GET /api/v1/spaces lists those there are",
            }})
        )
    );
}

#[tokio::test]
async fn budgets_tell_what_was_spent_and_what_to_expect() {
    // Two pods at $0.048 an hour, one for nine and a half hours, one for two; the closed ten hours cost $0.528.
    assert_eq!(
        get("/api/v1/budgets").await.json(),
        json!({
            "at": "2026-03-02T10:30:00Z",
            "currency": "USD",
            "budgets": [{
                "name": "shop-week",
                "selector": {"teams": ["shop"], "owners": [], "spaces": [], "namespaces": [], "labels": {}},
                "period": "week",
                "zone": "UTC",
                "window": {"start": "2026-03-02T00:00:00Z", "end": "2026-03-09T00:00:00Z"},
                "amount": 10.0,
                "spent": 0.552_000_000_001,
                "used_ratio": 0.055_200_000_000_1,
                "marks": [50, 80, 100],
                "marks_reached": [],
                "missing_hours": 0,
                "pace_percent": null,
                "forecast": {
                    "expected": 8.868_000_000_001,
                    "low": 4.710_000_000_001,
                    "high": 13.026_000_000_001,
                    "confidence": "low",
                    "reason": "by the mean of 10 hours: there is less than a week of history",
                    "breach": null,
                },
                "jump": null,
                "matched": {"spaces": 1, "workloads": 1, "names": ["shop-dev"]},
                "problem": null,
            }],
        })
    );
}
