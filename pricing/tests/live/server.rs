//! A server on this machine that answers as it is told, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use futures::future::BoxFuture;
use nightcap_pricing::live::{Http, Pause};

/// What was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query, percent-decoded where it matters to a reader.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What is answered.
pub(super) enum Reply {
    Text(u16, Vec<(&'static str, String)>, String),
    /// This, compressed.
    Gzip(&'static str),
    /// These bytes, and then the connection breaks.
    Break(&'static str),
    /// This begins, and goes on with `filler` for as long as somebody listens.
    Endless(String, &'static str),
}

pub(super) fn ok(body: impl Into<String>) -> Reply {
    Reply::Text(200, Vec::new(), body.into())
}

pub(super) fn status(status: u16, body: &str) -> Reply {
    Reply::Text(status, Vec::new(), body.to_owned())
}

type Answer = Arc<dyn Fn(&Asked, usize) -> Reply + Send + Sync>;

#[derive(Clone)]
pub(super) struct Server {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Answer,
}

impl Server {
    /// Answers by what was asked and how many requests came before it.
    pub(super) async fn new(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, asked: Arc::default(), answer: Arc::new(answer) };
        let app = axum::Router::new().fallback(handle).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.target).collect()
    }
}

async fn handle(State(server): State<Server>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
    let target = parts.uri.path_and_query().unwrap().to_string();
    let asked = Asked { method: parts.method.to_string(), target, headers: parts.headers, body };
    let before = {
        let mut all = server.asked.lock().unwrap();
        all.push(asked.clone());
        all.len() - 1
    };
    match (server.answer)(&asked, before) {
        Reply::Text(status, headers, body) => {
            let response =
                headers.into_iter().fold(Response::builder().status(status), |response, (name, value)| {
                    response.header(name, value)
                });
            response.body(Body::from(body)).unwrap()
        }
        Reply::Gzip(text) => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
            let body = Body::from(gzip.finish().unwrap());
            Response::builder().header("content-encoding", "gzip").body(body).unwrap()
        }
        Reply::Break(begin) => {
            let pieces = [Ok(Bytes::from(begin)), Err(std::io::Error::other("cut"))];
            Response::new(Body::from_stream(futures::stream::iter(pieces)))
        }
        Reply::Endless(begin, filler) => {
            let begin = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(begin))]);
            let rest = futures::stream::repeat_with(move || Ok(Bytes::from(filler)));
            Response::new(Body::from_stream(futures::StreamExt::chain(begin, rest)))
        }
    }
}

/// Does not wait, but remembers how long it should have.
#[derive(Clone, Default)]
pub(super) struct NoPause(Arc<Mutex<Vec<Duration>>>);

impl NoPause {
    pub(super) fn pauses(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|pause| u64::try_from(pause.as_millis()).unwrap()).collect()
    }
}

impl Pause for NoPause {
    fn pause(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

/// A client that does not wait.
pub(super) fn client() -> (Http, NoPause) {
    let pause = NoPause::default();
    (Http::new(Arc::new(pause.clone())).unwrap(), pause)
}
