//! Spaces fall asleep and wake on a real control plane, and nothing of them is lost.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim};
use k8s_openapi::jiff::SignedDuration;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use nightcap_tests::objects::{cron_job, deployment, stateful_set};
use nightcap_tests::{Announcement, Daemon, History, Options, Version, Workload, events_of, wait, workloads};
use serde_json::{Value, json};

use crate::stage::{
    self, annotate, problems_of, space, space_state, until_as, until_asleep, uptime_elsewhere,
};

/// The namespace's own annotation `nightcap.dev/…`.
async fn annotation(client: &Client, space: &str, name: &str) -> Option<String> {
    let namespace = Api::<Namespace>::all(client.clone()).get(space).await.unwrap();
    namespace.annotations().get(&format!("nightcap.dev/{name}")).cloned()
}

/// The mark without its instant, which is no earlier than `earliest`.
fn mark(text: &str, earliest: &str) -> Value {
    let mut mark: Value = serde_json::from_str(text).unwrap();
    let since = mark.as_object_mut().unwrap().remove("since").unwrap();
    // Both are UTC with the same number of digits up to the second.
    assert!(since.as_str().unwrap() >= earliest.trim_end_matches('Z'), "{since} is before {earliest}");
    mark
}

/// An entry of `managedFields`: operation and subresource.
type Write = (String, Option<String>);

/// The entries that name Nightcap.
fn writes(version: &Version) -> Vec<Write> {
    let entries = version.object.metadata.managed_fields.iter().flatten();
    entries
        .filter(|entry| entry.manager.as_deref().is_some_and(|manager| manager.contains("nightcap")))
        .map(|entry| (entry.operation.clone().unwrap_or_default(), entry.subresource.clone()))
        .collect()
}

/// The different states of sleep a workload was in, one after the other.
fn states(versions: &[Version]) -> Vec<Workload> {
    let mut states: Vec<Workload> = versions.iter().map(|version| version.workload.clone()).collect();
    states.dedup();
    states
}

