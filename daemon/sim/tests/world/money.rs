//! The engine's money over the world's days.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::engine::Kind;
use nightcap_core::money::{AssetKind, ByResource};
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Instant, Millis, PicoUsd, Window};
use nightcap_sim::{ByCores, World, demo, history};

use crate::common::{MONDAY, engine, hours};

fn add(sum: &mut ByResource, amount: ByResource) {
    *sum += amount;
}

#[test]
fn allocated_and_idle_are_what_each_node_costs_in_each_hour() {
    let mut world = World::new(demo::platform(1), 1, MONDAY);
    let mut engine = engine(Mode::Ask, Millis::MINUTE);
    let end = hours(72);
    history::run(&mut engine, &mut world, &ByCores, MONDAY, end, Millis::from_minutes(5));
    let picture = engine.snapshot(end);
    assert_eq!(picture.counters.late_facts, 0);
    let mut checked = 0;
    for hour in &picture.hours {
        let mut parts: BTreeMap<_, ByResource> = BTreeMap::new();
        let mut whole: BTreeMap<_, ByResource> = BTreeMap::new();
        for row in &hour.allocations {
            add(parts.entry(Arc::clone(&row.holder.node.uid)).or_default(), row.cost.get());
        }
        for row in &hour.assets {
            add(parts.entry(Arc::clone(&row.node.uid)).or_default(), row.idle);
            add(whole.entry(Arc::clone(&row.node.uid)).or_default(), row.cost);
            assert!(row.idle.to_array().iter().all(|idle| *idle >= PicoUsd(0)), "{row:?}");
            // And the whole is price × time. Resources are rounded down one by one.
            let price = row.price.as_ref().unwrap();
            let exact = price.hourly.over(row.window.length()).floor_pico();
            let short = (exact - row.cost.total()).0;
            assert!((0..=6).contains(&short), "{short} pico-dollars are missing: {row:?}");
            checked += 1;
        }
        assert_eq!(parts, whole, "{}", hour.start);
    }
    assert!(checked > 72 * 9, "{checked} rows of nodes");
    assert_eq!(picture.hours.len(), 72);
}

#[test]
fn runs_of_seconds_are_paid_to_the_second() {
    let mut world = World::new(demo::platform(4), 4, MONDAY);
    let mut engine = engine(Mode::Observe, Millis::from_minutes(15));
    let mut held: BTreeMap<_, Window> = BTreeMap::new();
    let mut at = MONDAY;
    // Every 20 minutes: an ended run's pod is remembered for half an hour.
    while at < hours(12) {
        let next = at + Millis::from_minutes(20);
        history::run(&mut engine, &mut world, &ByCores, at, next, Millis::from_minutes(5));
        at = next;
        for pod in world.pods() {
            if let (Some(from), Some(to)) = (pod.bound, pod.ended) {
                held.insert(pod.uid, Window::new(from, to));
            }
        }
    }
    let mut paid: BTreeMap<_, Millis> = BTreeMap::new();
    for row in engine.snapshot(at).hours.iter().flat_map(|hour| &hour.allocations) {
        if held.contains_key(&row.holder.pod.uid) {
            paid.entry(Arc::clone(&row.holder.pod.uid)).or_default().0 += row.window.length().0;
        }
    }
    let held: BTreeMap<_, _> = held.into_iter().map(|(uid, window)| (uid, window.length())).collect();
    assert!(held.len() > 100, "{} runs", held.len());
    assert!(held.values().any(|length| *length < Millis::from_secs(30)));
    assert_eq!(paid, held);
}

#[test]
fn coarse_samples_and_long_steps_change_no_bill() {
    let total = |scrape: i64, step: i64| {
        let mut world = World::new(demo::platform(5), 5, MONDAY);
        world.scrape_every(Millis::from_minutes(scrape));
        let mut engine = engine(Mode::Observe, Millis::from_minutes(scrape));
        let end: Instant = hours(24);
        history::run(&mut engine, &mut world, &ByCores, MONDAY, end, Millis::from_minutes(step));
        let picture = engine.snapshot(end);
        let rows = picture.hours.iter().flat_map(|hour| &hour.assets);
        rows.fold(BTreeMap::new(), |mut sums: BTreeMap<_, ByResource>, row| {
            add(sums.entry(Arc::clone(&row.node.name)).or_default(), row.cost);
            sums
        })
    };
    assert_eq!(total(15, 15), total(15, 1));
}

#[test]
fn disks_and_load_balancers_cost_their_price_times_time_whatever_order_they_are_seen_in() {
    let sums = |lags: &[(Kind, i64)]| {
        let mut world = World::new(demo::platform(1), 1, MONDAY);
        world.relist();
        for (kind, seconds) in lags {
            world.slow_watch(*kind, Millis::from_secs(*seconds));
        }
        let mut engine = engine(Mode::Observe, Millis::from_minutes(15));
        let (half, end) = (hours(6), hours(12));
        let step = Millis::from_minutes(5);
        history::run_with_assets(&mut engine, &mut world, &ByCores, MONDAY, half, step);
        world.relist();
        history::run_with_assets(&mut engine, &mut world, &ByCores, half, end, step);
        let mut sums: BTreeMap<(AssetKind, String), PicoUsd> = BTreeMap::new();
        for row in engine.snapshot(end).hours.iter().flat_map(|hour| &hour.flat) {
            let sum = sums.entry((row.asset.kind, row.asset.name.to_string())).or_default();
            *sum += row.cost;
        }
        let expected: BTreeMap<_, _> = world
            .volumes()
            .map(|volume| {
                let a_gib = 12 * 100_000_000;
                let cost = PicoUsd(i128::from(volume.capacity.0 >> 30) * a_gib);
                ((AssetKind::Volume, volume.name.to_string()), cost)
            })
            .chain(world.services().map(|service| {
                let name = format!("{}/{}", service.namespace, service.name);
                ((AssetKind::LoadBalancer, name), PicoUsd(12 * 25_000_000_000))
            }))
            .chain([((AssetKind::ControlPlane, "control-plane".to_owned()), PicoUsd(12 * 100_000_000_000))])
            .collect();
        let traffic: PicoUsd = sums
            .iter()
            .filter(|((kind, _), _)| *kind == AssetKind::Network)
            .fold(PicoUsd(0), |sum, (_, cost)| sum + *cost);
        assert!(traffic > PicoUsd(0));
        sums.retain(|(kind, _), _| *kind != AssetKind::Network);
        (sums, expected)
    };
    for lags in [
        &[][..],
        &[(Kind::Volume, 200)],
        &[(Kind::Claim, 200)],
        &[(Kind::Service, 200), (Kind::Pod, 200)],
        &[(Kind::Volume, 200), (Kind::Claim, 100), (Kind::Namespace, 150)],
    ] {
        let (sums, expected) = sums(lags);
        assert_eq!(sums, expected, "{lags:?}");
    }
}
