//! One watch per kind: what the API server tells becomes events of the core.
//!
//! Each object is turned into its compact record the moment it arrives and then dropped; no store of objects is held.

mod classes;
mod definitions;
mod follow;
mod kinds;
mod operators;
mod translate;
mod volumes;

#[cfg(test)]
mod asset_tests;
#[cfg(test)]
mod tests;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    Namespace, Node, PersistentVolumeClaim, Pod, ReplicationController, Service,
};
use kube::api::Api;
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use nightcap_core::cluster::OperatorKinds;
use nightcap_core::engine::Kind;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::crd::{Budget, SleepPolicy};
use crate::{Cluster, KeepKeys, Now, Sink};
use follow::{End, follow};
pub(crate) use kinds::Watched;
use operators::Operators;
pub(crate) use operators::api_resource;
use translate::Translator;

/// Objects of a page, where an API server cannot stream its lists: a page of large pods is held in memory whole.
const PAGE: u32 = 200;
/// A kind that the cluster does not have may be installed later.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_mins(2);

/// Watches all kinds until `stop`. Each kind is first listed, then told from change to change; what breaks is told
/// once, tried again with growing pauses, and told again when it is well.
///
/// Operators' objects are watched too, as far as `kinds` says how they are turned off and the cluster has them.
pub async fn watch(
    cluster: &Cluster,
    keep: &KeepKeys,
    kinds: &OperatorKinds,
    now: &Now,
    sink: &Sink,
    stop: &CancellationToken,
) {
    let mut watches = JoinSet::new();
    let all = Watch { cluster, keep, now, sink, stop };
    all.start::<Node>(&mut watches);
    all.start::<Namespace>(&mut watches);
    all.start::<Deployment>(&mut watches);
    all.start::<StatefulSet>(&mut watches);
    all.start::<CronJob>(&mut watches);
    all.start::<DaemonSet>(&mut watches);
    all.start::<ReplicaSet>(&mut watches);
    all.start::<ReplicationController>(&mut watches);
    all.start::<Job>(&mut watches);
    all.start::<Pod>(&mut watches);
    all.start::<SleepPolicy>(&mut watches);
    all.start::<Budget>(&mut watches);
    all.start::<PersistentVolumeClaim>(&mut watches);
    all.start::<Service>(&mut watches);
    all.start_volumes(&mut watches);
    all.start_operators(kinds, &mut watches);
    watches.join_all().await;
}

struct Watch<'a> {
    cluster: &'a Cluster,
    keep: &'a KeepKeys,
    now: &'a Now,
    sink: &'a Sink,
    stop: &'a CancellationToken,
}

impl Watch<'_> {
    fn start<K: Watched>(&self, watches: &mut JoinSet<()>) {
        let translator = Translator::new(self.keep.clone());
        let run = run::<K>(self.cluster.clone(), translator, Now::clone(self.now), Sink::clone(self.sink));
        self.spawn(K::KIND.plural(), run, watches);
    }

    fn start_volumes(&self, watches: &mut JoinSet<()>) {
        let translator = Translator::new(self.keep.clone());
        let run =
            volumes::run(self.cluster.clone(), translator, Now::clone(self.now), Sink::clone(self.sink));
        self.spawn(Kind::Volume.plural(), run, watches);
    }

    fn start_operators(&self, kinds: &OperatorKinds, watches: &mut JoinSet<()>) {
        let (cluster, keep, sink) = (self.cluster.clone(), self.keep.clone(), Sink::clone(self.sink));
        let run = definitions::run(Operators::new(cluster, keep, kinds.clone(), sink));
        self.spawn("customresourcedefinitions", run, watches);
    }

    fn spawn(
        &self,
        kind: &'static str,
        run: impl Future<Output = ()> + Send + 'static,
        watches: &mut JoinSet<()>,
    ) {
        let span = tracing::info_span!("watch", kind);
        let stop = self.stop.clone();
        watches.spawn(
            async move { stop.run_until_cancelled_owned(run).await.unwrap_or_default() }.instrument(span),
        );
    }
}

async fn run<K: Watched>(cluster: Cluster, mut translator: Translator<K>, now: Now, sink: Sink) {
    let mut config = streamed();
    loop {
        let api = Api::<DeserializeGuard<K>>::all(cluster.client.clone());
        let stream = watcher(api, config.clone()).default_backoff();
        match follow(stream, &mut translator, &now, &sink).await {
            End::NoStreamedLists => {
                config = paged();
            }
            End::OfStream => return,
            End::NotServed => {
                tracing::debug!("The cluster has no such kind; it is looked for again.");
                for event in translator.not_served() {
                    sink(event).await;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

/// A streamed list arrives object by object, so that memory does not depend on the size of the cluster, and one object
/// that is no JSON of its kind at all cannot spoil the list.
fn streamed() -> watcher::Config {
    watcher::Config::default().streaming_lists()
}

/// Where the API server refuses streamed lists.
fn paged() -> watcher::Config {
    tracing::info!("The API server does not stream lists; they are read page by page.");
    watcher::Config::default().page_size(PAGE)
}
