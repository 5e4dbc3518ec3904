//! `StatefulSets`.

use k8s_openapi::api::apps::v1::StatefulSet;
use nightcap_core::cluster::{Workload, WorkloadKind};

use super::workload::{Parts, replicas, workload};
use super::{ReadError, Reader, Unreadable, meta};

/// The record of a `StatefulSet`.
pub(crate) fn stateful_set(object: &StatefulSet, reader: &mut Reader) -> Result<Workload, Unreadable> {
    read(object, reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}

fn read(object: &StatefulSet, reader: &mut Reader) -> Result<Workload, ReadError> {
    let retention = object.spec.persistent_volume_claim_retention_policy.as_ref();
    let parts = Parts {
        size: replicas(object.spec.replicas)?,
        ready: object.status.as_ref().and_then(|status| status.ready_replicas),
        template: object.spec.template.spec.as_ref(),
        deletes_claims_when_scaled: retention.and_then(|r| r.when_scaled.as_deref()) == Some("Delete"),
        rolling_out: rolling_out(object),
        ..Parts::of(WorkloadKind::StatefulSet)
    };
    workload(&object.metadata, parts, reader)
}

/// Whether pods of an older revision are still being replaced by the controller.
///
/// Pods below the partition stay old by intent, and with `OnDelete` a person decides when: neither is a rollout
/// under way.
fn rolling_out(object: &StatefulSet) -> bool {
    let Some(status) = &object.status else { return false };
    if status.observed_generation.unwrap_or(0) < object.metadata.generation.unwrap_or(0) {
        return true;
    }
    let strategy = object.spec.update_strategy.as_ref();
    if strategy.and_then(|s| s.type_.as_deref()) == Some("OnDelete") {
        return false;
    }
    let partition = strategy.and_then(|s| s.rolling_update.as_ref()).and_then(|r| r.partition).unwrap_or(0);
    let to_update = object.spec.replicas.unwrap_or(1).saturating_sub(partition);
    status.current_revision != status.update_revision && status.updated_replicas.unwrap_or(0) < to_update
}
