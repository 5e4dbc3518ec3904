//! What was announced about an object, as `kubectl describe` shows it.

use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use kube::{Api, Client};

/// A Kubernetes Event, as far as its reader cares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announcement {
    /// `Normal` or `Warning`.
    pub severity: String,
    /// `CamelCase` reason.
    pub reason: String,
    /// The sentence.
    pub note: String,
}

impl Announcement {
    /// One with these words.
    pub fn new(severity: &str, reason: &str, note: &str) -> Self {
        Self { severity: severity.to_owned(), reason: reason.to_owned(), note: note.to_owned() }
    }
}

/// The Events that Nightcap has published about an object, sorted, each once. A namespace's are those with its own name.
pub async fn events_of(client: &Client, kind: &str, name: &str) -> anyhow::Result<Vec<Announcement>> {
    let events = Api::<Event>::all(client.clone());
    let about = format!("involvedObject.kind={kind},involvedObject.name={name}");
    let found = events.list(&ListParams::default().fields(&about)).await?;
    let ours = |event: &Event| {
        let reporter =
            event.reporting_component.iter().chain(event.source.iter().flat_map(|s| s.component.iter()));
        reporter.into_iter().any(|name| name.contains("nightcap"))
    };
    let mut all: Vec<Announcement> = found
        .items
        .into_iter()
        .filter(ours)
        .map(|event| Announcement {
            severity: event.type_.unwrap_or_default(),
            reason: event.reason.unwrap_or_default(),
            note: event.message.unwrap_or_default(),
        })
        .collect();
    all.sort();
    all.dedup();
    Ok(all)
}
