//! What is to happen, in order of time and, within one instant, in the order it was planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::Instant;

/// One thing that happens.
#[derive(Debug)]
pub(super) enum Happening {
    /// A watch or a scrape delivers this.
    Seen(Box<Event>),
    /// The scheduler looks for places for pending pods.
    Schedule,
    /// The containers of a pod have started and are ready.
    PodRuns(u64),
    /// The last container of a Job's pod ends by itself.
    PodDone(u64),
    /// The last container of a pod that was told to stop ends.
    PodExits(u64),
    /// The object of an ended pod is removed.
    PodForgotten(u64),
    /// A booting machine joins.
    NodeJoins(u64),
    /// A node is ready for pods.
    NodeReady(u64),
    /// A spot node is taken back.
    NodeReclaimed(u64),
    /// The autoscaler looks for nodes that are not needed.
    Sweep,
    /// A `CronJob` is due.
    CronDue(u64),
    /// Somebody starts a Job.
    JobDue(u64),
    /// Somebody rolls a Deployment out.
    Rollout(u64),
    /// Somebody comes to a space.
    Visit(Arc<str>),
    /// An hour of work begins: who will come to which space in it?
    Hour,
    /// Usage is sampled.
    Scrape,
    /// The load balancer of this Service, by namespace and name, has an address.
    BalancerReady(Arc<str>, Arc<str>),
}

/// The plan of what happens.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    entries: BTreeMap<(Instant, u64), Happening>,
    planned: u64,
    /// Up to when each watch has delivered, or will have.
    shown: BTreeMap<Kind, Instant>,
}

impl Agenda {
    pub(super) fn add(&mut self, at: Instant, happening: Happening) {
        self.planned += 1;
        self.entries.insert((at, self.planned), happening);
    }

    /// A watch delivers in order, however long each delivery takes.
    pub(super) fn show(&mut self, kind: Kind, event: Event, at: Instant) {
        let shown = self.shown.entry(kind).or_default();
        *shown = at.max(*shown);
        let at = *shown;
        self.add(at, Happening::Seen(Box::new(event)));
    }

    /// The first entry, if it is due by `now`.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Instant, Happening)> {
        let first = self.entries.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, _), happening) = first.remove_entry();
        Some((at, happening))
    }

    /// What was on its way to the watchers is lost.
    pub(super) fn lose_deliveries(&mut self) {
        self.entries.retain(|_, happening| !matches!(happening, Happening::Seen(_)));
        self.shown.clear();
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }
}
