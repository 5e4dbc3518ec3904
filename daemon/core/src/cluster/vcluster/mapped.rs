//! Namespaces of the host that a vCluster has made, or taken in, for one of its own.

use std::fmt;
use std::sync::Arc;

use super::keys::{MANAGED_BY, NAME, OBJECT_HOST_NAME, OBJECT_NAME, VCLUSTER_NAME, VCLUSTER_NAMESPACE};
use crate::cluster::Namespace;

/// Names a vCluster of the host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VClusterKey {
    /// The namespace of its control plane.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl fmt::Display for VClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A namespace of the host that stands for one of a vCluster: in multi-namespace mode (0.14 to 0.25), and with
/// `sync.toHost.namespaces` (0.26 and later).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappedNamespace {
    /// The vCluster.
    pub vcluster: VClusterKey,
    /// The virtual namespace, where it is said.
    pub namespace: Option<Arc<str>>,
}

impl MappedNamespace {
    /// The vCluster's key, where an object in the namespace tells the vCluster's name: `a-x-b-x-c` alone may be `b-x-c`
    /// in `a` as well as `c` in `a-x-b`.
    pub(crate) fn of(&self, vcluster: &Arc<str>) -> VClusterKey {
        let joined = format!("{}-x-{}", self.vcluster.namespace, self.vcluster.name);
        let namespace = joined.strip_suffix(&**vcluster).and_then(|rest| rest.strip_suffix("-x-"));
        match namespace.filter(|namespace| !namespace.is_empty()) {
            Some(namespace) => VClusterKey { namespace: namespace.into(), name: Arc::clone(vcluster) },
            None => self.vcluster.clone(),
        }
    }

    /// What the namespace says of it.
    pub fn read(namespace: &Namespace) -> Option<Self> {
        let annotation =
            |key: &str| namespace.annotations.get(key).filter(|value| !value.is_empty()).map(Arc::clone);
        let label = |key: &str| namespace.labels.get(key).filter(|value| !value.is_empty());
        // A copy of a synced namespace is none.
        if annotation(OBJECT_HOST_NAME).is_some_and(|host| host != namespace.name) {
            return None;
        }
        let vcluster = match (label(VCLUSTER_NAMESPACE), label(VCLUSTER_NAME)) {
            (Some(host), Some(name)) => VClusterKey { namespace: Arc::clone(host), name: Arc::clone(name) },
            // A name may hold the separator too; see `of`.
            _ => {
                let (host, name) = label(MANAGED_BY)?.rsplit_once("-x-")?;
                VClusterKey { namespace: host.into(), name: name.into() }
            }
        };
        // The control plane's own namespace stands for no virtual one.
        if vcluster.namespace.is_empty() || vcluster.name.is_empty() || vcluster.namespace == namespace.name {
            return None;
        }
        Some(Self { vcluster, namespace: annotation(OBJECT_NAME).or_else(|| annotation(NAME)) })
    }
}
