//! Operators' objects on a real control plane: found by their definitions, turned off each in its own way, and back to what
//! they were. No operator runs: what is written is all that counts.

use std::collections::BTreeMap;

use anyhow::ensure;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use nightcap_tests::{Options, wait};
use serde_json::{Value, json};

use crate::stage::{Stage, annotate, space, uptime_elsewhere};

const SPACE: &str = "operators";

/// Group, version, kind, plural, path of the scale subresource.
type Definition = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>);

const DEFINITIONS: [Definition; 14] = [
    ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects", None),
    ("argoproj.io", "v1alpha1", "Rollout", "rollouts", Some(".spec.replicas")),
    ("postgresql.cnpg.io", "v1", "Cluster", "clusters", Some(".spec.instances")),
    ("kibana.k8s.elastic.co", "v1", "Kibana", "kibanas", Some(".spec.count")),
    ("monitoring.coreos.com", "v1", "Prometheus", "prometheuses", Some(".spec.shards")),
    ("monitoring.coreos.com", "v1", "Alertmanager", "alertmanagers", Some(".spec.replicas")),
    ("kafka.strimzi.io", "v1", "KafkaConnect", "kafkaconnects", Some(".spec.replicas")),
    ("kafka.strimzi.io", "v1", "KafkaNodePool", "kafkanodepools", Some(".spec.replicas")),
    ("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases", None),
    ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations", None),
    // In no table: found by its scale subresource, turned as configured, and one of a kind that has neither.
    ("farms.nightcap.test", "v1beta1", "Farm", "farms", Some(".spec.pool.workers")),
    ("mills.nightcap.test", "v1", "Mill", "mills", None),
    ("mills.nightcap.test", "v1", "Wheel", "wheels", None),
    // Named like a built-in kind.
    ("apps.kruise.nightcap.test", "v1", "StatefulSet", "statefulsets", Some(".spec.replicas")),
];

fn definition((group, version, kind, plural, scale): Definition) -> Value {
    let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let mut served = json!({
        "name": version, "served": true, "storage": true,
        "schema": { "openAPIV3Schema": {
            "type": "object", "properties": { "spec": anything, "status": anything },
        } },
        "subresources": { "status": {} },
    });
    if let Some(path) = scale {
        served["subresources"]["scale"] =
            json!({ "specReplicasPath": path, "statusReplicasPath": ".status.replicas" });
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced", "versions": [served],
            "names": { "kind": kind, "plural": plural, "singular": kind.to_lowercase() },
        },
    })
}

/// An object: its kind, its name, what it is, and what it is asleep, as a merge patch; `None` where nothing may be done.
type Object = (&'static str, &'static str, Value, Option<Value>);

fn objects() -> Vec<Object> {
    let paused = |key: &str, value: &str| json!({ "metadata": { "annotations": { key: value } } });
    let target = |name: &str| json!({ "scaleTargetRef": { "name": name }, "minReplicaCount": 1 });
    let zero = |field: &str| Some(json!({ "spec": { field: 0 } }));
    vec![
        (
            "ScaledObject",
            "scaler",
            json!({ "spec": target("scaled") }),
            Some(paused("autoscaling.keda.sh/paused-replicas", "0")),
        ),
        (
            "ScaledObject",
            "paused-by-its-user",
            json!({
                "metadata": { "annotations": { "autoscaling.keda.sh/paused-replicas": "2" } },
                "spec": target("free"),
            }),
            None,
        ),
        ("Rollout", "web", json!({ "spec": { "replicas": 3 } }), zero("replicas")),
        ("Rollout", "unsaid", json!({ "spec": { "strategy": {} } }), zero("replicas")),
        ("Rollout", "off", json!({ "spec": { "replicas": 0 } }), None),
        (
            "Cluster",
            "db",
            json!({ "metadata": { "annotations": { "team": "pay" } }, "spec": { "instances": 2 } }),
            Some(paused("cnpg.io/hibernation", "on")),
        ),
        ("Kibana", "ui", json!({ "spec": { "count": 1 } }), zero("count")),
        ("Prometheus", "main", json!({ "spec": { "shards": 2, "replicas": 2 } }), zero("replicas")),
        (
            "Alertmanager",
            "drops-its-disks",
            json!({ "spec": {
                "replicas": 2, "persistentVolumeClaimRetentionPolicy": { "whenScaled": "Delete" },
            } }),
            None,
        ),
        ("KafkaConnect", "sink", json!({ "spec": { "replicas": 1 } }), zero("replicas")),
        ("KafkaNodePool", "brokers", json!({ "spec": { "replicas": 3 } }), None),
        (
            "HelmRelease",
            "app",
            json!({ "spec": { "interval": "10m" } }),
            Some(json!({ "spec": { "suspend": true } })),
        ),
        (
            "Kustomization",
            "app",
            json!({ "spec": { "suspend": false } }),
            Some(json!({ "spec": { "suspend": true } })),
        ),
        (
            "Farm",
            "field",
            json!({ "spec": { "pool": { "workers": 5, "name": "a" } } }),
            Some(json!({ "spec": { "pool": { "workers": 0 } } })),
        ),
        (
            "Mill",
            "grain",
            json!({ "spec": { "speed": "fast" } }),
            Some(json!({ "spec": { "brake": { "on": true }, "speed": "none" } })),
        ),
        ("Wheel", "plain", json!({ "spec": { "replicas": 2 } }), None),
        ("StatefulSet", "advanced", json!({ "spec": { "replicas": 4 } }), zero("replicas")),
    ]
}

