//! An asset: something that is paid for, with the fields that `OpenCost` gives each type.

use std::collections::BTreeMap;

use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::money::AssetKind;
use nightcap_core::money::query::{AssetSum, FlatSum};
use nightcap_core::units::{Instant, PicoUsd, Usd, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::compat::Compat;
use crate::api::{Money, WindowReport};

/// What names an asset.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct AssetProperties {
    pub(super) category: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) provider: &'static str,
    pub(super) service: &'static str,
    pub(super) cluster: String,
    pub(super) name: String,
    #[serde(rename = "providerID", skip_serializing_if = "String::is_empty")]
    pub(super) provider_id: String,
}

/// Shares of a resource, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Breakdown {
    pub(super) idle: f64,
    pub(super) other: f64,
    pub(super) system: f64,
    pub(super) user: f64,
}

/// Always 0: what the node's own software takes is not told apart.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct Overhead {
    pub(super) ram_overhead_fraction: f64,
    pub(super) cpu_overhead_fraction: f64,
    pub(super) overhead_cost_fraction: f64,
}

/// A node and what it cost.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct NodeAsset {
    pub(super) r#type: &'static str,
    pub(super) properties: AssetProperties,
    pub(super) labels: BTreeMap<&'static str, String>,
    pub(super) window: WindowReport,
    #[schema(value_type = String, format = DateTime)]
    pub(super) start: Instant,
    #[schema(value_type = String, format = DateTime)]
    pub(super) end: Instant,
    /// How long it was counted; a real number.
    pub(super) minutes: f64,
    pub(super) node_type: String,
    pub(super) pool: &'static str,
    pub(super) cpu_cores: f64,
    pub(super) ram_bytes: f64,
    pub(super) cpu_core_hours: f64,
    pub(super) ram_byte_hours: f64,
    #[serde(rename = "GPUHours")]
    pub(super) gpu_hours: f64,
    /// What pods were charged for, before it was scaled down to what the node has: more than `cpuCoreHours` where it
    /// was over-committed. `OpenCost` has no such field.
    pub(super) cpu_core_hours_charged: f64,
    /// The same of memory.
    pub(super) ram_byte_hours_charged: f64,
    /// The same of GPUs.
    pub(super) gpu_hours_charged: f64,
    /// `user` is what pods were charged for, at most 1.
    pub(super) cpu_breakdown: Breakdown,
    /// `user` is what pods were charged for, at most 1.
    pub(super) ram_breakdown: Breakdown,
    /// 1 for a spot machine.
    pub(super) preemptible: f64,
    pub(super) discount: f64,
    #[schema(value_type = Money)]
    pub(super) cpu_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) gpu_cost: Usd,
    pub(super) gpu_count: f64,
    #[schema(value_type = Money)]
    pub(super) ram_cost: Usd,
    #[schema(value_type = Money)]
    pub(super) adjustment: Usd,
    pub(super) overhead: Overhead,
    #[schema(value_type = Money)]
    pub(super) total_cost: Usd,
}

/// What is the same for all assets that are no nodes.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct FlatAsset {
    pub(super) r#type: &'static str,
    pub(super) properties: AssetProperties,
    pub(super) labels: BTreeMap<&'static str, String>,
    pub(super) window: WindowReport,
    #[schema(value_type = String, format = DateTime)]
    pub(super) start: Instant,
    #[schema(value_type = String, format = DateTime)]
    pub(super) end: Instant,
    /// How long it was counted; a real number.
    pub(super) minutes: f64,
    #[schema(value_type = Money)]
    pub(super) adjustment: Usd,
    #[serde(rename = "totalCost")]
    #[schema(value_type = Money)]
    pub(super) total_cost: Usd,
}

/// A volume.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Disk {
    #[serde(flatten)]
    pub(super) of: FlatAsset,
    pub(super) byte_hours: f64,
    pub(super) bytes: f64,
    /// Always `null`: what of it is full is not measured.
    pub(super) byte_hours_used: Option<f64>,
    /// Always `null`.
    pub(super) byte_usage_max: Option<f64>,
    pub(super) breakdown: Breakdown,
    pub(super) storage_class: String,
    pub(super) volume_name: String,
    pub(super) claim_name: String,
    pub(super) claim_namespace: String,
}

/// A load balancer.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct LoadBalancer {
    #[serde(flatten)]
    pub(super) of: FlatAsset,
    /// Always false: whether it is reachable from outside only is not known.
    pub(super) private: bool,
    pub(super) ip: String,
}

/// Something that is paid for.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum Asset {
    /// A machine.
    Node(Box<NodeAsset>),
    /// A volume.
    Disk(Box<Disk>),
    /// A load balancer.
    LoadBalancer(Box<LoadBalancer>),
    /// The control plane (`ClusterManagement`), traffic (`Network`) or a fixed sum (`Shared`).
    Other(Box<FlatAsset>),
}

