//! The way of a command line to the daemon's pod: API server and port-forward are real, the kubelet is kwok's, which leads
//! the ports of its pods to this machine.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Output;
use std::thread::spawn;

use anyhow::ensure;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use nightcap_tests::objects::{deployment, namespace, pod};
use nightcap_tests::{ControlPlane, Daemon, DaemonOptions, Options, binary, wait, workloads};
use serde_json::{Value, json};

use crate::stage;

/// A port of this machine on which nobody listens.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A server in front of the daemon, whose address is known before the daemon's is.
struct Door(std::sync::mpsc::Sender<String>, u16);

impl Door {
    fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, target) = std::sync::mpsc::channel::<String>();
        spawn(move || {
            let target = target.recv().unwrap();
            while let Ok((outer, _)) = listener.accept() {
                let inner = std::net::TcpStream::connect(&target).unwrap();
                for (mut from, mut to) in
                    [(outer.try_clone().unwrap(), inner.try_clone().unwrap()), (inner, outer)]
                {
                    spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Write);
                    });
                }
            }
        });
        Self(sender, port)
    }
}

/// A forward of kwok: the port 9095 of the pods of a namespace leads to a port of this machine.
fn leads(space: &str, port: u16) -> String {
    let document = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterPortForward",
        "metadata": { "name": space },
        "spec": {
            "selector": { "matchNamespaces": [space] },
            "forwards": [{ "ports": [9095], "target": { "address": "127.0.0.1", "port": port } }],
        },
    });
    format!("---\n{document}\n")
}

/// Runs a command that is told of no server, on a machine without a daemon of its own.
async fn nightcap(kubeconfig: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = tokio::process::Command::new(binary().unwrap())
        .args(args)
        .env_remove("NIGHTCAP_SERVER")
        .env("NIGHTCAP_LISTEN", format!("127.0.0.1:{}", free_port()))
        .env("KUBECONFIG", kubeconfig)
        .output()
        .await
        .unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// What such a command says of the cluster when no daemon is reached.
fn in_the_cluster(stderr: &str) -> &str {
    let line = stderr.lines().find_map(|line| line.strip_prefix("  in the cluster of the kubeconfig: "));
    line.unwrap_or(stderr).split(" (API server ").next().unwrap()
}

fn without_time(json: &str) -> Value {
    let mut value: Value = serde_json::from_str(json).unwrap();
    assert!(value.as_object_mut().unwrap().remove("at").is_some_and(|at| at.is_string()));
    value
}

/// Who may do what; `forwarder` has just what docs/cli.md says.
const RIGHTS: &str = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: stranger, namespace: nightcap}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: looker, namespace: nightcap}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: forwarder, namespace: nightcap}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: looker, namespace: nightcap}
  rules: [{apiGroups: [""], resources: [pods], verbs: [list]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: forwarder, namespace: nightcap}
  rules:
  - {apiGroups: [""], resources: [pods], verbs: [list]}
  - {apiGroups: [""], resources: [pods/portforward], verbs: [get, create]}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: looker, namespace: nightcap}
  subjects: [{kind: ServiceAccount, name: looker, namespace: nightcap}]
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: looker}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: forwarder, namespace: nightcap}
  subjects: [{kind: ServiceAccount, name: forwarder, namespace: nightcap}]
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: forwarder}
"#;

