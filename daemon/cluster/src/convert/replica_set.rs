//! `ReplicaSets` and `ReplicationControllers` that stand alone: those of a Deployment are its own business.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::ReplicationController;
use nightcap_core::cluster::{Workload, WorkloadKind};

use super::workload::{Parts, replicas, workload};
use super::{ReadError, Reader, Unreadable, meta};

/// The record of a `ReplicaSet`.
pub(crate) fn replica_set(object: &ReplicaSet, reader: &mut Reader) -> Result<Workload, Unreadable> {
    let read = |reader: &mut Reader| -> Result<Workload, ReadError> {
        let parts = Parts {
            size: replicas(object.spec.replicas)?,
            ready: object.status.as_ref().and_then(|status| status.ready_replicas),
            template: object.spec.template.as_ref().and_then(|template| template.spec.as_ref()),
            ..Parts::of(WorkloadKind::ReplicaSet)
        };
        workload(&object.metadata, parts, reader)
    };
    read(reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}

/// The record of a `ReplicationController`.
pub(crate) fn replication_controller(
    object: &ReplicationController,
    reader: &mut Reader,
) -> Result<Workload, Unreadable> {
    let read = |reader: &mut Reader| -> Result<Workload, ReadError> {
        let spec = object.spec.as_ref();
        let parts = Parts {
            size: replicas(spec.and_then(|spec| spec.replicas))?,
            ready: object.status.as_ref().and_then(|status| status.ready_replicas),
            template: spec.and_then(|spec| spec.template.as_ref()?.spec.as_ref()),
            ..Parts::of(WorkloadKind::ReplicationController)
        };
        workload(&object.metadata, parts, reader)
    };
    read(reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}
