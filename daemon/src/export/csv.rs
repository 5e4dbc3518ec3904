//! A cost report as CSV: one line a row, amounts with all their decimals.

use crate::api::{CostReport, RowKind};

/// The report as CSV. A group has its values under the names of what is grouped by; any other row its name under the
/// first of them.
pub(crate) fn cost_csv(report: &CostReport) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut head = vec!["window_start", "window_end"];
    head.extend(report.by.iter().map(String::as_str));
    head.extend([
        "cost_usd",
        "cpu_cost_usd",
        "memory_cost_usd",
        "gpu_cost_usd",
        "storage_cost_usd",
        "load_balancer_cost_usd",
        "network_zone_cost_usd",
        "network_region_cost_usd",
        "network_internet_cost_usd",
        "control_plane_cost_usd",
        "fixed_cost_usd",
        "idle_share_cost_usd",
        "shared_share_cost_usd",
        "overhead_share_cost_usd",
        "share",
        "cpu_core_hours",
        "memory_gib_hours",
        "gpu_hours",
        "storage_gib_hours",
        "network_gib",
        "load_balancer_hours",
        "prorated",
        "late",
        "backfilled",
    ]);
    writer.write_record(&head)?;
    for step in &report.steps {
        for row in &step.rows {
            let mut cells = vec![step.window.start.to_rfc3339(), step.window.end.to_rfc3339()];
            if row.kind == RowKind::Group {
                cells.extend(report.by.iter().map(|by| row.key.get(by).cloned().unwrap_or_default()));
            } else {
                cells.push(row.name.clone());
                cells.resize(2 + report.by.len(), String::new());
            }
            let money = [
                row.cost,
                row.cpu_cost,
                row.memory_cost,
                row.gpu_cost,
                row.storage_cost,
                row.load_balancer_cost,
                row.network_zone_cost,
                row.network_region_cost,
                row.network_internet_cost,
                row.control_plane_cost,
                row.fixed_cost,
                row.idle_share_cost,
                row.shared_share_cost,
                row.overhead_share_cost,
            ];
            cells.extend(money.map(|amount| amount.to_string()));
            let numbers = [
                row.share,
                row.cpu_core_hours,
                row.memory_gib_hours,
                row.gpu_hours,
                row.storage_gib_hours,
                row.network_gib,
                row.load_balancer_hours,
            ];
            cells.extend(numbers.map(|number| number.to_string()));
            cells.extend([row.prorated, row.late, row.backfilled].map(|flag| flag.to_string()));
            writer.write_record(&cells)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
