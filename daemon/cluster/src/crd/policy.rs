//! The custom resource `SleepPolicy`. Its schema refuses what cannot be meant; the type itself takes all that the schema
//! of an older version let in, and says of a value that cannot be understood which it is.

#![expect(clippy::duplicated_attributes, reason = "each printed column has a type and a path of its own")]

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use nightcap_core::sleep::policy::{PolicyMatch, PolicyReport, RawExpression, RawPolicy, RawSelector};
use nightcap_core::units::{Instant, parse_rfc3339};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What many namespaces are to do at night.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[kube(
    group = "nightcap.dev",
    version = "v1alpha1",
    kind = "SleepPolicy",
    plural = "sleeppolicies",
    singular = "sleeppolicy",
    category = "nightcap",
    status = "SleepPolicyStatus",
    derive = "PartialEq",
    doc = "When the workloads of many namespaces sleep, unless their people wish otherwise, or whatever they wish.",
    printcolumn(name = "Enforced", type_ = "boolean", json_path = ".spec.enforced"),
    printcolumn(name = "Priority", type_ = "integer", json_path = ".spec.priority"),
    printcolumn(name = "Uptime", type_ = "string", json_path = ".spec.uptime"),
    printcolumn(name = "Downtime", type_ = "string", json_path = ".spec.downtime"),
    printcolumn(name = "Namespaces", type_ = "integer", json_path = ".status.matched.namespaces"),
    printcolumn(name = "Workloads", type_ = "integer", json_path = ".status.matched.workloads"),
    printcolumn(name = "Deciding", type_ = "integer", json_path = ".status.deciding"),
    printcolumn(name = "Next", type_ = "date", json_path = ".status.nextChange"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    )
)]
#[x_kube(
    validation = Rule::new(
        "has(self.namespaceSelector) || has(self.workloadSelector) || (has(self.namespaces) && size(self.namespaces) > 0) \
         || (has(self.teams) && size(self.teams) > 0)"
    ).message("name something: namespaces, namespaceSelector, workloadSelector or teams; namespaces: [\"*\"] is everything"),
    validation = Rule::new("has(self.uptime) || has(self.downtime) || (has(self.exclude) && self.exclude)")
        .message("wish something: uptime, downtime or exclude: true"),
    validation = Rule::new("!(has(self.exclude) && self.exclude && (has(self.uptime) || has(self.downtime)))")
        .message("exclude: true keeps awake, so that uptime and downtime mean nothing beside it")
)]
#[schemars(transform = without_defaults)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SleepPolicySpec {
    /// Names of namespaces, of which one must match; a `*` stands for any text.
    #[schemars(schema_with = "namespaces")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) namespaces: Vec<String>,
    /// Labels that a namespace must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) namespace_selector: Option<Selector>,
    /// Labels that a workload must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) workload_selector: Option<Selector>,
    /// Teams, of which one must match; a `*` stands for any text.
    #[schemars(schema_with = "names")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) teams: Vec<String>,
    /// Whether it comes before what people write on their namespaces and workloads, but for what keeps awake for a time
    /// and for an exclusion.
    #[schemars(schema_with = "no_by_default")]
    #[serde(default)]
    pub(crate) enforced: bool,
    /// Among policies of the same rank the higher one wins, then the one whose name comes first.
    #[schemars(schema_with = "priority")]
    #[serde(default)]
    pub(crate) priority: i64,
    /// Awake while this holds and asleep otherwise, such as "Mon-Fri 08:00-20:00".
    #[schemars(schema_with = "time_spec")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uptime: Option<String>,
    /// Asleep while this holds and awake otherwise, such as "Sat-Sun 00:00-24:00".
    #[schemars(schema_with = "time_spec")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) downtime: Option<String>,
    /// Zone of times that name none, such as Europe/Berlin: else the team's, else the daemon's.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z][A-Za-z0-9_+/-]*$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
    /// Calendars of the daemon's configuration, on whose days the uptime does not hold: else the team's.
    #[schemars(schema_with = "names")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) holidays: Option<Vec<String>>,
    /// Keeps awake what it matches.
    #[schemars(schema_with = "no_by_default")]
    #[serde(default)]
    pub(crate) exclude: bool,
}

