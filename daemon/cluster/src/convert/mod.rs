//! From Kubernetes objects to the records of the core: one file a kind, pure, compact.
//!
//! A record holds what the domain reads and nothing else; the object is dropped right after. What cannot be read is
//! an [`Unreadable`] that names the object and the value, and hurts nothing but that object.

mod budget;
mod claim;
mod cron_job;
mod daemon_set;
mod definition;
mod deployment;
mod fargate;
mod interner;
mod job;
mod keep;
mod meta;
mod namespace;
mod node;
mod operator;
mod owner;
mod pod;
mod policy;
mod quantities;
mod replica_set;
mod requests;
mod service;
mod stateful_set;
mod storage_class;
mod volume;
mod workload;

#[cfg(test)]
mod asset_tests;
#[cfg(test)]
mod operator_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vcluster_tests;
#[cfg(test)]
mod workload_tests;

use std::sync::Arc;

use nightcap_core::units::{Instant, QuantityError};
use thiserror::Error;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub(crate) use budget::budget;
pub(crate) use claim::claim;
pub(crate) use cron_job::cron_job;
pub(crate) use daemon_set::daemon_set;
pub(crate) use definition::{Served, SlimDefinition, served};
pub(crate) use deployment::deployment;
pub(crate) use interner::Interner;
pub(crate) use job::{job, job_has_ended};
pub use keep::KeepKeys;
pub(crate) use meta::{object_name, stands_alone};
pub(crate) use namespace::namespace;
pub(crate) use node::node;
pub(crate) use operator::operator_object;
pub(crate) use pod::{pod, pod_ended};
pub(crate) use policy::policy;
pub(crate) use quantities::resources_of;
pub(crate) use replica_set::{replica_set, replication_controller};
pub(crate) use service::{is_load_balancer, service};
pub(crate) use stateful_set::stateful_set;
pub(crate) use storage_class::{Classes, storage_class};
pub(crate) use volume::volume;

/// An object that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{object} cannot be read: {reason}")]
pub struct Unreadable {
    /// The object, as `namespace/name` or `name`.
    pub object: Arc<str>,
    /// What is wrong, with the value.
    pub reason: Arc<str>,
}

/// What conversions need besides the object: which keys are kept, and the strings seen before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader {
    /// Which labels and annotations somebody reads.
    pub(crate) keep: KeepKeys,
    /// Names that many objects share, each held once.
    pub(crate) names: Interner,
    /// The storage classes that are known; empty for who reads no volumes.
    pub(crate) classes: Arc<Classes>,
}

impl Reader {
    /// A reader that has seen nothing yet.
    pub(crate) fn new(keep: KeepKeys) -> Self {
        Self { keep, ..Self::default() }
    }
}

/// What is wrong within an object.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum ReadError {
    /// A field that every such object has.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A quantity that is none.
    #[error("{field}: {source}")]
    Quantity {
        /// Where it stands.
        field: String,
        /// What is wrong with it.
        source: QuantityError,
    },
    /// A count below zero.
    #[error("{field}: {value} is negative")]
    Negative {
        /// Where it stands.
        field: &'static str,
        /// The value.
        value: i32,
    },
}

/// An instant of Kubernetes as one of the core.
fn instant(time: &Time) -> Instant {
    Instant(time.0.as_millisecond())
}
