//! Who may act: asked for every act, never for reading.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use thiserror::Error;

/// What somebody wants to do with a space. Keeping it awake counts as waking it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verb {
    /// Wake it, or keep it awake.
    Wake,
    /// Put it to sleep.
    Sleep,
}

impl fmt::Display for Verb {
    /// The verb of the access review.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wake => "wake",
            Self::Sleep => "sleep",
        })
    }
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The name that marks and events show.
    pub name: Arc<str>,
}

/// Why somebody may not act.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AccessError {
    /// No token came along.
    #[error("an act needs a token")]
    NoToken,
    /// The token is not known, or has expired.
    #[error("the token is not valid: {reason}")]
    InvalidToken {
        /// What the API server says.
        reason: String,
    },
    /// The person is known, but has no right to this.
    #[error("{user} may not {verb} spaces in namespace {namespace:?}")]
    Forbidden {
        /// Who.
        user: Arc<str>,
        /// What.
        verb: Verb,
        /// Where.
        namespace: Arc<str>,
    },
    /// The API server, which knows, does not answer.
    #[error("rights cannot be checked now: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
}

/// Decides who may act.
pub trait Access: fmt::Debug + Send + Sync {
    /// Whether the bearer of `token` may do this in `namespace`, and who that is.
    fn authorize<'a>(
        &'a self,
        token: Option<&'a str>,
        verb: Verb,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<User, AccessError>>;
}

/// Everybody may do everything: for the demo, whose cluster is a simulated one.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAccess;

impl Access for OpenAccess {
    fn authorize<'a>(
        &'a self,
        _token: Option<&'a str>,
        _verb: Verb,
        _namespace: &'a str,
    ) -> BoxFuture<'a, Result<User, AccessError>> {
        Box::pin(std::future::ready(Ok(User { name: "anybody".into() })))
    }
}
