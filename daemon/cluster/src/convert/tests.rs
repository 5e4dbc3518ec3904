//! Conversions, from the JSON an API server sends to whole records.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use nightcap_core::cluster::{
    self, CapacityType, NodeFacts, OwnerFacts, PodPhase, Provider, Size, TeamRules, WorkloadKey, WorkloadKind,
};
use nightcap_core::units::{Bytes, Cpu, Gpu, Instant, Resources, parse_rfc3339};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{KeepKeys, Reader, Unreadable};

pub(super) fn read<K: DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone()).unwrap()
}

fn at(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

pub(super) fn set(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[key] = value;
    object
}

fn amount(millicores: u64, mebibytes: u64) -> Resources {
    Resources { cpu: Cpu::from_millis(millicores), memory: Bytes(mebibytes << 20), gpu: Gpu(0) }
}

fn request(cpu: &str, memory: &str) -> Value {
    json!({ "requests": { "cpu": cpu, "memory": memory } })
}

/// A running pod of a Deployment.
fn a_pod() -> Value {
    json!({
        "metadata": {
            "uid": "u-1", "namespace": "pay", "name": "api-5d9c7-x2x4z",
            "creationTimestamp": "2026-03-02T08:00:00Z",
            "labels": { "app": "api", "pod-template-hash": "5d9c7" },
            "ownerReferences": [
                { "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-5d9c7", "uid": "u-0", "controller": true }
            ],
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [{ "name": "api", "resources": request("250m", "128Mi") }],
        },
        "status": {
            "phase": "Running",
            "startTime": "2026-03-02T08:00:02Z",
            "conditions": [
                { "type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-03-02T08:00:01Z" },
                { "type": "Ready", "status": "True", "lastTransitionTime": "2026-03-02T08:00:09Z" },
            ],
            "containerStatuses": [
                { "name": "api", "state": { "running": { "startedAt": "2026-03-02T08:00:05Z" } } }
            ],
        },
    })
}

fn its_record() -> cluster::Pod {
    cluster::Pod {
        uid: "u-1".into(),
        namespace: "pay".into(),
        name: "api-5d9c7-x2x4z".into(),
        node: Some("node-1".into()),
        owner: Some(WorkloadKey {
            namespace: "pay".into(),
            kind: WorkloadKind::Deployment,
            name: "api".into(),
        }),
        requests: amount(250, 128),
        bound: Some(at("2026-03-02T08:00:01Z")),
        ended: None,
        phase: PodPhase::Running,
        ready: true,
        claims: Vec::new(),
        facts: Some(Arc::new(OwnerFacts {
            labels: [("app".into(), "api".into())].into(),
            ..OwnerFacts::default()
        })),
    }
}

fn pod(object: &Value) -> Result<cluster::Pod, Unreadable> {
    super::pod(&read::<Pod>(object), &mut Reader::default())
}

fn requests_of(spec: Value) -> Resources {
    pod(&set(a_pod(), "/spec", spec)).unwrap().requests
}

#[test]
fn running_pod_is_read_whole() {
    assert_eq!(pod(&a_pod()), Ok(its_record()));
}

#[test]
fn names_of_two_pods_are_held_once() {
    let mut reader = Reader::default();
    let one = super::pod(&read::<Pod>(&a_pod()), &mut reader).unwrap();
    let two =
        super::pod(&read::<Pod>(&set(a_pod(), "/metadata/name", json!("api-5d9c7-2"))), &mut reader).unwrap();
    let shared = |pod: &cluster::Pod| {
        let owner = pod.owner.clone().unwrap();
        [Arc::clone(&pod.namespace), pod.node.clone().unwrap(), owner.namespace, owner.name]
    };
    for (one, two) in shared(&one).iter().zip(shared(&two).iter()) {
        assert!(Arc::ptr_eq(one, two), "{one}");
    }
}

#[test]
fn requests_are_what_the_scheduler_sets_aside() {
    let web = json!({ "name": "web", "resources": request("300m", "100Mi") });
    let side = json!({ "name": "side", "restartPolicy": "Always", "resources": request("100m", "50Mi") });
    let init = |cpu: &str, memory: &str| json!({ "name": "init", "resources": request(cpu, memory) });
    let cases = [
        ("nothing requested", json!({ "containers": [{ "name": "web" }] }), amount(0, 0)),
        (
            "a limit alone is a request too",
            json!({ "containers": [{ "name": "web", "resources": { "limits": { "cpu": "1" } } }] }),
            amount(1_000, 0),
        ),
        (
            "containers add up",
            json!({ "containers": [web, { "name": "b", "resources": request("1", "1Gi") }] }),
            amount(1_300, 1_124),
        ),
        (
            "a smaller init container is free",
            json!({ "containers": [web], "initContainers": [init("200m", "100Mi")] }),
            amount(300, 100),
        ),
        (
            "the larger counts, resource by resource",
            json!({ "containers": [web], "initContainers": [init("2", "10Mi")] }),
            amount(2_000, 100),
        ),
        (
            "init containers do not add up",
            json!({ "containers": [web], "initContainers": [init("1", "1Mi"), init("500m", "400Mi")] }),
            amount(1_000, 400),
        ),
        (
            "a sidecar runs beside the containers",
            json!({ "containers": [web], "initContainers": [side] }),
            amount(400, 150),
        ),
        (
            "a sidecar runs beside later init containers",
            json!({ "containers": [web], "initContainers": [side, init("2", "10Mi")] }),
            amount(2_100, 150),
        ),
        (
            "but not beside earlier ones",
            json!({ "containers": [web], "initContainers": [init("2", "10Mi"), side] }),
            amount(2_000, 150),
        ),
        (
            "overhead comes on top",
            json!({ "containers": [web], "overhead": { "cpu": "50m", "memory": "20Mi" } }),
            amount(350, 120),
        ),
        (
            "requests of the whole pod stand in place of the sum, where stated",
            json!({ "containers": [web], "resources": { "requests": { "cpu": "2" } }, "overhead": { "cpu": "50m" } }),
            amount(2_050, 100),
        ),
    ];
    for (name, spec, wanted) in cases {
        assert_eq!(requests_of(spec), wanted, "{name}");
    }
}

#[test]
fn gpus_of_any_vendor_count_and_other_devices_do_not() {
    let list = json!({ "requests": {
        "nvidia.com/gpu": "2", "amd.com/gpu": "1", "gpu.intel.com/i915": "1",
        "gpu.intel.com/i915_monitoring": "1", "example.org/fpga": "4", "ephemeral-storage": "1Gi", "hugepages-2Mi": "4Mi",
    } });
    let requests = requests_of(json!({ "containers": [{ "name": "train", "resources": list }] }));
    assert_eq!(requests, Resources { gpu: Gpu(4_000), ..Resources::default() });
    let limit = json!({ "requests": { "cpu": "1" }, "limits": { "cpu": "2", "nvidia.com/gpu": "1" } });
    let requests = requests_of(json!({ "containers": [{ "name": "train", "resources": limit }] }));
    assert_eq!(requests, Resources { cpu: Cpu::from_cores(1), gpu: Gpu(1_000), ..Resources::default() });
}

#[test]
fn resize_in_place_holds_the_larger_until_it_is_done() {
    let resized = |wished: &str, runs: &str, admitted: &str, condition: Value| {
        let object =
            set(a_pod(), "/spec/containers", json!([{ "name": "api", "resources": request(wished, "1Mi") }]));
        let object = set(object, "/status/conditions", json!([condition]));
        let status = json!([{
            "name": "api", "resources": request(runs, "1Mi"), "allocatedResources": { "cpu": admitted, "memory": "1Mi" }
        }]);
        pod(&set(object, "/status/containerStatuses", status)).unwrap().requests
    };
    let pending = |reason: &str| json!({ "type": "PodResizePending", "status": "True", "reason": reason });
    let none = json!({ "type": "Ready", "status": "True" });
    assert_eq!(resized("1", "1", "1", none.clone()), amount(1_000, 1), "at rest");
    assert_eq!(resized("2", "1", "1", none.clone()), amount(2_000, 1), "asks for more");
    assert_eq!(resized("2", "1", "2", none.clone()), amount(2_000, 1), "has been admitted");
    assert_eq!(resized("1", "2", "1", none), amount(2_000, 1), "shrinks, and is not there yet");
    assert_eq!(resized("2", "1", "1", pending("Deferred")), amount(2_000, 1), "waits for room");
    assert_eq!(resized("64", "1", "1", pending("Infeasible")), amount(1_000, 1), "can never be had here");
}

#[test]
fn sidecar_is_resized_too_and_so_is_a_pod_as_a_whole() {
    let side = json!([{ "name": "side", "restartPolicy": "Always", "resources": request("100m", "1Mi") }]);
    let object = set(a_pod(), "/spec/initContainers", side);
    let status = json!([{ "name": "side", "resources": request("500m", "1Mi") }]);
    assert_eq!(
        pod(&set(object, "/status/initContainerStatuses", status)).unwrap().requests,
        amount(750, 129)
    );

    let object = set(a_pod(), "/spec/resources", request("1", "1Gi"));
    let object = set(object, "/status/resources", request("3", "512Mi"));
    assert_eq!(pod(&object).unwrap().requests, amount(3_000, 1_024));
}

#[test]
fn pod_holds_its_node_from_the_moment_it_is_bound() {
    let pending =
        set(set(a_pod(), "/status/phase", json!("Pending")), "/status/conditions/1/status", json!("False"));
    let wanted = cluster::Pod { phase: PodPhase::Pending, ready: false, ..its_record() };
    assert_eq!(pod(&pending), Ok(wanted.clone()), "scheduled, its images are being pulled");

    let no_conditions = set(pending.clone(), "/status/conditions", Value::Null);
    let from_start = cluster::Pod { bound: Some(at("2026-03-02T08:00:02Z")), ..wanted.clone() };
    assert_eq!(pod(&no_conditions), Ok(from_start), "taken in by a kubelet that wrote no condition");

    let only_created = set(no_conditions, "/status", json!({}));
    let from_creation = cluster::Pod { bound: Some(at("2026-03-02T08:00:00Z")), ..wanted.clone() };
    assert_eq!(pod(&only_created), Ok(from_creation), "created with its node");

    let unscheduled = set(pending, "/spec/nodeName", Value::Null);
    let nowhere = cluster::Pod { node: None, bound: None, ..wanted };
    assert_eq!(pod(&unscheduled), Ok(nowhere), "waits for a node, whatever its conditions say");
}

#[test]
fn finished_pod_ends_with_its_last_container() {
    let over = |time: &str| json!({ "terminated": { "exitCode": 0, "finishedAt": time } });
    let object =
        set(set(a_pod(), "/status/phase", json!("Succeeded")), "/status/conditions/1/status", json!("False"));
    let object = set(
        object,
        "/status/containerStatuses",
        json!([{ "name": "api", "state": over("2026-03-02T08:07:00Z") }, { "name": "b", "state": over("2026-03-02T08:05:00Z") }]),
    );
    let object = set(
        object,
        "/status/initContainerStatuses",
        json!([{ "name": "side", "state": over("2026-03-02T08:07:03Z") }]),
    );
    let wanted = cluster::Pod {
        phase: PodPhase::Finished,
        ended: Some(at("2026-03-02T08:07:03Z")),
        ready: false,
        ..its_record()
    };
    assert_eq!(pod(&object), Ok(wanted));
}

#[test]
fn evicted_pod_without_containers_ends_with_its_conditions() {
    let evicted = |conditions: Value| {
        let status = json!({ "phase": "Failed", "reason": "Evicted", "startTime": "2026-03-02T08:00:02Z", "conditions": conditions });
        pod(&set(a_pod(), "/status", status)).unwrap().ended
    };
    let condition = |which: &str, status: &str, time: &str| json!({ "type": which, "status": status, "lastTransitionTime": time });
    let scheduled = condition("PodScheduled", "True", "2026-03-02T08:00:01Z");
    let ready = condition("Ready", "False", "2026-03-02T09:00:00Z");
    let target = condition("DisruptionTarget", "True", "2026-03-02T08:59:30Z");
    let never_ready = condition("Ready", "False", "2026-03-02T08:00:01Z");
    assert_eq!(evicted(json!([scheduled, ready])), Some(at("2026-03-02T09:00:00Z")));
    assert_eq!(evicted(json!([scheduled, ready, target])), Some(at("2026-03-02T08:59:30Z")));
    assert_eq!(
        evicted(json!([scheduled, never_ready])),
        None,
        "it was unready from the start: that says nothing"
    );
    assert_eq!(evicted(json!([])), None);
}

#[test]
fn deleted_pod_ends_as_early_as_can_be_proven() {
    let now = at("2026-03-02T10:00:00Z");
    let ended = |object: &Value| super::pod_ended(&read::<Pod>(object), now);
    let deleted = set(a_pod(), "/metadata/deletionTimestamp", json!("2026-03-02T09:59:58Z"));
    assert_eq!(ended(&a_pod()), now, "removed by force, without a trace");
    assert_eq!(ended(&deleted), at("2026-03-02T09:59:58Z"), "its grace period was over");
    let later = set(a_pod(), "/metadata/deletionTimestamp", json!("2026-03-02T10:00:28Z"));
    assert_eq!(ended(&later), now, "gone before its grace period was over");
    let over = json!({ "terminated": { "exitCode": 0, "finishedAt": "2026-03-02T09:59:31Z" } });
    let finished = set(deleted, "/status/containerStatuses/0/state", over);
    assert_eq!(ended(&finished), at("2026-03-02T09:59:31Z"));
    let unseen = set(finished, "/status/containerStatuses/0/state/terminated/finishedAt", Value::Null);
    assert_eq!(ended(&unseen), at("2026-03-02T09:59:58Z"), "nobody saw its container end");
}

#[test]
fn owner_is_followed_where_names_and_labels_prove_it() {
    let owned = |kind: &str, name: &str, labels: Value| {
        let object = set(a_pod(), "/metadata/labels", labels);
        let object = set(object, "/metadata/ownerReferences/0/kind", json!(kind));
        pod(&set(object, "/metadata/ownerReferences/0/name", json!(name)))
            .unwrap()
            .owner
            .map(|o| o.to_string())
    };
    let hash = json!({ "pod-template-hash": "5d9c7" });
    let cases = [
        ("ReplicaSet", "api-5d9c7", hash.clone(), "Deployment pay/api"),
        ("ReplicaSet", "api-5d9c7", json!({}), "ReplicaSet pay/api-5d9c7"),
        ("ReplicaSet", "api-77777", hash.clone(), "ReplicaSet pay/api-77777"),
        ("ReplicaSet", "5d9c7", hash, "ReplicaSet pay/5d9c7"),
        ("ReplicaSet", "api-6c5", json!({ "rollouts-pod-template-hash": "6c5" }), "Rollout pay/api"),
        ("StatefulSet", "db", json!({}), "StatefulSet pay/db"),
        ("DaemonSet", "logs", json!({}), "DaemonSet pay/logs"),
        ("Job", "nightly-29384756", json!({}), "Job pay/nightly-29384756"),
        ("Node", "node-1", json!({}), "Node pay/node-1"),
    ];
    for (kind, name, labels, wanted) in cases {
        assert_eq!(owned(kind, name, labels).as_deref(), Some(wanted));
    }
    assert_eq!(pod(&set(a_pod(), "/metadata/ownerReferences", json!([]))).unwrap().owner, None, "bare");
    let not_controlled = set(a_pod(), "/metadata/ownerReferences/0/controller", json!(false));
    assert_eq!(pod(&not_controlled).unwrap().owner, None, "owned, but not controlled");
}

#[test]
fn phases_of_kubernetes_are_three_of_ours() {
    let cases = [
        (json!("Pending"), PodPhase::Pending),
        (json!("Running"), PodPhase::Running),
        (json!("Unknown"), PodPhase::Running),
        (json!("Succeeded"), PodPhase::Finished),
        (json!("Failed"), PodPhase::Finished),
        (Value::Null, PodPhase::Pending),
    ];
    for (text, phase) in cases {
        assert_eq!(pod(&set(a_pod(), "/status/phase", text.clone())).unwrap().phase, phase, "{text}");
    }
}

#[test]
fn what_cannot_be_read_names_the_object_and_the_value() {
    let cases = [
        (
            set(a_pod(), "/spec/containers/0/resources/requests/cpu", json!("lots")),
            "pay/api-5d9c7-x2x4z",
            "spec.containers[api].resources.requests.cpu: \"lots\" is no quantity: expected a number with an optional \
             suffix such as m, k, Mi or e3",
        ),
        (
            set(a_pod(), "/spec/overhead", json!({ "memory": "-1" })),
            "pay/api-5d9c7-x2x4z",
            "spec.overhead.memory: \"-1\" is negative",
        ),
        (set(a_pod(), "/metadata/uid", Value::Null), "pay/api-5d9c7-x2x4z", "metadata.uid is missing"),
        (set(a_pod(), "/metadata/name", Value::Null), "pay/(no name)", "metadata.name is missing"),
        (set(a_pod(), "/spec", Value::Null), "pay/api-5d9c7-x2x4z", "spec is missing"),
    ];
    for (object, name, reason) in cases {
        assert_eq!(pod(&object), Err(Unreadable { object: name.into(), reason: reason.into() }));
    }
}

#[test]
fn node_is_read_whole() {
    let object = json!({
        "metadata": {
            "uid": "n-1", "name": "ip-10-0-0-1", "creationTimestamp": "2026-03-01T00:00:00Z",
            "labels": {
                "node.kubernetes.io/instance-type": "g5.xlarge", "topology.kubernetes.io/region": "eu-central-1",
                "topology.kubernetes.io/zone": "eu-central-1a", "karpenter.sh/capacity-type": "spot",
                "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
            },
        },
        "spec": { "providerID": "aws:///eu-central-1a/i-0abc" },
        "status": {
            "capacity": { "cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1", "pods": "58" },
            "allocatable": { "cpu": "3920m", "memory": "15Gi", "nvidia.com/gpu": "1", "pods": "58" },
            "conditions": [
                { "type": "MemoryPressure", "status": "False" }, { "type": "Ready", "status": "True" },
            ],
            "nodeInfo": { "kubeletVersion": "v1.37.2" },
        },
    });
    let wanted = cluster::Node {
        uid: "n-1".into(),
        name: "ip-10-0-0-1".into(),
        created: at("2026-03-01T00:00:00Z"),
        provider_id: "aws:///eu-central-1a/i-0abc".into(),
        facts: NodeFacts {
            provider: Provider::Aws,
            region: "eu-central-1".into(),
            zone: "eu-central-1a".into(),
            instance_type: "g5.xlarge".into(),
            capacity_type: CapacityType::Spot,
            arch: "amd64".into(),
            os: "linux".into(),
            ..NodeFacts::default()
        },
        capacity: Resources { cpu: Cpu::from_cores(4), memory: Bytes(16 << 30), gpu: Gpu(1_000) },
        ready: true,
    };
    let node = |object: &Value| super::node(&read::<Node>(object), &mut Reader::default());
    assert_eq!(node(&object), Ok(wanted.clone()));

    // Of its labels those are kept that a price rule looks at.
    let keep = KeepKeys::default().with_node_labels(["kubernetes.io/arch", "example.com/rack"]);
    let kept = super::node(&read::<Node>(&object), &mut Reader::new(keep)).unwrap().facts.labels;
    assert_eq!(kept, [("kubernetes.io/arch".into(), "amd64".into())].into());

    let fresh = set(set(object.clone(), "/status", json!({})), "/spec", json!({}));
    let wanted = cluster::Node {
        provider_id: "".into(),
        facts: NodeFacts { provider: Provider::Unknown, ..wanted.facts.clone() },
        capacity: Resources::default(),
        ready: false,
        ..wanted
    };
    assert_eq!(node(&fresh), Ok(wanted), "a node that has only just registered");

    let broken = node(&set(object, "/status/capacity/memory", json!("16 Gi"))).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "ip-10-0-0-1 cannot be read: status.capacity.memory: \"16 Gi\" is no quantity: expected a number with an \
         optional suffix such as m, k, Mi or e3"
    );
}

