//! What vClusters of each version write on the host, from the JSON of the API server to who pays.

use k8s_openapi::api::core::v1::{Namespace, Pod};
use nightcap_core::cluster::{self, Attribution, Resolver, TeamRules};
use serde_json::{Value, json};

use super::Reader;

/// The virtual pod: of a Deployment `web` in the namespace `pay` of the vCluster `dev`, whose host namespace is `host`.
const POD: &str = "web-5d9c7bd4f8-x2x4z";
const LINES: &str = "app=\"web\"\npod-template-hash=\"5d9c7bd4f8\"\nteam=\"search\"";
const OWNERS: &str = r#"[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-5d9c7bd4f8","uid":"r-1","controller":true,"blockOwnerDeletion":true}]"#;
/// Of the key `team`.
const NS_TEAM: &str = "vcluster.loft.sh/ns-label-dev-x-ca8b22d0db";
const TEAM: &str = "vcluster.loft.sh/label-dev-x-ca8b22d0db";

fn object(namespace: &str, name: &str, labels: &Value, annotations: &Value) -> Value {
    json!({
        "metadata": {
            "uid": "u-1", "namespace": namespace, "name": name, "creationTimestamp": "2026-03-02T08:00:00Z",
            "labels": labels, "annotations": annotations,
            // The Service of the vCluster: a garbage collector's owner, no controller.
            "ownerReferences": [{ "apiVersion": "v1", "kind": "Service", "name": "dev", "uid": "s-1" }],
        },
        "spec": { "nodeName": "n", "containers": [{ "name": "web" }] },
        "status": { "phase": "Running" },
    })
}

fn host_namespace(name: &str, labels: &Value, annotations: &Value) -> cluster::Namespace {
    let object = json!({
        "metadata": {
            "uid": format!("uid-{name}"), "name": name, "resourceVersion": "1",
            "creationTimestamp": "2026-03-02T08:00:00Z", "labels": labels, "annotations": annotations,
        },
    });
    let object: Namespace = serde_json::from_value(object).unwrap();
    super::namespace(&object, &mut Reader::default()).unwrap()
}

/// The namespaces of the host that the cases speak of.
fn namespaces() -> Vec<cluster::Namespace> {
    vec![
        host_namespace("host", &json!({ "team": "platform" }), &json!({})),
        host_namespace(
            "vcluster-2a1c09fe-77d2b1aa",
            &json!({ "vcluster.loft.sh/managed-by": "host-x-dev" }),
            &json!({ "vcluster.loft.sh/object-name": "pay", "vcluster.loft.sh/object-uid": "v-1" }),
        ),
        host_namespace(
            "team-pay",
            &json!({
                "vcluster.loft.sh/managed-by": "host-x-dev", "vcluster.loft.sh/vcluster-name": "dev",
                "vcluster.loft.sh/vcluster-namespace": "host", "owner": "pay-leads",
            }),
            &json!({
                "vcluster.loft.sh/object-name": "pay", "vcluster.loft.sh/object-imported": "true",
                "vcluster.loft.sh/object-host-name": "team-pay",
            }),
        ),
    ]
}

fn payer(object: Value) -> Attribution {
    let object: Pod = serde_json::from_value(object).unwrap();
    let pod = super::pod(&object, &mut Reader::default()).unwrap();
    let namespaces = namespaces();
    let find = |name: &str| namespaces.iter().find(|namespace| *namespace.name == *name);
    let owner = pod.owner.as_ref().map(|owner| (owner, None));
    Resolver::new(TeamRules::default()).pod(&pod.namespace, owner, pod.facts.as_deref(), &find)
}

/// Namespace, space, vCluster, virtual namespace, workload, team, its rule.
fn told(of: &Attribution) -> [String; 7] {
    let or_none = |text: Option<&str>| text.unwrap_or("none").to_owned();
    [
        of.namespace.to_string(),
        of.space.to_string(),
        or_none(of.vcluster.as_deref()),
        or_none(of.virtual_namespace.as_deref()),
        of.workload.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
        of.team.to_string(),
        of.team_rule.to_string(),
    ]
}

fn merged(parts: &[&Value]) -> Value {
    parts.iter().flat_map(|part| part.as_object().unwrap().clone()).collect::<serde_json::Map<_, _>>().into()
}

