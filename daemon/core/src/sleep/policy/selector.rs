//! Selectors of labels, as Kubernetes has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PolicyError;
use crate::cluster::Keys;

/// What a label must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// One of the values.
    In,
    /// None of the values, or not there.
    NotIn,
    /// There, whatever its value.
    Exists,
    /// Not there.
    DoesNotExist,
}

impl Operator {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "In" => Some(Self::In),
            "NotIn" => Some(Self::NotIn),
            "Exists" => Some(Self::Exists),
            "DoesNotExist" => Some(Self::DoesNotExist),
            _ => None,
        }
    }

    const fn takes_values(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }
}

/// One thing that must hold of a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requirement {
    /// The label's key.
    pub key: Arc<str>,
    /// What it must be.
    pub operator: Operator,
    /// With [`Operator::In`] and [`Operator::NotIn`].
    pub values: Vec<Arc<str>>,
}

impl Requirement {
    fn holds(&self, labels: &Keys) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// A selector: all of its requirements must hold; one without any selects everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LabelSelector {
    /// Labels with their values.
    pub labels: Keys,
    /// Further requirements.
    pub requirements: Vec<Requirement>,
}

impl LabelSelector {
    /// Whether it selects what has these labels.
    pub fn matches(&self, labels: &Keys) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.requirements.iter().all(|requirement| requirement.holds(labels))
    }
}

/// A selector as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RawSelector {
    /// `matchLabels`.
    pub labels: BTreeMap<String, String>,
    /// `matchExpressions`.
    pub expressions: Vec<RawExpression>,
}

/// One of `matchExpressions` as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RawExpression {
    /// The label's key.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// With the first two.
    pub values: Vec<String>,
}

impl RawSelector {
    /// What it says; `field` is where it stands.
    pub(super) fn read(&self, field: &'static str) -> Result<LabelSelector, PolicyError> {
        let requirement = |raw: &RawExpression| {
            let wrong =
                |value: &str, problem| PolicyError::Selector { field, value: value.to_owned(), problem };
            let operator = Operator::from_name(&raw.operator).ok_or_else(|| {
                wrong(&raw.operator, "is no operator: use In, NotIn, Exists or DoesNotExist")
            })?;
            if raw.key.trim().is_empty() {
                return Err(wrong(&raw.key, "is no key of a label: name one"));
            }
            if operator.takes_values() == raw.values.is_empty() {
                let problem = if raw.values.is_empty() { "needs values" } else { "takes no values" };
                return Err(wrong(&format!("{} {}", raw.key, raw.operator), problem));
            }
            let values = raw.values.iter().map(|value| value.as_str().into()).collect();
            Ok(Requirement { key: raw.key.as_str().into(), operator, values })
        };
        Ok(LabelSelector {
            labels: self
                .labels
                .iter()
                .map(|(key, value)| (key.as_str().into(), value.as_str().into()))
                .collect(),
            requirements: self.expressions.iter().map(requirement).collect::<Result<_, _>>()?,
        })
    }
}
