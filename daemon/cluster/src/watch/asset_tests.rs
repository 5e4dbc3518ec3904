//! Watches of disks, claims and load balancers: streams in, events out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::core::{DeserializeGuard, Status};
use kube::runtime::watcher;
use nightcap_core::cluster::Volume;
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::Instant;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::classes::{self, Known};
use super::kinds::Watched;
use super::translate::{Item, Translator};
use super::volumes::{self, Part, Problems};
use crate::server::{Answer, cluster};
use crate::{KeepKeys, Now, Sink};

const NOW: Instant = Instant(1_772_438_400_000);
const CREATED: &str = "2026-03-01T00:00:00Z";

fn read<K: DeserializeOwned + kube::Resource>(object: &Value) -> DeserializeGuard<K> {
    serde_json::from_value(object.clone()).unwrap()
}

fn translated<K: Watched>(items: impl IntoIterator<Item = Item<K>>) -> Vec<Event> {
    let mut translator = Translator::<K>::new(KeepKeys::default());
    items.into_iter().flat_map(|item| translator.events(item, NOW)).collect()
}

fn forbidden(what: &str) -> watcher::Error {
    let message = format!("{what} is forbidden");
    let status = Status { code: 403, message, ..Status::default() };
    watcher::Error::WatchStartFailed(kube::Error::Api(Box::new(status)))
}

fn problem(kind: Kind, text: &str) -> Event {
    Event::Watch { kind, problem: Some(text.into()) }
}

fn listed(kind: Kind, uids: &[&str]) -> Event {
    Event::Listed { kind, uids: uids.iter().map(|uid| (*uid).into()).collect() }
}

fn sink() -> (Sink, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&events);
    let sink: Sink = Arc::new(move |event| {
        kept.lock().unwrap().push(event);
        async {}.boxed()
    });
    (sink, events)
}

fn service(name: &str, kind: &str) -> Value {
    json!({
        "metadata": { "uid": format!("uid-{name}"), "namespace": "shop", "name": name, "creationTimestamp": CREATED },
        "spec": { "type": kind },
    })
}

/// What is told of each: a name that appears, or one that is gone.
fn told(events: &[Event]) -> Vec<String> {
    let words = |event: &Event| match event {
        Event::Service(service) => format!("{} at {:?}", service.name, &*service.address),
        Event::ServiceGone { uid, at } => format!("{uid} gone at {}", at.0),
        Event::Listed { uids, .. } => format!("listed {uids:?}"),
        other => format!("{other:?}"),
    };
    events.iter().map(words).collect()
}

#[test]
fn only_services_with_a_load_balancer_are_told() {
    let mut with_address = service("web", "LoadBalancer");
    with_address["status"] = json!({ "loadBalancer": { "ingress": [{ "ip": "203.0.113.7" }] } });
    let events = translated::<Service>([
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(read(&service("internal", "ClusterIP")))),
        Ok(watcher::Event::InitApply(read(&service("web", "LoadBalancer")))),
        Ok(watcher::Event::InitDone),
        Ok(watcher::Event::Apply(read(&with_address))),
        // Its load balancer is given up; then it gets another one, and is deleted.
        Ok(watcher::Event::Apply(read(&service("web", "NodePort")))),
        Ok(watcher::Event::Apply(read(&with_address))),
        Ok(watcher::Event::Delete(read(&with_address))),
    ]);
    let gone = format!("uid-web gone at {}", NOW.0);
    assert_eq!(
        told(&events),
        [
            "web at \"\"",
            "listed [\"uid-web\"]",
            "web at \"203.0.113.7\"",
            &gone,
            "web at \"203.0.113.7\"",
            &gone
        ]
    );
}

#[test]
fn unreadable_size_keeps_what_was_seen_last() {
    let claim = |storage: &str| {
        json!({
            "metadata": { "uid": "c-1", "namespace": "pay", "name": "data", "creationTimestamp": CREATED },
            "spec": { "resources": { "requests": { "storage": storage } } },
        })
    };
    let events = translated::<PersistentVolumeClaim>([
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(read(&claim("a lot")))),
        Ok(watcher::Event::InitDone),
    ]);
    let reason = "spec.resources.requests.storage: \"a lot\" is no quantity: expected a number with an optional suffix \
                  such as m, k, Mi or e3";
    let unreadable =
        Event::Unreadable { kind: Kind::Claim, object: "pay/data".into(), reason: reason.into() };
    assert_eq!(events, [unreadable, listed(Kind::Claim, &["c-1"])], "and it is not taken for gone");
}

