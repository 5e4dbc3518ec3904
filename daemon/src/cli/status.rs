//! `status`: what is there, what sleeps, what needs a person.

use chrono_tz::Tz;
use nightcap_core::units::Instant;

use super::args::{Format, OutputArgs};
use super::client::{Client, parse};
use super::failure::Failure;
use super::money::{amount, dollars};
use super::table::{csv, numbers, percent, plain, render, words};
use super::when::{clock, local};
use crate::api::{SpaceList, SpaceReport, Status};

/// Asks the daemon; the answer as text.
pub(super) async fn answer(client: &Client, args: OutputArgs, zone: Tz) -> Result<String, Failure> {
    match args.output {
        Format::Json => Ok(client.get(&["status"], &[]).await? + "\n"),
        Format::Csv => as_csv(&parse(&client.get(&["spaces"], &[]).await?)?),
        Format::Table => {
            let status = client.get(&["status"], &[]).await?;
            let spaces = client.get(&["spaces"], &[]).await?;
            let by = client.found().map(|found| format!("\nAnswered by {found}.\n")).unwrap_or_default();
            Ok(as_text(&parse(&status)?, &parse(&spaces)?, zone) + &by)
        }
    }
}

/// For people.
pub(super) fn as_text(status: &Status, spaces: &SpaceList, zone: Tz) -> String {
    let counts = status.counts;
    let at = |instant| clock(instant, status.at, zone);
    let local = status.at.to_chrono().with_timezone(&zone).format("%a %Y-%m-%d %H:%M");
    let mut lines =
        vec![format!("Cluster {}, mode {}, {local} {}.", plain(&status.cluster), status.mode, zone.name())];
    if !status.synced {
        lines.push(format!("Not complete yet: {} are still to be listed.", status.missing.join(", ")));
    }
    let prices: Vec<_> = status
        .price_confidence
        .iter()
        .map(|part| format!("{} {}", part.confidence, percent(part.share)))
        .collect();
    let prices = if prices.is_empty() { String::new() } else { format!(" Prices: {}.", prices.join(", ")) };
    lines.push(format!(
        "Costs {} an hour: {} nodes, {} pods.{prices}",
        dollars(status.hourly_cost.0),
        counts.nodes,
        counts.pods
    ));
    lines.push(format!(
        "{} of {} spaces asleep ({} of {} workloads), saving {} an hour.",
        counts.spaces_asleep,
        counts.spaces,
        counts.workloads_asleep,
        counts.workloads,
        dollars(status.hourly_saving.0)
    ));
    if status.hourly_would_save.0.0 != 0 {
        lines.push(format!(
            "Would save {} an hour more if everything slept that should.",
            dollars(status.hourly_would_save.0)
        ));
    }
    lines.push(format!(
        "Since {}: cost {}, saved {}.",
        at(status.start),
        dollars(status.cost.0),
        dollars(status.saved.0)
    ));
    lines.push(match (&status.usage.problem, status.usage.newest) {
        (Some(problem), _) => format!("Usage is not measured, requests alone count: {}", plain(problem)),
        (None, Some(newest)) => {
            format!(
                "Usage: {} of {} pods measured, last {}.",
                status.usage.fresh_pods,
                counts.pods,
                at(newest)
            )
        }
        (None, None) => "Usage is not measured yet, requests alone count.".to_owned(),
    });
    if counts.actions_in_flight > 0 {
        lines.push(format!("{} changes are under way.", counts.actions_in_flight));
    }
    lines.push(String::new());
    lines.push(table(spaces, zone));
    if status.problems.is_empty() {
        lines.push("Nothing needs attention.".to_owned());
    } else {
        lines.push("Needs attention:".to_owned());
    }
    lines.extend(status.problems.iter().map(|problem| {
        format!(
            "  {}: {} ({}, since {})",
            plain(&problem.object),
            plain(&problem.message),
            plain(&problem.reason),
            at(problem.since)
        )
    }));
    lines.join("\n") + "\n"
}

fn table(list: &SpaceList, zone: Tz) -> String {
    if list.spaces.is_empty() {
        return "There are no spaces yet.\n".to_owned();
    }
    let columns = [
        words("SPACE"),
        words("TEAM"),
        words("STATE"),
        words("SINCE"),
        words("NEXT"),
        numbers("USD/H"),
        numbers("SAVES/H"),
        words("WHY"),
    ];
    let rows: Vec<_> = list
        .spaces
        .iter()
        .map(|space| {
            let at = |instant: Option<_>| {
                instant.map_or_else(|| "-".to_owned(), |instant| clock(instant, list.at, zone))
            };
            let SpaceReport { name, team, why, hourly_cost, hourly_saving, .. } = space;
            vec![
                name.clone(),
                team.clone(),
                space.state.clone(),
                at(space.since),
                at(space.next_change),
                amount(hourly_cost.0),
                amount(hourly_saving.0),
                local(why, list.at, zone),
            ]
        })
        .collect();
    render(&columns, &rows, None)
}

/// One line a space.
fn as_csv(list: &SpaceList) -> Result<String, Failure> {
    csv(
        &[
            "space",
            "team",
            "owner",
            "state",
            "since",
            "policy",
            "why",
            "next_change",
            "hourly_cost_usd",
            "hourly_saving_usd",
            "hourly_would_save_usd",
        ],
        list.spaces.iter().map(|space| {
            let at = |instant: Option<Instant>| instant.map(Instant::to_rfc3339).unwrap_or_default();
            vec![
                space.name.clone(),
                space.team.clone(),
                space.owner.clone(),
                space.state.clone(),
                at(space.since),
                space.policy.clone(),
                space.why.clone(),
                at(space.next_change),
                space.hourly_cost.to_string(),
                space.hourly_saving.to_string(),
                space.hourly_would_save.to_string(),
            ]
        }),
    )
}
