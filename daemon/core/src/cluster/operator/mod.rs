//! Objects that an operator turns into pods: how each kind of them is turned off, and what is never turned.

mod error;
mod kind;
mod pointer;
mod table;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use error::OperatorKindError;
pub use kind::OperatorKind;
pub use pointer::{pointer_of_path, value_at};

/// Where the API server serves a kind: what a write is addressed to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Resource {
    /// API group, such as `argoproj.io`.
    pub group: Arc<str>,
    /// Version that is asked for, such as `v1alpha1`.
    pub version: Arc<str>,
    /// Plural, such as `rollouts`.
    pub plural: Arc<str>,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.plural, self.group)
    }
}

/// Group and kind.
pub type KindName = (Arc<str>, Arc<str>);

/// Every kind of an operator's objects that is known, by group and kind: built in, then configured.
#[derive(Clone, PartialEq, Debug)]
pub struct OperatorKinds {
    /// `None` for a kind that is left alone.
    by_name: BTreeMap<KindName, Option<Arc<OperatorKind>>>,
}

impl Default for OperatorKinds {
    fn default() -> Self {
        let own = table::switches().map(|kind| (kind.name(), Some(Arc::new(kind))));
        Self { by_name: own.collect() }
    }
}

impl OperatorKinds {
    /// The built-in ones, and over them what is configured.
    pub fn with(configured: impl IntoIterator<Item = (KindName, Option<OperatorKind>)>) -> Self {
        let mut all = Self::default();
        all.by_name.extend(configured.into_iter().map(|(name, kind)| (name, kind.map(Arc::new))));
        all
    }

    /// How objects of a kind are turned off, if they are. `replicas` is the place of the size of what has a scale
    /// subresource: by that any kind can be turned, unless it is one whose size means something else than pods.
    pub fn switch_of(&self, group: &str, kind: &str, replicas: Option<&str>) -> Option<Arc<OperatorKind>> {
        if let Some(known) = self.by_name.get(&(group.into(), kind.into())) {
            return known.clone();
        }
        let replicas = replicas.filter(|_| !table::is_never_scaled(group, kind))?;
        OperatorKind::scaled(group, kind, replicas).ok().map(Arc::new)
    }

    /// The groups of all kinds that are known by name.
    pub fn groups(&self) -> Vec<Arc<str>> {
        let mut groups: Vec<Arc<str>> = self.by_name.keys().map(|(group, _)| Arc::clone(group)).collect();
        groups.dedup();
        groups
    }

    /// All that are known by name and turned off.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<OperatorKind>> {
        self.by_name.values().flatten()
    }
}
