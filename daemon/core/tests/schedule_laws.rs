//! Laws of time specs, checked against a slow model that looks at the wall clock minute by minute.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{Datelike, Timelike, Weekday};
use chrono_tz::Tz;
use nightcap_core::schedule::dialect::{gokubedownscaler, kube_downscaler};
use nightcap_core::schedule::{CheckOptions, TimeSpec};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use proptest::prelude::*;

/// Zones with and without summer time, with a shift of half an hour, with a day that never was.
const ZONES: [Tz; 7] = [
    Tz::UTC,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Kolkata,
    Tz::Pacific__Apia,
    Tz::Africa__Casablanca,
];

/// Instants around which the clocks of some of the zones are changed.
const CHANGES: [&str; 8] = [
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-03-08T07:00:00Z",
    "2026-11-01T06:00:00Z",
    "2026-04-04T15:00:00Z",
    "2026-10-03T15:30:00Z",
    "2011-12-30T10:00:00Z",
    "2026-02-15T02:00:00Z",
];

const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// How far the model looks ahead.
const HORIZON: i64 = 9 * 1_440;

fn at(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Weekly { first: usize, last: usize, start: u32, end: u32, zone: Tz },
    Between { start: Instant, end: Instant },
}

/// Whose rule for overnight ranges.
#[derive(Clone, Copy)]
enum Reading {
    StartDay,
    Today,
    SameDay,
}

impl Part {
    fn text(self) -> String {
        match self {
            Self::Weekly { first, last, start, end, zone } => {
                let time = |minutes| format!("{:02}:{:02}", minutes / 60, minutes % 60);
                format!("{}-{} {}-{} {zone}", DAYS[first], DAYS[last], time(start), time(end))
            }
            // No Z: kube-downscaler would not take it.
            Self::Between { start, end } => {
                format!("{}-{}", start.to_chrono().to_rfc3339(), end.to_chrono().to_rfc3339())
            }
        }
    }

    /// Straight from the words of the rule.
    fn holds(self, at: Instant, reading: Reading) -> bool {
        match self {
            Self::Between { start, end } => start <= at && at < end,
            Self::Weekly { first, last, start, end, zone } => {
                let local = at.to_chrono().with_timezone(&zone).naive_local();
                let minute = local.hour() * 60 + local.minute();
                let in_days = |day: Weekday| {
                    let mut index = first;
                    loop {
                        if DAYS[index] == day {
                            return true;
                        }
                        if index == last {
                            return false;
                        }
                        index = (index + 1) % 7;
                    }
                };
                let today = local.weekday();
                if start <= end {
                    return in_days(today) && (start..end).contains(&minute);
                }
                match reading {
                    Reading::StartDay => {
                        in_days(today) && minute >= start || in_days(today.pred()) && minute < end
                    }
                    Reading::Today => in_days(today) && (minute >= start || minute < end),
                    Reading::SameDay => false,
                }
            }
        }
    }
}

fn spec_text(parts: &[Part]) -> String {
    parts.iter().map(|part| part.text()).collect::<Vec<_>>().join(",")
}

/// The first whole minute after `after` at which the model says something else, if it is near.
fn model_next_change(parts: &[Part], after: Instant, reading: Reading) -> Option<Instant> {
    let holds = |at| parts.iter().any(|part| part.holds(at, reading));
    let held = holds(after);
    let minute = after.0.div_euclid(60_000);
    (1..=HORIZON).map(|step| Instant((minute + step) * 60_000)).find(|at| holds(*at) != held)
}

fn zone() -> impl Strategy<Value = Tz> {
    proptest::sample::select(&ZONES[..])
}

fn instant() -> impl Strategy<Value = Instant> {
    let near = (proptest::sample::select(&CHANGES[..]), -4 * 86_400_000_i64..4 * 86_400_000)
        .prop_map(|(change, distance)| at(change) + Millis(distance));
    let any = (at("2005-01-01T00:00:00Z").0..at("2045-01-01T00:00:00Z").0).prop_map(Instant);
    prop_oneof![3 => near, 1 => any]
}

fn weekly(zone: impl Strategy<Value = Tz>) -> impl Strategy<Value = Part> {
    // Whole hours often, so that parts touch each other and the hours at which clocks are changed.
    let minute = || prop_oneof![2 => (0_u32..24).prop_map(|hour| hour * 60), 1 => 0_u32..1_440];
    let end = prop_oneof![4 => minute(), 1 => Just(1_440)];
    (0_usize..7, 0_usize..7, minute(), end, zone).prop_map(|(first, last, start, end, zone)| Part::Weekly {
        first,
        last,
        start,
        end,
        zone,
    })
}

