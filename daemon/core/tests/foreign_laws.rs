//! Laws of other tools' wishes: the next change is later and is one, no text makes anything panic, and an imported spec
//! says what was read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono_tz::Tz;
use nightcap_core::cluster::Keys;
use nightcap_core::schedule::dialect::{ForeignSpec, gokubedownscaler, kube_downscaler};
use nightcap_core::schedule::{CheckOptions, TimeSpec};
use nightcap_core::sleep::SleepSettings;
use nightcap_core::sleep::foreign::cron::{Cron, CronPair};
use nightcap_core::sleep::foreign::nightshift::{ShiftEdge, ShiftSchedule};
use nightcap_core::sleep::foreign::snorlax::{SleepSchedule, SleepScheduleSpec};
use nightcap_core::sleep::foreign::{
    Foreign, ForeignSubject, ForeignWish, Tool, foreign_wish, import_keys, kube_janitor, vcluster_yaml,
};
use nightcap_core::units::{Instant, Millis};
use proptest::prelude::*;

const ZONES: [Tz; 5] =
    [Tz::UTC, Tz::Europe__Berlin, Tz::Australia__Lord_Howe, Tz::Pacific__Apia, Tz::America__New_York];

/// 2026 and around, with the days on which clocks are changed, to the second.
fn instants() -> impl Strategy<Value = Instant> {
    (1_767_225_600i64..1_800_000_000).prop_map(|second| Instant(second * 1_000))
}

fn specs() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "always",
        "never",
        "true",
        "false",
        "Mon-Fri 08:00-20:00 Europe/Berlin",
        "Mon-Fri 20:00-08:00 Europe/Berlin",
        "Fri-Mon 00:00-24:00 Australia/Lord_Howe",
        "Sat-Sun 02:00-03:00 Europe/Berlin, Mon-Mon 10:00-11:00 UTC",
        "2026-04-01T00:00:00+00:00-2026-04-02T00:00:00+00:00",
        "from 2026-06-01T00:00:00Z",
        "Mon-Fri 08:00-20:00",
        "nonsense",
        "Mon-Fri 08:00-09:00 UTC,nonsense",
    ])
    .prop_map(str::to_owned)
}

fn annotations() -> impl Strategy<Value = Keys> {
    let key = prop::sample::select(vec![
        "downscaler/uptime",
        "downscaler/downtime",
        "downscaler/upscale-period",
        "downscaler/downscale-period",
        "downscaler/force-uptime",
        "downscaler/force-downtime",
        "downscaler/exclude",
        "downscaler/exclude-until",
        "downscaler/downtime-replicas",
        "downscaler/downscale-replicas",
        "downscaler/grace-period",
        "sleepmode.loft.sh/sleep-schedule",
        "sleepmode.loft.sh/wakeup-schedule",
        "sleepmode.loft.sh/timezone",
        "sleepmode.loft.sh/force",
        "sleepmode.loft.sh/force-duration",
        "sleepmode.loft.sh/sleeping-since",
        "joyrex2001.com/nightshift.schedule",
    ]);
    let other = prop::sample::select(vec![
        "0 20 * * 1-5",
        "30 2 * * *",
        "Europe/Berlin",
        "3600",
        "1775000000",
        "2026-06-01",
        "2026-06-01T00:00:00Z",
        "Mon-Fri 8:00 replicas=1;Mon-Fri 18:00 replicas=0",
        "1",
        "15m",
    ])
    .prop_map(str::to_owned);
    let value = prop_oneof![3 => specs(), 3 => other, 1 => any::<String>()];
    prop::collection::btree_map(key, value, 0..6)
        .prop_map(|all| all.into_iter().map(|(key, value)| (key.into(), value.as_str().into())).collect())
}

fn wish(tool: Tool, own: &Keys, namespace: &Keys, created: Instant, now: Instant) -> Option<ForeignWish> {
    let none = Keys::new();
    let own = Foreign::read(own, &none, created);
    let namespace = Foreign::read(namespace, &none, created);
    let subject = ForeignSubject { kind: "Deployment", name: "web", labels: &none };
    foreign_wish(
        tool,
        Some((own.as_deref(), subject, created)),
        namespace.as_deref(),
        Tz::Europe__Berlin,
        now,
    )
}

fn says(spec: &ForeignSpec, at: Instant) -> bool {
    spec.holds(at).unwrap()
}

