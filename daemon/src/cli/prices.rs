//! `prices`: what each node costs, where the price comes from, and how sure it is.

use super::args::{Format, OutputArgs};
use super::client::{Client, parse};
use super::failure::Failure;
use super::money::amount;
use super::table::{csv, numbers, render, words};
use crate::api::{NodeList, NodeReport, PriceReport};

/// Asks the daemon; the answer as text.
pub(super) async fn answer(client: &Client, args: OutputArgs) -> Result<String, Failure> {
    let body = client.get(&["nodes"], &[]).await?;
    match args.output {
        Format::Json => Ok(body + "\n"),
        Format::Csv => as_csv(&parse(&body)?),
        Format::Table => Ok(as_table(&parse(&body)?)),
    }
}

/// For people.
pub(super) fn as_table(list: &NodeList) -> String {
    if list.nodes.is_empty() {
        return "There are no nodes yet.\n".to_owned();
    }
    let columns = [
        words("NODE"),
        words("TYPE"),
        words("REGION"),
        words("BOUGHT"),
        numbers("CORES"),
        numbers("GIB"),
        numbers("GPUS"),
        numbers("USD/H"),
        words("CONFIDENCE"),
        words("SOURCE"),
        words("HOW IT WAS FOUND"),
    ];
    let rows: Vec<_> = list.nodes.iter().map(cells).collect();
    let mut total = vec![String::new(); columns.len()];
    "total".clone_into(&mut total[0]);
    total[7] = amount(list.hourly_cost.0);
    format!("Nodes and their prices per hour.\n\n{}", render(&columns, &rows, Some(&total)))
}

fn cells(node: &NodeReport) -> Vec<String> {
    let known = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let (cost, confidence, from, reason) = match &node.price {
        Some(price) => {
            (amount(node.hourly_cost.0), price.confidence.to_string(), source(price), price.reason.clone())
        }
        None => {
            ("-".to_owned(), "none".to_owned(), "-".to_owned(), "No price has been found yet.".to_owned())
        }
    };
    vec![
        node.name.clone(),
        known(&node.instance_type),
        known(&node.region),
        node.capacity_type.clone(),
        format!("{:.1}", node.cpu_cores),
        format!("{:.1}", node.memory_gib),
        node.gpus.to_string(),
        cost,
        confidence,
        from,
        reason,
    ]
}

fn source(price: &PriceReport) -> String {
    if price.date.is_empty() { price.source.clone() } else { format!("{} of {}", price.source, price.date) }
}

/// One line a node, amounts with all their decimals.
pub(super) fn as_csv(list: &NodeList) -> Result<String, Failure> {
    let head = [
        "node",
        "provider",
        "region",
        "zone",
        "instance_type",
        "capacity_type",
        "cpu_cores",
        "memory_gib",
        "gpus",
        "hourly_cost_usd",
        "confidence",
        "source",
        "date",
        "reason",
    ];
    csv(
        &head,
        list.nodes.iter().map(|node| {
            let price = node.price.as_ref();
            let of = |field: fn(&PriceReport) -> String| price.map(field).unwrap_or_default();
            vec![
                node.name.clone(),
                node.provider.clone(),
                node.region.clone(),
                node.zone.clone(),
                node.instance_type.clone(),
                node.capacity_type.clone(),
                node.cpu_cores.to_string(),
                node.memory_gib.to_string(),
                node.gpus.to_string(),
                price.map(|_| node.hourly_cost.to_string()).unwrap_or_default(),
                of(|price| price.confidence.to_string()),
                of(|price| price.source.clone()),
                of(|price| price.date.clone()),
                of(|price| price.reason.clone()),
            ]
        }),
    )
}
