//! Nodes that are not billed as machines: EKS Fargate and GKE Autopilot bill what the pods ask for.

use nightcap_core::cluster::{CapacityType, NodeFacts, Provider};
use nightcap_core::money::{Confidence, PriceSource};
use nightcap_core::units::{Rate, Resources};

use crate::found::Found;
use crate::service::ServicePrice;
use crate::tables::Tables;

/// The region of the Fargate and Autopilot rates in the table.
const FARGATE_HOME: &str = "us-east-1";
const AUTOPILOT_HOME: &str = "us-central1";

/// What pods pay where they are billed and not their node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerlessRates {
    /// Per core and hour.
    pub cpu_core: Rate,
    /// Per GiB of memory and hour.
    pub ram_gib: Rate,
    /// Per GiB of ephemeral storage and hour; nothing on Fargate, where 20 GB come with each pod.
    pub ephemeral_gib: Rate,
    /// How sure they are.
    pub confidence: Confidence,
    /// Where they come from.
    pub source: PriceSource,
    /// One sentence that says how they were found.
    pub reason: String,
}

/// The rates of pods on such a node; `None` for nodes that are billed as machines.
pub(crate) fn pod_rates(tables: &Tables, facts: &NodeFacts, spot_ratio: f64) -> Option<ServerlessRates> {
    let rates = Rates::of(tables, facts, spot_ratio)?;
    let rate = |usd: f64| Rate::from_usd_per_hour(usd * rates.factor).unwrap_or_default();
    let ephemeral = rates.ephemeral.map_or(0.0, |price| price.per_unit.usd());
    Some(ServerlessRates {
        cpu_core: rate(rates.cpu.per_unit.usd()),
        ram_gib: rate(rates.memory.per_unit.usd()),
        ephemeral_gib: rate(ephemeral),
        confidence: if rates.is_own { Confidence::List } else { Confidence::Estimated },
        source: PriceSource { id: rates.cpu.source_id.into(), date: rates.cpu.source_date.into() },
        reason: format!("{} rates of {}{}", rates.what, rates.cpu.region, rates.clause),
    })
}

/// Cores and memory of such a node at the rates its pods pay. An estimate: the bill goes by the pods, and a Fargate
/// node shows a larger machine than its pod pays for.
pub(crate) fn find(
    tables: &Tables,
    facts: &NodeFacts,
    capacity: Resources,
    spot_ratio: f64,
) -> Option<Found> {
    let rates = Rates::of(tables, facts, spot_ratio)?;
    let found = by_rates(rates.what, rates.cpu, rates.memory, capacity);
    Some(if rates.clause.is_empty() { found } else { found.times(rates.factor, &rates.clause) })
}

/// The rows that hold, and by what they are multiplied.
struct Rates<'a> {
    what: &'static str,
    cpu: &'a ServicePrice,
    memory: &'a ServicePrice,
    ephemeral: Option<&'a ServicePrice>,
    factor: f64,
    clause: String,
    /// Whether they are the region's own, on demand.
    is_own: bool,
}

impl<'a> Rates<'a> {
    fn of(tables: &'a Tables, facts: &NodeFacts, spot_ratio: f64) -> Option<Self> {
        let rate = |provider, region, service| tables.services.get(provider, region, service);
        if facts.provider == Provider::Aws && &*facts.instance_type == NodeFacts::FARGATE {
            let factor = tables.region_factors.get(&facts.region, "");
            return Some(Self {
                what: "Fargate",
                cpu: rate(Provider::Aws, FARGATE_HOME, "fargate_vcpu")?,
                memory: rate(Provider::Aws, FARGATE_HOME, "fargate_memory")?,
                ephemeral: None,
                factor: factor.unwrap_or(1.0),
                clause: factor.map_or(String::new(), |factor| format!(" × {factor} ({})", facts.region)),
                is_own: &*facts.region == FARGATE_HOME,
            });
        }
        if facts.provider == Provider::Gcp && &*facts.instance_type == NodeFacts::AUTOPILOT {
            let is_spot = facts.capacity_type == CapacityType::Spot;
            return Some(Self {
                what: "Autopilot",
                cpu: rate(Provider::Gcp, AUTOPILOT_HOME, "gke_autopilot_vcpu")?,
                memory: rate(Provider::Gcp, AUTOPILOT_HOME, "gke_autopilot_memory")?,
                ephemeral: rate(Provider::Gcp, AUTOPILOT_HOME, "gke_autopilot_ephemeral"),
                factor: if is_spot { spot_ratio } else { 1.0 },
                clause: if is_spot {
                    format!(" × {spot_ratio}, a usual ratio for spot")
                } else {
                    String::new()
                },
                is_own: &*facts.region == AUTOPILOT_HOME && !is_spot,
            });
        }
        None
    }
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
