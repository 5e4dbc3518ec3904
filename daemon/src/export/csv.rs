//! A cost report as CSV: one line a row, amounts with all their decimals.

use nightcap_history::Cells;

use super::columns::columns;
use crate::api::{CostReport, Money};

/// The report as CSV.
pub(crate) fn cost_csv(report: &CostReport) -> Result<String, csv::Error> {
    let columns = columns(report);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| &*column.name))?;
    let rows = columns.first().map_or(0, |column| column.cells.len());
    for row in 0..rows {
        writer.write_record(columns.iter().map(|column| text(&column.cells, row)))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn text(cells: &Cells, row: usize) -> String {
    match cells {
        Cells::Text(texts) => texts.get(row).map(ToString::to_string),
        Cells::Money(amounts) => amounts.get(row).map(|amount| Money(*amount).to_string()),
        Cells::Number(numbers) => numbers.get(row).map(ToString::to_string),
        Cells::Instant(instants) => instants.get(row).map(|at| at.to_rfc3339()),
        Cells::Flag(flags) => flags.get(row).map(ToString::to_string),
    }
    .unwrap_or_default()
}
