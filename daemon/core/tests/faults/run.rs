//! One seed: days of a cluster with two daemons, faults and people.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Size, WorkloadKey};
use nightcap_core::engine::Event;
use nightcap_core::units::{Instant, Millis};

use crate::cluster::{Cluster, is_marked};
use crate::daemon::Daemon;
use crate::model::{Model, Wanted};
use crate::random::Random;
use crate::support::T0;

const SPACES: u64 = 12;
/// More writes to one workload between two reasons for any are a storm.
const STORM: u32 = 12;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) space_days: u64,
    pub(crate) steps: u64,
    pub(crate) writes: u64,
    pub(crate) conflicts: u64,
    pub(crate) throttled: u64,
    pub(crate) lost_answers: u64,
    pub(crate) lost_watches: u64,
    pub(crate) doubled_events: u64,
    pub(crate) stale_reads: u64,
    pub(crate) crashes: u64,
    pub(crate) leader_changes: u64,
    pub(crate) clock_steps: u64,
    pub(crate) meddling: u64,
    pub(crate) rebuilt: u64,
    pub(crate) overtaken: u64,
}

impl Tally {
    pub(crate) fn faults(&self) -> [(&'static str, u64); 11] {
        [
            ("conflict", self.conflicts),
            ("throttled write", self.throttled),
            ("lost answer", self.lost_answers),
            ("lost watch", self.lost_watches),
            ("doubled event", self.doubled_events),
            ("stale read", self.stale_reads),
            ("crash", self.crashes),
            ("change of leader", self.leader_changes),
            ("clock step", self.clock_steps),
            ("meddling hand", self.meddling),
            ("write overtaken", self.overtaken),
        ]
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, of: Self) {
        self.space_days += of.space_days;
        self.steps += of.steps;
        self.writes += of.writes;
        self.conflicts += of.conflicts;
        self.throttled += of.throttled;
        self.lost_answers += of.lost_answers;
        self.lost_watches += of.lost_watches;
        self.doubled_events += of.doubled_events;
        self.stale_reads += of.stale_reads;
        self.crashes += of.crashes;
        self.leader_changes += of.leader_changes;
        self.clock_steps += of.clock_steps;
        self.meddling += of.meddling;
        self.rebuilt += of.rebuilt;
        self.overtaken += of.overtaken;
    }
}

struct Run {
    seed: u64,
    now: Instant,
    chance: Random,
    cluster: Cluster,
    daemons: [Daemon; 2],
    leader: usize,
    model: Model,
    /// When a sleep was last undone by hand.
    undone: BTreeMap<WorkloadKey, Instant>,
    tally: Tally,
}

/// Runs a seed for so many days. Panics, naming the seed, where something is as nobody wishes.
pub(crate) fn run(seed: u64, days: u64) -> Tally {
    let cluster = Cluster::new(SPACES);
    let daemons = [Daemon::start(&cluster, true, T0), Daemon::start(&cluster, false, T0)];
    let mut run = Run {
        seed,
        now: T0,
        chance: Random::new(seed),
        cluster,
        daemons,
        leader: 0,
        model: Model::new(),
        undone: BTreeMap::new(),
        tally: Tally::default(),
    };
    for day in 1..=days {
        let end = T0 + Millis(Millis::DAY.0 * i64::try_from(day).unwrap());
        while run.now < end {
            run.step();
        }
        run.calm();
    }
    run.tally.space_days = SPACES * days;
    run.tally
}

impl Run {
    fn step(&mut self) {
        self.tally.steps += 1;
        // Busy while somebody waits for something, else on to the next thing that is to happen.
        let busy = self.daemons.iter().any(|daemon| !daemon.asked.is_empty());
        let pause = if busy { 300 } else { 120_000 + self.chance.below(600_000) };
        let to_edge = Millis::HOUR.0 - self.now.0.rem_euclid(Millis::HOUR.0);
        let before = self.now;
        self.now = self.now + Millis(i64::try_from(pause).unwrap().min(to_edge));
        if self.now.hour() > before.hour() {
            // An edge of an uptime is a reason to write.
            let names: Vec<_> = self.cluster.namespaces.keys().cloned().collect();
            for name in &names {
                self.cluster.forgive(name);
            }
        }
        if self.chance.permille(if busy { 20 } else { 150 }) {
            self.somebody();
        }
        if self.chance.permille(50) {
            self.overtake();
        }
        if self.chance.permille(10) {
            self.fault();
        }
        for nth in 0..self.daemons.len() {
            let daemon = &mut self.daemons[nth];
            daemon.read(&self.cluster, &mut self.chance, &mut self.tally, self.now);
            daemon.think(self.now);
            for _ in 0..self.chance.below(4) {
                daemon.act(&mut self.cluster, &mut self.chance, &mut self.tally, self.now);
            }
        }
        self.check();
    }

    fn check(&self) {
        let (seed, now) = (self.seed, self.now);
        if let Some(lost) = self.cluster.lost() {
            panic!("seed {seed} at {now}: {lost}");
        }
        for held in self.cluster.workloads.values() {
            assert!(held.writes <= STORM, "seed {seed} at {now}: a storm on {}", held.workload.key);
        }
    }

