//! What other sleep tools' keys, objects and saved state ask for, read as those tools read them.
//!
//! One file a tool. Each reads what that tool's users write, and says at any instant what it asks for, in one common
//! shape: a [`ForeignWish`]. Nothing here acts; `super::decision` gives a foreign wish its place in the chain. The rules
//! were taken from the tools' documentation and observed behaviour; the cases are in `tests/vectors/`.

mod carried;
pub mod cron;
mod downscaler;
mod duration;
pub mod gokubedownscaler;
pub mod gokubedownscaler_state;
mod import;
pub mod keda;
pub mod kube_downscaler;
pub mod kube_downscaler_cycle;
pub mod kube_green;
pub mod kube_green_state;
pub mod kube_janitor;
pub mod loft;
mod marker;
pub mod nightshift;
mod object;
pub mod slumlord;
pub mod snorlax;
mod tool;
pub mod vcluster_yaml;
mod wish;

pub use carried::{Foreign, foreign_wish, reads};
pub use import::{Import, import_keys, import_restore, import_sleep_info, import_state, import_vcluster};
pub use marker::{ForeignSleep, foreign_sleep};
pub use object::{ForeignObject, ForeignSubject};
pub use tool::{Tool, UnknownTool};
pub use wish::{Ask, ForeignWish};
