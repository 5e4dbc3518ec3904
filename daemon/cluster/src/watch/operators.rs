//! A watch for each kind of an operator's objects that can be turned off, as long as the cluster has the kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{Stream, StreamExt};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Client, ResourceExt};
use nightcap_core::cluster::{OperatorKind, OperatorKinds, Resource};
use nightcap_core::engine::Event;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::follow::{SILENT_IS_WELL, refuses_streamed_lists};
use super::translate::{Item, is_too_old, words};
use super::{paged, streamed};
use crate::convert::{Reader, Served, operator_object};
use crate::{Cluster, KeepKeys, Sink};

/// The watches that are running, by the name of the kind's definition.
pub(super) struct Operators {
    cluster: Cluster,
    keep: KeepKeys,
    kinds: OperatorKinds,
    sink: Sink,
    running: BTreeMap<String, (Served, CancellationToken)>,
    watches: JoinSet<()>,
}

impl Operators {
    pub(super) fn new(cluster: Cluster, keep: KeepKeys, kinds: OperatorKinds, sink: Sink) -> Self {
        Self { cluster, keep, kinds, sink, running: BTreeMap::new(), watches: JoinSet::new() }
    }

    pub(super) fn client(&self) -> Client {
        self.cluster.client.clone()
    }

    /// Tells what is wrong with a kind, or that it is well again.
    pub(super) async fn tell(&self, resource: &str, problem: Option<String>) {
        let event =
            Event::OperatorKind { resource: resource.into(), object: None, problem: problem.map(Into::into) };
        (self.sink)(event).await;
    }

    /// A kind is there, or is another than it was, or is gone.
    pub(super) async fn change(&mut self, name: &str, served: Option<Served>) {
        while self.watches.try_join_next().is_some() {}
        if self.running.get(name).map(|(before, _)| before) == served.as_ref() {
            return;
        }
        if let Some((before, stop)) = self.running.remove(name) {
            stop.cancel();
            self.tell(&before.resource.to_string(), None).await;
        }
        let Some(served) = served else { return };
        let Served { kind, resource, replicas } = &served;
        let Some(kind) = self.kinds.switch_of(&resource.group, kind, replicas.as_deref()) else { return };
        let span = tracing::info_span!("watch", kind = %resource);
        let stop = CancellationToken::new();
        let objects = Objects::new(kind, Arc::new(resource.clone()), self.keep.clone());
        let run = run(self.cluster.client.clone(), objects, Sink::clone(&self.sink), stop.clone());
        self.watches.spawn(run.instrument(span));
        self.running.insert(name.to_owned(), (served, stop));
    }
}

async fn run(client: Client, mut objects: Objects, sink: Sink, stop: CancellationToken) {
    let resource = api_resource(&objects.resource, &objects.kind.kind);
    let mut config = streamed();
    loop {
        let api = Api::<DeserializeGuard<DynamicObject>>::all_with(client.clone(), &resource);
        let stream = watcher(api, config).default_backoff();
        match stop.run_until_cancelled(follow(stream, &mut objects, &sink)).await {
            Some(End::NoStreamedLists) => config = paged(),
            Some(End::OfStream) => return,
            // The kind is gone, and its objects with it; or it comes again as another one, and tells of them anew.
            None => {
                for event in objects.gone() {
                    sink(event).await;
                }
                return;
            }
        }
    }
}

/// How the API server is asked for a kind.
pub(crate) fn api_resource(resource: &Resource, kind: &str) -> ApiResource {
    let Resource { group, version, plural } = resource;
    ApiResource {
        group: group.to_string(),
        version: version.to_string(),
        api_version: format!("{group}/{version}"),
        kind: kind.to_owned(),
        plural: plural.to_string(),
    }
}

enum End {
    OfStream,
    NoStreamedLists,
}

async fn follow(stream: impl Stream<Item = Item<DynamicObject>>, objects: &mut Objects, sink: &Sink) -> End {
    let mut stream = std::pin::pin!(stream);
    loop {
        let item = if objects.is_broken {
            match tokio::time::timeout(SILENT_IS_WELL, stream.next()).await {
                Ok(item) => item,
                Err(_) => {
                    if let Some(event) = objects.well() {
                        sink(event).await;
                    }
                    continue;
                }
            }
        } else {
            stream.next().await
        };
        let Some(item) = item else { return End::OfStream };
        if refuses_streamed_lists(&item) {
            return End::NoStreamedLists;
        }
        for event in objects.events(item) {
            sink(event).await;
        }
    }
}

/// What has to be remembered of a kind's objects from item to item: only which there are.
struct Objects {
    kind: Arc<OperatorKind>,
    resource: Arc<Resource>,
    reader: Reader,
    known: BTreeSet<Arc<str>>,
    listed: BTreeSet<Arc<str>>,
    is_broken: bool,
}

impl Objects {
    fn new(kind: Arc<OperatorKind>, resource: Arc<Resource>, keep: KeepKeys) -> Self {
        let (known, listed) = (BTreeSet::new(), BTreeSet::new());
        Self { kind, resource, reader: Reader::new(keep), known, listed, is_broken: false }
    }

    /// The events that follow from an item, in order.
    fn events(&mut self, item: Item<DynamicObject>) -> Vec<Event> {
        match item {
            Ok(watcher::Event::Init) => {
                self.listed.clear();
                Vec::new()
            }
            Ok(watcher::Event::InitApply(object)) => {
                self.listed.extend(uid(&object));
                self.known.extend(uid(&object));
                self.seen(object)
            }
            // There is no list of all workloads of all kinds to compare with: what is missing is told one by one.
            Ok(watcher::Event::InitDone) => {
                let listed = std::mem::take(&mut self.listed);
                let gone: Vec<_> = self.known.difference(&listed).map(gone).collect();
                self.known = listed;
                self.well().into_iter().chain(gone).collect()
            }
            Ok(watcher::Event::Apply(object)) => {
                self.known.extend(uid(&object));
                self.seen(object)
            }
            Ok(watcher::Event::Delete(object)) => {
                let uid = uid(&object);
                if let Some(uid) = &uid {
                    self.known.remove(uid);
                }
                self.well().into_iter().chain(uid.as_ref().map(gone)).collect()
            }
            Err(error) => self.failed(error),
        }
    }

