//! What every object has: a name, a UID, a version, a time of creation.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use nightcap_core::units::Instant;

use super::{ReadError, Unreadable, instant};

/// The object as people write it: `namespace/name`, or `name` for what has no namespace.
pub(crate) fn object_name(meta: &ObjectMeta) -> Arc<str> {
    let name = meta.name.as_deref().unwrap_or("(no name)");
    match &meta.namespace {
        Some(namespace) => format!("{namespace}/{name}").into(),
        None => name.into(),
    }
}

/// The error as one of this object.
pub(super) fn unreadable(meta: &ObjectMeta, error: &ReadError) -> Unreadable {
    Unreadable { object: object_name(meta), reason: error.to_string().into() }
}

pub(super) fn uid(meta: &ObjectMeta) -> Result<Arc<str>, ReadError> {
    required(meta.uid.as_deref(), "metadata.uid").map(Into::into)
}

pub(super) fn name(meta: &ObjectMeta) -> Result<&str, ReadError> {
    required(meta.name.as_deref(), "metadata.name")
}

pub(super) fn namespace(meta: &ObjectMeta) -> Result<&str, ReadError> {
    required(meta.namespace.as_deref(), "metadata.namespace")
}

pub(super) fn resource_version(meta: &ObjectMeta) -> Result<Arc<str>, ReadError> {
    required(meta.resource_version.as_deref(), "metadata.resourceVersion").map(Into::into)
}

pub(super) fn created(meta: &ObjectMeta) -> Result<Instant, ReadError> {
    let at = meta.creation_timestamp.as_ref().ok_or(ReadError::Missing("metadata.creationTimestamp"))?;
    Ok(instant(at))
}

/// The one owner that manages the object.
pub(super) fn controller(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

fn required<'a>(value: Option<&'a str>, field: &'static str) -> Result<&'a str, ReadError> {
    value.filter(|value| !value.is_empty()).ok_or(ReadError::Missing(field))
}

/// Whether no controller owns the object.
pub(crate) fn stands_alone(meta: &ObjectMeta) -> bool {
    controller(meta).is_none()
}
