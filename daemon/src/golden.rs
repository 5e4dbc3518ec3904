//! `examples/golden-bill.md`: the same cluster, and the same figures wherever they are told.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono_tz::Tz;
use nightcap_core::cluster::{
    Claim, ClaimKey, Keys, Namespace, Node, NodeFacts, Pod, PodPhase, Service, Volume, VolumeFacts,
};
use nightcap_core::engine::{
    Egress, Engine, Event, FixedCost, Settings, Snapshot, TrafficSample, UsageSample,
};
use nightcap_core::money::query::{self, Dimension, IDLE, Needs, TableBuilder};
use nightcap_core::money::{Confidence, EgressPrices, NodePrice, PodRates, PriceSource, Split};
use nightcap_core::units::{
    Bytes, Cpu, Gpu, Instant, Millis, PicoUsd, Rate, Resources, Window, parse_rfc3339,
};
use nightcap_history::{Archive, HistoryError};
use serde::Deserialize;
use tower::ServiceExt;

use crate::api::{CostReport, Money};
use crate::http::{AppState, OpenAccess, router};
use crate::metrics::Metrics;
use crate::records::Records;
use crate::test_cluster;

const WINDOW: &str = "2025-11-03T08:00:00Z,2025-11-03T12:00:00Z";
const CLUSTER: &str = "golden";
/// One dollar.
const USD: u64 = 1_000_000_000_000;

/// Amounts by name, as a table of the example or an answer tells them.
type Figures = BTreeMap<String, Money>;

/// So many minutes after 08:00.
fn at(minutes: i64) -> Instant {
    parse_rfc3339("2025-11-03T08:00:00Z").unwrap() + Millis::from_minutes(minutes)
}

fn window() -> Window {
    Window::new(at(0), at(240))
}

fn size(millicores: u64, gib: u64, gpus: u64) -> Resources {
    Resources {
        cpu: Cpu::from_millis(millicores),
        memory: Bytes::from_gib(gib),
        gpu: Gpu::from_devices(gpus),
    }
}

fn price(hourly: u64) -> NodePrice {
    NodePrice {
        hourly: Rate(hourly),
        confidence: Confidence::Exact,
        source: PriceSource { id: "example".into(), date: "2025-11-01".into() },
        reason: "as the example says".into(),
        by_pod: None,
    }
}

fn node(name: &str, capacity: Resources, from: i64, price: NodePrice) -> [Event; 2] {
    let node = Node {
        uid: name.into(),
        name: name.into(),
        created: at(from),
        provider_id: format!("example://{name}").into(),
        facts: NodeFacts::default(),
        capacity,
        ready: true,
    };
    [Event::Node(node), Event::NodePriced { uid: name.into(), price }]
}

fn namespace(name: &str, team: Option<&str>) -> Event {
    Event::Namespace(Namespace {
        uid: name.into(),
        name: name.into(),
        resource_version: team.unwrap_or("none").into(),
        created: at(0),
        labels: team.map(|team| ("team".into(), team.into())).into_iter().collect(),
        annotations: Keys::new(),
        terminating: false,
    })
}

/// A pod that is bound.
fn bound(name: &str, node: &str, requests: Resources, from: i64) -> Pod {
    let (namespace, pod) = name.split_once('/').unwrap();
    let lake = ["etl-1", "train-1"].contains(&pod).then(|| "lake".into());
    Pod {
        uid: name.into(),
        namespace: namespace.into(),
        name: pod.into(),
        node: Some(node.into()),
        owner: None,
        requests,
        bound: Some(at(from)),
        ended: None,
        phase: PodPhase::Running,
        ready: true,
        claims: lake.into_iter().collect(),
        facts: None,
    }
}

fn ended(pod: &Pod, to: i64) -> Event {
    let (ended, phase, ready) = (Some(at(to)), PodPhase::Finished, false);
    Event::Pod(Pod { ended, phase, ready, ..pod.clone() })
}

