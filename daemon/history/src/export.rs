//! Any table of typed columns as a Parquet file, for those who take an answer away.

use crate::frame::{Column, Kind};
use crate::parquet::{ROW_GROUP, encode};
use crate::{Cells, HistoryError};

/// The columns as one Parquet file. Money is written exactly, as `DECIMAL(38, 12)`.
pub fn export_parquet(columns: &[Column]) -> Result<Vec<u8>, HistoryError> {
    let rows = columns.first().map_or(0, |column| column.cells.len());
    if let Some(uneven) = columns.iter().find(|column| column.cells.len() != rows) {
        let (name, found) = (&uneven.name, uneven.cells.len());
        return Err(HistoryError::Encode(format!("column {name} has {found} rows, the first column {rows}")));
    }
    let schema: Vec<(&str, Kind)> =
        columns.iter().map(|column| (&*column.name, column.cells.kind())).collect();
    let groups = (0..rows).step_by(ROW_GROUP).map(|start| {
        let slice = |cells: &Cells| cells.slice(start..rows.min(start + ROW_GROUP));
        Ok(columns.iter().map(|column| Column::new(column.name.clone(), slice(&column.cells))).collect())
    });
    encode(&schema, groups)
}
