//! What goes wrong in real clusters: each hurts its own object only, is said, and ends; nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use nightcap_tests::exact::pico_at;
use nightcap_tests::objects::{cron_job, deployment, node, pod, stateful_set};
use nightcap_tests::{
    Announcement, Daemon, DaemonOptions, FaultCounts, Faults, FaultyProxy, History, Options, Workload,
    events_of, wait, workloads,
};
use serde_json::{Value, json};

use crate::stage::{
    self, Stage, annotate, problems_of, space, space_state, until_as, until_asleep, uptime_elsewhere,
};

/// Waits until the daemon's problems about an object have exactly these reasons.
async fn until_problems(daemon: &Daemon, object: &str, reasons: &[&str]) -> Vec<(String, String)> {
    let what = format!("the problems of {object} to be {reasons:?}");
    wait::until(&what, wait::PATIENCE, async || {
        let found = problems_of(daemon, object).await?;
        ensure!(found.iter().map(|(reason, _)| reason.as_str()).eq(reasons.iter().copied()), "{found:?}");
        Ok(found)
    })
    .await
    .map_err(|error| daemon.explain(error))
    .unwrap()
}

/// A namespace with Deployments, StatefulSets and CronJobs, all ready.
async fn mixed_space(client: &Client, name: &str, deployments: i32) {
    space(client, name, &[]).await;
    for nth in 0..deployments {
        deployment(name, &format!("web-{nth:02}")).replicas(1 + nth % 3).create(client).await.unwrap();
    }
    stateful_set(name, "db").replicas(2).create(client).await.unwrap();
    cron_job(name, "job").with(json!({"spec": {"suspend": false}})).create(client).await.unwrap();
    for nth in 0..deployments {
        wait::deployment_ready(client, name, &format!("web-{nth:02}")).await.unwrap();
    }
}

