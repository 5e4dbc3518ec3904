//! Laws of wish chains with schedules, holidays and changes of the clock, held against a slow model that steps from
//! minute to minute and asks the wall clock; nothing of it is made of the code it is to test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike};
use chrono_tz::Tz;
use nightcap_core::schedule::Calendar;
use nightcap_core::sleep::policy::{Policy, PolicyLevels, RawPolicy, rank};
use nightcap_core::sleep::{AsleepUntil, Levels, Mode, SleepSettings, Spec, Wishes, decide};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use proptest::prelude::*;

const ZONES: [Tz; 6] = [
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Asia__Kolkata,
    Tz::Australia__Lord_Howe,
    Tz::America__Sao_Paulo,
    Tz::Africa__Casablanca,
];

/// Instants around which some of these clocks are changed: in São Paulo at midnight, in Casablanca around Ramadan.
const CHANGES: [&str; 10] = [
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-03-08T07:00:00Z",
    "2026-11-01T06:00:00Z",
    "2026-04-04T15:00:00Z",
    "2026-10-03T15:30:00Z",
    "2018-11-04T03:00:00Z",
    "2019-02-17T02:00:00Z",
    "2026-02-15T02:00:00Z",
    "2026-03-22T02:00:00Z",
];

const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// How far the model looks.
const HORIZON: i64 = 10 * 1_440;

/// A weekly range; an end before the start is on the next day, equal bounds are empty.
#[derive(Clone, Copy, Debug)]
struct Range {
    first: u32,
    last: u32,
    start: u32,
    end: u32,
}

#[derive(Clone, Debug)]
struct Schedule {
    uptime: Option<Range>,
    downtime: Option<Range>,
    zone: Tz,
    /// Whether the zone is written in the spec, or the default.
    named: bool,
}

impl Range {
    fn text(self, zone: Option<Tz>) -> String {
        let time = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let zone = zone.map(|zone| format!(" {}", zone.name())).unwrap_or_default();
        let days = format!("{}-{}", NAMES[self.first as usize], NAMES[self.last as usize]);
        format!("{days} {}-{}{zone}", time(self.start), time(self.end))
    }

    fn has_day(self, day: u32) -> bool {
        if self.first <= self.last {
            (self.first..=self.last).contains(&day)
        } else {
            day >= self.first || day <= self.last
        }
    }

    fn holds(self, day: u32, minute: u32) -> bool {
        if self.start <= self.end {
            return self.has_day(day) && (self.start..self.end).contains(&minute);
        }
        let yesterday = (day + 6) % 7;
        self.has_day(day) && minute >= self.start || self.has_day(yesterday) && minute < self.end
    }
}

/// The wall clock: date, day of the week, minute of the day.
fn clock(zone: Tz, at: Instant) -> (NaiveDate, u32, u32) {
    let local = DateTime::from_timestamp_millis(at.0).unwrap().with_timezone(&zone);
    (local.date_naive(), local.weekday().num_days_from_monday(), local.hour() * 60 + local.minute())
}

impl Schedule {
    fn sleeps(&self, off: &BTreeSet<NaiveDate>, at: Instant) -> Option<bool> {
        let (date, day, minute) = clock(self.zone, at);
        let up = self.uptime.map(|range| range.holds(day, minute) && !off.contains(&date));
        let down = self.downtime.map(|range| range.holds(day, minute));
        match (up, down) {
            (None, None) => None,
            (up, down) => Some(up == Some(false) || down == Some(true)),
        }
    }

    fn texts(&self) -> [Option<String>; 2] {
        let zone = self.named.then_some(self.zone);
        [self.uptime, self.downtime].map(|range| range.map(|range| range.text(zone)))
    }

    fn wishes(&self) -> Wishes {
        let [uptime, downtime] =
            self.texts().map(|text| text.map(|text| Spec::parse(&text, self.zone).unwrap()));
        Wishes { uptime, downtime, ..Wishes::default() }
    }
}

