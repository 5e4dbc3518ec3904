//! Budgets on a real API server: their definition refuses what cannot be meant, and the daemon says what it found.

use anyhow::{Context, ensure};
use nightcap_tests::objects::deployment;
use nightcap_tests::{Options, wait};
use serde_json::{Value, json};

use crate::stage::{self, Stage, space};

/// Two namespaces by pattern, so little money that it is passed within the minute.
const SMALL: &str = r#"
apiVersion: nightcap.dev/v1alpha1
kind: Budget
metadata: {name: small}
spec:
  amount: "0.01"
  period: month
  selector: {namespaces: ["spent-*"]}
"#;

fn definition() -> String {
    std::fs::read_to_string(nightcap_tests::workspace().join("deploy/crds/budget.yaml")).unwrap()
}

async fn budget(stage: &Stage, name: &str) -> anyhow::Result<Value> {
    let text = stage.plane.kubectl(&["get", "budget", name, "-o", "json"]).await?;
    Ok(serde_json::from_str(&text)?)
}

#[tokio::test]
async fn budget_over_two_namespaces_is_followed_and_told() {
    let plane = stage::cluster(Options::default()).await;
    plane.apply(&definition()).await.unwrap();
    plane.kubectl(&["wait", "--for=condition=Established", "crd/budgets.nightcap.dev"]).await.unwrap();
    // What the schema is for.
    for (amount, period, selector, word) in [
        (r#""abc""#, "month", r#"{teams: ["shop"]}"#, "spec.amount"),
        (r#""-5""#, "month", r#"{teams: ["shop"]}"#, "spec.amount"),
        ("0", "month", r#"{teams: ["shop"]}"#, "amount must be more than zero"),
        ("5", "year", r#"{teams: ["shop"]}"#, "spec.period"),
        ("5", "week", "{}", "name somebody"),
        ("5", "week", "{teams: []}", "name somebody"),
    ] {
        let text = format!(
            "apiVersion: nightcap.dev/v1alpha1\nkind: Budget\nmetadata: {{name: bad}}\n\
             spec: {{amount: {amount}, period: {period}, selector: {selector}}}\n"
        );
        let refused = plane.apply(&text).await.unwrap_err();
        let words = format!("{refused:#}");
        assert!(words.contains(word), "{text}: {words}");
    }
    let examples = std::fs::read_to_string(nightcap_tests::workspace().join("examples/budget.yaml")).unwrap();
    plane.apply(&examples).await.unwrap();

    let client = plane.client().unwrap();
    for name in ["spent-a", "spent-b"] {
        space(&client, name, &[("nightcap.dev/team", "spenders")]).await;
        deployment(name, "web").replicas(4).requests("8", "32Gi").create(&client).await.unwrap();
        wait::pods_running(&client, name, 4).await.unwrap();
    }
    let mut daemon = nightcap_tests::Daemon::start(stage::daemon(&plane, "observe", &json!({}))).unwrap();
    daemon.wait_ready().await.unwrap();
    let stage = Stage { plane, daemon };
    stage.plane.apply(SMALL).await.unwrap();

    // Written on the object: what it matched, and that it is about this version of it.
    let found = wait::until("the budget's status", wait::PATIENCE, async || {
        let found = budget(&stage, "small").await?;
        ensure!(found.pointer("/status/observedGeneration").is_some(), "{found}");
        Ok(found)
    });
    let found = found.await.map_err(|error| stage.daemon.explain(error)).unwrap();
    let status = &found["status"];
    assert_eq!(status["observedGeneration"], found["metadata"]["generation"]);
    assert_eq!(status["amountUSD"], "0.01");
    assert_eq!(status["matched"], json!({ "spaces": 2, "workloads": 2, "names": ["spent-a", "spent-b"] }));
    assert_eq!(status["forecast"]["confidence"], "low");

    // The API is of the moment: the amount is passed, and so are all marks.
    let passed = wait::until("the amount to be passed", wait::PATIENCE, async || {
        let list = stage.daemon.get_json("/api/v1/budgets").await?;
        let all = list["budgets"].as_array().context("no budgets")?;
        ensure!(all.len() == 4, "{} budgets", all.len());
        let small = all.iter().find(|budget| budget["name"] == "small").context("not there")?;
        ensure!(small["marks_reached"] == json!([50, 80, 100]), "{small}");
        Ok(small.clone())
    });
    let small = passed.await.map_err(|error| stage.daemon.explain(error)).unwrap();
    assert!(small["forecast"]["breach"].is_string(), "{small}");
    assert!(small["used_ratio"].as_f64().unwrap() > 1.0, "{small}");
    let metrics = stage.daemon.get_text("/metrics").await.unwrap();
    assert!(
        metrics.contains(r#"nightcap_budget_amount_usd{budget="small",period="month"} 0.01"#),
        "{metrics}"
    );

    // Gone from the cluster, gone from the daemon.
    stage.plane.kubectl(&["delete", "budget", "small"]).await.unwrap();
    wait::until("the budget to be gone", wait::PATIENCE, async || {
        let list = stage.daemon.get_json("/api/v1/budgets").await?;
        ensure!(list["budgets"].as_array().is_some_and(|all| all.len() == 3), "{list}");
        Ok(())
    })
    .await
    .unwrap();
}
