//! A cost report as Parquet: the columns of the CSV with their types, amounts as decimals.

use nightcap_history::{HistoryError, export_parquet};

use super::columns::columns;
use crate::api::CostReport;

/// The report as one Parquet file.
pub(crate) fn cost_parquet(report: &CostReport) -> Result<Vec<u8>, HistoryError> {
    export_parquet(&columns(report))
}
