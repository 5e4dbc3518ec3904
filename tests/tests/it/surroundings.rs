//! What stands around a cluster: the daemon as a child process, Prometheus and promtool. A stand-in takes the daemon's place,
//! so that these hold before and beside it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use nightcap_tests::objects::{deployment, namespace};
use nightcap_tests::{
    ControlPlane, Daemon, DaemonOptions, FaultCounts, Faults, FaultyProxy, History, Prometheus,
    PrometheusOptions, Sample, Workload, is_running, promtool_check_metrics, promtool_check_rules, wait,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const METRICS: &str =
    "# HELP nightcap_up Whether it is up.\n# TYPE nightcap_up gauge\nnightcap_up{team=\"payments\"} 3\n";

/// A script in the daemon's place.
fn stand_in(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("nightcap");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Answers HTTP as a daemon would that is ready at the third look.
async fn serve(listener: TcpListener) {
    let looks = AtomicUsize::new(0);
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        let (status, body) = match request.split_whitespace().nth(1) {
            Some("/readyz") if looks.fetch_add(1, Ordering::Relaxed) < 2 => {
                ("503 Service Unavailable", "prices missing")
            }
            Some("/metrics") => ("200 OK", METRICS),
            Some("/act") if request.contains("authorization: Bearer key") => ("200 OK", "{}"),
            Some("/act") => ("401 Unauthorized", "{}"),
            _ => ("200 OK", "{\"teams\": 3}"),
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}", body.len());
        stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn a_daemon_is_started_asked_ended_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap 'exit 7' TERM; echo \"$MOOD: $*\"; while :; do sleep 0.05; done";
    let options = DaemonOptions::run(Path::new("/kube/config")).args(["--mode", "act"]).env("MOOD", "calm");
    let options = options.data_dir(Path::new("/data")).binary(&stand_in(folder.path(), script));
    let mut daemon = Daemon::start(options).unwrap();
    let address: SocketAddr = daemon.address().parse().unwrap();
    tokio::spawn(serve(TcpListener::bind(address).await.unwrap()));
    daemon.wait_ready().await.unwrap();
    assert_eq!(daemon.get_json("/api/v1/teams").await.unwrap(), json!({"teams": 3}));
    assert_eq!(daemon.get_text("/metrics").await.unwrap(), METRICS);
    let tried =
        [daemon.post("/act", None, &json!({})).await, daemon.post("/act", Some("key"), &json!({})).await];
    assert_eq!(tried.map(|answer| answer.unwrap().status), [401, 200]);

    // It is the test that answers for it, so it may not have come to speak yet. Once it has, its trap is set.
    let log = wait::until("the daemon to say how it was started", wait::PATIENCE, async || {
        Some(daemon.log()?).filter(|log| log.ends_with('\n')).context("nothing")
    });
    let started =
        format!("calm: run --listen {address} --data-dir /data --kubeconfig /kube/config --mode act\n");
    assert_eq!(log.await.unwrap(), started);
    assert_eq!(daemon.terminate().await.unwrap().code(), Some(7));
    daemon.start_again().unwrap();
    let second = daemon.pid();
    assert!(is_running(second));
    daemon.kill9();
    assert!(!is_running(second));
}

#[tokio::test]
async fn a_daemon_that_ends_at_once_shows_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let binary = stand_in(folder.path(), "echo 'error: no such key: slep' >&2; exit 2");
    let mut daemon = Daemon::start(DaemonOptions::demo().binary(&binary)).unwrap();
    let error = format!("{:#}", daemon.wait_ready().await.unwrap_err());
    let start = "while waiting for the daemon to be ready: nightcap ended (exit status: 2)\n--- end of ";
    assert!(error.starts_with(start), "{error}");
    assert!(error.ends_with("/nightcap.log:\nerror: no such key: slep\n---"), "{error}");
}

#[tokio::test]
async fn a_command_is_told_where_the_daemon_is() {
    let folder = tempfile::tempdir().unwrap();
    let script = "[ \"$1\" = demo ] && exec sleep 600; echo \"$* at $NIGHTCAP_SERVER\"; exit 1";
    let daemon = Daemon::start(DaemonOptions::demo().binary(&stand_in(folder.path(), script))).unwrap();
    let output = daemon.cli(&["cost", "--by", "team"]).await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("cost --by team at {}\n", daemon.url()));
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn prometheus_scrapes_and_answers() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve(listener));
    let prometheus = Prometheus::start(&target, PrometheusOptions::default()).await.unwrap();
    prometheus.wait_for_target_up().await.unwrap();
    let labels = [
        ("team", "payments"),
        ("job", "nightcap"),
        ("instance", target.as_str()),
        ("__name__", "nightcap_up"),
    ];
    let labels: BTreeMap<_, _> = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(prometheus.query("nightcap_up").await.unwrap(), [Sample { labels, value: 3.0 }]);
    let none = [Sample { labels: BTreeMap::new(), value: 1.5 }];
    assert_eq!(prometheus.query("3 / 2").await.unwrap(), none);
    let error = prometheus.query("sum(").await.unwrap_err().to_string();
    assert!(error.contains("parse error"), "{error}");
}

