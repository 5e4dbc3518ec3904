//! What the scheduler sets aside for a pod.
//!
//! Sidecars are init containers that go on running (KEP-753): each is added to the sum of the containers, and to
//! every init container that starts after it, for they run side by side. Plain init containers run one after the
//! other before the rest, so only the largest moment of that phase counts, where it is above the sum.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, PodSpec, PodStatus, ResourceRequirements};
use nightcap_core::units::Resources;

use super::ReadError;
use super::quantities::{resources, resources_of};

/// Requests of one pod of a template.
pub(super) fn of_template(spec: &PodSpec) -> Result<Resources, ReadError> {
    of_pod(spec, None)
}

/// Requests of a pod.
pub(super) fn of_pod(spec: &PodSpec, status: Option<&PodStatus>) -> Result<Resources, ReadError> {
    let infeasible = status.is_some_and(resize_is_infeasible);
    let held = |container: &Container, status: Option<&ContainerStatus>| held(container, status, infeasible);
    let mut running = Resources::default();
    for container in &spec.containers {
        running += held(container, status_of(status, &container.name))?;
    }
    let mut sidecars = Resources::default();
    let mut starting = Resources::default();
    for container in spec.init_containers.iter().flatten() {
        if container.restart_policy.as_deref() == Some("Always") {
            let requests = held(container, status_of(status, &container.name))?;
            running += requests;
            sidecars += requests;
            starting = starting.max(sidecars);
        } else {
            starting = starting.max(sidecars + held(container, None)?);
        }
    }
    let sum = of_whole_pod(spec, status, infeasible, running.max(starting))?;
    Ok(sum + resources(spec.overhead.as_ref(), || "spec.overhead".to_owned())?)
}

/// What a container holds while it is resized in place (KEP-1287).
///
/// `spec` is what is wished, the status what the kubelet has admitted and what runs. Like the scheduler, take the
/// largest: a wish to grow is reserved at once, and a wish to shrink frees nothing before it is done. A wish that
/// this node can never fulfil is not counted.
fn held(
    container: &Container,
    status: Option<&ContainerStatus>,
    infeasible: bool,
) -> Result<Resources, ReadError> {
    let field = || format!("spec.containers[{}].resources.requests", container.name);
    let wished = wished(container.resources.as_ref(), field)?;
    let Some(status) = status else { return Ok(wished) };
    if status.resources.is_none() && status.allocated_resources.is_none() {
        return Ok(wished);
    }
    let field = |what: &str| format!("status.containerStatuses[{}].{what}", container.name);
    let runs = resources(requests(status.resources.as_ref()), || field("resources.requests"))?;
    let admitted = resources(status.allocated_resources.as_ref(), || field("allocatedResources"))?;
    let there = runs.max(admitted);
    Ok(if infeasible { there } else { there.max(wished) })
}

/// A limit without a request is the request too. In a pod the API server has written that down; in a template it
/// stands as people leave it, and GPUs are mostly asked for by their limit alone.
fn wished(stated: Option<&ResourceRequirements>, field: impl Fn() -> String) -> Result<Resources, ReadError> {
    let Some(ResourceRequirements { requests, limits, .. }) = stated else { return Ok(Resources::default()) };
    let stated = requests.as_ref();
    let unstated = limits.iter().flatten().filter(|(name, _)| stated.is_none_or(|s| !s.contains_key(*name)));
    let all = stated.into_iter().flatten().chain(unstated);
    resources_of(all.map(|(name, quantity)| (name.as_str(), quantity.0.as_str())), field)
}

/// Requests stated for the pod as a whole (KEP-2837) stand in place of the sum of its containers, resource by
/// resource. Devices have none.
fn of_whole_pod(
    spec: &PodSpec,
    status: Option<&PodStatus>,
    infeasible: bool,
    sum: Resources,
) -> Result<Resources, ReadError> {
    let Some(stated) = requests(spec.resources.as_ref()) else { return Ok(sum) };
    let mut whole = resources(Some(stated), || "spec.resources.requests".to_owned())?;
    if let Some(status) = status.filter(|s| s.resources.is_some() || s.allocated_resources.is_some()) {
        let runs = resources(requests(status.resources.as_ref()), || "status.resources.requests".to_owned())?;
        let admitted =
            resources(status.allocated_resources.as_ref(), || "status.allocatedResources".to_owned())?;
        let there = runs.max(admitted);
        whole = if infeasible { there } else { there.max(whole) };
    }
    Ok(Resources {
        cpu: if stated.contains_key("cpu") { whole.cpu } else { sum.cpu },
        memory: if stated.contains_key("memory") { whole.memory } else { sum.memory },
        gpu: sum.gpu,
    })
}

fn requests(
    resources: Option<&ResourceRequirements>,
) -> Option<&std::collections::BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>> {
    resources?.requests.as_ref()
}

fn status_of<'a>(status: Option<&'a PodStatus>, name: &str) -> Option<&'a ContainerStatus> {
    let status = status?;
    let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    all.into_iter().find(|status| status.name == name)
}

/// Newer kubelets say it in a condition, older ones in `status.resize`.
fn resize_is_infeasible(status: &PodStatus) -> bool {
    let condition = status.conditions.iter().flatten().any(|condition| {
        condition.type_ == "PodResizePending"
            && condition.status == "True"
            && condition.reason.as_deref() == Some("Infeasible")
    });
    condition || status.resize.as_deref() == Some("Infeasible")
}
