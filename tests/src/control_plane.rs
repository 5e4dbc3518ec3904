//! Starting, stopping and addressing a control plane.

mod parts;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::sync::OnceCell;

use crate::folder::Folder;
use crate::ports::Port;
use crate::process::{Process, Program};
use crate::{binaries, certificates, wait};
use parts::Layout;

/// What a control plane is started with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Run metrics-server too, so that metrics.k8s.io tells the usage that pods are annotated with.
    pub metrics_server: bool,
    /// Further arguments of kube-apiserver, such as `--enable-admission-plugins=…`.
    pub api_server_args: Vec<String>,
    /// Further configuration of kwok, YAML documents, such as where a port-forward to its pods leads (`ClusterPortForward`).
    pub kwok_config: String,
}

impl Options {
    /// With metrics-server.
    pub fn with_metrics_server() -> Self {
        Self { metrics_server: true, ..Self::default() }
    }
}

/// A running control plane. Everything of it ends when it is dropped.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: the API server goes before its etcd, the folder and the ports last.
    others: Vec<Process>,
    api_server: Mutex<Option<Process>>,
    etcd: Process,
    api_server_program: Program,
    url: String,
    kubeconfig: PathBuf,
    config: Config,
    folder: Folder,
    _ports: Vec<Port>,
}

impl ControlPlane {
    /// Starts one and waits until its API server is ready, its controllers work and, if asked for, metrics.k8s.io answers.
    /// Builds the programs first if they are not there.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let mut names =
            vec!["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl"];
        names.extend(options.metrics_server.then_some("metrics-server"));
        let build = move || names.into_iter().try_for_each(|name| binaries::ensure(name).map(drop));
        tokio::task::spawn_blocking(build).await??;

        let folder = Folder::create()?;
        certificates::write(&folder.join("pki"))?;
        let ports = (0..5).map(|_| Port::reserve()).collect::<anyhow::Result<Vec<_>>>()?;
        let layout = Layout::new(&folder, &ports)?;
        layout.write_files(&options.kwok_config)?;
        let kubeconfig = layout.kubeconfig.clone();
        // Without kube's own retries: waiting is done here, and a test wants to see the first answer.
        let mut config = Config::from_custom_kubeconfig(
            Kubeconfig::read_from(&kubeconfig)?,
            &KubeConfigOptions::default(),
        )
        .await?;
        config.default_retry = false;
        // A proxy of the environment is not for the loopback interface.
        config.proxy_url = None;

