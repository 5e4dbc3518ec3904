//! What is paid for beside nodes costs: disks, load balancers, the control plane, traffic.

use std::sync::Arc;

use super::{Confidence, EgressPrices, NodePrice, NodePricer, PriceSource};
use crate::cluster::{Provider, Volume, VolumeFacts};
use crate::units::{Bytes, PicoUsd, Rate};

/// The source of a price of nothing.
const FREE: &str = "not-billed";

/// Finds prices of what is paid for beside nodes. Must answer at once, from memory, and give the
/// same answer until prices are refreshed.
///
/// Who knows no such prices takes the answers that are here: nothing is billed.
pub trait AssetPricer: Send + Sync {
    /// The price of a whole volume of this size.
    fn volume(&self, _facts: &VolumeFacts, _capacity: Bytes) -> NodePrice {
        NodePrice::free("volumes are not priced")
    }

    /// The price of just this volume: a list of one's own may name volumes one by one.
    fn price_volume(&self, volume: &Volume) -> NodePrice {
        self.volume(&volume.facts, volume.capacity)
    }

    /// The price of a load balancer, without what goes through it. `class` is [`crate::cluster::Service::class`].
    fn load_balancer(&self, _provider: Provider, _region: &str, _class: &str) -> NodePrice {
        NodePrice::free("load balancers are not priced")
    }

    /// What the provider takes for running the control plane; [`Provider::Unknown`] for who runs it oneself.
    fn control_plane(&self, _provider: Provider, _region: &str) -> NodePrice {
        NodePrice::free("the control plane is not priced")
    }

    /// What traffic out of a pod costs.
    fn egress(&self, _provider: Provider, _region: &str) -> EgressPrices {
        EgressPrices {
            zone: PicoUsd(0),
            region: PicoUsd(0),
            internet: PicoUsd(0),
            confidence: Confidence::Default,
            source: free(),
        }
    }
}

/// Prices everything on the bill.
pub trait Pricer: NodePricer + AssetPricer {}

impl<P: NodePricer + AssetPricer + ?Sized> Pricer for P {}

impl NodePrice {
    /// The price of what costs nothing, or of which no price is known, with the reason.
    pub fn free(reason: impl Into<Arc<str>>) -> Self {
        Self {
            hourly: Rate::default(),
            confidence: Confidence::Default,
            source: free(),
            reason: reason.into(),
            by_pod: None,
        }
    }
}

fn free() -> PriceSource {
    PriceSource { id: FREE.into(), date: "".into() }
}
