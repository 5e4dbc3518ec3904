//! The bill: what everybody pays adds up to what the nodes cost, to the last digit, wherever it is read.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::{Api, Client};
use nightcap_tests::exact::{pico, pico_at};
use nightcap_tests::objects::{NodeBuilder, deployment, namespace, node, pod};
use nightcap_tests::{ControlPlane, Daemon, Options, exact, wait};
use serde_json::{Value, json};

use crate::stage;

const HOUR_MS: i128 = 3_600_000;
/// Requests of every pod but the short one and that with a GPU.
const MILLICORES: i128 = 100;
const MEMORY: i128 = 128 << 20;
/// What the busy ones use.
const BUSY_MEMORY: i128 = 600 << 20;

/// Ten machines, real types of three clouds among them.
fn nodes() -> Vec<NodeBuilder> {
    let aws = |name: &str, kind: &str, cpu: &str, memory: &str| {
        let id = format!("aws:///eu-central-1a/i-{name}");
        node(name).instance_type(kind).region("eu-central-1").provider_id(&id).cpu(cpu).memory(memory)
    };
    vec![
        aws("n0", "m5.xlarge", "4", "16Gi"),
        aws("n1", "m5.2xlarge", "8", "32Gi"),
        aws("n2", "c5.4xlarge", "16", "32Gi"),
        aws("n3", "r5.xlarge", "4", "32Gi"),
        aws("n4", "m5.xlarge", "4", "16Gi").capacity_type("spot"),
        node("n5")
            .instance_type("Standard_D4s_v3")
            .region("westeurope")
            .provider_id("azure:///subscriptions/n5"),
        node("n6")
            .instance_type("n2-standard-8")
            .region("europe-west1")
            .cpu("8")
            .memory("32Gi")
            .provider_id("gce://shop/europe-west1-b/n6"),
        aws("n7", "zz9.plural", "4", "16Gi"),
        node("n8"),
        aws("n9", "p3.2xlarge", "8", "61Gi").gpu(1),
    ]
}

/// Namespace, its team, and how it says so.
const SPACES: [(&str, &str, Says); 21] = [
    ("shop-web", "payments", Says::Label),
    ("shop-api", "payments", Says::Label),
    ("shop-cart", "payments", Says::Label),
    ("shop-mail", "payments", Says::Label),
    ("find-index", "search", Says::Label),
    ("find-query", "search", Says::Label),
    ("find-crawl", "search", Says::Label),
    ("lake-load", "data", Says::Annotation),
    ("lake-query", "data", Says::Annotation),
    ("lake-export", "data", Says::Annotation),
    ("lake-batch", "data", Says::Annotation),
    ("train-big", "ml", Says::Annotation),
    ("train-small", "ml", Says::Annotation),
    ("train-serve", "ml", Says::Annotation),
    ("infra-ci", "platform", Says::Rule),
    ("infra-logs", "platform", Says::Rule),
    ("infra-proxy", "platform", Says::Rule),
    ("infra-vault", "platform", Says::Rule),
    ("sandbox-1", "unowned", Says::Nothing),
    ("sandbox-2", "unowned", Says::Nothing),
    ("sandbox-3", "unowned", Says::Nothing),
];

#[derive(Clone, Copy)]
enum Says {
    Label,
    Annotation,
    Rule,
    Nothing,
}

fn pinned(node: &str) -> Value {
    json!({"spec": {"nodeSelector": {"kubernetes.io/hostname": node}}})
}

