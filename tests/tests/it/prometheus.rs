//! The real Prometheus reads what the daemon says.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use nightcap_tests::objects::deployment;
use nightcap_tests::{Prometheus, PrometheusOptions, promtool_check_metrics, wait};
use serde_json::Value;

use crate::stage::{self, space};

#[tokio::test]
async fn prometheus_scrapes_all_and_promtool_is_content() {
    let stage = stage::acting().await;
    let client = stage.client();
    space(&client, "scraped", &[("nightcap.dev/team", "watchers")]).await;
    deployment("scraped", "web").replicas(2).requests("250m", "1Gi").create(&client).await.unwrap();
    wait::pods_running(&client, "scraped", 2).await.unwrap();

    let prometheus = Prometheus::start(&stage.daemon.address(), PrometheusOptions::default()).await.unwrap();
    prometheus.wait_for_target_up().await.unwrap();
    let value = async |promql: &str| -> anyhow::Result<f64> {
        let found = prometheus.query(promql).await?;
        ensure!(found.len() == 1, "{promql} gives {} samples", found.len());
        Ok(found[0].value)
    };
    wait::until("what was created to be scraped", wait::PATIENCE, async || {
        let cores = value(r#"sum(container_cpu_allocation{namespace="scraped"})"#).await?;
        ensure!((cores - 0.5).abs() < 1e-9, "{cores} cores");
        Ok(())
    })
    .await
    .unwrap();
    assert!((value("up").await.unwrap() - 1.0).abs() < f64::EPSILON);
    let price = value(r#"node_total_hourly_cost{node="large"}"#).await.unwrap();
    let cluster = value("nightcap_cluster_hourly_cost_dollars").await.unwrap();
    assert!(price > 0.0 && cluster >= price, "{price} of {cluster}");
    assert!(value(r#"nightcap_team_hourly_cost_dollars{team="watchers"}"#).await.unwrap() > 0.0);
    // A counter that grows, as Prometheus sees it.
    wait::until("the team's cost to grow", wait::PATIENCE, async || {
        let grown = value(r#"increase(nightcap_team_cost_dollars_total{team="watchers"}[1m])"#).await?;
        ensure!(grown > 0.0, "{grown}");
        Ok(())
    })
    .await
    .unwrap();

    let targets = prometheus.api("/api/v1/targets", &[]).await.unwrap();
    let target = targets.pointer("/activeTargets/0").context("no target").unwrap();
    assert_eq!(target["lastError"], "");
    let scraped = value("scrape_samples_scraped").await.unwrap();
    let kept = value("scrape_samples_post_metric_relabeling").await.unwrap();
    assert!(scraped > 50.0 && (scraped - kept).abs() < f64::EPSILON, "{scraped} scraped, {kept} kept");
    // No name is lost on the way.
    let told: BTreeSet<String> =
        stage.daemon.metrics().await.unwrap().0.into_iter().map(|line| line.name).collect();
    let names = prometheus.api("/api/v1/label/__name__/values", &[]).await.unwrap();
    let names: BTreeSet<String> =
        names.as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    assert_eq!(told.difference(&names).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn promtool_finds_fault_with_nothing_but_opencosts_own_names() {
    let stage = stage::acting().await;
    let complaints = promtool_check_metrics(&stage.daemon.get_text("/metrics").await.unwrap()).await.unwrap();
    // OpenCost's name, which its dashboards ask for.
    let expected = "node_gpu_count non-histogram and non-summary metrics should not have \"_count\" suffix";
    assert_eq!(complaints, [expected]);
}