/// Version; namespace, name, labels and annotations on the host; team and its rule.
type Case<'a> = (&'a str, &'a str, &'a str, Value, Value, [&'a str; 2]);

#[test]
fn synced_pods_of_each_version_go_to_their_virtual_namespace() {
    let by_dev = json!({ "vcluster.loft.sh/managed-by": "dev" });
    let in_pay = json!({ "vcluster.loft.sh/namespace": "pay" });
    // Since 0.1.
    let first = json!({
        "vcluster.loft.sh/name": POD, "vcluster.loft.sh/namespace": "pay", "vcluster.loft.sh/uid": "v-2",
    });
    let set_kind = json!({ "vcluster.loft.sh/owner-set-kind": "ReplicaSet" });
    // Since 0.3, since 0.4.5, since 0.14 and 0.16, since 0.21.
    let lines = json!({ "vcluster.loft.sh/labels": LINES });
    let of_object =
        json!({ "vcluster.loft.sh/object-name": POD, "vcluster.loft.sh/object-namespace": "pay" });
    let owners = json!({ "vcluster.loft.sh/object-uid": "v-2", "vcluster.loft.sh/owner-references": OWNERS });
    let on_host = |namespace: &str, name: &str| {
        json!({
            "vcluster.loft.sh/object-kind": "/v1, Kind=Pod", "vcluster.loft.sh/object-host-name": name,
            "vcluster.loft.sh/object-host-namespace": namespace,
        })
    };
    let hashed = json!({ TEAM: "search", "vcluster.loft.sh/label-dev-x-a172cedcae": "web" });
    let kept = json!({ "app": "web", "team": "search", "pod-template-hash": "5d9c7bd4f8" });
    let ns_label = json!({ NS_TEAM: "payments" });
    let controlled = json!({ "vcluster.loft.sh/controlled-by": "pod" });
    let name = format!("{POD}-x-pay-x-dev");
    let old = merged(&[&first, &set_kind]);
    let v12 = merged(&[&old, &lines, &of_object]);
    let v19 = merged(&[&v12, &owners]);
    let v21 = |namespace: &str, name: &str| merged(&[&v19, &on_host(namespace, name)]);
    let by_pod = ["search", "label team of the pod"];
    let multi = "vcluster-2a1c09fe-77d2b1aa";
    let cases: Vec<Case<'_>> = vec![
        ("0.2", "host", &name, by_dev.clone(), old.clone(), ["platform", "label team of the namespace"]),
        (
            "0.4.4",
            "host",
            &name,
            merged(&[&by_dev, &json!({ "vcluster.loft.sh/namespace": "pay-x-dev" }), &hashed]),
            merged(&[&old, &lines]),
            by_pod,
        ),
        ("0.12", "host", &name, merged(&[&by_dev, &in_pay, &hashed, &ns_label]), v12.clone(), by_pod),
        ("0.19", "host", &name, merged(&[&by_dev, &in_pay, &hashed, &ns_label]), v19.clone(), by_pod),
        ("0.19, multi-namespace", multi, POD, merged(&[&by_dev, &kept]), v19.clone(), by_pod),
        (
            "0.20",
            "host",
            &name,
            merged(&[&by_dev, &in_pay, &ns_label]),
            merged(&[&old, &of_object, &owners]),
            ["payments", "label team of the virtual namespace"],
        ),
        ("0.21", "host", &name, merged(&[&by_dev, &in_pay, &kept, &ns_label]), v21("host", &name), by_pod),
        ("0.25, multi-namespace", multi, POD, merged(&[&by_dev, &in_pay, &kept]), v21(multi, POD), by_pod),
        ("0.26, host namespace", "team-pay", POD, merged(&[&by_dev, &kept]), v21("team-pay", POD), by_pod),
        (
            "0.30",
            "host",
            &name,
            merged(&[&by_dev, &in_pay, &ns_label, &controlled]),
            v21("host", &name),
            by_pod,
        ),
        (
            "0.36",
            "host",
            &name,
            merged(&[&by_dev, &in_pay, &kept, &ns_label, &controlled]),
            v21("host", &name),
            by_pod,
        ),
        (
            "0.36, unlabelled pod",
            "host",
            &name,
            merged(&[&by_dev, &in_pay, &ns_label]),
            merged(&[&first, &of_object, &owners, &on_host("host", &name)]),
            ["payments", "label team of the virtual namespace"],
        ),
    ];
    for (version, namespace, name, labels, annotations, [team, rule]) in cases {
        let workload = format!("Deployment {namespace}/web");
        assert_eq!(
            told(&payer(object(namespace, name, &labels, &annotations))),
            [namespace, "host/dev/pay", "host/dev", "pay", &workload, team, rule],
            "vCluster {version}"
        );
    }
}

