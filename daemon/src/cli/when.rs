//! Instants as the reader's wall clock shows them.

use chrono::Datelike;
use chrono_tz::Tz;
use nightcap_core::units::{Instant, Millis, parse_rfc3339};

/// The reader's zone: `TZ`, else what `/etc/localtime` points to, else UTC.
pub(super) fn local_zone() -> Tz {
    let variable = std::env::var("TZ").ok();
    let link = std::fs::read_link("/etc/localtime").ok();
    zone_of(variable.as_deref(), link.as_deref().and_then(std::path::Path::to_str))
}

fn zone_of(variable: Option<&str>, link: Option<&str>) -> Tz {
    let from_variable = variable.and_then(|name| name.trim_start_matches(':').parse().ok());
    let from_link = || link?.split_once("zoneinfo/")?.1.parse().ok();
    match from_variable.or_else(from_link).unwrap_or(Tz::UTC) {
        // Debian's name for it, which only looks like a place.
        Tz::Etc__UTC => Tz::UTC,
        zone => zone,
    }
}

/// `20:04` today, `Fri 20:04` within six days, else `2026-03-01 20:04`.
pub(super) fn clock(at: Instant, now: Instant, zone: Tz) -> String {
    let local = at.to_chrono().with_timezone(&zone);
    let today = now.to_chrono().with_timezone(&zone);
    let days = (local.num_days_from_ce() - today.num_days_from_ce()).abs();
    let format = match days {
        0 => "%H:%M",
        1..=6 => "%a %H:%M",
        _ => "%Y-%m-%d %H:%M",
    };
    local.format(format).to_string()
}

/// Puts instants in a sentence of the daemon into the reader's clock; what stands in backticks is quoted and stays.
pub(super) fn local(sentence: &str, now: Instant, zone: Tz) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches(['.', ',', ';', ':', ')']);
        let at = bare.ends_with('Z').then(|| parse_rfc3339(bare)).flatten();
        at.map_or_else(|| word.to_owned(), |at| clock(at, now, zone) + &word[bare.len()..])
    };
    let words = |part: &str| part.split(' ').map(word).collect::<Vec<_>>().join(" ");
    let parts = sentence.split('`').enumerate();
    parts
        .map(|(index, part)| if index % 2 == 1 { part.to_owned() } else { words(part) })
        .collect::<Vec<_>>()
        .join("`")
}

/// A length of time in its one or two longest units: `3 d 4 h`, `14 min`, `6 s`.
pub(super) fn length(millis: Millis) -> String {
    let seconds = millis.0.max(0) / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) if minutes % 60 == 0 => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ if hours % 24 == 0 => format!("{days} d"),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        parse_rfc3339(text).unwrap()
    }

    #[test]
    fn the_nearer_an_instant_the_shorter_it_is_written() {
        let now = at("2026-03-04T12:00:00Z");
        for (text, expected) in [
            ("2026-03-04T19:04:00Z", "20:04"),
            ("2026-03-04T23:30:00Z", "Thu 00:30"),
            ("2026-02-27T19:04:00Z", "Fri 20:04"),
            ("2026-02-25T19:04:00Z", "2026-02-25 20:04"),
            ("2026-03-30T06:00:00Z", "2026-03-30 08:00"),
        ] {
            assert_eq!(clock(at(text), now, Tz::Europe__Berlin), expected, "{text}");
        }
    }

    #[test]
    fn instants_in_sentences_are_local_unless_quoted() {
        let now = at("2026-03-04T12:00:00Z");
        for (sentence, expected) in [
            ("Kept awake until 2026-03-04T19:04:00Z.", "Kept awake until 20:04."),
            ("until 2026-03-04T19:04:00.250Z; then", "until 20:04; then"),
            (
                "Within its uptime `2026-03-04T19:04:00Z-2026-03-05T19:04:00Z`.",
                "Within its uptime `2026-03-04T19:04:00Z-2026-03-05T19:04:00Z`.",
            ),
            ("Nothing asks  it to sleep, Zoë. Z", "Nothing asks  it to sleep, Zoë. Z"),
        ] {
            assert_eq!(local(sentence, now, Tz::Europe__Berlin), expected);
        }
    }

    #[test]
    fn lengths_have_at_most_two_units() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (6, "6 s"),
            (840, "14 min"),
            (7_200, "2 h"),
            (9_000, "2 h 30 min"),
            (86_400, "1 d"),
            (273_600, "3 d 4 h"),
        ] {
            assert_eq!(length(Millis::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn the_zone_is_the_variables_then_the_machines() {
        let link = Some("/usr/share/zoneinfo/Asia/Kolkata");
        for (variable, link, expected) in [
            (Some("Europe/Berlin"), link, Tz::Europe__Berlin),
            (Some(":Europe/Berlin"), None, Tz::Europe__Berlin),
            (Some("nonsense"), link, Tz::Asia__Kolkata),
            (None, link, Tz::Asia__Kolkata),
            (None, Some("/somewhere"), Tz::UTC),
            (None, None, Tz::UTC),
        ] {
            assert_eq!(zone_of(variable, link), expected, "{variable:?} {link:?}");
        }
    }
}
