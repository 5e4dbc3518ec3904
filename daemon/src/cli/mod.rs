//! The command line: what was typed, to an answer on stdout or a reason on stderr.
//!
//! Exit status 0: done; 1: it did not work; 2: it was used wrongly. Every command but `run`, `demo`, `crds`, `schedule` and
//! acts with `--direct` asks a daemon over HTTP; `reach` finds it.

mod acts;
mod args;
mod budgets;
mod client;
mod cost;
mod crds;
pub mod demo;
pub mod direct;
mod explain;
mod failure;
mod folder;
mod money;
mod price_coverage;
mod price_lists;
mod prices;
mod reach;
pub mod run;
mod savings;
mod schedule;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod when;
mod words;

use std::ffi::OsString;
use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use chrono_tz::Tz;
use clap::{CommandFactory, FromArgMatches};

pub use acts::{End, Wish};
pub use args::{Args, Command, Connection, DemoArgs, RunArgs};
pub use failure::Failure;

use crate::config::{Config, Flag, Raw, process_variables};
use args::{CostArgs, ExportFormat, PricesArgs, PricesCommand, ScheduleCommand};
use reach::reach;

/// Runs a command line, the program's name first.
pub fn main(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match parse(line) {
        Ok(args) => args,
        Err(error) => {
            // Nothing is left to tell a broken pipe to.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(args).and_then(|answer| write(&answer)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "nightcap: {failure}");
            failure.exit_code()
        }
    }
}

/// Reads a command line. As `kubectl-nightcap`, the name under which kubectl finds it, its help says `kubectl nightcap`.
fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
    let line: Vec<OsString> = line.into_iter().collect();
    let called = line.first().and_then(|name| Path::new(name).file_stem()).unwrap_or_default();
    let command = Args::command();
    let command = if called == "kubectl-nightcap" { command.bin_name("kubectl nightcap") } else { command };
    Args::from_arg_matches(&command.try_get_matches_from(line)?)
}

/// What a command line prints, as a test of the whole way to an answer.
#[cfg(test)]
pub(crate) fn answer(line: impl IntoIterator<Item = OsString>) -> Result<String, Failure> {
    let answer = dispatch(parse(line).map_err(|error| Failure::usage(error.to_string()))?)?;
    String::from_utf8(answer).map_err(|error| Failure::failed(error.to_string()))
}

fn dispatch(args: Args) -> Result<Vec<u8>, Failure> {
    let Args { connection, command } = args;
    let zone = when::local_zone();
    let connection = &connection;
    match command {
        Command::Run(args) => {
            let config = configuration(args, connection)?;
            wait(run::run(config)).map(|()| String::new())
        }
        Command::Demo(args) => wait(demo::run(args)).map(|()| String::new()),
        Command::Cost(args) => {
            cost::check_place(&args, std::io::stdout().is_terminal())?;
            return wait(cost(&args, connection, zone));
        }
        Command::Status(args) => wait(async { status::answer(&reach(connection).await?, args, zone).await }),
        Command::Explain(args) => {
            wait(async { explain::answer(&reach(connection).await?, &args, zone).await })
        }
        Command::Savings(args) => {
            wait(async { savings::answer(&reach(connection).await?, &args, zone).await })
        }
        Command::Budgets(args) => {
            wait(async { budgets::answer(&reach(connection).await?, args, zone).await })
        }
        Command::Crds => crds::answer(),
        Command::Prices(args) => prices(args, connection),
        Command::Sleep(args) => {
            let wish = Wish::Sleep { space: args.space, until: args.until };
            wait(acts::answer(connection, &wish, args.act, zone))
        }
        Command::Wake(args) => {
            let wish = args.space.map_or(Wish::WakeAll, |space| Wish::Wake { space });
            wait(acts::answer(connection, &wish, args.act, zone))
        }
        Command::KeepAwake(args) => {
            // The parser has seen to it that there is just one of both.
            let end = args.until.map(End::At).or(args.duration.map(End::After));
            let end = end.ok_or_else(|| Failure::usage("give --for DURATION or --until TIME"))?;
            wait(acts::answer(connection, &Wish::KeepAwake { space: args.space, end }, args.act, zone))
        }
        Command::Schedule(ScheduleCommand::Check(args)) => schedule::answer(&args, zone),
    }
    .map(String::into_bytes)
}

async fn cost(args: &CostArgs, connection: &Connection, zone: Tz) -> Result<Vec<u8>, Failure> {
    let client = match &args.data_dir {
        Some(folder) => folder::open(folder, args.cluster.as_deref()).await?,
        None => reach(connection).await?,
    };
    match args.format {
        Some(ExportFormat::Parquet) => cost::parquet(&client, args).await,
        _ => cost::answer(&client, args, zone).await.map(String::into_bytes),
    }
}

fn prices(args: PricesArgs, connection: &Connection) -> Result<String, Failure> {
    match args.command {
        None => wait(async { prices::answer(&reach(connection).await?, args.output).await }),
        Some(PricesCommand::Coverage(output)) => {
            wait(async { price_coverage::answer(&reach(connection).await?, output).await })
        }
        Some(PricesCommand::Lookup(args)) => price_lists::lookup(&args),
        Some(PricesCommand::List(args)) => price_lists::list(&args),
        Some(PricesCommand::Refresh(args)) => wait(price_lists::refresh(&args)),
    }
}

/// The configuration of the daemon: flags before variables before the file.
fn configuration(args: RunArgs, connection: &Connection) -> Result<Config, Failure> {
    let RunArgs { config, listen, mode, data_dir, leader_elect, lease_namespace } = args;
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let flags: Vec<Flag> = [
        ("--listen", "listen", listen),
        ("--mode", "mode", mode),
        ("--data-dir", "data_dir", data_dir.as_deref().map(path)),
        ("--leader-elect", "leader_elect", leader_elect.then(|| "true".to_owned())),
        ("--lease-namespace", "lease_namespace", lease_namespace),
        ("--kubeconfig", "kubeconfig", connection.kubeconfig.as_deref().map(path)),
    ]
    .into_iter()
    .filter_map(|(flag, path, value)| Some(Flag { flag, path, value: value? }))
    .collect();
    Raw::read(config.as_deref(), process_variables(), &flags)
        .and_then(|raw| Config::validate(&raw))
        .map_err(|error| Failure::usage(error.to_string()))
}

/// Waits for an answer on a runtime of its own.
fn wait<T, E: Into<Failure>>(answer: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?
        .block_on(answer)
        .map_err(Into::into)
}

fn write(answer: &[u8]) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(answer) {
        // Whoever closed the pipe, such as `head`, has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
