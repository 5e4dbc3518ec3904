//! `GET /assets`: what there is to pay for, and what it cost: the bill.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::money::AssetKind;
use nightcap_core::money::query::{AssetSum, Filter, FilterField, FlatSum};
use nightcap_core::units::{Instant, PicoUsd, Usd, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::Envelope;
use super::compat::Compat;
use crate::api::{Money, WindowReport};
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::{OpenCostError, OpenCostRefusal, Refusal};
use crate::http::params::Params;
use crate::http::v1_warnings;
use crate::records::Records;

/// What `OpenCost` writes where it knows nothing.
const UNDEFINED: &str = "__undefined__";

/// What names an asset.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct AssetProperties {
    category: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    provider: &'static str,
    service: &'static str,
    cluster: String,
    name: String,
    #[serde(rename = "providerID", skip_serializing_if = "String::is_empty")]
    provider_id: String,
}

/// Shares of a resource, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Breakdown {
    idle: f64,
    other: f64,
    system: f64,
    user: f64,
}

/// Always 0: what the node's own software takes is not told apart.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct Overhead {
    ram_overhead_fraction: f64,
    cpu_overhead_fraction: f64,
    overhead_cost_fraction: f64,
}

/// A node and what it cost.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct NodeAsset {
    r#type: &'static str,
    properties: AssetProperties,
    labels: BTreeMap<&'static str, String>,
    window: WindowReport,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    /// How long it was counted; a real number.
    minutes: f64,
    node_type: String,
    pool: &'static str,
    cpu_cores: f64,
    ram_bytes: f64,
    cpu_core_hours: f64,
    ram_byte_hours: f64,
    #[serde(rename = "GPUHours")]
    gpu_hours: f64,
    /// What pods were charged for, before it was scaled down to what the node has: more than `cpuCoreHours` where it
    /// was over-committed. `OpenCost` has no such field.
    cpu_core_hours_charged: f64,
    /// The same of memory.
    ram_byte_hours_charged: f64,
    /// The same of GPUs.
    gpu_hours_charged: f64,
    /// `user` is what pods were charged for, at most 1.
    cpu_breakdown: Breakdown,
    /// `user` is what pods were charged for, at most 1.
    ram_breakdown: Breakdown,
    /// 1 for a spot machine.
    preemptible: f64,
    discount: f64,
    #[schema(value_type = Money)]
    cpu_cost: Usd,
    #[schema(value_type = Money)]
    gpu_cost: Usd,
    gpu_count: f64,
    #[schema(value_type = Money)]
    ram_cost: Usd,
    #[schema(value_type = Money)]
    adjustment: Usd,
    overhead: Overhead,
    #[schema(value_type = Money)]
    total_cost: Usd,
}

/// What is the same for all assets that are no nodes.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct FlatAsset {
    r#type: &'static str,
    properties: AssetProperties,
    labels: BTreeMap<&'static str, String>,
    window: WindowReport,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    /// How long it was counted; a real number.
    minutes: f64,
    #[schema(value_type = Money)]
    adjustment: Usd,
    #[serde(rename = "totalCost")]
    #[schema(value_type = Money)]
    total_cost: Usd,
}

/// A volume.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Disk {
    #[serde(flatten)]
    of: FlatAsset,
    byte_hours: f64,
    bytes: f64,
    /// Always `null`: what of it is full is not measured.
    byte_hours_used: Option<f64>,
    /// Always `null`.
    byte_usage_max: Option<f64>,
    breakdown: Breakdown,
    storage_class: String,
    volume_name: String,
    claim_name: String,
    claim_namespace: String,
}

/// A load balancer.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct LoadBalancer {
    #[serde(flatten)]
    of: FlatAsset,
    /// Always false: whether it is reachable from outside only is not known.
    private: bool,
    ip: String,
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

/// The answer of `/assets`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(in crate::http) struct AssetsAnswer {
    /// Always 200.
    code: u16,
    /// Always `success`.
    status: String,
    /// From key to asset.
    data: BTreeMap<String, Asset>,
    /// What a reader should know before relying on the numbers.
    warning: Option<String>,
}

