//! Streams in, events out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::core::{DeserializeGuard, Status};
use kube::runtime::watcher;
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::Instant;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::follow::{End, follow};
use super::kinds::Watched;
use super::translate::{Item, Translator};
use crate::convert::{Reader, namespace};
use crate::server::{Answer, cluster};
use crate::{KeepKeys, Now, Sink};

const NOW: Instant = Instant(1_772_438_400_000);

fn read<K: DeserializeOwned + kube::Resource>(object: &Value) -> DeserializeGuard<K> {
    serde_json::from_value(object.clone()).unwrap()
}

fn space(name: &str) -> Value {
    json!({ "metadata": {
        "uid": format!("uid-{name}"), "name": name, "resourceVersion": "1",
        "creationTimestamp": "2026-03-01T00:00:00Z",
    } })
}

fn seen(object: &Value) -> Event {
    Event::Namespace(namespace(&read::<Namespace>(object).0.unwrap(), &mut Reader::default()).unwrap())
}

fn listed(names: &[&str]) -> Event {
    Event::Listed {
        kind: Kind::Namespace,
        uids: names.iter().map(|name| format!("uid-{name}").into()).collect(),
    }
}

fn refused(code: u16, message: &str) -> kube::Error {
    kube::Error::Api(Box::new(Status { code, message: message.to_owned(), ..Status::default() }))
}

fn broken(problem: &str) -> Event {
    Event::Watch { kind: Kind::Namespace, problem: Some(problem.into()) }
}

const WELL: Event = Event::Watch { kind: Kind::Namespace, problem: None };

fn translated<K: Watched>(items: impl IntoIterator<Item = Item<K>>) -> Vec<Event> {
    let mut translator = Translator::<K>::new(KeepKeys::default());
    items.into_iter().flat_map(|item| translator.events(item, NOW)).collect()
}

/// A sink that keeps what it is given.
fn sink() -> (Sink, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&events);
    let sink: Sink = Arc::new(move |event| {
        kept.lock().unwrap().push(event);
        async {}.boxed()
    });
    (sink, events)
}

fn now() -> Now {
    Arc::new(|| NOW)
}

#[test]
fn list_is_told_object_by_object_and_then_closed() {
    let (a, b, c) = (space("a"), space("b"), space("c"));
    let events = translated::<Namespace>([
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(read(&a))),
        Ok(watcher::Event::InitApply(read(&b))),
        Ok(watcher::Event::InitDone),
        Ok(watcher::Event::Apply(read(&c))),
        Ok(watcher::Event::Delete(read(&a))),
    ]);
    let gone = Event::NamespaceGone { uid: "uid-a".into() };
    assert_eq!(events, [seen(&a), seen(&b), listed(&["a", "b"]), seen(&c), gone]);
}

#[test]
fn list_that_breaks_off_counts_from_its_new_beginning() {
    let (a, b) = (space("a"), space("b"));
    let events = translated::<Namespace>([
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(read(&a))),
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(read(&b))),
        Ok(watcher::Event::InitDone),
    ]);
    assert_eq!(events, [seen(&a), seen(&b), listed(&["b"])]);
}

#[test]
fn bad_object_hurts_only_itself_and_is_not_taken_for_gone() {
    let malformed = json!({ "metadata": { "uid": "uid-x", "name": "x" }, "spec": "no map" });
    let versionless = json!({ "metadata": { "uid": "uid-y", "name": "y" } });
    let good = space("a");
    let events = translated::<Namespace>([
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(read(&malformed))),
        Ok(watcher::Event::InitApply(read(&versionless))),
        Ok(watcher::Event::InitApply(read(&good))),
        Ok(watcher::Event::InitDone),
    ]);
    let unreadable = |object: &str, reason: &str| Event::Unreadable {
        kind: Kind::Namespace,
        object: object.into(),
        reason: reason.into(),
    };
    assert_eq!(
        events,
        [
            unreadable("x", "it is no Namespace: Invalid type string \"no map\". Expected NamespaceSpec"),
            unreadable("y", "metadata.resourceVersion is missing"),
            seen(&good),
            listed(&["x", "y", "a"]),
        ]
    );
}

#[test]
fn broken_watch_is_told_once_and_once_more_when_it_is_well() {
    let a = space("a");
    let events = translated::<Namespace>([
        Err(watcher::Error::InitialListFailed(refused(403, "no rights"))),
        Err(watcher::Error::InitialListFailed(refused(403, "no rights"))),
        // The beginning of a list is announced before it is asked for.
        Ok(watcher::Event::Init),
        Err(watcher::Error::WatchFailed(kube::Error::ReadEvents(std::io::Error::other("reset")))),
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(read(&a))),
        Ok(watcher::Event::InitDone),
        Err(watcher::Error::WatchError(Box::new(Status {
            code: 500,
            message: "etcd".into(),
            ..Status::default()
        }))),
        Ok(watcher::Event::Apply(read(&a))),
    ]);
    assert_eq!(
        events,
        [
            broken("the API server answers 403: no rights"),
            WELL,
            seen(&a),
            listed(&["a"]),
            broken("the API server answers 500: etcd"),
            WELL,
            seen(&a),
        ]
    );
}

