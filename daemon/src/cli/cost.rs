//! `cost`: who cost what, with a total that is the bill.

use chrono_tz::Tz;
use nightcap_core::units::format_duration;

use super::args::{CostArgs, Format};
use super::client::{Client, parse};
use super::failure::Failure;
use super::money::{amount, dollars};
use super::table::{Column, csv, numbers, percent, render, words};
use super::words::{notes, span};
use crate::api::{CostReport, CostRow, CostStep};

/// How the API names the line of what nobody used.
const IDLE: &str = "__idle__";

/// Asks the daemon; the answer as text.
pub(super) async fn answer(client: &Client, args: &CostArgs, zone: Tz) -> Result<String, Failure> {
    let idle = if args.no_idle { "false" } else { "true" };
    let step = args.step.map(format_duration);
    let mut query = vec![("by", args.by.as_str()), ("window", args.window.as_str()), ("idle", idle)];
    query.extend(step.as_deref().map(|step| ("step", step)));
    let body = client.get(&["cost"], &query).await?;
    match args.output.output {
        Format::Json => Ok(body + "\n"),
        Format::Csv => as_csv(&parse(&body)?),
        Format::Table => Ok(as_table(&parse(&body)?, zone)),
    }
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
    let has_gpus = step.rows.iter().any(|row| row.gpu_cost != crate::api::Money::default());
    let mut columns: Vec<Column<'_>> = heads.iter().map(|head| words(head)).collect();
    columns.extend([numbers("COST"), numbers("SHARE"), numbers("CPU"), numbers("MEMORY")]);
    if has_gpus {
        columns.push(numbers("GPU"));
    }
    columns.push(words(""));
    let rows: Vec<_> = step.rows.iter().map(|row| cells(&report.by, row, has_gpus)).collect();

    let with_idle = step.rows.iter().any(|row| row.name == IDLE);
    let sum = if with_idle { step.total } else { step.allocated };
    let part =
        |of: fn(&CostRow) -> crate::api::Money| amount(step.rows.iter().map(of).sum::<crate::api::Money>().0);
    let mut total = vec![if with_idle { "total" } else { "allocated" }.to_owned()];
    total.resize(report.by.len(), String::new());
    total.extend([
        amount(sum.0),
        percent(step.rows.iter().map(|row| row.share).sum()),
        part(|row| row.cpu_cost),
        part(|row| row.memory_cost),
    ]);
    if has_gpus {
        total.push(part(|row| row.gpu_cost));
    }
    total.push(String::new());

    title + &render(&columns, &rows, Some(&total)) + "\n" + &remarks(report, step, with_idle, zone)
}

fn cells(by: &[String], row: &CostRow, has_gpus: bool) -> Vec<String> {
    let mut cells: Vec<String> = if row.name == IDLE {
        let mut cells = vec!["idle".to_owned()];
        cells.resize(by.len(), String::new());
        cells
    } else {
        by.iter().map(|by| row.key.get(by).map_or("", |value| name(value)).to_owned()).collect()
    };
    cells.extend([amount(row.cost.0), percent(row.share), amount(row.cpu_cost.0), amount(row.memory_cost.0)]);
    if has_gpus {
        cells.push(amount(row.gpu_cost.0));
    }
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

fn remarks(report: &CostReport, step: &CostStep, with_idle: bool, zone: Tz) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        text += &line;
        text.push('\n');
    };
    if with_idle {
        say(format!("The total is the bill: what all nodes cost, {} of it idle.", dollars(step.idle.0)));
    } else {
        say(format!("The bill is {}: idle, {}, is left out.", dollars(step.total.0), dollars(step.idle.0)));
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
    let mut head = vec!["window_start", "window_end"];
    head.extend(report.by.iter().map(String::as_str));
    head.extend([
        "cost_usd",
        "cpu_cost_usd",
        "memory_cost_usd",
        "gpu_cost_usd",
        "share",
        "cpu_core_hours",
        "memory_gib_hours",
        "gpu_hours",
        "prorated",
        "late",
    ]);
    let rows = report.steps.iter().flat_map(|step| step.rows.iter().map(move |row| (step, row)));
    csv(
        &head,
        rows.map(|(step, row)| {
            let mut cells = vec![step.window.start.to_rfc3339(), step.window.end.to_rfc3339()];
            if row.name == IDLE {
                cells.push(IDLE.to_owned());
                cells.resize(2 + report.by.len(), String::new());
            } else {
                cells.extend(report.by.iter().map(|by| row.key.get(by).cloned().unwrap_or_default()));
            }
            cells.extend(
                [row.cost, row.cpu_cost, row.memory_cost, row.gpu_cost].map(|money| money.to_string()),
            );
            cells.extend(
                [row.share, row.cpu_core_hours, row.memory_gib_hours, row.gpu_hours].map(|n| n.to_string()),
            );
            cells.extend([row.prorated, row.late].map(|flag| flag.to_string()));
            cells
        }),
    )
}