fn between() -> impl Strategy<Value = Part> {
    (instant(), 0_i64..20_000).prop_map(|(start, minutes)| {
        let start = Instant(start.0.div_euclid(60_000) * 60_000);
        Part::Between { start, end: start + Millis::from_minutes(minutes) }
    })
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let one_zone = zone().prop_flat_map(|zone| proptest::collection::vec(weekly(Just(zone)), 1..4));
    let mixed = proptest::collection::vec(prop_oneof![3 => weekly(zone()), 1 => between()], 1..4);
    prop_oneof![one_zone, mixed]
}

/// A next change is later, flips the answer, and nothing flips before it; the model agrees.
fn obeys(
    next: Option<Instant>,
    holds: impl Fn(Instant) -> bool,
    parts: &[Part],
    after: Instant,
    reading: Reading,
) -> Result<(), TestCaseError> {
    let model = |at| parts.iter().any(|part| part.holds(at, reading));
    prop_assert_eq!(holds(after), model(after));
    let horizon = after + Millis::from_minutes(HORIZON);
    match (next, model_next_change(parts, after, reading)) {
        (Some(next), Some(expected)) => prop_assert_eq!(next, expected),
        (Some(next), None) => prop_assert!(next > horizon, "{} is near, the model sees no change", next),
        (None, expected) => prop_assert_eq!(expected, None),
    }
    if let Some(next) = next {
        prop_assert!(next > after);
        prop_assert_ne!(holds(next), holds(after));
        prop_assert_eq!(holds(next - Millis(1)), holds(after));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_next_change_is_where_the_wall_clock_changes_the_answer(parts in parts(), after in instant()) {
        let spec = TimeSpec::parse(&spec_text(&parts), Tz::UTC).unwrap();
        obeys(spec.next_change(after), |at| spec.holds(at), &parts, after, Reading::StartDay)?;
    }

    #[test]
    fn gokubedownscaler_takes_the_day_of_now(parts in parts(), after in instant()) {
        let spec = gokubedownscaler::parse(&spec_text(&parts), &CheckOptions::default()).unwrap();
        obeys(spec.next_change(after), |at| spec.holds(at).unwrap(), &parts, after, Reading::Today)?;
    }

    #[test]
    fn kube_downscaler_has_no_overnight_ranges(
        parts in proptest::collection::vec(weekly(zone()), 1..4),
        after in instant(),
    ) {
        let spec = kube_downscaler::parse(&spec_text(&parts), &CheckOptions::default());
        obeys(spec.next_change(after), |at| spec.holds(at).unwrap(), &parts, after, Reading::SameDay)?;
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same_again(parts in parts(), other in zone()) {
        let spec = TimeSpec::parse(&spec_text(&parts), Tz::UTC).unwrap();
        let written = spec.to_string();
        let again = TimeSpec::parse(&written, other).unwrap();
        prop_assert_eq!(again.to_string(), written);
        prop_assert_eq!(again, spec);
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        read_all(&text);
    }

    #[test]
    fn no_text_of_the_right_letters_makes_a_parser_panic(
        text in "((mon|Fri|sun|always|from|until|[a-zA-Z/]{1,4}|[0-9]{1,4}|[-:,+ TZ.é])){0,24}",
    ) {
        read_all(&text);
    }

    #[test]
    fn no_instant_makes_a_spec_panic(parts in parts(), at in any::<i64>()) {
        let spec = TimeSpec::parse(&spec_text(&parts), Tz::UTC).unwrap();
        if let Some(next) = spec.next_change(Instant(at)) {
            prop_assert!(next > Instant(at));
        }
    }
}

fn read_all(text: &str) {
    let options = CheckOptions {
        default_timezone: Some("Europe/Berlin".to_owned()),
        default_weekframe: Some("Mon-Fri".to_owned()),
    };
    let now = at("2026-03-29T00:30:00Z");
    if let Ok(spec) = TimeSpec::parse(text, Tz::UTC) {
        let _ = (spec.holds(now), spec.next_change(now));
    }
    if let Ok(spec) = gokubedownscaler::parse(text, &options) {
        let _ = (spec.holds(now), spec.next_change(now));
    }
    let spec = kube_downscaler::parse(text, &options);
    let _ = (spec.holds(now), spec.next_change(now));
}
