//! A daemon around an engine: it prices what is new, writes hours and checkpoints, and may die and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::engine::{Action, Engine, Event, Settings};
use nightcap_core::money::{AssetPricer, Checkpoint, Hour, NodePricer};
use nightcap_core::units::Instant;
use nightcap_sim::World;

use nightcap_sim::ByCores;

/// One daemon. What is in `hours` and `checkpoint` survives it.
pub(super) struct Daemon {
    settings: Settings,
    /// None while it is down.
    engine: Option<Engine>,
    priced: BTreeSet<Arc<str>>,
    /// The history on disk.
    pub(super) hours: BTreeMap<Instant, Hour>,
    checkpoint: Option<Vec<u8>>,
}

impl Daemon {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, engine: None, priced: BTreeSet::new(), hours: BTreeMap::new(), checkpoint: None }
    }

    /// Goes on from its last checkpoint, if it has written one. The lists are to come.
    pub(super) fn start(&mut self, world: &World, now: Instant) {
        let settings = self.settings.clone();
        let mut engine = match &self.checkpoint {
            Some(bytes) => {
                let checkpoint: Checkpoint = postcard::from_bytes(bytes).expect("it was just written");
                assert!(checkpoint.is_readable());
                Engine::resume(settings, checkpoint)
            }
            None => Engine::new(settings),
        };
        engine.keep_until_written();
        let (provider, region) = world.place();
        engine.apply(Event::ControlPlanePriced(ByCores.control_plane(provider, &region)), now);
        engine.apply(Event::EgressPriced(ByCores.egress(provider, &region)), now);
        self.priced.clear();
        self.engine = Some(engine);
    }

    /// Dies: nothing in memory survives.
    pub(super) fn kill(&mut self) {
        self.engine = None;
    }

    pub(super) fn apply(&mut self, event: Event, now: Instant) {
        let Some(engine) = &mut self.engine else { return };
        let priced = price(&mut self.priced, &event);
        engine.apply(event, now);
        if let Some(priced) = priced {
            engine.apply(priced, now);
        }
    }

    pub(super) fn tick(&mut self, now: Instant) -> Vec<Action> {
        self.engine.as_mut().map(|engine| engine.tick(now)).unwrap_or_default()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.engine.as_ref().and_then(Engine::next_due)
    }

    /// Writes closed hours. Whether it is there to write.
    pub(super) fn write_hours(&mut self) -> bool {
        let Some(engine) = &mut self.engine else { return false };
        let unwritten = engine.unwritten();
        for hour in &unwritten {
            write(&mut self.hours, hour);
        }
        engine.written(&unwritten);
        true
    }

    /// Writes a checkpoint, all closed hours being written.
    pub(super) fn write_checkpoint(&mut self, now: Instant) {
        let Some(engine) = &self.engine else { return };
        self.checkpoint = Some(postcard::to_stdvec(&engine.checkpoint(now)).expect("it can be written"));
    }
}

/// Writes an hour as the archive does: it takes the place of the one before, or is one with it where it is an addition.
fn write(hours: &mut BTreeMap<Instant, Hour>, hour: &Hour) {
    let mut hour = hour.clone();
    if hour.partial {
        let before = hours.remove(&hour.start).unwrap_or_default();
        hour.allocations.splice(0..0, before.allocations);
        hour.assets.splice(0..0, before.assets);
        hour.flat.splice(0..0, before.flat);
        hour.saved.splice(0..0, before.saved);
        hour.partial = false;
    }
    hours.insert(hour.start, hour);
}

/// The price of what is new.
fn price(priced: &mut BTreeSet<Arc<str>>, event: &Event) -> Option<Event> {
    match event {
        Event::Node(node) if priced.insert(Arc::clone(&node.uid)) => {
            let price = ByCores.price(&node.facts, node.capacity);
            Some(Event::NodePriced { uid: Arc::clone(&node.uid), price })
        }
        Event::Volume(volume) if priced.insert(Arc::clone(&volume.uid)) => {
            let price = ByCores.volume(&volume.facts, volume.capacity);
            Some(Event::AssetPriced { uid: Arc::clone(&volume.uid), price })
        }
        // On the bill with its address, not before.
        Event::Service(service) if !service.address.is_empty() && priced.insert(Arc::clone(&service.uid)) => {
            let price = ByCores.load_balancer(nightcap_core::cluster::Provider::Unknown, "", &service.class);
            Some(Event::AssetPriced { uid: Arc::clone(&service.uid), price })
        }
        _ => None,
    }
}
