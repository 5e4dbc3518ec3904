//! Follows the definitions of custom resources. From them it is known at once which kinds the cluster has, without ever asking
//! again, and where the size of each stands.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use kube::Api;
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};

use super::follow::{SILENT_IS_WELL, refuses_streamed_lists};
use super::operators::Operators;
use super::translate::{Item, is_too_old, words};
use super::{paged, streamed};
use crate::convert::{Served, SlimDefinition, object_name, served};

/// What it is called where it is missing.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Follows them for ever.
pub(super) async fn run(mut operators: Operators) {
    let mut config = streamed();
    let mut known = Known::default();
    loop {
        let api = Api::<DeserializeGuard<SlimDefinition>>::all(operators.client());
        let mut stream = std::pin::pin!(watcher(api, config).default_backoff());
        let mut is_broken = false;
        loop {
            let item = if is_broken {
                match tokio::time::timeout(SILENT_IS_WELL, stream.next()).await {
                    Ok(item) => item,
                    Err(_) => {
                        is_broken = false;
                        operators.tell(DEFINITIONS, None).await;
                        continue;
                    }
                }
            } else {
                stream.next().await
            };
            let Some(item) = item else { return };
            if refuses_streamed_lists(&item) {
                break;
            }
            match known.take(item) {
                Ok(changes) => {
                    if std::mem::take(&mut is_broken) {
                        operators.tell(DEFINITIONS, None).await;
                    }
                    for (name, served) in changes {
                        operators.change(&name, served).await;
                    }
                }
                Err(error) if is_too_old(&error) => {}
                Err(error) => {
                    if !std::mem::replace(&mut is_broken, true) {
                        let problem = format!(
                            "{}; operators' objects are not put to sleep, nor woken, until list and watch are allowed",
                            words(error)
                        );
                        tracing::warn!(%problem, "Definitions of custom resources cannot be watched.");
                        operators.tell(DEFINITIONS, Some(problem)).await;
                    }
                }
            }
        }
        config = paged();
    }
}

/// The kinds by the name of their definition, and those of a list that is not complete yet.
#[derive(Default)]
struct Known {
    all: BTreeSet<String>,
    listed: Option<BTreeSet<String>>,
}

type Changes = BTreeMap<String, Option<Served>>;

impl Known {
    /// What follows from an item: kinds that are there, and, as `None`, those that are gone.
    fn take(&mut self, item: Item<SlimDefinition>) -> Result<Changes, watcher::Error> {
        let mut changes = Changes::new();
        match item? {
            watcher::Event::Init => self.listed = Some(BTreeSet::new()),
            watcher::Event::InitApply(object) => {
                let (name, found) = read(&object);
                self.listed.get_or_insert_default().insert(name.clone());
                self.all.insert(name.clone());
                changes.insert(name, found);
            }
            watcher::Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                changes.extend(self.all.difference(&listed).map(|name| (name.clone(), None)));
                self.all = listed;
            }
            watcher::Event::Apply(object) => {
                let (name, found) = read(&object);
                self.all.insert(name.clone());
                changes.insert(name, found);
            }
            watcher::Event::Delete(object) => {
                let (name, _) = read(&object);
                self.all.remove(&name);
                changes.insert(name, None);
            }
        }
        Ok(changes)
    }
}

fn read(object: &DeserializeGuard<SlimDefinition>) -> (String, Option<Served>) {
    match &object.0 {
        Ok(definition) => (object_name(&definition.metadata).to_string(), served(definition)),
        Err(invalid) => {
            let name = object_name(&invalid.metadata);
            tracing::warn!(definition = %name, reason = %invalid.error, "A definition cannot be read.");
            (name.to_string(), None)
        }
    }
}
