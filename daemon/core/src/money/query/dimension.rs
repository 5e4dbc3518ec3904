//! What rows can be grouped by, and the value each row has of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::row_view::RowView;
use crate::cluster::{Attribution, WorkloadKind};

/// The value of a row that has none of what is grouped by.
pub const UNALLOCATED: &str = "__unallocated__";

/// The line and the value of what is paid for without a pod: a volume nobody mounts, a load balancer without backends.
pub const UNMOUNTED: &str = "__unmounted__";

/// What rows can be grouped by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dimension {
    /// The cluster.
    Cluster,
    /// The node's name.
    Node,
    /// The namespace on the host cluster.
    Namespace,
    /// The innermost space: the namespace, the vCluster or the namespace within one.
    Space,
    /// The vCluster as `namespace/name`.
    Vcluster,
    /// The namespace inside the vCluster.
    VirtualNamespace,
    /// The team.
    Team,
    /// The owner.
    Owner,
    /// The workload's kind, in lower case.
    ControllerKind,
    /// The workload as `kind:name`.
    Controller,
    /// The workload's name if it is a Deployment.
    Deployment,
    /// The workload's name if it is a `StatefulSet`.
    StatefulSet,
    /// The workload's name if it is a `DaemonSet`.
    DaemonSet,
    /// The workload's name if it is a Job or `CronJob`.
    Job,
    /// The Service, as far as the row knows one: that of a load balancer.
    Service,
    /// The pod's name.
    Pod,
    /// The pod's name again: costs are kept per pod, and its containers share its line.
    Container,
    /// The value of a label, under its raw key or as `OpenCost` spells it, with `_` for what is neither letter nor
    /// digit.
    Label(Arc<str>),
    /// The kind of asset: `node`, `volume`, `load-balancer` and so on.
    Asset,
}

/// Why rows cannot be grouped by a text.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DimensionError {
    /// No dimension is called that.
    #[error("{0:?} cannot be grouped by: use {names}, or several of them with commas between", names = names())]
    Unknown(String),
    /// Annotations are not kept with the rows.
    #[error("{0:?} cannot be grouped by: annotations are not kept with the rows; use a label: label:KEY")]
    Annotation(String),
    /// The key of the label is left out.
    #[error("{0:?} names no label: write label:KEY, such as label:app.kubernetes.io/name")]
    NoLabel(String),
    /// One dimension twice.
    #[error("{0:?} is named twice")]
    Twice(String),
}

fn names() -> String {
    let names: Vec<_> = Dimension::NAMES.iter().map(|(name, _)| *name).collect();
    names.join(", ") + ", label:KEY"
}

impl Dimension {
    /// All of them but labels by their name in a query.
    pub const NAMES: [(&'static str, Self); 19] = [
        ("cluster", Self::Cluster),
        ("node", Self::Node),
        ("namespace", Self::Namespace),
        ("space", Self::Space),
        ("vcluster", Self::Vcluster),
        ("virtualNamespace", Self::VirtualNamespace),
        ("team", Self::Team),
        ("owner", Self::Owner),
        ("controllerKind", Self::ControllerKind),
        ("controller", Self::Controller),
        ("workload", Self::Controller),
        ("deployment", Self::Deployment),
        ("statefulset", Self::StatefulSet),
        ("daemonset", Self::DaemonSet),
        ("job", Self::Job),
        ("service", Self::Service),
        ("pod", Self::Pod),
        ("container", Self::Container),
        ("asset", Self::Asset),
    ];

    /// Names that other tools give to labels, with the key they mean.
    const LABELS: [(&'static str, &'static str); 3] =
        [("department", "department"), ("environment", "env"), ("product", "app")];

    /// Reads a comma-separated list such as `team,space,label:app`. Each comes with its name as `NAMES` writes it.
    pub fn parse_list(text: &str) -> Result<Vec<(Arc<str>, Self)>, DimensionError> {
        let mut found: Vec<(Arc<str>, Self)> = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (name, dimension) = Self::parse_one(part)?;
            if found.iter().any(|(_, other)| *other == dimension) {
                return Err(DimensionError::Twice(part.to_owned()));
            }
            found.push((name, dimension));
        }
        Ok(found)
    }

