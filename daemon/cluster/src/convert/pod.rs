//! Pods: who holds how much of which node, from when to when.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nightcap_core::cluster::{self, OwnerFacts, PodPhase};
use nightcap_core::units::Instant;

use super::owner::owner;
use super::{ReadError, Reader, Unreadable, fargate, instant, meta, requests};

/// The record of a pod.
pub(crate) fn pod(pod: &Pod, reader: &mut Reader) -> Result<cluster::Pod, Unreadable> {
    read(pod, reader).map_err(|error| meta::unreadable(&pod.metadata, &error))
}

fn read(pod: &Pod, reader: &mut Reader) -> Result<cluster::Pod, ReadError> {
    let spec = pod.spec.as_ref().ok_or(ReadError::Missing("spec"))?;
    let status = pod.status.as_ref();
    let namespace = meta::namespace(&pod.metadata)?;
    let created = meta::created(&pod.metadata)?;
    let node = spec.node_name.as_deref().filter(|node| !node.is_empty());
    let phase = phase(status);
    let bound = node.map(|_| bound(status, created));
    Ok(cluster::Pod {
        uid: meta::uid(&pod.metadata)?,
        namespace: reader.names.get(namespace),
        name: meta::name(&pod.metadata)?.into(),
        node: node.map(|node| reader.names.get(node)),
        owner: owner(&pod.metadata, namespace, &mut reader.names),
        requests: match fargate::provisioned(&pod.metadata, node) {
            Some(provisioned) => provisioned,
            None => requests::of_pod(spec, status)?,
        },
        bound,
        ended: if phase == PodPhase::Finished { status.and_then(|s| ended(s, bound)) } else { None },
        phase,
        ready: status.is_some_and(|status| condition(status, "Ready", "True").is_some()),
        claims: claims(meta::name(&pod.metadata)?, spec),
        facts: facts(&pod.metadata, namespace, reader)?,
    })
}

/// The claims it mounts. That of a generic ephemeral volume is made for it, and named after both.
fn claims(pod: &str, spec: &PodSpec) -> Vec<Arc<str>> {
    let mut claims: Vec<Arc<str>> = Vec::new();
    for volume in spec.volumes.iter().flatten() {
        let claim: Arc<str> = match (&volume.persistent_volume_claim, &volume.ephemeral) {
            (Some(source), _) => source.claim_name.as_str().into(),
            (None, Some(_)) => format!("{pod}-{}", volume.name).into(),
            (None, None) => continue,
        };
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    claims
}

/// What tells whose it is, and where in a vCluster.
fn facts(
    object: &ObjectMeta,
    namespace: &str,
    reader: &mut Reader,
) -> Result<Option<Arc<OwnerFacts>>, ReadError> {
    let labels = reader.keep.filter(object.labels.as_ref(), &mut reader.names);
    let annotations = reader.keep.filter(object.annotations.as_ref(), &mut reader.names);
    let name = meta::name(object)?;
    Ok(OwnerFacts::read(reader.keep.owners(), &labels, &annotations, name, namespace).map(Arc::new))
}

/// A pod of phase Unknown is on a node that does not answer: it holds what it held.
fn phase(status: Option<&PodStatus>) -> PodPhase {
    match status.and_then(|status| status.phase.as_deref()) {
        Some("Succeeded" | "Failed") => PodPhase::Finished,
        Some("Running" | "Unknown") => PodPhase::Running,
        _ => PodPhase::Pending,
    }
}

/// Since when a pod that names its node holds it: when it was scheduled, else when the kubelet took it in. What was
/// created with its node already named (static pods, daemons of old) holds it from the start.
fn bound(status: Option<&PodStatus>, created: Instant) -> Instant {
    let scheduled = status.and_then(|status| since(status, "PodScheduled", "True"));
    let started = || status.and_then(|status| status.start_time.as_ref()).map(instant);
    scheduled.or_else(started).unwrap_or(created)
}

/// When a pod that is over let go of its node: when its last container ended. An evicted pod may have no containers
/// to show; then the conditions of its end tell, if one is from after it was bound.
fn ended(status: &PodStatus, bound: Option<Instant>) -> Option<Instant> {
    let last = containers(status).filter_map(finished_at).max();
    let disrupted = || since(status, "DisruptionTarget", "True");
    let unready = || {
        let conditions = ["Ready", "ContainersReady"].into_iter();
        conditions.filter_map(|which| since(status, which, "False")).max()
    };
    last.or_else(disrupted)
        .or_else(unready)
        .filter(|at| bound.is_none_or(|bound| *at > bound) || last.is_some())
}

/// When a pod whose object was deleted ended: when its last container did, if all have. Else the pod may have been
/// deleted by force; it was gone when its grace period was over, and at the latest now.
pub(crate) fn pod_ended(pod: &Pod, now: Instant) -> Instant {
    let all_finished = pod.status.as_ref().and_then(|status| {
        let (mut last, mut all) = (None, true);
        for container in containers(status) {
            let at = finished_at(container);
            all &= at.is_some();
            last = last.max(at);
        }
        last.filter(|_| all)
    });
    let deleted = || pod.metadata.deletion_timestamp.as_ref().map(instant);
    all_finished.or_else(deleted).map_or(now, |at| at.min(now))
}

fn containers(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    status.init_container_statuses.iter().chain(&status.container_statuses).flatten()
}

fn finished_at(container: &ContainerStatus) -> Option<Instant> {
    let terminated = container.state.as_ref()?.terminated.as_ref()?;
    // A container whose end nobody saw carries no time, or the epoch.
    terminated.finished_at.as_ref().map(instant).filter(|at| *at > Instant(0))
}

/// The condition, if it has this value.
fn condition<'a>(status: &'a PodStatus, which: &str, value: &str) -> Option<&'a PodCondition> {
    status.conditions.iter().flatten().find(|c| c.type_ == which && c.status == value)
}

/// When the condition took this value, if it has it.
fn since(status: &PodStatus, which: &str, value: &str) -> Option<Instant> {
    condition(status, which, value)?.last_transition_time.as_ref().map(instant)
}
