//! A row of `/allocation/summary`: fewer fields of the same row.

use nightcap_core::units::{Instant, Usd};
use serde::Serialize;
use utoipa::ToSchema;

use super::row::AllocationRow;
use crate::api::Money;

/// A row of `/allocation/summary`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct SummaryRow {
    name: String,
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    #[schema(value_type = String, format = DateTime)]
    end: Instant,
    cpu_core_request_average: f64,
    cpu_core_usage_average: f64,
    #[schema(value_type = Money)]
    cpu_cost: Usd,
    #[schema(value_type = Money)]
    cpu_cost_idle: Usd,
    gpu_request_average: f64,
    gpu_usage_average: f64,
    #[schema(value_type = Money)]
    gpu_cost: Usd,
    #[schema(value_type = Money)]
    gpu_cost_idle: Usd,
    #[schema(value_type = Money)]
    network_cost: Usd,
    #[schema(value_type = Money)]
    load_balancer_cost: Usd,
    #[schema(value_type = Money)]
    pv_cost: Usd,
    ram_byte_request_average: f64,
    ram_byte_usage_average: f64,
    #[schema(value_type = Money)]
    ram_cost: Usd,
    #[schema(value_type = Money)]
    ram_cost_idle: Usd,
    #[schema(value_type = Money)]
    shared_cost: Usd,
    #[schema(value_type = Money)]
    external_cost: Usd,
    efficiency: f64,
}

impl From<AllocationRow> for SummaryRow {
    fn from(row: AllocationRow) -> Self {
        Self {
            name: row.name,
            start: row.start,
            end: row.end,
            cpu_core_request_average: row.cpu_core_request_average,
            cpu_core_usage_average: row.cpu_core_usage_average,
            cpu_cost: row.cpu_cost,
            cpu_cost_idle: row.cpu_cost_idle,
            gpu_request_average: row.gpu_request_average,
            gpu_usage_average: row.gpu_usage_average,
            gpu_cost: row.gpu_cost,
            gpu_cost_idle: row.gpu_cost_idle,
            network_cost: row.network_cost,
            load_balancer_cost: row.load_balancer_cost,
            pv_cost: row.pv_cost,
            ram_byte_request_average: row.ram_byte_request_average,
            ram_byte_usage_average: row.ram_byte_usage_average,
            ram_cost: row.ram_cost,
            ram_cost_idle: row.ram_cost_idle,
            shared_cost: row.shared_cost,
            external_cost: row.external_cost,
            efficiency: row.total_efficiency,
        }
    }
}
