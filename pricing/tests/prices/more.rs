//! Prices of what is no node: volumes, control planes, load balancers, traffic, pods.

use nightcap_core::cluster::{Keys, NodeFacts, Provider};
use nightcap_core::money::Confidence::{self, Default, Estimated, List};
use nightcap_core::units::{Bytes, PicoUsd, Rate};
use nightcap_pricing::live::{Item, Quote, Quotes};
use nightcap_pricing::{Charge, LoadBalancer, VolumeFacts};

use super::{BOOK, node, spot};
use Provider::{Aws, Azure, Gcp, Unknown};

fn volume(region: &str, provisioner: &str, parameters: &[(&str, &str)], gib: u64) -> Charge {
    let parameters: Keys = parameters.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let facts = VolumeFacts { name: "pv-1", storage_class: "fast", provisioner, parameters: &parameters };
    BOOK.volume(region, &facts, Bytes::from_gib(gib))
}

#[test]
fn volumes_are_priced_by_their_kind_and_size() {
    // Dollars per month, as the tables have them.
    for (region, provisioner, parameters, gib, month, confidence, source) in [
        ("us-east-1", "kubernetes.io/aws-ebs", &[][..], 100, 10.0, List, "cortex"),
        ("us-east-1", "ebs.csi.aws.com", &[], 100, 8.0, List, "cortex"),
        ("us-east-1", "ebs.csi.aws.com", &[("type", "gp2")], 100, 10.0, List, "cortex"),
        // 1000 IOPS more than come with it, and 75 MiB/s.
        (
            "us-east-1",
            "ebs.csi.aws.com",
            &[("iops", "4000"), ("throughput", "200")],
            100,
            8.0 + 5.0 + 3.0,
            List,
            "cortex",
        ),
        (
            "us-east-1",
            "ebs.csi.aws.com",
            &[("type", "io1"), ("iopsPerGB", "10")],
            100,
            12.5 + 65.0,
            List,
            "cortex",
        ),
        ("us-central1", "pd.csi.storage.gke.io", &[], 100, 4.0, List, "cyclenerd-gcp"),
        ("us-central1", "pd.csi.storage.gke.io", &[("type", "pd-ssd")], 100, 17.0, List, "cyclenerd-gcp"),
        (
            "us-central1",
            "pd.csi.storage.gke.io",
            &[("type", "pd-ssd"), ("replication-type", "regional-pd")],
            100,
            34.0,
            List,
            "cyclenerd-gcp",
        ),
        // 100 GiB are on a disk of 128: P10 is paid whole.
        ("eastus", "disk.csi.azure.com", &[("skuName", "Premium_LRS")], 100, 19.71, List, "infracost-golden"),
        ("eastus", "disk.csi.azure.com", &[("SKUNAME", "Premium_LRS")], 128, 19.71, List, "infracost-golden"),
        (
            "eastus",
            "kubernetes.io/azure-disk",
            &[("storageaccounttype", "Premium_LRS")],
            100,
            19.71,
            List,
            "infracost-golden",
        ),
        (
            "eastus",
            "disk.csi.azure.com",
            &[("storageAccountType", "StandardSSD_LRS")],
            20,
            2.4,
            List,
            "infracost-golden",
        ),
        // No price of E10: as four E4 cost.
        ("eastus", "disk.csi.azure.com", &[], 100, 9.6, Estimated, "infracost-golden"),
        (
            "westeurope",
            "disk.csi.azure.com",
            &[("skuName", "Premium_LRS")],
            100,
            19.71,
            Estimated,
            "infracost-golden",
        ),
        (
            "eastus",
            "disk.csi.azure.com",
            &[("skuName", "Premium_ZRS")],
            100,
            19.71 * 1.5,
            Estimated,
            "infracost-golden",
        ),
        ("us-east-1", "efs.csi.aws.com", &[], 100, 0.0, Default, "default-rates"),
        ("eastus", "file.csi.azure.com", &[], 100, 0.0, Default, "default-rates"),
        ("", "rancher.io/local-path", &[], 100, 4.0, Default, "default-rates"),
        ("us-east-1", "ebs.csi.aws.com", &[("type", "gp9")], 100, 4.0, Default, "default-rates"),
        ("", "", &[], 0, 0.0, Default, "default-rates"),
    ] {
        let found = volume(region, provisioner, parameters, gib);
        let expected = Rate::from_usd_per_hour(month / 730.0).unwrap();
        assert!(found.hourly.0.abs_diff(expected.0) <= 1, "{provisioner} {parameters:?}: {found:?}");
        assert_eq!((found.confidence, &*found.source.id), (confidence, source), "{found:?}");
        assert!(!found.reason.is_empty());
    }
    assert_eq!(
        &*volume("us-east-1", "ebs.csi.aws.com", &[("iops", "4000")], 100).reason,
        "EBS gp3 in us-east-1: 100.0 GiB × 0.08 $ + 1000 IOPS × 0.005 $ a month"
    );
    assert_eq!(
        &*volume("eastus", "disk.csi.azure.com", &[], 100).reason,
        "100.0 GiB on a disk StandardSSD_LRS/E10 of 128 GiB, as 128/32 of E4 at 2.4 $ a month"
    );
}

