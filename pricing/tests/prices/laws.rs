//! What holds for every node, however odd.

use nightcap_core::cluster::{CapacityType, NodeFacts, Provider};
use nightcap_core::money::{Confidence, NodePricer};
use nightcap_core::units::{Bytes, Cpu, Gpu, Rate, Resources};
use nightcap_pricing::{PriceRule, PriceSettings};
use proptest::prelude::*;

use super::{BOOK, node, size, spot};

fn provider() -> impl Strategy<Value = Provider> {
    prop_oneof![Just(Provider::Aws), Just(Provider::Azure), Just(Provider::Gcp), Just(Provider::Unknown)]
}

/// Real names, names that look real, and anything at all.
fn facts() -> impl Strategy<Value = NodeFacts> {
    let region = prop_oneof!["us-east-1|eu-central-1|ap-east-2|eastus|us-central1", ".{0,12}"];
    let instance_type = prop_oneof![
        "(m5|t3|p4d|u-6tb1|x)\\.(nano|large|7xlarge|metal)",
        "Standard_[A-F][0-9]{0,3}(-[0-9])?[a-z]{0,3}_v[1-7]",
        "(n1|n2|e2|c3|a2)-(standard|highmem|custom|highgpu)-[0-9]{1,3}(-[0-9]{0,6}|g|-lssd)?",
        "custom-[0-9]{1,6}-[0-9]{1,11}(-ext)?",
        "fargate|gke-autopilot",
        ".{0,20}",
    ];
    let capacity_type = prop_oneof![Just(CapacityType::OnDemand), Just(CapacityType::Spot)];
    let os = prop_oneof![Just("linux"), Just("windows"), Just("")];
    (provider(), region, instance_type, capacity_type, os).prop_map(
        |(provider, region, instance_type, capacity_type, os)| NodeFacts {
            provider,
            region: region.into(),
            instance_type: instance_type.into(),
            capacity_type,
            os: os.into(),
            ..NodeFacts::default()
        },
    )
}

fn capacity() -> impl Strategy<Value = Resources> {
    let real = (0..500u64, 0..2_000u64, 0..9u64)
        .prop_map(|(cores, gib, gpus)| Resources { gpu: Gpu::from_devices(gpus), ..size(cores, gib) });
    let any = any::<(u64, u64, u64)>();
    prop_oneof![
        real,
        any.prop_map(|(cpu, memory, gpu)| Resources { cpu: Cpu(cpu), memory: Bytes(memory), gpu: Gpu(gpu) })
    ]
}

proptest! {
    #[test]
    fn every_node_has_a_price_a_source_and_a_reason(facts in facts(), capacity in capacity()) {
        let price = BOOK.price(&facts, capacity);
        prop_assert!(price.hourly <= Rate(1_000_000_000_000_000));
        prop_assert!(!price.source.id.is_empty() && !price.reason.is_empty());
        prop_assert!(price.confidence > Confidence::Exact, "no rule was given: {:?}", price);
        prop_assert_eq!(BOOK.price(&facts, capacity), price);
    }

    #[test]
    fn a_rule_for_all_prices_all(facts in facts(), capacity in capacity(), usd in 0.0..1000.0) {
        let rule = PriceRule { hourly_usd: Some(usd), ..PriceRule::default() };
        let settings = PriceSettings { price_rules: vec![rule], ..PriceSettings::default() };
        let own = BOOK.with_settings(&settings).unwrap();
        let price = own.price(&facts, capacity);
        prop_assert_eq!((Some(price.hourly), price.confidence), (Rate::from_usd_per_hour(usd), Confidence::Exact));
    }
}

#[test]
fn no_spot_price_of_the_table_is_above_its_on_demand_price_by_much() {
    // A few real spot prices of Google's are above list; none by more than a half.
    for offer in BOOK.offers().filter(|offer| offer.capacity_type == CapacityType::Spot) {
        let on_demand =
            BOOK.lookup(offer.provider, offer.region, offer.instance_type, CapacityType::OnDemand);
        let Some(on_demand) = on_demand else { continue };
        assert!(offer.hourly.0 * 2 <= on_demand.hourly.0 * 3, "{offer:?} {on_demand:?}");
    }
}

#[test]
fn every_row_prices_its_own_node() {
    for offer in BOOK.offers() {
        let facts = node(offer.provider, offer.region, offer.instance_type);
        let facts = if offer.capacity_type == CapacityType::Spot { spot(facts) } else { facts };
        let price = BOOK.price(&facts, Resources::default());
        assert_eq!(
            (price.hourly, price.confidence, &price.source),
            (offer.hourly, offer.confidence, offer.source)
        );
    }
}
