//! One kind: what is written to turn its objects off, and how they are read.

use std::sync::Arc;

use serde_json::Value;

use super::OperatorKindError;
use super::pointer::{is_pointer, keys_of, value_at};
use crate::cluster::{Fields, Size, Switch, WorkloadKey, WorkloadKind};

/// How objects of a kind are turned off, and on again to what they were.
#[derive(Clone, PartialEq, Debug)]
pub struct OperatorKind {
    /// API group.
    pub group: Arc<str>,
    /// Kind.
    pub kind: Arc<str>,
    /// What is written to turn one off, by JSON pointer. An object where all of this stands is off.
    pub off: Fields,
    /// Places by which their users stop them: whatever stands there is theirs, and such an object is left alone.
    pub own_pause: Vec<Arc<str>>,
    /// Where an object names the workload whose size it governs; that is not turned down besides.
    pub target: Option<Arc<str>>,
}

impl OperatorKind {
    /// A kind that is turned off by these values.
    pub fn new(group: &str, kind: &str, off: Fields) -> Result<Self, OperatorKindError> {
        let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !group.contains('.') || !group.split('.').all(|l| !l.is_empty() && l.chars().all(is_label)) {
            return Err(OperatorKindError::Group(group.to_owned()));
        }
        if kind.is_empty() || !kind.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(OperatorKindError::Kind(kind.to_owned()));
        }
        for (place, value) in &off {
            if !is_pointer(place) {
                return Err(OperatorKindError::Pointer(place.to_string()));
            }
            if !is_writable(place) {
                return Err(OperatorKindError::Place(place.to_string()));
            }
            if value.is_null() {
                return Err(OperatorKindError::Null(place.to_string()));
            }
        }
        if off.is_empty() {
            return Err(OperatorKindError::Nothing);
        }
        let (group, kind) = (group.into(), kind.into());
        Ok(Self { group, kind, off, own_pause: Vec::new(), target: None })
    }

    /// A kind that has its number of pods at this place.
    pub fn scaled(group: &str, kind: &str, replicas: &str) -> Result<Self, OperatorKindError> {
        Self::new(group, kind, Fields::from([(replicas.into(), 0.into())]))
    }

    /// Group and kind.
    pub(super) fn name(&self) -> (Arc<str>, Arc<str>) {
        (Arc::clone(&self.group), Arc::clone(&self.kind))
    }

    /// The kind of its objects as workloads: `Kind.group`, since kinds of two groups may have one name.
    pub fn workload_kind(&self) -> WorkloadKind {
        WorkloadKind::qualified(&self.group, &self.kind)
    }

    /// Whether an object's own users have stopped it. What Nightcap writes there itself is no such thing.
    fn is_paused(&self, object: &Value) -> bool {
        self.own_pause.iter().any(|place| match value_at(object, place) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) if text == "false" => false,
            found => found != self.off.get(place),
        })
    }

    /// Whether an object is off, and how it is turned.
    pub fn read(&self, object: &Value) -> (Size, Switch) {
        let is_off = self.off.iter().all(|(place, value)| value_at(object, place) == Some(value));
        let now = self.off.keys().map(|place| as_it_is(object, place)).collect();
        (Size::Off(is_off || self.is_paused(object)), Switch { off: self.off.clone(), now })
    }

    /// The workload of this namespace whose size the object governs. One that its users have stopped governs nothing.
    pub fn governs(&self, object: &Value, namespace: &Arc<str>) -> Option<WorkloadKey> {
        let reference = value_at(object, self.target.as_ref()?).filter(|_| !self.is_paused(object))?;
        let text = |key: &str| reference.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let group = text("apiVersion").and_then(|version| version.split_once('/')).map(|(group, _)| group);
        let kind = text("kind").unwrap_or("Deployment");
        let kind = match group {
            Some(group) if group != "apps" => WorkloadKind::qualified(group, kind),
            _ => WorkloadKind::from_name(kind),
        };
        Some(WorkloadKey { namespace: Arc::clone(namespace), kind, name: text("name")?.into() })
    }
}

/// Only what an operator reads is to be written: never a name, an owner or a finalizer.
fn is_writable(place: &str) -> bool {
    let keys: Vec<_> = keys_of(place).collect();
    match keys.first().map(AsRef::as_ref) {
        Some("spec") => keys.len() > 1,
        Some("metadata") => keys.len() == 3 && (keys[1] == "annotations" || keys[1] == "labels"),
        _ => false,
    }
}

/// What to write at a place to have it as it is now. Where a branch of the spec is missing, that is named, so that nothing
/// empty stays behind; annotations and labels are everybody's, and go one by one.
fn as_it_is(object: &Value, place: &str) -> (Arc<str>, Value) {
    if let Some(found) = value_at(object, place) {
        return (place.into(), found.clone());
    }
    if place.starts_with("/metadata/") {
        return (place.into(), Value::Null);
    }
    let ends = place.match_indices('/').map(|(at, _)| at).skip(2);
    let missing = ends
        .map(|end| &place[..end])
        .find(|branch| !matches!(value_at(object, branch), Some(found) if !found.is_null()));
    (missing.unwrap_or(place).into(), Value::Null)
}
