//! `cost`: who cost what, with a total that is the bill.

use chrono_tz::Tz;

use super::args::{CostArgs, ExportFormat, Format, How};
use super::client::{Client, parse};
use super::failure::Failure;
use super::money::{amount, dollars};
use super::table::{Column, numbers, percent, render, words};
use super::words::{notes, span};
use crate::api::{CostReport, CostRow, CostStep, Money, RowKind};
use crate::export::cost_csv;

/// Asks the daemon; the answer as text.
pub(super) async fn answer(client: &Client, args: &CostArgs, zone: Tz) -> Result<String, Failure> {
    let query = query(args);
    let query = pairs(&query);
    if args.format.is_some() {
        return client.get(&["export"], &query).await;
    }
    let body = client.get(&["cost"], &query).await?;
    match args.output.output {
        Format::Json => Ok(body + "\n"),
        Format::Csv => as_csv(&parse(&body)?),
        Format::Table => Ok(as_table(&parse(&body)?, args.timezone.unwrap_or(zone))),
    }
}

/// Asks the daemon for Parquet.
pub(super) async fn parquet(client: &Client, args: &CostArgs) -> Result<Vec<u8>, Failure> {
    client.get_bytes(&["export"], &pairs(&query(args))).await
}

/// Refuses to write Parquet where people read.
pub(super) fn check_place(args: &CostArgs, is_terminal: bool) -> Result<(), Failure> {
    match args.format {
        Some(ExportFormat::Parquet) if is_terminal => Err(Failure::usage(
            "--format parquet writes a file, and this is a terminal: write e.g. nightcap cost --format parquet > cost.parquet",
        )),
        _ => Ok(()),
    }
}

fn pairs<'a>(query: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    query.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The parameters that say the same.
pub(super) fn query(args: &CostArgs) -> Vec<(&'static str, String)> {
    let idle = if args.no_idle { "false" } else { "true" };
    let mut query = vec![("by", args.by.clone()), ("window", args.window.clone()), ("idle", idle.to_owned())];
    let mut add = |name, value: Option<String>| query.extend(value.map(|value| (name, value)));
    let switch = |on: bool| on.then(|| "true".to_owned());
    add("step", args.step.map(|step| step.to_string()));
    add("accumulate", switch(args.accumulate));
    add("filter", args.filter.clone());
    add("top", args.top.map(|top| top.to_string()));
    add("timezone", args.timezone.map(|zone| zone.name().to_owned()));
    add("format", args.format.map(export_format));
    let share = &args.share;
    add("share", switch(share.share));
    add("share_idle", share.share_idle.map(how));
    add("share_shared", share.share_shared.map(how));
    add("share_overhead", share.share_overhead.map(how));
    add("idle_by_node", switch(share.idle_by_node));
    add("shared_namespaces", share.shared_namespaces.clone());
    add("shared_labels", share.shared_labels.clone());
    add("shared_daemonsets", switch(share.shared_daemonsets));
    add("shared_system", switch(share.shared_system));
    query
}

fn export_format(format: ExportFormat) -> String {
    match format {
        ExportFormat::Focus => "focus",
        ExportFormat::Parquet => "parquet",
    }
    .to_owned()
}

fn how(how: How) -> String {
    match how {
        How::Weighted => "weighted",
        How::Even => "even",
        How::None => "none",
    }
    .to_owned()
}

/// One table a step, for people.
pub(super) fn as_table(report: &CostReport, zone: Tz) -> String {
    let mut text = String::new();
    for step in &report.steps {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &step_table(report, step, zone);
    }
    text + &notes(&report.warnings)
}

fn step_table(report: &CostReport, step: &CostStep, zone: Tz) -> String {
    let title = format!(
        "Cost of {} by {}, {}, in {}.\n\n",
        report.cluster,
        report.by.join(", "),
        span(step.window, zone),
        report.currency
    );
    let heads: Vec<String> = report.by.iter().map(|by| by.to_uppercase()).collect();
    let parts: Vec<&Part> = PARTS.iter().filter(|part| part.always || part.is_in(step)).collect();
    let mut columns: Vec<Column<'_>> = heads.iter().map(|head| words(head)).collect();
    columns.extend([numbers("COST"), numbers("SHARE")]);
    columns.extend(parts.iter().map(|part| numbers(part.head)));
    columns.push(words(""));
    let rows: Vec<_> = step.rows.iter().map(|row| cells(&report.by, row, &parts)).collect();

    let sum: Money = step.rows.iter().map(|row| row.cost).sum();
    let is_bill = sum == step.total;
    let mut total = vec![if is_bill { "total" } else { "shown" }.to_owned()];
    total.resize(report.by.len(), String::new());
    total.extend([amount(sum.0), percent(step.rows.iter().map(|row| row.share).sum())]);
    total.extend(parts.iter().map(|part| amount(step.rows.iter().map(part.cost).sum::<Money>().0)));
    total.push(String::new());

    title + &render(&columns, &rows, Some(&total)) + "\n" + &remarks(report, step, zone)
}

