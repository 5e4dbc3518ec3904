//! The fault simulator of sleep: a seed decides every crash, conflict, lost and doubled watch event, stale read, throttled
//! write, lost answer, change of leader, clock step and meddling hand. A seed that fails is a test case:
//! `NIGHTCAP_FAULT_SEED=7 cargo test -p nightcap-core --test faults`.
//!
//! `NIGHTCAP_FAULT_SEEDS` and `NIGHTCAP_FAULT_DAYS` make more of it; `make soak` does. What it does not cover is written in
//! docs/sleep.md.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: it should fail loudly")]

#[path = "../support/mod.rs"]
mod support;

mod cluster;
mod daemon;
mod model;
mod random;
mod run;

use run::{Tally, run};

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().filter(|text| !text.is_empty()).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn no_fault_loses_an_original_or_leaves_a_space_as_nobody_wishes() {
    let days = number("NIGHTCAP_FAULT_DAYS", 10);
    let seeds = match number("NIGHTCAP_FAULT_SEED", 0) {
        0 => 1..=number("NIGHTCAP_FAULT_SEEDS", 12),
        seed => seed..=seed,
    };
    let mut all = Tally::default();
    for seed in seeds {
        all += run(seed, days);
    }
    println!("{all:?}");
    // A simulator in which a fault never happens proves nothing of it.
    for (what, count) in all.faults() {
        assert!(count > 0, "no {what} in {all:?}");
    }
}

#[test]
fn same_seed_is_the_same_to_the_byte() {
    assert_eq!(run(5, 2), run(5, 2));
}
