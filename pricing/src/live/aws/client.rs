//! The client: queries or files for list prices, the history for spot prices.

use std::io::{self, Read};

use futures::future::BoxFuture;
use nightcap_core::cluster::Provider;
use nightcap_core::units::Instant;
use reqwest::{RequestBuilder, Url};
use tokio::sync::mpsc;

use super::credentials::CredentialSource;
use super::sign::{self, ToSign};
use super::{PRICE_LIST, bulk, get_products, spot};
use crate::live::{
    AwsMode, AwsSettings, Fetched, Http, LiveError, LivePrices, Now, Parsed, Reading, Wanted, day,
};

/// Pieces of a download that may wait for the reader; about 16 kB each.
const PIECES: usize = 32;
/// Types per call of `DescribeSpotPriceHistory`.
const SPOT_TYPES: usize = 20;
/// A page more than any answer has.
const MOST_PAGES: usize = 200;
/// Refusals with status 400 that mean "later".
const BUSY: [&str; 3] = ["ThrottlingException", "RequestLimitExceeded", "Throttling"];

/// The provider.
#[derive(Clone)]
pub struct Aws {
    http: Http,
    settings: AwsSettings,
    credentials: Result<CredentialSource, String>,
    now: Now,
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Reading {
    pub(crate) fn aws(source: &str, as_of: &str) -> Self {
        Self { provider: Provider::Aws, as_of: as_of.into(), source: source.into() }
    }
}

impl Aws {
    /// Without credentials (why is told when they are needed) it can still read the bulk files.
    pub fn new(
        http: Http,
        settings: AwsSettings,
        credentials: Result<CredentialSource, LiveError>,
        now: Now,
    ) -> Self {
        let credentials = credentials.map_err(|error| match error {
            LiveError::Credentials(problem) => problem,
            other => other.to_string(),
        });
        Self { http, settings, credentials, now }
    }

