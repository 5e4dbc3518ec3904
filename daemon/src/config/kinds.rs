//! Kinds of operators' objects: how they are turned off, or that they are left alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use nightcap_core::cluster::{Fields, OperatorKind, OperatorKindError, OperatorKinds};
use serde::Deserialize;
use serde_json::Value;

use super::reader::{Reader, shown};

/// An item of `sleep.kinds`, as written.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Item {
    group: String,
    kind: String,
    /// The place of its number of pods.
    replicas: Option<String>,
    /// Places and values that turn it off, or `false`: it is left alone.
    off: Option<Value>,
}

pub(super) fn kinds(reader: &mut Reader<'_>) -> OperatorKinds {
    let items: Vec<Option<Item>> = reader.items("sleep.kinds").unwrap_or_default();
    let (mut seen, mut kinds) = (BTreeSet::new(), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        let Some(item) = item else { continue };
        let path = format!("sleep.kinds[{index}]");
        let name: (Arc<str>, Arc<str>) = (item.group.as_str().into(), item.kind.as_str().into());
        if !seen.insert(name.clone()) {
            reader.error(&path, format!("{} of {} is there twice: remove one", item.kind, item.group));
        }
        match switch(&item) {
            Ok(kind) => kinds.push((name, kind)),
            Err(problem) => reader.error(&path, problem),
        }
    }
    OperatorKinds::with(kinds)
}

fn switch(item: &Item) -> Result<Option<OperatorKind>, String> {
    let Item { group, kind, replicas, off } = item;
    let off = match (replicas, off) {
        (None, Some(Value::Bool(false))) => {
            return checked(OperatorKind::scaled(group, kind, "/spec/replicas")).map(|_| None);
        }
        (Some(place), None) => Fields::from([(place.as_str().into(), 0.into())]),
        (None, Some(Value::Object(off))) => {
            off.iter().map(|(place, value)| (place.as_str().into(), value.clone())).collect()
        }
        (None, Some(other)) => {
            return Err(format!(
                "off: {} is neither false, which leaves the kind alone, nor a map of places and values",
                shown(other)
            ));
        }
        (None, None) => return Err("give `replicas`, the place of its number of pods, or `off`".to_owned()),
        (Some(_), Some(_)) => return Err("give `replicas` or `off`, not both".to_owned()),
    };
    checked(OperatorKind::new(group, kind, off)).map(Some)
}

fn checked(kind: Result<OperatorKind, OperatorKindError>) -> Result<OperatorKind, String> {
    kind.map_err(|error| error.to_string())
}
