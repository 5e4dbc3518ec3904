//! A small cluster for tests: a real engine fed with records, and a task that answers for it at one fixed instant.

use std::sync::Arc;

use nightcap_core::advice::budget::{BudgetObject, RawBudget};
use nightcap_core::cluster::{
    Attribution, CapacityType, Keys, Namespace, Node, NodeFacts, Pod, PodPhase, Provider, Size, Workload,
    WorkloadKey, WorkloadKind,
};
use nightcap_core::engine::{
    Action, Engine, Event, HistoryOperation, Kind, Outcome, Settings, Snapshot, UsageSample,
};
use nightcap_core::money::{AssetKind, Confidence, FlatAsset, FlatRow, Marks, NodePrice, PriceSource};
use nightcap_core::sleep::Mode;
use nightcap_core::sleep::policy::{PolicyObject, PolicySpec};
use nightcap_core::units::{
    Bytes, Cpu, Gpu, Instant, Millis, PicoUsd, Rate, Resources, Window, parse_rfc3339,
};
use tokio::sync::mpsc;

use crate::runtime::{Clock, Handle, Input};

/// A Monday at midnight.
pub(crate) fn start() -> Instant {
    parse_rfc3339("2026-03-02T00:00:00Z").unwrap()
}

/// The instant at which everything is asked.
pub(crate) fn now() -> Instant {
    parse_rfc3339("2026-03-02T10:30:00Z").unwrap()
}

fn at_hour(hour: i64) -> Instant {
    start() + Millis::from_hours(hour)
}

pub(crate) fn size(millicores: u64, gib: u64, gpus: u64) -> Resources {
    Resources {
        cpu: Cpu::from_millis(millicores),
        memory: Bytes::from_gib(gib),
        gpu: Gpu::from_devices(gpus),
    }
}

fn keys(pairs: &[(&str, &str)]) -> Keys {
    pairs.iter().map(|&(key, value)| (key.into(), value.into())).collect()
}

pub(crate) fn node(name: &str, capacity: Resources, capacity_type: CapacityType) -> Node {
    Node {
        uid: format!("uid-{name}").into(),
        name: name.into(),
        created: start(),
        provider_id: format!("aws:///eu-central-1a/i-{name}").into(),
        facts: NodeFacts {
            provider: Provider::Aws,
            region: "eu-central-1".into(),
            zone: "eu-central-1a".into(),
            instance_type: "m5.xlarge".into(),
            capacity_type,
            arch: "amd64".into(),
            os: "linux".into(),
            ..NodeFacts::default()
        },
        capacity,
        ready: true,
    }
}

pub(crate) fn price(name: &str, micro_usd: u64, confidence: Confidence) -> Event {
    let price = NodePrice {
        hourly: Rate(micro_usd * 1_000_000),
        confidence,
        source: PriceSource { id: "test-prices".into(), date: "2026-03-01".into() },
        reason: "as the test says".into(),
        by_pod: None,
    };
    Event::NodePriced { uid: format!("uid-{name}").into(), price }
}

