//! What a question has to know of the rows: the less, the fewer columns are read and the more rows become one.

use std::collections::BTreeSet;
use std::sync::Arc;

use nightcap_core::money::query::Dimension;

/// A part of what a row names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// The node.
    Node,
    /// The pod.
    Pod,
    /// The namespace on the host cluster.
    Namespace,
    /// The space.
    Space,
    /// The vCluster.
    Vcluster,
    /// The namespace inside the vCluster.
    VirtualNamespace,
    /// The workload.
    Workload,
    /// The team.
    Team,
    /// The owner and its kind.
    Owner,
    /// Which rules named the team and the owner.
    Rules,
    /// The volume, load balancer and so on, beside its kind, which is always known.
    Asset,
    /// All of the price, beside its confidence, which is always known.
    Price,
}

impl Field {
    const ALL: [Self; 12] = [
        Self::Node,
        Self::Pod,
        Self::Namespace,
        Self::Space,
        Self::Vcluster,
        Self::VirtualNamespace,
        Self::Workload,
        Self::Team,
        Self::Owner,
        Self::Rules,
        Self::Asset,
        Self::Price,
    ];
}

/// Which labels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Labels {
    Some(BTreeSet<Arc<str>>),
    All,
}

/// The fields and labels a question groups or filters by, or shows. What is not among them reads as empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needs {
    fields: BTreeSet<Field>,
    pub(crate) labels: Labels,
}

impl Needs {
    /// Money and time only.
    pub const fn nothing() -> Self {
        Self { fields: BTreeSet::new(), labels: Labels::Some(BTreeSet::new()) }
    }

    /// Rows as they were, with everything they name.
    pub fn everything() -> Self {
        Self { fields: Field::ALL.into(), labels: Labels::All }
    }

    /// What grouping by `dimensions` has to know.
    pub fn by(dimensions: &[Dimension]) -> Self {
        dimensions.iter().filter_map(|&dimension| field_of(dimension)).fold(Self::nothing(), Self::with)
    }

    /// This, and a field.
    #[must_use]
    pub fn with(mut self, field: Field) -> Self {
        self.fields.insert(field);
        self
    }

    /// This, and the value of a label.
    #[must_use]
    pub fn with_label(mut self, key: &str) -> Self {
        if let Labels::Some(keys) = &mut self.labels {
            keys.insert(key.into());
        }
        self
    }

    pub(crate) fn has(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// Whether rows stay about as many as there are pods, so that a day of them is not held at once.
    pub(crate) fn is_fine(&self) -> bool {
        self.has(Field::Pod) || self.has(Field::Workload) || self.has(Field::Asset)
    }
}

fn field_of(dimension: Dimension) -> Option<Field> {
    Some(match dimension {
        Dimension::Cluster => return None,
        Dimension::Node => Field::Node,
        Dimension::Namespace => Field::Namespace,
        Dimension::Space => Field::Space,
        Dimension::Team => Field::Team,
        Dimension::Owner => Field::Owner,
        Dimension::ControllerKind
        | Dimension::Controller
        | Dimension::Deployment
        | Dimension::StatefulSet
        | Dimension::DaemonSet
        | Dimension::Job => Field::Workload,
        Dimension::Pod => Field::Pod,
    })
}