        let etcd = layout.etcd()?.start()?;
        let api_server_program = layout.api_server(&options.api_server_args)?;
        let api_server = api_server_program.start()?;
        let mut plane = Self {
            others: Vec::new(),
            api_server: Mutex::new(Some(api_server)),
            etcd,
            api_server_program,
            url: layout.url.clone(),
            kubeconfig,
            config,
            folder,
            _ports: ports,
        };
        plane.wait_for_api_server().await?;
        for program in [layout.controller_manager()?, layout.scheduler()?, layout.kwok()?] {
            plane.others.push(program.start()?);
        }
        if options.metrics_server {
            plane.others.push(layout.metrics_server()?.start()?);
            parts::register_metrics_server(&plane.client()?, layout.metrics_port).await?;
        }
        parts::create_storage_class(&plane.client()?).await?;
        plane.wait_for_controllers(options.metrics_server).await?;
        Ok(plane)
    }

    /// One control plane with metrics-server for all tests of this process that ask for it, started with the first of them.
    ///
    /// Tests that share it keep to namespaces and nodes of their own, and leave its API server alone.
    pub async fn shared() -> anyhow::Result<&'static Self> {
        static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
        SHARED.get_or_try_init(|| Self::start(Options::with_metrics_server())).await
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Where the API server listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new client of the administrator. It belongs to the runtime of the calling test, so none is kept.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::try_from(self.config.clone())?)
    }

    /// Runs kubectl and gives back what it printed.
    pub async fn kubectl(&self, args: &[&str]) -> anyhow::Result<String> {
        self.kubectl_with_input(args, "").await
    }

    /// `kubectl apply` of manifests.
    pub async fn apply(&self, manifests: &str) -> anyhow::Result<String> {
        self.kubectl_with_input(&["apply", "-f", "-"], manifests).await
    }

    async fn kubectl_with_input(&self, args: &[&str], input: &str) -> anyhow::Result<String> {
        let mut child = tokio::process::Command::new(binaries::ensure("kubectl")?)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(args)
            .env("HOME", self.folder.join(""))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("kubectl has no standard input")?;
        let write = async {
            // kubectl may end without reading it all; its own message then says why.
            let _ = stdin.write_all(input.as_bytes()).await;
            drop(stdin);
        };
        let ((), output) = tokio::join!(write, child.wait_with_output());
        let output = output?;
        if !output.status.success() {
            bail!("kubectl {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Kills the API server (SIGKILL). Everything else goes on without it.
    pub fn stop_api_server(&self) {
        // The guard is gone before the process is waited for.
        let stopped = self.api_server.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(stopped);
    }

    /// Starts the API server again, on the same port and with the same etcd, and waits until it is ready.
    pub async fn start_api_server(&self) -> anyhow::Result<()> {
        {
            let mut slot = self.api_server.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.is_none() {
                *slot = Some(self.api_server_program.start()?);
            }
        }
        self.wait_for_api_server().await
    }

    /// Kills the API server and starts it again.
    pub async fn restart_api_server(&self) -> anyhow::Result<()> {
        self.stop_api_server();
        self.start_api_server().await
    }

    /// A token of a service account, valid for an hour.
    pub async fn token_for_service_account(&self, namespace: &str, name: &str) -> anyhow::Result<String> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client()?, namespace);
        let request: TokenRequest =
            serde_json::from_value(json!({"spec": {"audiences": [], "expirationSeconds": 3600}}))?;
        let answer = accounts.create_token_request(name, &PostParams::default(), &request).await?;
        answer.status.and_then(|status| status.token).context("the API server gave no token")
    }

    /// A kubeconfig that acts as a service account, to run the daemon with just the rights it asks for.
    pub async fn kubeconfig_for_service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> anyhow::Result<PathBuf> {
        let token = self.token_for_service_account(namespace, name).await?;
        let path = self.folder.join(&format!("kubeconfig-{namespace}-{name}"));
        parts::write_kubeconfig(&path, &self.url, &self.certificate_authority(), &token)?;
        Ok(path)
    }

    /// The administrator's kubeconfig for a way around: a proxy in front of the API server.
    pub fn kubeconfig_through(&self, url: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join("kubeconfig-through-proxy");
        parts::write_kubeconfig(&path, url, &self.certificate_authority(), parts::ADMIN_TOKEN)?;
        Ok(path)
    }

    /// The certificate of the authority that signs for its API server.
    pub fn certificate_authority(&self) -> PathBuf {
        self.folder.join("pki/ca.crt")
    }

    /// What time it is for the API server, to the second.
    pub async fn now(&self) -> anyhow::Result<Timestamp> {
        let probe: ConfigMap = serde_json::from_value(json!({"metadata": {"generateName": "clock-"}}))?;
        let made = Api::<ConfigMap>::namespaced(self.client()?, "default")
            .create(&PostParams::default(), &probe)
            .await?;
        Ok(made.metadata.creation_timestamp.context("an object without its time of creation")?.0)
    }

    /// The names and process ids of what runs now.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let api_server = self.api_server.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.others.iter().chain(api_server.iter()).chain([&self.etcd]);
        all.map(|process| (process.name().to_owned(), process.pid())).collect()
    }

    /// The log of one of its parts, by the program's name.
    pub fn log(&self, program: &str) -> PathBuf {
        self.folder.join(&format!("{program}.log"))
    }

    async fn wait_for_api_server(&self) -> anyhow::Result<()> {
        let client = self.client()?;
        wait::until("the API server to be ready", wait::PATIENCE, async || {
            if let Some(api_server) = self.api_server.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                api_server.check_running()?;
            }
            client.request_text(http::Request::get("/readyz").body(Vec::new())?).await?;
            Ok(())
        })
        .await
    }

    /// The service account that the controller manager makes shows that its controllers work. Without it no pod is admitted.
    async fn wait_for_controllers(&mut self, metrics_server: bool) -> anyhow::Result<()> {
        let client = self.client()?;
        let accounts = Api::<ServiceAccount>::namespaced(client.clone(), "default");
        let others = &mut self.others;
        wait::until("the controllers to work", wait::PATIENCE, async || {
            others.iter_mut().chain([&mut self.etcd]).try_for_each(Process::check_running)?;
            accounts.get("default").await?;
            if metrics_server {
                client
                    .request_text(http::Request::get("/apis/metrics.k8s.io/v1beta1").body(Vec::new())?)
                    .await?;
            }
            Ok(())
        })
        .await
    }
}
