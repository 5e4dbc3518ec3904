//! Serves until told to stop.

use std::io;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{AppState, router};

/// Serves `state` on `listener` until `stop`; answers under way are finished first. Meanwhile keeps the running totals
/// of money whole.
pub async fn serve(listener: TcpListener, state: AppState, stop: CancellationToken) -> io::Result<()> {
    let totals = tokio::spawn(state.clone().keep_totals());
    let served = axum::serve(listener, router(state)).with_graceful_shutdown(stop.cancelled_owned()).await;
    totals.abort();
    served
}