/// Fills the cluster: ten pods in each namespace, one of them busy in every other one, and one with a GPU.
async fn populate(client: &Client) {
    for built in nodes() {
        built.create(client).await.unwrap();
    }
    for (nth, (name, team, says)) in SPACES.into_iter().enumerate() {
        let built = match says {
            Says::Label => namespace(name).label("team", team),
            Says::Annotation => namespace(name).team(team),
            Says::Rule | Says::Nothing => namespace(name),
        };
        built.create(client).await.unwrap();
        let home = pinned(&format!("n{}", nth % 10));
        let app = deployment(name, "app").replicas(9).requests("100m", "128Mi").pod_with(home.clone());
        app.create(client).await.unwrap();
        let side = deployment(name, "side").requests("100m", "128Mi").pod_with(home);
        let side = if nth % 2 == 0 { side.usage("400m", "600Mi") } else { side };
        side.create(client).await.unwrap();
    }
    let learner = deployment("train-big", "learner").requests("1", "8Gi").request("nvidia.com/gpu", "1");
    learner.pod_with(pinned("n9")).create(client).await.unwrap();
    for (name, _, _) in SPACES {
        wait::pods_running(client, name, if name == "train-big" { 11 } else { 10 }).await.unwrap();
    }
}

fn millis(text: &Value) -> anyhow::Result<i128> {
    let text = text.as_str().context("no instant")?;
    Ok(text.parse::<Timestamp>()?.as_millisecond().into())
}

/// Dollars for each name.
type Sums = BTreeMap<String, i128>;

/// Everything that can be read of one window, at one instant.
#[derive(Debug, PartialEq)]
struct Books {
    at: i128,
    /// Rows of `/api/v1/cost`, by team, idle among them.
    api: Sums,
    /// Rows of `nightcap cost -o json`.
    command: Sums,
    /// Rows of `/allocation`.
    opencost: Sums,
    /// `/assets`, by node.
    assets: Sums,
    total: i128,
    idle: i128,
    allocated: i128,
    /// What Prometheus is told: the teams' totals since the start.
    metrics: Sums,
    metrics_cluster: i128,
    prorated: bool,
}

fn rows(report: &Value) -> anyhow::Result<Sums> {
    let rows = report.pointer("/steps/0/rows").and_then(Value::as_array).context("no rows")?;
    rows.iter().map(|row| Ok((text(row, "/name")?, pico_at(row, "/cost")?))).collect()
}

fn text(json: &Value, pointer: &str) -> anyhow::Result<String> {
    Ok(json
        .pointer(pointer)
        .and_then(Value::as_str)
        .with_context(|| format!("no text at {pointer}"))?
        .to_owned())
}

/// Dollars of a counter. It is a float, but one that holds pico-dollars up to thousands of dollars.
fn dollars(value: &str) -> anyhow::Result<i128> {
    pico(&format!("{:.12}", value.parse::<f64>()?))
}

/// Reads everything, again until all of it is of one instant: snapshots only go forward, so if the first and the last answer
/// show the same one, those in between do too.
async fn books(daemon: &Daemon, window: &str) -> Books {
    let read = wait::until("all answers to be of one instant", wait::PATIENCE, async || {
        let path = format!("/api/v1/cost?by=team&idle=true&window={window}");
        let first = daemon.get_exact(&path).await?;
        let command = daemon.cli_text(&["cost", "-o", "json", "--by", "team", "--window", window]).await?;
        let command = exact::parse(&command)?;
        let opencost = format!("/allocation?aggregate=team&includeIdle=true&window={window}");
        let opencost = daemon.get_exact(&opencost).await?;
        let assets = daemon.get_exact(&format!("/assets?window={window}")).await?;
        let metrics = daemon.metrics().await?;
        let last = daemon.get_exact(&path).await?;
        ensure!(first["at"] == last["at"], "{} and {}", first["at"], last["at"]);
        ensure!(command["at"] == first["at"], "the command's: {}", command["at"]);
        let set = opencost.pointer("/data/0").and_then(Value::as_object).context("no /data/0")?;
        let mut by_row = Sums::new();
        for (name, row) in set {
            let total = pico_at(row, "/totalCost")?;
            let parts = pico_at(row, "/cpuCost")? + pico_at(row, "/ramCost")? + pico_at(row, "/gpuCost")?;
            ensure!(total == parts, "the parts of {name} are {parts}, its total is {total}");
            by_row.insert(name.clone(), total);
        }
        let mut by_node = Sums::new();
        for asset in assets["data"].as_object().context("no assets")?.values() {
            by_node.insert(text(asset, "/properties/name")?, pico_at(asset, "/totalCost")?);
        }
        let of_teams = metrics.find("nightcap_team_cost_dollars_total", &[]);
        let of_teams = of_teams.map(|line| Ok((line.labels["team"].clone(), dollars(&line.value)?)));
        let cluster =
            metrics.find("nightcap_cluster_cost_dollars_total", &[]).next().context("no cluster's cost")?;
        Ok(Books {
            at: millis(&first["at"])?,
            api: rows(&first)?,
            command: rows(&command)?,
            opencost: by_row,
            assets: by_node,
            total: pico_at(&first, "/steps/0/total")?,
            idle: pico_at(&first, "/steps/0/idle")?,
            allocated: pico_at(&first, "/steps/0/allocated")?,
            metrics: of_teams.collect::<anyhow::Result<_>>()?,
            metrics_cluster: dollars(&cluster.value)?,
            prorated: first.pointer("/steps/0/prorated").and_then(Value::as_bool).context("no prorated")?,
        })
    });
    read.await.map_err(|error| daemon.explain(error)).unwrap()
}

