//! Memory and speed of the engine on simulated clusters of 1,000, 10,000 and 100,000 pods.
//!
//! `make bench`; figures and how to read them are in docs/benchmarks.md. With `--test`, as `cargo test` runs it, the
//! smallest cluster only, to see that it runs.

use std::sync::Arc;
use std::time::{Duration, Instant as Monotonic};

use nightcap::metrics::Metrics;
use nightcap_core::engine::{Engine, Settings};
use nightcap_core::money::query::{self, Dimension};
use nightcap_core::units::{Instant, Millis, Window};
use nightcap_pricing::{PriceBook, PriceSettings};
use nightcap_sim::{World, history, scale};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Passes that are timed; the median is shown.
const PASSES: usize = 11;
/// Tuesday noon, so that an hour closes on the way.
const START: Instant = Instant(1_772_539_200_000);
/// Simulated time before anything is timed: one hour is closed, and the open time is full of samples.
const WARM_UP: Millis = Millis::from_minutes(67);

struct Figures {
    pods: usize,
    nodes: usize,
    state_bytes_per_pod: usize,
    hour_bytes_per_pod: usize,
    take_in: Duration,
    settle: Duration,
    snapshot: Duration,
    by_team: Duration,
    scrape: Duration,
}

fn main() {
    let quick = std::env::args().any(|arg| arg == "--test");
    let sizes: &[usize] = if quick { &[1_000] } else { &[1_000, 10_000, 100_000] };
    println!(
        "{:>8} {:>6} {:>12} {:>12} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "pods",
        "nodes",
        "state B/pod",
        "hour B/pod",
        "usage ms",
        "settle ms",
        "snap ms",
        "pass ms",
        "query ms",
        "scrape ms"
    );
    for &pods in sizes {
        let f = measure(pods);
        println!(
            "{:>8} {:>6} {:>12} {:>12} {:>10.1} {:>10.1} {:>10.1} {:>10.1} {:>10.1} {:>10.1}",
            f.pods,
            f.nodes,
            f.state_bytes_per_pod,
            f.hour_bytes_per_pod,
            ms(f.take_in),
            ms(f.settle),
            ms(f.snapshot),
            ms(f.settle + f.snapshot),
            ms(f.by_team),
            ms(f.scrape),
        );
    }
}

fn measure(pods: usize) -> Figures {
    let prices = PriceBook::embedded(&PriceSettings::default()).expect("the tables are embedded");
    let mut world = World::new(scale::spec(pods), 1, START);
    let mut settings = Settings::new(START);
    settings.keep_rows = 10_000_000; // nothing is dropped: the rows are weighed apart
    let mut engine = Engine::new(settings);
    let mut now = START + WARM_UP;
    history::run(&mut engine, &mut world, &prices, START, now, Millis::MINUTE);

    let (mut take_in, mut settle, mut snapshot) = (vec![], vec![], vec![]);
    let (mut by_team, mut scrape) = (vec![], vec![]);
    let metrics = Metrics::default();
    let mut figures = (0, 0);
    for _ in 0..PASSES {
        now = now + Millis::MINUTE;
        let events = world.advance(now);
        take_in.push(timed(|| {
            for event in events {
                engine.apply(event, now);
            }
        }));
        settle.push(timed(|| drop(engine.tick(now))));
        let mut picture = None;
        snapshot.push(timed(|| picture = Some(engine.snapshot(now))));
        let picture = Arc::new(picture.expect("just made"));
        let window = Window::new(START, now);
        by_team.push(timed(|| drop(query::table(&picture.hours, "bench", window, &[Dimension::Team]))));
        scrape.push(timed(|| drop(metrics.render(&picture))));
        figures = (picture.pods.len(), picture.nodes.len());
    }
    let (held, nodes) = figures;

    // Texts are shared with the world: only what is left without it is the engine's.
    drop(world);
    drop(metrics);
    let with_rows = HEAP.current_usage();
    let closed: Vec<_> = {
        let picture = engine.snapshot(now);
        picture.hours.iter().filter(|hour| !hour.open).map(Arc::clone).collect()
    };
    let rows: usize = closed
        .iter()
        .map(|hour| {
            hour.allocations.capacity() * size_of_val(&hour.allocations[0])
                + hour.assets.capacity() * size_of_val(&hour.assets[0])
        })
        .sum();
    let hours = closed.len().max(1);
    drop(closed);
    drop(engine);
    let engine_bytes = with_rows.saturating_sub(HEAP.current_usage());
    Figures {
        pods: held,
        nodes,
        state_bytes_per_pod: engine_bytes.saturating_sub(rows) / held,
        hour_bytes_per_pod: rows / hours / held,
        take_in: median(take_in),
        settle: median(settle),
        snapshot: median(snapshot),
        by_team: median(by_team),
        scrape: median(scrape),
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Monotonic::now();
    work();
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
