//! Quantities with their unit in the type: time, CPU, memory, GPUs, money.

mod amount;
mod calendar;
mod duration;
mod money;
mod quantity;
mod time;
mod window;
mod window_text;

pub use amount::{Bytes, Cpu, Gpu, Resource, Resources};
pub use calendar::{Period, Step, StepError};
pub(crate) use calendar::{local_instant, midnight};
pub use duration::{DurationError, format_duration, parse_duration};
pub use money::{Cost, PicoUsd, Rate, Usd};
pub use quantity::{QuantityError, parse_bytes, parse_cpu, parse_gpu};
pub use time::{Instant, Millis, parse_rfc3339};
pub use window::{Steps, Window, WindowError};