/// What holds for every window: every reader sees the same rows, and they add up to what the nodes cost.
fn check_sums(books: &Books, window: &str) {
    let teams = ["data", "ml", "payments", "platform", "search", "unowned"];
    let names: Vec<&str> = books.api.keys().map(String::as_str).collect();
    assert_eq!(names, [&["__idle__"], teams.as_slice()].concat(), "{window}");
    assert_eq!((&books.command, &books.opencost), (&books.api, &books.api), "{window}");
    let sum = |sums: &Sums| sums.values().sum::<i128>();
    assert_eq!(
        [books.allocated + books.idle, sum(&books.api), sum(&books.assets)],
        [books.total; 3],
        "{window}"
    );
    assert_eq!(books.api["__idle__"], books.idle, "{window}");
}

/// The hourly price of each node, for CPU, memory and GPUs.
async fn rates(daemon: &Daemon) -> BTreeMap<String, [i128; 3]> {
    let nodes = daemon.get_exact("/api/v1/nodes").await.unwrap();
    let mut all = BTreeMap::new();
    for node in nodes["nodes"].as_array().unwrap() {
        let parts = ["cpu", "memory", "gpu"].map(|r| pico_at(node, &format!("/{r}_hourly_cost")).unwrap());
        assert_eq!(parts.iter().sum::<i128>(), pico_at(node, "/hourly_cost").unwrap());
        all.insert(text(node, "/name").unwrap(), parts);
    }
    all
}

/// Price × time of a node, as an hour is closed: rounded down to a pico-dollar.
fn node_cost(rates: [i128; 3], from: i128, to: i128) -> i128 {
    let mut sum = 0;
    let mut at = from;
    while at < to {
        let end = to.min((at.div_euclid(HOUR_MS) + 1) * HOUR_MS);
        sum += rates.iter().sum::<i128>() * (end - at) / HOUR_MS;
        at = end;
    }
    sum
}

fn instant(millis: i128) -> String {
    Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap().to_string()
}

/// A bill with a daemon that has just started.
struct Scene {
    plane: ControlPlane,
    daemon: Daemon,
    start: i128,
}

async fn scene() -> Scene {
    let plane = ControlPlane::start(Options::with_metrics_server()).await.unwrap();
    populate(&plane.client().unwrap()).await;
    let config = json!({
        "cluster": "shop",
        "teams": {"rules": [{"namespace": "infra-*", "team": "platform"}]},
        // metrics-server measures every 10 s here. A sample holds for two scrapes, and must not run out before the next.
        "usage": {"interval": "20s"},
    });
    let mut daemon = Daemon::start(stage::daemon(&plane, "observe", &config)).unwrap();
    daemon.wait_ready().await.unwrap();
    let status = daemon.get_exact("/api/v1/status").await.unwrap();
    let start = millis(&status["start"]).unwrap();
    Scene { plane, daemon, start }
}

#[tokio::test]
async fn the_bill_adds_up_and_every_reader_sees_the_same() {
    let scene = scene().await;
    teams_are_found(&scene.daemon).await;
    nodes_are_priced(&scene.daemon).await;
    usage_above_the_request_is_charged(&scene).await;
    a_pod_of_seconds_is_charged_for_its_seconds(&scene).await;
    sums_are_exact(&scene).await;
}

