//! Snorlax's `SleepSchedule`: named Deployments sleep from one time of the day to another, in a zone that has to be
//! named.

use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use super::cron::{Cron, CronError, CronPair};
use super::wish::next_change;
use super::{Ask, ForeignWish, Tool};
use crate::schedule::{ZoneError, parse_zone};
use crate::units::Instant;

/// The spec, as written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SleepScheduleSpec {
    /// When it wakes, such as `8:00am`.
    pub wake_time: String,
    /// When it sleeps, such as `10:00pm`.
    pub sleep_time: String,
    /// Zone of both.
    pub timezone: String,
    /// What sleeps.
    pub deployments: Vec<Named>,
}

/// A name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    /// The name.
    pub name: String,
}

/// Why a schedule is refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SleepScheduleError {
    /// A time.
    #[error("{field}: {value:?} is no time such as 3:04pm")]
    Time {
        /// Which.
        field: &'static str,
        /// As written.
        value: String,
    },
    /// The zone.
    #[error("timezone: {0}")]
    Zone(#[from] ZoneError),
    /// A time as an expression.
    #[error(transparent)]
    Cron(#[from] CronError),
}

/// A schedule that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SleepSchedule {
    name: Arc<str>,
    spec: SleepScheduleSpec,
    edges: CronPair,
}

impl SleepSchedule {
    /// Checks and takes over a spec.
    pub fn new(name: &str, spec: SleepScheduleSpec) -> Result<Self, SleepScheduleError> {
        let zone = parse_zone(&spec.timezone)?;
        let daily = |field: &'static str, value: &str| -> Result<Cron, SleepScheduleError> {
            let wrong = || SleepScheduleError::Time { field, value: value.to_owned() };
            let (hour, minute) = parse_clock(value).ok_or_else(wrong)?;
            Ok(Cron::parse_in(&format!("{minute} {hour} * * *"), zone)?)
        };
        let sleep = Some(daily("sleepTime", &spec.sleep_time)?);
        let wake = Some(daily("wakeTime", &spec.wake_time)?);
        Ok(Self { name: name.into(), edges: CronPair { sleep, wake }, spec })
    }

    /// When it puts to sleep and wakes.
    pub const fn edges(&self) -> &CronPair {
        &self.edges
    }

    /// As written.
    pub const fn spec(&self) -> &SleepScheduleSpec {
        &self.spec
    }

    /// Whether it means a workload of its namespace.
    pub fn covers(&self, kind: &str, name: &str) -> bool {
        kind == "Deployment" && self.spec.deployments.iter().any(|of| of.name == name)
    }

    /// What it asks for.
    pub fn wish(&self, now: Instant) -> ForeignWish {
        let asleep = |at| self.edges.asleep(at) == Some(true);
        let SleepScheduleSpec { wake_time, sleep_time, timezone, .. } = &self.spec;
        let (ask, why) = if asleep(now) {
            (Ask::Sleep, format!("Asleep from {sleep_time} to {wake_time} {timezone}."))
        } else {
            (Ask::Awake, format!("Awake from {wake_time} to {sleep_time} {timezone}."))
        };
        ForeignWish {
            tool: Tool::Snorlax,
            ask,
            replicas: 0,
            key: format!("SleepSchedule {}", self.name).into(),
            value: format!("{sleep_time}-{wake_time}").into(),
            why: why.into(),
            until: next_change(now, asleep, |at| self.edges.next_edge(at)),
            warnings: Vec::new(),
        }
    }
}

/// `3:04pm` as hour and minute of the day.
fn parse_clock(text: &str) -> Option<(u32, u32)> {
    let lower = text.to_ascii_lowercase();
    let (time, noon) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(time), _) => (time, 0),
        (_, Some(time)) => (time, 12),
        _ => return None,
    };
    let (hour, minute) = time.split_once(':')?;
    let digits = |text: &str, most: usize| {
        let plain = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let hour = digits(hour, 2).filter(|hour| (1..=12).contains(hour))?;
    let minute = digits(minute, 2).filter(|at| *at < 60 && minute.len() == 2)?;
    Some((hour % 12 + noon, minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_have_two_halves() {
        for (text, time) in [
            ("3:04pm", Some((15, 4))),
            ("12:00am", Some((0, 0))),
            ("12:30PM", Some((12, 30))),
            ("08:00am", Some((8, 0))),
            ("0:00am", None),
            ("13:00pm", None),
            ("8:0am", None),
            ("8:60am", None),
            ("20:00", None),
            ("8am", None),
            (" 8:00am", None),
        ] {
            assert_eq!(parse_clock(text), time, "{text:?}");
        }
    }
}
