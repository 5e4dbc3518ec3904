//! What differs from kind to kind.

use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ReplicationController, Service,
};
use kube::Resource;
use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::Instant;
use serde::de::DeserializeOwned;

use crate::convert::{self, Reader, Unreadable};
use crate::crd::{Budget, SleepPolicy};

/// A kind of object that is watched.
pub(crate) trait Watched:
    Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static
{
    /// Its name in the core.
    const KIND: Kind;
    /// Whether the daemon is of use without it: then it does not wait for rights that it was not given.
    const OPTIONAL: bool = false;

    /// What none of these objects is, where the daemon may not see them.
    const FORGONE: &str = "on the bill";

    /// Whether it is a custom resource, which a cluster may not have: then it is looked for from time to time.
    const CUSTOM: bool = false;

    /// The event that tells of an object that is there.
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable>;

    /// Whether the core keeps a record of such an object.
    fn is_recorded(&self) -> bool {
        true
    }

    /// The event that tells that an object is gone.
    fn gone(uid: Arc<str>, at: Instant) -> Event;

    /// When an object that is gone ended.
    fn ended(&self, now: Instant) -> Instant {
        now
    }
}

impl Watched for Node {
    const KIND: Kind = Kind::Node;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::node(self, reader).map(Event::Node)
    }
    fn gone(uid: Arc<str>, at: Instant) -> Event {
        Event::NodeGone { uid, at }
    }
}

impl Watched for Namespace {
    const KIND: Kind = Kind::Namespace;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::namespace(self, reader).map(Event::Namespace)
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::NamespaceGone { uid }
    }
}

impl Watched for Pod {
    const KIND: Kind = Kind::Pod;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::pod(self, reader).map(Event::Pod)
    }
    fn gone(uid: Arc<str>, at: Instant) -> Event {
        Event::PodGone { uid, at }
    }
    fn ended(&self, now: Instant) -> Instant {
        convert::pod_ended(self, now)
    }
}

impl Watched for Deployment {
    const KIND: Kind = Kind::Deployment;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::deployment(self, reader).map(Event::Workload)
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::WorkloadGone { uid }
    }
}

impl Watched for StatefulSet {
    const KIND: Kind = Kind::StatefulSet;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::stateful_set(self, reader).map(Event::Workload)
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::WorkloadGone { uid }
    }
}

impl Watched for CronJob {
    const KIND: Kind = Kind::CronJob;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::cron_job(self, reader).map(Event::Workload)
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::WorkloadGone { uid }
    }
}

impl Watched for DaemonSet {
    const KIND: Kind = Kind::DaemonSet;
    const OPTIONAL: bool = true;
    const FORGONE: &str = "put to sleep";
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::daemon_set(self, reader).map(Event::Workload)
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::WorkloadGone { uid }
    }
}

impl Watched for ReplicaSet {
    const KIND: Kind = Kind::ReplicaSet;
    const OPTIONAL: bool = true;
    const FORGONE: &str = "put to sleep";
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::replica_set(self, reader).map(Event::Workload)
    }
    fn is_recorded(&self) -> bool {
        convert::stands_alone(&self.metadata)
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::WorkloadGone { uid }
    }
}

impl Watched for ReplicationController {
    const KIND: Kind = Kind::ReplicationController;
    const OPTIONAL: bool = true;
    const FORGONE: &str = "put to sleep";
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::replication_controller(self, reader).map(Event::Workload)
    }
    fn is_recorded(&self) -> bool {
        convert::stands_alone(&self.metadata)
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::WorkloadGone { uid }
    }
}

impl Watched for Job {
    const KIND: Kind = Kind::Job;
    const OPTIONAL: bool = true;
    const FORGONE: &str = "put to sleep";
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::job(self, reader).map(Event::Workload)
    }
    fn is_recorded(&self) -> bool {
        convert::stands_alone(&self.metadata) && !convert::job_has_ended(self)
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::WorkloadGone { uid }
    }
}

impl Watched for Budget {
    const KIND: Kind = Kind::Budget;
    const OPTIONAL: bool = true;
    const CUSTOM: bool = true;
    fn seen(&self, _reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::budget(self).map(|budget| Event::Budget(Box::new(budget)))
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::BudgetGone { uid }
    }
}

impl Watched for SleepPolicy {
    const KIND: Kind = Kind::SleepPolicy;
    const OPTIONAL: bool = true;
    const FORGONE: &str = "followed";
    const CUSTOM: bool = true;
    fn seen(&self, _reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::policy(self).map(|policy| Event::SleepPolicy(Box::new(policy)))
    }
    fn gone(uid: Arc<str>, _at: Instant) -> Event {
        Event::SleepPolicyGone { uid }
    }
}

impl Watched for PersistentVolume {
    const KIND: Kind = Kind::Volume;
    const OPTIONAL: bool = true;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::volume(self, reader).map(Event::Volume)
    }
    fn gone(uid: Arc<str>, at: Instant) -> Event {
        Event::VolumeGone { uid, at }
    }
}

impl Watched for PersistentVolumeClaim {
    const KIND: Kind = Kind::Claim;
    const OPTIONAL: bool = true;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::claim(self, reader).map(Event::Claim)
    }
    fn gone(uid: Arc<str>, at: Instant) -> Event {
        Event::ClaimGone { uid, at }
    }
}

impl Watched for Service {
    const KIND: Kind = Kind::Service;
    const OPTIONAL: bool = true;
    fn seen(&self, reader: &mut Reader) -> Result<Event, Unreadable> {
        convert::service(self, reader).map(Event::Service)
    }
    fn is_recorded(&self) -> bool {
        convert::is_load_balancer(self)
    }
    fn gone(uid: Arc<str>, at: Instant) -> Event {
        Event::ServiceGone { uid, at }
    }
}
