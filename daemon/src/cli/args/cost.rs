//! What `cost` and `savings` take.

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args as Arguments, ValueEnum};
use nightcap_core::units::Step;

use super::OutputArgs;
use super::values::{filter, step, zone};

/// Arguments of `cost`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Arguments)]
pub struct CostArgs {
    /// What to group by, in order: team, space, owner, vcluster, namespace, workload, pod, node, label:KEY and others,
    /// joined by commas
    #[arg(long, default_value = "team", value_name = "LIST")]
    pub by: String,
    /// Which time: today, 7d, lastmonth, quarter, or two instants or days joined by a comma
    #[arg(long, default_value = "7d", value_name = "WINDOW")]
    pub window: String,
    /// One table for each step of the window: a length such as 12h, or hour, day, week, month, quarter, year
    #[arg(long, value_parser = step, value_name = "STEP")]
    pub step: Option<Step>,
    /// One table over all steps
    #[arg(long)]
    pub accumulate: bool,
    /// Which rows, such as 'namespace:"shop-dev"+controllerKind!:"job"'; nobody's share changes by it
    #[arg(long, value_parser = filter, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Reads the history in this folder, which `nightcap run --data-dir` writes, and asks no daemon
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Which cluster of the folder, where it has several
    #[arg(long, requires = "data_dir", value_name = "NAME")]
    pub cluster: Option<String>,
    /// Only the N costliest; the others are one row
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// With the line of what nobody used (the default)
    #[arg(long, overrides_with = "no_idle")]
    pub idle: bool,
    /// Without it: the sum is then less than the bill
    #[arg(long)]
    pub no_idle: bool,
    /// Where days begin and times are shown, such as Europe/Berlin [default: days the daemon's zone, times yours]
    #[arg(long, value_parser = zone, value_name = "ZONE")]
    pub timezone: Option<Tz>,
    /// Write the answer for another tool instead: focus is FOCUS 1.2 as CSV, parquet a file of typed columns
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "output")]
    pub format: Option<ExportFormat>,
    #[command(flatten)]
    /// What is spread over the rows.
    pub share: ShareArgs,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}

/// What is spread over the rows. Nothing is unless asked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Arguments)]
#[command(next_help_heading = "Spreading")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ShareArgs {
    /// Spread idle, shared and overhead cost over the rows as the daemon's configuration says: in proportion to cost, unless
    /// it says otherwise
    #[arg(long)]
    pub share: bool,
    /// Spread idle cost over the rows
    #[arg(long, value_enum, value_name = "HOW")]
    pub share_idle: Option<How>,
    /// Spread what everybody uses
    #[arg(long, value_enum, value_name = "HOW")]
    pub share_shared: Option<How>,
    /// Spread what running a cluster costs at all
    #[arg(long, value_enum, value_name = "HOW")]
    pub share_overhead: Option<How>,
    /// Idle cost by node
    #[arg(long)]
    pub idle_by_node: bool,
    /// Namespaces that everybody uses, joined by commas; * stands for any text
    #[arg(long, value_name = "LIST")]
    pub shared_namespaces: Option<String>,
    /// Labels of what everybody uses: KEY:VALUE, joined by commas
    #[arg(long, value_name = "LIST")]
    pub shared_labels: Option<String>,
    /// Everybody uses what runs on each node: the pods of daemon sets
    #[arg(long)]
    pub shared_daemonsets: bool,
    /// Everybody uses kube-system, kube-public and kube-node-lease
    #[arg(long)]
    pub shared_system: bool,
}

/// How an amount is spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum How {
    /// In proportion to cost.
    Weighted,
    /// The same for each row.
    Even,
    /// Not at all.
    None,
}

/// An export for another tool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ExportFormat {
    /// The `FinOps` Open Cost and Usage Specification, version 1.2, as CSV.
    Focus,
    /// One Parquet file of typed columns, amounts as decimals.
    Parquet,
}

/// Arguments of `savings`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct SavingsArgs {
    /// What to group by, in order: team, space, owner, workload and others, joined by commas
    #[arg(long, default_value = "team", value_name = "LIST")]
    pub by: String,
    /// Which time: today, 7d, lastmonth, or two instants or days joined by a comma
    #[arg(long, default_value = "7d", value_name = "WINDOW")]
    pub window: String,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}
