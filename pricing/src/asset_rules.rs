//! The user's own prices of what is paid for beside nodes.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A GiB and month worth more is mistyped: the dearest of the table costs 0.17 $.
const MAX_GIB_MONTH_USD: f64 = 100.0;
/// A GiB of traffic worth more is mistyped: the dearest of the table costs 0.23 $.
const MAX_EGRESS_GIB_USD: f64 = 100.0;

/// Own prices of volumes.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageRules {
    /// The price of a GiB of every volume, in dollars per month of 730 hours.
    pub gib_month_usd: Option<f64>,
    /// The same by storage class; comes before the one for all.
    pub classes: BTreeMap<String, f64>,
}

/// Own prices of traffic; what is left out costs what the provider lists.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EgressRules {
    /// A GiB to another zone of the region, in dollars.
    pub zone_gib_usd: Option<f64>,
    /// A GiB to another region, in dollars.
    pub region_gib_usd: Option<f64>,
    /// A GiB to the internet, in dollars.
    pub internet_gib_usd: Option<f64>,
}

/// All of them.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct AssetRules {
    pub(crate) storage: StorageRules,
    pub(crate) load_balancer_hourly_usd: Option<f64>,
    pub(crate) control_plane_hourly_usd: Option<f64>,
    pub(crate) egress: EgressRules,
}

impl AssetRules {
    /// Each price that is set: where it stands, its value, the most it may be, and its unit.
    pub(crate) fn amounts(&self, most_hourly_usd: f64) -> Vec<(String, f64, f64, &'static str)> {
        let gib_month = |path: String, usd: f64| (path, usd, MAX_GIB_MONTH_USD, " $ per GiB and month");
        let mut amounts: Vec<_> = Vec::new();
        amounts
            .extend(self.storage.gib_month_usd.map(|usd| gib_month("storage.gib_month_usd".to_owned(), usd)));
        let classes = self.storage.classes.iter();
        amounts.extend(classes.map(|(class, usd)| gib_month(format!("storage.classes.{class}"), *usd)));
        for (name, usd) in [
            ("load_balancer_hourly_usd", self.load_balancer_hourly_usd),
            ("control_plane_hourly_usd", self.control_plane_hourly_usd),
        ] {
            amounts.extend(usd.map(|usd| (name.to_owned(), usd, most_hourly_usd, " $/h")));
        }
        for (name, usd) in [
            ("zone_gib_usd", self.egress.zone_gib_usd),
            ("region_gib_usd", self.egress.region_gib_usd),
            ("internet_gib_usd", self.egress.internet_gib_usd),
        ] {
            amounts.extend(usd.map(|usd| (format!("egress.{name}"), usd, MAX_EGRESS_GIB_USD, " $ per GiB")));
        }
        amounts
    }
}
