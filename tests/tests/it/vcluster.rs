//! vClusters as they show on the host: put to sleep by Nightcap and resumed by `vcluster resume`, and the other way round.
//! The commands are played by the patches they write.

use anyhow::{Context, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use nightcap_tests::wait;
use serde_json::{Value, json};

use crate::stage::{self, Stage, annotate, space, uptime_elsewhere};

/// The control plane of vCluster `dev`, as the chart writes it since 0.20.
fn control_plane() -> StatefulSet {
    let labels = json!({ "app": "vcluster", "release": "dev" });
    let object = json!({
        "metadata": {
            "name": "dev",
            "labels": { "app": "vcluster", "release": "dev", "chart": "vcluster-0.30.0", "heritage": "Helm" },
        },
        "spec": {
            "replicas": 2,
            "serviceName": "dev-headless",
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "syncer", "image": "registry.invalid/vcluster" }] },
            },
        },
    });
    serde_json::from_value(object).unwrap()
}

/// A pod that the syncer has made on the host, `owner` being its virtual controller.
fn synced_pod(name: &str, owner: Option<(&str, &str)>) -> Pod {
    let owners = owner.map(|(kind, name)| {
        json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "v-1", "controller": true }])
    });
    let host = format!("{name}-x-default-x-dev");
    let mut object = json!({
        "metadata": {
            "name": host,
            "labels": { "vcluster.loft.sh/managed-by": "dev", "vcluster.loft.sh/namespace": "default" },
            "annotations": {
                "vcluster.loft.sh/name": name, "vcluster.loft.sh/namespace": "default",
                "vcluster.loft.sh/object-name": name, "vcluster.loft.sh/object-namespace": "default",
                "vcluster.loft.sh/object-host-name": host,
            },
        },
        "spec": { "containers": [{ "name": "main", "image": "registry.invalid/main" }] },
    });
    if let Some(owners) = owners {
        object["metadata"]["annotations"]["vcluster.loft.sh/owner-references"] = owners.to_string().into();
    }
    serde_json::from_value(object).unwrap()
}

/// Namespace, control plane and synced pods; returns when all run.
async fn vcluster(client: &Client, name: &str) {
    space(client, name, &[]).await;
    let sets = Api::<StatefulSet>::namespaced(client.clone(), name);
    sets.create(&PostParams::default(), &control_plane()).await.unwrap();
    let pods = Api::<Pod>::namespaced(client.clone(), name);
    for pod in ["web-1", "web-2"] {
        let pod = synced_pod(pod, Some(("ReplicaSet", "web-5d9c7")));
        pods.create(&PostParams::default(), &pod).await.unwrap();
    }
    // One that the vCluster has nothing to do with.
    let mut other = synced_pod("other", None);
    other.metadata.labels = None;
    other.metadata.annotations = None;
    pods.create(&PostParams::default(), &other).await.unwrap();
    wait::pods_running(client, name, 5).await.unwrap();
}

/// Replicas, the pause keys and our marks of the control plane.
async fn seen(client: &Client, space: &str) -> anyhow::Result<(i32, Vec<(String, String)>, usize)> {
    let set = Api::<StatefulSet>::namespaced(client.clone(), space).get("dev").await?;
    let all = || set.annotations().iter();
    let mut keys: Vec<_> = all().filter(|(key, _)| key.starts_with("loft.sh/")).collect();
    keys.retain(|(key, _)| *key != "loft.sh/paused-date");
    let keys = keys.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let ours = all().filter(|(key, _)| key.starts_with("nightcap.dev/")).count();
    Ok((set.spec.replicas.context("no replicas")?, keys, ours))
}

async fn until_seen(stage: &Stage, space: &str, replicas: i32, paused: bool, marks: usize) {
    let client = stage.client();
    let keys = [("loft.sh/paused", "true"), ("loft.sh/paused-replicas", "2")];
    let keys = keys.into_iter().filter(|_| paused).map(|(key, value)| (key.to_owned(), value.to_owned()));
    let wanted = (replicas, keys.collect::<Vec<_>>(), marks);
    wait::until("the control plane to be as wished", wait::PATIENCE, async || {
        let found = seen(&client, space).await?;
        ensure!(found == wanted, "{found:?}, not {wanted:?}");
        Ok(())
    })
    .await
    .map_err(|error| stage.daemon.explain(error))
    .unwrap();
}