pub(super) fn flat(sum: &FlatSum, cluster: &str, window: Window, compat: Compat) -> FlatAsset {
    let (kind, category) = match sum.asset.kind {
        AssetKind::Volume => ("Disk", "Storage"),
        AssetKind::LoadBalancer => ("LoadBalancer", "Network"),
        AssetKind::ControlPlane => ("ClusterManagement", "Management"),
        AssetKind::Network => ("Network", "Network"),
        AssetKind::Fixed => ("Shared", "Other"),
    };
    FlatAsset {
        r#type: kind,
        properties: AssetProperties {
            category,
            provider: "",
            service: "Kubernetes",
            cluster: cluster.to_owned(),
            name: sum.asset.name.to_string(),
            provider_id: sum.asset.provider_id.to_string(),
        },
        labels: BTreeMap::new(),
        window: window.into(),
        start: sum.window.start,
        end: sum.window.end,
        minutes: sum.window.length().as_minutes(),
        adjustment: PicoUsd(0).exact(),
        total_cost: compat.told(sum.cost).exact(),
    }
}

pub(super) fn typed(of: FlatAsset, sum: &FlatSum) -> Asset {
    let hours = sum.window.length().as_hours();
    let text = ToString::to_string;
    match sum.asset.kind {
        AssetKind::Volume => Asset::Disk(Box::new(Disk {
            of,
            byte_hours: sum.amount,
            bytes: if hours > 0.0 { sum.amount / hours } else { 0.0 },
            byte_hours_used: None,
            byte_usage_max: None,
            breakdown: Breakdown { idle: 0.0, other: 0.0, system: 0.0, user: 1.0 },
            storage_class: text(&sum.asset.class),
            volume_name: text(&sum.asset.name),
            claim_name: text(&sum.asset.claim.1),
            claim_namespace: text(&sum.asset.claim.0),
        })),
        AssetKind::LoadBalancer => Asset::LoadBalancer(Box::new(LoadBalancer {
            of,
            private: false,
            ip: text(&sum.asset.provider_id),
        })),
        AssetKind::ControlPlane | AssetKind::Network | AssetKind::Fixed => Asset::Other(Box::new(of)),
    }
}

pub(super) fn node(sum: &AssetSum, cluster: &str, window: Window, compat: Compat) -> NodeAsset {
    let usd = |amount| compat.told(amount).exact();
    let facts = &sum.node.facts;
    let hours = sum.window.length().as_hours();
    let average = |total: f64| if hours > 0.0 { total / hours } else { 0.0 };
    let provider = match facts.provider {
        Provider::Aws => "AWS",
        Provider::Azure => "Azure",
        Provider::Gcp => "GCP",
        Provider::Unknown => "",
    };
    let labels = [
        ("label_node_kubernetes_io_instance_type", &facts.instance_type),
        ("label_topology_kubernetes_io_region", &facts.region),
        ("label_topology_kubernetes_io_zone", &facts.zone),
        ("label_kubernetes_io_arch", &facts.arch),
        ("label_kubernetes_io_os", &facts.os),
    ];
    NodeAsset {
        r#type: "Node",
        properties: AssetProperties {
            category: "Compute",
            provider,
            service: "Kubernetes",
            cluster: cluster.to_owned(),
            name: sum.node.name.to_string(),
            provider_id: sum.node.provider_id.to_string(),
        },
        labels: labels
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.to_string()))
            .collect(),
        window: window.into(),
        start: sum.window.start,
        end: sum.window.end,
        minutes: sum.window.length().as_minutes(),
        node_type: facts.instance_type.to_string(),
        pool: "",
        cpu_cores: average(sum.capacity.cpu_core_hours),
        ram_bytes: average(sum.capacity.memory_byte_hours),
        cpu_core_hours: sum.capacity.cpu_core_hours,
        ram_byte_hours: sum.capacity.memory_byte_hours,
        gpu_hours: sum.capacity.gpu_hours,
        cpu_core_hours_charged: sum.charged.cpu_core_hours,
        ram_byte_hours_charged: sum.charged.memory_byte_hours,
        gpu_hours_charged: sum.charged.gpu_hours,
        cpu_breakdown: breakdown(sum.charged.cpu_core_hours, sum.capacity.cpu_core_hours),
        ram_breakdown: breakdown(sum.charged.memory_byte_hours, sum.capacity.memory_byte_hours),
        preemptible: if facts.capacity_type == CapacityType::Spot { 1.0 } else { 0.0 },
        discount: 0.0,
        cpu_cost: usd(sum.cost.cpu),
        gpu_cost: usd(sum.cost.gpu),
        gpu_count: average(sum.capacity.gpu_hours),
        ram_cost: usd(sum.cost.memory),
        adjustment: PicoUsd(0).exact(),
        overhead: Overhead {
            ram_overhead_fraction: 0.0,
            cpu_overhead_fraction: 0.0,
            overhead_cost_fraction: 0.0,
        },
        total_cost: usd(sum.cost.total()),
    }
}

fn breakdown(charged: f64, capacity: f64) -> Breakdown {
    let user = if capacity > 0.0 { (charged / capacity).clamp(0.0, 1.0) } else { 0.0 };
    Breakdown { idle: 1.0 - user, other: 0.0, system: 0.0, user }
}
