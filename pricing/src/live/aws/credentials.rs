//! Where AWS credentials come from: variables, a web identity (IRSA), or the agent of EKS Pod Identity.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use nightcap_core::units::{Instant, Millis};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::live::xml::Items;
use crate::live::{Http, LiveError, Secret};

/// Renewed so long before they end.
const MARGIN: Millis = Millis::from_minutes(5);
/// Hosts to which the agent's token may be sent without TLS: EKS, ECS, this machine.
const AGENTS: [&str; 5] = ["169.254.170.23", "[fd00:ec2::23]", "169.254.170.2", "127.0.0.1", "localhost"];

/// A key and what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The key's name.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// Of temporary credentials.
    pub session_token: Option<Secret>,
    /// When they end; none for those that do not.
    pub expires: Option<Instant>,
}

/// Where they come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// `AWS_ACCESS_KEY_ID` and its companions.
    Given(Credentials),
    /// IRSA: the pod's own token is exchanged for a role.
    WebIdentity {
        /// `AWS_ROLE_ARN`.
        role: String,
        /// `AWS_WEB_IDENTITY_TOKEN_FILE`.
        token_file: PathBuf,
        /// `AWS_ROLE_SESSION_NAME`, else `nightcap`.
        session: String,
        /// Where.
        sts_url: String,
    },
    /// EKS Pod Identity: the node's agent is asked.
    Agent {
        /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
        uri: String,
        /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
        token_file: Option<PathBuf>,
    },
}

impl Origin {
    /// The first that the environment names, in the order of AWS's own libraries.
    ///
    /// `sts_url` may hold `{region}`, for which `AWS_REGION` stands, else `region`.
    pub fn find(
        variable: impl Fn(&str) -> Option<String>,
        sts_url: &str,
        region: &str,
    ) -> Result<Self, LiveError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let (Some(id), Some(key)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            return Ok(Self::Given(Credentials {
                access_key_id: id,
                secret_access_key: Secret::new(key),
                session_token: variable("AWS_SESSION_TOKEN").map(Secret::new),
                expires: None,
            }));
        }
        if let (Some(role), Some(file)) = (variable("AWS_ROLE_ARN"), variable("AWS_WEB_IDENTITY_TOKEN_FILE"))
        {
            let named = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
            return Ok(Self::WebIdentity {
                role,
                token_file: file.into(),
                session: variable("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "nightcap".to_owned()),
                sts_url: sts_url.replace("{region}", named.as_deref().unwrap_or(region)),
            });
        }
        if let Some(uri) = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            may_have_token(&uri)?;
            let token_file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from);
            return Ok(Self::Agent { uri, token_file });
        }
        Err(LiveError::Credentials(
            "neither AWS_ACCESS_KEY_ID, nor AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE (IRSA), nor \
             AWS_CONTAINER_CREDENTIALS_FULL_URI (EKS Pod Identity) is set; give the service account a role, or use \
             `mode: bulk` and `spot: false`"
                .to_owned(),
        ))
    }
}

/// A token is not sent to just anybody a variable names.
fn may_have_token(uri: &str) -> Result<(), LiveError> {
    let host = uri.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or_default());
    let known = host.is_some_and(|host| {
        AGENTS.iter().any(|agent| {
            host.strip_prefix(agent).is_some_and(|port| port.is_empty() || port.starts_with(':'))
        })
    });
    if known || uri.starts_with("https://") {
        return Ok(());
    }
    Err(LiveError::Credentials(format!(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI is {uri:?}: a token is sent to the agent of EKS or ECS, to this machine, \
         or over https:// only"
    )))
}

/// Credentials that renew themselves.
#[derive(Clone)]
pub struct CredentialSource {
    origin: Arc<Origin>,
    http: Http,
    known: Arc<Mutex<Option<Credentials>>>,
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialSource").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl CredentialSource {
    /// Of this origin.
    pub fn new(origin: Origin, http: Http) -> Self {
        Self { origin: Arc::new(origin), http, known: Arc::default() }
    }