#[test]
fn a_disk_beyond_every_tier_takes_the_largest() {
    let found = volume("eastus", "disk.csi.azure.com", &[("skuName", "Premium_LRS")], 1_000_000);
    assert!(found.reason.contains("Premium_LRS/P80 of 32767 GiB"), "{found:?}");
}

#[test]
fn quotes_of_disks_and_control_planes_come_before_the_tables() {
    let quote = |item, usd: f64| Quote {
        provider: Aws,
        region: "us-east-1".into(),
        item,
        price: PicoUsd::from_usd(usd).unwrap(),
        as_of: "2026-08-01".into(),
        source: "aws-price-list".into(),
    };
    let quotes: Quotes = [
        quote(Item::Disk { storage_type: "gp3".into() }, 0.09),
        quote(Item::Service { service: "eks_control_plane".into() }, 0.2),
    ]
    .into_iter()
    .collect();
    let book = BOOK.with_quotes(&quotes, nightcap_core::units::Instant(1_785_585_600_000));
    let none = Keys::new();
    let facts =
        VolumeFacts { name: "", storage_class: "", provisioner: "ebs.csi.aws.com", parameters: &none };
    let found = book.volume("us-east-1", &facts, Bytes::from_gib(730));
    assert_eq!(
        (found.hourly, &*found.source.id, found.confidence),
        (Rate(90_000_000_000), "aws-price-list", List)
    );
    assert_eq!(book.control_plane(Aws, "us-east-1").hourly, Rate(200_000_000_000));
}

fn short(charge: &Charge) -> (u64, Confidence, String) {
    (charge.hourly.0 / 1_000_000, charge.confidence, charge.source.id.to_string())
}

#[test]
fn control_planes_and_load_balancers_have_their_fees() {
    let expected = |micro: u64, confidence, source: &str| (micro, confidence, source.to_owned());
    assert_eq!(short(&BOOK.control_plane(Aws, "eu-central-1")), expected(100_000, List, "cortex"));
    assert_eq!(short(&BOOK.control_plane(Aws, "ap-east-2")), expected(100_000, Estimated, "cortex"));
    assert_eq!(short(&BOOK.control_plane(Gcp, "us-central1")).0, 100_000);
    assert_eq!(short(&BOOK.control_plane(Azure, "eastus")).0, 100_000);
    assert_eq!(short(&BOOK.control_plane(Unknown, "")), expected(0, Default, "default-rates"));
    let balancer = |provider, region, kind| short(&BOOK.load_balancer(provider, region, kind));
    assert_eq!(balancer(Aws, "us-east-1", LoadBalancer::Usual), expected(25_000, List, "cortex"));
    assert_eq!(balancer(Aws, "us-east-1", LoadBalancer::Network), expected(22_500, List, "cortex"));
    assert_eq!(
        balancer(Aws, "eu-west-1", LoadBalancer::Application),
        expected(22_500, Estimated, "infracost-golden")
    );
    assert_eq!(balancer(Gcp, "us-central1", LoadBalancer::Usual).0, 25_000);
    assert_eq!(balancer(Unknown, "", LoadBalancer::Usual), expected(0, Default, "default-rates"));
}

#[test]
fn traffic_is_priced_per_gib() {
    let internet = |provider, region: &str| {
        let egress = BOOK.egress(provider, region);
        (egress.internet.0 / 1_000_000, egress.confidence)
    };
    // 0.09 $ per 10^9 bytes.
    assert_eq!(internet(Aws, "us-east-1"), (96_636, List));
    assert_eq!(internet(Aws, "mars-1"), (96_636, Estimated));
    assert_eq!(internet(Gcp, "us-central1").1, Estimated);
    assert_eq!(internet(Azure, "eastus"), (72_500, Default));
    assert_eq!(internet(Unknown, ""), (120_000, Default));
    let zone = BOOK.egress(Aws, "us-east-1").zone;
    assert_eq!(zone, PicoUsd(10_737_418_240));
}

#[test]
fn pods_pay_on_fargate_and_autopilot() {
    let fargate = BOOK.pod_rates(&node(Aws, "us-east-1", NodeFacts::FARGATE)).unwrap();
    assert_eq!((fargate.cpu_core, fargate.ram_gib), (Rate(40_480_000_000), Rate(4_445_000_000)));
    assert_eq!((fargate.ephemeral_gib, fargate.confidence), (Rate(0), List));
    let far = BOOK.pod_rates(&node(Aws, "eu-central-1", NodeFacts::FARGATE)).unwrap();
    assert!(far.cpu_core > fargate.cpu_core && far.confidence == Estimated);
    let autopilot = BOOK.pod_rates(&node(Gcp, "us-central1", NodeFacts::AUTOPILOT)).unwrap();
    assert_eq!((autopilot.cpu_core, autopilot.ram_gib), (Rate(44_500_000_000), Rate(4_922_500_000)));
    assert_eq!(autopilot.ephemeral_gib, Rate(54_800_000));
    let cheap = BOOK.pod_rates(&spot(node(Gcp, "us-central1", NodeFacts::AUTOPILOT))).unwrap();
    assert!(cheap.cpu_core < autopilot.cpu_core);
    assert_eq!(BOOK.pod_rates(&node(Aws, "us-east-1", "m5.large")), None);
}
