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
            other => Self::Unreachable(words(&other)),
        }
    }
}

/// What happened on the way to the API server and back.
pub(crate) fn words(error: &kube::Error) -> String {
    match error {
        // That it came from kube's stack of services tells nobody anything.
        kube::Error::Service(inner) => whole(&**inner),
        other => whole(other),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_said_once_and_none_is_left_out() {
        #[derive(Debug, Error)]
        #[error("client error (Connect)")]
        struct Outer(#[source] std::io::Error);
        let refused = || Outer(std::io::Error::other("connection refused"));
        let error = ClusterError::from(kube::Error::Service(Box::new(refused())));
        assert_eq!(
            error.to_string(),
            "the API server cannot be reached: client error (Connect): connection refused"
        );
        let told_before = kube::Error::ReadEvents(std::io::Error::other("reset"));
        assert_eq!(words(&told_before), "Error reading events stream: reset");
    }

    #[test]
    fn answer_is_given_in_the_api_servers_words() {
        let status = |message: &str| {
            let status = kube::core::Status {
                code: 403,
                message: message.to_owned(),
                reason: "Forbidden".to_owned(),
                ..kube::core::Status::default()
            };
            ClusterError::from(kube::Error::Api(Box::new(status))).to_string()
        };
        assert_eq!(status("pods is forbidden"), "the API server answers 403: pods is forbidden");
        assert_eq!(status(""), "the API server answers 403: Forbidden");
    }
}
