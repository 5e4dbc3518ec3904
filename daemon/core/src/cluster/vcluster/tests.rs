//! What vClusters of each version write, read again.

use std::sync::Arc;

use super::*;
use crate::cluster::{Keys, Namespace, WorkloadKind};
use crate::units::Instant;

fn keys(pairs: &[(&str, &str)]) -> Keys {
    pairs.iter().map(|&(k, v)| (k.into(), v.into())).collect()
}

fn hashes() -> KeyHashes {
    KeyHashes::of(["team", "app", "owner"].map(Into::into))
}

fn read(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Option<Synced> {
    Synced::read(&keys(labels), &keys(annotations), "web-x-pay-x-dev", "host", &hashes())
}

type Pairs<'a> = &'a [(&'a str, &'a str)];
type VirtualWorkload<'a> = (WorkloadKind, &'a str);

const BY_DEV: (&str, &str) = ("vcluster.loft.sh/managed-by", "dev");

#[test]
fn keys_are_hashed_as_a_vcluster_does() {
    let of = HashedLabels::Namespace;
    assert_eq!(host_label_key(of, "dev", "team"), "vcluster.loft.sh/ns-label-dev-x-ca8b22d0db");
    assert_eq!(
        host_label_key(HashedLabels::Object, "dev", "team"),
        "vcluster.loft.sh/label-dev-x-ca8b22d0db"
    );
    // 63 characters are kept, more are cut and hashed.
    let longest = "a".repeat(24);
    assert_eq!(
        host_label_key(of, &longest, "team"),
        format!("vcluster.loft.sh/ns-label-{longest}-x-ca8b22d0db")
    );
    let cut = host_label_key(of, &"a".repeat(25), "team");
    let (begin, hash) = cut.split_at(53);
    assert_eq!(begin, format!("vcluster.loft.sh/ns-label-{}-", "a".repeat(26 - 1) + "-"));
    assert_eq!(hash.len(), 10);
}

#[test]
fn hashed_labels_are_read_for_names_of_any_length() {
    for vcluster in ["dev", &"long".repeat(15)] {
        let label = |of, key| host_label_key(of, vcluster, key);
        let (team, app) = (label(HashedLabels::Namespace, "team"), label(HashedLabels::Object, "app"));
        let unknown = label(HashedLabels::Object, "nobody-asks");
        let labels =
            [("vcluster.loft.sh/managed-by", vcluster), (&team, "payments"), (&app, "web"), (&unknown, "x")];
        let synced = read(&labels, &[]).unwrap();
        assert_eq!(synced.namespace_labels, keys(&[("team", "payments")]), "{vcluster}");
        assert_eq!(synced.labels, keys(&[("app", "web")]), "{vcluster}");
    }
}

#[test]
fn virtual_namespace_is_told_by_label_then_annotations() {
    let label = |value| ("vcluster.loft.sh/namespace", value);
    let object = |value| ("vcluster.loft.sh/object-namespace", value);
    let cases: &[(Pairs<'_>, Pairs<'_>, Option<&str>)] = &[
        (&[BY_DEV, label("pay")], &[], Some("pay")),
        (&[BY_DEV, label("pay")], &[object("other")], Some("pay")),
        (&[BY_DEV, label("pay-x-dev")], &[], Some("pay")),
        (&[BY_DEV, label("pay-x-dev")], &[object("pay-x-dev")], Some("pay-x-dev")),
        (&[BY_DEV], &[object("pay"), label("older")], Some("pay")),
        (&[BY_DEV], &[label("pay")], Some("pay")),
        (&[BY_DEV], &[], None),
    ];
    for (labels, annotations, expected) in cases {
        let synced = read(labels, annotations).unwrap();
        assert_eq!(synced.namespace.as_deref(), *expected, "{labels:?} {annotations:?}");
    }
}

#[test]
fn copies_are_not_synced() {
    let host = |name, namespace| {
        [("vcluster.loft.sh/object-host-name", name), ("vcluster.loft.sh/object-host-namespace", namespace)]
    };
    assert!(read(&[BY_DEV], &host("web-x-pay-x-dev", "host")).is_some());
    assert_eq!(read(&[BY_DEV], &host("web", "host")), None);
    assert_eq!(read(&[BY_DEV], &host("web-x-pay-x-dev", "elsewhere")), None);
    assert_eq!(read(&[], &host("web-x-pay-x-dev", "host")), None);
    let imported = read(&[BY_DEV], &[("vcluster.loft.sh/object-imported", "true")]).unwrap();
    assert!(imported.imported);
}

