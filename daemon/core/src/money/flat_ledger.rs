//! The ledger of one asset that is no node: what it costs by time, and who pays while who uses it.
//!
//! There are few of these beside pods, so nothing is summed as time goes by: facts are kept as intervals until their
//! hour is handed over, and an hour is counted from all of them. So a fact may come in any order, and late by as long
//! as its hour is open.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::flat::{FlatAsset, FlatRow};
use super::hours::HourBook;
use super::largest_remainder::round_down_to;
use super::{Marks, NodePrice, PodName};
use crate::cluster::{Attribution, ClaimKey};
use crate::units::{Cost, Instant, Millis, Rate, Window};

/// What the asset costs and how large it is from an instant on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Terms {
    from: Instant,
    /// Bytes of a volume, 1 of anything else.
    size: u64,
    price: Option<Arc<NodePrice>>,
}

/// Who pays from an instant on while no pod uses the asset, and by which claim pods reach it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Keeper {
    from: Instant,
    claim: Option<ClaimKey>,
    attribution: Arc<Attribution>,
}

/// A pod that mounts a claim, from when to when, and who pays for the pod.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Use {
    pub(super) pod: Arc<PodName>,
    pub(super) attribution: Arc<Attribution>,
    pub(super) from: Instant,
    pub(super) to: Option<Instant>,
}

impl Use {
    pub(super) fn covers(&self, at: Instant) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

/// Pods by the claim they mount, in the order of their UIDs.
pub(super) type Uses = BTreeMap<ClaimKey, Vec<Use>>;

/// The ledger of one flat asset.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FlatLedger {
    asset: Arc<FlatAsset>,
    start: Instant,
    end: Option<Instant>,
    /// Oldest first; the first holds from the start.
    terms: Vec<Terms>,
    keepers: Vec<Keeper>,
    /// Up to here hours are handed over; what comes later for a time before is counted from here on.
    closed: Instant,
}

/// What one payer owes in an hour.
#[derive(Debug)]
struct Part {
    attribution: Arc<Attribution>,
    pod: Option<Arc<PodName>>,
    window: Window,
    cost: Cost,
    amount: f64,
}

impl FlatLedger {
    pub(super) fn new(asset: FlatAsset, size: u64, start: Instant, keeper: Arc<Attribution>) -> Self {
        Self {
            asset: Arc::new(asset),
            start,
            end: None,
            terms: vec![Terms { from: start, size, price: None }],
            keepers: vec![Keeper { from: start, claim: None, attribution: keeper }],
            closed: start,
        }
    }

    /// The asset as rows name it.
    pub(super) const fn asset(&self) -> &Arc<FlatAsset> {
        &self.asset
    }

    /// Its price now.
    pub(super) fn current_price(&self) -> Option<&Arc<NodePrice>> {
        self.terms.last().and_then(|terms| terms.price.as_ref())
    }

    /// How large it is now: bytes of a volume.
    pub(super) fn current_size(&self) -> u64 {
        self.terms.last().map_or(0, |terms| terms.size)
    }

    /// Whether it is there at `at`.
    pub(super) fn is_live(&self, at: Instant) -> bool {
        self.start <= at && self.end.is_none_or(|end| at < end)
    }

    /// Whether it is known to be gone.
    pub(super) const fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// One copy of each payer again, after a checkpoint has written each wherever it is named.
    pub(super) fn share_payers(&mut self, intern: &mut impl FnMut(&Attribution) -> Arc<Attribution>) {
        for keeper in &mut self.keepers {
            keeper.attribution = intern(&keeper.attribution);
        }
    }

    /// Whether its last hour has been handed over.
    pub(super) fn is_finished(&self) -> bool {
        self.end.is_some_and(|end| end <= self.closed)
    }

    /// It is named otherwise from now on: bound to another claim, at another address.
    pub(super) fn rename(&mut self, asset: FlatAsset) {
        if *self.asset != asset {
            self.asset = Arc::new(asset);
        }
    }

    /// It has another size from `at` on.
    pub(super) fn resize(&mut self, size: u64, at: Instant) {
        if self.current_size() != size {
            self.change(at, |terms| terms.size = size);
        }
    }

    /// It costs something else from `at` on. Its first price holds from its start.
    pub(super) fn price(&mut self, price: &Arc<NodePrice>, at: Instant) {
        match self.current_price() {
            Some(known) if known == price => {}
            Some(_) => self.change(at, |terms| terms.price = Some(Arc::clone(price))),
            None => {
                for terms in &mut self.terms {
                    terms.price = Some(Arc::clone(price));
                }
            }
        }
    }

    fn change(&mut self, at: Instant, change: impl FnOnce(&mut Terms)) {
        let at = at.max(self.closed);
        let last = self.terms.len() - 1; // there is always one: made in `new`, never removed
        let mut next = self.terms[last].clone();
        change(&mut next);
        if next.from >= at {
            self.terms[last] = next;
        } else {
            next.from = at;
            self.terms.push(next);
        }
    }

    /// From `from` on this claim leads to it, and this payer pays while no pod uses it. What was said of the time
    /// after `from` before is replaced.
    pub(super) fn keep(&mut self, claim: Option<ClaimKey>, attribution: Arc<Attribution>, from: Instant) {
        let from = from.max(self.closed);
        if self.keepers.last().is_some_and(|k| k.claim == claim && k.attribution == attribution) {
            return;
        }
        self.keepers.retain(|keeper| keeper.from < from);
        self.keepers.push(Keeper { from, claim, attribution });
    }

