//! AWS as a client sees it: signed queries, a file read while it comes, spot prices.

use std::sync::Arc;

use nightcap_core::cluster::Provider;
use nightcap_pricing::live::aws::Aws;
use nightcap_pricing::live::aws::credentials::{CredentialSource, Credentials, Origin};
use nightcap_pricing::live::{AwsMode, AwsSettings, Fetched, LiveError, LivePrices, Secret};

use super::aws_payloads::LIST;
use super::server::{Asked, Reply, Server, client, ok, status};
use super::{NOW, micro, quote, wanted};

const US_EAST_2: &str = include_str!("../samples/aws/AmazonEC2_us-east-2_index.json");
const SPOT: &str = include_str!("../samples/aws/DescribeSpotPriceHistory_response.xml");

fn settings(server: &Server, mode: AwsMode) -> AwsSettings {
    AwsSettings {
        enabled: true,
        mode,
        query_url: server.url.clone(),
        bulk_url: server.url.clone(),
        ec2_url: server.url.clone(),
        ..AwsSettings::default()
    }
}

fn key() -> Origin {
    Origin::Given(Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("the-secret"),
        session_token: Some(Secret::new("the-token")),
        expires: None,
    })
}

async fn fetch(server: &Server, mode: AwsMode, spot: &[&str], with_key: bool) -> (Fetched, Vec<u64>) {
    let (http, pause) = client();
    let credentials = if with_key {
        Ok(CredentialSource::new(key(), http.clone()))
    } else {
        Err(LiveError::Credentials("none were given".to_owned()))
    };
    let aws = Aws::new(http, settings(server, mode), credentials, Arc::new(|| NOW));
    let needs = [wanted(Provider::Aws, "us-east-2", &["m5.large"], spot, false)];
    (aws.fetch(&needs, NOW).await, pause.pauses())
}

/// The answer of `GetProducts` for a product of the bulk file.
fn products() -> String {
    let list: serde_json::Value = serde_json::from_str(US_EAST_2).unwrap();
    let sku = "8D49XP354UEYTHGM";
    let entry = serde_json::json!({
        "product": list["products"][sku],
        "terms": {"OnDemand": list["terms"]["OnDemand"][sku], "Reserved": list["terms"]["Reserved"][sku]},
    });
    serde_json::json!({"FormatVersion": "aws_v1", "PriceList": [entry.to_string()]}).to_string()
}

fn m5_large() -> (String, String, String, i128) {
    quote(LIST, "us-east-2", "m5.large on-demand", 96_000_000)
}

fn is_query(asked: &Asked) -> bool {
    asked.header("x-amz-target") == "AWSPriceListService.GetProducts"
}

#[tokio::test]
async fn a_query_is_signed_and_hides_its_secret() {
    let server = Server::new(|_, _| ok(products())).await;
    let (fetched, _) = fetch(&server, AwsMode::Query, &[], true).await;
    assert_eq!(micro(&fetched.parsed), [m5_large()]);
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/"));
    assert!(is_query(asked) && asked.header("content-type") == "application/x-amz-json-1.1");
    assert_eq!(asked.header("x-amz-date"), "20260801T120000Z");
    assert_eq!(asked.header("x-amz-security-token"), "the-token");
    let authorization = asked.header("authorization");
    assert!(
        authorization
            .starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260801/us-east-1/pricing/aws4_request, "),
        "{authorization}"
    );
    assert!(!format!("{:?} {asked:?}", key()).contains("the-secret"));
}

