//! Counters of network traffic, as OpenCost's and Kubecost's network-costs show them: from two readings to the bytes
//! in between. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::engine::{Egress, TrafficSample};
use nightcap_core::units::{Bytes, Instant, Millis};

const EGRESS: &str = "kubecost_pod_network_egress_bytes_total";
const INGRESS: &str = "kubecost_pod_network_ingress_bytes_total";
/// A series that is not shown for so long is forgotten. Until then it goes on where it was: one answer without it does
/// not make it new.
const REMEMBERED: Millis = Millis::HOUR;

/// Which way bytes went, as far as prices differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    In,
    /// Within the zone, or nobody says whereto.
    Near,
    Zone,
    Region,
    Internet,
}

/// One line.
#[derive(Clone, PartialEq, Debug)]
struct Line<'a> {
    /// Name and labels as written: what tells series apart.
    series: &'a str,
    namespace: String,
    pod: String,
    way: Way,
    bytes: u64,
}

/// A counter as last seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    bytes: u64,
    at: Instant,
}

/// Namespace and name.
type PodKey = (Arc<str>, Arc<str>);

/// What one endpoint has shown so far.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pods: BTreeMap<PodKey, BTreeMap<Box<str>, Seen>>,
}

/// What follows from one answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reading {
    /// Of each pod that has been seen before.
    pub(super) samples: Vec<TrafficSample>,
    /// How many counters there were.
    pub(super) counters: usize,
    /// Lines that cannot be read; they hurt only themselves.
    pub(super) malformed: usize,
    /// The first of them, with what is wrong.
    pub(super) example: Option<String>,
}

impl Counters {
    /// Takes in an answer of `at`.
    ///
    /// What a pod sent before it was first seen is nowhere: nothing tells when it did. A counter that has become
    /// smaller has begun anew, and so has a new one of a pod that is known.
    pub(super) fn read(&mut self, text: &str, at: Instant) -> Reading {
        let mut reading = Reading::default();
        let mut lines: BTreeMap<PodKey, Vec<Line<'_>>> = BTreeMap::new();
        for text in text.lines() {
            match line(text.trim()) {
                Ok(None) => {}
                Ok(Some(line)) => {
                    reading.counters += 1;
                    let pod = (line.namespace.as_str().into(), line.pod.as_str().into());
                    lines.entry(pod).or_default().push(line);
                }
                Err(problem) => {
                    reading.malformed += 1;
                    reading.example.get_or_insert_with(|| format!("{problem}: {}", cut(text)));
                }
            }
        }
        for (pod, lines) in lines {
            reading.samples.extend(self.pod(pod, &lines, at));
        }
        self.pods.retain(|_, series| {
            series.retain(|_, seen| at.since(seen.at) < REMEMBERED);
            !series.is_empty()
        });
        reading
    }

    fn pod(&mut self, pod: PodKey, lines: &[Line<'_>], at: Instant) -> Option<TrafficSample> {
        let (namespace, name) = pod.clone();
        let known = self.pods.entry(pod).or_default();
        let newest = known.values().map(|seen| seen.at).max();
        let (mut since, mut received, mut sent) = (newest, Bytes(0), Bytes(0));
        let mut egress = Egress::default();
        for line in lines {
            let before = known.insert(line.series.into(), Seen { bytes: line.bytes, at });
            if newest.is_none() {
                continue;
            }
            let (from, bytes) = match before {
                Some(before) if before.bytes <= line.bytes => (Some(before.at), line.bytes - before.bytes),
                Some(before) => (Some(before.at), line.bytes),
                None => (newest, line.bytes),
            };
            since = since.min(from);
            let bytes = Bytes(bytes);
            match line.way {
                Way::In => received += bytes,
                Way::Near => sent += bytes,
                Way::Zone => (sent, egress.zone) = (sent + bytes, egress.zone + bytes),
                Way::Region => (sent, egress.region) = (sent + bytes, egress.region + bytes),
                Way::Internet => (sent, egress.internet) = (sent + bytes, egress.internet + bytes),
            }
        }
        let window = at.since(since?);
        (window > Millis(0)).then_some(TrafficSample {
            namespace,
            pod: name,
            at,
            window,
            received,
            sent,
            egress: Some(egress),
        })
    }
}

/// A line of the text format; none for what is no counter of ours.
fn line(text: &str) -> Result<Option<Line<'_>>, &'static str> {
    let Some((name, rest)) = text.split_once('{') else { return Ok(None) };
    let is_egress = match name.trim_end() {
        EGRESS => true,
        INGRESS => false,
        _ => return Ok(None),
    };
    let (labels, rest) = labels(rest)?;
    let series = text.get(..text.len() - rest.len()).unwrap_or(text);
    let value = rest.split_whitespace().next().ok_or("it has no value")?;
    let bytes = bytes(value).ok_or("its value is no count of bytes")?;
    let label = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
    let namespace = label("namespace").filter(|name| !name.is_empty()).ok_or("it names no namespace")?;
    let pod = label("pod_name").or_else(|| label("pod")).filter(|name| !name.is_empty());
    let pod = pod.ok_or("it names no pod")?;
    let way = if !is_egress {
        Way::In
    } else if label("internet") == Some("true") {
        Way::Internet
    } else if label("same_region") == Some("false") {
        Way::Region
    } else if label("same_zone") == Some("false") {
        Way::Zone
    } else {
        Way::Near
    };
    let (namespace, pod) = (namespace.to_owned(), pod.to_owned());
    Ok(Some(Line { series, namespace, pod, way, bytes }))
}

/// Labels with their values.
type Labels<'a> = Vec<(&'a str, String)>;

