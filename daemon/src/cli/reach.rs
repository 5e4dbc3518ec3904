//! How a command finds the daemon: where the user says, else on this machine, else in the cluster of the kubeconfig.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use nightcap_cluster::{Cluster, DaemonPod, Forward};
use reqwest::redirect::Policy;
use serde::Deserialize;

use super::args::Connection;
use super::client::{Client, last_cause};
use super::failure::Failure;
use crate::config::DEFAULT_LISTEN;

/// What answers on this machine is asked first and must not hold up the others: a daemon says who it is in a millisecond.
const GLANCE: Duration = Duration::from_millis(200);
/// The variable that tells a daemon of this machine where to listen.
const LISTEN: &str = "NIGHTCAP_LISTEN";

/// How the daemon was found.
#[derive(Debug)]
pub(super) enum Way {
    /// The user has named the server.
    Named,
    /// One answers on this machine.
    Local,
    /// A history folder, answered in this process.
    Folder(PathBuf),
    /// In a pod, through the API server.
    Pod {
        /// The pod.
        pod: DaemonPod,
        /// Open as long as this lives.
        forward: Forward,
    },
}

/// Finds the daemon.
pub(super) async fn reach(connection: &Connection) -> Result<Client, Failure> {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
    if let Some(server) = given(&connection.server) {
        return Client::new(&server, Way::Named, connection.token.clone());
    }
    let namespace = given(&connection.namespace);
    let local = local(std::env::var(LISTEN).ok().as_deref());
    let not_here = match &namespace {
        // Whoever names a namespace means the daemon in it.
        Some(_) => format!("http://{local} is not asked where --namespace is given"),
        None => match glance(local).await {
            Ok(()) => return Client::new(&local.to_string(), Way::Local, connection.token.clone()),
            Err(why) => why,
        },
    };
    match through_cluster(connection, namespace.as_deref()).await {
        Ok((pod, forward)) => {
            let address = forward.address().to_string();
            // A label is no proof of being the daemon.
            let token = connection.token.clone().filter(|_| !pod.by_label_only);
            Client::new(&address, Way::Pod { pod, forward }, token)
        }
        Err(not_there) => Err(nowhere(&not_here, &not_there)),
    }
}

async fn through_cluster(
    connection: &Connection,
    namespace: Option<&str>,
) -> Result<(DaemonPod, Forward), String> {
    let words = |error: &dyn fmt::Display| error.to_string();
    let cluster = Cluster::connect(connection.kubeconfig.as_deref()).await.map_err(|error| words(&error))?;
    let at = |error: &dyn fmt::Display| format!("{error} (API server {})", cluster.server());
    let pod = cluster.find_daemon(namespace).await.map_err(|error| at(&error))?;
    let forward = cluster.forward(&pod).await.map_err(|error| at(&error))?;
    Ok((pod, forward))
}

fn nowhere(not_here: &str, not_there: &str) -> Failure {
    Failure::failed(format!(
        "no daemon was reached\n  \
           by --server or NIGHTCAP_SERVER: neither is given\n  \
           on this machine: {not_here}\n  \
           in the cluster of the kubeconfig: {not_there}\n\
         start one with `nightcap run` or `nightcap demo`, or say where it is with --server URL or NIGHTCAP_SERVER, or \
         with --namespace NAME or NIGHTCAP_NAMESPACE for one in a cluster"
    ))
}

/// Where a daemon of this machine would answer.
fn local(listen: Option<&str>) -> SocketAddr {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 9095));
    let mut address =
        listen.and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT_LISTEN.parse().unwrap_or(default));
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// What of `/healthz` is read.
#[derive(Deserialize)]
struct Health {
    name: String,
}

/// Whether a daemon answers there at once. Anybody may listen on a port of this machine, so that nothing is sent with the
/// question.
async fn glance(address: SocketAddr) -> Result<(), String> {
    let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).timeout(GLANCE).build();
    let http = http.map_err(|error| format!("cannot use HTTP: {error}"))?;
    let other = || format!("what answers at http://{address} is not Nightcap");
    let answer = async { http.get(format!("http://{address}/healthz")).send().await?.text().await }.await;
    match answer {
        Ok(body) => match serde_json::from_str::<Health>(&body) {
            Ok(health) if health.name == "nightcap" => Ok(()),
            _ => Err(other()),
        },
        Err(error) if error.is_timeout() => {
            Err(format!("nothing answers at http://{address} within {} ms", GLANCE.as_millis()))
        }
        Err(error) if error.is_connect() => {
            Err(format!("nothing answers at http://{address} ({})", last_cause(&error)))
        }
        Err(_) => Err(other()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread::{JoinHandle, spawn};

    use super::*;

    #[test]
    fn local_daemon_is_asked_where_it_is_told_to_listen() {
        for (listen, expected) in [
            (None, "127.0.0.1:9095"),
            (Some(""), "127.0.0.1:9095"),
            (Some("here"), "127.0.0.1:9095"),
            (Some("0.0.0.0:80"), "127.0.0.1:80"),
            (Some("[::]:80"), "[::1]:80"),
            (Some("127.0.0.1:8080"), "127.0.0.1:8080"),
        ] {
            assert_eq!(local(listen).to_string(), expected, "{listen:?}");
        }
    }

    /// Answers one request, or hangs up without; the thread gives back what was asked.
    fn server(answer: Option<&'static str>) -> (SocketAddr, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 4096];
            let length = stream.read(&mut buffer).unwrap();
            if let Some(body) = answer {
                let length = body.len();
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
            }
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        });
        (address, asked)
    }

    #[tokio::test]
    async fn only_nightcap_counts_as_a_daemon_of_this_machine() {
        for (answer, is_nightcap) in [
            (Some(r#"{"status":"ok","name":"nightcap"}"#), true),
            (Some(r#"{"status":"ok"}"#), false),
            (Some(r#"{"status":"ok","name":"prometheus"}"#), false),
            (Some("ok"), false),
            (None, false),
        ] {
            let (address, asked) = server(answer);
            let other = format!("what answers at http://{address} is not Nightcap");
            let expected = if is_nightcap { Ok(()) } else { Err(other) };
            assert_eq!(glance(address).await, expected, "{answer:?}");
            let expected = format!("GET /healthz HTTP/1.1\r\naccept: */*\r\nhost: {address}\r\n\r\n");
            assert_eq!(asked.join().unwrap(), expected, "nothing goes with the question");
        }
    }

    #[tokio::test]
    async fn silence_on_this_machine_is_told_from_nobody() {
        // Connections are taken by the kernel, and nobody reads them.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let expected = format!("nothing answers at http://{address} within 200 ms");
        assert_eq!(glance(address).await, Err(expected));
        drop(silent);
        let error = glance(address).await.unwrap_err();
        assert!(
            error.starts_with(&format!("nothing answers at http://{address} (Connection refused")),
            "{error}"
        );
    }
}
