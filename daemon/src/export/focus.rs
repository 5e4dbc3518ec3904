//! Cost tables as FOCUS: the `FinOps` Open Cost and Usage Specification, version 1.2, as CSV.
//!
//! A row is one component of one group in one step. All four costs are the same amount: what is known is what is
//! charged to the group; whether a discount was taken off is a matter of the price rules. The rows add up to the bill.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate};
use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::money::query::{Component, Group, IDLE, OTHERS, Table};
use nightcap_core::units::{Instant, PicoUsd, Window};
use serde_json::{Map, Value};

use crate::api::CURRENCY;

/// The version of the specification, which the docs name.
#[cfg(test)]
pub(crate) const VERSION: &str = "1.2";

/// Who publishes the rows.
const PUBLISHER: &str = "Nightcap";

/// The columns, in order: those of FOCUS, then ours. Columns of features that there are none of (capacity reservations,
/// commitments, SKUs, invoices, other pricing currencies) are left out, as the specification allows.
pub(crate) const COLUMNS: [&str; 51] = [
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
    "x_Cluster",
    "x_Component",
    "x_Node",
    "x_Owner",
    "x_Pod",
    "x_Prorated",
    "x_Provisional",
    "x_Space",
    "x_Team",
    "x_Late",
    "x_WorkloadKind",
    "x_WorkloadName",
];

/// What FOCUS calls a component of cost, and how much of what it is.
struct Charge {
    name: &'static str,
    category: &'static str,
    subcategory: &'static str,
    service: &'static str,
    unit: &'static str,
    quantity: f64,
}

const GIB: f64 = 1_073_741_824.0;

const COMPUTE: [&str; 3] = ["Compute", "Containers", "Kubernetes nodes"];
const CONTROL_PLANE: [&str; 3] = ["Compute", "Containers", "Kubernetes control plane"];
const STORAGE: [&str; 3] = ["Storage", "Block Storage", "Kubernetes volumes"];
const BALANCERS: [&str; 3] = ["Networking", "Application Networking", "Kubernetes load balancers"];
const NETWORK: [&str; 3] = ["Networking", "Other (Networking)", "Kubernetes traffic"];
const FIXED: [&str; 3] = ["Other", "Other (Other)", "Fixed sums"];
const SHARED_COST: [&str; 3] = ["Other", "Other (Other)", "Shared cost"];

impl Charge {
    fn of(component: Component, group: &Group) -> Self {
        let charged = group.charged;
        let (name, kind, unit, quantity) = match component {
            Component::Cpu => ("CPU", COMPUTE, "Core Hours", charged.cpu_core_hours),
            Component::Memory => ("memory", COMPUTE, "GiB Hours", charged.memory_byte_hours / GIB),
            Component::Gpu => ("GPU", COMPUTE, "GPU Hours", charged.gpu_hours),
            Component::Storage => ("storage", STORAGE, "GiB Hours", group.volume_byte_hours / GIB),
            Component::LoadBalancer => ("load balancer", BALANCERS, "Hours", group.load_balancer_hours),
            Component::NetworkZone => ("traffic to other zones", NETWORK, "GiB", 0.0),
            Component::NetworkRegion => ("traffic to other regions", NETWORK, "GiB", 0.0),
            Component::NetworkInternet => ("traffic to the internet", NETWORK, "GiB", 0.0),
            Component::ControlPlane => ("control plane", CONTROL_PLANE, "", 0.0),
            Component::Fixed => ("fixed sum", FIXED, "", 0.0),
            Component::IdleShare => ("share of idle cost", COMPUTE, "", 0.0),
            Component::SharedShare => ("share of shared cost", SHARED_COST, "", 0.0),
            Component::OverheadShare => ("share of overhead", CONTROL_PLANE, "", 0.0),
        };
        let [category, subcategory, service] = kind;
        Self { name, category, subcategory, service, unit, quantity }
    }
}

