//! Namespaces: where people write their wishes.

use k8s_openapi::api::core::v1::Namespace;
use nightcap_core::cluster;

use super::{ReadError, Reader, Unreadable, keep, meta};

/// The record of a namespace.
pub(crate) fn namespace(object: &Namespace, reader: &mut Reader) -> Result<cluster::Namespace, Unreadable> {
    read(object, reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}

fn read(object: &Namespace, reader: &mut Reader) -> Result<cluster::Namespace, ReadError> {
    let meta = &object.metadata;
    let terminating =
        object.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Terminating"));
    Ok(cluster::Namespace {
        uid: meta::uid(meta)?,
        name: reader.names.get(meta::name(meta)?),
        resource_version: meta::resource_version(meta)?,
        created: meta::created(meta)?,
        labels: keep::all(meta.labels.as_ref(), &mut reader.names),
        annotations: reader.keep.filter_of_sleeper(meta.annotations.as_ref(), &mut reader.names),
        terminating: terminating || meta.deletion_timestamp.is_some(),
    })
}