#[test]
fn what_may_not_be_listed_does_not_hold_up_the_daemon() {
    let events = translated::<Service>([
        Err(forbidden("services")),
        Err(forbidden("services")),
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(read(&service("web", "LoadBalancer")))),
        Ok(watcher::Event::InitDone),
        // Rights that are taken away later do not take away what was seen.
        Err(forbidden("services")),
    ]);
    let words = "the API server answers 403: services is forbidden";
    let forgone = format!("{words}; none of them is on the bill until list and watch are allowed");
    let well = Event::Watch { kind: Kind::Service, problem: None };
    assert_eq!(events[..3], [problem(Kind::Service, &forgone), listed(Kind::Service, &[]), well]);
    assert_eq!(told(&events[3..5]), ["web at \"\"", "listed [\"uid-web\"]"]);
    assert_eq!(events[5..], [problem(Kind::Service, words)]);
}

#[test]
fn rights_refused_after_another_failure_are_told_too() {
    let down = Status { code: 503, message: "starting".to_owned(), ..Status::default() };
    let events = translated::<PersistentVolumeClaim>([
        Err(watcher::Error::WatchStartFailed(kube::Error::Api(Box::new(down)))),
        Err(forbidden("persistentvolumeclaims")),
    ]);
    let forgone = "the API server answers 403: persistentvolumeclaims is forbidden; none of them is on the bill until list \
                   and watch are allowed";
    assert_eq!(
        events,
        [
            problem(Kind::Claim, "the API server answers 503: starting"),
            problem(Kind::Claim, forgone),
            listed(Kind::Claim, &[]),
        ]
    );
}

#[test]
fn nothing_goes_without_what_sleep_depends_on() {
    let events = translated::<Pod>([Err(forbidden("pods"))]);
    assert_eq!(events, [problem(Kind::Pod, "the API server answers 403: pods is forbidden")]);
}

fn class(name: &str, kind: &str) -> Value {
    json!({
        "metadata": { "uid": format!("uid-{name}"), "name": name, "resourceVersion": "5" },
        "provisioner": "ebs.csi.aws.com", "parameters": { "type": kind },
    })
}

fn types(known: &Known) -> Vec<(String, String)> {
    let classes = known.classes.iter();
    classes.map(|(name, class)| (name.to_string(), class.parameters["type"].to_string())).collect()
}

#[tokio::test(start_paused = true)]
async fn classes_are_known_from_their_list_on_and_never_forgotten() {
    let (sink, events) = sink();
    let problems = Problems::new(sink);
    let (known, mut seen) = watch::channel(Known::default());
    let object = |name: &str, kind: &str| read::<StorageClass>(&class(name, kind));
    let items: Vec<Item<StorageClass>> = vec![
        Err(forbidden("storageclasses")),
        Err(forbidden("storageclasses")),
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(object("fast", "io2"))),
        Ok(watcher::Event::InitDone),
        Ok(watcher::Event::Delete(object("fast", "io2"))),
        Ok(watcher::Event::Apply(object("slow", "st1"))),
    ];
    assert!(classes::follow(stream::iter(items), &known, &problems).await);
    assert!(seen.borrow_and_update().is_told);
    let named = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    assert_eq!(types(&known.borrow()), [named("fast", "io2"), named("slow", "st1")]);
    let words = "the storage classes of volumes are not known: the API server answers 403: storageclasses is forbidden";
    let well = Event::Watch { kind: Kind::Volume, problem: None };
    assert_eq!(*events.lock().unwrap(), [problem(Kind::Volume, words), well]);

    // A list that tells nothing new wakes nobody.
    let again: Vec<Item<StorageClass>> = vec![
        Ok(watcher::Event::Init),
        Ok(watcher::Event::InitApply(object("slow", "st1"))),
        Ok(watcher::Event::InitDone),
    ];
    classes::follow(stream::iter(again), &known, &problems).await;
    assert!(!seen.has_changed().unwrap());
}

