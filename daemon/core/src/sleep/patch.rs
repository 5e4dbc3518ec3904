//! The one write that puts a workload to sleep or wakes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::{Fields, Resource, Size, WorkloadKey};
use crate::units::Instant;

/// Annotations to write (`Some`) and to remove (`None`), by full key.
pub type AnnotationPatch = BTreeMap<Arc<str>, Option<Arc<str>>>;

/// One write to one workload: size and marks together, or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkloadPatch {
    /// The workload.
    pub target: WorkloadKey,
    /// Where it is served, if it is an operator's object.
    pub resource: Option<Arc<Resource>>,
    /// Its UID: the patch must not hit a new object of the same name.
    pub uid: Arc<str>,
    /// The state this was decided on; sent along, so that a change in between makes a conflict.
    pub resource_version: Arc<str>,
    /// The new size, if it changes.
    pub size: Option<Size>,
    /// What a switch writes, where the size is turned by one.
    pub fields: Fields,
    /// Annotations of the workload's own metadata.
    pub annotations: AnnotationPatch,
    /// For a waking `CronJob`: before it is resumed, `status.lastScheduleTime` is set to this instant, so that the
    /// runs it missed are not made up for.
    pub skip_runs_until: Option<Instant>,
}
