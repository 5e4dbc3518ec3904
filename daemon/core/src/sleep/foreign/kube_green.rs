//! kube-green's `SleepInfo`: what it asks for, and kube-green's own rule for when to act on it.
//!
//! kube-green acts within a minute of an edge and never catches up; Nightcap asks which edge was the last, so that a
//! missed one changes nothing. The weekdays count for both edges: `1-5` sleeps from Friday's `sleepAt` to Monday's
//! `wakeUpAt`. Without a `wakeUpAt` it sleeps until somebody wakes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::Deserialize;
use thiserror::Error;

use super::cron::{Cron, CronError, CronPair};
use super::wish::next_change;
use super::{Ask, ForeignWish, Tool};
use crate::cluster::Keys;
use crate::units::{Instant, Millis};

/// How far from an edge kube-green still acts on it.
pub const DELTA: Millis = Millis::MINUTE;

/// The spec of a `SleepInfo`, as written.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SleepInfoSpec {
    /// Days of the week in the words of cron.
    pub weekdays: String,
    /// When sleep begins, `HH:MM`.
    pub sleep_at: String,
    /// When it ends, if it does by itself.
    pub wake_up_at: Option<String>,
    /// Zone of both; UTC if none.
    pub time_zone: Option<String>,
    /// What is left out.
    pub exclude_ref: Vec<Reference>,
    /// What alone is meant, if anything is named.
    pub include_ref: Vec<Reference>,
    /// Whether Deployments sleep; they do.
    pub suspend_deployments: Option<bool>,
    /// Whether `StatefulSets` sleep; they do.
    pub suspend_stateful_sets: Option<bool>,
    /// Whether `CronJobs` sleep; they do not.
    pub suspend_cron_jobs: Option<bool>,
    /// Patches of other kinds.
    pub patches: Vec<Patch>,
}

/// Names objects of a `SleepInfo`'s namespace.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reference {
    /// Group and version; any if empty.
    pub api_version: String,
    /// Kind; any if empty.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Or labels.
    pub match_labels: BTreeMap<String, String>,
}

/// A JSON patch that kube-green applies to all objects of a kind.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Patch {
    /// Which kind.
    pub target: PatchTarget,
    /// The patch, as text.
    pub patch: String,
}

/// The kind that a patch is for.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PatchTarget {
    /// Its group.
    pub group: String,
    /// Its name.
    pub kind: String,
}

/// Why a `SleepInfo` is refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SleepInfoError {
    /// No days.
    #[error("weekdays is empty: write days of the week such as 1-5 or *")]
    EmptyWeekdays,
    /// A time that is not two numbers around a colon.
    #[error("{field}: {value:?} is not of the form HH:MM")]
    TimeFormat {
        /// Which field.
        field: &'static str,
        /// As written.
        value: String,
    },
    /// What days and time make is no cron expression.
    #[error("{field}: {error}")]
    Cron {
        /// Which field.
        field: &'static str,
        /// Why.
        error: CronError,
    },
}

impl SleepInfoSpec {
    /// The expression of the edge at which sleep begins, as kube-green builds it.
    pub fn sleep_cron(&self) -> Result<String, SleepInfoError> {
        self.cron("sleepAt", &self.sleep_at)
    }

    /// The expression of the edge at which it ends; empty if it does not.
    pub fn wake_cron(&self) -> Result<String, SleepInfoError> {
        match self.wake_up_at.as_deref() {
            None | Some("") => Ok(String::new()),
            Some(time) => self.cron("wakeUpAt", time),
        }
    }

    fn cron(&self, field: &'static str, time: &str) -> Result<String, SleepInfoError> {
        if self.weekdays.is_empty() {
            return Err(SleepInfoError::EmptyWeekdays);
        }
        let [hour, minute] = time.split(':').collect::<Vec<_>>()[..] else {
            return Err(SleepInfoError::TimeFormat { field, value: time.to_owned() });
        };
        let zone = self.time_zone.as_deref().filter(|zone| !zone.is_empty());
        let zone = zone.map_or(String::new(), |zone| format!("CRON_TZ={zone} "));
        Ok(format!("{zone}{minute} {hour} * * {}", self.weekdays))
    }

    /// Checks the spec and gives both edges.
    pub fn edges(&self) -> Result<CronPair, SleepInfoError> {
        let parse = |field: &'static str, text: String| {
            Cron::parse(&text, Tz::UTC).map_err(|error| SleepInfoError::Cron { field, error })
        };
        let sleep = parse("sleepAt", self.sleep_cron()?)?;
        let wake = Some(self.wake_cron()?).filter(|text| !text.is_empty());
        Ok(CronPair { sleep: Some(sleep), wake: wake.map(|text| parse("wakeUpAt", text)).transpose()? })
    }

    /// Whether Deployments are put to sleep.
    pub fn suspends_deployments(&self) -> bool {
        self.suspend_deployments.unwrap_or(true)
    }

    /// Whether `StatefulSets` are put to sleep.
    pub fn suspends_stateful_sets(&self) -> bool {
        self.suspend_stateful_sets.unwrap_or(true)
    }

    /// Whether `CronJobs` are suspended.
    pub fn suspends_cron_jobs(&self) -> bool {
        self.suspend_cron_jobs.unwrap_or(false)
    }
}

/// A `SleepInfo` that was understood.
#[derive(Clone, PartialEq, Debug)]
pub struct SleepInfo {
    name: Arc<str>,
    spec: SleepInfoSpec,
    edges: CronPair,
}

