//! The HTTP server's life: bound before anything else starts, ended last.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests may take to end once the daemon stops.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(5);

/// Takes the address, so that a wrong one is told at once.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}: is another nightcap running? Choose another with --listen")
    })
}

/// Serves until `stop`, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> anyhow::Result<()> {
    let ended = stop.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(ended.cancelled_owned()).into_future();
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        served = server => served.context("the HTTP server ended"),
        () = deadline => Ok(()), // somebody holds a connection open; it ends with the process
    }
}
