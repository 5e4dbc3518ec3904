//! What goes wrong between us and the API server, in words for people.

use thiserror::Error;

/// A request that was not answered as asked.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ClusterError {
    /// No way to a cluster was found, or the one found cannot be used.
    #[error(
        "no cluster: {0}; name a kubeconfig with --kubeconfig or KUBECONFIG, or run inside a cluster with a \
         service account"
    )]
    NoCluster(String),
    /// The API server said no.
    #[error("the API server answers {code}: {message}")]
    Answered {
        /// HTTP status code.
        code: u16,
        /// Its words.
        message: String,
    },
    /// The API server could not be reached, or its answer not be read.
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
}

impl ClusterError {
    /// Whether the API server says that there is no such thing.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Answered { code: 404, .. })
    }
}

impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let message = if status.message.is_empty() { &status.reason } else { &status.message };
                Self::Answered { code: status.code, message: message.clone() }
            }
            other => Self::Unreachable(whole(&other)),
        }
    }
}

/// The error with its causes, each said once: some errors print their sources, some do not.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}
