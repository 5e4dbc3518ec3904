//! What something other than a node costs, with all a reader needs to judge it.

use std::sync::Arc;

use nightcap_core::money::{Confidence, PriceSource};
use nightcap_core::units::Rate;

use crate::usual::MAX_HOURLY_USD;

/// A price per hour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// Dollars per hour for the whole of it.
    pub hourly: Rate,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it comes from.
    pub source: PriceSource,
    /// One sentence that says how it was found.
    pub reason: Arc<str>,
}

impl Charge {
    pub(crate) fn new(hourly_usd: f64, confidence: Confidence, source: PriceSource, reason: &str) -> Self {
        let hourly = Rate::from_usd_per_hour(hourly_usd.clamp(0.0, MAX_HOURLY_USD)).unwrap_or_default();
        Self { hourly, confidence, source, reason: reason.into() }
    }

    /// Nothing, and why.
    pub(crate) fn nothing(reason: &str) -> Self {
        Self::new(0.0, Confidence::Default, default_source(), reason)
    }
}

pub(crate) fn default_source() -> PriceSource {
    PriceSource { id: "default-rates".into(), date: "".into() }
}
