//! The custom resource `Budget`. Its schema refuses what cannot be meant; the type itself takes all that the schema of
//! an older version let in, and says of a value that cannot be understood which it is.

#![expect(clippy::duplicated_attributes, reason = "each printed column has a type and a path of its own")]

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use nightcap_core::advice::budget::{BudgetStatus as Found, RawBudget};
use nightcap_core::engine::BudgetReport;
use nightcap_core::units::{Instant, PicoUsd};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a team, an owner or a space may cost in a week or a month.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[kube(
    group = "nightcap.dev",
    version = "v1alpha1",
    kind = "Budget",
    plural = "budgets",
    singular = "budget",
    category = "nightcap",
    status = "BudgetStatus",
    derive = "PartialEq",
    doc = "What a team, an owner or a space may cost in a week or a month, and what it has cost so far.",
    printcolumn(name = "Period", type_ = "string", json_path = ".spec.period"),
    printcolumn(name = "Amount", type_ = "string", json_path = ".status.amountUSD"),
    printcolumn(name = "Spent", type_ = "string", json_path = ".status.spentUSD"),
    printcolumn(name = "Used %", type_ = "integer", json_path = ".status.percent"),
    printcolumn(name = "Forecast", type_ = "string", json_path = ".status.forecast.expectedUSD"),
    printcolumn(name = "Confidence", type_ = "string", json_path = ".status.forecast.confidence"),
    printcolumn(name = "Breach", type_ = "string", json_path = ".status.forecast.breachDate"),
    printcolumn(name = "Spaces", type_ = "integer", priority = 1, json_path = ".status.matched.spaces")
)]
#[x_kube(validation = Rule::new("self.period == 'week' || !has(self.weekStart)").message("weekStart is for period: week"))]
#[schemars(transform = require)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BudgetSpec {
    /// US dollars for one period, such as 1500 or "499.50".
    #[schemars(schema_with = "amount")]
    #[x_kube(validation = Rule::new("double(string(self)) > 0.0").message("amount must be more than zero"))]
    #[serde(default)]
    pub(crate) amount: Value,
    /// How long a period is: a week, or a calendar month.
    #[schemars(schema_with = "period")]
    #[serde(default)]
    pub(crate) period: String,
    /// The day a week starts on: Monday if left out.
    #[schemars(schema_with = "week_start")]
    #[serde(default)]
    pub(crate) week_start: Option<String>,
    /// In whose calendar, such as Europe/Berlin: else the team's zone if the budget is about one team, else the
    /// daemon's.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub(crate) time_zone: Option<String>,
    /// Percents of the amount that are told when they are reached: 50, 80 and 100 if left out.
    #[schemars(schema_with = "marks")]
    #[serde(default)]
    pub(crate) marks: Option<Vec<i64>>,
    /// Whose money.
    #[serde(default)]
    pub(crate) selector: Selector,
}

/// Whose money. Each list that is given must hold a pattern that matches; a `*` stands for any text.
#[derive(KubeSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[x_kube(validation = Rule::new(
    "(has(self.teams) && size(self.teams) > 0) || (has(self.owners) && size(self.owners) > 0) \
     || (has(self.spaces) && size(self.spaces) > 0) || (has(self.namespaces) && size(self.namespaces) > 0) \
     || (has(self.labels) && size(self.labels) > 0)"
).message("name somebody: teams, owners, spaces, namespaces or labels; namespaces: [\"*\"] is everything"))]
#[schemars(transform = without_defaults)]
pub(crate) struct Selector {
    /// Teams.
    #[schemars(schema_with = "patterns")]
    #[serde(default)]
    pub(crate) teams: Vec<String>,
    /// Owners.
    #[schemars(schema_with = "patterns")]
    #[serde(default)]
    pub(crate) owners: Vec<String>,
    /// Spaces.
    #[schemars(schema_with = "patterns")]
    #[serde(default)]
    pub(crate) spaces: Vec<String>,
    /// Namespaces of this cluster.
    #[schemars(schema_with = "patterns")]
    #[serde(default)]
    pub(crate) namespaces: Vec<String>,
    /// Labels that costs are kept by: all of these keys, with a value that matches.
    #[schemars(schema_with = "labels")]
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
}

/// The type takes an object without them, to say what it lacks; the schema does not.
fn require(schema: &mut Schema) {
    without_defaults(schema);
    schema.insert("required".to_owned(), serde_json::json!(["amount", "period", "selector"]));
}

/// What the type falls back to is for objects of an older schema: the API server is not to write it into new ones.
fn without_defaults(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(property) = property.as_object_mut() {
            property.remove("default");
        }
    }
}

fn amount(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "US dollars for one period, such as 1500 or \"499.50\".",
        "maxLength": 15,
        "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$",
        "x-kubernetes-int-or-string": true,
    })
}

fn period(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["week", "month"] })
}

fn week_start(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["Monday", "Sunday"] })
}

fn marks(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 20,
        "items": { "type": "integer", "format": "int64", "minimum": 1, "maximum": 1000 },
    })
}

fn patterns(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 500,
        "items": { "type": "string", "minLength": 1, "maxLength": 253 },
    })
}

fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": { "type": "string", "maxLength": 253 },
    })
}

