//! What a node costs, and how sure that is.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cluster::NodeFacts;
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
}

/// Finds the price of a node. Must answer at once, from memory, and always give the same answer.
pub trait NodePricer: Send + Sync {
    /// The price of a machine with these facts and this capacity. Always answers: at worst with default rates.
    fn price(&self, facts: &NodeFacts, capacity: Resources) -> NodePrice;
}
