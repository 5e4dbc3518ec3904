//! The pause of a vCluster, in the words of `vcluster pause` and `vcluster resume`, so that either side wakes what the other
//! has put to sleep. They are written beside our own marks, in the same patch.

use std::sync::Arc;

use super::{AnnotationPatch, Original};
use crate::cluster::{Keys, Size, Workload, WorkloadKind, control_plane_part};
use crate::units::Instant;

const PAUSED: &str = "loft.sh/paused";
const PAUSED_REPLICAS: &str = "loft.sh/paused-replicas";
const PAUSED_DATE: &str = "loft.sh/paused-date";

/// Whether it is one of the keys.
pub fn is_pause_key(key: &str) -> bool {
    matches!(key, PAUSED | PAUSED_REPLICAS | PAUSED_DATE)
}

/// Whether the workload is part of a vCluster's control plane.
pub fn is_control_plane(workload: &Workload) -> bool {
    matches!(workload.key.kind, WorkloadKind::StatefulSet | WorkloadKind::Deployment)
        && control_plane_part(&workload.labels).is_some()
}

/// Whether a pause stands on it, whoever wrote that.
pub fn is_paused(annotations: &Keys) -> bool {
    annotations.get(PAUSED).is_some_and(|value| &**value == "true")
}

/// What a sleeping control plane carries besides our marks; nothing for other workloads.
pub(super) fn pause(workload: &Workload, original: &Original, now: Instant) -> AnnotationPatch {
    if !is_control_plane(workload) {
        return AnnotationPatch::new();
    }
    let replicas = original.replicas.unwrap_or(1);
    // Its own layout: milliseconds, always three.
    let date = now.to_chrono().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    AnnotationPatch::from([
        (PAUSED.into(), Some("true".into())),
        (PAUSED_REPLICAS.into(), Some(replicas.to_string().into())),
        (PAUSED_DATE.into(), Some(date.into())),
    ])
}

/// What of it is removed on waking.
pub(super) fn resume(workload: &Workload) -> AnnotationPatch {
    if !is_control_plane(workload) {
        return AnnotationPatch::new();
    }
    [PAUSED, PAUSED_REPLICAS, PAUSED_DATE].into_iter().map(|key| (Arc::from(key), None)).collect()
}

/// The size that `vcluster resume` would give back; 1 where that cannot be read.
pub(super) fn paused_size(annotations: &Keys) -> Size {
    let saved = annotations.get(PAUSED_REPLICAS).and_then(|text| text.parse().ok());
    Size::Replicas(saved.unwrap_or(1))
}
