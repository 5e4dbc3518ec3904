//! All assets that are no nodes: disks, load balancers, fees, and the traffic of pods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::flat::{AssetKind, FlatAsset};
use super::flat_ledger::{FlatLedger, Use, Uses};
use super::hours::HourBook;
use super::traffic::{Destination, Traffic, measured};
use super::{EgressPrices, NodePrice, PodName};
use crate::cluster::{Attribution, ClaimKey};
use crate::units::{Instant, Millis};

/// The ledgers of all flat assets.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct FlatBook {
    /// From when money is counted.
    start: Instant,
    assets: BTreeMap<Arc<str>, FlatLedger>,
    /// Prices that came before their asset.
    waiting: BTreeMap<Arc<str>, Arc<NodePrice>>,
    uses: Uses,
    traffic: Traffic,
    /// Assets whose keepers stay as they are for now: after a restart facts come in any order, and what is told of a
    /// claim before its namespace is known would be wrong.
    #[serde(skip)]
    frozen: BTreeSet<Arc<str>>,
}

/// A flat asset as it is now.
#[derive(Clone, PartialEq, Debug)]
pub struct FlatNow {
    /// The asset.
    pub asset: Arc<FlatAsset>,
    /// Its price, if one is known.
    pub price: Option<Arc<NodePrice>>,
    /// Bytes of a volume, 1 of anything else.
    pub size: u64,
}

impl FlatBook {
    /// Counts from `start`.
    pub(super) fn new(start: Instant) -> Self {
        Self { start, ..Self::default() }
    }

    /// Goes on from a checkpoint: what was not known before counts from what was settled on, and keepers stay until
    /// [`Self::thaw`].
    pub(super) fn resume(
        &mut self,
        settled: Instant,
        intern: &mut impl FnMut(&Attribution) -> Arc<Attribution>,
    ) {
        self.start = settled.max(self.start);
        self.frozen = self.assets.keys().map(Arc::clone).collect();
        for ledger in self.assets.values_mut() {
            ledger.share_payers(intern);
        }
        for user in self.uses.values_mut().flatten() {
            user.attribution = intern(&user.attribution);
        }
    }

