//! The parts of a control plane: their arguments, their files, and the objects that join them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use crate::binaries;
use crate::folder::Folder;
use crate::ports::Port;
use crate::process::Program;

pub(super) const ADMIN_TOKEN: &str = "admin-of-a-control-plane-for-tests";

/// Where everything of one control plane lies and listens.
pub(super) struct Layout {
    root: PathBuf,
    pub(super) kubeconfig: PathBuf,
    pub(super) url: String,
    etcd_client: String,
    etcd_peer: String,
    api_port: u16,
    kwok_port: u16,
    pub(super) metrics_port: u16,
}

impl Layout {
    pub(super) fn new(folder: &Folder, ports: &[Port]) -> anyhow::Result<Self> {
        let [api_port, etcd, peer, kwok_port, metrics_port] = ports else {
            anyhow::bail!("a control plane needs 5 ports, not {}", ports.len());
        };
        Ok(Self {
            root: folder.join(""),
            kubeconfig: folder.join("kubeconfig"),
            url: format!("https://127.0.0.1:{}", api_port.number()),
            etcd_client: format!("http://127.0.0.1:{}", etcd.number()),
            etcd_peer: format!("http://127.0.0.1:{}", peer.number()),
            api_port: api_port.number(),
            kwok_port: kwok_port.number(),
            metrics_port: metrics_port.number(),
        })
    }

    pub(super) fn write_files(&self, kwok_config: &str) -> anyhow::Result<()> {
        fs::write(self.root.join("tokens.csv"), format!("{ADMIN_TOKEN},admin,admin,system:masters\n"))?;
        let stages = include_str!("../../control-plane/kwok.yaml");
        fs::write(self.root.join("kwok.yaml"), format!("{stages}\n---\n{kwok_config}"))?;
        write_kubeconfig(&self.kubeconfig, &self.url, &self.root.join("pki/ca.crt"), ADMIN_TOKEN)
    }

    fn program(&self, name: &str, args: Vec<(&str, OsString)>) -> anyhow::Result<Program> {
        let joined = |(flag, value): (&str, OsString)| {
            let mut arg = OsString::from(format!("--{flag}="));
            arg.push(value);
            arg
        };
        Ok(Program {
            name: name.to_owned(),
            path: binaries::ensure(name)?,
            args: args.into_iter().map(joined).collect(),
            env: Vec::new(),
            log: self.root.join(format!("{name}.log")),
        })
    }

    /// What the controllers and the scheduler have in common.
    fn worker(&self, name: &str, args: Vec<(&str, OsString)>) -> anyhow::Result<Program> {
        let mut all = vec![
            ("kubeconfig", self.kubeconfig.clone().into()),
            ("leader-elect", "false".into()),
            ("secure-port", "0".into()),
            // Their defaults (20 and 50 a second) would stretch the start of the controllers by five seconds, and every
            // test with many objects.
            ("kube-api-qps", "500".into()),
            ("kube-api-burst", "1000".into()),
        ];
        all.extend(args);
        self.program(name, all)
    }

    fn file(&self, name: &str) -> OsString {
        self.root.join(name).into()
    }

    pub(super) fn etcd(&self) -> anyhow::Result<Program> {
        self.program(
            "etcd",
            vec![
                ("data-dir", self.file("etcd")),
                ("listen-client-urls", self.etcd_client.clone().into()),
                ("advertise-client-urls", self.etcd_client.clone().into()),
                ("listen-peer-urls", self.etcd_peer.clone().into()),
                ("initial-advertise-peer-urls", self.etcd_peer.clone().into()),
                ("initial-cluster", format!("default={}", self.etcd_peer).into()),
                ("log-level", "warn".into()),
                // Its data lives as long as the test.
                ("unsafe-no-fsync", "true".into()),
            ],
        )
    }

