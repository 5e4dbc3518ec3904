//! Finding the pod from lists, and whole answers through an API server that speaks the protocol of port-forwards.

use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::find::{Candidate, candidate};
use super::*;
use crate::server::{Answer, cluster};
use crate::{Cluster, ClusterError};

fn pod(namespace: &str, name: &str, ready: bool) -> Value {
    json!({
        "metadata": {
            "namespace": namespace, "name": name, "uid": name, "creationTimestamp": "2026-03-01T00:00:00Z",
            "labels": { "app.kubernetes.io/name": "nightcap" },
        },
        "spec": { "containers": [{ "name": "nightcap", "ports": [
            { "name": "other", "containerPort": 1 }, { "name": "http", "containerPort": 8080 },
        ] }] },
        "status": { "phase": "Running", "conditions": [
            { "type": "PodScheduled", "status": "True" },
            { "type": "Ready", "status": if ready { "True" } else { "False" }, "message": "containers with unready status: [nightcap]" },
        ] },
    })
}

fn with(mut pod: Value, pointer: &str, value: Value) -> Value {
    *pod.pointer_mut(pointer).unwrap() = value;
    pod
}

fn list(pods: &[Value]) -> Answer {
    Answer::json(200, &json!({ "kind": "PodList", "metadata": {}, "items": pods }))
}

fn found(namespace: &str, name: &str) -> DaemonPod {
    DaemonPod { namespace: namespace.to_owned(), name: name.to_owned(), port: 8080, by_label_only: false }
}

const IN_NIGHTCAP: &str =
    "GET /api/v1/namespaces/nightcap/pods?&labelSelector=app.kubernetes.io%2Fname%3Dnightcap";
const EVERYWHERE: &str = "GET /api/v1/pods?&labelSelector=app.kubernetes.io%2Fname%3Dnightcap";

#[test]
fn pod_tells_its_port_and_whether_it_is_ready() {
    let read = |pod: Value| candidate(&serde_json::from_value::<Pod>(pod).unwrap());
    let ready = Candidate {
        namespace: "nightcap".to_owned(),
        name: "a".to_owned(),
        port: 8080,
        created: 1_772_323_200,
        unready: None,
    };
    let one = || pod("nightcap", "a", true);
    let unready = |why: &str| Some(Candidate { unready: Some(why.to_owned()), ..ready.clone() });
    assert_eq!(read(one()), Some(ready.clone()));
    assert_eq!(read(pod("nightcap", "a", false)), unready("containers with unready status: [nightcap]"));
    let unnamed = with(one(), "/spec/containers/0/ports/1/name", json!("web"));
    assert_eq!(read(unnamed), Some(Candidate { port: 9095, ..ready.clone() }));
    let without = with(one(), "/spec/containers/0/ports", Value::Null);
    assert_eq!(read(without), Some(Candidate { port: 9095, ..ready.clone() }));
    assert_eq!(read(with(one(), "/status", json!({ "phase": "Pending" }))), unready("its phase is Pending"));
    let crashing = with(
        pod("nightcap", "a", false),
        "/status",
        json!({ "phase": "Running", "containerStatuses": [{
            "name": "nightcap", "image": "", "imageID": "", "ready": false, "restartCount": 3,
            "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container" } },
        }] }),
    );
    assert_eq!(read(crashing), unready("back-off 40s restarting failed container"));
    assert_eq!(read(with(one(), "/status/phase", json!("Failed"))), None);
    let mut leaving = one();
    leaving["metadata"]["deletionTimestamp"] = json!("2026-03-02T00:00:00Z");
    assert_eq!(read(leaving), None);
}

#[tokio::test]
async fn newest_ready_pod_of_the_usual_namespace_is_taken() {
    let (cluster, log) = cluster(|_| {
        let later = |pod| with(pod, "/metadata/creationTimestamp", json!("2026-03-02T00:00:00Z"));
        let rubbish = json!({ "metadata": { "name": "x" }, "spec": 7 });
        let newest =
            with(pod("nightcap", "z", false), "/metadata/creationTimestamp", json!("2026-03-03T00:00:00Z"));
        list(&[rubbish, pod("nightcap", "c", true), later(pod("nightcap", "b", true)), newest])
    });
    assert_eq!(cluster.find_daemon(None).await, Ok(found("nightcap", "b")));
    assert_eq!(log.lines(), [IN_NIGHTCAP]);
}

#[tokio::test]
async fn pod_elsewhere_has_only_its_label_to_speak_for_it() {
    let (cluster, log) = cluster(|asked| match asked.line.as_str() {
        EVERYWHERE => list(&[pod("platform", "a", true)]),
        line if line.contains("/namespaces/platform/") => list(&[pod("platform", "a", true)]),
        _ => list(&[]),
    });
    let by_label = DaemonPod { by_label_only: true, ..found("platform", "a") };
    assert_eq!(cluster.find_daemon(None).await, Ok(by_label));
    assert_eq!(log.lines(), [IN_NIGHTCAP, EVERYWHERE]);
    // Whom the user has named, the user trusts.
    assert_eq!(cluster.find_daemon(Some("platform")).await, Ok(found("platform", "a")));
}

