//! Claims and volumes: made for the first pod that mounts them, kept while it sleeps, gone with their namespace.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Claim, ClaimKey, Keys, Size, Volume, VolumeFacts};
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::{Instant, Millis};

use super::World;
use super::controllers::ordinal;
use super::objects::{Owner, Role, second};
use crate::spec::{ClassSpec, DiskSpec, WorkloadShape};

/// A claim and what it claims.
#[derive(Debug)]
pub(super) struct SimClaim {
    pub(super) object: Claim,
    disk: DiskSpec,
}

/// All disks of a cluster.
#[derive(Debug)]
pub(super) struct Storage {
    classes: BTreeMap<Arc<str>, ClassSpec>,
    pub(super) claims: BTreeMap<ClaimKey, SimClaim>,
    /// By name.
    pub(super) volumes: BTreeMap<Arc<str>, Volume>,
}

impl Storage {
    pub(super) fn new(classes: Vec<ClassSpec>) -> Self {
        let classes = classes.into_iter().map(|class| (Arc::clone(&class.name), class)).collect();
        Self { classes, claims: BTreeMap::new(), volumes: BTreeMap::new() }
    }

    /// What a volume's price follows from, as its driver and its class tell.
    fn facts(&self, class: &Arc<str>) -> VolumeFacts {
        let Some(spec) = self.classes.get(class) else {
            return VolumeFacts { class: Arc::clone(class), ..VolumeFacts::default() };
        };
        VolumeFacts {
            provider: spec.provider,
            region: Arc::clone(&spec.region),
            driver: Arc::clone(&spec.driver),
            class: Arc::clone(class),
            parameters: spec.parameters.clone(),
        }
    }
}

/// The claims that a pod of this name mounts.
pub(super) fn claims_of(owner: &Owner, pod: &str) -> Vec<Arc<str>> {
    match (&owner.spec.disk, owner.role) {
        (None, _) => Vec::new(),
        (Some(_), Role::StatefulSet) => vec![format!("data-{pod}").into()],
        (Some(_), _) => vec![format!("{}-data", owner.object.key.name).into()],
    }
}

impl World {
    /// Volumes whose claims have gone long ago.
    pub(super) fn keep_released(&mut self, disks: &[DiskSpec], start: Instant) {
        for disk in disks {
            let age = self.asset_rng.between(20 * Millis::DAY.0, 200 * Millis::DAY.0);
            let claim = self.asset_rng.uuid();
            self.new_volume(&claim, disk, start - Millis(age));
        }
    }

    /// The disks of what has been there for a while, and the addresses of its load balancers.
    pub(super) fn settle_assets(&mut self) {
        for id in self.owners.keys().copied().collect::<Vec<_>>() {
            let Some(owner) = self.owners.get(&id) else { continue };
            let Some(disk) = owner.spec.disk.clone() else { continue };
            let (space, created) = (Arc::clone(&owner.object.key.namespace), owner.object.created);
            let pods = match owner.spec.shape {
                WorkloadShape::StatefulSet { replicas, .. } => replicas,
                _ => 1,
            };
            let names: Vec<_> = (0..pods)
                .flat_map(|number| claims_of(owner, &format!("{}-{number}", owner.object.key.name)))
                .collect();
            for name in names {
                self.new_claim(&space, &name, disk.clone(), created);
                self.provide(&space, &name, created);
            }
        }
        self.settle_balancers();
    }

    /// The controller makes the claims of a new pod that are not there yet.
    pub(super) fn claim_for(&mut self, pod: u64, at: Instant) {
        let Some((space, names, owner)) = self.mounts(pod) else { return };
        let Some(disk) = self.owners.get(&owner).and_then(|owner| owner.spec.disk.clone()) else { return };
        for name in names {
            self.new_claim(&space, &name, disk.clone(), at);
        }
    }

    /// The claims of a pod that has got a node are bound: volumes wait for their first consumer.
    pub(super) fn provide_for(&mut self, pod: u64, at: Instant) {
        let Some((space, names, _)) = self.mounts(pod) else { return };
        for name in names {
            self.provide(&space, &name, at);
        }
    }

