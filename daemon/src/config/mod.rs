//! The configuration: one YAML file, variables and flags, first as typed ([`Raw`]), then checked ([`Config`]).
//!
//! Every key is optional, an unknown one is refused, and everything that is wrong is said at once. A flag comes before
//! a variable, a variable before the file, the file before the default. `docs/configuration.md` lists the keys.

mod check;
mod error;
mod holidays;
mod keys;
mod kinds;
mod raw;
mod reader;
mod sharing;
mod split;
#[cfg(test)]
mod tests;
mod validated;

pub use error::{ConfigError, SettingError};
pub use raw::{Flag, Raw, process_variables};
pub use validated::{Config, DEFAULT_LISTEN, Log, LogFormat, LogLevel, Usage, UsageSource};
