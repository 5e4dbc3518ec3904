//! A claim: the place in a namespace that a volume is bound to, and that pods mount.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Keys;
use crate::units::{Bytes, Instant};

/// Names one claim of the cluster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ClaimKey {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A `PersistentVolumeClaim`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Namespace and name.
    pub key: ClaimKey,
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// When it was created.
    pub created: Instant,
    /// `spec.volumeName`; `None` while it is bound to nothing.
    pub volume: Option<Arc<str>>,
    /// What it asks for.
    pub requested: Bytes,
    /// Labels that somebody reads.
    pub labels: Keys,
    /// Annotations that somebody reads.
    pub annotations: Keys,
}