/// Labels that an object must have: all that is given.
#[derive(JsonSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[schemars(transform = without_defaults)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Selector {
    /// Labels with their values.
    #[schemars(schema_with = "labels")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) match_labels: BTreeMap<String, String>,
    /// What must hold of further labels.
    #[schemars(length(max = 50))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) match_expressions: Vec<Expression>,
}

/// What must hold of a label.
#[derive(KubeSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[x_kube(validation = Rule::new(
    "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0"
).message("In and NotIn need values, Exists and DoesNotExist take none"))]
#[schemars(transform = require_key)]
pub(crate) struct Expression {
    /// Key of the label.
    #[schemars(length(min = 1, max = 317))]
    #[serde(default)]
    pub(crate) key: String,
    /// What must hold of its value.
    #[schemars(schema_with = "operator")]
    #[serde(default)]
    pub(crate) operator: String,
    /// Values to compare with, for the operators that do.
    #[schemars(schema_with = "values")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<String>,
}

fn require_key(schema: &mut Schema) {
    without_defaults(schema);
    schema.insert("required".to_owned(), serde_json::json!(["key", "operator"]));
}

/// What the type falls back to is for objects of an older schema. Only what is worth a look is written into new ones.
fn without_defaults(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(property) = property.as_object_mut()
            && property.get("type") != Some(&Value::from("boolean"))
        {
            property.remove("default");
        }
    }
}

fn namespaces(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 500,
        "items": { "type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9*-]+$" },
    })
}

fn names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 500,
        "items": { "type": "string", "minLength": 1, "maxLength": 253 },
    })
}

fn values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "maxItems": 100, "items": { "type": "string", "maxLength": 63 } })
}

fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": { "type": "string", "maxLength": 63 },
    })
}

fn operator(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"] })
}

fn no_by_default(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "boolean", "default": false })
}

fn priority(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "format": "int32", "minimum": -1_000_000, "maximum": 1_000_000 })
}

/// The shape of a native time spec. Whether days and zones are known the daemon says.
fn time_spec(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 2_000, "pattern": time_spec_pattern() })
}

/// All that the grammar takes, and little else.
pub(super) fn time_spec_pattern() -> String {
    const DAYS: &str = "[A-Za-z]{3,9}(-[A-Za-z]{3,9})?";
    const TIMES: &str = "[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]";
    const ZONE: &str = "[A-Za-z][A-Za-z0-9_+/-]*";
    const INSTANT: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})";
    let word = "[Aa][Ll][Ww][Aa][Yy][Ss]|[Nn][Ee][Vv][Ee][Rr]";
    let weekly = format!(r"({DAYS}\s+)?{TIMES}(\s+{ZONE})?");
    let between = format!(r"{INSTANT}\s*-\s*{INSTANT}");
    let part = format!(r"\s*({word}|{weekly}|{between})\s*");
    format!("^{part}(,{part})*$")
}

impl SleepPolicySpec {
    /// As the core reads it.
    pub(crate) fn raw(&self) -> RawPolicy {
        RawPolicy {
            namespaces: self.namespaces.clone(),
            namespace_selector: self.namespace_selector.as_ref().map(Selector::raw),
            workload_selector: self.workload_selector.as_ref().map(Selector::raw),
            teams: self.teams.clone(),
            enforced: self.enforced,
            priority: self.priority,
            uptime: self.uptime.clone(),
            downtime: self.downtime.clone(),
            timezone: self.timezone.clone(),
            holidays: self.holidays.clone(),
            exclude: self.exclude,
        }
    }
}

impl Selector {
    fn raw(&self) -> RawSelector {
        let expression = |expression: &Expression| RawExpression {
            key: expression.key.clone(),
            operator: expression.operator.clone(),
            values: expression.values.clone(),
        };
        RawSelector {
            labels: self.match_labels.clone(),
            expressions: self.match_expressions.iter().map(expression).collect(),
        }
    }
}

