//! Closed hours in, tables out.
mod checkpoint;
mod durable;
mod error;
mod frame;
mod parquet;
pub use checkpoint::{Checkpoint, CheckpointStore};
pub use error::{Damaged, HistoryError};
pub use frame::{Cells, Column, Kind, Texts};
