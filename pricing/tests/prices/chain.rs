//! Each step of the chain, for nodes that have no row of their own.

use nightcap_core::cluster::{NodeFacts, Provider};
use nightcap_core::money::Confidence::{Default, Estimated, List};
use nightcap_core::money::{NodePrice, NodePricer, PodRates};
use nightcap_core::units::{Bytes, Cpu, Gpu, Rate, Resources};

use super::{BOOK, book, node, price, rounded, size, spot};
use Provider::{Aws, Azure, Gcp, Unknown};

const KARPENTER: (&str, &str) = ("karpenter-aws", "2026-07-20");
const CYCLENERD: (&str, &str) = ("cyclenerd-gcp", "2026-07-30");
const NO_SOURCE_DATE: (&str, &str) = ("default-rates", "");

#[test]
fn a_size_the_table_lacks_is_priced_by_its_family() {
    // 28 vCPUs: nearest is m5.8xlarge, 1.536 $/h for 32.
    assert_eq!(
        rounded(&BOOK, &node(Aws, "us-east-1", "m5.7xlarge"), size(28, 108)),
        price(
            1_344_000,
            Estimated,
            KARPENTER,
            "m5.7xlarge as 28/32 of the on-demand price of m5.8xlarge in us-east-1, by vCPU"
        )
    );
    assert_eq!(
        rounded(&BOOK, &node(Gcp, "us-central1", "n2-standard-6"), size(6, 23)),
        price(
            291_354,
            Estimated,
            CYCLENERD,
            "n2-standard-6 as 6/8 of the on-demand price of n2-standard-8 in us-central1, by vCPU"
        )
    );
    assert_eq!(
        rounded(&BOOK, &node(Azure, "westeurope", "Standard_D6s_v3"), size(6, 23)),
        price(
            360_000,
            Estimated,
            ("karpenter-azure", "2026-06-18"),
            "Standard_D6s_v3 as 6/8 of the on-demand price of Standard_D8s_v3 in westeurope, by vCPU"
        )
    );
}

#[test]
fn a_size_of_another_kind_is_no_measure() {
    // t3 sizes differ in memory per vCPU: one with 64 GiB for two vCPUs has no like.
    let found = BOOK.price(&node(Aws, "us-east-1", "t3.strange"), size(2, 64));
    assert_eq!(found.confidence, Default);
    // And a node that does not yet say what it has cannot be compared.
    let found = BOOK.price(&node(Aws, "us-east-1", "m5.7xlarge"), Resources::default());
    assert_eq!((found.confidence, found.hourly), (Default, Rate(0)));
}

#[test]
fn an_aws_type_without_a_row_in_its_region_is_priced_by_us_east_1() {
    // m8azn is sold in few regions of the table.
    let facts = node(Aws, "sa-east-1", "m8azn.large");
    assert_eq!(BOOK.lookup(Aws, "sa-east-1", "m8azn.large", facts.capacity_type), None);
    assert_eq!(
        rounded(&BOOK, &facts, size(2, 8)),
        price(329_035, Estimated, KARPENTER, "us-east-1 price of m8azn.large × 1.5937 (sa-east-1)")
    );
}

#[test]
fn a_region_the_table_lacks_takes_the_median_of_the_others() {
    let libcloud = ("libcloud", "2025-03-02");
    let azure = ("karpenter-azure", "2026-06-18");
    let because = |what: &str, region: &str| format!("median of {what}: no price in region {region:?}");
    for (facts, expected) in [
        (
            node(Aws, "ap-east-2", "m5.xlarge"),
            price(225_000, Estimated, libcloud, &because("aws's regions (28) for m5.xlarge", "ap-east-2")),
        ),
        (
            node(Azure, "", "Standard_D4s_v3"),
            price(234_000, Estimated, azure, &because("azure's regions (55) for Standard_D4s_v3", "")),
        ),
        (
            node(Gcp, "moon-1", "n2-standard-4"),
            price(233_288, Estimated, CYCLENERD, &because("gcp's regions (40) for n2-standard-4", "moon-1")),
        ),
    ] {
        assert_eq!(rounded(&BOOK, &facts, size(4, 16)), expected);
    }
}

