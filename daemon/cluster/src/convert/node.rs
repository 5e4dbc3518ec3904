//! Nodes: what is paid for, and the facts its price follows from.

use k8s_openapi::api::core::v1::Node;
use nightcap_core::cluster::{self, NodeFacts};

use super::quantities::resources;
use super::{ReadError, Reader, Unreadable, keep, meta};

/// The record of a node.
pub(crate) fn node(node: &Node, reader: &mut Reader) -> Result<cluster::Node, Unreadable> {
    read(node, reader).map_err(|error| meta::unreadable(&node.metadata, &error))
}

fn read(node: &Node, reader: &mut Reader) -> Result<cluster::Node, ReadError> {
    let name = meta::name(&node.metadata)?;
    let status = node.status.as_ref();
    let provider_id = node.spec.as_ref().and_then(|spec| spec.provider_id.as_deref()).unwrap_or_default();
    let kubelet =
        status.and_then(|status| status.node_info.as_ref()).map(|info| info.kubelet_version.as_str());
    let labels = keep::all(node.metadata.labels.as_ref(), &mut reader.names);
    let capacity = status.and_then(|status| status.capacity.as_ref());
    let mut conditions = status.into_iter().flat_map(|status| status.conditions.iter().flatten());
    Ok(cluster::Node {
        uid: meta::uid(&node.metadata)?,
        name: reader.names.get(name),
        created: meta::created(&node.metadata)?,
        provider_id: provider_id.into(),
        facts: NodeFacts {
            labels: reader.keep.priced_by(&labels),
            ..NodeFacts::read(name, &labels, provider_id, kubelet.unwrap_or_default())
        },
        // A node that has only just registered has no capacity yet; the kubelet states it moments later.
        capacity: resources(capacity, || "status.capacity".to_owned())?,
        ready: conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True"),
    })
}
