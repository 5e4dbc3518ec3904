//! The daemon on a real cluster: watches, scrapes and the performer around the engine.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::BoxFuture;
use nightcap_cluster::{ActSettings, Cluster, KeepKeys, LeaseSettings, Now, Performer, Sink};
use nightcap_core::cluster::OperatorKinds;
use nightcap_core::engine::{Action, BudgetPast, Event};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::asset_prices::runs;
use super::keeper::{Keeper, open_history};
use super::recall::{self, Recall};
use super::traffic;
use super::{Actor, Clock, Handle, Prices, bind, run_engine, serve, stop_on_signal};
use crate::config::{Config, UsageSource};
use crate::http::{Access, AccessError, AppState, User, Verb, router};
use crate::telemetry;

/// Inputs that may wait for the engine: a list of thousands of pods comes faster than it is taken in, and waits in its
/// watch then.
const QUEUE: usize = 4_096;
/// The name of the Lease that says who acts.
const LEASE: &str = "nightcap";
/// The pause before a question that failed is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(15);

/// Runs the daemon until a signal stops it.
pub async fn run(config: Config) -> anyhow::Result<()> {
    telemetry::start(config.log);
    let listener = bind(config.listen).await?;
    let clock = Clock::system();
    let prices = Prices::start(&config.prices, config.data_dir.as_deref(), &clock)
        .context("cannot read the price tables")?;
    let cluster = Cluster::connect(config.kubeconfig.as_deref()).await.context("cannot find the cluster")?;
    tracing::info!(
        server = cluster.server(), mode = %config.mode, listen = %config.listen,
        version = env!("CARGO_PKG_VERSION"), "Starting."
    );

    let (inputs, queue) = mpsc::channel(QUEUE);
    let handle = Handle::new(inputs, clock.clone());
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let now: Now = {
        let clock = clock.clone();
        Arc::new(move || clock.now())
    };
    let sink = sink(handle.clone());
    let act = ActSettings { concurrency: config.concurrency, ..ActSettings::default() };
    let performer = Performer::new(cluster.clone(), &act, Arc::clone(&now), Arc::clone(&sink));

    let folder = config.data_dir.as_deref().map(|folder| (folder, &*config.cluster, config.retention));
    let (keeper, mut engine, opened) = open_history(folder, config.settings(clock.now()));
    let lease = lease(&config, &cluster);
    if lease.is_some() {
        engine.apply(Event::Leads(false), clock.now());
    }
    let archive = keeper.as_ref().map(Keeper::archive);
    let recall = archive.clone().map(|archive| recall::start(archive, handle.clone(), stop.clone()));
    let actor = OnCluster { performer: performer.clone(), recall };
    let book = Arc::clone(&prices.book);
    let engine = tokio::spawn(run_engine(engine, queue, book, clock.clone(), actor, stop.clone()));
    if let Some(opened) = opened {
        let _ = handle.event(opened).await; // the engine ends only with the daemon
    }
    let keeper = keeper.map(|keeper| tokio::spawn(keeper.run(handle.clone(), clock.clone(), stop.clone())));
    let watches = tokio::spawn(watch(
        cluster.clone(),
        KeepKeys::for_teams(&config.teams).with_node_labels(prices.node_labels.iter().map(String::as_str)),
        config.kinds.clone(),
        Arc::clone(&now),
        Arc::clone(&sink),
        stop.clone(),
    ));
    let urls = config.network_counters.clone();
    let traffic = tokio::spawn(traffic::scrape(urls, Arc::clone(&now), Arc::clone(&sink), stop.clone()));
    tokio::spawn(prices.keep_fresh(handle.clone(), stop.clone())); // ends with the engine
    let usage = scrape(cluster.clone(), config.clone(), Arc::clone(&now), Arc::clone(&sink), stop.clone());
    let usage = tokio::spawn(usage);
    let stand = stand(lease, cluster.clone(), Arc::clone(&now), Arc::clone(&sink), stop.clone());
    let stand = tokio::spawn(stand);
    let managed = tokio::spawn(ask_who_runs_it(cluster.clone(), handle.clone(), stop.clone()));
    // Open requests may still ask the engine: HTTP stops last.
    let http_stop = CancellationToken::new();
    let state = AppState::new(handle, Arc::new(ByReview(cluster)), config.timezone)
        .with_sharing(&config.sharing)
        .with_history(archive);
    tokio::spawn(state.clone().keep_totals()); // ends with the engine
    let http = tokio::spawn(serve(listener, router(state), http_stop.clone()));

    stop.cancelled().await;
    let ended = tokio::join!(watches, usage, traffic, managed, stand);
    performer.finish().await;
    http_stop.cancel();
    let (engine, http) = tokio::join!(engine, http);
    ended.0.context("the watches ended badly")?;
    ended.1.context("the usage scrape ended badly")?;
    ended.2.context("the scrape of network counters ended badly")??;
    ended.3.context("the question for the version ended badly")?;
    ended.4.context("the election ended badly")?;
    let engine = engine.context("the engine ended badly")?;
    if let Some(keeper) = keeper {
        let now = clock.now();
        if let Some(keeper) = keeper.await.context("keeping the history ended badly")? {
            let last = tokio::task::spawn_blocking(move || keeper.close(&engine, now));
            last.await.context("the last write ended badly")?;
        }
    }
    http.context("the HTTP server ended badly")??;
    tracing::info!("Stopped.");
    Ok(())
}

