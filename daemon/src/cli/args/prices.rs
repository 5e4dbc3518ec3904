//! What `prices` takes.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand};
use nightcap_core::cluster::Provider;

use super::OutputArgs;

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

fn provider(text: &str) -> Result<ProviderArg, String> {
    [Provider::Aws, Provider::Azure, Provider::Gcp, Provider::Unknown]
        .into_iter()
        .find(|provider| provider.to_string() == text)
        .map(ProviderArg)
        .ok_or_else(|| format!("{text:?} is no provider: use aws, azure, gcp or unknown"))
}