/// The labels up to the closing brace, and what comes after it.
fn labels(mut rest: &str) -> Result<(Labels<'_>, &str), &'static str> {
    const OPEN: &str = "its labels do not end";
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_once('=').ok_or(OPEN)?;
        let quoted = after.trim_start().strip_prefix('"').ok_or("a value of a label is not quoted")?;
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        rest = loop {
            match characters.next().ok_or(OPEN)? {
                (at, '"') => break quoted.get(at + 1..).ok_or(OPEN)?,
                (_, '\\') => match characters.next().ok_or(OPEN)?.1 {
                    'n' => value.push('\n'),
                    escaped @ ('\\' | '"') => value.push(escaped),
                    // Not an escape of the format: kept as it is, as Prometheus does.
                    other => value.extend(['\\', other]),
                },
                (_, character) => value.push(character),
            }
        };
        labels.push((name.trim(), value));
    }
}

/// A count of bytes: whole, or a float as Go prints large ones.
fn bytes(text: &str) -> Option<u64> {
    /// Above it floats skip whole numbers, and no pod gets there: 9 PB.
    const MOST: f64 = 9_007_199_254_740_992.0;
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole);
    }
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=MOST).contains(number))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked just before")]
    Some(number.round() as u64)
}

/// Enough of a line to find it.
fn cut(text: &str) -> &str {
    text.char_indices().nth(120).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minute(n: i64) -> Instant {
        Instant(n * 60_000)
    }

    fn counter(pod: &str, labels: &str, value: &str) -> String {
        format!("{EGRESS}{{pod_name=\"{pod}\",namespace=\"pay\",{labels}}} {value}\n")
    }

    const INTERNET: &str = r#"internet="true",same_zone="false",same_region="false""#;
    const REGION: &str = r#"internet="false",same_zone="false",same_region="false""#;
    const ZONE: &str = r#"internet="false",same_zone="false",same_region="true""#;
    const NEAR: &str = r#"internet="false",same_zone="true",same_region="true""#;

    fn sample(pod: &str, minutes: [i64; 2], received: u64, sent: u64, egress: [u64; 3]) -> TrafficSample {
        let [zone, region, internet] = egress.map(Bytes);
        TrafficSample {
            namespace: "pay".into(),
            pod: pod.into(),
            at: minute(minutes[1]),
            window: minute(minutes[1]).since(minute(minutes[0])),
            received: Bytes(received),
            sent: Bytes(sent),
            egress: Some(Egress { zone, region, internet }),
        }
    }

    #[test]
    fn bytes_between_two_readings_are_told_by_where_they_went() {
        let text = |n: u64| {
            [
                "# HELP kubecost_pod_network_egress_bytes_total Bytes.\n# TYPE x counter\n".to_owned(),
                counter("api-1", INTERNET, &(1_000 * n).to_string()),
                counter("api-1", REGION, &(200 * n).to_string()),
                counter("api-1", ZONE, &(30 * n).to_string()),
                counter("api-1", NEAR, &n.to_string()),
                format!("{INGRESS}{{pod_name=\"api-1\",namespace=\"pay\",internet=\"true\"}} {}\n", 7 * n),
                "container_cpu_usage_seconds_total{pod=\"api-1\"} 5\nup 1\n\n".to_owned(),
            ]
            .concat()
        };
        let mut counters = Counters::default();
        assert_eq!(counters.read(&text(5), minute(0)), Reading { counters: 5, ..Reading::default() });
        let reading = counters.read(&text(6), minute(1));
        assert_eq!(reading.samples, [sample("api-1", [0, 1], 7, 1_231, [30, 200, 1_000])]);
        assert_eq!((reading.counters, reading.malformed), (5, 0));
    }

    #[test]
    fn counter_that_became_smaller_has_begun_anew() {
        let mut counters = Counters::default();
        counters.read(&counter("a", INTERNET, "500"), minute(0));
        let reading = counters.read(&counter("a", INTERNET, "20"), minute(1));
        assert_eq!(reading.samples, [sample("a", [0, 1], 0, 20, [0, 0, 20])]);
    }

    #[test]
    fn new_counter_of_a_known_pod_counts_from_nothing_and_a_new_pod_from_here() {
        let mut counters = Counters::default();
        counters.read(&counter("a", INTERNET, "500"), minute(0));
        let text = counter("a", INTERNET, "500") + &counter("a", ZONE, "40") + &counter("b", ZONE, "9000");
        assert_eq!(counters.read(&text, minute(1)).samples, [sample("a", [0, 1], 0, 40, [40, 0, 0])]);
    }

    #[test]
    fn pod_that_was_missing_goes_on_where_it_was_and_is_forgotten_in_the_end() {
        let mut counters = Counters::default();
        counters.read(&counter("a", INTERNET, "500"), minute(0));
        assert_eq!(counters.read("", minute(1)), Reading::default());
        let reading = counters.read(&counter("a", INTERNET, "560"), minute(2));
        assert_eq!(reading.samples, [sample("a", [0, 2], 0, 60, [0, 0, 60])]);
        counters.read("", minute(62));
        assert_eq!(counters.read(&counter("a", INTERNET, "570"), minute(63)).samples, []);
    }

    #[test]
    fn malformed_lines_hurt_only_themselves() {
        let good = |value: &str| counter("a", INTERNET, value);
        let bad = [
            counter("a", INTERNET, "NaN"),
            counter("a", INTERNET, "-1"),
            counter("a", INTERNET, "+Inf"),
            counter("a", INTERNET, ""),
            format!("{EGRESS}{{pod_name=\"a\",namespace=\"pay\" 5\n"),
            format!("{EGRESS}{{pod_name=\"a\",namespace=pay}} 5\n"),
            format!("{EGRESS}{{pod_name=\"a\"}} 5\n"),
            format!("{EGRESS}{{namespace=\"pay\"}} 5\n"),
            format!("{EGRESS}{{pod_name=\"a\\"),
        ];
        let mut counters = Counters::default();
        counters.read(&good("1"), minute(0));
        let reading = counters.read(&(bad.concat() + "\n" + &good("3")), minute(1));
        assert_eq!(reading.samples, [sample("a", [0, 1], 0, 2, [0, 0, 2])]);
        assert_eq!((reading.counters, reading.malformed), (1, bad.len()));
        let example = reading.example.unwrap();
        assert!(
            example.starts_with(&format!("its value is no count of bytes: {EGRESS}{{pod_name=\"a\"")),
            "{example}"
        );
    }

    #[test]
    fn values_and_labels_are_read_as_the_format_has_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1.5e+06", Some(1_500_000)),
            ("12345678901234", Some(12_345_678_901_234)),
            ("1.2345678901234e+13", Some(12_345_678_901_234)),
            ("1e300", None),
            ("x", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
        let text = r#"kubecost_pod_network_egress_bytes_total { namespace = "pay" , pod_name="a\"b\\c\nd}" , service="\d", } 5 1772438400000"#;
        let read = line(text).unwrap().unwrap();
        assert_eq!((read.pod.as_str(), read.namespace.as_str(), read.bytes), ("a\"b\\c\nd}", "pay", 5));
        assert_eq!(read.way, Way::Near, "nobody says whereto");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", tail in ".{0,80}") {
            let mut counters = Counters::default();
            counters.read(&text, minute(0));
            counters.read(&format!("{EGRESS}{{{tail}"), minute(1));
        }

        #[test]
        fn bytes_told_are_the_bytes_counted(steps in proptest::collection::vec(0u64..1_000_000, 1..20)) {
            let mut counters = Counters::default();
            let (mut total, mut told) = (0, 0);
            counters.read(&counter("a", INTERNET, "0"), minute(0));
            for (n, step) in (1..).zip(&steps) {
                total += step;
                let reading = counters.read(&counter("a", INTERNET, &total.to_string()), minute(n));
                told += reading.samples.iter().map(|sample| sample.sent.0).sum::<u64>();
            }
            prop_assert_eq!(told, total);
        }
    }
}