#[test]
fn virtual_workload_is_found_as_well_as_the_version_tells() {
    fn owners(text: &str) -> (&str, &str) {
        ("vcluster.loft.sh/owner-references", text)
    }
    let references = |kind: &str, name: &str| {
        format!(
            r#"[{{"apiVersion":"v1","kind":"Other","name":"no","uid":"0"}},{{"apiVersion":"apps/v1","kind":"{kind}","name":"{name}","uid":"1","controller":true}}]"#
        )
    };
    let (replica_set, job) = (references("ReplicaSet", "web-5d9c7bd4f8"), references("Job", "load-28500000"));
    let set = |kind: &'static str| ("vcluster.loft.sh/owner-set-kind", kind);
    let name = |name: &'static str| ("vcluster.loft.sh/name", name);
    let lines = ("vcluster.loft.sh/labels", "app=\"web\"\npod-template-hash=\"5d9c7bd4f8\"");
    let rollout = ("vcluster.loft.sh/labels", "rollouts-pod-template-hash=\"5d9c7bd4f8\"");
    let plain = ("vcluster.loft.sh/labels", "app=\"web\"");
    let deployment = (WorkloadKind::Deployment, "web");
    let pod = |name| (WorkloadKind::from_name("Pod"), name);
    let cases: &[(&str, Pairs<'_>, Option<VirtualWorkload<'_>>)] = &[
        ("a Deployment's", &[owners(&replica_set), lines], Some(deployment.clone())),
        ("without labels, by the name's shape", &[owners(&replica_set)], Some(deployment.clone())),
        (
            "a ReplicaSet of a Rollout",
            &[owners(&replica_set), rollout],
            Some((WorkloadKind::from_name("Rollout"), "web")),
        ),
        (
            "a ReplicaSet that nothing made",
            &[owners(&replica_set), plain],
            Some((WorkloadKind::ReplicaSet, "web-5d9c7bd4f8")),
        ),
        ("a Job's has no owner-set-kind", &[owners(&job)], Some((WorkloadKind::Job, "load-28500000"))),
        ("a bare pod", &[owners("[]"), ("vcluster.loft.sh/object-name", "shell")], Some(pod("shell"))),
        ("references that cannot be read", &[owners("{"), name("shell")], Some(pod("shell"))),
        ("before 0.16, a Deployment's", &[set("ReplicaSet"), name("web-5d9c7bd4f8-x2x4z")], Some(deployment)),
        (
            "before 0.16, a StatefulSet's",
            &[set("StatefulSet"), name("db-main-0")],
            Some((WorkloadKind::StatefulSet, "db-main")),
        ),
        (
            "before 0.16, a DaemonSet's",
            &[set("DaemonSet"), name("logs-x2x4z")],
            Some((WorkloadKind::DaemonSet, "logs")),
        ),
        ("before 0.16, a Job's", &[name("load-28500000-x2x4z")], Some(pod("load-28500000-x2x4z"))),
        ("nothing said", &[], None),
    ];
    for (case, annotations, expected) in cases {
        let synced = read(&[BY_DEV], annotations).unwrap();
        let found = synced.workload.as_ref().map(|(kind, name)| (kind.clone(), &**name));
        assert_eq!(found, *expected, "{case}");
    }
}

fn namespace(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Namespace {
    Namespace {
        uid: "u".into(),
        name: "vcluster-0123-4567".into(),
        resource_version: "1".into(),
        created: Instant(0),
        labels: keys(labels),
        annotations: keys(annotations),
        terminating: false,
    }
}

#[test]
fn namespaces_made_by_a_vcluster_are_recognised() {
    let managed = ("vcluster.loft.sh/managed-by", "host-x-dev");
    let named = [("vcluster.loft.sh/vcluster-name", "dev"), ("vcluster.loft.sh/vcluster-namespace", "host")];
    let virtual_name = ("vcluster.loft.sh/object-name", "pay");
    let mapped = |namespace: Option<&str>| {
        Some(MappedNamespace {
            vcluster: VClusterKey { namespace: "host".into(), name: "dev".into() },
            namespace: namespace.map(Into::into),
        })
    };
    let of = |labels: &[(&str, &str)], annotations: &[(&str, &str)]| {
        MappedNamespace::read(&namespace(labels, annotations))
    };
    assert_eq!(of(&[managed], &[virtual_name]), mapped(Some("pay")));
    assert_eq!(of(&named, &[virtual_name]), mapped(Some("pay")));
    assert_eq!(of(&named, &[("vcluster.loft.sh/name", "pay")]), mapped(Some("pay")));
    assert_eq!(of(&named, &[]), mapped(None));
    assert_eq!(of(&[BY_DEV], &[]), None, "no vCluster's name without its namespace");
    assert_eq!(of(&named, &[("vcluster.loft.sh/object-host-name", "elsewhere")]), None, "a copy");
    let own = [
        ("vcluster.loft.sh/vcluster-name", "dev"),
        ("vcluster.loft.sh/vcluster-namespace", "vcluster-0123-4567"),
    ];
    assert_eq!(of(&own, &[]), None, "the control plane's own");
}

#[test]
fn names_that_hold_the_separator_are_told_apart_by_the_pods() {
    let ns = namespace(&[("vcluster.loft.sh/managed-by", "a-x-b-x-c")], &[]);
    let mapped = MappedNamespace::read(&ns).unwrap();
    for (vcluster, expected) in [("c", "a-x-b/c"), ("b-x-c", "a/b-x-c"), ("other", "a-x-b/c")] {
        assert_eq!(mapped.of(&Arc::from(vcluster)).to_string(), expected);
    }
}

#[test]
fn control_planes_are_known_by_their_charts_labels() {
    for (app, release, expected) in [
        ("vcluster", "dev", Some("dev")),
        ("vcluster-etcd", "dev", Some("dev")),
        ("vcluster-api", "dev", Some("dev")),
        ("vcluster-controller", "dev", Some("dev")),
        ("vcluster-scheduler", "dev", Some("dev")),
        ("vcluster", "", None),
        ("vcluster-platform", "loft", None),
        ("web", "dev", None),
    ] {
        let labels = keys(&[("app", app), ("release", release)]);
        assert_eq!(control_plane(&labels).map(|name| &**name), expected, "{app} {release}");
    }
}
