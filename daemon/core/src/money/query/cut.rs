//! The part of a row that lies in a window: in proportion to time, counted cumulatively, so that two windows that meet
//! give exactly what one over both does.

use crate::money::ByResource;
use crate::units::{Instant, PicoUsd, Window};

/// The part of a row that lies in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    row: Window,
    pub(crate) part: Window,
}

impl Cut {
    pub(crate) fn of(row: Window, window: Window) -> Option<Self> {
        if row.is_empty() {
            // A correction of a moment: it lies in the window that holds its instant, whole.
            return (window.start <= row.start && row.start < window.end).then_some(Self { row, part: row });
        }
        let part = row.intersect(window);
        (!part.is_empty()).then_some(Self { row, part })
    }

    pub(crate) fn is_partial(self) -> bool {
        self.part != self.row
    }

    pub(crate) fn share(self) -> f64 {
        if self.is_partial() { self.part.length().0 as f64 / self.row.length().0 as f64 } else { 1.0 }
    }

    pub(crate) fn amount(self, amount: PicoUsd) -> PicoUsd {
        if !self.is_partial() {
            return amount;
        }
        let length = i128::from(self.row.length().0);
        let up_to = |at: Instant| amount.0 * i128::from(at.since(self.row.start).0) / length;
        PicoUsd(up_to(self.part.end) - up_to(self.part.start))
    }

    pub(crate) fn money(self, amount: ByResource) -> ByResource {
        if !self.is_partial() {
            return amount;
        }
        ByResource::from_array(amount.to_array().map(|amount| self.amount(amount)))
    }
}
