//! A price on its way to the answer.

use std::sync::Arc;

use nightcap_core::money::{Confidence, NodePrice, PriceSource};
use nightcap_core::units::Rate;

use crate::instance_table::{Offer, caveat};
use crate::live::{Item, Quote};
use crate::usual::MAX_HOURLY_USD;

/// A price found, to which clauses may still be added.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Found {
    pub(crate) hourly_usd: f64,
    pub(crate) confidence: Confidence,
    pub(crate) source: PriceSource,
    pub(crate) reason: String,
}

impl Found {
    /// The price of a table row as it is.
    pub(crate) fn row(offer: &Offer<'_>) -> Self {
        let Offer { instance_type, region, capacity_type, .. } = offer;
        let caveat = caveat(&offer.source.id);
        Self {
            hourly_usd: offer.hourly.usd_per_hour(),
            confidence: offer.confidence,
            source: offer.source.clone(),
            reason: format!("{capacity_type} price of {instance_type} in {region}{caveat}"),
        }
    }

    /// What the provider itself quoted.
    pub(crate) fn quote(quote: &Quote) -> Self {
        let (item, region) = match &quote.item {
            Item::Instance { instance_type, capacity_type } => {
                (format!("{capacity_type} price of {instance_type}"), &quote.region)
            }
            other => (format!("price of {other}"), &quote.region),
        };
        Self {
            hourly_usd: quote.hourly().usd_per_hour(),
            confidence: Confidence::List,
            source: quote.origin(),
            reason: format!("{item} in {region}, as the provider quotes it"),
        }
    }

    /// A price made from a table row.
    pub(crate) fn estimate(offer: &Offer<'_>, hourly_usd: f64, reason: String) -> Self {
        Self { hourly_usd, confidence: Confidence::Estimated, source: offer.source.clone(), reason }
    }

    /// This times `factor`, with the clause that says why; the confidence stays.
    #[must_use]
    pub(crate) fn times(mut self, factor: f64, clause: &str) -> Self {
        self.hourly_usd *= factor;
        self.because(clause)
    }

    /// No surer than an estimate, for the reason that the clause gives.
    #[must_use]
    pub(crate) fn estimated(mut self, clause: &str) -> Self {
        self.confidence = self.confidence.max(Confidence::Estimated);
        self.because(clause)
    }

    /// With one more clause to the reason.
    #[must_use]
    pub(crate) fn because(mut self, clause: &str) -> Self {
        self.reason.push_str(clause);
        self
    }

    pub(crate) fn into_price(mut self) -> NodePrice {
        if self.hourly_usd > MAX_HOURLY_USD {
            self = self.because(", cut at 1000 $/h: no machine costs more");
        }
        let hourly = Rate::from_usd_per_hour(self.hourly_usd.clamp(0.0, MAX_HOURLY_USD)).unwrap_or_default();
        let reason = Arc::from(self.reason);
        NodePrice { hourly, confidence: self.confidence, source: self.source, reason, by_pod: None }
    }
}