#[test]
fn job_pods_have_owner_references_only() {
    let owners =
        r#"[{"apiVersion":"batch/v1","kind":"Job","name":"load-28500000","uid":"j-1","controller":true}]"#;
    let labels = json!({
        "vcluster.loft.sh/managed-by": "dev", "vcluster.loft.sh/namespace": "pay",
        "batch.kubernetes.io/job-name": "load-28500000", "job-name": "load-28500000",
    });
    let annotations = json!({
        "vcluster.loft.sh/object-name": "load-28500000-x2x4z", "vcluster.loft.sh/owner-references": owners,
    });
    let of = payer(object("host", "load-28500000-x2x4z-x-pay-x-dev", &labels, &annotations));
    let expected = [
        "host",
        "host/dev/pay",
        "host/dev",
        "pay",
        "Job host/load-28500000",
        "platform",
        "label team of the namespace",
    ];
    assert_eq!(told(&of), expected);
    assert!(of.labels.get("job-name").is_none(), "{:?}", of.labels);
}

#[test]
fn names_beyond_63_characters_are_never_parsed() {
    let virtual_name = "a-very-long-name-of-a-service-that-goes-on-5d9c7bd4f8-x2x4z";
    let name = "a-very-long-name-of-a-service-that-goes-on-5d9c7bd4f-0f3a9b2c1d";
    let labels = json!({ "vcluster.loft.sh/managed-by": "dev", "vcluster.loft.sh/namespace": "pay" });
    let annotations = json!({
        "vcluster.loft.sh/object-name": virtual_name, "vcluster.loft.sh/object-namespace": "pay",
        "vcluster.loft.sh/object-host-name": name, "vcluster.loft.sh/object-host-namespace": "host",
        "vcluster.loft.sh/owner-references": "null",
    });
    let of = payer(object("host", name, &labels, &annotations));
    assert_eq!(of.workload.unwrap().to_string(), format!("Pod host/{virtual_name}"));
    assert_eq!(&*of.space, "host/dev/pay");

    // A copy of it under another name is the host's own.
    let of = payer(object("host", "copy", &labels, &annotations));
    assert_eq!((&*of.space, of.vcluster, of.workload), ("host", None, None));
}

#[test]
fn control_plane_is_the_vclusters_own_line() {
    for (app, name) in
        [("vcluster", "dev-0"), ("vcluster-etcd", "dev-etcd-0"), ("vcluster-scheduler", "dev-scheduler-x")]
    {
        let labels = json!({ "app": app, "release": "dev", "chart": "vcluster-0.19.10" });
        let mut object = object("host", name, &labels, &json!({}));
        object["metadata"]["ownerReferences"] = json!([
            { "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "dev", "uid": "s", "controller": true }
        ]);
        let rule = "label team of the namespace";
        assert_eq!(
            told(&payer(object)),
            ["host", "host/dev", "host/dev", "none", "StatefulSet host/dev", "platform", rule],
            "{app}"
        );
    }
}

#[test]
fn whatever_runs_in_a_namespace_of_a_vcluster_is_its_own() {
    let of = payer(object("team-pay", "unmarked", &json!({}), &json!({})));
    assert_eq!((&*of.space, &*of.owner, &*of.team), ("host/dev/pay", "pay-leads", "platform"));
    assert_eq!(&*of.team_rule, "label team of the namespace of its vCluster");
    assert_eq!(&*of.owner_rule, "label owner of the namespace");
}

#[test]
fn pods_of_one_workload_tell_the_same() {
    let labels = json!({
        "vcluster.loft.sh/managed-by": "dev", "vcluster.loft.sh/namespace": "pay", "app": "web",
        "pod-template-hash": "5d9c7bd4f8",
    });
    let facts = |ending: &str| {
        let name = format!("web-5d9c7bd4f8-{ending}");
        let annotations = json!({
            "vcluster.loft.sh/object-name": name, "vcluster.loft.sh/name": name,
            "vcluster.loft.sh/uid": ending, "vcluster.loft.sh/owner-references": OWNERS,
        });
        let object = object("host", &format!("{name}-x-pay-x-dev"), &labels, &annotations);
        let object: Pod = serde_json::from_value(object).unwrap();
        super::pod(&object, &mut Reader::default()).unwrap().facts.unwrap()
    };
    assert_eq!(facts("x2x4z"), facts("bcdfg"));
}
