//! One action, from request to outcome.

use std::sync::Arc;
use std::time::Duration;

use nightcap_core::engine::{BudgetReport, Outcome};
use nightcap_core::sleep::{AnnotationPatch, WorkloadPatch};

use super::patch;
use crate::Cluster;
use crate::reply::Call;

/// Changes a workload.
pub(crate) async fn write_workload(cluster: &Cluster, wanted: &WorkloadPatch, timeout: Duration) -> Outcome {
    let mut version = Arc::clone(&wanted.resource_version);
    if let Some(until) = wanted.skip_runs_until {
        // First the status, then the spec: the other way round, the controller could start a missed run in between.
        match write(cluster, patch::skip_runs(wanted, until), timeout).await {
            Outcome::Done { resource_version } => version = resource_version,
            other => return other,
        }
    }
    write(cluster, patch::workload(wanted, &version), timeout).await
}

/// Changes a namespace's annotations.
pub(crate) async fn write_namespace(
    cluster: &Cluster,
    name: &str,
    uid: &str,
    annotations: &AnnotationPatch,
    timeout: Duration,
) -> Outcome {
    write(cluster, Ok(patch::namespace(name, uid, annotations)), timeout).await
}

/// Writes the status of a budget.
pub(crate) async fn write_budget(
    cluster: &Cluster,
    name: &str,
    uid: &str,
    report: &BudgetReport,
    timeout: Duration,
) -> Outcome {
    write(cluster, Ok(patch::budget_status(name, uid, report)), timeout).await
}

async fn write(cluster: &Cluster, call: Result<Call, String>, timeout: Duration) -> Outcome {
    match call {
        Ok(call) => match cluster.call(&call, timeout).await {
            Ok(reply) => reply.outcome(),
            Err(none) => none.into(),
        },
        Err(reason) => Outcome::Refused { reason: reason.into() },
    }
}
