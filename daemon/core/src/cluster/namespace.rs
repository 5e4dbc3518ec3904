//! A namespace: the place where people's wishes and owners are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::units::Instant;

/// Keys and values of labels or annotations, as the object carries them.
pub type Keys = BTreeMap<Arc<str>, Arc<str>>;

/// A namespace of the cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Namespace {
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// `metadata.resourceVersion` of the object this was read from.
    pub resource_version: Arc<str>,
    /// When it was created.
    pub created: Instant,
    /// All labels, under their raw keys.
    pub labels: Keys,
    /// Annotations that somebody reads: ours, and those a team rule names.
    pub annotations: Keys,
    /// Whether it is being deleted.
    pub terminating: bool,
}