#[tokio::test(start_paused = true)]
async fn silence_of_the_classes_means_that_they_are_well() {
    let (sink, events) = sink();
    let problems = Problems::new(sink);
    let (known, _seen) = watch::channel(Known::default());
    let items = stream::iter([Err(forbidden("storageclasses"))]).chain(stream::pending());
    let follow = classes::follow(items, &known, &problems);
    assert!(tokio::time::timeout(Duration::from_mins(10), follow).await.is_err());
    assert_eq!(events.lock().unwrap().last(), Some(&Event::Watch { kind: Kind::Volume, problem: None }));
}

#[tokio::test]
async fn problems_of_volumes_and_classes_are_told_as_one() {
    let (sink, events) = sink();
    let problems = Problems::new(sink);
    for (part, wrong) in [
        (Part::Volumes, None),
        (Part::Classes, Some("classes")),
        (Part::Classes, Some("classes")),
        (Part::Volumes, Some("volumes")),
        (Part::Classes, None),
        (Part::Volumes, None),
    ] {
        problems.set(part, wrong.map(Into::into)).await;
    }
    let volumes = |text| problem(Kind::Volume, text);
    assert_eq!(
        *events.lock().unwrap(),
        [
            volumes("classes"),
            volumes("volumes; classes"),
            volumes("volumes"),
            Event::Watch { kind: Kind::Volume, problem: None },
        ]
    );
}

fn disk() -> Value {
    json!({
        "metadata": { "uid": "v-1", "name": "pvc-1", "creationTimestamp": CREATED, "resourceVersion": "7" },
        "spec": {
            "capacity": { "storage": "10Gi" }, "storageClassName": "fast",
            "csi": { "driver": "ebs.csi.aws.com", "volumeHandle": "vol-1" },
        },
    })
}

fn lines(objects: &[Value], kind: &str) -> Answer {
    let mut lines: Vec<Value> =
        objects.iter().map(|object| json!({ "type": "ADDED", "object": object })).collect();
    lines.push(json!({ "type": "BOOKMARK", "object": {
        "kind": kind, "apiVersion": if kind == "StorageClass" { "storage.k8s.io/v1" } else { "v1" },
        "metadata": { "resourceVersion": "9", "annotations": { "k8s.io/initial-events-end": "true" } },
        "spec": {}, "provisioner": "",
    } }));
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let body = lines.join("\n") + "\n";
    Answer { status: 200, retry_after: None, body }
}

/// The types of the volumes told until now.
fn volume_types(events: &[Event]) -> Vec<Option<String>> {
    let of = |volume: &Volume| volume.facts.parameters.get("type").map(ToString::to_string);
    events
        .iter()
        .filter_map(|event| if let Event::Volume(volume) = event { Some(of(volume)) } else { None })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn volumes_wait_for_their_classes_and_are_told_again_when_one_is_new() {
    // The class comes after the first list of classes is over. What is silent afterwards fails, so that it is waited for.
    let come = std::sync::atomic::AtomicBool::new(false);
    let (cluster, log) = cluster(move |asked| {
        let lists = asked.line.contains("sendInitialEvents=true");
        match asked.line.contains("/storageclasses") {
            true if lists => lines(&[], "StorageClass"),
            true if !come.swap(true, std::sync::atomic::Ordering::Relaxed) => {
                let added = json!({ "type": "ADDED", "object": class("fast", "io2") });
                Answer { status: 200, retry_after: None, body: format!("{added}\n") }
            }
            false if lists => lines(&[disk()], "PersistentVolume"),
            _ => Answer::failure(503, "that is all"),
        }
    });
    let (sink, events) = sink();
    let now: Now = Arc::new(|| NOW);
    let run = volumes::run(cluster, Translator::<PersistentVolume>::new(KeepKeys::default()), now, sink);
    let _ = tokio::time::timeout(Duration::from_secs(30), run).await;
    let events = events.lock().unwrap();
    assert_eq!(volume_types(&events).last(), Some(&Some("io2".to_owned())), "{events:?}");
    assert_eq!(
        events.iter().filter(|event| **event == listed(Kind::Volume, &["v-1"])).count(),
        volume_types(&events).len()
    );
    let first = log.lines().into_iter().next().unwrap();
    assert!(first.contains("/storageclasses"), "classes come first: {first}");
}
