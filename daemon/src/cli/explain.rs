//! `explain`: why a space or a workload is asleep or awake, what comes next, and what it costs.

use chrono_tz::Tz;
use nightcap_core::cluster::OwnerKind;
use nightcap_core::sleep::Mode;
use nightcap_core::units::Instant;

use super::args::{ExplainArgs, Format};
use super::client::{Client, parse};
use super::failure::Failure;
use super::money::{amount, dollars};
use super::table::{csv, numbers, plain, render, words};
use super::when::{clock, local};
use super::words::story;
use crate::api::{NextReport, SpaceDetail, WishReport, WorkloadReport};

/// Asks the daemon; the answer as text.
pub(super) async fn answer(client: &Client, args: &ExplainArgs, zone: Tz) -> Result<String, Failure> {
    let body = client.get(&["spaces", &args.target.space], &[]).await?;
    let Some((kind, name)) = &args.target.workload else {
        return match args.output.output {
            Format::Json => Ok(body + "\n"),
            Format::Csv => as_csv(&parse::<SpaceDetail>(&body)?.workloads),
            Format::Table => Ok(as_text(&parse(&body)?, zone)),
        };
    };
    let detail: SpaceDetail = parse(&body)?;
    let workload = find(&detail, kind, name)?;
    match args.output.output {
        Format::Json => serde_json::to_string(workload)
            .map(|json| json + "\n")
            .map_err(|error| Failure::failed(format!("cannot write the answer as JSON: {error}"))),
        Format::Csv => as_csv(std::slice::from_ref(workload)),
        Format::Table => Ok(workload_text(&detail, workload, zone)),
    }
}

pub(super) fn find<'a>(
    detail: &'a SpaceDetail,
    kind: &str,
    name: &str,
) -> Result<&'a WorkloadReport, Failure> {
    let same_kind = |workload: &&WorkloadReport| {
        let known = workload.kind.to_lowercase();
        known == kind || kind.strip_suffix('s') == Some(known.as_str())
    };
    detail.workloads.iter().filter(same_kind).find(|workload| workload.name == name).ok_or_else(|| {
        let known: Vec<_> = detail.workloads.iter().map(path).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::failed(format!(
            "{} has no workload {kind}/{name} that can sleep; it has: {known}",
            detail.space.name
        ))
    })
}

fn path(workload: &WorkloadReport) -> String {
    plain(&format!("{}/{}", workload.kind.to_lowercase(), workload.name))
}

/// A space for people.
pub(super) fn as_text(detail: &SpaceDetail, zone: Tz) -> String {
    let space = &detail.space;
    let mut text = vec![format!(
        "{}, team {} ({}{}), owner {} ({}{})\n{}\n",
        plain(&space.name),
        plain(&space.team),
        kind(space.team_kind),
        plain(&space.team_rule),
        plain(&space.owner),
        kind(space.owner_kind),
        plain(&space.owner_rule),
        story(space, detail.mode, detail.at, zone)
    )];
    if space.bare_pods > 0 {
        text.push(format!(
            "Pods that belong to nothing that can sleep, and so stay awake: {}.\n",
            space.bare_pods
        ));
    }
    text.push("\nWishes, the strongest first:\n".to_owned());
    text.push(wishes(&detail.wishes, detail.at, zone));
    text.push(warnings(&detail.wishes));
    text.push(next(space.next.as_ref(), detail, zone));
    if detail.workloads.is_empty() {
        text.push("\nNothing in it can sleep.\n".to_owned());
    } else {
        text.push("\n".to_owned());
        text.push(workloads(&detail.workloads, detail.at, zone));
    }
    for problem in &detail.problems {
        text.push(format!(
            "\nNeeds attention since {}: {}: {}\n",
            clock(problem.since, detail.at, zone),
            plain(&problem.object),
            plain(&problem.message)
        ));
    }
    text.push(format!("\nTimes are in {}; now is {}.\n", zone.name(), clock(detail.at, detail.at, zone)));
    text.concat()
}

/// What kind of team or owner it is, where that says more than the word before it.
fn kind(kind: OwnerKind) -> String {
    match kind {
        OwnerKind::Unknown | OwnerKind::Team => String::new(),
        kind => format!("{} by ", kind.name()),
    }
}

/// The chain, with a mark at the wish that decides.
fn wishes(wishes: &[WishReport], now: Instant, zone: Tz) -> String {
    if wishes.is_empty() {
        return "  none: nothing asks it to sleep\n".to_owned();
    }
    let rows: Vec<_> = wishes
        .iter()
        .map(|wish| {
            let until = wish.until.map(|at| format!(" Until {}.", clock(at, now, zone))).unwrap_or_default();
            let counts = if wish.counts { "" } else { " Does not count in this mode." };
            vec![
                if wish.won { "  >" } else { "   " }.to_owned(),
                wish.source.clone(),
                match (wish.hands_off, wish.asleep) {
                    (true, _) => "hands off",
                    (false, true) => "sleep",
                    (false, false) => "awake",
                }
                .to_owned(),
                wish.value.clone(),
                format!("{}{until}{counts}", local(&wish.why, now, zone)),
            ]
        })
        .collect();
    let columns = [words(""), words("WHERE"), words("WISHES"), words("VALUE"), words("WHY")];
    render(&columns, &rows, None)
}

