//! Sentences: state, cause, next, money, in that order.

use chrono_tz::Tz;
use nightcap_core::sleep::Mode;
use nightcap_core::units::Instant;

use super::money::dollars;
use super::table::plain;
use super::when::{clock, length, local};
use crate::api::{SpaceReport, WindowReport};

/// A window with its zone and length: `2026-03-01 00:00 to 2026-03-08 00:00 UTC (7 d)`.
pub(super) fn span(window: WindowReport, zone: Tz) -> String {
    let text = |at: Instant| at.to_chrono().with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    format!(
        "{} to {} {} ({})",
        text(window.start),
        text(window.end),
        zone.name(),
        length(window.end.since(window.start))
    )
}

/// What a reader should know, one line each.
pub(super) fn notes(warnings: &[String]) -> String {
    warnings.iter().fold(String::new(), |text, warning| format!("{text}Note: {}\n", plain(warning)))
}

/// Whether a space sleeps, and since when.
fn state(space: &SpaceReport, now: Instant, zone: Tz) -> String {
    let since = space.since.map(|at| format!(" since {}", clock(at, now, zone))).unwrap_or_default();
    match space.state.as_str() {
        "asleep" => format!("Asleep{since}."),
        "awake" => format!("Awake{since}."),
        "waking" => format!("Waking{since}: sizes are restored, pods are not ready yet."),
        "falling" => {
            format!("Falling asleep: {} of {} workloads sleep.", space.workloads_asleep, space.workloads)
        }
        other => format!("{}{since}.", plain(other)),
    }
}

/// What comes next, if that is known.
fn next(space: &SpaceReport, mode: Mode, now: Instant, zone: Tz) -> Option<String> {
    let next = space.next.as_ref()?;
    let at = clock(next.at, now, zone);
    Some(match (next.asleep, mode != Mode::Observe) {
        (false, true) => format!("Wakes {at}."),
        (false, false) => format!("Would wake {at}."),
        (true, true) => format!("Sleeps {at}."),
        (true, false) => format!("Would sleep {at}."),
    })
}

/// What it costs or saves, and in observe mode what it would save.
fn worth(space: &SpaceReport, mode: Mode) -> String {
    let mut parts = Vec::new();
    if space.state != "asleep" {
        parts.push(format!("Costs {} an hour.", dollars(space.hourly_cost.0)));
    }
    if space.hourly_saving.0.0 != 0 {
        parts.push(format!("Saves {} an hour.", dollars(space.hourly_saving.0)));
    }
    if space.wished_asleep && !space.should_sleep && space.hourly_would_save.0.0 != 0 {
        parts.push(format!(
            "Would sleep, but the mode is {mode}. That would save {} an hour.",
            dollars(space.hourly_would_save.0)
        ));
    }
    parts.join(" ")
}

/// The whole of it: state, cause, next, money.
pub(super) fn story(space: &SpaceReport, mode: Mode, now: Instant, zone: Tz) -> String {
    let parts = [
        Some(state(space, now, zone)),
        Some(plain(&local(&space.why, now, zone))),
        next(space, mode, now, zone),
        Some(worth(space, mode)),
    ];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