    /// It is gone from `at` on; hours that are handed over stay.
    pub(super) fn finish(&mut self, at: Instant) {
        let at = at.max(self.closed);
        self.end = Some(self.end.map_or(at, |end| end.min(at)));
    }

    /// It is there after all.
    pub(super) const fn revive(&mut self) {
        self.end = None;
    }

    /// Hands over all hours that end by `horizon`.
    pub(super) fn close(&mut self, horizon: Instant, uses: &Uses, book: &mut impl HourBook) {
        while self.closed.next_hour() <= horizon {
            let hour = Window::new(self.closed, self.closed.next_hour());
            self.hand_over(hour, uses, book);
            self.closed = hour.end;
        }
        let past = self.terms.partition_point(|terms| terms.from <= self.closed);
        self.terms.drain(..past.saturating_sub(1));
        let past = self.keepers.partition_point(|keeper| keeper.from <= self.closed);
        self.keepers.drain(..past.saturating_sub(1));
    }

    /// The open hours as they would be handed over at `now`.
    pub(super) fn provisional(&self, now: Instant, uses: &Uses, book: &mut impl HourBook) {
        let mut at = self.closed;
        while at < now {
            let end = now.min(at.next_hour());
            self.hand_over(Window::new(at, end), uses, book);
            at = end;
        }
    }

    fn hand_over(&self, hour: Window, uses: &Uses, book: &mut impl HourBook) {
        let lived = hour.intersect(Window::new(self.start, self.end.unwrap_or(hour.end)));
        if lived.is_empty() {
            return;
        }
        let parts = self.parts(lived, uses);
        let costs: Vec<Cost> = parts.iter().map(|part| part.cost).collect();
        let rounded = round_down_to(costs.iter().copied().sum::<Cost>().floor_pico(), &costs);
        let price = self.terms_at(lived.end - Millis(1)).price.clone();
        let rows = parts.into_iter().zip(rounded).map(|(part, cost)| FlatRow {
            asset: Arc::clone(&self.asset),
            price: price.clone(),
            attribution: part.attribution,
            pod: part.pod,
            window: part.window,
            cost,
            amount: part.amount,
            marks: Marks::default(),
        });
        book.hour(hour.start.hour()).flat.extend(rows);
    }

    /// Who owes how much in a span of one hour.
    fn parts(&self, span: Window, uses: &Uses) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut at = span.start;
        for cut in self.cuts(span, uses) {
            self.segment(Window::new(at, cut), uses, &mut parts);
            at = cut;
        }
        parts
    }

    /// All instants in `(start, end]` at which something may change, ascending, the last being the end.
    fn cuts(&self, span: Window, uses: &Uses) -> Vec<Instant> {
        let mut cuts = vec![span.end];
        cuts.extend(self.terms.iter().map(|terms| terms.from));
        for keeper in &self.keepers {
            cuts.push(keeper.from);
            let users = keeper.claim.as_ref().and_then(|claim| uses.get(claim));
            cuts.extend(users.into_iter().flatten().flat_map(|user| [Some(user.from), user.to]).flatten());
        }
        cuts.retain(|&cut| span.start < cut && cut <= span.end);
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// One segment in which nothing changes: the pods that use it then share it alike, and where there are none its
    /// keeper pays. What does not divide goes to the first pods, a pico-dollar an hour each.
    fn segment(&self, span: Window, uses: &Uses, parts: &mut Vec<Part>) {
        let terms = self.terms_at(span.start);
        let keeper = self.keeper_at(span.start);
        let rate = terms.price.as_ref().map_or(Rate(0), |price| price.hourly);
        let of_claim = keeper.claim.as_ref().and_then(|claim| uses.get(claim));
        let users: Vec<&Use> =
            of_claim.into_iter().flatten().filter(|user| user.covers(span.start)).collect();
        let amount = terms.size as f64 * span.length().as_hours();
        if users.is_empty() {
            add(parts, &keeper.attribution, None, span, rate.over(span.length()), amount);
            return;
        }
        let count = users.len() as u64;
        for (nth, user) in (0u64..).zip(&users) {
            let share = Rate(rate.0 / count + u64::from(nth < rate.0 % count));
            let cost = share.over(span.length());
            add(parts, &user.attribution, Some(&user.pod), span, cost, amount / count as f64);
        }
    }

    fn terms_at(&self, at: Instant) -> &Terms {
        let next = self.terms.partition_point(|terms| terms.from <= at);
        &self.terms[next.saturating_sub(1)]
    }

    fn keeper_at(&self, at: Instant) -> &Keeper {
        let next = self.keepers.partition_point(|keeper| keeper.from <= at);
        &self.keepers[next.saturating_sub(1)]
    }
}

/// Adds to the part of this payer and pod, made if it is not there.
fn add(
    parts: &mut Vec<Part>,
    attribution: &Arc<Attribution>,
    pod: Option<&Arc<PodName>>,
    span: Window,
    cost: Cost,
    amount: f64,
) {
    let known = parts.iter_mut().find(|part| {
        part.attribution == *attribution && part.pod.as_ref().map(|p| &p.uid) == pod.map(|p| &p.uid)
    });
    match known {
        Some(part) => {
            part.window = Window::new(part.window.start, span.end);
            part.cost += cost;
            part.amount += amount;
        }
        None => parts.push(Part {
            attribution: Arc::clone(attribution),
            pod: pod.map(Arc::clone),
            window: span,
            cost,
            amount,
        }),
    }
}