fn volume(name: &str, claim: Option<&str>) -> Event {
    Event::Volume(Volume {
        uid: name.into(),
        name: name.into(),
        created: at(0),
        provider_id: "".into(),
        facts: VolumeFacts::default(),
        capacity: Bytes::from_gib(100),
        claim_uid: claim.map(Into::into),
        failed: false,
    })
}

fn usage(pod: &str, to: i64, minutes: i64, usage: Resources) -> Event {
    let (namespace, pod) = pod.split_once('/').unwrap();
    Event::Usage(vec![UsageSample {
        namespace: namespace.into(),
        pod: pod.into(),
        at: at(to),
        window: Millis::from_minutes(minutes),
        usage,
    }])
}

/// What was there at 08:00.
fn beginning() -> Vec<Event> {
    let mut events = vec![
        namespace("shop", Some("shop")),
        namespace("data", Some("data")),
        namespace("lab", Some("data")),
        namespace("scratch", None),
    ];
    events.extend(node("general-1", size(4_000, 16, 0), 0, price(USD * 32 / 100)));
    events.extend(node("gpu-1", size(8_000, 32, 1), 0, price(2 * USD)));
    events.extend([
        Event::Claim(Claim {
            key: ClaimKey { namespace: "data".into(), name: "lake".into() },
            uid: "claim-lake".into(),
            created: at(0),
            volume: None,
            requested: Bytes::from_gib(100),
            labels: Keys::new(),
            annotations: Keys::new(),
        }),
        volume("pv-lake", Some("claim-lake")),
        Event::AssetPriced { uid: "pv-lake".into(), price: price(USD * 2 / 100) },
        volume("pv-old", None),
        Event::AssetPriced { uid: "pv-old".into(), price: price(8 * USD / 730) },
        Event::ControlPlanePriced(price(USD / 10)),
        Event::EgressPriced(EgressPrices {
            zone: PicoUsd(i128::from(USD / 100)),
            region: PicoUsd(i128::from(USD / 50)),
            internet: PicoUsd(i128::from(USD * 9 / 100)),
            confidence: Confidence::Exact,
            source: PriceSource { id: "example".into(), date: "2025-11-01".into() },
        }),
        Event::Pod(bound("shop/web-1", "general-1", size(1_000, 4, 0), 0)),
        Event::Pod(bound("lab/notebook-1", "gpu-1", size(4_000, 16, 1), 0)),
    ]);
    events
}

/// Everything that happened, with the minute in which it was seen.
fn events() -> Vec<(i64, Event)> {
    let by_pod = PodRates { core: Rate(USD * 4 / 100), gib: Rate(USD * 5 / 1_000), system_is_free: false };
    let fargate = NodePrice { by_pod: Some(by_pod), ..price(USD * 3 / 100) };
    let web_2 = bound("shop/web-2", "general-1", size(1_000, 2, 0), 30);
    let report = bound("data/report-1", "fargate-1", size(500, 2, 0), 60);
    let etl = bound("data/etl-1", "general-1", size(1_000, 4, 0), 120);
    let import = bound("scratch/import-1", "general-1", size(500, 2, 0), 180);
    let pending = Pod { phase: PodPhase::Pending, ready: false, ..import.clone() };
    let traffic = TrafficSample {
        namespace: "shop".into(),
        pod: "web-1".into(),
        at: at(30),
        window: Millis::from_minutes(30),
        received: Bytes(0),
        sent: Bytes::from_gib(7),
        egress: Some(Egress { zone: Bytes::from_gib(5), region: Bytes(0), internet: Bytes::from_gib(2) }),
    };
    let balancer = Service {
        uid: "svc-web".into(),
        namespace: "shop".into(),
        name: "web".into(),
        created: at(60),
        class: "".into(),
        address: "192.0.2.1".into(),
        labels: Keys::new(),
        annotations: Keys::new(),
    };
    let mut events: Vec<_> = beginning().into_iter().map(|event| (0, event)).collect();
    events.extend([(30, Event::Pod(web_2.clone())), (30, Event::Traffic(vec![traffic]))]);
    events.extend(node("fargate-1", size(500, 2, 0), 60, fargate).map(|event| (60, event)));
    events.extend([
        (60, Event::Pod(report.clone())),
        (60, Event::Service(balancer)),
        (60, Event::AssetPriced { uid: "svc-web".into(), price: price(USD * 25 / 1_000) }),
        (90, usage("shop/web-1", 90, 30, size(1_500, 3, 0))),
        (105, namespace("lab", Some("shop"))),
        (120, usage("shop/web-1", 120, 30, size(500, 3, 0))),
        (120, Event::Pod(etl.clone())),
        (120, Event::Pod(bound("data/train-1", "gpu-1", size(2_000, 8, 0), 120))),
        (150, ended(&report, 150)),
        (150, Event::NodeGone { uid: "fargate-1".into(), at: at(150) }),
        (180, usage("data/etl-1", 180, 60, size(3_000, 2, 0))),
        (180, ended(&etl, 180)),
        (180, Event::Pod(pending)),
        (210, Event::Pod(import)),
        (210, ended(&web_2, 210)),
    ]);
    events
}

