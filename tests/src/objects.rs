//! Builders of the objects that tests put into a cluster.
//!
//! Each holds a manifest; what a builder has no method for is merged in with `with`. `create` sends it and gives back the
//! object as the API server stored it.

mod namespace;
mod node;
mod workload;

pub use namespace::{NamespaceBuilder, namespace};
pub use node::{NodeBuilder, node};
pub use workload::{WorkloadBuilder, cron_job, daemon_set, deployment, job, pod, stateful_set};

use serde_json::{Map, Value};

/// Lays `patch` over `target`: maps are joined key by key, everything else is replaced.
fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert_with(|| Value::Object(Map::new())), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

/// A map of one entry.
fn entry(key: &str, value: impl Into<Value>) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_are_joined_and_the_rest_is_replaced() {
        let mut target = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        merge(&mut target, json!({"a": {"c": [3], "e": {"f": 2}}, "d": {"g": 3}}));
        assert_eq!(target, json!({"a": {"b": 1, "c": [3], "e": {"f": 2}}, "d": {"g": 3}}));
    }
}
