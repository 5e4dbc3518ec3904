//! The program under test, run as its users run it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::exposition::Exposition;
use crate::folder::Folder;
use crate::ports::Port;
use crate::process::{Process, Program, tail};
use crate::{exact, wait, workspace};

/// How the daemon is started.
#[derive(Debug, Clone)]
pub struct DaemonOptions {
    subcommand: &'static str,
    args: Vec<OsString>,
    env: Vec<(String, OsString)>,
    data_dir: Option<PathBuf>,
    binary: Option<PathBuf>,
}

impl DaemonOptions {
    /// `nightcap run` on a cluster.
    pub fn run(kubeconfig: &Path) -> Self {
        let args = vec!["--kubeconfig".into(), kubeconfig.into()];
        Self { subcommand: "run", args, env: Vec::new(), data_dir: None, binary: None }
    }

    /// `nightcap demo`.
    pub fn demo() -> Self {
        Self { subcommand: "demo", args: Vec::new(), env: Vec::new(), data_dir: None, binary: None }
    }

    /// Further arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Keeps its data there, instead of in a folder that goes with the daemon.
    #[must_use]
    pub fn data_dir(mut self, folder: &Path) -> Self {
        self.data_dir = Some(folder.to_owned());
        self
    }

    /// Runs this program instead: another version, or a stand-in.
    #[must_use]
    pub fn binary(mut self, path: &Path) -> Self {
        self.binary = Some(path.to_owned());
        self
    }
}

/// The daemon as a child process, on a port of its own. Killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    program: Program,
    http: reqwest::Client,
    port: Port,
    _folder: Folder,
}

/// An answer of the daemon, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Daemon {
    /// Starts it: the binary that `NIGHTCAP_BIN` names, else the one that cargo has built beside the tests. Does not wait until it is ready.
    pub fn start(options: DaemonOptions) -> anyhow::Result<Self> {
        let folder = Folder::create()?;
        let port = Port::reserve()?;
        let mut args: Vec<OsString> = vec![options.subcommand.into(), "--listen".into()];
        args.push(format!("127.0.0.1:{}", port.number()).into());
        if options.subcommand == "run" {
            let data_dir = options.data_dir.unwrap_or_else(|| folder.join("data"));
            args.extend(["--data-dir".into(), data_dir.into()]);
        }
        args.extend(options.args);
        let program = Program {
            name: "nightcap".to_owned(),
            path: options.binary.map_or_else(binary, Ok)?,
            args,
            env: options.env,
            log: folder.join("nightcap.log"),
        };
        let process = program.start()?;
        // No connection is kept: it would belong to the runtime of the test that made it, and tests share daemons.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { process, program, http, port, _folder: folder })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens, without the scheme: what Prometheus scrapes.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port.number())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits until `/readyz` answers 200. The error shows the end of its log.
    pub async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let url = self.url() + "/readyz";
        let (process, http) = (&mut self.process, &self.http);
        let ready = wait::until("the daemon to be ready", wait::PATIENCE, async || {
            process.check_running()?;
            let answer = http.get(&url).send().await?;
            let status = answer.status().as_u16();
            if status != 200 {
                bail!("{status}: {}", answer.text().await?);
            }
            Ok(())
        })
        .await;
        ready.map_err(|error| self.explain(error))
    }

    /// Adds the end of the daemon's log to the error of a wait that failed.
    pub fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        // What the daemon ended with shows its log already.
        if error.is::<wait::GiveUp>() {
            error
        } else {
            anyhow::anyhow!("{error:#}{}", self.process.log_tail())
        }
    }

    /// All it has written to standard output and error, over all its starts.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(&self.program.log)?)
    }

    /// `GET`, whatever the status.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        answer(self.http.get(self.url() + path)).await
    }

    /// `GET`, which must answer 200.
    pub async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let Answer { status, body } = self.get(path).await?;
        if status != 200 {
            bail!("GET {path}: {status}: {body}{}", tail(&self.program.log, 25));
        }
        Ok(body)
    }

    /// `GET` of JSON, which must answer 200.
    pub async fn get_json(&self, path: &str) -> anyhow::Result<Value> {
        let body = self.get_text(path).await?;
        serde_json::from_str(&body).with_context(|| format!("GET {path}: not JSON: {body}"))
    }

    /// `GET` of JSON, which must answer 200, with every number as the text it was written as ([`exact`]).
    pub async fn get_exact(&self, path: &str) -> anyhow::Result<Value> {
        exact::parse(&self.get_text(path).await?)
    }

    /// Its metrics.
    pub async fn metrics(&self) -> anyhow::Result<Exposition> {
        Exposition::parse(&self.get_text("/metrics").await?)
    }

    /// `POST` of JSON with the token of whoever acts, whatever the status.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> anyhow::Result<Answer> {
        let request = self
            .http
            .post(self.url() + path)
            .header("content-type", "application/json")
            .body(body.to_string());
        answer(token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth)).await
    }

    /// SIGKILL; gone when this returns.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// SIGTERM, and waits until it has ended. More than 30 s is an error.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.terminate(Duration::from_secs(30)).await
    }

    /// Starts it again after it has ended: same port, same arguments, same data.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = self.program.start()?;
        Ok(())
    }

    /// Runs a command of the same binary against this daemon; it must succeed. Gives back what it printed.
    pub async fn cli_text(&self, args: &[&str]) -> anyhow::Result<String> {
        let Output { status, stdout, stderr } = self.cli(args).await?;
        if !status.success() {
            bail!("nightcap {}: {status}: {}", args.join(" "), String::from_utf8_lossy(&stderr).trim());
        }
        Ok(String::from_utf8(stdout)?)
    }

    /// Runs a command of the same binary against this daemon.
    pub async fn cli(&self, args: &[&str]) -> anyhow::Result<Output> {
        let mut command = tokio::process::Command::new(&self.program.path);
        command.args(args).env("NIGHTCAP_SERVER", self.url()).stdin(Stdio::null()).kill_on_drop(true);
        Ok(command.output().await?)
    }
}

async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let answer = request.send().await?;
    Ok(Answer { status: answer.status().as_u16(), body: answer.text().await? })
}

/// The path of the program under test: what `NIGHTCAP_BIN` names, else what cargo has built beside the running tests.
pub fn binary() -> anyhow::Result<PathBuf> {
    let beside_tests = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("nightcap"));
    let path = std::env::var_os("NIGHTCAP_BIN")
        .map(PathBuf::from)
        .or_else(|| beside_tests().filter(|path| path.is_file()))
        .unwrap_or_else(|| workspace().join("target/debug/nightcap"));
    if !path.is_file() {
        bail!(
            "{} is not there: run `cargo build -p nightcap`, or name another binary by NIGHTCAP_BIN",
            path.display()
        );
    }
    Ok(path)
}
