//! The command line as typed.

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use nightcap_core::cluster::Provider;
use nightcap_core::money::query::Filter;
use nightcap_core::schedule::Dialect;
use nightcap_core::units::{Instant, Millis, Step, parse_duration, parse_rfc3339};

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

/// Arguments of `cost`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Arguments)]
pub struct CostArgs {
    /// What to group by, in order: team, space, owner, vcluster, namespace, workload, pod, node, label:KEY and others,
    /// joined by commas
    #[arg(long, default_value = "team", value_name = "LIST")]
    pub by: String,
    /// Which time: today, 7d, lastmonth, quarter, or two instants joined by a comma
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
    /// Write the answer for another tool instead: focus is FOCUS 1.2 as CSV
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
}

/// Arguments of `savings`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct SavingsArgs {
    /// What to group by, in order: team, space, owner, workload and others, joined by commas
    #[arg(long, default_value = "team", value_name = "LIST")]
    pub by: String,
    /// Which time: today, 7d, lastmonth, or two instants joined by a comma
    #[arg(long, default_value = "7d", value_name = "WINDOW")]
    pub window: String,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}

/// Arguments of `explain`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct ExplainArgs {
    /// A space, or one workload of it, such as shop-dev/deployment/web
    #[arg(value_name = "SPACE[/KIND/NAME]", value_parser = target)]
    pub target: Target,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}

/// What `explain` is asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The space.
    pub space: String,
    /// Kind, in lower case, and name of one workload.
    pub workload: Option<(String, String)>,
}

/// Arguments of `sleep`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct SleepArgs {
    /// The space
    #[arg(value_parser = space)]
    pub space: String,
    /// When to wake it again, as RFC 3339 such as 2026-03-02T08:00:00+01:00
    #[arg(long, value_parser = instant, value_name = "TIME")]
    pub until: Option<Instant>,
    #[command(flatten)]
    /// How it is done.
    pub act: ActArgs,
}

/// Arguments of `wake`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct WakeArgs {
    /// The space
    #[arg(value_parser = space, required_unless_present = "all")]
    pub space: Option<String>,
    /// Wake everything that sleeps
    #[arg(long, conflicts_with = "space")]
    pub all: bool,
    #[command(flatten)]
    /// How it is done.
    pub act: ActArgs,
}

/// Arguments of `keep-awake`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
#[group(id = "end", required = true, multiple = false, args = ["duration", "until"])]
pub struct KeepAwakeArgs {
    /// The space
    #[arg(value_parser = space)]
    pub space: String,
    /// For how long, such as 3h
    #[arg(long = "for", value_parser = duration, value_name = "DURATION")]
    pub duration: Option<Millis>,
    /// Until when, as RFC 3339 such as 2026-03-02T20:00:00+01:00
    #[arg(long, value_parser = instant, value_name = "TIME")]
    pub until: Option<Instant>,
    #[command(flatten)]
    /// How it is done.
    pub act: ActArgs,
}

/// How an act is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Arguments)]
pub struct ActArgs {
    /// Write to the cluster with the kubeconfig, without a daemon
    #[arg(long)]
    pub direct: bool,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}

/// Arguments of `prices`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Arguments)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PricesArgs {
    /// What else than the nodes' prices is asked for.
    #[command(subcommand)]
    pub command: Option<PricesCommand>,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}

/// A subcommand of `prices`.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand)]
pub enum PricesCommand {
    /// What a node of a type would cost, and how that is found; needs no daemon
    Lookup(LookupArgs),
    /// The list prices that are known; needs no daemon
    List(ListArgs),
    /// Ask a provider now, and keep the answer below --data-dir; needs no daemon
    Refresh(RefreshArgs),
    /// Which nodes rest on prices of which confidence
    Coverage(OutputArgs),
}

