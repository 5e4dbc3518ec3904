//! Which rows a question is about. The language is `OpenCost`'s, see [`super::filter_text`] for how it is written.

use std::sync::Arc;

use super::dimension::{UNALLOCATED, label};
use super::needs::{Field, Needs};
use super::row_view::RowView;
use crate::cluster::Provider;

/// A condition on rows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Filter {
    /// Every row.
    #[default]
    All,
    /// Rows that meet all of them.
    And(Vec<Self>),
    /// Rows that meet one of them.
    Or(Vec<Self>),
    /// Rows whose field is as the test says.
    Test(Test),
}

/// One comparison: a field with a list of values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Test {
    /// What is compared.
    pub field: FilterField,
    /// How.
    pub op: Op,
    /// The row must meet none of the values, instead of one of them.
    pub negated: bool,
    /// With what.
    pub values: Vec<Arc<str>>,
}

/// How a field is compared with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// `:` the same; a field that is missing is `""` and `__unallocated__`.
    Equals,
    /// `~:` has it within.
    Contains,
    /// `<~:` begins with it.
    StartsWith,
    /// `~>:` ends with it.
    EndsWith,
}

/// What of a row a filter can look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FilterField {
    /// The cluster.
    Cluster,
    /// The node's name.
    Node,
    /// The provider of the node: `aws`, `azure`, `gcp`.
    Provider,
    /// The namespace on the host cluster.
    Namespace,
    /// The innermost space.
    Space,
    /// The vCluster.
    Vcluster,
    /// The namespace inside the vCluster.
    VirtualNamespace,
    /// The team.
    Team,
    /// The owner.
    Owner,
    /// The workload's name.
    ControllerName,
    /// The workload's kind, in any case.
    ControllerKind,
    /// The pod's name.
    Pod,
    /// The Service of a load balancer.
    Services,
    /// The value of a label.
    Label(Arc<str>),
    /// The keys of the labels.
    LabelKeys,
    /// The kind of asset: `node`, `volume` and so on.
    Asset,
    /// A field that only assets have, by its name in lower case; see [`Filter::parse_for_assets`].
    OfAsset(Arc<str>),
}

impl Filter {
    /// Whether every row passes.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// What has to be known of rows to decide.
    pub fn needs(&self, needs: Needs) -> Needs {
        match self {
            Self::All => needs,
            Self::And(parts) | Self::Or(parts) => parts.iter().fold(needs, |needs, part| part.needs(needs)),
            Self::Test(test) => match &test.field {
                FilterField::Cluster | FilterField::Asset | FilterField::OfAsset(_) => needs,
                FilterField::Node | FilterField::Provider => needs.with(Field::Node),
                FilterField::Namespace => needs.with(Field::Namespace),
                FilterField::Space => needs.with(Field::Space),
                FilterField::Vcluster => needs.with(Field::Vcluster),
                FilterField::VirtualNamespace => needs.with(Field::VirtualNamespace),
                FilterField::Team => needs.with(Field::Team),
                FilterField::Owner => needs.with(Field::Owner),
                FilterField::ControllerName | FilterField::ControllerKind => needs.with(Field::Workload),
                FilterField::Pod => needs.with(Field::Pod),
                FilterField::Services => needs.with(Field::Asset),
                FilterField::Label(key) => needs.with_label(key),
                FilterField::LabelKeys => needs.with_all_labels(),
            },
        }
    }

    pub(super) fn matches(&self, row: &RowView<'_>) -> bool {
        match self {
            Self::All => true,
            Self::And(parts) => parts.iter().all(|part| part.matches(row)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(row)),
            Self::Test(test) => test.matches(row),
        }
    }

    /// Whether something passes whose fields `value` tells.
    pub fn passes<'a>(&self, value: &impl Fn(&FilterField) -> Option<&'a str>) -> bool {
        match self {
            Self::All => true,
            Self::And(parts) => parts.iter().all(|part| part.passes(value)),
            Self::Or(parts) => parts.iter().any(|part| part.passes(value)),
            Self::Test(test) => test.meets(value(&test.field)) != test.negated,
        }
    }
}

impl Test {
    fn matches(&self, row: &RowView<'_>) -> bool {
        let met = if self.field == FilterField::LabelKeys {
            let keys = row.attribution.labels.keys();
            self.values.iter().any(|value| keys.clone().any(|key| self.holds(key, value)))
        } else {
            self.meets(self.field.value(row))
        };
        met != self.negated
    }

    fn meets(&self, found: Option<&str>) -> bool {
        let found = found.filter(|text| !text.is_empty());
        self.values.iter().any(|value| match found {
            Some(found) => self.holds(found, value),
            None => self.op == Op::Equals && (value.is_empty() || &**value == UNALLOCATED),
        })
    }

    fn holds(&self, found: &str, value: &str) -> bool {
        match self.op {
            Op::Equals if self.field.in_any_case() => found.eq_ignore_ascii_case(value),
            Op::Equals => found == value,
            Op::Contains => found.contains(value),
            Op::StartsWith => found.starts_with(value),
            Op::EndsWith => found.ends_with(value),
        }
    }
}

impl FilterField {
    const fn in_any_case(&self) -> bool {
        matches!(self, Self::ControllerKind | Self::Provider | Self::OfAsset(_))
    }

    fn value<'a>(&self, row: &RowView<'a>) -> Option<&'a str> {
        let of = row.attribution;
        let workload = of.workload.as_ref();
        match self {
            Self::Cluster => Some(row.cluster),
            Self::Node => row.node.map(|node| &*node.name),
            Self::Provider => row.node.map(|node| provider(node.facts.provider)),
            Self::Namespace => Some(&of.namespace),
            Self::Space => Some(&of.space),
            Self::Vcluster => of.vcluster.as_deref(),
            Self::VirtualNamespace => of.virtual_namespace.as_deref(),
            Self::Team => Some(&of.team),
            Self::Owner => Some(&of.owner),
            Self::ControllerName => workload.map(|key| &*key.name),
            Self::ControllerKind => workload.map(|key| key.kind.name()),
            Self::Pod => row.pod.map(|pod| &*pod.name),
            Self::Services => row.service(),
            Self::Label(key) => label(of, key).map(|value| &**value),
            Self::LabelKeys | Self::OfAsset(_) => None,
            Self::Asset => Some(row.asset.map_or("node", |asset| asset.kind.name())),
        }
    }
}

/// As a configuration writes it.
const fn provider(of: Provider) -> &'static str {
    match of {
        Provider::Aws => "aws",
        Provider::Azure => "azure",
        Provider::Gcp => "gcp",
        Provider::Unknown => "",
    }
}
