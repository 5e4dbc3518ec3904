//! What the configuration says is for everybody, and what questions say instead.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use chrono_tz::Tz;
use nightcap_core::money::query::{SharedRules, Sharing, Spread};

use super::{AppState, OpenAccess, ask, state};
use crate::api::{CostReport, Money};
use crate::test_cluster;

fn configured() -> Sharing {
    let rules = SharedRules { namespaces: vec!["shop-*".into()], ..SharedRules::default() };
    Sharing { rules, shared: Spread::Even, ..Sharing::weighted() }
}

async fn cost(state: &AppState, query: &str) -> CostReport {
    let path = format!("/api/v1/cost?by=namespace&idle=true&window=today{query}");
    let answer = ask(state, Request::get(path).body(Body::empty()).unwrap()).await;
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
}

/// The rows that cost something, by name, after checking that they are the bill.
fn rows(report: &CostReport) -> Vec<(String, String)> {
    let step = &report.steps[0];
    assert_eq!(step.rows.iter().map(|row| row.cost).sum::<Money>(), step.total);
    let rows = step.rows.iter().filter(|row| row.cost != Money::default());
    rows.map(|row| (row.name.clone(), row.cost.to_string())).collect()
}

/// Each question means just what the same question means, spelled out, where nothing is configured.
#[tokio::test]
async fn what_is_configured_holds_unless_the_question_says_otherwise() {
    let (plain, with) = (state(), state().with_sharing(&configured()));
    for (asked, spelled_out) in [
        ("", "&shared_namespaces=shop-*"),
        ("&share=false", "&shared_namespaces=shop-*"),
        (
            "&share=true",
            "&shared_namespaces=shop-*&share_idle=weighted&share_shared=even&share_overhead=weighted",
        ),
        (
            "&share=true&share_idle=none&share_shared=weighted",
            "&shared_namespaces=shop-*&share_shared=weighted&share_overhead=weighted",
        ),
        ("&share_idle=even", "&shared_namespaces=shop-*&share_idle=even"),
        ("&shared_namespaces=data", "&shared_namespaces=data"),
        ("&shared_daemonsets=true", "&shared_namespaces=shop-*&shared_daemonsets=true"),
        ("&shared_as_configured=false", ""),
        ("&shared_as_configured=false&shared_system=true", "&shared_system=true"),
    ] {
        let (one, other) = (cost(&with, asked).await, cost(&plain, spelled_out).await);
        assert_eq!(rows(&one), rows(&other), "{asked}");
    }
    // Nothing configured: shared is what is usually meant by it.
    let asked = cost(&plain, "&share=true").await;
    let spelled_out =
        cost(&plain, "&share_idle=weighted&share_shared=weighted&share_overhead=weighted").await;
    assert_eq!(asked, spelled_out);
}

#[tokio::test]
async fn the_answer_says_what_the_configuration_did() {
    let state = state().with_sharing(&configured());
    let told = "what the configuration says is for everybody is the line __shared__ and in no other row; \
                shared_as_configured=false leaves it with its own";
    let spread = "the rows include shares of idle, shared, overhead cost, as asked";
    for (query, expected) in [
        ("", vec![told]),
        ("&share=true", vec![told, spread]),
        ("&shared_namespaces=data", vec![]),
        ("&shared_as_configured=false", vec![]),
    ] {
        let report = cost(&state, query).await;
        let warnings: Vec<&str> = report.warnings.iter().map(String::as_str).collect();
        let ours = |warning: &&str| [told, spread].contains(warning);
        assert_eq!(warnings.into_iter().filter(ours).collect::<Vec<_>>(), expected, "{query}");
    }
}

/// OpenCost's own parameters come before the configuration.
#[tokio::test]
async fn opencosts_parameters_override() {
    let rich = || {
        let handle = test_cluster::handle_of(test_cluster::rich_snapshot());
        AppState::new(handle, Arc::new(OpenAccess), Tz::UTC)
    };
    let (plain, with) = (rich(), rich().with_sharing(&configured()));
    let data = async |state: &AppState, query: &str| {
        let path = format!("/allocation?window=today&aggregate=namespace&includeIdle=true{query}");
        let answer = ask(state, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["data"].clone()
    };
    for (asked, spelled_out) in [
        ("", "&shareNamespaces=shop-*&shareSplit=none"),
        ("&share=true", "&shareNamespaces=shop-*&shareIdle=weighted&shareSplit=even&shareTenancyCosts=true"),
        ("&share=true&shareTenancyCosts=false&shareIdle=false", "&shareNamespaces=shop-*&shareSplit=even"),
        ("&shareNamespaces=lab", "&shareNamespaces=lab&shareSplit=even"),
        ("&shareIdle=true", "&shareNamespaces=shop-*&shareSplit=none&shareIdle=true"),
        ("&shareSplit=weighted", "&shareNamespaces=shop-*&shareSplit=weighted"),
    ] {
        assert_eq!(data(&with, asked).await, data(&plain, spelled_out).await, "{asked}");
    }
}
