//! Cost tables in the shapes that other tools read.

mod columns;
mod csv;
mod focus;
mod parquet;

pub(crate) use csv::cost_csv;
pub(crate) use focus::focus_csv;
#[cfg(test)]
pub(crate) use focus::{COLUMNS as FOCUS_COLUMNS, VERSION as FOCUS_VERSION};
pub(crate) use parquet::cost_parquet;
