//! The volumes, claims and Services that the engine knows, and how they belong together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::{Claim, ClaimKey, Service, Volume};

/// Objects that are paid for beside nodes.
#[derive(Debug, Default)]
pub(super) struct AssetState {
    volumes: BTreeMap<Arc<str>, Volume>,
    claims: BTreeMap<ClaimKey, Claim>,
    /// By the claim's UID: its key, and the volume that refers to it. Either may come first.
    claim_keys: BTreeMap<Arc<str>, ClaimKey>,
    volume_of: BTreeMap<Arc<str>, Arc<str>>,
    /// Services with a load balancer.
    pub(super) services: BTreeMap<Arc<str>, Service>,
}

impl AssetState {
    /// Takes a volume in. `true` if it was not known.
    pub(super) fn insert_volume(&mut self, volume: &Volume) -> bool {
        let before = self.volumes.insert(Arc::clone(&volume.uid), volume.clone());
        let left = before
            .as_ref()
            .and_then(|b| b.claim_uid.as_ref())
            .filter(|uid| volume.claim_uid.as_ref() != Some(uid));
        if let Some(left) = left {
            self.volume_of.remove(left);
        }
        if let Some(claim) = &volume.claim_uid {
            self.volume_of.insert(Arc::clone(claim), Arc::clone(&volume.uid));
        }
        before.is_none()
    }

    pub(super) fn remove_volume(&mut self, uid: &str) {
        if let Some(claim) = self.volumes.remove(uid).and_then(|volume| volume.claim_uid) {
            self.volume_of.remove(&claim);
        }
    }

    /// Takes a claim in. `true` if it was not known: one of the same name may have been, of another UID.
    pub(super) fn insert_claim(&mut self, claim: Claim) -> bool {
        let (key, uid) = (claim.key.clone(), Arc::clone(&claim.uid));
        let before = self.claims.insert(key.clone(), claim).filter(|known| known.uid != uid);
        if let Some(before) = before {
            self.claim_keys.remove(&before.uid);
        }
        self.claim_keys.insert(uid, key).is_none()
    }

    /// Forgets a claim; the volume that referred to it, if one did.
    pub(super) fn remove_claim(&mut self, uid: &str) -> Option<Volume> {
        let key = self.claim_keys.remove(uid)?;
        if self.claims.get(&key).is_some_and(|claim| *claim.uid == *uid) {
            self.claims.remove(&key);
        }
        self.volume_of.get(uid).and_then(|volume| self.volumes.get(volume)).cloned()
    }

    /// The claim that a volume is bound to. A reference outlives its claim, and a later claim of its name is another.
    pub(super) fn claim_of(&self, volume: &Volume) -> Option<&Claim> {
        self.claims.get(self.claim_keys.get(volume.claim_uid.as_ref()?)?)
    }

    /// The volume that refers to this claim.
    pub(super) fn volume_of(&self, claim: &ClaimKey) -> Option<&Volume> {
        self.volumes.get(self.volume_of.get(&self.claims.get(claim)?.uid)?)
    }

    /// The claims of a namespace.
    pub(super) fn claims_in(&self, namespace: &Arc<str>) -> Vec<ClaimKey> {
        let first = ClaimKey { namespace: Arc::clone(namespace), name: "".into() };
        let of_namespace =
            self.claims.range(first..).map(|(key, _)| key).take_while(|key| key.namespace == *namespace);
        of_namespace.cloned().collect()
    }

    /// All volumes.
    pub(super) fn volumes(&self) -> Vec<Volume> {
        self.volumes.values().cloned().collect()
    }

    pub(super) fn volume_uids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.volumes.keys()
    }

    pub(super) fn claim_uids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.claim_keys.keys()
    }
}
