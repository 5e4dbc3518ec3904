//! What AWS sends, read.

use std::io::Read;

use nightcap_pricing::live::aws::bulk::{self, Filter};
use nightcap_pricing::live::aws::{bulk_csv, get_products, spot, spot_feed};

use super::{TODAY, micro, names, quote, rejected};

const US_EAST_2: &str = include_str!("../samples/aws/AmazonEC2_us-east-2_index.json");
const CAPACITY_BLOCK: &str = include_str!("../samples/aws/AmazonEC2_us-east-1_capacityblock_index.json");
const CHINA: &str = include_str!("../samples/aws/AmazonEC2_cn-northwest-1_index.json");
const EKS: &str = include_str!("../samples/aws/AmazonEKS_us-east-1_index.json");
const CSV: &str = include_str!("../samples/aws/AmazonEC2_eu-west-3.csv");
const SPOT: &str = include_str!("../samples/aws/DescribeSpotPriceHistory_response.xml");
const FEED: &[u8] =
    include_bytes!("../samples/aws/spot_datafeed_111122223333.2023-12-09-07.001.b959dbc6.tsv");
pub(super) const LIST: &str = "aws-price-list";

fn bulk(text: &str) -> nightcap_pricing::live::Parsed {
    bulk::read(text.as_bytes(), &Filter::default(), TODAY).unwrap()
}

#[test]
fn windows_under_its_own_licence_and_reservations_are_no_prices_of_nodes() {
    // p3.8xlarge is there as Windows with an own licence only; m5.large has a reservation for 1161 $ as well.
    let parsed = bulk(US_EAST_2);
    assert_eq!(
        micro(&parsed),
        [
            quote(LIST, "us-east-2", "disk gp3", 80_000_000),
            quote(LIST, "us-east-2", "m5.large on-demand", 96_000_000)
        ]
    );
    assert_eq!(rejected(&parsed), [""; 0]);
}

#[test]
fn a_capacity_block_is_not_the_price_of_its_type() {
    let parsed = bulk(CAPACITY_BLOCK);
    assert_eq!(micro(&parsed), [quote(LIST, "us-east-1", "p4d.24xlarge on-demand", 32_772_600_000)]);
    assert_eq!(rejected(&parsed), [""; 0]);
}

#[test]
fn another_currency_is_named_and_not_mixed_in() {
    let parsed = bulk(CHINA);
    assert_eq!(parsed.quotes, []);
    assert_eq!(
        rejected(&parsed),
        [
            "R83VXG9NAPDASEGN: the price is in \"CNY\", not in USD: mixed currencies are not added up; set a price rule with `currency` and `fx`"
        ]
    );
}

#[test]
fn the_control_plane_has_its_own_list() {
    assert_eq!(micro(&bulk(EKS)), [quote(LIST, "us-east-1", "eks_control_plane", 100_000_000)]);
}

#[test]
fn only_the_types_that_are_there_are_kept() {
    let filter = Filter { instance_types: Some(names(&["c5.large"])) };
    let parsed = bulk::read(US_EAST_2.as_bytes(), &filter, TODAY).unwrap();
    assert_eq!(micro(&parsed), [quote(LIST, "us-east-2", "disk gp3", 80_000_000)]);
}

#[test]
fn a_product_without_an_offer_is_named() {
    let without = US_EAST_2.replace(
        "\"8D49XP354UEYTHGM.JRTCKXETXF\": {\n     \"offerTermCode\": \"JRTCKXETXF\"",
        "\"8D49XP354UEYTHGM.OTHER\": {\n     \"offerTermCode\": \"OTHER\"",
    );
    assert_ne!(without, US_EAST_2);
    assert_eq!(rejected(&bulk(&without)), ["8D49XP354UEYTHGM: it has no on-demand term with a price"]);
    let none = r#"{"products": {"A": {"productFamily": "Storage", "attributes": {"usagetype": "EBS:VolumeUsage.gp2"}}}, "terms": {"OnDemand": {}}}"#;
    assert_eq!(rejected(&bulk(none)), ["A: disk gp2 has no on-demand price"]);
}

