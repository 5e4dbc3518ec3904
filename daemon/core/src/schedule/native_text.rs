//! A timetable as a text of the native grammar, so that what another tool's grammar says can be kept in Nightcap's.

use chrono_tz::Tz;

use super::clock::{DAY, MINUTE};
use super::days::Days;
use super::timetable::Timetable;
use super::week::merge;
use crate::units::Instant;

/// What an open beginning or end of a span is written as: before and after anything that is scheduled.
const OPEN: (&str, &str) = ("1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z");

/// Times of the week of a zone, in milliseconds since Monday 00:00, as a native spec; `never` if there are none.
///
/// Ranges are cut at midnight, and days that have the same ones are written together: no day's range then depends on
/// which day it belongs to.
pub(crate) fn week_text(ranges: Vec<(i64, i64)>, zone: Tz) -> String {
    let parts = week_parts(&merge(ranges), zone);
    if parts.is_empty() { "never".to_owned() } else { parts.join(", ") }
}

fn week_parts(ranges: &[(i64, i64)], zone: Tz) -> Vec<String> {
    let mut runs: Vec<(i64, i64, i64, i64)> = Vec::new();
    for &(start, end) in ranges {
        let mut at = start;
        while at < end {
            let day = at.div_euclid(DAY);
            let to = end.min((day + 1) * DAY);
            let (from, until) = ((at - day * DAY) / MINUTE, (to - day * DAY) / MINUTE);
            match runs.iter_mut().find(|run| run.1 + 1 == day && run.2 == from && run.3 == until) {
                Some(run) => run.1 = day,
                None => runs.push((day, day, from, until)),
            }
            at = to;
        }
    }
    let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let text = |(first, last, from, until): (i64, i64, i64, i64)| {
        let days =
            if (first, last) == (0, 6) { String::new() } else { format!("{} ", Days::new(first, last)) };
        format!("{days}{}-{} {}", time(from), time(until), zone.name())
    };
    runs.into_iter().map(text).collect()
}

impl Timetable {
    /// The same in the native grammar.
    pub(super) fn native_text(&self) -> String {
        if self.is_always() {
            return "always".to_owned();
        }
        let mut parts = Vec::new();
        for (zone, week) in self.weeks() {
            parts.extend(week_parts(week.ranges(), *zone));
        }
        for &(start, end) in self.spans() {
            let text = |at: i64, open: i64, instead: &str| {
                if at == open { instead.to_owned() } else { Instant(at).to_rfc3339() }
            };
            parts.push(format!("{}-{}", text(start, i64::MIN, OPEN.0), text(end, i64::MAX, OPEN.1)));
        }
        if parts.is_empty() { "never".to_owned() } else { parts.join(", ") }
    }
}
