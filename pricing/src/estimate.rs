//! From the facts of a node to a price by the instance table: its own row, else the nearest thing there is.

use nightcap_core::cluster::{CapacityType, NodeFacts, Provider};
use nightcap_core::units::Resources;

use crate::family::{custom_type, family, is_proportional};
use crate::found::Found;
use crate::instance_table::{InstanceTable, Market, Offer};
use crate::live::Quotes;
use crate::tables::Tables;
use crate::usual;

/// The AWS region whose price list is complete, and to which the region factors refer.
const AWS_HOME: &str = "us-east-1";
/// How far memory or GPUs per vCPU may be apart for two sizes to be of one kind: burstable sizes of one family differ
/// by the factor 2, and a node shows up to a tenth less memory than its type has.
const SAME_KIND: f64 = 0.25;
/// Sizes in which a series of predefined GCP machines is compared to find what a core and a GiB cost.
const RATE_SIZES: [u16; 4] = [8, 4, 16, 2];

/// A node whose price is asked for.
pub(crate) struct Query<'a> {
    /// The facts' provider, or the one whose region it is.
    pub(crate) provider: Provider,
    pub(crate) facts: &'a NodeFacts,
    pub(crate) capacity: Resources,
    /// Spot price over on-demand price where no spot price is known.
    pub(crate) spot_ratio: f64,
    /// What the providers themselves quoted, as far as it is fresh.
    pub(crate) quotes: &'a Quotes,
}

/// What one size of a family has; 0 where not known.
#[derive(Clone, Copy)]
struct Shape {
    vcpus: f64,
    memory_gib: f64,
    gpus: f64,
}

