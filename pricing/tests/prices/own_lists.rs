//! The user's own prices in other words: other currencies, machines by the month, labels, a CSV.

use nightcap_core::cluster::{Keys, Node, NodeFacts, Provider};
use nightcap_core::money::Confidence::{Exact, List};
use nightcap_core::money::NodePricer;
use nightcap_core::units::{Bytes, Gpu, Instant, Rate, Resources};
use nightcap_pricing::{CsvPrices, PriceSettings, VolumeFacts};

use super::{BOOK, book, node, price, size};
use Provider::{Aws, Unknown};

fn labelled(facts: NodeFacts, labels: &[(&str, &str)]) -> NodeFacts {
    let labels: Keys = labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    NodeFacts { labels, ..facts }
}

#[test]
fn a_rule_may_be_by_the_month_in_another_currency_and_by_label() {
    let book = book(
        r#"{"price_rules": [
            {"match": {"label": {"example.com/rack": "r1*"}}, "monthly_usd": 73},
            {"match": {"label": {"example.com/rack": "r2*"}}, "currency": "EUR", "fx": 1.1, "monthly": 73},
            {"match": {"provider": "unknown"}, "currency": "EUR", "fx": 1.1, "cpu_core_hourly": 0.02, "ram_gib_hourly": 0.002}
        ]}"#,
    );
    let own = || node(Unknown, "", "");
    for (facts, micro, rule) in [
        (labelled(own(), &[("example.com/rack", "R17")]), 100_000, "price_rules[0]"),
        (labelled(own(), &[("example.com/rack", "r2")]), 110_000, "price_rules[1]"),
        (labelled(own(), &[("example.com/rack", "r3")]), 123_200, "price_rules[2]"),
        (own(), 123_200, "price_rules[2]"),
    ] {
        let found = book.price(&facts, size(4, 16));
        let rounded = (found.hourly.0 + 500_000) / 1_000_000;
        assert_eq!((rounded, found.confidence, &*found.source.id), (micro, Exact, rule));
    }
}

#[test]
fn the_labels_that_rules_look_at_are_named() {
    let settings: PriceSettings = serde_json::from_str(
        r#"{"price_rules": [{"match": {"label": {"a": "x", "b": "y"}}, "hourly_usd": 1}, {"hourly_usd": 1}]}"#,
    )
    .unwrap();
    assert_eq!(settings.node_labels().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn amounts_without_a_currency_and_currencies_without_a_rate_are_refused() {
    let settings: PriceSettings = serde_json::from_str(
        r#"{"price_rules": [
            {"hourly": 1},
            {"currency": "EUR", "hourly": 1},
            {"currency": "Euro", "fx": 0, "hourly": 1},
            {"fx": 1.1, "hourly_usd": 1},
            {"currency": "EUR", "fx": 1.1, "hourly_usd": 1},
            {"hourly_usd": 1, "hourly": 1},
            {"hourly_usd": 1, "monthly_usd": 730},
            {"monthly_usd": 800000},
            {"currency": "EUR", "fx": 1.1, "hourly": -1}
        ], "live": {"max_age": "1h", "aws": {"query_region": "mars-1"}, "gcp": {"url": "ftp://x"}}}"#,
    )
    .unwrap();
    let only_one = "a rule needs hourly_usd, or monthly_usd, or adjust, or cpu_core_hourly_usd with ram_gib_hourly_usd, and only one of these";
    assert_eq!(
        settings.check().unwrap_err().to_string(),
        format!(
            "13 errors in the price settings:
  live.max_age: \"1h\" is not allowed: write a duration from 1d to 366d
  live.gcp.url: \"ftp://x\" is no base URL: begin it with https:// or http://
  live.aws.query_region: \"mars-1\" does not answer GetProducts: use us-east-1, eu-central-1 or ap-south-1
  price_rules[0].hourly: 1 names no currency: write hourly_usd, or set currency and fx
  price_rules[1].currency: \"EUR\" needs fx beside it: the dollars for one unit of it
  price_rules[2].currency: \"Euro\" is no currency: write three capitals, such as EUR
  price_rules[2].fx: 0 makes everything free: write the dollars for one unit
  price_rules[3].fx: 1.1 needs currency beside it, such as EUR
  price_rules[4].hourly_usd: 1 is in dollars in a rule in EUR: write hourly, or leave currency out
  price_rules[5].hourly: 1 stands beside hourly_usd: set one of the two
  price_rules[6]: sets hourly_usd, monthly_usd: {only_one}
  price_rules[7].monthly_usd: 800000 is too much: at most 730000 $/month
  price_rules[8].hourly: -1.1 is negative: a price is 0 or more"
        )
    );
}

const CSV: &str =
    "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version
