//! A port of this machine that leads to a port of a pod.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use tokio::io::{AsyncWriteExt, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::{DaemonPod, ForwardError};
use crate::{Cluster, ClusterError};

/// How long the API server may take to give a stream.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long is waited to hear why a stream has ended. A cause comes with the end or not at all; another thread may be
/// about to tell it.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// An open way to a pod. It ends with its value, and every connection over it.
///
/// What is sent to its address leaves this machine by the connection to the API server only, over the TLS and with the
/// rights of the kubeconfig, and the API server passes it on to the kubelet of the pod, over TLS too. A bearer token may
/// therefore be sent although the address says `http`: the API server issued it, and the node holds the daemon that is
/// to read it.
///
/// The address is one of the loopback interface and open as long as the value lives: a single command. Another user of
/// this machine who finds the port meanwhile reaches what the pod serves, without any token.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    trouble: Trouble,
    task: JoinHandle<()>,
}

impl Forward {
    /// Where the pod is reached.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What went wrong last between here and the pod, where an HTTP client only sees a connection that ended.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Default, Debug)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn note(&self, words: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }
}

impl Cluster {
    /// Opens a way to a pod. That the API server allows it is known when this returns; whether something listens in the
    /// pod shows with the first request.
    pub async fn forward(&self, pod: &DaemonPod) -> Result<Forward, ForwardError> {
        let way = Way { pods: Api::namespaced(self.client.clone(), &pod.namespace), pod: pod.clone() };
        let first = way.open().await.map_err(|source| ForwardError::Refused {
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            port: pod.port,
            source,
        })?;
        let listen = |error: std::io::Error| ForwardError::Listen(error.to_string());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let trouble = Trouble::default();
        let task = tokio::spawn(serve(listener, way, first, trouble.clone()));
        Ok(Forward { address, trouble, task })
    }
}

/// The port of the pod, over and over.
struct Way {
    pods: Api<Pod>,
    pod: DaemonPod,
}

impl Way {
    async fn open(&self) -> Result<Portforwarder, ClusterError> {
        let ports = [self.pod.port];
        let open = self.pods.portforward(&self.pod.name, &ports);
        match tokio::time::timeout(PATIENCE, open).await {
            Ok(opened) => Ok(opened?),
            Err(_) => Err(ClusterError::Unreachable(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }
}

/// Gives every connection a stream of its own, the first one the stream that is open already.
async fn serve(listener: TcpListener, way: Way, first: Portforwarder, trouble: Trouble) {
    let way = Arc::new(way);
    let mut first = Some(first);
    // Ends with this task, and all in it.
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let (way, first, trouble) = (Arc::clone(&way), first.take(), trouble.clone());
        connections.spawn(async move {
            let opened = match first {
                Some(stream) => Ok(stream),
                None => way.open().await,
            };
            match opened {
                Ok(stream) => join(connection, stream, way.pod.port, &trouble).await,
                Err(error) => trouble.note(error.to_string()),
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Passes bytes both ways until either side has ended. The client is told last, so that the cause is known by then.
async fn join(mut connection: TcpStream, mut forwarder: Portforwarder, port: u16, trouble: &Trouble) {
    // Both are there once, for the one port that was asked for.
    let (Some(stream), Some(error)) = (forwarder.take_stream(port), forwarder.take_error(port)) else {
        return;
    };
    let (mut from_pod, mut to_pod) = split(stream);
    let (mut from_client, mut to_client) = connection.split();
    let client_is_gone = tokio::select! {
        // An error is the pod's side, which takes no more.
        sent = copy(&mut from_client, &mut to_pod) => sent.is_ok(),
        _ = copy(&mut from_pod, &mut to_client) => false,
    };
    if client_is_gone {
        return;
    }
    if let Some(words) = last_words(error, forwarder).await {
        trouble.note(words);
    }
    // It may have gone meanwhile.
    let _ = to_client.shutdown().await;
}

/// Why the pod's side ended, if there is more to it than its end: what the kubelet says, else what befell the stream.
async fn last_words(error: impl Future<Output = Option<String>>, forwarder: Portforwarder) -> Option<String> {
    match tokio::time::timeout(LAST_WORDS, error).await {
        // It lives on: the pod has hung up, and that is all.
        Err(_) => None,
        Ok(Some(words)) => Some(words.trim().to_owned()),
        // Nobody will say anything any more: the stream itself has failed.
        Ok(None) => forwarder.join().await.err().map(|error| error.to_string()),
    }
}
