//! The daemon's life: the engine's own task, what others hold of it, and what is wired around it.

mod asset_prices;
mod clock;
pub mod demo;
mod engine_task;
mod handle;
mod keeper;
pub mod live;
mod network_counters;
mod prices;
mod recall;
mod serve;
mod signals;
mod traffic;

pub use clock::Clock;
pub use engine_task::{Actor, run_engine};
pub use handle::{Handle, HandleError, Input};
pub use prices::{Prices, SharedBook, surroundings};
pub use serve::{bind, serve};
pub use signals::stop_on_signal;
