//! Patience with servers that are busy, and its end.

use nightcap_core::cluster::Provider;
use nightcap_pricing::live::azure::Azure;
use nightcap_pricing::live::{Fetched, LivePrices};

use super::server::{Reply, Server, client, ok, status};
use super::{NOW, micro, quote, wanted};

const SAVINGS: &str = include_str!("../samples/azure/retail_prices_savingsplan_reservation.json");

async fn ask(server: &Server) -> (Fetched, Vec<u64>) {
    let (http, pause) = client();
    let needs = [wanted(Provider::Azure, "australiacentral", &["Standard_B16als_v2"], &[], false)];
    let fetched = Azure::new(http, &server.url).fetch(&needs, NOW).await;
    (fetched, pause.pauses())
}

fn assert_priced(fetched: &Fetched) {
    assert!(fetched.failures.is_empty(), "{:?}", fetched.failures);
    let expected = quote("azure-retail", "australiacentral", "Standard_B16als_v2 on-demand", 673_000_000);
    assert_eq!(micro(&fetched.parsed), [expected]);
}

fn failure(fetched: &Fetched) -> String {
    assert_eq!((fetched.parsed.quotes.len(), fetched.failures.len()), (0, 1));
    fetched.failures[0].1.to_string()
}

fn busy(after: &str) -> Reply {
    Reply::Text(
        429,
        vec![("retry-after", after.to_owned())],
        r#"{"error": {"message": "slow down"}}"#.to_owned(),
    )
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let server = Server::new(|_, before| if before < 2 { busy("7") } else { ok(SAVINGS) }).await;
    let (fetched, pauses) = ask(&server).await;
    assert_priced(&fetched);
    assert_eq!(pauses, [7_000, 7_000]);
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_after_growing_pauses() {
    let server = Server::new(|_, before| if before < 4 { status(503, "") } else { ok(SAVINGS) }).await;
    let (fetched, pauses) = ask(&server).await;
    assert_priced(&fetched);
    // Three quarters of 0.5, 1, 2 and 4 seconds: the jitter of the test is a half.
    assert_eq!(pauses, [375, 750, 1_500, 3_000]);
}

#[tokio::test]
async fn patience_ends() {
    let server = Server::new(|_, _| status(500, "<h1>Internal   error</h1>")).await;
    let (fetched, pauses) = ask(&server).await;
    assert_eq!(
        failure(&fetched),
        format!("{}/api/retail/prices answered 500: <h1>Internal error</h1>", server.url)
    );
    assert_eq!((server.asked().len(), pauses.len()), (5, 4));

    // Somebody who asks for an hour is asked at the next refresh.
    let server = Server::new(|_, _| busy("3600")).await;
    let (fetched, pauses) = ask(&server).await;
    assert_eq!(failure(&fetched), format!("{}/api/retail/prices answered 429: slow down", server.url));
    assert_eq!((server.asked().len(), pauses.len()), (1, 0));
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    for code in [400, 401, 403, 404, 501] {
        let server = Server::new(move |_, _| status(code, "")).await;
        let (fetched, _) = ask(&server).await;
        let expected = format!("{}/api/retail/prices answered {code}: no reason given", server.url);
        assert_eq!(failure(&fetched), expected);
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again() {
    let server =
        Server::new(|_, before| if before == 0 { Reply::Break("{\"Items\": [") } else { ok(SAVINGS) }).await;
    let (fetched, pauses) = ask(&server).await;
    assert_priced(&fetched);
    assert_eq!(pauses, [375]);
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address_and_what_to_check() {
    let mut server = Server::new(|_, _| ok("")).await;
    // A port on which nobody listens any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    server.url.clone_from(&url);
    let (fetched, pauses) = ask(&server).await;
    let text = failure(&fetched);
    assert!(text.starts_with(&format!("{url}/api/retail/prices does not answer: ")), "{text}");
    assert!(
        text.contains("refused") && text.ends_with("; check the base URL, the network and proxies"),
        "{text}"
    );
    assert_eq!(pauses.len(), 4);
}

#[tokio::test]
async fn a_broken_payload_is_no_price_and_no_panic() {
    for body in ["", "{", "<html>", "[]", "{\"Items\": 5}", "null"] {
        let server = Server::new(move |_, _| ok(body)).await;
        let (fetched, _) = ask(&server).await;
        let text = failure(&fetched);
        assert!(text.starts_with("Azure's retail prices cannot be read: "), "{body:?}: {text}");
    }
}

#[tokio::test]
async fn a_compressed_answer_is_inflated() {
    let server = Server::new(|asked, _| {
        assert!(asked.header("accept-encoding").contains("gzip"));
        Reply::Gzip(SAVINGS)
    })
    .await;
    assert_priced(&ask(&server).await.0);
}
