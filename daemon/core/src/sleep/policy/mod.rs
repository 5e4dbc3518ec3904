//! Policies: what a platform's team wishes for many namespaces at once.
//!
//! A policy is an object of the cluster, `SleepPolicy`. [`RawPolicy`] is what is written, [`PolicySpec`] what could be
//! understood of it, [`Policy`] that with zones and holidays filled in. Those that match a namespace stand in the chain of
//! wishes by their rank: enforced ones before what people write on namespaces and workloads, all others behind.

mod error;
mod report;
mod selector;
mod spec;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{SleepSettings, Spec, Wishes};
use crate::cluster::{Keys, Namespace};
use crate::schedule::DaysOff;

pub use error::PolicyError;
pub use report::{PolicyMatch, PolicyReport};
pub use selector::{LabelSelector, Operator, RawExpression, RawSelector, Requirement};
pub use spec::{PolicyObject, PolicySpec, RawPolicy};

/// A policy that can be followed.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    name: Arc<str>,
    source: Arc<str>,
    spec: PolicySpec,
    /// What it wishes, with the configured zone where it names none.
    wishes: Wishes,
    /// For teams that have a zone or holidays of their own, where it names none.
    of_teams: BTreeMap<Arc<str>, Wishes>,
}

impl Policy {
    /// Fills in zones and calendars.
    pub fn new(name: &Arc<str>, spec: PolicySpec, settings: &SleepSettings) -> Result<Self, PolicyError> {
        let mut calendars = Vec::new();
        for name in spec.holidays.iter().flatten() {
            let calendar = settings.calendars.get(name);
            calendars.push(calendar.ok_or_else(|| PolicyError::Calendar {
                name: name.to_string(),
                known: settings.calendars.keys().map(|known| &**known).collect::<Vec<_>>().join(", "),
            })?);
        }
        let wishes_of = |team: Option<&str>| -> Result<Wishes, PolicyError> {
            let usual = team.map_or(settings.zone, |team| settings.zone_of(team));
            let zone = spec.timezone.unwrap_or(usual);
            let read = |field, text: &Option<Arc<str>>| {
                let read = text.as_deref().map(|text| Spec::parse(text, zone)).transpose();
                read.map_err(|error| PolicyError::Spec(field, error))
            };
            let wishes = Wishes {
                uptime: read("uptime", &spec.uptime)?,
                downtime: read("downtime", &spec.downtime)?,
                ..Wishes::default()
            };
            let of_team =
                team.filter(|_| spec.holidays.is_none()).and_then(|team| settings.days_off_of(team));
            let off = match of_team {
                // The team's days, cut by the clock that the schedule goes by.
                Some(off) => off.in_zone(zone),
                None => DaysOff::new(calendars.iter().map(|calendar| &***calendar), zone),
            };
            Ok(wishes.with_days_off(Some(&Arc::new(off))))
        };
        let wishes = wishes_of(None)?;
        let mut of_teams = BTreeMap::new();
        for team in settings.special_teams() {
            let own = wishes_of(Some(team))?;
            if own != wishes {
                of_teams.insert(Arc::clone(team), own);
            }
        }
        let rank = if spec.enforced { "enforced policy" } else { "policy" };
        let source = format!("{rank} {name}").into();
        Ok(Self { name: Arc::clone(name), source, spec, wishes, of_teams })
    }

    /// Its name.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How the chain of wishes names it, such as `enforced policy nights`.
    pub const fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// What is written in it.
    pub const fn spec(&self) -> &PolicySpec {
        &self.spec
    }

    /// Whether it keeps things awake.
    pub const fn excludes(&self) -> bool {
        self.spec.exclude
    }

    /// What it wishes for things of a team.
    pub fn wishes_of(&self, team: &str) -> &Wishes {
        self.of_teams.get(team).unwrap_or(&self.wishes)
    }

    /// Whether it is about a namespace, or about some workloads in it.
    pub fn matches_namespace(&self, namespace: &Namespace, team: &str) -> bool {
        self.spec.matches_namespace(&namespace.name, &namespace.labels, team)
    }

    /// Whether it is about a workload with these labels, in a namespace that matches; `None` asks for the namespace as a
    /// whole.
    pub fn matches_workload(&self, labels: Option<&Keys>) -> bool {
        match (&self.spec.workload_selector, labels) {
            (None, _) => true,
            (Some(selector), Some(labels)) => selector.matches(labels),
            (Some(_), None) => false,
        }
    }

    /// Whether it tells workloads of a namespace apart.
    pub const fn selects_workloads(&self) -> bool {
        self.spec.workload_selector.is_some()
    }
}

/// The order in which policies count: enforced first, then by priority, then by name.
pub fn rank(policies: &mut [Arc<Policy>]) {
    policies.sort_by(|a, b| {
        let rank = |policy: &Policy| (!policy.spec.enforced, std::cmp::Reverse(policy.spec.priority));
        rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
    });
}

/// The policies that are about a namespace, as the chain of wishes meets them.
#[derive(Clone, Copy, Debug)]
pub struct PolicyLevels<'a> {
    /// Those that match the namespace, [ranked](rank).
    pub ranked: &'a [Arc<Policy>],
    /// The team of the namespace or workload.
    pub team: &'a str,
    /// Labels of the workload; `None` when the namespace as a whole is asked about.
    pub labels: Option<&'a Keys>,
    /// Whether the mode lets them act.
    pub count: bool,
}

impl<'a> PolicyLevels<'a> {
    /// Those of one rank that are about the workload, or about the namespace as a whole.
    pub(super) fn matching(self, enforced: bool) -> impl Iterator<Item = &'a Policy> {
        let of_rank = self.ranked.iter().filter(move |policy| policy.spec.enforced == enforced);
        of_rank.filter(move |policy| policy.matches_workload(self.labels)).map(|policy| &**policy)
    }
}