#[test]
fn namespace_keeps_all_labels_and_the_annotations_that_somebody_reads() {
    let object = json!({
        "metadata": {
            "uid": "ns-1", "name": "pay", "resourceVersion": "42", "creationTimestamp": "2026-03-01T00:00:00Z",
            "labels": { "kubernetes.io/metadata.name": "pay", "team": "payments" },
            "annotations": {
                "nightcap.dev/uptime": "Mon-Fri 08:00-18:00 Europe/Berlin", "team": "payments",
                "downscaler/uptime": "always",
                "kubectl.kubernetes.io/last-applied-configuration": "{}", "nightcap.devious/x": "y",
            },
        },
        "status": { "phase": "Active" },
    });
    let keys = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<cluster::Keys>()
    };
    let wanted = cluster::Namespace {
        uid: "ns-1".into(),
        name: "pay".into(),
        resource_version: "42".into(),
        created: at("2026-03-01T00:00:00Z"),
        labels: keys(&[("kubernetes.io/metadata.name", "pay"), ("team", "payments")]),
        annotations: keys(&[
            ("downscaler/uptime", "always"),
            ("nightcap.dev/uptime", "Mon-Fri 08:00-18:00 Europe/Berlin"),
            ("team", "payments"),
        ]),
        terminating: false,
    };
    let namespace =
        |object: &Value, keep| super::namespace(&read::<Namespace>(object), &mut Reader::new(keep)).unwrap();
    assert_eq!(namespace(&object, KeepKeys::default()), wanted);

    let rules = TeamRules {
        prefix: "nightcap.devious".into(),
        team_keys: vec!["squad".into()],
        ..TeamRules::default()
    };
    let other_prefix = namespace(&object, KeepKeys::for_teams(&rules));
    assert_eq!(
        other_prefix.annotations,
        keys(&[("downscaler/uptime", "always"), ("nightcap.devious/x", "y")])
    );

    let deleted = set(object, "/metadata/deletionTimestamp", json!("2026-03-02T00:00:00Z"));
    assert_eq!(namespace(&deleted, KeepKeys::default()), cluster::Namespace { terminating: true, ..wanted });
}

