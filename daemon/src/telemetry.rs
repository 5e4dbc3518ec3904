//! Logging: structured lines on stderr, each readable alone.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging. What libraries tell of every request stays out unless asked for with `RUST_LOG`.
pub fn start(log: Log) {
    let level = log.level.name();
    // kube logs every failed request as an error; the adapter tells what matters of it, once.
    let default =
        format!("warn,kube_client=off,nightcap={level},nightcap_cluster={level},nightcap_core={level}");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only a second start can fail here, and then logging is on already.
    let _ = match log.format {
        LogFormat::Text => lines.with_target(false).compact().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
