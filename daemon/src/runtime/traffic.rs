//! Scrapes counters of network traffic from where the configuration says there are some.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use nightcap_cluster::{Now, Sink};
use nightcap_core::engine::Event;
use nightcap_core::units::Instant;
use reqwest::{Client, Url};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::network_counters::Counters;

/// Each endpoint is asked this often.
const EVERY: Duration = Duration::from_mins(1);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// An answer larger than this is none of an agent of one node.
const MOST_BYTES: usize = 64 << 20;

/// Scrapes all endpoints until `stop`.
pub(super) async fn scrape(
    urls: Vec<Url>,
    now: Now,
    sink: Sink,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    if urls.is_empty() {
        return Ok(());
    }
    let client = Client::builder().timeout(PATIENCE).build().context("cannot make an HTTP client")?;
    let mut endpoints = JoinSet::new();
    for url in urls {
        let endpoint = Endpoint { url, counters: Counters::default(), good: None, is_failing: false };
        let run = endpoint.run(client.clone(), Arc::clone(&now), Arc::clone(&sink));
        let stop = stop.clone();
        endpoints.spawn(async move { stop.run_until_cancelled_owned(run).await.unwrap_or_default() });
    }
    endpoints.join_all().await;
    Ok(())
}

struct Endpoint {
    url: Url,
    counters: Counters,
    /// When it last answered as it should.
    good: Option<Instant>,
    is_failing: bool,
}

impl Endpoint {
    async fn run(mut self, client: Client, now: Now, sink: Sink) {
        let mut interval = tokio::time::interval(EVERY);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let answer = fetch(&client, &self.url).await;
            if let Some(event) = self.take(answer, now()) {
                sink(event).await;
            }
        }
    }

    /// The event that follows from an answer. What is wrong is logged when it begins, and when it is over.
    fn take(&mut self, answer: anyhow::Result<String>, at: Instant) -> Option<Event> {
        let read = answer.and_then(|text| {
            let reading = self.counters.read(&text, at);
            if reading.counters == 0 && reading.malformed > 0 {
                bail!("no line can be read; {}", reading.example.unwrap_or_default());
            }
            Ok(reading)
        });
        let reading = match read {
            Ok(reading) => reading,
            Err(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    let last_good = self.good.map_or_else(|| "never".to_owned(), |at| at.to_string());
                    tracing::warn!(
                        url = %self.url, error = format!("{error:#}"), last_good,
                        "Network counters cannot be read; traffic is missing from the bill meanwhile."
                    );
                }
                return None;
            }
        };
        if std::mem::take(&mut self.is_failing) {
            tracing::info!(url = %self.url, "Network counters are read again.");
        }
        if let Some(example) = reading.example.filter(|_| self.good.is_none()) {
            tracing::warn!(url = %self.url, lines = reading.malformed, example, "Some network counters cannot be read.");
        }
        self.good = Some(at);
        (!reading.samples.is_empty()).then_some(Event::Traffic(reading.samples))
    }
}

async fn fetch(client: &Client, url: &Url) -> anyhow::Result<String> {
    let mut answer = client.get(url.clone()).send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MOST_BYTES {
            bail!("the answer is larger than {} MiB", MOST_BYTES >> 20);
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).context("the answer is no text")
}

#[cfg(test)]
mod tests {
    use nightcap_core::engine::{Egress, TrafficSample};
    use nightcap_core::units::{Bytes, Millis};

    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint { url: url.parse().unwrap(), counters: Counters::default(), good: None, is_failing: false }
    }

    fn text(bytes: u64) -> String {
        format!(
            "kubecost_pod_network_egress_bytes_total{{pod_name=\"a\",namespace=\"pay\",internet=\"true\"}} {bytes}\n"
        )
    }

    #[test]
    fn endpoint_that_fails_goes_on_where_it_was() {
        let mut endpoint = endpoint("http://127.0.0.1:1/metrics");
        assert_eq!(endpoint.take(Ok(text(10)), Instant(60_000)), None, "nothing to compare with");
        assert_eq!(endpoint.take(Err(anyhow::anyhow!("refused")), Instant(120_000)), None);
        assert_eq!((endpoint.is_failing, endpoint.good), (true, Some(Instant(60_000))));
        let sample = TrafficSample {
            namespace: "pay".into(),
            pod: "a".into(),
            at: Instant(180_000),
            window: Millis(120_000),
            received: Bytes(0),
            sent: Bytes(32),
            egress: Some(Egress { internet: Bytes(32), ..Egress::default() }),
        };
        assert_eq!(endpoint.take(Ok(text(42)), Instant(180_000)), Some(Event::Traffic(vec![sample])));
        assert!(!endpoint.is_failing);
        assert_eq!(
            endpoint.take(Ok("kubecost_pod_network_egress_bytes_total{".to_owned()), Instant(240_000)),
            None
        );
        assert!(endpoint.is_failing, "an answer of which no line can be read is none");
    }

    #[tokio::test]
    async fn answer_is_fetched_and_a_refusal_named() {
        let app = axum::Router::new().route("/metrics", axum::routing::get(|| async { text(7) }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let url = |path: &str| format!("http://{address}/{path}").parse::<Url>().unwrap();
        let client = Client::new();
        assert_eq!(fetch(&client, &url("metrics")).await.unwrap(), text(7));
        let error = fetch(&client, &url("other")).await.unwrap_err().to_string();
        assert!(error.contains("404"), "{error}");
    }
}
