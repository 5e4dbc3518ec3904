//! The workloads of a namespace as sleep sees them, now and in every version there was.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use futures::StreamExt;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, Client};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::wait;

const KINDS: [(&str, &str); 3] = [("apps", "Deployment"), ("apps", "StatefulSet"), ("batch", "CronJob")];

/// One version of a workload, as far as sleep is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// `3` replicas, `suspended` or `running`.
    pub size: String,
    /// The annotation `nightcap.dev/original`.
    pub original: Option<String>,
    /// The annotation `nightcap.dev/asleep`.
    pub asleep: Option<String>,
}

impl Workload {
    /// One that nobody has put to sleep.
    pub fn awake(size: &str) -> Self {
        Self { size: size.to_owned(), original: None, asleep: None }
    }

    fn of(object: &DynamicObject) -> Self {
        let annotation = |name: &str| {
            let key = format!("nightcap.dev/{name}");
            object.metadata.annotations.as_ref()?.get(&key).cloned()
        };
        let size = match object.data.pointer("/spec/suspend").and_then(Value::as_bool) {
            Some(true) => "suspended".to_owned(),
            Some(false) => "running".to_owned(),
            None => object.data.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1).to_string(),
        };
        Self { size, original: annotation("original"), asleep: annotation("asleep") }
    }

    /// Whether nothing of it runs or starts.
    pub fn is_down(&self) -> bool {
        matches!(self.size.as_str(), "0" | "suspended")
    }

    /// The text of the original annotation that this size is saved as.
    pub fn as_original(&self) -> String {
        match self.size.as_str() {
            "suspended" => r#"{"suspended":true}"#.to_owned(),
            "running" => r#"{"suspended":false}"#.to_owned(),
            replicas => format!(r#"{{"replicas":{replicas}}}"#),
        }
    }
}

fn apis(client: &Client, namespace: &str) -> Vec<(String, Api<DynamicObject>)> {
    KINDS
        .iter()
        .map(|(group, kind)| {
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
            (kind.to_lowercase(), Api::namespaced_with(client.clone(), namespace, &resource))
        })
        .collect()
}

/// The Deployments, StatefulSets and CronJobs of a namespace, by `kind/name` in lower case.
pub async fn workloads(client: &Client, namespace: &str) -> anyhow::Result<BTreeMap<String, Workload>> {
    let mut all = BTreeMap::new();
    for (kind, api) in apis(client, namespace) {
        for object in api.list(&ListParams::default()).await?.items {
            let name = object.metadata.name.clone().unwrap_or_default();
            all.insert(format!("{kind}/{name}"), Workload::of(&object));
        }
    }
    Ok(all)
}

/// Waits until all workloads of a namespace are as they shall be.
pub async fn until_workloads(
    client: &Client,
    namespace: &str,
    what: &str,
    holds: impl Fn(&str, &Workload) -> bool,
) -> anyhow::Result<BTreeMap<String, Workload>> {
    wait::until(&format!("the workloads of {namespace} to be {what}"), wait::PATIENCE, async || {
        let all = workloads(client, namespace).await?;
        let others: Vec<_> = all.iter().filter(|(name, workload)| !holds(name, workload)).collect();
        if !others.is_empty() {
            bail!("{} of {} are not, such as {:?}", others.len(), all.len(), others.first());
        }
        Ok(all)
    })
    .await
}

/// A version of an object, whole.
#[derive(Debug, Clone)]
pub struct Version {
    /// `kind/name`, in lower case.
    pub name: String,
    /// The part that sleep is about.
    pub workload: Workload,
    /// The object.
    pub object: DynamicObject,
}

/// Every version of the workloads of one namespace, from a moment on.
#[derive(Debug)]
pub struct History {
    seen: Arc<Mutex<Vec<Version>>>,
    watches: Vec<JoinHandle<()>>,
    namespace: String,
}

