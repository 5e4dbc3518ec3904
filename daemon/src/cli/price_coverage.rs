//! `prices coverage`: which nodes rest on prices of which confidence.

use nightcap_core::money::Confidence;
use nightcap_core::units::PicoUsd;
use serde::Serialize;

use super::args::{Format, OutputArgs};
use super::client::{Client, parse};
use super::failure::Failure;
use super::money::amount;
use super::table::{csv, numbers, percent, render, words};
use crate::api::{Money, NodeList};

/// Nodes of one confidence.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Covered {
    /// `exact`, `list`, `estimated`, `default`, or `none` while no price has been found.
    confidence: String,
    /// By name.
    nodes: Vec<String>,
    /// Where their prices come from.
    sources: Vec<String>,
    /// What they cost together per hour.
    hourly_cost: Money,
    /// Of what all nodes cost.
    share: f64,
}

/// Asks the daemon; the answer as text.
pub(super) async fn answer(client: &Client, args: OutputArgs) -> Result<String, Failure> {
    let list: NodeList = parse(&client.get(&["nodes"], &[]).await?)?;
    write(&list, args.output)
}

pub(super) fn write(list: &NodeList, format: Format) -> Result<String, Failure> {
    let covered = coverage(list);
    match format {
        Format::Json => serde_json::to_string(&covered)
            .map(|json| json + "\n")
            .map_err(|error| Failure::failed(format!("cannot write the answer as JSON: {error}"))),
        Format::Csv => {
            let head = ["confidence", "nodes", "hourly_cost_usd", "share", "sources", "node_names"];
            csv(
                &head,
                covered.iter().map(|part| {
                    let (count, share) = (part.nodes.len().to_string(), part.share.to_string());
                    let cost = part.hourly_cost.to_string();
                    vec![
                        part.confidence.clone(),
                        count,
                        cost,
                        share,
                        part.sources.join(" "),
                        part.nodes.join(" "),
                    ]
                }),
            )
        }
        Format::Table => Ok(table(list, &covered)),
    }
}

fn table(list: &NodeList, covered: &[Covered]) -> String {
    if covered.is_empty() {
        return "There are no nodes yet.\n".to_owned();
    }
    let columns = [
        words("CONFIDENCE"),
        numbers("NODES"),
        numbers("USD/H"),
        numbers("SHARE"),
        words("SOURCES"),
        words("WHICH"),
    ];
    let cells = |part: &Covered| {
        vec![
            part.confidence.clone(),
            part.nodes.len().to_string(),
            amount(part.hourly_cost.0),
            percent(part.share),
            part.sources.join(", "),
            some(&part.nodes),
        ]
    };
    let rows: Vec<_> = covered.iter().map(cells).collect();
    let total = ["total".to_owned(), list.nodes.len().to_string(), amount(list.hourly_cost.0)];
    let total: Vec<String> = total.into_iter().chain(std::iter::repeat_n(String::new(), 3)).collect();
    format!("What the prices of nodes rest on.\n\n{}", render(&columns, &rows, Some(&total)))
}

/// The first few names; all of them are in JSON and CSV.
fn some(nodes: &[String]) -> String {
    const SHOWN: usize = 3;
    let names = nodes.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match nodes.len().saturating_sub(SHOWN) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

fn coverage(list: &NodeList) -> Vec<Covered> {
    let all = [
        Some(Confidence::Exact),
        Some(Confidence::List),
        Some(Confidence::Estimated),
        Some(Confidence::Default),
        None,
    ];
    let whole = list.hourly_cost.0.usd();
    let of = |confidence: Option<Confidence>| {
        let nodes = || {
            list.nodes.iter().filter(|node| node.price.as_ref().map(|price| price.confidence) == confidence)
        };
        let mut sources: Vec<String> =
            nodes().filter_map(|node| node.price.as_ref()).map(|price| price.source.clone()).collect();
        sources.sort();
        sources.dedup();
        let cost: PicoUsd = nodes().map(|node| node.hourly_cost.0).sum();
        Covered {
            confidence: confidence.map_or_else(|| "none".to_owned(), |confidence| confidence.to_string()),
            nodes: nodes().map(|node| node.name.clone()).collect(),
            sources,
            hourly_cost: Money(cost),
            share: if whole > 0.0 { cost.usd() / whole } else { 0.0 },
        }
    };
    all.into_iter().map(of).filter(|part| !part.nodes.is_empty()).collect()
}
