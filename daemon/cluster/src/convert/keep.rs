//! Which labels and annotations are kept: ours, those that a rule names, and those that platforms and vClusters write.

use std::collections::BTreeMap;

use nightcap_core::cluster::{Keys, OwnerKeys, TeamRules};

use super::Interner;

/// The keys that somebody reads. All others are dropped with the object they came on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeepKeys(OwnerKeys);

impl KeepKeys {
    /// Keeps our own, and what tells teams, owners and vClusters.
    pub fn for_teams(rules: &TeamRules) -> Self {
        Self(OwnerKeys::of(rules))
    }

    /// The keys by which owners are found.
    pub(super) const fn owners(&self) -> &OwnerKeys {
        &self.0
    }

    /// The kept ones of an object's labels or annotations.
    pub(super) fn filter(&self, all: Option<&BTreeMap<String, String>>, names: &mut Interner) -> Keys {
        let kept = all.into_iter().flatten().filter(|(key, _)| self.0.keeps(key));
        kept.map(|(key, value)| (names.get(key), value.as_str().into())).collect()
    }
}

impl Default for KeepKeys {
    fn default() -> Self {
        Self::for_teams(&TeamRules::default())
    }
}

/// All of an object's labels.
pub(super) fn all(labels: Option<&BTreeMap<String, String>>, names: &mut Interner) -> Keys {
    labels.into_iter().flatten().map(|(key, value)| (names.get(key), names.get(value))).collect()
}