fn range() -> impl Strategy<Value = Range> {
    // Bounds lie close together at times, so that ranges meet, and midnight is often one.
    let minute = prop_oneof![Just(0u32), 0u32..1_440, (0u32..24).prop_map(|hour| hour * 60), 115u32..185];
    let end = prop_oneof![Just(1_440u32), minute.clone()];
    (0u32..7, 0u32..7, minute, end).prop_map(|(first, last, start, end)| Range { first, last, start, end })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    (
        prop::option::weighted(0.8, range()),
        prop::option::weighted(0.4, range()),
        0..ZONES.len(),
        any::<bool>(),
    )
        .prop_map(|(uptime, downtime, zone, named)| Schedule {
            uptime,
            downtime,
            zone: ZONES[zone],
            named,
        })
}

fn start() -> impl Strategy<Value = Instant> {
    (0..CHANGES.len(), -6 * 1_440i64..1_440)
        .prop_map(|(change, minutes)| parse_rfc3339(CHANGES[change]).unwrap() + Millis::from_minutes(minutes))
}

/// Days off around an instant.
fn days_off(at: Instant, offsets: &[u64]) -> BTreeSet<NaiveDate> {
    let first = clock(Tz::UTC, at).0 - Days::new(2);
    offsets.iter().map(|offset| first + Days::new(*offset)).collect()
}

fn calendar(days: &BTreeSet<NaiveDate>) -> Calendar {
    days.iter().map(|day| (*day, "off".into())).collect()
}

/// The first minute after `at` at which `of` is another, within the horizon.
fn first_change<T: PartialEq>(at: Instant, of: impl Fn(Instant) -> T) -> Option<Instant> {
    let now = of(at);
    let minute = |n| at + Millis::from_minutes(n);
    (1..=HORIZON).map(minute).find(|&later| of(later) != now)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn schedule_with_holidays_is_what_the_wall_clock_shows(
        schedule in schedule(),
        at in start(),
        offsets in prop::collection::vec(0u64..14, 0..6),
    ) {
        let off = days_off(at, &offsets);
        let days = Arc::new(nightcap_core::schedule::DaysOff::new([&calendar(&off)], schedule.zone));
        let wishes = schedule.wishes().with_days_off(Some(&days));
        prop_assert_eq!(wishes.schedule_sleeps(at), schedule.sleeps(&off, at));
        let expected = first_change(at, |at| schedule.sleeps(&off, at));
        let told = wishes.next_schedule_change(at);
        match expected {
            Some(change) => prop_assert_eq!(told, Some(change), "{:?} {:?}", schedule.texts(), off),
            None => prop_assert!(told.is_none_or(|told| told > at + Millis::from_minutes(HORIZON))),
        }
    }
}

/// When a sleep ends; never, unless by hand.
#[derive(Clone, Copy, Debug)]
struct End(Option<i64>);

/// One level of the model: what it says of an instant.
#[derive(Clone, Debug)]
struct Chain {
    keep_awake: Option<i64>,
    asleep: Option<End>,
    exclude: bool,
    enforced: Vec<(i64, Schedule)>,
    workload: Option<Schedule>,
    namespace: Option<Schedule>,
    policies: Vec<(i64, Schedule)>,
    default: Option<Schedule>,
}

impl Chain {
    /// Whether the first that has something to say wishes sleep; `minute` counts from the start.
    fn sleeps(&self, off: &BTreeSet<NaiveDate>, policies: bool, at: Instant, minute: i64) -> bool {
        if self.keep_awake.is_some_and(|end| minute < end) {
            return false;
        }
        if self.asleep.is_some_and(|End(end)| end.is_none_or(|end| minute < end)) {
            return true;
        }
        if self.exclude {
            return false;
        }
        let none = BTreeSet::new();
        let best = |of: &[(i64, Schedule)]| {
            // Of equal priorities the first one, which has the smaller name.
            let mut best: Option<&(i64, Schedule)> = None;
            for policy in of.iter().filter(|(_, schedule)| schedule.sleeps(off, at).is_some()) {
                if best.is_none_or(|best| policy.0 > best.0) {
                    best = Some(policy);
                }
            }
            best.filter(|_| policies).and_then(|(_, schedule)| schedule.sleeps(off, at))
        };
        let own = |schedule: &Option<Schedule>| schedule.as_ref().and_then(|of| of.sleeps(&none, at));
        best(&self.enforced)
            .or_else(|| own(&self.workload))
            .or_else(|| own(&self.namespace))
            .or_else(|| best(&self.policies))
            .or_else(|| own(&self.default).filter(|_| policies))
            .unwrap_or(false)
    }
}