/// The answer to a list; `true` for the one of all namespaces.
type Script = fn(bool) -> Answer;

#[tokio::test]
async fn where_no_pod_can_be_asked_the_reason_is_told() {
    let label = "no pod has the label app.kubernetes.io/name=nightcap";
    let cases: [(Option<&str>, Script, String); 6] = [
        (None, |_| list(&[]), format!("{label} in any namespace")),
        (Some("pay"), |_| list(&[]), format!("{label} in the namespace \"pay\"")),
        (
            None,
            |all| if all { Answer::failure(403, "pods is forbidden") } else { list(&[]) },
            format!(
                "{label} in the namespace \"nightcap\", and those of all namespaces cannot be listed; \
                 where it runs elsewhere, say so with --namespace"
            ),
        ),
        (
            None,
            |all| if all { list(&[pod("b", "a", true), pod("a", "a", true), pod("b", "c", true)]) } else { list(&[]) },
            format!(
                "{label} in the namespace \"nightcap\", but those of several others have: a, b; \
                 choose one with --namespace"
            ),
        ),
        (
            None,
            |_| Answer::failure(403, "pods is forbidden"),
            "cannot look for its pod in the namespace \"nightcap\": the API server answers 403: pods is forbidden \
             (it takes the right to list pods in that namespace)"
                .to_owned(),
        ),
        (
            None,
            |_| list(&[pod("nightcap", "a", false)]),
            "the pod nightcap/a is not ready: containers with unready status: [nightcap]".to_owned(),
        ),
    ];
    for (namespace, script, expected) in cases {
        let (cluster, _) = cluster(move |asked| script(asked.line == EVERYWHERE));
        assert_eq!(cluster.find_daemon(namespace).await.unwrap_err().to_string(), expected);
    }
}

/// What is in the pod.
#[derive(Clone, Copy, Debug)]
enum Inside {
    /// A server that sends back the first so many bytes it gets, and hangs up.
    Echo(usize),
    /// Nothing listens: the kubelet says so.
    Nothing,
    /// A server whose node dies in the middle of an answer.
    Dying,
    /// A server that hangs up in the middle of an answer.
    HangingUp,
}

const PORT_OF_POD: u16 = 8080;

/// An API server that forwards to the pods of its namespace `nightcap`, and to nothing else.
struct Server {
    cluster: Cluster,
    /// The paths of the upgrades so far.
    upgrades: Arc<Mutex<Vec<String>>>,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start(inside: Inside) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upgrades = Arc::default();
        let kept = Arc::clone(&upgrades);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, inside, Arc::clone(&kept)));
            }
        });
        let mut config = Config::new(url.parse().unwrap());
        config.default_retry = false;
        let cluster = Cluster::of(Client::try_from(config).unwrap());
        Self { cluster, upgrades, task: task.abort_handle() }
    }

    async fn forward(&self) -> Forward {
        self.cluster.forward(&found("nightcap", "a")).await.unwrap()
    }
}

async fn answer(mut stream: TcpStream, inside: Inside, upgrades: Arc<Mutex<Vec<String>>>) {
    let mut head = [0; 4096];
    let length = stream.peek(&mut head).await.unwrap();
    let path = String::from_utf8_lossy(&head[..length]).split(' ').nth(1).unwrap().to_owned();
    if !path.starts_with("/api/v1/namespaces/nightcap/") {
        let body = json!({ "kind": "Status", "code": 403, "message": "ann cannot get pods/portforward" })
            .to_string();
        let head = format!(
            "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {}",
            body.len()
        );
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
        return;
    }
    upgrades.lock().unwrap().push(path);
    #[expect(clippy::result_large_err, reason = "the library's own type")]
    let protocol = |_: &Request, mut response: Response| {
        response.headers_mut().insert("sec-websocket-protocol", "v4.channel.k8s.io".parse().unwrap());
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, protocol).await.unwrap();
    // The first frame of either channel names the port.
    for channel in [0, 1] {
        let [low, high] = PORT_OF_POD.to_le_bytes();
        send(&mut socket, channel, &[low, high]).await;
    }
    match inside {
        Inside::Echo(wanted) => {
            let sent = receive(&mut socket, wanted).await;
            for part in sent.chunks(32 * 1024) {
                send(&mut socket, 0, part).await;
            }
        }
        Inside::Nothing => {
            send(&mut socket, 1, b"dial tcp4 127.0.0.1:8080: connect: connection refused\n").await;
        }
        Inside::Dying => {
            receive(&mut socket, 1).await;
            send(&mut socket, 0, b"half an ans").await;
            return; // no closing handshake
        }
        Inside::HangingUp => {
            receive(&mut socket, 1).await;
            send(&mut socket, 0, b"half an ans").await;
        }
    }
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
}

