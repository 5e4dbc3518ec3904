//! What kube-green keeps in its Secret `sleepinfo-NAME` while something sleeps: the operation it did last, and what
//! the objects were before, in the present form and in the two older ones.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::kube_green::{SleepInfoError, SleepInfoSpec};
use crate::units::{Instant, parse_rfc3339};

/// What is to be done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Put to sleep.
    Sleep,
    /// Wake.
    WakeUp,
}

impl Operation {
    /// The word for it in the Secret.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sleep => "SLEEP",
            Self::WakeUp => "WAKE_UP",
        }
    }
}

/// Merge patches that restore objects, by `Kind.group` and name.
pub type Restore = BTreeMap<String, BTreeMap<String, Value>>;

/// What kube-green does next, and by what it restores.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// What it does next.
    pub operation: Operation,
    /// The expression by which it does that.
    pub current: String,
    /// The expression of what comes after.
    pub next: String,
    /// When it did something last.
    pub last: Option<Instant>,
    /// What was before.
    pub restore: Restore,
}

/// Why a Secret, or its `SleepInfo`, cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum StateError {
    /// The `SleepInfo` itself.
    #[error(transparent)]
    SleepInfo(#[from] SleepInfoError),
    /// A key of the Secret.
    #[error("the key {key} of the Secret cannot be read: {reason}")]
    Key {
        /// The key.
        key: &'static str,
        /// Why.
        reason: String,
    },
}

const AT: &str = "scheduled-at";

#[derive(Deserialize)]
struct OldReplicas {
    name: String,
    replicas: i64,
}

#[derive(Deserialize)]
struct OldSuspend {
    name: String,
    suspend: bool,
}

/// Reads the Secret of a `SleepInfo`, its values decoded; `None` or an empty one if there is no state.
pub fn state(spec: &SleepInfoSpec, secret: Option<&BTreeMap<String, String>>) -> Result<State, StateError> {
    let (sleep, wake) = (spec.sleep_cron()?, spec.wake_cron()?);
    let next = if wake.is_empty() { sleep.clone() } else { wake.clone() };
    let mut state = State {
        operation: Operation::Sleep,
        current: sleep.clone(),
        next,
        last: None,
        restore: Restore::new(),
    };
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { return Ok(state) };
    state.restore = restore(secret)?;
    let at = secret.get(AT).map(String::as_str).unwrap_or_default();
    let reason = || format!("{at:?} is no RFC 3339 instant");
    state.last = Some(parse_rfc3339(at).ok_or_else(|| StateError::Key { key: AT, reason: reason() })?);
    let slept = secret.get("operation-type").is_some_and(|last| last == Operation::Sleep.name());
    if slept && !wake.is_empty() {
        state.operation = Operation::WakeUp;
        state.current = wake;
        state.next = sleep;
    }
    Ok(state)
}

/// What the Secret says objects were; all forms in it count.
pub fn restore(secret: &BTreeMap<String, String>) -> Result<Restore, StateError> {
    let mut all: Restore = read(secret, "original-resource-info")?.unwrap_or_default();
    let deployments: Option<Vec<OldReplicas>> = read(secret, "deployment-replicas")?;
    if let Some(old) = deployments {
        let patches = old.into_iter().map(|of| (of.name, json!({"spec": {"replicas": of.replicas}})));
        all.entry("Deployment.apps".to_owned()).or_default().extend(patches);
    }
    let cron_jobs: Option<Vec<OldSuspend>> = read(secret, "cronjobs-info")?;
    if let Some(old) = cron_jobs {
        let patches = old.into_iter().map(|of| (of.name, json!({"spec": {"suspend": of.suspend}})));
        all.entry("CronJob.batch".to_owned()).or_default().extend(patches);
    }
    Ok(all)
}

fn read<T: for<'de> Deserialize<'de>>(
    secret: &BTreeMap<String, String>,
    key: &'static str,
) -> Result<Option<T>, StateError> {
    let Some(text) = secret.get(key).filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = serde_json::from_str(text);
    read.map(Some).map_err(|error| StateError::Key { key, reason: error.to_string() })
}

/// The size that a merge patch restores: `spec.replicas` or `spec.suspend`, where it holds nothing else.
pub fn restored_size(patch: &Value) -> Option<crate::cluster::Size> {
    use crate::cluster::Size;
    let only = |of: &Map<String, Value>| of.len() == 1;
    let spec = patch.as_object().filter(|of| only(of))?.get("spec")?.as_object().filter(|of| only(of))?;
    let replicas = spec.get("replicas").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let suspended = spec.get("suspend").and_then(Value::as_bool);
    replicas.map(Size::Replicas).or(suspended.map(Size::Suspended))
}
