//! Weeks of the demo's platform with a daemon that dies at random instants and goes on from its last checkpoint, beside
//! one that never dies. `make soak` tries many seeds; one that fails says how to play it again.

mod audit;
mod chance;
mod daemon;
mod story;

use std::str::FromStr;

use story::Story;

/// In the usual run of the tests, which is to take seconds.
const SEEDS: u64 = 4;
const DAYS: i64 = 15;

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    let number = text.parse().map_err(|_| format!("{name}={text} is no number"));
    Some(number.expect("a number is given"))
}

#[test]
fn deaths_lose_nothing_and_count_nothing_twice() {
    let days = variable("NIGHTCAP_SOAK_DAYS").unwrap_or(DAYS);
    let seeds = match variable::<u64>("NIGHTCAP_SOAK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("NIGHTCAP_SOAK_SEEDS").unwrap_or(SEEDS),
    };
    let mut failures = Vec::new();
    for seed in seeds {
        let replay = format!(
            "NIGHTCAP_SOAK_SEED={seed} NIGHTCAP_SOAK_DAYS={days} cargo test -p nightcap-sim --test world soak"
        );
        // A panic in the story prints this too.
        println!("seed {seed}; to play it again: {replay}");
        let story = Story::of(seed, days);
        assert!(
            story.deaths.len() > 1 || days < DAYS,
            "seed {seed}: {} deaths are no life",
            story.deaths.len()
        );
        if let Err(error) = audit::audit(&story) {
            println!("deaths: {:?}", story.deaths);
            failures.push(format!("seed {seed}: {error}\n  {replay}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
