//! The embedded prices of instance types, in under a megabyte: strings once, seven bytes a row.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::money::{Confidence, PriceSource};
use nightcap_core::units::Rate;

/// No family: a size that does not cost in proportion to others.
pub(crate) const NO_FAMILY: u16 = u16::MAX;

/// An instance type as such, whatever the region. Numbers are 0 where the table does not know them.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Machine {
    pub(crate) provider: Provider,
    pub(crate) name: Box<str>,
    pub(crate) vcpus: u16,
    pub(crate) memory_mib: u32,
    pub(crate) gpus: u8,
    /// Same number = same family and provider.
    pub(crate) family: u16,
}

/// One provider's prices in one region at one capacity type: a run of rows.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Market {
    pub(crate) provider: Provider,
    pub(crate) region: Box<str>,
    pub(crate) capacity_type: CapacityType,
    pub(crate) rows: Range<usize>,
}

/// A source as the rows name it, and how far its prices can be relied on.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Origin {
    pub(crate) source: PriceSource,
    pub(crate) confidence: Confidence,
}

impl Origin {
    pub(crate) fn new(id: &str, date: &str) -> Self {
        let confidence = if caveat(id).is_empty() { Confidence::List } else { Confidence::Estimated };
        Self { source: PriceSource { id: id.into(), date: date.into() }, confidence }
    }
}

/// What makes the rows of a source less than list prices, as a clause of a reason; empty for all others.
///
/// A derived price was never on a list; and where the size of a row could not be checked, it may be the price of
/// another meter, as about 5 % of the raw source are (`tables/README.md`).
pub(crate) fn caveat(source_id: &str) -> &'static str {
    match source_id {
        "spot-advisor-derived" => ", derived from a 30-day average saving",
        "karpenter-azure-unverified" => ", checked only against other regions",
        _ => "",
    }
}

/// All rows, sorted by provider, region, capacity type and name; column by column, so that nothing is padded.
#[derive(Default)]
pub(crate) struct InstanceTable {
    /// Sorted by provider and name: the order of the numbers in `types` is the order of the names.
    pub(crate) machines: Vec<Machine>,
    /// Numbers of families whose sizes cost in proportion, by their names in lower case.
    pub(crate) families: HashMap<(Provider, String), u16>,
    pub(crate) markets: Vec<Market>,
    pub(crate) origins: Vec<Origin>,
    /// Per row, index into `machines`.
    pub(crate) types: Vec<u16>,
    /// Per row, the price in millionths of a dollar per hour: all prices have at most six decimals.
    pub(crate) micro_usd_per_hour: Vec<u32>,
    /// Per row, index into `origins`.
    pub(crate) row_origins: Vec<u8>,
}

impl fmt::Debug for InstanceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceTable")
            .field("machines", &self.machines.len())
            .field("markets", &self.markets.len())
            .field("rows", &self.types.len())
            .finish_non_exhaustive()
    }
}

/// A row of the price table: one instance type in one region at one capacity type.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Offer<'a> {
    /// Who sells it.
    pub provider: Provider,
    /// Region, as the provider names it.
    pub region: &'a str,
    /// Instance type, as the provider names it.
    pub instance_type: &'a str,
    /// On demand or spot.
    pub capacity_type: CapacityType,
    /// vCPUs, if known.
    pub vcpus: Option<u16>,
    /// Memory in MiB, if known.
    pub memory_mib: Option<u32>,
    /// GPUs in its price; 0 also where not known.
    pub gpus: u8,
    /// Its price per hour.
    pub hourly: Rate,
    /// How far this row can be relied on.
    pub confidence: Confidence,
    /// Where it comes from.
    pub source: &'a PriceSource,
}

impl InstanceTable {
    /// The prices of a region, whose name may differ in case.
    pub(crate) fn market(
        &self,
        provider: Provider,
        region: &str,
        capacity_type: CapacityType,
    ) -> Option<&Market> {
        self.markets.iter().find(|market| {
            market.provider == provider
                && market.capacity_type == capacity_type
                && market.region.eq_ignore_ascii_case(region)
        })
    }

    /// Whose region this is: no two providers have one of the same name.
    pub(crate) fn provider_of_region(&self, region: &str) -> Option<Provider> {
        self.markets.iter().find(|market| *market.region == *region).map(|market| market.provider)
    }

    /// The number of an instance type, whose name may differ in case: Azure repeats what its user typed.
    pub(crate) fn machine(&self, provider: Provider, instance_type: &str) -> Option<u16> {
        let exact = self
            .machines
            .binary_search_by(|machine| (machine.provider, &*machine.name).cmp(&(provider, instance_type)));
        let index = exact.ok().or_else(|| {
            self.machines.iter().position(|machine| {
                machine.provider == provider && machine.name.eq_ignore_ascii_case(instance_type)
            })
        });
        u16::try_from(index?).ok()
    }

    /// The row of a machine in a market.
    pub(crate) fn offer<'a>(&'a self, market: &'a Market, machine: u16) -> Option<Offer<'a>> {
        let at = self.types.get(market.rows.clone())?.binary_search(&machine).ok()?;
        self.row(market, market.rows.start + at)
    }

    /// All rows of a market, in the order of their names.
    pub(crate) fn offers<'a>(&'a self, market: &'a Market) -> impl Iterator<Item = Offer<'a>> {
        market.rows.clone().filter_map(|row| self.row(market, row))
    }

    /// The number of a family, which may have sizes that are not in the table.
    pub(crate) fn family(&self, provider: Provider, name: &str) -> Option<u16> {
        self.families.get(&(provider, name.to_ascii_lowercase())).copied()
    }

    /// The rows of a market that are of one family.
    pub(crate) fn family_offers<'a>(
        &'a self,
        market: &'a Market,
        family: u16,
    ) -> impl Iterator<Item = Offer<'a>> {
        let in_family = move |row: &usize| {
            let machine = self.types.get(*row).and_then(|machine| self.machines.get(usize::from(*machine)));
            machine.is_some_and(|machine| machine.family == family)
        };
        market.rows.clone().filter(in_family).filter_map(|row| self.row(market, row))
    }

    fn row<'a>(&'a self, market: &'a Market, row: usize) -> Option<Offer<'a>> {
        let machine = self.machines.get(usize::from(*self.types.get(row)?))?;
        let origin = self.origins.get(usize::from(*self.row_origins.get(row)?))?;
        Some(Offer {
            provider: market.provider,
            region: &market.region,
            instance_type: &machine.name,
            capacity_type: market.capacity_type,
            vcpus: (machine.vcpus > 0).then_some(machine.vcpus),
            memory_mib: (machine.memory_mib > 0).then_some(machine.memory_mib),
            gpus: machine.gpus,
            hourly: Rate(u64::from(*self.micro_usd_per_hour.get(row)?) * 1_000_000),
            confidence: origin.confidence,
            source: &origin.source,
        })
    }
}