#[test]
fn a_broken_row_hurts_only_itself() {
    for (from, to, reason) in [
        ("\"USD\": \"0.0960000000\"", "\"USD\": \"-0.0960000000\"", "the price -0.0960000000 is negative"),
        ("\"USD\": \"0.0960000000\"", "\"USD\": \"5000\"", "the price 5000 $/h is absurd: at most 1000 $/h"),
        ("\"USD\": \"0.0960000000\"", "\"USD\": \"0.0000000000\"", "the price 0.0000000000 is zero"),
        ("\"USD\": \"0.0960000000\"", "\"USD\": \"free\"", "\"free\" is no price"),
        ("\"USD\": \"0.0960000000\"", "", "it names no price"),
        (
            "\"USD\": \"0.0960000000\"",
            "\"USD\": 0.096",
            "its terms cannot be read: invalid type: floating point `0.096`, expected a string",
        ),
    ] {
        let parsed = bulk(&US_EAST_2.replace(from, to));
        assert_eq!(micro(&parsed), [quote(LIST, "us-east-2", "disk gp3", 80_000_000)], "{to}");
        assert_eq!(rejected(&parsed), [format!("8D49XP354UEYTHGM: {reason}")]);
    }
    let odd = US_EAST_2.replace(
        "\"sku\": \"8D49XP354UEYTHGM\",\n   \"productFamily\": \"Compute Instance\"",
        "\"sku\": 5,\n   \"productFamily\": \"Compute Instance\"",
    );
    let parsed = bulk(&odd);
    assert_eq!(parsed.quotes.len(), 1);
    assert_eq!(
        rejected(&parsed),
        ["8D49XP354UEYTHGM: cannot be read: invalid type: integer `5`, expected a string"]
    );
}

#[test]
fn what_is_no_price_list_is_an_error() {
    for (text, problem) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("<html>", "expected value at line 1 column 1"),
        ("[]", "invalid type: sequence, expected an AWS price list at line 1 column 1"),
        ("{}", "it has no on-demand terms after its products"),
        ("{\"products\": {}, \"terms\": {}}", "it has no on-demand terms after its products"),
        ("{\"products\": {", "EOF while parsing an object at line 1 column 14"),
    ] {
        let error = bulk::read(text.as_bytes(), &Filter::default(), TODAY).unwrap_err().to_string();
        assert_eq!(error, format!("the AWS price list cannot be read: {problem}"), "{text}");
    }
}

/// Fails the test if somebody reads on.
struct NoMore;

impl Read for NoMore {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        panic!("read beyond the on-demand terms")
    }
}

#[test]
fn nothing_is_read_behind_the_on_demand_terms() {
    let end = US_EAST_2.find("\"Reserved\"").unwrap();
    let input = US_EAST_2.as_bytes()[..end].chain(NoMore);
    assert_eq!(bulk::read(input, &Filter::default(), TODAY).unwrap(), bulk(US_EAST_2));
}

#[test]
fn the_csv_form_has_lines_before_its_header_and_no_region_code() {
    let parsed = bulk_csv::read(CSV.as_bytes(), &Filter::default(), TODAY).unwrap();
    assert_eq!(
        micro(&parsed),
        [
            quote(LIST, "eu-west-3", "disk st1", 53_000_000),
            quote(LIST, "eu-west-3", "disk io1", 145_000_000),
            quote(LIST, "eu-west-3", "disk gp2", 116_000_000),
        ]
    );
    assert_eq!(rejected(&parsed), [""; 0]);
    let euro = CSV.replacen("\"0.1450000000\",\"USD\"", "\"0.1450000000\",\"EUR\"", 1);
    let parsed = bulk_csv::read(euro.as_bytes(), &Filter::default(), TODAY).unwrap();
    assert_eq!(parsed.quotes.len(), 2);
    assert!(rejected(&parsed)[0].starts_with("F8HSDG64NTJKTEST: the price is in \"EUR\""));
    let error = bulk_csv::read("a,b\n1,2\n".as_bytes(), &Filter::default(), TODAY).unwrap_err().to_string();
    assert_eq!(
        error,
        "the AWS price list (CSV) cannot be read: no line begins with \"SKU\", so there is no header"
    );
}

#[test]
fn an_answer_to_a_query_is_json_in_json() {
    let example: serde_json::Value =
        serde_json::from_str(include_str!("../samples/aws/GetProducts_example.json")).unwrap();
    let page = get_products::page(&example["output"].to_string(), TODAY).unwrap();
    // A list of 2017 names no region code.
    assert_eq!(micro(&page.parsed), [quote(LIST, "ca-central-1", "disk io1", 138_000_000)]);
    assert!(page.next_token.unwrap().starts_with("57r3EXAMPLE"));

    let body = r#"{"PriceList": ["{", "{\"product\": 5}", 7], "NextToken": ""}"#;
    let page = get_products::page(body, TODAY).unwrap();
    assert_eq!((page.parsed.quotes.len(), page.next_token), (0, None));
    assert_eq!(page.parsed.rejected.len(), 3);
    assert_eq!(page.parsed.rejected[0].row, "PriceList[0]");
    assert!(get_products::page("nonsense", TODAY).is_err());
}

