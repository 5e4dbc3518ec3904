//! A history folder without its daemon: answered by the daemon's own handlers, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use nightcap_core::engine::{Engine, Event, Kind, Settings};
use nightcap_core::units::Instant;
use nightcap_history::Archive;
use nightcap_pricing::{PriceBook, PriceSettings};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::failure::Failure;
use super::reach::Way;
use super::when::local_zone;
use crate::http::{Access, AccessError, AppState, User, Verb, router};
use crate::runtime::{Actor, Clock, Handle, bind, run_engine, serve};

/// Opens the history that `nightcap run --data-dir` has written. `cluster` may be left out where there is one.
pub(super) async fn open(folder: &Path, cluster: Option<&str>) -> Result<Client, Failure> {
    let known = Archive::clusters(folder).map_err(|error| Failure::failed(error.to_string()))?;
    let cluster = match (cluster, known.as_slice()) {
        (Some(name), _) if known.iter().any(|known| known == name) => name.to_owned(),
        (None, [only]) => only.clone(),
        (None, []) => return Err(Failure::failed(format!("no hour is written in {} yet", folder.display()))),
        _ => {
            let names = known.join(", ");
            return Err(Failure::usage(format!("say which cluster with --cluster: there are {names}")));
        }
    };
    let archive =
        Archive::open_read_only(folder, &cluster).map_err(|error| Failure::failed(error.to_string()))?;
    let failed = |error: anyhow::Error| Failure::failed(format!("{error:#}"));
    let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.map_err(failed)?;
    let address = listener.local_addr().map_err(|error| Failure::failed(error.to_string()))?;
    let prices = PriceBook::embedded(&PriceSettings::default())
        .map_err(|error| Failure::failed(format!("cannot read the price tables: {error}")))?;
    let clock = Clock::system();
    let (inputs, queue) = mpsc::channel(1);
    let handle = Handle::new(inputs, clock.clone());
    // All of these end with the command.
    let stop = CancellationToken::new();
    tokio::spawn(run_engine(
        nothing(&cluster, clock.now()),
        queue,
        Arc::new(prices),
        clock,
        Nobody,
        stop.clone(),
    ));
    let state = AppState::new(handle, Arc::new(Nobody), local_zone()).with_history(Some(Arc::new(archive)));
    tokio::spawn(serve(listener, router(state), stop));
    Client::new(&address.to_string(), Way::Folder(folder.to_owned()), None)
}

/// An engine of a cluster in which there is nothing, for as long as there are hours.
fn nothing(cluster: &str, now: Instant) -> Engine {
    let mut engine = Engine::new(Settings { cluster: cluster.into(), ..Settings::new(Instant(0)) });
    for kind in Kind::ALL {
        engine.apply(Event::Listed { kind, uids: Vec::new() }, now);
    }
    engine
}

/// Does nothing, and lets nobody do anything.
#[derive(Debug)]
struct Nobody;

impl Actor for Nobody {
    fn perform(&mut self, _action: nightcap_core::engine::Action) {}
}

impl Access for Nobody {
    fn authorize<'a>(
        &'a self,
        _token: Option<&'a str>,
        _verb: Verb,
        _namespace: &'a str,
    ) -> BoxFuture<'a, Result<User, AccessError>> {
        Box::pin(std::future::ready(Err(AccessError::NoToken)))
    }
}