/// A workload's JSON, with this spec beside its template.
pub(super) fn a_workload(spec: &Value, status: &Value) -> Value {
    let mut object = json!({
        "metadata": {
            "uid": "w-1", "namespace": "pay", "name": "api", "resourceVersion": "7", "generation": 3,
            "creationTimestamp": "2026-03-01T00:00:00Z",
            "labels": { "team": "payments", "app": "api" },
            "annotations": { "nightcap.dev/exclude": "true", "deployment.kubernetes.io/revision": "4" },
        },
        "spec": {
            "selector": {},
            "template": { "spec": { "containers": [{ "name": "api", "resources": request("250m", "128Mi") }] } },
        },
        "status": status,
    });
    object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    object
}

pub(super) fn its_workload(kind: WorkloadKind, size: Size, ready_replicas: u32) -> cluster::Workload {
    cluster::Workload {
        key: WorkloadKey { namespace: "pay".into(), kind, name: "api".into() },
        uid: "w-1".into(),
        resource_version: "7".into(),
        created: at("2026-03-01T00:00:00Z"),
        size,
        ready_replicas,
        wanted_pods: None,
        switch: None,
        pod_requests: amount(250, 128),
        labels: [("app".into(), "api".into()), ("team".into(), "payments".into())].into(),
        annotations: [("nightcap.dev/exclude".into(), "true".into())].into(),
        deletes_claims_when_scaled: false,
        rolling_out: false,
        running: false,
        local_volumes: Vec::new(),
        controller: None,
        resource: None,
        governs: None,
    }
}

