//! A span of time that is asked about, half-open.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Instant, Millis};

/// The half-open span `[start, end)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
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
    #[error(
        "{0:?} is no window: use today, yesterday, week, lastweek, month, lastmonth, quarter, lastquarter, year, \
         lastyear, a number with m, h, d or w such as 7d, \"45m offset 15m\", or two instants or days such as 2026-03-01T00:00:00Z,2026-03-08T00:00:00Z or 2026-03-01,2026-03-08"
    )]
    Unknown(String),
    /// The end lies before the start.
    #[error("the window {0:?} ends before it starts: swap its two instants")]
    Reversed(String),
    /// A bound lies outside of the years 0 to 9999.
    #[error("the window {0:?} reaches beyond the years 0 to 9999")]
    TooFar(String),
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

    /// The window cut into pieces of one length from its start on; the last may be shorter. With a step that is
    /// not positive the window is the only piece. An empty window has no pieces.
    pub const fn steps(self, step: Millis) -> Steps {
        let step = if step.0 > 0 { step } else { Millis(i64::MAX) };
        Steps { rest: self, step }
    }
}

/// The pieces of a window, see [`Window::steps`].
#[derive(Clone, Debug)]
pub struct Steps {
    rest: Window,
    step: Millis,
}

impl Iterator for Steps {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        if self.rest.is_empty() {
            return None;
        }
        let start = self.rest.start;
        self.rest.start = self.rest.end.min(start + self.step);
        Some(Window { start, end: self.rest.start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(start: i64, end: i64) -> Window {
        Window { start: Instant(start), end: Instant(end) }
    }

    #[test]
    fn the_last_step_may_be_short() {
        let pieces = |step| window(10, 35).steps(Millis(step)).collect::<Vec<_>>();
        assert_eq!(pieces(10), [window(10, 20), window(20, 30), window(30, 35)]);
        assert_eq!(pieces(25), [window(10, 35)]);
        assert_eq!(pieces(100), [window(10, 35)]);
        assert_eq!(pieces(0), [window(10, 35)]);
        assert_eq!(pieces(-5), [window(10, 35)]);
        assert_eq!(window(10, 10).steps(Millis(1)).next(), None);
    }

    #[test]
    fn windows_that_do_not_meet_share_nothing() {
        assert_eq!(window(0, 10).intersect(window(5, 20)), window(5, 10));
        assert_eq!(window(0, 10).intersect(window(15, 20)), window(15, 15));
    }

    proptest! {
        #[test]
        fn steps_cover_the_window_without_gap_or_overlap(start in -1_000_i64..1_000, length in 0_i64..500, step in 1_i64..90) {
            let whole = window(start, start + length);
            let mut reached = whole.start;
            for piece in whole.steps(Millis(step)) {
                prop_assert_eq!(piece.start, reached);
                prop_assert!(!piece.is_empty() && piece.length() <= Millis(step));
                reached = piece.end;
            }
            prop_assert_eq!(reached, whole.end);
        }
    }
}
