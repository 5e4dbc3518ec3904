//! One daemon: an engine, how far its watches have come, and what it has asked for that nobody has done yet.

use nightcap_core::cluster::WorkloadKey;
use nightcap_core::engine::{Action, Engine, Event, Outcome, Settings};
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Instant, Millis};

use crate::cluster::{Cluster, listed};
use crate::random::Random;
use crate::run::Tally;
use crate::support::T0;

pub(crate) struct Daemon {
    pub(crate) engine: Engine,
    /// Up to here its watches have told it the log.
    read: usize,
    pub(crate) asked: Vec<Action>,
    /// How far its clock is off.
    pub(crate) off: Millis,
}

impl Daemon {
    /// One that has just started, and lists everything.
    pub(crate) fn start(cluster: &Cluster, leads: bool, now: Instant) -> Self {
        let mut settings = Settings::new(T0);
        settings.mode = Mode::Act;
        let mut engine = Engine::new(settings);
        engine.apply(Event::Leads(leads), now);
        for event in listed(cluster) {
            engine.apply(event, now);
        }
        Self { engine, read: cluster.log.len(), asked: Vec::new(), off: Millis(0) }
    }

    /// Takes in some of what its watches have to tell, perhaps twice, perhaps with the watch lost and listed anew.
    pub(crate) fn read(&mut self, cluster: &Cluster, chance: &mut Random, tally: &mut Tally, now: Instant) {
        if chance.permille(5) {
            tally.lost_watches += 1;
            return self.list(cluster, now);
        }
        let behind = cluster.log.len() - self.read;
        let some = usize::try_from(chance.below(behind as u64 + 1)).unwrap();
        tally.stale_reads += u64::from(some < behind);
        let now = now + self.off;
        for event in &cluster.log[self.read..self.read + some] {
            self.engine.apply(event.clone(), now);
            if chance.permille(20) {
                tally.doubled_events += 1;
                self.engine.apply(event.clone(), now);
            }
        }
        self.read += some;
    }

    /// Knows all there is.
    pub(crate) fn list(&mut self, cluster: &Cluster, now: Instant) {
        for event in listed(cluster) {
            self.engine.apply(event, now + self.off);
        }
        self.read = cluster.log.len();
    }

    pub(crate) fn think(&mut self, now: Instant) {
        let asked = self.engine.tick(now + self.off);
        self.asked.extend(asked.into_iter().filter(|action| !matches!(action, Action::Announce { .. })));
    }

    /// The workloads that it has decided to write, and that are not written yet.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &WorkloadKey> {
        self.asked.iter().filter_map(|action| match action {
            Action::Workload { patch, .. } => Some(&patch.target),
            _ => None,
        })
    }

    /// Has one of the things done that it has asked for, in any order, or has it go wrong.
    pub(crate) fn act(
        &mut self,
        cluster: &mut Cluster,
        chance: &mut Random,
        tally: &mut Tally,
        now: Instant,
    ) {
        if self.asked.is_empty() {
            return;
        }
        let nth = usize::try_from(chance.below(self.asked.len() as u64)).unwrap();
        let action = self.asked.swap_remove(nth);
        let fate = chance.below(100);
        let throttled = Outcome::Retry { reason: "429".into(), after: Some(Millis::from_secs(1)) };
        let (id, outcome) = match action {
            Action::Workload { id, patch } if fate >= 10 => {
                assert!(&*patch.target.namespace != "kube-system", "protected: {patch:?}");
                (id, cluster.patch(&patch))
            }
            Action::Namespace { id, name, uid, annotations } if fate >= 10 => {
                (id, cluster.annotate(&name, &uid, &annotations))
            }
            Action::Workload { id, .. } | Action::Namespace { id, .. } => {
                tally.throttled += 1;
                (id, throttled.clone())
            }
            other => panic!("nobody has asked for {other:?}"),
        };
        tally.writes += u64::from(matches!(outcome, Outcome::Done { .. }));
        tally.conflicts += u64::from(outcome == Outcome::Conflict);
        let told = match fate {
            // It was done and its answer is lost: the engine hears nothing at all, or that it may try again.
            90..95 => {
                tally.lost_answers += 1;
                return;
            }
            95..100 => {
                tally.lost_answers += 1;
                throttled
            }
            _ => outcome,
        };
        self.engine.apply(Event::Ended { id, target: None, outcome: told }, now + self.off);
    }

    /// Has all of it done, and nothing goes wrong.
    pub(crate) fn act_well(&mut self, cluster: &mut Cluster, now: Instant) {
        for action in std::mem::take(&mut self.asked) {
            let (id, outcome) = match action {
                Action::Workload { id, patch } => (id, cluster.patch(&patch)),
                Action::Namespace { id, name, uid, annotations } => {
                    (id, cluster.annotate(&name, &uid, &annotations))
                }
                other => panic!("nobody has asked for {other:?}"),
            };
            self.engine.apply(Event::Ended { id, target: None, outcome }, now);
        }
    }

    /// The log begins anew.
    pub(crate) fn rewind(&mut self) {
        self.read = 0;
    }
}