fn deployment(object: &Value) -> Result<cluster::Workload, Unreadable> {
    super::deployment(&read::<Deployment>(object), &mut Reader::default())
}

fn stateful_set(object: &Value) -> Result<cluster::Workload, Unreadable> {
    super::stateful_set(&read::<StatefulSet>(object), &mut Reader::default())
}

#[test]
fn deployment_is_read_whole() {
    let status = json!({ "observedGeneration": 3, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 2 });
    let object = a_workload(&json!({ "replicas": 3 }), &status);
    let wanted = its_workload(WorkloadKind::Deployment, Size::Replicas(3), 2);
    assert_eq!(deployment(&object), Ok(wanted.clone()));

    let owner =
        json!([{ "apiVersion": "x/v1", "kind": "Operator", "name": "o", "uid": "o-1", "controller": true }]);
    let controlled = set(object.clone(), "/metadata/ownerReferences", owner);
    assert_eq!(
        deployment(&controlled),
        Ok(cluster::Workload { controller: Some("o-1".into()), ..wanted.clone() })
    );

    let no_size = deployment(&set(object.clone(), "/spec/replicas", Value::Null)).unwrap();
    assert_eq!(no_size.size, Size::Replicas(1), "one is the default");

    let negative = deployment(&set(object, "/spec/replicas", json!(-2))).unwrap_err();
    assert_eq!(negative.to_string(), "pay/api cannot be read: spec.replicas: -2 is negative");
}

