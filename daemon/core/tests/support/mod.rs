//! Builders shared by the ledger's and the engine's tests.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code: a wrong literal should fail loudly")]

pub mod rows;

use std::sync::Arc;

use nightcap_core::cluster::{Attribution, Node, NodeFacts, Pod, PodPhase};
use nightcap_core::money::{Confidence, Hour, Ledger, NodePrice, PodName, PriceSource, Split};
use nightcap_core::units::{Bytes, Cpu, Gpu, Instant, Millis, PicoUsd, Rate, Resources};

/// Midnight of a day in March 2026.
pub const T0: Instant = Instant(1_772_496_000_000);

pub fn at(seconds: i64) -> Instant {
    T0 + Millis::from_secs(seconds)
}

pub fn res(millicores: u64, mib: u64) -> Resources {
    Resources { cpu: Cpu::from_millis(millicores), memory: Bytes::from_mib(mib), gpu: Gpu(0) }
}

pub fn node(name: &str, created: Instant) -> Node {
    Node {
        uid: format!("uid-{name}").into(),
        name: name.into(),
        created,
        provider_id: "".into(),
        facts: NodeFacts::default(),
        capacity: res(4_000, 16_384),
        ready: true,
    }
}

/// A pod of a core and a GiB in namespace `shop` on node `n`, from and to so many seconds after [`T0`].
pub fn shop_pod(name: &str, from: i64, to: Option<i64>) -> Pod {
    Pod {
        uid: format!("pod-{name}").into(),
        namespace: "shop".into(),
        name: name.into(),
        node: Some("n".into()),
        owner: None,
        requests: res(1_000, 1_024),
        bound: Some(at(from)),
        ended: to.map(at),
        phase: if to.is_some() { PodPhase::Finished } else { PodPhase::Running },
        ready: to.is_none(),
        claims: Vec::new(),
        facts: None,
    }
}

pub fn price(usd_per_hour: f64) -> NodePrice {
    NodePrice {
        hourly: Rate::from_usd_per_hour(usd_per_hour).unwrap(),
        confidence: Confidence::List,
        source: PriceSource { id: "test".into(), date: "2026-01-01".into() },
        reason: "test".into(),
        by_pod: None,
    }
}

pub fn pod(name: &str) -> Arc<PodName> {
    Arc::new(PodName { uid: format!("uid-{name}").into(), namespace: "shop".into(), name: name.into() })
}

pub fn payer(team: &str) -> Arc<Attribution> {
    Arc::new(Attribution {
        namespace: "shop".into(),
        space: "shop".into(),
        team: team.into(),
        owner: "unowned".into(),
        ..Attribution::line("test")
    })
}

/// A ledger with one node `n` of 4 cores and 16 GiB at $0.36 an hour, half for CPU, half for memory.
pub fn ledger() -> Ledger {
    // 4 cores and 16 GiB: with four GiB's worth a core, both halves cost the same.
    let split = Split::per_gib(4_000_000, 0);
    let mut ledger = Ledger::new(T0, split, Millis::MINUTE, 100_000);
    ledger.node(&node("n", T0), T0);
    ledger.node_priced("uid-n", Arc::new(price(0.36)), T0);
    ledger
}

/// What a pod, or with `None` idle, costs in all hours together, in pico-dollars: CPU, memory, GPU.
pub fn cost_of(hours: &[Arc<Hour>], pod: Option<&str>) -> [i128; 3] {
    let mut sum = [PicoUsd(0); 3];
    for hour in hours {
        let rows: Vec<_> = match pod {
            Some(name) => {
                let of_pod = hour.allocations.iter().filter(|row| *row.holder.pod.name == *name);
                of_pod.map(|row| row.cost.get()).collect()
            }
            None => hour.assets.iter().map(|row| row.idle).collect(),
        };
        for cost in rows {
            for (sum, part) in sum.iter_mut().zip(cost.to_array()) {
                *sum += part;
            }
        }
    }
    sum.map(|pico| pico.0)
}

/// For every hour and node, checks that its pods and idle add up to its cost, to the pico-dollar, and that idle is
/// not negative.
pub fn assert_conserved(hours: &[Arc<Hour>]) {
    for hour in hours {
        let mut nodes: Vec<_> = hour.assets.iter().map(|asset| &asset.node.uid).collect();
        nodes.dedup();
        for uid in nodes {
            let assets = hour.assets.iter().filter(|asset| asset.node.uid == *uid);
            let (mut cost, mut idle) = ([0; 3], [0; 3]);
            for asset in assets {
                for nth in 0..3 {
                    cost[nth] += asset.cost.to_array()[nth].0;
                    idle[nth] += asset.idle.to_array()[nth].0;
                }
            }
            let mut parts = idle;
            for row in hour.allocations.iter().filter(|row| row.holder.node.uid == *uid) {
                for (part, cost) in parts.iter_mut().zip(row.cost.get().to_array()) {
                    *part += cost.0;
                }
            }
            assert_eq!(parts, cost, "node {uid} in the hour {}", hour.start);
            assert!(idle.iter().all(|&part| part >= 0), "idle {idle:?} of {uid} in the hour {}", hour.start);
        }
    }
}

pub mod scene;
