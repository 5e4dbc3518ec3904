//! Our own custom resources: their types, and the definitions that are installed.

mod budget;
mod policy;
#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod tests;

use kube::CustomResourceExt;
use serde_json::Value;

pub(crate) use budget::{Budget, status as budget_status};
pub(crate) use policy::{SleepPolicy, report as policy_report, status as policy_status};

/// A custom resource definition, as the API server takes it.
#[derive(Clone, PartialEq, Debug)]
pub struct Definition {
    /// Its name, such as `budgets.nightcap.dev`.
    pub name: String,
    /// The object.
    pub object: Value,
}

/// The definitions of all our custom resources.
pub fn definitions() -> Result<Vec<Definition>, serde_json::Error> {
    [Budget::crd(), SleepPolicy::crd()]
        .into_iter()
        .map(|definition| {
            let name = definition.metadata.name.clone().unwrap_or_default();
            Ok(Definition { name, object: serde_json::to_value(definition)? })
        })
        .collect()
}