/// What there is to pay for, and what it cost.
#[utoipa::path(get, path = "/assets", tag = "opencost",
    params(
        ("window" = String, Query, description = "As for /allocation"),
        ("filter" = Option<String>, Query, description = "Which assets to tell: assetType, name, category, cluster, provider, providerID, service, team, owner, as in `assetType:\"disk\"+name<~:\"pvc-\"`"),
        ("timezone" = Option<String>, Query, description = "The zone in which days begin. Default: the daemon's"),
        ("compat" = Option<String>, Query, description = "opencost: amounts rounded to five decimals"),
    ),
    responses(
        (status = 200, description = "The assets by key", body = AssetsAnswer),
        (status = 400, description = "A parameter cannot be understood", body = OpenCostError),
        (status = 503, description = "The daemon is stopping", body = OpenCostError),
    ))]
pub(in crate::http) async fn assets(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<Envelope<BTreeMap<String, Asset>>>, OpenCostRefusal> {
    let snapshot = state.snapshot().await?;
    let mut params = Params::of(&uri)?;
    let compat = Compat::read(&mut params)?;
    let zone = params.zone(state.zone)?;
    let window = params.window(None, snapshot.at, zone)?;
    let filter = match params.take("filter") {
        None => Filter::All,
        Some(text) => Filter::parse_for_assets(&text)
            .map_err(|error| Refusal::bad("bad-filter", error.to_string()).value(&text))?,
    };
    params.finish()?;
    let warnings = v1_warnings(&snapshot, window);
    let assets = off_thread(move || by_key(&snapshot, window, &filter, compat)).await?;
    Ok(Json(Envelope::new(assets, &warnings)))
}

fn by_key(
    snapshot: &Records,
    window: Window,
    filter: &Filter,
    compat: Compat,
) -> Result<BTreeMap<String, Asset>, Refusal> {
    let table = snapshot.assets(window)?;
    let nodes = table.nodes.iter().map(|sum| {
        let asset = node(sum, &snapshot.cluster, window, compat);
        let shown = passes(filter, "Node", &asset.properties, None);
        (key("Node", &asset.properties), &sum.node.uid, Asset::Node(Box::new(asset)), shown)
    });
    let flat = table.flat.iter().map(|sum| {
        let common = flat(sum, &snapshot.cluster, window, compat);
        let shown = passes(filter, common.r#type, &common.properties, Some(sum));
        (key(common.r#type, &common.properties), &sum.asset.uid, typed(common, sum), shown)
    });
    let mut assets = BTreeMap::new();
    for (mut key, uid, asset, shown) in nodes.chain(flat) {
        if !shown {
            continue;
        }
        if assets.contains_key(&key) {
            // A machine that joined twice: two nodes of one name and id.
            key = format!("{key}/{uid}");
        }
        assets.insert(key, asset);
    }
    Ok(assets)
}

fn passes(filter: &Filter, kind: &'static str, of: &AssetProperties, sum: Option<&FlatSum>) -> bool {
    let payer = sum.and_then(|sum| sum.payer.as_ref());
    filter.passes(&|field| match field {
        FilterField::Cluster => Some(of.cluster.as_str()),
        FilterField::Team => payer.map(|payer| &*payer.team),
        FilterField::Owner => payer.map(|payer| &*payer.owner),
        FilterField::Label(key) => payer.and_then(|payer| payer.labels.get(key)).map(|value| &**value),
        FilterField::OfAsset(name) => match &**name {
            "assettype" => Some(kind),
            "name" => Some(of.name.as_str()),
            "category" => Some(of.category),
            "provider" => Some(of.provider),
            "providerid" => Some(of.provider_id.as_str()),
            "service" => Some(of.service),
            _ => None,
        },
        _ => None,
    })
}

fn key(kind: &str, of: &AssetProperties) -> String {
    let or_undefined = |text: &str| if text.is_empty() { UNDEFINED.to_owned() } else { text.to_owned() };
    [
        or_undefined(of.provider),
        UNDEFINED.to_owned(),
        UNDEFINED.to_owned(),
        of.category.to_owned(),
        of.cluster.clone(),
        kind.to_owned(),
        of.service.to_owned(),
        or_undefined(&of.provider_id),
        of.name.clone(),
    ]
    .join("/")
}

fn flat(sum: &FlatSum, cluster: &str, window: Window, compat: Compat) -> FlatAsset {
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

fn typed(of: FlatAsset, sum: &FlatSum) -> Asset {
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

fn node(sum: &AssetSum, cluster: &str, window: Window, compat: Compat) -> NodeAsset {
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
