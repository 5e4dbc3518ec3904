//! Disks, load balancers, fees and traffic on the bill, with amounts worked out by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Claim, ClaimKey, Keys, Namespace, Pod, Service, Volume, VolumeFacts};
use nightcap_core::engine::{Egress, Engine, Event, FixedCost, Kind, Settings, TrafficSample};
use nightcap_core::money::{AssetKind, Confidence, EgressPrices, FlatRow, Hour, PriceSource};
use nightcap_core::units::{Bytes, Instant, Millis, PicoUsd, Rate};
use proptest::prelude::*;

mod support;
use support::{T0, at, node, price, res};

const HOUR: i64 = 3_600;

fn volume(name: &str, claim: Option<&str>) -> Event {
    Event::Volume(Volume {
        uid: format!("pv-{name}").into(),
        name: name.into(),
        created: T0,
        provider_id: "vol-1".into(),
        facts: VolumeFacts::default(),
        capacity: Bytes::from_gib(100),
        claim_uid: claim.map(|claim| format!("pvc-{claim}").into()),
        failed: false,
    })
}

fn claim(name: &str) -> Event {
    Event::Claim(Claim {
        key: ClaimKey { namespace: "shop".into(), name: name.into() },
        uid: format!("pvc-{name}").into(),
        created: T0,
        volume: None,
        requested: Bytes::from_gib(100),
        labels: Keys::new(),
        annotations: Keys::new(),
    })
}

fn pod(name: &str, claims: &[&str], from: i64, to: Option<i64>) -> Event {
    let claims = claims.iter().map(|&claim| claim.into()).collect();
    Event::Pod(Pod { requests: res(100, 100), ready: true, claims, ..support::shop_pod(name, from, to) })
}

fn namespace(team: &str, version: &str) -> Event {
    Event::Namespace(Namespace {
        uid: "ns-shop".into(),
        name: "shop".into(),
        resource_version: version.into(),
        created: T0,
        labels: [("team".into(), team.into())].into(),
        annotations: Keys::new(),
        terminating: false,
    })
}

/// A volume of a hundred GiB costs a dollar an hour here.
fn priced(uid: &str) -> Event {
    Event::AssetPriced { uid: uid.into(), price: price(1.0) }
}

fn engine() -> Engine {
    let mut engine = Engine::new(Settings::new(T0));
    engine.apply(Event::Node(node("n", T0)), T0);
    engine
}

fn flat(engine: &mut Engine, now: Instant) -> Vec<FlatRow> {
    engine.snapshot(now).hours.iter().flat_map(|hour| hour.flat.clone()).collect()
}

/// Micro-dollars by team and pod.
fn by_payer(rows: &[FlatRow]) -> BTreeMap<(String, String), i128> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let pod = row.pod.as_ref().map_or("-", |pod| &pod.name);
        *sums.entry((row.attribution.team.to_string(), pod.to_owned())).or_default() +=
            row.cost.0 / 1_000_000;
    }
    sums
}

fn expected(rows: &[(&str, &str, i128)]) -> BTreeMap<(String, String), i128> {
    rows.iter().map(|&(team, pod, micro)| ((team.to_owned(), pod.to_owned()), micro)).collect()
}

/// A pod alone on a day's volume for six hours pays for six hours, not for a part of them (OpenCost's time twice).
#[test]
fn a_volume_is_paid_by_the_pod_that_mounts_it_and_by_its_team_for_the_rest() {
    let mut engine = engine();
    let events = [
        namespace("commerce", "1"),
        claim("data"),
        volume("v", Some("data")),
        priced("pv-v"),
        pod("db-0", &["data"], 2 * HOUR, Some(8 * HOUR)),
    ];
    for event in events {
        engine.apply(event, T0);
    }
    let rows = flat(&mut engine, at(24 * HOUR));
    assert_eq!(by_payer(&rows), expected(&[("commerce", "-", 18_000_000), ("commerce", "db-0", 6_000_000)]));
    let byte_hours: f64 = rows.iter().map(|row| row.amount).sum();
    assert!((byte_hours - 24.0 * 100.0 * 1_073_741_824.0).abs() < 1.0, "{byte_hours}");
    assert!(rows.iter().all(|row| row.asset.claim == ("shop".into(), "data".into())));
}