    pub(super) fn api_server(&self, further: &[String]) -> anyhow::Result<Program> {
        let mut program = self.program(
            "kube-apiserver",
            vec![
                ("etcd-servers", self.etcd_client.clone().into()),
                ("bind-address", "127.0.0.1".into()),
                ("secure-port", self.api_port.to_string().into()),
                ("tls-cert-file", self.file("pki/serving.crt")),
                ("tls-private-key-file", self.file("pki/serving.key")),
                ("client-ca-file", self.file("pki/ca.crt")),
                ("service-cluster-ip-range", "10.96.0.0/16".into()),
                ("service-account-issuer", "https://kubernetes.default.svc".into()),
                ("service-account-key-file", self.file("pki/sa.pub")),
                ("service-account-signing-key-file", self.file("pki/sa.key")),
                ("token-auth-file", self.file("tokens.csv")),
                ("authorization-mode", "RBAC".into()),
                ("requestheader-client-ca-file", self.file("pki/ca.crt")),
                ("requestheader-allowed-names", "front-proxy".into()),
                ("requestheader-username-headers", "X-Remote-User".into()),
                ("requestheader-group-headers", "X-Remote-Group".into()),
                ("requestheader-extra-headers-prefix", "X-Remote-Extra-".into()),
                ("proxy-client-cert-file", self.file("pki/front-proxy.crt")),
                ("proxy-client-key-file", self.file("pki/front-proxy.key")),
                ("endpoint-reconciler-type", "none".into()),
            ],
        )?;
        program.args.extend(further.iter().map(OsString::from));
        Ok(program)
    }

    pub(super) fn controller_manager(&self) -> anyhow::Result<Program> {
        self.worker(
            "kube-controller-manager",
            vec![
                ("service-account-private-key-file", self.file("pki/sa.key")),
                ("root-ca-file", self.file("pki/ca.crt")),
                ("use-service-account-credentials", "true".into()),
            ],
        )
    }

    pub(super) fn scheduler(&self) -> anyhow::Result<Program> {
        self.worker("kube-scheduler", Vec::new())
    }

    pub(super) fn kwok(&self) -> anyhow::Result<Program> {
        self.program(
            "kwok",
            vec![
                ("kubeconfig", self.kubeconfig.clone().into()),
                ("manage-all-nodes", "true".into()),
                ("config", self.file("kwok.yaml")),
                ("server-address", format!("127.0.0.1:{}", self.kwok_port).into()),
                ("node-ip", "127.0.0.1".into()),
                ("node-port", self.kwok_port.to_string().into()),
                ("tls-cert-file", self.file("pki/serving.crt")),
                ("tls-private-key-file", self.file("pki/serving.key")),
                // Without leases the nodes become NotReady after a minute, and their pods are evicted.
                ("node-lease-duration-seconds", "40".into()),
            ],
        )
    }

    pub(super) fn metrics_server(&self) -> anyhow::Result<Program> {
        self.program(
            "metrics-server",
            vec![
                ("kubeconfig", self.kubeconfig.clone().into()),
                ("authentication-kubeconfig", self.kubeconfig.clone().into()),
                ("authorization-kubeconfig", self.kubeconfig.clone().into()),
                ("bind-address", "127.0.0.1".into()),
                ("secure-port", self.metrics_port.to_string().into()),
                ("tls-cert-file", self.file("pki/serving.crt")),
                ("tls-private-key-file", self.file("pki/serving.key")),
                ("kubelet-insecure-tls", "true".into()),
                ("kubelet-use-node-status-port", "true".into()),
                ("kubelet-preferred-address-types", "InternalIP".into()),
                // Ten seconds is the least it accepts, and it must exceed the timeout of a request.
                ("metric-resolution", "10s".into()),
                ("kubelet-request-timeout", "5s".into()),
            ],
        )
    }
}

pub(super) fn write_kubeconfig(path: &Path, url: &str, authority: &Path, token: &str) -> anyhow::Result<()> {
    let name = "nightcap-test";
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url, "certificate-authority": authority}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    });
    // JSON is YAML too.
    Ok(fs::write(path, serde_json::to_vec_pretty(&kubeconfig)?)?)
}

/// Makes metrics-server, which runs outside of the cluster's network, the server of metrics.k8s.io.
pub(super) async fn register_metrics_server(client: &Client, port: u16) -> anyhow::Result<()> {
    let service: Service = serde_json::from_value(json!({
        "metadata": {"name": "metrics-server"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }))?;
    Api::namespaced(client.clone(), "kube-system").create(&PostParams::default(), &service).await?;
    let api: APIService = serde_json::from_value(json!({
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "service": {"namespace": "kube-system", "name": "metrics-server", "port": port},
            "insecureSkipTLSVerify": true,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }))?;
    Api::all(client.clone()).create(&PostParams::default(), &api).await?;
    Ok(())
}

/// The default class, whose claims kwok gives volumes (see `kwok.yaml`).
pub(super) async fn create_storage_class(client: &Client) -> anyhow::Result<()> {
    let class: StorageClass = serde_json::from_value(json!({
        "metadata": {
            "name": "nightcap-test",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "nightcap.test/volumes",
    }))?;
    Api::all(client.clone()).create(&PostParams::default(), &class).await?;
    Ok(())
}