impl Query<'_> {
    /// The price by the table, or by what is near; `None` if the table knows nothing near.
    ///
    /// For spot, a neighbour's spot price comes before one's own on-demand price × ratio, and us-east-1's spot price
    /// is not asked: that is their order by measured error (tables/README.md).
    pub(crate) fn find(&self, tables: &Tables) -> Option<Found> {
        let quoted = |capacity_type| {
            let facts = self.facts;
            let quote =
                self.quotes.instance(self.provider, &facts.region, &facts.instance_type, capacity_type);
            quote.map(Found::quote)
        };
        let in_table = |capacity_type| {
            let market = tables.instances.market(self.provider, &self.facts.region, capacity_type)?;
            let instances = &tables.instances;
            self.exact(instances, market)
                .or_else(|| self.custom(instances, market))
                .or_else(|| self.same_family(instances, market))
        };
        let at = |capacity_type| quoted(capacity_type).or_else(|| in_table(capacity_type));
        match self.facts.capacity_type {
            CapacityType::OnDemand => at(CapacityType::OnDemand).or_else(|| self.elsewhere(tables)),
            CapacityType::Spot => at(CapacityType::Spot).or_else(|| {
                let on_demand = at(CapacityType::OnDemand).or_else(|| self.elsewhere(tables))?;
                let ratio = self.spot_ratio;
                Some(on_demand.times(ratio, "").estimated(&format!(" × {ratio}, a usual ratio for spot")))
            }),
        }
    }

    fn exact(&self, instances: &InstanceTable, market: &Market) -> Option<Found> {
        let machine = instances.machine(self.provider, &self.facts.instance_type)?;
        instances.offer(market, machine).as_ref().map(Found::row)
    }

    /// A custom GCP machine: cores and GiB at the rates that two predefined machines of its series imply.
    fn custom(&self, instances: &InstanceTable, market: &Market) -> Option<Found> {
        let custom = custom_type(&self.facts.instance_type).filter(|_| self.provider == Provider::Gcp)?;
        let series = custom.series;
        let offer = |class: &str, size: u16| {
            instances.offer(market, instances.machine(Provider::Gcp, &format!("{series}-{class}-{size}"))?)
        };
        RATE_SIZES.iter().find_map(|size| {
            let (standard, highmem) = (offer("standard", *size)?, offer("highmem", *size)?);
            let gib = |offer: &Offer<'_>| Some(f64::from(offer.memory_mib?) / 1024.0);
            let usd = |offer: &Offer<'_>| offer.hourly.usd_per_hour();
            let gib_usd = (usd(&highmem) - usd(&standard)) / (gib(&highmem)? - gib(&standard)?);
            let core_usd = (usd(&standard) - gib_usd * gib(&standard)?) / f64::from(*size);
            (gib_usd.is_finite() && gib_usd > 0.0 && core_usd > 0.0).then(|| {
                let premium = usual::custom_premium(series);
                let hourly_usd = (custom.vcpus * core_usd + custom.memory_gib * gib_usd) * premium;
                let (vcpus, memory, region) = (custom.vcpus, custom.memory_gib, &market.region);
                let reason = format!(
                    "{vcpus} vCPUs and {memory} GiB at {series}'s rates in {region} × {premium} for a custom machine"
                );
                Found::estimate(&standard, hourly_usd, reason)
            })
        })
    }

    /// The nearest size of the family in the same market, by vCPU.
    fn same_family(&self, instances: &InstanceTable, market: &Market) -> Option<Found> {
        let own = &*self.facts.instance_type;
        if !is_proportional(self.provider, own) {
            return None;
        }
        let shape = self.shape(instances)?;
        let family = instances.family(self.provider, &family(self.provider, own))?;
        let distance = |vcpus: f64| (vcpus / shape.vcpus).max(shape.vcpus / vcpus);
        let near = instances
            .family_offers(market, family)
            .filter_map(|offer| Some((f64::from(offer.vcpus?), offer)))
            .filter(|(vcpus, offer)| shape.is_kind_of(offer, *vcpus))
            .min_by(|(a, _), (b, _)| distance(*a).total_cmp(&distance(*b)))?;
        let (vcpus, offer) = near;
        let hourly_usd = offer.hourly.usd_per_hour() * shape.vcpus / vcpus;
        let reason = format!(
            "{own} as {}/{vcpus} of the {} price of {} in {}, by vCPU",
            (shape.vcpus * 100.0).round() / 100.0,
            offer.capacity_type,
            offer.instance_type,
            offer.region
        );
        Some(Found::estimate(&offer, hourly_usd, reason))
    }

    /// What the type has by the table, else what the node shows.
    fn shape(&self, instances: &InstanceTable) -> Option<Shape> {
        let machine = instances.machine(self.provider, &self.facts.instance_type);
        let known = machine.and_then(|m| instances.machines.get(usize::from(m))).filter(|m| m.vcpus > 0);
        let shape = match known {
            Some(machine) => Shape {
                vcpus: f64::from(machine.vcpus),
                memory_gib: f64::from(machine.memory_mib) / 1024.0,
                gpus: f64::from(machine.gpus),
            },
            None => Shape {
                vcpus: self.capacity.cpu.cores(),
                memory_gib: self.capacity.memory.gib(),
                gpus: self.capacity.gpu.devices(),
            },
        };
        (shape.vcpus > 0.0).then_some(shape)
    }

    /// On demand, by the prices of other regions.
    fn elsewhere(&self, tables: &Tables) -> Option<Found> {
        let machine = tables.instances.machine(self.provider, &self.facts.instance_type)?;
        self.by_region_factor(tables, machine).or_else(|| self.median_of_regions(&tables.instances, machine))
    }

    fn by_region_factor(&self, tables: &Tables, machine: u16) -> Option<Found> {
        let home = tables.instances.market(Provider::Aws, AWS_HOME, CapacityType::OnDemand)?;
        let offer = tables.instances.offer(home, machine)?;
        let factor = tables.region_factors.get(&self.facts.region, offer.instance_type)?;
        let (name, region) = (offer.instance_type, &self.facts.region);
        let reason = format!("{AWS_HOME} price of {name} × {factor} ({region})");
        Some(Found::estimate(&offer, offer.hourly.usd_per_hour() * factor, reason))
    }

    /// The middle one of the provider's regions: for a region that is unknown or newer than the table.
    fn median_of_regions(&self, instances: &InstanceTable, machine: u16) -> Option<Found> {
        let markets = instances.markets.iter();
        let markets =
            markets.filter(|m| m.provider == self.provider && m.capacity_type == CapacityType::OnDemand);
        let mut offers: Vec<Offer<'_>> =
            markets.filter_map(|market| instances.offer(market, machine)).collect();
        offers.sort_by_key(|offer| offer.hourly);
        let offer = offers.get(offers.len().checked_sub(1)? / 2)?;
        let (count, provider, region) = (offers.len(), self.provider, &self.facts.region);
        let name = offer.instance_type;
        let reason =
            format!("median of {provider}'s regions ({count}) for {name}: no price in region {region:?}");
        Some(Found::estimate(offer, offer.hourly.usd_per_hour(), reason))
    }
}

impl Shape {
    /// Whether an offer has about as much memory and as many GPUs per vCPU, as far as both are known.
    fn is_kind_of(&self, offer: &Offer<'_>, vcpus: f64) -> bool {
        let near = |own: f64, other: f64| (own - other).abs() <= SAME_KIND * own.max(other);
        let memory_gib = offer.memory_mib.map_or(0.0, |mib| f64::from(mib) / 1024.0);
        let memory_known = self.memory_gib > 0.0 && memory_gib > 0.0;
        (!memory_known || near(self.memory_gib / self.vcpus, memory_gib / vcpus))
            && near(self.gpus / self.vcpus, f64::from(offer.gpus) / vcpus)
    }
}
