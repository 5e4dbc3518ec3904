//! What a question has to know of the rows: the less, the fewer columns are read and the more rows become one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::dimension::{Dimension, is_sanitised};
use crate::units::Window;

/// A part of what a row names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// The node.
    Node,
    /// The pod, by its names.
    Pod,
    /// Whether there is a pod behind a row of a volume, a load balancer and so on; its names may read as empty.
    Mounted,
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
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Node,
        Self::Pod,
        Self::Mounted,
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
pub enum Labels {
    /// Those with these raw keys.
    Some(BTreeSet<Arc<str>>),
    /// All that a row has.
    All,
}

/// The fields and labels a question groups, filters or shares by, or shows, and the steps it asks for.
///
/// What is not among the fields reads as empty. Rows that agree in all of them, in the kind of asset, the confidence
/// of the price and the marks, and that lie wholly in one step, may be told as one. A row that a step cuts must be
/// told on its own, since it is prorated by its own window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needs {
    fields: BTreeSet<Field>,
    labels: Labels,
    steps: Vec<Window>,
}

impl Needs {
    /// Money and time only, in one step over all time.
    pub const fn nothing() -> Self {
        Self { fields: BTreeSet::new(), labels: Labels::Some(BTreeSet::new()), steps: Vec::new() }
    }

    /// Rows as they were, with everything they name.
    pub fn everything() -> Self {
        Self { fields: Field::ALL.into(), labels: Labels::All, steps: Vec::new() }
    }

    /// What grouping by `dimensions` has to know.
    pub fn by<'a>(dimensions: impl IntoIterator<Item = &'a Dimension>) -> Self {
        dimensions.into_iter().fold(Self::nothing(), Self::with_dimension)
    }

    /// This, and a field.
    #[must_use]
    pub fn with(mut self, field: Field) -> Self {
        self.fields.insert(field);
        self
    }

    /// This, and what a dimension follows from.
    #[must_use]
    pub fn with_dimension(self, dimension: &Dimension) -> Self {
        match dimension {
            Dimension::Cluster | Dimension::Asset => self,
            Dimension::Node => self.with(Field::Node).with(Field::Mounted),
            Dimension::Namespace => self.with(Field::Namespace),
            Dimension::Space => self.with(Field::Space),
            Dimension::Vcluster => self.with(Field::Vcluster),
            Dimension::VirtualNamespace => self.with(Field::VirtualNamespace),
            Dimension::Team => self.with(Field::Team),
            Dimension::Owner => self.with(Field::Owner),
            Dimension::ControllerKind
            | Dimension::Controller
            | Dimension::Deployment
            | Dimension::StatefulSet
            | Dimension::DaemonSet
            | Dimension::Job => self.with(Field::Workload).with(Field::Mounted),
            Dimension::Service => self.with(Field::Asset),
            Dimension::Pod | Dimension::Container => self.with(Field::Pod),
            Dimension::Label(key) => self.with_label(key),
        }
    }

    /// This, and the value of a label. A key that may be a sanitised one asks for all labels.
    #[must_use]
    pub fn with_label(mut self, key: &str) -> Self {
        if is_sanitised(key) {
            return self.with_all_labels();
        }
        if let Labels::Some(keys) = &mut self.labels {
            keys.insert(key.into());
        }
        self
    }

    /// This, and all labels.
    #[must_use]
    pub fn with_all_labels(mut self) -> Self {
        self.labels = Labels::All;
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

    /// The steps, in order; empty if time does not matter.
    pub fn steps(&self) -> &[Window] {
        &self.steps
    }

    /// The step that a row lies in wholly, by its number; `None` if a step cuts it or it lies in none.
    ///
    /// A row of a moment lies in the step that holds the moment.
    pub fn step_of(&self, row: Window) -> Option<usize> {
        let nth = self.steps.partition_point(|step| step.end <= row.start);
        let step = self.steps.get(nth)?;
        let holds = step.start <= row.start && row.end <= step.end && row.start < step.end;
        holds.then_some(nth)
    }

    /// Whether rows stay about as many as there are pods, so that a day of them is not held at once.
    pub fn is_fine(&self) -> bool {
        self.has(Field::Pod) || self.has(Field::Workload) || self.has(Field::Asset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Instant;

    #[test]
    fn dimensions_say_what_they_follow_from() {
        let needs = Needs::by(&[Dimension::Team, Dimension::Controller, Dimension::Label("app".into())]);
        let has: Vec<Field> = Field::ALL.into_iter().filter(|&field| needs.has(field)).collect();
        assert_eq!(has, [Field::Mounted, Field::Workload, Field::Team]);
        assert_eq!(needs.labels(), &Labels::Some(["app".into()].into()));
        assert_eq!(Needs::by(&[Dimension::Label("app_name".into())]).labels(), &Labels::All);
        assert!(needs.is_fine() && !Needs::by(&[Dimension::Team]).is_fine());
    }

    #[test]
    fn rows_may_become_one_within_a_step_only() {
        let window = |start, end| Window::new(Instant(start), Instant(end));
        let needs = Needs::nothing().in_steps(vec![window(10, 20), window(20, 30)]);
        for (row, step) in [
            (window(10, 20), Some(0)),
            (window(12, 15), Some(0)),
            (window(20, 20), Some(1)),
            (window(15, 25), None),
            (window(5, 12), None),
            (window(29, 31), None),
            (window(30, 30), None),
        ] {
            assert_eq!(needs.step_of(row), step, "{row:?}");
        }
    }
}
