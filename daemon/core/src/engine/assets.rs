//! Volumes, claims, load balancers, fees and traffic: what is on the bill beside nodes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::event::Egress;
use super::{Engine, Kind, TrafficSample};
use crate::cluster::{Attribution, Claim, ClaimKey, Service, Volume};
use crate::money::query::{OVERHEAD, SHARED, UNMOUNTED};
use crate::money::{AssetKind, Destination, EgressPrices, FlatAsset, NodePrice, PodName, PriceSource};
use crate::units::{Instant, Millis};

/// The fee for the control plane has no object of its own.
const CONTROL_PLANE: &str = "control-plane";

impl Engine {
    pub(super) fn observe_volume(&mut self, volume: &Volume, now: Instant) {
        self.problems.clear_detail("persistentvolumes", "unreadable", &volume.name);
        // A volume that failed was perhaps never made: nothing is known to be paid for.
        if volume.failed {
            self.volume_gone(&volume.uid, now);
            return;
        }
        let first = self.assets.insert_volume(volume);
        self.keep_volume(volume, first, now);
    }

    pub(super) fn volume_gone(&mut self, uid: &Arc<str>, at: Instant) {
        self.assets.remove_volume(uid);
        self.ledger.flat().gone(uid, at);
    }

    pub(super) fn observe_claim(&mut self, claim: Claim, now: Instant) {
        self.problems.clear_detail("persistentvolumeclaims", "unreadable", &claim.key.to_string());
        let key = claim.key.clone();
        let first = self.assets.insert_claim(claim);
        self.keep_claimed(&key, first, now);
    }

    pub(super) fn claim_gone(&mut self, uid: &Arc<str>, at: Instant) {
        // The volume may be kept without its claim: from here on nobody's.
        if let Some(volume) = self.assets.remove_claim(uid) {
            self.keep_volume(&volume, false, at);
        }
    }

    pub(super) fn observe_service(&mut self, service: &Service, now: Instant) {
        let name = format!("{}/{}", service.namespace, service.name);
        self.problems.clear_detail("services", "unreadable", &name);
        let uid = Arc::clone(&service.uid);
        let before = self.assets.services.insert(Arc::clone(&uid), service.clone());
        if service.address.is_empty() {
            self.ledger.flat().gone(&uid, now);
            return;
        }
        // Seen with its address at once, it has had it since it was made, as far as anybody can tell.
        let since = if before.is_none() { service.created } else { now };
        let asset = FlatAsset {
            kind: AssetKind::LoadBalancer,
            uid: Arc::clone(&uid),
            name: name.into(),
            provider_id: Arc::clone(&service.address),
            class: Arc::clone(&service.class),
            claim: Default::default(),
        };
        let payer = self.payer_of_service(service);
        self.ledger.flat().asset(asset, 1, &payer, since, now);
        self.ledger.flat().keep(&uid, None, &payer, now);
    }

    pub(super) fn service_gone(&mut self, uid: &Arc<str>, at: Instant) {
        self.assets.services.remove(uid);
        self.ledger.flat().gone(uid, at);
    }

    pub(super) fn asset_priced(&mut self, uid: &Arc<str>, price: NodePrice, now: Instant) {
        self.ledger.flat().price(uid, &Arc::new(price), now);
    }

    pub(super) fn control_plane_priced(&mut self, price: NodePrice, now: Instant) {
        let payer = self.line(OVERHEAD);
        let asset = fee(AssetKind::ControlPlane, CONTROL_PLANE);
        self.ledger.flat().asset(asset, 1, &payer, self.settings.start, now);
        self.ledger.flat().price(CONTROL_PLANE, &Arc::new(price), now);
    }

    /// The fixed sums of the configuration, from the start on.
    pub(super) fn charge_fixed(&mut self) {
        let payer = self.line(SHARED);
        let start = self.settings.start;
        for fixed in self.settings.fixed.clone() {
            let asset = fee(AssetKind::Fixed, &fixed.name);
            let price = NodePrice {
                hourly: fixed.hourly,
                confidence: crate::money::Confidence::Exact,
                source: PriceSource { id: "configuration".into(), date: "".into() },
                reason: "a fixed sum a month of 730 hours".into(),
                by_pod: None,
            };
            let uid = Arc::clone(&asset.uid);
            self.ledger.flat().asset(asset, 1, &payer, start, start);
            self.ledger.flat().price(&uid, &Arc::new(price), start);
        }
    }

    pub(super) fn egress_priced(&mut self, prices: EgressPrices, _now: Instant) {
        self.ledger.flat().price_egress(prices);
    }

    pub(super) fn observe_traffic(&mut self, samples: Vec<TrafficSample>, now: Instant) {
        for sample in samples {
            if sample.at > now + Millis::MINUTE {
                continue; // a clock ahead of ours
            }
            let Some(egress) = sample.egress.filter(|egress| *egress != Egress::default()) else { continue };
            let Some(name) = self.pod_names.get(&sample.namespace, &sample.pod) else { continue };
            let Some(pod) = self.pods.get(&name.uid) else { continue };
            let (name, payer) = (Arc::clone(name), Arc::clone(&pod.attribution));
            let when = (sample.at, sample.window);
            for (to, bytes) in [
                (Destination::Zone, egress.zone),
                (Destination::Region, egress.region),
                (Destination::Internet, egress.internet),
            ] {
                self.ledger.flat().sent(&name, &payer, to, when, bytes.0);
            }
        }
    }

