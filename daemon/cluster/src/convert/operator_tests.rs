//! Definitions of custom resources, and the objects of operators.

use std::sync::Arc;

use kube::api::DynamicObject;
use nightcap_core::cluster::{OperatorKinds, Resource, Size, Workload};
use serde_json::{Value, json};

use super::tests::read;
use super::{Reader, Served, SlimDefinition, operator_object, served};

fn definition(change: impl FnOnce(&mut Value)) -> Option<Served> {
    let version = |name: &str, served: bool, storage: bool, path: &str| {
        json!({
            "name": name, "served": served, "storage": storage,
            "schema": { "openAPIV3Schema": { "type": "object" } },
            "subresources": { "status": {}, "scale": { "specReplicasPath": path, "statusReplicasPath": ".status.n" } },
        })
    };
    let mut object = json!({
        "metadata": { "name": "farms.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": { "kind": "Farm", "plural": "farms", "singular": "farm" },
            "versions": [
                version("v1", true, true, ".spec.workers"), version("v1beta1", true, false, ".spec.size"),
            ],
        },
        "status": { "conditions": [{ "type": "Established", "status": "True" }] },
    });
    change(&mut object);
    served(&read::<SlimDefinition>(&object))
}

fn farm(version: &str, replicas: Option<&str>) -> Served {
    Served {
        kind: "Farm".into(),
        resource: Resource { group: "example.com".into(), version: version.into(), plural: "farms".into() },
        replicas: replicas.map(Into::into),
    }
}

#[test]
fn definition_says_what_is_served_and_where_its_size_stands() {
    assert_eq!(definition(|_| {}), Some(farm("v1", Some("/spec/workers"))));
    let older = |object: &mut Value| object["spec"]["versions"][0]["served"] = false.into();
    assert_eq!(definition(older), Some(farm("v1beta1", Some("/spec/size"))), "what is stored is not served");
    let plain = |object: &mut Value| object["spec"]["versions"][0]["subresources"] = json!({});
    assert_eq!(definition(plain), Some(farm("v1", None)));
    assert_eq!(definition(|object| object["spec"]["scope"] = "Cluster".into()), None);
    assert_eq!(definition(|object| object["status"] = json!({})), None, "not served yet");
}

fn rollout(spec: &Value, status: &Value) -> Workload {
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {
            "uid": "r-1", "namespace": "pay", "name": "web", "resourceVersion": "9", "generation": 3,
            "creationTimestamp": "2026-03-01T00:00:00Z",
        },
        "spec": spec, "status": status,
    });
    let kind = OperatorKinds::default().switch_of("argoproj.io", "Rollout", None).unwrap();
    let resource =
        Resource { group: "argoproj.io".into(), version: "v1alpha1".into(), plural: "rollouts".into() };
    operator_object(&read::<DynamicObject>(&object), &kind, &Arc::new(resource), &mut Reader::default())
        .unwrap()
}

#[test]
fn object_of_an_operator_is_a_workload_with_a_switch() {
    let template = json!({ "spec": { "containers": [
        { "name": "web", "image": "web", "resources": { "requests": { "cpu": "100m", "memory": "64Mi" } } },
    ] } });
    let found = rollout(&json!({ "replicas": 3, "template": template }), &json!({ "readyReplicas": 2 }));
    assert_eq!(found.key.to_string(), "Rollout.argoproj.io pay/web");
    assert_eq!((found.size, found.ready_replicas, found.wanted_pods), (Size::Off(false), 2, Some(3)));
    assert_eq!(found.pod_requests.cpu.0, 100_000_000);
    assert_eq!(found.resource.unwrap().to_string(), "rollouts.argoproj.io");
    let silent = rollout(&json!({ "replicas": 3 }), &json!({}));
    assert_eq!(silent.wanted_pods, None, "who does not tell its ready pods cannot be waited for");
}

#[test]
fn object_whose_operator_is_behind_is_in_the_middle_of_something() {
    let rolls = |status: Value| rollout(&json!({ "replicas": 3 }), &status).rolling_out;
    assert!(rolls(json!({ "observedGeneration": 2 })) && rolls(json!({ "observedGeneration": "2" })));
    assert!(rolls(json!({ "observedGeneration": "3", "phase": "Progressing" })));
    assert!(!rolls(json!({ "observedGeneration": "3", "phase": "Healthy" })) && !rolls(json!({})));
}

#[test]
fn object_that_would_drop_its_claims_says_so() {
    let policy = json!({ "persistentVolumeClaimRetentionPolicy": { "whenScaled": "Delete" } });
    assert!(rollout(&policy, &json!({})).deletes_claims_when_scaled);
}
