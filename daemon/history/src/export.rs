//! Any table of typed columns as a Parquet file, for those who take an answer away.

use crate::frame::{Column, Kind};
use crate::parquet::{Decoder, ROW_GROUP, encode};
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

/// Columns of a Parquet file, by their names and kinds. A column that the file does not have is an error.
pub fn read_parquet(bytes: Vec<u8>, columns: &[(&str, Kind)]) -> Result<Vec<Column>, HistoryError> {
    let file = Decoder::open(bytes).map_err(HistoryError::Decode)?;
    if let Some((name, _)) = columns.iter().find(|(name, _)| !file.has(name)) {
        return Err(HistoryError::Decode(format!("it has no column {name}")));
    }
    let mut found: Vec<Cells> = columns.iter().map(|&(_, kind)| Cells::none(kind)).collect();
    for group in 0..file.groups() {
        for (all, cells) in found.iter_mut().zip(file.read(group, columns).map_err(HistoryError::Decode)?) {
            all.append(cells);
        }
    }
    Ok(columns.iter().zip(found).map(|((name, _), cells)| Column::new((*name).to_owned(), cells)).collect())
}