#[test]
fn a_query_asks_for_one_row() {
    let body: serde_json::Value =
        serde_json::from_str(&get_products::instance_request("us-east-2", "m5.large", Some("t"))).unwrap();
    let filters: Vec<String> = body["Filters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|filter| format!("{}={}", filter["Field"].as_str().unwrap(), filter["Value"].as_str().unwrap()))
        .collect();
    assert_eq!(
        filters,
        [
            "regionCode=us-east-2",
            "instanceType=m5.large",
            "operatingSystem=Linux",
            "preInstalledSw=NA",
            "capacitystatus=Used",
            "marketoption=OnDemand",
            "tenancy=Shared",
            "productFamily=Compute Instance",
        ]
    );
    assert_eq!((&body["NextToken"], &body["MaxResults"]), (&"t".into(), &100.into()));
    assert!(get_products::instance_request("r", "m5.metal", None).contains("Compute Instance (bare metal)"));
}

#[test]
fn the_spot_price_of_a_region_is_the_mean_of_its_zones() {
    let page = spot::page(SPOT).unwrap();
    assert_eq!((page.points.len(), page.rejected.len(), &page.next_token), (2, 0, &None));
    let parsed = spot::quotes(&page.points, "us-west-1", TODAY);
    assert_eq!(micro(&parsed), [quote("aws-spot-history", "us-west-1", "m1.xlarge spot", 80_000_000)]);

    // An older price of the same zone does not count, a newer one does.
    let newer = SPOT
        .replace("us-west-1c", "us-west-1a")
        .replace("2014-01-05T11:28:26.000Z", "2014-01-07T00:00:00.000Z")
        .replacen("0.080000", "0.070000", 1);
    let parsed = spot::quotes(&spot::page(&newer).unwrap().points, "us-west-1", TODAY);
    assert_eq!(parsed.quotes[0].price.0, 80_000_000_000);
}

#[test]
fn odd_items_of_the_history_are_left_out() {
    let odd = SPOT.replacen("0.080000", "-1", 1);
    let page = spot::page(&odd).unwrap();
    assert_eq!(page.points.len(), 1);
    assert_eq!(page.rejected[0].to_string(), "m1.xlarge in us-west-1a: the price -1 is negative");
    let windows = SPOT.replace("Linux/UNIX (Amazon VPC)", "Windows");
    assert_eq!(spot::page(&windows).unwrap().points, []);
    let next = SPOT.replace("<nextToken/>", "<nextToken>a&amp;b</nextToken>");
    assert_eq!(spot::page(&next).unwrap().next_token.as_deref(), Some("a&b"));
    for (text, problem) in [
        ("<html><body/></html>", "it is <html>, not <DescribeSpotPriceHistoryResponse>"),
        (&SPOT[..SPOT.find("</item>").unwrap()], "it ends before </DescribeSpotPriceHistoryResponse>"),
    ] {
        let error = spot::page(text).unwrap_err().to_string();
        assert_eq!(error, format!("the answer of DescribeSpotPriceHistory cannot be read: {problem}"));
    }
}

#[test]
fn the_data_feed_has_the_currency_inside_its_values() {
    let feed = spot_feed::read(FEED).unwrap();
    let charge = spot_feed::Charge {
        at: "2023-12-09 07:13:47 UTC".into(),
        instance_type: "c7a.medium".into(),
        hourly: nightcap_core::units::PicoUsd(14_200_000_000),
    };
    assert_eq!(feed.charges, [("i-0c3e0c0b046e050df".to_owned(), charge)].into());
    assert_eq!(feed.rejected, []);

    // As it lies in the bucket.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, FEED).unwrap();
    assert_eq!(spot_feed::read(&gzip.finish().unwrap()).unwrap(), feed);

    let text = String::from_utf8(FEED.to_vec()).unwrap();
    let euro = text.replace("0.0142000000 USD", "0.0142000000 EUR");
    assert!(
        spot_feed::read(euro.as_bytes()).unwrap().rejected[0].reason.starts_with("the price is in \"EUR\"")
    );
    assert!(spot_feed::read(b"no feed").is_err());
}
