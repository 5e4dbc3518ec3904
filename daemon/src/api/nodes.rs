//! `GET /api/v1/nodes`: what each node costs, and how sure that is.

use nightcap_core::money::Confidence;
use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Money;

/// All nodes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NodeList {
    /// The instant of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// By name.
    pub nodes: Vec<NodeReport>,
    /// What they cost together per hour.
    pub hourly_cost: Money,
}

/// A node, what it costs, and why.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NodeReport {
    /// Name.
    pub name: String,
    /// `aws`, `azure`, `gcp` or `unknown`.
    pub provider: String,
    /// `spec.providerID`, empty if none.
    pub provider_id: String,
    /// Region such as `eu-central-1`; empty if unknown.
    pub region: String,
    /// Zone such as `eu-central-1a`; empty if unknown.
    pub zone: String,
    /// Instance type such as `m5.xlarge`; empty if unknown.
    pub instance_type: String,
    /// `on-demand` or `spot`.
    pub capacity_type: String,
    /// CPU architecture such as `amd64`; empty if unknown.
    pub arch: String,
    /// CPU it offers.
    pub cpu_cores: f64,
    /// Memory it offers.
    pub memory_gib: f64,
    /// GPUs it offers.
    pub gpus: f64,
    /// Pods that hold it now.
    pub pods: usize,
    /// Whether it is ready.
    pub ready: bool,
    /// When it was created; it is paid for from here, or from when counting began.
    #[schema(value_type = String, format = DateTime)]
    pub created: Instant,
    /// What it costs per hour.
    pub hourly_cost: Money,
    /// The part of it that all its CPU costs.
    pub cpu_hourly_cost: Money,
    /// The part of it that all its memory costs.
    pub memory_hourly_cost: Money,
    /// The part of it that all its GPUs cost.
    pub gpu_hourly_cost: Money,
    /// Its price; `null` until one was found.
    pub price: Option<PriceReport>,
}

/// A price with everything a reader needs to judge it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PriceReport {
    /// Dollars per hour for the whole node.
    pub hourly: Money,
    /// `exact`, `list`, `estimated` or `default`.
    #[schema(value_type = String, example = "list")]
    pub confidence: Confidence,
    /// Where it comes from, such as `karpenter-aws` or `default-rates`.
    pub source: String,
    /// The day it was read, as `YYYY-MM-DD`; empty where a price has no date.
    pub date: String,
    /// One sentence that says how it was found.
    pub reason: String,
}
