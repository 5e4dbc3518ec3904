//! A node: what it offers and the facts its price follows from.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Keys;
use crate::units::{Instant, Resources};

/// Who runs the machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
    /// Anything else: on-prem, kind, k3s, smaller clouds.
    #[default]
    Unknown,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Unknown => "unknown",
        })
    }
}

/// How the machine was bought, as far as its labels tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityType {
    /// At list price, by the second.
    #[default]
    OnDemand,
    /// Spare capacity that may be taken back.
    Spot,
}

impl fmt::Display for CapacityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
        })
    }
}

/// What a node's price is looked up by. Built from labels and the provider id by [`NodeFacts::read`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Who runs it.
    pub provider: Provider,
    /// Region such as `eu-central-1`; empty if unknown.
    pub region: Arc<str>,
    /// Zone such as `eu-central-1a`; empty if unknown.
    pub zone: Arc<str>,
    /// Instance type such as `m5.xlarge`; empty if unknown.
    pub instance_type: Arc<str>,
    /// On demand or spot.
    pub capacity_type: CapacityType,
    /// CPU architecture such as `amd64`; empty if unknown.
    pub arch: Arc<str>,
    /// Operating system such as `linux`; empty if unknown.
    pub os: Arc<str>,
    /// Of its labels, those that a price rule looks at.
    #[serde(default)]
    pub labels: Keys,
}

/// A node of the cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Kubernetes UID: a second node of the same name is another node.
    pub uid: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// When the object was created; the node is paid for from here.
    pub created: Instant,
    /// `spec.providerID`, empty if none.
    pub provider_id: Arc<str>,
    /// What the price follows from.
    pub facts: NodeFacts,
    /// `status.capacity`: what is paid for, not `allocatable`.
    pub capacity: Resources,
    /// Whether its Ready condition is true.
    pub ready: bool,
}
