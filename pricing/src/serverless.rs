//! Nodes that are not billed as machines: EKS Fargate and GKE Autopilot bill what the pods ask for.

use nightcap_core::cluster::{CapacityType, NodeFacts, Provider};
use nightcap_core::money::{Confidence, PriceSource};
use nightcap_core::units::Resources;

use crate::found::Found;
use crate::service::ServicePrice;
use crate::tables::Tables;

/// The region of the Fargate and Autopilot rates in the table.
const FARGATE_HOME: &str = "us-east-1";
const AUTOPILOT_HOME: &str = "us-central1";

/// Cores and memory of such a node at the rates its pods pay. An estimate: the bill goes by the pods, and a Fargate
/// node shows a larger machine than its pod pays for.
pub(crate) fn find(
    tables: &Tables,
    facts: &NodeFacts,
    capacity: Resources,
    spot_ratio: f64,
) -> Option<Found> {
    let rate = |provider, region, service| tables.services.get(provider, region, service);
    if facts.provider == Provider::Aws && &*facts.instance_type == NodeFacts::FARGATE {
        let cpu = rate(Provider::Aws, FARGATE_HOME, "fargate_vcpu")?;
        let memory = rate(Provider::Aws, FARGATE_HOME, "fargate_memory")?;
        let found = by_rates("Fargate", cpu, memory, capacity);
        return Some(match tables.region_factors.get(&facts.region, "") {
            Some(factor) => found.times(factor, &format!(" × {factor} ({})", facts.region)),
            None => found,
        });
    }
    if facts.provider == Provider::Gcp && &*facts.instance_type == NodeFacts::AUTOPILOT {
        let cpu = rate(Provider::Gcp, AUTOPILOT_HOME, "gke_autopilot_vcpu")?;
        let memory = rate(Provider::Gcp, AUTOPILOT_HOME, "gke_autopilot_memory")?;
        let found = by_rates("Autopilot", cpu, memory, capacity);
        return Some(match facts.capacity_type {
            CapacityType::Spot => {
                found.times(spot_ratio, &format!(" × {spot_ratio}, a usual ratio for spot"))
            }
            CapacityType::OnDemand => found,
        });
    }
    None
}

fn by_rates(what: &str, cpu: &ServicePrice, memory: &ServicePrice, capacity: Resources) -> Found {
    let (cores, gib, region) = (capacity.cpu.cores(), capacity.memory.gib(), cpu.region);
    Found {
        hourly_usd: cores * cpu.per_unit.usd() + gib * memory.per_unit.usd(),
        confidence: Confidence::Estimated,
        source: PriceSource { id: cpu.source_id.into(), date: cpu.source_date.into() },
        reason: format!(
            "{what} rates of {region} for the {cores} cores and {gib:.1} GiB the node shows, though its pods are billed"
        ),
    }
}