async fn send(socket: &mut WebSocketStream<TcpStream>, channel: u8, bytes: &[u8]) {
    socket.send(Message::binary([&[channel], bytes].concat())).await.unwrap();
}

/// What comes for the pod, until it is at least so much.
async fn receive(socket: &mut WebSocketStream<TcpStream>, wanted: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < wanted {
        let message = socket.next().await.unwrap().unwrap();
        if let Message::Binary(bytes) = message {
            assert_eq!(bytes[0], 0, "data goes on the first channel");
            all.extend_from_slice(&bytes[1..]);
        }
    }
    all
}

/// Sends this, and reads until the other side hangs up.
async fn ask(forward: &Forward, question: &[u8]) -> Vec<u8> {
    let (mut read, mut write) = TcpStream::connect(forward.address()).await.unwrap().into_split();
    let mut answer = Vec::new();
    let (sent, got) = tokio::join!(write.write_all(question), read.read_to_end(&mut answer));
    sent.unwrap();
    got.unwrap();
    answer
}

#[tokio::test]
async fn every_connection_has_a_stream_of_its_own_and_loses_no_byte() {
    const LENGTH: usize = 3_000_000;
    let server = Server::start(Inside::Echo(LENGTH)).await;
    let forward = server.forward().await;
    let question =
        |salt: usize| -> Vec<u8> { (0..LENGTH).map(|n| (n * 31 / 7 + salt).to_le_bytes()[0]).collect() };
    let [one, two, three] = [question(1), question(2), question(3)];
    let answers = tokio::join!(ask(&forward, &one), ask(&forward, &two), ask(&forward, &three));
    assert!(answers == (one, two, three), "an answer is not what was sent");
    let path = "/api/v1/namespaces/nightcap/pods/a/portforward?&ports=8080";
    assert_eq!(*server.upgrades.lock().unwrap(), [path; 3], "the first is used, not opened in vain");
    assert_eq!(forward.trouble(), None);
}

#[tokio::test]
async fn end_of_a_stream_is_told_with_its_cause() {
    for (inside, answer, trouble) in [
        (Inside::Nothing, "", Some("dial tcp4 127.0.0.1:8080: connect: connection refused")),
        (
            Inside::Dying,
            "half an ans",
            Some(
                "failed to receive a WebSocket message: WebSocket protocol error: Connection reset without closing \
                 handshake",
            ),
        ),
        (Inside::HangingUp, "half an ans", None),
    ] {
        let server = Server::start(inside).await;
        let forward = server.forward().await;
        // Where the stream breaks, what came last may go with it.
        let got = String::from_utf8(ask(&forward, b"?").await).unwrap();
        assert!(got == answer || matches!(inside, Inside::Dying) && got.is_empty(), "{inside:?}: {got:?}");
        assert_eq!(forward.trouble().as_deref(), trouble, "{inside:?}");
    }
}

#[tokio::test]
async fn who_may_not_forward_is_told_what_it_takes() {
    let server = Server::start(Inside::Echo(1)).await;
    let error = server.cluster.forward(&found("pay", "a")).await.unwrap_err();
    let answered =
        ClusterError::Answered { code: 403, message: "ann cannot get pods/portforward".to_owned() };
    let expected = ForwardError::Refused {
        namespace: "pay".to_owned(),
        name: "a".to_owned(),
        port: PORT_OF_POD,
        source: answered,
    };
    assert_eq!(error, expected);
    assert_eq!(
        error.to_string(),
        "cannot forward to the port 8080 of the pod pay/a: the API server answers 403: ann cannot get pods/portforward \
         (it takes the right to get and create pods/portforward in that namespace)"
    );
}

#[tokio::test]
async fn port_is_closed_with_the_forward() {
    let server = Server::start(Inside::Echo(1)).await;
    let forward = server.forward().await;
    let address = forward.address();
    assert!(address.ip().is_loopback());
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(b"?").await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), b'?');
    drop(forward);
    // The runtime drops an aborted task when it gets to it; from then on nobody listens.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn api_server_that_goes_after_the_first_stream_is_named() {
    let server = Server::start(Inside::Echo(1)).await;
    let forward = server.forward().await;
    assert_eq!(ask(&forward, b"1").await, b"1");
    drop(server);
    while forward.trouble().is_none() {
        // Until its listener is gone, the server may still have taken the connection.
        let _ = TcpStream::connect(forward.address()).await.unwrap().read(&mut [0]).await;
    }
    let trouble = forward.trouble().unwrap();
    assert!(trouble.starts_with("the API server cannot be reached: "), "{trouble}");
}
