//! What a row of `/allocation` is made of: its volumes, load balancers, nodes, and what was spread over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::money::query::{Costs, Group, OVERHEAD, SHARED, Table};
use nightcap_core::money::{AssetKind, FlatAsset};
use nightcap_core::units::{PicoUsd, Usd, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::compat::Compat;
use crate::api::Money;

/// A row's part of a volume.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct VolumePart {
    byte_hours: f64,
    #[schema(value_type = Money)]
    cost: Usd,
    #[serde(rename = "providerID")]
    provider_id: String,
    #[schema(value_type = Money)]
    adjustment: Usd,
}

/// A row's part of a load balancer.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::http) struct LoadBalancerPart {
    service: String,
    #[schema(value_type = Money)]
    cost: Usd,
    /// Always false: whether it is reachable from outside only is not known.
    private: bool,
    ip: String,
    hours: f64,
    #[schema(value_type = Money)]
    adjustment: Usd,
}

/// A row's share of a node, from 0 to 1.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct NodeShare {
    cluster: String,
    name: String,
    r#type: &'static str,
    #[serde(rename = "providerID")]
    provider_id: String,
    cpu_percentage: f64,
    gpu_percentage: f64,
    ram_percentage: f64,
    load_balancer_percentage: f64,
    pv_percentage: f64,
    node_resource_cost_percentage: f64,
}

/// A row's share of a line that was spread.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct SharedPart {
    name: &'static str,
    #[schema(value_type = Money)]
    total_cost: Usd,
    #[schema(value_type = Money)]
    cpu_cost: Usd,
    #[schema(value_type = Money)]
    gpu_cost: Usd,
    #[schema(value_type = Money)]
    ram_cost: Usd,
    #[schema(value_type = Money)]
    pv_cost: Usd,
    #[schema(value_type = Money)]
    network_cost: Usd,
    #[schema(value_type = Money)]
    load_balancer_cost: Usd,
    /// The control plane and fixed sums.
    #[schema(value_type = Money)]
    external_cost: Usd,
}

/// The Service of a load balancer.
pub(super) fn service(asset: &FlatAsset) -> &str {
    asset.name.rsplit_once('/').map_or(&*asset.name, |(_, service)| service)
}

/// Volumes by the key of `OpenCost`; `None` without any.
pub(super) fn volumes(
    group: &Group,
    cluster: &str,
    compat: Compat,
    there: &BTreeMap<Arc<str>, Window>,
) -> Option<BTreeMap<String, VolumePart>> {
    let mut volumes = BTreeMap::new();
    for part in group.assets.values().filter(|part| part.asset.kind == AssetKind::Volume) {
        let mut key = format!("cluster={cluster}:name={}", part.asset.name);
        if volumes.contains_key(&key) {
            // Made again under its old name: two volumes, and both are paid for.
            key = format!("{key}:uid={}", part.asset.uid);
        }
        let told = VolumePart {
            byte_hours: part.amount,
            cost: compat.told(compat.volume(part, there)).exact(),
            provider_id: part.asset.provider_id.to_string(),
            adjustment: PicoUsd(0).exact(),
        };
        volumes.insert(key, told);
    }
    (!volumes.is_empty()).then_some(volumes)
}

/// Load balancers by `namespace/service`; `None` without any.
pub(super) fn load_balancers(group: &Group, compat: Compat) -> Option<BTreeMap<String, LoadBalancerPart>> {
    let mut balancers = BTreeMap::new();
    for part in group.assets.values().filter(|part| part.asset.kind == AssetKind::LoadBalancer) {
        let mut key = part.asset.name.to_string();
        if balancers.contains_key(&key) {
            key = format!("{key}/{}", part.asset.uid);
        }
        let told = LoadBalancerPart {
            service: part.asset.name.to_string(),
            cost: compat.told(part.cost).exact(),
            private: false,
            ip: part.asset.provider_id.to_string(),
            hours: part.amount,
            adjustment: PicoUsd(0).exact(),
        };
        balancers.insert(key, told);
    }
    (!balancers.is_empty()).then_some(balancers)
}

/// Shares of nodes by `cluster,node`.
pub(super) fn nodes(group: &Group, cluster: &str) -> BTreeMap<String, NodeShare> {
    let share = |part: PicoUsd, whole: PicoUsd| if whole.0 > 0 { part.usd() / whole.usd() } else { 0.0 };
    let told = group.nodes.values().map(|part| {
        let name = part.node.name.to_string();
        let told = NodeShare {
            cluster: cluster.to_owned(),
            name: name.clone(),
            r#type: "Node",
            provider_id: part.node.provider_id.to_string(),
            cpu_percentage: share(part.cost.cpu, part.whole.cpu),
            gpu_percentage: share(part.cost.gpu, part.whole.gpu),
            ram_percentage: share(part.cost.memory, part.whole.memory),
            load_balancer_percentage: 0.0,
            pv_percentage: 0.0,
            node_resource_cost_percentage: share(part.cost.total(), part.whole.total()),
        };
        (format!("{cluster},{name}"), told)
    });
    told.collect()
}

/// What was spread over a row, by line, each cut in proportion to what the line was made of.
pub(super) fn shared(group: &Group, table: &Table, compat: Compat) -> BTreeMap<&'static str, SharedPart> {
    let lines = [(SHARED, group.costs.shared), (OVERHEAD, group.costs.overhead)];
    let told = lines.into_iter().filter_map(|(name, part)| {
        let pool = table.spread.get(name)?;
        let parts = in_proportion(part, &components(pool));
        let [cpu_cost, gpu_cost, ram_cost, pv_cost, network_cost, load_balancer_cost, external_cost] =
            parts.map(|part| compat.told(part).exact());
        let total_cost = compat.told(part).exact();
        let told = SharedPart {
            name,
            total_cost,
            cpu_cost,
            gpu_cost,
            ram_cost,
            pv_cost,
            network_cost,
            load_balancer_cost,
            external_cost,
        };
        Some((name, told))
    });
    told.collect()
}

fn components(of: &Costs) -> [PicoUsd; 7] {
    [
        of.node.cpu + of.idle.cpu,
        of.node.gpu + of.idle.gpu,
        of.node.memory + of.idle.memory,
        of.storage,
        of.network.total(),
        of.load_balancer,
        of.control_plane + of.fixed,
    ]
}

/// `amount` in proportion to `weights`, cumulatively, so that the parts add up to it.
fn in_proportion(amount: PicoUsd, weights: &[PicoUsd; 7]) -> [PicoUsd; 7] {
    let whole: i128 = weights.iter().map(|weight| weight.0.max(0)).sum();
    let (mut seen, mut given) = (0, 0);
    weights.map(|weight| {
        seen += weight.0.max(0);
        let until = match amount.0.checked_mul(seen) {
            Some(product) if whole > 0 => product / whole,
            // Beyond all sums there are: near enough, and the last part still ends at the whole.
            _ if whole > 0 && seen < whole => amount.0 / whole * seen,
            _ => amount.0,
        };
        let part = until - given;
        given = until;
        PicoUsd(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_share_add_up_to_it() {
        let weights = [3, 0, 2, 1, 0, 1, 0].map(PicoUsd);
        let parts = in_proportion(PicoUsd(100), &weights);
        assert_eq!(parts, [42, 0, 29, 14, 0, 15, 0].map(PicoUsd));
        assert_eq!(in_proportion(PicoUsd(5), &[PicoUsd(0); 7]), [5, 0, 0, 0, 0, 0, 0].map(PicoUsd));
    }
}
