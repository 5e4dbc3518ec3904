//! A way to the daemon in the cluster for whoever has a kubeconfig: its pod is found, and a port of this machine leads
//! to it through the API server.

mod error;
mod find;
mod tunnel;

#[cfg(test)]
mod tests;

use std::fmt;

pub use error::{Everywhere, ForwardError};
pub use tunnel::Forward;

/// Where the daemon runs unless told otherwise.
pub const NAMESPACE: &str = "nightcap";
/// What its pods carry.
const LABEL: &str = "app.kubernetes.io/name=nightcap";
/// How its container calls the port.
const PORT_NAME: &str = "http";
/// The port of a container that calls none so.
const PORT: u16 = 9095;

/// A pod in which a daemon runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DaemonPod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub port: u16,
    /// Whether only its label speaks for it: it was found in a namespace that is neither the usual one nor the one that
    /// the user has named. Whoever may create a pod anywhere can label it so; it must not be shown a token.
    pub by_label_only: bool,
}

impl fmt::Display for DaemonPod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
