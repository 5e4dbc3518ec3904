//! The control plane itself: what the other tests build on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Node, PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::{ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use nightcap_tests::objects::{cron_job, deployment, namespace, node, pod, stateful_set};
use nightcap_tests::wait::Usage;
use nightcap_tests::{ControlPlane, Options, is_running, wait};
use serde_json::json;

/// The shared cluster, a namespace and a node of the test's own; pods go to that node alone.
async fn room(name: &str) -> (&'static ControlPlane, Client) {
    let plane = ControlPlane::shared().await.unwrap();
    let client = plane.client().unwrap();
    namespace(name).create(&client).await.unwrap();
    node(name).create(&client).await.unwrap();
    wait::node_ready(&client, name).await.unwrap();
    (plane, client)
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[tokio::test]
async fn a_node_is_ready_and_keeps_what_tells_its_price() {
    let client = ControlPlane::shared().await.unwrap().client().unwrap();
    let built =
        node("priced").instance_type("p3.2xlarge").region("eu-central-1").zone("eu-central-1a").gpu(1);
    let built =
        built.capacity_type("spot").provider_id("aws:///eu-central-1a/i-0123").cpu("8").memory("61Gi");
    // Nothing of the other tests shall land here.
    let taint = json!({"spec": {"taints": [{"key": "nightcap.test/reserved", "effect": "NoSchedule"}]}});
    built.with(taint).create(&client).await.unwrap();
    let ready = wait::node_ready(&client, "priced").await.unwrap();
    // The controller manager adds old names of two of them, sooner or later.
    let mut labels = ready.labels().clone();
    labels.retain(|key, _| !key.starts_with("beta.kubernetes.io/"));
    assert_eq!(
        labels,
        map([
            ("kubernetes.io/hostname", "priced"),
            ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "amd64"),
            ("node.kubernetes.io/instance-type", "p3.2xlarge"),
            ("topology.kubernetes.io/region", "eu-central-1"),
            ("topology.kubernetes.io/zone", "eu-central-1a"),
            ("karpenter.sh/capacity-type", "spot"),
        ])
    );
    assert_eq!(ready.spec.unwrap().provider_id.unwrap(), "aws:///eu-central-1a/i-0123");
    let status = ready.status.unwrap();
    let size = map([
        ("cpu", "8"),
        ("memory", "61Gi"),
        ("ephemeral-storage", "100Gi"),
        ("pods", "110"),
        ("nvidia.com/gpu", "1"),
    ]);
    let strings = |list: Option<BTreeMap<String, Quantity>>| -> BTreeMap<String, String> {
        list.unwrap().into_iter().map(|(key, quantity)| (key, quantity.0)).collect()
    };
    assert_eq!([strings(status.capacity), strings(status.allocatable)], [size.clone(), size]);
}

#[tokio::test]
async fn the_pods_of_a_deployment_run() {
    let (_, client) = room("running").await;
    deployment("running", "web")
        .replicas(3)
        .requests("100m", "128Mi")
        .on_node("running")
        .create(&client)
        .await
        .unwrap();
    wait::deployment_ready(&client, "running", "web").await.unwrap();
    for pod in wait::pods_running(&client, "running", 3).await.unwrap() {
        let status = pod.status.unwrap();
        let statuses = status.container_statuses.unwrap();
        assert_eq!([statuses.len(), statuses.iter().filter(|container| container.ready).count()], [1, 1]);
        assert_eq!(status.host_ip.as_deref(), Some("127.0.0.1"));
    }
}

#[tokio::test]
async fn a_scheduled_pod_says_since_when_it_holds_its_node_and_how_long_it_ran() {
    let (_, client) = room("timed").await;
    let pinned = json!({"spec": {"nodeSelector": {"kubernetes.io/hostname": "timed"}}});
    pod("timed", "task").run_seconds(2).pod_with(pinned).create(&client).await.unwrap();
    let pods = Api::<Pod>::namespaced(client, "timed");
    let ended = wait::until("the pod to succeed", wait::PATIENCE, async || {
        let pod = pods.get("task").await?;
        let status = pod.status.context("no status")?;
        if status.phase.as_deref() != Some("Succeeded") {
            bail!("{:?}", status.phase);
        }
        Ok(status)
    });
    let status = ended.await.unwrap();
    let condition = |kind: &str| {
        let found = status.conditions.iter().flatten().find(|condition| condition.type_ == kind).unwrap();
        (found.status.clone(), found.last_transition_time.clone().unwrap().0)
    };
    let state = status.container_statuses.as_ref().unwrap()[0].state.clone().unwrap().terminated.unwrap();
    let (started, finished) = (state.started_at.unwrap().0, state.finished_at.unwrap().0);
    assert_eq!(condition("PodScheduled").0, "True");
    assert!(condition("PodScheduled").1 <= started);
    assert!(finished.as_second() - started.as_second() >= 2, "{started} to {finished}");
    assert_eq!(condition("Ready").0, "False");
}