2026-07-01 00:00:00 UTC,i-0abc,us-east-1,node,spec.providerID,m5.large,0.05,
2026-07-02 00:00:00 UTC,i-0abc,us-east-1,node,spec.providerID,m5.large,0.06,
2026-07-01 00:00:00 UTC,rack-7,,node,metadata.labels.example.com/rack,,0.5,
2026-07-01 00:00:00 UTC,box-1,,node,metadata.name,,0.25,
2026-07-01 00:00:00 UTC,a100,,gpu,metadata.labels.gpu.nvidia.com/class,,2,
2026-07-01 00:00:00 UTC,fast,,pv,spec.storageClassName,,0.0002,
2026-07-01 00:00:00 UTC,x,us-east-1,node,spec.uid,m5.large,0.05,
2026-07-01 00:00:00 UTC,x,us-east-1,node,,m5.large,-1,
2026-07-01 00:00:00 UTC,x,us-east-1,node,,m5.large,5000,
2026-07-01 00:00:00 UTC,x,us-east-1,node,,m5.large,0.06 EUR,
2026-07-01 00:00:00 UTC,x,us-east-1,vm,,m5.large,1,
2026-07-01 00:00:00 UTC,,us-east-1,node,,,1,
";

fn machine(name: &str, provider_id: &str, facts: NodeFacts, gpus: u64) -> Node {
    Node {
        uid: "u".into(),
        name: name.into(),
        created: Instant(0),
        provider_id: provider_id.into(),
        facts,
        capacity: Resources { gpu: Gpu::from_devices(gpus), ..size(2, 8) },
        ready: true,
    }
}

#[test]
fn a_csv_names_machines_then_types_and_its_broken_lines_hurt_only_themselves() {
    let (csv, rejected) = CsvPrices::parse(CSV).unwrap();
    let rejected: Vec<String> = rejected.iter().map(ToString::to_string).collect();
    assert_eq!(
        rejected,
        [
            "line 8: InstanceIDField \"spec.uid\" is not known: use spec.providerID, metadata.name or metadata.labels.KEY",
            "line 9: the price -1 is negative",
            "line 10: the price 5000 $/h is absurd: at most 1000 $/h",
            "line 11: \"0.06 EUR\" is no price",
            "line 12: AssetClass \"vm\" is not known: use node, pv or gpu",
            "line 13: it names neither InstanceID nor InstanceType",
        ]
    );
    assert_eq!(csv.node_labels().collect::<Vec<_>>(), ["example.com/rack", "gpu.nvidia.com/class"]);
    let book = BOOK.with_csv(csv);
    let m5 = || node(Aws, "us-east-1", "m5.large");
    let own = || node(Unknown, "", "");
    for (node, expected) in [
        (
            machine("n", "aws:///us-east-1a/i-0abc", m5(), 0),
            price(60_000, Exact, ("csv", "2026-07-02"), "0.06 $/h for i-0abc by line 3 of the CSV"),
        ),
        (
            machine("n", "aws:///us-east-1a/i-0def", m5(), 0),
            price(
                55_000,
                Exact,
                ("csv", ""),
                "0.055 $/h for m5.large in \"us-east-1\" by the CSV, the mean of 2 lines",
            ),
        ),
        (
            machine("box-1", "", own(), 0),
            price(250_000, Exact, ("csv", "2026-07-01"), "0.25 $/h for box-1 by line 5 of the CSV"),
        ),
        (
            machine(
                "n",
                "",
                labelled(own(), &[("example.com/rack", "rack-7"), ("gpu.nvidia.com/class", "A100")]),
                2,
            ),
            price(
                4_500_000,
                Exact,
                ("csv", "2026-07-01"),
                "0.5 $/h for rack-7 by line 4 of the CSV, plus 2 GPU × 2 $/h by line 6",
            ),
        ),
    ] {
        assert_eq!(book.price_node(&node), expected);
    }
    // What the CSV does not name costs what it did.
    let elsewhere = book.price(&node(Aws, "eu-central-1", "m5.large"), size(2, 8));
    assert_eq!(elsewhere.confidence, List);

    let none = Keys::new();
    let facts = VolumeFacts { name: "pv-1", storage_class: "fast", provisioner: "x", parameters: &none };
    let volume = book.volume("", &facts, Bytes::from_gib(100));
    assert_eq!((volume.hourly, volume.confidence), (Rate(20_000_000_000), Exact));
}

#[test]
fn a_file_that_is_no_such_csv_is_named_with_what_is_missing() {
    assert_eq!(
        CsvPrices::parse("InstanceID,Region\n").unwrap_err(),
        "the columns AssetClass, InstanceIDField, InstanceType, MarketPriceHourly are missing in its first line"
    );
    let error = CsvPrices::read(std::path::Path::new("/nowhere/prices.csv")).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/prices.csv: cannot be read: No such file"), "{error}");
}
