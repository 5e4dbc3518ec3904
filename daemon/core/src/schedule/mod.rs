//! Time specs: when a thing should be awake or asleep, in the wall clock of its people.
//!
//! [`TimeSpec`] is Nightcap's own grammar. [`dialect`] reads the specs of two other tools exactly as those tools
//! do, so that a team can compare before it moves. All of them are turned into one [timetable](TimeSpec::holds):
//! weekly ranges in the wall clock of a zone, and spans between two instants.

mod clock;
mod days;
pub mod dialect;
mod error;
mod native_text;
mod spec;
mod timetable;
mod week;
mod zone;

pub use dialect::{Check, CheckOptions, Dialect, check};
pub use error::{Fault, SpecError};
pub(crate) use native_text::week_text;
pub use spec::TimeSpec;
pub use zone::{ZoneError, parse_zone};