    fn seen(&mut self, object: DeserializeGuard<DynamicObject>) -> Vec<Event> {
        let read = match object.0 {
            Ok(object) => operator_object(&object, &self.kind, &self.resource, &mut self.reader)
                .map_err(|unreadable| (unreadable.object, unreadable.reason)),
            Err(invalid) => Err((crate::convert::object_name(&invalid.metadata), invalid.error.into())),
        };
        let event = read.map_or_else(
            |(object, reason)| {
                tracing::warn!(%object, %reason, "An object cannot be read.");
                self.problem(Some(object), Some(reason))
            },
            Event::Workload,
        );
        self.well().into_iter().chain([event]).collect()
    }

    fn failed(&mut self, error: watcher::Error) -> Vec<Event> {
        // A definition is there some moments before its kind is served, and its watch ends some moments before it is gone.
        if is_too_old(&error) || is_not_served(&error) || std::mem::replace(&mut self.is_broken, true) {
            return Vec::new();
        }
        let problem = format!(
            "the watch is broken and tried again: {}; what was seen last holds, and none of them is put to sleep anew until list and watch are allowed",
            words(error)
        );
        tracing::warn!(%problem, "The watch is broken and tried again.");
        vec![self.problem(None, Some(problem.into()))]
    }

    fn well(&mut self) -> Option<Event> {
        std::mem::take(&mut self.is_broken).then(|| self.problem(None, None))
    }

    fn problem(&self, object: Option<Arc<str>>, problem: Option<Arc<str>>) -> Event {
        Event::OperatorKind { resource: self.resource.to_string().into(), object, problem }
    }

    /// All that was known is gone.
    fn gone(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.known).iter().map(gone).collect()
    }
}

fn gone(uid: &Arc<str>) -> Event {
    Event::WorkloadGone { uid: Arc::clone(uid) }
}

fn uid(object: &DeserializeGuard<DynamicObject>) -> Option<Arc<str>> {
    object.uid().map(Into::into)
}

fn is_not_served(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 404
    )
}

#[cfg(test)]
mod tests {
    use nightcap_core::cluster::{OperatorKinds, Resource};
    use serde_json::json;

    use super::*;

    fn objects() -> Objects {
        let kind = OperatorKinds::default().switch_of("argoproj.io", "Rollout", None).unwrap();
        let resource =
            Resource { group: "argoproj.io".into(), version: "v1alpha1".into(), plural: "rollouts".into() };
        Objects::new(kind, Arc::new(resource), KeepKeys::default())
    }

    fn object(name: &str) -> DeserializeGuard<DynamicObject> {
        let object = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {
                "uid": name, "namespace": "pay", "name": name, "resourceVersion": "1",
                "creationTimestamp": "2026-03-01T00:00:00Z",
            },
            "spec": { "replicas": 1 },
        });
        DeserializeGuard(Ok(serde_json::from_value(object).unwrap()))
    }

    fn failure(code: u16) -> watcher::Error {
        let status = json!({ "kind": "Status", "code": code, "message": "no", "reason": "" });
        watcher::Error::InitialListFailed(kube::Error::Api(serde_json::from_value(status).unwrap()))
    }

    fn told(events: Vec<Event>) -> Vec<String> {
        let tell = |event| match event {
            Event::Workload(workload) => workload.key.to_string(),
            Event::WorkloadGone { uid } => format!("{uid} is gone"),
            Event::OperatorKind { resource, problem, .. } => {
                format!("{resource} {}", if problem.is_some() { "is broken" } else { "is well" })
            }
            other => format!("{other:?}"),
        };
        events.into_iter().map(tell).collect()
    }

    #[test]
    fn what_a_later_list_does_not_show_is_gone() {
        let mut objects = objects();
        let mut all = Vec::new();
        for item in [
            watcher::Event::Init,
            watcher::Event::InitApply(object("a")),
            watcher::Event::InitApply(object("b")),
            watcher::Event::InitDone,
            watcher::Event::Apply(object("c")),
            watcher::Event::Delete(object("a")),
            watcher::Event::Init,
            watcher::Event::InitApply(object("c")),
            watcher::Event::InitDone,
        ] {
            all.extend(told(objects.events(Ok(item))));
        }
        let named = |name: &str| format!("Rollout.argoproj.io pay/{name}");
        let wanted = [named("a"), named("b"), named("c"), "a is gone".into(), named("c"), "b is gone".into()];
        assert_eq!(all, wanted);
        assert_eq!(told(objects.gone()), ["c is gone"]);
    }

    #[test]
    fn missing_rights_are_told_once_and_mended_once() {
        let mut objects = objects();
        assert_eq!(told(objects.events(Err(failure(404)))), [""; 0], "not served yet, or no more");
        assert_eq!(told(objects.events(Err(failure(403)))), ["rollouts.argoproj.io is broken"]);
        assert_eq!(told(objects.events(Err(failure(403)))), [""; 0]);
        assert_eq!(told(objects.events(Ok(watcher::Event::InitDone))), ["rollouts.argoproj.io is well"]);
        assert_eq!(told(objects.events(Ok(watcher::Event::InitDone))), [""; 0]);
    }
}
