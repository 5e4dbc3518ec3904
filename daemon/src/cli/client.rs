//! The daemon as its clients see it: texts over HTTP, and errors in words.

use std::error::Error as _;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::args::Connection;
use super::failure::Failure;
use super::table::plain;
use crate::api::ErrorReport;
use crate::config::DEFAULT_LISTEN;

/// A question over 30 days of a large cluster takes a second; more than this is a daemon that hangs.
const PATIENCE: Duration = Duration::from_mins(1);
/// A host that does not answer at all is told apart sooner.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A way to the daemon.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    /// Whether the user named the server.
    named: bool,
    token: Option<String>,
}

impl Client {
    /// A client of the server that is named, else of the local one.
    pub(super) fn new(connection: &Connection) -> Result<Self, Failure> {
        let named = connection.server.as_deref().filter(|server| !server.trim().is_empty());
        let base = address(named.unwrap_or(DEFAULT_LISTEN))?;
        let builder = reqwest::Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_PATIENCE)
            .user_agent(concat!("nightcap/", env!("CARGO_PKG_VERSION")));
        // A proxy knows nothing of this machine's own ports.
        let builder = if is_loopback(&base) { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| Failure::failed(format!("cannot use HTTP: {error}")))?;
        let token = connection.token.clone().filter(|token| !token.is_empty());
        Ok(Self { http, base, named: named.is_some(), token })
    }

    /// Whether a token that the user has not given for this server may be sent to it: only to one the user has named,
    /// and only where nobody can read along.
    pub(super) fn trusts_kubeconfig_token(&self) -> bool {
        self.token.is_none() && self.named && (self.base.scheme() == "https" || is_loopback(&self.base))
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
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let body = answer.text().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() { Ok(body) } else { Err(self.refused(status, &body)) }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let base = self.base.as_str().trim_end_matches('/');
        if error.is_timeout() && !error.is_connect() {
            return Failure::failed(format!(
                "the daemon at {base} did not answer within {} s: look at its log",
                PATIENCE.as_secs()
            ));
        }
        let cause = last_cause(error);
        let which = if self.named { "" } else { ", where a local one would be" };
        Failure::failed(format!(
            "no daemon answers at {base}{which} ({cause})\n\
             start one with `nightcap run` or `nightcap demo`, or say where it is with --server URL or NIGHTCAP_SERVER;\n\
             for one in a cluster: kubectl -n nightcap port-forward service/nightcap 9095"
        ))
    }

    fn refused(&self, status: StatusCode, body: &str) -> Failure {
        let base = self.base.as_str().trim_end_matches('/');
        let message = match serde_json::from_str::<ErrorReport>(body) {
            Ok(ErrorReport { error }) => {
                let value = error.value.filter(|value| !error.message.contains(value.as_str()));
                let value = value.map(|value| format!(": {value:?}")).unwrap_or_default();
                let hint = error.hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
                plain_lines(&format!("{}{value}{hint}", error.message))
            }
            Err(_) => {
                return Failure::failed(format!(
                    "{base} answers {status}, which is no answer of Nightcap: check --server or NIGHTCAP_SERVER"
                ));
            }
        };
        match status {
            StatusCode::UNAUTHORIZED if self.token.is_none() => Failure::failed(format!(
                "{message}\ngive a token with --token or NIGHTCAP_TOKEN, e.g. from `kubectl create token NAME`"
            )),
            // The value that was given is wrong, not the daemon.
            StatusCode::BAD_REQUEST => Failure::usage(message),
            _ => Failure::failed(message),
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
fn last_cause(error: &reqwest::Error) -> String {
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
        Client::new(&Connection { server: Some(server.to_owned()), ..Connection::default() }).unwrap()
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
            let error = Client::new(&Connection { server: Some(text.to_owned()), ..Connection::default() });
            let message = error.unwrap_err().to_string();
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
        let unnamed = Client::new(&Connection::default()).unwrap();
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
        let failure = client("x").refused(StatusCode::BAD_GATEWAY, "<html>");
        assert_eq!(
            failure.to_string(),
            "http://x answers 502 Bad Gateway, which is no answer of Nightcap: check --server or NIGHTCAP_SERVER"
        );
    }
}