/// A column of a part of cost.
struct Part {
    head: &'static str,
    cost: fn(&CostRow) -> Money,
    always: bool,
}

impl Part {
    fn is_in(&self, step: &CostStep) -> bool {
        step.rows.iter().any(|row| (self.cost)(row) != Money::default())
    }
}

const fn part(head: &'static str, always: bool, cost: fn(&CostRow) -> Money) -> Part {
    Part { head, cost, always }
}

/// All of them; those that nobody pays for are left out. Together they are the cost of a row.
const PARTS: [Part; 9] = [
    part("CPU", true, |row| row.cpu_cost),
    part("MEMORY", true, |row| row.memory_cost),
    part("GPU", false, |row| row.gpu_cost),
    part("STORAGE", false, |row| row.storage_cost),
    part("BALANCERS", false, |row| row.load_balancer_cost),
    part("NETWORK", false, |row| row.network_zone_cost + row.network_region_cost + row.network_internet_cost),
    part("OVERHEAD", false, |row| row.control_plane_cost + row.overhead_share_cost),
    part("SHARED", false, |row| row.fixed_cost + row.shared_share_cost),
    part("IDLE", false, |row| row.idle_share_cost),
];

fn cells(by: &[String], row: &CostRow, parts: &[&Part]) -> Vec<String> {
    let mut cells: Vec<String> = match row.kind {
        RowKind::Group => {
            by.iter().map(|by| row.key.get(by).map_or("", |value| name(value)).to_owned()).collect()
        }
        RowKind::Others => vec![format!("{} others", row.groups)],
        _ => vec![row.name.replace("__", "")],
    };
    cells.resize(by.len(), String::new());
    cells.extend([amount(row.cost.0), percent(row.share)]);
    cells.extend(parts.iter().map(|part| amount((part.cost)(row).0)));
    cells.push(marks(row).to_owned());
    cells
}

/// What of a row is not as exact as the rest; explained under the table.
const fn marks(row: &CostRow) -> &'static str {
    match (row.prorated, row.late) {
        (true, true) => "p l",
        (true, false) => "p",
        (false, true) => "l",
        (false, false) => "",
    }
}

fn remarks(report: &CostReport, step: &CostStep, zone: Tz) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        text += &line;
        text.push('\n');
    };
    let shown: Money = step.rows.iter().map(|row| row.cost).sum();
    if shown == step.total {
        say(format!("The total is the bill: what everything cost, {} of it idle.", dollars(step.idle.0)));
    } else if step.filtered == Money::default() {
        say(format!("The bill is {}: idle, {}, is left out.", dollars(step.total.0), dollars(step.idle.0)));
    } else {
        let filtered = dollars(step.filtered.0);
        say(format!(
            "The bill is {}: the filter leaves out {filtered}; nobody's share changes by it.",
            dollars(step.total.0)
        ));
    }
    if step.saved.0.0 != 0 {
        say(format!("Sleep saved {} in the same time.", dollars(step.saved.0)));
    }
    let parts: Vec<_> = step
        .by_confidence
        .iter()
        .filter(|(_, part)| part.0.0 != 0)
        .map(|(confidence, part)| format!("{confidence} {}", percent(part.usd() / step.total.usd())))
        .collect();
    if !parts.is_empty() {
        say(format!("Prices: {}.", parts.join(", ")));
    }
    if step.provisional {
        let settled = super::when::clock(report.settled, report.at, zone);
        say(format!("Provisional: what is after {settled} may still change."));
    }
    if step.coarse {
        say("Coarse: hours that are not kept any more count in proportion to time, out of their days."
            .to_owned());
    }
    if step.rows.iter().any(|row| row.prorated) {
        say("p: the window cuts an hour, which counts in proportion to time.".to_owned());
    }
    if step.rows.iter().any(|row| row.late) {
        say("l: holds a correction from a fact that came late.".to_owned());
    }
    text
}

/// A value of a dimension as people would say it.
fn name(value: &str) -> &str {
    if value == "__unallocated__" { "-" } else { value }
}

/// One line a row, amounts with all their decimals.
pub(super) fn as_csv(report: &CostReport) -> Result<String, Failure> {
    cost_csv(report).map_err(|error| Failure::failed(format!("cannot write CSV: {error}")))
}
