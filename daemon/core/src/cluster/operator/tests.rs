//! Operators' kinds: the table, what it reads and writes, what may be configured.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{OperatorKind, OperatorKinds, pointer_of_path};
use crate::cluster::{Fields, Size, WorkloadKey, WorkloadKind};

fn kind(group: &str, kind: &str) -> Arc<OperatorKind> {
    OperatorKinds::default().switch_of(group, kind, None).unwrap()
}

fn fields<const N: usize>(of: [(&str, Value); N]) -> Fields {
    of.into_iter().map(|(place, value)| (place.into(), value)).collect()
}

/// What of an object is written to turn it off, and to have it as it is; and whether it is off.
fn read(kind: &OperatorKind, object: &Value) -> (Size, Fields, Fields) {
    let (size, switch) = kind.read(object);
    (size, switch.off, switch.now)
}

#[test]
fn every_kind_of_the_table_is_one_that_could_be_configured() {
    let kinds = OperatorKinds::default();
    assert_eq!(kinds.iter().count(), 20);
    for known in kinds.iter() {
        assert!(OperatorKind::new(&known.group, &known.kind, known.off.clone()).is_ok(), "{known:?}");
        let (size, _) = known.read(&json!({ "metadata": {}, "spec": {} }));
        assert_eq!(size, Size::Off(false), "{known:?}");
    }
}

#[test]
fn what_is_missing_is_removed_again_and_nothing_empty_stays_behind() {
    let rollout = kind("argoproj.io", "Rollout");
    let off = fields([("/spec/replicas", json!(0))]);
    let at = |object: Value| read(&rollout, &object);
    assert_eq!(
        at(json!({ "spec": { "replicas": 3 } })),
        (Size::Off(false), off.clone(), fields([("/spec/replicas", json!(3))]))
    );
    assert_eq!(
        at(json!({ "spec": {} })),
        (Size::Off(false), off.clone(), fields([("/spec/replicas", Value::Null)]))
    );
    assert_eq!(at(json!({ "spec": { "replicas": 0 } })), (Size::Off(true), off.clone(), off));

    let deep = OperatorKind::scaled("example.com", "Farm", "/spec/pool/size/workers").unwrap();
    let missing = |object: Value| read(&deep, &object).2;
    assert_eq!(missing(json!({ "spec": {} })), fields([("/spec/pool", Value::Null)]));
    assert_eq!(missing(json!({ "spec": { "pool": {} } })), fields([("/spec/pool/size", Value::Null)]));
    let leaf = fields([("/spec/pool/size/workers", Value::Null)]);
    assert_eq!(missing(json!({ "spec": { "pool": { "size": {} } } })), leaf);
    assert_eq!(missing(json!({})), fields([("/spec/pool", Value::Null)]), "never the whole spec");
}

#[test]
fn annotations_are_written_and_removed_one_by_one() {
    let cluster = kind("postgresql.cnpg.io", "Cluster");
    let place = "/metadata/annotations/cnpg.io~1hibernation";
    let off = fields([(place, json!("on"))]);
    let absent = (Size::Off(false), off.clone(), fields([(place, Value::Null)]));
    assert_eq!(read(&cluster, &json!({ "metadata": {} })), absent);
    let awake = json!({ "metadata": { "annotations": { "cnpg.io/hibernation": "off" } } });
    assert_eq!(read(&cluster, &awake), (Size::Off(false), off.clone(), fields([(place, json!("off"))])));
    let asleep = json!({ "metadata": { "annotations": { "cnpg.io/hibernation": "on" } } });
    assert_eq!(read(&cluster, &asleep), (Size::Off(true), off.clone(), off));
}

#[test]
fn pause_of_a_scaled_objects_own_user_is_theirs() {
    let scaled = kind("keda.sh", "ScaledObject");
    let space: Arc<str> = "pay".into();
    let target = WorkloadKey { namespace: "pay".into(), kind: WorkloadKind::Deployment, name: "api".into() };
    let object = |key: &str, value: &str| {
        json!({
            "metadata": { "annotations": { key: value } },
            "spec": { "scaleTargetRef": { "name": "api" } },
        })
    };
    for (key, value, size, governs) in [
        ("team", "pay", Size::Off(false), Some(&target)),
        ("autoscaling.keda.sh/paused-replicas", "0", Size::Off(true), Some(&target)),
        ("autoscaling.keda.sh/paused-replicas", "2", Size::Off(true), None),
        ("autoscaling.keda.sh/paused", "true", Size::Off(true), None),
        ("autoscaling.keda.sh/paused", "false", Size::Off(false), Some(&target)),
    ] {
        let object = object(key, value);
        assert_eq!(scaled.read(&object).0, size, "{key}: {value}");
        assert_eq!(scaled.governs(&object, &space).as_ref(), governs, "{key}: {value}");
    }
}