#[test]
fn spot_without_a_spot_price_takes_a_family_member_then_the_usual_ratio() {
    // The family's spot price first: 28 of the 32 vCPUs of m5.8xlarge.
    let found = BOOK.price(&spot(node(Aws, "us-east-1", "m5.7xlarge")), size(28, 108));
    assert_eq!((found.confidence, &*found.source.id), (Estimated, "spot-advisor-derived"));
    // Azure has no spot prices at all: 0.24 $/h × 0.35.
    assert_eq!(
        rounded(&BOOK, &spot(node(Azure, "westeurope", "Standard_D4s_v3")), size(4, 16)),
        price(
            84_000,
            Estimated,
            ("karpenter-azure", "2026-06-18"),
            "on-demand price of Standard_D4s_v3 in westeurope × 0.35, a usual ratio for spot"
        )
    );
    let own = book(r#"{"defaults": {"spot_ratio": 0.5}}"#);
    let found = own.price(&spot(node(Azure, "westeurope", "Standard_D4s_v3")), size(4, 16));
    assert_eq!(found.hourly, Rate(120_000_000_000));
}

#[test]
fn a_custom_gcp_machine_is_priced_by_the_rates_of_its_series() {
    // N1: 0.031611 a core, 0.004237 a GiB, 5 % more for custom. The table's row for the same machine says 0.110843.
    let n1 = rounded(&BOOK, &node(Gcp, "us-central1", "custom-2-10240"), size(2, 10));
    let reason = "2 vCPUs and 10 GiB at n1's rates in us-central1 × 1.05 for a custom machine";
    assert_eq!(n1, price(110_872, Estimated, CYCLENERD, reason));
    let e2 = rounded(&BOOK, &node(Gcp, "us-central1", "e2-custom-4-8192"), size(4, 8));
    let reason = "4 vCPUs and 8 GiB at e2's rates in us-central1 × 1 for a custom machine";
    assert_eq!(e2, price(110_635, Estimated, CYCLENERD, reason));
    // Spot has rates of its own.
    let found = BOOK.price(&spot(node(Gcp, "us-central1", "n2-custom-4-8192")), size(4, 8));
    assert_eq!(found.hourly, Rate(79_842_000_000));
    // A series the region does not have: cores and GiB at default rates.
    let found = BOOK.price(&node(Gcp, "us-central1", "x9-custom-4-8192"), size(4, 8));
    assert_eq!(found.confidence, Default);
}

#[test]
fn gpus_beside_a_gcp_n1_are_added() {
    let capacity = Resources { gpu: Gpu::from_devices(2), ..size(4, 15) };
    assert_eq!(
        rounded(&BOOK, &node(Gcp, "us-central1", "n1-standard-4"), capacity),
        price(
            2_089_999,
            Estimated,
            CYCLENERD,
            "on-demand price of n1-standard-4 in us-central1, plus 2 GPU × 0.95 $/h"
        )
    );
    // In an accelerator machine's price they are included.
    let found = BOOK.price(&node(Gcp, "us-central1", "a2-highgpu-1g"), capacity);
    assert_eq!(found.confidence, List);
}

#[test]
fn a_windows_node_says_that_its_licence_is_missing() {
    let facts = NodeFacts { os: "windows".into(), ..node(Aws, "us-east-1", "m5.xlarge") };
    assert_eq!(
        BOOK.price(&facts, size(4, 16)),
        price(
            192_000,
            Estimated,
            KARPENTER,
            "on-demand price of m5.xlarge in us-east-1, without the Windows licence: the table has Linux prices only"
        )
    );
}

#[test]
fn a_machine_nobody_knows_costs_its_cores_and_memory() {
    let capacity = Resources { gpu: Gpu::from_devices(1), ..size(4, 16) };
    for (facts, capacity, expected) in [
        (
            node(Unknown, "", ""),
            size(4, 16),
            price(
                194_236,
                Default,
                NO_SOURCE_DATE,
                "4 cores × 0.031611 $/h + 16.0 GiB × 0.004237 $/h at default rates: the node names no instance type",
            ),
        ),
        (
            node(Aws, "us-east-1", "z99.huge"),
            capacity,
            price(
                1_144_236,
                Default,
                NO_SOURCE_DATE,
                "4 cores × 0.031611 $/h + 16.0 GiB × 0.004237 $/h + 1 GPU × 0.95 $/h at default rates: \
                 no price is known for instance type \"z99.huge\"",
            ),
        ),
        (
            spot(node(Unknown, "RegionOne", "m1.large")),
            size(4, 16),
            price(
                40_892,
                Default,
                NO_SOURCE_DATE,
                "4 cores × 0.006655 $/h + 16.0 GiB × 0.000892 $/h at default rates: \
                 no price is known for instance type \"m1.large\"",
            ),
        ),
    ] {
        assert_eq!(rounded(&BOOK, &facts, capacity), expected);
    }
}

#[test]
fn a_simulated_node_is_taken_for_what_its_region_and_type_say() {
    assert_eq!(
        BOOK.price(&node(Unknown, "us-east-1", "m5.xlarge"), size(4, 16)),
        price(
            192_000,
            List,
            KARPENTER,
            "on-demand price of m5.xlarge in us-east-1, taken for one of aws's by its region and type"
        )
    );
    assert_eq!(BOOK.price(&node(Unknown, "us-east-1", "Standard_D4s_v3"), size(4, 16)).confidence, Default);
}

#[test]
fn nodes_billed_by_their_pods_take_the_rates_of_pods() {
    let fargate = rounded(&BOOK, &node(Aws, "us-east-1", NodeFacts::FARGATE), size(2, 4));
    let reason =
        "Fargate rates of us-east-1 for the 2 cores and 4.0 GiB the node shows, though its pods are billed";
    let by_pod =
        |core, gib, system_is_free| Some(PodRates { core: Rate(core), gib: Rate(gib), system_is_free });
    let expected = NodePrice {
        by_pod: by_pod(40_480_000_000, 4_445_000_000, false),
        ..price(98_740, Estimated, ("infracost-golden", "2024-07-01"), reason)
    };
    assert_eq!(fargate, expected);
    let autopilot = rounded(&BOOK, &node(Gcp, "us-central1", NodeFacts::AUTOPILOT), size(2, 4));
    let reason = "Autopilot rates of us-central1 for the 2 cores and 4.0 GiB the node shows, though its pods are billed";
    let expected = NodePrice {
        by_pod: by_pod(44_500_000_000, 4_922_500_000, true),
        ..price(108_690, Estimated, ("infracost-golden", "2026-07-01"), reason)
    };
    assert_eq!(autopilot, expected);
}

#[test]
fn an_impossible_capacity_is_cut() {
    let capacity = Resources { cpu: Cpu(u64::MAX), memory: Bytes(u64::MAX), gpu: Gpu(u64::MAX) };
    let found = BOOK.price(&NodeFacts::default(), capacity);
    assert_eq!(found.hourly, Rate(1_000_000_000_000_000));
    assert!(found.reason.ends_with(", cut at 1000 $/h: no machine costs more"), "{}", found.reason);
}
