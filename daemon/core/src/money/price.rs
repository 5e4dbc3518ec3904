//! What a node costs, and how sure that is.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cluster::{Node, NodeFacts};
use crate::units::{PicoUsd, Rate, Resources};

/// How much a price can be relied on, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// What is really paid: a rule of the user's own, or a bill.
    Exact,
    /// The provider's list price for just this type, region and capacity type.
    List,
    /// Derived from a near price: same family, another region, a usual spot discount.
    Estimated,
    /// Cores and memory at default rates: nothing better is known of the machine.
    Default,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::List => "list",
            Self::Estimated => "estimated",
            Self::Default => "default",
        })
    }
}

/// Where a price comes from.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct PriceSource {
    /// The origin, such as `karpenter-aws` or `default-rates`.
    pub id: Arc<str>,
    /// The day the price was read, as `YYYY-MM-DD`; empty where a price has no date.
    pub date: Arc<str>,
}

/// The price of a node with everything a reader needs to judge it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct NodePrice {
    /// Dollars per hour for the whole node, in pico-dollars.
    pub hourly: Rate,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it comes from.
    pub source: PriceSource,
    /// One sentence that says how it was found, e.g. `us-east-1 price of m7i.large × 1.15 (eu-north-1)`.
    pub reason: Arc<str>,
    /// Set where not the machine is billed but what its pods ask for; `hourly` is then what a machine full of such pods
    /// would cost.
    pub by_pod: Option<PodRates>,
}

/// What a GiB of traffic costs by where it goes, in pico-dollars.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EgressPrices {
    /// To another zone of the region.
    pub zone: PicoUsd,
    /// To another region.
    pub region: PicoUsd,
    /// To the internet.
    pub internet: PicoUsd,
    /// How sure they are.
    pub confidence: Confidence,
    /// Where they come from.
    pub source: PriceSource,
}

/// Prices of the pods of a node that is not billed as a machine (EKS Fargate, GKE Autopilot).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct PodRates {
    /// A core, in pico-dollars per hour.
    pub core: Rate,
    /// A GiB of memory, in pico-dollars per hour.
    pub gib: Rate,
    /// Pods of the provider's own system are not billed: so on Autopilot.
    pub system_is_free: bool,
}

impl PodRates {
    /// What a pod costs per hour by what it asks for: CPU, memory, GPU. Rounded down to whole pico-dollars.
    pub fn rates_of(self, requests: Resources, namespace: &str) -> [Rate; 3] {
        if self.system_is_free && is_system(namespace) {
            return [Rate(0); 3];
        }
        let part = |rate: Rate, amount: u64, unit: u64| {
            let part = u128::from(rate.0) * u128::from(amount) / u128::from(unit);
            Rate(u64::try_from(part).unwrap_or(u64::MAX))
        };
        [part(self.core, requests.cpu.0, 1_000_000_000), part(self.gib, requests.memory.0, 1 << 30), Rate(0)]
    }
}

/// Namespaces that Google manages on Autopilot.
fn is_system(namespace: &str) -> bool {
    matches!(namespace, "kube-system" | "gmp-system" | "gmp-public") || namespace.starts_with("gke-")
}

/// Finds the price of a node. Must answer at once, from memory, and give the same answer until prices are refreshed.
pub trait NodePricer: Send + Sync {
    /// The price of a machine with these facts and this capacity. Always answers: at worst with default rates.
    fn price(&self, facts: &NodeFacts, capacity: Resources) -> NodePrice;

    /// The price of just this node: a list of one's own may name machines one by one.
    fn price_node(&self, node: &Node) -> NodePrice {
        self.price(&node.facts, node.capacity)
    }
}
