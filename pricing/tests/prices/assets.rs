//! Prices of what is paid for beside nodes, as the core asks for them.

use nightcap_core::cluster::{Provider, Volume, VolumeFacts};
use nightcap_core::money::{AssetPricer, Confidence, EgressPrices, NodePrice, PriceSource};
use nightcap_core::units::{Bytes, Instant, PicoUsd, Rate};
use nightcap_pricing::{CsvPrices, PriceBook, PriceSettings};

use crate::{BOOK, book};

fn volume(
    provider: Provider,
    region: &str,
    driver: &str,
    class: &str,
    parameters: &[(&str, &str)],
) -> VolumeFacts {
    VolumeFacts {
        provider,
        region: region.into(),
        driver: driver.into(),
        class: class.into(),
        parameters: parameters.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
    }
}

/// Dollars a month, to the millionth, and how sure they are.
fn monthly(price: &NodePrice) -> (f64, Confidence) {
    ((price.hourly.usd_per_hour() * 730.0 * 1e6).round() / 1e6, price.confidence)
}

fn of(facts: &VolumeFacts, gib: u64) -> (f64, Confidence) {
    monthly(&AssetPricer::volume(&*BOOK, facts, Bytes::from_gib(gib)))
}

#[test]
fn volume_costs_what_its_kind_and_size_do() {
    use Confidence::{Default, Estimated, List};
    let aws = |driver, parameters: &[_]| volume(Provider::Aws, "us-east-1", driver, "", parameters);
    let gcp =
        |parameters: &[_]| volume(Provider::Gcp, "us-central1", "pd.csi.storage.gke.io", "", parameters);
    let azure = |sku| volume(Provider::Azure, "eastus", "disk.csi.azure.com", "", &[("skuName", sku)]);
    let ebs = "ebs.csi.aws.com";
    for (facts, gib, expected) in [
        (aws(ebs, &[]), 100, (8.0, List)),
        (aws("kubernetes.io/aws-ebs", &[]), 100, (10.0, List)),
        (aws(ebs, &[("type", "gp3"), ("iops", "4000"), ("throughput", "250")]), 100, (18.0, List)),
        (gcp(&[]), 100, (4.0, List)),
        (gcp(&[("type", "pd-ssd"), ("replication-type", "regional-pd")]), 10, (3.4, List)),
        (azure("Premium_LRS"), 100, (19.71, List)),
        (azure("Standard_LRS"), 33, (3.01, List)),
        (volume(Provider::Aws, "mars-1", ebs, "", &[]), 100, (8.0, Estimated)),
        (volume(Provider::Unknown, "", "rancher.io/local-path", "", &[]), 100, (4.0, Default)),
        (volume(Provider::Aws, "us-east-1", "efs.csi.aws.com", "", &[]), 100, (0.0, Default)),
    ] {
        assert_eq!(of(&facts, gib), expected, "{facts:?}");
    }
}

