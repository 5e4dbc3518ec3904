//! What grouping and filters see of a row, whichever of the ledger's tables it comes from.

use std::sync::Arc;

use super::dimension::{UNALLOCATED, UNMOUNTED};
use crate::cluster::Attribution;
use crate::money::{AllocationRow, AssetKind, FlatAsset, FlatRow, NodeName, PodName};

/// A row, without its amounts.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowView<'a> {
    pub(super) cluster: &'a Arc<str>,
    pub(super) node: Option<&'a Arc<NodeName>>,
    pub(super) pod: Option<&'a Arc<PodName>>,
    pub(super) attribution: &'a Arc<Attribution>,
    /// `None` for a share of a node.
    pub(super) asset: Option<&'a Arc<FlatAsset>>,
}

impl<'a> RowView<'a> {
    pub(super) fn of_pod(cluster: &'a Arc<str>, row: &'a AllocationRow) -> Self {
        Self {
            cluster,
            node: Some(&row.holder.node),
            pod: Some(&row.holder.pod),
            attribution: &row.holder.attribution,
            asset: None,
        }
    }

    pub(super) fn of_flat(cluster: &'a Arc<str>, row: &'a FlatRow) -> Self {
        Self {
            cluster,
            node: None,
            pod: row.pod.as_ref(),
            attribution: &row.attribution,
            asset: Some(&row.asset),
        }
    }

    /// The line of its own that the row belongs to whatever is grouped by, such as `__overhead__`.
    pub(super) fn line(&self) -> Option<&'a Arc<str>> {
        self.attribution.is_line().then_some(&self.attribution.namespace)
    }

    /// The name of the Service of a load balancer.
    pub(super) fn service(&self) -> Option<&'a str> {
        let asset = self.asset.filter(|asset| asset.kind == AssetKind::LoadBalancer)?;
        Some(asset.name.rsplit_once('/').map_or(&*asset.name, |(_, service)| service))
    }

    /// What stands for a part that the row has not: no pod is behind it, or only this part is missing.
    pub(super) const fn none(&self) -> &'static str {
        if self.pod.is_none() { UNMOUNTED } else { UNALLOCATED }
    }

    /// A part that belongs to the workload: where neither a pod nor a workload is behind the row, it is unmounted.
    pub(super) fn without_pod<T>(&self, part: Option<T>) -> Result<Option<T>, &'static str> {
        if part.is_none() && self.pod.is_none() { Err(UNMOUNTED) } else { Ok(part) }
    }
}
