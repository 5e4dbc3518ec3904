//! An object that a vCluster has synced from its inside to the host.

use std::sync::Arc;

use super::hashed::{HashedLabels, KeyHashes};
use super::keys::{
    LABELS, MANAGED_BY, NAME, NAMESPACE, OBJECT_HOST_NAME, OBJECT_HOST_NAMESPACE, OBJECT_IMPORTED,
    OBJECT_NAME, OBJECT_NAMESPACE,
};
use super::workload;
use crate::cluster::{Keys, WorkloadKind};

/// What a synced object says of its place in the vCluster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Synced {
    /// The vCluster's name.
    pub vcluster: Arc<str>,
    /// The virtual namespace; `None` if nothing tells.
    pub namespace: Option<Arc<str>>,
    /// The virtual workload of a pod, `ReplicaSets` followed to their Deployment; the object itself, as a kind `Pod`,
    /// where it has none.
    pub workload: Option<(WorkloadKind, Arc<str>)>,
    /// Virtual labels that the host does not show as they are, of the keys that somebody reads.
    pub labels: Keys,
    /// Labels of the virtual namespace, of the keys that somebody reads.
    pub namespace_labels: Keys,
    /// It was made on the host, and the vCluster has taken it in.
    pub imported: bool,
}

impl Synced {
    /// Whether nothing inside the vCluster makes a pod again, as far as the host can tell: it names no owner. In versions
    /// before 0.16 the pod of a Job looks like this too.
    pub fn is_bare(&self) -> bool {
        self.workload.as_ref().is_none_or(|(kind, _)| kind.name() == "Pod")
    }

    /// From the labels and annotations of an object of this name and namespace on the host. `None` for what no vCluster
    /// has synced, and for what somebody has copied, marks and all, from a synced object.
    pub fn read(
        labels: &Keys,
        annotations: &Keys,
        name: &str,
        namespace: &str,
        hashes: &KeyHashes,
    ) -> Option<Self> {
        let vcluster = labels.get(MANAGED_BY).filter(|name| !name.is_empty())?;
        let is_other = |key: &str, own: &str| annotations.get(key).is_some_and(|said| &**said != own);
        if is_other(OBJECT_HOST_NAME, name) || is_other(OBJECT_HOST_NAMESPACE, namespace) {
            return None;
        }
        let mut virtual_labels = hashes.read(HashedLabels::Object, vcluster, labels);
        let lines = annotations.get(LABELS).map(|text| workload::lines(text));
        for (key, value) in lines.iter().flatten() {
            if let Some(key) = hashes.known(key) {
                virtual_labels.insert(key, value.as_str().into());
            }
        }
        let known = |key: &str| annotations.get(key).filter(|value| !value.is_empty()).map(Arc::clone);
        let virtual_name = known(OBJECT_NAME).or_else(|| known(NAME));
        Some(Self {
            namespace: virtual_namespace(labels, annotations, vcluster),
            workload: workload::of(annotations, lines.as_deref(), virtual_name),
            labels: virtual_labels,
            namespace_labels: hashes.read(HashedLabels::Namespace, vcluster, labels),
            imported: annotations.get(OBJECT_IMPORTED).is_some_and(|value| &**value == "true"),
            vcluster: Arc::clone(vcluster),
        })
    }
}

fn virtual_namespace(labels: &Keys, annotations: &Keys, vcluster: &str) -> Option<Arc<str>> {
    let said = |key: &str| annotations.get(key).filter(|value| !value.is_empty()).map(Arc::clone);
    let annotated = said(OBJECT_NAMESPACE).or_else(|| said(NAMESPACE));
    let Some(label) = labels.get(NAMESPACE).filter(|value| !value.is_empty()) else { return annotated };
    if annotated.as_ref() == Some(label) {
        return annotated;
    }
    // 0.3 to 0.4.4 wrote `<namespace>-x-<vcluster>`.
    let old = label.strip_suffix(vcluster).and_then(|rest| rest.strip_suffix("-x-"));
    Some(old.filter(|stem| !stem.is_empty()).map_or_else(|| Arc::clone(label), Into::into))
}