async fn teams_are_found(daemon: &Daemon) {
    let shown = daemon.get_json("/api/v1/spaces").await.unwrap();
    let shown: BTreeMap<&str, (&str, &str)> = shown["spaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|space| {
            let text = |key: &str| space[key].as_str().unwrap();
            (text("name"), (text("team"), text("team_rule")))
        })
        .filter(|(name, _)| SPACES.iter().any(|(known, _, _)| known == name))
        .collect();
    let expected: BTreeMap<&str, (&str, &str)> = SPACES
        .into_iter()
        .map(|(name, team, says)| {
            let rule = match says {
                Says::Label => "label team of the namespace",
                Says::Annotation => "annotation nightcap.dev/team of the namespace",
                Says::Rule => "rule for namespaces infra-*",
                Says::Nothing => "no rule matched",
            };
            (name, (team, rule))
        })
        .collect();
    assert_eq!(shown, expected);
}

async fn nodes_are_priced(daemon: &Daemon) {
    let nodes = daemon.get_exact("/api/v1/nodes").await.unwrap();
    let found: BTreeMap<String, (String, String, String)> = nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            let of = |pointer: &str| text(node, pointer).unwrap();
            (of("/name"), (of("/instance_type"), of("/price/hourly"), of("/price/confidence")))
        })
        .collect();
    let row = |kind: &str, price: &str, confidence: &str| {
        (kind.to_owned(), price.to_owned(), confidence.to_owned())
    };
    let expected = BTreeMap::from([
        ("n0".to_owned(), row("m5.xlarge", "0.23", "list")),
        ("n1".to_owned(), row("m5.2xlarge", "0.46", "list")),
        ("n2".to_owned(), row("c5.4xlarge", "0.776", "list")),
        ("n3".to_owned(), row("r5.xlarge", "0.304", "list")),
        ("n4".to_owned(), row("m5.xlarge", "0.069", "estimated")),
        ("n5".to_owned(), row("Standard_D4s_v3", "0.24", "list")),
        ("n6".to_owned(), row("n2-standard-8", "0.427336", "list")),
        ("n7".to_owned(), row("zz9.plural", "0.194236", "default")),
        ("n8".to_owned(), row("", "0.194236", "default")),
        ("n9".to_owned(), row("p3.2xlarge", "3.823", "list")),
    ]);
    assert_eq!(found, expected);
}

/// The row of one pod in the cost by space and pod, with the instant it is of.
async fn pod_row(daemon: &Daemon, start: i128, name: &str) -> anyhow::Result<(i128, Value)> {
    let path =
        format!("/api/v1/cost?by=space,pod&window={},{}", instant(start), instant(start + 24 * HOUR_MS));
    let report = daemon.get_exact(&path).await?;
    let rows = report.pointer("/steps/0/rows").and_then(Value::as_array).context("no rows")?;
    let row = rows.iter().find(|row| row["name"] == name).with_context(|| format!("no row {name}"))?;
    Ok((millis(&report["at"])?, row.clone()))
}

fn float(row: &Value, key: &str) -> f64 {
    row[key].as_str().unwrap().parse().unwrap()
}

