//! The storage classes: followed beside the volumes, whose facts they complete.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Api;
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use tokio::sync::watch;

use super::follow::{SILENT_IS_WELL, refuses_streamed_lists};
use super::translate::{Item, is_too_old, words};
use super::volumes::{Part, Problems};
use super::{paged, streamed};
use crate::Cluster;
use crate::convert::{Classes, Interner, storage_class};

/// What is known of them.
#[derive(Clone, Default, Debug)]
pub(super) struct Known {
    pub(super) classes: Arc<Classes>,
    /// Whether they have been listed, or cannot be.
    pub(super) is_told: bool,
}

/// Follows the classes; tells whoever listens when one of them is new, and what is wrong.
pub(super) async fn run(cluster: Cluster, known: watch::Sender<Known>, problems: Arc<Problems>) {
    let mut config = streamed();
    loop {
        let api = Api::<DeserializeGuard<StorageClass>>::all(cluster.client.clone());
        let stream = watcher(api, config).default_backoff();
        if follow(stream, &known, &problems).await {
            return;
        }
        config = paged();
    }
}

/// Follows one watch; says whether it has ended by itself, else lists are not streamed.
pub(super) async fn follow(
    stream: impl Stream<Item = Item<StorageClass>>,
    known: &watch::Sender<Known>,
    problems: &Problems,
) -> bool {
    let mut stream = std::pin::pin!(stream);
    let mut names = Interner::default();
    // Classes of a list that is not complete yet.
    let mut next = Arc::clone(&known.borrow().classes);
    let mut is_broken = false;
    loop {
        let item = if is_broken {
            match tokio::time::timeout(SILENT_IS_WELL, stream.next()).await {
                Ok(item) => item,
                Err(_) => {
                    is_broken = false;
                    problems.set(Part::Classes, None).await;
                    continue;
                }
            }
        } else {
            stream.next().await
        };
        let Some(item) = item else { return true };
        if refuses_streamed_lists(&item) {
            return false;
        }
        let is_whole = match item {
            Ok(watcher::Event::Init) => continue,
            Ok(watcher::Event::InitApply(class)) => {
                learn(&mut next, &class, &mut names);
                false
            }
            Ok(watcher::Event::Apply(class)) => {
                learn(&mut next, &class, &mut names);
                true
            }
            // What was deleted stays known: its volumes are what they were.
            Ok(watcher::Event::InitDone | watcher::Event::Delete(_)) => true,
            Err(error) if is_too_old(&error) => continue,
            Err(error) => {
                is_broken = true;
                let problem = format!("the storage classes of volumes are not known: {}", words(error));
                problems.set(Part::Classes, Some(problem.into())).await;
                known.send_if_modified(|known| !std::mem::replace(&mut known.is_told, true));
                continue;
            }
        };
        is_broken = false;
        problems.set(Part::Classes, None).await;
        if is_whole {
            known.send_if_modified(|known| {
                let is_new = !known.is_told || known.classes != next;
                *known = Known { classes: Arc::clone(&next), is_told: true };
                is_new
            });
        }
    }
}

fn learn(classes: &mut Arc<Classes>, class: &DeserializeGuard<StorageClass>, names: &mut Interner) {
    match &class.0 {
        Ok(class) => {
            if let Some((name, class)) = storage_class(class, names) {
                Arc::make_mut(classes).insert(name, class);
            }
        }
        Err(invalid) => {
            let name = invalid.metadata.name.as_deref().unwrap_or_default();
            tracing::warn!(class = name, reason = %invalid.error, "A storage class cannot be read.");
        }
    }
}
