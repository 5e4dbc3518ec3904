//! What is said of a policy on its object.

use std::sync::Arc;

use crate::units::Instant;

/// What a policy is about, as it was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolicyMatch {
    /// Namespaces it is about, or about some workloads of which.
    pub namespaces: usize,
    /// Workloads it is about.
    pub workloads: usize,
    /// Those of them for which it decides now.
    pub deciding: usize,
    /// The first names of the namespaces.
    pub names: Vec<Arc<str>>,
    /// When it will wish otherwise for some of them.
    pub next_change: Option<Instant>,
}

/// The status of a policy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolicyReport {
    /// The version of the spec that was read.
    pub generation: i64,
    /// Why that cannot be understood, if so; what follows is then by the last one that could, if one is known.
    pub problem: Option<Arc<str>>,
    /// Since when that is so: that it can, or cannot, be understood.
    pub since: Instant,
    /// Why the mode does not let it act, if so.
    pub idle: Option<Arc<str>>,
    /// Since when that is so.
    pub idle_since: Instant,
    /// What it is about; `None` if nothing of it could be understood yet.
    pub matched: Option<PolicyMatch>,
}

impl PolicyReport {
    /// The same with the instants of `before` where what they are about is the same.
    #[must_use]
    pub fn following(mut self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        if before.problem.is_some() == self.problem.is_some() {
            self.since = before.since;
        }
        if before.idle.is_some() == self.idle.is_some() {
            self.idle_since = before.idle_since;
        }
        self
    }
}