#[tokio::test]
async fn a_pod_stays_pending_on_its_node_as_long_as_it_says() {
    let (_, client) = room("slow").await;
    pod("slow", "late").on_node("slow").ready_seconds(3600).create(&client).await.unwrap();
    pod("slow", "prompt").on_node("slow").create(&client).await.unwrap();
    let pods = Api::<Pod>::namespaced(client, "slow");
    wait::until("the prompt pod to run", wait::PATIENCE, async || {
        let phase = pods.get("prompt").await?.status.and_then(|status| status.phase);
        (phase.as_deref() == Some("Running")).then_some(()).with_context(|| format!("{phase:?}"))
    })
    .await
    .unwrap();
    assert_eq!(pods.get("late").await.unwrap().status.unwrap().phase.unwrap(), "Pending");
}

#[tokio::test]
async fn the_usage_of_an_annotated_pod_is_measured() {
    let (_, client) = room("measured").await;
    pod("measured", "busy").on_node("measured").usage("250m", "300Mi").create(&client).await.unwrap();
    let Usage { cpu_millis, memory_bytes } = wait::usage_visible(&client, "measured", "busy").await.unwrap();
    assert!((250..=252).contains(&cpu_millis), "{cpu_millis}m");
    assert_eq!(memory_bytes, 300 << 20);
}

#[tokio::test]
async fn a_cron_jobs_pod_ends_and_kubectl_starts_it_by_hand() {
    let (plane, client) = room("cron").await;
    cron_job("cron", "report").run_seconds(1).on_node("cron").create(&client).await.unwrap();
    let said = plane.kubectl(&["-n", "cron", "create", "job", "now", "--from=cronjob/report"]).await.unwrap();
    assert_eq!(said, "job.batch/now created\n");
    let said = plane
        .kubectl(&["-n", "cron", "wait", "--for=condition=Complete", "job/now", "--timeout=120s"])
        .await
        .unwrap();
    assert_eq!(said, "job.batch/now condition met\n");
    let error = plane.kubectl(&["-n", "cron", "get", "job", "never"]).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "kubectl -n cron get job never: Error from server (NotFound): jobs.batch \"never\" not found"
    );
}

#[tokio::test]
async fn the_claims_of_a_stateful_set_get_volumes_of_their_size() {
    let (_, client) = room("stored").await;
    stateful_set("stored", "db")
        .replicas(2)
        .claim("data", "5Gi")
        .on_node("stored")
        .create(&client)
        .await
        .unwrap();
    wait::pods_running(&client, "stored", 2).await.unwrap();
    let claims = Api::<PersistentVolumeClaim>::namespaced(client, "stored");
    let bound = wait::until("both claims to be bound", wait::PATIENCE, async || {
        let claims = claims.list(&ListParams::default()).await?.items;
        let mut bound = Vec::new();
        for claim in claims {
            let status = claim.status.clone().context("no status")?;
            let size = status.capacity.and_then(|capacity| capacity.get("storage").cloned());
            bound.push((
                claim.name_any(),
                status.phase.unwrap_or_default(),
                size.map(|size| size.0).unwrap_or_default(),
            ));
        }
        if bound.iter().any(|(_, phase, _)| phase != "Bound") {
            bail!("{bound:?}");
        }
        Ok(bound)
    });
    let row = |name: &str| (name.to_owned(), "Bound".to_owned(), "5Gi".to_owned());
    assert_eq!(bound.await.unwrap(), [row("data-db-0"), row("data-db-1")]);
}

