//! What other sleep tools' keys, objects and saved state ask for, read as those tools read them.
//!
//! One file a tool. Each reads what that tool's users write, and says at any instant what it asks for, in one common
//! shape: a [`ForeignWish`]. Nothing here acts; `super::decision` gives a foreign wish its place in the chain. The rules
//! were taken from the tools' documentation and observed behaviour; the cases are in `tests/vectors/`.

pub mod cron;
mod downscaler;
mod duration;
pub mod gokubedownscaler;
pub mod gokubedownscaler_state;
pub mod kube_downscaler;
pub mod kube_downscaler_cycle;
mod tool;
mod wish;

pub use tool::{Tool, UnknownTool};
pub use wish::{Ask, ForeignWish};
