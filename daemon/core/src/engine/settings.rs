//! What the engine is told once, before its first event.

use std::sync::Arc;

use chrono_tz::Tz;

use crate::cluster::TeamRules;
use crate::money::Split;
use crate::sleep::{Mode, SleepSettings};
use crate::units::{Instant, Millis, Rate};

/// A fixed sum that is on the bill every month, whatever runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FixedCost {
    /// What it is for.
    pub name: Arc<str>,
    /// A 730th of the sum a month.
    pub hourly: Rate,
}

/// Settings of the engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the cluster, in every row.
    pub cluster: Arc<str>,
    /// From when money is counted; nothing before it is known.
    pub start: Instant,
    /// What the engine may do.
    pub mode: Mode,
    /// How a node's price is split over its resources.
    pub split: Split,
    /// Who owns what.
    pub teams: TeamRules,
    /// Zones, prefix, protected namespaces, default wishes.
    pub sleep: SleepSettings,
    /// Fixed sums a month that everybody shares, by name: a support contract, a licence.
    pub fixed: Vec<FixedCost>,
    /// How often usage is scraped: a sample is held forward for at most two of these.
    pub scrape_interval: Millis,
    /// How many allocation rows of closed hours are kept; the oldest hours go first.
    pub keep_rows: usize,
}

impl Settings {
    /// The settings of a daemon without any configuration.
    pub fn new(start: Instant) -> Self {
        Self {
            cluster: "cluster".into(),
            start,
            mode: Mode::Observe,
            split: Split::default(),
            teams: TeamRules::default(),
            sleep: SleepSettings::new(Tz::UTC),
            fixed: Vec::new(),
            scrape_interval: Millis::MINUTE,
            keep_rows: 100_000,
        }
    }
}