#[tokio::test]
async fn command_without_a_server_reaches_the_daemon_in_its_pod() {
    let door = Door::open();
    let kwok_config = leads("nightcap", door.1) + &leads("closed", free_port());
    let plane = stage::cluster(Options { kwok_config, ..Options::default() }).await;
    let client = plane.client().unwrap();
    no_daemon_yet(&plane, &client).await;

    let admin = plane.kubeconfig();
    // The daemon.
    daemon_pod(&client, "nightcap", 0).await;
    deployment("shop", "web").replicas(2).create(&client).await.unwrap();
    wait::deployment_ready(&client, "shop", "web").await.unwrap();
    wait::pods_running(&client, "nightcap", 1).await.unwrap();
    let mut daemon = Daemon::start(stage::daemon(&plane, "ask", &json!({}))).unwrap();
    daemon.wait_ready().await.unwrap();
    door.0.send(daemon.address()).unwrap();
    let (code, out, err) = nightcap(admin, &["prices", "-o", "json"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(without_time(&out), without_time(&daemon.get_text("/api/v1/nodes").await.unwrap()));
    let (code, out, err) = nightcap(admin, &["status"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.ends_with("\nAnswered by the pod nightcap/daemon, by a port-forward.\n"), "{out}");

    // An act carries the kubeconfig's token, and the daemon asks the API server about it.
    let before = workloads(&client, "shop").await.unwrap();
    let slept = nightcap(admin, &["sleep", "shop"]).await;
    let said = "shop goes to sleep until somebody wakes it.\n".to_owned();
    assert_eq!(slept, (Some(0), said, String::new()));
    let asleep = stage::until_asleep(&client, "shop", &before).await.unwrap();
    let mark: Value = serde_json::from_str(asleep["deployment/web"].asleep.as_ref().unwrap()).unwrap();
    assert_eq!(mark["by"], "admin");

    only_with_the_rights_it_takes(&plane).await;
}

/// A pod that says it is the daemon's.
async fn daemon_pod(client: &Client, space: &str, ready_seconds: u32) {
    let labelled = pod(space, "daemon").label("app.kubernetes.io/name", "nightcap");
    labelled.ready_seconds(ready_seconds).create(client).await.unwrap();
}

async fn no_daemon_yet(plane: &ControlPlane, client: &Client) {
    let admin = plane.kubeconfig();
    // No pod at all.
    let (code, out, err) = nightcap(admin, &["status"]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert_eq!(in_the_cluster(&err), "no pod has the label app.kubernetes.io/name=nightcap in any namespace");

    // One that is not ready.
    for name in ["nightcap", "closed", "late", "shop"] {
        namespace(name).create(client).await.unwrap();
    }
    daemon_pod(client, "late", 3_600).await;
    wait::until("the pod to be bound", wait::PATIENCE, async || {
        let found = kube::Api::<Pod>::namespaced(client.clone(), "late").get("daemon").await?;
        ensure!(found.spec.is_some_and(|spec| spec.node_name.is_some()), "it is not");
        Ok(())
    })
    .await
    .unwrap();
    let (_, _, err) = nightcap(admin, &["status", "--namespace", "late"]).await;
    assert_eq!(in_the_cluster(&err), "the pod late/daemon is not ready: its phase is Pending");

    // One in which nothing listens.
    daemon_pod(client, "closed", 0).await;
    wait::pods_running(client, "closed", 1).await.unwrap();
    let (code, out, err) = nightcap(admin, &["status", "--namespace", "closed"]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let start =
        "nightcap: the daemon in the pod closed/daemon does not answer (error forwarding port 9095 to pod ";
    assert!(err.starts_with(start) && err.contains("connection refused"), "{err}");
    assert!(err.ends_with("\nlook at its log: kubectl -n closed logs daemon\n"), "{err}");
    let (_, _, err) = nightcap(admin, &["status"]).await;
    assert_eq!(
        in_the_cluster(&err),
        "no pod has the label app.kubernetes.io/name=nightcap in the namespace \"nightcap\", but those of several \
         others have: closed, late; choose one with --namespace"
    );
}

async fn only_with_the_rights_it_takes(plane: &ControlPlane) {
    plane.apply(RIGHTS).await.unwrap();
    let as_user = async |name: &str| plane.kubeconfig_for_service_account("nightcap", name).await.unwrap();
    let forwarder = as_user("forwarder").await;
    wait::until("the roles to count", wait::PATIENCE, async || {
        let (code, _, err) = nightcap(&forwarder, &["status"]).await;
        ensure!(code == Some(0), "{err}");
        Ok(())
    })
    .await
    .unwrap();
    let refused = nightcap(&forwarder, &["wake", "shop"]).await;
    let said = "nightcap: system:serviceaccount:nightcap:forwarder may not wake spaces in namespace \"shop\"\n\
                it takes the right to `wake` the resource `spaces.nightcap.dev` in that namespace\n\
                answered by the pod nightcap/daemon, by a port-forward\n";
    assert_eq!(refused, (Some(1), String::new(), said.to_owned()));
    let looker = as_user("looker").await;
    wait::until("the roles to count", wait::PATIENCE, async || {
        let (code, out, err) = nightcap(&looker, &["status"]).await;
        ensure!((code, out.as_str()) == (Some(1), ""), "{out}");
        let words = in_the_cluster(&err);
        let start =
            "cannot forward to the port 9095 of the pod nightcap/daemon: the API server answers 403: ";
        ensure!(words.starts_with(start), "{err}");
        ensure!(
            words.ends_with(" (it takes the right to get and create pods/portforward in that namespace)"),
            "{err}"
        );
        Ok(())
    })
    .await
    .unwrap();
    let (_, _, err) = nightcap(&as_user("stranger").await, &["status"]).await;
    assert_eq!(
        in_the_cluster(&err),
        "cannot look for its pod in the namespace \"nightcap\": the API server answers 403: pods is forbidden: User \
         \"system:serviceaccount:nightcap:stranger\" cannot list resource \"pods\" in API group \"\" in the namespace \
         \"nightcap\" (it takes the right to list pods in that namespace)"
    );
}

#[tokio::test]
async fn command_without_a_server_asks_the_daemon_of_this_machine_first() {
    let mut daemon = Daemon::start(DaemonOptions::demo()).unwrap();
    daemon.wait_ready().await.unwrap();
    let output = tokio::process::Command::new(binary().unwrap())
        .args(["status", "--kubeconfig", "/no/such/kubeconfig"])
        .env_remove("NIGHTCAP_SERVER")
        .env("NIGHTCAP_LISTEN", daemon.address())
        .output()
        .await
        .unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""));
    assert!(
        out.ends_with(&format!("\nAnswered by the daemon on this machine, {}.\n", daemon.url())),
        "{out}"
    );
}
