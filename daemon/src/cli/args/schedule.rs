//! What `schedule` takes.

use clap::{Args as Arguments, Subcommand};
use nightcap_core::schedule::Dialect;
use nightcap_core::units::Instant;

use super::OutputArgs;
use super::values::instant;

/// A subcommand of `schedule`.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Whether a time spec holds at an instant, and when that changes
    Check(CheckArgs),
}

/// Arguments of `schedule check`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct CheckArgs {
    /// The time spec, such as "Mon-Fri 08:00-20:00 Europe/Berlin"
    #[arg(allow_hyphen_values = true)]
    pub spec: String,
    /// The instant, as RFC 3339
    #[arg(long, value_parser = instant, value_name = "TIME")]
    pub at: Instant,
    /// Whose grammar it is written in: native, kube-downscaler or gokubedownscaler
    #[arg(long, default_value_t, value_name = "NAME")]
    pub dialect: Dialect,
    /// The zone of parts that name none
    #[arg(long, value_name = "ZONE")]
    pub default_timezone: Option<String>,
    /// The days of parts that name none, such as Mon-Fri; not used by the native grammar
    #[arg(long, value_name = "DAYS")]
    pub default_weekframe: Option<String>,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}
