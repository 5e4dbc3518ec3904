//! `examples/golden-bill.md`: the same cluster, and the same figures wherever they are told.

mod cluster;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono_tz::Tz;
use nightcap_core::engine::{Engine, Settings, Snapshot};
use nightcap_core::money::query::{self, Dimension, IDLE, Needs, TableBuilder};
use nightcap_core::units::{PicoUsd, Window};
use nightcap_history::{Archive, HistoryError};
use serde::Deserialize;
use tower::ServiceExt;

use crate::api::{CostReport, Money};
use crate::http::{AppState, OpenAccess, router};
use crate::metrics::Metrics;
use crate::records::Records;
use crate::test_cluster;
use cluster::{at, engine};

const WINDOW: &str = "2025-11-03T08:00:00Z,2025-11-03T12:00:00Z";
const CLUSTER: &str = "golden";

/// Amounts by name, as a table of the example or an answer tells them.
type Figures = BTreeMap<String, Money>;

fn window() -> Window {
    Window::new(at(0), at(240))
}

/// The picture at 12:00.
fn picture() -> Arc<Snapshot> {
    Arc::new(engine().snapshot(at(240)))
}

/// The rows of a table of the example, without its head. The words of markdown are taken off.
fn rows(table: &str) -> Vec<Vec<String>> {
    let text = include_str!("../../../examples/golden-bill.md");
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
