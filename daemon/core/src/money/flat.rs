//! Everything on the bill that is no share of a node: disks, load balancers, the control plane, traffic, fixed sums.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Confidence, Marks, NodePrice, PodName};
use crate::cluster::Attribution;
use crate::units::{PicoUsd, Window};

/// A kind of asset that is not a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssetKind {
    /// A persistent volume; its amount is byte-hours.
    Volume,
    /// The load balancer of a Service; its amount is hours.
    LoadBalancer,
    /// The fee for the cluster's control plane; its amount is hours.
    ControlPlane,
    /// Traffic that is billed by volume; its amount is bytes.
    Network,
    /// A fixed sum a month that the configuration names; its amount is hours.
    Fixed,
}

impl AssetKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Volume, Self::LoadBalancer, Self::ControlPlane, Self::Network, Self::Fixed];

    /// Its name in queries, files and metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::LoadBalancer => "load-balancer",
            Self::ControlPlane => "control-plane",
            Self::Network => "network",
            Self::Fixed => "fixed",
        }
    }
}

/// An asset that is not a node, as rows name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FlatAsset {
    /// What it is.
    pub kind: AssetKind,
    /// Kubernetes UID of its object; the name, where it has none.
    pub uid: Arc<str>,
    /// Name: of the volume, `namespace/service`, of the fee or fixed sum, the class of traffic.
    pub name: Arc<str>,
    /// Its id at the provider (CSI volume handle, address of the load balancer); empty if unknown.
    pub provider_id: Arc<str>,
    /// Storage class of a volume; empty otherwise.
    pub class: Arc<str>,
    /// Namespace and name of the claim a volume is bound to; both empty if it is bound to none.
    pub claim: (Arc<str>, Arc<str>),
}

/// What one payer owes for one such asset within one hour. All rows of an asset and hour add up to what it costs.
#[derive(Clone, PartialEq, Debug)]
pub struct FlatRow {
    /// The asset.
    pub asset: Arc<FlatAsset>,
    /// Its price in force; `None` if none was known.
    pub price: Option<Arc<NodePrice>>,
    /// Who pays.
    pub attribution: Arc<Attribution>,
    /// The pod that mounts the volume or sent the traffic; `None` where no pod can be named.
    pub pod: Option<Arc<PodName>>,
    /// The part of the hour that is charged for.
    pub window: Window,
    /// What it pays.
    pub cost: PicoUsd,
    /// How much of the asset, in the unit of its kind, over time. For display.
    pub amount: f64,
    /// Late, back-filled.
    pub marks: Marks,
}

impl FlatRow {
    /// How far its cost can be relied on; [`Confidence::Default`] if no price was known.
    pub fn confidence(&self) -> Confidence {
        self.price.as_ref().map_or(Confidence::Default, |price| price.confidence)
    }
}
