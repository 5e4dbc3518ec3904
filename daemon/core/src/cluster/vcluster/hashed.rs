//! Labels whose keys a vCluster hashes on their way to the host.

use std::ops::Bound;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::keys::{LABEL_PREFIX, NAMESPACE_LABEL_PREFIX};
use crate::cluster::Keys;

/// More than Kubernetes allows in a name.
const LONGEST: usize = 63;
/// What is left of a name that is too long, before its hash.
const CUT_AT: usize = 52;
/// Digits of a hash.
const DIGITS: usize = 10;

/// Which labels are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HashedLabels {
    /// Of the virtual object: up to 0.20, later ones keep them as they are.
    Object,
    /// Of its virtual namespace: 0.5 and later.
    Namespace,
}

impl HashedLabels {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Object => LABEL_PREFIX,
            Self::Namespace => NAMESPACE_LABEL_PREFIX,
        }
    }
}

/// The key under which the label `key` of something inside `vcluster` stands on the host.
pub fn host_label_key(of: HashedLabels, vcluster: &str, key: &str) -> String {
    joined(of, vcluster, &digits(key))
}

/// Keys with their hashes, made once: which vCluster it is stands beside the hash, not in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyHashes(Vec<(Arc<str>, String)>);

impl KeyHashes {
    /// Hashes the keys.
    pub fn of(keys: impl IntoIterator<Item = Arc<str>>) -> Self {
        Self(keys.into_iter().map(|key| (Arc::clone(&key), digits(&key))).collect())
    }

    /// The shared copy of a key, if it is one of these.
    pub(super) fn known(&self, key: &str) -> Option<Arc<str>> {
        self.0.iter().find(|(known, _)| **known == *key).map(|(known, _)| Arc::clone(known))
    }

    /// The labels that stand hashed among these, under their own keys.
    pub(super) fn read(&self, of: HashedLabels, vcluster: &str, labels: &Keys) -> Keys {
        let prefix = format!("{}-", of.prefix());
        let range = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        if !labels.range::<str, _>(range).next().is_some_and(|(key, _)| key.starts_with(&prefix)) {
            return Keys::new();
        }
        let found = self.0.iter().filter_map(|(key, hash)| {
            let value = labels.get(joined(of, vcluster, hash).as_str())?;
            Some((Arc::clone(key), Arc::clone(value)))
        });
        found.collect()
    }
}

fn joined(of: HashedLabels, vcluster: &str, hash: &str) -> String {
    let key = format!("{}-{vcluster}-x-{hash}", of.prefix());
    match key.get(..CUT_AT) {
        Some(begin) if key.len() > LONGEST => format!("{begin}-{}", digits(&key)).replace(".-", "-"),
        _ => key,
    }
}

/// The first digits of the SHA-256 of a text.
fn digits(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let halves = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    halves.take(DIGITS).filter_map(|half| char::from_digit(half.into(), 16)).collect()
}
