//! slumlord's `SlumlordSleepSchedule`: asleep within windows; one that runs over midnight belongs to the day it starts.
//!
//! Nightcap counts the first instant of a window and refuses a zone that nobody knows, where that tool leaves the
//! first out and takes UTC.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use super::{Ask, ForeignWish, Tool};
use crate::cluster::{Keys, glob};
use crate::schedule::{SpecError, TimeSpec};
use crate::units::Instant;

/// The spec, as written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SlumlordSpec {
    /// Set: everything it means is woken.
    pub suspend: bool,
    /// What it means.
    pub selector: Selector,
    /// Its window.
    pub schedule: Option<Window>,
    /// Or its windows.
    pub schedules: Vec<Window>,
}

/// What a schedule means; all that is given has to agree.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Selector {
    /// Labels.
    pub match_labels: BTreeMap<String, String>,
    /// Names; `*` stands for any text.
    pub match_names: Vec<String>,
    /// Kinds.
    pub types: Vec<String>,
}

/// A window of sleep.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Window {
    /// `HH:MM`.
    pub start: String,
    /// `HH:MM`; one before the start is on the next day.
    pub end: String,
    /// Zone; UTC if none.
    pub timezone: String,
    /// Days on which it starts, 0 = Sunday; every day if none.
    pub days: Vec<u8>,
}

/// Why a schedule is refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SlumlordError {
    /// No window.
    #[error("neither schedule nor schedules holds a window")]
    NoWindow,
    /// A day.
    #[error("{0} is no day of the week: use 0 for Sunday to 6 for Saturday")]
    Day(u8),
    /// A time or zone.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

/// A schedule that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlumlordSchedule {
    name: Arc<str>,
    spec: SlumlordSpec,
    text: Arc<str>,
    asleep: TimeSpec,
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

impl SlumlordSchedule {
    /// Checks and takes over a spec.
    pub fn new(name: &str, spec: SlumlordSpec) -> Result<Self, SlumlordError> {
        let windows: Vec<&Window> = if spec.schedules.is_empty() {
            spec.schedule.iter().collect()
        } else {
            spec.schedules.iter().collect()
        };
        if windows.is_empty() {
            return Err(SlumlordError::NoWindow);
        }
        let mut parts = Vec::new();
        for window in windows {
            let zone = if window.timezone.is_empty() { "UTC" } else { &window.timezone };
            let times = format!("{}-{} {zone}", window.start, window.end);
            if window.days.is_empty() {
                parts.push(times.clone());
            }
            for day in &window.days {
                let name = DAYS.get(usize::from(*day)).ok_or(SlumlordError::Day(*day))?;
                parts.push(format!("{name} {times}"));
            }
        }
        let text: Arc<str> = parts.join(", ").into();
        let asleep = TimeSpec::parse(&text, chrono_tz::UTC)?;
        Ok(Self { name: name.into(), spec, text, asleep })
    }

    /// Its windows as one of Nightcap's time specs.
    pub const fn downtime(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether it means a workload of its namespace.
    pub fn covers(&self, kind: &str, name: &str, labels: &Keys) -> bool {
        let Selector { match_labels, match_names, types } = &self.spec.selector;
        let has =
            |(key, value): (&String, &String)| labels.get(key.as_str()).is_some_and(|of| **of == **value);
        (types.is_empty() || types.iter().any(|of| of == kind))
            && (match_names.is_empty() || match_names.iter().any(|of| glob(of, name)))
            && match_labels.iter().all(has)
    }

    /// What it asks for.
    pub fn wish(&self, now: Instant) -> ForeignWish {
        let (ask, why, until) = if self.spec.suspend {
            (Ask::Awake, "Suspended, which wakes what it means.".to_owned(), None)
        } else if self.asleep.holds(now) {
            (
                Ask::Sleep,
                format!("Within its windows of sleep `{}`.", self.text),
                self.asleep.next_change(now),
            )
        } else {
            (
                Ask::Awake,
                format!("Outside its windows of sleep `{}`.", self.text),
                self.asleep.next_change(now),
            )
        };
        ForeignWish {
            tool: Tool::Slumlord,
            ask,
            replicas: 0,
            key: format!("SlumlordSleepSchedule {}", self.name).into(),
            value: Arc::clone(&self.text),
            why: why.into(),
            until,
            warnings: Vec::new(),
        }
    }
}
