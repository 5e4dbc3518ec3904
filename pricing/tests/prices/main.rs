//! Prices as the daemon asks for them: by a node's facts and capacity.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

mod assets;
mod chain;
mod known;
mod laws;
mod more;
mod own_lists;
mod own_rules;

use std::sync::LazyLock;

use nightcap_core::cluster::{CapacityType, NodeFacts, Provider};
use nightcap_core::money::{Confidence, NodePrice, NodePricer, PriceSource};
use nightcap_core::units::{Bytes, Cpu, Gpu, Rate, Resources};
use nightcap_pricing::{PriceBook, PriceSettings};

/// Without any settings; read once for all tests.
static BOOK: LazyLock<PriceBook> = LazyLock::new(|| PriceBook::embedded(&PriceSettings::default()).unwrap());

/// With settings in JSON.
fn book(json: &str) -> PriceBook {
    BOOK.with_settings(&serde_json::from_str(json).unwrap()).unwrap()
}

/// A Linux node on demand.
fn node(provider: Provider, region: &str, instance_type: &str) -> NodeFacts {
    NodeFacts {
        provider,
        region: region.into(),
        instance_type: instance_type.into(),
        os: "linux".into(),
        ..NodeFacts::default()
    }
}

fn spot(facts: NodeFacts) -> NodeFacts {
    NodeFacts { capacity_type: CapacityType::Spot, ..facts }
}

fn size(cores: u64, gib: u64) -> Resources {
    Resources { cpu: Cpu::from_cores(cores), memory: Bytes::from_gib(gib), gpu: Gpu(0) }
}

/// An expected answer; the rate in millionths of a dollar per hour.
fn price(micro_usd: u64, confidence: Confidence, source: (&str, &str), reason: &str) -> NodePrice {
    NodePrice {
        hourly: Rate(micro_usd * 1_000_000),
        confidence,
        source: PriceSource { id: source.0.into(), date: source.1.into() },
        reason: reason.into(),
        by_pod: None,
    }
}

/// The answer of the book without settings, rounded to the millionth of a dollar an estimate is worth showing.
fn rounded(book: &PriceBook, facts: &NodeFacts, capacity: Resources) -> NodePrice {
    let answer = book.price(facts, capacity);
    NodePrice { hourly: Rate((answer.hourly.0 + 500_000) / 1_000_000 * 1_000_000), ..answer }
}