    /// People, and tools of theirs.
    fn somebody(&mut self) {
        self.tally.meddling += 1;
        let nth = self.chance.below(SPACES);
        let name = if nth == 0 { "kube-system".to_owned() } else { format!("space-{nth}") };
        let space: Arc<str> = name.as_str().into();
        let wanted = self.model.entry(name.clone()).or_default();
        let later = self.now
            + Millis(Millis::from_minutes(10).0 * (1 + i64::try_from(self.chance.below(60)).unwrap()));
        match self.chance.below(12) {
            0..3 => {
                let from = i64::try_from(self.chance.below(20)).unwrap();
                let to = from + 1 + i64::try_from(self.chance.below(4)).unwrap();
                wanted.uptime = Some((from, to));
                self.cluster.wish(&space, "uptime", Some(&format!("{from:02}:00-{to:02}:00 UTC")));
            }
            3 => {
                wanted.uptime = None;
                self.cluster.wish(&space, "uptime", None);
            }
            4 => {
                wanted.keep_awake_until = Some(later);
                self.cluster.wish(&space, "keep-awake-until", Some(&later.to_rfc3339()));
            }
            5 => {
                wanted.asleep_until = Some(later);
                self.cluster.wish(&space, "asleep-until", Some(&later.to_rfc3339()));
            }
            6 => {
                wanted.exclude = !wanted.exclude;
                let value = wanted.exclude.then_some("true");
                self.cluster.wish(&space, "exclude", value);
            }
            7..9 => {
                let key = self.workload_in(&name);
                self.cluster.touch(&key);
            }
            9..11 => {
                let key = self.workload_in(&name);
                self.scale(&key);
            }
            _ => {
                self.tally.rebuilt += 1;
                self.cluster.delete(&name);
                self.cluster.make(&name);
                *self.model.entry(name).or_default() = Wanted::default();
            }
        }
    }

    /// Somebody scales a workload. One scaled up in its sleep is the doing of a tool that knows one number. Who does that again
    /// and again wins in the end, which is tested elsewhere.
    fn scale(&mut self, key: &WorkloadKey) {
        let held = &self.cluster.workloads[key];
        let asleep = is_marked(&held.workload);
        let size = match held.wanted {
            Size::Replicas(replicas) if asleep => replicas,
            _ => 1 + u32::try_from(self.chance.below(5)).unwrap(),
        };
        if asleep && self.undone.get(key).is_some_and(|&at| self.now.since(at) < Millis::from_hours(12)) {
            return;
        }
        if asleep {
            self.undone.insert(key.clone(), self.now);
        }
        self.cluster.scale(key, size);
    }

    /// Somebody is quicker than a daemon that has decided on a write already.
    fn overtake(&mut self) {
        let asked: Vec<WorkloadKey> = self.daemons.iter().flat_map(Daemon::targets).cloned().collect();
        if asked.is_empty() {
            return;
        }
        let key = self.chance.pick(&asked).clone();
        if self.cluster.workloads.contains_key(&key) {
            self.tally.overtaken += 1;
            self.scale(&key);
        }
    }

    fn workload_in(&mut self, name: &str) -> WorkloadKey {
        let keys = self.cluster.workloads.keys().filter(|key| &*key.namespace == name);
        let keys: Vec<WorkloadKey> = keys.cloned().collect();
        self.chance.pick(&keys).clone()
    }

    fn fault(&mut self) {
        let nth = usize::try_from(self.chance.below(2)).unwrap();
        match self.chance.below(3) {
            0 => {
                // What it had asked for is under way still, or never was: the answers find nobody.
                self.tally.crashes += 1;
                let mut dying = std::mem::replace(
                    &mut self.daemons[nth],
                    Daemon::start(&self.cluster, nth == self.leader, self.now),
                );
                for _ in 0..self.chance.below(5) {
                    dying.act(&mut self.cluster, &mut self.chance, &mut self.tally, self.now);
                }
            }
            1 => {
                // The new one leads before the old one knows: both act for a moment.
                self.tally.leader_changes += 1;
                let (old, new) = (self.leader, 1 - self.leader);
                self.leader = new;
                self.daemons[new].engine.apply(Event::Leads(true), self.now);
                self.daemons[new].think(self.now);
                self.daemons[old].think(self.now);
                self.daemons[old].engine.apply(Event::Leads(false), self.now);
            }
            _ => {
                self.tally.clock_steps += 1;
                let minutes = i64::try_from(self.chance.below(21)).unwrap() - 10;
                self.daemons[nth].off = Millis::from_minutes(minutes);
            }
        }
    }

    /// No more faults, and some minutes: then everything is as people want it.
    fn calm(&mut self) {
        for daemon in &mut self.daemons {
            daemon.off = Millis(0);
            daemon.asked.clear(); // on the way still, and never to arrive
        }
        // Longer than the longest pause after failures and the widest step back of a clock together; no edge is near.
        for _ in 0..80 {
            self.now = self.now + Millis::from_secs(16);
            for nth in 0..self.daemons.len() {
                let daemon = &mut self.daemons[nth];
                daemon.list(&self.cluster, self.now);
                daemon.think(self.now);
                daemon.act_well(&mut self.cluster, self.now);
            }
        }
        self.cluster.log.clear();
        self.daemons.iter_mut().for_each(Daemon::rewind);
        self.check();
        let (seed, now) = (self.seed, self.now);
        for held in self.cluster.workloads.values() {
            let key = &held.workload.key;
            let wanted = self.model.get(&*key.namespace).is_some_and(|wanted| wanted.asleep(now));
            let asleep = wanted && &*key.namespace != "kube-system";
            let expected = if asleep { held.wanted.down() } else { held.wanted };
            let marked = asleep && !held.wanted.is_down();
            assert_eq!(
                (held.workload.size, is_marked(&held.workload)),
                (expected, marked),
                "seed {seed} at {now}: {key}, which should be {}",
                if asleep { "asleep" } else { "awake" }
            );
        }
    }
}
