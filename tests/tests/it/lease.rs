//! Two daemons on one cluster: exactly one acts, and when it dies the other one goes on.

use nightcap_tests::objects::deployment;
use nightcap_tests::{Daemon, DaemonOptions, History, Options, wait, workloads};
use serde_json::json;

use crate::stage::{self, annotate, space, until_as, until_asleep, uptime_elsewhere};

/// Whether it says that it leads.
async fn leads(daemon: &Daemon) -> anyhow::Result<bool> {
    Ok(daemon.get_text("/metrics").await?.lines().any(|line| line.starts_with("nightcap_leads 1")))
}

async fn until_leads(daemon: &Daemon) {
    let led = wait::until("the daemon to lead", wait::PATIENCE, async || {
        leads(daemon).await?.then_some(()).ok_or_else(|| anyhow::anyhow!("it stands by"))
    });
    led.await.map_err(|error| daemon.explain(error)).unwrap();
}

#[tokio::test]
async fn of_two_daemons_one_acts_and_the_other_one_goes_on_when_it_dies() {
    let plane = stage::cluster(Options::default()).await;
    let client = plane.client().unwrap();
    space(&client, "twice", &[]).await;
    for nth in 0..8 {
        deployment("twice", &format!("web-{nth}")).replicas(1 + nth % 3).create(&client).await.unwrap();
    }
    for nth in 0..8 {
        wait::deployment_ready(&client, "twice", &format!("web-{nth}")).await.unwrap();
    }
    let before = workloads(&client, "twice").await.unwrap();
    let history = History::follow(&client, "twice").await.unwrap();
    let options = || -> DaemonOptions {
        stage::daemon(&plane, "act", &json!({"leader_elect": true, "lease_namespace": "default"}))
    };
    let mut first = Daemon::start(options()).unwrap();
    first.wait_ready().await.unwrap();
    until_leads(&first).await;
    let mut second = Daemon::start(options()).unwrap();
    second.wait_ready().await.unwrap();

    let uptime = format!("nightcap.dev/uptime={}", uptime_elsewhere(plane.now().await.unwrap()));
    annotate(&plane, "twice", &[&uptime]).await;
    until_asleep(&client, "twice", &before).await.map_err(|error| first.explain(error)).unwrap();
    assert_eq!((leads(&first).await.unwrap(), leads(&second).await.unwrap()), (true, false));
    // Who stands by has the same picture, tells of no cost, and has written nothing.
    let metrics = second.get_text("/metrics").await.unwrap();
    let told = |name: &str| metrics.lines().any(|line| line.starts_with(name));
    assert!(told("nightcap_pods ") && told("nightcap_actions_total{outcome=\"slept\"} 0"), "{metrics}");
    assert!(!told("nightcap_team_cost_dollars_total") && !told("node_total_hourly_cost"), "{metrics}");

    first.kill9();
    annotate(&plane, "twice", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "twice", &before).await.map_err(|error| second.explain(error)).unwrap();
    until_leads(&second).await;
    history.check_nothing_lost(&client).await.unwrap();

    // One that comes back stands by; one that is stopped gives the Lease back at once.
    first.start_again().unwrap();
    first.wait_ready().await.unwrap();
    assert!(!leads(&first).await.unwrap());
    second.terminate().await.unwrap();
    until_leads(&first).await;
}