    /// Credentials that hold for some minutes from `now`.
    pub async fn get(&self, now: Instant) -> Result<Credentials, LiveError> {
        let mut known = self.known.lock().await;
        let holds =
            |credentials: &&Credentials| credentials.expires.is_none_or(|end| end.since(now) > MARGIN);
        if let Some(credentials) = known.as_ref().filter(holds) {
            return Ok(credentials.clone());
        }
        let credentials = match &*self.origin {
            Origin::Given(credentials) => credentials.clone(),
            Origin::WebIdentity { role, token_file, session, sts_url } => {
                self.by_web_identity(role, token_file, session, sts_url).await?
            }
            Origin::Agent { uri, token_file } => self.by_agent(uri, token_file.as_deref()).await?,
        };
        *known = Some(credentials.clone());
        Ok(credentials)
    }

    /// One call without a signature: the token proves who asks.
    async fn by_web_identity(
        &self,
        role: &str,
        token_file: &Path,
        session: &str,
        sts_url: &str,
    ) -> Result<Credentials, LiveError> {
        let token = read_token(token_file).await?;
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session),
            ("WebIdentityToken", token.reveal()),
        ];
        // In the body, so that the token is in nobody's log of URLs.
        let request =
            || -> BoxFuture<'_, _> { Box::pin(ready(Ok(self.http.client().post(sts_url).form(&form)))) };
        let body = self.http.text(&request, |body| body.contains("IDPCommunicationError")).await?;
        from_sts(&body)
    }

    async fn by_agent(&self, uri: &str, token_file: Option<&Path>) -> Result<Credentials, LiveError> {
        // Read each time: the kubelet renews the file.
        let token = match token_file {
            Some(file) => Some(read_token(file).await?),
            None => None,
        };
        let request = || -> BoxFuture<'_, _> {
            let request = self.http.client().get(uri);
            Box::pin(ready(Ok(match &token {
                Some(token) => request.header("authorization", token.reveal()),
                None => request,
            })))
        };
        let body = self.http.text(&request, |_| false).await?;
        from_agent(&body)
    }
}

async fn read_token(file: &Path) -> Result<Secret, LiveError> {
    let path = file.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    let text =
        read.map_err(|error| error.to_string()).and_then(|text| text.map_err(|error| error.to_string()));
    text.map(|text| Secret::new(text.trim()))
        .map_err(|error| LiveError::Credentials(format!("cannot read the token {}: {error}", file.display())))
}

/// The answer of `AssumeRoleWithWebIdentity`.
pub fn from_sts(xml: &str) -> Result<Credentials, LiveError> {
    let answer = Items::read(xml, "AssumeRoleWithWebIdentityResponse", "Credentials")
        .map_err(|problem| LiveError::broken("the answer of AssumeRoleWithWebIdentity", problem))?;
    let fields = answer.items.first();
    let field = |name: &str| fields.and_then(|fields| fields.get(name)).cloned().unwrap_or_default();
    temporary(&field("AccessKeyId"), &field("SecretAccessKey"), &field("SessionToken"), &field("Expiration"))
}

/// The answer of the agent.
pub fn from_agent(body: &str) -> Result<Credentials, LiveError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        access_key_id: String,
        secret_access_key: String,
        token: String,
        expiration: String,
    }
    // serde's errors may quote what they read, so only the place is told.
    let answer: Answer = serde_json::from_str(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        LiveError::broken("the answer of the credentials agent", place)
    })?;
    temporary(&answer.access_key_id, &answer.secret_access_key, &answer.token, &answer.expiration)
}

fn temporary(id: &str, key: &str, token: &str, expiration: &str) -> Result<Credentials, LiveError> {
    let expires = chrono::DateTime::parse_from_rfc3339(expiration).map(|time| time.to_utc().into());
    match expires {
        Ok(expires) if !id.is_empty() && !key.is_empty() => Ok(Credentials {
            access_key_id: id.to_owned(),
            secret_access_key: Secret::new(key),
            session_token: Some(token).filter(|token| !token.is_empty()).map(Secret::new),
            expires: Some(expires),
        }),
        Ok(_) => Err(LiveError::Credentials("the answer holds no key".to_owned())),
        Err(_) => {
            Err(LiveError::Credentials(format!("the answer's expiration {expiration:?} is no instant")))
        }
    }
}
