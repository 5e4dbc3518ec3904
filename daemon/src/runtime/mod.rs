//! The engine's own task, and what others hold of it.

mod clock;
mod engine_task;
mod handle;

pub use clock::Clock;
pub use engine_task::{Actor, run_engine};
pub use handle::{Handle, HandleError, Input};
