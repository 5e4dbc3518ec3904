//! The command line as typed.

mod cost;
mod prices;
mod schedule;
mod spaces;
mod values;

use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};

#[cfg(test)]
pub(super) use cost::ShareArgs;
pub(super) use cost::{CostArgs, ExportFormat, How, SavingsArgs};
pub(super) use prices::{ListArgs, LookupArgs, PriceFiles, PricesArgs, PricesCommand, RefreshArgs};
pub(super) use schedule::{CheckArgs, ScheduleCommand};
#[cfg(test)]
pub(super) use spaces::Target;
pub(super) use spaces::{ActArgs, ExplainArgs, KeepAwakeArgs, SleepArgs, WakeArgs};

/// What every team costs, and sleep for what nobody uses.
#[derive(Clone, PartialEq, Debug, Parser)]
#[command(name = "nightcap", version, max_term_width = 100)]
#[command(after_help = "Exit status: 0 done, 1 failed, 2 wrongly used.")]
pub struct Args {
    #[command(flatten)]
    /// How the daemon is reached.
    pub connection: Connection,
    #[command(subcommand)]
    /// What to do.
    pub command: Command,
}

/// How the daemon is reached.
#[derive(Clone, PartialEq, Eq, Debug, Default, Arguments)]
#[command(next_help_heading = "Reaching the daemon")]
pub struct Connection {
    /// Where the daemon answers, such as <https://nightcap.example.com>; else one on this machine, else the one in the cluster of the kubeconfig
    #[arg(long, global = true, env = "NIGHTCAP_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token for acts; else the kubeconfig's
    #[arg(long, global = true, env = "NIGHTCAP_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// The kubeconfig; else KUBECONFIG, then ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The namespace that the daemon in the cluster runs in [default: nightcap, then any]
    #[arg(long, global = true, env = "NIGHTCAP_NAMESPACE", value_name = "NAME")]
    pub namespace: Option<String>,
}

/// A subcommand.
#[derive(Clone, PartialEq, Debug, Subcommand)]
pub enum Command {
    /// Run the daemon
    Run(RunArgs),
    /// Run a simulated cluster with 30 days behind it, and the page to look at it
    Demo(DemoArgs),
    /// What everybody costs; the parts add up to the bill
    Cost(CostArgs),
    /// What is there, what sleeps, what needs a person
    Status(OutputArgs),
    /// Why a space or a workload is asleep or awake, and what comes next
    Explain(ExplainArgs),
    /// Put a space to sleep until its next scheduled wake
    Sleep(SleepArgs),
    /// Wake a space until its next scheduled sleep, else for two hours
    Wake(WakeArgs),
    /// Keep a space awake for some time
    KeepAwake(KeepAwakeArgs),
    /// What sleep has saved
    Savings(SavingsArgs),
    /// What may be spent, what was, and what to expect
    Budgets(OutputArgs),
    /// Write the definitions of the custom resources, for kubectl apply -f -
    Crds,
    /// What each node costs, where the price comes from, and how sure it is
    Prices(PricesArgs),
    /// Work with time specs
    #[command(subcommand)]
    Schedule(ScheduleCommand),
}

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// The daemon's answer as it is.
    Json,
    /// For spreadsheets: amounts with all their decimals.
    Csv,
}

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Arguments)]
pub struct OutputArgs {
    /// How the answer is written
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

/// Arguments of `run`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Arguments)]
pub struct RunArgs {
    /// The configuration, a YAML file
    #[arg(long, env = "NIGHTCAP_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to serve page, API and metrics [default: 127.0.0.1:9095]
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<String>,
    /// What the daemon may do: observe, ask or act [default: observe]
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// Where history is kept; left out, in memory only
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Agree with other daemons by a Lease on which of them acts [default: inside a cluster]
    #[arg(long)]
    pub leader_elect: bool,
    /// The namespace of that Lease [default: the daemon's own]
    #[arg(long, value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,
}

/// Arguments of `demo`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct DemoArgs {
    /// Where to serve page, API and metrics
    #[arg(long, default_value = crate::config::DEFAULT_LISTEN, value_name = "IP:PORT")]
    pub listen: std::net::SocketAddr,
    /// How many simulated seconds pass in one: 1440 is a day in a minute
    #[arg(long, default_value_t = 1_440, value_parser = clap::value_parser!(u32).range(1..=86_400), value_name = "N")]
    pub speed: u32,
    /// The same seed makes the same cluster and the same people
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}
