//! Time specs: when a thing should be awake or asleep, in the wall clock of its people.
//!
//! [`TimeSpec`] is Nightcap's own grammar. [`dialect`] reads the specs of two other tools exactly as those tools
//! do, so that a team can compare before it moves. All of them are turned into one [timetable](TimeSpec::holds):
//! weekly ranges in the wall clock of a zone, and spans between two instants. On [`DaysOff`], which come from
//! [calendars](Calendar), an uptime does not hold.

mod calendar;
mod calendar_file;
mod clock;
mod days;
mod days_off;
pub mod dialect;
mod error;
mod native_text;
mod spec;
mod timetable;
mod week;
mod workdays;
mod zone;

pub use calendar::Calendar;
pub use calendar_file::{CalendarError, read_calendar};
pub use days_off::DaysOff;
pub use dialect::{Check, CheckOptions, Dialect, check};
pub use error::{Fault, SpecError};
pub(crate) use native_text::week_text;
pub use spec::TimeSpec;
pub use zone::{ZoneError, parse_zone};
