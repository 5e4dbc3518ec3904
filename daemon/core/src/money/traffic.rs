//! Traffic that is billed by the byte: summed per pod and hour, at the price in force when it was measured.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::flat::{AssetKind, FlatAsset, FlatRow};
use super::hours::{HourBook, by_hour};
use super::{EgressPrices, Marks, NodePrice, PodName};
use crate::cluster::Attribution;
use crate::units::{Instant, Millis, PicoUsd, Rate, Window};

/// Where traffic goes, as far as prices differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Destination {
    /// Another zone of the region.
    Zone,
    /// Another region.
    Region,
    /// The internet.
    Internet,
}

impl Destination {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Zone, Self::Region, Self::Internet];

    /// Its name: that of the asset in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::Region => "region",
            Self::Internet => "internet",
        }
    }
}

/// Bytes of one pod to one destination in one hour. A GiB at a price in pico-dollars makes 2^-30ths of them exact.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sum {
    pod: Arc<PodName>,
    attribution: Arc<Attribution>,
    window: Window,
    bytes: u64,
    /// Bytes × pico-dollars per GiB.
    cost: u128,
    late: bool,
}

type Key = (Instant, Destination, Arc<str>, Arc<Attribution>);

/// The traffic of all pods.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Traffic {
    prices: Option<Arc<EgressPrices>>,
    sums: BTreeMap<Key, Sum>,
    closed: Instant,
}

impl Traffic {
    /// What traffic costs from now on; what is summed already keeps its price.
    pub(super) fn price(&mut self, prices: EgressPrices) {
        self.prices = Some(Arc::new(prices));
    }

    /// A pod sent `bytes` in `span`. A span over an hour's end is divided by time.
    pub(super) fn sent(
        &mut self,
        pod: &Arc<PodName>,
        attribution: &Arc<Attribution>,
        to: Destination,
        span: Window,
        bytes: u64,
    ) {
        let per_gib = self.prices.as_ref().map_or(PicoUsd(0), |prices| match to {
            Destination::Zone => prices.zone,
            Destination::Region => prices.region,
            Destination::Internet => prices.internet,
        });
        let length = u128::from(span.length().0.unsigned_abs()).max(1);
        let up_to = |at: Instant| {
            let part = u128::from(bytes) * u128::from(at.since(span.start).0.unsigned_abs()) / length;
            u64::try_from(part).unwrap_or(bytes)
        };
        for part in by_hour(span) {
            let bytes = up_to(part.end) - up_to(part.start);
            if bytes == 0 {
                continue;
            }
            let key = (part.start.hour(), to, Arc::clone(&pod.uid), Arc::clone(attribution));
            let late = part.start.hour() < self.closed;
            let sum = self.sums.entry(key).or_insert_with(|| Sum {
                pod: Arc::clone(pod),
                attribution: Arc::clone(attribution),
                window: part,
                bytes: 0,
                cost: 0,
                late,
            });
            sum.window = Window::new(sum.window.start.min(part.start), sum.window.end.max(part.end));
            sum.bytes += bytes;
            sum.cost += u128::from(bytes) * per_gib.0.unsigned_abs();
        }
    }

    /// Hands over the hours that end by `horizon`.
    pub(super) fn close(&mut self, horizon: Instant, book: &mut impl HourBook) {
        let open = self.sums.split_off(&(horizon.hour(), Destination::Zone, "".into(), no_one()));
        let closed = std::mem::replace(&mut self.sums, open);
        self.closed = self.closed.max(horizon.hour());
        self.hand_over(&closed, book);
    }

    /// The open hours.
    pub(super) fn provisional(&self, book: &mut impl HourBook) {
        self.hand_over(&self.sums, book);
    }

    fn hand_over(&self, sums: &BTreeMap<Key, Sum>, book: &mut impl HourBook) {
        if sums.is_empty() {
            return;
        }
        let assets: BTreeMap<Destination, Arc<FlatAsset>> =
            Destination::ALL.into_iter().map(|to| (to, Arc::new(asset(to)))).collect();
        for ((hour, to, ..), sum) in sums {
            let Some(asset) = assets.get(to) else { continue };
            book.hour(*hour).flat.push(FlatRow {
                asset: Arc::clone(asset),
                price: self.prices.as_ref().map(|prices| price_of(prices, *to)),
                attribution: Arc::clone(&sum.attribution),
                pod: Some(Arc::clone(&sum.pod)),
                window: sum.window,
                cost: PicoUsd(i128::try_from(sum.cost >> 30).unwrap_or(i128::MAX)),
                amount: sum.bytes as f64,
                marks: Marks { late: sum.late, backfilled: false },
            });
        }
    }
}

fn asset(to: Destination) -> FlatAsset {
    FlatAsset {
        kind: AssetKind::Network,
        uid: to.name().into(),
        name: to.name().into(),
        provider_id: "".into(),
        class: "".into(),
        claim: Default::default(),
    }
}

/// Traffic has no price by the hour; its source and confidence are what readers ask for.
fn price_of(prices: &EgressPrices, to: Destination) -> Arc<NodePrice> {
    Arc::new(NodePrice {
        hourly: Rate(0),
        confidence: prices.confidence,
        source: prices.source.clone(),
        reason: format!("by the GiB to the {}", to.name()).into(),
        by_pod: None,
    })
}

/// A payer that sorts before all others.
fn no_one() -> Arc<Attribution> {
    Arc::new(Attribution::line(""))
}

/// The span a sample measured.
pub(super) fn measured(at: Instant, window: Millis) -> Window {
    Window::new(at - window, at)
}
