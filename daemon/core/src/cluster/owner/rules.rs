//! What the configuration says of owners.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::UserMap;

/// Labels that rows can be grouped by unless the configuration names others.
pub const DEFAULT_LABELS: [&str; 8] = [
    "app",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "env",
    "environment",
    "tier",
    "product",
    "department",
];

/// One configured rule: what meets all its conditions belongs to this team.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamRule {
    /// Namespace name; a `*` stands for any text. With a `/` in it, it is held against the space, such as
    /// `host/dev/pay-*` for virtual namespaces. Left out, it matches all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels with their values; a `*` in a value stands for any text. A pod's label comes before its workload's,
    /// that before its namespace's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The team.
    pub team: String,
    /// The owner, if the rule names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// How teams and owners are found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TeamRules {
    /// Prefix of our own annotations, such as `nightcap.dev`.
    pub prefix: Arc<str>,
    /// Rules by namespace and label, first match wins.
    pub rules: Vec<TeamRule>,
    /// Label or annotation keys that name the team, in order.
    pub team_keys: Vec<Arc<str>>,
    /// Label or annotation keys that name the owner, in order.
    pub owner_keys: Vec<Arc<str>>,
    /// Label or annotation keys that name the department, in order: the team where nothing else names one.
    pub department_keys: Vec<Arc<str>>,
    /// Teams of people.
    pub users: UserMap,
    /// Names of Rancher's projects by id, `p-abc12` or `c-m-abc:p-abc12`.
    pub projects: BTreeMap<Arc<str>, Arc<str>>,
    /// Label key that names the tier of a namespace.
    pub tier_key: Arc<str>,
    /// Label keys that rows can be grouped by, beside those that name teams and owners.
    pub labels: Vec<Arc<str>>,
}

impl Default for TeamRules {
    fn default() -> Self {
        Self {
            prefix: "nightcap.dev".into(),
            rules: Vec::new(),
            team_keys: vec!["team".into()],
            owner_keys: vec!["owner".into()],
            department_keys: vec!["department".into(), "dept".into()],
            users: UserMap::default(),
            projects: BTreeMap::new(),
            tier_key: "tier".into(),
            labels: DEFAULT_LABELS.iter().map(|&key| key.into()).collect(),
        }
    }
}

impl TeamRules {
    /// The labels that rows can be grouped by.
    pub(super) fn grouping(&self) -> Vec<Arc<str>> {
        let mut keys: Vec<Arc<str>> =
            [&self.labels, &self.team_keys, &self.owner_keys, &self.department_keys]
                .into_iter()
                .flatten()
                .cloned()
                .collect();
        keys.sort();
        keys.dedup();
        keys
    }
}
