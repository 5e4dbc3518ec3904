//! Clients of `OpenCost`'s API that were written by others for it and for Kubecost: real programs that send their own requests.
//!
//! `unalloc` reports spend by label, `ct-kubecost-mcp-server` hands cost to language models. Both come from `PyPI`, in the
//! versions that `tests/opencost-clients/requirements.txt` says, into a virtual environment beside the control plane's
//! programs, on first use.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::folder::Folder;
use crate::process::tail;
use crate::{binaries, workspace};

/// The environment that the clients are installed in.
#[derive(Debug, Clone)]
pub struct OpenCostClients {
    programs: PathBuf,
}

impl OpenCostClients {
    /// Finds them, installed first if they are not there in the versions wanted. That takes a minute and happens once; it
    /// blocks the calling thread.
    pub fn ensure() -> anyhow::Result<Self> {
        Self::ensure_in(&binaries::folder(), "python3")
    }

    fn ensure_in(folder: &Path, python: &str) -> anyhow::Result<Self> {
        let wanted = workspace().join("tests/opencost-clients/requirements.txt");
        let text = fs::read_to_string(&wanted)?;
        let place = folder.join("opencost-clients");
        // Written last, so that an environment that was cut off is made anew.
        let installed = place.join("installed.txt");
        let is_there = || fs::read_to_string(&installed).is_ok_and(|found| found == text);
        if !is_there() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
            let lock = File::create(folder.join("opencost-clients.lock"))?;
            lock.lock().context("cannot lock the folder of OpenCost's clients")?;
            // Another test process may have done it while this one waited for the lock.
            if !is_there() {
                install(&place, &wanted, python)?;
                fs::write(&installed, &text)?;
            }
        }
        Ok(Self { programs: place.join("bin") })
    }

    /// Runs `unalloc` against this server, with `OpenCost` as its only source. It must succeed; gives back what it printed.
    pub async fn unalloc(&self, server: &str, args: &[&str]) -> anyhow::Result<String> {
        let mut command = tokio::process::Command::new(self.programs.join("unalloc"));
        command.args(args).args(["--source", "opencost"]).env("UNALLOC_OPENCOST_URL", server);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        ensure!(
            output.status.success(),
            "unalloc {}: {}: {}",
            args.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts `ct-kubecost-mcp-server` on this server, whose paths begin with `prefix`; Kubecost's, and the program's
    /// default, is `/model`.
    pub async fn mcp(&self, server: &str, prefix: Option<&str>) -> anyhow::Result<Mcp> {
        let folder = Folder::create()?;
        let log = folder.join("mcp.log");
        let mut command = tokio::process::Command::new(self.programs.join("ct-kubecost-mcp-server"));
        command.env("KUBECOST_URL", server).env_remove("KUBECOST_API_PREFIX");
        command.envs(prefix.map(|prefix| ("KUBECOST_API_PREFIX", prefix)));
        // Its framework would ask a registry for newer versions.
        command.env("FASTMCP_CHECK_FOR_UPDATES", "off").env("FASTMCP_SHOW_CLI_BANNER", "false");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&log)?).kill_on_drop(true);
        let mut child = command.spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let mut mcp = Mcp { _child: child, input, lines, asked: 0, log, _folder: folder };
        let client = json!({"name": "nightcap-tests", "version": "1"});
        let hello = json!({"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": client});
        mcp.ask("initialize", &hello).await?;
        mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await?;
        Ok(mcp)
    }
}

fn install(place: &Path, wanted: &Path, python: &str) -> anyhow::Result<()> {
    eprintln!("installing clients of OpenCost's API (once; about a minute)");
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(place), python)?;
    let mut pip = Command::new(place.join("bin/pip"));
    pip.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        "--requirement",
    ]);
    run(pip.arg(wanted), "pip")
}

fn run(command: &mut Command, name: &str) -> anyhow::Result<()> {
    let output = match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "cannot install OpenCost's clients: `{name}` was not found. Install Python 3.11 or newer with its module venv, \
             and put it on PATH"
        ),
        other => other.with_context(|| format!("cannot run {name}"))?,
    };
    ensure!(
        output.status.success(),
        "cannot install OpenCost's clients (Python 3.11 or newer, its module venv and PyPI are needed): {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// A running `ct-kubecost-mcp-server`, spoken to as a language model's host does: JSON-RPC, a line a message.
#[derive(Debug)]
pub struct Mcp {
    _child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    asked: u32,
    log: PathBuf,
    _folder: Folder,
}

impl Mcp {
    /// What a tool answers: JSON as text.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> anyhow::Result<String> {
        let result = self.ask("tools/call", &json!({"name": tool, "arguments": arguments})).await?;
        let text = result.pointer("/content/0/text").and_then(Value::as_str);
        let text = text.with_context(|| format!("{tool} answers {result}"))?;
        ensure!(result["isError"] == false, "{tool}: {text}");
        Ok(text.to_owned())
    }

    async fn ask(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.asked += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params})).await?;
        while let Some(line) = self.lines.next_line().await? {
            let message: Value = serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
            if message["id"] == self.asked {
                return Ok(message["result"].clone());
            }
        }
        bail!("ct-kubecost-mcp-server has ended{}", tail(&self.log, 25))
    }

    async fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        self.input.write_all(format!("{message}\n").as_bytes()).await?;
        self.input.flush().await.with_context(|| tail(&self.log, 25))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_python_says_what_to_install() {
        let empty = tempfile::tempdir().unwrap();
        let error = OpenCostClients::ensure_in(empty.path(), "no-such-python").unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot install OpenCost's clients: `no-such-python` was not found. Install Python 3.11 or newer with its \
             module venv, and put it on PATH"
        );
    }

    #[test]
    fn what_is_installed_in_the_versions_wanted_is_not_installed_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("opencost-clients");
        fs::create_dir_all(&place).unwrap();
        fs::copy(workspace().join("tests/opencost-clients/requirements.txt"), place.join("installed.txt"))
            .unwrap();
        let found = OpenCostClients::ensure_in(folder.path(), "no-such-python").unwrap();
        assert_eq!(found.programs, place.join("bin"));
    }
}
