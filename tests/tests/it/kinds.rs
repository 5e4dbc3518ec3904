//! Every kind that sleeps, on a real control plane: down in its own way, and back to the very same spec.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use nightcap_tests::wait;
use serde_json::{Value, json};

use crate::stage::{self, annotate, space, uptime_elsewhere};

fn api(client: &Client, space: &str, group: &str, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    Api::namespaced_with(client.clone(), space, &resource)
}

/// What is put into the space: group, kind, name and spec.
fn objects() -> [(&'static str, &'static str, &'static str, Value); 7] {
    let labels = |name: &str| json!({ "app": name });
    let template = |name: &str, cpu: &str| {
        json!({
            "metadata": { "labels": labels(name) },
            "spec": { "containers": [{
                "name": "main", "image": "registry.invalid/main",
                "resources": { "requests": { "cpu": cpu, "memory": "64Mi" } },
            }] },
        })
    };
    let set = |name: &str, replicas: Option<u32>| {
        let mut spec =
            json!({ "selector": { "matchLabels": labels(name) }, "template": template(name, "100m") });
        if let Some(replicas) = replicas {
            spec["replicas"] = replicas.into();
        }
        spec
    };
    let mut chosen = set("chosen", None);
    chosen["template"]["spec"]["nodeSelector"] = json!({ "node.kubernetes.io/instance-type": "m5.24xlarge" });
    let job = |name: &str, cpu: &str, managed_by: Option<&str>| {
        let mut template = template(name, cpu);
        template["spec"]["restartPolicy"] = "Never".into();
        let mut spec = json!({ "template": template });
        if let Some(manager) = managed_by {
            spec["managedBy"] = manager.into();
        }
        spec
    };
    [
        ("apps", "ReplicaSet", "set", set("set", Some(2))),
        (
            "",
            "ReplicationController",
            "controller",
            json!({ "replicas": 1, "selector": labels("controller"), "template": template("controller", "100m") }),
        ),
        ("apps", "DaemonSet", "agents", set("agents", None)),
        ("apps", "DaemonSet", "chosen", chosen),
        // No controller starts the one; the other has begun, and waits for a node that is large enough.
        ("batch", "Job", "waiting", job("waiting", "100m", Some("nightcap.test/nobody"))),
        ("batch", "Job", "begun", job("begun", "5000", None)),
        ("apps", "Deployment", "web", set("web", Some(1))),
    ]
}

/// Spec and our annotations of each object, by `kind/name`.
async fn seen(client: &Client, space: &str) -> anyhow::Result<BTreeMap<String, (Value, Vec<String>)>> {
    let mut all = BTreeMap::new();
    for (group, kind, name, _) in objects() {
        let object = api(client, space, group, kind).get(name).await?;
        let ours = object.metadata.annotations.iter().flatten().map(|(key, _)| key.clone());
        let ours = ours.filter(|key| key.starts_with("nightcap.dev/")).collect();
        all.insert(format!("{kind}/{name}"), (object.data["spec"].clone(), ours));
    }
    Ok(all)
}

#[tokio::test]
async fn every_kind_sleeps_in_its_own_way_and_wakes_to_the_same_spec() {
    let stage = stage::acting().await;
    let client = stage.client();
    space(&client, "kinds", &[]).await;
    for (group, kind, name, spec) in objects() {
        let object = json!({ "metadata": { "name": name }, "spec": spec });
        let object = serde_json::from_value(object).unwrap();
        api(&client, "kinds", group, kind).create(&PostParams::default(), &object).await.unwrap();
    }
    let status = async |group: &str, kind: &str, name: &str, at: &str| -> anyhow::Result<Value> {
        let object = api(&client, "kinds", group, kind).get(name).await?;
        object.data.pointer(at).cloned().with_context(|| format!("{kind} {name} has no {at}"))
    };
    let up = async || -> anyhow::Result<()> {
        ensure!(status("apps", "ReplicaSet", "set", "/status/readyReplicas").await? == 2);
        ensure!(status("", "ReplicationController", "controller", "/status/readyReplicas").await? == 1);
        ensure!(status("apps", "DaemonSet", "agents", "/status/numberReady").await? != 0);
        ensure!(status("apps", "DaemonSet", "chosen", "/status/numberReady").await? != 0);
        ensure!(status("batch", "Job", "begun", "/status/active").await? == 1);
        Ok(())
    };
    wait::until("all to run", wait::PATIENCE, up).await.unwrap();
    let before = seen(&client, "kinds").await.unwrap();

    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    annotate(&stage.plane, "kinds", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    let marks = ["nightcap.dev/asleep".to_owned(), "nightcap.dev/original".to_owned()];
    let asleep = |name: &str, change: fn(&mut Value)| {
        let mut spec = before[name].0.clone();
        change(&mut spec);
        (name.to_owned(), (spec, marks.to_vec()))
    };
    let selector = |spec: &mut Value| {
        spec["template"]["spec"]["nodeSelector"]["nightcap.dev/asleep"] = "true".into();
    };
    let wanted = BTreeMap::from([
        asleep("ReplicaSet/set", |spec| spec["replicas"] = 0.into()),
        asleep("ReplicationController/controller", |spec| spec["replicas"] = 0.into()),
        asleep("DaemonSet/agents", selector),
        asleep("DaemonSet/chosen", selector),
        asleep("Job/waiting", |spec| spec["suspend"] = true.into()),
        asleep("Deployment/web", |spec| spec["replicas"] = 0.into()),
        ("Job/begun".to_owned(), before["Job/begun"].clone()),
    ]);
    let as_wanted = async |wanted: &BTreeMap<String, (Value, Vec<String>)>| {
        wait::until("all objects to be as wished", wait::PATIENCE, async || {
            let now = seen(&client, "kinds").await?;
            for (name, wanted) in wanted {
                ensure!(now[name] == *wanted, "{name} is {:?}, not {wanted:?}", now[name]);
            }
            Ok(())
        })
        .await
        .map_err(|error| stage.daemon.explain(error))
        .unwrap();
    };
    as_wanted(&wanted).await;
    wait::until("the pods of the DaemonSets to go", wait::PATIENCE, async || {
        for name in ["agents", "chosen"] {
            ensure!(status("apps", "DaemonSet", name, "/status/currentNumberScheduled").await? == 0);
        }
        Ok(())
    })
    .await
    .unwrap();
    // What a DaemonSet freed is told by its pods, since it has no size: it is counted as saved.
    let explained = stage.daemon.get_json("/api/v1/spaces/kinds").await.unwrap();
    let workloads = explained["workloads"].as_array().unwrap();
    let agents = workloads.iter().find(|workload| workload["name"] == "agents").unwrap();
    assert_eq!((&agents["asleep"], &agents["switched_off"]), (&json!(true), &json!(true)), "{agents}");
    assert_ne!(agents["hourly_cost"], "0.000000000000", "{agents}");
    let begun = workloads.iter().find(|workload| workload["name"] == "begun").unwrap();
    assert_eq!(
        begun["refusal"],
        "Job kinds/begun has started and runs to its end; it is not put to sleep before"
    );

    annotate(&stage.plane, "kinds", &["nightcap.dev/uptime-"]).await;
    as_wanted(&before).await;
    wait::until("all to run again", wait::PATIENCE, up).await.unwrap();
}
