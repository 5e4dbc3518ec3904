//! The daemon is killed at any instant of falling asleep and of waking: afterwards everything is as if it had not been.
//!
//! `NIGHTCAP_CRASH_ROUNDS` makes more rounds of it, `NIGHTCAP_SEED` other instants.

use std::time::Duration;

use nightcap_tests::objects::{cron_job, deployment, stateful_set};
use nightcap_tests::{Daemon, History, Options, Random, wait, workloads};
use serde_json::json;

use crate::stage::{self, all_asleep, annotate, space, until_as, until_asleep, uptime_elsewhere};

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test]
async fn a_daemon_killed_at_any_instant_loses_nothing() {
    let (rounds, seed) = (number("NIGHTCAP_CRASH_ROUNDS", 20), number("NIGHTCAP_SEED", 1));
    let plane = stage::cluster(Options::default()).await;
    let client = plane.client().unwrap();
    space(&client, "crash", &[]).await;
    for nth in 0..22 {
        deployment("crash", &format!("web-{nth:02}")).replicas(nth % 4).create(&client).await.unwrap();
    }
    for nth in 0..5 {
        stateful_set("crash", &format!("db-{nth}")).replicas(1 + nth % 2).create(&client).await.unwrap();
        let suspended = json!({"spec": {"suspend": nth == 0}});
        cron_job("crash", &format!("job-{nth}")).with(suspended).create(&client).await.unwrap();
    }
    for nth in 0..22 {
        wait::deployment_ready(&client, "crash", &format!("web-{nth:02}")).await.unwrap();
    }
    let before = workloads(&client, "crash").await.unwrap();
    assert_eq!(before.len(), 32);
    let history = History::follow(&client, "crash").await.unwrap();
    // One write at a time makes falling asleep last longer, so that more of the kills hit it.
    let mut daemon =
        Daemon::start(stage::daemon(&plane, "act", &json!({"act": {"concurrency": 1}}))).unwrap();
    daemon.wait_ready().await.unwrap();

    let uptime = format!("nightcap.dev/uptime={}", uptime_elsewhere(plane.now().await.unwrap()));
    let mut random = Random::new(seed);
    let mut halfway = 0;
    for round in 0..rounds {
        let to_sleep = round % 2 == 0;
        annotate(&plane, "crash", &[if to_sleep { &uptime } else { "nightcap.dev/uptime-" }]).await;
        // The one wait for a time: the instant of the crash, which the seed decides.
        tokio::time::sleep(Duration::from_millis(random.below(400))).await;
        daemon.kill9();
        let left = workloads(&client, "crash").await.unwrap();
        let asleep = all_asleep(&before, &left);
        let changed = left
            .iter()
            .filter(|(name, _)| before[*name] != asleep[*name] && left[*name] == asleep[*name])
            .count();
        let most = before.values().filter(|workload| !workload.is_down()).count();
        println!("round {round}: {changed} of {most} asleep when it was killed");
        halfway += u32::from(0 < changed && changed < most);
        daemon.start_again().unwrap();
        daemon.wait_ready().await.unwrap();
        if to_sleep {
            until_asleep(&client, "crash", &before).await.map(drop)
        } else {
            until_as(&client, "crash", &before).await
        }
        .map_err(|error| daemon.explain(error))
        .unwrap();
    }
    annotate(&plane, "crash", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "crash", &before).await.map_err(|error| daemon.explain(error)).unwrap();
    history.check_nothing_lost(&client).await.unwrap();
    assert!(halfway > 0, "seed {seed}: no kill of {rounds} hit the middle of anything");
}
