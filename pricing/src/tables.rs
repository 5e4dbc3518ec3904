//! The tables compiled into this crate, read once.

use crate::PriceError;
use crate::instance_table::InstanceTable;
use crate::load::instance_table;
use crate::region_factors::RegionFactors;
use crate::service::ServiceTable;
use crate::storage::StorageTable;

/// Everything embedded. Under a megabyte and a half in memory.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) instances: InstanceTable,
    pub(crate) region_factors: RegionFactors,
    pub(crate) storage: StorageTable,
    pub(crate) services: ServiceTable,
}

impl Tables {
    pub(crate) fn embedded() -> Result<Self, PriceError> {
        Ok(Self {
            instances: instance_table(include_bytes!("../tables/instance_prices.csv.gz"))?,
            region_factors: RegionFactors::read(include_str!("../tables/aws_region_factors.csv"))?,
            storage: StorageTable::read(include_str!("../tables/storage_prices.csv"))?,
            services: ServiceTable::read(include_str!("../tables/service_prices.csv"))?,
        })
    }
}
