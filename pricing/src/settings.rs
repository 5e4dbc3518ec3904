//! What a user may set about prices: rules of their own, and the rates of last resort.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nightcap_core::cluster::{CapacityType, Provider};
use serde::Deserialize;

use crate::asset_rules::{AssetRules, EgressRules, StorageRules};
use crate::live::LiveSettings;
use crate::usual;

/// The price settings as written; checked when a [`crate::PriceBook`] is made of them.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriceSettings {
    /// Own prices: the first rule that matches a node decides.
    pub price_rules: Vec<PriceRule>,
    /// Rates for machines nothing is known of, and corrections of the list prices.
    pub defaults: DefaultRates,
    /// A file of own prices in the columns of OpenCost's CSV provider, read by [`crate::CsvPrices::read`].
    pub csv: Option<PathBuf>,
    /// Prices from the providers themselves.
    pub live: LiveSettings,
    /// Own prices of volumes.
    pub storage: StorageRules,
    /// The own price of each load balancer, in dollars per hour.
    pub load_balancer_hourly_usd: Option<f64>,
    /// The own price of the control plane, in dollars per hour.
    pub control_plane_hourly_usd: Option<f64>,
    /// Own prices of traffic.
    pub egress: EgressRules,
}

impl PriceSettings {
    /// Labels of nodes that a rule looks at: the others need not be kept.
    pub fn node_labels(&self) -> impl Iterator<Item = &str> {
        self.price_rules.iter().flat_map(|rule| rule.matches.label.keys()).map(String::as_str)
    }

    /// The own prices of what is paid for beside nodes.
    pub(crate) fn assets(&self) -> AssetRules {
        AssetRules {
            storage: self.storage.clone(),
            load_balancer_hourly_usd: self.load_balancer_hourly_usd,
            control_plane_hourly_usd: self.control_plane_hourly_usd,
            egress: self.egress.clone(),
        }
    }

    /// Whether a price book can be made of them, without reading the tables; else everything that is wrong.
    pub fn check(&self) -> Result<(), crate::PriceError> {
        crate::rules::check(self).map(|_| ())
    }
}

/// One rule: which nodes, and one of three ways to price them.
///
/// Set just one of `hourly_usd`, `monthly_usd`, `adjust`, or the pair `cpu_core_hourly_usd` and `ram_gib_hourly_usd`.
/// In another currency, set `currency` and `fx` and leave `_usd` out of the names.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriceRule {
    /// Which nodes; every field left out matches all.
    #[serde(rename = "match")]
    pub matches: RuleMatch,
    /// The price of the whole node, in dollars per hour.
    pub hourly_usd: Option<f64>,
    /// The price of the whole node, in dollars per month of 730 hours: of one's own machine, say.
    pub monthly_usd: Option<f64>,
    /// A change of the price that would hold without this rule, such as `-28%`.
    pub adjust: Option<String>,
    /// The price of a core, in dollars per hour.
    pub cpu_core_hourly_usd: Option<f64>,
    /// The price of a GiB of memory, in dollars per hour.
    pub ram_gib_hourly_usd: Option<f64>,
    /// The price of a GPU, in dollars per hour, beside the two above. Left out, a GPU costs the default rate.
    pub gpu_hourly_usd: Option<f64>,
    /// The currency of the amounts below, such as `EUR`.
    pub currency: Option<String>,
    /// Dollars for one unit of that currency.
    pub fx: Option<f64>,
    /// As `hourly_usd`, in `currency`.
    pub hourly: Option<f64>,
    /// As `monthly_usd`, in `currency`.
    pub monthly: Option<f64>,
    /// As `cpu_core_hourly_usd`, in `currency`.
    pub cpu_core_hourly: Option<f64>,
    /// As `ram_gib_hourly_usd`, in `currency`.
    pub ram_gib_hourly: Option<f64>,
    /// As `gpu_hourly_usd`, in `currency`.
    pub gpu_hourly: Option<f64>,
}

/// Which nodes a rule is for. Patterns know `*` and `?`, and ignore case.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleMatch {
    /// Pattern of the instance type, such as `m5.*`.
    pub instance_type: Option<String>,
    /// Pattern of the region, such as `eu-*`.
    pub region: Option<String>,
    /// `on-demand` or `spot`.
    pub capacity: Option<CapacityType>,
    /// `aws`, `azure`, `gcp` or `unknown`.
    pub provider: Option<Provider>,
    /// Pattern of the family: `m5` on AWS, `n2-standard` on Google Cloud, `Dsv3` (of `Standard_D4s_v3`) on Azure.
    pub family: Option<String>,
    /// Labels of the node: key to pattern of the value; all of them must be there.
    pub label: BTreeMap<String, String>,
}

/// Rates for machines nothing is known of, and corrections of the list prices.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DefaultRates {
    /// A core on demand, in dollars per hour.
    pub cpu_core_hourly_usd: f64,
    /// A GiB of memory on demand, in dollars per hour.
    pub ram_gib_hourly_usd: f64,
    /// A GPU on demand, in dollars per hour.
    pub gpu_hourly_usd: f64,
    /// A spot core, in dollars per hour.
    pub spot_cpu_core_hourly_usd: f64,
    /// A GiB of memory of a spot machine, in dollars per hour.
    pub spot_ram_gib_hourly_usd: f64,
    /// A GPU of a spot machine, in dollars per hour.
    pub spot_gpu_hourly_usd: f64,
    /// Every on-demand price is multiplied by this, own `hourly_usd` and per-core rules apart.
    pub on_demand_multiplier: f64,
    /// Every spot price is multiplied by this, own `hourly_usd` and per-core rules apart.
    pub spot_multiplier: f64,
    /// Spot price over on-demand price where no spot price is known; left out, what is usual at the provider.
    pub spot_ratio: Option<f64>,
}

impl Default for DefaultRates {
    fn default() -> Self {
        Self {
            cpu_core_hourly_usd: usual::CPU_CORE,
            ram_gib_hourly_usd: usual::RAM_GIB,
            gpu_hourly_usd: usual::GPU,
            spot_cpu_core_hourly_usd: usual::SPOT_CPU_CORE,
            spot_ram_gib_hourly_usd: usual::SPOT_RAM_GIB,
            spot_gpu_hourly_usd: usual::SPOT_GPU,
            on_demand_multiplier: 1.0,
            spot_multiplier: 1.0,
            spot_ratio: None,
        }
    }
}
