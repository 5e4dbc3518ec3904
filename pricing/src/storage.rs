//! Prices of block storage.

use nightcap_core::cluster::Provider;
use nightcap_core::units::PicoUsd;

use crate::PriceError;
use crate::csv_text::rows;
use crate::load::parse_provider;

/// What a kind of disk costs in a region.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StoragePrice {
    /// Who sells it.
    pub provider: Provider,
    /// Region, as the provider names it.
    pub region: &'static str,
    /// `gp3`, `pd-ssd`, or SKU and tier such as `Premium_LRS/P10` on Azure.
    pub storage_type: &'static str,
    /// What one unit is: `gib_month`, or `disk_month` where a whole disk of a tier has one price.
    pub unit: &'static str,
    /// Dollars per unit and month of 730 hours.
    pub per_unit_month: PicoUsd,
    /// Dollars per provisioned IOPS and month, where those are billed.
    pub per_iops_month: Option<PicoUsd>,
    /// Dollars per provisioned MiB/s and month, where that is billed.
    pub per_mibps_month: Option<PicoUsd>,
    /// The day the price was read, as `YYYY-MM-DD`.
    pub source_date: &'static str,
    /// The origin, explained in `tables/README.md`.
    pub source_id: &'static str,
}

/// All of them, sorted by provider, region and type.
#[derive(Debug)]
pub(crate) struct StorageTable(Vec<StoragePrice>);

impl StorageTable {
    pub(crate) fn read(text: &'static str) -> Result<Self, PriceError> {
        let mut prices = rows("storage_prices.csv", text, |row| {
            let [provider, region, storage_type, unit, unit_usd, iops_usd, mibps_usd, source_date, source_id] =
                row;
            let optional = [iops_usd, mibps_usd];
            if optional.iter().any(|usd| !usd.is_empty() && pico_usd(usd).is_none()) {
                return None;
            }
            Some(StoragePrice {
                provider: parse_provider(provider)?,
                region,
                storage_type,
                unit,
                per_unit_month: pico_usd(unit_usd)?,
                per_iops_month: pico_usd(iops_usd),
                per_mibps_month: pico_usd(mibps_usd),
                source_date,
                source_id,
            })
        })?;
        prices.sort_unstable_by_key(key);
        Ok(Self(prices))
    }

    pub(crate) fn get(&self, provider: Provider, region: &str, storage_type: &str) -> Option<&StoragePrice> {
        let at = self.0.binary_search_by(|price| key(price).cmp(&(provider, region, storage_type))).ok()?;
        self.0.get(at)
    }
}

fn key(price: &StoragePrice) -> (Provider, &'static str, &'static str) {
    (price.provider, price.region, price.storage_type)
}

/// A dollar amount to the nearest pico-dollar: some rows carry the noise of a conversion (`0.046694400000000004`).
pub(crate) fn pico_usd(text: &str) -> Option<PicoUsd> {
    text.parse().ok().filter(|usd| *usd >= 0.0).and_then(PicoUsd::from_usd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_found() {
        let table = StorageTable::read(include_str!("../tables/storage_prices.csv")).unwrap();
        assert_eq!(table.0.len(), 573);
        for price in &table.0 {
            assert_eq!(table.get(price.provider, price.region, price.storage_type), Some(price));
        }
    }
}