fn chains() -> impl Strategy<Value = Chain> {
    let some = || prop::option::weighted(0.4, schedule());
    let wished = |of: &Schedule| of.uptime.is_some() || of.downtime.is_some();
    let policies = move || prop::collection::vec((-1i64..2, schedule().prop_filter("wishes", wished)), 0..3);
    let end = || 1i64..3_000;
    (
        prop::option::weighted(0.2, end()),
        prop::option::weighted(0.2, prop::option::weighted(0.8, end()).prop_map(End)),
        prop::bool::weighted(0.1),
        policies(),
        some(),
        some(),
        policies(),
        some(),
    )
        .prop_map(|(keep_awake, asleep, exclude, enforced, workload, namespace, policies, default)| {
            Chain { keep_awake, asleep, exclude, enforced, workload, namespace, policies, default }
        })
}

fn policies(chain: &Chain, settings: &SleepSettings) -> Vec<Arc<Policy>> {
    let of_rank = |of: &[(i64, Schedule)], enforced: bool| -> Vec<Arc<Policy>> {
        let policy = |(nth, (priority, schedule)): (usize, &(i64, Schedule))| {
            let [uptime, downtime] = schedule.texts();
            let raw = RawPolicy {
                namespaces: vec!["*".to_owned()],
                enforced,
                priority: *priority,
                uptime,
                downtime,
                timezone: Some(schedule.zone.name().to_owned()),
                holidays: Some(vec!["off".to_owned()]),
                ..RawPolicy::default()
            };
            Arc::new(Policy::new(&format!("p-{nth}").into(), raw.read().unwrap(), settings).unwrap())
        };
        of.iter().enumerate().map(policy).collect()
    };
    let mut all = of_rank(&chain.policies, false);
    all.extend(of_rank(&chain.enforced, true));
    rank(&mut all);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn chain_decides_as_its_levels_do_minute_by_minute(
        chain in chains(),
        from in start(),
        offsets in prop::collection::vec(0u64..14, 0..5),
        acts: bool,
    ) {
        let off = days_off(from, &offsets);
        let calendars = BTreeMap::from([("off".into(), Arc::new(calendar(&off)))]);
        let settings = SleepSettings::new(Tz::UTC).with_holidays(calendars, &BTreeMap::new());
        let ranked = policies(&chain, &settings);
        let own = |schedule: &Option<Schedule>| schedule.as_ref().map(Schedule::wishes).unwrap_or_default();
        let minute = |n| from + Millis::from_minutes(n);
        let namespace = Wishes {
            keep_awake_until: chain.keep_awake.map(minute),
            asleep_until: chain.asleep.map(|End(end)| end.map_or(AsleepUntil::Manual, |end| AsleepUntil::At(minute(end)))),
            exclude: chain.exclude,
            ..own(&chain.namespace)
        };
        let (workload, defaults) = (own(&chain.workload), own(&chain.default));
        let levels = Levels {
            workload: Some(&workload),
            namespace: &namespace,
            defaults: &defaults,
            protected: None,
            tier: None,
            policies: Some(PolicyLevels { ranked: &ranked, team: "shop", labels: None, count: acts }),
            foreign: None,
        };
        let mode = if acts { Mode::Act } else { Mode::Ask };
        // From change to change, as the engine looks: in between, the model must say the same at every minute.
        let (mut at, mut looks) = (0, 0);
        while at < HORIZON {
            let (decision, wishes) = decide(levels, mode, minute(at));
            prop_assert_eq!(wishes.iter().filter(|wish| wish.won).count(), usize::from(!wishes.is_empty()));
            let next = decision.next_change;
            prop_assert!(next.is_none_or(|next| next > minute(at)), "{:?} is not later", next);
            let until = next.map_or(HORIZON, |next| (next.0 - from.0) / 60_000).min(HORIZON);
            for n in at..until {
                prop_assert_eq!(decision.asleep, chain.sleeps(&off, acts, minute(n), n), "minute {} of {:?}", n, chain);
            }
            at = until.max(at + 1);
            looks += 1;
        }
        prop_assert!(looks < 400, "{} looks in ten days", looks);
    }
}
