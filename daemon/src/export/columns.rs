//! The columns of a cost report, once for every format that has columns.

use nightcap_core::money::query::Component;
use nightcap_core::units::Instant;
use nightcap_history::{Cells, Column};

use crate::api::{CostReport, CostRow, CostStep, Money, RowKind};

/// The report by columns, with a row a cell. A group has its values under the names of what is grouped by; any other row
/// its name under the first of them.
pub(crate) fn columns<'a>(report: &'a CostReport) -> Vec<Column> {
    let rows: Vec<(&'a CostStep, &'a CostRow)> =
        report.steps.iter().flat_map(|step| step.rows.iter().map(move |row| (step, row))).collect();
    let instants =
        |of: fn(&CostStep) -> Instant| Cells::Instant(rows.iter().map(|(step, _)| of(step)).collect());
    let money =
        |of: &dyn Fn(&CostRow) -> Money| Cells::Money(rows.iter().map(|(_, row)| of(row).0).collect());
    let numbers = |of: fn(&CostRow) -> f64| Cells::Number(rows.iter().map(|(_, row)| of(row)).collect());
    let flags = |of: fn(&CostStep, &CostRow) -> bool| {
        Cells::Flag(rows.iter().map(|(step, row)| of(step, row)).collect())
    };

    let mut columns = vec![
        Column::new("window_start", instants(|step| step.window.start)),
        Column::new("window_end", instants(|step| step.window.end)),
    ];
    columns.extend(report.by.iter().enumerate().map(|(nth, by)| {
        let value = |row: &'a CostRow| match row.kind {
            RowKind::Group => row.key.get(by).map(String::as_str),
            _ => Some(row.name.as_str()).filter(|_| nth == 0),
        };
        Column::new(by.clone(), Cells::Text(rows.iter().map(|(_, row)| value(row)).collect()))
    }));
    columns.push(Column::new("cost_usd", money(&|row| row.cost)));
    columns.extend(Component::ALL.map(|component| {
        Column::new(format!("{}_cost_usd", stem(component)), money(&|row| row.part(component)))
    }));
    columns.extend([
        Column::new("share", numbers(|row| row.share)),
        Column::new("cpu_core_hours", numbers(|row| row.cpu_core_hours)),
        Column::new("memory_gib_hours", numbers(|row| row.memory_gib_hours)),
        Column::new("gpu_hours", numbers(|row| row.gpu_hours)),
        Column::new("storage_gib_hours", numbers(|row| row.storage_gib_hours)),
        Column::new("network_gib", numbers(|row| row.network_gib)),
        Column::new("load_balancer_hours", numbers(|row| row.load_balancer_hours)),
        Column::new("prorated", flags(|_, row| row.prorated)),
        Column::new("coarse", flags(|step, _| step.coarse)),
        Column::new("late", flags(|_, row| row.late)),
        Column::new("backfilled", flags(|_, row| row.backfilled)),
    ]);
    columns
}

/// How the name of a component's column begins.
const fn stem(component: Component) -> &'static str {
    match component {
        Component::Cpu => "cpu",
        Component::Memory => "memory",
        Component::Gpu => "gpu",
        Component::Storage => "storage",
        Component::LoadBalancer => "load_balancer",
        Component::NetworkZone => "network_zone",
        Component::NetworkRegion => "network_region",
        Component::NetworkInternet => "network_internet",
        Component::ControlPlane => "control_plane",
        Component::Fixed => "fixed",
        Component::IdleShare => "idle_share",
        Component::SharedShare => "shared_share",
        Component::OverheadShare => "overhead_share",
    }
}