/// What a reader should know of values.
fn warnings(wishes: &[WishReport]) -> String {
    let warnings = wishes.iter().flat_map(|wish| &wish.warnings);
    warnings.fold(String::new(), |text, warning| format!("{text}  Note: {}\n", plain(warning)))
}

/// What happens next, and when.
fn next(next: Option<&NextReport>, detail: &SpaceDetail, zone: Tz) -> String {
    let Some(next) = next else { return "\nNothing that is written now will change that.\n".to_owned() };
    let verb = match (detail.mode, next.asleep) {
        (Mode::Observe, true) => "sleep is wished",
        (Mode::Observe, false) => "it is wished awake",
        (_, true) => "it sleeps",
        (_, false) => "it is awake, or left alone",
    };
    let why = plain(&local(&next.why, detail.at, zone));
    format!("\nNext, {}: {verb}, by {}. {why}\n", clock(next.at, detail.at, zone), plain(&next.policy))
}

fn workloads(workloads: &[WorkloadReport], now: Instant, zone: Tz) -> String {
    let columns = [words("WORKLOAD"), words("STATE"), words("WHY"), numbers("USD/H AWAKE")];
    let rows: Vec<_> = workloads
        .iter()
        .map(|workload| {
            vec![
                path(workload),
                size(workload),
                local(&why(workload), now, zone),
                amount(workload.hourly_cost.0),
            ]
        })
        .collect();
    render(&columns, &rows, None)
}

fn size(workload: &WorkloadReport) -> String {
    match (workload.asleep, workload.replicas, workload.suspended) {
        (true, _, _) => match (workload.original_replicas, workload.original_suspended) {
            (Some(replicas), _) => format!("asleep, wakes to {replicas}"),
            (None, Some(true)) => "asleep, stays suspended".to_owned(),
            (None, Some(false)) => "asleep, runs again when woken".to_owned(),
            (None, None) => "asleep".to_owned(),
        },
        (false, Some(replicas), _) => format!("awake, {} of {replicas} ready", workload.ready_replicas),
        (false, None, Some(true)) => "suspended, not by Nightcap".to_owned(),
        (false, None, Some(false)) if workload.kind == "CronJob" => "awake, runs on schedule".to_owned(),
        (false, None, _) if workload.switched_off == Some(true) => "switched off, not by Nightcap".to_owned(),
        (false, None, _) => format!("awake, {} ready", workload.ready_replicas),
    }
}

fn why(workload: &WorkloadReport) -> String {
    match (&workload.refusal, &workload.asleep_why) {
        (Some(refusal), _) if workload.should_sleep => format!("Cannot sleep: {refusal}"),
        (Some(waits), _) => waits.clone(),
        (None, Some(asleep)) if workload.should_sleep => asleep.clone(),
        _ => workload.why.clone(),
    }
}

/// One workload for people.
pub(super) fn workload_text(detail: &SpaceDetail, workload: &WorkloadReport, zone: Tz) -> String {
    let now = detail.at;
    let mut text = vec![format!("{}/{}\n", plain(&detail.space.name), path(workload))];
    let mut state = size(workload);
    if let Some(first) = state.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text.push(state);
    if let Some(since) = workload.asleep_since {
        text.push(format!(", since {}", clock(since, now, zone)));
    }
    if let Some(by) = &workload.asleep_by {
        text.push(format!(", by {}", plain(by)));
    }
    text.push(format!(". {}", plain(&local(&why(workload), now, zone))));
    if !workload.local_volumes.is_empty() {
        let volumes = plain(&workload.local_volumes.join(", "));
        text.push(format!(" What is in its local volumes ({volumes}) ends with its pods."));
    }
    let verb = if workload.asleep { "Saves" } else { "Costs" };
    text.push(format!(" {verb} {} an hour by its requests.\n", dollars(workload.hourly_cost.0)));
    text.push("\nWishes, the strongest first:\n".to_owned());
    let chain = workload.wishes.as_ref().unwrap_or(&detail.wishes);
    text.push(wishes(chain, now, zone));
    text.push(warnings(chain));
    text.push(next(workload.next.as_ref(), detail, zone));
    text.push(format!("\nDecided by: {}. Times are in {}.\n", plain(&workload.policy), zone.name()));
    text.concat()
}

/// One line a workload.
fn as_csv(workloads: &[WorkloadReport]) -> Result<String, Failure> {
    csv(
        &[
            "kind",
            "name",
            "asleep",
            "should_sleep",
            "replicas",
            "original_replicas",
            "policy",
            "why",
            "hourly_cost_usd",
        ],
        workloads.iter().map(|workload| {
            let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
            vec![
                workload.kind.clone(),
                workload.name.clone(),
                workload.asleep.to_string(),
                workload.should_sleep.to_string(),
                number(workload.replicas),
                number(workload.original_replicas),
                workload.policy.clone(),
                why(workload),
                workload.hourly_cost.to_string(),
            ]
        }),
    )
}
