//! Which pod the daemon runs in.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use kube::core::DeserializeGuard;

use super::{DaemonPod, Everywhere, ForwardError, LABEL, NAMESPACE, PORT, PORT_NAME};
use crate::{Cluster, ClusterError};

/// How long a list may take: a person waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// What of a pod matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Candidate {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) port: u16,
    /// Seconds since 1970.
    pub(super) created: i64,
    /// Why it cannot be asked, if so.
    pub(super) unready: Option<String>,
}

impl Cluster {
    /// The pod of the daemon: in this namespace, or without one in `nightcap`, else in the only other one that has it.
    pub async fn find_daemon(&self, namespace: Option<&str>) -> Result<DaemonPod, ForwardError> {
        let place = namespace.unwrap_or(NAMESPACE);
        let found = self
            .candidates(Some(place))
            .await
            .map_err(|source| ForwardError::List { namespace: place.to_owned(), source })?;
        let no_pod = |place: String, everywhere| Err(ForwardError::NoPod { place, everywhere });
        let here = format!("in the namespace {place:?}");
        if let Some(pod) = choose(&found)? {
            return Ok(pod);
        }
        if namespace.is_some() {
            return no_pod(here, Everywhere::Nothing);
        }
        // Most users may not list all pods: that is no error, only less to say.
        let Ok(found) = self.candidates(None).await else { return no_pod(here, Everywhere::Forbidden) };
        let mut namespaces: Vec<String> = found.iter().map(|pod| pod.namespace.clone()).collect();
        namespaces.sort();
        namespaces.dedup();
        if namespaces.len() > 1 {
            return Err(ForwardError::Several(namespaces));
        }
        match choose(&found)? {
            Some(pod) => Ok(DaemonPod { by_label_only: true, ..pod }),
            None => no_pod("in any namespace".to_owned(), Everywhere::Nothing),
        }
    }

    async fn candidates(&self, namespace: Option<&str>) -> Result<Vec<Candidate>, ClusterError> {
        let pods = match namespace {
            Some(namespace) => Api::<DeserializeGuard<Pod>>::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let params = ListParams::default().labels(LABEL);
        let list = tokio::time::timeout(PATIENCE, pods.list(&params))
            .await
            .map_err(|_| ClusterError::Unreachable(format!("no answer within {} s", PATIENCE.as_secs())))??;
        // A pod that cannot be read is none that could be asked.
        Ok(list.items.into_iter().filter_map(|pod| pod.0.ok()).filter_map(|pod| candidate(&pod)).collect())
    }
}

/// A pod as a candidate; `None` for one that has ended or is about to.
pub(super) fn candidate(pod: &Pod) -> Option<Candidate> {
    let status = pod.status.clone().unwrap_or_default();
    let phase = status.phase.as_deref().unwrap_or("Unknown");
    if pod.metadata.deletion_timestamp.is_some() || matches!(phase, "Succeeded" | "Failed") {
        return None;
    }
    let conditions = status.conditions.unwrap_or_default();
    let condition = conditions.iter().find(|condition| condition.type_ == "Ready");
    let waiting = status.container_statuses.unwrap_or_default().into_iter().find_map(|container| {
        let waiting = container.state?.waiting?;
        [waiting.message, waiting.reason].into_iter().flatten().find(|text| !text.is_empty())
    });
    let unready = match condition {
        Some(ready) if ready.status == "True" => None,
        ready => {
            let said = waiting.or_else(|| ready.and_then(|ready| ready.message.clone()));
            Some(said.filter(|text| !text.is_empty()).unwrap_or_else(|| format!("its phase is {phase}")))
        }
    };
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    let named = ports.find(|port| port.name.as_deref() == Some(PORT_NAME));
    Some(Candidate {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        name: pod.metadata.name.clone().unwrap_or_default(),
        port: named.and_then(|port| u16::try_from(port.container_port).ok()).unwrap_or(PORT),
        created: pod.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second()),
        unready,
    })
}

/// The newest that is ready: in a rollout, the one that stays. `None` if there is none at all.
pub(super) fn choose(found: &[Candidate]) -> Result<Option<DaemonPod>, ForwardError> {
    let newest = |pod: &&Candidate| (pod.created, pod.name.clone());
    if let Some(pod) = found.iter().filter(|pod| pod.unready.is_none()).max_by_key(newest) {
        let (namespace, name) = (pod.namespace.clone(), pod.name.clone());
        return Ok(Some(DaemonPod { namespace, name, port: pod.port, by_label_only: false }));
    }
    match found.iter().max_by_key(newest) {
        None => Ok(None),
        Some(pod) => Err(ForwardError::NotReady {
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            why: pod.unready.clone().unwrap_or_default(),
        }),
    }
}