#[test]
fn own_prices_of_volumes_come_first_and_those_of_their_class_before_all() {
    let book = book(r#"{"storage": {"gib_month_usd": 0.073, "classes": {"fast": 0.146}}}"#);
    let slow = volume(Provider::Aws, "us-east-1", "ebs.csi.aws.com", "slow", &[]);
    let fast = VolumeFacts { class: "fast".into(), ..slow.clone() };
    let exact = |hourly, id: &str, reason: &str| NodePrice {
        hourly: Rate(hourly),
        confidence: Confidence::Exact,
        source: PriceSource { id: id.into(), date: "".into() },
        reason: reason.into(),
        by_pod: None,
    };
    assert_eq!(
        AssetPricer::volume(&book, &slow, Bytes::from_gib(10)),
        exact(1_000_000_000, "storage.gib_month_usd", "10.0 GiB × 0.073 $ a month by storage.gib_month_usd")
    );
    assert_eq!(
        AssetPricer::volume(&book, &fast, Bytes::from_gib(10)),
        exact(2_000_000_000, "storage.classes.fast", "10.0 GiB × 0.146 $ a month by storage.classes.fast")
    );
}

#[test]
fn list_of_ones_own_may_name_a_volume() {
    let header =
        "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version";
    let (csv, rejected) = CsvPrices::parse(&format!("{header}\n,pvc-1,,pv,,,0.001,\n")).unwrap();
    assert_eq!(rejected.len(), 0);
    let named = |name: &str| Volume {
        uid: "u".into(),
        name: name.into(),
        created: Instant(0),
        provider_id: "".into(),
        facts: VolumeFacts::default(),
        capacity: Bytes::from_gib(10),
        claim_uid: None,
        failed: false,
    };
    let book = BOOK.with_csv(csv);
    assert_eq!(monthly(&book.price_volume(&named("pvc-1"))), (7.3, Confidence::Exact));
    assert_eq!(monthly(&book.price_volume(&named("pvc-2"))), (0.4, Confidence::Default));
}

#[test]
fn load_balancer_costs_what_its_kind_does() {
    let price = |provider, region, class| {
        let price = AssetPricer::load_balancer(&*BOOK, provider, region, class);
        (price.hourly.usd_per_hour(), price.confidence)
    };
    for (provider, region, class, expected) in [
        (Provider::Aws, "us-east-1", "", (0.025, Confidence::List)),
        (Provider::Aws, "us-east-1", "internal", (0.025, Confidence::List)),
        (Provider::Aws, "us-east-1", "nlb", (0.0225, Confidence::List)),
        (Provider::Aws, "us-east-1", "service.k8s.aws/nlb", (0.0225, Confidence::List)),
        (Provider::Aws, "us-east-1", "eks.amazonaws.com/nlb", (0.0225, Confidence::List)),
        (
            Provider::Gcp,
            "europe-west1",
            "networking.gke.io/l4-regional-external",
            (0.025, Confidence::Estimated),
        ),
        (Provider::Aws, "us-east-1", "tailscale", (0.0, Confidence::Default)),
        (Provider::Unknown, "", "metallb", (0.0, Confidence::Default)),
    ] {
        assert_eq!(price(provider, region, class), expected, "{provider} {class}");
    }
}

#[test]
fn own_fees_and_traffic_are_exact() {
    let book = book(
        r#"{"load_balancer_hourly_usd": 0.03, "control_plane_hourly_usd": 0.2,
            "egress": {"zone_gib_usd": 0, "region_gib_usd": 0.02, "internet_gib_usd": 0.05}}"#,
    );
    let lb = AssetPricer::load_balancer(&book, Provider::Unknown, "", "metallb");
    assert_eq!((lb.hourly, lb.confidence), (Rate(30_000_000_000), Confidence::Exact));
    let fee = AssetPricer::control_plane(&book, Provider::Unknown, "");
    assert_eq!((fee.hourly, fee.confidence), (Rate(200_000_000_000), Confidence::Exact));
    assert_eq!(
        AssetPricer::egress(&book, Provider::Aws, "us-east-1"),
        EgressPrices {
            zone: PicoUsd(0),
            region: PicoUsd(20_000_000_000),
            internet: PicoUsd(50_000_000_000),
            confidence: Confidence::Exact,
            source: PriceSource { id: "egress".into(), date: "".into() },
        }
    );
}

#[test]
fn traffic_of_which_a_part_is_set_is_as_sure_as_the_rest() {
    let egress = |json: &str| AssetPricer::egress(&book(json), Provider::Aws, "eu-central-1");
    let listed = egress("{}");
    assert_eq!(listed.confidence, Confidence::List);
    let expected = EgressPrices { internet: PicoUsd(50_000_000_000), ..listed };
    assert_eq!(egress(r#"{"egress": {"internet_gib_usd": 0.05}}"#), expected);
}

#[test]
fn prices_that_cannot_be_are_refused_with_their_value() {
    let mut settings: PriceSettings = serde_json::from_str(
        r#"{"storage": {"gib_month_usd": -0.1, "classes": {"fast": 5000}}, "load_balancer_hourly_usd": 1e9,
            "egress": {"zone_gib_usd": -1}}"#,
    )
    .unwrap();
    settings.control_plane_hourly_usd = Some(f64::NAN);
    assert_eq!(
        PriceBook::embedded(&settings).unwrap_err().to_string(),
        "5 errors in the price settings:
  storage.gib_month_usd: -0.1 is negative: a price is 0 or more
  storage.classes.fast: 5000 is too much: at most 100 $ per GiB and month
  load_balancer_hourly_usd: 1000000000 is too much: at most 1000 $/h
  control_plane_hourly_usd: NaN is no number
  egress.zone_gib_usd: -1 is negative: a price is 0 or more"
    );
}
