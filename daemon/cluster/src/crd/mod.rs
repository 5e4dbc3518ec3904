//! Our own custom resources: their types, and the definitions that are installed.

mod budget;
#[cfg(test)]
mod tests;

use kube::CustomResourceExt;
use serde_json::Value;

pub(crate) use budget::{Budget, status as budget_status};

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
    let budget = Budget::crd();
    let name = budget.metadata.name.clone().unwrap_or_default();
    Ok(vec![Definition { name, object: serde_json::to_value(budget)? }])
}
