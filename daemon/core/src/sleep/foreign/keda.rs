//! KEDA's cron triggers: up from `start` to `end`.

use std::sync::Arc;

use super::cron::{Cron, CronError};
use super::wish::next_change;
use super::{Ask, ForeignWish, Tool};
use crate::cluster::Keys;
use crate::schedule::{ZoneError, parse_zone};
use crate::units::Instant;
use thiserror::Error;

/// Why a trigger is refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TriggerError {
    /// A key that has to be there.
    #[error("the trigger has no {0}")]
    Missing(&'static str),
    /// The zone.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// One of the expressions.
    #[error("{key}: {error}")]
    Cron {
        /// Which.
        key: &'static str,
        /// Why.
        error: CronError,
    },
    /// It would begin and end at once.
    #[error("start and end are both {0:?}")]
    SameEdges(String),
    /// Not a number of replicas.
    #[error("desiredReplicas: {0:?} is no number of replicas")]
    Replicas(String),
}

/// A cron trigger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronTrigger {
    start: Cron,
    end: Cron,
    /// Replicas while it is active.
    pub desired_replicas: u32,
}

impl CronTrigger {
    /// Reads the trigger's metadata.
    pub fn read(metadata: &Keys) -> Result<Self, TriggerError> {
        let get = |key: &'static str| {
            metadata
                .get(key)
                .map(|text| &**text)
                .filter(|text| !text.is_empty())
                .ok_or(TriggerError::Missing(key))
        };
        let zone = parse_zone(get("timezone")?)?;
        let cron = |key: &'static str| {
            Cron::parse(get(key)?, zone).map_err(|error| TriggerError::Cron { key, error })
        };
        let (start, end) = (cron("start")?, cron("end")?);
        if start.text() == end.text() {
            return Err(TriggerError::SameEdges(start.text().to_string()));
        }
        let text = get("desiredReplicas")?;
        let desired_replicas = text.parse().map_err(|_| TriggerError::Replicas(text.to_owned()))?;
        Ok(Self { start, end, desired_replicas })
    }

    /// Whether it is active: its next end comes before its next start.
    pub fn is_active(&self, at: Instant) -> bool {
        match (self.start.next(at), self.end.next(at)) {
            (Some(start), Some(end)) => end < start,
            (None, end) => end.is_some(),
            (Some(_), None) => false,
        }
    }

    /// What it asks for on an object that keeps `least` replicas outside of it.
    pub fn wish(&self, object: &str, least: u32, now: Instant) -> ForeignWish {
        let (start, end, zone) = (self.start.text(), self.end.text(), self.start.zone().name());
        let active = self.is_active(now);
        let place = if active { "Within" } else { "Outside" };
        let edge = |at| self.start.next(at).into_iter().chain(self.end.next(at)).min();
        ForeignWish {
            tool: Tool::Keda,
            ask: if active { Ask::Awake } else { Ask::Sleep },
            replicas: least,
            key: Arc::from(object),
            value: format!("{start} to {end}").into(),
            why: format!("{place} its cron trigger `{start}` to `{end}` {zone}.").into(),
            until: next_change(now, |at| self.is_active(at), edge),
            warnings: Vec::new(),
        }
    }
}
