//! What the engine wants done. An adapter turns each into one write; the answer comes back as an event.

use std::sync::Arc;

use super::BudgetReport;
use crate::cluster::WorkloadKey;
use crate::sleep::policy::PolicyReport;
use crate::sleep::{AnnotationPatch, WorkloadPatch};

/// Numbers an action within one life of the daemon.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ActionId(pub u64);

/// How serious a Kubernetes Event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// For information.
    Normal,
    /// Somebody should look.
    Warning,
}

/// What an Event is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Subject {
    /// A namespace.
    Namespace {
        /// Name.
        name: Arc<str>,
        /// UID.
        uid: Arc<str>,
    },
    /// A workload.
    Workload {
        /// Namespace, kind and name.
        key: WorkloadKey,
        /// UID.
        uid: Arc<str>,
    },
    /// A budget.
    Budget {
        /// Name.
        name: Arc<str>,
        /// UID.
        uid: Arc<str>,
    },
    /// A sleep policy.
    SleepPolicy {
        /// Name.
        name: Arc<str>,
        /// UID.
        uid: Arc<str>,
    },
    /// A node.
    Node {
        /// Name.
        name: Arc<str>,
        /// UID.
        uid: Arc<str>,
    },
}

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Patch a workload.
    Workload {
        /// Comes back in [`super::Event::Ended`].
        id: ActionId,
        /// The patch.
        patch: WorkloadPatch,
    },
    /// Patch a namespace's annotations.
    Namespace {
        /// Comes back in [`super::Event::Ended`].
        id: ActionId,
        /// The namespace.
        name: Arc<str>,
        /// Its UID.
        uid: Arc<str>,
        /// The annotations.
        annotations: AnnotationPatch,
    },
    /// Delete a pod that a vCluster has synced to the host, after its control plane sleeps; nobody else would. Its own
    /// controllers make it again once the vCluster is awake.
    DeletePod {
        /// Comes back in [`super::Event::Ended`].
        id: ActionId,
        /// Namespace of the pod.
        namespace: Arc<str>,
        /// Name of the pod.
        name: Arc<str>,
        /// Its UID: no other pod of the name is meant.
        uid: Arc<str>,
        /// The vCluster.
        vcluster: Arc<str>,
    },
    /// Write the status of a budget.
    BudgetStatus {
        /// Comes back in [`super::Event::Ended`].
        id: ActionId,
        /// The budget.
        name: Arc<str>,
        /// Its UID.
        uid: Arc<str>,
        /// What is said of it.
        report: Box<BudgetReport>,
    },
    /// Write the status of a sleep policy.
    PolicyStatus {
        /// Comes back in [`super::Event::Ended`].
        id: ActionId,
        /// The policy.
        name: Arc<str>,
        /// Its UID.
        uid: Arc<str>,
        /// What is said of it.
        report: Box<PolicyReport>,
    },
    /// Publish a Kubernetes Event. Nothing comes back; a lost Event is no harm.
    Announce {
        /// What it is about.
        subject: Subject,
        /// How serious.
        severity: Severity,
        /// `CamelCase` reason, such as `Slept`.
        reason: &'static str,
        /// One sentence for people.
        note: Arc<str>,
    },
}
