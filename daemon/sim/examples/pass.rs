//! One pass over a large cluster, again and again, for a profiler: `cargo run --profile bench -p nightcap-sim --example pass
//! [-- PODS PASSES]`. Prints the medians of settling and of the snapshot.

use std::time::{Duration, Instant as Stopwatch};

use nightcap_core::engine::{Engine, Settings};
use nightcap_core::units::{Instant, Millis};
use nightcap_sim::{ByCores, World, history, scale};

/// Tuesday noon.
const START: Instant = Instant(1_772_539_200_000);

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let pods = arguments.first().copied().unwrap_or(100_000);
    let passes = arguments.get(1).copied().unwrap_or(21);
    let mut world = World::new(scale::spec(pods), 1, START);
    let mut engine = Engine::new(Settings::new(START));
    let mut now = START + Millis::from_minutes(67);
    history::run(&mut engine, &mut world, &ByCores, START, now, Millis::MINUTE);
    let (mut settle, mut snapshot) = (Vec::new(), Vec::new());
    for _ in 0..passes {
        now = now + Millis::MINUTE;
        for event in world.advance(now) {
            engine.apply(event, now);
        }
        settle.push(timed(|| drop(engine.tick(now))));
        let mut picture = None;
        snapshot.push(timed(|| picture = Some(engine.snapshot(now))));
        drop(picture);
    }
    println!("{pods} pods: settle {:.1} ms, snapshot {:.1} ms", median(settle), median(snapshot));
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Stopwatch::now();
    work();
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}