proptest! {
    #[test]
    fn next_change_is_later_and_is_one(
        own in annotations(),
        namespace in annotations(),
        now in instants(),
        age in 0i64..4_000,
    ) {
        let created = now - Millis::from_secs(age);
        for tool in Tool::ALL {
            let Some(first) = wish(tool, &own, &namespace, created, now) else { continue };
            let Some(until) = first.until else {
                let later = wish(tool, &own, &namespace, created, now + Millis::from_hours(100 * 24));
                prop_assert_eq!(later.map(|wish| wish.ask), Some(first.ask), "{:?}", first);
                continue;
            };
            prop_assert!(until > now, "{first:?}");
            let ask = |at| wish(tool, &own, &namespace, created, at).map(|wish| wish.ask);
            prop_assert_ne!(ask(until), Some(first.ask), "{:?}", first);
            // And none before it.
            let middle = Instant(now.0 + (until.0 - now.0) / 2);
            for at in [middle, Instant(until.0 - 1)] {
                prop_assert_eq!(ask(at), Some(first.ask), "{:?} at {:?}", first, at);
            }
        }
    }

    #[test]
    fn cron_goes_on_strictly(
        minute in 0u32..60,
        hour in 0u32..24,
        day in prop::sample::select(vec!["*", "1-5", "0,6", "3"]),
        zone in prop::sample::select(ZONES.to_vec()),
        now in instants(),
    ) {
        let cron = Cron::parse(&format!("{minute} {hour} * * {day}"), zone).unwrap();
        let next = cron.next(now).unwrap();
        prop_assert!(next > now && next.since(now) <= Millis::from_hours(9 * 24));
        prop_assert_eq!(cron.last(next), Some(next));
        let last = cron.last(now).unwrap();
        prop_assert!(last <= now && cron.next(last).unwrap() > now);
        let wake = Cron::parse("0 8 * * *", zone).unwrap();
        let pair = CronPair { sleep: Some(cron), wake: Some(wake) };
        prop_assert!(pair.next_edge(now).unwrap() <= next);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), near in "[0-9A-Za-z*/,:;=? -]{0,40}", now in any::<i64>()) {
        for text in [&text, &near] {
            for zone in ZONES {
                if let Ok(cron) = Cron::parse(text, zone) {
                    let _ = (cron.next(Instant(now)), cron.last(Instant(now)));
                }
            }
            if let Ok(edge) = ShiftEdge::parse(text) {
                let _ = (edge.next(Instant(now), Tz::UTC), edge.last(Instant(now), Tz::UTC), edge.apply(None));
            }
            let _ = ShiftSchedule::parse(text, Tz::UTC);
            let _ = (kube_janitor::parse_ttl(text), kube_janitor::parse_expiry(text));
            let spec = SleepScheduleSpec { wake_time: text.clone(), timezone: text.clone(), ..SleepScheduleSpec::default() };
            let _ = SleepSchedule::new("x", spec);
            let config = serde_json::json!({"sleep": {"auto": {"afterInactivity": text, "schedule": text, "timezone": text}}});
            let _ = vcluster_yaml::read(&config);
        }
    }

    #[test]
    fn no_instant_and_no_annotation_panics(own in annotations(), now in any::<i64>(), created in any::<i64>()) {
        let settings = SleepSettings::new(Tz::UTC);
        for tool in Tool::ALL {
            let _ = wish(tool, &own, &own, Instant(created), Instant(now));
            let _ = import_keys(tool, &own, &settings, Instant(now));
        }
    }

    #[test]
    fn imported_spec_says_what_was_read(text in specs(), now in instants()) {
        let options = CheckOptions::default();
        for spec in [Some(kube_downscaler::parse(&text, &options)), gokubedownscaler::parse(&text, &options).ok()] {
            let Some((spec, native)) = spec.and_then(|spec| Some((spec.clone(), spec.to_native().ok()?))) else { continue };
            let read = TimeSpec::parse(&native, Tz::UTC).unwrap();
            let (mut at, mut edges) = (now, 0);
            while edges < 20 {
                prop_assert_eq!(read.holds(at), says(&spec, at), "{} as {} at {:?}", text, native, at);
                let Some(next) = spec.next_change(at) else { break };
                (at, edges) = (next, edges + 1);
            }
        }
    }
}
