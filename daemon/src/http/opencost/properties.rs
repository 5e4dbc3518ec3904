//! What a row says of the pods it is the sum of.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::money::query::{Dimension, Group, IDLE, Line, UNALLOCATED};
use nightcap_core::money::{AssetKind, NodeName};

use super::parts;
use super::query::Show;
use super::row::Properties;

/// What the row of a line says: its name stands for the namespace, as in `OpenCost`.
pub(super) fn of_line(line: &Line, cluster: &str) -> Properties {
    let namespace = (&*line.name != IDLE).then(|| line.name.to_string());
    Properties {
        cluster: cluster.to_owned(),
        node: line.node.as_ref().map(|node| node.name.to_string()),
        namespace,
        provider_id: line.node.as_ref().and_then(provider_id),
        ..Properties::default()
    }
}

/// What all pods of a group have in common. The labels that it is grouped by are told whether labels are asked for or not:
/// clients read them there, and not out of the name.
pub(super) fn of_group(
    cluster: &str,
    by: &[Dimension],
    key: &[Arc<str>],
    group: &Group,
    show: Show,
) -> Properties {
    let common = &group.common;
    // What nobody asked for reads as empty where rows come from an archive.
    let text =
        |value: &Option<Arc<str>>| value.as_deref().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let pod = text(&common.pod);
    let balancers = group.assets.values().filter(|part| part.asset.kind == AssetKind::LoadBalancer);
    Properties {
        cluster: cluster.to_owned(),
        node: common.node.as_ref().map(|node| node.name.to_string()).filter(|name| !name.is_empty()),
        container: pod.clone().filter(|_| show.containers),
        controller: common.workload.as_ref().map(|(_, name)| name.to_string()),
        controller_kind: common.workload.as_ref().map(|(kind, _)| kind.name().to_lowercase()),
        namespace: text(&common.namespace),
        pod,
        services: if show.labels {
            balancers.map(|part| parts::service(&part.asset).to_owned()).collect()
        } else {
            Vec::new()
        },
        provider_id: common.node.as_ref().and_then(provider_id),
        labels: labels(common.labels.iter().flat_map(|l| l.iter()).chain(grouped_by(by, key))),
    }
}

/// The labels among what a row is grouped by, and their values in it.
fn grouped_by<'a>(
    by: &'a [Dimension],
    key: &'a [Arc<str>],
) -> impl Iterator<Item = (&'a Arc<str>, &'a Arc<str>)> {
    by.iter().zip(key).filter_map(|(dimension, value)| match dimension {
        Dimension::Label(label) if &**value != UNALLOCATED => Some((label, value)),
        _ => None,
    })
}

fn labels<'a>(pairs: impl Iterator<Item = (&'a Arc<str>, &'a Arc<str>)>) -> BTreeMap<String, String> {
    pairs.map(|(label, value)| (label.to_string(), value.to_string())).collect()
}

fn provider_id(node: &Arc<NodeName>) -> Option<String> {
    Some(node.provider_id.to_string()).filter(|id| !id.is_empty())
}
