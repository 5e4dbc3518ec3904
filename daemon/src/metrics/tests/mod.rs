//! The text as Prometheus gets it, and the law of counters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::cluster::CapacityType;
use nightcap_core::engine::{Engine, Event, Settings, Snapshot};
use nightcap_core::money::Confidence;
use nightcap_core::money::query::{self, Dimension};
use nightcap_core::units::{Instant, Millis, Window};

use super::Metrics;
use crate::test_cluster::{namespace, node, now, pod, price, size, snapshot, start};

/// With the version taken out, which changes with every release.
fn text() -> String {
    Metrics::default().render(&snapshot()).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

/// With `NIGHTCAP_GOLDEN=write` the letter is written anew, to be looked at and committed.
#[test]
fn metrics_are_written_to_the_letter() {
    let (text, golden) = (text(), include_str!("golden.txt"));
    if std::env::var("NIGHTCAP_GOLDEN").is_ok_and(|what| what == "write") {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/metrics/tests/golden.txt"), &text).unwrap();
        return;
    }
    for (line, expected) in text.lines().zip(golden.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(text, golden);
}

#[test]
fn documented_names_are_the_ones_that_are_written() {
    let metrics = Metrics::default();
    metrics.count_request("/", "get", 200);
    let text = metrics.render(&snapshot()).unwrap();
    let written: BTreeSet<(String, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| (if kind == "counter" { format!("{name}_total") } else { name.to_owned() }, kind))
        .collect();
    let documented: BTreeSet<(String, &str)> = include_str!("../../../../docs/metrics.md")
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            Some((cells.next()?.trim_end_matches('`').to_owned(), cells.next()?))
        })
        .collect();
    assert_eq!(written, documented);
}

#[test]
fn documented_labels_are_the_ones_that_are_written() {
    let text = text();
    let labels = |line: &str| -> Option<(String, BTreeSet<String>)> {
        let (name, rest) = line.split_once('{')?;
        let labels = rest.rsplit_once('}')?.0.split("\",").filter_map(|pair| pair.split_once('='));
        Some((name.to_owned(), labels.map(|(label, _)| label.to_owned()).collect()))
    };
    let written: BTreeMap<_, _> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(labels).collect();
    for line in include_str!("../../../../docs/metrics.md").lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let (name, documented) = (cells[1].trim_matches('`'), cells[3]);
        let documented: BTreeSet<_> = documented
            .split(',')
            .map(|l| l.trim().trim_matches('`').to_owned())
            .filter(|l| !l.is_empty())
            .collect();
        if name != "nightcap_http_requests_total" {
            assert_eq!(written.get(name).cloned().unwrap_or_default(), documented, "{name}");
        }
    }
}

/// One node, whose pods come and go by the hour, with room for `keep_rows` rows.
fn engine(keep_rows: usize) -> Engine {
    let mut engine = Engine::new(Settings { keep_rows, ..Settings::new(start()) });
    engine.apply(Event::Node(node("n1", size(4_000, 16, 0), CapacityType::OnDemand)), start());
    engine.apply(price("n1", 192_000, Confidence::List), start());
    engine
}

/// Both engines see a pod an hour, in one of three namespaces.
fn hours_of_pods(engine: &mut Engine, hour: i64) {
    let name = format!("p{hour}");
    let namespace = ["a", "b", "c"][usize::try_from(hour).unwrap() % 3];
    let pod = pod((namespace, &name, "n1"), None, size(1_000, 4, 0), (hour, None));
    let (uid, from) = (Arc::clone(&pod.uid), pod.bound.unwrap());
    engine.apply(Event::Pod(pod), from);
    engine
        .apply(Event::PodGone { uid, at: from + Millis::from_minutes(40) }, from + Millis::from_minutes(40));
}