#[test]
fn pods_that_share_a_volume_share_its_cost_while_they_do() {
    let mut engine = engine();
    for event in [namespace("commerce", "1"), volume("v", Some("data")), claim("data"), priced("pv-v")] {
        engine.apply(event, T0);
    }
    engine.apply(pod("a", &["data"], 0, Some(2 * HOUR)), T0);
    engine.apply(pod("b", &["data"], HOUR, Some(3 * HOUR)), T0);
    engine.apply(pod("c", &["data"], HOUR, Some(2 * HOUR)), T0);
    let rows = flat(&mut engine, at(4 * HOUR));
    // a: 1 h alone, 1 h of three; b: 1 h of three, 1 h alone; c: 1 h of three; nobody in the fourth hour.
    let third = 333_333;
    assert_eq!(
        by_payer(&rows),
        expected(&[
            ("commerce", "-", 1_000_000),
            ("commerce", "a", 1_000_000 + third),
            ("commerce", "b", 1_000_000 + third),
            ("commerce", "c", third),
        ])
    );
    assert_eq!(rows.iter().map(|row| row.cost).sum::<PicoUsd>(), PicoUsd(4_000_000_000_000));
}

#[test]
fn a_volume_without_a_claim_is_a_line_of_its_own() {
    let mut engine = engine();
    for event in [volume("kept", Some("gone")), priced("pv-kept")] {
        engine.apply(event, T0);
    }
    assert_eq!(by_payer(&flat(&mut engine, at(HOUR))), expected(&[("__unmounted__", "-", 1_000_000)]));
}

#[test]
fn a_claim_that_goes_leaves_its_volume_to_nobody() {
    let mut engine = engine();
    for event in [namespace("commerce", "1"), claim("data"), volume("v", Some("data")), priced("pv-v")] {
        engine.apply(event, T0);
    }
    engine.apply(Event::ClaimGone { uid: "pvc-data".into(), at: at(HOUR / 2) }, at(HOUR / 2 + 1));
    engine.apply(Event::VolumeGone { uid: "pv-v".into(), at: at(HOUR) }, at(HOUR));
    let rows = flat(&mut engine, at(2 * HOUR));
    assert_eq!(by_payer(&rows), expected(&[("__unmounted__", "-", 500_000), ("commerce", "-", 500_000)]));
}

#[test]
fn a_namespace_that_moves_is_charged_to_each_team_for_its_seconds() {
    let mut engine = engine();
    for event in [namespace("commerce", "1"), claim("data"), volume("v", Some("data")), priced("pv-v")] {
        engine.apply(event, T0);
    }
    engine.apply(pod("db-0", &["data"], 0, None), T0);
    engine.apply(Event::Service(service("203.0.113.7")), T0);
    engine.apply(priced("svc-front"), T0);
    engine.apply(namespace("search", "2"), at(900));
    let rows = flat(&mut engine, at(HOUR));
    let of = |kind| rows.iter().filter(|row| row.asset.kind == kind).cloned().collect::<Vec<_>>();
    let disk = by_payer(&of(AssetKind::Volume));
    assert_eq!(disk, expected(&[("commerce", "db-0", 250_000), ("search", "db-0", 750_000)]));
    let balancer = by_payer(&of(AssetKind::LoadBalancer));
    assert_eq!(balancer, expected(&[("commerce", "-", 250_000), ("search", "-", 750_000)]));
}

fn service(address: &str) -> Service {
    Service {
        uid: "svc-front".into(),
        namespace: "shop".into(),
        name: "front".into(),
        created: T0,
        class: "nlb".into(),
        address: address.into(),
        labels: Keys::new(),
        annotations: Keys::new(),
    }
}

#[test]
fn a_load_balancer_costs_from_its_address_on() {
    let mut engine = engine();
    engine.apply(Event::Service(service("")), T0);
    engine.apply(Event::Service(service("203.0.113.7")), at(600));
    engine.apply(priced("svc-front"), at(601));
    engine.apply(Event::ServiceGone { uid: "svc-front".into(), at: at(HOUR + 600) }, at(HOUR + 601));
    let rows = flat(&mut engine, at(3 * HOUR));
    // Fifty minutes of one hour and ten of the next, each rounded down.
    assert_eq!(rows.iter().map(|row| row.cost.0).collect::<Vec<_>>(), [833_333_333_333, 166_666_666_666]);
    assert_eq!(&*rows[0].asset.name, "shop/front");
}

#[test]
fn fees_and_fixed_sums_are_lines_of_their_own() {
    let fixed = FixedCost { name: "support".into(), hourly: Rate(500_000_000_000_000 / 730) };
    let mut engine = Engine::new(Settings { fixed: vec![fixed], ..Settings::new(T0) });
    engine.apply(Event::ControlPlanePriced(price(0.1)), at(60));
    let rows = flat(&mut engine, at(HOUR));
    let lines: Vec<_> = rows.iter().map(|r| (&*r.asset.name, &*r.attribution.team, r.cost.0)).collect();
    assert_eq!(
        lines,
        [
            ("control-plane", "__overhead__", 100_000_000_000),
            ("support", "__shared__", 500_000_000_000_000 / 730),
        ]
    );
}