    /// Facts are complete again: keepers may change. The assets that were kept as they were.
    pub fn thaw(&mut self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.frozen)
    }

    /// UIDs of the assets of a kind that are there.
    pub fn uids(&self, kind: AssetKind) -> Vec<Arc<str>> {
        let live = self.assets.iter().filter(|(_, ledger)| ledger.asset().kind == kind && !ledger.is_ended());
        live.map(|(uid, _)| Arc::clone(uid)).collect()
    }

    /// An asset is there since `since`, or is named or sized otherwise from `now` on. Until it is kept by somebody
    /// else, `keeper` pays for it.
    pub fn asset(
        &mut self,
        asset: FlatAsset,
        size: u64,
        keeper: &Arc<Attribution>,
        since: Instant,
        now: Instant,
    ) {
        match self.assets.get_mut(&asset.uid) {
            Some(ledger) => {
                ledger.revive();
                ledger.rename(asset);
                ledger.resize(size, now);
            }
            None => {
                let uid = Arc::clone(&asset.uid);
                let mut ledger = FlatLedger::new(asset, size, since.max(self.start), Arc::clone(keeper));
                if let Some(price) = self.waiting.remove(&uid) {
                    ledger.price(&price, since);
                }
                self.assets.insert(uid, ledger);
            }
        }
    }

    /// The asset costs this much from `at` on; its first price holds from its start.
    pub fn price(&mut self, uid: &str, price: &Arc<NodePrice>, at: Instant) {
        match self.assets.get_mut(uid) {
            Some(ledger) => ledger.price(price, at),
            None => {
                self.waiting.insert(uid.into(), Arc::clone(price));
            }
        }
    }

    /// From `from` on pods reach the asset by `claim`, and `payer` pays while none does.
    pub fn keep(&mut self, uid: &str, claim: Option<ClaimKey>, payer: &Arc<Attribution>, from: Instant) {
        if self.frozen.contains(uid) {
            return;
        }
        if let Some(ledger) = self.assets.get_mut(uid) {
            ledger.keep(claim, Arc::clone(payer), from);
        }
    }

    /// The asset is gone since `at`.
    pub fn gone(&mut self, uid: &str, at: Instant) {
        self.waiting.remove(uid);
        if let Some(ledger) = self.assets.get_mut(uid) {
            ledger.finish(at);
        }
    }

    /// A pod mounts a claim since `from`. Known already: nothing happens.
    pub fn mount(
        &mut self,
        claim: ClaimKey,
        pod: &Arc<PodName>,
        attribution: &Arc<Attribution>,
        from: Instant,
    ) {
        let users = self.uses.entry(claim).or_default();
        if users.iter().any(|user| user.pod.uid == pod.uid) {
            return; // also one that a checkpoint has kept
        }
        let user = Use { pod: Arc::clone(pod), attribution: Arc::clone(attribution), from, to: None };
        let at = users.partition_point(|known| known.pod.uid < pod.uid);
        users.insert(at, user);
    }

    /// A pod of this namespace mounts nothing any more since `at`.
    pub fn unmount(&mut self, namespace: &Arc<str>, pod_uid: &str, at: Instant) {
        for users in self.users_in(namespace) {
            // Others may have begun to pay after it had ended, since that is told of late: they never did.
            let held_after = |user: &&mut Use| *user.pod.uid == *pod_uid && user.to.is_none_or(|to| to > at);
            for user in users.iter_mut().filter(held_after) {
                user.to = Some(at.max(user.from));
            }
        }
    }

    /// Another pays for a pod of this namespace from `at` on.
    pub fn repay(
        &mut self,
        namespace: &Arc<str>,
        pod_uid: &str,
        attribution: &Arc<Attribution>,
        at: Instant,
    ) {
        for users in self.users_in(namespace) {
            let open = users.iter().rposition(|user| *user.pod.uid == *pod_uid && user.to.is_none());
            let Some(index) = open.filter(|&index| users[index].attribution != *attribution) else {
                continue;
            };
            if at <= users[index].from {
                users[index].attribution = Arc::clone(attribution);
                continue;
            }
            let next = Use { attribution: Arc::clone(attribution), from: at, ..users[index].clone() };
            users[index].to = Some(at);
            users.insert(index + 1, next);
        }
    }

    /// Where `before` paid for a pod of this namespace, `after` does: it was not known better at first.
    pub fn amend(
        &mut self,
        namespace: &Arc<str>,
        pod_uid: &str,
        before: &Arc<Attribution>,
        after: &Arc<Attribution>,
    ) {
        let of_pod = self.users_in(namespace).flatten().filter(|user| *user.pod.uid == *pod_uid);
        for user in of_pod.filter(|user| user.attribution == *before) {
            user.attribution = Arc::clone(after);
        }
    }

    /// The pods of each claim of a namespace.
    fn users_in(&mut self, namespace: &Arc<str>) -> impl Iterator<Item = &mut Vec<Use>> {
        let first = ClaimKey { namespace: Arc::clone(namespace), name: "".into() };
        self.uses
            .range_mut(first..)
            .take_while(|(claim, _)| claim.namespace == *namespace)
            .map(|(_, users)| users)
    }

    /// What traffic costs from now on.
    pub fn price_egress(&mut self, prices: EgressPrices) {
        self.traffic.price(prices);
    }

    /// A pod sent `bytes` in the time before `at`.
    pub fn sent(
        &mut self,
        pod: &Arc<PodName>,
        attribution: &Arc<Attribution>,
        to: Destination,
        (at, window): (Instant, Millis),
        bytes: u64,
    ) {
        let mut span = measured(at, window);
        span.start = span.start.max(self.start.min(span.end));
        self.traffic.sent(pod, attribution, to, span, bytes);
    }

    /// All assets that are there at `at`.
    pub(super) fn at(&self, at: Instant) -> Vec<FlatNow> {
        let live = self.assets.values().filter(|ledger| ledger.is_live(at));
        live.map(|ledger| FlatNow {
            asset: Arc::clone(ledger.asset()),
            price: ledger.current_price().map(Arc::clone),
            size: ledger.current_size(),
        })
        .collect()
    }

    /// Hands over all hours that end by `horizon`, those of traffic `traffic_waits` later, and forgets what cannot
    /// matter any more.
    pub(super) fn close(&mut self, horizon: Instant, traffic_waits: Millis, book: &mut impl HourBook) {
        for ledger in self.assets.values_mut() {
            ledger.close(horizon, &self.uses, book);
        }
        self.assets.retain(|_, ledger| !ledger.is_finished());
        let closed = horizon.hour();
        self.uses.retain(|_, users| {
            users.retain(|user| user.to.is_none_or(|to| to > closed));
            !users.is_empty()
        });
        self.traffic.close(horizon - traffic_waits, book);
    }

    /// The open hours as they would be handed over at `now`.
    pub(super) fn provisional(&self, now: Instant, book: &mut impl HourBook) {
        for ledger in self.assets.values() {
            ledger.provisional(now, &self.uses, book);
        }
        self.traffic.provisional(book);
    }
}