fn api(client: &Client, kind: &str) -> Api<DynamicObject> {
    let found = DEFINITIONS.iter().find(|(_, _, of, ..)| *of == kind);
    let (group, version, _, plural, _) = found.unwrap();
    let gvk = GroupVersionKind::gvk(group, version, kind);
    Api::namespaced_with(client.clone(), SPACE, &ApiResource::from_gvk_with_plural(&gvk, plural))
}

fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else { return *into = patch.clone() };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        merge(&mut into[key], value);
    }
}

/// Annotations that are not ours, spec, and which of ours there are.
async fn seen(client: &Client) -> anyhow::Result<BTreeMap<String, (Value, Vec<String>)>> {
    let mut all = BTreeMap::new();
    for (kind, name, ..) in objects() {
        let object = api(client, kind).get(name).await?;
        let (ours, others): (BTreeMap<_, _>, BTreeMap<_, _>) = object
            .metadata
            .annotations
            .unwrap_or_default()
            .into_iter()
            .partition(|(key, _)| key.starts_with("nightcap.dev/"));
        let mut rest = json!({ "spec": object.data["spec"] });
        if !others.is_empty() {
            rest["metadata"] = json!({ "annotations": others });
        }
        all.insert(format!("{kind}/{name}"), (rest, ours.into_keys().collect()));
    }
    Ok(all)
}

fn asleep(before: &BTreeMap<String, (Value, Vec<String>)>) -> BTreeMap<String, (Value, Vec<String>)> {
    let mut asleep = before.clone();
    for (kind, name, _, change) in objects() {
        let Some(change) = change else { continue };
        let (object, marks) = asleep.get_mut(&format!("{kind}/{name}")).unwrap();
        merge(object, &change);
        *marks = vec!["nightcap.dev/asleep".to_owned(), "nightcap.dev/original".to_owned()];
    }
    asleep
}

async fn until_seen(stage: &Stage, wanted: &BTreeMap<String, (Value, Vec<String>)>) {
    let client = stage.client();
    wait::until("all objects to be as wished", wait::PATIENCE, async || {
        let now = seen(&client).await?;
        for (name, wanted) in wanted {
            ensure!(now[name] == *wanted, "{name} is {:?}, not {wanted:?}", now[name]);
        }
        Ok(())
    })
    .await
    .map_err(|error| stage.daemon.explain(error))
    .unwrap();
}

async fn replicas(client: &Client, name: &str) -> anyhow::Result<i64> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("apps", "v1", "Deployment"));
    let object = Api::<DynamicObject>::namespaced_with(client.clone(), SPACE, &resource).get(name).await?;
    Ok(object.data["spec"]["replicas"].as_i64().unwrap_or(-1))
}

