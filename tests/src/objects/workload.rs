//! Workloads: everything that has pods or is one.

use std::fmt::Debug;
use std::marker::PhantomData;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::{Metadata, NamespaceResourceScope};
use kube::api::PostParams;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{entry, merge};

/// Builds a workload of the kind `K`. Its pods have one container, `main`, which requests nothing.
#[derive(Debug, Clone)]
pub struct WorkloadBuilder<K> {
    manifest: Value,
    /// Where in the manifest the pod lies, as a JSON pointer.
    pod: &'static str,
    kind: PhantomData<K>,
}

/// A Deployment of one replica.
pub fn deployment(namespace: &str, name: &str) -> WorkloadBuilder<Deployment> {
    WorkloadBuilder::new(namespace, name, "/spec/template", selected(name))
}

/// A StatefulSet of one replica, whose pods start in parallel.
pub fn stateful_set(namespace: &str, name: &str) -> WorkloadBuilder<StatefulSet> {
    let spec = json!({"serviceName": name, "podManagementPolicy": "Parallel"});
    WorkloadBuilder::new(namespace, name, "/spec/template", selected(name)).with(json!({"spec": spec}))
}

/// A `DaemonSet`.
pub fn daemon_set(namespace: &str, name: &str) -> WorkloadBuilder<DaemonSet> {
    WorkloadBuilder::new(namespace, name, "/spec/template", selected(name))
}

/// A `Job` of one pod that runs for a second, unless told otherwise.
pub fn job(namespace: &str, name: &str) -> WorkloadBuilder<Job> {
    WorkloadBuilder::new(namespace, name, "/spec/template", json!({})).restart_policy("Never")
}

/// A CronJob that never comes due by itself before its `schedule` is set (it says the 31st of December).
pub fn cron_job(namespace: &str, name: &str) -> WorkloadBuilder<CronJob> {
    WorkloadBuilder::new(namespace, name, "/spec/jobTemplate/spec/template", json!({}))
        .restart_policy("Never")
        .schedule("0 0 31 12 *")
}

/// A pod that nobody owns. It runs until it is deleted, unless [`WorkloadBuilder::run_seconds`] is called.
pub fn pod(namespace: &str, name: &str) -> WorkloadBuilder<Pod> {
    WorkloadBuilder::new(namespace, name, "", json!({}))
}

