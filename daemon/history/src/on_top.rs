//! Rows on top of those that an hour has already: what came late, or came after a restart. Safe to do twice.

use std::sync::Arc;

use nightcap_core::money::{AssetKind, Correction, FlatRow, Hour};
use nightcap_core::units::{Instant, Window};

use crate::{Archive, HistoryError};

impl Archive {
    /// Makes corrections of one hour in it; returns how many there were to make. Those that were made already are not
    /// made again, so it is safe to try again, also after a crash.
    ///
    /// Of an hour that is kept by the day only nothing can be corrected ([`HistoryError::Retired`]).
    pub fn correct(&self, start: Instant, corrections: &[Arc<Correction>]) -> Result<usize, HistoryError> {
        let _writing = self.write_access()?;
        self.open_day(start)?;
        let mut hour = self.whole(start)?;
        let of_hour = corrections.iter().filter(|correction| correction.hour() == start);
        let made = of_hour.filter(|correction| correction.apply_once(&mut hour)).count();
        if made > 0 {
            self.put_hour(&hour)?;
        }
        Ok(made)
    }

    /// The hour as it was written, with more rows.
    pub(crate) fn on_top(&self, more: &Hour) -> Result<Hour, HistoryError> {
        let mut hour = self.whole(more.start)?;
        add_missing(&mut hour.allocations, &more.allocations);
        add_missing(&mut hour.assets, &more.assets);
        add_flat(&mut hour.flat, &more.flat);
        add_missing(&mut hour.saved, &more.saved);
        Ok(hour)
    }

    /// The hour as it was written, all of it or an error.
    fn whole(&self, start: Instant) -> Result<Hour, HistoryError> {
        let mut hour = Hour::new(start);
        let mut stream = self.verbatim(Window::new(start, start.next_hour()))?;
        for known in stream.by_ref() {
            let mut known = known?;
            hour.allocations.append(&mut known.allocations);
            hour.assets.append(&mut known.assets);
            hour.flat.append(&mut known.flat);
            hour.saved.append(&mut known.saved);
        }
        if let Some(damaged) = stream.damaged().next() {
            // With more rows alone in its place, the rest would be gone for good.
            return Err(HistoryError::read(&damaged.path, std::io::Error::other(damaged.reason.clone())));
        }
        Ok(hour)
    }
}

/// Adds those of `more` that are not there, or not as often.
fn add_missing<T: Clone + PartialEq>(rows: &mut Vec<T>, more: &[T]) {
    let mut unmatched = vec![true; rows.len()];
    for row in more {
        let known = rows.iter().zip(&unmatched).position(|(known, unmatched)| *unmatched && known == row);
        match known {
            Some(nth) => unmatched[nth] = false,
            None => rows.push(row.clone()),
        }
    }
}

/// Adds those of `more` that are not there. Traffic of an hour is handed over later than the rest of it; a life that
/// crashed since may have done so already, with less in it or with more: the larger sum counts.
fn add_flat(rows: &mut Vec<FlatRow>, more: &[FlatRow]) {
    let (sums, others): (Vec<FlatRow>, Vec<FlatRow>) = more.iter().cloned().partition(is_traffic_sum);
    add_missing(rows, &others);
    for sum in sums {
        let pod = |row: &FlatRow| row.pod.as_ref().map(|pod| Arc::clone(&pod.uid));
        let same = |row: &FlatRow| {
            (&row.asset.uid, pod(row), &row.attribution) == (&sum.asset.uid, pod(&sum), &sum.attribution)
        };
        match rows.iter_mut().find(|row| is_traffic_sum(row) && same(row)) {
            Some(known) if known.amount < sum.amount => *known = sum,
            Some(_) => {}
            None => rows.push(sum),
        }
    }
}

/// All that a pod sent to one destination in an hour; what came late for it is a row of its own.
fn is_traffic_sum(row: &FlatRow) -> bool {
    row.asset.kind == AssetKind::Network && !row.marks.late
}
