//! From people to teams: platforms often name a person, and costs go to teams.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Which team a person is in, by the name under which the platform knows them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct UserMap(BTreeMap<Arc<str>, Arc<str>>);

impl UserMap {
    /// The team of this person, if the map knows them.
    pub fn team_of(&self, user: &str) -> Option<&Arc<str>> {
        self.0.get(user)
    }
}

impl FromIterator<(Arc<str>, Arc<str>)> for UserMap {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<str>)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
