//! `/allocation` with `format=csv`: a line a row, amounts with all their decimals.

use std::collections::BTreeMap;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::row::AllocationRow;
use crate::http::error::Refusal;

/// The rows of all steps as CSV.
pub(super) fn answer(sets: &[BTreeMap<String, AllocationRow>]) -> Result<Response, Refusal> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| {
        Refusal::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "defect",
            format!("cannot write CSV: {error}"),
        )
    };
    writer.write_record(AllocationRow::CSV_HEAD).map_err(|error| failed(&error))?;
    for row in sets.iter().flat_map(BTreeMap::values) {
        writer.write_record(row.csv_cells()).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}
