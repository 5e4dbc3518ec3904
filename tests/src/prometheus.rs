//! A real Prometheus that scrapes the daemon, and promtool that judges its metrics.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::folder::Folder;
use crate::ports::Port;
use crate::process::{Process, Program};
use crate::wait;

/// What Prometheus does besides scraping.
#[derive(Debug, Clone)]
pub struct PrometheusOptions {
    /// The path to scrape.
    pub metrics_path: String,
    /// How often it scrapes and evaluates rules, as Prometheus writes durations.
    pub interval: String,
    /// Files of recording rules and alerts.
    pub rules: Vec<PathBuf>,
}

impl Default for PrometheusOptions {
    fn default() -> Self {
        Self { metrics_path: "/metrics".to_owned(), interval: "1s".to_owned(), rules: Vec::new() }
    }
}

/// One sample of an instant query's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The labels, `__name__` among them.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

/// A running Prometheus. Killed when dropped.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    http: reqwest::Client,
    port: Port,
    _folder: Folder,
}

impl Prometheus {
    /// Starts one that scrapes `target` (`127.0.0.1:PORT`) as the job `nightcap`, and waits until it is ready.
    pub async fn start(target: &str, options: PrometheusOptions) -> anyhow::Result<Self> {
        let folder = Folder::create()?;
        let port = Port::reserve()?;
        let config = json!({
            "global": {"scrape_interval": options.interval, "evaluation_interval": options.interval},
            "rule_files": options.rules,
            "scrape_configs": [{
                "job_name": "nightcap",
                "metrics_path": options.metrics_path,
                "static_configs": [{"targets": [target]}],
            }],
        });
        std::fs::write(folder.join("prometheus.yml"), serde_json::to_vec_pretty(&config)?)?;
        let flag = |name: &str, value: &Path| format!("--{name}={}", value.display()).into();
        let program = Program {
            name: "prometheus".to_owned(),
            path: installed("prometheus")?,
            args: vec![
                flag("config.file", &folder.join("prometheus.yml")),
                flag("storage.tsdb.path", &folder.join("data")),
                format!("--web.listen-address=127.0.0.1:{}", port.number()).into(),
                "--log.level=warn".into(),
            ],
            env: Vec::new(),
            log: folder.join("prometheus.log"),
        };
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        let mut prometheus = Self { process: program.start()?, http, port, _folder: folder };
        prometheus.wait_ready().await?;
        Ok(prometheus)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let url = self.url() + "/-/ready";
        let (process, http) = (&mut self.process, &self.http);
        wait::until("Prometheus to be ready", wait::PATIENCE, async || {
            process.check_running()?;
            http.get(&url).send().await?.error_for_status()?;
            Ok(())
        })
        .await
    }

    /// Waits until its target has been scraped without an error.
    pub async fn wait_for_target_up(&self) -> anyhow::Result<()> {
        wait::until("Prometheus to scrape its target", wait::PATIENCE, async || {
            let targets = self.api("/api/v1/targets", &[]).await?;
            let target = targets.pointer("/activeTargets/0").context("it has no target yet")?;
            if target.get("health").and_then(Value::as_str) != Some("up") {
                bail!("{target}");
            }
            Ok(())
        })
        .await
    }

    /// An instant query that gives a vector (or a scalar, as one sample without labels).
    pub async fn query(&self, promql: &str) -> anyhow::Result<Vec<Sample>> {
        let data = self.api("/api/v1/query", &[("query", promql)]).await?;
        samples(&data).with_context(|| format!("`{promql}` did not give an instant vector: {data}"))
    }

    /// The `data` of an answer of its API.
    pub async fn api(&self, path: &str, params: &[(&str, &str)]) -> anyhow::Result<Value> {
        let url = Url::parse_with_params(&(self.url() + path), params)?;
        let body = self.http.get(url).send().await?.text().await?;
        let mut answer: Value = serde_json::from_str(&body).with_context(|| format!("not JSON: {body}"))?;
        if answer.get("status").and_then(Value::as_str) != Some("success") {
            bail!("Prometheus answers {answer}");
        }
        Ok(answer.get_mut("data").map(Value::take).unwrap_or_default())
    }
}

fn samples(data: &Value) -> Option<Vec<Sample>> {
    let value = |point: &Value| point.get(1)?.as_str()?.parse::<f64>().ok();
    let result = data.get("result")?;
    if data.get("resultType")?.as_str()? == "scalar" {
        return Some(vec![Sample { labels: BTreeMap::new(), value: value(result)? }]);
    }
    let sample = |row: &Value| {
        let labels = row.get("metric")?.as_object()?.iter();
        let labels = labels.map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Some(Sample { labels: labels.collect::<Option<_>>()?, value: value(row.get("value")?)? })
    };
    result.as_array()?.iter().map(sample).collect()
}

/// What promtool complains about in metrics of the text format, sorted; nothing, if they are well made.
pub async fn promtool_check_metrics(text: &str) -> anyhow::Result<Vec<String>> {
    let (_, mut lines) = promtool(&["check", "metrics"], text).await?;
    lines.sort();
    Ok(lines)
}

/// What promtool complains about in a file of rules; nothing, if it is valid.
pub async fn promtool_check_rules(file: &Path) -> anyhow::Result<Vec<String>> {
    let file = file.to_str().context("a path that is not UTF-8")?;
    let (status, lines) = promtool(&["check", "rules", "--lint-fatal", file], "").await?;
    // It also says what it has found to be right.
    Ok(if status.success() { Vec::new() } else { lines })
}

async fn promtool(args: &[&str], input: &str) -> anyhow::Result<(ExitStatus, Vec<String>)> {
    let mut child = tokio::process::Command::new(installed("promtool")?)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("promtool has no standard input")?;
    let write = async {
        // promtool may end without reading it all; its own message then says why.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    let output = output?;
    let text = [output.stdout, output.stderr].concat();
    let lines = String::from_utf8_lossy(&text)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    Ok((output.status, lines))
}

/// The path of an installed program.
fn installed(program: &str) -> anyhow::Result<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .with_context(|| {
            format!("{program} is not installed: run tests/setup.sh (Debian's package `prometheus` has it)")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_and_a_scalar_are_samples_and_a_matrix_is_not() {
        let vector =
            json!({"resultType": "vector", "result": [{"metric": {"team": "a"}, "value": [1.5, "+Inf"]}]});
        let labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        assert_eq!(samples(&vector), Some(vec![Sample { labels, value: f64::INFINITY }]));
        let scalar = json!({"resultType": "scalar", "result": [1.5, "2"]});
        assert_eq!(samples(&scalar), Some(vec![Sample { labels: BTreeMap::new(), value: 2.0 }]));
        let matrix = json!({"resultType": "matrix", "result": [{"metric": {}, "values": [[1.5, "2"]]}]});
        assert_eq!(samples(&matrix), None);
    }

    #[test]
    fn what_is_missing_says_how_to_install_it() {
        let error = installed("no-such-program").unwrap_err().to_string();
        assert_eq!(
            error,
            "no-such-program is not installed: run tests/setup.sh (Debian's package `prometheus` has it)"
        );
    }
}