#[test]
fn traffic_is_charged_by_destination_at_the_price_of_its_time() {
    let mut engine = engine();
    engine.apply(namespace("commerce", "1"), T0);
    engine.apply(pod("web", &[], 0, None), T0);
    engine.apply(
        Event::EgressPriced(EgressPrices {
            zone: PicoUsd(10_000_000_000),
            region: PicoUsd(20_000_000_000),
            internet: PicoUsd(90_000_000_000),
            confidence: Confidence::List,
            source: PriceSource { id: "test".into(), date: "".into() },
        }),
        T0,
    );
    let sample = TrafficSample {
        namespace: "shop".into(),
        pod: "web".into(),
        // Half of the interval lies in the next hour.
        at: at(HOUR + 30),
        window: Millis::MINUTE,
        received: Bytes(7),
        sent: Bytes::from_gib(9),
        egress: Some(Egress { zone: Bytes::from_gib(2), region: Bytes(0), internet: Bytes::from_gib(4) }),
    };
    engine.apply(Event::Traffic(vec![sample]), at(HOUR + 31));
    let rows = flat(&mut engine, at(2 * HOUR));
    let lines: Vec<_> = rows.iter().map(|r| (&*r.asset.name, r.window.start, r.cost.0)).collect();
    assert_eq!(
        lines,
        [
            ("zone", at(HOUR - 30), 10_000_000_000),
            ("internet", at(HOUR - 30), 180_000_000_000),
            ("zone", at(HOUR), 10_000_000_000),
            ("internet", at(HOUR), 180_000_000_000),
        ]
    );
}

/// A pod's traffic of 15 minutes that end at `end`: a GiB to the internet a minute.
fn quarter(end: i64) -> Event {
    Event::Traffic(vec![TrafficSample {
        namespace: "shop".into(),
        pod: "web".into(),
        at: at(end),
        window: Millis::from_minutes(15),
        received: Bytes(0),
        sent: Bytes::from_gib(15),
        egress: Some(Egress { zone: Bytes(0), region: Bytes(0), internet: Bytes::from_gib(15) }),
    }])
}

/// An engine whose scrapes are 15 minutes apart, and a GiB to the internet costs a cent.
fn engine_of_quarters() -> Engine {
    let mut settings = Settings::new(T0);
    settings.scrape_interval = Millis::from_minutes(15);
    let mut engine = Engine::new(settings);
    engine.keep_until_written();
    engine.apply(namespace("commerce", "1"), T0);
    engine.apply(pod("web", &[], 0, None), T0);
    engine.apply(Event::EgressPriced(cent_a_gib()), T0);
    for kind in Kind::ALL {
        let uids = if kind == Kind::Pod { vec!["pod-web".into()] } else { Vec::new() };
        engine.apply(Event::Listed { kind, uids }, T0);
    }
    engine
}

fn cent_a_gib() -> EgressPrices {
    let cent = PicoUsd(10_000_000_000);
    let source = PriceSource { id: "test".into(), date: "".into() };
    EgressPrices { zone: cent, region: cent, internet: cent, confidence: Confidence::List, source }
}

/// Start of the hour in minutes, GiB, pico-dollars, and whether it is late.
fn traffic_rows<'a>(hours: impl IntoIterator<Item = &'a Arc<Hour>>) -> Vec<(i64, f64, i128, bool)> {
    let rows = hours.into_iter().flat_map(|hour| hour.flat.iter().map(|row| (hour.start, row)));
    rows.map(|(hour, row)| {
        (hour.since(T0).0 / 60_000, row.amount / f64::from(1 << 30), row.cost.0, row.marks.late)
    })
    .collect()
}

#[test]
fn traffic_that_a_scrape_tells_after_the_end_of_its_hour_is_not_late() {
    let mut engine = engine_of_quarters();
    // Scrapes at 25, 40, 55 and 70 minutes: the last covers five minutes of the first hour.
    for minute in [25, 40, 55] {
        engine.apply(quarter(minute * 60), at(minute * 60));
        engine.tick(at(minute * 60));
    }
    engine.tick(at(66 * 60));
    // The rest of the hour is closed and written; what is on it of traffic still grows.
    assert_eq!(engine.unwritten().iter().map(|hour| hour.start).collect::<Vec<_>>(), [] as [Instant; 0]);
    let picture = engine.snapshot(at(66 * 60));
    assert_eq!(traffic_rows(&picture.hours), [(0, 45.0, 450_000_000_000, false)]);
    assert!(picture.hours[0].open);
    engine.apply(quarter(70 * 60), at(70 * 60));
    engine.tick(at(95 * 60)); // 90 minutes less two scrapes
    let closed = engine.unwritten();
    assert_eq!(traffic_rows(&closed), [(0, 50.0, 500_000_000_000, false)]);
    engine.written(&closed);
    // Whatever comes now is late: a row of its own.
    engine.apply(quarter(60 * 60), at(96 * 60));
    engine.tick(at(97 * 60));
    let lines = [(0, 50.0, 500_000_000_000, false), (0, 15.0, 150_000_000_000, true)];
    assert_eq!(traffic_rows(&engine.unwritten()), lines);
    let picture = engine.snapshot(at(97 * 60));
    assert_eq!(traffic_rows(&picture.hours)[..2], lines);
    assert!(!picture.hours[0].open);
}

