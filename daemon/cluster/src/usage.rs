//! The metrics API: what each pod used.

use nightcap_core::engine::{Event, Kind, UsageSample};
use nightcap_core::units::{Instant, Millis, Resources, parse_rfc3339};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::convert::{Interner, resources_of};
use crate::error::whole;
use crate::{Cluster, ClusterError, Now, Sink};

const PODS: &str = "/apis/metrics.k8s.io/v1beta1/pods";
/// A list of ten thousand pods takes metrics-server a second or two.
const PATIENCE: Duration = Duration::from_secs(30);
/// If even the newest sample is older than this, the source has stopped.
const STALE: Millis = Millis::from_minutes(10);

/// Scrapes the metrics API at every tick of `interval`, until `stop`.
pub async fn run_usage(
    cluster: &Cluster,
    mut interval: tokio::time::Interval,
    now: &Now,
    sink: &Sink,
    stop: &CancellationToken,
) {
    let mut names = Interner::default();
    let run = async {
        loop {
            interval.tick().await;
            for event in scrape(cluster, now, &mut names).await {
                sink(event).await;
            }
        }
    };
    stop.run_until_cancelled(run).await;
}

async fn scrape(cluster: &Cluster, now: &Now, names: &mut Interner) -> Vec<Event> {
    match tokio::time::timeout(PATIENCE, fetch(cluster)).await {
        Ok(Ok(body)) => events(&body, now(), names),
        Ok(Err(error)) => vec![failed(reason(&error))],
        Err(_) => vec![failed(format!("the metrics API does not answer within {} s", PATIENCE.as_secs()))],
    }
}

async fn fetch(cluster: &Cluster) -> Result<String, ClusterError> {
    let request = http::Request::get(PODS).body(Vec::new()).map_err(kube::Error::HttpError)?;
    Ok(cluster.client.request_text(request).await?)
}

fn reason(error: &ClusterError) -> String {
    match error {
        ClusterError::Answered { code: 404, .. } => {
            "this cluster has no metrics API (metrics.k8s.io/v1beta1); install metrics-server".to_owned()
        }
        ClusterError::Answered { code: 503, message } => {
            format!("the metrics API is there, but not what serves it (metrics-server): {message}")
        }
        other => other.to_string(),
    }
}

fn failed(reason: String) -> Event {
    Event::UsageFailed { reason: reason.into() }
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct PodMetrics<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    window: Cow<'a, str>,
    #[serde(borrow)]
    containers: Vec<Container<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Container<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    usage: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

/// The events that follow from one answer of the metrics API. A pod whose item cannot be read goes without a sample,
/// all others have theirs.
fn events(body: &str, now: Instant, names: &mut Interner) -> Vec<Event> {
    let items = match serde_json::from_str::<List<'_>>(body) {
        Ok(list) => list.items,
        Err(error) => {
            return vec![failed(format!("the answer of the metrics API is no list of pods: {error}"))];
        }
    };
    let mut bad = Vec::new();
    let mut samples = Vec::with_capacity(items.len());
    for item in items {
        match sample(item, names) {
            Ok(sample) => samples.push(sample),
            Err((object, reason)) => {
                let reason = format!("its usage: {reason}").into();
                bad.push(Event::Unreadable { kind: Kind::Pod, object: object.into(), reason });
            }
        }
    }
    let newest = samples.iter().map(|sample| sample.at).max();
    let usage = match newest {
        Some(newest) if now.since(newest) > STALE => {
            failed(format!("the metrics API stands still: its newest sample is of {newest}"))
        }
        _ => Event::Usage(samples),
    };
    bad.into_iter().chain([usage]).collect()
}

fn sample(item: &RawValue, names: &mut Interner) -> Result<UsageSample, (String, String)> {
    let metrics: PodMetrics<'_> =
        serde_json::from_str(item.get()).map_err(|error| ("(unknown)".to_owned(), error.to_string()))?;
    let object = || format!("{}/{}", metrics.metadata.namespace, metrics.metadata.name);
    let wrong = |reason: String| (object(), reason);
    let at = parse_rfc3339(&metrics.timestamp)
        .ok_or_else(|| wrong(format!("timestamp {:?} is no RFC 3339 instant", metrics.timestamp)))?;
    let window = go_duration(&metrics.window)
        .ok_or_else(|| wrong(format!("window {:?} is no duration such as 30s", metrics.window)))?;
    let mut usage = Resources::default();
    for container in &metrics.containers {
        let list = container.usage.iter().map(|(name, text)| (&**name, &**text));
        let field = || format!("containers[{}].usage", container.name);
        usage += resources_of(list, field).map_err(|error| wrong(whole(&error)))?;
    }
    Ok(UsageSample {
        namespace: names.get(&metrics.metadata.namespace),
        pod: names.get(&metrics.metadata.name),
        at,
        window,
        usage,
    })
}

