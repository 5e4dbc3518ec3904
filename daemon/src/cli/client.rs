//! The daemon as its clients see it: texts over HTTP, and errors in words.

use std::error::Error as _;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::reach::Way;
use super::table::plain;
use crate::api::ErrorReport;

/// A question over 30 days of a large cluster takes a second; more than this is a daemon that hangs.
const PATIENCE: Duration = Duration::from_mins(1);
/// A host that does not answer at all is told apart sooner.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A daemon that was found.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    way: Way,
    token: Option<String>,
}

impl Client {
    /// A client of this server. The token goes with everything that is asked.
    pub(super) fn new(server: &str, way: Way, token: Option<String>) -> Result<Self, Failure> {
        let base = address(server)?;
        let builder = reqwest::Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_PATIENCE)
            .user_agent(concat!("nightcap/", env!("CARGO_PKG_VERSION")));
        // A proxy knows nothing of this machine's own ports.
        let builder = if is_loopback(&base) { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| Failure::failed(format!("cannot use HTTP: {error}")))?;
        Ok(Self { http, base, way, token: token.filter(|token| !token.is_empty()) })
    }

    /// Which daemon this is, where the user has not said it.
    pub(super) fn found(&self) -> Option<String> {
        match &self.way {
            Way::Named | Way::Folder(_) => None,
            Way::Local => Some(format!("the daemon on this machine, {}", self.place())),
            Way::Pod { pod, .. } => Some(format!("the pod {pod}, by a port-forward")),
        }
    }

    /// Where the daemon is.
    fn place(&self) -> String {
        match &self.way {
            Way::Folder(folder) => format!("the history in {}", folder.display()),
            Way::Named | Way::Local => self.base.as_str().trim_end_matches('/').to_owned(),
            Way::Pod { pod, .. } => format!("the pod {pod}"),
        }
    }

    /// Whether a token that the user has not given for this server may be sent to it: only to one the user has named,
    /// and only where nobody can read along; or to a pod in the namespace that is Nightcap's.
    pub(super) fn trusts_kubeconfig_token(&self) -> bool {
        self.token.is_none()
            && match &self.way {
                Way::Named => self.base.scheme() == "https" || is_loopback(&self.base),
                Way::Local | Way::Folder(_) => false,
                Way::Pod { pod, .. } => !pod.by_label_only,
            }
    }

    /// Refuses to act through a pod that may be anybody's.
    pub(super) fn check_may_act(&self) -> Result<(), Failure> {
        match &self.way {
            Way::Pod { pod, .. } if pod.by_label_only => Err(Failure::failed(format!(
                "the pod {pod} was found by its label alone, which proves nothing, so that no token is sent to it\n\
                 if it is your daemon, say so with --namespace {} or NIGHTCAP_NAMESPACE",
                pod.namespace
            ))),
            _ => Ok(()),
        }
    }

    /// Uses this token from now on.
    pub(super) fn set_token(&mut self, token: String) {
        self.token = Some(token);
    }

    /// Reads below `/api/v1`.
    pub(super) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<String, Failure> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.http.request(Method::GET, url)).await
    }

    /// The same, where the answer is no text.
    pub(super) async fn get_bytes(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<u8>, Failure> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        self.send_for_bytes(self.http.request(Method::GET, url)).await
    }

    /// Acts below `/api/v1`.
    pub(super) async fn post(&self, path: &[&str], body: String) -> Result<String, Failure> {
        let request = self.http.request(Method::POST, self.url(path));
        self.send(request.header("content-type", "application/json").body(body)).await
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // `address` has refused what cannot be a base.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<String, Failure> {
        let body = self.send_for_bytes(request).await?;
        String::from_utf8(body)
            .map_err(|_| Failure::failed(format!("{} answers what is no text", self.place())))
    }

    async fn send_for_bytes(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            Ok(body.into())
        } else {
            Err(self.refused(status, &String::from_utf8_lossy(&body)))
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let place = self.place();
        if error.is_timeout() && !error.is_connect() {
            return Failure::failed(format!(
                "the daemon at {place} did not answer within {} s: look at its log",
                PATIENCE.as_secs()
            ));
        }
        let cause = last_cause(error);
        if let Way::Pod { pod, forward } = &self.way {
            return Failure::failed(format!(
                "the daemon in {place} does not answer ({})\n\
                 look at its log: kubectl -n {} logs {}",
                forward.trouble().unwrap_or(cause),
                pod.namespace,
                pod.name
            ));
        }
        Failure::failed(format!(
            "no daemon answers at {place} ({cause})\n\
             start one with `nightcap run` or `nightcap demo`, or say where it is with --server URL or NIGHTCAP_SERVER;\n\
             without them the one in the cluster of the kubeconfig is found by itself"
        ))
    }

    fn refused(&self, status: StatusCode, body: &str) -> Failure {
        let message = match serde_json::from_str::<ErrorReport>(body) {
            Ok(ErrorReport { error }) => {
                let value = error.value.filter(|value| !error.message.contains(value.as_str()));
                let value = value.map(|value| format!(": {value:?}")).unwrap_or_default();
                let hint = error.hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
                plain_lines(&format!("{}{value}{hint}", error.message))
            }
            Err(_) => {
                let check = match &self.way {
                    Way::Pod { .. } => "say where it runs with --namespace or --server",
                    Way::Named | Way::Local | Way::Folder(_) => "check --server or NIGHTCAP_SERVER",
                };
                return Failure::failed(format!(
                    "{} answers {status}, which is no answer of Nightcap: {check}",
                    self.place()
                ));
            }
        };
        let message = match status {
            StatusCode::UNAUTHORIZED if self.token.is_none() => format!("{message}\n{}", self.token_hint()),
            _ => message,
        };
        // Whoever has not said which one it is may have meant another.
        let by = self.found().map(|found| format!("\nanswered by {found}")).unwrap_or_default();
        match status {
            // The value that was given is wrong, not the daemon.
            StatusCode::BAD_REQUEST => Failure::usage(message + &by),
            _ => Failure::failed(message + &by),
        }
    }

    fn token_hint(&self) -> String {
        let give = "give a token with --token or NIGHTCAP_TOKEN, e.g. from `kubectl create token NAME`";
        match &self.way {
            Way::Local => {
                format!("{give}; to send it the kubeconfig's, name it with --server {}", self.place())
            }
            Way::Pod { pod, .. } if pod.by_label_only => {
                format!("to send it a token, say that it is your daemon with --namespace {}", pod.namespace)
            }
            Way::Named | Way::Folder(_) | Way::Pod { .. } => give.to_owned(),
        }
    }
}

