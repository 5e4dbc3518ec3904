//! Exact requests, and what each answer means.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use nightcap_core::cluster::{Size, WorkloadKey, WorkloadKind};
use nightcap_core::engine::{Action, ActionId, Event, Outcome, Severity, Subject};
use nightcap_core::sleep::WorkloadPatch;
use nightcap_core::units::{Instant, Millis};
use serde_json::{Value, json};

use super::{ActSettings, Performer, write_namespace, write_workload};
use crate::server::{Answer, Asked, cluster, scripted};
use crate::{Cluster, Sink};

const PATIENCE: Duration = Duration::from_secs(10);

fn target(kind: WorkloadKind) -> WorkloadKey {
    WorkloadKey { namespace: "pay".into(), kind, name: "api".into() }
}

fn sleeping(kind: WorkloadKind, size: Size) -> WorkloadPatch {
    WorkloadPatch {
        target: target(kind),
        resource: None,
        uid: "u-1".into(),
        resource_version: "41".into(),
        size: Some(size),
        fields: [].into(),
        annotations: [
            ("nightcap.dev/original".into(), Some(r#"{"replicas":3}"#.into())),
            ("nightcap.dev/keep-awake-until".into(), None),
        ]
        .into(),
        skip_runs_until: None,
    }
}

fn patched(path: &str, body: Value) -> Asked {
    Asked {
        line: format!("PATCH {path}?fieldManager=nightcap"),
        content_type: "application/merge-patch+json".to_owned(),
        body,
    }
}

fn done(version: &str) -> Outcome {
    Outcome::Done { resource_version: version.into() }
}

#[tokio::test]
async fn size_and_marks_are_one_patch_that_states_version_and_uid() {
    let kinds = [
        (WorkloadKind::Deployment, "/apis/apps/v1/namespaces/pay/deployments/api"),
        (WorkloadKind::StatefulSet, "/apis/apps/v1/namespaces/pay/statefulsets/api"),
    ];
    for (kind, path) in kinds {
        let (cluster, log) = scripted([Answer::version("42")]);
        let patch = sleeping(kind, Size::Replicas(0));
        assert_eq!(write_workload(&cluster, &patch, PATIENCE).await, done("42"));
        let body = json!({
            "metadata": {
                "uid": "u-1",
                "resourceVersion": "41",
                "annotations": {
                    "nightcap.dev/keep-awake-until": null,
                    "nightcap.dev/original": "{\"replicas\":3}",
                },
            },
            "spec": { "replicas": 0 },
        });
        assert_eq!(log.all(), [patched(path, body)]);
    }
}

#[tokio::test]
async fn patch_holds_only_what_changes() {
    let (cluster, log) = scripted([Answer::version("42")]);
    let patch = WorkloadPatch { size: None, ..sleeping(WorkloadKind::Deployment, Size::Replicas(0)) };
    write_workload(&cluster, &patch, PATIENCE).await;
    assert_eq!(log.all()[0].body.get("spec"), None);
    let (cluster, log) = scripted([Answer::version("42")]);
    let patch =
        WorkloadPatch { annotations: [].into(), ..sleeping(WorkloadKind::Deployment, Size::Replicas(2)) };
    write_workload(&cluster, &patch, PATIENCE).await;
    let body = json!({ "metadata": { "uid": "u-1", "resourceVersion": "41" }, "spec": { "replicas": 2 } });
    assert_eq!(log.all()[0].body, body);
}

fn waking_cron_job() -> WorkloadPatch {
    WorkloadPatch {
        annotations: [("nightcap.dev/original".into(), None)].into(),
        skip_runs_until: Some(Instant(1_772_438_400_999)),
        ..sleeping(WorkloadKind::CronJob, Size::Suspended(false))
    }
}

#[tokio::test]
async fn each_kind_is_turned_by_what_it_has() {
    let switch = |value: Value| WorkloadPatch {
        fields: [("/spec/template/spec/nodeSelector/nightcap.dev~1asleep".into(), value)].into(),
        ..sleeping(WorkloadKind::DaemonSet, Size::Off(true))
    };
    let selector = |value: Value| json!({ "template": { "spec": { "nodeSelector": { "nightcap.dev/asleep": value } } } });
    let apps = "/apis/apps/v1/namespaces/pay";
    let cases = [
        (
            sleeping(WorkloadKind::ReplicaSet, Size::Replicas(0)),
            format!("{apps}/replicasets/api"),
            json!({ "replicas": 0 }),
        ),
        (
            sleeping(WorkloadKind::ReplicationController, Size::Replicas(4)),
            "/api/v1/namespaces/pay/replicationcontrollers/api".to_owned(),
            json!({ "replicas": 4 }),
        ),
        (
            sleeping(WorkloadKind::Job, Size::Suspended(true)),
            "/apis/batch/v1/namespaces/pay/jobs/api".to_owned(),
            json!({ "suspend": true }),
        ),
        (switch(json!("true")), format!("{apps}/daemonsets/api"), selector(json!("true"))),
        (switch(Value::Null), format!("{apps}/daemonsets/api"), selector(Value::Null)),
    ];
    for (patch, path, spec) in cases {
        let (cluster, log) = scripted([Answer::version("42")]);
        assert_eq!(write_workload(&cluster, &patch, PATIENCE).await, done("42"));
        let call = log.all().remove(0);
        assert_eq!(
            (call.line.split('?').next().unwrap_or_default(), &call.body["spec"]),
            (&*format!("PATCH {path}"), &spec)
        );
        assert_eq!(call.body["metadata"]["resourceVersion"], "41");
    }
}

#[tokio::test]
async fn waking_cron_job_first_accounts_for_the_runs_it_missed() {
    let (cluster, log) = scripted([Answer::version("42"), Answer::version("43")]);
    assert_eq!(write_workload(&cluster, &waking_cron_job(), PATIENCE).await, done("43"));
    let path = "/apis/batch/v1/namespaces/pay/cronjobs/api";
    let status = json!({
        "metadata": { "uid": "u-1", "resourceVersion": "41" },
        "status": { "lastScheduleTime": "2026-03-02T08:00:00Z" },
    });
    let spec = json!({
        "metadata": { "uid": "u-1", "resourceVersion": "42", "annotations": { "nightcap.dev/original": null } },
        "spec": { "suspend": false },
    });
    assert_eq!(log.all(), [patched(&format!("{path}/status"), status), patched(path, spec)]);
}

#[tokio::test]
async fn cron_job_that_changed_in_between_is_not_resumed() {
    let (cluster, log) = scripted([Answer::failure(409, "the object has been modified")]);
    assert_eq!(write_workload(&cluster, &waking_cron_job(), PATIENCE).await, Outcome::Conflict);
    assert_eq!(log.all().len(), 1);
    let (cluster, log) = scripted([Answer::version("42"), Answer::failure(409, "modified")]);
    assert_eq!(write_workload(&cluster, &waking_cron_job(), PATIENCE).await, Outcome::Conflict);
    assert_eq!(log.all().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn second_half_that_fails_is_tried_again_before_the_first_is() {
    let down = || Answer::failure(500, "leader changed");
    let (cluster, log) = scripted([Answer::version("42"), down(), down(), Answer::version("43")]);
    assert_eq!(write_workload(&cluster, &waking_cron_job(), PATIENCE).await, done("43"));
    let calls = log.all();
    assert_eq!(calls[1..], [calls[1].clone(), calls[1].clone(), calls[1].clone()]);
    let (cluster, log) = scripted([Answer::version("42"), down(), down(), down()]);
    let failed = Outcome::Retry { reason: "500: leader changed".into(), after: None };
    assert_eq!(write_workload(&cluster, &waking_cron_job(), PATIENCE).await, failed);
    assert_eq!(log.all().len(), 4);
}

#[tokio::test]
async fn namespace_is_annotated_whatever_its_version() {
    let (cluster, log) = scripted([Answer::version("9")]);
    let annotations =
        [("nightcap.dev/asleep".into(), Some("{}".into())), ("nightcap.dev/asleep-until".into(), None)];
    assert_eq!(write_namespace(&cluster, "pay", "ns-1", &annotations.into(), PATIENCE).await, done("9"));
    let body = json!({ "metadata": {
        "uid": "ns-1",
        "annotations": { "nightcap.dev/asleep": "{}", "nightcap.dev/asleep-until": null },
    } });
    assert_eq!(log.all(), [patched("/api/v1/namespaces/pay", body)]);
}

#[tokio::test]
async fn every_answer_has_its_outcome() {
    let refused = |reason: &str| Outcome::Refused { reason: reason.into() };
    let retry = |reason: &str, seconds: Option<i64>| Outcome::Retry {
        reason: reason.into(),
        after: seconds.map(Millis::from_secs),
    };
    let other_uid = json!({
        "kind": "Status", "code": 422, "reason": "Invalid", "message": "field is immutable",
        "details": { "causes": [{ "field": "metadata.uid", "reason": "FieldValueInvalid" }] },
    });
    let throttled =
        json!({ "kind": "Status", "message": "slow down", "details": { "retryAfterSeconds": 7 } });
    let cases = [
        (Answer::version("42"), done("42")),
        (Answer::failure(409, "modified"), Outcome::Conflict),
        (Answer::failure(404, "not found"), Outcome::NotFound),
        (Answer::json(422, &other_uid), Outcome::Conflict),
        (Answer::failure(422, "spec.replicas: too many"), refused("422: spec.replicas: too many")),
        (Answer::failure(403, "no rights"), refused("403: no rights")),
        (
            Answer::failure(400, "admission webhook \"x\" denied the request"),
            refused("400: admission webhook \"x\" denied the request"),
        ),
        (Answer::failure(401, "Unauthorized"), retry("401: Unauthorized", None)),
        (Answer::json(429, &throttled), retry("429: slow down", Some(7))),
        (
            Answer {
                status: 429,
                retry_after: Some("1"),
                body: "Too many requests, please try again later.\n".into(),
            },
            retry("429: Too many requests, please try again later.", Some(1)),
        ),
        (Answer::failure(500, "failed calling webhook"), retry("500: failed calling webhook", None)),
        (
            Answer { status: 503, retry_after: None, body: String::new() },
            retry("503: 503 Service Unavailable", None),
        ),
        (
            Answer { status: 200, retry_after: None, body: "{}".into() },
            retry("the answer to a write cannot be read: missing field `metadata` at line 1 column 2", None),
        ),
    ];
    for (answer, outcome) in cases {
        let (cluster, log) = scripted([answer]);
        let patch = sleeping(WorkloadKind::Deployment, Size::Replicas(0));
        assert_eq!(write_workload(&cluster, &patch, PATIENCE).await, outcome);
        assert_eq!(log.all().len(), 1, "one request, whatever it is answered");
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_unsent() {
    let refused = |reason: &str| Outcome::Refused { reason: reason.into() };
    let cases = [
        (
            sleeping(WorkloadKind::Other("Operator".into()), Size::Replicas(0)),
            "the kind Operator is never changed",
        ),
        (
            sleeping(WorkloadKind::DaemonSet, Size::Replicas(0)),
            "DaemonSet pay/api cannot have the size \"0 replicas\"",
        ),
        (
            sleeping(WorkloadKind::CronJob, Size::Replicas(0)),
            "CronJob pay/api cannot have the size \"0 replicas\"",
        ),
        (
            WorkloadPatch {
                skip_runs_until: Some(Instant(0)),
                ..sleeping(WorkloadKind::Deployment, Size::Replicas(1))
            },
            "Deployment pay/api has no runs to skip: only a CronJob has",
        ),
    ];
    for (patch, reason) in cases {
        let (cluster, log) = scripted([]);
        assert_eq!(write_workload(&cluster, &patch, PATIENCE).await, refused(reason));
        assert_eq!(log.all(), []);
    }
    let (cluster, _) = scripted([]);
    let odd = write_namespace(&cluster, "no such\nname", "ns-1", &[].into(), PATIENCE).await;
    assert!(matches!(odd, Outcome::Refused { .. }), "{odd:?}");
}

/// A cluster whose API server never answers.
fn silent() -> Cluster {
    let service = tower::service_fn(|_: http::Request<kube::client::Body>| {
        futures::future::pending::<Result<http::Response<kube::client::Body>, kube::Error>>()
    });
    Cluster::of(kube::Client::new(service, "default"))
}

#[tokio::test(start_paused = true)]
async fn write_without_an_answer_ends_in_time() {
    let patch = sleeping(WorkloadKind::Deployment, Size::Replicas(0));
    let outcome = write_workload(&silent(), &patch, PATIENCE).await;
    assert_eq!(outcome, Outcome::Retry { reason: "no answer within 10 s".into(), after: None });
}

/// A sink whose events can be waited for.
fn sink() -> (Sink, tokio::sync::mpsc::UnboundedReceiver<Event>) {
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    let sink: Sink = Arc::new(move |event| {
        let _ = send.send(event);
        async {}.boxed()
    });
    (sink, receive)
}

fn performer(cluster: Cluster, concurrency: usize, sink: Sink) -> Performer {
    let settings = ActSettings { concurrency, instance: "nightcap-0".into(), ..ActSettings::default() };
    Performer::new(cluster, &settings, Arc::new(|| Instant(0)), sink)
}

fn action(id: u64) -> Action {
    Action::Workload { id: ActionId(id), patch: sleeping(WorkloadKind::Deployment, Size::Replicas(0)) }
}

fn announcement() -> Action {
    Action::Announce {
        subject: Subject::Namespace { name: "pay".into(), uid: "ns-1".into() },
        severity: Severity::Normal,
        reason: "Asleep",
        note: "pay is asleep.".into(),
    }
}

#[tokio::test]
async fn performer_tells_how_each_action_ended() {
    let (cluster, log) = cluster(|asked| match asked.line.as_str() {
        line if line.contains("/deployments/") => Answer::version("42"),
        line if line.contains("/events") => Answer::failure(403, "no rights for events"),
        _ => Answer::failure(409, "modified"),
    });
    let (sink, mut events) = sink();
    let performer = performer(cluster, 1, sink);
    performer.perform(announcement());
    performer.perform(announcement());
    performer.perform(action(1));
    performer.perform(Action::Namespace {
        id: ActionId(2),
        name: "pay".into(),
        uid: "ns-1".into(),
        annotations: [].into(),
    });
    let target = Some(target(WorkloadKind::Deployment));
    assert_eq!(events.recv().await, Some(Event::Ended { id: ActionId(1), target, outcome: done("42") }));
    let ended = Event::Ended { id: ActionId(2), target: None, outcome: Outcome::Conflict };
    assert_eq!(events.recv().await, Some(ended));
    performer.finish().await;
    assert_eq!(performer.under_way(), 0);
    let announced = log.lines().into_iter().filter(|line| line.contains("events.k8s.io")).collect::<Vec<_>>();
    assert_eq!(announced, ["POST /apis/events.k8s.io/v1/namespaces/pay/events"], "the same words once");
}

#[tokio::test(start_paused = true)]
async fn no_more_writes_are_under_way_than_allowed() {
    let busy = Arc::new(Mutex::new((0, 0)));
    let seen = Arc::clone(&busy);
    let service = tower::service_fn(move |_: http::Request<kube::client::Body>| {
        let busy = Arc::clone(&seen);
        async move {
            {
                let mut busy = busy.lock().unwrap();
                busy.0 += 1;
                busy.1 = busy.1.max(busy.0);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            busy.lock().unwrap().0 -= 1;
            let body = json!({ "metadata": { "resourceVersion": "1" } }).to_string();
            Ok::<_, kube::Error>(http::Response::new(kube::client::Body::from(body.into_bytes())))
        }
    });
    let cluster = Cluster::of(kube::Client::new(service, "default"));
    let (sink, mut events) = sink();
    let performer = performer(cluster, 4, sink);
    (0..100).map(action).for_each(|action| performer.perform(action));
    let mut ended = Vec::new();
    for _ in 0..100 {
        let Some(Event::Ended { id: ActionId(id), .. }) = events.recv().await else {
            panic!("an action is lost")
        };
        ended.push(id);
    }
    ended.sort_unstable();
    assert_eq!(ended, (0..100).collect::<Vec<_>>());
    assert_eq!(busy.lock().unwrap().1, 4, "all of the allowed writes, and no more");
}

#[tokio::test(start_paused = true)]
async fn finish_waits_for_what_has_begun_and_drops_the_rest() {
    let (sink, mut events) = sink();
    let performer = performer(silent(), 1, sink);
    performer.perform(action(1));
    performer.perform(action(2));
    tokio::task::yield_now().await;
    performer.finish().await;
    let target = Some(target(WorkloadKind::Deployment));
    let outcome = Outcome::Retry { reason: "no answer within 10 s".into(), after: None };
    assert_eq!(events.recv().await, Some(Event::Ended { id: ActionId(1), target, outcome }));
    assert!(events.try_recv().is_err(), "the second had not begun");
}

#[tokio::test(start_paused = true)]
async fn flood_of_announcements_is_cut_and_writes_are_not() {
    let (cluster, log) = cluster(|asked| match asked.line.as_str() {
        line if line.contains("/events") => Answer::json(201, &json!({})),
        _ => Answer::version("42"),
    });
    let (sink, mut events) = sink();
    let performer = performer(cluster, 16, sink);
    for id in 0..1_500 {
        performer.perform(Action::Announce {
            subject: Subject::Node { name: "n".into(), uid: "n-1".into() },
            severity: Severity::Normal,
            reason: "Commanded",
            note: format!("note {id}").into(),
        });
        performer.perform(action(id));
    }
    assert_eq!(performer.under_way(), 1_500);
    for _ in 0..1_500 {
        assert!(events.recv().await.is_some());
    }
    while !performer.announcing.is_empty() {
        tokio::task::yield_now().await;
    }
    let announced = log.lines().iter().filter(|line| line.contains("/events")).count();
    assert_eq!(announced, super::ANNOUNCEMENTS_WAITING);
}
