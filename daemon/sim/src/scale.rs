//! Clusters of any size, for benchmarks: pods and nodes only, so that what is measured stays comparable.

use nightcap_core::cluster::{Keys, Provider};
use nightcap_core::units::{Bytes, Cpu, Gpu, Millis, Resources};

use crate::activity::Activity;
use crate::spec::{PoolKind, PoolSpec, SpaceSpec, WorkloadShape, WorkloadSpec, WorldSpec};

/// Pods in one namespace.
const PODS_PER_SPACE: usize = 50;
/// Pods on one node.
const PODS_PER_NODE: usize = 30;
/// Pods of one Deployment.
const REPLICAS: usize = 3;

/// A cluster of about `pods` pods: Deployments of three in namespaces of fifty, on nodes of thirty, of three providers.
pub fn spec(pods: usize) -> WorldSpec {
    let nodes = pods.div_ceil(PODS_PER_NODE).max(3);
    let pool = |name: &str, provider, region: &str, zone: &str, instance_type: &str| PoolSpec {
        name: name.into(),
        kind: PoolKind::General,
        provider,
        region: region.into(),
        zones: ["a", "b", "c"].map(|letter| format!("{zone}{letter}").into()).to_vec(),
        instance_type: instance_type.into(),
        capacity: Resources { cpu: Cpu::from_cores(16), memory: Bytes::from_gib(64), gpu: Gpu(0) },
        min: nodes.div_ceil(3),
        max: nodes,
    };
    WorldSpec {
        prefix: "nightcap.dev".into(),
        pools: vec![
            pool("general-aws", Provider::Aws, "eu-central-1", "eu-central-1", "m6i.4xlarge"),
            pool("general-gcp", Provider::Gcp, "europe-west1", "europe-west1-", "n2-standard-16"),
            pool("general", Provider::Azure, "westeurope", "westeurope-", "Standard_D16s_v5"),
        ],
        daemons: Vec::new(),
        spaces: (0..pods.div_ceil(PODS_PER_SPACE))
            .map(|nth| space(nth, PODS_PER_SPACE.min(pods - nth * PODS_PER_SPACE)))
            .collect(),
        classes: Vec::new(),
        released: Vec::new(),
        scrape_interval: Millis::MINUTE,
        counts_traffic: false,
        rollout_every: None,
        spot_lasts: None,
    }
}

fn space(nth: usize, pods: usize) -> SpaceSpec {
    let team = format!("team-{}", nth % 40);
    let mut annotations = Keys::new();
    if nth.is_multiple_of(2) {
        annotations.insert("nightcap.dev/uptime".into(), "Mon-Fri 08:00-18:00 Europe/Berlin".into());
    }
    let workload = |first: usize| {
        let replicas = u32::try_from(REPLICAS.min(pods - first)).unwrap_or(1);
        let size = 1 + (nth + first / REPLICAS) as u64 % 4;
        WorkloadSpec::new(
            &format!("service-{}", first / REPLICAS),
            WorkloadShape::Deployment { replicas },
            Resources { cpu: Cpu::from_millis(100 * size), memory: Bytes::from_mib(256 * size), gpu: Gpu(0) },
        )
    };
    SpaceSpec {
        name: format!("space-{nth}").into(),
        labels: Keys::from([("team".into(), team.into())]),
        annotations,
        activity: [Activity::OfficeLike, Activity::Intermittent, Activity::NearIdle, Activity::Busy][nth % 4],
        zone: chrono_tz::Tz::Europe__Berlin,
        visits_a_week: 0,
        workloads: (0..pods).step_by(REPLICAS).map(workload).collect(),
        unmounted: Vec::new(),
        balancers: Vec::new(),
    }
}
