//! What Deployments, `StatefulSets` and `CronJobs` have in common.

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nightcap_core::cluster::{Size, Workload, WorkloadKey, WorkloadKind};
use nightcap_core::units::Resources;

use super::{ReadError, Reader, meta, requests};

/// What differs from kind to kind.
pub(super) struct Parts<'a> {
    pub(super) kind: WorkloadKind,
    pub(super) size: Size,
    pub(super) ready: Option<i32>,
    pub(super) template: Option<&'a PodSpec>,
    pub(super) deletes_claims_when_scaled: bool,
    pub(super) rolling_out: bool,
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
        pod_requests: parts.template.map_or_else(|| Ok(Resources::default()), requests::of_template)?,
        labels: reader.keep.filter_of_sleeper(object.labels.as_ref(), &mut reader.names),
        annotations: reader.keep.filter_of_sleeper(object.annotations.as_ref(), &mut reader.names),
        deletes_claims_when_scaled: parts.deletes_claims_when_scaled,
        rolling_out: parts.rolling_out,
        controlled: meta::controller(object).is_some(),
    })
}

/// `spec.replicas`: one where it is left out.
pub(super) fn replicas(stated: Option<i32>) -> Result<Size, ReadError> {
    count("spec.replicas", stated.unwrap_or(1)).map(Size::Replicas)
}

fn count(field: &'static str, value: i32) -> Result<u32, ReadError> {
    u32::try_from(value).map_err(|_| ReadError::Negative { field, value })
}