#[test]
fn deployment_rolls_out_only_while_older_pods_are_replaced() {
    let rolls =
        |status: Value| deployment(&a_workload(&json!({ "replicas": 3 }), &status)).unwrap().rolling_out;
    let cases = [
        ("never seen by its controller", json!({}), true),
        ("changed just now", json!({ "observedGeneration": 2, "replicas": 3, "updatedReplicas": 3 }), true),
        ("old pods are left", json!({ "observedGeneration": 3, "replicas": 4, "updatedReplicas": 1 }), true),
        ("scaling up", json!({ "observedGeneration": 3, "replicas": 1, "updatedReplicas": 1 }), false),
        ("scaling down", json!({ "observedGeneration": 3, "replicas": 9, "updatedReplicas": 9 }), false),
        (
            "its only revision crashes",
            json!({ "observedGeneration": 3, "replicas": 3, "updatedReplicas": 3, "unavailableReplicas": 3,
                    "conditions": [{ "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated" }] }),
            false,
        ),
        (
            "given up on",
            json!({ "observedGeneration": 3, "replicas": 4, "updatedReplicas": 1,
                    "conditions": [{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }] }),
            false,
        ),
        ("asleep", json!({ "observedGeneration": 3 }), false),
    ];
    for (name, status, wanted) in cases {
        assert_eq!(rolls(status), wanted, "{name}");
    }
}

