//! The one task that owns the engine: inputs in, actions out, snapshots on demand.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::Node;
use nightcap_core::engine::{Action, BudgetPast, Engine, Event, Snapshot};
use nightcap_core::money::Pricer;
use nightcap_core::units::Instant;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::asset_prices::AssetPrices;
use super::handle::Kept;
use super::{Clock, Input};

/// A snapshot is made at most this often, by the machine's clock: whoever asks more often shares one.
const SNAPSHOT_LASTS: std::time::Duration = std::time::Duration::from_secs(1);
/// So many inputs are taken in before the engine is asked what to do: lists bring thousands at once.
const BATCH: usize = 1_024;

/// Where actions go: the cluster, or the simulated one.
pub trait Actor: Send {
    /// Starts an action; its outcome comes back as an event.
    fn perform(&mut self, action: Action);

    /// Reads what budgets want to be told of the history; what there is of it comes back as events. Without a history
    /// nothing is asked.
    fn recall(&mut self, _asked: Vec<BudgetPast>) {}
}

/// Runs the engine until `stop`, or until nobody can send any more. Returns it, for a last look.
pub async fn run_engine(
    mut engine: Engine,
    mut inputs: mpsc::Receiver<Input>,
    pricer: Arc<dyn Pricer>,
    clock: Clock,
    mut actor: impl Actor,
    stop: CancellationToken,
) -> Engine {
    let mut prices = Prices::new(pricer, &engine);
    let mut shared: Option<(tokio::time::Instant, Arc<Snapshot>)> = None;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let pause = clock.until(engine.next_tick());
        tokio::select! {
            biased;
            () = stop.cancelled() => return engine,
            taken = inputs.recv_many(&mut batch, BATCH) => if taken == 0 { return engine },
            () = tokio::time::sleep(pause) => {}
        }
        let now = clock.now();
        for input in batch.drain(..) {
            match input {
                Input::Event(event) => {
                    prices.apply(&mut engine, event, now);
                }
                Input::ManagedBy(provider) => {
                    if let Some(priced) = prices.assets.managed_by(provider) {
                        engine.apply(priced, now);
                    }
                }
                Input::Keep(answer) => drop(answer.send(Kept::of(&engine, now))),
                Input::Written(hours) => engine.written(&hours),
                Input::Corrected(done, lost) => engine.corrected(&done, lost),
                Input::Read(answer) => {
                    let fresh = shared.as_ref().filter(|(made, _)| made.elapsed() < SNAPSHOT_LASTS);
                    let snapshot = match fresh {
                        Some((_, snapshot)) => Arc::clone(snapshot),
                        None => {
                            let snapshot = Arc::new(engine.snapshot(now));
                            shared = Some((tokio::time::Instant::now(), Arc::clone(&snapshot)));
                            snapshot
                        }
                    };
                    // Whoever asked may be gone: then nobody misses the answer.
                    let _ = answer.send(snapshot);
                }
                Input::Command(command, answer) => {
                    let preview = engine.preview(&command, now);
                    if preview.is_ok() {
                        engine.apply(Event::Command(command), now);
                        shared = None; // who acts wants to see it
                    }
                    let _ = answer.send(preview);
                }
            }
        }
        for action in engine.tick(now) {
            actor.perform(action);
        }
        let asked = engine.forgotten();
        if !asked.is_empty() {
            actor.recall(asked);
        }
        // A snapshot of thousands of pods is not kept for nobody.
        if shared.as_ref().is_some_and(|(made, _)| made.elapsed() >= SNAPSHOT_LASTS) {
            shared = None;
        }
    }
}

/// Prices every node and asset that appears or changes, right after the event that says so.
struct Prices {
    pricer: Arc<dyn Pricer>,
    asked: BTreeMap<Arc<str>, Node>,
    assets: AssetPrices,
}

impl Prices {
    fn new(pricer: Arc<dyn Pricer>, engine: &Engine) -> Self {
        let assets = AssetPrices::new(Arc::clone(&pricer), engine.nodes());
        Self { pricer, asked: BTreeMap::new(), assets }
    }

    fn apply(&mut self, engine: &mut Engine, event: Event, now: Instant) {
        let priced = match &event {
            Event::Node(node) => self.price(node),
            Event::NodeGone { uid, .. } => {
                self.asked.remove(uid);
                None
            }
            _ => None,
        };
        let assets = self.assets.follow(&event);
        engine.apply(event, now);
        for priced in priced.into_iter().chain(assets) {
            engine.apply(priced, now);
        }
    }

    fn price(&mut self, node: &Node) -> Option<Event> {
        let known = self.asked.get(&node.uid);
        if known.is_some_and(|known| known.facts == node.facts && known.capacity == node.capacity) {
            return None;
        }
        self.asked.insert(Arc::clone(&node.uid), node.clone());
        let price = self.pricer.price_node(node);
        Some(Event::NodePriced { uid: Arc::clone(&node.uid), price })
    }
}
