//! `GET /assets`: what there is to pay for. Nodes, for now.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::engine::Snapshot;
use nightcap_core::money::query::{self, AssetSum};
use nightcap_core::units::{Instant, PicoUsd, Usd, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::Envelope;
use crate::api::{Money, WindowReport};
use crate::http::AppState;
use crate::http::error::{OpenCostError, OpenCostRefusal, Refusal};
use crate::http::params::Params;
use crate::http::v1_warnings;

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

/// The answer of `/assets`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(in crate::http) struct AssetsAnswer {
    /// Always 200.
    code: u16,
    /// Always `success`.
    status: String,
    /// From key to asset.
    data: BTreeMap<String, NodeAsset>,
    /// What a reader should know before relying on the numbers.
    warning: Option<String>,
}

/// What there is to pay for, and what it cost.
#[utoipa::path(get, path = "/assets", tag = "opencost",
    params(("window" = String, Query, description = "As for /allocation")),
    responses(
        (status = 200, description = "The assets by key", body = AssetsAnswer),
        (status = 400, description = "A parameter cannot be understood", body = OpenCostError),
        (status = 503, description = "The daemon is stopping", body = OpenCostError),
    ))]
pub(in crate::http) async fn assets(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<Envelope<BTreeMap<String, NodeAsset>>>, OpenCostRefusal> {
    let snapshot = state.snapshot().await?;
    let mut params = Params::of(&uri)?;
    let window = params.window(None, snapshot.at, state.zone)?;
    if let Some(filter) = params.take("filter") {
        return Err(Refusal::bad("unsupported", "filter is not supported").value(&filter).opencost());
    }
    params.finish()?;
    Ok(Json(Envelope::new(by_key(&snapshot, window), &v1_warnings(&snapshot, window))))
}

fn by_key(snapshot: &Snapshot, window: Window) -> BTreeMap<String, NodeAsset> {
    let mut assets = BTreeMap::new();
    for sum in query::assets(&snapshot.hours, window) {
        let asset = asset(&sum, &snapshot.cluster, window);
        let mut key = key(&asset.properties);
        if assets.contains_key(&key) {
            // A machine that joined twice: two nodes of one name and id.
            key = format!("{key}/{}", sum.node.uid);
        }
        assets.insert(key, asset);
    }
    assets
}

fn key(of: &AssetProperties) -> String {
    let or_undefined = |text: &str| if text.is_empty() { UNDEFINED.to_owned() } else { text.to_owned() };
    [
        or_undefined(of.provider),
        UNDEFINED.to_owned(),
        UNDEFINED.to_owned(),
        of.category.to_owned(),
        of.cluster.clone(),
        "Node".to_owned(),
        of.service.to_owned(),
        or_undefined(&of.provider_id),
        of.name.clone(),
    ]
    .join("/")
}

fn asset(sum: &AssetSum, cluster: &str, window: Window) -> NodeAsset {
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
        cpu_breakdown: breakdown(sum.charged.cpu_core_hours, sum.capacity.cpu_core_hours),
        ram_breakdown: breakdown(sum.charged.memory_byte_hours, sum.capacity.memory_byte_hours),
        preemptible: if facts.capacity_type == CapacityType::Spot { 1.0 } else { 0.0 },
        discount: 0.0,
        cpu_cost: sum.cost.cpu.exact(),
        gpu_cost: sum.cost.gpu.exact(),
        gpu_count: average(sum.capacity.gpu_hours),
        ram_cost: sum.cost.memory.exact(),
        adjustment: PicoUsd(0).exact(),
        overhead: Overhead {
            ram_overhead_fraction: 0.0,
            cpu_overhead_fraction: 0.0,
            overhead_cost_fraction: 0.0,
        },
        total_cost: sum.cost.total().exact(),
    }
}

fn breakdown(charged: f64, capacity: f64) -> Breakdown {
    let user = if capacity > 0.0 { (charged / capacity).clamp(0.0, 1.0) } else { 0.0 };
    Breakdown { idle: 1.0 - user, other: 0.0, system: 0.0, user }
}
