//! Clusters with a daemon, and what the end-to-end tests have in common.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Client;
use nightcap_tests::objects::{namespace, node};
use nightcap_tests::{ControlPlane, Daemon, DaemonOptions, Options, Workload, wait};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// A control plane and a daemon on it.
pub(crate) struct Stage {
    pub(crate) plane: ControlPlane,
    pub(crate) daemon: Daemon,
}

impl Stage {
    /// A cluster with one large node, and a daemon in this mode that is ready.
    pub(crate) async fn start(options: Options, mode: &str, config: Value) -> Self {
        let plane = cluster(options).await;
        let mut daemon = Daemon::start(daemon(&plane, mode, &config)).unwrap();
        daemon.wait_ready().await.unwrap();
        Self { plane, daemon }
    }

    pub(crate) fn client(&self) -> Client {
        self.plane.client().unwrap()
    }
}

/// One cluster with a daemon in mode `act` for all tests that leave both alive. Each keeps to namespaces of its own.
pub(crate) async fn acting() -> &'static Stage {
    static ACTING: OnceCell<Stage> = OnceCell::const_new();
    ACTING.get_or_init(|| Stage::start(Options::default(), "act", json!({}))).await
}

/// A cluster with one node that all pods of a test fit on.
pub(crate) async fn cluster(options: Options) -> ControlPlane {
    let plane = ControlPlane::start(options).await.unwrap();
    let client = plane.client().unwrap();
    let large = node("large").instance_type("m5.24xlarge").region("eu-central-1").cpu("96").memory("384Gi");
    let large = large.provider_id("aws:///eu-central-1a/i-0aaaaaaaaaaaaaaaa").resource("pods", "2000");
    large.create(&client).await.unwrap();
    wait::node_ready(&client, "large").await.unwrap();
    plane
}

/// How a daemon is started on a cluster, with a configuration.
pub(crate) fn daemon(plane: &ControlPlane, mode: &str, config: &Value) -> DaemonOptions {
    // JSON is YAML too. The file lies beside the kubeconfig, and goes with the cluster.
    let file = plane.kubeconfig().with_file_name(format!("nightcap-{mode}.yaml"));
    std::fs::write(&file, config.to_string()).unwrap();
    DaemonOptions::run(plane.kubeconfig()).args(["--mode", mode, "--config"]).args([file])
}

/// A namespace, with its service account.
pub(crate) async fn space(client: &Client, name: &str, annotations: &[(&str, &str)]) {
    let start = namespace(name);
    let built = annotations.iter().fold(start, |built, (key, value)| built.annotation(key, value));
    built.create(client).await.unwrap();
}

/// `kubectl annotate namespace`: `key=value` writes, `key-` removes.
pub(crate) async fn annotate(plane: &ControlPlane, space: &str, annotations: &[&str]) {
    let mut args = vec!["annotate", "--overwrite", "namespace", space];
    args.extend(annotations);
    plane.kubectl(&args).await.unwrap();
}

/// A time spec of an hour a day that begins so many hours after now.
pub(crate) fn hour_from(now: Timestamp, hours: i64) -> String {
    let clock = |hours: i64| {
        let minute = (now + SignedDuration::from_hours(hours)).as_second().div_euclid(60).rem_euclid(24 * 60);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    format!("{}-{} UTC", clock(hours), clock(hours + 1))
}

/// An uptime that leaves out the present hour, and those near it.
pub(crate) fn uptime_elsewhere(now: Timestamp) -> String {
    hour_from(now, 6)
}

/// Waits until the daemon shows a space in this state, and gives back all it says of it.
pub(crate) async fn space_state(daemon: &Daemon, name: &str, state: &str) -> Value {
    let path = format!("/api/v1/spaces/{name}");
    let what = format!("space {name} to be {state}");
    let shown = wait::until(&what, wait::PATIENCE, async || {
        let detail = daemon.get_json(&path).await?;
        let found = detail.pointer("/space/state").and_then(Value::as_str).context("no state")?;
        if found != state {
            bail!("{found}");
        }
        Ok(detail)
    });
    shown.await.map_err(|error| daemon.explain(error)).unwrap()
}

/// What the daemon says needs a person about an object: reason and message.
pub(crate) async fn problems_of(daemon: &Daemon, object: &str) -> anyhow::Result<Vec<(String, String)>> {
    let all = daemon.get_json("/api/v1/problems").await?;
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    let all = all["problems"].as_array().context("no list of problems")?.iter();
    Ok(all
        .filter(|problem| problem["object"] == object)
        .map(|problem| (text(problem, "reason"), text(problem, "message")))
        .collect())
}

/// What one of these sizes is when Nightcap has put it to sleep; the mark is taken from `found`.
pub(crate) fn put_to_sleep(before: &Workload, found: &Workload) -> Workload {
    if before.is_down() {
        return before.clone();
    }
    let down = if before.size == "running" { "suspended" } else { "0" };
    Workload {
        size: down.to_owned(),
        original: Some(before.as_original()),
        asleep: found.asleep.clone().or_else(|| Some("a mark".to_owned())),
    }
}

/// All of them asleep.
pub(crate) fn all_asleep(
    before: &BTreeMap<String, Workload>,
    found: &BTreeMap<String, Workload>,
) -> BTreeMap<String, Workload> {
    let none = Workload::awake("none");
    before
        .iter()
        .map(|(name, workload)| (name.clone(), put_to_sleep(workload, found.get(name).unwrap_or(&none))))
        .collect()
}

/// Waits until the workloads of a namespace are exactly these, marks and all.
pub(crate) async fn until_as(
    client: &Client,
    namespace: &str,
    wanted: &BTreeMap<String, Workload>,
) -> anyhow::Result<()> {
    let what = format!("the workloads of {namespace} to be as they were");
    wait::until(&what, wait::PATIENCE, async || {
        let found = nightcap_tests::workloads(client, namespace).await?;
        let other = found.iter().find(|(name, workload)| wanted.get(*name) != Some(workload));
        if let Some((name, workload)) = other {
            bail!("{name} is {workload:?}, not {:?}", wanted.get(name));
        }
        anyhow::ensure!(found.len() == wanted.len(), "{} workloads of {}", found.len(), wanted.len());
        Ok(())
    })
    .await
}

/// Waits until all workloads of a namespace that were up are asleep, with their originals on them.
pub(crate) async fn until_asleep(
    client: &Client,
    namespace: &str,
    before: &BTreeMap<String, Workload>,
) -> anyhow::Result<BTreeMap<String, Workload>> {
    wait::until(&format!("the workloads of {namespace} to be asleep"), wait::PATIENCE, async || {
        let found = nightcap_tests::workloads(client, namespace).await?;
        let wanted = all_asleep(before, &found);
        let other = found.iter().find(|(name, workload)| wanted.get(*name) != Some(workload));
        if let Some((name, workload)) = other {
            bail!("{name} is {workload:?}");
        }
        anyhow::ensure!(found.len() == wanted.len(), "{} workloads of {}", found.len(), wanted.len());
        Ok(found)
    })
    .await
}
