//! The only user of kube: objects in, events out; actions in, patches out.
//!
//! Nothing of kube or `k8s_openapi` shows in what this crate gives: it speaks in the records, events and actions of
//! the core, so that the daemon runs a real cluster and a simulated one through the same door.
//!
//! * [`Cluster`] is a connection; [`Cluster::connect`] finds it.
//! * [`watch`] turns watches into events, [`run_usage`] turns the metrics API into events.
//! * [`Performer`] turns actions into writes, and their outcomes into events.
//! * [`Cluster::list`] and [`Cluster::apply`] do both once, for a command line without a daemon.
//! * [`Cluster::find_daemon`] and [`Cluster::forward`] lead a command line to the daemon's pod.
//! * [`lead`] stands for the Lease that says who acts.
//! * [`Cluster::identify`] and [`Cluster::authorize`] ask the API server who holds a token, and what it allows.
//!
//! The crate reads no clock: `now` comes from the daemon ([`Now`]).

mod access;
mod act;
mod connect;
mod convert;
mod crd;
mod direct;
mod error;
mod forward;
mod lease;
mod reply;
mod usage;
mod watch;

#[cfg(test)]
mod server;

use std::sync::Arc;

use futures::future::BoxFuture;
use nightcap_core::engine::Event;
use nightcap_core::units::Instant;

pub use access::{AccessError, User, Verb};
pub use act::{ActSettings, Performer};
pub use connect::Cluster;
pub use convert::{KeepKeys, Unreadable};
pub use crd::{Definition, definitions};
pub use direct::Listing;
pub use error::ClusterError;
pub use forward::{DaemonPod, Everywhere, Forward, ForwardError, NAMESPACE};
pub use lease::{LeaseSettings, lead};
pub use usage::run_usage;
pub use watch::watch;

/// Where the time comes from: the daemon's clock.
pub type Now = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Where events go: the engine's queue. The future it gives ends when the queue has taken the event.
pub type Sink = Arc<dyn Fn(Event) -> BoxFuture<'static, ()> + Send + Sync>;