/// Reads an answer.
pub(super) fn parse<T: DeserializeOwned>(body: &str) -> Result<T, Failure> {
    serde_json::from_str(body).map_err(|error| {
        Failure::failed(format!(
            "the daemon's answer cannot be read ({error}): use a command line of the daemon's version, \
             which `nightcap status -o json` shows; this one is {}",
            env!("CARGO_PKG_VERSION")
        ))
    })
}

fn address(text: &str) -> Result<Url, Failure> {
    let text = text.trim();
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    Url::parse(&full)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Failure::usage(format!(
                "--server {text:?} is no address: write e.g. http://127.0.0.1:9095 or https://nightcap.example.com"
            ))
        })
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Without what would steer the terminal; what is said may repeat a name that users gave.
fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// The innermost cause: `reqwest` wraps what the system says several times.
pub(super) fn last_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(server: &str) -> Client {
        Client::new(server, Way::Named, None).unwrap()
    }

    #[test]
    fn names_are_one_segment_each() {
        let url = client("example.com/nightcap/").url(&["spaces", "a/../b?c", "sleep"]);
        assert_eq!(url.as_str(), "http://example.com/nightcap/api/v1/spaces/a%2F..%2Fb%3Fc/sleep");
        let url = client("https://[::1]:9095").url(&["status"]);
        assert_eq!(url.as_str(), "https://[::1]:9095/api/v1/status");
    }

    #[test]
    fn a_server_that_is_no_address_is_named() {
        for text in ["ftp://x", "http://", "a b", "unix:///run/x"] {
            let message = Client::new(text, Way::Named, None).unwrap_err().to_string();
            assert!(message.starts_with(&format!("--server {text:?} is no address")), "{message}");
        }
    }

    #[test]
    fn the_kubeconfigs_token_goes_only_where_it_is_safe() {
        for (server, expected) in [
            ("https://nightcap.example.com", true),
            ("http://nightcap.example.com", false),
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", true),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(client(server).trusts_kubeconfig_token(), expected, "{server}");
        }
        let given = Client::new("https://nightcap.example.com", Way::Named, Some("t".to_owned())).unwrap();
        assert!(!given.trusts_kubeconfig_token(), "the one that was given goes first");
        let unnamed = Client::new("127.0.0.1:9095", Way::Local, None).unwrap();
        assert!(!unnamed.trusts_kubeconfig_token());
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let body = r#"{"error":{"code":"bad-window","message":"\"7x\" is no window","value":"7x","hint":"use e.g. 7d"}}"#;
        let failure = client("x").refused(StatusCode::BAD_REQUEST, body);
        assert_eq!(failure.to_string(), "\"7x\" is no window\nuse e.g. 7d");
        let body = r#"{"error":{"code":"bad-value","message":"by cannot be that","value":"moon"}}"#;
        let failure = client("x").refused(StatusCode::BAD_REQUEST, body);
        assert_eq!(failure.to_string(), "by cannot be that: \"moon\"");
        assert_eq!(failure.exit_code(), std::process::ExitCode::from(2));
        let local = Client::new("127.0.0.1:9095", Way::Local, None).unwrap();
        let body = r#"{"error":{"code":"no-token","message":"an act needs a token"}}"#;
        assert_eq!(
            local.refused(StatusCode::UNAUTHORIZED, body).to_string(),
            "an act needs a token\n\
             give a token with --token or NIGHTCAP_TOKEN, e.g. from `kubectl create token NAME`; \
             to send it the kubeconfig's, name it with --server http://127.0.0.1:9095\n\
             answered by the daemon on this machine, http://127.0.0.1:9095"
        );
        let failure = client("x").refused(StatusCode::BAD_GATEWAY, "<html>");
        assert_eq!(
            failure.to_string(),
            "http://x answers 502 Bad Gateway, which is no answer of Nightcap: check --server or NIGHTCAP_SERVER"
        );
    }
}
