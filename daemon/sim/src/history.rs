//! Drives an engine and a world together through simulated time, as fast as the machine can.

use std::collections::BTreeSet;
use std::sync::Arc;

use nightcap_core::cluster::Provider;
use nightcap_core::engine::{Engine, Event};
use nightcap_core::money::{AssetPricer, NodePricer, Pricer};
use nightcap_core::units::{Instant, Millis};

use crate::World;

/// Changes that come this close together are answered together: a sleep or a wake of one space is many of them.
const TOGETHER: Millis = Millis::from_secs(10);

/// What happened on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Driven {
    /// Events that the engine took in.
    pub events: u64,
    /// Times the engine was asked what to do.
    pub ticks: u64,
    /// Actions that the world carried out.
    pub actions: u64,
}

/// Lets time pass from `from` to `to`.
///
/// Each event reaches the engine at the instant of its delivery, and a new node is priced at once. The engine is asked
/// what to do within ten seconds after an event that may matter to sleep, when it said that it would have something to do, and at the
/// whole multiples of `step` (at least a minute). Money is settled there, so a longer step is faster; the amounts are
/// the same, since every fact carries its own instant.
pub fn run(
    engine: &mut Engine,
    world: &mut World,
    pricer: &dyn NodePricer,
    from: Instant,
    to: Instant,
    step: Millis,
) -> Driven {
    drive(engine, world, Prices::new(pricer, None), from, to, step)
}

/// The same, with everything on the bill priced: volumes, load balancers, the control plane and traffic too.
pub fn run_with_assets(
    engine: &mut Engine,
    world: &mut World,
    pricer: &dyn Pricer,
    from: Instant,
    to: Instant,
    step: Millis,
) -> Driven {
    let (provider, region) = world.place();
    let nodes: &dyn NodePricer = pricer;
    let assets: &dyn AssetPricer = pricer;
    engine.apply(Event::ControlPlanePriced(assets.control_plane(provider, &region)), from);
    engine.apply(Event::EgressPriced(assets.egress(provider, &region)), from);
    drive(engine, world, Prices::new(nodes, Some((assets, provider, region))), from, to, step)
}

fn drive(
    engine: &mut Engine,
    world: &mut World,
    mut prices: Prices<'_>,
    from: Instant,
    to: Instant,
    step: Millis,
) -> Driven {
    let step = step.max(Millis::MINUTE);
    let mut driven = Driven::default();
    let mut now = from;
    let mut next_step = after(from, step);
    // When the engine is to be asked, the step apart.
    let mut due: Option<Instant> = None;
    loop {
        for event in world.advance(now) {
            if matters_to_sleep(&event) {
                due = Some(due.map_or(now + TOGETHER, |at| at.min(now + TOGETHER)));
            }
            driven.events += 1;
            let priced = prices.of(&event);
            engine.apply(event, now);
            if let Some(priced) = priced {
                engine.apply(priced, now);
            }
        }
        if now >= next_step || due.is_some_and(|at| now >= at) || now == from || now == to {
            next_step = after(now, step);
            for action in engine.tick(now) {
                driven.actions += 1;
                for event in world.perform(action, now) {
                    driven.events += 1;
                    engine.apply(event, now);
                }
            }
            driven.ticks += 1;
            due = engine.next_due();
        }
        if now >= to {
            return driven;
        }
        let next = [world.next_event(), due.filter(|&at| at > now)].into_iter().flatten().min();
        now = next.map_or(next_step, |next| next.min(next_step)).clamp(now, to);
    }
}

/// What has been priced.
struct Prices<'a> {
    nodes: &'a dyn NodePricer,
    /// Prices of everything else, and where the cluster is.
    assets: Option<(&'a dyn AssetPricer, Provider, Arc<str>)>,
    priced: BTreeSet<Arc<str>>,
}

impl<'a> Prices<'a> {
    const fn new(
        nodes: &'a dyn NodePricer,
        assets: Option<(&'a dyn AssetPricer, Provider, Arc<str>)>,
    ) -> Self {
        Self { nodes, assets, priced: BTreeSet::new() }
    }

    /// The price of what is new; to be told after it.
    fn of(&mut self, event: &Event) -> Option<Event> {
        match event {
            Event::Node(node) if self.priced.insert(Arc::clone(&node.uid)) => {
                let price = self.nodes.price(&node.facts, node.capacity);
                Some(Event::NodePriced { uid: Arc::clone(&node.uid), price })
            }
            Event::Volume(volume) => {
                let (assets, ..) = self.assets.as_ref()?;
                let price = assets.volume(&volume.facts, volume.capacity);
                let is_new = self.priced.insert(Arc::clone(&volume.uid));
                is_new.then(|| Event::AssetPriced { uid: Arc::clone(&volume.uid), price })
            }
            // On the bill with its address, not before.
            Event::Service(service) if !service.address.is_empty() => {
                let (assets, provider, region) = self.assets.as_ref()?;
                let price = assets.load_balancer(*provider, region, &service.class);
                let is_new = self.priced.insert(Arc::clone(&service.uid));
                is_new.then(|| Event::AssetPriced { uid: Arc::clone(&service.uid), price })
            }
            Event::NodeGone { uid, .. } | Event::VolumeGone { uid, .. } | Event::ServiceGone { uid, .. } => {
                self.priced.remove(uid);
                None
            }
            _ => None,
        }
    }
}

/// The next whole multiple of the step.
const fn after(at: Instant, step: Millis) -> Instant {
    Instant((at.0.div_euclid(step.0) + 1) * step.0)
}

/// Money settles by itself; only these can change what is to be done.
const fn matters_to_sleep(event: &Event) -> bool {
    !matches!(
        event,
        Event::Pod(_)
            | Event::PodGone { .. }
            | Event::Usage(_)
            | Event::Traffic(_)
            | Event::Volume(_)
            | Event::VolumeGone { .. }
            | Event::Claim(_)
            | Event::ClaimGone { .. }
            | Event::Service(_)
            | Event::ServiceGone { .. }
            | Event::AssetPriced { .. }
            | Event::ControlPlanePriced(_)
            | Event::EgressPriced(_)
            | Event::Node(_)
            | Event::NodeGone { .. }
            | Event::NodePriced { .. }
    )
}
