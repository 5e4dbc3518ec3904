//! `savings`: what sleep has saved.

use chrono_tz::Tz;

use super::args::{Format, SavingsArgs};
use super::client::{Client, parse};
use super::failure::Failure;
use super::money::{amount, dollars, one_decimal};
use super::table::{Column, csv, numbers, render, words};
use super::words::{notes, span};
use crate::api::SavingsReport;

/// Asks the daemon; the answer as text.
pub(super) async fn answer(client: &Client, args: &SavingsArgs, zone: Tz) -> Result<String, Failure> {
    let query = [("by", args.by.as_str()), ("window", args.window.as_str())];
    let body = client.get(&["savings"], &query).await?;
    match args.output.output {
        Format::Json => Ok(body + "\n"),
        Format::Csv => as_csv(&parse(&body)?),
        Format::Table => Ok(as_table(&parse(&body)?, zone)),
    }
}

/// For people.
pub(super) fn as_table(report: &SavingsReport, zone: Tz) -> String {
    let title = format!(
        "Saved by sleep in {} by {}, {}, in {}.\n\n",
        report.cluster,
        report.by.join(", "),
        span(report.window, zone),
        report.currency
    );
    if report.rows.is_empty() {
        return title + "Nothing has slept in this window.\n" + &notes(&report.warnings);
    }
    let heads: Vec<String> = report.by.iter().map(|by| by.to_uppercase()).collect();
    let mut columns: Vec<Column<'_>> = heads.iter().map(|head| words(head)).collect();
    columns.extend([
        numbers("SAVED"),
        numbers("WORKLOAD-HOURS"),
        numbers("CORE-HOURS"),
        numbers("GIB-HOURS"),
    ]);
    let rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| {
            let mut cells: Vec<String> =
                report.by.iter().map(|by| row.key.get(by).cloned().unwrap_or_default()).collect();
            cells.push(amount(row.saved.0));
            cells.extend(
                [row.asleep_workload_hours, row.cpu_freed_core_hours, row.memory_freed_gib_hours]
                    .map(one_decimal),
            );
            cells
        })
        .collect();
    let mut total = vec!["total".to_owned()];
    total.resize(report.by.len(), String::new());
    total.push(amount(report.saved.0));
    total.extend([
        one_decimal(report.rows.iter().map(|row| row.asleep_workload_hours).sum::<f64>()),
        one_decimal(report.rows.iter().map(|row| row.cpu_freed_core_hours).sum::<f64>()),
        one_decimal(report.rows.iter().map(|row| row.memory_freed_gib_hours).sum::<f64>()),
    ]);
    let mut text = vec![title, render(&columns, &rows, Some(&total)), "\n".to_owned()];
    text.push(format!(
        "Saved are the requests that were freed, over the hours each workload slept, at the cluster's prices; the nodes cost {} in the same time.\n",
        dollars(report.cost.0)
    ));
    if report.provisional {
        text.push("Provisional: the last minutes may still change.\n".to_owned());
    }
    if report.prorated {
        text.push("The window cuts an hour, which counts in proportion to time.\n".to_owned());
    }
    text.push(notes(&report.warnings));
    text.concat()
}

/// One line a row, amounts with all their decimals.
pub(super) fn as_csv(report: &SavingsReport) -> Result<String, Failure> {
    let mut head = vec!["window_start", "window_end"];
    head.extend(report.by.iter().map(String::as_str));
    head.extend(["saved_usd", "asleep_workload_hours", "cpu_freed_core_hours", "memory_freed_gib_hours"]);
    csv(
        &head,
        report.rows.iter().map(|row| {
            let mut cells = vec![report.window.start.to_rfc3339(), report.window.end.to_rfc3339()];
            cells.extend(report.by.iter().map(|by| row.key.get(by).cloned().unwrap_or_default()));
            cells.push(row.saved.to_string());
            cells.extend(
                [row.asleep_workload_hours, row.cpu_freed_core_hours, row.memory_freed_gib_hours]
                    .map(|hours| hours.to_string()),
            );
            cells
        }),
    )
}
