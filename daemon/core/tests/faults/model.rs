//! What people want of a space, as they would say it: slow, simple, and without the engine's own code.

use std::collections::BTreeMap;

use nightcap_core::units::{Instant, Millis};

/// The wishes on one namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Awake on these hours of each day, UTC: from, to.
    pub(crate) uptime: Option<(i64, i64)>,
    pub(crate) keep_awake_until: Option<Instant>,
    pub(crate) asleep_until: Option<Instant>,
    pub(crate) exclude: bool,
}

impl Wanted {
    /// Whether it is to be asleep at `at`.
    pub(crate) fn asleep(&self, at: Instant) -> bool {
        if self.keep_awake_until.is_some_and(|until| until > at) {
            return false;
        }
        if self.asleep_until.is_some_and(|until| until > at) {
            return true;
        }
        if self.exclude {
            return false;
        }
        let hour = at.0.rem_euclid(Millis::DAY.0) / Millis::HOUR.0;
        self.uptime.is_some_and(|(from, to)| hour < from || hour >= to)
    }
}

/// By namespace.
pub(crate) type Model = BTreeMap<String, Wanted>;