#[tokio::test]
async fn promtool_judges_metrics_and_rules() {
    assert_eq!(promtool_check_metrics(METRICS).await.unwrap(), Vec::<String>::new());
    let bare = "# TYPE nightcap_wakes counter\nnightcap_wakes 3\n";
    let expected =
        ["nightcap_wakes counter metrics should have \"_total\" suffix", "nightcap_wakes no help text"];
    assert_eq!(promtool_check_metrics(bare).await.unwrap(), expected);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    let rules = |expr: &str| {
        json!({"groups": [{"name": "a", "rules": [{"record": "a:b", "expr": expr}]}]}).to_string()
    };
    std::fs::write(&file, rules("sum(up)")).unwrap();
    assert_eq!(promtool_check_rules(&file).await.unwrap(), Vec::<String>::new());
    std::fs::write(&file, rules("sum(")).unwrap();
    assert_ne!(promtool_check_rules(&file).await.unwrap(), Vec::<String>::new());
}

/// A client of the administrator that goes through a proxy with these faults, and the proxy.
async fn through(plane: &ControlPlane, faults: Faults) -> (Client, FaultyProxy) {
    let proxy = FaultyProxy::start(plane.url(), &plane.certificate_authority(), faults, 1).await.unwrap();
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig_through(proxy.url()).unwrap()).unwrap();
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    config.default_retry = false;
    config.proxy_url = None;
    (Client::try_from(config).unwrap(), proxy)
}

#[tokio::test]
async fn a_proxy_harms_what_it_is_told_to_and_nothing_before() {
    let plane = ControlPlane::shared().await.unwrap();
    namespace("harmed").create(&plane.client().unwrap()).await.unwrap();
    let none = Faults { throttled: 0, failed: 0, cut: 0, answer_lost: 0 };
    let cases = [
        (Faults { throttled: 100, ..none }, "429 TooManyRequests", false),
        (Faults { failed: 100, ..none }, "500 InternalError", false),
        (Faults { cut: 100, ..none }, "no answer", false),
        (Faults { answer_lost: 100, ..none }, "no answer", true),
        (none, "made", true),
    ];
    for (nth, (faults, expected, made)) in cases.into_iter().enumerate() {
        let (client, proxy) = through(plane, faults).await;
        let maps = Api::<ConfigMap>::namespaced(client, "harmed");
        // Before, all is well, watches included.
        let history = History::follow(&plane.client().unwrap(), "harmed").await.unwrap();
        drop(history);
        assert_eq!(maps.get_opt("nothing").await.unwrap(), None);
        assert_eq!(proxy.counts(), FaultCounts { passed: 1, ..FaultCounts::default() });
        proxy.set_faulty(true);
        let name = format!("case-{nth}");
        let map = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        let found = match maps.create(&PostParams::default(), &map).await {
            Ok(_) => "made".to_owned(),
            Err(kube::Error::Api(status)) => format!("{} {}", status.code, status.reason),
            Err(_) => "no answer".to_owned(),
        };
        proxy.set_faulty(false);
        assert_eq!(
            (found.as_str(), maps.get_opt(&name).await.unwrap().is_some()),
            (expected, made),
            "{faults:?}"
        );
    }
}

#[tokio::test]
async fn a_history_shows_every_version_and_what_was_lost() {
    let plane = ControlPlane::shared().await.unwrap();
    let client = plane.client().unwrap();
    namespace("told").create(&client).await.unwrap();
    deployment("told", "web").replicas(2).on_node("nowhere").create(&client).await.unwrap();
    // Watched through a proxy that cuts the watch off: it goes on where it was.
    let (through, proxy) = through(plane, Faults { throttled: 0, failed: 0, cut: 0, answer_lost: 0 }).await;
    let history = History::follow(&through, "told").await.unwrap();
    let patch = async |patch: serde_json::Value| {
        let args = ["-n", "told", "patch", "deployment", "web", "--type=merge", "-p", &patch.to_string()];
        plane.kubectl(&args).await.unwrap();
    };
    let marks = json!({"nightcap.dev/original": "{\"replicas\":2}", "nightcap.dev/asleep": "{}"});
    patch(json!({"spec": {"replicas": 0}, "metadata": {"annotations": marks}})).await;
    history.check_nothing_lost(&client).await.unwrap();
    proxy.cut_all();
    patch(json!({"metadata": {"annotations": {"nightcap.dev/original": null}}})).await;
    patch(json!({"spec": {"replicas": 2}, "metadata": {"annotations": {"nightcap.dev/asleep": null}}})).await;
    let versions = history.versions(&client).await.unwrap();
    let mut states: Vec<_> =
        versions["deployment/web"].iter().map(|version| version.workload.clone()).collect();
    states.dedup();
    let asleep = |original: Option<&str>| Workload {
        size: "0".to_owned(),
        original: original.map(str::to_owned),
        asleep: Some("{}".to_owned()),
    };
    let expected =
        [Workload::awake("2"), asleep(Some("{\"replicas\":2}")), asleep(None), Workload::awake("2")];
    assert_eq!(states, expected);
    let lost = history.check_nothing_lost(&client).await.unwrap_err().to_string();
    assert_eq!(lost, format!("deployment/web, once {{\"replicas\":2}}: {:?}", asleep(None)));
}
