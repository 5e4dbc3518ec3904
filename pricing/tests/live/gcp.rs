//! Google Cloud's catalogue.

use std::sync::Arc;

use nightcap_core::cluster::Provider;
use nightcap_pricing::live::gcp::{Gcp, Part, Parts, Series, Shape, page, quotes};
use nightcap_pricing::live::{LivePrices, Secret};

use super::server::{Server, client, ok, status};
use super::{NOW, TODAY, micro, names, quote, rejected, wanted};
use nightcap_core::cluster::CapacityType::{OnDemand, Spot};

const PAGE_1: &str = include_str!("../samples/gcp/skus_page1.json");
const PAGE_2: &str = include_str!("../samples/gcp/skus_page2_composed.json");
const ERROR: &str = include_str!("../samples/gcp/error.json");
const CATALOG: &str = "gcp-catalog";

fn shapes(name: &str) -> Option<Shape> {
    let (vcpus, memory_gib, gpus) = match name {
        "n1-standard-4" => (4.0, 15.0, 0.0),
        "a2-highgpu-1g" => (12.0, 85.0, 1.0),
        "e2-medium" => (2.0, 4.0, 0.0),
        "c3-standard-4-lssd" => (4.0, 16.0, 0.0),
        _ => return None,
    };
    Some(Shape { vcpus, memory_gib, gpus })
}

fn nano(parts: &Parts) -> Vec<(&str, Part, i128)> {
    parts.iter().map(|((region, part), price)| (region.as_str(), part.clone(), price.0 / 1_000)).collect()
}

fn series(name: &str, capacity_type: nightcap_core::cluster::CapacityType) -> Series {
    Series { name: name.to_owned(), custom: false, capacity_type }
}

#[test]
fn whole_dollars_and_billionths_both_count() {
    let first = page(PAGE_1, &names(&["us-central1"])).unwrap();
    assert_eq!(
        nano(&first.parts),
        [
            ("us-central1", Part::Core(series("a2", OnDemand)), 31_611_000),
            ("us-central1", Part::Ram(series("a2", OnDemand)), 4_237_000),
            // units "2" and nanos 933908000: without the units it would be a third of it.
            ("us-central1", Part::Gpu("a100", OnDemand), 2_933_908_000),
        ]
    );
    // Rows in rupiah are not mixed in.
    assert_eq!(first.rejected.len(), 2);
    assert_eq!(
        first.rejected[0].to_string(),
        "CF4E-A0C7-E3BF (E2 Instance Core running in Americas): the price is in \"IDR\", not in USD: mixed currencies are not added up; set a price rule with `currency` and `fx`"
    );
    assert!(first.next_token.unwrap().starts_with("APKCS1HVa0Yp"));
}

#[test]
fn spot_disks_and_tiers_are_told_apart() {
    let second = page(PAGE_2, &names(&["us-central1"])).unwrap();
    assert_eq!(
        nano(&second.parts),
        [
            ("us-central1", Part::Core(series("e2", Spot)), 13_086_000),
            ("us-central1", Part::Core(series("n1", OnDemand)), 31_611_000),
            ("us-central1", Part::Ram(series("n1", OnDemand)), 4_237_000),
            ("us-central1", Part::Disk("pd-balanced"), 100_000_000),
            ("us-central1", Part::Disk("pd-ssd"), 170_000_000),
            ("us-central1", Part::Disk("pd-standard"), 40_000_000),
        ]
    );
    assert_eq!((second.rejected, second.next_token), (vec![], None));
}

