//! What all workloads have in common.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PodSpec, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nightcap_core::cluster::{Size, Switch, Workload, WorkloadKey, WorkloadKind};
use nightcap_core::units::Resources;

use super::{ReadError, Reader, keep, meta, requests};

/// What differs from kind to kind.
pub(super) struct Parts<'a> {
    pub(super) kind: WorkloadKind,
    pub(super) size: Size,
    pub(super) switch: Option<Switch>,
    pub(super) ready: Option<i32>,
    pub(super) wanted: Option<u32>,
    pub(super) template: Option<&'a PodSpec>,
    pub(super) deletes_claims_when_scaled: bool,
    pub(super) rolling_out: bool,
    pub(super) running: bool,
}

impl Parts<'_> {
    /// A kind, with nothing said of the rest yet.
    pub(super) const fn of(kind: WorkloadKind) -> Self {
        Self {
            kind,
            size: Size::Replicas(0),
            switch: None,
            ready: None,
            wanted: None,
            template: None,
            deletes_claims_when_scaled: false,
            rolling_out: false,
            running: false,
        }
    }
}

/// The record of a workload.
pub(super) fn workload(
    object: &ObjectMeta,
    parts: Parts<'_>,
    reader: &mut Reader,
) -> Result<Workload, ReadError> {
    Ok(Workload {
        key: WorkloadKey {
            namespace: reader.names.get(meta::namespace(object)?),
            kind: parts.kind,
            name: reader.names.get(meta::name(object)?),
        },
        uid: meta::uid(object)?,
        resource_version: meta::resource_version(object)?,
        created: meta::created(object)?,
        size: parts.size,
        ready_replicas: parts.ready.map_or(Ok(0), |ready| count("status.readyReplicas", ready))?,
        wanted_pods: parts.wanted,
        switch: parts.switch.map(Arc::new),
        pod_requests: parts.template.map_or_else(|| Ok(Resources::default()), requests::of_template)?,
        labels: keep::all(object.labels.as_ref(), &mut reader.names),
        annotations: reader.keep.filter_of_sleeper(object.annotations.as_ref(), &mut reader.names),
        deletes_claims_when_scaled: parts.deletes_claims_when_scaled,
        rolling_out: parts.rolling_out,
        running: parts.running,
        local_volumes: local_volumes(parts.template, reader),
        controller: meta::controller(object).map(|owner| owner.uid.as_str().into()),
        resource: None,
        governs: None,
    })
}

/// `spec.replicas`: one where it is left out.
pub(super) fn replicas(stated: Option<i32>) -> Result<Size, ReadError> {
    count("spec.replicas", stated.unwrap_or(1)).map(Size::Replicas)
}

/// Volumes that end with the pod: what is written to them is lost. One in memory is taken for scratch by whoever made it.
fn local_volumes(template: Option<&PodSpec>, reader: &mut Reader) -> Vec<Arc<str>> {
    let volumes = template.and_then(|template| template.volumes.as_ref()).into_iter().flatten();
    let on_disk = |volume: &&Volume| {
        let empty = volume.empty_dir.as_ref().is_some_and(|dir| dir.medium.as_deref() != Some("Memory"));
        empty || volume.ephemeral.is_some()
    };
    volumes.filter(on_disk).map(|volume| reader.names.get(&volume.name)).collect()
}

pub(super) fn count(field: &'static str, value: i32) -> Result<u32, ReadError> {
    u32::try_from(value).map_err(|_| ReadError::Negative { field, value })
}
