//! What a policy says: about what, of which rank, and what it wishes.

use std::sync::Arc;

use chrono_tz::Tz;

use super::{LabelSelector, PolicyError, PolicyReport, RawSelector};
use crate::cluster::{Keys, glob};
use crate::schedule::{TimeSpec, parse_zone};

/// The highest priority; the lowest is as far below 0.
const HIGHEST_PRIORITY: i64 = 1_000_000;

/// What a policy says. It is about what matches all that is given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolicySpec {
    /// Names of namespaces; a `*` stands for any text.
    pub namespaces: Vec<Arc<str>>,
    /// Labels of namespaces.
    pub namespace_selector: Option<LabelSelector>,
    /// Labels of workloads.
    pub workload_selector: Option<LabelSelector>,
    /// Teams; a `*` stands for any text.
    pub teams: Vec<Arc<str>>,
    /// Whether it comes before what people write on namespaces and workloads.
    pub enforced: bool,
    /// Among policies of the same rank the higher one wins.
    pub priority: i32,
    /// Awake while this holds, asleep otherwise.
    pub uptime: Option<Arc<str>>,
    /// Asleep while this holds, awake otherwise.
    pub downtime: Option<Arc<str>>,
    /// Zone of times that name none; `None`: the team's, else the configured one.
    pub timezone: Option<Tz>,
    /// Calendars of days on which the uptime does not hold; `None`: the team's.
    pub holidays: Option<Vec<Arc<str>>>,
    /// Keeps things awake.
    pub exclude: bool,
}

impl PolicySpec {
    /// Whether it is about a namespace, or about some workloads in it.
    pub fn matches_namespace(&self, name: &str, labels: &Keys, team: &str) -> bool {
        let any = |patterns: &[Arc<str>], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| glob(pattern, text))
        };
        any(&self.namespaces, name)
            && any(&self.teams, team)
            && self.namespace_selector.as_ref().is_none_or(|selector| selector.matches(labels))
    }
}

/// A policy as the cluster has it.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyObject {
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// `metadata.generation`: which version of the spec this is.
    pub generation: i64,
    /// What it says, or why that cannot be understood.
    pub spec: Result<PolicySpec, Arc<str>>,
    /// The status that it carries, if it is one of ours.
    pub status: Option<PolicyReport>,
}

/// A policy as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RawPolicy {
    /// Patterns of namespaces.
    pub namespaces: Vec<String>,
    /// Labels of namespaces.
    pub namespace_selector: Option<RawSelector>,
    /// Labels of workloads.
    pub workload_selector: Option<RawSelector>,
    /// Patterns of teams.
    pub teams: Vec<String>,
    /// Whether it comes before what people write.
    pub enforced: bool,
    /// Its priority.
    pub priority: i64,
    /// A native time spec.
    pub uptime: Option<String>,
    /// A native time spec.
    pub downtime: Option<String>,
    /// An IANA name.
    pub timezone: Option<String>,
    /// Names of calendars.
    pub holidays: Option<Vec<String>>,
    /// Keeps things awake.
    pub exclude: bool,
}

impl RawPolicy {
    /// What it says.
    pub fn read(&self) -> Result<PolicySpec, PolicyError> {
        let has_selector = self.namespace_selector.is_some() || self.workload_selector.is_some();
        if self.namespaces.is_empty() && self.teams.is_empty() && !has_selector {
            return Err(PolicyError::NoTarget);
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '*';
        if let Some(wrong) = self.namespaces.iter().find(|pattern| !pattern.chars().all(allowed)) {
            return Err(PolicyError::Namespace(wrong.clone()));
        }
        let timezone = self.timezone.as_deref().map(parse_zone).transpose()?;
        match (self.exclude, &self.uptime, &self.downtime) {
            (true, Some(_), _) => return Err(PolicyError::ExcludeBeside("uptime")),
            (true, _, Some(_)) => return Err(PolicyError::ExcludeBeside("downtime")),
            (false, None, None) => return Err(PolicyError::NoWish),
            _ => {}
        }
        let holidays =
            self.holidays.as_ref().map(|names| names.iter().map(|name| name.trim().into()).collect());
        let selector = |field, raw: &Option<RawSelector>| raw.as_ref().map(|raw| raw.read(field)).transpose();
        Ok(PolicySpec {
            namespaces: patterns("namespaces", &self.namespaces)?,
            namespace_selector: selector("namespaceSelector", &self.namespace_selector)?,
            workload_selector: selector("workloadSelector", &self.workload_selector)?,
            teams: patterns("teams", &self.teams)?,
            enforced: self.enforced,
            priority: i32::try_from(self.priority)
                .ok()
                .filter(|_| self.priority.unsigned_abs() <= HIGHEST_PRIORITY.unsigned_abs())
                .ok_or(PolicyError::Priority(self.priority))?,
            uptime: time_spec("uptime", self.uptime.as_ref())?,
            downtime: time_spec("downtime", self.downtime.as_ref())?,
            timezone,
            holidays,
            exclude: self.exclude,
        })
    }
}

/// The text of a time spec that can be read: in which zone is seen later.
fn time_spec(field: &'static str, text: Option<&String>) -> Result<Option<Arc<str>>, PolicyError> {
    let Some(text) = text else { return Ok(None) };
    TimeSpec::parse(text, Tz::UTC).map_err(|error| PolicyError::Spec(field, error))?;
    Ok(Some(text.as_str().into()))
}

fn patterns(list: &'static str, texts: &[String]) -> Result<Vec<Arc<str>>, PolicyError> {
    let read = |text: &String| match text.trim() {
        "" => Err(PolicyError::EmptyPattern(list)),
        text => Ok(text.into()),
    };
    texts.iter().map(read).collect()
}
