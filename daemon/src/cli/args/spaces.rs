//! What `explain` and the acts on spaces take.

use clap::Args as Arguments;
use nightcap_core::units::{Instant, Millis};

use super::OutputArgs;
use super::values::{duration, instant};

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