#[test]
fn open_traffic_of_a_closed_hour_outlives_a_restart() {
    let mut engine = engine_of_quarters();
    engine.apply(quarter(55 * 60), at(55 * 60));
    engine.tick(at(66 * 60));
    engine.written(&engine.unwritten());
    let bytes = postcard::to_stdvec(&engine.checkpoint(at(66 * 60))).unwrap();
    let checkpoint = postcard::from_bytes(&bytes).unwrap();
    let mut settings = Settings::new(at(67 * 60));
    settings.scrape_interval = Millis::from_minutes(15);
    let mut engine = Engine::resume(settings, checkpoint);
    engine.keep_until_written();
    // What the history has of the hour is not here: readers take both.
    let picture = engine.snapshot(at(68 * 60));
    assert_eq!(traffic_rows(&picture.hours), [(0, 15.0, 150_000_000_000, false)]);
    assert_eq!((picture.hours[0].open, picture.hours[0].partial), (true, true));
    for kind in Kind::ALL {
        engine.apply(Event::Listed { kind, uids: Vec::new() }, at(69 * 60));
    }
    engine.tick(at(96 * 60));
    let closed = engine.unwritten();
    assert_eq!(traffic_rows(&closed), [(0, 15.0, 150_000_000_000, false)]);
    assert!(closed[0].partial);
}

/// The events of a day of one volume with two claims after each other and pods that come and go.
fn a_day() -> Vec<(i64, Event)> {
    vec![
        (0, namespace("commerce", "1")),
        (0, claim("data")),
        (0, volume("v", Some("data"))),
        (0, priced("pv-v")),
        (0, pod("a", &["data"], 0, Some(5_000))),
        (0, pod("b", &["data"], 700, Some(9_000))),
        (0, pod("c", &["data"], 4_321, None)),
        (0, Event::Service(service("203.0.113.7"))),
        (0, priced("svc-front")),
    ]
}

proptest! {
    /// Facts that carry the same instants give the same bill in any order, whenever hours are closed.
    #[test]
    fn order_and_settling_change_nothing(
        order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle(),
        ticks in prop::collection::vec(0i64..20_000, 0..6),
    ) {
        let count = |order: &[usize], ticks: &[i64]| {
            let mut engine = engine();
            let events = a_day();
            for &nth in order {
                engine.apply(events[nth].1.clone(), T0);
            }
            let mut ticks = ticks.to_vec();
            ticks.sort_unstable();
            for tick in ticks {
                engine.tick(at(tick));
            }
            let mut rows = flat(&mut engine, at(20_000));
            let key = |row: &FlatRow| (row.window.start, row.asset.uid.to_string(), row.pod.as_ref().map(|p| p.uid.to_string()));
            rows.sort_by_key(key);
            rows
        };
        let straight: Vec<usize> = (0..9).collect();
        let rows = count(&order, &ticks);
        prop_assert_eq!(&rows, &count(&straight, &[]));
        // 20,000 s of a volume and a load balancer, each a dollar an hour, rounded down once an hour.
        let total: i128 = rows.iter().map(|row| row.cost.0).sum();
        prop_assert!((2 * 20_000 * 1_000_000_000_000 / 3_600 - total).abs() <= 12, "{}", total);
    }
}

#[test]
fn sums_of_an_hour_are_the_price_of_its_time() {
    let mut engine = engine();
    for (_, event) in a_day() {
        engine.apply(event, T0);
    }
    let mut sums: BTreeMap<(Instant, Arc<str>), PicoUsd> = BTreeMap::new();
    for row in flat(&mut engine, at(5 * HOUR)) {
        *sums.entry((row.window.start.hour(), Arc::clone(&row.asset.uid))).or_default() += row.cost;
    }
    assert_eq!(sums.len(), 10);
    assert!(sums.values().all(|sum| *sum == PicoUsd(1_000_000_000_000)), "{sums:?}");
}
