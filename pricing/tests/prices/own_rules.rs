//! The user's own prices.

use nightcap_core::cluster::Provider::{Aws, Azure, Gcp, Unknown};
use nightcap_core::money::Confidence::{Default, Exact, List};
use nightcap_core::money::NodePricer;
use nightcap_core::units::{Gpu, Rate, Resources};
use nightcap_pricing::{PriceBook, PriceSettings};

use super::{book, node, price, rounded, size, spot};

const RULES: &str = r#"{"price_rules": [
    {"match": {"instance_type": "m5.*", "region": "eu-*", "capacity": "on-demand"}, "hourly_usd": 0.071},
    {"match": {"family": "M5", "capacity": "on-demand"}, "adjust": "-28%"},
    {"match": {"family": "Ds?3", "provider": "azure"}, "hourly_usd": 0.1},
    {"match": {"provider": "unknown"}, "cpu_core_hourly_usd": 0.02, "ram_gib_hourly_usd": 0.003, "gpu_hourly_usd": 0.9}
]}"#;

#[test]
fn the_first_rule_that_matches_decides() {
    let book = book(RULES);
    let karpenter = ("karpenter-aws", "2026-07-20");
    for (facts, capacity, expected) in [
        (
            node(Aws, "eu-central-1", "m5.xlarge"),
            size(4, 16),
            price(71_000, Exact, ("price_rules[0]", ""), "0.071 $/h by price_rules[0]"),
        ),
        // An adjusted price keeps the source it was adjusted from.
        (
            node(Aws, "us-east-1", "m5.xlarge"),
            size(4, 16),
            price(
                138_240,
                List,
                karpenter,
                "on-demand price of m5.xlarge in us-east-1, -28% by price_rules[1]",
            ),
        ),
        (
            node(Azure, "westeurope", "Standard_D4s_v3"),
            size(4, 16),
            price(100_000, Exact, ("price_rules[2]", ""), "0.1 $/h by price_rules[2]"),
        ),
        (
            node(Unknown, "", ""),
            Resources { gpu: Gpu::from_devices(2), ..size(4, 16) },
            price(
                1_928_000,
                Exact,
                ("price_rules[3]", ""),
                "4 cores × 0.02 $/h + 16.0 GiB × 0.003 $/h + 2 GPU × 0.9 $/h by price_rules[3]",
            ),
        ),
        // Matched by none.
        (
            node(Aws, "us-east-1", "m5d.xlarge"),
            size(4, 16),
            price(226_000, List, karpenter, "on-demand price of m5d.xlarge in us-east-1"),
        ),
    ] {
        assert_eq!(rounded(&book, &facts, capacity), expected);
    }
    // Spot is not on-demand, so neither m5 rule holds.
    assert_eq!(
        book.price(&spot(node(Aws, "us-east-1", "m5.xlarge")), size(4, 16)).hourly,
        Rate(65_280_000_000)
    );
}

#[test]
fn an_adjustment_of_a_guess_stays_a_guess() {
    let book = book(r#"{"price_rules": [{"adjust": "+50%"}]}"#);
    let found = rounded(&book, &node(Unknown, "", ""), size(4, 16));
    assert_eq!((found.hourly, found.confidence), (Rate(291_354_000_000), Default));
}

#[test]
fn a_gpu_without_a_rate_of_its_own_costs_the_default() {
    let book = book(
        r#"{"price_rules": [{"cpu_core_hourly_usd": 0, "ram_gib_hourly_usd": 0}], "defaults": {"gpu_hourly_usd": 0.5}}"#,
    );
    let capacity = Resources { gpu: Gpu::from_devices(2), ..size(4, 16) };
    assert_eq!(book.price(&node(Unknown, "", ""), capacity).hourly, Rate(1_000_000_000_000));
}

#[test]
fn multipliers_correct_every_price_but_an_own_one() {
    let book = book(
        r#"{"price_rules": [{"match": {"family": "c5"}, "hourly_usd": 1}, {"match": {"family": "r5"}, "adjust": "-50%"}],
            "defaults": {"on_demand_multiplier": 0.5, "spot_multiplier": 2}}"#,
    );
    for (facts, micro_usd) in [
        (node(Aws, "us-east-1", "m5.xlarge"), 96_000),
        (spot(node(Aws, "us-east-1", "m5.xlarge")), 130_560),
        (node(Aws, "us-east-1", "c5.xlarge"), 1_000_000),
        (node(Aws, "us-east-1", "r5.xlarge"), 63_000),
        (node(Gcp, "us-central1", "n2-standard-4"), 97_118),
        (node(Unknown, "", ""), 97_118),
    ] {
        assert_eq!(rounded(&book, &facts, size(4, 16)).hourly, Rate(micro_usd * 1_000_000), "{facts:?}");
    }
    let found = book.price(&node(Aws, "us-east-1", "m5.xlarge"), size(4, 16));
    assert_eq!(&*found.reason, "on-demand price of m5.xlarge in us-east-1 × 0.5 (on_demand_multiplier)");
}

#[test]
fn the_default_rates_can_be_set() {
    let book = book(r#"{"defaults": {"cpu_core_hourly_usd": 0.01, "ram_gib_hourly_usd": 0.001}}"#);
    let found = rounded(&book, &node(Unknown, "", ""), size(4, 16));
    assert_eq!((found.hourly, found.confidence), (Rate(56_000_000_000), Default));
}

#[test]
fn wrong_settings_make_no_book() {
    let settings: PriceSettings = serde_json::from_str(r#"{"price_rules": [{"hourly_usd": 1001}]}"#).unwrap();
    assert_eq!(
        PriceBook::embedded(&settings).unwrap_err().to_string(),
        "1 error in the price settings:\n  price_rules[0].hourly_usd: 1001 is too much: at most 1000 $/h"
    );
}