impl BudgetSpec {
    /// As the core reads it.
    pub(crate) fn raw(&self) -> RawBudget {
        let amount = match &self.amount {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        RawBudget {
            amount,
            period: self.period.clone(),
            week_start: self.week_start.clone(),
            time_zone: self.time_zone.clone(),
            marks: self.marks.clone(),
            teams: self.selector.teams.clone(),
            owners: self.selector.owners.clone(),
            spaces: self.selector.spaces.clone(),
            namespaces: self.selector.namespaces.clone(),
            labels: self.selector.labels.clone(),
        }
    }
}

/// What is said of a budget. Written when something worth a look has changed, every few minutes at most.
#[derive(JsonSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BudgetStatus {
    /// The version of the spec that this is about.
    observed_generation: Option<i64>,
    /// Why that version cannot be understood; what follows is then by the last one that could.
    problem: Option<String>,
    /// First instant of the period.
    period_start: Option<String>,
    /// First instant after the period.
    period_end: Option<String>,
    /// What may be spent.
    #[serde(rename = "amountUSD")]
    amount_usd: Option<String>,
    /// What was spent so far.
    #[serde(rename = "spentUSD")]
    spent_usd: Option<String>,
    /// Percent of the amount, rounded down.
    percent: Option<i64>,
    /// The marks that are reached.
    marks_reached: Option<Vec<i64>>,
    /// Hours of the period that lie behind and were not counted.
    missing_hours: Option<i64>,
    /// How much more, or less, was spent so far than usual, in percent.
    pace_percent: Option<i64>,
    /// What to expect at the end of the period.
    forecast: Option<Forecast>,
    /// A day or an hour that cost far more than such ones do.
    jump: Option<Jump>,
    /// What the selector matches.
    matched: Option<Matched>,
}

/// What to expect at the end of the period.
#[derive(JsonSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(rename_all = "camelCase")]
struct Forecast {
    /// The expected sum.
    #[serde(rename = "expectedUSD")]
    expected_usd: Option<String>,
    /// It is less than this in one of ten periods.
    #[serde(rename = "lowUSD")]
    low_usd: Option<String>,
    /// It is more than this in one of ten periods.
    #[serde(rename = "highUSD")]
    high_usd: Option<String>,
    /// low, medium or high.
    confidence: Option<String>,
    /// Why.
    reason: Option<String>,
    /// The day on which the amount is expected to be passed, or was.
    breach_date: Option<String>,
}

/// A day or an hour that cost far more than such ones do.
#[derive(JsonSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(rename_all = "camelCase")]
struct Jump {
    /// hour or day.
    span: Option<String>,
    /// When it began.
    start: Option<String>,
    /// What it cost.
    #[serde(rename = "costUSD")]
    cost_usd: Option<String>,
    /// What such ones cost.
    #[serde(rename = "usualUSD")]
    usual_usd: Option<String>,
}

/// What the selector matches.
#[derive(JsonSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
struct Matched {
    /// Spaces.
    spaces: Option<i64>,
    /// Workloads in them.
    workloads: Option<i64>,
    /// The first names of the spaces.
    names: Option<Vec<String>>,
}

/// The status as it is written. What is not said is null, which in a merge patch removes what was said before.
pub(crate) fn status(report: &BudgetReport) -> BudgetStatus {
    let start = BudgetStatus {
        observed_generation: Some(report.generation),
        problem: report.problem.as_deref().map(str::to_owned),
        ..BudgetStatus::default()
    };
    let Some(found) = &report.status else { return start };
    let count = |number: usize| i64::try_from(number).ok();
    BudgetStatus {
        period_start: Some(found.period.start.to_rfc3339()),
        period_end: Some(found.period.end.to_rfc3339()),
        amount_usd: Some(cents(found.amount)),
        spent_usd: Some(cents(found.spent)),
        percent: Some(found.percent.into()),
        marks_reached: Some(found.reached.iter().map(|mark| i64::from(*mark)).collect()),
        missing_hours: Some(found.missing_hours),
        pace_percent: found.pace_percent,
        forecast: Some(Forecast {
            expected_usd: Some(cents(found.forecast.expected)),
            low_usd: Some(cents(found.forecast.low)),
            high_usd: Some(cents(found.forecast.high)),
            confidence: Some(found.forecast.confidence.to_string()),
            reason: Some(found.forecast.reason.to_string()),
            breach_date: found.forecast.breach.map(|at| local_day(at, found)),
        }),
        jump: found.jump.map(|jump| Jump {
            span: Some(jump.span.name().to_owned()),
            start: Some(jump.window.start.to_rfc3339()),
            cost_usd: Some(cents(jump.cost)),
            usual_usd: Some(cents(jump.norm)),
        }),
        matched: Some(Matched {
            spaces: count(found.matched.spaces),
            workloads: count(found.matched.workloads),
            names: Some(found.matched.names.iter().map(ToString::to_string).collect()),
        }),
        ..start
    }
}

/// The day as the budget's people count it: an instant would move with every cent.
fn local_day(at: Instant, found: &Found) -> String {
    at.to_chrono().with_timezone(&found.zone).format("%Y-%m-%d").to_string()
}

/// Dollars and cents, halves up.
fn cents(amount: PicoUsd) -> String {
    const CENT: i128 = 10_000_000_000;
    let cents = (amount.0 + CENT / 2).div_euclid(CENT);
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}
