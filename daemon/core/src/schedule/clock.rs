//! Wall clocks: how a zone's offset to UTC changes over time, in milliseconds.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const DAY: i64 = 1_440 * MINUTE;
pub(super) const WEEK: i64 = 7 * DAY;

/// Instants further from the epoch than this (some 250,000 years) read as this: chrono knows no more.
pub(super) const LIMIT: i64 = 8_000_000_000_000_000;

/// 1800-01-01: no zone of the embedded tz database changes before it (towns then kept their own mean time).
const FIRST_SHIFT: i64 = -5_364_662_400_000;
/// 2101-01-01: no zone of the embedded tz database changes after it (its rules are written out to 2100).
const LAST_SHIFT: i64 = 4_133_980_800_000;

/// How far apart two probes for a shift may lie. The two closest shifts of any zone that undo each other are
/// almost seven days apart (Gaza's Ramadan, Brazil 2000), so that none can hide between two probes.
const PROBE: i64 = 2 * DAY;

/// What the zone's wall clock is ahead of UTC.
pub(super) fn offset(zone: Tz, at: i64) -> i64 {
    let utc = DateTime::from_timestamp_millis(at.clamp(-LIMIT, LIMIT)).unwrap_or_default().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * 1_000
}

/// How far into the local week, which begins on Monday at 00:00, the wall clock is.
pub(super) fn time_of_week(at: i64, offset: i64) -> i64 {
    // The epoch was a Thursday.
    (at + offset + 3 * DAY).rem_euclid(WEEK)
}

/// The first instant in `(from, to]` at which the zone's offset is no longer the one of `from`.
pub(super) fn next_shift(zone: Tz, from: i64, to: i64) -> Option<i64> {
    let before = offset(zone, from);
    let to = to.min(LAST_SHIFT);
    let mut low = from.max(FIRST_SHIFT);
    while low < to {
        let mut high = to.min(low + PROBE);
        if offset(zone, high) != before {
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset(zone, middle) == before { low = middle } else { high = middle }
            }
            return Some(high);
        }
        low = high;
    }
    None
}

/// The first instant after `from` at which any of the zones changes its offset.
pub(super) fn next_shift_of_any(zones: &[Tz], from: i64) -> Option<i64> {
    // Window by window: a zone that never changes must not be searched to the end of time.
    let mut low = from.max(FIRST_SHIFT);
    while low < LAST_SHIFT {
        let high = low + 180 * DAY;
        if let Some(shift) = zones.iter().filter_map(|zone| next_shift(*zone, low, high)).min() {
            return Some(shift);
        }
        low = high;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::parse_rfc3339;

    fn at(text: &str) -> i64 {
        parse_rfc3339(text).unwrap().0
    }

    #[test]
    fn the_next_shift_is_found_to_the_millisecond() {
        let from = at("2026-02-01T00:00:00Z");
        let shift = next_shift(Tz::Europe__Berlin, from, from + 100 * DAY);
        assert_eq!(shift, Some(at("2026-03-29T01:00:00Z")));
        assert_eq!(next_shift(Tz::Europe__Berlin, shift.unwrap(), shift.unwrap() + 100 * DAY), None);
        assert_eq!(next_shift(Tz::Asia__Kolkata, from, i64::MAX), None);
    }

    #[test]
    fn no_zone_shifts_outside_the_searched_years() {
        for zone in chrono_tz::TZ_VARIANTS {
            for step in 0..200 {
                let day = step * 30 * DAY;
                assert_eq!(offset(zone, FIRST_SHIFT - day), offset(zone, FIRST_SHIFT), "{zone} before");
                assert_eq!(offset(zone, LAST_SHIFT + day), offset(zone, LAST_SHIFT), "{zone} after");
            }
        }
    }

    /// Guards [`PROBE`] against a new tz database.
    #[test]
    fn no_two_shifts_of_a_zone_are_as_close_as_two_probes() {
        let (from, to) = (at("2020-01-01T00:00:00Z"), at("2056-01-01T00:00:00Z"));
        for zone in chrono_tz::TZ_VARIANTS {
            let mut last = from - WEEK;
            let mut day = from;
            let mut before = offset(zone, day);
            while day < to {
                day += DAY;
                let after = offset(zone, day);
                if after != before {
                    assert!(day - last > PROBE, "{zone} at {day}");
                    last = day;
                }
                before = after;
            }
        }
    }

    #[test]
    fn the_far_ends_of_time_are_no_trap() {
        assert_eq!(offset(Tz::UTC, i64::MAX), 0);
        assert_eq!(next_shift(Tz::Europe__Berlin, i64::MAX, i64::MAX), None);
        assert_eq!(next_shift(Tz::Europe__Berlin, -LIMIT, -LIMIT + WEEK), None);
    }
}
