//! Azure's retail prices.

use nightcap_core::cluster::Provider;
use nightcap_core::units::Instant;
use nightcap_pricing::live::LivePrices;
use nightcap_pricing::live::azure::{Azure, page};

use super::server::{Server, client, ok, status};
use super::{NOW, TODAY, micro, quote, rejected, wanted};

const PAGE_1: &str = include_str!("../samples/azure/retail_prices_vm_francecentral_page1.json");
const PAGE_2: &str = include_str!("../samples/azure/retail_prices_vm_francecentral_page2.json");
const SAVINGS: &str = include_str!("../samples/azure/retail_prices_savingsplan_reservation.json");
const DISKS: &str = include_str!("../samples/azure/retail_prices_disks_composed.json");
const RETAIL: &str = "azure-retail";

/// Of thirteen rows a type has (Windows, low priority, dev/test, reservations), these are the ones of a Linux node.
fn first_page() -> Vec<(String, String, String, i128)> {
    vec![
        quote(RETAIL, "francecentral", "Standard_D2s_v5 spot", 44_800_000),
        quote(RETAIL, "francecentral", "Standard_D2s_v3 spot", 24_696_000),
        quote(RETAIL, "francecentral", "Standard_D4as_v5 spot", 80_800_000),
    ]
}

fn second_page() -> Vec<(String, String, String, i128)> {
    vec![
        quote(RETAIL, "francecentral", "Standard_D4as_v5 on-demand", 202_000_000),
        quote(RETAIL, "francecentral", "Standard_D2s_v5 on-demand", 112_000_000),
        quote(RETAIL, "francecentral", "Standard_D2s_v3 on-demand", 112_000_000),
    ]
}

#[test]
fn of_all_rows_of_a_type_one_is_on_demand_and_one_is_spot() {
    let first = page(PAGE_1, TODAY).unwrap();
    assert_eq!(micro(&first.parsed), first_page());
    assert_eq!(rejected(&first.parsed), [""; 0]);
    let next = first.next.unwrap();
    assert!(
        next.starts_with("https://prices.azure.com:443/api/retail/prices?") && next.ends_with("&$skip=16")
    );
    let second = page(PAGE_2, TODAY).unwrap();
    assert_eq!((micro(&second.parsed), second.next), (second_page(), None));
}

#[test]
fn cloud_services_low_priority_and_the_total_of_a_reservation_are_no_prices() {
    let parsed = page(SAVINGS, TODAY).unwrap().parsed;
    assert_eq!(
        micro(&parsed),
        [quote(RETAIL, "australiacentral", "Standard_B16als_v2 on-demand", 673_000_000)]
    );
    assert_eq!(rejected(&parsed), [""; 0]);
}

#[test]
fn disks_are_sold_whole() {
    assert_eq!(
        micro(&page(DISKS, TODAY).unwrap().parsed),
        [
            quote(RETAIL, "eastus", "disk Premium_LRS/P4", 5_280_000_000),
            quote(RETAIL, "eastus", "disk Premium_LRS/P10", 19_710_000_000),
            quote(RETAIL, "eastus", "disk StandardSSD_LRS/E4", 2_400_000_000),
            quote(RETAIL, "eastus", "disk Standard_LRS/S4", 1_536_000_000),
        ]
    );
}

#[test]
fn a_broken_row_hurts_only_itself() {
    for (from, to, reason) in [
        (
            "\"retailPrice\": 0.673",
            "\"retailPrice\": -0.673",
            "australiacentral B16als v2: the price -0.673 is negative",
        ),
        ("\"retailPrice\": 0.673", "\"retailPrice\": 0", "australiacentral B16als v2: the price 0 is zero"),
        (
            "\"retailPrice\": 0.673",
            "\"retailPrice\": 6730",
            "australiacentral B16als v2: the price 6730 $/h is absurd: at most 1000 $/h",
        ),
        (
            "\"retailPrice\": 0.673",
            "\"retailPrice\": \"dear\"",
            "Standard_B16als_v2: cannot be read: invalid type: string \"dear\", expected f64 at line 12 column 28",
        ),
    ] {
        let text = SAVINGS.replace(from, to);
        assert_ne!(text, SAVINGS);
        let parsed = page(&text, TODAY).unwrap().parsed;
        assert_eq!(parsed.quotes, []);
        let found = rejected(&parsed);
        assert_eq!(found.len(), 1);
        // The place depends on how the row is indented.
        let without_place = |text: &str| text.split(" at line").next().unwrap().to_owned();
        assert_eq!(without_place(&found[0]), without_place(reason));
    }
    let euro = SAVINGS.replace("\"currencyCode\": \"USD\"", "\"currencyCode\": \"EUR\"");
    assert!(rejected(&page(&euro, TODAY).unwrap().parsed)[0].contains("the price is in \"EUR\", not in USD"));
    assert!(page("{\"Items\": {}}", TODAY).is_err());
    assert!(page("{", TODAY).is_err());
}

#[tokio::test]
async fn the_pages_are_followed_on_the_configured_server() {
    let server = Server::new(|asked, _| {
        let disks = asked.target.contains("Storage");
        ok(if asked.target.contains("skip=16") {
            PAGE_2
        } else if disks {
            DISKS
        } else {
            PAGE_1
        })
    })
    .await;
    let (http, _) = client();
    let azure = Azure::new(http, &server.url);
    let needs = [wanted(
        Provider::Azure,
        "francecentral",
        &["Standard_D2s_v3", "Standard_D4as_v5"],
        &["Standard_D2s_v3"],
        true,
    )];
    let fetched = azure.fetch(&needs, NOW).await;
    assert!(fetched.failures.is_empty());
    let mut expected = first_page();
    expected.extend(second_page());
    assert_eq!(micro(&fetched.parsed)[..6], expected);
    assert_eq!(fetched.parsed.quotes.len(), 10);
    let asked: Vec<String> =
        server.targets().iter().map(|target| target.replace('+', " ").replace("%20", " ")).collect();
    assert_eq!(asked.len(), 3);
    let first = asked[0].replace("%24", "$").replace("%27", "'").replace("%28", "(").replace("%29", ")");
    assert_eq!(
        first,
        "/api/retail/prices?api-version=2023-01-01-preview&currencyCode='USD'&$filter=serviceName eq 'Virtual Machines' \
         and armRegionName eq 'francecentral' and priceType eq 'Consumption' and (armSkuName eq 'Standard_D2s_v3' or \
         armSkuName eq 'Standard_D4as_v5')"
    );
}

#[tokio::test]
async fn what_came_before_a_failure_is_kept() {
    let server = Server::new(|asked, _| {
        if asked.target.contains("skip=16") {
            status(400, r#"{"Error": {"Message": "no such page"}}"#)
        } else {
            ok(PAGE_1)
        }
    })
    .await;
    let (http, _) = client();
    let needs = [wanted(Provider::Azure, "francecentral", &["Standard_D2s_v3"], &[], false)];
    let fetched = Azure::new(http, &server.url).fetch(&needs, Instant(NOW.0)).await;
    assert_eq!(micro(&fetched.parsed), first_page());
    assert_eq!(fetched.failures.len(), 1);
    assert_eq!(
        fetched.failures[0].1.to_string(),
        format!("{}/api/retail/prices answered 400: no such page", server.url)
    );
}
