//! A real Kubernetes control plane on this machine, and what integration tests need around it.
//!
//! [`ControlPlane::start`] runs etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, whose fake nodes
//! make pods Running without running anything, and on request metrics-server. The programs are built from Go modules on
//! first use (some fifteen minutes on two cores) and kept under `target/control-plane`; from then on a control plane is up
//! in seconds. Around it: [`objects`] builds nodes, namespaces and workloads, [`wait`] waits for conditions, [`Daemon`]
//! runs the program under test, [`Prometheus`] scrapes it, [`OpenCostClients`] read it as
//! `OpenCost`.
//!
//! Whatever is started ends with the test: when the value is dropped, when the test panics, and also when the test process
//! is killed, because every child has asked the kernel to be killed with its parent.

pub mod binaries;
mod certificates;
mod control_plane;
mod daemon;
mod events;
pub mod exact;
mod exposition;
mod folder;
pub mod objects;
mod opencost_clients;
mod ports;
mod process;
mod prometheus;
mod proxy;
mod random;
pub mod wait;
mod workloads;

pub use control_plane::{ControlPlane, Options};
pub use daemon::{Answer, Daemon, DaemonOptions, binary};
pub use events::{Announcement, events_of};
pub use exposition::{Exposition, Line};
pub use opencost_clients::{Mcp, OpenCostClients};
pub use process::is_running;
pub use prometheus::{Prometheus, PrometheusOptions, Sample, promtool_check_metrics, promtool_check_rules};
pub use proxy::{FaultCounts, Faults, FaultyProxy};
pub use random::Random;
pub use workloads::{History, Version, Workload, until_workloads, workloads};

use std::path::PathBuf;

/// The root of the workspace, where `Cargo.toml` and `target` are.
pub fn workspace() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map_or(package.clone(), PathBuf::from)
}
