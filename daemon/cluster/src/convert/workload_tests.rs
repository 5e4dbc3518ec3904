//! What each further kind of workload becomes: by what it is turned down, when it must not be.

use k8s_openapi::api::apps::v1::{DaemonSet, ReplicaSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ReplicationController;
use nightcap_core::cluster::{Fields, Size, Switch, Workload, WorkloadKind};
use serde_json::{Value, json};

use super::Reader;
use super::tests::{a_workload, its_workload, read, set};

fn reader() -> Reader {
    Reader::default()
}

#[test]
fn sets_and_controllers_have_replicas() {
    let status = json!({ "observedGeneration": 3, "replicas": 2, "readyReplicas": 1 });
    let object = a_workload(&json!({ "replicas": 2 }), &status);
    let set = super::replica_set(&read::<ReplicaSet>(&object), &mut reader());
    assert_eq!(set, Ok(its_workload(WorkloadKind::ReplicaSet, Size::Replicas(2), 1)));
    let mut object = object;
    object["spec"]["selector"] = json!({ "app": "api" });
    let controller = super::replication_controller(&read::<ReplicationController>(&object), &mut reader());
    assert_eq!(controller, Ok(its_workload(WorkloadKind::ReplicationController, Size::Replicas(2), 1)));
}

#[test]
fn what_a_controller_owns_does_not_stand_alone() {
    let object = a_workload(&json!({}), &json!({}));
    let owner = json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "api", "uid": "d", "controller": true }]);
    let owned = set(object.clone(), "/metadata/ownerReferences", owner);
    let alone = |object: &Value| super::stands_alone(&read::<ReplicaSet>(object).metadata);
    assert_eq!((alone(&object), alone(&owned)), (true, false));
}

fn daemon_set(selector: Option<Value>, status: &Value) -> Workload {
    let mut object = a_workload(&json!({}), status);
    if let Some(selector) = selector {
        object["spec"]["template"]["spec"]["nodeSelector"] = selector;
    }
    super::daemon_set(&read::<DaemonSet>(&object), &mut reader()).unwrap()
}

fn settled() -> Value {
    json!({
        "observedGeneration": 3, "desiredNumberScheduled": 4, "currentNumberScheduled": 4, "numberReady": 3,
        "numberMisscheduled": 0, "updatedNumberScheduled": 4,
    })
}

fn fields<const N: usize>(of: [(&str, Value); N]) -> Fields {
    of.into_iter().map(|(place, value)| (place.into(), value)).collect()
}

const LABEL: &str = "/spec/template/spec/nodeSelector/nightcap.dev~1asleep";

#[test]
fn daemon_set_is_sent_to_no_node() {
    let off = fields([(LABEL, json!("true"))]);
    let plain = daemon_set(None, &settled());
    let now = fields([("/spec/template/spec/nodeSelector", Value::Null)]);
    let wanted = Workload {
        wanted_pods: Some(4),
        switch: Some(Switch { off: off.clone(), now }.into()),
        ..its_workload(WorkloadKind::DaemonSet, Size::Off(false), 3)
    };
    assert_eq!(plain, wanted);

    let with_its_own = daemon_set(Some(json!({ "disk": "ssd" })), &settled());
    let now = fields([(LABEL, Value::Null)]);
    assert_eq!(with_its_own.switch, Some(Switch { off: off.clone(), now }.into()));

    let asleep = daemon_set(Some(json!({ "disk": "ssd", "nightcap.dev/asleep": "true" })), &settled());
    assert_eq!(
        (asleep.size, asleep.switch),
        (Size::Off(true), Some(Switch { now: off.clone(), off }.into()))
    );
}

#[test]
fn daemon_set_rolls_out_while_older_pods_are_replaced() {
    let rolls = |changes: &[(&str, Value)], strategy: Option<&str>| {
        let mut status = settled();
        for (key, value) in changes {
            status[*key] = value.clone();
        }
        let mut object = a_workload(&json!({}), &status);
        if let Some(strategy) = strategy {
            object["spec"]["updateStrategy"] = json!({ "type": strategy });
        }
        super::daemon_set(&read::<DaemonSet>(&object), &mut reader()).unwrap().rolling_out
    };
    assert!(!rolls(&[], None));
    assert!(rolls(&[("observedGeneration", json!(2))], None), "changed just now");
    assert!(rolls(&[("updatedNumberScheduled", json!(1))], None));
    assert!(!rolls(&[("updatedNumberScheduled", json!(1))], Some("OnDelete")), "a person decides when");
    let on_no_node = [("updatedNumberScheduled", json!(0)), ("currentNumberScheduled", json!(0))];
    assert!(!rolls(&on_no_node, None));
}

#[test]
fn job_that_has_started_runs_to_its_end() {
    let job = |spec: &Value, status: &Value| {
        super::job(&read::<Job>(&a_workload(spec, status)), &mut reader()).unwrap()
    };
    let waiting = its_workload(WorkloadKind::Job, Size::Suspended(false), 0);
    assert_eq!(job(&json!({}), &json!({})), waiting);
    let started = json!({ "startTime": "2026-03-01T08:00:00Z", "active": 1, "ready": 1 });
    let running = Workload { running: true, ready_replicas: 1, ..waiting.clone() };
    assert_eq!(job(&json!({}), &started), running);
    // A Job that was suspended on its way keeps its start until its controller has seen it.
    let suspended = Workload { size: Size::Suspended(true), ready_replicas: 1, ..waiting };
    assert_eq!(job(&json!({ "suspend": true }), &started), suspended);
}

#[test]
fn job_ends_well_or_badly() {
    let ended = |conditions: &Value| {
        super::job_has_ended(&read::<Job>(&a_workload(&json!({}), &json!({ "conditions": conditions }))))
    };
    let condition = |kind: &str, status: &str| json!([{ "type": kind, "status": status }]);
    assert!(ended(&condition("Complete", "True")) && ended(&condition("Failed", "True")));
    assert!(!ended(&condition("Complete", "False")) && !ended(&condition("Suspended", "True")));
    assert!(!ended(&json!([])));
}

#[test]
fn volumes_that_end_with_the_pod_are_named() {
    let mut object = a_workload(&json!({ "replicas": 1 }), &json!({}));
    object["spec"]["template"]["spec"]["volumes"] = json!([
        { "name": "scratch", "emptyDir": {} },
        { "name": "shared-memory", "emptyDir": { "medium": "Memory" } },
        { "name": "build", "ephemeral": { "volumeClaimTemplate": { "spec": {} } } },
        { "name": "data", "persistentVolumeClaim": { "claimName": "data" } },
    ]);
    let set = super::replica_set(&read::<ReplicaSet>(&object), &mut reader()).unwrap();
    assert_eq!(set.local_volumes, ["scratch".into(), "build".into()]);
}
