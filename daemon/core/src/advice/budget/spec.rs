//! What a budget is: whose money, how much, in which period.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use thiserror::Error;

use super::{Period, WeekStart};
use crate::cluster::{Attribution, Keys, glob};
use crate::schedule::{ZoneError, parse_zone};
use crate::units::PicoUsd;

/// Shares of the amount, in percent, that are told when they are reached.
pub const DEFAULT_MARKS: [u32; 3] = [50, 80, 100];

/// More marks than this are noise.
const MOST_MARKS: usize = 20;
/// The highest mark, in percent.
const HIGHEST_MARK: i64 = 1_000;

/// Whose money a budget is about. Each list that is not empty must hold a pattern that matches; a `*` stands for any
/// text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selector {
    /// Teams.
    pub teams: Vec<Arc<str>>,
    /// Owners.
    pub owners: Vec<Arc<str>>,
    /// Spaces.
    pub spaces: Vec<Arc<str>>,
    /// Namespaces on the host cluster.
    pub namespaces: Vec<Arc<str>>,
    /// Labels that rows carry: all of these keys, with a value that matches.
    pub labels: Keys,
}

impl Selector {
    /// Whether what this payer pays counts.
    pub fn matches(&self, payer: &Attribution) -> bool {
        let any = |patterns: &[Arc<str>], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| glob(pattern, text))
        };
        !self.is_empty()
            && any(&self.teams, &payer.team)
            && any(&self.owners, &payer.owner)
            && any(&self.spaces, &payer.space)
            && any(&self.namespaces, &payer.namespace)
            && self
                .labels
                .iter()
                .all(|(key, pattern)| payer.labels.get(key).is_some_and(|value| glob(pattern, value)))
    }

    /// Whether it names nobody. Then it matches nothing: a budget of everything is written `namespaces: ["*"]`.
    pub fn is_empty(&self) -> bool {
        let lists = [&self.teams, &self.owners, &self.spaces, &self.namespaces];
        lists.iter().all(|list| list.is_empty()) && self.labels.is_empty()
    }

    /// The one team it is about, if it names just one and no pattern.
    pub fn only_team(&self) -> Option<&Arc<str>> {
        match self.teams.as_slice() {
            [team] if !team.contains('*') => Some(team),
            _ => None,
        }
    }
}

/// What a budget says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetSpec {
    /// Whose money.
    pub selector: Selector,
    /// How much may be spent in a period.
    pub amount: PicoUsd,
    /// How long a period is.
    pub period: Period,
    /// In whose calendar; `None`: the team's zone if it is about one team, else the configured one.
    pub zone: Option<Tz>,
    /// Shares of the amount, in percent, that are told when they are reached; ascending.
    pub marks: Vec<u32>,
}

/// A budget as the cluster has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetObject {
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// `metadata.generation`: which version of the spec this is.
    pub generation: i64,
    /// What it says, or why that cannot be understood.
    pub spec: Result<BudgetSpec, Arc<str>>,
}

/// A budget as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RawBudget {
    /// US dollars, such as `1500` or `499.50`.
    pub amount: String,
    /// `week` or `month`.
    pub period: String,
    /// `Monday` or `Sunday`.
    pub week_start: Option<String>,
    /// An IANA name.
    pub time_zone: Option<String>,
    /// Percent.
    pub marks: Option<Vec<i64>>,
    /// Patterns of teams.
    pub teams: Vec<String>,
    /// Patterns of owners.
    pub owners: Vec<String>,
    /// Patterns of spaces.
    pub spaces: Vec<String>,
    /// Patterns of namespaces.
    pub namespaces: Vec<String>,
    /// Labels with patterns of their values.
    pub labels: BTreeMap<String, String>,
}

/// Why a budget cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BudgetError {
    /// The amount is no positive number of dollars.
    #[error("amount: {0:?} is no positive amount of dollars: write e.g. \"1500\" or \"499.50\"")]
    Amount(String),
    /// The period is none.
    #[error("period: {0:?} is no period: use week or month")]
    Period(String),
    /// A week cannot start so.
    #[error("weekStart: {0:?} is no start of a week: use Monday or Sunday")]
    WeekStart(String),
    /// The zone is unknown.
    #[error("timeZone: {0}")]
    Zone(#[from] ZoneError),
    /// A mark is no percentage.
    #[error("marks: {0} is no mark: use whole percents from 1 to {HIGHEST_MARK}, such as 80")]
    Mark(i64),
    /// Too many marks.
    #[error("marks: {0} of them are too many: use at most {MOST_MARKS}")]
    Marks(usize),
    /// A pattern that matches nothing at all.
    #[error("selector.{0}: an empty pattern matches nothing: leave it out, or use \"*\" for any")]
    EmptyPattern(&'static str),
    /// Nobody is named.
    #[error(
        "selector: names nobody: give teams, owners, spaces, namespaces or labels; namespaces: [\"*\"] is everything"
    )]
    NoTarget,
}

impl RawBudget {
    /// What it says.
    pub fn read(&self) -> Result<BudgetSpec, BudgetError> {
        let selector = Selector {
            teams: patterns("teams", &self.teams)?,
            owners: patterns("owners", &self.owners)?,
            spaces: patterns("spaces", &self.spaces)?,
            namespaces: patterns("namespaces", &self.namespaces)?,
            labels: self.labels.iter().map(|(k, v)| (k.as_str().into(), v.as_str().into())).collect(),
        };
        if selector.is_empty() {
            return Err(BudgetError::NoTarget);
        }
        let starts = match self.week_start.as_deref() {
            None | Some("Monday") => WeekStart::Monday,
            Some("Sunday") => WeekStart::Sunday,
            Some(other) => return Err(BudgetError::WeekStart(other.to_owned())),
        };
        let period = match self.period.as_str() {
            "week" => Period::Week(starts),
            "month" => Period::Month,
            other => return Err(BudgetError::Period(other.to_owned())),
        };
        Ok(BudgetSpec {
            selector,
            amount: dollars(&self.amount).ok_or_else(|| BudgetError::Amount(self.amount.clone()))?,
            period,
            zone: self.time_zone.as_deref().map(parse_zone).transpose()?,
            marks: marks(self.marks.as_deref())?,
        })
    }
}

fn patterns(list: &'static str, texts: &[String]) -> Result<Vec<Arc<str>>, BudgetError> {
    let read = |text: &String| match text.trim() {
        "" => Err(BudgetError::EmptyPattern(list)),
        text => Ok(text.into()),
    };
    texts.iter().map(read).collect()
}

fn marks(written: Option<&[i64]>) -> Result<Vec<u32>, BudgetError> {
    let Some(written) = written else { return Ok(DEFAULT_MARKS.to_vec()) };
    if written.len() > MOST_MARKS {
        return Err(BudgetError::Marks(written.len()));
    }
    let read = |&mark: &i64| match u32::try_from(mark) {
        Ok(percent) if (1..=HIGHEST_MARK).contains(&mark) => Ok(percent),
        _ => Err(BudgetError::Mark(mark)),
    };
    let mut marks = written.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    marks.sort_unstable();
    marks.dedup();
    Ok(marks)
}

/// A positive decimal number with at most twelve digits before the point and two behind it.
fn dollars(text: &str) -> Option<PicoUsd> {
    let (whole, cents) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let digits =
        |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole, 12) || !digits(cents, 2) {
        return None;
    }
    let cents: i128 = format!("{whole}{cents:0<2}").parse().ok()?;
    (cents > 0).then_some(PicoUsd(cents * 10_000_000_000))
}
