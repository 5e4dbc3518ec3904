//! Waiting for conditions, never for a time.
//!
//! [`until`] is the one place of the tests that sleeps: it looks again at a short interval until the condition holds, and its
//! error says what was last seen instead.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::ListParams;
use kube::{Api, Client};
use serde_json::Value;

/// Long enough for anything that happens at all, also on a busy machine. A test that passes never waits that long.
pub const PATIENCE: Duration = Duration::from_mins(2);

const INTERVAL: Duration = Duration::from_millis(50);

/// An error that waiting cannot mend: [`until`] ends at once with it.
#[derive(Debug)]
pub struct GiveUp(pub String);

impl std::fmt::Display for GiveUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GiveUp {}

/// Calls `check` until it gives a value. Its error is what is there instead: it is only kept, and shown when the time is over
/// (unless it is a [`GiveUp`]).
///
/// `what` completes the sentence "waited 120 s for …".
pub async fn until<T>(
    what: &str,
    timeout: Duration,
    mut check: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    let mut seen = None;
    loop {
        // A check that hangs must not outlast the time either.
        match tokio::time::timeout(timeout.saturating_sub(started.elapsed()).max(INTERVAL), check()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) if error.is::<GiveUp>() => {
                return Err(error.context(format!("while waiting for {what}")));
            }
            Ok(Err(error)) => seen = Some(error),
            Err(_) => seen = Some(seen.unwrap_or_else(|| anyhow!("no answer"))),
        }
        if started.elapsed() >= timeout {
            let seen = seen.map(|error| format!("{error:#}")).unwrap_or_default();
            bail!("waited {} s for {what}; last seen: {seen}", timeout.as_secs_f64());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Waits until a node is Ready, and gives it back.
pub async fn node_ready(client: &Client, name: &str) -> anyhow::Result<Node> {
    let nodes = Api::<Node>::all(client.clone());
    until(&format!("node {name} to be Ready"), PATIENCE, async || {
        let node = nodes.get(name).await?;
        let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let ready = conditions
            .filter(|condition| condition.type_ == "Ready")
            .map(|condition| condition.status.as_str())
            .next();
        if ready != Some("True") {
            bail!("Ready is {}", ready.unwrap_or("not stated"));
        }
        Ok(node)
    })
    .await
}

/// Waits until a Deployment's controller has seen its latest spec and all wanted replicas (which may be none) are available.
pub async fn deployment_ready(client: &Client, namespace: &str, name: &str) -> anyhow::Result<Deployment> {
    let deployments = Api::<Deployment>::namespaced(client.clone(), namespace);
    until(&format!("deployment {namespace}/{name} to be ready"), PATIENCE, async || {
        let deployment = deployments.get(name).await?;
        let wanted = deployment.spec.replicas.unwrap_or(1);
        let status = deployment.status.as_ref().context("no status")?;
        if status.observed_generation < deployment.metadata.generation {
            bail!("its latest spec has not been seen by the controller");
        }
        let counts = [status.replicas, status.updated_replicas, status.available_replicas]
            .map(Option::unwrap_or_default);
        if counts != [wanted; 3] {
            let [all, updated, available] = counts;
            bail!("{all} replicas, {updated} updated, {available} available of {wanted}");
        }
        Ok(deployment)
    })
    .await
}

/// Waits until exactly `count` pods of a namespace run, with none in another phase but Succeeded, and gives them back in the
/// order of their names.
pub async fn pods_running(client: &Client, namespace: &str, count: usize) -> anyhow::Result<Vec<Pod>> {
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    until(&format!("{count} pods of {namespace} to run"), PATIENCE, async || {
        let all = pods.list(&ListParams::default()).await?.items;
        let phase =
            |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
        let mut running = Vec::new();
        let mut others = Vec::new();
        for pod in all {
            match phase(&pod).as_str() {
                "Running" if pod.metadata.deletion_timestamp.is_none() => running.push(pod),
                "Succeeded" => {}
                other => others.push(format!("{} {other}", pod.metadata.name.unwrap_or_default())),
            }
        }
        if running.len() != count || !others.is_empty() {
            bail!("{} running, others: [{}]", running.len(), others.join(", "));
        }
        running.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        Ok(running)
    })
    .await
}

/// What metrics-server reports for a pod, summed over its containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Thousandths of a core, rounded up as `kubectl top` does.
    pub cpu_millis: u64,
    /// Bytes of the working set.
    pub memory_bytes: u64,
}

/// Waits until metrics.k8s.io reports a pod's usage. Its first report comes half a minute after the pod's start, because a rate
/// needs two scrapes.
pub async fn usage_visible(client: &Client, namespace: &str, pod: &str) -> anyhow::Result<Usage> {
    let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods/{pod}");
    until(&format!("the usage of pod {namespace}/{pod}"), PATIENCE, async || {
        let request = http::Request::get(&path).body(Vec::new())?;
        let metrics: Value = client.request(request).await?;
        usage_of(&metrics).with_context(|| format!("not a PodMetrics: {metrics}"))
    })
    .await
}

fn usage_of(metrics: &Value) -> Option<Usage> {
    let containers = metrics.get("containers")?.as_array()?;
    let sum = |resource: &str| -> Option<u128> {
        containers.iter().map(|container| nano(container.get("usage")?.get(resource)?.as_str()?)).sum()
    };
    Some(Usage {
        cpu_millis: u64::try_from(sum("cpu")?.div_ceil(1_000_000)).ok()?,
        memory_bytes: u64::try_from(sum("memory")? / 1_000_000_000).ok()?,
    })
}

/// A quantity as metrics-server writes them (whole numbers with a suffix), in billionths.
fn nano(quantity: &str) -> Option<u128> {
    let split = quantity.find(|c: char| !c.is_ascii_digit()).unwrap_or(quantity.len());
    let (number, suffix) = quantity.split_at_checked(split)?;
    let factor: u128 = match suffix {
        "n" => 1,
        "u" => 1_000,
        "m" => 1_000_000,
        "" => 1_000_000_000,
        "k" => 1_000_000_000_000,
        "Ki" => 1_000_000_000 << 10,
        "Mi" => 1_000_000_000 << 20,
        "Gi" => 1_000_000_000 << 30,
        _ => return None,
    };
    number.parse::<u128>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn a_condition_that_comes_true_gives_its_value() {
        let mut calls = 0;
        let value = until("the third call", PATIENCE, async || {
            calls += 1;
            (calls == 3).then_some(calls).context("too early")
        });
        assert_eq!(value.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_condition_that_never_holds_says_what_was_last_seen() {
        let never = until::<()>("spring", Duration::from_millis(1), async || bail!("it is autumn"));
        assert_eq!(
            never.await.unwrap_err().to_string(),
            "waited 0.001 s for spring; last seen: it is autumn"
        );
    }

    #[tokio::test]
    async fn a_check_that_hangs_ends_with_the_time() {
        let never = until::<()>("spring", Duration::from_millis(1), async || std::future::pending().await);
        assert_eq!(never.await.unwrap_err().to_string(), "waited 0.001 s for spring; last seen: no answer");
    }

    #[tokio::test]
    async fn what_waiting_cannot_mend_ends_it_at_once() {
        let error = until::<()>("spring", PATIENCE, async || Err(GiveUp("the sun went out".into()).into()))
            .await
            .unwrap_err();
        assert_eq!(format!("{error:#}"), "while waiting for spring: the sun went out");
    }

    #[test]
    fn usage_is_summed_over_containers_and_cpu_rounded_up() {
        let metrics = json!({"containers": [
            {"usage": {"cpu": "250000001n", "memory": "300Mi"}},
            {"usage": {"cpu": "0", "memory": "1024Ki"}},
        ]});
        assert_eq!(usage_of(&metrics), Some(Usage { cpu_millis: 251, memory_bytes: 301 << 20 }));
    }

    #[test]
    fn what_is_no_quantity_is_no_usage() {
        let metrics = json!({"containers": [{"usage": {"cpu": "1.5", "memory": "1Mi"}}]});
        assert_eq!(usage_of(&metrics), None);
    }
}