pub(crate) fn namespace(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Event {
    Event::Namespace(Namespace {
        uid: format!("uid-{name}").into(),
        name: name.into(),
        resource_version: "1".into(),
        created: start(),
        labels: keys(labels),
        annotations: keys(annotations),
        terminating: false,
    })
}

fn deployment(namespace: &str, name: &str, replicas: u32, annotations: &[(&str, &str)]) -> Event {
    Event::Workload(Workload {
        key: key(namespace, name),
        uid: format!("uid-{namespace}-{name}").into(),
        resource_version: "1".into(),
        created: start(),
        size: Size::Replicas(replicas),
        ready_replicas: replicas,
        wanted_pods: None,
        switch: None,
        pod_requests: size(500, 1, 0),
        labels: Keys::new(),
        annotations: keys(annotations),
        deletes_claims_when_scaled: false,
        rolling_out: false,
        running: false,
        local_volumes: Vec::new(),
        controller: None,
        resource: None,
        governs: None,
    })
}

fn key(namespace: &str, name: &str) -> WorkloadKey {
    WorkloadKey { namespace: namespace.into(), kind: WorkloadKind::Deployment, name: name.into() }
}

pub(crate) fn pod(
    place: (&str, &str, &str),
    owner: Option<&str>,
    requests: Resources,
    hours: (i64, Option<i64>),
) -> Pod {
    let (namespace, name, node) = place;
    Pod {
        uid: format!("uid-{namespace}-{name}").into(),
        namespace: namespace.into(),
        name: name.into(),
        node: Some(node.into()),
        owner: owner.map(|owner| key(namespace, owner)),
        requests,
        bound: Some(at_hour(hours.0)),
        ended: hours.1.map(at_hour),
        phase: if hours.1.is_some() { PodPhase::Finished } else { PodPhase::Running },
        ready: hours.1.is_none(),
        claims: Vec::new(),
        facts: None,
    }
}

/// Two nodes, three teams, a sleeping workload: all that the tests ask about.
pub(crate) fn engine() -> Engine {
    let mut engine =
        Engine::new(Settings { cluster: "test".into(), mode: Mode::Act, ..Settings::new(start()) });
    let mark = r#"{"since":"2026-03-02T04:00:00Z","why":"Outside its uptime.","policy":"namespace uptime","by":"nightcap"}"#;
    let events = [
        Event::Node(node("n1", size(4_000, 16, 0), CapacityType::OnDemand)),
        price("n1", 192_000, Confidence::List),
        Event::Node(node("n2", size(8_000, 61, 1), CapacityType::Spot)),
        price("n2", 3_060_000, Confidence::Default),
        namespace("data", &[("team", "data")], &[("nightcap.dev/uptime", "sometimes")]),
        namespace("lab", &[("team", "lab")], &[("nightcap.dev/uptime", "Mon-Fri 20:00-22:00")]),
        namespace("shop-dev", &[("team", "shop"), ("owner", "shop-leads")], &[]),
        deployment("shop-dev", "web", 1, &[]),
        deployment(
            "lab",
            "notebook",
            0,
            &[("nightcap.dev/asleep", mark), ("nightcap.dev/original", r#"{"replicas":2}"#)],
        ),
        budget("shop", "10"),
        policy(),
        Event::Pod(pod(("shop-dev", "web-1", "n1"), Some("web"), size(1_000, 4, 0), (1, None))),
        Event::Pod(pod(("shop-dev", "web-2", "n1"), Some("web"), size(1_000, 4, 0), (1, Some(3)))),
        Event::Pod(pod(("data", "train-1", "n2"), None, size(2_000, 8, 1), (2, None))),
    ];
    for event in events {
        engine.apply(event, at_hour(4));
    }
    for kind in Kind::ALL {
        engine.apply(Event::Listed { kind, uids: uids(kind) }, at_hour(4));
    }
    for hour in 5..=10 {
        tick(&mut engine, at_hour(hour));
    }
    let sample = UsageSample {
        namespace: "shop-dev".into(),
        pod: "web-1".into(),
        at: now() - Millis::MINUTE,
        window: Millis::MINUTE,
        usage: size(500, 1, 0),
    };
    engine.apply(Event::Usage(vec![sample]), now());
    engine.apply(Event::History { operation: HistoryOperation::Checkpoint, failed: None }, now());
    tick(&mut engine, now());
    engine
}

/// The status of a budget or policy is written at once; nothing else is.
fn tick(engine: &mut Engine, at: Instant) {
    for action in engine.tick(at) {
        if let Action::BudgetStatus { id, .. } | Action::PolicyStatus { id, .. } = action {
            let outcome = Outcome::Done { resource_version: "2".into() };
            engine.apply(Event::Ended { id, target: None, outcome }, at);
        }
    }
}

/// So many dollars a week for a team.
fn budget(team: &str, amount: &str) -> Event {
    let raw = RawBudget {
        amount: amount.to_owned(),
        period: "week".to_owned(),
        teams: vec![team.to_owned()],
        ..RawBudget::default()
    };
    let spec = raw.read().map_err(|error| error.to_string().into());
    let name = format!("{team}-week");
    let uid = format!("uid-{name}").into();
    Event::Budget(Box::new(BudgetObject { uid, name: name.into(), generation: 1, spec }))
}

/// A sleep policy that is about nothing here.
fn policy() -> Event {
    let spec = PolicySpec {
        namespaces: vec!["preview-*".into()],
        downtime: Some("always".into()),
        ..PolicySpec::default()
    };
    let (uid, name) = ("uid-previews".into(), "previews".into());
    Event::SleepPolicy(Box::new(PolicyObject { uid, name, generation: 1, spec: Ok(spec), status: None }))
}

fn uids(kind: Kind) -> Vec<Arc<str>> {
    let names: &[&str] = match kind {
        Kind::Node => &["n1", "n2"],
        Kind::Namespace => &["data", "lab", "shop-dev"],
        Kind::Pod => &["shop-dev-web-1", "shop-dev-web-2", "data-train-1"],
        Kind::Deployment => &["shop-dev-web", "lab-notebook"],
        Kind::SleepPolicy => &["previews"],
        _ => &[],
    };
    names.iter().map(|name| format!("uid-{name}").into()).collect()
}

/// The picture of [`engine`] at [`now`].
pub(crate) fn snapshot() -> Arc<Snapshot> {
    Arc::new(engine().snapshot(now()))
}

/// The picture, with something of every other kind on the bill of the hour from 01:00 on: a volume of `web-1` for 0.04
/// that was there for the whole hour and mounted for half of it, the other half of it and a volume nobody mounts, each
/// for 0.04, in `data`; a load balancer for 0.025; traffic of `web-1` for 0.06; the control plane for 0.1; and a fixed
/// sum of 0.5 for everybody.
pub(crate) fn rich_snapshot() -> Snapshot {
    let mut snapshot = engine().snapshot(now());
    let window = Window::new(at_hour(1), at_hour(2));
    let half = Window::new(at_hour(1), at_hour(1) + Millis::from_minutes(30));
    let nth = snapshot.hours.iter().position(|hour| hour.start == at_hour(1)).unwrap();
    let hour = Arc::make_mut(&mut snapshot.hours[nth]);
    let holder = Arc::clone(&hour.allocations[0].holder);
    let of_namespace = |team: &str, namespace: &str| {
        Arc::new(Attribution { team: team.into(), owner: "unowned".into(), ..Attribution::line(namespace) })
    };
    let line = |name| Arc::new(Attribution::line(name));
    let asset = |kind, name: &str, id: &str| {
        Arc::new(FlatAsset {
            kind,
            uid: format!("uid-{name}").into(),
            name: name.into(),
            provider_id: id.into(),
            class: if kind == AssetKind::Volume { "gp3".into() } else { "".into() },
            claim: if name == "pv-web" { ("shop-dev".into(), "data-web".into()) } else { <_>::default() },
        })
    };
    let row =
        |asset: &Arc<FlatAsset>, payer: &Arc<Attribution>, pod: bool, window: Window, micro: i128, amount| {
            FlatRow {
                asset: Arc::clone(asset),
                price: Some(Arc::new(NodePrice {
                    hourly: Rate(0),
                    confidence: Confidence::Exact,
                    source: PriceSource { id: "test-prices".into(), date: "2026-03-01".into() },
                    reason: "as the test says".into(),
                    by_pod: None,
                })),
                attribution: Arc::clone(payer),
                pod: pod.then(|| Arc::clone(&holder.pod)),
                window,
                cost: PicoUsd(micro * 1_000_000),
                amount,
                marks: Marks::default(),
            }
        };
    let web = &holder.attribution;
    let volume = asset(AssetKind::Volume, "pv-web", "vol-1");
    let lost = asset(AssetKind::Volume, "pv-old", "vol-2");
    hour.flat = vec![
        row(&volume, web, true, half, 40_000, 5e9),
        row(
            &volume,
            &of_namespace("shop", "shop-dev"),
            false,
            Window::new(half.end, window.end),
            40_000,
            5e9,
        ),
        row(&lost, &of_namespace("data", "data"), false, window, 40_000, 10e9),
        row(&asset(AssetKind::LoadBalancer, "shop-dev/web", "192.0.2.1"), web, true, window, 25_000, 1.0),
        row(&asset(AssetKind::Network, "internet", ""), web, true, window, 60_000, 536_870_912.0),
        row(
            &asset(AssetKind::ControlPlane, "control-plane", ""),
            &line("__overhead__"),
            false,
            window,
            100_000,
            1.0,
        ),
        row(&asset(AssetKind::Fixed, "support", ""), &line("__shared__"), false, window, 500_000, 1.0),
    ];
    snapshot
}

/// A way to a picture that does not change.
pub(crate) fn handle_of(snapshot: Snapshot) -> Handle {
    let (sender, mut inputs) = mpsc::channel(8);
    let snapshot = Arc::new(snapshot);
    tokio::spawn(async move {
        while let Some(input) = inputs.recv().await {
            if let Input::Read(answer) = input {
                drop(answer.send(Arc::clone(&snapshot)));
            }
        }
    });
    Handle::new(sender, Clock::simulated(now(), 1))
}

/// A way to an engine that stands still at [`now`].
pub(crate) fn handle(mut engine: Engine) -> Handle {
    let (sender, mut inputs) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Some(input) = inputs.recv().await {
            match input {
                Input::Event(event) => engine.apply(event, now()),
                Input::ManagedBy(_) | Input::Keep(_) | Input::Written(_) | Input::Corrected(..) => {}
                Input::Read(answer) => drop(answer.send(Arc::new(engine.snapshot(now())))),
                Input::Command(command, answer) => {
                    let preview = engine.preview(&command, now());
                    if preview.is_ok() {
                        engine.apply(Event::Command(command), now());
                    }
                    drop(answer.send(preview));
                }
            }
        }
    });
    Handle::new(sender, Clock::simulated(now(), 1))
}
