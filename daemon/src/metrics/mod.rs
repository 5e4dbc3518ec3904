//! What Prometheus scrapes: `nightcap_*`, and `OpenCost`'s gauges under their own names. `docs/metrics.md` is the list.
//!
//! Everything about the cluster is written from one snapshot, so a space that is gone is gone from the next scrape.
//! Only what a snapshot cannot tell is kept here: counts of requests, and sums of money over hours that the engine
//! no longer keeps.

mod classic;
mod family;
mod nightcap;
mod opencost;
mod totals;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use nightcap_core::engine::Snapshot;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

pub use classic::{CLASSIC_CONTENT_TYPE, classic};
use totals::Totals;

/// The content type of the text that [`Metrics::render`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A request by route, method and status.
type RequestLabels = [(&'static str, String); 3];

/// What the daemon counts of itself, and the running totals of money.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    totals: Mutex<Totals>,
}

impl Metrics {
    /// Counts an HTTP request; `route` is the path's pattern, so that labels stay few.
    pub fn count_request(&self, route: &str, method: &str, status: u16) {
        let labels =
            [("route", route.to_owned()), ("method", method.to_owned()), ("code", status.to_string())];
        self.requests.get_or_create_owned(&labels).inc();
    }

    /// Takes the snapshot's hours into the running totals. Every scrape does; where nobody scrapes for so long that
    /// hours are dropped in between, somebody else has to, else those hours are missing from the totals.
    pub fn observe(&self, snapshot: &Snapshot) {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).observe(snapshot);
    }

    /// All metrics in the OpenMetrics text format.
    pub fn render(&self, snapshot: &Arc<Snapshot>) -> Result<String, fmt::Error> {
        let sums = {
            let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
            totals.observe(snapshot);
            totals.shown()
        };
        let mut own = Registry::default();
        own.register_collector(Box::new(nightcap::ClusterCollector { snapshot: Arc::clone(snapshot), sums }));
        own.register(
            "nightcap_http_requests",
            "HTTP requests answered, by route, method and status code",
            self.requests.clone(),
        );
        let mut opencost = Registry::default();
        if snapshot.leads {
            let collector = opencost::OpenCostCollector { snapshot: Arc::clone(snapshot) };
            opencost.register_collector(Box::new(collector));
        }
        let mut text = String::with_capacity(16 * 1024 + snapshot.pods.len() * 512);
        encode_registry(&mut text, &own)?;
        encode_registry(&mut text, &opencost)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
