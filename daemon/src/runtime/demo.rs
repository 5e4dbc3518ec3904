//! The daemon on a simulated platform: the same engine, HTTP and page; only the cluster is in memory, and time runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono_tz::Tz;
use nightcap_core::engine::{Action, Engine, Settings};
use nightcap_core::money::Pricer;
use nightcap_core::sleep::{Mode, SleepSettings};
use nightcap_core::units::{Instant, Millis};
use nightcap_pricing::{PriceBook, PriceSettings};
use nightcap_sim::{World, demo, history};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Actor, Clock, Handle, bind, run_engine, serve, stop_on_signal};
use crate::config::{Log, LogFormat, LogLevel};
use crate::http::{AppState, OpenAccess, router};
use crate::telemetry;

/// What lies behind the demo when it starts.
const BEHIND: Millis = Millis(30 * Millis::DAY.0);
/// Usage is sampled more rarely than in a real cluster: a month has to pass within a second.
const SCRAPE_EVERY: Millis = Millis::from_minutes(15);
/// A month of rows of some 250 pods, and some days to come.
const KEEP_ROWS: usize = 400_000;
/// The simulated cluster moves on this often, by the machine's clock.
const STEP: Duration = Duration::from_millis(40);
const QUEUE: usize = 4_096;

/// How the demo runs.
#[derive(Debug, Clone, Copy)]
pub struct Demo {
    /// Where to serve.
    pub listen: SocketAddr,
    /// Simulated seconds in one.
    pub speed: u32,
    /// Decides everything that happens.
    pub seed: u64,
    /// The simulated instant at which it starts, with a month behind it.
    pub start: Instant,
}

/// Runs the demo until a signal stops it.
pub async fn run(demo: Demo) -> anyhow::Result<()> {
    telemetry::start(Log { format: LogFormat::Text, level: LogLevel::Warn });
    let listener = bind(demo.listen).await?;
    let (engine, world, prices) =
        tokio::task::spawn_blocking(move || month(demo)).await.context("the simulation ended badly")??;

    let clock = Clock::simulated(demo.start, demo.speed);
    let (inputs, queue) = mpsc::channel(QUEUE);
    let handle = Handle::new(inputs, clock.clone());
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let (actions, todo) = mpsc::unbounded_channel();
    let engine =
        tokio::spawn(run_engine(engine, queue, prices, clock.clone(), OnWorld(actions), stop.clone()));
    let world = tokio::spawn(turn(world, clock, todo, handle.clone(), stop.clone()));
    let state = AppState::new(handle, Arc::new(OpenAccess), zone());
    let http_stop = CancellationToken::new();
    tokio::spawn(state.clone().keep_totals()); // ends with the engine
    let http = tokio::spawn(serve(listener, router(state), http_stop.clone()));
    println!(
        "Nightcap demo: a simulated platform with 30 days behind it, one day in {} s.\n\n  page  http://{listen}\n  CLI   NIGHTCAP_SERVER=http://{listen} nightcap cost --by team --window 30d\n\nCtrl-C ends it.",
        86_400 / demo.speed.max(1),
        listen = demo.listen,
    );

    stop.cancelled().await;
    http_stop.cancel();
    let (engine, world, http) = tokio::join!(engine, world, http);
    engine.context("the engine ended badly")?;
    world.context("the simulated cluster ended badly")?;
    http.context("the HTTP server ended badly")??;
    Ok(())
}

/// Zone of the platform's people, and so of `today`.
const fn zone() -> Tz {
    Tz::Europe__Berlin
}

/// Lets a month pass.
fn month(of: Demo) -> anyhow::Result<(Engine, World, Arc<PriceBook>)> {
    let prices =
        Arc::new(PriceBook::embedded(&PriceSettings::default()).context("cannot read the price tables")?);
    let from = of.start - BEHIND;
    let mut settings = Settings::new(from);
    settings.cluster = "demo".into();
    settings.mode = Mode::Act;
    settings.sleep = SleepSettings::new(zone());
    settings.scrape_interval = SCRAPE_EVERY;
    settings.keep_rows = KEEP_ROWS;
    let mut engine = Engine::new(settings);
    let mut world = World::new(demo::platform(of.seed), of.seed, from);
    world.scrape_every(SCRAPE_EVERY);
    let pricer: &dyn Pricer = &*prices;
    history::run_with_assets(&mut engine, &mut world, pricer, from, of.start, Millis::HOUR);
    Ok((engine, world, prices))
}

struct OnWorld(mpsc::UnboundedSender<Action>);

impl Actor for OnWorld {
    fn perform(&mut self, action: Action) {
        // The world's task ends with the daemon; what is asked of it then does not matter any more.
        let _ = self.0.send(action);
    }
}

/// Turns the world: lets time pass in small steps, and does what the engine asks in between.
async fn turn(
    mut world: World,
    clock: Clock,
    mut todo: mpsc::UnboundedReceiver<Action>,
    engine: Handle,
    stop: CancellationToken,
) {
    let mut steps = tokio::time::interval(STEP);
    loop {
        let events = tokio::select! {
            () = stop.cancelled() => return,
            _ = steps.tick() => world.advance(clock.now()),
            action = todo.recv() => match action {
                Some(action) => world.perform(action, clock.now()),
                None => return,
            },
        };
        for event in events {
            if engine.event(event).await.is_err() {
                return;
            }
        }
    }
}