/// The cluster as it was seen, until 12:00.
fn engine() -> Engine {
    let mut engine = Engine::new(Settings {
        cluster: CLUSTER.into(),
        split: Split { cpu_per_gib_millionths: 4_000_000, gpu_per_gib_millionths: 36_000_000 },
        fixed: vec![FixedCost { name: "support".into(), hourly: Rate(146 * USD / 730) }],
        ..Settings::new(at(0))
    });
    for (minute, event) in events() {
        engine.apply(event, at(minute));
    }
    engine
}

/// The picture at 12:00.
fn picture() -> Arc<Snapshot> {
    Arc::new(engine().snapshot(at(240)))
}

/// The rows of a table of the example, without its head. The words of markdown are taken off.
fn rows(table: &str) -> Vec<Vec<String>> {
    let text = include_str!("../../examples/golden-bill.md");
    let (_, from) = text.split_once(&format!("<!-- {table} -->\n")).unwrap();
    let (body, _) = from.split_once("<!-- end -->").unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().trim_matches(['`', '*']).to_owned())
            .collect()
    };
    body.lines().skip(2).map(cells).collect()
}

/// Amounts by the first `names` cells, and the total.
fn told(table: &str, names: usize) -> (Figures, Option<Money>) {
    let mut figures = Figures::new();
    for row in rows(table) {
        let amount = row.last().unwrap().parse().unwrap();
        assert_eq!(figures.insert(row[..names].join(": "), amount), None, "{table}: {row:?}");
    }
    let total = figures.remove("total");
    (figures, total)
}

/// What teams and lines pay, and the bill.
fn teams() -> (Figures, Money) {
    let (figures, total) = told("teams", 1);
    (figures, total.unwrap())
}

fn sum(figures: &Figures) -> Money {
    figures.values().copied().sum()
}

fn add(figures: &mut Figures, name: impl Into<String>, amount: PicoUsd) {
    if amount.0 != 0 {
        *figures.entry(name.into()).or_default() += amount.into();
    }
}

#[test]
fn the_tables_of_the_example_add_up() {
    let (teams, bill) = teams();
    let (assets, total) = told("assets", 1);
    assert_eq!((sum(&teams), sum(&assets), total), (bill, bill, Some(bill)));
    let mut by_team = Figures::new();
    for (name, amount) in told("payers", 2).0 {
        *by_team.entry(name.split_once(": ").unwrap().0.to_owned()).or_default() += amount;
    }
    assert_eq!(by_team, teams);
}

