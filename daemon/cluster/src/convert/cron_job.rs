//! `CronJobs`.

use k8s_openapi::api::batch::v1::CronJob;
use nightcap_core::cluster::{Size, Workload, WorkloadKind};

use super::workload::{Parts, workload};
use super::{Reader, Unreadable, meta};

/// The record of a `CronJob`. Its Jobs are left to finish, so nothing of it ever rolls out.
pub(crate) fn cron_job(object: &CronJob, reader: &mut Reader) -> Result<Workload, Unreadable> {
    let parts = Parts {
        size: Size::Suspended(object.spec.suspend.unwrap_or(false)),
        template: object.spec.job_template.spec.as_ref().and_then(|job| job.template.spec.as_ref()),
        ..Parts::of(WorkloadKind::CronJob)
    };
    workload(&object.metadata, parts, reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}
