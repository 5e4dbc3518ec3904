//! A window as it was understood.

use nightcap_core::units::{Instant, Window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The half-open span that an answer is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct WindowReport {
    /// First instant that counts.
    #[schema(value_type = String, format = DateTime)]
    pub start: Instant,
    /// First instant that does not count any more.
    #[schema(value_type = String, format = DateTime)]
    pub end: Instant,
}

impl From<Window> for WindowReport {
    fn from(window: Window) -> Self {
        Self { start: window.start, end: window.end }
    }
}

impl From<WindowReport> for Window {
    fn from(report: WindowReport) -> Self {
        Self::new(report.start, report.end)
    }
}
