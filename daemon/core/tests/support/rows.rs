//! Hours made by hand, as a ledger would close them: every node's rows and idle add up to its cost.

use std::sync::Arc;

use nightcap_core::cluster::{Attribution, NodeFacts, WorkloadKey, WorkloadKind};
use nightcap_core::money::{
    AllocationRow, AssetKind, AssetRow, ByResource, Confidence, FlatAsset, FlatRow, Holder, Hour, Marks,
    NodeName, NodePrice, PodName, PriceSource, ResourceHours, UsageHours,
};
use nightcap_core::units::{Instant, Millis, PicoUsd, Rate, Window};

use super::{T0, at};

/// Dollars as whole pico-dollars: literals of tests have few decimals.
pub fn usd(dollars: f64) -> PicoUsd {
    PicoUsd::from_usd(dollars).unwrap()
}

pub fn money(cpu: f64, memory: f64, gpu: f64) -> ByResource {
    ByResource::from_array([usd(cpu), usd(memory), usd(gpu)])
}

pub fn hour_of(nth: i64) -> Window {
    Window::new(at(nth * 3_600), at((nth + 1) * 3_600))
}

pub fn node_name(name: &str) -> Arc<NodeName> {
    Arc::new(NodeName {
        uid: format!("uid-{name}").into(),
        name: name.into(),
        provider_id: "".into(),
        facts: NodeFacts::default(),
    })
}

pub fn pod_name(namespace: &str, name: &str) -> Arc<PodName> {
    Arc::new(PodName {
        uid: format!("uid-{namespace}-{name}").into(),
        namespace: namespace.into(),
        name: name.into(),
    })
}

/// Who pays: `team` in `namespace`, by a Deployment or DaemonSet, with one label.
pub fn payer_of(team: &str, namespace: &str, kind: WorkloadKind, app: &str) -> Arc<Attribution> {
    Arc::new(Attribution {
        workload: Some(WorkloadKey { namespace: namespace.into(), kind, name: app.into() }),
        team: team.into(),
        owner: "unowned".into(),
        labels: Arc::new([("app".into(), app.into())].into()),
        ..Attribution::line(namespace)
    })
}

pub fn holder(node: &Arc<NodeName>, pod: &Arc<PodName>, payer: &Arc<Attribution>) -> Arc<Holder> {
    Arc::new(Holder { node: Arc::clone(node), pod: Arc::clone(pod), attribution: Arc::clone(payer) })
}

pub fn share(holder: &Arc<Holder>, window: Window, cost: ByResource) -> AllocationRow {
    AllocationRow {
        holder: Arc::clone(holder),
        window,
        cost: cost.into(),
        requested: ResourceHours { cpu_core_hours: 1.0, memory_byte_hours: 2.0, gpu_hours: 0.0 },
        used: UsageHours::default(),
        above: UsageHours::default(),
        marks: Marks::default(),
    }
}

pub fn a_price(confidence: Confidence) -> Arc<NodePrice> {
    Arc::new(NodePrice {
        hourly: Rate(0),
        confidence,
        source: PriceSource { id: "test".into(), date: "".into() },
        reason: "test".into(),
        by_pod: None,
    })
}

/// The row of a node on which `rows` and `idle` are.
pub fn asset(
    node: &Arc<NodeName>,
    window: Window,
    rows: &[AllocationRow],
    idle: ByResource,
    confidence: Confidence,
) -> AssetRow {
    let mut cost = idle;
    for row in rows.iter().filter(|row| row.holder.node.uid == node.uid) {
        cost += row.cost.get();
    }
    AssetRow {
        node: Arc::clone(node),
        price: Some(a_price(confidence)),
        window,
        cost,
        idle,
        capacity: ResourceHours { cpu_core_hours: 4.0, memory_byte_hours: 16.0, gpu_hours: 0.0 },
        charged: ResourceHours { cpu_core_hours: 5.0, memory_byte_hours: 8.0, gpu_hours: 0.0 },
        marks: Marks::default(),
    }
}

