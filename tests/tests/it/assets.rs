//! What is paid for beside nodes, on a real control plane: disks, claims, load balancers, storage classes.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::config::Kubeconfig;
use kube::{Api, Client};
use nightcap_tests::objects::node;
use nightcap_tests::{ControlPlane, Daemon, DaemonOptions, Options, wait};
use serde_json::{Value, json};

use crate::stage;

/// The kinds that are on the bill beside nodes.
const KINDS: [&str; 3] = ["persistentvolumes", "persistentvolumeclaims", "services"];

/// What the metric says of each kind.
async fn by_kind(daemon: &Daemon, metric: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let metrics = daemon.metrics().await?;
    let lines = metrics.find(metric, &[]);
    let all = lines.map(|line| (line.labels["kind"].clone(), line.value.clone()));
    Ok(all.filter(|(kind, _)| KINDS.contains(&kind.as_str())).collect())
}

fn each(value: &str) -> BTreeMap<String, String> {
    KINDS.into_iter().map(|kind| (kind.to_owned(), value.to_owned())).collect()
}

fn volume(name: &str, class: &str, size: &str, source: &Value) -> Value {
    let mut spec = json!({
        "capacity": { "storage": size }, "accessModes": ["ReadWriteOnce"], "storageClassName": class,
        "persistentVolumeReclaimPolicy": "Retain",
    });
    for (key, value) in source.as_object().unwrap() {
        spec[key] = value.clone();
    }
    json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": name }, "spec": spec })
}

fn ebs(id: &str) -> Value {
    json!({
        "csi": { "driver": "ebs.csi.aws.com", "volumeHandle": id },
        "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [
            { "key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eu-central-1a"] }
        ] }] } },
    })
}

fn claim(space: &str, name: &str, class: &str, size: &str, volume: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "namespace": space, "name": name },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": class, "volumeName": volume,
            "resources": { "requests": { "storage": size } },
        },
    })
}

async fn apply(plane: &ControlPlane, objects: &[Value]) {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    plane.apply(&list.to_string()).await.unwrap();
}

async fn bound(client: &Client, space: &str, name: &str) {
    let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), space);
    wait::until(&format!("claim {space}/{name} to be bound"), wait::PATIENCE, async || {
        let phase = claims.get(name).await?.status.and_then(|status| status.phase);
        ensure!(phase.as_deref() == Some("Bound"), "{phase:?}");
        Ok(())
    })
    .await
    .unwrap();
}

/// A claimed disk, one that nobody claims, and a load balancer with an address.
async fn populate(plane: &ControlPlane) {
    let client = plane.client().unwrap();
    stage::space(&client, "disks", &[]).await;
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "fast" },
        "provisioner": "ebs.csi.aws.com", "parameters": { "type": "io2" },
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "disks", "name": "web" },
        "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }], "selector": { "app": "web" } },
    });
    let objects = [
        class,
        volume("claimed", "fast", "100Gi", &ebs("vol-1")),
        volume("spare", "", "50Gi", &json!({ "hostPath": { "path": "/spare" } })),
        claim("disks", "data", "fast", "100Gi", "claimed"),
        service,
    ];
    apply(plane, &objects).await;
    bound(&client, "disks", "data").await;
    let status =
        json!({ "status": { "loadBalancer": { "ingress": [{ "ip": "203.0.113.7" }] } } }).to_string();
    let patch =
        ["patch", "service", "web", "-n", "disks", "--subresource=status", "--type=merge", "-p", &status];
    plane.kubectl(&patch).await.unwrap();
}

#[tokio::test]
async fn disks_claims_and_load_balancers_are_watched() {
    let plane = stage::cluster(Options::default()).await;
    populate(&plane).await;
    let mut daemon = Daemon::start(stage::daemon(&plane, "observe", &json!({}))).unwrap();
    daemon.wait_ready().await.unwrap();
    assert_eq!(by_kind(&daemon, "nightcap_watch_listed").await.unwrap(), each("1.0"));
    assert_eq!(by_kind(&daemon, "nightcap_watch_broken").await.unwrap(), each("0.0"));
    for kind in KINDS {
        assert_eq!(stage::problems_of(&daemon, kind).await.unwrap(), [], "{kind}");
    }
}

/// A user who may read all that sleep needs, and nothing of storage.
const RIGHTS: &str = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: sleeper }
rules:
- { apiGroups: [''], resources: [nodes, namespaces, pods], verbs: [list, watch] }
- { apiGroups: [apps], resources: [deployments, statefulsets], verbs: [list, watch] }
- { apiGroups: [batch], resources: [cronjobs], verbs: [list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: sleeper }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sleeper }
subjects: [{ kind: ServiceAccount, namespace: sleeper, name: sleeper }]
---
apiVersion: v1
kind: Namespace
metadata: { name: sleeper }
---
apiVersion: v1
kind: ServiceAccount
metadata: { namespace: sleeper, name: sleeper }
";

/// What it is given later.
const MORE: &str = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: payer }
rules:
- { apiGroups: [''], resources: [persistentvolumes, persistentvolumeclaims, services], verbs: [list, watch] }
- { apiGroups: [storage.k8s.io], resources: [storageclasses], verbs: [list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: payer }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: payer }
subjects: [{ kind: ServiceAccount, namespace: sleeper, name: sleeper }]
";

/// The administrator's kubeconfig, with this token instead of the administrator's.
fn as_user(plane: &ControlPlane, token: &str) -> std::path::PathBuf {
    let admin = Kubeconfig::read_from(plane.kubeconfig()).unwrap();
    let mut file = serde_json::to_value(&admin).unwrap();
    file["users"][0]["user"] = json!({ "token": token });
    let path = plane.kubeconfig().with_file_name("sleeper.kubeconfig");
    std::fs::write(&path, file.to_string()).unwrap();
    path
}

#[tokio::test]
async fn daemon_without_rights_to_storage_gets_ready_and_says_what_is_missing() {
    let plane = stage::cluster(Options::default()).await;
    node("small").create(&plane.client().unwrap()).await.unwrap();
    plane.apply(RIGHTS).await.unwrap();
    let token = plane.kubectl(&["create", "token", "sleeper", "-n", "sleeper"]).await.unwrap();
    let mut daemon = Daemon::start(DaemonOptions::run(&as_user(&plane, token.trim()))).unwrap();
    daemon.wait_ready().await.unwrap();
    for kind in KINDS {
        let found = stage::problems_of(&daemon, kind).await.unwrap();
        let (reason, message) = found.first().with_context(|| kind.to_owned()).unwrap();
        assert_eq!(reason, "watch", "{kind}");
        assert!(message.contains(&format!("{kind} is forbidden")), "{message}");
        assert!(
            message.contains("none of them is on the bill until list and watch are allowed"),
            "{message}"
        );
    }
    assert_eq!(by_kind(&daemon, "nightcap_watch_broken").await.unwrap(), each("1.0"));

    plane.apply(MORE).await.unwrap();
    let well = wait::until("the watches to be well", wait::PATIENCE, async || {
        let broken = by_kind(&daemon, "nightcap_watch_broken").await?;
        ensure!(broken == each("0.0"), "{broken:?}");
        Ok(())
    });
    well.await.map_err(|error| daemon.explain(error)).unwrap();
}
