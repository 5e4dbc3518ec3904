//! Usual figures for what no table row says.

use nightcap_core::cluster::Provider;

/// No machine costs more per hour; the dearest of the table costs 492.48 $. A higher result comes from a capacity or
/// a setting that cannot be true.
pub(crate) const MAX_HOURLY_USD: f64 = 1_000.0;

/// What a month is taken for, here and at the providers.
pub(crate) const HOURS_PER_MONTH: f64 = 730.0;

/// OpenCost's default rates in dollars per hour (opencost/opencost@0d1f69cc `configs/default.json`, which are those of
/// GCP's N1 in us-central1; the spot GPU is of its `DefaultPricing`).
pub(crate) const CPU_CORE: f64 = 0.031_611;
pub(crate) const RAM_GIB: f64 = 0.004_237;
pub(crate) const GPU: f64 = 0.95;
pub(crate) const SPOT_CPU_CORE: f64 = 0.006_655;
pub(crate) const SPOT_RAM_GIB: f64 = 0.000_892;
pub(crate) const SPOT_GPU: f64 = 0.308;

/// Spot price over on-demand price: the medians of the embedded table (AWS p10 0.22, p90 0.47; GCP p10 0.13, p90
/// 0.52). The table has no Azure spot prices, so Azure takes AWS's.
pub(crate) fn spot_ratio(provider: Provider) -> f64 {
    match provider {
        Provider::Gcp => 0.33,
        _ => 0.35,
    }
}

/// What a core or a GiB of a custom GCP machine costs over one of a predefined machine of its series: 5 % more, on
/// E2 the same. The table's few custom rows agree within 0.1 %.
pub(crate) fn custom_premium(series: &str) -> f64 {
    if series == "e2" { 1.0 } else { 1.05 }
}

/// A GiB-month of a disk nothing is known of, in dollars (opencost/opencost@0d1f69cc `configs/default.json`).
pub(crate) const STORAGE_GIB_MONTH: f64 = 0.04;
/// Traffic per GiB to another zone, to another region, to the internet, in dollars (the same file).
pub(crate) const EGRESS_GIB: [f64; 3] = [0.01, 0.01, 0.12];
/// The same on Azure (`configs/azure.json`).
pub(crate) const EGRESS_GIB_AZURE: [f64; 3] = [0.01, 0.01, 0.0725];
