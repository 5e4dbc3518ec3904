//! The one HTTP client of this crate: time limits, gzip, and patience with servers that are busy.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::LiveError;

/// For a whole answer; of a long download, for each piece.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// So many times in all is asked.
const ATTEMPTS: u32 = 5;
/// The first pause is up to this, each next one up to twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Longer than a server may ask us to wait: then the next refresh asks again.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(2);
/// Of an error's body.
const SHOWN: usize = 300;
/// No page of prices is larger; a bulk file is never read whole.
const LARGEST_BODY: usize = 64 << 20;

/// How the client waits between attempts; tests put something of their own here.
pub trait Pause: Send + Sync {
    /// Waits.
    fn pause(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// A number from 0 to 1 by which a pause is shortened, so that many clients do not come back at once.
    fn jitter(&self) -> f64;
}

/// Waits by the machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealPause;

impl Pause for RealPause {
    fn pause(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn jitter(&self) -> f64 {
        // The keys of a new hasher are random: enough to spread clients, and no crate for it.
        let random = RandomState::new().build_hasher().finish();
        (random >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The client.
#[derive(Clone)]
pub struct Http {
    client: Client,
    pause: Arc<dyn Pause>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// With these pauses between attempts.
    pub fn new(pause: Arc<dyn Pause>) -> Result<Self, LiveError> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(TIMEOUT)
            .user_agent(concat!("nightcap/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| LiveError::Setting(format!("cannot set up HTTPS: {error}")))?;
        Ok(Self { client, pause })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Asks until there is an answer, and returns its text. `request` is made anew for each attempt, since a signature
    /// carries its time; `busy` tells refusals that mean "later" although their status does not say so.
    pub(crate) async fn text<'r>(
        &self,
        request: &(dyn Fn() -> BoxFuture<'r, Result<RequestBuilder, LiveError>> + Send + Sync + 'r),
        busy: fn(&str) -> bool,
    ) -> Result<String, LiveError> {
        let mut attempt = 1;
        loop {
            match ask(request().await?, busy).await {
                Ok(text) => return Ok(text),
                Err(failed) => self.wait(failed, &mut attempt).await?,
            }
        }
    }

    /// Asks until there is an answer that can be read piece by piece.
    pub(crate) async fn stream(&self, url: &str) -> Result<Response, LiveError> {
        let mut attempt = 1;
        loop {
            match open(self.client.get(url)).await {
                Ok(response) => return Ok(response),
                Err(failed) => self.wait(failed, &mut attempt).await?,
            }
        }
    }

    /// Waits before the next attempt, if there is one.
    async fn wait(&self, failed: Failed, attempt: &mut u32) -> Result<(), LiveError> {
        if !failed.again
            || *attempt == ATTEMPTS
            || failed.after.is_some_and(|after| after > LONGEST_RETRY_AFTER)
        {
            return Err(failed.error);
        }
        let longest = FIRST_PAUSE.saturating_mul(1 << (*attempt - 1)).min(LONGEST_PAUSE);
        // At least half of it: a pause of nothing is none.
        let jittered = longest.mul_f64(0.5 + self.pause.jitter().clamp(0.0, 1.0) / 2.0);
        self.pause.pause(failed.after.map_or(jittered, |after| after.max(jittered))).await;
        *attempt += 1;
        Ok(())
    }
}

/// One attempt for a whole text.
async fn ask(request: RequestBuilder, busy: fn(&str) -> bool) -> Result<String, Failed> {
    let response = send(request.timeout(TIMEOUT)).await?;
    let (url, status, after) = (place(&response), response.status(), retry_after(&response));
    let body = match body(response).await {
        Ok(body) => body,
        Err(problem) => {
            return Err(Failed { error: LiveError::Unreachable { url, problem }, again: true, after: None });
        }
    };
    if status.is_success() {
        return Ok(body);
    }
    let again = is_transient(status) || busy(&body);
    Err(Failed { error: refused(url, status, &body), again, after })
}

/// One attempt for a stream.
async fn open(request: RequestBuilder) -> Result<Response, Failed> {
    let response = send(request).await?;
    let (url, status, after) = (place(&response), response.status(), retry_after(&response));
    if status.is_success() {
        return Ok(response);
    }
    let body = body(response).await.unwrap_or_default();
    Err(Failed { error: refused(url, status, &body), again: is_transient(status), after })
}

/// One attempt that failed.
struct Failed {
    error: LiveError,
    again: bool,
    /// How long the server asks to wait.
    after: Option<Duration>,
}

async fn send(request: RequestBuilder) -> Result<Response, Failed> {
    request.send().await.map_err(|error| {
        let url = error.url().map_or_else(|| "the server".to_owned(), shown);
        // A URL that is none stays none.
        let again = !error.is_builder() && !error.is_redirect();
        Failed { error: LiveError::Unreachable { url, problem: chain(&error) }, again, after: None }
    })
}

/// A whole answer, if it is of a sensible size.
async fn body(mut response: Response) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST_BODY {
            return Err(format!("the answer is larger than {} MiB", LARGEST_BODY >> 20));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn is_transient(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

/// In seconds; a date is not understood, then the usual pause is made.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn refused(url: String, status: StatusCode, body: &str) -> LiveError {
    LiveError::Refused { url, status: status.as_u16(), message: message(body) }
}

/// What an error's body says: the message of a JSON error of any of the three, else its beginning.
pub(crate) fn message(body: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let found = json.as_ref().and_then(|json| {
        let error = json.get("error").or_else(|| json.get("Error")).unwrap_or(json);
        ["message", "Message", "__type"].iter().find_map(|name| error.get(*name)?.as_str())
    });
    let text = found.unwrap_or(body).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return "no reason given".to_owned();
    }
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn place(response: &Response) -> String {
    shown(response.url())
}

/// Without query and credentials.
fn shown(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    // Neither can fail for a URL that was asked over HTTP.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// An error with all its causes: reqwest's own text names none of them.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let next = error.source();
        // The outermost repeats the URL.
        if text.is_empty() && next.is_some() {
            cause = next;
            text.push_str(if error.to_string().contains("decoding") { "broken answer" } else { "" });
            if text.is_empty() {
                text.push_str("no connection");
            }
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = next;
    }
    text
}
