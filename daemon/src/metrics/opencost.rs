//! `OpenCost`'s gauges under their own names, so that its dashboards and rules work unchanged.
//!
//! As there, `instance` is the node's name (scrape with `honor_labels: true`) and memory costs per GiB-hour. Charges
//! are kept per pod: `container` is always `__pod__`, which is not empty, since dashboards leave out what is.

use std::fmt;
use std::sync::Arc;

use nightcap_core::cluster::CapacityType;
use nightcap_core::engine::{NodeView, Snapshot};
use nightcap_core::money::HeldPod;
use nightcap_core::units::{Rate, Resources};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::family::Metric;

const NODE_CPU: Metric = Metric::new("node_cpu_hourly_cost", "Dollars per core and hour");
const NODE_RAM: Metric = Metric::new("node_ram_hourly_cost", "Dollars per GiB of memory and hour");
const NODE_GPU: Metric = Metric::new("node_gpu_hourly_cost", "Dollars per GPU and hour");
const NODE_GPUS: Metric = Metric::new("node_gpu_count", "GPUs of the node");
const NODE_TOTAL: Metric = Metric::new("node_total_hourly_cost", "Dollars per hour for the whole node");
const NODE_SPOT: Metric = Metric::new("kubecost_node_is_spot", "1 for a node of spare capacity");
const POD_CPU: Metric = Metric::new("container_cpu_allocation", "Cores that the pod is charged for now");
const POD_MEMORY: Metric =
    Metric::new("container_memory_allocation_bytes", "Bytes of memory that the pod is charged for now");
const POD_GPU: Metric = Metric::new("container_gpu_allocation", "GPUs that the pod is charged for now");
const CLUSTER: Metric = Metric::new("kubecost_cluster_info", "Name of the cluster, always 1");

/// The container that stands for all of a pod's.
const WHOLE_POD: &str = "__pod__";

/// The gauges.
#[derive(Debug)]
pub(super) struct OpenCostCollector {
    pub(super) snapshot: Arc<Snapshot>,
}

impl Collector for OpenCostCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.encode_nodes(encoder)?;
        self.encode_pods(encoder)?;
        let cluster = &*self.snapshot.cluster;
        CLUSTER.values(encoder, [([("id", cluster), ("name", cluster)], 1.0)])
    }
}

impl OpenCostCollector {
    fn encode_nodes(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let nodes = || self.snapshot.nodes.iter().filter(|view| view.price.is_some());
        let each = |value: fn(&NodeView) -> f64| nodes().map(move |view| (node_labels(view), value(view)));
        NODE_CPU.values(encoder, each(|v| per_unit(v.rates.cpu, v.node.capacity.cpu.cores())))?;
        NODE_RAM.values(encoder, each(|v| per_unit(v.rates.memory, v.node.capacity.memory.gib())))?;
        NODE_GPU.values(encoder, each(|v| per_unit(v.rates.gpu, v.node.capacity.gpu.devices())))?;
        NODE_GPUS.values(encoder, each(|v| v.node.capacity.gpu.devices()))?;
        NODE_TOTAL.values(encoder, each(|v| v.rates.total().usd_per_hour()))?;
        NODE_SPOT
            .values(encoder, each(|v| f64::from(u8::from(v.node.facts.capacity_type == CapacityType::Spot))))
    }

    fn encode_pods(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let pods = distinct(&self.snapshot.pods);
        let each =
            |value: fn(Resources) -> f64| pods.iter().map(move |(pod, sum)| (pod_labels(pod), value(*sum)));
        POD_CPU.values(encoder, each(|charge| charge.cpu.cores()))?;
        POD_MEMORY.values(encoder, each(|charge| charge.memory.0 as f64))?;
        let with_gpu = pods.iter().filter(|(_, charge)| charge.gpu.0 > 0);
        POD_GPU.values(encoder, with_gpu.map(|(pod, charge)| (pod_labels(pod), charge.gpu.devices())))
    }
}

/// Pods by their labels, in their order: of two that have one name on one node, one after the other, the sum.
/// Prometheus refuses a scrape that says one thing twice.
fn distinct(pods: &[HeldPod]) -> Vec<(&HeldPod, Resources)> {
    fn labels(pod: &HeldPod) -> [&str; 3] {
        [&pod.holder.pod.namespace, &pod.holder.pod.name, &pod.holder.node.name]
    }
    let mut sorted: Vec<&HeldPod> = pods.iter().collect();
    sorted.sort_by(|a, b| labels(a).cmp(&labels(b)));
    let mut out: Vec<(&HeldPod, Resources)> = Vec::with_capacity(pods.len());
    for pod in sorted {
        match out.last_mut() {
            Some((before, sum)) if labels(before) == labels(pod) => *sum += pod.charge,
            _ => out.push((pod, pod.charge)),
        }
    }
    out
}

fn node_labels(view: &NodeView) -> [(&'static str, &str); 6] {
    let (node, facts) = (&*view.node, &view.node.facts);
    [
        ("instance", &*node.name),
        ("node", &*node.name),
        ("instance_type", &*facts.instance_type),
        ("region", &*facts.region),
        ("provider_id", &*node.provider_id),
        ("arch", &*facts.arch),
    ]
}

fn pod_labels(view: &HeldPod) -> [(&'static str, &str); 5] {
    [
        ("namespace", &*view.holder.pod.namespace),
        ("pod", &*view.holder.pod.name),
        ("container", WHOLE_POD),
        ("instance", &*view.holder.node.name),
        ("node", &*view.holder.node.name),
    ]
}

fn per_unit(rate: Rate, units: f64) -> f64 {
    if units > 0.0 { rate.usd_per_hour() / units } else { 0.0 }
}
