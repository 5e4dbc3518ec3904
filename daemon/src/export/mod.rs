//! Cost tables in the shapes that other tools read.

mod csv;
mod focus;

pub(crate) use csv::cost_csv;
pub(crate) use focus::focus_csv;
#[cfg(test)]
pub(crate) use focus::{COLUMNS as FOCUS_COLUMNS, VERSION as FOCUS_VERSION};
