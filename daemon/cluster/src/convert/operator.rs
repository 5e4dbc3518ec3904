//! An operator's objects, whatever their kind: what turns them off is said by their [`OperatorKind`].

use std::sync::Arc;

use k8s_openapi::api::core::v1::PodSpec;
use kube::api::DynamicObject;
use nightcap_core::cluster::{OperatorKind, Resource, Size, Workload};
use serde_json::{Map, Value, json};

use super::workload::{Parts, workload};
use super::{ReadError, Reader, Unreadable, meta};

/// The record of an operator's object.
pub(crate) fn operator_object(
    object: &DynamicObject,
    kind: &OperatorKind,
    resource: &Arc<Resource>,
    reader: &mut Reader,
) -> Result<Workload, Unreadable> {
    read(object, kind, resource, reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}

fn read(
    object: &DynamicObject,
    kind: &OperatorKind,
    resource: &Arc<Resource>,
    reader: &mut Reader,
) -> Result<Workload, ReadError> {
    let seen = writable_part(object);
    let (size, switch) = kind.read(&seen);
    let template = object.data.pointer("/spec/template/spec");
    let template = template.and_then(|spec| serde_json::from_value::<PodSpec>(spec.clone()).ok());
    let ready = number(&object.data, "/status/readyReplicas");
    let size_of_pods = switch.now.values().find_map(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let parts = Parts {
        size,
        ready: ready.and_then(|ready| i32::try_from(ready).ok()),
        // Only of what tells its ready pods it can be known whether it is up again.
        wanted: size_of_pods.filter(|_| ready.is_some()),
        template: template.as_ref(),
        deletes_claims_when_scaled: deletes_claims(&object.data),
        rolling_out: size == Size::Off(false) && rolling_out(object, &kind.kind),
        switch: Some(switch),
        ..Parts::of(kind.workload_kind())
    };
    let record = workload(&object.metadata, parts, reader)?;
    let governs = kind.governs(&seen, &record.key.namespace).map(Arc::new);
    Ok(Workload { resource: Some(Arc::clone(resource)), governs, ..record })
}

/// What of an object may be written: its spec, annotations and labels.
fn writable_part(object: &DynamicObject) -> Value {
    let metadata = json!({ "annotations": object.metadata.annotations, "labels": object.metadata.labels });
    let spec = object.data.get("spec").cloned().unwrap_or_default();
    Value::Object(Map::from_iter([("metadata".to_owned(), metadata), ("spec".to_owned(), spec)]))
}

fn number(data: &Value, place: &str) -> Option<i64> {
    data.pointer(place)?.as_i64()
}

/// Operators that pass this on to their `StatefulSet` call it by its name there.
fn deletes_claims(data: &Value) -> bool {
    let policy = data.pointer("/spec/persistentVolumeClaimRetentionPolicy/whenScaled");
    policy.and_then(Value::as_str) == Some("Delete")
}

/// Whether its operator has not seen its newest spec, or says that it is in the middle of something.
fn rolling_out(object: &DynamicObject, kind: &str) -> bool {
    // Argo writes it as a text.
    let observed = object.data.pointer("/status/observedGeneration");
    let observed = observed.and_then(|seen| seen.as_i64().or_else(|| seen.as_str()?.parse().ok()));
    let behind = observed.is_some_and(|seen| seen < object.metadata.generation.unwrap_or(0));
    let phase = object.data.pointer("/status/phase").and_then(Value::as_str);
    behind || kind == "Rollout" && phase == Some("Progressing")
}
