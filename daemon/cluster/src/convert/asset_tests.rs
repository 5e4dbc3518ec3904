//! Conversions of disks, claims and load balancers, from objects as real clusters write them.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::storage::v1::StorageClass;
use nightcap_core::cluster::{self, Claim, ClaimKey, Keys, Provider, Volume, VolumeFacts};
use nightcap_core::units::{Bytes, Instant, parse_rfc3339};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Classes, Reader, Unreadable, claim, is_load_balancer, service, storage_class, volume};

fn read<K: DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone()).unwrap()
}

fn at(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

fn keys(all: &[(&str, &str)]) -> Keys {
    all.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

fn class(name: &str, provisioner: &str, parameters: &Value) -> StorageClass {
    read(&json!({
        "metadata": { "name": name, "uid": format!("uid-{name}") },
        "provisioner": provisioner, "parameters": parameters,
    }))
}

/// A reader that knows these classes.
fn reader(classes: &[StorageClass]) -> Reader {
    let mut reader = Reader::default();
    let known: Classes = classes.iter().filter_map(|class| storage_class(class, &mut reader.names)).collect();
    reader.classes = Arc::new(known);
    reader
}

fn a_volume(metadata: &Value, spec: &Value) -> PersistentVolume {
    let mut object = json!({
        "metadata": { "uid": "u-1", "name": "pvc-1", "creationTimestamp": "2026-03-02T08:00:00Z" },
        "spec": { "capacity": { "storage": "10Gi" } },
        "status": { "phase": "Bound" },
    });
    for (into, from) in [("metadata", metadata), ("spec", spec)] {
        for (key, value) in from.as_object().unwrap() {
            object[into][key] = value.clone();
        }
    }
    read(&object)
}

fn facts_of(metadata: &Value, spec: &Value, classes: &[StorageClass]) -> VolumeFacts {
    volume(&a_volume(metadata, spec), &mut reader(classes)).unwrap().facts
}

fn facts(
    provider: Provider,
    region: &str,
    driver: &str,
    class: &str,
    parameters: &[(&str, &str)],
) -> VolumeFacts {
    VolumeFacts {
        provider,
        region: region.into(),
        driver: driver.into(),
        class: class.into(),
        parameters: keys(parameters),
    }
}

/// What a driver asks of the nodes of its volume.
fn only_on(key: &str, values: &[&str]) -> Value {
    json!({ "required": { "nodeSelectorTerms": [
        { "matchExpressions": [{ "key": key, "operator": "In", "values": values }] }
    ] } })
}

#[test]
fn ebs_volume_is_read_whole() {
    let object = a_volume(
        &json!({
            "annotations": { "pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com" },
            "finalizers": ["external-provisioner.volume.kubernetes.io/finalizer"],
        }),
        &json!({
            "accessModes": ["ReadWriteOnce"],
            "claimRef": { "kind": "PersistentVolumeClaim", "namespace": "pay", "name": "data", "uid": "c-1" },
            "csi": {
                "driver": "ebs.csi.aws.com", "fsType": "ext4", "volumeHandle": "vol-0a1b2c3d4e5f60718",
                "volumeAttributes": { "storage.kubernetes.io/csiProvisionerIdentity": "1-2-ebs.csi.aws.com" },
            },
            "nodeAffinity": only_on("topology.kubernetes.io/zone", &["eu-central-1b"]),
            "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "fast", "volumeMode": "Filesystem",
        }),
    );
    let fast = class(
        "fast",
        "ebs.csi.aws.com",
        &json!({ "type": "gp3", "iops": "6000", "throughput": "250", "encrypted": "true" }),
    );
    assert_eq!(
        volume(&object, &mut reader(&[fast])),
        Ok(Volume {
            uid: "u-1".into(),
            name: "pvc-1".into(),
            created: at("2026-03-02T08:00:00Z"),
            provider_id: "vol-0a1b2c3d4e5f60718".into(),
            facts: facts(
                Provider::Aws,
                "eu-central-1",
                "ebs.csi.aws.com",
                "fast",
                &[("type", "gp3"), ("iops", "6000"), ("throughput", "250")]
            ),
            capacity: Bytes::from_gib(10),
            claim_uid: Some("c-1".into()),
            failed: false,
        })
    );
}

#[test]
fn older_ebs_volume_is_placed_by_its_labels() {
    let object = a_volume(
        &json!({ "labels": {
            "failure-domain.beta.kubernetes.io/region": "us-east-1",
            "failure-domain.beta.kubernetes.io/zone": "us-east-1c",
        }, "annotations": { "volume.beta.kubernetes.io/storage-class": "gp2" } }),
        &json!({ "awsElasticBlockStore": { "volumeID": "aws://us-east-1c/vol-0fea4fd46592d050b", "fsType": "ext4" } }),
    );
    let gp2 = class("gp2", "kubernetes.io/aws-ebs", &json!({ "type": "gp2", "fsType": "ext4" }));
    let read = volume(&object, &mut reader(&[gp2])).unwrap();
    assert_eq!(&*read.provider_id, "vol-0fea4fd46592d050b");
    assert_eq!(
        read.facts,
        facts(Provider::Aws, "us-east-1", "kubernetes.io/aws-ebs", "gp2", &[("type", "gp2")])
    );
}

#[test]
fn google_disk_is_zonal_or_regional() {
    let premium = || class("premium-rwo", "pd.csi.storage.gke.io", &json!({ "type": "pd-ssd" }));
    let driver = "pd.csi.storage.gke.io";
    let csi = |handle: &str| json!({ "driver": driver, "volumeHandle": handle });
    let zonal = json!({
        "csi": csi("projects/shop/zones/europe-west1-b/disks/pvc-1"), "storageClassName": "premium-rwo",
        "nodeAffinity": only_on("topology.gke.io/zone", &["europe-west1-b"]),
    });
    assert_eq!(
        facts_of(&json!({}), &zonal, &[premium()]),
        facts(Provider::Gcp, "europe-west1", driver, "premium-rwo", &[("type", "pd-ssd")])
    );
    // By its id alone, and its class is gone.
    let regional = json!({ "csi": csi("projects/shop/regions/europe-west1/disks/pvc-1") });
    let kept_twice = [("replication-type", "regional-pd")];
    assert_eq!(
        facts_of(&json!({}), &regional, &[]),
        facts(Provider::Gcp, "europe-west1", driver, "", &kept_twice)
    );
    let labels = json!({ "labels": { "topology.kubernetes.io/zone": "us-central1-a__us-central1-c" } });
    let in_tree = json!({ "gcePersistentDisk": { "pdName": "pvc-1" } });
    assert_eq!(
        facts_of(&labels, &in_tree, &[]),
        facts(Provider::Gcp, "us-central1", "kubernetes.io/gce-pd", "", &kept_twice)
    );
}

#[test]
fn azure_disk_names_its_type_in_many_ways() {
    let handle = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/pvc-1";
    let csi = json!({
        "csi": { "driver": "disk.csi.azure.com", "volumeHandle": handle },
        "storageClassName": "fast", "nodeAffinity": only_on("topology.disk.csi.azure.com/zone", &["westeurope-1"]),
    });
    for key in ["skuName", "skuname", "storageaccounttype", "storageAccountType"] {
        let fast =
            class("fast", "disk.csi.azure.com", &json!({ key: "Premium_LRS", "cachingMode": "ReadOnly" }));
        assert_eq!(
            facts_of(&json!({}), &csi, &[fast]),
            facts(Provider::Azure, "westeurope", "disk.csi.azure.com", "fast", &[("skuName", "Premium_LRS")]),
            "{key}"
        );
    }
    let in_tree = json!({ "azureDisk": { "diskName": "d", "diskURI": handle } });
    let read = volume(&a_volume(&json!({}), &in_tree), &mut reader(&[])).unwrap();
    assert_eq!(&*read.provider_id, handle);
    assert_eq!(read.facts, facts(Provider::Azure, "", "kubernetes.io/azure-disk", "", &[]));
}

#[test]
fn what_the_volume_says_of_itself_comes_before_its_class() {
    let spec = json!({
        "csi": {
            "driver": "disk.csi.azure.com", "volumeHandle": "/d",
            "volumeAttributes": { "skuname": "StandardSSD_LRS", "requestedsizegib": "10" },
        },
        "storageClassName": "fast",
    });
    let made_anew = class("fast", "disk.csi.azure.com", &json!({ "skuName": "Premium_LRS" }));
    let expected =
        facts(Provider::Azure, "", "disk.csi.azure.com", "fast", &[("skuName", "StandardSSD_LRS")]);
    assert_eq!(facts_of(&json!({}), &spec, &[made_anew]), expected);
    assert_eq!(facts_of(&json!({}), &spec, &[]), expected, "the class is gone");
}

#[test]
fn folder_or_share_is_told_by_who_made_it() {
    let host_path =
        json!({ "hostPath": { "path": "/opt/local-path/pvc-1" }, "storageClassName": "local-path" });
    let local = json!({
        "local": { "path": "/mnt/disks/1" }, "storageClassName": "disks",
        "nodeAffinity": only_on("kubernetes.io/hostname", &["edge-1"]),
    });
    let nfs = json!({ "nfs": { "server": "10.0.0.1", "path": "/srv" } });
    let by = |who: &str| json!({ "annotations": { "pv.kubernetes.io/provisioned-by": who } });
    let classes = || {
        [
            class("local-path", "rancher.io/local-path", &json!({})),
            class("disks", "kubernetes.io/no-provisioner", &json!({})),
        ]
    };
    for (metadata, spec, driver, name) in [
        (by("rancher.io/local-path"), &host_path, "rancher.io/local-path", "local-path"),
        (json!({}), &host_path, "rancher.io/local-path", "local-path"),
        (json!({}), &local, "kubernetes.io/local-volume", "disks"),
        (json!({}), &nfs, "kubernetes.io/nfs", ""),
        (
            by("cluster.local/nfs-subdir-external-provisioner"),
            &nfs,
            "cluster.local/nfs-subdir-external-provisioner",
            "",
        ),
        (
            by("efs.csi.aws.com"),
            &json!({ "csi": { "driver": "efs.csi.aws.com", "volumeHandle": "fs-1::fsap-1" } }),
            "efs.csi.aws.com",
            "",
        ),
        // kwok and people who try things out write volumes of no kind.
        (json!({}), &json!({}), "", ""),
    ] {
        let provider = if driver == "efs.csi.aws.com" { Provider::Aws } else { Provider::Unknown };
        assert_eq!(facts_of(&metadata, spec, &classes()), facts(provider, "", driver, name, &[]), "{driver}");
    }
}

#[test]
fn sizes_are_read_exactly_or_not_at_all() {
    let of = |storage: Value| {
        let spec = json!({ "capacity": { "storage": storage }, "hostPath": { "path": "/d" } });
        volume(&a_volume(&json!({}), &spec), &mut reader(&[])).map(|volume| volume.capacity)
    };
    assert_eq!(of(json!("1.5Ti")), Ok(Bytes(1_649_267_441_664)));
    assert_eq!(of(json!("107374182400")), Ok(Bytes::from_gib(100)));
    assert_eq!(of(json!("5G")), Ok(Bytes(5_000_000_000)));
    let unreadable = |reason: &str| Unreadable { object: "pvc-1".into(), reason: reason.into() };
    assert_eq!(
        of(json!("10 Gib")),
        Err(unreadable(
            "spec.capacity.storage: \"10 Gib\" is no quantity: expected a number with an optional suffix such as m, k, Mi or e3"
        ))
    );
    assert_eq!(of(json!("-1Gi")), Err(unreadable("spec.capacity.storage: \"-1Gi\" is negative")));
    let none = a_volume(&json!({}), &json!({ "capacity": {} }));
    assert_eq!(volume(&none, &mut reader(&[])), Err(unreadable("spec.capacity.storage is missing")));
}

#[test]
fn failed_volume_says_so() {
    let mut object = a_volume(&json!({}), &json!({ "hostPath": { "path": "/d" } }));
    object.status.as_mut().unwrap().phase = Some("Failed".to_owned());
    assert!(volume(&object, &mut reader(&[])).unwrap().failed);
}

fn a_claim(phase: &str, volume: &str) -> PersistentVolumeClaim {
    read(&json!({
        "metadata": {
            "uid": "c-1", "namespace": "pay", "name": "data", "creationTimestamp": "2026-03-02T08:00:00Z",
            "labels": { "app": "db", "team": "payments" },
            "annotations": { "nightcap.dev/owner": "ann", "pv.kubernetes.io/bind-completed": "yes" },
        },
        "spec": { "resources": { "requests": { "storage": "8Gi" } }, "volumeName": volume },
        "status": { "phase": phase, "capacity": { "storage": "10Gi" } },
    }))
}

#[test]
fn claim_is_read_whole() {
    assert_eq!(
        claim(&a_claim("Bound", "pvc-1"), &mut reader(&[])),
        Ok(Claim {
            key: ClaimKey { namespace: "pay".into(), name: "data".into() },
            uid: "c-1".into(),
            created: at("2026-03-02T08:00:00Z"),
            volume: Some("pvc-1".into()),
            requested: Bytes::from_gib(8),
            labels: keys(&[("app", "db"), ("team", "payments")]),
            annotations: keys(&[("nightcap.dev/owner", "ann")]),
        })
    );
}

#[test]
fn claim_has_a_volume_only_when_it_is_bound() {
    for (phase, name, expected) in [
        ("Pending", "", None),
        ("Pending", "wished", None),
        ("Bound", "pvc-1", Some("pvc-1")),
        ("Lost", "pvc-1", Some("pvc-1")),
    ] {
        let read = claim(&a_claim(phase, name), &mut reader(&[])).unwrap();
        assert_eq!(read.volume.as_deref(), expected, "{phase} {name}");
    }
}

fn a_service(annotations: &Value, spec: &Value, ingress: &Value) -> Service {
    let mut object = json!({
        "metadata": {
            "uid": "s-1", "namespace": "shop", "name": "web", "creationTimestamp": "2026-03-02T08:00:00Z",
            "annotations": annotations,
        },
        "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] },
        "status": { "loadBalancer": { "ingress": ingress } },
    });
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    read(&object)
}

#[test]
fn service_with_a_load_balancer_is_read_whole() {
    let object = a_service(
        &json!({ "service.beta.kubernetes.io/aws-load-balancer-type": "external", "nightcap.dev/team": "shop" }),
        &json!({}),
        &json!([{ "hostname": "k8s-shop-web-1.elb.eu-central-1.amazonaws.com" }]),
    );
    assert!(is_load_balancer(&object));
    assert_eq!(
        service(&object, &mut reader(&[])),
        Ok(cluster::Service {
            uid: "s-1".into(),
            namespace: "shop".into(),
            name: "web".into(),
            created: at("2026-03-02T08:00:00Z"),
            class: "nlb".into(),
            address: "k8s-shop-web-1.elb.eu-central-1.amazonaws.com".into(),
            labels: Keys::new(),
            annotations: keys(&[("nightcap.dev/team", "shop")]),
        })
    );
}

#[test]
fn kind_of_load_balancer_is_the_class_then_the_annotations() {
    let aws = "service.beta.kubernetes.io/aws-load-balancer-type";
    for (annotations, spec, expected) in [
        (json!({}), json!({}), ""),
        (json!({ aws: "nlb" }), json!({}), "nlb"),
        (json!({ aws: "nlb-ip" }), json!({}), "nlb"),
        (json!({ aws: "elb" }), json!({}), ""),
        (json!({ aws: "nlb" }), json!({ "loadBalancerClass": "service.k8s.aws/nlb" }), "service.k8s.aws/nlb"),
        (json!({}), json!({ "loadBalancerClass": "metallb" }), "metallb"),
        (json!({ "cloud.google.com/load-balancer-type": "Internal" }), json!({}), "internal"),
        (json!({ "networking.gke.io/load-balancer-type": "Internal" }), json!({}), "internal"),
        (json!({ "service.beta.kubernetes.io/azure-load-balancer-internal": "true" }), json!({}), "internal"),
        (json!({ "service.beta.kubernetes.io/azure-load-balancer-internal": "false" }), json!({}), ""),
    ] {
        let read = service(&a_service(&annotations, &spec, &json!([])), &mut reader(&[])).unwrap();
        assert_eq!(&*read.class, expected, "{annotations} {spec}");
        assert_eq!(&*read.address, "", "no address yet");
    }
}

#[test]
fn services_of_other_types_have_no_load_balancer() {
    for kind in ["ClusterIP", "NodePort", "ExternalName"] {
        assert!(!is_load_balancer(&a_service(&json!({}), &json!({ "type": kind }), &json!([]))), "{kind}");
    }
    let by_ip = a_service(&json!({}), &json!({}), &json!([{ "ip": "" }, { "ip": "203.0.113.7" }]));
    assert_eq!(&*service(&by_ip, &mut reader(&[])).unwrap().address, "203.0.113.7");
}

#[test]
fn pod_names_the_claims_it_mounts() {
    let pod: Pod = read(&json!({
        "metadata": { "uid": "p-1", "namespace": "pay", "name": "db-0", "creationTimestamp": "2026-03-02T08:00:00Z" },
        "spec": { "containers": [{ "name": "db" }], "volumes": [
            { "name": "data", "persistentVolumeClaim": { "claimName": "data-db-0" } },
            { "name": "again", "persistentVolumeClaim": { "claimName": "data-db-0", "readOnly": true } },
            { "name": "scratch", "ephemeral": { "volumeClaimTemplate": { "spec": {} } } },
            { "name": "tmp", "emptyDir": {} },
        ] },
    }));
    let read = super::pod(&pod, &mut reader(&[])).unwrap();
    assert_eq!(read.claims, ["data-db-0".into(), "db-0-scratch".into()]);
}
