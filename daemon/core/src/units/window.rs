//! A span of time that is asked about, half-open.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Instant, Millis};

/// The half-open span `[start, end)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Window {
    /// First instant that counts.
    pub start: Instant,
    /// First instant that does not count any more; never before `start`.
    pub end: Instant,
}

/// Why a text is no window.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WindowError {
    /// The text follows none of the grammar's forms.
    #[error("{0:?} is no window: use e.g. today, 7d, lastmonth or RFC3339,RFC3339")]
    Unknown(String),
    /// The end lies before the start.
    #[error("the window {0:?} ends before it starts")]
    Reversed(String),
}

impl Window {
    /// The span between two instants; empty if `end` is not after `start`.
    pub fn new(start: Instant, end: Instant) -> Self {
        Self { start, end: end.max(start) }
    }

    /// How long it is.
    pub const fn length(self) -> Millis {
        self.end.since(self.start)
    }

    /// Whether nothing lies in it.
    pub const fn is_empty(self) -> bool {
        self.end.0 <= self.start.0
    }

    /// The part that both cover; empty at the later start if they do not meet.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}