#[test]
fn the_list_price_is_the_first_tier_that_costs() {
    let free_first = PAGE_2.replacen(
        "\"tieredRates\": [\n       {\n        \"startUsageAmount\": 0,\n        \"unitPrice\": {\n         \"currencyCode\": \"USD\",\n         \"units\": \"0\",\n         \"nanos\": 40000000\n        }\n       }",
        "\"tieredRates\": [{\"startUsageAmount\": 0, \"unitPrice\": {\"currencyCode\": \"USD\", \"units\": \"0\", \"nanos\": 0}},
          {\"startUsageAmount\": 30, \"unitPrice\": {\"currencyCode\": \"USD\", \"units\": \"0\", \"nanos\": 40000000}},
          {\"startUsageAmount\": 90, \"unitPrice\": {\"currencyCode\": \"USD\", \"units\": \"0\", \"nanos\": 10000000}}",
        1,
    );
    assert_ne!(free_first, PAGE_2);
    let parts = page(&free_first, &names(&["us-central1"])).unwrap().parts;
    assert_eq!(parts[&("us-central1".to_owned(), Part::Disk("pd-standard"))].0, 40_000_000_000);
}

#[test]
fn other_products_are_passed_over_by_their_names() {
    for (description, usage) in [
        ("N2 Sole Tenancy Instance Core running in Americas", "OnDemand"),
        ("Commitment v1: N2 Cpu in Americas for 1 Year", "Commit1Yr"),
        ("Reserved N2 Instance Core running in Americas", "OnDemand"),
        ("DWS Calendar Mode A3 Instance Core running in Americas", "OnDemand"),
        ("N2 Custom Extended Instance Ram running in Americas", "OnDemand"),
        ("Memory-optimized Instance Core Upgrade Premium running in Americas", "OnDemand"),
        ("N1 Predefined Instance Core running in Americas", "Commit3Yr"),
    ] {
        let text = PAGE_2.replacen("N1 Predefined Instance Core running in Americas", description, 1);
        let at = text.find(description).unwrap();
        let (head, tail) = text.split_at(at);
        let text = format!("{head}{}", tail.replacen("\"OnDemand\"", &format!("\"{usage}\""), 1));
        let parts = page(&text, &names(&["us-central1"])).unwrap().parts;
        assert!(
            !parts.contains_key(&("us-central1".to_owned(), Part::Core(series("n1", OnDemand)))),
            "{description}"
        );
        assert_eq!(parts.len(), 5, "{description}");
    }
}

#[test]
fn a_broken_sku_hurts_only_itself() {
    for (from, to, reason) in [
        ("\"nanos\": 31611000", "\"nanos\": -31611000", "the price -0.031611 is negative"),
        ("\"nanos\": 31611000", "\"nanos\": 0", "its price is zero"),
        ("\"usageUnit\": \"h\"", "\"usageUnit\": \"mo\"", "its unit is \"mo\", not \"h\""),
    ] {
        let page = page(&PAGE_2.replacen(from, to, 1), &names(&["us-central1"])).unwrap();
        assert_eq!(page.parts.len(), 5);
        assert_eq!(
            page.rejected[0].to_string(),
            format!("SAMP-0001-0001 (N1 Predefined Instance Core running in Americas): {reason}")
        );
    }
    let odd = PAGE_2.replacen("\"nanos\": 31611000", "\"nanos\": \"x\"", 1);
    let found = page(&odd, &names(&["us-central1"])).unwrap();
    assert_eq!((found.parts.len(), found.rejected[0].row.as_str()), (5, "skus[1]"));
    assert!(page("{}", &names(&[])).is_err());
}

#[test]
fn machines_are_put_together_from_their_parts() {
    let regions = names(&["us-central1"]);
    let mut parts = page(PAGE_1, &regions).unwrap().parts;
    parts.extend(page(PAGE_2, &regions).unwrap().parts);
    let needs = [wanted(
        Provider::Gcp,
        "us-central1",
        &["n1-standard-4", "a2-highgpu-1g", "e2-medium", "c3-standard-4-lssd", "new-standard-2"],
        &[],
        true,
    )];
    let parsed = quotes(&parts, &needs, &shapes, TODAY);
    assert_eq!(
        micro(&parsed),
        [
            // 12 × 0.031611 + 85 × 0.004237 + 2.933908
            quote(CATALOG, "us-central1", "a2-highgpu-1g on-demand", 3_673_385_000),
            // 4 × 0.031611 + 15 × 0.004237
            quote(CATALOG, "us-central1", "n1-standard-4 on-demand", 189_999_000),
            quote(CATALOG, "us-central1", "disk pd-balanced", 100_000_000),
            quote(CATALOG, "us-central1", "disk pd-ssd", 170_000_000),
            quote(CATALOG, "us-central1", "disk pd-standard", 40_000_000),
        ]
    );
    assert_eq!(
        rejected(&parsed),
        [
            "c3-standard-4-lssd on-demand in us-central1: it has parts that are not put together here: the embedded table is used",
            "e2-medium on-demand in us-central1: the catalogue has no price for a core of e2 in us-central1",
            "new-standard-2 on-demand in us-central1: its cores and memory are not known",
        ]
    );
}

#[tokio::test]
async fn the_catalogue_is_read_page_by_page_and_the_key_stays_out_of_the_url() {
    let server =
        Server::new(|asked, _| ok(if asked.target.contains("pageToken") { PAGE_2 } else { PAGE_1 })).await;
    let (http, _) = client();
    let gcp = Gcp::new(http, &server.url, Secret::new("the-key"), Arc::new(shapes));
    let needs = [wanted(Provider::Gcp, "us-central1", &["n1-standard-4"], &[], false)];
    let fetched = gcp.fetch(&needs, NOW).await;
    assert_eq!(
        micro(&fetched.parsed),
        [quote(CATALOG, "us-central1", "n1-standard-4 on-demand", 189_999_000)]
    );
    let asked = server.asked();
    assert_eq!(asked[0].target, "/v1/services/6F81-5844-456A/skus?currencyCode=USD&pageSize=5000");
    assert!(asked[1].target.contains("&pageToken=APKCS1HVa0YpwgyTFbqb"));
    assert!(asked.iter().all(|asked| asked.header("x-goog-api-key") == "the-key"));
    assert!(!format!("{gcp:?}").contains("the-key"));
}

#[tokio::test]
async fn a_refusal_says_what_google_says() {
    let server = Server::new(|_, _| status(400, ERROR)).await;
    let (http, pause) = client();
    let gcp = Gcp::new(http, &server.url, Secret::new("the-key"), Arc::new(shapes));
    let fetched =
        gcp.fetch(&[wanted(Provider::Gcp, "us-central1", &["n1-standard-4"], &[], false)], NOW).await;
    let (region, error) = &fetched.failures[0];
    assert_eq!(region, "us-central1");
    assert_eq!(
        error.to_string(),
        format!(
            "{}/v1/services/6F81-5844-456A/skus answered 400: API key not valid. Please pass a valid API key.",
            server.url
        )
    );
    assert_eq!(pause.pauses(), [0u64; 0]);
}
