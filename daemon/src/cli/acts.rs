//! `sleep`, `wake` and `keep-awake`: what a person asks for, through the daemon or, with `--direct`, without one.

use chrono_tz::Tz;
use nightcap_core::units::{Instant, Millis, format_duration};
use serde::Serialize;

use super::args::{ActArgs, Connection, Format};
use super::client::{Client, parse};
use super::direct;
use super::failure::Failure;
use super::reach::reach;
use super::table::{csv, plain};
use super::when::local;
use crate::api::{ActReport, KeepAwakeRequest, SleepRequest, SpaceList, WakeRequest};

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Sleep, until an instant or the next scheduled wake.
    Sleep {
        /// The space.
        space: String,
        /// The end.
        until: Option<Instant>,
    },
    /// Wake.
    Wake {
        /// The space.
        space: String,
    },
    /// Wake everything that sleeps.
    WakeAll,
    /// Keep awake.
    KeepAwake {
        /// The space.
        space: String,
        /// The end.
        end: End,
    },
}

/// When a wish ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// After so long, by the daemon's clock.
    After(Millis),
    /// At an instant.
    At(Instant),
}

/// Does it; the outcome as text.
pub(super) async fn answer(
    connection: &Connection,
    wish: &Wish,
    args: ActArgs,
    zone: Tz,
) -> Result<String, Failure> {
    let reports = if args.direct {
        direct::act(connection.kubeconfig.as_deref(), wish).await?
    } else {
        let mut client = reach(connection).await?;
        client.check_may_act()?;
        if client.trusts_kubeconfig_token()
            && let Some(token) = direct::kubeconfig_token(connection.kubeconfig.as_deref()).await?
        {
            client.set_token(token);
        }
        through_daemon(&client, wish).await?
    };
    match args.output.output {
        Format::Json => {
            let answer = match reports.as_slice() {
                [report] if *wish != Wish::WakeAll => json(report),
                reports => json(reports),
            };
            Ok(answer? + "\n")
        }
        Format::Csv => as_csv(&reports),
        Format::Table if reports.is_empty() => Ok("Nothing sleeps.\n".to_owned()),
        Format::Table => Ok(reports.iter().map(|report| sentence(report, zone) + "\n").collect()),
    }
}

/// The outcome for people.
fn sentence(report: &ActReport, zone: Tz) -> String {
    let message = plain(&local(&report.message, report.at, zone));
    format!("{}.", message.trim_end_matches('.'))
}

async fn through_daemon(client: &Client, wish: &Wish) -> Result<Vec<ActReport>, Failure> {
    let (space, act, body) = match wish {
        Wish::Sleep { space, until } => {
            (space, "sleep", json(&SleepRequest { until: until.map(Instant::to_rfc3339) })?)
        }
        Wish::Wake { space } => (space, "wake", json(&WakeRequest {})?),
        Wish::KeepAwake { space, end } => {
            let request = match *end {
                End::After(length) => KeepAwakeRequest { for_: Some(format_duration(length)), until: None },
                End::At(at) => KeepAwakeRequest { until: Some(at.to_rfc3339()), for_: None },
            };
            (space, "keep-awake", json(&request)?)
        }
        Wish::WakeAll => return wake_all(client).await,
    };
    let report = client.post(&["spaces", space, act], body).await?;
    Ok(vec![parse(&report)?])
}

/// One that cannot be woken does not keep the others asleep.
async fn wake_all(client: &Client) -> Result<Vec<ActReport>, Failure> {
    let list: SpaceList = parse(&client.get(&["spaces"], &[]).await?)?;
    let mut reports = Vec::new();
    let mut failures = Vec::new();
    for space in list.spaces.iter().filter(|space| space.workloads_asleep > 0) {
        let body = json(&WakeRequest {})?;
        match client.post(&["spaces", &space.name, "wake"], body).await.and_then(|report| parse(&report)) {
            Ok(report) => reports.push(report),
            Err(failure) => failures.push(format!("{}: {failure}", space.name)),
        }
    }
    if failures.is_empty() {
        return Ok(reports);
    }
    Err(Failure::failed(format!(
        "{} spaces are waking, {} could not be woken:\n{}",
        reports.len(),
        failures.len(),
        failures.join("\n")
    )))
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::failed(format!("cannot write JSON: {error}")))
}

fn as_csv(reports: &[ActReport]) -> Result<String, Failure> {
    csv(
        &["at", "space", "by", "message"],
        reports.iter().map(|report| {
            vec![report.at.to_rfc3339(), report.space.clone(), report.by.clone(), report.message.clone()]
        }),
    )
}
