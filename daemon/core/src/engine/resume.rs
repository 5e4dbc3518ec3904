//! A restart: what was known at the last checkpoint, joined with what the first lists show.
//!
//! Until all kinds are listed nothing is settled and no payer is changed: half a picture would charge the wrong one.
//! What the lists do not show any more ended at some time that no object proves; it is counted up to the checkpoint,
//! and the time since then is marked as filled in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Engine, Kind, Settings};
use crate::cluster::Attribution;
use crate::money::{AssetKind, Checkpoint, CheckpointRef, Correction, Hour, Ledger};
use crate::units::{Instant, Window};

impl Engine {
    /// What is to be kept over a restart. Write it only after all closed hours are: it does not hold them.
    pub fn checkpoint(&self, now: Instant) -> CheckpointRef<'_> {
        self.ledger.checkpoint(now)
    }

    /// A history is kept: closed hours stay until [`Self::written`] says that they are in it.
    pub fn keep_until_written(&mut self) {
        self.ledger.keep_until_written();
    }

    /// Closed hours to write into the history, or to write again.
    pub fn unwritten(&self) -> Vec<Arc<Hour>> {
        self.ledger.unwritten()
    }

    /// These hours are in the history now. What came on top of those that were there changes what budgets know.
    pub fn written(&mut self, hours: &[Arc<Hour>]) {
        for hour in hours.iter().filter(|hour| hour.partial) {
            self.recall_hour(hour.start);
        }
        self.ledger.written(hours);
    }

    /// Corrections to make in the history, of hours that are nowhere else.
    pub fn owed(&self) -> Vec<Arc<Correction>> {
        self.ledger.owed()
    }

    /// These corrections are dealt with; of them, `lost` could not be made, since their hours are too old.
    pub fn corrected(&mut self, done: &[Arc<Correction>], lost: u64) {
        for correction in done {
            self.recall_hour(correction.hour());
        }
        self.ledger.corrected(done, lost);
    }

    /// An engine that goes on from a checkpoint: money is counted from where that began, not from `settings.start`.
    pub fn resume(settings: Settings, checkpoint: Checkpoint) -> Self {
        let mut engine = Self::new(Settings { start: checkpoint.start(), ..settings });
        let at = checkpoint.at();
        let (split, scrape) = (engine.settings.split, engine.settings.scrape_interval);
        let keep_rows = engine.settings.keep_rows;
        let mut intern = |payer: &Attribution| engine.intern(payer.clone());
        engine.ledger = Ledger::resume(checkpoint, split, scrape, keep_rows, &mut intern);
        engine.resumed = Some(at);
        engine.settled_at = at;
        // Sums that the configuration does not name any more ended with the old one.
        let named: BTreeSet<Arc<str>> =
            engine.settings.fixed.iter().map(|fixed| Arc::clone(&fixed.name)).collect();
        for uid in engine.ledger.flat().uids(AssetKind::Fixed) {
            if !named.contains(&uid) {
                engine.ledger.flat().gone(&uid, at);
            }
        }
        engine.charge_fixed();
        engine
    }

    /// The first list of a kind after a restart: what it does not show is gone since the checkpoint at the latest.
    pub(super) fn compare_with_checkpoint(&mut self, kind: Kind, seen: &BTreeSet<Arc<str>>) {
        let Some(at) = self.resumed.filter(|_| !self.listed.contains(&kind)) else { return };
        match kind {
            Kind::Node => {
                for uid in self.ledger.node_uids().into_iter().filter(|uid| !seen.contains(uid)) {
                    self.ledger.node_gone(&uid, at);
                }
            }
            Kind::Pod => {
                let gone = self.ledger.holders().into_iter().filter(|holder| !seen.contains(&holder.pod.uid));
                for holder in gone {
                    self.ledger.release(&holder.node.name, &holder.pod.uid, at);
                    self.ledger.flat().unmount(&holder.pod.namespace, &holder.pod.uid, at);
                }
            }
            Kind::Volume => self.assets_gone(AssetKind::Volume, seen, at),
            Kind::Service => self.assets_gone(AssetKind::LoadBalancer, seen, at),
            Kind::Namespace
            | Kind::Claim
            | Kind::Deployment
            | Kind::StatefulSet
            | Kind::CronJob
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::ReplicationController
            | Kind::Job
            | Kind::SleepPolicy
            | Kind::Budget => {}
        }
    }

    fn assets_gone(&mut self, kind: AssetKind, seen: &BTreeSet<Arc<str>>, at: Instant) {
        for uid in self.ledger.flat().uids(kind).into_iter().filter(|uid| !seen.contains(uid)) {
            self.ledger.flat().gone(&uid, at);
        }
    }

    /// All kinds are listed: from here on facts are whole again.
    pub(super) fn end_of_gap(&mut self, now: Instant) {
        let Some(at) = self.resumed.take() else { return };
        self.ledger.gap(Window::new(at, now));
        for pod in self.pods.values().filter(|pod| !pod.ended) {
            if let Some(node) = &pod.node {
                self.ledger.reassign(node, &pod.name.uid, &pod.attribution, now);
                self.ledger.flat().repay(&pod.name.namespace, &pod.name.uid, &pod.attribution, now);
            }
        }
        let kept = self.ledger.flat().thaw();
        self.keep_assets_again(&kept, now);
        for key in self.ledger.sleepers() {
            if !self.workloads.get(&key).is_some_and(|entry| entry.is_asleep()) {
                self.ledger.awake(&key, at);
            }
        }
    }

    /// Since when facts are complete: what ended before was counted by an earlier life, if at all. A checkpoint holds
    /// everybody who was there in the hour that it left open, so that whoever is not in it was not told of by then.
    pub(super) fn counted_from(&self) -> Instant {
        if self.resumed.is_some() { self.ledger.settled().hour() } else { self.settings.start }
    }
}
