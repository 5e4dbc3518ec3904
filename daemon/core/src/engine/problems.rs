//! What needs a person: one entry per object and reason, gone as soon as it is mended.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Problem;
use crate::units::Instant;

/// The open problems.
#[derive(Debug, Default)]
pub(super) struct Problems {
    open: BTreeMap<(Arc<str>, &'static str, Arc<str>), Problem>,
}

impl Problems {
    /// Notes a problem of `object`; `detail` tells several of one reason apart. Returns whether it is new, or new in
    /// its words: only then should anybody be told.
    pub(super) fn raise(
        &mut self,
        object: &str,
        reason: &'static str,
        detail: &str,
        message: String,
        now: Instant,
    ) -> bool {
        let key = (object.into(), reason, detail.into());
        match self.open.get_mut(&key) {
            Some(known) if *known.message == *message => false,
            Some(known) => {
                known.message = message.into();
                true
            }
            None => {
                let problem = Problem { object: object.into(), reason, message: message.into(), since: now };
                self.open.insert(key, problem);
                true
            }
        }
    }

    /// All problems of this reason with `object` are mended.
    pub(super) fn clear(&mut self, object: &str, reason: &'static str) {
        self.open.retain(|(o, r, _), _| !(**o == *object && *r == reason));
    }

    /// Of this reason with `object`, only these details are still problems.
    pub(super) fn keep(&mut self, object: &str, reason: &'static str, details: &[&str]) {
        self.open.retain(|(o, r, d), _| !(**o == *object && *r == reason) || details.contains(&&**d));
    }

    /// The problem `detail` of this reason with `object` is mended.
    pub(super) fn clear_detail(&mut self, object: &str, reason: &'static str, detail: &str) {
        self.open.remove(&(object.into(), reason, detail.into()));
    }

    /// The object is gone, and its problems with it.
    pub(super) fn forget(&mut self, object: &str) {
        self.open.retain(|(o, _, _), _| **o != *object);
    }

    /// All of them, by object.
    pub(super) fn all(&self) -> Vec<Problem> {
        self.open.values().cloned().collect()
    }
}
