//! How much dearer an AWS region is than us-east-1, by class of instance.

use std::collections::BTreeMap;

use crate::PriceError;
use crate::csv_text::rows;

/// The class that stands for all.
const ANY_CLASS: &str = "*";

/// Median price ratios to us-east-1 by region and class (`m` of `m5`, `im` of `im4gn`).
#[derive(Debug)]
pub(crate) struct RegionFactors(BTreeMap<(&'static str, &'static str), f64>);

impl RegionFactors {
    pub(crate) fn read(text: &'static str) -> Result<Self, PriceError> {
        let rows = rows("aws_region_factors.csv", text, |[region, class, factor, _types, _p10, _p90]| {
            let factor: f64 = factor.parse().ok()?;
            (factor.is_finite() && factor > 0.0).then_some(((region, class), factor))
        })?;
        Ok(Self(rows.into_iter().collect()))
    }

    /// The factor of a region for a type: its class's, else the region's over all.
    pub(crate) fn get(&self, region: &str, instance_type: &str) -> Option<f64> {
        let letters = instance_type.bytes().take_while(u8::is_ascii_lowercase).count();
        let class = instance_type.get(..letters).unwrap_or_default();
        self.0.get(&(region, class)).or_else(|| self.0.get(&(region, ANY_CLASS))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_a_type_has_its_own_factor_where_known() {
        let factors = RegionFactors::read(include_str!("../tables/aws_region_factors.csv")).unwrap();
        for (region, instance_type, factor) in [
            ("eu-central-1", "c7i.large", Some(1.1412)),
            ("eu-central-1", "m5.large", Some(1.1979)),
            ("eu-central-1", "im4gn.large", Some(1.1923)),
            ("eu-central-1", "hpc7a.large", Some(1.1979)),
            ("eu-central-1", "", Some(1.1979)),
            ("xx-nowhere-1", "m5.large", None),
        ] {
            assert_eq!(factors.get(region, instance_type), factor, "{region} {instance_type}");
        }
    }
}
