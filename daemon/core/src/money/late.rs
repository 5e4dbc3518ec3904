//! Facts that come after their time was settled: what they change is moved between the pod and idle, never made up.

use super::Correction;
use super::hold::HoldSum;
use super::node_ledger::NodeLedger;
use super::split::share;
use crate::units::{Cost, Instant, Resource, Window};

impl NodeLedger {
    /// A fact came after `settled`: between `from` and `until` the pod was there after all, or (`refund`) was not.
    ///
    /// What it is charged or given back then is what its request costs, taken from idle or given to it: the price of
    /// usage in a time already settled is not known any more. The open hour is corrected here, older ones by rows.
    pub(super) fn correct(
        &mut self,
        index: usize,
        from: Instant,
        until: Instant,
        refund: bool,
    ) -> Vec<Correction> {
        let mut corrections = Vec::new();
        let mut at = from.max(self.start);
        self.sums.holds.resize(self.holds.len(), HoldSum::default());
        while at < until {
            let end = at.next_hour().min(until);
            let (span, hold, terms) = (Window::new(at, end), &self.holds[index], self.terms_at(at));
            let by_pod = terms.by_pod().is_some();
            let amounts = Resource::ALL.map(|r| {
                share(terms.rates.get(r), hold.requests.get(r), 0, terms.capacity.get(r)).over(span.length())
            });
            if at.hour() == self.settled.hour() && self.settled != self.settled.hour() {
                // A pod that was gone before the hour began gets all back, what it seemed to use included.
                let all = refund && at <= hold.from.max(at.hour());
                let (sum, node) = (&mut self.sums.holds[index], &mut self.sums.node);
                for (nth, amount) in amounts.into_iter().enumerate() {
                    let amount = if all { sum.cost[nth] } else { amount };
                    let (from, to) = if refund {
                        (&mut sum.cost[nth], &mut node.idle[nth])
                    } else {
                        (&mut node.idle[nth], &mut sum.cost[nth])
                    };
                    if by_pod {
                        // There is no idle to take it from or give it to: the node costs as much more or less.
                        let change = if refund { Cost(-amount.min(*from).0) } else { amount };
                        sum.cost[nth] += change;
                        node.cost[nth] += change;
                        continue;
                    }
                    let amount = amount.min(*from);
                    *from -= amount;
                    *to += amount;
                }
                sum.held_ms += if refund { -span.length().0 } else { span.length().0 };
                sum.late = true;
            } else {
                let sum = HoldSum { held_ms: span.length().0, late: true, ..HoldSum::default() };
                let mut row = sum.row(hold, span, amounts.map(Cost::floor_pico));
                row.window = span; // a refund lies after the hold's end
                corrections.push(Correction { hour: at.hour(), row, refund });
            }
            at = end;
        }
        corrections
    }
}