async fn watch(
    cluster: Cluster,
    keep: KeepKeys,
    kinds: OperatorKinds,
    now: Now,
    sink: Sink,
    stop: CancellationToken,
) {
    nightcap_cluster::watch(&cluster, &keep, &kinds, &now, &sink, &stop).await;
}

/// The Lease that says who acts, where several daemons may run: asked for, or inside a cluster.
fn lease(config: &Config, cluster: &Cluster) -> Option<LeaseSettings> {
    let inside = config.kubeconfig.is_none() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let namespace = config.lease_namespace.as_deref().unwrap_or_else(|| cluster.default_namespace());
    config.leader_elect.unwrap_or(inside).then(|| LeaseSettings {
        namespace: namespace.to_owned(),
        name: LEASE.to_owned(),
        identity: identity(),
    })
}

/// A pod is called like its host, and one that starts again is the same; two daemons on one host are told apart by their
/// processes.
fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}_{}", host.trim(), std::process::id())
}

async fn stand(
    lease: Option<LeaseSettings>,
    cluster: Cluster,
    now: Now,
    sink: Sink,
    stop: CancellationToken,
) {
    if let Some(lease) = lease {
        nightcap_cluster::lead(&cluster, &lease, &now, &sink, &stop).await;
    }
}

/// Asks until the API server says which version it is: that tells who runs the control plane, and so what it costs.
async fn ask_who_runs_it(cluster: Cluster, engine: Handle, stop: CancellationToken) {
    let ask = async {
        loop {
            match cluster.server_version().await {
                Ok(version) => {
                    tracing::debug!(version, "Asked the API server for its version.");
                    let _ = engine.managed_by(runs(&version)).await; // the engine ends only with the daemon
                    return;
                }
                Err(error) => tracing::debug!(%error, "The API server does not tell its version yet."),
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    };
    stop.run_until_cancelled(ask).await;
}

async fn scrape(cluster: Cluster, config: Config, now: Now, sink: Sink, stop: CancellationToken) {
    if config.usage.source == UsageSource::None {
        return;
    }
    let every = Duration::from_millis(config.usage.interval.0.unsigned_abs().max(1_000));
    let mut interval = tokio::time::interval(every);
    // A scrape that was late is not made up for.
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    nightcap_cluster::run_usage(&cluster, interval, &now, &sink, &stop).await;
}

/// Events go into the engine's queue; when the daemon stops they go nowhere, and nothing is lost by that.
fn sink(handle: Handle) -> Sink {
    Arc::new(move |event: Event| -> BoxFuture<'static, ()> {
        let handle = handle.clone();
        Box::pin(async move {
            let _ = handle.event(event).await;
        })
    })
}

struct OnCluster {
    performer: Performer,
    recall: Option<Recall>,
}

impl Actor for OnCluster {
    fn perform(&mut self, action: Action) {
        log(&action);
        self.performer.perform(action);
    }

    fn recall(&mut self, asked: Vec<BudgetPast>) {
        if let Some(recall) = &self.recall {
            recall.ask(asked);
        }
    }
}

/// Every act is said once, here, with its reason.
fn log(action: &Action) {
    match action {
        Action::Workload { patch, .. } => {
            let size = patch.size.map(|size| size.to_string()).unwrap_or_default();
            tracing::debug!(workload = %patch.target, size, "Patching.");
        }
        Action::Namespace { name, .. } => tracing::debug!(namespace = %name, "Annotating."),
        Action::DeletePod { namespace, name, vcluster, .. } => {
            tracing::info!(%namespace, pod = %name, %vcluster, "Deleting a pod of a sleeping vCluster.");
        }
        Action::BudgetStatus { name, .. } => tracing::debug!(budget = %name, "Writing the status."),
        Action::PolicyStatus { name, .. } => tracing::debug!(policy = %name, "Writing the status."),
        Action::Announce { reason, note, .. } => tracing::info!(reason, "{note}"),
    }
}

/// Who may act is what the cluster's own RBAC says.
#[derive(Debug)]
struct ByReview(Cluster);

impl Access for ByReview {
    fn authorize<'a>(
        &'a self,
        token: Option<&'a str>,
        verb: Verb,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<User, AccessError>> {
        Box::pin(async move {
            let token = token.ok_or(AccessError::NoToken)?;
            let asked = match verb {
                Verb::Wake => nightcap_cluster::Verb::Wake,
                Verb::Sleep => nightcap_cluster::Verb::Sleep,
            };
            match self.0.authorize(token, asked, namespace).await {
                Ok(user) => Ok(User { name: user.name.into() }),
                Err(nightcap_cluster::AccessError::Unauthenticated(reason)) => {
                    Err(AccessError::InvalidToken { reason })
                }
                Err(nightcap_cluster::AccessError::Forbidden { user, .. }) => {
                    Err(AccessError::Forbidden { user: user.into(), verb, namespace: namespace.into() })
                }
                Err(nightcap_cluster::AccessError::Unavailable(error)) => {
                    Err(AccessError::Unavailable { reason: error.to_string() })
                }
            }
        })
    }
}