/// A duration as Go prints it: `30s`, `1m0.5s`, `999ms`. Parts below a millisecond are dropped.
fn go_duration(text: &str) -> Option<Millis> {
    let mut rest = text;
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(unit_at);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let scale: u128 = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "µs" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
        let places = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        nanos = nanos.checked_add(digits.checked_mul(scale)? / places)?;
        rest = next;
    }
    (!text.is_empty()).then_some(())?;
    i64::try_from(nanos / 1_000_000).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt;
    use nightcap_core::units::{Bytes, Cpu, Gpu};
    use serde_json::{Value, json};

    use super::*;
    use crate::server::{Answer, cluster, scripted};

    const NOW: Instant = Instant(1_772_438_400_000);

    fn item(name: &str, timestamp: &str, window: &str, cpu: &str) -> Value {
        json!({
            "metadata": { "name": name, "namespace": "pay", "labels": { "app": "api" } },
            "timestamp": timestamp,
            "window": window,
            "containers": [
                { "name": "api", "usage": { "cpu": cpu, "memory": "13000Ki" } },
                { "name": "side", "usage": { "cpu": "1u", "memory": "1Mi" } },
            ],
        })
    }

    fn told(items: &[Value]) -> Vec<Event> {
        let body = json!({ "kind": "PodMetricsList", "items": items }).to_string();
        events(&body, NOW, &mut Interner::default())
    }

    fn its_sample(name: &str) -> UsageSample {
        UsageSample {
            namespace: "pay".into(),
            pod: name.into(),
            at: Instant(1_772_438_383_000),
            window: Millis(15_123),
            usage: Resources {
                cpu: Cpu(250_919_273),
                memory: Bytes((13_000 << 10) + (1 << 20)),
                gpu: Gpu(0),
            },
        }
    }

    fn good(name: &str) -> Value {
        item(name, "2026-03-02T07:59:43Z", "15.123s", "250918273n")
    }

    #[test]
    fn containers_of_a_pod_add_up() {
        assert_eq!(told(&[good("a"), good("b")]), [Event::Usage(vec![its_sample("a"), its_sample("b")])]);
        assert_eq!(told(&[]), [Event::Usage(vec![])]);
    }

    #[test]
    fn item_that_cannot_be_read_hurts_only_itself() {
        let unreadable = |object: &str, reason: &str| Event::Unreadable {
            kind: Kind::Pod,
            object: object.into(),
            reason: reason.into(),
        };
        let events = told(&[
            item("bad-cpu", "2026-03-02T07:59:43Z", "15s", "many"),
            item("bad-time", "yesterday", "15s", "1"),
            item("bad-window", "2026-03-02T07:59:43Z", "a while", "1"),
            json!({ "metadata": {} }),
            good("a"),
        ]);
        let wanted = [
            unreadable(
                "pay/bad-cpu",
                "its usage: containers[api].usage.cpu: \"many\" is no quantity: expected a number with an optional \
                 suffix such as m, k, Mi or e3",
            ),
            unreadable("pay/bad-time", "its usage: timestamp \"yesterday\" is no RFC 3339 instant"),
            unreadable("pay/bad-window", "its usage: window \"a while\" is no duration such as 30s"),
            unreadable("(unknown)", "its usage: missing field `namespace` at line 1 column 14"),
            Event::Usage(vec![its_sample("a")]),
        ];
        assert_eq!(events, wanted);
    }

    #[test]
    fn source_that_stands_still_is_told() {
        let reason = "the metrics API stands still: its newest sample is of 2026-03-02T07:49:59Z";
        assert_eq!(told(&[item("a", "2026-03-02T07:49:59Z", "15s", "1")]), [failed(reason.to_owned())]);
        let one_is_fresh = told(&[item("old", "2026-03-02T07:00:00Z", "15.123s", "1"), good("a")]);
        assert!(
            matches!(&one_is_fresh[..], [Event::Usage(samples)] if samples.len() == 2),
            "{one_is_fresh:?}"
        );
    }

    #[tokio::test]
    async fn metrics_api_that_is_missing_or_broken_is_told_with_what_to_do() {
        let cases = [
            (
                Answer { status: 404, retry_after: None, body: "404 page not found\n".into() },
                "this cluster has no metrics API (metrics.k8s.io/v1beta1); install metrics-server",
            ),
            (
                Answer { status: 503, retry_after: None, body: "service unavailable\n".into() },
                "the metrics API is there, but not what serves it (metrics-server): service unavailable",
            ),
            (
                Answer { status: 200, retry_after: None, body: "<html>".into() },
                "the answer of the metrics API is no list of pods: expected value at line 1 column 1",
            ),
            (
                Answer::failure(403, "pods.metrics.k8s.io is forbidden"),
                "the API server answers 403: pods.metrics.k8s.io is forbidden",
            ),
        ];
        for (answer, reason) in cases {
            let (cluster, log) = scripted([answer]);
            let now: Now = Arc::new(|| NOW);
            let events = scrape(&cluster, &now, &mut Interner::default()).await;
            assert_eq!(events, [failed(reason.to_owned())]);
            assert_eq!(log.lines(), ["GET /apis/metrics.k8s.io/v1beta1/pods"]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_tick_scrapes_once_until_the_stop() {
        let (cluster, log) = cluster(|_| Answer::json(200, &json!({ "items": [] })));
        let stop = CancellationToken::new();
        let (ended, now): (_, Now) = (stop.clone(), Arc::new(|| NOW));
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let sink: Sink = Arc::new(move |_| {
            if seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 2 {
                ended.cancel();
            }
            async {}.boxed()
        });
        let interval = tokio::time::interval(Duration::from_mins(1));
        run_usage(&cluster, interval, &now, &sink, &stop).await;
        assert_eq!(log.lines().len(), 3);
    }

    #[test]
    fn durations_are_read_as_go_prints_them() {
        for (text, millis) in [
            ("30s", Some(30_000)),
            ("15.123456s", Some(15_123)),
            ("1m0.5s", Some(60_500)),
            ("1h2m3s", Some(3_723_000)),
            ("999.9ms", Some(999)),
            ("12µs", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("30", None),
            ("s", None),
            ("-1s", None),
            ("1d", None),
            ("1..5s", None),
            ("99999999999999999999999999999999999999999h", None),
        ] {
            assert_eq!(go_duration(text), millis.map(Millis), "{text}");
        }
    }
}