/// What is said of a policy. Written when it has changed.
#[derive(JsonSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SleepPolicyStatus {
    /// The version of the spec that this is about.
    observed_generation: Option<i64>,
    /// What it is about.
    matched: Option<Matched>,
    /// The workloads for which it decides now, of those that it is about.
    deciding: Option<i64>,
    /// When it will wish otherwise for some of them.
    #[schemars(schema_with = "date_time")]
    next_change: Option<String>,
    /// Accepted: whether the newest version of the spec is understood. Active: whether the daemon's mode lets it act.
    #[schemars(schema_with = "conditions")]
    conditions: Vec<Condition>,
}

/// What a policy is about.
#[derive(JsonSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(default)]
struct Matched {
    /// Namespaces, or those in which some workloads match.
    namespaces: Option<i64>,
    /// Workloads in them.
    workloads: Option<i64>,
    /// The first names of the namespaces.
    names: Option<Vec<String>>,
}

/// One condition, as Kubernetes has them.
#[derive(JsonSchema, Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    r#type: String,
    status: String,
    observed_generation: Option<i64>,
    last_transition_time: String,
    reason: String,
    message: String,
}

fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time", "nullable": true })
}

fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": { "type": "string" },
                "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
                "observedGeneration": { "type": "integer", "format": "int64" },
                "lastTransitionTime": { "type": "string", "format": "date-time" },
                "reason": { "type": "string" },
                "message": { "type": "string" },
            },
        },
    })
}

const ACCEPTED: &str = "Accepted";
const ACTIVE: &str = "Active";

/// The status as it is written. What is not said is null, which in a merge patch removes what was said before.
pub(crate) fn status(report: &PolicyReport) -> SleepPolicyStatus {
    let condition = |r#type: &str, since: Instant, [good, bad]: [(&str, &str); 2], problem: Option<&str>| {
        let (status, (reason, message)) = match problem {
            None => ("True", good),
            Some(problem) => ("False", (bad.0, problem)),
        };
        Condition {
            r#type: r#type.to_owned(),
            status: status.to_owned(),
            observed_generation: Some(report.generation),
            last_transition_time: seconds(since),
            reason: reason.to_owned(),
            message: message.to_owned(),
        }
    };
    let count = |number: usize| i64::try_from(number).ok();
    let matched = report.matched.as_ref();
    SleepPolicyStatus {
        observed_generation: Some(report.generation),
        matched: matched.map(|matched| Matched {
            namespaces: count(matched.namespaces),
            workloads: count(matched.workloads),
            names: Some(matched.names.iter().map(ToString::to_string).collect()),
        }),
        deciding: matched.and_then(|matched| count(matched.deciding)),
        next_change: matched.and_then(|matched| matched.next_change).map(seconds),
        conditions: vec![
            condition(
                ACCEPTED,
                report.since,
                [("Understood", "The policy is understood."), ("Malformed", "")],
                report.problem.as_deref(),
            ),
            condition(
                ACTIVE,
                report.idle_since,
                [("ModeAct", "The daemon acts by policies."), ("Mode", "")],
                report.idle.as_deref(),
            ),
        ],
    }
}

/// Kubernetes keeps whole seconds.
fn seconds(at: Instant) -> String {
    Instant(at.0.div_euclid(1_000) * 1_000).to_rfc3339()
}

/// What a status says that was written before: nothing if it is none of ours.
pub(crate) fn report(status: &SleepPolicyStatus) -> Option<PolicyReport> {
    let condition = |name: &str| {
        let condition = status.conditions.iter().find(|condition| condition.r#type == name)?;
        let problem = (condition.status != "True").then(|| condition.message.as_str().into());
        Some((problem, parse_rfc3339(&condition.last_transition_time)?))
    };
    let (problem, since) = condition(ACCEPTED)?;
    let (idle, idle_since) = condition(ACTIVE)?;
    let count = |number: Option<i64>| usize::try_from(number?).ok();
    let matched = match &status.matched {
        None => None,
        Some(matched) => Some(PolicyMatch {
            namespaces: count(matched.namespaces)?,
            workloads: count(matched.workloads)?,
            deciding: count(status.deciding)?,
            names: matched.names.iter().flatten().map(|name| name.as_str().into()).collect(),
            next_change: match &status.next_change {
                Some(text) => Some(parse_rfc3339(text)?),
                None => None,
            },
        }),
    };
    let generation = status.observed_generation?;
    Some(PolicyReport { generation, problem, since, idle, idle_since, matched })
}
