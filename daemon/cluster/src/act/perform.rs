//! One action, from request to outcome.

use std::time::Duration;

use nightcap_core::engine::{BudgetReport, Outcome};
use nightcap_core::sleep::policy::PolicyReport;
use nightcap_core::sleep::{AnnotationPatch, WorkloadPatch};

use super::patch;
use crate::Cluster;
use crate::reply::Call;

/// How often the second half of a write in two halves is tried before both begin anew.
const SECOND_HALF_TRIES: u32 = 3;
/// The pause between these tries, if the API server asks for no other.
const SECOND_HALF_PAUSE: Duration = Duration::from_millis(250);

/// Changes a workload.
pub(crate) async fn write_workload(cluster: &Cluster, wanted: &WorkloadPatch, timeout: Duration) -> Outcome {
    let Some(until) = wanted.skip_runs_until else {
        return write(cluster, patch::workload(wanted, &wanted.resource_version), timeout).await;
    };
    // First the status, then the spec: the other way round, the controller could start a missed run in between.
    let version = match write(cluster, patch::skip_runs(wanted, until), timeout).await {
        Outcome::Done { resource_version } => resource_version,
        other => return other,
    };
    // A second half that fails would have the first done again: on a bad day both in a row may take very long.
    let mut tries = 1;
    loop {
        match write(cluster, patch::workload(wanted, &version), timeout).await {
            Outcome::Retry { after, .. } if tries < SECOND_HALF_TRIES => {
                tokio::time::sleep(after.map_or(SECOND_HALF_PAUSE, |millis| {
                    Duration::from_millis(millis.0.unsigned_abs()).min(timeout)
                }))
                .await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
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

/// Deletes a pod, if it is still the one with this UID.
pub(crate) async fn delete_pod(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    uid: &str,
    timeout: Duration,
) -> Outcome {
    let call = Call::delete(&format!("/api/v1/namespaces/{namespace}/pods/{name}"), uid);
    write(cluster, Ok(call), timeout).await
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

/// Writes the status of a sleep policy.
pub(crate) async fn write_policy(
    cluster: &Cluster,
    name: &str,
    uid: &str,
    report: &PolicyReport,
    timeout: Duration,
) -> Outcome {
    write(cluster, Ok(patch::policy_status(name, uid, report)), timeout).await
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
