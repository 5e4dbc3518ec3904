//! Fake nodes with a price tag.

use k8s_openapi::api::core::v1::Node;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};

use super::{entry, merge};

/// Builds a fake node, which kwok makes Ready.
#[derive(Debug, Clone)]
pub struct NodeBuilder {
    manifest: Value,
}

/// A node of 4 cores, 16 GiB and 110 pods, without any label that tells its price.
pub fn node(name: &str) -> NodeBuilder {
    let size = json!({"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"});
    let manifest = json!({
        "metadata": {
            "name": name,
            "annotations": {
                "kwok.x-k8s.io/node": "fake",
                "metrics.k8s.io/resource-metrics-path": format!("/metrics/nodes/{name}/metrics/resource"),
            },
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
            },
        },
        "spec": {},
        "status": {"capacity": size.clone(), "allocatable": size},
    });
    NodeBuilder { manifest }
}

impl NodeBuilder {
    /// Its label `node.kubernetes.io/instance-type`.
    #[must_use]
    pub fn instance_type(self, instance_type: &str) -> Self {
        self.label("node.kubernetes.io/instance-type", instance_type)
    }

    /// Its label `topology.kubernetes.io/region`.
    #[must_use]
    pub fn region(self, region: &str) -> Self {
        self.label("topology.kubernetes.io/region", region)
    }

    /// Its label `topology.kubernetes.io/zone`.
    #[must_use]
    pub fn zone(self, zone: &str) -> Self {
        self.label("topology.kubernetes.io/zone", zone)
    }

    /// Its label `karpenter.sh/capacity-type`: `on-demand` or `spot`.
    #[must_use]
    pub fn capacity_type(self, capacity_type: &str) -> Self {
        self.label("karpenter.sh/capacity-type", capacity_type)
    }

    /// Its provider's id, such as `aws:///eu-central-1a/i-0123456789abcdef0`.
    #[must_use]
    pub fn provider_id(self, provider_id: &str) -> Self {
        self.with(json!({"spec": {"providerID": provider_id}}))
    }

    /// Its cores, capacity and allocatable alike.
    #[must_use]
    pub fn cpu(self, quantity: &str) -> Self {
        self.resource("cpu", quantity)
    }

    /// Its memory, capacity and allocatable alike.
    #[must_use]
    pub fn memory(self, quantity: &str) -> Self {
        self.resource("memory", quantity)
    }

    /// Its NVIDIA GPUs.
    #[must_use]
    pub fn gpu(self, count: u32) -> Self {
        self.resource("nvidia.com/gpu", &count.to_string())
    }

    /// Any resource, capacity and allocatable alike.
    #[must_use]
    pub fn resource(self, resource: &str, quantity: &str) -> Self {
        let quantity = entry(resource, quantity);
        self.with(json!({"status": {"capacity": quantity.clone(), "allocatable": quantity}}))
    }

    /// A label.
    #[must_use]
    pub fn label(self, key: &str, value: &str) -> Self {
        self.with(json!({"metadata": {"labels": entry(key, value)}}))
    }

    /// An annotation.
    #[must_use]
    pub fn annotation(self, key: &str, value: &str) -> Self {
        self.with(json!({"metadata": {"annotations": entry(key, value)}}))
    }

    /// Anything else, merged into the manifest.
    #[must_use]
    pub fn with(mut self, patch: Value) -> Self {
        merge(&mut self.manifest, patch);
        self
    }

    /// The object.
    pub fn build(self) -> anyhow::Result<Node> {
        Ok(serde_json::from_value(self.manifest)?)
    }

    /// Creates it. It becomes Ready soon after ([`crate::wait::node_ready`]).
    pub async fn create(self, client: &Client) -> anyhow::Result<Node> {
        Ok(Api::all(client.clone()).create(&PostParams::default(), &self.build()?).await?)
    }
}
