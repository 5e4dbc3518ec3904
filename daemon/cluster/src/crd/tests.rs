//! What an object says, and what is written back on it.

use std::time::Duration;

use nightcap_core::advice::budget::{
    BudgetBook, BudgetObject, Confidence, Forecast, Matched, Past, Period, RawBudget, WeekStart, assess,
};
use nightcap_core::engine::{BudgetReport, Outcome};
use nightcap_core::units::{Instant, PicoUsd, parse_rfc3339};
use serde_json::{Value, json};

use super::{Budget, definitions};
use crate::act::write_budget;
use crate::convert::budget;
use crate::server::{Answer, scripted};

fn object(spec: &Value) -> Budget {
    serde_json::from_value(json!({
        "apiVersion": "nightcap.dev/v1alpha1",
        "kind": "Budget",
        "metadata": { "uid": "u-1", "name": "shop", "generation": 3 },
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
        "amount": 1500,
        "period": "week",
        "weekStart": "Sunday",
        "timeZone": "Europe/Berlin",
        "marks": [90],
        "selector": {
            "teams": ["shop"], "owners": ["ann"], "spaces": ["s-*"], "namespaces": ["n-*"], "labels": { "env": "dev" }
        },
    });
    let expected = RawBudget {
        amount: "1500".to_owned(),
        period: "week".to_owned(),
        week_start: Some("Sunday".to_owned()),
        time_zone: Some("Europe/Berlin".to_owned()),
        marks: Some(vec![90]),
        teams: vec!["shop".to_owned()],
        owners: vec!["ann".to_owned()],
        spaces: vec!["s-*".to_owned()],
        namespaces: vec!["n-*".to_owned()],
        labels: [("env".to_owned(), "dev".to_owned())].into(),
    };
    assert_eq!(object(&spec).spec.raw(), expected);
    let read = expected.read().unwrap();
    assert_eq!((read.period, read.amount), (Period::Week(WeekStart::Sunday), PicoUsd(1_500_000_000_000_000)));
    let record = BudgetObject { uid: "u-1".into(), name: "shop".into(), generation: 3, spec: Ok(read) };
    assert_eq!(budget(&object(&spec)), Ok(record));
}

#[test]
fn what_an_older_schema_let_through_is_named_and_not_lost() {
    let reason = |spec: Value| budget(&object(&spec)).unwrap().spec.unwrap_err().to_string();
    let team = json!({ "teams": ["shop"] });
    assert!(reason(json!({})).starts_with("selector: names nobody"));
    assert!(reason(json!({ "period": "month", "selector": team })).starts_with("amount: \"\" is no"));
    assert!(
        reason(json!({ "amount": 9.5e20, "period": "month", "selector": team }))
            .starts_with("amount: \"9.5e+20\"")
    );
    assert!(
        reason(json!({ "amount": -5, "period": "month", "selector": team })).starts_with("amount: \"-5\"")
    );
    assert!(
        reason(json!({ "amount": 5, "period": "year", "selector": team })).starts_with("period: \"year\"")
    );
}

#[test]
fn the_definition_refuses_what_cannot_be_meant() {
    let all = definitions().unwrap();
    assert_eq!(
        all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["budgets.nightcap.dev", "sleeppolicies.nightcap.dev"]
    );
    let crd = &all[0].object["spec"];
    assert_eq!((crd["group"].as_str(), crd["scope"].as_str()), (Some("nightcap.dev"), Some("Cluster")));
    let version = &crd["versions"][0];
    assert_eq!(version["subresources"], json!({ "status": {} }));
    let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"];
    assert_eq!(spec["required"], json!(["amount", "period", "selector"]));
    assert_eq!(spec["properties"]["period"]["enum"], json!(["week", "month"]));
    assert_eq!(spec["properties"]["amount"]["pattern"], r"^[0-9]{1,12}(\.[0-9]{1,2})?$");
    let rules = |of: &Value| of["x-kubernetes-validations"].as_array().map_or(0, Vec::len);
    let counts = [spec, &spec["properties"]["amount"], &spec["properties"]["selector"]].map(rules);
    assert_eq!(counts, [1, 1, 1]);
}

#[tokio::test]
async fn status_says_all_and_takes_back_what_holds_no_more() {
    let raw = RawBudget {
        amount: "300".to_owned(),
        period: "month".to_owned(),
        time_zone: Some("Asia/Tokyo".to_owned()),
        teams: vec!["shop".to_owned()],
        ..RawBudget::default()
    };
    let spec = raw.read().unwrap();
    let (book, zone, now) = (BudgetBook::default(), spec.zone.unwrap(), at("2026-03-10T12:00:00Z"));
    let past = Past::of(&book, &spec, zone, now);
    let matched = Matched { spaces: 1, workloads: 2, names: vec!["shop-dev".into()] };
    let mut status = assess(&spec, zone, (&book, &past), &[], matched, now);
    status.spent = PicoUsd(150_994_999_999_999);
    status.percent = 50;
    status.reached = vec![50];
    status.forecast = Forecast {
        expected: PicoUsd(420_000_000_000_000),
        low: PicoUsd(400_005_000_000_000),
        high: PicoUsd(450_000_000_000_000),
        confidence: Confidence::High,
        reason: "by the norm of 8 weeks, which are alike".into(),
        // In Tokyo it is the next day.
        breach: Some(at("2026-03-20T18:00:00Z")),
    };
    let report = BudgetReport { generation: 3, problem: None, status: Some(status) };
    let (cluster, log) = scripted([Answer::version("42"), Answer::version("43")]);
    let patience = Duration::from_secs(10);
    let outcome = write_budget(&cluster, "shop", "u-1", &report, patience).await;
    assert_eq!(outcome, Outcome::Done { resource_version: "42".into() });
    let asked = &log.all()[0];
    assert_eq!(asked.line, "PATCH /apis/nightcap.dev/v1alpha1/budgets/shop/status?fieldManager=nightcap");
    let expected = json!({ "metadata": { "uid": "u-1" }, "status": {
        "observedGeneration": 3,
        "problem": null,
        "periodStart": "2026-02-28T15:00:00Z",
        "periodEnd": "2026-03-31T15:00:00Z",
        "amountUSD": "300.00",
        "spentUSD": "150.99",
        "percent": 50,
        "marksReached": [50],
        "missingHours": 237,
        "pacePercent": null,
        "forecast": {
            "expectedUSD": "420.00",
            "lowUSD": "400.01",
            "highUSD": "450.00",
            "confidence": "high",
            "reason": "by the norm of 8 weeks, which are alike",
            "breachDate": "2026-03-21",
        },
        "jump": null,
        "matched": { "spaces": 1, "workloads": 2, "names": ["shop-dev"] },
    } });
    assert_eq!(asked.body, expected);
    let bad = BudgetReport { generation: 4, problem: Some("amount: \"abc\" is none".into()), status: None };
    write_budget(&cluster, "shop", "u-1", &bad, patience).await;
    let written = &log.all()[1].body["status"];
    assert_eq!(
        (&written["problem"], &written["spentUSD"]),
        (&json!("amount: \"abc\" is none"), &Value::Null)
    );
}
