//! What every handler has at hand.

use std::sync::Arc;

use chrono_tz::Tz;
use nightcap_core::money::query::Sharing;
use nightcap_history::Archive;

use super::Access;
use crate::metrics::Metrics;
use crate::records::Records;
use crate::runtime::{Handle, HandleError};

/// Far more often than the engine drops hours.
const TOTALS_EVERY: std::time::Duration = std::time::Duration::from_mins(5);

/// What every handler has at hand. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The way to the engine.
    pub handle: Handle,
    /// Who may act.
    pub access: Arc<dyn Access>,
    /// Zone in which `today` and the like begin.
    pub zone: Tz,
    /// What is for everybody, and how it is spread where a question asks to share and does not say how.
    pub sharing: Arc<Sharing>,
    /// Hours that are not in memory any more; none where no history is kept.
    pub archive: Option<Arc<Archive>>,
    /// What the daemon counts of itself, and the running totals of money.
    pub metrics: Arc<Metrics>,
}

impl AppState {
    /// A state with new counters.
    pub fn new(handle: Handle, access: Arc<dyn Access>, zone: Tz) -> Self {
        let sharing = Arc::new(Sharing::weighted());
        Self { handle, access, zone, sharing, archive: None, metrics: Arc::new(Metrics::default()) }
    }

    /// With what is configured to be for everybody.
    #[must_use]
    pub fn with_sharing(self, sharing: &Sharing) -> Self {
        Self { sharing: Arc::new(sharing.clone()), ..self }
    }

    /// Keeps the running totals of money whole while nobody scrapes, until the engine stops.
    pub async fn keep_totals(self) {
        while let Ok(snapshot) = self.snapshot().await {
            self.metrics.observe(&snapshot);
            drop(snapshot);
            tokio::time::sleep(TOTALS_EVERY).await;
        }
    }

    /// With the history behind the picture.
    #[must_use]
    pub fn with_history(mut self, archive: Option<Arc<Archive>>) -> Self {
        self.archive = archive;
        self
    }

    pub(super) async fn snapshot(&self) -> Result<Records, HandleError> {
        Ok(Records::new(self.handle.snapshot().await?, self.archive.clone()))
    }
}