    /// A claim without a volume, unless one of this name is there.
    pub(super) fn new_claim(&mut self, space: &Arc<str>, name: &Arc<str>, disk: DiskSpec, at: Instant) {
        let key = ClaimKey { namespace: Arc::clone(space), name: Arc::clone(name) };
        if self.storage.claims.contains_key(&key) {
            return;
        }
        let object = Claim {
            key: key.clone(),
            uid: self.asset_rng.uuid(),
            created: second(at),
            volume: None,
            requested: disk.size,
            labels: Keys::new(),
            annotations: Keys::new(),
        };
        self.show_asset(Kind::Claim, Event::Claim(object.clone()), at);
        self.storage.claims.insert(key, SimClaim { object, disk });
    }

    /// Makes the volume of a claim that has none.
    pub(super) fn provide(&mut self, space: &Arc<str>, name: &Arc<str>, at: Instant) {
        let key = ClaimKey { namespace: Arc::clone(space), name: Arc::clone(name) };
        let Some(claim) = self.storage.claims.get(&key).filter(|claim| claim.object.volume.is_none()) else {
            return;
        };
        let (uid, disk) = (Arc::clone(&claim.object.uid), claim.disk.clone());
        let volume = self.new_volume(&uid, &disk, at);
        let Some(claim) = self.storage.claims.get_mut(&key) else { return };
        claim.object.volume = Some(volume);
        let object = claim.object.clone();
        self.show_asset(Kind::Claim, Event::Claim(object), at);
    }

    /// A scaled down `StatefulSet` whose policy says so loses the claims of the pods that went.
    pub(super) fn drop_claims(&mut self, owner: u64, names: &[Arc<str>], at: Instant) {
        let Some(owner) = self.owners.get(&owner).filter(|owner| owner.object.deletes_claims_when_scaled)
        else {
            return;
        };
        let Size::Replicas(wanted) = owner.object.size else { return };
        let namespace = Arc::clone(&owner.object.key.namespace);
        for name in names.iter().filter(|name| ordinal(name).is_some_and(|number| number >= wanted)) {
            self.delete_claim(&ClaimKey { namespace: Arc::clone(&namespace), name: Arc::clone(name) }, at);
        }
    }

    /// A namespace goes with all its claims.
    pub(super) fn delete_claims_in(&mut self, space: &str, at: Instant) {
        let keys: Vec<_> =
            self.storage.claims.keys().filter(|key| *key.namespace == *space).cloned().collect();
        for key in keys {
            self.delete_claim(&key, at);
        }
    }

    /// The claim goes, and its volume with it: that is what storage classes say where nobody says otherwise.
    fn delete_claim(&mut self, key: &ClaimKey, at: Instant) {
        let Some(claim) = self.storage.claims.remove(key) else { return };
        let gone = second(at);
        self.show_asset(Kind::Claim, Event::ClaimGone { uid: claim.object.uid, at: gone }, at);
        if let Some(volume) = claim.object.volume.and_then(|name| self.storage.volumes.remove(&name)) {
            self.show_asset(Kind::Volume, Event::VolumeGone { uid: volume.uid, at: gone }, at);
        }
    }

    /// Gives the volume's name.
    fn new_volume(&mut self, claim_uid: &Arc<str>, disk: &DiskSpec, at: Instant) -> Arc<str> {
        let name: Arc<str> = format!("pvc-{claim_uid}").into();
        let volume = Volume {
            uid: self.asset_rng.uuid(),
            name: Arc::clone(&name),
            created: second(at),
            provider_id: format!("vol-{}", self.asset_rng.hex(17)).into(),
            facts: self.storage.facts(&disk.class),
            capacity: disk.size,
            claim_uid: Some(Arc::clone(claim_uid)),
            failed: false,
        };
        self.show_asset(Kind::Volume, Event::Volume(volume.clone()), at);
        self.storage.volumes.insert(Arc::clone(&name), volume);
        name
    }

    /// Namespace and claims of a pod that mounts any, and its owner.
    fn mounts(&self, pod: u64) -> Option<(Arc<str>, Vec<Arc<str>>, u64)> {
        let pod = self.pods.get(&pod).filter(|pod| !pod.claims.is_empty())?;
        Some((Arc::clone(&pod.namespace), pod.claims.clone(), pod.owner))
    }
}
