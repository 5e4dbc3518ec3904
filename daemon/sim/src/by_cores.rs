//! Prices for simulated clusters where it does not matter which they are: round sums that need no table.

use nightcap_core::cluster::{NodeFacts, Provider, VolumeFacts};
use nightcap_core::money::{AssetPricer, Confidence, EgressPrices, NodePrice, NodePricer, PriceSource};
use nightcap_core::units::{Bytes, PicoUsd, Rate, Resources};

/// Five cents a core, one more for each zone that is not `a`, so that prices differ.
#[derive(Clone, Copy, Debug)]
pub struct ByCores;

impl NodePricer for ByCores {
    fn price(&self, facts: &NodeFacts, capacity: Resources) -> NodePrice {
        let odd = u64::from(!facts.zone.ends_with('a'));
        NodePrice {
            hourly: Rate(capacity.cpu.0 * (50 + 10 * odd) + odd),
            confidence: Confidence::List,
            source: PriceSource { id: "simulation".into(), date: "2026-03-01".into() },
            reason: "by cores".into(),
            by_pod: None,
        }
    }
}

/// Round sums an hour: 0.01 cents a GiB, 2.5 cents a load balancer, 10 cents the control plane.
impl AssetPricer for ByCores {
    fn volume(&self, _facts: &VolumeFacts, capacity: Bytes) -> NodePrice {
        flat(capacity.0 >> 30, 100_000_000)
    }

    fn load_balancer(&self, _provider: Provider, _region: &str, _class: &str) -> NodePrice {
        flat(1, 25_000_000_000)
    }

    fn control_plane(&self, _provider: Provider, _region: &str) -> NodePrice {
        flat(1, 100_000_000_000)
    }

    fn egress(&self, _provider: Provider, _region: &str) -> EgressPrices {
        EgressPrices {
            zone: PicoUsd(10_000_000_000),
            region: PicoUsd(20_000_000_000),
            internet: PicoUsd(90_000_000_000),
            confidence: Confidence::Estimated,
            source: PriceSource { id: "simulation".into(), date: "".into() },
        }
    }
}

fn flat(units: u64, pico_usd: u64) -> NodePrice {
    NodePrice {
        hourly: Rate(units * pico_usd),
        confidence: Confidence::Estimated,
        source: PriceSource { id: "simulation".into(), date: "".into() },
        reason: "a round sum".into(),
        by_pod: None,
    }
}
