//! The cluster of the example, as what was seen of it.

use nightcap_core::cluster::{
    Claim, ClaimKey, Keys, Namespace, Node, NodeFacts, Pod, PodPhase, Service, Volume, VolumeFacts,
};
use nightcap_core::engine::{Egress, Engine, Event, FixedCost, Settings, TrafficSample, UsageSample};
use nightcap_core::money::{Confidence, EgressPrices, NodePrice, PodRates, PriceSource, Split};
use nightcap_core::units::{Bytes, Cpu, Gpu, Instant, Millis, PicoUsd, Rate, Resources, parse_rfc3339};

use super::CLUSTER;

/// One dollar.
const USD: u64 = 1_000_000_000_000;

/// So many minutes after 08:00.
pub(super) fn at(minutes: i64) -> Instant {
    parse_rfc3339("2025-11-03T08:00:00Z").unwrap() + Millis::from_minutes(minutes)
}

fn size(millicores: u64, gib: u64, gpus: u64) -> Resources {
    Resources {
        cpu: Cpu::from_millis(millicores),
        memory: Bytes::from_gib(gib),
        gpu: Gpu::from_devices(gpus),
    }
}

fn price(hourly: u64) -> NodePrice {
    NodePrice {
        hourly: Rate(hourly),
        confidence: Confidence::Exact,
        source: PriceSource { id: "example".into(), date: "2025-11-01".into() },
        reason: "as the example says".into(),
        by_pod: None,
    }
}

fn node(name: &str, capacity: Resources, from: i64, price: NodePrice) -> [Event; 2] {
    let node = Node {
        uid: name.into(),
        name: name.into(),
        created: at(from),
        provider_id: format!("example://{name}").into(),
        facts: NodeFacts::default(),
        capacity,
        ready: true,
    };
    [Event::Node(node), Event::NodePriced { uid: name.into(), price }]
}

fn namespace(name: &str, team: Option<&str>) -> Event {
    Event::Namespace(Namespace {
        uid: name.into(),
        name: name.into(),
        resource_version: team.unwrap_or("none").into(),
        created: at(0),
        labels: team.map(|team| ("team".into(), team.into())).into_iter().collect(),
        annotations: Keys::new(),
        terminating: false,
    })
}

/// A pod that is bound.
fn bound(name: &str, node: &str, requests: Resources, from: i64) -> Pod {
    let (namespace, pod) = name.split_once('/').unwrap();
    let lake = ["etl-1", "train-1"].contains(&pod).then(|| "lake".into());
    Pod {
        uid: name.into(),
        namespace: namespace.into(),
        name: pod.into(),
        node: Some(node.into()),
        owner: None,
        requests,
        bound: Some(at(from)),
        ended: None,
        phase: PodPhase::Running,
        ready: true,
        claims: lake.into_iter().collect(),
        facts: None,
    }
}

fn ended(pod: &Pod, to: i64) -> Event {
    let (ended, phase, ready) = (Some(at(to)), PodPhase::Finished, false);
    Event::Pod(Pod { ended, phase, ready, ..pod.clone() })
}

fn volume(name: &str, claim: Option<&str>) -> Event {
    Event::Volume(Volume {
        uid: name.into(),
        name: name.into(),
        created: at(0),
        provider_id: "".into(),
        facts: VolumeFacts::default(),
        capacity: Bytes::from_gib(100),
        claim_uid: claim.map(Into::into),
        failed: false,
    })
}

fn usage(pod: &str, to: i64, minutes: i64, usage: Resources) -> Event {
    let (namespace, pod) = pod.split_once('/').unwrap();
    Event::Usage(vec![UsageSample {
        namespace: namespace.into(),
        pod: pod.into(),
        at: at(to),
        window: Millis::from_minutes(minutes),
        usage,
    }])
}

