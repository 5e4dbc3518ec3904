//! Closed hours in, tables out: the archive of what was paid, in Parquet, and the store of checkpoints.
//!
//! * [`Archive::write_hour`] keeps a closed hour of the ledger; [`Archive::keep_up`] compacts days and drops what is too
//!   old; [`Archive::hours`] gives the rows of a window back, merged as far as the [`Needs`] of the question allow.
//! * [`CheckpointStore`] keeps an opaque blob across restarts, [`export_parquet`] writes any table
//!   and [`read_parquet`] reads it.
//!
//! All of it is files of one folder; `layout.rs` says where they lie and what makes them safe. No polars type is part of
//! the interface. Every call blocks, and none may run on a thread of an async runtime: use `spawn_blocking`.
//!
//! ```
//! use nightcap_core::money::Hour;
//! use nightcap_core::money::query::Dimension;
//! use nightcap_core::units::{Instant, Millis, Window};
//! use nightcap_history::{Archive, Needs, Retention};
//!
//! # let folder = std::env::temp_dir().join(format!("nightcap-history-{}", std::process::id()));
//! let archive = Archive::open(&folder, "prod")?;
//! let start = Instant(1_772_323_200_000);
//! archive.write_hour(&Hour::new(start))?;
//! archive.keep_up(start + Millis::DAY, &Retention::default())?;
//!
//! let day = Window::new(start, start + Millis::DAY);
//! let mut hours = archive.hours(day, &Needs::by(&[Dimension::Team]))?;
//! for hour in hours.by_ref() {
//!     let _rows = hour?.allocations;
//! }
//! for damaged in hours.damaged() {
//!     eprintln!("{damaged}");
//! }
//! # drop(hours);
//! # drop(archive);
//! # std::fs::remove_dir_all(folder).expect("it was just made");
//! # Ok::<(), nightcap_history::HistoryError>(())
//! ```

mod archive;
mod checkpoint;
mod coarse;
mod compact;
mod day;
mod durable;
mod error;
mod export;
mod frame;
mod health;
mod layout;
mod merge;
mod on_top;
mod parquet;
mod plan;
mod read;
mod rows;
mod schema;
mod sheet;
mod upkeep;

pub use archive::Archive;
pub use checkpoint::{Checkpoint, CheckpointStore};
pub use error::{Damaged, HistoryError};
pub use export::{export_parquet, read_parquet};
pub use frame::{Cells, Column, Kind, Texts};
pub use nightcap_core::money::query::{Field, Labels, Needs};
pub use read::HourStream;
pub use upkeep::{Chore, Failure, Retention, Upkeep};
