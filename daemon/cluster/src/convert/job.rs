//! Jobs that stand alone: those of a `CronJob` are runs of it, and run to their end.

use k8s_openapi::api::batch::v1::Job;
use nightcap_core::cluster::{Size, Workload, WorkloadKind};

use super::workload::{Parts, workload};
use super::{Reader, Unreadable, meta};

/// The record of a Job. One that has started runs to its end; only what has not begun is suspended.
pub(crate) fn job(object: &Job, reader: &mut Reader) -> Result<Workload, Unreadable> {
    let suspended = object.spec.as_ref().and_then(|spec| spec.suspend).unwrap_or(false);
    let status = object.status.as_ref();
    let started = status.is_some_and(|status| status.start_time.is_some() || status.active.unwrap_or(0) > 0);
    let parts = Parts {
        size: Size::Suspended(suspended),
        ready: status.and_then(|status| status.ready),
        template: object.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()),
        running: started && !suspended,
        ..Parts::of(WorkloadKind::Job)
    };
    workload(&object.metadata, parts, reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}

/// Whether it has run to its end, well or not: then there is nothing to put to sleep.
pub(crate) fn job_has_ended(object: &Job) -> bool {
    let conditions = object.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|c| matches!(c.type_.as_str(), "Complete" | "Failed") && c.status == "True")
}