/// What was there at 08:00.
fn beginning() -> Vec<Event> {
    let mut events = vec![
        namespace("shop", Some("shop")),
        namespace("data", Some("data")),
        namespace("lab", Some("data")),
        namespace("scratch", None),
    ];
    events.extend(node("general-1", size(4_000, 16, 0), 0, price(USD * 32 / 100)));
    events.extend(node("gpu-1", size(8_000, 32, 1), 0, price(2 * USD)));
    events.extend([
        Event::Claim(Claim {
            key: ClaimKey { namespace: "data".into(), name: "lake".into() },
            uid: "claim-lake".into(),
            created: at(0),
            volume: None,
            requested: Bytes::from_gib(100),
            labels: Keys::new(),
            annotations: Keys::new(),
        }),
        volume("pv-lake", Some("claim-lake")),
        Event::AssetPriced { uid: "pv-lake".into(), price: price(USD * 2 / 100) },
        volume("pv-old", None),
        Event::AssetPriced { uid: "pv-old".into(), price: price(8 * USD / 730) },
        Event::ControlPlanePriced(price(USD / 10)),
        Event::EgressPriced(EgressPrices {
            zone: PicoUsd(i128::from(USD / 100)),
            region: PicoUsd(i128::from(USD / 50)),
            internet: PicoUsd(i128::from(USD * 9 / 100)),
            confidence: Confidence::Exact,
            source: PriceSource { id: "example".into(), date: "2025-11-01".into() },
        }),
        Event::Pod(bound("shop/web-1", "general-1", size(1_000, 4, 0), 0)),
        Event::Pod(bound("lab/notebook-1", "gpu-1", size(4_000, 16, 1), 0)),
    ]);
    events
}

/// Everything that happened, with the minute in which it was seen.
fn events() -> Vec<(i64, Event)> {
    let by_pod = PodRates { core: Rate(USD * 4 / 100), gib: Rate(USD * 5 / 1_000), system_is_free: false };
    let fargate = NodePrice { by_pod: Some(by_pod), ..price(USD * 3 / 100) };
    let web_2 = bound("shop/web-2", "general-1", size(1_000, 2, 0), 30);
    let report = bound("data/report-1", "fargate-1", size(500, 2, 0), 60);
    let etl = bound("data/etl-1", "general-1", size(1_000, 4, 0), 120);
    let import = bound("scratch/import-1", "general-1", size(500, 2, 0), 180);
    let pending = Pod { phase: PodPhase::Pending, ready: false, ..import.clone() };
    let traffic = TrafficSample {
        namespace: "shop".into(),
        pod: "web-1".into(),
        at: at(30),
        window: Millis::from_minutes(30),
        received: Bytes(0),
        sent: Bytes::from_gib(7),
        egress: Some(Egress { zone: Bytes::from_gib(5), region: Bytes(0), internet: Bytes::from_gib(2) }),
    };
    let balancer = Service {
        uid: "svc-web".into(),
        namespace: "shop".into(),
        name: "web".into(),
        created: at(60),
        class: "".into(),
        address: "192.0.2.1".into(),
        labels: Keys::new(),
        annotations: Keys::new(),
    };
    let mut events: Vec<_> = beginning().into_iter().map(|event| (0, event)).collect();
    events.extend([(30, Event::Pod(web_2.clone())), (30, Event::Traffic(vec![traffic]))]);
    events.extend(node("fargate-1", size(500, 2, 0), 60, fargate).map(|event| (60, event)));
    events.extend([
        (60, Event::Pod(report.clone())),
        (60, Event::Service(balancer)),
        (60, Event::AssetPriced { uid: "svc-web".into(), price: price(USD * 25 / 1_000) }),
        (90, usage("shop/web-1", 90, 30, size(1_500, 3, 0))),
        (105, namespace("lab", Some("shop"))),
        (120, usage("shop/web-1", 120, 30, size(500, 3, 0))),
        (120, Event::Pod(etl.clone())),
        (120, Event::Pod(bound("data/train-1", "gpu-1", size(2_000, 8, 0), 120))),
        (150, ended(&report, 150)),
        (150, Event::NodeGone { uid: "fargate-1".into(), at: at(150) }),
        (180, usage("data/etl-1", 180, 60, size(3_000, 2, 0))),
        (180, ended(&etl, 180)),
        (180, Event::Pod(pending)),
        (210, Event::Pod(import)),
        (210, ended(&web_2, 210)),
    ]);
    events
}

/// The cluster as it was seen, until 12:00.
pub(super) fn engine() -> Engine {
    let mut engine = Engine::new(Settings {
        cluster: CLUSTER.into(),
        split: Split::per_gib(4_000_000, 36_000_000),
        fixed: vec![FixedCost { name: "support".into(), hourly: Rate(146 * USD / 730) }],
        ..Settings::new(at(0))
    });
    for (minute, event) in events() {
        engine.apply(event, at(minute));
    }
    engine
}