#[test]
fn stateful_set_is_read_whole() {
    let status = json!({
        "observedGeneration": 3, "replicas": 2, "readyReplicas": 2, "currentRevision": "a", "updateRevision": "a",
    });
    let object = a_workload(&json!({ "replicas": 2 }), &status);
    let wanted = its_workload(WorkloadKind::StatefulSet, Size::Replicas(2), 2);
    assert_eq!(stateful_set(&object), Ok(wanted.clone()));

    let retention = json!({ "whenDeleted": "Retain", "whenScaled": "Delete" });
    let losing = set(object, "/spec/persistentVolumeClaimRetentionPolicy", retention);
    assert_eq!(stateful_set(&losing), Ok(cluster::Workload { deletes_claims_when_scaled: true, ..wanted }));
}

#[test]
fn stateful_set_rolls_out_only_while_its_controller_replaces_pods() {
    let rolls = |revision: &str, updated: i32, strategy: Value| {
        let status = json!({
            "observedGeneration": 3, "replicas": 3, "currentRevision": "a", "updateRevision": revision,
            "updatedReplicas": updated,
        });
        let spec = json!({ "replicas": 3, "updateStrategy": strategy });
        stateful_set(&a_workload(&spec, &status)).unwrap().rolling_out
    };
    let partition = json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } });
    let cases = [
        ("one revision, pods missing", "a", 0, json!({}), false),
        ("one of three is new", "b", 1, json!({}), true),
        ("all are new", "b", 3, json!({}), false),
        ("the part above the partition is new", "b", 1, partition.clone(), false),
        ("the part above the partition is old", "b", 0, partition, true),
        ("a person decides when", "b", 0, json!({ "type": "OnDelete" }), false),
    ];
    for (name, revision, updated, strategy, wanted) in cases {
        assert_eq!(rolls(revision, updated, strategy), wanted, "{name}");
    }
}

