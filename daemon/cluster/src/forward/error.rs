//! Why no way to a daemon's pod was found.

use thiserror::Error;

use super::{LABEL, NAMESPACE};
use crate::ClusterError;

/// Why there is no way to a daemon in a pod.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ForwardError {
    /// The pods could not be listed.
    #[error(
        "cannot look for its pod in the namespace {namespace:?}: {source}{}",
        rights(source, "list pods")
    )]
    List {
        /// Where.
        namespace: String,
        /// What the API server says.
        source: ClusterError,
    },
    /// There is no pod of it.
    #[error("no pod has the label {LABEL} {place}{}", elsewhere(*everywhere))]
    NoPod {
        /// Where was looked, in words.
        place: String,
        /// What looking into all namespaces gave.
        everywhere: Everywhere,
    },
    /// There are daemons in several namespaces, and none in the usual one.
    #[error(
        "no pod has the label {LABEL} in the namespace {NAMESPACE:?}, but those of several others have: {}; \
         choose one with --namespace",
        .0.join(", ")
    )]
    Several(Vec<String>),
    /// There is a pod, but it does not work.
    #[error("the pod {namespace}/{name} is not ready: {why}")]
    NotReady {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What its status says.
        why: String,
    },
    /// The API server gives no stream to the pod.
    #[error(
        "cannot forward to the port {port} of the pod {namespace}/{name}: {source}{}",
        rights(source, "get and create pods/portforward")
    )]
    Refused {
        /// The pod's namespace.
        namespace: String,
        /// The pod's name.
        name: String,
        /// The port.
        port: u16,
        /// What the API server says.
        source: ClusterError,
    },
    /// This machine gives no port to listen on.
    #[error("cannot listen on this machine for the port-forward: {0}")]
    Listen(String),
}

/// What looking into all namespaces gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Everywhere {
    /// Nothing either, or it was not asked for.
    Nothing,
    /// It is not allowed to this user.
    Forbidden,
}

const fn elsewhere(everywhere: Everywhere) -> &'static str {
    match everywhere {
        Everywhere::Nothing => "",
        Everywhere::Forbidden => {
            ", and those of all namespaces cannot be listed; where it runs elsewhere, say so with --namespace"
        }
    }
}

/// What to ask for, when it is rights that are missing.
fn rights(error: &ClusterError, what: &str) -> String {
    match error {
        ClusterError::Answered { code: 401 | 403, .. } => {
            format!(" (it takes the right to {what} in that namespace)")
        }
        _ => String::new(),
    }
}
