//! The exact requests by which objects are changed. Pure.

use nightcap_core::cluster::{Resource, Size, WorkloadKey, WorkloadKind};
use nightcap_core::engine::BudgetReport;
use nightcap_core::sleep::policy::PolicyReport;
use nightcap_core::sleep::{AnnotationPatch, WorkloadPatch};
use nightcap_core::units::Instant;
use serde_json::{Map, Value, json};

use crate::crd;
use crate::reply::Call;

/// The one write that changes a workload's size and marks together. It states UID and version, so that neither a
/// change in between nor a new object of the same name is ever overwritten.
pub(super) fn workload(patch: &WorkloadPatch, resource_version: &str) -> Result<Call, String> {
    let path = path(&patch.target, patch.resource.as_deref())?;
    let mut metadata = Map::from_iter([
        ("uid".to_owned(), json!(patch.uid)),
        ("resourceVersion".to_owned(), json!(resource_version)),
    ]);
    if !patch.annotations.is_empty() {
        metadata.insert("annotations".to_owned(), annotations(&patch.annotations));
    }
    let mut body = json!({ "metadata": metadata });
    match patch.size {
        Some(Size::Off(_)) => {
            for (place, value) in &patch.fields {
                write_at(&mut body, place, value);
            }
        }
        Some(size) => body["spec"] = spec(&patch.target, size)?,
        None => {}
    }
    Ok(Call::merge(&path, body))
}

/// Tells the `CronJob` controller that all runs up to an instant are accounted for. States the version too: if it
/// holds, what this write makes is what was decided on plus this one field, and nothing else.
pub(super) fn skip_runs(patch: &WorkloadPatch, until: Instant) -> Result<Call, String> {
    if patch.target.kind != WorkloadKind::CronJob {
        return Err(format!("{} has no runs to skip: only a CronJob has", patch.target));
    }
    // Kubernetes keeps whole seconds. Rounded down: a run of the very second counts as missed, as it is.
    let seconds = Instant(until.0.div_euclid(1_000) * 1_000).to_rfc3339();
    let metadata = json!({ "uid": patch.uid, "resourceVersion": patch.resource_version });
    let body = json!({ "metadata": metadata, "status": { "lastScheduleTime": seconds } });
    Ok(Call::merge(&format!("{}/status", path(&patch.target, None)?), body))
}

/// Our annotations on a namespace. The keys are ours alone, so that any version of the object will do.
pub(super) fn namespace(name: &str, uid: &str, patch: &AnnotationPatch) -> Call {
    let body = json!({ "metadata": { "uid": uid, "annotations": annotations(patch) } });
    Call::merge(&format!("/api/v1/namespaces/{name}"), body)
}

/// The status of a budget, which is all ours: any version of the object will do.
pub(super) fn budget_status(name: &str, uid: &str, report: &BudgetReport) -> Call {
    let body = json!({ "metadata": { "uid": uid }, "status": crd::budget_status(report) });
    Call::merge(&format!("/apis/nightcap.dev/v1alpha1/budgets/{name}/status"), body)
}

/// The status of a sleep policy, which is all ours as well.
pub(super) fn policy_status(name: &str, uid: &str, report: &PolicyReport) -> Call {
    let body = json!({ "metadata": { "uid": uid }, "status": crd::policy_status(report) });
    Call::merge(&format!("/apis/nightcap.dev/v1alpha1/sleeppolicies/{name}/status"), body)
}

fn annotations(patch: &AnnotationPatch) -> Value {
    // In a merge patch, null removes.
    patch.iter().map(|(key, value)| (key.to_string(), json!(value))).collect::<Map<_, _>>().into()
}

/// Lays a value into a merge patch, at the place that a JSON pointer (RFC 6901) names.
fn write_at(body: &mut Value, pointer: &str, value: &Value) {
    let mut place = body;
    for key in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[key.replace("~1", "/").replace("~0", "~")];
    }
    *place = value.clone();
}

fn spec(target: &WorkloadKey, size: Size) -> Result<Value, String> {
    match (&target.kind, size) {
        (WorkloadKind::CronJob | WorkloadKind::Job, Size::Suspended(suspend)) => {
            Ok(json!({ "suspend": suspend }))
        }
        (
            WorkloadKind::Deployment
            | WorkloadKind::StatefulSet
            | WorkloadKind::ReplicaSet
            | WorkloadKind::ReplicationController,
            Size::Replicas(replicas),
        ) => Ok(json!({ "replicas": replicas })),
        _ => Err(format!("{target} cannot have the size \"{size}\"")),
    }
}

fn path(target: &WorkloadKey, resource: Option<&Resource>) -> Result<String, String> {
    if let Some(Resource { group, version, plural }) = resource {
        let WorkloadKey { namespace, name, .. } = target;
        return Ok(format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}"));
    }
    let (api, plural) = match &target.kind {
        WorkloadKind::Deployment => ("apis/apps/v1", "deployments"),
        WorkloadKind::StatefulSet => ("apis/apps/v1", "statefulsets"),
        WorkloadKind::DaemonSet => ("apis/apps/v1", "daemonsets"),
        WorkloadKind::ReplicaSet => ("apis/apps/v1", "replicasets"),
        WorkloadKind::ReplicationController => ("api/v1", "replicationcontrollers"),
        WorkloadKind::CronJob => ("apis/batch/v1", "cronjobs"),
        WorkloadKind::Job => ("apis/batch/v1", "jobs"),
        WorkloadKind::Other(other) => return Err(format!("the kind {other} is never changed")),
    };
    Ok(format!("/{api}/namespaces/{}/{plural}/{}", target.namespace, target.name))
}