impl History {
    /// Follows them; the versions of this moment are the first.
    pub async fn follow(client: &Client, namespace: &str) -> anyhow::Result<Self> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut watches = Vec::new();
        for (kind, api) in apis(client, namespace) {
            watches.push(tokio::spawn(watch(api, kind, Arc::clone(&seen))));
        }
        let history = Self { seen, watches, namespace: namespace.to_owned() };
        history.versions(client).await?;
        Ok(history)
    }

    /// All versions up to now, in their order for each object.
    pub async fn versions(&self, client: &Client) -> anyhow::Result<BTreeMap<String, Vec<Version>>> {
        let mut newest = BTreeMap::new();
        for (kind, api) in apis(client, &self.namespace) {
            for object in api.list(&ListParams::default()).await?.items {
                let name = object.metadata.name.unwrap_or_default();
                newest.insert(format!("{kind}/{name}"), object.metadata.resource_version.unwrap_or_default());
            }
        }
        wait::until("the watches to catch up", wait::PATIENCE, async || {
            let mut all = BTreeMap::<String, Vec<Version>>::new();
            for version in self.seen.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                all.entry(version.name.clone()).or_default().push(version.clone());
            }
            for (name, wanted) in &newest {
                let versions = all.get(name).with_context(|| format!("{name} was never seen"))?;
                if !versions.iter().any(|version| is_at_least(&version.object, wanted)) {
                    bail!("{name} {wanted} was not seen yet");
                }
            }
            Ok(all)
        })
        .await
    }

    /// Checks that no version of any workload has lost what it was: it is as big as at first and unmarked, or down with its
    /// first size on it. The error names all that did.
    pub async fn check_nothing_lost(&self, client: &Client) -> anyhow::Result<()> {
        let mut lost = Vec::new();
        for (name, versions) in self.versions(client).await? {
            let Some(first) = versions.first().map(|version| version.workload.clone()) else { continue };
            let original = first.original.clone().unwrap_or_else(|| first.as_original());
            for Version { workload, .. } in &versions {
                let asleep = workload.is_down()
                    && workload.original.as_ref() == Some(&original)
                    && workload.asleep.is_some();
                let awake = workload.as_original() == original
                    && workload.original.is_none()
                    && workload.asleep.is_none();
                if !asleep && !awake {
                    lost.push(format!("{name}, once {original}: {workload:?}"));
                }
            }
        }
        // Many versions differ only in their status.
        lost.dedup();
        if lost.is_empty() { Ok(()) } else { bail!("{}", lost.join("\n")) }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
    }
}

/// Whether it is this version of its object or a later one: a watch that began after this version, and before a controller's
/// next one was asked for, sees only the next. Versions of one kind are comparable numbers (so promised by Kubernetes 1.35).
fn is_at_least(object: &DynamicObject, wanted: &str) -> bool {
    let number = |version: &str| version.parse::<u64>().ok();
    let found = object.metadata.resource_version.as_deref();
    found == Some(wanted)
        || found.and_then(number).zip(number(wanted)).is_some_and(|(found, wanted)| found > wanted)
}

fn push(seen: &Mutex<Vec<Version>>, kind: &str, object: DynamicObject) {
    let name = format!("{kind}/{}", object.metadata.name.clone().unwrap_or_default());
    let workload = Workload::of(&object);
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(Version { name, workload, object });
}

async fn watch(api: Api<DynamicObject>, kind: String, seen: Arc<Mutex<Vec<Version>>>) {
    // It goes on where it was cut off, so that no version is missed unless the API server has forgotten it.
    let mut events = pin!(watcher(api, Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        if let Ok(Event::InitApply(object) | Event::Apply(object)) = event {
            push(&seen, &kind, object);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_saved_as_the_daemon_writes_them() {
        let originals = ["3", "running", "suspended"].map(|size| Workload::awake(size).as_original());
        assert_eq!(originals, [r#"{"replicas":3}"#, r#"{"suspended":false}"#, r#"{"suspended":true}"#]);
        assert_eq!(
            ["0", "1", "suspended", "running"].map(|size| Workload::awake(size).is_down()),
            [true, false, true, false]
        );
    }
}