async fn usage_above_the_request_is_charged(scene: &Scene) {
    let Scene { plane, daemon, start } = scene;
    let pods = wait::pods_running(&plane.client().unwrap(), "shop-web", 10).await.unwrap();
    let names = pods.iter().map(|pod| pod.metadata.name.clone().unwrap());
    let (busy, calm): (Vec<String>, Vec<String>) = names.partition(|name| name.starts_with("side-"));
    let (busy, calm) = (busy.first().unwrap(), calm.first().unwrap());
    let charge = async |name: &str, pod: &str| -> anyhow::Result<f64> {
        daemon.metrics().await?.value(name, &[("namespace", "shop-web"), ("pod", pod)])
    };
    wait::until("the usage to be charged", wait::PATIENCE, async || {
        let cores = charge("container_cpu_allocation", busy).await?;
        ensure!((0.39..0.42).contains(&cores), "{cores} cores");
        let bytes = charge("container_memory_allocation_bytes", busy).await?;
        ensure!((bytes - BUSY_MEMORY as f64).abs() < 1.0, "{bytes} bytes");
        Ok(())
    })
    .await
    .map_err(|error| daemon.explain(error))
    .unwrap();
    // Who uses less than it requests pays for the request.
    assert!((charge("container_cpu_allocation", calm).await.unwrap() - 0.1).abs() < 1e-12);
    let bytes = charge("container_memory_allocation_bytes", calm).await.unwrap();
    assert!((bytes - MEMORY as f64).abs() < 1e-3, "{bytes}");

    // And so the bill grows: memory by the used bytes to the pico-dollar, CPU at the used rate.
    let row_of = |pod: &str| format!("shop-web/{pod}");
    let (from, first) = pod_row(daemon, *start, &row_of(busy)).await.unwrap();
    let (_, calm_first) = pod_row(daemon, *start, &row_of(calm)).await.unwrap();
    let [_, memory_rate, _] = rates(daemon).await["n0"];
    let share = memory_rate * BUSY_MEMORY / (16 << 30);
    wait::until("half a minute of usage on the bill", wait::PATIENCE, async || {
        let (to, second) = pod_row(daemon, *start, &row_of(busy)).await?;
        ensure!(to - from >= 30_000, "{} ms", to - from);
        let grown = pico_at(&second, "/memory_cost")? - pico_at(&first, "/memory_cost")?;
        let expected = share * (to - from) / HOUR_MS;
        // Each of the two amounts is rounded to a pico-dollar.
        ensure!((grown - expected).abs() <= 2, "{grown} is not {expected}");
        let per_hour =
            |key: &str| (float(&second, key) - float(&first, key)) * HOUR_MS as f64 / (to - from) as f64;
        let (cores, requested) = (per_hour("cpu_core_hours"), per_hour("cpu_requested_core_hours"));
        ensure!(
            (0.39..0.42).contains(&cores) && (requested - 0.1).abs() < 1e-6,
            "{cores} cores, {requested} requested"
        );
        Ok(())
    })
    .await
    .map_err(|error| daemon.explain(error))
    .unwrap();
    let (calm_to, calm_second) = pod_row(daemon, *start, &row_of(calm)).await.unwrap();
    let [cpu_rate, _, _] = rates(daemon).await["n0"];
    let full = (cpu_rate * MILLICORES / 4_000) * (calm_to - start) / HOUR_MS;
    let paid = pico_at(&calm_second, "/cpu_cost").unwrap();
    assert!((paid - full).abs() <= 2, "{paid} is not {full}");
    assert!(paid > pico_at(&calm_first, "/cpu_cost").unwrap());
}

