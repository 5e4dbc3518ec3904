//! An API server's bad days: a proxy in front of it that refuses, fails and cuts off a share of the requests.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::random::Random;

/// What befalls requests, each in percent of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// 429 with `Retry-After: 1`.
    pub throttled: u64,
    /// 500.
    pub failed: u64,
    /// The connection is cut before the request reaches the API server.
    pub cut: u64,
    /// The API server does what was asked, and its answer is lost.
    pub answer_lost: u64,
}

/// How many requests met which fault, and how many none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultCounts {
    /// 429.
    pub throttled: u64,
    /// 500.
    pub failed: u64,
    /// Cut before.
    pub cut: u64,
    /// Answer lost.
    pub answer_lost: u64,
    /// Passed on unharmed.
    pub passed: u64,
}

/// A running proxy. It speaks plain HTTP, ends with its value, and harms nothing before [`FaultyProxy::set_faulty`].
#[derive(Debug)]
pub struct FaultyProxy {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    target: String,
    faults: Faults,
    faulty: AtomicBool,
    random: Mutex<Random>,
    cut: Notify,
    counts: [AtomicU64; 5],
}

impl FaultyProxy {
    /// Starts one in front of the API server at `target`, whose certificate `authority` has signed.
    pub async fn start(target: &str, authority: &Path, faults: Faults, seed: u64) -> anyhow::Result<Self> {
        let certificate = reqwest::Certificate::from_pem(&std::fs::read(authority)?)?;
        // Without a limit for the whole answer: watches have no end.
        let http = reqwest::Client::builder()
            .no_proxy()
            // An API server packs each event of a watch; what unpacks a stream would hold the first ones back.
            .no_gzip()
            .tls_certs_only([certificate])
            .connect_timeout(Duration::from_secs(30))
            .build()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            http,
            target: target.to_owned(),
            faults,
            faulty: AtomicBool::new(false),
            random: Mutex::new(Random::new(seed)),
            cut: Notify::new(),
            counts: Default::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { url, shared, task })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Begins or ends the bad days.
    pub fn set_faulty(&self, faulty: bool) {
        self.shared.faulty.store(faulty, Ordering::SeqCst);
    }

    /// Cuts every connection there is, watches among them.
    pub fn cut_all(&self) {
        self.shared.cut.notify_waiters();
    }

    /// What has happened so far.
    pub fn counts(&self) -> FaultCounts {
        let [throttled, failed, cut, answer_lost, passed] =
            [0, 1, 2, 3, 4].map(|nth: usize| self.shared.counts[nth].load(Ordering::SeqCst));
        FaultCounts { throttled, failed, cut, answer_lost, passed }
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A connection that breaks is what this is about; both ends will see it.
        connections.spawn(async move {
            tokio::select! {
                _ = serve(stream, &shared) => {}
                () = shared.cut.notified() => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

#[derive(Debug)]
struct Request {
    method: reqwest::Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

async fn serve(stream: TcpStream, shared: &Shared) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    while let Some(request) = read_request(&mut read).await? {
        let fate = shared.fate();
        shared.counts[fate].fetch_add(1, Ordering::SeqCst);
        match fate {
            0 => {
                let body = status(429, "TooManyRequests", "the server is busy");
                let head = format!(
                    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: {}",
                    body.len()
                );
                write
                    .write_all(format!("{head}\r\ncontent-type: application/json\r\n\r\n{body}").as_bytes())
                    .await?;
            }
            1 => {
                let body = status(500, "InternalError", "etcdserver: leader changed");
                let head = format!("HTTP/1.1 500 Internal Server Error\r\ncontent-length: {}", body.len());
                write
                    .write_all(format!("{head}\r\ncontent-type: application/json\r\n\r\n{body}").as_bytes())
                    .await?;
            }
            2 => return Ok(()),
            3 => {
                // Once its head is there, what was asked for is done. A watch would go on.
                drop(shared.forward(request).await?);
                return Ok(());
            }
            _ => {
                let mut answer = shared.forward(request).await?;
                let mut head = format!("HTTP/1.1 {}\r\ntransfer-encoding: chunked\r\n", answer.status());
                for name in ["content-type", "retry-after"] {
                    if let Some(value) = answer.headers().get(name) {
                        write!(head, "{name}: {}\r\n", value.to_str()?)?;
                    }
                }
                write.write_all(format!("{head}\r\n").as_bytes()).await?;
                loop {
                    let mut byte = [0];
                    tokio::select! {
                        chunk = answer.chunk() => {
                            let Some(chunk) = chunk? else { break };
                            write.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
                            write.write_all(&chunk).await?;
                            write.write_all(b"\r\n").await?;
                        }
                        // Nobody sends a second request before the answer to the first: this is the end of a watch.
                        length = read.read(&mut byte) => {
                            length?;
                            anyhow::bail!("hung up");
                        },
                    }
                }
                write.write_all(b"0\r\n\r\n").await?;
            }
        }
    }
    Ok(())
}

impl Shared {
    /// Which of the five it is this time.
    fn fate(&self) -> usize {
        if !self.faulty.load(Ordering::SeqCst) {
            return 4;
        }
        let mut dice = self.random.lock().unwrap_or_else(PoisonError::into_inner).below(100);
        let Faults { throttled, failed, cut, answer_lost } = self.faults;
        for (fate, share) in [throttled, failed, cut, answer_lost].into_iter().enumerate() {
            if dice < share {
                return fate;
            }
            dice -= share;
        }
        4
    }

    async fn forward(&self, request: Request) -> anyhow::Result<reqwest::Response> {
        let Request { method, path, headers, body } = request;
        let mut out = self.http.request(method, format!("{}{path}", self.target)).body(body);
        for (name, value) in headers {
            // Hop by hop, or computed anew.
            if !["host", "connection", "content-length", "accept-encoding", "transfer-encoding"]
                .contains(&name.as_str())
            {
                out = out.header(name, value);
            }
        }
        Ok(out.send().await?)
    }
}

fn status(code: u16, reason: &str, message: &str) -> String {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code})
        .to_string()
}

async fn read_request(read: &mut BufReader<OwnedReadHalf>) -> anyhow::Result<Option<Request>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match read.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) if head.is_empty() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    let head = String::from_utf8(head)?;
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().parse()?;
    let path = first.next().context("no path")?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value.parse());
    anyhow::ensure!(!headers.iter().any(|(name, _)| name == "transfer-encoding"), "a body of unknown length");
    let mut body = vec![0; length.transpose()?.unwrap_or(0)];
    read.read_exact(&mut body).await?;
    Ok(Some(Request { method, path, headers, body }))
}
