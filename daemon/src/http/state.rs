//! What every handler has at hand.

use std::sync::Arc;

use chrono_tz::Tz;
use nightcap_core::engine::Snapshot;

use super::Access;
use crate::metrics::Metrics;
use crate::runtime::{Handle, HandleError};

/// What every handler has at hand. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The way to the engine.
    pub handle: Handle,
    /// Who may act.
    pub access: Arc<dyn Access>,
    /// Zone in which `today` and the like begin.
    pub zone: Tz,
    /// What the daemon counts of itself, and the running totals of money.
    pub metrics: Arc<Metrics>,
}

impl AppState {
    /// A state with new counters.
    pub fn new(handle: Handle, access: Arc<dyn Access>, zone: Tz) -> Self {
        Self { handle, access, zone, metrics: Arc::new(Metrics::default()) }
    }

    pub(super) async fn snapshot(&self) -> Result<Arc<Snapshot>, HandleError> {
        self.handle.snapshot().await
    }
}