/// The tables as CSV, with idle cost or without. `names` are those of what is grouped by.
pub(crate) fn focus_csv(
    tables: &[Table],
    cluster: &str,
    names: &[Arc<str>],
    idle: bool,
) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for table in tables {
        let groups = table.groups.iter().map(|(key, group)| (key.join("/"), tags(names, key), group));
        let others = table.others.iter().map(|others| (OTHERS.to_owned(), Map::new(), &others.group));
        let lines = table.lines.iter().filter(|line| idle || &*line.name != IDLE).map(|line| {
            let node = line.node.as_ref().map(|node| format!("{}/", node.name)).unwrap_or_default();
            (format!("{node}{}", line.name), Map::new(), &line.group)
        });
        for (name, tags, group) in groups.chain(others).chain(lines) {
            for component in Component::ALL {
                let cost = group.costs.of(component);
                if cost.0 != 0 {
                    let charge = Charge::of(component, group);
                    writer.write_record(row(table, cluster, &name, &tags, group, &charge, cost))?;
                }
            }
        }
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn tags(names: &[Arc<str>], key: &[Arc<str>]) -> Map<String, Value> {
    names.iter().zip(key).map(|(name, value)| (name.to_string(), Value::from(&**value))).collect()
}

fn row(
    table: &Table,
    cluster: &str,
    name: &str,
    tags: &Map<String, Value>,
    group: &Group,
    charge: &Charge,
    cost: PicoUsd,
) -> [String; COLUMNS.len()] {
    let common = &group.common;
    let text = |value: Option<&Arc<str>>| value.map(ToString::to_string).unwrap_or_default();
    let node = common.node.as_ref();
    let facts = node.map(|node| &node.facts);
    let provider = match facts.map(|facts| facts.provider) {
        Some(Provider::Aws) => "AWS",
        Some(Provider::Azure) => "Microsoft",
        Some(Provider::Gcp) => "Google Cloud",
        Some(Provider::Unknown) | None => "Kubernetes",
    };
    let category = match facts.map(|facts| facts.capacity_type) {
        Some(CapacityType::Spot) => "Dynamic",
        Some(CapacityType::OnDemand) => "Standard",
        None => "Other",
    };
    let region = text(facts.map(|facts| &facts.region));
    let money = cost.exact().to_string();
    let (quantity, unit) = if charge.quantity > 0.0 {
        (charge.quantity.to_string(), charge.unit.to_owned())
    } else {
        <_>::default()
    };
    let (kind, workload) = common
        .workload
        .as_ref()
        .map_or((String::new(), String::new()), |(kind, name)| (kind.name().to_owned(), name.to_string()));
    let resource_type = match (&common.pod, &common.workload) {
        (Some(pod), _) if !pod.is_empty() => "Pod",
        (_, Some(_)) => "Workload",
        _ => "Cost group",
    };
    let period = billing_period(table.window);
    let namespace = text(common.namespace.as_ref());
    let all_tags = common.labels.iter().flat_map(|labels| labels.iter());
    let mut tags = tags.clone();
    tags.extend(all_tags.map(|(key, value)| (key.to_string(), Value::from(&**value))));
    [
        text(facts.map(|facts| &facts.zone)),
        money.clone(),
        cluster.to_owned(),
        cluster.to_owned(),
        "Kubernetes cluster".to_owned(),
        CURRENCY.to_owned(),
        period.end.to_rfc3339(),
        period.start.to_rfc3339(),
        "Usage".to_owned(),
        if group.late { "Correction".to_owned() } else { String::new() },
        format!("{} of {name}", charge.name),
        "Usage-Based".to_owned(),
        table.window.end.to_rfc3339(),
        table.window.start.to_rfc3339(),
        quantity.clone(),
        unit.clone(),
        money.clone(),
        String::new(),
        money.clone(),
        PUBLISHER.to_owned(),
        money,
        String::new(),
        category.to_owned(),
        quantity,
        unit,
        provider.to_owned(),
        PUBLISHER.to_owned(),
        region.clone(),
        region,
        format!("{cluster}/{name}"),
        name.to_owned(),
        resource_type.to_owned(),
        charge.category.to_owned(),
        charge.service.to_owned(),
        charge.subcategory.to_owned(),
        namespace.clone(),
        namespace,
        "Kubernetes namespace".to_owned(),
        Value::Object(tags).to_string(),
        cluster.to_owned(),
        charge.name.to_owned(),
        text(node.map(|node| &node.name)),
        text(common.owner.as_ref()),
        text(common.pod.as_ref()),
        (group.prorated || table.coarse).to_string(),
        table.open.to_string(),
        text(common.space.as_ref()),
        text(common.team.as_ref()),
        group.late.to_string(),
        kind,
        workload,
    ]
}

/// The month of UTC that a step begins in.
fn billing_period(step: Window) -> Window {
    let day = DateTime::from_timestamp_millis(step.start.0).unwrap_or_default().date_naive();
    let first = |year, month| {
        let day = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
        Instant(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
    };
    let next = if day.month() == 12 { first(day.year() + 1, 1) } else { first(day.year(), day.month() + 1) };
    Window::new(first(day.year(), day.month()), next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nightcap_core::units::parse_rfc3339;

    #[test]
    fn billing_periods_are_months() {
        let at = |text| parse_rfc3339(text).unwrap();
        for (start, month) in [
            ("2026-03-15T10:00:00Z", "2026-03-01T00:00:00Z 2026-04-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z"),
        ] {
            let period = billing_period(Window::new(at(start), at(start)));
            assert_eq!(format!("{} {}", period.start, period.end), month);
        }
    }
}
