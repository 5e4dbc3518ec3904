//! How fast simulated time passes. `cargo run -p nightcap-sim --example speed [-- DAYS STEP_MINUTES SCRAPE_MINUTES]`
//! drives the demo; with `-- pods COUNT` a cluster of that size for ten minutes.

use std::time::Instant as Stopwatch;

use nightcap_core::engine::{Engine, Event, Settings};
use nightcap_core::money::NodePricer;
use nightcap_core::money::query::{Dimension, table};
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Instant, Millis, PicoUsd, Window};
use nightcap_sim::{ByCores, World, demo, history, scale};

/// Monday 2026-03-02 00:00 UTC.
const START: Instant = Instant(1_772_409_600_000);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |nth: usize, default: i64| arguments.get(nth).and_then(|a| a.parse().ok()).unwrap_or(default);
    if arguments.first().is_some_and(|first| first == "pods") {
        large(usize::try_from(number(1, 10_000)).unwrap_or(10_000));
    } else {
        platform(number(0, 30), Millis::from_minutes(number(1, 15)), Millis::from_minutes(number(2, 15)));
    }
}

fn engine(scrape_interval: Millis) -> Engine {
    let mut settings = Settings::new(START);
    settings.mode = Mode::Ask;
    settings.scrape_interval = scrape_interval;
    settings.keep_rows = 1_000_000;
    Engine::new(settings)
}

fn platform(days: i64, step: Millis, scrape: Millis) {
    let watch = Stopwatch::now();
    let mut world = World::new(demo::platform(1), 1, START);
    world.scrape_every(scrape);
    let mut engine = engine(scrape);
    println!(
        "world made                {:>10.1?}: {} pods, {} nodes",
        watch.elapsed(),
        world.pod_count(),
        world.nodes().count()
    );
    let end = START + Millis(days * Millis::DAY.0);
    let watch = Stopwatch::now();
    let driven = history::run_with_assets(&mut engine, &mut world, &ByCores, START, end, step);
    println!("{days} days driven            {:>10.1?}: {driven:?}", watch.elapsed());
    let watch = Stopwatch::now();
    let snapshot = engine.snapshot(end);
    let rows: usize = snapshot.hours.iter().map(|hour| hour.allocations.len()).sum();
    println!("snapshot                  {:>10.1?}: {rows} rows, {:?}", watch.elapsed(), snapshot.counters);
    let mut flat = std::collections::BTreeMap::new();
    for row in snapshot.hours.iter().flat_map(|hour| &hour.flat) {
        let (rows, cost) = flat.entry(format!("{:?}", row.asset.kind)).or_insert((0, PicoUsd(0)));
        (*rows, *cost) = (*rows + 1, *cost + row.cost);
    }
    println!("    beside nodes: {flat:?}");
    let watch = Stopwatch::now();
    let sum = table(&snapshot.hours, &snapshot.cluster, Window::new(START, end), &[Dimension::Team]);
    println!(
        "table by team             {:>10.1?}: saved {:?} of {:?}",
        watch.elapsed(),
        sum.saved,
        sum.total
    );
    for (team, group) in &sum.groups {
        println!("    {team:?} {:?}", group.costs.total());
    }
    println!("    idle {:?}", sum.idle.total());
    for problem in &snapshot.problems {
        println!("    problem: {} {}: {}", problem.object, problem.reason, problem.message);
    }
    let asleep: Vec<_> =
        snapshot.spaces.iter().map(|space| format!("{} {:?}", space.name, space.state)).collect();
    println!("    {} spaces: {}", asleep.len(), asleep.join(", "));
    let mut nodes = std::collections::BTreeMap::new();
    for hour in &snapshot.hours {
        let of_day = hour.start.0.div_euclid(Millis::HOUR.0).rem_euclid(24);
        let (sum, count) = nodes.entry(of_day).or_insert((0, 0));
        *sum += hour.assets.len();
        *count += 1;
    }
    let nodes: Vec<_> =
        nodes.values().map(|(sum, count)| format!("{:.1}", *sum as f64 / f64::from(*count))).collect();
    println!("    nodes by hour of day (UTC): {}", nodes.join(" "));
    println!("    now {} pods, {} nodes", world.pod_count(), world.nodes().count());
}

fn large(pods: usize) {
    let watch = Stopwatch::now();
    let mut world = World::new(scale::spec(pods), 1, START);
    println!(
        "world made                {:>10.1?}: {} pods, {} nodes",
        watch.elapsed(),
        world.pod_count(),
        world.nodes().count()
    );
    let mut engine = engine(Millis::MINUTE);
    let watch = Stopwatch::now();
    let events = world.advance(START);
    println!("lists                     {:>10.1?}: {} events", watch.elapsed(), events.len());
    let watch = Stopwatch::now();
    for event in events {
        if let Event::Node(node) = &event {
            let priced = Event::NodePriced {
                uid: std::sync::Arc::clone(&node.uid),
                price: ByCores.price(&node.facts, node.capacity),
            };
            engine.apply(event, START);
            engine.apply(priced, START);
        } else {
            engine.apply(event, START);
        }
    }
    println!("lists taken in            {:>10.1?}", watch.elapsed());
    let end = START + Millis::from_minutes(10);
    let watch = Stopwatch::now();
    let driven = history::run(&mut engine, &mut world, &ByCores, START, end, Millis::MINUTE);
    println!("10 minutes driven         {:>10.1?}: {driven:?}", watch.elapsed());
    let watch = Stopwatch::now();
    let snapshot = engine.snapshot(end);
    println!("snapshot                  {:>10.1?}: {:?}", watch.elapsed(), snapshot.counters);
}