async fn pods(client: &Client, space: &str) -> Vec<String> {
    let list = Api::<Pod>::namespaced(client.clone(), space).list(&ListParams::default()).await.unwrap();
    list.items.iter().map(ResourceExt::name_any).collect()
}

/// What `vcluster pause` and `vcluster resume` write.
async fn by_hand(client: &Client, space: &str, patch: &Value) {
    let sets = Api::<StatefulSet>::namespaced(client.clone(), space);
    sets.patch("dev", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

#[tokio::test]
async fn vcluster_is_paused_by_nightcap_and_resumed_by_its_own_command() {
    let stage = stage::acting().await;
    let client = stage.client();
    vcluster(&client, "paused").await;
    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    annotate(&stage.plane, "paused", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    until_seen(stage, "paused", 0, true, 2).await;
    wait::until("the synced pods to be deleted, and no others", wait::PATIENCE, async || {
        let left = pods(&client, "paused").await;
        ensure!(left == ["other-x-default-x-dev"], "{left:?}");
        Ok(())
    })
    .await
    .map_err(|error| stage.daemon.explain(error))
    .unwrap();

    let resume = json!({
        "metadata": { "annotations": {
            "loft.sh/paused": null, "loft.sh/paused-replicas": null, "loft.sh/paused-date": null,
        } },
        "spec": { "replicas": 2 },
    });
    by_hand(&client, "paused", &resume).await;
    until_seen(stage, "paused", 2, false, 0).await;
    let namespace = stage.plane.kubectl(&["get", "namespace", "paused", "-o", "json"]).await.unwrap();
    assert!(namespace.contains("nightcap.dev/keep-awake-until"), "{namespace}");

    // Its wish removed and the next one due, Nightcap wakes it itself.
    annotate(&stage.plane, "paused", &["nightcap.dev/keep-awake-until-"]).await;
    until_seen(stage, "paused", 0, true, 2).await;
    annotate(&stage.plane, "paused", &["nightcap.dev/uptime-"]).await;
    until_seen(stage, "paused", 2, false, 0).await;
}

#[tokio::test]
async fn vcluster_paused_by_its_own_command_is_woken_only_for_who_asks() {
    let stage = stage::acting().await;
    let client = stage.client();
    vcluster(&client, "by-hand").await;
    let pause = json!({
        "metadata": { "annotations": {
            "loft.sh/paused": "true", "loft.sh/paused-replicas": "2",
            "loft.sh/paused-date": "2026-03-02T20:00:00.000Z",
        } },
        "spec": { "replicas": 0 },
    });
    by_hand(&client, "by-hand", &pause).await;
    let explained = wait::until("the daemon to see it", wait::PATIENCE, async || {
        let explained = stage.daemon.get_json("/api/v1/spaces/by-hand").await?;
        let workload = explained["workloads"][0].clone();
        ensure!(workload["replicas"] == 0, "{workload}");
        Ok(workload)
    });
    let workload = explained.await.unwrap();
    assert_eq!(workload["name"], "dev");
    until_seen(stage, "by-hand", 0, true, 0).await;
    let until = "nightcap.dev/keep-awake-until=2099-01-01T00:00:00Z";
    annotate(&stage.plane, "by-hand", &[until]).await;
    until_seen(stage, "by-hand", 2, false, 0).await;
}

#[tokio::test]
async fn vcluster_with_a_bare_pod_stays_awake_and_says_why() {
    let stage = stage::acting().await;
    let client = stage.client();
    vcluster(&client, "bare").await;
    let bare = synced_pod("debug", None);
    Api::<Pod>::namespaced(client.clone(), "bare").create(&PostParams::default(), &bare).await.unwrap();
    wait::pods_running(&client, "bare", 6).await.unwrap();
    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    annotate(&stage.plane, "bare", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    let refusal = wait::until("the daemon to refuse", wait::PATIENCE, async || {
        let explained = stage.daemon.get_json("/api/v1/spaces/bare").await?;
        let refusal = explained["workloads"][0]["refusal"].as_str().context("no refusal")?;
        Ok(refusal.to_owned())
    });
    assert_eq!(
        refusal.await.map_err(|error| stage.daemon.explain(error)).unwrap(),
        "StatefulSet bare/dev is not put to sleep: pods of vCluster dev that name no owner would be lost (debug-x-default-x-dev)"
    );
    until_seen(stage, "bare", 2, false, 0).await;
}