#[test]
fn cron_job_is_read_whole() {
    let template =
        json!({ "spec": { "containers": [{ "name": "run", "resources": request("250m", "128Mi") }] } });
    let spec = json!({ "schedule": "0 3 * * *", "jobTemplate": { "spec": { "template": template } } });
    let object = a_workload(&spec, &json!({}));
    let cron_job = |object: &Value| super::cron_job(&read::<CronJob>(object), &mut Reader::default());
    assert_eq!(cron_job(&object), Ok(its_workload(WorkloadKind::CronJob, Size::Suspended(false), 0)));
    let suspended = set(object, "/spec/suspend", json!(true));
    assert_eq!(cron_job(&suspended), Ok(its_workload(WorkloadKind::CronJob, Size::Suspended(true), 0)));
}

#[test]
fn pod_keeps_what_tells_owners_and_nothing_that_differs_from_pod_to_pod() {
    let labels = json!({
        "app": "api", "team": "payments", "app.kubernetes.io/name": "api", "loft.sh/project": "shop", "release": "api",
        "pod-template-hash": "5d9c7", "controller-revision-hash": "api-1", "job-name": "load-1",
        "statefulset.kubernetes.io/pod-name": "api-0", "apps.kubernetes.io/pod-index": "0",
        "batch.kubernetes.io/job-name": "load-1", "batch.kubernetes.io/controller-uid": "u", "controller-uid": "u",
    });
    let annotations = json!({
        "nightcap.dev/team": "search", "nightcap.dev/owner": "alice", "nightcap.dev/uptime": "always",
        "kubectl.kubernetes.io/default-container": "api", "owner": "bob",
    });
    let object = set(set(a_pod(), "/metadata/labels", labels), "/metadata/annotations", annotations);
    let keys = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let expected = OwnerFacts {
        labels: keys(&[
            ("app", "api"),
            ("app.kubernetes.io/name", "api"),
            ("loft.sh/project", "shop"),
            ("team", "payments"),
        ]),
        annotations: keys(&[
            ("nightcap.dev/owner", "alice"),
            ("nightcap.dev/team", "search"),
            ("owner", "bob"),
        ]),
        ..OwnerFacts::default()
    };
    assert_eq!(pod(&object).unwrap().facts.as_deref(), Some(&expected));
    let bare = set(a_pod(), "/metadata/labels", json!({ "pod-template-hash": "5d9c7" }));
    assert_eq!(pod(&bare).unwrap().facts, None);
}
