//! `GET /api/v1/budgets`: what may be spent, what was, and what to expect.

use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Labels, Money, WindowReport};

/// All budgets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BudgetList {
    /// The instant of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// Always `USD`.
    pub currency: String,
    /// By name.
    pub budgets: Vec<BudgetReport>,
}

/// A budget, what was spent of it, and what to expect.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BudgetReport {
    /// Name of the object.
    pub name: String,
    /// Whose money.
    pub selector: BudgetSelector,
    /// `week` or `month`.
    pub period: String,
    /// In whose calendar.
    #[schema(example = "Europe/Berlin")]
    pub zone: String,
    /// The period that the instant of the picture lies in.
    pub window: WindowReport,
    /// What may be spent in it.
    pub amount: Money,
    /// What was spent so far, the open hour included.
    pub spent: Money,
    /// `spent` by `amount`: 1 is all of it.
    pub used_ratio: f64,
    /// Percents of the amount that are told when they are reached.
    pub marks: Vec<u32>,
    /// Those that are.
    pub marks_reached: Vec<u32>,
    /// Hours of the period that lie behind and were not counted: `spent` lacks them.
    pub missing_hours: i64,
    /// How much more, or less, was spent so far than usual, in percent; absent with less than a week of history.
    pub pace_percent: Option<i64>,
    /// What to expect at the end of the period.
    pub forecast: BudgetForecast,
    /// The last full day, or the last closed hour, if it cost far more than such ones do.
    pub jump: Option<BudgetJump>,
    /// What the selector matches.
    pub matched: BudgetMatched,
    /// Why the newest version of the object cannot be understood, if so; the last one that could holds on.
    pub problem: Option<String>,
}

/// Whose money. Each list that is not empty must hold a pattern that matches; a `*` stands for any text.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct BudgetSelector {
    /// Teams.
    pub teams: Vec<String>,
    /// Owners.
    pub owners: Vec<String>,
    /// Spaces.
    pub spaces: Vec<String>,
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Labels, all of them.
    pub labels: Labels,
}

/// What to expect at the end of the period.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BudgetForecast {
    /// The expected sum.
    pub expected: Money,
    /// It is less than this in one of ten periods.
    pub low: Money,
    /// It is more than this in one of ten periods.
    pub high: Money,
    /// `low`, `medium` or `high`.
    pub confidence: String,
    /// Why.
    pub reason: String,
    /// When the amount is expected to be passed, or was; absent if not in this period.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub breach: Option<Instant>,
}

/// A day or an hour that cost far more than such ones do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BudgetJump {
    /// `hour` or `day`.
    pub span: String,
    /// When it was.
    pub window: WindowReport,
    /// What it cost.
    pub cost: Money,
    /// The median of the same hour, or weekday, of the weeks before.
    pub norm: Money,
    /// How far above that is, in robust standard deviations.
    pub score: f64,
}

/// What the selector matches.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct BudgetMatched {
    /// Spaces.
    pub spaces: usize,
    /// Workloads in them.
    pub workloads: usize,
    /// The first names of the spaces, at most ten.
    pub names: Vec<String>,
}
