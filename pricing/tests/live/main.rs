//! The providers' price interfaces, against payloads as they send them and a server on this machine.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod aws_client;
mod aws_payloads;
mod azure;
mod credentials;
mod gcp;
mod http;
mod last_good;
mod server;

use std::collections::BTreeSet;
use std::sync::Arc;

use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::units::Instant;
use nightcap_pricing::live::{Item, Parsed, Quote, Wanted};

/// 2026-08-01T12:00:00Z.
const NOW: Instant = Instant(1_785_585_600_000);
const TODAY: &str = "2026-08-01";

/// Source, region, item, and the price in millionths of a dollar, of every quote.
fn micro(parsed: &Parsed) -> Vec<(String, String, String, i128)> {
    let line = |quote: &Quote| {
        assert_eq!(&*quote.as_of, TODAY);
        assert_eq!(quote.price.0 % 1_000, 0, "{quote:?}");
        (quote.source.to_string(), quote.region.to_string(), quote.item.to_string(), quote.price.0 / 1_000)
    };
    parsed.quotes.iter().map(line).collect()
}

/// An expected one, the price in billionths of a dollar.
fn quote(source: &str, region: &str, item: &str, nano_usd: i128) -> (String, String, String, i128) {
    (source.to_owned(), region.to_owned(), item.to_owned(), nano_usd)
}

fn rejected(parsed: &Parsed) -> Vec<String> {
    parsed.rejected.iter().map(ToString::to_string).collect()
}

fn names(names: &[&str]) -> BTreeSet<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn wanted(provider: Provider, region: &str, on_demand: &[&str], spot: &[&str], disks: bool) -> Wanted {
    Wanted { provider, region: region.into(), on_demand: names(on_demand), spot: names(spot), disks }
}

fn instance(name: &str, capacity_type: CapacityType) -> Item {
    Item::Instance { instance_type: name.into(), capacity_type }
}
