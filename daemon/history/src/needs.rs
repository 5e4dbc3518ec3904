//! What a question has to know of the rows: the less, the fewer columns are read and the more rows become one.

use std::collections::BTreeSet;
use std::sync::Arc;

use nightcap_core::money::query::Dimension;
use nightcap_core::units::Window;

use crate::layout::Table;
use crate::merge::{Keep, Plan};
use crate::schema::{Allocation, Asset};

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

/// Which labels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Labels {
    /// Those with these raw keys.
    Some(BTreeSet<Arc<str>>),
    /// All that a row has.
    All,
}

/// The fields and labels a question groups, filters or shares by, or shows, and the steps it asks for.
///
/// What is not among the fields reads as empty, but for what is always known: the kind of asset, the confidence of the
/// price, the marks, whether there is a pod, and the namespace of lines such as `__overhead__`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needs {
    fields: BTreeSet<Field>,
    labels: Labels,
    steps: Vec<Window>,
}

impl Needs {
    /// Money and time only, in one step.
    pub const fn nothing() -> Self {
        Self { fields: BTreeSet::new(), labels: Labels::Some(BTreeSet::new()), steps: Vec::new() }
    }

    /// Rows as they were, with everything they name.
    pub fn everything() -> Self {
        let fields = FIELDS.iter().map(|&(field, _)| field).collect();
        Self { fields, labels: Labels::All, steps: Vec::new() }
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

    /// This, for these steps: in order, none touching the inside of another.
    #[must_use]
    pub fn in_steps(mut self, steps: Vec<Window>) -> Self {
        self.steps = steps;
        self
    }

    /// Whether a field is needed.
    pub fn has(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// Which labels are needed.
    pub const fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The steps, in order; empty if the window is one.
    pub fn steps(&self) -> &[Window] {
        &self.steps
    }

    /// The step that a span lies in wholly, by its number; `None` if a step cuts it or it lies in none.
    pub fn step_of(&self, span: Window) -> Option<usize> {
        let nth = self.steps.partition_point(|step| step.end <= span.start);
        let step = self.steps.get(nth)?;
        (step.start <= span.start && span.end <= step.end).then_some(nth)
    }

    /// Whether rows stay about as many as there are pods, so that a day of them is not held at once.
    pub fn is_fine(&self) -> bool {
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

/// Which columns of `allocations` these needs are.
pub(crate) fn charges_plan(needs: &Needs) -> Plan {
    use Allocation as C;
    let labels = *needs.labels() != Labels::Some(BTreeSet::new());
    let wanted = |column: usize| {
        let among = |columns: &[C]| columns.iter().any(|&of| of as usize == column);
        among(&[C::Kind, C::Confidence, C::PodNamespace, C::Namespace])
            || (labels && among(&[C::Labels]))
            || FIELDS.iter().any(|&(field, columns)| needs.has(field) && among(columns))
    };
    let mut plan = Plan::new(Table::Allocations.schema(), wanted, needs.has(Field::Price));
    if let Labels::Some(keys) = needs.labels() {
        plan = plan.keeping(C::Labels as usize, Keep::Labels(keys.clone()));
    }
    if !needs.has(Field::Namespace) {
        plan = plan.keeping(C::Namespace as usize, Keep::Lines);
    }
    if !needs.has(Field::Pod) {
        plan = plan.keeping(C::PodNamespace as usize, Keep::Presence);
    }
    plan
}

/// Which columns of `assets` these needs are.
pub(crate) fn assets_plan(needs: &Needs) -> Plan {
    let wanted = |column: usize| match column {
        column if column < Asset::Confidence as usize => needs.has(Field::Node),
        column if column == Asset::Confidence as usize => true,
        _ => needs.has(Field::Price),
    };
    Plan::new(Table::Assets.schema(), wanted, needs.has(Field::Price))
}

/// All columns of `savings`: its rows merge only with themselves, since their lengths are summed.
pub(crate) fn savings_plan() -> Plan {
    Plan::new(Table::Savings.schema(), |_| true, false).adjacent_only()
}

/// The columns of `allocations` that a field is.
const FIELDS: [(Field, &[Allocation]); 12] = {
    use Allocation as C;
    [
        (Field::Node, &[C::NodeUid, C::Node]),
        (Field::Pod, &[C::PodUid, C::PodNamespace, C::Pod]),
        (Field::Namespace, &[C::Namespace]),
        (Field::Space, &[C::Space]),
        (Field::Vcluster, &[C::Vcluster]),
        (Field::VirtualNamespace, &[C::VirtualNamespace]),
        (Field::Workload, &[C::WorkloadNamespace, C::WorkloadKind, C::Workload]),
        (Field::Team, &[C::Team]),
        (Field::Owner, &[C::Owner, C::OwnerKind]),
        (Field::Rules, &[C::TeamRule, C::OwnerRule]),
        (
            Field::Asset,
            &[
                C::AssetUid,
                C::Asset,
                C::AssetProviderId,
                C::StorageClass,
                C::ClaimNamespace,
                C::Claim,
                C::Unit,
            ],
        ),
        (Field::Price, &[C::PriceSource, C::PriceDate, C::PriceReason, C::PriceByPod]),
    ]
};
