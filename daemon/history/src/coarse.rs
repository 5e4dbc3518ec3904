//! Rows that stand for a day, cut to a part of it, in proportion to time.
//!
//! Counted cumulatively, as `nightcap_core::money::query` does: parts that cover a row add up to it exactly.

use nightcap_core::money::{AllocationRow, AssetRow, ByResource, FlatRow, Hour, SavedRow};
use nightcap_core::units::{Instant, PicoUsd, Window};

/// What of the rows of `hour` lies in `part`.
pub(crate) fn cut(hour: &Hour, part: Window) -> Hour {
    Hour {
        allocations: hour.allocations.iter().filter_map(|row| allocation(row, part)).collect(),
        assets: hour.assets.iter().filter_map(|row| asset(row, part)).collect(),
        flat: hour.flat.iter().filter_map(|row| flat(row, part)).collect(),
        saved: hour.saved.iter().filter_map(|row| saved(row, part)).collect(),
        coarse: true,
        ..Hour::new(part.start)
    }
}

fn allocation(row: &AllocationRow, part: Window) -> Option<AllocationRow> {
    let cut = Cut::of(row.window, part)?;
    Some(AllocationRow {
        holder: std::sync::Arc::clone(&row.holder),
        window: cut.part,
        cost: cut.by_resource(row.cost.get()).into(),
        requested: row.requested.scaled(cut.share()),
        used: row.used.scaled(cut.share()),
        above: row.above.scaled(cut.share()),
        marks: row.marks,
    })
}

fn asset(row: &AssetRow, part: Window) -> Option<AssetRow> {
    let cut = Cut::of(row.window, part)?;
    Some(AssetRow {
        window: cut.part,
        cost: cut.by_resource(row.cost),
        idle: cut.by_resource(row.idle),
        capacity: row.capacity.scaled(cut.share()),
        charged: row.charged.scaled(cut.share()),
        ..row.clone()
    })
}

fn flat(row: &FlatRow, part: Window) -> Option<FlatRow> {
    let cut = Cut::of(row.window, part)?;
    Some(FlatRow {
        window: cut.part,
        cost: cut.money(row.cost),
        amount: row.amount * cut.share(),
        ..row.clone()
    })
}

fn saved(row: &SavedRow, part: Window) -> Option<SavedRow> {
    let cut = Cut::of(row.window, part)?;
    Some(SavedRow {
        window: cut.part,
        saved: cut.by_resource(row.saved),
        freed: row.freed.scaled(cut.share()),
        ..row.clone()
    })
}

#[derive(Clone, Copy)]
struct Cut {
    row: Window,
    part: Window,
}

impl Cut {
    fn of(row: Window, window: Window) -> Option<Self> {
        if row.is_empty() {
            return (window.start <= row.start && row.start < window.end).then_some(Self { row, part: row });
        }
        let part = row.intersect(window);
        (!part.is_empty()).then_some(Self { row, part })
    }

    fn share(self) -> f64 {
        if self.part == self.row { 1.0 } else { self.part.length().0 as f64 / self.row.length().0 as f64 }
    }

    fn money(self, amount: PicoUsd) -> PicoUsd {
        if self.part == self.row {
            return amount;
        }
        let length = i128::from(self.row.length().0);
        let up_to = |at: Instant| amount.0 * i128::from(at.since(self.row.start).0) / length;
        PicoUsd(up_to(self.part.end) - up_to(self.part.start))
    }

    fn by_resource(self, amount: ByResource) -> ByResource {
        ByResource::from_array(amount.to_array().map(|amount| self.money(amount)))
    }
}
