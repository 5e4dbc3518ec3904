//! Prices of what is no machine and no disk: control planes, load balancers, NAT, addresses, egress.

use nightcap_core::cluster::Provider;
use nightcap_core::units::PicoUsd;

use crate::PriceError;
use crate::csv_text::rows;
use crate::load::parse_provider;
use crate::storage::pico_usd;

/// The region of a price that holds in all of them.
const EVERYWHERE: &str = "*";

/// What a service costs in a region.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ServicePrice {
    /// Who sells it.
    pub provider: Provider,
    /// Region, as the provider names it; `*` for a price that holds everywhere.
    pub region: &'static str,
    /// `eks_control_plane`, `nlb_hour` and so on, as `tables/service_prices.csv` names them.
    pub service: &'static str,
    /// What it is per, such as `usd_per_hour` or `usd_per_gb`.
    pub unit: &'static str,
    /// Dollars per unit.
    pub per_unit: PicoUsd,
    /// The day the price was read, as `YYYY-MM-DD`.
    pub source_date: &'static str,
    /// The origin, explained in `tables/README.md`.
    pub source_id: &'static str,
}

/// All of them, sorted by provider, region and service.
#[derive(Debug)]
pub(crate) struct ServiceTable(Vec<ServicePrice>);

impl ServiceTable {
    pub(crate) fn read(text: &'static str) -> Result<Self, PriceError> {
        let mut prices = rows("service_prices.csv", text, |row| {
            let [provider, region, service, unit, usd, source_date, source_id] = row;
            let (provider, per_unit) = (parse_provider(provider)?, pico_usd(usd)?);
            Some(ServicePrice { provider, region, service, unit, per_unit, source_date, source_id })
        })?;
        prices.sort_unstable_by_key(key);
        Ok(Self(prices))
    }

    /// The region's price, else the one that holds everywhere.
    pub(crate) fn get(&self, provider: Provider, region: &str, service: &str) -> Option<&ServicePrice> {
        let find = |region| {
            let at = self.0.binary_search_by(|price| key(price).cmp(&(provider, region, service))).ok()?;
            self.0.get(at)
        };
        find(region).or_else(|| find(EVERYWHERE))
    }
}

fn key(price: &ServicePrice) -> (Provider, &'static str, &'static str) {
    (price.provider, price.region, price.service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_found() {
        let table = ServiceTable::read(include_str!("../tables/service_prices.csv")).unwrap();
        assert_eq!(table.0.len(), 455);
        for price in &table.0 {
            assert_eq!(table.get(price.provider, price.region, price.service), Some(price));
        }
    }
}
