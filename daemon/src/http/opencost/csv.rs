//! `/allocation` with `format=csv`: a line a row, amounts with all their decimals.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use nightcap_core::units::Instant;

use super::row::AllocationRow;
use super::rows::Rows;
use crate::http::error::Refusal;

/// Names of the columns of [`cells`].
const HEAD: [&str; 37] = [
    "name",
    "cluster",
    "node",
    "namespace",
    "controllerKind",
    "controller",
    "pod",
    "windowStart",
    "windowEnd",
    "start",
    "end",
    "minutes",
    "cpuCoreHours",
    "cpuCoreRequestAverage",
    "cpuCoreUsageAverage",
    "ramByteHours",
    "ramByteRequestAverage",
    "ramByteUsageAverage",
    "gpuHours",
    "pvByteHours",
    "networkTransferBytes",
    "totalEfficiency",
    "cpuCost",
    "cpuCostIdle",
    "gpuCost",
    "gpuCostIdle",
    "ramCost",
    "ramCostIdle",
    "pvCost",
    "networkCost",
    "networkCrossZoneCost",
    "networkCrossRegionCost",
    "networkInternetCost",
    "loadBalancerCost",
    "sharedCost",
    "externalCost",
    "totalCost",
];

/// The rows of all steps as CSV.
pub(super) fn answer(sets: Vec<Rows>) -> Result<Response, Refusal> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| {
        Refusal::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "defect",
            format!("cannot write CSV: {error}"),
        )
    };
    writer.write_record(HEAD).map_err(|error| failed(&error))?;
    for row in sets.into_iter().flatten() {
        writer.write_record(cells(&row)).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}

/// A row, in the order of [`HEAD`].
fn cells(row: &AllocationRow) -> Vec<String> {
    let of = &row.properties;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut cells = vec![row.name.clone(), of.cluster.clone()];
    cells.extend([&of.node, &of.namespace, &of.controller_kind, &of.controller, &of.pod].map(text));
    let instants = [row.window.start, row.window.end, row.start, row.end];
    cells.extend(instants.map(Instant::to_rfc3339));
    let numbers = [
        row.minutes,
        row.cpu_core_hours,
        row.cpu_core_request_average,
        row.cpu_core_usage_average,
        row.ram_byte_hours,
        row.ram_byte_request_average,
        row.ram_byte_usage_average,
        row.gpu_hours,
        row.pv_byte_hours,
        row.network_transfer_bytes,
        row.total_efficiency,
    ];
    cells.extend(numbers.map(|number| number.to_string()));
    let money = [
        row.cpu_cost,
        row.cpu_cost_idle,
        row.gpu_cost,
        row.gpu_cost_idle,
        row.ram_cost,
        row.ram_cost_idle,
        row.pv_cost,
        row.network_cost,
        row.network_cross_zone_cost,
        row.network_cross_region_cost,
        row.network_internet_cost,
        row.load_balancer_cost,
        row.shared_cost,
        row.external_cost,
        row.total_cost,
    ];
    cells.extend(money.map(|amount| amount.to_string()));
    cells
}