#[test]
fn every_row_of_the_ledger_is_the_one_in_the_example() {
    let mut figures = Figures::new();
    for hour in &picture().hours {
        for row in &hour.allocations {
            let (pod, team) = (&row.holder.pod, &row.holder.attribution.team);
            add(&mut figures, format!("{team}: {}/{}", pod.namespace, pod.name), row.cost.total());
        }
        for row in &hour.assets {
            add(&mut figures, format!("{IDLE}: {}", row.node.name), row.idle.total());
        }
        for row in &hour.flat {
            let (team, asset) = (&row.attribution.team, &row.asset.name);
            let by = row.pod.as_ref().map(|pod| format!(" by {}/{}", pod.namespace, pod.name));
            add(&mut figures, format!("{team}: {asset}{}", by.unwrap_or_default()), row.cost);
        }
    }
    assert_eq!(figures, told("payers", 2).0);
}

#[test]
fn each_hour_of_a_node_is_the_one_in_the_example() {
    let picture = picture();
    let hours: Vec<Vec<String>> = picture
        .hours
        .iter()
        .map(|hour| {
            let asset = hour.assets.iter().find(|row| &*row.node.name == "general-1").unwrap();
            let of_pod = |name: &str| -> PicoUsd {
                let rows = hour.allocations.iter().filter(|row| &*row.holder.pod.name == name);
                rows.map(|row| row.cost.total()).sum()
            };
            let amounts = [
                of_pod("web-1"),
                of_pod("web-2"),
                of_pod("etl-1"),
                of_pod("import-1"),
                asset.idle.total(),
                asset.cost.total(),
            ];
            let mut cells = vec![hour.start.to_rfc3339()[11..16].to_owned()];
            cells.push(asset.charged.cpu_core_hours.to_string());
            cells.extend(amounts.map(|amount| amount_text(amount.into())));
            cells
        })
        .collect();
    assert_eq!(hours, rows("general-1"));
}

