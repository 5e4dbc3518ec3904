//! What a group costs, component by component, to the pico-dollar.

use serde::Serialize;

use crate::money::{AssetKind, ByResource, FlatAsset};
use crate::units::PicoUsd;

/// What traffic costs, by where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize)]
pub struct NetworkCosts {
    /// To other zones of the region.
    pub zone: PicoUsd,
    /// To other regions.
    pub region: PicoUsd,
    /// To the internet.
    pub internet: PicoUsd,
}

impl NetworkCosts {
    /// All of it.
    pub const fn total(self) -> PicoUsd {
        PicoUsd(self.zone.0 + self.region.0 + self.internet.0)
    }
}

/// A component of what a group costs. All of them add up to [`Costs::total`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Component {
    /// Its share of the nodes' CPU.
    Cpu,
    /// Its share of the nodes' memory.
    Memory,
    /// Its share of the nodes' GPUs.
    Gpu,
    /// Volumes.
    Storage,
    /// Load balancers.
    LoadBalancer,
    /// Traffic to other zones of the region.
    NetworkZone,
    /// Traffic to other regions.
    NetworkRegion,
    /// Traffic to the internet.
    NetworkInternet,
    /// The control plane.
    ControlPlane,
    /// Fixed sums.
    Fixed,
    /// Its part of idle cost that was spread.
    IdleShare,
    /// Its part of shared cost that was spread.
    SharedShare,
    /// Its part of overhead that was spread.
    OverheadShare,
}

impl Component {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 13] = [
        Self::Cpu,
        Self::Memory,
        Self::Gpu,
        Self::Storage,
        Self::LoadBalancer,
        Self::NetworkZone,
        Self::NetworkRegion,
        Self::NetworkInternet,
        Self::ControlPlane,
        Self::Fixed,
        Self::IdleShare,
        Self::SharedShare,
        Self::OverheadShare,
    ];
}

/// What a group costs by component: its own, and its parts of what was spread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize)]
pub struct Costs {
    /// Shares of nodes.
    pub node: ByResource,
    /// Volumes.
    pub storage: PicoUsd,
    /// Load balancers.
    pub load_balancer: PicoUsd,
    /// Traffic.
    pub network: NetworkCosts,
    /// The control plane.
    pub control_plane: PicoUsd,
    /// Fixed sums.
    pub fixed: PicoUsd,
    /// Its part of idle cost that was spread.
    pub idle: ByResource,
    /// Its part of shared cost that was spread.
    pub shared: PicoUsd,
    /// Its part of overhead that was spread.
    pub overhead: PicoUsd,
}

impl Costs {
    /// A share of a node.
    pub fn of_node(node: ByResource) -> Self {
        Self { node, ..Self::default() }
    }

    /// What is paid for an asset that is no node.
    pub fn of_flat(asset: &FlatAsset, cost: PicoUsd) -> Self {
        let mut costs = Self::default();
        match asset.kind {
            AssetKind::Volume => costs.storage = cost,
            AssetKind::LoadBalancer => costs.load_balancer = cost,
            AssetKind::ControlPlane => costs.control_plane = cost,
            AssetKind::Fixed => costs.fixed = cost,
            AssetKind::Network if asset.name.contains("zone") => costs.network.zone = cost,
            AssetKind::Network if asset.name.contains("region") => costs.network.region = cost,
            AssetKind::Network => costs.network.internet = cost,
        }
        costs
    }

    /// One component of it.
    pub fn of(&self, component: Component) -> PicoUsd {
        match component {
            Component::Cpu => self.node.cpu,
            Component::Memory => self.node.memory,
            Component::Gpu => self.node.gpu,
            Component::Storage => self.storage,
            Component::LoadBalancer => self.load_balancer,
            Component::NetworkZone => self.network.zone,
            Component::NetworkRegion => self.network.region,
            Component::NetworkInternet => self.network.internet,
            Component::ControlPlane => self.control_plane,
            Component::Fixed => self.fixed,
            Component::IdleShare => self.idle.total(),
            Component::SharedShare => self.shared,
            Component::OverheadShare => self.overhead,
        }
    }

    /// What it costs itself: everything but what was spread.
    pub fn own(&self) -> PicoUsd {
        self.node.total() + self.flat()
    }

    /// The part of its own cost that is no share of a node.
    pub fn flat(&self) -> PicoUsd {
        self.storage + self.load_balancer + self.network.total() + self.control_plane + self.fixed
    }

    /// Everything.
    pub fn total(&self) -> PicoUsd {
        self.own() + self.idle.total() + self.shared + self.overhead
    }
}

impl std::ops::AddAssign for Costs {
    fn add_assign(&mut self, rhs: Self) {
        self.node += rhs.node;
        self.storage += rhs.storage;
        self.load_balancer += rhs.load_balancer;
        self.network.zone += rhs.network.zone;
        self.network.region += rhs.network.region;
        self.network.internet += rhs.network.internet;
        self.control_plane += rhs.control_plane;
        self.fixed += rhs.fixed;
        self.idle += rhs.idle;
        self.shared += rhs.shared;
        self.overhead += rhs.overhead;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_counts_once() {
        let usd = |power| PicoUsd(10_i128.pow(power));
        let costs = Costs {
            node: ByResource::from_array([usd(0), usd(1), usd(2)]),
            storage: usd(3),
            load_balancer: usd(4),
            network: NetworkCosts { zone: usd(5), region: usd(6), internet: usd(7) },
            control_plane: usd(8),
            fixed: usd(9),
            idle: ByResource::from_array([usd(10), usd(11), usd(12)]),
            shared: usd(13),
            overhead: usd(14),
        };
        assert_eq!(costs.total(), PicoUsd(111_111_111_111_111));
        assert_eq!(costs.own(), PicoUsd(1_111_111_111));
        assert_eq!(costs.flat(), PicoUsd(1_111_111_000));
        assert_eq!(
            Component::ALL.map(|component| costs.of(component)).into_iter().sum::<PicoUsd>(),
            costs.total()
        );
        let mut sum = costs;
        sum += costs;
        assert_eq!(sum.total(), PicoUsd(222_222_222_222_222));
    }
}
