//! The story of a seed: one world, a daemon that never dies and one that dies at random instants. The one that dies is
//! the one that acts, so that what sleeps goes through its deaths too.

use std::collections::BTreeSet;
use std::sync::Arc;

use nightcap_core::cluster::PodPhase;
use nightcap_core::engine::{Event, Kind, Settings};
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Instant, Millis, Window};
use nightcap_sim::{World, demo};

use super::chance::Chance;
use super::daemon::Daemon;
use crate::common::MONDAY;

/// How often the engines are asked, and usage is sampled.
const STEP: Millis = Millis::from_minutes(5);
const SCRAPE: Millis = Millis::from_minutes(15);
const CHECKPOINT_EVERY: Millis = Millis::from_minutes(15);
/// Changes that come this close together are answered together.
const TOGETHER: Millis = Millis::from_secs(10);
/// How late a slow watch tells, beside the three seconds of every watch.
const SLOW: Millis = Millis::from_secs(60);
pub(super) const LATEST: Millis = Millis(SLOW.0 + 3_000);
/// At the end nobody dies any more, so that all hours of the story are closed and written.
const QUIET: Millis = Millis::from_hours(4);

/// What has been told of objects of one kind.
#[derive(Default)]
struct Told {
    /// There, as far as has been told.
    open: BTreeSet<Arc<str>>,
    /// There at the last checkpoint, or told of since.
    since: BTreeSet<Arc<str>>,
}

impl Told {
    fn there(&mut self, uid: &Arc<str>) {
        self.open.insert(Arc::clone(uid));
        self.since.insert(Arc::clone(uid));
    }
}

/// A time in which the daemon was down, and since when nothing that it did survives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Death {
    /// The checkpoint that it goes on from.
    pub(super) checkpoint: Instant,
    /// From its death to its return.
    pub(super) down: Window,
}

pub(super) struct Story {
    pub(super) straight: Daemon,
    pub(super) dying: Daemon,
    pub(super) deaths: Vec<Death>,
    /// Objects that went while nobody was there to see it: counted up to the checkpoint before only.
    pub(super) untold: BTreeSet<Arc<str>>,
    /// Whether usage was sampled. Without, the two daemons agree in every amount.
    pub(super) is_measured: bool,
    pub(super) end: Instant,
    world: World,
    chance: Chance,
    told: Told,
    checkpoint: Instant,
}

impl Story {
    /// What happens by this seed in so many days.
    pub(super) fn of(seed: u64, days: i64) -> Self {
        let mut world = World::new(demo::platform(seed), seed, MONDAY);
        world.scrape_every(SCRAPE);
        let mut settings = Settings::new(MONDAY);
        settings.mode = Mode::Ask;
        settings.scrape_interval = SCRAPE;
        settings.keep_rows = 100_000;
        let mut story = Self {
            straight: Daemon::new(settings.clone()),
            dying: Daemon::new(settings),
            deaths: Vec::new(),
            untold: BTreeSet::new(),
            is_measured: seed.is_multiple_of(2),
            end: MONDAY + Millis(days * Millis::DAY.0),
            world,
            chance: Chance::new(seed),
            told: Told::default(),
            checkpoint: MONDAY,
        };
        story.straight.start(&story.world, MONDAY);
        story.dying.start(&story.world, MONDAY);
        story.run();
        story
    }

    fn run(&mut self) {
        let mut now = MONDAY;
        let mut next_step = now;
        let mut due: Option<Instant> = None;
        let mut dies = self.next_death(now);
        let mut returns: Option<Instant> = None;
        loop {
            for event in self.world.advance(now) {
                if matters_to_sleep(&event) {
                    due = Some(due.map_or(now + TOGETHER, |at| at.min(now + TOGETHER)));
                }
                self.tell(&event, now);
            }
            if returns.is_some_and(|at| now >= at) {
                returns = None;
                self.come_back(now);
                continue; // the lists
            }
            if now >= next_step || due.is_some_and(|at| now >= at) {
                self.ask(now);
                if now >= next_step {
                    next_step = Instant((now.0.div_euclid(STEP.0) + 1) * STEP.0);
                    self.keep(now, dies);
                }
                due = self.dying.next_due().filter(|&at| at > now);
            }
            if returns.is_none() && now >= dies {
                returns = Some(self.die(now));
                dies = self.next_death(now);
            }
            if now >= self.end {
                return;
            }
            let next = [self.world.next_event(), due, Some(next_step), returns, Some(dies)];
            let next = next.into_iter().flatten().filter(|&at| at > now).min().unwrap_or(self.end);
            now = next.min(self.end);
        }
    }