impl SleepInfo {
    /// Checks and takes over a spec.
    pub fn new(name: &str, spec: SleepInfoSpec) -> Result<Self, SleepInfoError> {
        let edges = spec.edges()?;
        Ok(Self { name: name.into(), spec, edges })
    }

    /// Its name.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// As written.
    pub const fn spec(&self) -> &SleepInfoSpec {
        &self.spec
    }

    /// When it puts to sleep and wakes.
    pub const fn edges(&self) -> &CronPair {
        &self.edges
    }

    /// Whether it means an object of its namespace.
    pub fn covers(&self, kind: &str, name: &str, labels: &Keys) -> bool {
        let kind_sleeps = match kind {
            "Deployment" => self.spec.suspends_deployments(),
            "StatefulSet" => self.spec.suspends_stateful_sets(),
            "CronJob" => self.spec.suspends_cron_jobs(),
            _ => false,
        };
        let mut included = self.spec.include_ref.iter().filter(|of| of.is_of(kind)).peekable();
        let only = |of: &Reference| of.means(name, labels);
        // kube-green asks for objects that have all the names at once: none has two.
        let is_meant = if self.spec.include_ref.is_empty() {
            true
        } else {
            included.peek().is_some() && included.all(only)
        };
        kind_sleeps
            && is_meant
            && !self.spec.exclude_ref.iter().any(|of| of.is_of(kind) && of.means(name, labels))
    }

    /// What it asks for.
    pub fn wish(&self, now: Instant) -> ForeignWish {
        let sleeps = self.edges.asleep(now) == Some(true);
        let spec = &self.spec;
        let zone = spec.time_zone.as_deref().unwrap_or("UTC");
        let days = &spec.weekdays;
        let (ask, value, why) = match (sleeps, &spec.wake_up_at) {
            (true, Some(wake)) => {
                let value = format!("{}-{wake}", spec.sleep_at);
                (
                    Ask::Sleep,
                    value,
                    format!("Asleep from {} to {wake} {zone} on weekdays {days}.", spec.sleep_at),
                )
            }
            (true, None) => {
                let why = format!(
                    "Put to sleep at {} {zone} on weekdays {days}, until somebody wakes it.",
                    spec.sleep_at
                );
                (Ask::Sleep, spec.sleep_at.clone(), why)
            }
            (false, wake) => {
                let value = format!("{}-{}", spec.sleep_at, wake.as_deref().unwrap_or_default());
                (Ask::Awake, value, format!("Awake until {} {zone} on weekdays {days}.", spec.sleep_at))
            }
        };
        ForeignWish {
            tool: Tool::KubeGreen,
            ask,
            replicas: 0,
            key: format!("SleepInfo {}", self.name).into(),
            value: value.into(),
            why: why.into(),
            until: next_change(now, |at| self.edges.asleep(at) == Some(true), |at| self.edges.next_edge(at)),
            warnings: self.warnings(),
        }
    }

    fn warnings(&self) -> Vec<Arc<str>> {
        let mut warnings: Vec<Arc<str>> = Vec::new();
        for patch in &self.spec.patches {
            let PatchTarget { group, kind } = &patch.target;
            warnings.push(format!("the patch of {kind}.{group} is not carried out").into());
        }
        let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for of in self.spec.include_ref.iter().filter(|of| !of.name.is_empty()) {
            named.entry(&of.kind).or_default().push(&of.name);
        }
        for (kind, names) in named.into_iter().filter(|(_, names)| names.len() > 1) {
            let names = names.join(", ");
            warnings
                .push(format!("includeRef names {names} of kind {kind}: kube-green then finds none").into());
        }
        warnings
    }
}

impl Reference {
    fn is_of(&self, kind: &str) -> bool {
        self.kind.is_empty() || self.kind == kind
    }

    fn means(&self, name: &str, labels: &Keys) -> bool {
        if !self.name.is_empty() {
            return self.name == name;
        }
        !self.match_labels.is_empty()
            && self
                .match_labels
                .iter()
                .all(|(key, value)| labels.get(key.as_str()).is_some_and(|of| **of == **value))
    }
}

/// What kube-green does with an edge at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Whether it acts.
    pub execute: bool,
    /// The edge it looks at next.
    pub next: Option<Instant>,
    /// When it looks again.
    pub requeue: Millis,
}

/// Whether two instants are no further apart than `delta`.
pub const fn in_delta(one: Instant, other: Instant, delta: Millis) -> bool {
    let apart = one.0 - other.0;
    (if apart < 0 { -apart } else { apart }) <= delta.0
}

/// kube-green's own rule: it acts on the edge that it waits for if that is no further than [`DELTA`] from now, looks on
/// from there to the edge of the other kind, and lets go of an edge that it missed.
pub fn edge(current: &str, next: &str, last: Option<Instant>, now: Instant) -> Result<Edge, CronError> {
    let cron = Cron::parse(current, Tz::UTC)?;
    let recent = now - DELTA;
    let mut due = cron.next(last.unwrap_or(recent));
    if last.is_some() && due.is_some_and(|due| due < now && !in_delta(due, now, DELTA)) {
        due = cron.next(recent);
    }
    let execute = due.is_some_and(|due| in_delta(now, due, DELTA));
    if execute {
        due = Cron::parse(next, Tz::UTC)?.next(now + DELTA);
    }
    Ok(Edge { execute, next: due, requeue: due.map_or(Millis(0), |due| due.since(now)) })
}
