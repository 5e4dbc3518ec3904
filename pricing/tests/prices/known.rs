//! Rows of the table, looked up and counted.

use std::collections::BTreeMap;

use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::money::{Confidence, NodePricer};
use nightcap_core::units::{PicoUsd, Rate, Resources};
use nightcap_pricing::StoragePrice;

use super::{BOOK, node, price, size, spot};

#[test]
fn every_row_is_there() {
    let mut counts = BTreeMap::new();
    for offer in BOOK.offers() {
        *counts.entry((offer.provider, offer.capacity_type)).or_insert(0) += 1;
    }
    let expected = [
        ((Provider::Aws, CapacityType::OnDemand), 12_884),
        ((Provider::Aws, CapacityType::Spot), 10_361),
        ((Provider::Azure, CapacityType::OnDemand), 61_294),
        ((Provider::Gcp, CapacityType::OnDemand), 17_669),
        ((Provider::Gcp, CapacityType::Spot), 17_550),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
    assert_eq!(BOOK.rows(), 119_758);
}

#[test]
fn every_row_is_found_by_its_names() {
    for offer in BOOK.offers() {
        let found = BOOK.lookup(offer.provider, offer.region, offer.instance_type, offer.capacity_type);
        assert_eq!(found, Some(offer));
        assert!(offer.hourly > Rate(0) && offer.hourly <= Rate(492_480_000_000_000), "{offer:?}");
    }
}

#[test]
fn known_prices_are_answered_to_the_last_digit() {
    use Confidence::{Estimated, List};
    use Provider::{Aws, Azure, Gcp};
    let karpenter = ("karpenter-aws", "2026-07-20");
    let azure = ("karpenter-azure", "2026-06-18");
    let gcp = ("cyclenerd-gcp", "2026-07-30");
    for (facts, expected) in [
        (
            node(Aws, "us-east-1", "m5.xlarge"),
            price(192_000, List, karpenter, "on-demand price of m5.xlarge in us-east-1"),
        ),
        (
            node(Aws, "eu-central-1", "m5.xlarge"),
            price(230_000, List, ("cortex", "2022-09-03"), "on-demand price of m5.xlarge in eu-central-1"),
        ),
        (
            spot(node(Aws, "us-east-1", "m5.xlarge")),
            price(
                65_280,
                Estimated,
                ("spot-advisor-derived", "2025-07-28"),
                "spot price of m5.xlarge in us-east-1, derived from a 30-day average saving",
            ),
        ),
        (
            node(Azure, "westeurope", "Standard_D4s_v3"),
            price(240_000, List, azure, "on-demand price of Standard_D4s_v3 in westeurope"),
        ),
        (
            node(Gcp, "us-central1", "n2-standard-4"),
            price(194_236, List, gcp, "on-demand price of n2-standard-4 in us-central1"),
        ),
        (
            spot(node(Gcp, "us-central1", "n2-standard-4")),
            price(92_120, List, gcp, "spot price of n2-standard-4 in us-central1"),
        ),
        (
            node(Gcp, "europe-west3", "e2-standard-4"),
            price(172_671, List, gcp, "on-demand price of e2-standard-4 in europe-west3"),
        ),
        // The cut of 2025 is in: the price before it was 32.77.
        (
            node(Aws, "us-east-1", "p4d.24xlarge"),
            price(21_957_642, List, karpenter, "on-demand price of p4d.24xlarge in us-east-1"),
        ),
    ] {
        assert_eq!(BOOK.price(&facts, size(4, 16)), expected);
    }
}

#[test]
fn azure_rows_whose_meter_could_not_be_proven_are_estimates() {
    let facts = node(Provider::Azure, "westus3", "Standard_NC96ads_A100_v4");
    assert_eq!(
        BOOK.price(&facts, size(96, 880)),
        price(
            14_692_000,
            Confidence::Estimated,
            ("karpenter-azure-unverified", "2026-06-18"),
            "on-demand price of Standard_NC96ads_A100_v4 in westus3, checked only against other regions",
        )
    );
}

#[test]
fn azure_names_are_found_in_any_case() {
    let price = BOOK.price(&node(Provider::Azure, "WestEurope", "standard_d4s_v3"), Resources::default());
    assert_eq!((price.hourly, price.confidence), (Rate(240_000_000_000), Confidence::List));
}

#[test]
fn disks_and_services_are_looked_up() {
    assert_eq!(
        BOOK.storage_price(Provider::Aws, "us-east-1", "gp3"),
        Some(&StoragePrice {
            provider: Provider::Aws,
            region: "us-east-1",
            storage_type: "gp3",
            unit: "gib_month",
            per_unit_month: PicoUsd(80_000_000_000),
            per_iops_month: Some(PicoUsd(5_000_000_000)),
            per_mibps_month: Some(PicoUsd(40_000_000_000)),
            source_date: "2022-09-03",
            source_id: "cortex",
        })
    );
    let service = |provider, region, name| {
        BOOK.service_price(provider, region, name).map(|price| (price.unit, price.per_unit))
    };
    let tenth = PicoUsd(100_000_000_000);
    assert_eq!(service(Provider::Aws, "eu-west-1", "eks_control_plane"), Some(("usd_per_hour", tenth)));
    assert_eq!(service(Provider::Gcp, "anywhere", "gke_cluster_management"), Some(("usd_per_hour", tenth)));
    assert_eq!(service(Provider::Aws, "eu-west-1", "no_such"), None);
    assert_eq!(BOOK.storage_price(Provider::Unknown, "", ""), None);
}