/// Files that change prices.
#[derive(Clone, PartialEq, Eq, Debug, Default, Arguments)]
pub struct PriceFiles {
    /// The daemon's configuration, for its price settings
    #[arg(long, env = "NIGHTCAP_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the last good prices are kept
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// A provider as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProviderArg(pub Provider);

/// Arguments of `prices lookup`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct LookupArgs {
    /// The instance type, such as m5.xlarge
    #[arg(value_name = "TYPE")]
    pub instance_type: String,
    /// Whose it is: aws, azure, gcp or unknown
    #[arg(long, value_parser = provider, value_name = "NAME")]
    pub provider: ProviderArg,
    /// The region, such as eu-central-1
    #[arg(long, value_name = "REGION")]
    pub region: String,
    /// As a spot machine
    #[arg(long)]
    pub spot: bool,
    #[command(flatten)]
    /// Files that change prices.
    pub files: PriceFiles,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}

/// Arguments of `prices list`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct ListArgs {
    /// Only this provider's: aws, azure or gcp
    #[arg(long, value_parser = provider, value_name = "NAME")]
    pub provider: Option<ProviderArg>,
    /// Only this region's
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Only types whose names begin so, such as m5.
    #[arg(long = "type", value_name = "TYPE")]
    pub instance_type: Option<String>,
    #[command(flatten)]
    /// Files that change prices.
    pub files: PriceFiles,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}

/// Arguments of `prices refresh`.
#[derive(Clone, PartialEq, Eq, Debug, Arguments)]
pub struct RefreshArgs {
    /// The instance types, such as m5.xlarge
    #[arg(value_name = "TYPE", required = true)]
    pub instance_types: Vec<String>,
    /// Who is asked: aws, azure or gcp
    #[arg(long, value_parser = provider, value_name = "NAME")]
    pub provider: ProviderArg,
    /// The region, such as eu-central-1
    #[arg(long, value_name = "REGION")]
    pub region: String,
    /// Spot prices too
    #[arg(long)]
    pub spot: bool,
    #[command(flatten)]
    /// Files that change prices.
    pub files: PriceFiles,
    #[command(flatten)]
    /// How the answer is written.
    pub output: OutputArgs,
}

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

fn instant(text: &str) -> Result<Instant, String> {
    parse_rfc3339(text)
        .ok_or_else(|| format!("{text:?} is no RFC 3339 instant: write e.g. 2026-03-02T08:00:00+01:00"))
}

fn duration(text: &str) -> Result<Millis, String> {
    match parse_duration(text) {
        Ok(Millis(0)) => Err(format!("{text:?} is no time at all: write e.g. 3h")),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

fn provider(text: &str) -> Result<ProviderArg, String> {
    [Provider::Aws, Provider::Azure, Provider::Gcp, Provider::Unknown]
        .into_iter()
        .find(|provider| provider.to_string() == text)
        .map(ProviderArg)
        .ok_or_else(|| format!("{text:?} is no provider: use aws, azure, gcp or unknown"))
}

fn step(text: &str) -> Result<Step, String> {
    text.parse().map_err(|error: nightcap_core::units::StepError| error.to_string())
}

fn filter(text: &str) -> Result<String, String> {
    Filter::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no zone of the IANA database: write e.g. Europe/Berlin or UTC"))
}

fn space(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 63 || !text.chars().all(allowed) {
        return Err(format!(
            "{text:?} is no name of a space: use a namespace's name, such as shop-dev; `nightcap status` lists them"
        ));
    }
    Ok(text.to_owned())
}

fn target(text: &str) -> Result<Target, String> {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [name] => Ok(Target { space: space(name)?, workload: None }),
        [name, kind, workload] if !kind.is_empty() && !workload.is_empty() => {
            Ok(Target { space: space(name)?, workload: Some((kind.to_lowercase(), (*workload).to_owned())) })
        }
        _ => Err(format!(
            "{text:?} names neither a space nor a workload: write SPACE or SPACE/KIND/NAME, such as shop-dev/deployment/web"
        )),
    }
}