    async fn signed(
        &self,
        method: &'static str,
        url: Url,
        headers: &[(&str, &str)],
        body: &str,
        [service, region]: [&str; 2],
    ) -> Result<RequestBuilder, LiveError> {
        let now = (self.now)();
        let source = self.credentials.as_ref().map_err(|problem| LiveError::Credentials(problem.clone()))?;
        let credentials = source.get(now).await?;
        let to_sign = ToSign { method, url: url.as_str(), headers, body, service, region };
        let signature = sign::headers(&to_sign, &credentials, now)?;
        let mut request = match method {
            "POST" => self.http.client().post(url).body(body.to_owned()),
            _ => self.http.client().get(url),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(signature.into_iter().fold(request, |request, (name, value)| request.header(name, value)))
    }

    /// What came before a failure is kept.
    async fn list(&self, wanted: &Wanted, as_of: &str) -> (Parsed, Option<LiveError>) {
        let mut parsed = Parsed::default();
        if self.settings.mode == AwsMode::Bulk {
            return with_failure(parsed, self.bulk(wanted, as_of).await);
        }
        let query = match self.query(wanted, as_of, &mut parsed).await {
            Ok(()) => return (parsed, None),
            Err(error) if self.settings.mode == AwsMode::Query => return (parsed, Some(error)),
            Err(error) => error,
        };
        let bulk = self.bulk(wanted, as_of).await.map_err(|bulk| {
            LiveError::broken("the AWS price list", format!("by query: {query}; as a file: {bulk}"))
        });
        with_failure(parsed, bulk)
    }

    /// One query after the other: the account may ask ten at once, and five a second.
    async fn query(&self, wanted: &Wanted, as_of: &str, parsed: &mut Parsed) -> Result<(), LiveError> {
        for name in &wanted.on_demand {
            let body = |token: Option<&str>| get_products::instance_request(&wanted.region, name, token);
            parsed.extend(self.products(&body, as_of).await?);
        }
        if wanted.disks {
            let body = |token: Option<&str>| get_products::volume_request(&wanted.region, token);
            parsed.extend(self.products(&body, as_of).await?);
        }
        Ok(())
    }

    async fn products(
        &self,
        body: &(dyn Fn(Option<&str>) -> String + Send + Sync),
        as_of: &str,
    ) -> Result<Parsed, LiveError> {
        const HEADERS: [(&str, &str); 2] = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "AWSPriceListService.GetProducts"),
        ];
        let region = self.settings.query_region.as_str();
        let url = url(&self.settings.query_url, region)?;
        let (mut parsed, mut token) = (Parsed::default(), None::<String>);
        for _ in 0..MOST_PAGES {
            let body = body(token.as_deref());
            let signed = || -> BoxFuture<'_, _> {
                Box::pin(self.signed("POST", url.clone(), &HEADERS, &body, ["pricing", region]))
            };
            let answer = self.http.text(&signed, is_busy).await?;
            let page = get_products::page(&answer, as_of)?;
            parsed.extend(page.parsed);
            match page.next_token {
                Some(next) => token = Some(next),
                None => return Ok(parsed),
            }
        }
        Err(LiveError::broken("GetProducts", format!("there is no end after {MOST_PAGES} pages")))
    }

    /// The file of a region, read while it comes; the connection is dropped where the reading stops.
    async fn bulk(&self, wanted: &Wanted, as_of: &str) -> Result<Parsed, LiveError> {
        let base = self.settings.bulk_url.trim_end_matches('/');
        let url = format!("{base}/offers/v1.0/aws/AmazonEC2/current/{}/index.json", wanted.region);
        let mut response = self.http.stream(&url).await?;
        let (pieces, waiting) = mpsc::channel::<Vec<u8>>(PIECES);
        let filter = bulk::Filter { instance_types: Some(wanted.on_demand.clone()) };
        let as_of = as_of.to_owned();
        let reading = tokio::task::spawn_blocking(move || {
            let input = io::BufReader::with_capacity(64 << 10, Pieces { waiting, piece: Vec::new(), at: 0 });
            bulk::read(input, &filter, &as_of)
        });
        let mut broken = None;
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => {
                    if pieces.send(piece.to_vec()).await.is_err() {
                        break; // the reader has all it wants
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    broken = Some(LiveError::Unreachable {
                        url: url.clone(),
                        problem: error.without_url().to_string(),
                    });
                    break;
                }
            }
        }
        drop(pieces);
        drop(response);
        let read = reading.await.map_err(|error| LiveError::broken("the AWS price list", error))?;
        match (read, broken) {
            (Ok(parsed), _) => Ok(parsed),
            (Err(_), Some(broken)) => Err(broken),
            (Err(error), None) => Err(error),
        }
    }

    async fn spot(&self, wanted: &Wanted, as_of: &str) -> Result<Parsed, LiveError> {
        let types: Vec<&str> = wanted.spot.iter().map(|name| &**name).collect();
        let mut parsed = Parsed::default();
        let mut points = Vec::new();
        for some in types.chunks(SPOT_TYPES) {
            let mut token: Option<String> = None;
            let now = (self.now)().to_rfc3339();
            for page in 0.. {
                if page == MOST_PAGES {
                    let problem = format!("there is no end after {MOST_PAGES} pages");
                    return Err(LiveError::broken("DescribeSpotPriceHistory", problem));
                }
                let mut url = url(&self.settings.ec2_url, &wanted.region)?;
                url.set_path("/");
                url.query_pairs_mut().extend_pairs(spot::query(some.iter().copied(), &now, token.as_deref()));
                // `+` for a space is a form's way; a signature wants `%20`.
                let query = url.query().unwrap_or_default().replace('+', "%20");
                url.set_query(Some(&query));
                let scope = ["ec2", &*wanted.region];
                let signed =
                    || -> BoxFuture<'_, _> { Box::pin(self.signed("GET", url.clone(), &[], "", scope)) };
                let answer = spot::page(&self.http.text(&signed, is_busy).await?)?;
                points.extend(answer.points);
                parsed.rejected.extend(answer.rejected);
                match answer.next_token {
                    Some(next) => token = Some(next),
                    None => break,
                }
            }
        }
        parsed.extend(spot::quotes(&points, &wanted.region, as_of));
        Ok(parsed)
    }
}

fn with_failure(mut parsed: Parsed, more: Result<Parsed, LiveError>) -> (Parsed, Option<LiveError>) {
    match more {
        Ok(more) => {
            parsed.extend(more);
            (parsed, None)
        }
        Err(error) => (parsed, Some(error)),
    }
}

fn is_busy(body: &str) -> bool {
    BUSY.iter().any(|word| body.contains(word))
}

fn url(base: &str, region: &str) -> Result<Url, LiveError> {
    let text = base.replace("{region}", region);
    let mut url =
        Url::parse(&text).map_err(|error| LiveError::Setting(format!("{text:?} is no URL: {error}")))?;
    if url.path().is_empty() {
        url.set_path("/");
    }
    Ok(url)
}

/// What is downloaded, as a reader on a thread of its own sees it.
struct Pieces {
    waiting: mpsc::Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            let Some(piece) = self.waiting.blocking_recv() else { return Ok(0) };
            self.piece = piece;
            self.at = 0;
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

impl LivePrices for Aws {
    fn source(&self) -> &'static str {
        PRICE_LIST
    }

    fn provider(&self) -> Provider {
        Provider::Aws
    }

    fn fetch<'a>(&'a self, wanted: &'a [Wanted], now: Instant) -> BoxFuture<'a, Fetched> {
        Box::pin(async move {
            let (mut fetched, as_of) = (Fetched::default(), day(now));
            for wanted in wanted {
                let (parsed, failure) = self.list(wanted, &as_of).await;
                fetched.parsed.extend(parsed);
                fetched.failures.extend(failure.map(|error| (wanted.region.to_string(), error)));
                if self.settings.spot && !wanted.spot.is_empty() {
                    fetched.add(&wanted.region, self.spot(wanted, &as_of).await);
                }
            }
            fetched
        })
    }
}