async fn a_pod_of_seconds_is_charged_for_its_seconds(scene: &Scene) {
    let Scene { plane, daemon, start } = scene;
    let client = plane.client().unwrap();
    let flash = pod("lake-batch", "flash").run_seconds(7).requests("1", "1Gi").pod_with(pinned("n2"));
    flash.create(&client).await.unwrap();
    let pods = Api::<Pod>::namespaced(client, "lake-batch");
    let (bound, ended) = wait::until("the short pod to end", wait::PATIENCE, async || {
        let status = pods.get("flash").await?.status.context("no status")?;
        let scheduled =
            status.conditions.iter().flatten().find(|condition| condition.type_ == "PodScheduled");
        let scheduled =
            scheduled.and_then(|condition| condition.last_transition_time.as_ref()).context("not bound")?;
        let state = status.container_statuses.iter().flatten().next().and_then(|status| status.state.clone());
        let ended =
            state.and_then(|state| state.terminated).and_then(|end| end.finished_at).context("it runs")?;
        Ok((scheduled.0.as_millisecond(), ended.0.as_millisecond()))
    })
    .await
    .unwrap();
    let held = i128::from(ended - bound);
    assert!((7_000..60_000).contains(&held), "{held} ms");
    let [cpu_rate, memory_rate, _] = rates(daemon).await["n2"];
    let expected = [(cpu_rate / 16) * held / HOUR_MS, (memory_rate / 32) * held / HOUR_MS, 0];
    // What rounding down leaves goes to the largest remainders: one pico-dollar at most, two if an hour ended meanwhile.
    let spare = if i128::from(bound) / HOUR_MS == i128::from(ended) / HOUR_MS { 1 } else { 2 };
    wait::until("the short pod to be charged", wait::PATIENCE, async || {
        let (_, row) = pod_row(daemon, *start, "lake-batch/flash").await?;
        let mut found = [0; 3];
        for (cost, key) in found.iter_mut().zip(["/cpu_cost", "/memory_cost", "/gpu_cost"]) {
            *cost = pico_at(&row, key)?;
        }
        let near = |(found, expected): (&i128, &i128)| (0..=spare).contains(&(found - expected));
        ensure!(found.iter().zip(&expected).all(near), "{found:?} and not {expected:?} for {held} ms");
        let core_seconds = float(&row, "cpu_core_hours") * 3_600.0;
        ensure!((core_seconds - held as f64 / 1_000.0).abs() < 1e-6, "{core_seconds} core seconds");
        Ok(())
    })
    .await
    .map_err(|error| daemon.explain(error))
    .unwrap();
}

async fn sums_are_exact(scene: &Scene) {
    let Scene { daemon, start, .. } = scene;
    let rates = rates(daemon).await;
    assert_eq!(rates.len(), 10);
    // Windows that hold all there is: each node costs its price times the time, to the pico-dollar.
    let day = 24 * HOUR_MS;
    let whole_days =
        format!("{},{}", instant(start.div_euclid(day) * day), instant((start.div_euclid(day) + 2) * day));
    let since_start = format!("{},{}", instant(*start), instant(start + day));
    for window in [&whole_days, &since_start, "2d"] {
        let books = books(daemon, window).await;
        check_sums(&books, window);
        let expected: Sums =
            rates.iter().map(|(name, rates)| (name.clone(), node_cost(*rates, *start, books.at))).collect();
        assert_eq!(books.assets, expected, "{window}");
        assert!(!books.prorated, "{window}");
        let teams: Sums =
            books.api.iter().filter(|(name, _)| *name != "__idle__").map(|(k, v)| (k.clone(), *v)).collect();
        assert_eq!((&books.metrics, books.metrics_cluster), (&teams, books.total), "{window}");
    }
    // Windows that cut: the parts still add up, and meet exactly. Each row counts by its share of time, as if it had cost the
    // same all along, so the whole is only near to price times time: the short pod's idle time is spread over all of it.
    let (a, b, c) = (start + 5_000, start + 21_337, start + 40_001);
    let windows = [(a, b), (b, c), (a, c)].map(|(from, to)| format!("{},{}", instant(from), instant(to)));
    let total: i128 = rates.values().flatten().sum();
    for (window, length) in windows.iter().zip([b - a, c - b, c - a]) {
        let books = books(daemon, window).await;
        check_sums(&books, window);
        let expected = total * length / HOUR_MS;
        assert!(
            (books.total - expected).abs() * 100 < expected,
            "{window}: {} is not near {expected}",
            books.total
        );
        assert!(books.prorated, "{window}");
    }
    let parts = wait::until("three windows of one instant", wait::PATIENCE, async || {
        let mut sums = Vec::new();
        let mut ats = Vec::new();
        for window in &windows {
            let report = daemon.get_exact(&format!("/api/v1/cost?by=team&idle=true&window={window}")).await?;
            ats.push(millis(&report["at"])?);
            sums.push(rows(&report)?);
        }
        if ats.iter().any(|at| *at != ats[0]) {
            bail!("{ats:?}");
        }
        Ok(sums)
    })
    .await
    .unwrap();
    let joined: Sums = parts[0].iter().map(|(name, sum)| (name.clone(), sum + parts[1][name])).collect();
    assert_eq!(joined, parts[2]);
}