    fn parse_one(text: &str) -> Result<(Arc<str>, Self), DimensionError> {
        if let Some((name, dimension)) = Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text))
        {
            return Ok(((*name).into(), dimension.clone()));
        }
        if let Some((name, key)) = Self::LABELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Ok(((*name).into(), Self::Label((*key).into())));
        }
        let (what, key) = text.split_once(':').unwrap_or((text, ""));
        match what.to_ascii_lowercase().as_str() {
            "annotation" => Err(DimensionError::Annotation(text.to_owned())),
            "label" if key.is_empty() => Err(DimensionError::NoLabel(text.to_owned())),
            "label" => Ok((format!("label:{key}").into(), Self::Label(key.into()))),
            _ => Err(DimensionError::Unknown(text.to_owned())),
        }
    }

    /// The value of a row. Kept cheap: what exists as a shared text is shared.
    pub(super) fn value(&self, row: &RowView<'_>) -> Arc<str> {
        let of = row.attribution;
        let unallocated = || -> Arc<str> { UNALLOCATED.into() };
        let workload = || row.without_pod(of.workload.as_ref());
        let named = |kinds: &[WorkloadKind]| match workload() {
            Ok(Some(key)) if kinds.contains(&key.kind) => Arc::clone(&key.name),
            Ok(_) => unallocated(),
            Err(unmounted) => unmounted.into(),
        };
        match self {
            Self::Cluster => Arc::clone(row.cluster),
            Self::Node => row.node.map_or_else(|| row.none().into(), |node| Arc::clone(&node.name)),
            Self::Namespace => Arc::clone(&of.namespace),
            Self::Space => Arc::clone(&of.space),
            Self::Vcluster => of.vcluster.clone().unwrap_or_else(unallocated),
            Self::VirtualNamespace => of.virtual_namespace.clone().unwrap_or_else(unallocated),
            Self::Team => Arc::clone(&of.team),
            Self::Owner => Arc::clone(&of.owner),
            Self::ControllerKind => match workload() {
                Ok(Some(key)) => key.kind.name().to_lowercase().into(),
                Ok(None) => unallocated(),
                Err(unmounted) => unmounted.into(),
            },
            Self::Controller => match workload() {
                Ok(Some(key)) => format!("{}:{}", key.kind.name().to_lowercase(), key.name).into(),
                Ok(None) => unallocated(),
                Err(unmounted) => unmounted.into(),
            },
            Self::Deployment => named(&[WorkloadKind::Deployment]),
            Self::StatefulSet => named(&[WorkloadKind::StatefulSet]),
            Self::DaemonSet => named(&[WorkloadKind::DaemonSet]),
            Self::Job => named(&[WorkloadKind::Job, WorkloadKind::CronJob]),
            Self::Service => row.service().map_or_else(unallocated, Into::into),
            Self::Pod | Self::Container => {
                row.pod.map_or_else(|| UNMOUNTED.into(), |pod| Arc::clone(&pod.name))
            }
            Self::Label(key) => label(of, key).cloned().unwrap_or_else(unallocated),
            Self::Asset => row.asset.map_or("node", |asset| asset.kind.name()).into(),
        }
    }
}

/// The value of a label: under its raw key, else under the key that is sanitised to it.
pub(super) fn label<'a>(of: &'a Attribution, key: &str) -> Option<&'a Arc<str>> {
    of.labels.get(key).or_else(|| {
        is_sanitised(key)
            .then(|| of.labels.iter().find(|(raw, _)| sanitised(raw) == key))?
            .map(|(_, value)| value)
    })
}

/// Whether a key may stand for another one: `app_kubernetes_io_name` for `app.kubernetes.io/name`.
pub(super) fn is_sanitised(key: &str) -> bool {
    key.contains('_') && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A key as Prometheus, and so `OpenCost`, spells it.
pub fn sanitised(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

impl FromStr for Dimension {
    type Err = DimensionError;
    fn from_str(text: &str) -> Result<Self, DimensionError> {
        Self::parse_one(text).map(|(_, dimension)| dimension)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Label(key) = self {
            return write!(f, "label:{key}");
        }
        f.write_str(Self::NAMES.iter().find(|(_, dimension)| dimension == self).map_or("", |(name, _)| *name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let list = Dimension::parse_list(text).map_err(|error| error.to_string())?;
        Ok(list.into_iter().map(|(name, dimension)| format!("{name}={dimension}")).collect())
    }

    #[test]
    fn lists_are_read_in_their_order_and_under_their_names() {
        let told = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(read("TEAM, space"), told(&["team=team", "space=space"]));
        assert_eq!(
            read("workload,label:app.kubernetes.io/name"),
            told(&["workload=controller", "label:app.kubernetes.io/name=label:app.kubernetes.io/name"])
        );
        assert_eq!(
            read("environment,namespace,pod,container"),
            told(&["environment=label:env", "namespace=namespace", "pod=pod", "container=container"])
        );
    }

    #[test]
    fn what_cannot_be_grouped_by_is_named() {
        for (text, message) in [
            ("team,team", "\"team\" is named twice"),
            ("controller,workload", "\"workload\" is named twice"),
            (
                "annotation:x",
                "\"annotation:x\" cannot be grouped by: annotations are not kept with the rows; use a label: label:KEY",
            ),
            ("label:", "\"label:\" names no label: write label:KEY, such as label:app.kubernetes.io/name"),
        ] {
            assert_eq!(read(text), Err(message.to_owned()));
        }
        for text in ["", "team,,space", "colour"] {
            assert!(
                read(text).is_err_and(|message| message.contains("cannot be grouped by: use cluster, node"))
            );
        }
    }

    #[test]
    fn labels_answer_to_their_sanitised_key() {
        let mut of = Attribution::line("x");
        of.labels = Arc::new([("app.kubernetes.io/name".into(), "web".into())].into());
        let value = |key| label(&of, key).map(ToString::to_string);
        assert_eq!(value("app.kubernetes.io/name"), Some("web".to_owned()));
        assert_eq!(value("app_kubernetes_io_name"), Some("web".to_owned()));
        assert_eq!(value("app-kubernetes-io-name"), None);
        assert_eq!(value("app"), None);
    }
}