#[tokio::test]
async fn a_service_account_may_do_what_its_role_says_and_no_more() {
    let (plane, _) = room("rights").await;
    plane.kubectl(&["-n", "rights", "create", "serviceaccount", "reader"]).await.unwrap();
    let role =
        ["create", "clusterrolebinding", "reader", "--clusterrole=view", "--serviceaccount=rights:reader"];
    plane.kubectl(&role).await.unwrap();
    let path = plane.kubeconfig_for_service_account("rights", "reader").await.unwrap();
    let kubeconfig = Kubeconfig::read_from(path).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let client = Client::try_from(config).unwrap();
    let pods = Api::<Pod>::namespaced(client.clone(), "rights");
    wait::until("the role to be known to the authorizer", wait::PATIENCE, async || {
        Ok(pods.list(&ListParams::default()).await.map(drop)?)
    })
    .await
    .unwrap();
    let refused = Api::<Node>::all(client).list(&ListParams::default()).await.unwrap_err();
    assert!(matches!(&refused, kube::Error::Api(status) if status.is_forbidden()), "{refused}");
}

#[tokio::test]
async fn a_killed_api_server_comes_back_with_the_same_objects() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let client = plane.client().unwrap();
    node("n1").create(&client).await.unwrap();
    let before = namespace("kept").team("payments").create(&client).await.unwrap();
    deployment("kept", "web").create(&client).await.unwrap();
    wait::pods_running(&client, "kept", 1).await.unwrap();

    plane.stop_api_server();
    let names = plane.processes().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["kube-controller-manager", "kube-scheduler", "kwok", "etcd"]);
    let namespaces = Api::<Namespace>::all(client.clone());
    assert!(matches!(namespaces.get("kept").await, Err(error) if !matches!(error, kube::Error::Api(_))));

    plane.start_api_server().await.unwrap();
    // The same client, since the port is the same.
    let after = namespaces.get("kept").await.unwrap();
    assert_eq!(
        (after.metadata.uid, after.metadata.annotations),
        (before.metadata.uid, before.metadata.annotations)
    );
    // The others have found it again: a change is seen, scheduled and made to run.
    let two = Patch::Merge(json!({"spec": {"replicas": 2}}));
    let deployments = Api::<Deployment>::namespaced(client.clone(), "kept");
    deployments.patch("web", &PatchParams::default(), &two).await.unwrap();
    wait::pods_running(&client, "kept", 2).await.unwrap();
}

#[test]
fn a_panic_leaves_no_process_and_no_file() {
    let (send, receive) = std::sync::mpsc::channel();
    let failing = std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let plane = ControlPlane::start(Options::default()).await.unwrap();
            send.send((plane.processes(), plane.kubeconfig().to_owned())).unwrap();
            panic!("as a failing test does");
        });
    });
    failing.join().unwrap_err();
    let (processes, kubeconfig) = receive.recv().unwrap();
    let names: Vec<_> = processes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["kube-controller-manager", "kube-scheduler", "kwok", "kube-apiserver", "etcd"]);
    let left: Vec<_> = processes.iter().filter(|(_, pid)| is_running(*pid)).collect();
    assert_eq!(left, Vec::<&(String, u32)>::new());
    assert!(!kubeconfig.parent().unwrap().exists());
}

/// The program behind `make cluster`, once it has said that it is up.
struct Cluster {
    child: Child,
    kubeconfig: PathBuf,
    /// The processes it has started.
    pids: Vec<u32>,
}

fn cluster() -> Cluster {
    let mut child = Command::new(env!("CARGO_BIN_EXE_control-plane")).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let kubeconfig =
        lines.find_map(|line| line.trim().strip_prefix("export KUBECONFIG=").map(PathBuf::from)).unwrap();
    let pids = children(child.id());
    Cluster { child, kubeconfig, pids }
}

fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let parent = format!("PPid:\t{parent}");
    let is_child = |pid: &u32| {
        let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
        status.is_ok_and(|status| status.lines().any(|line| line == parent))
    };
    processes.filter(is_child).collect()
}

async fn all_gone(pids: &[u32]) {
    wait::until("all processes to be gone", wait::PATIENCE, async || {
        let left: Vec<_> = pids.iter().filter(|pid| is_running(**pid)).collect();
        if !left.is_empty() {
            bail!("{left:?}");
        }
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_killed_parent_takes_its_processes_along() {
    let mut cluster = cluster();
    assert_eq!(cluster.pids.len(), 6);
    cluster.child.kill().unwrap();
    cluster.child.wait().unwrap();
    all_gone(&cluster.pids).await;
}

#[tokio::test]
async fn ctrl_c_takes_all_down() {
    let mut cluster = cluster();
    assert_eq!(cluster.pids.len(), 6);
    let interrupted = Command::new("kill").args(["-INT", &cluster.child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert!(cluster.child.wait().unwrap().success());
    all_gone(&cluster.pids).await;
    assert!(!cluster.kubeconfig.parent().unwrap().exists());
}
