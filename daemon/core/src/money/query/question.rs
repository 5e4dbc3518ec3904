//! What is asked: which time, grouped how, which rows, what spread.

use std::sync::Arc;

use super::dimension::Dimension;
use super::filter::Filter;
use super::group::Details;
use super::needs::{Field, Needs};
use super::sharing::Sharing;
use crate::units::Window;

/// A question to the ledger's rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// The cluster the rows are of.
    pub cluster: Arc<str>,
    /// The steps, in order, none overlapping another: one table each.
    pub steps: Vec<Window>,
    /// What to group by, in order; without any there is one group.
    pub by: Vec<Dimension>,
    /// Which rows to show. Nobody's share changes by it.
    pub filter: Filter,
    /// What to spread.
    pub sharing: Sharing,
    /// How many groups to show, the costliest ones; the rest is one row.
    pub top: Option<usize>,
    /// What to keep of groups beside their sums.
    pub details: Details,
}

impl Query {
    /// One step, one group, nothing filtered, nothing spread.
    pub fn new(cluster: Arc<str>, window: Window) -> Self {
        Self {
            cluster,
            steps: vec![window],
            by: Vec::new(),
            filter: Filter::All,
            sharing: Sharing::default(),
            top: None,
            details: Details::default(),
        }
    }

    /// From the first step's begin to the last one's end.
    pub fn window(&self) -> Window {
        match (self.steps.first(), self.steps.last()) {
            (Some(first), Some(last)) => Window::new(first.start, last.end),
            _ => Window::default(),
        }
    }

    /// What has to be known of the rows. Always the namespace: by it the lines of their own are told apart.
    pub fn needs(&self) -> Needs {
        let mut needs = self.sharing.needs(self.filter.needs(Needs::by(&self.by))).with(Field::Namespace);
        if self.details.assets {
            needs = needs.with(Field::Asset);
        }
        if self.details.nodes {
            needs = needs.with(Field::Node);
        }
        if self.details.labels {
            needs = needs.with_all_labels();
        }
        needs.in_steps(self.steps.clone())
    }
}