#[test]
fn target_of_a_scaled_object_may_be_of_any_kind() {
    let scaled = kind("keda.sh", "ScaledObject");
    let governs = |reference: Value| {
        let object = json!({ "metadata": {}, "spec": { "scaleTargetRef": reference } });
        scaled.governs(&object, &"pay".into()).map(|key| key.to_string())
    };
    let rollout = json!({ "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web" });
    assert_eq!(governs(rollout).as_deref(), Some("Rollout.argoproj.io pay/web"));
    let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db" });
    assert_eq!(governs(set).as_deref(), Some("StatefulSet pay/db"));
    assert_eq!(governs(json!({})), None);
}

#[test]
fn any_kind_with_a_scale_subresource_is_scaled_but_for_those_whose_size_is_none_of_pods() {
    let kinds = OperatorKinds::default();
    let off = |group: &str, kind: &str, path: &str| {
        let replicas = pointer_of_path(path);
        kinds.switch_of(group, kind, replicas.as_deref()).map(|kind| kind.off.clone())
    };
    assert_eq!(off("example.com", "Farm", ".spec.workers"), Some(fields([("/spec/workers", json!(0))])));
    assert_eq!(
        off("apps.kruise.io", "StatefulSet", ".spec.replicas"),
        Some(fields([("/spec/replicas", json!(0))]))
    );
    // The table comes first: this scale subresource counts shards.
    let by_table = Some(fields([("/spec/replicas", json!(0))]));
    assert_eq!(off("monitoring.coreos.com", "Prometheus", ".spec.shards"), by_table);
    for (group, kind) in [
        ("cluster.x-k8s.io", "MachineDeployment"),
        ("infrastructure.cluster.x-k8s.io", "AWSMachinePool"),
        ("kafka.strimzi.io", "KafkaNodePool"),
        ("karpenter.sh", "NodePool"),
    ] {
        assert_eq!(off(group, kind, ".spec.replicas"), None, "{kind}");
    }
    assert_eq!(off("example.com", "Farm", ".status.workers"), None, "only the spec is written");
    assert_eq!(off("example.com", "Farm", ".spec['workers']"), None);
    assert_eq!(kinds.switch_of("example.com", "Farm", None), None);
}

#[test]
fn configuration_adds_kinds_changes_them_and_turns_them_off() {
    let farm = OperatorKind::scaled("example.com", "Farm", "/spec/workers").unwrap();
    let name = |group: &str, kind: &str| (Arc::from(group), Arc::from(kind));
    let kinds = OperatorKinds::with([
        (name("example.com", "Farm"), Some(farm.clone())),
        (name("argoproj.io", "Rollout"), None),
    ]);
    assert_eq!(kinds.switch_of("example.com", "Farm", None).as_deref(), Some(&farm));
    assert_eq!(kinds.switch_of("argoproj.io", "Rollout", Some("/spec/replicas")), None);
    assert!(kinds.groups().contains(&"example.com".into()));
}

#[test]
fn kind_that_cannot_be_turned_off_as_described_says_why() {
    let on = || json!(true);
    for (group, kind, off, says) in [
        (
            "apps",
            "Deployment",
            fields([("/spec/replicas", json!(0))]),
            "\"apps\" is no group of custom resources",
        ),
        ("example.com", "", fields([("/spec/a", on())]), "\"\" is no kind"),
        ("example.com", "Farm", fields([]), "nothing says how it is turned off"),
        ("example.com", "Farm", fields([("spec.a", on())]), "\"spec.a\" is no JSON pointer"),
        ("example.com", "Farm", fields([("/spec/a~2", on())]), "\"/spec/a~2\" is no JSON pointer"),
        ("example.com", "Farm", fields([("/spec", on())]), "\"/spec\" must not be written"),
        ("example.com", "Farm", fields([("/status/a", on())]), "\"/status/a\" must not be written"),
        ("example.com", "Farm", fields([("/metadata/finalizers", on())]), "must not be written"),
        ("example.com", "Farm", fields([("/spec/a", Value::Null)]), "\"/spec/a\" is null"),
    ] {
        let error = OperatorKind::new(group, kind, off).unwrap_err().to_string();
        assert!(error.starts_with(says) || error.contains(says), "{error}");
    }
}