fn counter(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// What a query over everything since the start says.
fn asked(snapshot: &Snapshot) -> (f64, f64, BTreeMap<String, f64>) {
    let window = Window::new(snapshot.start, snapshot.at);
    let table = query::table(&snapshot.hours, &snapshot.cluster, window, &[Dimension::Space]);
    let spaces =
        table.groups.iter().map(|(key, group)| (key[0].to_string(), group.costs.total().usd())).collect();
    (table.total.usd(), table.idle.total().usd(), spaces)
}

#[test]
fn totals_go_on_when_hours_are_dropped() {
    let (mut small, mut large) = (engine(6), engine(10_000));
    for engine in [&mut small, &mut large] {
        for name in ["a", "b", "c"] {
            engine.apply(namespace(name, &[], &[]), start());
        }
    }
    let metrics = Metrics::default();
    let mut before: BTreeMap<String, f64> = BTreeMap::new();
    let mut dropped = false;
    for hour in 0..30 {
        for engine in [&mut small, &mut large] {
            hours_of_pods(engine, hour);
        }
        for minutes in [20, 50, 59] {
            let at = start() + Millis::from_hours(hour) + Millis::from_minutes(minutes);
            small.tick(at);
            large.tick(at);
            let few = Arc::new(small.snapshot(at));
            dropped |= few.hours[0].start > start();
            let text = metrics.render(&few).unwrap();
            let (total, idle, spaces) = asked(&large.snapshot(at));
            assert!(close(counter(&text, "nightcap_cluster_cost_dollars_total"), total), "{at}");
            assert!(close(counter(&text, "nightcap_idle_cost_dollars_total"), idle), "{at}");
            let team = counter(&text, "nightcap_team_cost_dollars_total{team=\"unowned\"}");
            assert!(close(team, spaces.values().sum()), "{at}");
            for line in text.lines().filter(|line| line.contains("_dollars_total")) {
                let Some((series, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) else {
                    continue;
                };
                let value: f64 = value.parse().unwrap();
                let last = before.insert(series.to_owned(), value).unwrap_or(0.0);
                assert!(last <= value, "{series} fell from {last} to {value} at {at}");
            }
        }
    }
    assert!(dropped, "the bound was never reached");
}

#[test]
fn money_that_is_given_back_holds_a_counter_still() {
    let mut engine = engine(10_000);
    let pod = pod(("a", "p", "n1"), None, size(4_000, 16, 0), (0, None));
    let uid = Arc::clone(&pod.uid);
    engine.apply(Event::Pod(pod), start());
    let metrics = Metrics::default();
    let show = |engine: &mut Engine, minutes: i64| -> (f64, f64) {
        let at = start() + Millis::from_minutes(minutes);
        engine.tick(at);
        let text = metrics.render(&Arc::new(engine.snapshot(at))).unwrap();
        let team = counter(&text, "nightcap_team_cost_dollars_total{team=\"unowned\"}");
        (team, counter(&text, "nightcap_cluster_cost_dollars_total"))
    };
    assert_eq!(show(&mut engine, 30), (0.096, 0.096));
    // It ended at minute 10, and nobody knew.
    engine.apply(
        Event::PodGone { uid, at: start() + Millis::from_minutes(10) },
        start() + Millis::from_minutes(31),
    );
    let (team, cluster) = show(&mut engine, 45);
    assert_eq!((team, cluster), (0.096, 0.144), "the team's counter does not fall, the cluster's goes on");
}

#[test]
fn spaces_that_are_gone_are_forgotten_with_their_last_hour() {
    let mut engine = engine(3);
    let metrics = Metrics::default();
    let mut text = String::new();
    for hour in 0..9 {
        if hour == 0 {
            hours_of_pods(&mut engine, hour);
        }
        let at = start() + Millis::from_hours(hour) + Millis::from_minutes(50);
        engine.tick(at);
        text = metrics.render(&Arc::new(engine.snapshot(at))).unwrap();
        if hour == 0 {
            assert!(text.contains("nightcap_space_cost_dollars_total{space=\"a\""), "{text}");
        }
    }
    assert!(!text.contains("nightcap_space_cost_dollars_total"), "{text}");
    let team = counter(&text, "nightcap_team_cost_dollars_total{team=\"unowned\"}");
    assert!(close(team, 0.048 * 40.0 / 60.0), "{team}");
}

#[test]
fn label_values_are_escaped() {
    let mut engine = engine(100);
    engine.apply(Event::Node(node("we\"ird\\\n", size(1_000, 1, 0), CapacityType::Spot)), start());
    engine.apply(price("we\"ird\\\n", 1_000, Confidence::List), start());
    let text = Metrics::default().render(&Arc::new(engine.snapshot(now()))).unwrap();
    assert!(text.contains(r#"node_total_hourly_cost{instance="we\"ird\\\n",node="we\"ird\\\n","#), "{text}");
}

#[test]
fn older_picture_changes_nothing() {
    let mut engine = engine(100);
    let metrics = Metrics::default();
    let at = |hours| -> Instant { start() + Millis::from_hours(hours) };
    let (old, new) = (Arc::new(engine.snapshot(at(1))), Arc::new(engine.snapshot(at(2))));
    metrics.observe(&new);
    let text = metrics.render(&old).unwrap();
    assert!(close(counter(&text, "nightcap_cluster_cost_dollars_total"), 0.384), "{text}");
}
