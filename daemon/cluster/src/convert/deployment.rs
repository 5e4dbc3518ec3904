//! Deployments.

use k8s_openapi::api::apps::v1::Deployment;
use nightcap_core::cluster::{Workload, WorkloadKind};

use super::workload::{Parts, replicas, workload};
use super::{ReadError, Reader, Unreadable, meta};

/// The record of a Deployment.
pub(crate) fn deployment(object: &Deployment, reader: &mut Reader) -> Result<Workload, Unreadable> {
    read(object, reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}

fn read(object: &Deployment, reader: &mut Reader) -> Result<Workload, ReadError> {
    let parts = Parts {
        size: replicas(object.spec.replicas)?,
        ready: object.status.as_ref().and_then(|status| status.ready_replicas),
        template: object.spec.template.spec.as_ref(),
        rolling_out: rolling_out(object),
        ..Parts::of(WorkloadKind::Deployment)
    };
    workload(&object.metadata, parts, reader)
}

/// Whether pods of an older revision are still being replaced.
///
/// Pods of older revisions are those that count but are not up to date. Where all pods are of one revision, nothing
/// rolls, however many are missing or crash: that is scaling, or a fault. A rollout that its controller has given up
/// on is none any more, or one broken image would keep a space awake for good.
fn rolling_out(object: &Deployment) -> bool {
    let Some(status) = &object.status else { return false };
    if status.observed_generation.unwrap_or(0) < object.metadata.generation.unwrap_or(0) {
        return true;
    }
    let given_up = status.conditions.iter().flatten().any(|condition| {
        condition.type_.as_deref() == Some("Progressing")
            && condition.reason.as_deref() == Some("ProgressDeadlineExceeded")
    });
    status.updated_replicas.unwrap_or(0) < status.replicas.unwrap_or(0) && !given_up
}