/// The selector of a controller and the label of its pods that goes with it.
fn selected(name: &str) -> Value {
    let labels = json!({"app": name});
    json!({"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}})
}

impl<K> WorkloadBuilder<K> {
    fn new(namespace: &str, name: &str, pod: &'static str, spec: Value) -> Self {
        let metadata = json!({"metadata": {"namespace": namespace, "name": name, "labels": {"app": name}}});
        Self { manifest: spec, pod, kind: PhantomData }
            .with(metadata)
            .pod_with(json!({"spec": {"containers": [{"name": "main", "image": "registry.test/main"}]}}))
    }

    /// How many replicas.
    #[must_use]
    pub fn replicas(self, replicas: i32) -> Self {
        self.with(json!({"spec": {"replicas": replicas}}))
    }

    /// What the container requests.
    #[must_use]
    pub fn requests(self, cpu: &str, memory: &str) -> Self {
        self.request("cpu", cpu).request("memory", memory)
    }

    /// A request of the container, of any resource. Of an extended one (a GPU) it is the limit too, as Kubernetes demands.
    #[must_use]
    pub fn request(mut self, resource: &str, quantity: &str) -> Self {
        let path = format!("{}/spec/containers/0", self.pod);
        if let Some(container) = self.manifest.pointer_mut(&path) {
            merge(container, json!({"resources": {"requests": entry(resource, quantity)}}));
            if resource.contains('/') {
                merge(container, json!({"resources": {"limits": entry(resource, quantity)}}));
            }
        }
        self
    }

    /// What each of its pods is reported to use (per container; see `tests/control-plane/kwok.yaml`).
    #[must_use]
    pub fn usage(self, cpu: &str, memory: &str) -> Self {
        self.pod_annotation("nightcap.test/usage-cpu", cpu)
            .pod_annotation("nightcap.test/usage-memory", memory)
    }

    /// Its pods stay Pending on their node for so long before they run.
    #[must_use]
    pub fn ready_seconds(self, seconds: u32) -> Self {
        self.pod_annotation("nightcap.test/ready-seconds", &seconds.to_string())
    }

    fn restart_policy(self, policy: &str) -> Self {
        self.pod_with(json!({"spec": {"restartPolicy": policy}}))
    }

    /// An annotation of the workload (for a bare pod, of the pod).
    #[must_use]
    pub fn annotation(self, key: &str, value: &str) -> Self {
        self.with(json!({"metadata": {"annotations": entry(key, value)}}))
    }

    /// A label of the workload (for a bare pod, of the pod).
    #[must_use]
    pub fn label(self, key: &str, value: &str) -> Self {
        self.with(json!({"metadata": {"labels": entry(key, value)}}))
    }

    /// An annotation of its pods.
    #[must_use]
    pub fn pod_annotation(self, key: &str, value: &str) -> Self {
        self.pod_with(json!({"metadata": {"annotations": entry(key, value)}}))
    }

    /// A label of its pods.
    #[must_use]
    pub fn pod_label(self, key: &str, value: &str) -> Self {
        self.pod_with(json!({"metadata": {"labels": entry(key, value)}}))
    }

    /// Binds its pods to a node, past the scheduler.
    #[must_use]
    pub fn on_node(self, node: &str) -> Self {
        self.pod_with(json!({"spec": {"nodeName": node}}))
    }

    /// Anything else of its pods (`metadata` and `spec`), merged in.
    #[must_use]
    pub fn pod_with(self, patch: Value) -> Self {
        let keys = self.pod.rsplit('/').filter(|key| !key.is_empty());
        let patch = keys.fold(patch, |inner, key| entry(key, inner));
        self.with(patch)
    }

    /// Anything else, merged into the manifest.
    #[must_use]
    pub fn with(mut self, patch: Value) -> Self {
        merge(&mut self.manifest, patch);
        self
    }

    /// The manifest so far.
    pub fn manifest(&self) -> &Value {
        &self.manifest
    }
}

impl WorkloadBuilder<StatefulSet> {
    /// A volume claim for each replica, of the default storage class.
    #[must_use]
    pub fn claim(self, name: &str, size: &str) -> Self {
        let claim = json!({
            "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
        });
        self.with(json!({"spec": {"volumeClaimTemplates": [claim]}}))
    }
}

impl WorkloadBuilder<CronJob> {
    /// When it comes due, as cron writes it.
    #[must_use]
    pub fn schedule(self, schedule: &str) -> Self {
        self.with(json!({"spec": {"schedule": schedule}}))
    }
}

/// Kinds whose pods may end by themselves.
pub trait Ends {}
impl Ends for Pod {}
impl Ends for Job {}
impl Ends for CronJob {}

impl<K: Ends> WorkloadBuilder<K> {
    /// Its pods succeed after so long.
    #[must_use]
    pub fn run_seconds(self, seconds: u32) -> Self {
        self.restart_policy("Never").pod_annotation("nightcap.test/run-seconds", &seconds.to_string())
    }
}

impl<K> WorkloadBuilder<K>
where
    K: Resource<Scope = NamespaceResourceScope> + Metadata + Serialize + DeserializeOwned + Clone + Debug,
    K: Resource<DynamicType = ()>,
{
    /// The object.
    pub fn build(self) -> anyhow::Result<K> {
        Ok(serde_json::from_value(self.manifest)?)
    }

    /// Creates it.
    pub async fn create(self, client: &Client) -> anyhow::Result<K> {
        let object = self.build()?;
        let namespace = object.meta().namespace.clone().unwrap_or_default();
        Ok(Api::namespaced(client.clone(), &namespace).create(&PostParams::default(), &object).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_what_was_asked_for() {
        let built = deployment("shop", "web").replicas(3).requests("250m", "1Gi").usage("100m", "300Mi");
        let built = built.annotation("nightcap.dev/exclude", "true").pod_label("tier", "front");
        assert_eq!(
            built.manifest(),
            &json!({
                "metadata": {
                    "namespace": "shop",
                    "name": "web",
                    "labels": {"app": "web"},
                    "annotations": {"nightcap.dev/exclude": "true"},
                },
                "spec": {
                    "replicas": 3,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {
                        "metadata": {
                            "labels": {"app": "web", "tier": "front"},
                            "annotations": {"nightcap.test/usage-cpu": "100m", "nightcap.test/usage-memory": "300Mi"},
                        },
                        "spec": {"containers": [{
                            "name": "main",
                            "image": "registry.test/main",
                            "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}},
                        }]},
                    },
                },
            })
        );
    }

    #[test]
    fn a_gpu_is_requested_and_limited() {
        let built = pod("lab", "train").request("nvidia.com/gpu", "1").run_seconds(7);
        assert_eq!(
            built.manifest(),
            &json!({
                "metadata": {
                    "namespace": "lab",
                    "name": "train",
                    "labels": {"app": "train"},
                    "annotations": {"nightcap.test/run-seconds": "7"},
                },
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{
                        "name": "main",
                        "image": "registry.test/main",
                        "resources": {"requests": {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "1"}},
                    }],
                },
            })
        );
    }

    #[test]
    fn a_cron_job_holds_its_pod_deep_inside() {
        let built = cron_job("shop", "report").schedule("*/5 * * * *").requests("1", "1Gi");
        let container =
            built.manifest().pointer("/spec/jobTemplate/spec/template/spec/containers/0/resources");
        assert_eq!(container, Some(&json!({"requests": {"cpu": "1", "memory": "1Gi"}})));
        assert_eq!(built.build().unwrap().spec.schedule, "*/5 * * * *");
    }
}
