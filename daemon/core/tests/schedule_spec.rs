//! The native grammar by example, and the check command's answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono_tz::Tz;
use nightcap_core::schedule::{Check, CheckOptions, Dialect, TimeSpec, check};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};

fn at(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

fn spec(text: &str) -> TimeSpec {
    TimeSpec::parse(text, Tz::UTC).unwrap()
}

/// The answer at `from` and the next changes after it.
fn course(text: &str, from: &str, count: usize) -> (bool, Vec<String>) {
    let spec = spec(text);
    let next = |at: &Instant| spec.next_change(*at);
    let changes = std::iter::successors(next(&at(from)), next).take(count).map(|at| at.to_string()).collect();
    (spec.holds(at(from)), changes)
}

#[test]
fn a_working_week_begins_and_ends_by_its_own_clock() {
    assert_eq!(
        course("Mon-Fri 08:00-20:00 Europe/Berlin, Sat 10:00-14:00", "2026-02-06T12:00:00Z", 4),
        (
            true,
            vec![
                "2026-02-06T19:00:00Z".into(),
                // No zone: the default one, here UTC.
                "2026-02-07T10:00:00Z".into(),
                "2026-02-07T14:00:00Z".into(),
                "2026-02-09T07:00:00Z".into(),
            ]
        )
    );
}

#[test]
fn parts_that_touch_are_one() {
    // Midnights are no changes, and neither is the seam between two parts.
    assert_eq!(
        course("Mon-Fri 00:00-24:00", "2026-02-03T12:00:00Z", 2),
        (true, vec!["2026-02-07T00:00:00Z".into(), "2026-02-09T00:00:00Z".into()])
    );
    assert_eq!(
        course("Mon 08:00-12:00, Mon 12:00-13:00, Mon 12:30-14:00", "2026-02-02T09:00:00Z", 1),
        (true, vec!["2026-02-02T14:00:00Z".into()])
    );
    assert_eq!(
        course(
            "2026-02-01T00:00:00Z-2026-02-02T10:00:00Z, Mon 08:00-12:00, 2026-02-02T12:00:00Z-2026-02-02T13:00:00Z",
            "2026-02-01T09:00:00Z",
            2
        ),
        (true, vec!["2026-02-02T13:00:00Z".into(), "2026-02-09T08:00:00Z".into()])
    );
}

#[test]
fn an_overnight_range_belongs_to_the_day_it_starts() {
    assert_eq!(
        course("Fri 20:00-08:00", "2026-02-06T10:00:00Z", 3),
        (
            false,
            vec!["2026-02-06T20:00:00Z".into(), "2026-02-07T08:00:00Z".into(), "2026-02-13T20:00:00Z".into()]
        )
    );
    assert!(!spec("Fri 20:00-08:00").holds(at("2026-02-06T03:00:00Z")));
    // Over the end of the week.
    assert!(spec("Sun 20:00-08:00").holds(at("2026-02-09T07:59:59Z")));
    // An end at 00:00 is midnight.
    assert_eq!(course("20:00-00:00", "2026-02-06T20:00:00Z", 1), (true, vec!["2026-02-07T00:00:00Z".into()]));
}

#[test]
fn a_range_in_the_skipped_hour_does_not_come() {
    // Berlin, 2026-03-29: 02:00 to 03:00 does not exist. The change on the 28th is the last before the 30th.
    assert_eq!(
        course("02:00-03:00 Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        (
            false,
            vec!["2026-03-28T01:00:00Z".into(), "2026-03-28T02:00:00Z".into(), "2026-03-30T00:00:00Z".into()]
        )
    );
    // One that only begins in it begins at its end, one that only ends in it ends at its start.
    assert_eq!(
        course("02:30-05:00 Europe/Berlin", "2026-03-29T00:00:00Z", 2),
        (false, vec!["2026-03-29T01:00:00Z".into(), "2026-03-29T03:00:00Z".into()])
    );
    assert_eq!(
        course("01:30-02:30 Europe/Berlin", "2026-03-29T00:00:00Z", 2),
        (false, vec!["2026-03-29T00:30:00Z".into(), "2026-03-29T01:00:00Z".into()])
    );
}

#[test]
fn a_range_in_the_repeated_hour_comes_twice() {
    assert_eq!(
        course("02:00-03:00 Europe/Berlin", "2026-10-25T00:00:00Z", 2),
        (true, vec!["2026-10-25T02:00:00Z".into(), "2026-10-26T01:00:00Z".into()])
    );
    assert_eq!(
        course("02:15-02:45 Europe/Berlin", "2026-10-25T00:00:00Z", 4),
        (
            false,
            vec![
                "2026-10-25T00:15:00Z".into(),
                "2026-10-25T00:45:00Z".into(),
                "2026-10-25T01:15:00Z".into(),
                "2026-10-25T01:45:00Z".into(),
            ]
        )
    );
    // From 02:30 on, but the clock goes back to 02:00 at 03:00.
    assert_eq!(
        course("02:30-05:00 Europe/Berlin", "2026-10-25T00:00:00Z", 4),
        (
            false,
            vec![
                "2026-10-25T00:30:00Z".into(),
                "2026-10-25T01:00:00Z".into(),
                "2026-10-25T01:30:00Z".into(),
                "2026-10-25T04:00:00Z".into(),
            ]
        )
    );
    // Lord Howe goes back by half an hour, at 02:00 to 01:30.
    assert_eq!(
        course("01:30-02:00 Australia/Lord_Howe", "2026-04-04T14:00:00Z", 2),
        (false, vec!["2026-04-04T14:30:00Z".into(), "2026-04-04T15:30:00Z".into()])
    );
}

#[test]
fn a_day_that_never_was_is_passed_over() {
    // Samoa went from Thursday 2011-12-29 24:00 to Saturday 2011-12-31 00:00.
    assert_eq!(
        course("Fri 00:00-24:00 Pacific/Apia", "2011-12-29T00:00:00Z", 1),
        (false, vec!["2012-01-05T10:00:00Z".into()])
    );
    assert_eq!(
        course("Thu-Sat 00:00-24:00 Pacific/Apia", "2011-12-29T12:00:00Z", 1),
        (true, vec!["2011-12-31T10:00:00Z".into()])
    );
}

#[test]
fn what_never_changes_any_more_has_no_next_change() {
    let now = "2026-02-06T12:00:00Z";
    for (text, holds) in [
        ("always", true),
        ("NEVER", false),
        ("00:00-24:00", true),
        ("Wed-Tue 00:00-24:00 Asia/Kolkata", true),
        ("Mon-Fri 00:00-24:00, Sat-Sun 00:00-24:00", true),
        ("08:00-08:00", false),
        ("00:00-00:00", false),
        ("never, Mon 08:00-08:00, 2030-01-01T00:00:00Z-2030-01-01T00:00:00Z", false),
        ("2020-01-01T00:00:00Z-2021-01-01T00:00:00Z", false),
        // Together round the clock, but in zones that do not know of each other.
        ("00:00-13:00 UTC, 13:00-24:00 Etc/UTC", true),
        ("00:00-16:00 Europe/Berlin, 14:00-24:00 UTC, 22:00-03:00 America/New_York", true),
        ("Mon-Sun 00:00-12:00 Europe/Berlin, always", true),
    ] {
        assert_eq!(course(text, now, 1), (holds, vec![]), "{text}");
    }
}

#[test]
fn a_gap_that_opens_with_a_change_of_clocks_is_found_years_ahead() {
    // Berlin's 09:00 is 08:00 UTC in winter and 07:00 in summer: only in winter the two meet.
    assert_eq!(
        course("09:00-23:00 Europe/Berlin, 22:00-08:00 UTC", "2026-11-01T12:00:00Z", 2),
        (true, vec!["2027-03-28T21:00:00Z".into(), "2027-03-28T22:00:00Z".into()])
    );
}

#[test]
fn absolute_ranges_leave_their_end_out() {
    let text = "2026-03-01T08:00:00+01:00-2026-03-01T09:30:00.250-05:00";
    assert_eq!(
        course(text, "2026-03-01T00:00:00Z", 3),
        (false, vec!["2026-03-01T07:00:00Z".into(), "2026-03-01T14:30:00.250Z".into()])
    );
    assert_eq!(spec(text).to_string(), "2026-03-01T07:00:00Z-2026-03-01T14:30:00.250Z");
}

#[test]
fn a_spec_is_written_in_one_way() {
    let written = |text| TimeSpec::parse(text, Tz::Europe__Berlin).unwrap().to_string();
    assert_eq!(
        written(" monday-FRI  08:00-20:00 ,Sat 10:00-14:00\tUTC"),
        "Mon-Fri 08:00-20:00 Europe/Berlin, Sat 10:00-14:00 UTC"
    );
    assert_eq!(written("Tues-Mon 22:00-24:00"), "22:00-24:00 Europe/Berlin");
    assert_eq!(
        written("Sun-Mon 00:00-00:00,Always , never"),
        "Sun-Mon 00:00-00:00 Europe/Berlin, always, never"
    );
}

#[test]
fn what_is_no_spec_is_told_with_its_part_and_value() {
    const SHAPE: &str = "is no time spec: expected [DAY[-DAY]] HH:MM-HH:MM [ZONE] such as \"Mon-Fri 08:00-20:00 \
                         Europe/Berlin\", always, never, or RFC3339-RFC3339";
    const DAY: &str =
        "is no day of the week: use Mon, Tue, Wed, Thu, Fri, Sat or Sun, or a range such as Mon-Fri";
    const TIME: &str = "is no time of day: write two digits each, 00:00 to 23:59, or 24:00 as an end";
    const INSTANT: &str = "is no instant: write RFC 3339 such as 2026-03-01T08:00:00+01:00, with an offset or Z, on \
                           both sides of one dash";
    for (text, expected) in [
        ("", format!("\"\" is empty: {}", SHAPE.trim_start_matches("is no time spec: "))),
        ("always,,never", r#"in "always,,never": "" is empty: remove a comma, or write what is missing"#.into()),
        ("Mon-Fri", format!(r#""Mon-Fri" {SHAPE}"#)),
        ("08:00", format!(r#""08:00" {SHAPE}"#)),
        ("Mon Fri 08:00-20:00", format!(r#""Mon Fri 08:00-20:00" {SHAPE}"#)),
        ("Mon-Fri 08:00-20:00 UTC UTC", format!(r#""Mon-Fri 08:00-20:00 UTC UTC" {SHAPE}"#)),
        ("Mon-Fri 08:00-20:00, Xyz 08:00-20:00", format!(r#"in "Xyz 08:00-20:00": "Xyz" {DAY}"#)),
        ("Mo-Fri 08:00-20:00", format!(r#"in "Mo-Fri 08:00-20:00": "Mo" {DAY}"#)),
        ("Mon- 08:00-20:00", format!(r#"in "Mon- 08:00-20:00": "" {DAY}"#)),
        ("Mon 8:00-20:00", format!(r#"in "Mon 8:00-20:00": "8:00" {TIME}"#)),
        ("08:00-24:01", format!(r#"in "08:00-24:01": "24:01" {TIME}"#)),
        ("08:60-20:00", format!(r#"in "08:60-20:00": "08:60" {TIME}"#)),
        ("25:00-26:00", format!(r#"in "25:00-26:00": "25:00" {TIME}"#)),
        ("08:00-09-00", format!(r#"in "08:00-09-00": "09-00" {TIME}"#)),
        (
            "24:00-08:00",
            r#"in "24:00-08:00": "24:00" is no start: 24:00 is allowed as an end only, write 00:00 of the next day"#
                .into(),
        ),
        (
            "08:00-20:00 Mars/Olympus",
            "in \"08:00-20:00 Mars/Olympus\": \"Mars/Olympus\" is no known time zone: use an IANA name such as \
             Europe/Berlin or UTC"
                .into(),
        ),
        ("2026-03-01T08:00:00-2026-03-02T08:00:00", format!(r#""2026-03-01T08:00:00-2026-03-02T08:00:00" {INSTANT}"#)),
        ("2026-03-01T08:00:00Z", format!(r#""2026-03-01T08:00:00Z" {INSTANT}"#)),
        (
            "2026-03-02T08:00:00Z-2026-03-01T08:00:00Z",
            r#""2026-03-02T08:00:00Z-2026-03-01T08:00:00Z" ends before it starts: swap the two instants"#.into(),
        ),
    ] {
        let error = TimeSpec::parse(text, Tz::UTC).unwrap_err().to_string();
        assert_eq!(error, expected, "{text:?}");
    }
}

fn defaults() -> CheckOptions {
    CheckOptions {
        default_timezone: Some("Europe/Berlin".to_owned()),
        default_weekframe: Some("Mon-Fri".to_owned()),
    }
}

/// The answer as the command prints it, or the error.
fn answer(dialect: &str, spec: &str, now: &str, options: &CheckOptions) -> String {
    let dialect: Dialect = dialect.parse().unwrap();
    check(spec, dialect, at(now), options)
        .map_or_else(|error| error.to_string(), |answer| serde_json::to_string(&answer).unwrap())
}

#[test]
fn the_same_spec_in_three_dialects() {
    let (spec, now) = ("Mon-Fri 20:00-08:00 UTC", "2026-02-06T21:00:00Z");
    for (dialect, expected) in [
        ("native", r#"{"holds":true,"next_change":"2026-02-07T08:00:00Z"}"#),
        ("gokubedownscaler", r#"{"holds":true,"next_change":"2026-02-07T00:00:00Z"}"#),
        ("kube-downscaler", r#"{"holds":false,"next_change":null}"#),
    ] {
        assert_eq!(answer(dialect, spec, now, &CheckOptions::default()), expected, "{dialect}");
    }
    assert_eq!(
        "Native".parse::<Dialect>().unwrap_err().to_string(),
        r#""Native" is no dialect: use native, kube-downscaler or gokubedownscaler"#
    );
}

#[test]
fn defaults_stand_in_for_what_is_left_out() {
    // A Saturday, 12:00 in Berlin.
    let (spec, now) = ("08:00-17:00", "2026-02-07T11:00:00Z");
    for (dialect, expected) in [
        // No days are every day, whatever the week frame.
        ("native", r#"{"holds":true,"next_change":"2026-02-07T16:00:00Z"}"#),
        ("gokubedownscaler", r#"{"holds":false,"next_change":"2026-02-09T07:00:00Z"}"#),
        ("kube-downscaler", r#"{"holds":false,"next_change":"2026-02-09T07:00:00Z"}"#),
    ] {
        assert_eq!(answer(dialect, spec, now, &defaults()), expected, "{dialect}");
    }
    assert_eq!(
        answer("native", spec, now, &CheckOptions::default()),
        r#"{"holds":true,"next_change":"2026-02-07T17:00:00Z"}"#
    );
    for dialect in ["gokubedownscaler", "kube-downscaler"] {
        assert_eq!(
            answer(dialect, spec, now, &CheckOptions::default()),
            "\"08:00-17:00\" names no time zone: add one such as Europe/Berlin, or set the default time zone"
        );
        assert_eq!(
            answer(dialect, "08:00-17:00 UTC", now, &CheckOptions::default()),
            "\"08:00-17:00 UTC\" names no days: add a range such as Mon-Fri, or set the default week frame"
        );
    }
}

#[test]
fn a_bad_part_of_a_foreign_list_matters_when_it_is_reached() {
    let list = "Mon-Fri 08:00-17:00 UTC,oops";
    let options = CheckOptions::default();
    let holds = |dialect, spec, now| answer(dialect, spec, now, &options).starts_with('{');
    // kube-downscaler looks no further than it must; that the answer becomes an error is a change of it.
    assert_eq!(
        answer("kube-downscaler", list, "2026-02-06T12:00:00Z", &options),
        r#"{"holds":true,"next_change":"2026-02-06T17:00:00Z"}"#
    );
    assert!(!holds("kube-downscaler", list, "2026-02-07T12:00:00Z"));
    // GoKubeDownscaler reads the whole list first, but looks for defaults only when it must.
    assert!(!holds("gokubedownscaler", list, "2026-02-06T12:00:00Z"));
    assert!(holds("gokubedownscaler", "Mon-Fri 08:00-17:00 UTC,08:00-09:00", "2026-02-06T12:00:00Z"));
    assert!(!holds("gokubedownscaler", "Mon-Fri 08:00-17:00 UTC,08:00-09:00", "2026-02-07T12:00:00Z"));
    assert!(holds("gokubedownscaler", "true,08:00-09:00", "2026-02-07T12:00:00Z"));
}

#[test]
fn foreign_quirks_are_kept() {
    let now = "2026-02-02T12:00:00Z";
    let held = |text: &str| {
        ["kube-downscaler", "gokubedownscaler"].map(|dialect| {
            let dialect: Dialect = dialect.parse().unwrap();
            check(text, dialect, at(now), &CheckOptions::default()).ok().map(|answer| answer.holds)
        })
    };
    for (text, kube_downscaler, gokubedownscaler) in [
        ("ALWAYS", Some(true), Some(true)),
        (" always", None, Some(true)),
        ("never,Mon-Mon 00:00-24:00 UTC", None, Some(true)),
        ("mon-mon 08:00-18:00 utc", Some(true), None),
        ("Mon-Mon 08:00-99:99 UTC", Some(true), None),
        ("Mon-Mon 08:00-24:59 UTC", Some(true), Some(true)),
        ("Mon-Mon 24:30-13:00 UTC", Some(false), Some(true)),
        ("Mon-Mon\t08:00-18:00   UTC", None, Some(true)),
        ("Monday-Friday 08:00-18:00 UTC", None, None),
        ("Mon-Mon 08:00-18:00 Local", None, None),
        ("until - 2026-02-02T12:00:00Z", None, Some(false)),
        ("from2026-02-02T12:00:00Z", None, Some(true)),
        ("from --2026-02-02T12:00:00Z", None, None),
        ("2026-02-02T00:00:00+00:00-2026-02-01T00:00:00+00:00", Some(false), Some(false)),
    ] {
        assert_eq!(held(text), [kube_downscaler, gokubedownscaler], "{text:?}");
    }
    // kube-downscaler counts the last instant of an absolute range, to the resolution of Nightcap.
    let end = at("2026-02-02T12:00:00Z");
    let text = "2026-02-01T00:00:00+00:00-2026-02-02T12:00:00+00:00";
    assert_eq!(
        check(text, Dialect::KubeDownscaler, end, &CheckOptions::default()),
        Ok(Check { holds: true, next_change: Some(end + Millis(1)) })
    );
}