#[tokio::test]
async fn pages_of_a_query_are_followed() {
    let server = Server::new(|asked, before| {
        let first = products().replacen('{', "{\"NextToken\": \"more\", ", 1);
        assert_eq!(asked.body.contains("\"NextToken\":\"more\""), before == 1);
        ok(if before == 0 { first } else { "{\"PriceList\": []}".to_owned() })
    })
    .await;
    assert_eq!(micro(&fetch(&server, AwsMode::Query, &[], true).await.0.parsed), [m5_large()]);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn throttling_comes_as_a_refusal_and_is_waited_for() {
    let server = Server::new(|_, before| {
        if before == 0 { status(400, r#"{"__type": "ThrottlingException"}"#) } else { ok(products()) }
    })
    .await;
    let (fetched, pauses) = fetch(&server, AwsMode::Query, &[], true).await;
    assert_eq!((micro(&fetched.parsed), pauses), (vec![m5_large()], vec![375]));
}

#[tokio::test]
async fn without_credentials_the_file_is_still_read() {
    let server = Server::new(|_, _| ok(US_EAST_2)).await;
    let (fetched, _) = fetch(&server, AwsMode::Query, &[], false).await;
    assert_eq!(fetched.failures[0].1.to_string(), "no AWS credentials: none were given");
    assert_eq!(server.asked().len(), 0);
    for mode in [AwsMode::Bulk, AwsMode::Both] {
        let (fetched, _) = fetch(&server, mode, &[], false).await;
        assert!(fetched.failures.is_empty(), "{:?}", fetched.failures);
        assert!(micro(&fetched.parsed).contains(&m5_large()));
    }
    assert_eq!(server.targets()[0], "/offers/v1.0/aws/AmazonEC2/current/us-east-2/index.json");
}

#[tokio::test]
async fn a_download_ends_where_the_on_demand_terms_do() {
    // The file goes on for ever: whoever waits for its end waits in vain.
    let end = US_EAST_2.find("\"Reserved\"").unwrap();
    let begin = format!("{}\"Reserved\": {{\"filler\": \"", &US_EAST_2[..end]);
    let server = Server::new(move |_, _| Reply::Endless(begin.clone(), "filler filler filler filler")).await;
    let (fetched, _) = fetch(&server, AwsMode::Bulk, &[], false).await;
    assert!(fetched.failures.is_empty(), "{:?}", fetched.failures);
    assert!(micro(&fetched.parsed).contains(&m5_large()));
}

#[tokio::test]
async fn a_download_that_breaks_off_is_said() {
    let server = Server::new(|_, _| Reply::Break("{\"products\": {")).await;
    let (fetched, _) = fetch(&server, AwsMode::Bulk, &[], false).await;
    assert_eq!(fetched.parsed.quotes, []);
    let text = fetched.failures[0].1.to_string();
    assert!(
        text.contains("/offers/v1.0/aws/AmazonEC2/current/us-east-2/index.json does not answer: "),
        "{text}"
    );
}

#[tokio::test]
async fn spot_prices_come_beside_the_list() {
    let server = Server::new(|asked, _| {
        if is_query(asked) {
            ok(products())
        } else if asked.target.contains("NextToken=") {
            ok(SPOT)
        } else {
            ok(SPOT.replace("<nextToken/>", "<nextToken>more</nextToken>").replace("m1.xlarge", "m5.large"))
        }
    })
    .await;
    let (fetched, _) = fetch(&server, AwsMode::Query, &["m5.large", "m1.xlarge"], true).await;
    assert_eq!(
        micro(&fetched.parsed),
        [
            m5_large(),
            quote("aws-spot-history", "us-east-2", "m1.xlarge spot", 80_000_000),
            quote("aws-spot-history", "us-east-2", "m5.large spot", 80_000_000),
        ]
    );
    let asked = server.asked();
    let spot = asked.iter().find(|asked| !is_query(asked)).unwrap();
    assert_eq!(spot.method, "GET");
    assert_eq!(
        spot.target,
        "/?Action=DescribeSpotPriceHistory&Version=2016-11-15&ProductDescription.1=Linux%2FUNIX&\
         ProductDescription.2=Linux%2FUNIX%20%28Amazon%20VPC%29&StartTime=2026-08-01T12%3A00%3A00Z&MaxResults=1000&\
         InstanceType.1=m1.xlarge&InstanceType.2=m5.large"
    );
    assert!(spot.header("authorization").contains("/us-east-2/ec2/aws4_request"));
}

#[tokio::test]
async fn a_refused_history_costs_only_the_spot_prices() {
    let server = Server::new(|asked, _| {
        if is_query(asked) {
            ok(products())
        } else {
            status(
                403,
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>",
            )
        }
    })
    .await;
    let (fetched, _) = fetch(&server, AwsMode::Query, &["m5.large"], true).await;
    assert_eq!(micro(&fetched.parsed), [m5_large()]);
    assert!(
        fetched.failures[0]
            .1
            .to_string()
            .contains("answered 403: <Response><Errors><Error><Code>UnauthorizedOperation")
    );
}