#[tokio::test]
async fn a_node_nothing_is_known_of_costs_the_default_rates_and_that_is_said() {
    let stage = stage::acting().await;
    let client = stage.client();
    let taint = json!({"spec": {"taints": [{"key": "nightcap.test/reserved", "effect": "NoSchedule"}]}});
    let strange = node("strange").instance_type("zz9.plural").region("eu-central-1").with(taint.clone());
    strange.provider_id("aws:///eu-central-1a/i-0bbbbbbbbbbbbbbbb").create(&client).await.unwrap();
    let bare = node("bare").with(taint).with(json!({"metadata": {"labels": null}}));
    bare.create(&client).await.unwrap();
    for name in ["strange", "bare"] {
        let problems = until_problems(&stage.daemon, &format!("node {name}"), &["default-price"]).await;
        let (_, message) = problems.first().unwrap();
        assert!(message.starts_with("its price is a guess: "), "{message}");
        let expected = [Announcement::new("Warning", "PriceUnknown", message)];
        wait::until("the Event", wait::PATIENCE, async || {
            let found = events_of(&client, "Node", name).await?;
            ensure!(found == expected, "{found:?}");
            Ok(())
        })
        .await
        .unwrap();
        let nodes = stage.daemon.get_exact("/api/v1/nodes").await.unwrap();
        let shown = nodes["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).unwrap();
        // 4 × 0.031611 + 16 × 0.004237
        assert_eq!(
            (pico_at(shown, "/hourly_cost").unwrap(), &shown["price"]["confidence"]),
            (194_236_000_000, &json!("default"))
        );
    }
    for name in ["strange", "bare"] {
        Api::<k8s_openapi::api::core::v1::Node>::all(client.clone())
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
        until_problems(&stage.daemon, &format!("node {name}"), &[]).await;
    }
}

#[tokio::test]
async fn a_malformed_annotation_hurts_its_own_object_only() {
    let stage = stage::acting().await;
    let client = stage.client();
    mixed_space(&client, "typo", 2).await;
    mixed_space(&client, "sound", 2).await;
    // One whose own value is bad from the start: unknown, and unknown is awake.
    let odd = deployment("typo", "odd").annotation("nightcap.dev/downtime", "whenever");
    odd.create(&client).await.unwrap();
    wait::deployment_ready(&client, "typo", "odd").await.unwrap();
    let before = workloads(&client, "typo").await.unwrap();
    let before_sound = workloads(&client, "sound").await.unwrap();
    let history = History::follow(&client, "typo").await.unwrap();
    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    annotate(&stage.plane, "typo", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    let asleep =
        nightcap_tests::until_workloads(&client, "typo", "asleep but for the odd one", |name, workload| {
            workload.is_down() != (name == "deployment/odd")
        })
        .await
        .unwrap();
    let (_, message) = &until_problems(&stage.daemon, "Deployment typo/odd", &["bad-annotation"]).await[0];
    assert!(message.starts_with("nightcap.dev/downtime: ") && message.contains("whenever"), "{message}");

    // A good value that becomes a bad one: the good one holds on.
    annotate(&stage.plane, "typo", &["nightcap.dev/uptime=Mon-Fri 25:00-99:00"]).await;
    let (_, message) = &until_problems(&stage.daemon, "namespace typo", &["bad-annotation"]).await[0];
    assert!(message.starts_with("nightcap.dev/uptime: "), "{message}");
    assert!(message.contains("25:00") && message.ends_with("; the last good value holds on"), "{message}");
    wait::until("the Event", wait::PATIENCE, async || {
        let found = events_of(&client, "Namespace", "typo").await?;
        let expected = Announcement::new("Warning", "BadAnnotation", message);
        ensure!(found.contains(&expected), "{found:?}");
        Ok(())
    })
    .await
    .unwrap();
    let metrics = stage.daemon.metrics().await.unwrap();
    assert!(metrics.value("nightcap_problems", &[("reason", "bad-annotation")]).unwrap() >= 2.0);
    assert!(metrics.value("nightcap_unreadable_total", &[]).unwrap() >= 2.0);

    // Others are served meanwhile, and it is still as it was.
    annotate(&stage.plane, "sound", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    until_asleep(&client, "sound", &before_sound).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    assert_eq!(problems_of(&stage.daemon, "namespace sound").await.unwrap(), []);
    assert_eq!(workloads(&client, "typo").await.unwrap(), asleep);

    annotate(&stage.plane, "typo", &["nightcap.dev/uptime-"]).await;
    annotate(&stage.plane, "sound", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "typo", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    until_as(&client, "sound", &before_sound).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    until_problems(&stage.daemon, "namespace typo", &[]).await;
    history.check_nothing_lost(&client).await.unwrap();
}

#[tokio::test]
async fn a_namespace_may_go_in_the_middle_of_falling_asleep() {
    let stage = stage::acting().await;
    let client = stage.client();
    mixed_space(&client, "goner", 20).await;
    mixed_space(&client, "stayer", 2).await;
    let before = workloads(&client, "stayer").await.unwrap();
    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    annotate(&stage.plane, "goner", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    let namespaces = Api::<Namespace>::all(client.clone());
    namespaces.delete("goner", &DeleteParams::default()).await.unwrap();
    wait::until("the namespace to be gone", wait::PATIENCE, async || {
        ensure!(namespaces.get_opt("goner").await?.is_none(), "it is still there");
        Ok(())
    })
    .await
    .unwrap();
    wait::until("the daemon to forget it", wait::PATIENCE, async || {
        let status = stage.daemon.get("/api/v1/spaces/goner").await?.status;
        ensure!(status == 404, "{status}");
        let all = stage.daemon.get_text("/api/v1/problems").await?;
        ensure!(!all.contains("goner"), "{all}");
        Ok(())
    })
    .await
    .map_err(|error| stage.daemon.explain(error))
    .unwrap();
    annotate(&stage.plane, "stayer", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    until_asleep(&client, "stayer", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    annotate(&stage.plane, "stayer", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "stayer", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    assert!(!stage.daemon.log().unwrap().contains("panicked"));
}

#[tokio::test]
async fn somebody_who_writes_all_the_time_delays_but_loses_nothing() {
    let stage = stage::acting().await;
    let client = stage.client();
    mixed_space(&client, "busy", 8).await;
    let before = workloads(&client, "busy").await.unwrap();
    let history = History::follow(&client, "busy").await.unwrap();
    let conflicts = async || {
        let status = stage.daemon.get_json("/api/v1/status").await.unwrap();
        status["counters"]["conflicts"].as_u64().unwrap()
    };
    let conflicts_before = conflicts().await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (stop, deployments) = (Arc::clone(&stop), Api::<Deployment>::namespaced(client.clone(), "busy"));
        async move {
            let mut writes = 0_u32;
            while !stop.load(Ordering::SeqCst) {
                let name = format!("web-{:02}", writes % 8);
                let patch = Patch::Merge(json!({"metadata": {"labels": {"writes": writes.to_string()}}}));
                deployments.patch(&name, &PatchParams::default(), &patch).await.unwrap();
                writes += 1;
            }
            writes
        }
    });
    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    annotate(&stage.plane, "busy", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    until_asleep(&client, "busy", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    annotate(&stage.plane, "busy", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "busy", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    stop.store(true, Ordering::SeqCst);
    let writes = writer.await.unwrap();
    history.check_nothing_lost(&client).await.unwrap();
    assert!(conflicts().await > conflicts_before, "no conflict in {writes} writes: nothing was tried");
}

#[tokio::test]
async fn without_the_metrics_api_requests_alone_count() {
    let config = json!({"usage": {"interval": "10s"}});
    let stage = Stage::start(Options::with_metrics_server(), "observe", config).await;
    let (client, daemon) = (stage.client(), &stage.daemon);
    space(&client, "used", &[]).await;
    pod("used", "busy").requests("100m", "128Mi").usage("500m", "512Mi").create(&client).await.unwrap();
    let until_charged = async |from: f64, to: f64| {
        wait::until(&format!("{from} to {to} cores to be charged"), wait::PATIENCE, async || {
            let of_pod = [("namespace", "used"), ("pod", "busy")];
            let cores = daemon.metrics().await?.value("container_cpu_allocation", &of_pod)?;
            ensure!((from..=to).contains(&cores), "{cores} cores");
            Ok(())
        })
        .await
        .map_err(|error| daemon.explain(error))
        .unwrap();
    };
    until_charged(0.49, 0.52).await;
    until_problems(daemon, "usage", &[]).await;

    let services = Api::<APIService>::all(client.clone());
    let mut service = services.get("v1beta1.metrics.k8s.io").await.unwrap();
    services.delete("v1beta1.metrics.k8s.io", &DeleteParams::default()).await.unwrap();
    let (_, message) = &until_problems(daemon, "usage", &["usage-missing"]).await[0];
    assert!(message.starts_with("usage cannot be read: "), "{message}");
    assert!(message.ends_with("; requests alone count meanwhile"), "{message}");
    until_charged(0.1, 0.1).await;
    let status = daemon.get_json("/api/v1/status").await.unwrap();
    assert!(status["usage"]["problem"].is_string(), "{status}");
    assert_eq!(daemon.get("/readyz").await.unwrap().status, 200);

    service.metadata.resource_version = None;
    service.metadata.uid = None;
    service.status = None;
    services.create(&PostParams::default(), &service).await.unwrap();
    until_charged(0.49, 0.52).await;
    until_problems(daemon, "usage", &[]).await;
    wait::until("the usage to be fresh", wait::PATIENCE, async || {
        let status = daemon.get_json("/api/v1/status").await?;
        let usage = &status["usage"];
        ensure!((&usage["problem"], &usage["fresh_pods"]) == (&Value::Null, &json!(1)), "{usage}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_api_server_that_refuses_fails_and_hangs_up_delays_but_loses_nothing() {
    let plane = stage::cluster(Options::default()).await;
    let client = plane.client().unwrap();
    mixed_space(&client, "storm", 24).await;
    let before = workloads(&client, "storm").await.unwrap();
    let history = History::follow(&client, "storm").await.unwrap();
    let faults = Faults { throttled: 15, failed: 10, cut: 10, answer_lost: 10 };
    let proxy = FaultyProxy::start(plane.url(), &plane.certificate_authority(), faults, 7).await.unwrap();
    let kubeconfig = plane.kubeconfig_through(proxy.url()).unwrap();
    let mut daemon = Daemon::start(DaemonOptions::run(&kubeconfig).args(["--mode", "act"])).unwrap();
    daemon.wait_ready().await.unwrap();
    assert_eq!(proxy.counts(), FaultCounts { passed: proxy.counts().passed, ..FaultCounts::default() });

    proxy.set_faulty(true);
    proxy.cut_all();
    let uptime = format!("nightcap.dev/uptime={}", uptime_elsewhere(plane.now().await.unwrap()));
    annotate(&plane, "storm", &[&uptime]).await;
    until_asleep(&client, "storm", &before).await.map_err(|e| daemon.explain(e)).unwrap();
    proxy.cut_all();
    annotate(&plane, "storm", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "storm", &before).await.map_err(|e| daemon.explain(e)).unwrap();
    let status = daemon.get_json("/api/v1/status").await.unwrap();
    assert!(status["counters"]["retries"].as_u64() > Some(0), "{status}");
    // One that starts in the middle of it becomes ready, too.
    daemon.kill9();
    daemon.start_again().unwrap();
    daemon.wait_ready().await.unwrap();
    annotate(&plane, "storm", &[&uptime]).await;
    until_asleep(&client, "storm", &before).await.map_err(|e| daemon.explain(e)).unwrap();

    proxy.set_faulty(false);
    let FaultCounts { throttled, failed, cut, answer_lost, passed } = proxy.counts();
    assert!(
        [throttled, failed, cut, answer_lost, passed].iter().all(|count| *count > 0),
        "{:?}",
        proxy.counts()
    );
    annotate(&plane, "storm", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "storm", &before).await.map_err(|e| daemon.explain(e)).unwrap();
    history.check_nothing_lost(&client).await.unwrap();
    space_state(&daemon, "storm", "awake").await;
    // This cluster has no metrics API, which is all that is left to say.
    wait::until("no other problem to be left", wait::PATIENCE, async || {
        let all = daemon.get_json("/api/v1/problems").await?;
        let reasons: Vec<_> =
            all["problems"].as_array().context("no list")?.iter().map(|p| &p["reason"]).collect();
        ensure!(reasons == [&json!("usage-missing")], "{all}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_killed_api_server_is_waited_for() {
    let mut stage = Stage::start(Options::default(), "act", json!({})).await;
    let client = stage.client();
    mixed_space(&client, "asleep", 4).await;
    mixed_space(&client, "falling", 20).await;
    let before = workloads(&client, "asleep").await.unwrap();
    let before_falling = workloads(&client, "falling").await.unwrap();
    let uptime = format!("nightcap.dev/uptime={}", uptime_elsewhere(stage.plane.now().await.unwrap()));
    annotate(&stage.plane, "asleep", &[&uptime]).await;
    until_asleep(&client, "asleep", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();

    // It goes while another space is falling asleep.
    annotate(&stage.plane, "falling", &[&uptime]).await;
    stage.plane.stop_api_server();
    wait::until("the daemon to say that it sees nothing", wait::PATIENCE, async || {
        let metrics = stage.daemon.metrics().await?;
        ensure!(metrics.value("nightcap_watch_broken", &[("kind", "pods")])? > 0.0, "all is well");
        Ok(())
    })
    .await
    .map_err(|error| stage.daemon.explain(error))
    .unwrap();
    assert_eq!(stage.daemon.get("/healthz").await.unwrap().status, 200);

    stage.plane.start_api_server().await.unwrap();
    stage.daemon.wait_ready().await.unwrap();
    until_asleep(&client, "falling", &before_falling).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    assert!(workloads(&client, "asleep").await.unwrap().values().all(Workload::is_down));
    // New pods are seen, and who sleeps wakes.
    space(&client, "newcomer", &[]).await;
    deployment("newcomer", "web").replicas(3).requests("100m", "128Mi").create(&client).await.unwrap();
    wait::until("the new pods to be charged", wait::PATIENCE, async || {
        let found = stage
            .daemon
            .metrics()
            .await?
            .find("container_cpu_allocation", &[("namespace", "newcomer")])
            .count();
        ensure!(found == 3, "{found}");
        Ok(())
    })
    .await
    .map_err(|error| stage.daemon.explain(error))
    .unwrap();
    annotate(&stage.plane, "asleep", &["nightcap.dev/uptime-"]).await;
    annotate(&stage.plane, "falling", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "asleep", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    until_as(&client, "falling", &before_falling).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    wait::until("the watches to be well again", wait::PATIENCE, async || {
        let metrics = stage.daemon.metrics().await?;
        let broken: Vec<_> = metrics
            .find("nightcap_watch_broken", &[])
            .filter(|line| line.value != "0.0" && line.value != "0")
            .collect();
        ensure!(broken.is_empty(), "{broken:?}");
        Ok(())
    })
    .await
    .unwrap();
}
