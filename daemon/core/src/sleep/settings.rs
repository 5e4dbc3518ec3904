//! What sleep is told once: mode, zones, prefix, protected namespaces, default wishes.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::foreign::Tool;
use super::{DEFAULT_PROTECTED, Wishes};
use crate::schedule::{Calendar, DaysOff};
use crate::units::Millis;

/// How far Nightcap is trusted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Says what would happen, with the money. Sleeps nothing, and wakes what Nightcap put to sleep.
    #[default]
    Observe,
    /// Sleeps only what its own namespace or workload annotations opt in.
    Ask,
    /// Sleeps also by policies and configuration.
    Act,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observe => "observe",
            Self::Ask => "ask",
            Self::Act => "act",
        })
    }
}

impl FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "observe" => Ok(Self::Observe),
            "ask" => Ok(Self::Ask),
            "act" => Ok(Self::Act),
            _ => Err(format!("{text:?} is no mode: use observe, ask or act")),
        }
    }
}

/// Settings of sleep.
#[derive(Clone, Debug)]
pub struct SleepSettings {
    /// Prefix of our annotations, such as `nightcap.dev`.
    pub prefix: Arc<str>,
    /// Zone of time specs that name none.
    pub zone: Tz,
    /// Zones of teams; they come before `zone`.
    pub team_zones: BTreeMap<Arc<str>, Tz>,
    /// Namespaces that are never touched; a `*` stands for any text. [`DEFAULT_PROTECTED`] is always among them.
    pub protected: Vec<Arc<str>>,
    /// Other tools whose wishes count; what others carry is shown, and not followed.
    pub read: Vec<Tool>,
    /// How long a workload waits at most for those of a lower rank, and for pods woken before it, to be ready; with zero
    /// nothing waits.
    pub wake_gate: Millis,
    /// So many pods for each node may be woken and not ready yet; people's own wakes are not held up. With zero there is
    /// no such limit.
    pub wake_pods_per_node: u32,
    /// Wishes for namespaces that have none of their own; they count in [`Mode::Act`] only.
    pub defaults: Wishes,
    /// Calendars of holidays, by name.
    pub calendars: BTreeMap<Arc<str>, Arc<Calendar>>,
    /// What teams have of these, in their zones; [`Self::with_holidays`] makes them.
    team_days_off: BTreeMap<Arc<str>, Arc<DaysOff>>,
    /// The default wishes of teams that have holidays.
    team_defaults: BTreeMap<Arc<str>, Wishes>,
}

impl SleepSettings {
    /// Settings without any configuration.
    pub fn new(zone: Tz) -> Self {
        Self {
            prefix: "nightcap.dev".into(),
            zone,
            team_zones: BTreeMap::new(),
            protected: DEFAULT_PROTECTED.iter().map(|&name| name.into()).collect(),
            read: Vec::new(),
            wake_gate: Millis::from_minutes(2),
            wake_pods_per_node: 10,
            defaults: Wishes::default(),
            calendars: BTreeMap::new(),
            team_days_off: BTreeMap::new(),
            team_defaults: BTreeMap::new(),
        }
    }

    /// The same with calendars, of which teams have some, by name; a name that is none of them stands for no days. To be
    /// called last: it goes by the zones and the default wishes that are set.
    #[must_use]
    pub fn with_holidays(
        mut self,
        calendars: BTreeMap<Arc<str>, Arc<Calendar>>,
        of_teams: &BTreeMap<Arc<str>, Vec<Arc<str>>>,
    ) -> Self {
        for (team, names) in of_teams {
            let of_team = || names.iter().filter_map(|name| calendars.get(name)).map(|calendar| &**calendar);
            let off = Arc::new(DaysOff::new(of_team(), self.zone_of(team)));
            self.team_days_off.insert(Arc::clone(team), off);
            // The default is written once for all, in the configured zone.
            let off = Arc::new(DaysOff::new(of_team(), self.zone));
            self.team_defaults.insert(Arc::clone(team), self.defaults.clone().with_days_off(Some(&off)));
        }
        self.calendars = calendars;
        self
    }

    /// The holidays of a team, if it has some, in its zone.
    pub fn days_off_of(&self, team: &str) -> Option<&Arc<DaysOff>> {
        self.team_days_off.get(team)
    }

    /// The default wishes, for a team.
    pub fn defaults_of(&self, team: &str) -> &Wishes {
        self.team_defaults.get(team).unwrap_or(&self.defaults)
    }

    /// Teams that have a zone or holidays of their own.
    pub(super) fn special_teams(&self) -> impl Iterator<Item = &Arc<str>> {
        self.team_zones.keys().chain(self.team_days_off.keys())
    }

    /// The zone of time specs of this team that name none.
    pub fn zone_of(&self, team: &str) -> Tz {
        self.team_zones.get(team).copied().unwrap_or(self.zone)
    }

    /// The full key of one of our annotations.
    pub fn key(&self, name: &str) -> Arc<str> {
        format!("{}/{name}", self.prefix).into()
    }
}
