//! Why a provider gave no prices.

use std::path::PathBuf;

use thiserror::Error;

/// Why there are no new prices. What was known before stays in force.
#[derive(Debug, Error)]
pub enum LiveError {
    /// No answer at all.
    #[error("{url} does not answer: {problem}; check the base URL, the network and proxies")]
    Unreachable {
        /// Without its query, which may be long.
        url: String,
        /// What the connection said.
        problem: String,
    },
    /// An answer, but a refusal.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// Without its query.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the answer says of the reason, cut.
        message: String,
    },
    /// An answer that is no price list.
    #[error("{what} cannot be read: {problem}")]
    Broken {
        /// Which payload.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Credentials cannot be had.
    #[error("no AWS credentials: {0}")]
    Credentials(String),
    /// A setting does not fit.
    #[error("{0}")]
    Setting(String),
    /// The copy on disk cannot be read or written.
    #[error("{}: {problem}", path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it, and what happens.
        problem: String,
    },
}

impl LiveError {
    #[expect(clippy::needless_pass_by_value, reason = "errors are handed on where they end")]
    pub(crate) fn broken(what: impl Into<String>, problem: impl ToString) -> Self {
        Self::Broken { what: what.into(), problem: problem.to_string() }
    }
}