/// An amount as the example writes it.
fn amount_text(amount: Money) -> String {
    let text = amount.to_string();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn by_team(report: &CostReport) -> Figures {
    report.steps[0].rows.iter().map(|row| (row.name.clone(), row.cost)).collect()
}

async fn get(path: &str) -> String {
    let snapshot = Arc::unwrap_or_clone(picture());
    let state = AppState::new(test_cluster::handle_of(snapshot), Arc::new(OpenAccess), Tz::UTC);
    let response = router(state).oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!(status, 200, "{path}: {text}");
    text
}

#[tokio::test]
async fn the_api_says_what_the_example_says() {
    let (expected, bill) = teams();
    let answer = get(&format!("/api/v1/cost?by=team&idle=true&window={WINDOW}")).await;
    let report: CostReport = serde_json::from_str(&answer).unwrap();
    assert_eq!((by_team(&report), report.steps[0].total), (expected, bill));
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allocation {
    total_cost: Money,
}

#[derive(Deserialize)]
struct Allocations {
    data: Vec<BTreeMap<String, Allocation>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asset {
    properties: AssetName,
    total_cost: Money,
}

#[derive(Deserialize)]
struct AssetName {
    name: String,
}

#[derive(Deserialize)]
struct Assets {
    data: BTreeMap<String, Asset>,
}

#[tokio::test]
async fn opencosts_api_says_what_the_example_says() {
    let (expected, bill) = teams();
    let text = get(&format!("/allocation?aggregate=team&includeIdle=true&window={WINDOW}")).await;
    let answer: Allocations = serde_json::from_str(&text).unwrap();
    let rows: Figures = answer.data[0].iter().map(|(name, row)| (name.clone(), row.total_cost)).collect();
    assert_eq!(rows, expected);

    let answer: Assets = serde_json::from_str(&get(&format!("/assets?window={WINDOW}")).await).unwrap();
    let assets: Figures =
        answer.data.into_values().map(|asset| (asset.properties.name, asset.total_cost)).collect();
    assert_eq!((sum(&assets), assets), (bill, told("assets", 1).0));
}

#[test]
fn metrics_say_what_the_example_says() {
    let (expected, bill) = teams();
    let text = Metrics::default().render(&picture()).unwrap();
    let mut figures = Figures::new();
    for line in text.lines() {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let name = match series {
            "nightcap_idle_cost_dollars_total" => Some(IDLE),
            "nightcap_cluster_cost_dollars_total" => Some("total"),
            _ => ["nightcap_team_cost_dollars_total{team=\"", "nightcap_line_cost_dollars_total{line=\""]
                .iter()
                .find_map(|family| series.strip_prefix(family)?.strip_suffix("\"}")),
        };
        if let Some(name) = name {
            figures.insert(name.to_owned(), value.parse().unwrap());
        }
    }
    assert_eq!((figures.remove("total"), figures), (Some(bill), expected));
}

/// Writes the four hours, once they do not change any more.
fn write(folder: &Path) -> Archive {
    let archive = Archive::open(folder, CLUSTER).unwrap();
    let mut engine = engine();
    engine.tick(at(250));
    let closed: Vec<_> =
        engine.snapshot(at(250)).hours.iter().filter(|hour| !hour.open).map(Arc::clone).collect();
    assert_eq!(closed.len(), 4);
    for hour in closed {
        archive.write_hour(&hour).unwrap();
    }
    archive
}

#[test]
fn parquet_says_what_the_example_says() {
    let (expected, bill) = teams();
    let folder = tempfile::tempdir().unwrap();
    let archive = Arc::new(write(folder.path()));
    // A picture of a daemon that has nothing in memory any more.
    let nothing =
        Engine::new(Settings { cluster: CLUSTER.into(), ..Settings::new(at(600)) }).snapshot(at(600));
    let records = Records::new(Arc::new(nothing), Some(archive));
    let mut query = query::Query::new(CLUSTER.into(), window());
    query.by = vec![Dimension::Team];
    let mut builder = TableBuilder::new(query);
    let left_out = records.each_hour(window(), &Needs::by(&[Dimension::Team]), |hour| {
        builder.add(hour);
        Ok::<(), HistoryError>(())
    });
    assert_eq!(left_out.unwrap(), Vec::<String>::new());
    let table = builder.finish().swap_remove(0);
    let mut figures = Figures::new();
    for (key, group) in &table.groups {
        add(&mut figures, &*key[0], group.costs.total());
    }
    for line in &table.lines {
        add(&mut figures, &*line.name, line.group.costs.total());
    }
    assert_eq!((figures, Money(table.total)), (expected, bill));

    let assets = records.assets(window()).unwrap();
    let mut figures = Figures::new();
    for node in &assets.nodes {
        add(&mut figures, &*node.node.name, node.cost.total());
    }
    for flat in &assets.flat {
        add(&mut figures, &*flat.asset.name, flat.cost);
    }
    assert_eq!(figures, told("assets", 1).0);
}

/// The command line over the folder, as a user would type it.
fn typed(folder: &Path, output: &str) -> String {
    let folder = folder.to_str().unwrap();
    let line = ["nightcap", "cost", "--data-dir", folder, "--by", "team", "--window", WINDOW, "-o", output];
    crate::cli::answer(line.map(Into::into)).unwrap()
}

#[test]
fn the_command_line_says_what_the_example_says() {
    let (expected, bill) = teams();
    let folder = tempfile::tempdir().unwrap();
    drop(write(folder.path()));
    let text = typed(folder.path(), "csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let column = |name| head.iter().position(|column| column == name).unwrap();
    let (team, cost) = (column("team"), column("cost_usd"));
    let figures: Figures = reader
        .records()
        .map(Result::unwrap)
        .map(|row| (row[team].to_owned(), row[cost].parse().unwrap()))
        .collect();
    assert_eq!(figures, expected);
    let table = typed(folder.path(), "table");
    let total = table.lines().find_map(|line| line.strip_prefix("total")).unwrap();
    let shown = total.split_whitespace().next().unwrap();
    assert_eq!((shown, &bill.to_string()[..5]), ("10.95", "10.95"), "{table}");
}