#[tokio::test]
async fn operators_objects_sleep_in_their_own_way_and_wake_to_what_they_were() {
    let kinds = json!([
        { "group": "mills.nightcap.test", "kind": "Mill", "off": { "/spec/brake/on": true, "/spec/speed": "none" } },
    ]);
    let mut stage = Stage::start(Options::default(), "act", json!({ "sleep": { "kinds": kinds } })).await;
    let client = stage.client();
    // Installed while the daemon runs: nothing has to be started anew.
    let all: Vec<Value> = DEFINITIONS.into_iter().map(definition).collect();
    let manifests = json!({ "apiVersion": "v1", "kind": "List", "items": all }).to_string();
    stage.plane.apply(&manifests).await.unwrap();
    stage.plane.kubectl(&["wait", "--for=condition=Established", "crd", "--all"]).await.unwrap();
    space(&client, SPACE, &[]).await;
    for name in ["scaled", "free"] {
        nightcap_tests::objects::deployment(SPACE, name).replicas(1).create(&client).await.unwrap();
        wait::deployment_ready(&client, SPACE, name).await.unwrap();
    }
    for (kind, name, mut object, _) in objects() {
        object["metadata"]["name"] = name.into();
        let (group, version, ..) = DEFINITIONS.iter().find(|(_, _, of, ..)| *of == kind).unwrap();
        object["apiVersion"] = format!("{group}/{version}").into();
        object["kind"] = kind.into();
        let object = serde_json::from_value(object).unwrap();
        wait::until("the kind to be served", wait::PATIENCE, async || {
            Ok(api(&client, kind).create(&PostParams::default(), &object).await?)
        })
        .await
        .unwrap();
    }
    // One that another controller owns is its owner's business.
    let owned = json!({
        "apiVersion": "farms.nightcap.test/v1beta1", "kind": "Farm",
        "metadata": { "name": "owned", "ownerReferences": [
            { "apiVersion": "v1", "kind": "Namespace", "name": SPACE, "uid": "5fd7e2b8-0000-4000-8000-000000000000", "controller": true },
        ] },
        "spec": { "pool": { "workers": 5 } },
    });
    let owned = serde_json::from_value(owned).unwrap();
    let _ = api(&client, "Farm").create(&PostParams::default(), &owned).await.unwrap();
    let before = seen(&client).await.unwrap();

    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    annotate(&stage.plane, SPACE, &[&format!("nightcap.dev/uptime={uptime}")]).await;
    until_seen(&stage, &asleep(&before)).await;
    wait::until("the free Deployment to sleep", wait::PATIENCE, async || {
        ensure!(replicas(&client, "free").await? == 0, "its ScaledObject is paused by its user");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(replicas(&client, "scaled").await.unwrap(), 1, "left to KEDA");

    // Somebody changes what sleeps; that is theirs, and stays.
    let own = json!({ "metadata": { "annotations": { "autoscaling.keda.sh/paused": "true" } } });
    api(&client, "ScaledObject").patch("scaler", &PatchParams::default(), &Patch::Merge(&own)).await.unwrap();
    annotate(&stage.plane, SPACE, &["nightcap.dev/uptime-"]).await;
    let mut awake = before.clone();
    merge(&mut awake.get_mut("ScaledObject/scaler").unwrap().0, &own);
    until_seen(&stage, &awake).await;
    let back = json!({ "metadata": { "annotations": { "autoscaling.keda.sh/paused": null } } });
    api(&client, "ScaledObject")
        .patch("scaler", &PatchParams::default(), &Patch::Merge(&back))
        .await
        .unwrap();

    // Without the daemon the command wakes them too.
    annotate(&stage.plane, SPACE, &[&format!("nightcap.dev/uptime={uptime}")]).await;
    until_seen(&stage, &asleep(&before)).await;
    stage.daemon.terminate().await.unwrap();
    let kubeconfig = stage.plane.kubeconfig().display().to_string();
    stage.daemon.cli_text(&["wake", "--direct", SPACE, "--kubeconfig", &kubeconfig]).await.unwrap();
    let mut wanted = before.clone();
    // The command has no configuration file, so that a kind which only that describes stays asleep for it.
    wanted.insert("Mill/grain".to_owned(), asleep(&before)["Mill/grain"].clone());
    until_seen(&stage, &wanted).await;
}
