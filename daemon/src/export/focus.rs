//! Cost tables as FOCUS: the `FinOps` Open Cost and Usage Specification, version 1.2, as CSV.
//!
//! A row is one component of one group in one step. All four costs are the same amount: what is known is what is
//! charged to the group; whether a discount was taken off is a matter of the price rules. The rows add up to the bill.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate};
use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::money::query::{Costs, Group, IDLE, OTHERS, Table};
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

/// A component of cost: what FOCUS calls it, and how much of what it is.
struct Component {
    name: &'static str,
    cost: fn(&Costs) -> PicoUsd,
    category: &'static str,
    subcategory: &'static str,
    service: &'static str,
    unit: &'static str,
    quantity: fn(&Group) -> f64,
}

const GIB: f64 = 1_073_741_824.0;

const fn component(
    name: &'static str,
    cost: fn(&Costs) -> PicoUsd,
    kind: [&'static str; 3],
    unit: &'static str,
    quantity: fn(&Group) -> f64,
) -> Component {
    let [category, subcategory, service] = kind;
    Component { name, cost, category, subcategory, service, unit, quantity }
}

const COMPUTE: [&str; 3] = ["Compute", "Containers", "Kubernetes nodes"];

/// All of them: their costs add up to [`Costs::total`].
const COMPONENTS: [Component; 13] = [
    component("CPU", |c| c.node.cpu, COMPUTE, "Core Hours", |g| g.charged.cpu_core_hours),
    component("memory", |c| c.node.memory, COMPUTE, "GiB Hours", |g| g.charged.memory_byte_hours / GIB),
    component("GPU", |c| c.node.gpu, COMPUTE, "GPU Hours", |g| g.charged.gpu_hours),
    component(
        "storage",
        |c| c.storage,
        ["Storage", "Block Storage", "Kubernetes volumes"],
        "GiB Hours",
        |g| g.volume_byte_hours / GIB,
    ),
    component(
        "load balancer",
        |c| c.load_balancer,
        ["Networking", "Application Networking", "Kubernetes load balancers"],
        "Hours",
        |g| g.load_balancer_hours,
    ),
    component("traffic to other zones", |c| c.network.zone, NETWORK, "GiB", |_| 0.0),
    component("traffic to other regions", |c| c.network.region, NETWORK, "GiB", |_| 0.0),
    component("traffic to the internet", |c| c.network.internet, NETWORK, "GiB", |_| 0.0),
    component(
        "control plane",
        |c| c.control_plane,
        ["Compute", "Containers", "Kubernetes control plane"],
        "",
        |_| 0.0,
    ),
    component("fixed sum", |c| c.fixed, ["Other", "Other (Other)", "Fixed sums"], "", |_| 0.0),
    component("share of idle cost", |c| c.idle.total(), COMPUTE, "", |_| 0.0),
    component("share of shared cost", |c| c.shared, ["Other", "Other (Other)", "Shared cost"], "", |_| 0.0),
    component(
        "share of overhead",
        |c| c.overhead,
        ["Compute", "Containers", "Kubernetes control plane"],
        "",
        |_| 0.0,
    ),
];

const NETWORK: [&str; 3] = ["Networking", "Other (Networking)", "Kubernetes traffic"];

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
            for component in &COMPONENTS {
                let cost = (component.cost)(&group.costs);
                if cost.0 != 0 {
                    writer.write_record(row(table, cluster, &name, &tags, group, component, cost))?;
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
    component: &Component,
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
    let quantity = (component.quantity)(group);
    let (quantity, unit) =
        if quantity > 0.0 { (quantity.to_string(), component.unit.to_owned()) } else { <_>::default() };
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
        format!("{} of {name}", component.name),
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
        component.category.to_owned(),
        component.service.to_owned(),
        component.subcategory.to_owned(),
        namespace.clone(),
        namespace,
        "Kubernetes namespace".to_owned(),
        Value::Object(tags).to_string(),
        cluster.to_owned(),
        component.name.to_owned(),
        text(node.map(|node| &node.name)),
        text(common.owner.as_ref()),
        text(common.pod.as_ref()),
        group.prorated.to_string(),
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
    use nightcap_core::money::ByResource;
    use nightcap_core::money::query::NetworkCosts;
    use nightcap_core::units::parse_rfc3339;

    #[test]
    fn components_are_the_whole_cost() {
        let usd = |power| PicoUsd(10_i128.pow(power));
        let costs = Costs {
            node: ByResource::from_array([usd(0), usd(1), usd(2)]),
            storage: usd(3),
            load_balancer: usd(4),
            network: NetworkCosts { zone: usd(5), region: usd(6), internet: usd(7) },
            control_plane: usd(8),
            fixed: usd(9),
            idle: ByResource::from_array([usd(10), usd(11), usd(12)]),
            shared: usd(13),
            overhead: usd(14),
        };
        assert_eq!(
            COMPONENTS.iter().map(|component| (component.cost)(&costs)).sum::<PicoUsd>(),
            costs.total()
        );
    }

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