#[test]
fn forgotten_history_is_no_problem() {
    let events = translated::<Namespace>([
        Err(watcher::Error::WatchError(Box::new(Status { code: 410, ..Status::default() }))),
        Err(watcher::Error::WatchStartFailed(refused(410, "too old resource version"))),
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitDone),
    ]);
    assert_eq!(events, [listed(&[])]);
}

#[test]
fn deleted_pod_ends_when_its_containers_did() {
    let object = json!({
        "metadata": {
            "uid": "u-1", "namespace": "pay", "name": "api", "creationTimestamp": "2026-03-02T07:00:00Z",
        },
        "spec": { "nodeName": "node-1", "containers": [{ "name": "api" }] },
        "status": { "phase": "Running", "containerStatuses": [
            { "name": "api", "state": { "terminated": { "exitCode": 0, "finishedAt": "2026-03-02T07:59:50Z" } } }
        ] },
    });
    let at = NOW - nightcap_core::units::Millis::from_secs(10);
    assert_eq!(
        translated::<Pod>([Ok(watcher::Event::Delete(read(&object)))]),
        [Event::PodGone { uid: "u-1".into(), at }]
    );
    let unreadable = json!({ "metadata": { "uid": "u-2", "name": "x" }, "spec": 7 });
    assert_eq!(
        translated::<Pod>([Ok(watcher::Event::Delete(read(&unreadable)))]),
        [Event::PodGone { uid: "u-2".into(), at: NOW }],
        "gone is gone, readable or not"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_after_an_error_means_that_nothing_changes() {
    let (sink, events) = sink();
    let mut translator = Translator::<Namespace>::new(KeepKeys::default());
    let failing = stream::iter([Err(watcher::Error::WatchStartFailed(refused(503, "starting")))]);
    let items = failing.chain(stream::pending());
    let now = now();
    let followed = follow(items, &mut translator, &now, &sink);
    let followed = tokio::time::timeout(Duration::from_mins(10), followed).await;
    assert!(followed.is_err(), "a silent stream is followed on");
    assert_eq!(*events.lock().unwrap(), [broken("the API server answers 503: starting"), WELL]);
}

#[tokio::test(start_paused = true)]
async fn watch_that_goes_on_failing_is_not_called_well() {
    let (sink, events) = sink();
    let mut translator = Translator::<Namespace>::new(KeepKeys::default());
    let items = stream::unfold(0, |n| async move {
        tokio::time::sleep(Duration::from_secs(90)).await;
        (n < 50).then(|| (Err(watcher::Error::WatchStartFailed(refused(503, "down"))), n + 1))
    });
    assert_eq!(follow(items, &mut translator, &now(), &sink).await, End::OfStream);
    assert_eq!(*events.lock().unwrap(), [broken("the API server answers 503: down")]);
}

#[tokio::test(start_paused = true)]
async fn api_server_without_streamed_lists_is_read_page_by_page() {
    let page = |names: &[&str], token: &str| {
        let items: Vec<Value> = names.iter().map(|name| space(name)).collect();
        Answer::json(
            200,
            &json!({ "metadata": { "resourceVersion": "9", "continue": token }, "items": items }),
        )
    };
    let (cluster, log) = cluster(move |asked| match asked.line.as_str() {
        line if line.contains("sendInitialEvents=true") => Answer::failure(
            422,
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        ),
        line if line.contains("watch=true") => Answer::failure(503, "that is all"),
        line if line.contains("continue=next") => page(&["b"], ""),
        _ => page(&["a"], "next"),
    });
    let (sink, events) = sink();
    let run = super::run::<Namespace>(cluster, Translator::new(KeepKeys::default()), now(), sink);
    assert!(tokio::time::timeout(Duration::from_secs(5), run).await.is_err());
    let wanted = [
        seen(&space("a")),
        seen(&space("b")),
        listed(&["a", "b"]),
        broken("the API server answers 503: that is all"),
    ];
    assert_eq!(*events.lock().unwrap(), wanted);
    let lists: Vec<String> = log.lines().into_iter().filter(|line| !line.contains("watch=true")).collect();
    assert_eq!(
        lists,
        ["GET /api/v1/namespaces?&limit=200", "GET /api/v1/namespaces?&limit=200&continue=next"]
    );
}

#[tokio::test]
async fn a_cluster_without_budgets_has_none_and_nothing_is_wrong() {
    let (sink, events) = sink();
    let mut translator = Translator::<crate::crd::Budget>::new(KeepKeys::default());
    let missing = || Err(watcher::Error::WatchStartFailed(refused(404, "the server could not find it")));
    let end = follow(stream::iter([missing()]), &mut translator, &now(), &sink).await;
    assert_eq!(end, End::NotServed);
    assert_eq!(*events.lock().unwrap(), []);
    let none = Event::Listed { kind: Kind::Budget, uids: Vec::new() };
    assert_eq!(translator.not_served(), [none]);
}
