//! What is spread over the groups, and how. Nothing is unless it is asked for.

use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::dimension::label;
use super::needs::{Field, Needs};
use super::row_view::RowView;
use crate::cluster::{WorkloadKind, glob};
use crate::money::AssetKind;
use crate::units::PicoUsd;

/// How an amount is spread.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Spread {
    /// Not at all: it is a line of its own.
    #[default]
    None,
    /// In proportion to what each group costs.
    Weighted,
    /// The same for each group.
    Even,
}

/// A text that names no way to spread.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0:?} is none of weighted, even and none")]
pub struct NoSpread(pub String);

impl FromStr for Spread {
    type Err = NoSpread;

    /// Reads `weighted`, `even`, `none`, also as `__weighted__`; a bare `true` is `weighted`, as for `OpenCost`.
    fn from_str(text: &str) -> Result<Self, NoSpread> {
        match text.to_ascii_lowercase().trim_matches('_') {
            "true" | "t" | "1" | "weighted" => Ok(Self::Weighted),
            "even" => Ok(Self::Even),
            "false" | "f" | "0" | "none" => Ok(Self::None),
            _ => Err(NoSpread(text.to_owned())),
        }
    }
}

/// Which rows are for everybody and make up the line `__shared__`, beside fixed sums that are configured so.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SharedRules {
    /// Namespaces by name; a `*` stands for any text.
    pub namespaces: Vec<Arc<str>>,
    /// Labels by key and value; a `*` in the value stands for any text.
    pub labels: Vec<(Arc<str>, Arc<str>)>,
    /// Pods of `DaemonSet`s.
    pub daemonsets: bool,
    /// The namespaces Kubernetes keeps for itself: `kube-system`, `kube-public`, `kube-node-lease`.
    pub system: bool,
    /// Load balancers.
    pub load_balancers: bool,
}

/// The namespaces Kubernetes keeps for itself.
const SYSTEM: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// What is spread over the groups, and how.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sharing {
    /// Idle cost: each resource's in proportion to what a group pays for that resource, or evenly.
    pub idle: Spread,
    /// Idle cost of a node stays with those who are on that node, and is a line for each node.
    pub idle_by_node: bool,
    /// What makes up the line `__shared__`.
    pub rules: SharedRules,
    /// The line `__shared__`.
    pub shared: Spread,
    /// The line `__overhead__`.
    pub overhead: Spread,
    /// A sum a month that is on no bill, added to the shared cost in proportion to time; a month has 730 hours.
    pub extra_monthly: PicoUsd,
}

impl SharedRules {
    /// Whether nothing is shared by them.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn matches(&self, row: &RowView<'_>) -> bool {
        let of = row.attribution;
        let namespace = &*of.namespace;
        self.namespaces.iter().any(|pattern| glob(pattern, namespace))
            || self.system && SYSTEM.contains(&namespace)
            || self.daemonsets && of.workload.as_ref().is_some_and(|key| key.kind == WorkloadKind::DaemonSet)
            || self.load_balancers && row.asset.is_some_and(|asset| asset.kind == AssetKind::LoadBalancer)
            || self.labels.iter().any(|(key, value)| label(of, key).is_some_and(|found| glob(value, found)))
    }
}

impl Sharing {
    /// Everything in proportion to cost: what is usually meant by sharing where nothing else is said.
    pub const fn weighted() -> Self {
        Self {
            idle: Spread::Weighted,
            idle_by_node: false,
            rules: SharedRules {
                namespaces: Vec::new(),
                labels: Vec::new(),
                daemonsets: false,
                system: false,
                load_balancers: false,
            },
            shared: Spread::Weighted,
            overhead: Spread::Weighted,
            extra_monthly: PicoUsd(0),
        }
    }

    /// The same things for everybody, and nothing spread: lines of their own.
    #[must_use]
    pub fn own_lines(&self) -> Self {
        Self { rules: self.rules.clone(), ..Self::default() }
    }

    /// What has to be known of rows to share.
    pub fn needs(&self, mut needs: Needs) -> Needs {
        let rules = &self.rules;
        if rules.system || !rules.namespaces.is_empty() {
            needs = needs.with(Field::Namespace);
        }
        if rules.daemonsets {
            needs = needs.with(Field::Workload);
        }
        if self.idle_by_node {
            needs = needs.with(Field::Node);
        }
        rules.labels.iter().fold(needs, |needs, (key, _)| needs.with_label(key))
    }
}
