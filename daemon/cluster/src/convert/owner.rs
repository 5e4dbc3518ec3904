//! Who made a pod: its controller, followed upwards where names and labels prove it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nightcap_core::cluster::{WorkloadKey, WorkloadKind};

use super::{Interner, meta};

/// Label with the hash that a Deployment, or an Argo Rollout, puts into the name of its `ReplicaSets`.
const HASHES: [(&str, &str); 2] =
    [("pod-template-hash", "Deployment"), ("rollouts-pod-template-hash", "Rollout")];

/// The workload that a pod belongs to; `None` for a bare pod.
///
/// A `ReplicaSet` named `<name>-<hash of its pods>` belongs to the Deployment of that name. A Job is left as it is:
/// only who knows all `CronJobs` can tell whether one of them made it. A static pod is owned by its node.
pub(super) fn owner(pod: &ObjectMeta, namespace: &str, names: &mut Interner) -> Option<WorkloadKey> {
    let controller = meta::controller(pod)?;
    let (kind, name) = followed(pod, &controller.kind, &controller.name);
    let kind = match WorkloadKind::from_name(kind) {
        WorkloadKind::Other(kind) => WorkloadKind::Other(names.get(&kind)),
        known => known,
    };
    Some(WorkloadKey { namespace: names.get(namespace), kind, name: names.get(name) })
}

fn followed<'a>(pod: &ObjectMeta, kind: &'a str, name: &'a str) -> (&'a str, &'a str) {
    if kind != "ReplicaSet" {
        return (kind, name);
    }
    let above = HASHES.into_iter().find_map(|(label, above)| {
        let hash = pod.labels.as_ref()?.get(label)?;
        let stem = name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
        Some((above, stem))
    });
    above.filter(|(_, stem)| !stem.is_empty()).unwrap_or((kind, name))
}