#[tokio::test]
async fn a_space_falls_asleep_in_one_write_an_object_and_wakes_as_it_was() {
    let stage = stage::acting().await;
    let client = stage.client();
    space(&client, "office", &[("nightcap.dev/team", "web")]).await;
    for (name, replicas) in [("none", 0), ("one", 1), ("three", 3), ("five", 5)] {
        let built = deployment("office", name).replicas(replicas).requests("100m", "128Mi");
        built.create(&client).await.unwrap();
    }
    stateful_set("office", "db").replicas(2).claim("data", "1Gi").create(&client).await.unwrap();
    cron_job("office", "report").with(json!({"spec": {"suspend": false}})).create(&client).await.unwrap();
    cron_job("office", "paused").with(json!({"spec": {"suspend": true}})).create(&client).await.unwrap();
    for name in ["none", "one", "three", "five"] {
        wait::deployment_ready(&client, "office", name).await.unwrap();
    }
    wait::pods_running(&client, "office", 11).await.unwrap();
    let before: BTreeMap<String, Workload> = [
        ("deployment/none", "0"),
        ("deployment/one", "1"),
        ("deployment/three", "3"),
        ("deployment/five", "5"),
        ("statefulset/db", "2"),
        ("cronjob/report", "running"),
        ("cronjob/paused", "suspended"),
    ]
    .map(|(name, size)| (name.to_owned(), Workload::awake(size)))
    .into();
    assert_eq!(workloads(&client, "office").await.unwrap(), before);
    let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), "office");
    let claim_uids = async || {
        let all = claims.list(&ListParams::default()).await.unwrap().items;
        all.into_iter().map(|claim| (claim.name_any(), claim.metadata.uid)).collect::<Vec<_>>()
    };
    let claims_before = claim_uids().await;
    let history = History::follow(&client, "office").await.unwrap();

    // Asleep.
    let now = stage.plane.now().await.unwrap();
    let uptime = uptime_elsewhere(now);
    annotate(&stage.plane, "office", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    let asleep = until_asleep(&client, "office", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    let why = format!("Outside its uptime `{uptime}`.");
    let expected_mark = json!({"why": why, "policy": "namespace uptime", "by": "nightcap"});
    for workload in asleep.values().filter(|workload| workload.asleep.is_some()) {
        assert_eq!(mark(workload.asleep.as_ref().unwrap(), &now.to_string()), expected_mark);
    }
    space_state(&stage.daemon, "office", "asleep").await;
    wait::pods_running(&client, "office", 0).await.unwrap();
    assert_eq!(claim_uids().await, claims_before);
    wait::until("the namespace to be marked", wait::PATIENCE, async || {
        let text = annotation(&client, "office", "asleep").await.context("not marked")?;
        assert_eq!(mark(&text, &now.to_string()), expected_mark);
        Ok(())
    })
    .await
    .unwrap();

    // In one write: no version in between, the generation one higher, one entry of ours.
    let versions = history.versions(&client).await.unwrap();
    let one_write = |name: &String| -> (Vec<Workload>, i64, Vec<Write>) {
        let (first, last) = (versions[name].first().unwrap(), versions[name].last().unwrap());
        let generation = |version: &Version| version.object.metadata.generation.unwrap();
        (states(&versions[name]), generation(last) - generation(first), writes(last))
    };
    for (name, workload) in &before {
        let expected = if workload.is_down() {
            (vec![workload.clone()], 0, vec![])
        } else {
            (vec![workload.clone(), asleep[name].clone()], 1, vec![("Update".to_owned(), None)])
        };
        assert_eq!(one_write(name), expected, "{name}");
    }

    // Awake by removing the wish, asleep again, awake by keep-awake-until.
    annotate(&stage.plane, "office", &["nightcap.dev/uptime-"]).await;
    until_as(&client, "office", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    wait::pods_running(&client, "office", 11).await.unwrap();
    space_state(&stage.daemon, "office", "awake").await;
    annotate(&stage.plane, "office", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    until_asleep(&client, "office", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    let later = now + SignedDuration::from_hours(1);
    annotate(&stage.plane, "office", &[&format!("nightcap.dev/keep-awake-until={later}")]).await;
    until_as(&client, "office", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    wait::pods_running(&client, "office", 11).await.unwrap();
    history.check_nothing_lost(&client).await.unwrap();
    assert_eq!(claim_uids().await, claims_before);
    wait::until("the namespace's mark to go", wait::PATIENCE, async || {
        let found = annotation(&client, "office", "asleep").await;
        ensure!(found.is_none(), "{found:?}");
        Ok(())
    })
    .await
    .unwrap();
    let said = |reason: &str, text: String| Announcement::new("Normal", reason, &text);
    let expected = [
        said("Asleep", format!("office is asleep. {why}")),
        said("Awake", format!("office is awake. Kept awake until {later}.")),
        said("Awake", "office is awake. Nothing asks it to sleep.".to_owned()),
    ];
    wait::until("the Events", wait::PATIENCE, async || {
        let found = events_of(&client, "Namespace", "office").await?;
        ensure!(found == expected, "{found:?}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_stateful_set_whose_claims_go_when_it_is_scaled_is_refused() {
    let stage = stage::acting().await;
    let client = stage.client();
    space(&client, "precious", &[]).await;
    let policy = json!({"spec": {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete", "whenDeleted": "Retain"}}});
    let risky = stateful_set("precious", "risky").replicas(2).claim("data", "1Gi").with(policy);
    risky.create(&client).await.unwrap();
    deployment("precious", "web").replicas(2).create(&client).await.unwrap();
    wait::pods_running(&client, "precious", 4).await.unwrap();
    wait::deployment_ready(&client, "precious", "web").await.unwrap();
    let history = History::follow(&client, "precious").await.unwrap();
    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    annotate(&stage.plane, "precious", &[&format!("nightcap.dev/uptime={uptime}")]).await;

    let note = "StatefulSet precious/risky is not put to sleep: its persistentVolumeClaimRetentionPolicy.whenScaled is Delete, so scaling it down would delete its data";
    wait::until("the refusal to be announced", wait::PATIENCE, async || {
        let found = events_of(&client, "StatefulSet", "risky").await?;
        ensure!(found == [Announcement::new("Warning", "SleepRefused", note)], "{found:?}");
        Ok(())
    })
    .await
    .map_err(|e| stage.daemon.explain(e))
    .unwrap();
    nightcap_tests::until_workloads(&client, "precious", "asleep but for one", |name, workload| {
        name == "statefulset/risky" || workload.is_down()
    })
    .await
    .unwrap();
    let expected = BTreeMap::from([("risky", json!(note)), ("web", Value::Null)]);
    wait::until("the refusal to be shown", wait::PATIENCE, async || {
        let shown = stage.daemon.get_json("/api/v1/spaces/precious").await?;
        let workloads = shown["workloads"].as_array().context("no workloads")?.iter();
        let refusals: BTreeMap<_, _> = workloads
            .filter_map(|workload| Some((workload["name"].as_str()?, workload["refusal"].clone())))
            .collect();
        ensure!(refusals == expected, "{refusals:?}");
        Ok(())
    })
    .await
    .unwrap();
    let versions = history.versions(&client).await.unwrap();
    assert_eq!(states(&versions["statefulset/risky"]), [Workload::awake("2")]);
    let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), "precious");
    assert_eq!(claims.list(&ListParams::default()).await.unwrap().items.len(), 2);
    annotate(&stage.plane, "precious", &["nightcap.dev/uptime-"]).await;
    wait::pods_running(&client, "precious", 4).await.unwrap();
    history.check_nothing_lost(&client).await.unwrap();
}

/// Two CronJobs that both missed runs in their sleep. The one that Nightcap wakes makes none up; the one that is resumed by
/// hand does, which shows that the controller has looked.
#[tokio::test]
async fn a_waking_cron_job_makes_no_missed_run_up() {
    let stage = stage::acting().await;
    let client = stage.client();
    space(&client, "nightly", &[]).await;
    // Due once an hour, half an hour ago: never while this test runs.
    let now = stage.plane.now().await.unwrap();
    let minute = (now - SignedDuration::from_mins(30)).as_second().div_euclid(60).rem_euclid(60);
    let schedule = format!("{minute} * * * *");
    cron_job("nightly", "ours")
        .schedule(&schedule)
        .with(json!({"spec": {"suspend": false}}))
        .create(&client)
        .await
        .unwrap();
    let by_hand = cron_job("nightly", "by-hand").schedule(&schedule).with(json!({"spec": {"suspend": true}}));
    by_hand.create(&client).await.unwrap();
    let before = workloads(&client, "nightly").await.unwrap();
    let history = History::follow(&client, "nightly").await.unwrap();
    annotate(&stage.plane, "nightly", &["nightcap.dev/asleep-until=manual"]).await;
    until_asleep(&client, "nightly", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();

    // As if both had slept for three hours.
    let past = now - SignedDuration::from_hours(3);
    for name in ["ours", "by-hand"] {
        let patch = json!({"status": {"lastScheduleTime": past.to_string()}}).to_string();
        let args =
            ["-n", "nightly", "patch", "cronjob", name, "--subresource=status", "--type=merge", "-p", &patch];
        stage.plane.kubectl(&args).await.unwrap();
    }
    let woken_at = stage.plane.now().await.unwrap();
    annotate(&stage.plane, "nightly", &["nightcap.dev/asleep-until-"]).await;
    until_as(&client, "nightly", &before).await.map_err(|e| stage.daemon.explain(e)).unwrap();
    let resume = [
        "-n",
        "nightly",
        "patch",
        "cronjob",
        "by-hand",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":false}}"#,
    ];
    stage.plane.kubectl(&resume).await.unwrap();

    let owners = async || -> anyhow::Result<Vec<String>> {
        let jobs = Api::<k8s_openapi::api::batch::v1::Job>::namespaced(client.clone(), "nightly");
        let jobs = jobs.list(&ListParams::default()).await?.items;
        Ok(jobs
            .iter()
            .flat_map(|job| job.owner_references().iter().map(|owner| owner.name.clone()))
            .collect())
    };
    wait::until("the CronJob resumed by hand to make a run up", wait::PATIENCE, async || {
        let owners = owners().await?;
        ensure!(owners.iter().any(|owner| owner == "by-hand"), "{owners:?}");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(owners().await.unwrap(), ["by-hand"]);

    // The time of its last run was set before it was resumed.
    let versions = history.versions(&client).await.unwrap();
    let (mut resumed, mut last_run) = (None, None);
    for version in &versions["cronjob/ours"] {
        let found = version.object.data.pointer("/status/lastScheduleTime").and_then(Value::as_str);
        if version.workload.is_down() {
            last_run = found.map(str::to_owned);
            resumed = None;
        } else if last_run.is_some() && resumed.is_none() {
            resumed = Some(found.map(str::to_owned));
            assert!(last_run.as_deref() >= Some(woken_at.to_string().as_str()), "{last_run:?} at {woken_at}");
        }
    }
    assert_eq!(resumed, Some(last_run));
}

#[tokio::test]
async fn without_a_daemon_a_command_wakes_and_one_that_observes_wakes_too() {
    let plane = stage::cluster(Options::default()).await;
    let client = plane.client().unwrap();
    let uptime = uptime_elsewhere(plane.now().await.unwrap());
    let mut before = BTreeMap::new();
    for name in ["direct", "left", "due"] {
        space(&client, name, &[]).await;
        deployment(name, "web").replicas(3).requests("500m", "1Gi").create(&client).await.unwrap();
        stateful_set(name, "db").replicas(1).create(&client).await.unwrap();
        cron_job(name, "report").with(json!({"spec": {"suspend": false}})).create(&client).await.unwrap();
        wait::deployment_ready(&client, name, "web").await.unwrap();
        wait::pods_running(&client, name, 4).await.unwrap();
        before.insert(name, workloads(&client, name).await.unwrap());
    }
    for name in ["direct", "left"] {
        annotate(&plane, name, &[&format!("nightcap.dev/uptime={uptime}")]).await;
    }
    let mut acting = Daemon::start(stage::daemon(&plane, "act", &json!({}))).unwrap();
    acting.wait_ready().await.unwrap();
    for name in ["direct", "left"] {
        until_asleep(&client, name, &before[name]).await.map_err(|e| acting.explain(e)).unwrap();
    }
    assert_eq!(acting.terminate().await.unwrap().code(), Some(0));

    // Nobody is there: a person wakes one of them.
    let kubeconfig = plane.kubeconfig().to_str().unwrap().to_owned();
    let now = plane.now().await.unwrap();
    acting.cli_text(&["wake", "--direct", "direct", "--kubeconfig", &kubeconfig]).await.unwrap();
    until_as(&client, "direct", &before["direct"]).await.unwrap();
    wait::pods_running(&client, "direct", 4).await.unwrap();
    let kept_awake = annotation(&client, "direct", "keep-awake-until").await;
    assert!(kept_awake > Some(now.to_string()), "{kept_awake:?}");
    assert!(workloads(&client, "left").await.unwrap().values().all(Workload::is_down));

    // One that only observes wakes the other, and sleeps nothing.
    annotate(&plane, "due", &[&format!("nightcap.dev/uptime={uptime}")]).await;
    let history = History::follow(&client, "due").await.unwrap();
    let mut observing = Daemon::start(stage::daemon(&plane, "observe", &json!({}))).unwrap();
    observing.wait_ready().await.unwrap();
    until_as(&client, "left", &before["left"]).await.map_err(|e| observing.explain(e)).unwrap();
    wait::pods_running(&client, "left", 4).await.unwrap();
    for name in ["left", "due"] {
        let shown = space_state(&observing, name, "awake").await;
        let space = &shown["space"];
        assert_eq!(
            [&space["should_sleep"], &space["wished_asleep"], &space["workloads_asleep"]],
            [&json!(false), &json!(true), &json!(0)],
            "{space}"
        );
        assert!(space["hourly_would_save"].as_f64().unwrap() > 0.0, "{space}");
    }
    let versions = history.versions(&client).await.unwrap();
    for (name, workload) in &before["due"] {
        assert_eq!(states(&versions[name]), std::slice::from_ref(workload), "{name}");
    }
    assert_eq!(problems_of(&observing, "namespace due").await.unwrap(), []);
}