pub fn flat_asset(kind: AssetKind, name: &str) -> Arc<FlatAsset> {
    Arc::new(FlatAsset {
        kind,
        uid: format!("uid-{name}").into(),
        name: name.into(),
        provider_id: "".into(),
        class: "".into(),
        claim: ("".into(), "".into()),
    })
}

pub fn flat(
    asset: &Arc<FlatAsset>,
    payer: &Arc<Attribution>,
    pod: Option<&Arc<PodName>>,
    window: Window,
    cost: PicoUsd,
) -> FlatRow {
    FlatRow {
        asset: Arc::clone(asset),
        price: Some(a_price(Confidence::List)),
        attribution: Arc::clone(payer),
        pod: pod.map(Arc::clone),
        window,
        cost,
        amount: 10.0,
        marks: Marks::default(),
    }
}

/// One hour of everything, worked by hand. In dollars, cpu/memory/gpu:
///
/// | node | pod | team | cost |
/// | --- | --- | --- | --- |
/// | n1 | web-1 (Deployment web, shop-dev) | shop | 4 / 2 / 0 |
/// | n1 | log-1 (DaemonSet log, kube-system) | unowned | 1 / 0 / 0 |
/// | n2 | train-1 (Deployment train, data) | data | 2 / 2 / 6 |
/// | n1 | idle | | 3 / 1 / 0 |
/// | n2 | idle | | 0 / 3 / 2 |
///
/// A volume of web-1 for 0.5 and one nobody mounts in data for 0.25, a volume without a claim for 0.125, a load
/// balancer of shop-dev for 0.025, its traffic to the internet for 0.0625, the control plane for 0.1, a fixed sum of 7
/// for all. Nodes 26, everything 34.0625.
pub fn worked_hour() -> Hour {
    let window = hour_of(0);
    let (n1, n2) = (node_name("n1"), node_name("n2"));
    let web = payer_of("shop", "shop-dev", WorkloadKind::Deployment, "web");
    let log = payer_of("unowned", "kube-system", WorkloadKind::DaemonSet, "log");
    let train = payer_of("data", "data", WorkloadKind::Deployment, "train");
    let pod = pod_name("shop-dev", "web-1");
    let rows = vec![
        share(&holder(&n1, &pod, &web), window, money(4.0, 2.0, 0.0)),
        share(&holder(&n1, &pod_name("kube-system", "log-1"), &log), window, money(1.0, 0.0, 0.0)),
        share(&holder(&n2, &pod_name("data", "train-1"), &train), window, money(2.0, 2.0, 6.0)),
    ];
    let of_namespace = |team: &str, namespace: &str| {
        Arc::new(Attribution { team: team.into(), owner: "unowned".into(), ..Attribution::line(namespace) })
    };
    let line = |name| Arc::new(Attribution::line(name));
    let volume = |name| flat_asset(AssetKind::Volume, name);
    Hour {
        assets: vec![
            asset(&n1, window, &rows, money(3.0, 1.0, 0.0), Confidence::List),
            asset(&n2, window, &rows, money(0.0, 3.0, 2.0), Confidence::Default),
        ],
        flat: vec![
            flat(&volume("pv-web"), &web, Some(&pod), window, usd(0.5)),
            flat(&volume("pv-old"), &of_namespace("data", "data"), None, window, usd(0.25)),
            flat(&volume("pv-lost"), &line("__unmounted__"), None, window, usd(0.125)),
            flat(
                &flat_asset(AssetKind::LoadBalancer, "shop-dev/web"),
                &of_namespace("shop", "shop-dev"),
                None,
                window,
                usd(0.025),
            ),
            flat(&flat_asset(AssetKind::Network, "internet"), &web, Some(&pod), window, usd(0.0625)),
            flat(&flat_asset(AssetKind::ControlPlane, "fee"), &line("__overhead__"), None, window, usd(0.1)),
            flat(&flat_asset(AssetKind::Fixed, "support"), &line("__shared__"), None, window, usd(7.0)),
        ],
        allocations: rows,
        ..Hour::new(T0)
    }
}

pub fn ms(from: i64, to: i64) -> Window {
    Window::new(T0 + Millis(from), T0 + Millis(to))
}

pub fn start_of(nth: i64) -> Instant {
    hour_of(nth).start
}