    fn next_death(&mut self, now: Instant) -> Instant {
        let next = now + self.chance.between(Millis::from_minutes(20), Millis::from_hours(60));
        if next > self.end - QUIET { self.end + Millis::DAY } else { next }
    }

    /// An event reaches both daemons, and the one that dies now and then twice.
    fn tell(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Usage(_) if !self.is_measured => return,
            Event::Pod(pod) if pod.phase == PodPhase::Finished => {
                self.told.open.remove(&pod.uid);
                if pod.ended.is_none_or(|at| at > self.checkpoint - LATEST) {
                    self.told.since.insert(Arc::clone(&pod.uid));
                }
            }
            Event::Pod(pod) => self.told.there(&pod.uid),
            Event::Node(node) => self.told.there(&node.uid),
            Event::Volume(volume) => self.told.there(&volume.uid),
            Event::Service(service) => self.told.there(&service.uid),
            Event::PodGone { uid, .. }
            | Event::NodeGone { uid, .. }
            | Event::VolumeGone { uid, .. }
            | Event::ServiceGone { uid, .. } => {
                self.told.open.remove(uid);
            }
            _ => {}
        }
        if self.chance.once_in(16) {
            self.dying.apply(event.clone(), now);
        }
        self.dying.apply(event.clone(), now);
        self.straight.apply(event.clone(), now);
    }

    fn ask(&mut self, now: Instant) {
        for action in self.dying.tick(now) {
            for event in self.world.perform(action, now) {
                self.dying.apply(event, now);
            }
        }
        // It sees what the other does, and is never let do anything itself.
        drop(self.straight.tick(now));
    }

    /// Both write their hours; of the checkpoints only those need be made that somebody goes on from.
    fn keep(&mut self, now: Instant, dies: Instant) {
        self.straight.write_hours();
        let is_due = now.0.rem_euclid(CHECKPOINT_EVERY.0) == 0;
        if self.dying.write_hours() && is_due && dies <= now + CHECKPOINT_EVERY {
            self.dying.write_checkpoint(now);
            self.checkpoint = now;
            self.told.since = self.told.open.clone();
        }
    }

    /// Dies, perhaps after it has written hours and before it has written a checkpoint. When it is back.
    fn die(&mut self, now: Instant) -> Instant {
        if self.chance.once_in(2) {
            self.dying.write_hours();
        }
        self.dying.kill();
        let longest = self.chance.one_of(&[Millis::SECOND, Millis::MINUTE, Millis::from_minutes(20), QUIET]);
        let back = now + self.chance.between(Millis::SECOND, longest);
        self.deaths.push(Death { checkpoint: self.checkpoint, down: Window::new(now, back) });
        back
    }

    /// All watches begin anew, for both, with what they had not told; some kinds are slow this time.
    fn come_back(&mut self, now: Instant) {
        for kind in Kind::ALL {
            let lag = if self.chance.once_in(4) { SLOW } else { Millis(0) };
            self.world.slow_watch(kind, lag);
        }
        let there: BTreeSet<Arc<str>> = self
            .world
            .pods()
            .map(|pod| pod.uid)
            .chain(self.world.nodes().map(|node| Arc::clone(&node.uid)))
            .chain(self.world.volumes().map(|volume| Arc::clone(&volume.uid)))
            .chain(self.world.services().map(|service| Arc::clone(&service.uid)))
            .collect();
        // Of the next death, too, may be told from this checkpoint on: `since` goes on.
        self.told.open.retain(|uid| there.contains(uid));
        let (gone, since) = std::mem::take(&mut self.told.since)
            .into_iter()
            .partition::<BTreeSet<Arc<str>>, _>(|uid| !there.contains(uid));
        self.told.since = since;
        self.untold.extend(gone);
        self.dying.start(&self.world, now);
        self.world.relist();
    }
}

/// Money settles by itself; only these can change what is to be done.
const fn matters_to_sleep(event: &Event) -> bool {
    matches!(
        event,
        Event::Namespace(_)
            | Event::NamespaceGone { .. }
            | Event::Workload(_)
            | Event::WorkloadGone { .. }
            | Event::Listed { .. }
    )
}
