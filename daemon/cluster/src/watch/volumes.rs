//! The watch of the volumes, whose facts come from two kinds of objects: volumes and storage classes.

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::Api;
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watcher;
use nightcap_core::engine::{Event, Kind};
use tokio::sync::{Mutex, watch};

use super::classes::{self, Known};
use super::follow::{End, follow};
use super::translate::Translator;
use super::{paged, streamed};
use crate::{Cluster, Now, Sink};

/// Volumes wait this long for their classes; then they are told without, and once more with them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Follows the volumes and their classes. When a class is new the volumes are listed anew, so that what was told of
/// them without it is put right; that is rare, and no volume has to be kept here for it.
pub(super) async fn run(
    cluster: Cluster,
    mut translator: Translator<PersistentVolume>,
    now: Now,
    sink: Sink,
) {
    let problems = Arc::new(Problems::new(Sink::clone(&sink)));
    let (told, mut known) = watch::channel(Known::default());
    let classes = classes::run(cluster.clone(), told, Arc::clone(&problems));
    let sink = problems.before(sink);
    let volumes = async {
        let _ = tokio::time::timeout(PATIENCE, known.wait_for(|known| known.is_told)).await;
        let mut config = streamed();
        loop {
            translator.learn(Arc::clone(&known.borrow_and_update().classes));
            let api = Api::<DeserializeGuard<PersistentVolume>>::all(cluster.client.clone());
            let stream =
                watcher(api, config.clone()).default_backoff().take_until(changed(known.clone()).boxed());
            match Box::pin(follow(stream, &mut translator, &now, &sink)).await {
                End::NoStreamedLists => config = paged(),
                End::OfStream | End::NotServed => {}
            }
        }
    };
    Box::pin(futures::future::join(classes, volumes)).await;
}

/// Ends when the classes are not those that were seen.
async fn changed(mut known: watch::Receiver<Known>) {
    if known.changed().await.is_err() {
        std::future::pending::<()>().await; // nobody follows them any more
    }
}

/// One of the two watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// That of the volumes.
    Volumes,
    /// That of their classes, of which the core knows nothing.
    Classes,
}

/// What is wrong with the two watches, told as one problem of the volumes.
pub(super) struct Problems {
    sink: Sink,
    of: Mutex<[Option<Arc<str>>; 2]>,
}

impl Problems {
    pub(super) fn new(sink: Sink) -> Self {
        Self { sink, of: Mutex::default() }
    }

    /// Notes what is wrong with a part, and tells it if it is new.
    pub(super) async fn set(&self, part: Part, problem: Option<Arc<str>>) {
        let mut of = self.of.lock().await;
        let [volumes, classes] = &mut *of;
        let (own, other) = match part {
            Part::Volumes => (volumes, classes),
            Part::Classes => (classes, volumes),
        };
        if *own == problem {
            return;
        }
        if let Some(problem) = problem.as_ref().filter(|_| part == Part::Classes) {
            tracing::warn!(%problem, "The watch is broken and tried again.");
        }
        let told = match (&problem, &*other) {
            (Some(one), Some(two)) => Some(format!("{one}; {two}").into()),
            (one, two) => one.clone().or_else(|| two.clone()),
        };
        *own = problem;
        (self.sink)(Event::Watch { kind: Kind::Volume, problem: told }).await;
    }

    /// A sink before this one, in which the problems of the volumes' own watch end up here.
    fn before(self: &Arc<Self>, sink: Sink) -> Sink {
        let problems = Arc::clone(self);
        Arc::new(move |event| match event {
            Event::Watch { kind: Kind::Volume, problem } => {
                let problems = Arc::clone(&problems);
                async move { problems.set(Part::Volumes, problem).await }.boxed()
            }
            event => sink(event),
        })
    }
}
