//! Who holds a token, and what the cluster lets them do: the API server decides, by its own rules.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

use crate::reply::{Call, Reply};
use crate::{Cluster, ClusterError};

/// How long the API server may take; its own webhooks may be slow.
const PATIENCE: Duration = Duration::from_secs(10);

/// What somebody may do to a space: a verb on the virtual resource `spaces.nightcap.dev`, granted by RBAC like any
/// other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Wake it, or keep it awake.
    Wake,
    /// Put it to sleep.
    Sleep,
}

impl Verb {
    /// The verb as RBAC rules name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wake => "wake",
            Self::Sleep => "sleep",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who holds a token, as the API server says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Name, such as `ann@example.org` or `system:serviceaccount:ci:deployer`.
    #[serde(rename = "username")]
    pub name: String,
    /// UID; empty where the issuer knows none.
    pub uid: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Further attributes.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// Why somebody is not let in.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AccessError {
    /// The token is nobody's.
    #[error("the API server does not know this token: {0}")]
    Unauthenticated(String),
    /// The holder may not.
    #[error(
        "{user} may not {verb} spaces.nightcap.dev in the namespace {namespace:?}{reason}; \
         ask for a role with that verb"
    )]
    Forbidden {
        /// Who.
        user: String,
        /// What.
        verb: Verb,
        /// Where.
        namespace: String,
        /// The API server's reason, with a leading `: `, or nothing.
        reason: String,
    },
    /// The API server could not be asked.
    #[error("the token cannot be checked: {0}")]
    Unavailable(#[from] ClusterError),
}

#[derive(Deserialize)]
struct Review<T> {
    status: T,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenStatus {
    authenticated: bool,
    user: User,
    error: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AccessStatus {
    allowed: bool,
    reason: String,
}

impl Cluster {
    /// Who holds this token.
    pub async fn identify(&self, token: &str) -> Result<User, AccessError> {
        let status: TokenStatus = self.review(&token_review(token)).await?;
        if status.authenticated {
            return Ok(status.user);
        }
        let reason =
            if status.error.is_empty() { "it is expired or was never issued" } else { &status.error };
        Err(AccessError::Unauthenticated(reason.to_owned()))
    }

    /// Who holds this token, if they may do this to the spaces of this namespace.
    pub async fn authorize(&self, token: &str, verb: Verb, namespace: &str) -> Result<User, AccessError> {
        let user = self.identify(token).await?;
        let status: AccessStatus = self.review(&access_review(&user, verb, namespace)).await?;
        if status.allowed {
            return Ok(user);
        }
        let reason = if status.reason.is_empty() { String::new() } else { format!(": {}", status.reason) };
        Err(AccessError::Forbidden { user: user.name, verb, namespace: namespace.to_owned(), reason })
    }

    async fn review<T: for<'de> Deserialize<'de>>(&self, call: &Call) -> Result<T, ClusterError> {
        let reply = self.call(call, PATIENCE).await?;
        read(&reply)
    }
}

fn read<T: for<'de> Deserialize<'de>>(reply: &Reply) -> Result<T, ClusterError> {
    if !reply.status.is_success() {
        return Err(ClusterError::Answered { code: reply.status.as_u16(), message: reply.words() });
    }
    let review: Review<T> = serde_json::from_slice(&reply.body)
        .map_err(|error| ClusterError::Unreachable(format!("its answer cannot be read: {error}")))?;
    Ok(review.status)
}

fn token_review(token: &str) -> Call {
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": { "token": token },
    });
    Call::create("/apis/authentication.k8s.io/v1/tokenreviews", body)
}

fn access_review(user: &User, verb: Verb, namespace: &str) -> Call {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user.name,
            "uid": user.uid,
            "groups": user.groups,
            "extra": user.extra,
            "resourceAttributes": {
                "group": "nightcap.dev",
                "version": "*",
                "resource": "spaces",
                "verb": verb.name(),
                "namespace": namespace,
            },
        },
    });
    Call::create("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::server::{Answer, scripted};

    fn known() -> Answer {
        let user = json!({
            "username": "ann", "uid": "7", "groups": ["dev", "system:authenticated"], "extra": { "scope": ["x"] },
        });
        Answer::json(201, &json!({ "status": { "authenticated": true, "user": user } }))
    }

    fn ann() -> User {
        User {
            name: "ann".to_owned(),
            uid: "7".to_owned(),
            groups: vec!["dev".to_owned(), "system:authenticated".to_owned()],
            extra: [("scope".to_owned(), vec!["x".to_owned()])].into(),
        }
    }

    fn review(status: &Value) -> Answer {
        Answer::json(201, &json!({ "status": status }))
    }

    #[tokio::test]
    async fn holder_with_the_right_is_let_in() {
        let (cluster, log) = scripted([known(), review(&json!({ "allowed": true, "reason": "RBAC" }))]);
        assert_eq!(cluster.authorize("t0ken", Verb::Wake, "pay").await, Ok(ann()));
        let asked = log.all();
        let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
        assert_eq!(
            lines,
            [
                "POST /apis/authentication.k8s.io/v1/tokenreviews",
                "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"
            ]
        );
        assert_eq!(asked[0].body["spec"], json!({ "token": "t0ken" }));
        let spec = json!({
            "user": "ann",
            "uid": "7",
            "groups": ["dev", "system:authenticated"],
            "extra": { "scope": ["x"] },
            "resourceAttributes": {
                "group": "nightcap.dev", "version": "*", "resource": "spaces", "verb": "wake", "namespace": "pay",
            },
        });
        assert_eq!(asked[1].body["spec"], spec);
    }

    #[tokio::test]
    async fn holder_without_the_right_is_told_which() {
        let (cluster, _) = scripted([known(), review(&json!({ "allowed": false, "reason": "no role" }))]);
        let error = cluster.authorize("t0ken", Verb::Sleep, "pay").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "ann may not sleep spaces.nightcap.dev in the namespace \"pay\": no role; ask for a role with that verb"
        );
    }

    #[tokio::test]
    async fn unknown_token_is_asked_about_once() {
        for (status, reason) in [
            (json!({ "user": {} }), "it is expired or was never issued"),
            (json!({ "authenticated": false, "error": "token expired" }), "token expired"),
        ] {
            let (cluster, log) = scripted([review(&status)]);
            let error = cluster.authorize("old", Verb::Wake, "pay").await;
            assert_eq!(error, Err(AccessError::Unauthenticated(reason.to_owned())));
            assert_eq!(log.all().len(), 1);
        }
    }

    #[tokio::test]
    async fn doubt_is_no() {
        let (cluster, _) = scripted([known(), Answer::failure(403, "nightcap may not create reviews")]);
        let answered =
            ClusterError::Answered { code: 403, message: "nightcap may not create reviews".to_owned() };
        assert_eq!(
            cluster.authorize("t0ken", Verb::Wake, "pay").await,
            Err(AccessError::Unavailable(answered))
        );
        let (cluster, _) = scripted([known(), Answer::json(201, &json!({}))]);
        let unread = cluster.authorize("t0ken", Verb::Wake, "pay").await;
        assert!(matches!(unread, Err(AccessError::Unavailable(ClusterError::Unreachable(_)))), "{unread:?}");
    }
}
