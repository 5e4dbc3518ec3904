//! The grammar of windows: `OpenCost`'s, the one every command and every query takes.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::calendar::{Period, midnight};
use super::{Instant, Millis, Window, WindowError, parse_rfc3339};

impl Window {
    /// Reads a window.
    ///
    /// * `today`, `week` (since Sunday), `month`, `quarter`, `year`: from the local midnight they begin at until `now`.
    /// * `yesterday`, `lastweek`, `lastmonth`, `lastquarter`, `lastyear`: whole local days.
    /// * `7d` and the like with `m`, `h`, `d` or `w`: `OpenCost` rounds the end up to the next full unit (for `w`
    ///   to the next day) of UTC and counts back from there, so that `7d` is today and the six days before. Here
    ///   it starts at the same instant, but ends `now`: there is nothing to tell of what is yet to come.
    /// * `45m offset 15m`: exactly that long, until that long ago, nothing rounded.
    /// * two RFC 3339 instants with a comma between, or two Unix times in seconds as `s,e`, `s-e` or `s|e`:
    ///   as given, be it in the future.
    /// * two days with a comma between, `2026-03-01,2026-03-08`: from the local midnight that begins the first until
    ///   the one that begins the second. `OpenCost` does not know them; scripts and clients send them all the same.
    pub fn parse(text: &str, now: Instant, zone: Tz) -> Result<Self, WindowError> {
        let text = text.trim();
        let speakable = YEAR_0..YEAR_10000;
        let too_far = || WindowError::TooFar(text.to_owned());
        // Checked first: the calendar that relative windows are counted in ends somewhere.
        if !speakable.contains(&now.0) {
            return Err(too_far());
        }
        let window = named(text, now, zone)
            .or_else(|| last(text, now))
            .or_else(|| last_with_offset(text, now))
            .or_else(|| between(text))
            .or_else(|| days(text, zone));
        let (start, end) = window.ok_or_else(|| WindowError::Unknown(text.to_owned()))?;
        if !speakable.contains(&start.0) || !speakable.contains(&end.0) {
            return Err(too_far());
        }
        if end < start { Err(WindowError::Reversed(text.to_owned())) } else { Ok(Self { start, end }) }
    }
}

/// Beyond these, an instant is not RFC 3339 any more.
const YEAR_0: i64 = -62_167_219_200_000;
const YEAR_10000: i64 = 253_402_300_800_000;

const WEEK: Millis = Millis(604_800_000);

fn named(text: &str, now: Instant, zone: Tz) -> Option<(Instant, Instant)> {
    let today = now.to_chrono().with_timezone(&zone).date_naive();
    let (period, last) = match text {
        "today" => (Period::Day, false),
        "yesterday" => (Period::Day, true),
        "week" => (Period::Week, false),
        "lastweek" => (Period::Week, true),
        "month" => (Period::Month, false),
        "lastmonth" => (Period::Month, true),
        "quarter" => (Period::Quarter, false),
        "lastquarter" => (Period::Quarter, true),
        "year" => (Period::Year, false),
        "lastyear" => (Period::Year, true),
        _ => return None,
    };
    let (this_start, last_start) = period.this_and_last(today)?;
    let this_start = midnight(this_start, zone);
    Some(if last { (midnight(last_start, zone), this_start) } else { (this_start, now) })
}

fn last(text: &str, now: Instant) -> Option<(Instant, Instant)> {
    let (count, unit) = count_and_unit(text)?;
    let grain = unit.min(Millis::DAY).0;
    let rounded_up = now.0.div_euclid(grain).checked_mul(grain)?.checked_add(grain)?;
    let start = rounded_up.checked_sub(count.checked_mul(unit.0)?)?;
    // `1h` on the hour is the hour that begins, of which nothing has passed yet.
    Some((Instant(start).min(now), now))
}

fn last_with_offset(text: &str, now: Instant) -> Option<(Instant, Instant)> {
    let (length, offset) = text.split_once(" offset ")?;
    let back = |text| count_and_unit(text).and_then(|(count, unit): (i64, Millis)| count.checked_mul(unit.0));
    let end = now.0.checked_sub(back(offset)?)?;
    Some((Instant(end.checked_sub(back(length)?)?), Instant(end)))
}

/// `7d` as 7 and a day.
fn count_and_unit(text: &str) -> Option<(i64, Millis)> {
    let unit = match text.bytes().last()? {
        b'm' => Millis::MINUTE,
        b'h' => Millis::HOUR,
        b'd' => Millis::DAY,
        b'w' => WEEK,
        _ => return None,
    };
    Some((number(text.get(..text.len() - 1)?)?, unit))
}

fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn between(text: &str) -> Option<(Instant, Instant)> {
    if let Some((start, end)) = text.split_once(',')
        && let Some(instants) = parse_rfc3339(start).zip(parse_rfc3339(end))
    {
        return Some(instants);
    }
    let (start, end) = text.split_once([',', '-', '|'])?;
    let unix = |text| number(text).and_then(|seconds| seconds.checked_mul(1_000)).map(Instant);
    unix(start).zip(unix(end))
}

fn days(text: &str, zone: Tz) -> Option<(Instant, Instant)> {
    let (start, end) = text.split_once(',')?;
    let day = |text: &str| NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok();
    let (start, end) = day(start).zip(day(end))?;
    Some((midnight(start, zone), midnight(end, zone)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        parse_rfc3339(text).unwrap()
    }

    fn read(text: &str, now: &str, zone: Tz) -> String {
        match Window::parse(text, at(now), zone) {
            Ok(Window { start, end }) => format!("{start} {end}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn relative_windows_end_now_and_past_ones_are_whole() {
        // A Thursday.
        let now = "2026-03-12T10:20:30Z";
        for (text, expected) in [
            ("today", "2026-03-12T00:00:00Z 2026-03-12T10:20:30Z"),
            ("yesterday", "2026-03-11T00:00:00Z 2026-03-12T00:00:00Z"),
            ("week", "2026-03-08T00:00:00Z 2026-03-12T10:20:30Z"),
            ("lastweek", "2026-03-01T00:00:00Z 2026-03-08T00:00:00Z"),
            ("month", "2026-03-01T00:00:00Z 2026-03-12T10:20:30Z"),
            ("lastmonth", "2026-02-01T00:00:00Z 2026-03-01T00:00:00Z"),
            ("quarter", "2026-01-01T00:00:00Z 2026-03-12T10:20:30Z"),
            ("lastquarter", "2025-10-01T00:00:00Z 2026-01-01T00:00:00Z"),
            ("year", "2026-01-01T00:00:00Z 2026-03-12T10:20:30Z"),
            ("lastyear", "2025-01-01T00:00:00Z 2026-01-01T00:00:00Z"),
            ("10m", "2026-03-12T10:11:00Z 2026-03-12T10:20:30Z"),
            ("1h", "2026-03-12T10:00:00Z 2026-03-12T10:20:30Z"),
            ("24h", "2026-03-11T11:00:00Z 2026-03-12T10:20:30Z"),
            ("1d", "2026-03-12T00:00:00Z 2026-03-12T10:20:30Z"),
            ("7d", "2026-03-06T00:00:00Z 2026-03-12T10:20:30Z"),
            ("1w", "2026-03-06T00:00:00Z 2026-03-12T10:20:30Z"),
            ("2w", "2026-02-27T00:00:00Z 2026-03-12T10:20:30Z"),
            ("0h", "2026-03-12T10:20:30Z 2026-03-12T10:20:30Z"),
            ("45m offset 15m", "2026-03-12T09:20:30Z 2026-03-12T10:05:30Z"),
            ("1d offset 1w", "2026-03-04T10:20:30Z 2026-03-05T10:20:30Z"),
        ] {
            assert_eq!(read(text, now, Tz::UTC), expected, "{text}");
        }
        assert_eq!(read("1h", "2026-03-12T10:00:00Z", Tz::UTC), "2026-03-12T10:00:00Z 2026-03-12T10:00:00Z");
        assert_eq!(read("2h", "2026-03-12T10:00:00Z", Tz::UTC), "2026-03-12T09:00:00Z 2026-03-12T10:00:00Z");
        // A Sunday begins its own week.
        assert_eq!(
            read("week", "2026-03-15T00:00:01Z", Tz::UTC),
            "2026-03-15T00:00:00Z 2026-03-15T00:00:01Z"
        );
        assert_eq!(
            read("lastmonth", "2026-01-31T00:00:00Z", Tz::UTC),
            "2025-12-01T00:00:00Z 2026-01-01T00:00:00Z"
        );
    }

    #[test]
    fn days_are_local_and_the_second_is_the_first_that_does_not_count() {
        let now = "2026-03-12T10:20:30Z";
        for (text, zone, expected) in [
            ("2026-03-01,2026-03-08", Tz::UTC, "2026-03-01T00:00:00Z 2026-03-08T00:00:00Z"),
            (" 2026-03-01 , 2026-03-01 ", Tz::UTC, "2026-03-01T00:00:00Z 2026-03-01T00:00:00Z"),
            // Clocks go forward on the 29th.
            ("2026-03-29,2026-03-30", Tz::Europe__Berlin, "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"),
            (
                "2026-03-08,2026-03-01",
                Tz::UTC,
                "the window \"2026-03-08,2026-03-01\" ends before it starts: swap its two instants",
            ),
        ] {
            assert_eq!(read(text, now, zone), expected, "{text}");
        }
        for text in
            ["2026-03-01", "2026-03-01,2026-02-30", "2026-03-01,2026-03-08T00:00:00Z", "2026-03-01,today"]
        {
            assert!(read(text, now, Tz::UTC).contains("is no window"), "{text}");
        }
    }

    #[test]
    fn named_windows_are_of_local_days() {
        let berlin = Tz::Europe__Berlin;
        assert_eq!(
            read("today", "2026-03-12T23:30:00Z", berlin),
            "2026-03-12T23:00:00Z 2026-03-12T23:30:00Z"
        );
        // The days on which clocks are changed are 23 and 25 hours long.
        assert_eq!(
            read("yesterday", "2026-03-30T10:00:00Z", berlin),
            "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"
        );
        assert_eq!(
            read("yesterday", "2026-10-26T10:00:00Z", berlin),
            "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z"
        );
        assert_eq!(
            read("lastmonth", "2026-04-15T10:00:00Z", berlin),
            "2026-02-28T23:00:00Z 2026-03-31T22:00:00Z"
        );
        // In Cairo midnight of 2026-04-24 was skipped: the day began at 01:00.
        assert_eq!(
            read("today", "2026-04-24T10:00:00Z", Tz::Africa__Cairo),
            "2026-04-23T22:00:00Z 2026-04-24T10:00:00Z"
        );
        // Samoa had no 2011-12-30.
        assert_eq!(
            read("yesterday", "2011-12-31T00:00:00Z", Tz::Pacific__Apia),
            "2011-12-30T10:00:00Z 2011-12-30T10:00:00Z"
        );
    }

    #[test]
    fn absolute_windows_are_taken_as_given() {
        let now = "2026-03-12T10:20:30Z";
        for (text, expected) in [
            ("2026-03-01T00:00:00Z,2027-03-02T00:00:00Z", "2026-03-01T00:00:00Z 2027-03-02T00:00:00Z"),
            (
                "2026-03-01T00:00:00+01:00,2026-03-02T00:00:00-05:00",
                "2026-02-28T23:00:00Z 2026-03-02T05:00:00Z",
            ),
            ("1586822400,1586908800", "2020-04-14T00:00:00Z 2020-04-15T00:00:00Z"),
            ("1586822400-1586908800", "2020-04-14T00:00:00Z 2020-04-15T00:00:00Z"),
            ("1586822400|1586908800", "2020-04-14T00:00:00Z 2020-04-15T00:00:00Z"),
            ("5,5", "1970-01-01T00:00:05Z 1970-01-01T00:00:05Z"),
        ] {
            assert_eq!(read(text, now, Tz::Asia__Kolkata), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_window_is_named() {
        let parse = |text| Window::parse(text, at("2026-03-12T10:20:30Z"), Tz::UTC);
        for text in ["", "Today", "7", "d", "7y", "-7d", "1.5h", "7 d", "1h offset", "5,", ",", "2026-03-01,"]
        {
            assert_eq!(parse(text), Err(WindowError::Unknown(text.to_owned())));
        }
        for text in ["99999999999999999999d", "9999999999999999d"] {
            assert_eq!(parse(text), Err(WindowError::Unknown(text.to_owned())));
        }
        for text in ["999999999d", "0,9999999999999"] {
            assert_eq!(parse(text), Err(WindowError::TooFar(text.to_owned())));
        }
        for text in ["2,1", "2026-03-02T00:00:00Z,2026-03-01T00:00:00Z"] {
            assert_eq!(parse(text), Err(WindowError::Reversed(text.to_owned())));
        }
    }

    #[test]
    fn a_clock_beyond_the_calendar_has_no_windows() {
        // The last of these has no local time in chrono any more.
        for now in [i64::MIN, i64::MAX, -8_334_601_228_800_000] {
            let window = Window::parse("today", Instant(now), Tz::America__New_York);
            assert_eq!(window, Err(WindowError::TooFar("today".to_owned())));
        }
    }

    proptest! {
        #[test]
        fn a_relative_window_ends_now_and_never_starts_later(
            count in 0_i64..1_000,
            unit in "[mhdw]",
            now in 0_i64..4_000_000_000_000,
        ) {
            let window = Window::parse(&format!("{count}{unit}"), Instant(now), Tz::Europe__Berlin).unwrap();
            prop_assert_eq!(window.end, Instant(now));
            prop_assert!(window.start <= window.end);
        }

        #[test]
        fn no_text_and_no_instant_panics(
            text in any::<String>(),
            near in "(today|lastmonth|week|[0-9]{1,20}[mhdw]?|[-,| ]|offset ){0,5}",
            now in any::<i64>(),
        ) {
            for text in [&text, &near] {
                let _ = Window::parse(text, Instant(now), Tz::America__New_York);
            }
        }
    }
}