    pub(super) fn observe_asset_list(&mut self, kind: Kind, seen: &BTreeSet<Arc<str>>, now: Instant) {
        let missing = |uids: &mut dyn Iterator<Item = &Arc<str>>| -> Vec<Arc<str>> {
            uids.filter(|uid| !seen.contains(*uid)).map(Arc::clone).collect()
        };
        match kind {
            Kind::Volume => {
                let gone = missing(&mut self.assets.volume_uids());
                for uid in gone {
                    self.volume_gone(&uid, now);
                }
            }
            Kind::Claim => {
                let gone = missing(&mut self.assets.claim_uids());
                for uid in gone {
                    self.claim_gone(&uid, now);
                }
            }
            _ => {
                let gone = missing(&mut self.assets.services.keys());
                for uid in gone {
                    self.service_gone(&uid, now);
                }
            }
        }
    }

    /// A pod holds its node since `from`, and its claims with it.
    pub(super) fn mount(
        &mut self,
        pod: &Arc<PodName>,
        attribution: &Arc<Attribution>,
        claims: &[Arc<str>],
        from: Instant,
    ) {
        for claim in claims {
            let claim = ClaimKey { namespace: Arc::clone(&pod.namespace), name: Arc::clone(claim) };
            self.ledger.flat().mount(claim, pod, attribution, from);
        }
    }

    /// Keys of a namespace changed: from `now` on others may pay for its disks and load balancers; from their begin
    /// if the namespace was not known before.
    pub(super) fn keep_assets_of(&mut self, space: &Arc<str>, first: bool, now: Instant) {
        let claims = self.assets.claims_in(space);
        for key in claims {
            self.keep_claimed(&key, first, now);
        }
        let services = self.assets.services.values().filter(|service| service.namespace == *space);
        let services: Vec<Service> = services.cloned().collect();
        for service in services {
            let payer = self.payer_of_service(&service);
            let from = if first { service.created } else { now };
            self.ledger.flat().keep(&service.uid, None, &payer, from);
        }
    }

    /// After a restart, with facts whole again: what a checkpoint has kept may be another's from `now` on, what is new
    /// is so from its begin.
    pub(super) fn keep_assets_again(&mut self, kept: &BTreeSet<Arc<str>>, now: Instant) {
        for volume in self.assets.volumes() {
            self.keep_volume(&volume, !kept.contains(&volume.uid), now);
        }
        let services: Vec<_> = self.assets.services.values().cloned().collect();
        for service in services {
            let payer = self.payer_of_service(&service);
            let from = if kept.contains(&service.uid) { now } else { service.created };
            self.ledger.flat().keep(&service.uid, None, &payer, from);
        }
    }

    /// The volume of a claim is kept by whoever pays for the claim.
    fn keep_claimed(&mut self, key: &ClaimKey, first: bool, now: Instant) {
        if let Some(volume) = self.assets.volume_of(key).cloned() {
            self.keep_volume(&volume, first, now);
        }
    }

    /// Who pays for a volume: the claim it is bound to. No object tells since when it is; what was not known before
    /// (`first`) counts from when both were there.
    fn keep_volume(&mut self, volume: &Volume, first: bool, now: Instant) {
        let claim = self.assets.claim_of(volume).cloned();
        let (key, payer, from) = match claim {
            Some(claim) => {
                let since = claim.created.max(volume.created);
                let payer = self.payer_of_claim(&claim);
                (Some(claim.key), payer, if first { since } else { now })
            }
            None => (None, self.line(UNMOUNTED), now),
        };
        let asset = self.volume_asset(volume);
        let size = volume.capacity.0;
        let unclaimed = self.line(UNMOUNTED);
        self.ledger.flat().asset(asset, size, &unclaimed, volume.created, now);
        self.ledger.flat().keep(&volume.uid, key, &payer, from);
    }

    fn volume_asset(&self, volume: &Volume) -> FlatAsset {
        let claim = self.assets.claim_of(volume);
        FlatAsset {
            kind: AssetKind::Volume,
            uid: Arc::clone(&volume.uid),
            name: Arc::clone(&volume.name),
            provider_id: Arc::clone(&volume.provider_id),
            class: Arc::clone(&volume.facts.class),
            claim: claim.map(|c| (Arc::clone(&c.key.namespace), Arc::clone(&c.key.name))).unwrap_or_default(),
        }
    }

    fn payer_of_claim(&mut self, claim: &Claim) -> Arc<Attribution> {
        let namespace = &claim.key.namespace;
        let is_vcluster = |name: &str| {
            let runs_it = |pod: &Arc<PodName>| {
                let of = self.pods.get(&pod.uid).and_then(|pod| pod.attribution.vcluster.as_ref());
                of.and_then(|vcluster| vcluster.rsplit_once('/')).is_some_and(|(_, its)| its == name)
            };
            self.pod_names.of(namespace).any(runs_it)
        };
        let of = self.owners.claim(claim, is_vcluster, &|name| self.namespace_named(name));
        self.intern(of)
    }

    fn payer_of_service(&mut self, service: &Service) -> Arc<Attribution> {
        let of = self.owners.service(service, &|name| self.namespace_named(name));
        self.intern(of)
    }

    /// The payer of a line that belongs to no namespace.
    fn line(&mut self, name: &str) -> Arc<Attribution> {
        self.intern(Attribution::line(name))
    }
}

/// An asset without an object: its name is its identity.
fn fee(kind: AssetKind, name: &str) -> FlatAsset {
    let name: Arc<str> = name.into();
    FlatAsset {
        kind,
        uid: Arc::clone(&name),
        name,
        provider_id: "".into(),
        class: "".into(),
        claim: Default::default(),
    }
}
