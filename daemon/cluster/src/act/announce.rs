//! Kubernetes Events: what `kubectl get events` shows of us.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::SecondsFormat;
use nightcap_core::cluster::{WorkloadKey, WorkloadKind};
use nightcap_core::engine::{Severity, Subject};
use nightcap_core::units::{Instant, Millis};
use serde_json::{Value, json};

use crate::reply::Call;

/// The API server refuses longer notes.
const LONGEST_NOTE: usize = 1_024;
/// The same words about the same object are not said again for this long.
const SAID: Millis = Millis::from_minutes(10);

/// What was said: object, reason, note.
type Words = (Arc<str>, &'static str, Arc<str>);

/// Writes Events, and knows what it has said lately.
///
/// kube's own recorder joins all Events of one reason into a series under the first one's note, and reads the clock
/// itself. Our notes say who and why, so each that is new is an Event of its own.
#[derive(Debug)]
pub(super) struct Announcer {
    instance: Arc<str>,
    said: Mutex<BTreeMap<Words, Instant>>,
}

impl Announcer {
    pub(super) fn new(instance: &str) -> Self {
        let instance = if instance.is_empty() { "nightcap" } else { cut(instance, 128) }.into();
        Self { instance, said: Mutex::default() }
    }

    /// The request that publishes an Event, unless the same was said a moment ago.
    pub(super) fn call(
        &self,
        subject: &Subject,
        severity: Severity,
        reason: &'static str,
        note: &Arc<str>,
        now: Instant,
    ) -> Option<Call> {
        let words = (Arc::clone(uid(subject)), reason, Arc::clone(note));
        {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            said.retain(|_, at| now.since(*at) < SAID);
            if said.contains_key(&words) {
                return None;
            }
            said.insert(words, now);
        }
        Some(event(subject, severity, reason, note, &self.instance, now))
    }
}

fn event(
    subject: &Subject,
    severity: Severity,
    reason: &str,
    note: &str,
    instance: &str,
    now: Instant,
) -> Call {
    let (namespace, regarding) = regarding(subject);
    let name = regarding["name"].as_str().unwrap_or_default();
    // What is generated must be a name already without the end that the API server adds, its dash apart.
    let stem = cut(name, 200).trim_end_matches(['-', '.']);
    let body = json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": { "generateName": format!("{stem}-"), "namespace": namespace },
        "eventTime": now.to_chrono().to_rfc3339_opts(SecondsFormat::Micros, true),
        "reportingController": "nightcap.dev/nightcap",
        "reportingInstance": instance,
        "action": reason,
        "reason": reason,
        "type": match severity { Severity::Normal => "Normal", Severity::Warning => "Warning" },
        "note": cut_note(note),
        "regarding": regarding,
    });
    Call::create(&format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"), body)
}

/// The namespace of the Event, and what it is about.
fn regarding(subject: &Subject) -> (&str, Value) {
    match subject {
        // Told inside the namespace, where those who work in it can read it, not in `default`.
        Subject::Namespace { name, uid } => {
            let about = json!({ "apiVersion": "v1", "kind": "Namespace", "namespace": name, "name": name, "uid": uid });
            (name, about)
        }
        Subject::Workload { key, uid } => {
            let WorkloadKey { namespace, kind, name } = key;
            let mut about = json!({ "kind": kind.plain(), "namespace": namespace, "name": name, "uid": uid });
            // Of an operator's object the version is not known here, and the UID says which it is.
            if !matches!(kind, WorkloadKind::Other(_)) {
                about["apiVersion"] = api_version(kind).into();
            }
            (namespace, about)
        }
        Subject::Budget { name, uid } => {
            let about =
                json!({ "apiVersion": "nightcap.dev/v1alpha1", "kind": "Budget", "name": name, "uid": uid });
            ("default", about)
        }
        Subject::SleepPolicy { name, uid } => {
            let about = json!({
                "apiVersion": "nightcap.dev/v1alpha1", "kind": "SleepPolicy", "name": name, "uid": uid
            });
            ("default", about)
        }
        Subject::Node { name, uid } => {
            ("default", json!({ "apiVersion": "v1", "kind": "Node", "name": name, "uid": uid }))
        }
    }
}

const fn api_version(kind: &WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::CronJob | WorkloadKind::Job => "batch/v1",
        WorkloadKind::ReplicationController => "v1",
        _ => "apps/v1",
    }
}

const fn uid(subject: &Subject) -> &Arc<str> {
    match subject {
        Subject::Namespace { uid, .. }
        | Subject::Workload { uid, .. }
        | Subject::Budget { uid, .. }
        | Subject::SleepPolicy { uid, .. }
        | Subject::Node { uid, .. } => uid,
    }
}

fn cut_note(note: &str) -> String {
    if note.len() <= LONGEST_NOTE {
        return note.to_owned();
    }
    format!("{}…", cut(note, LONGEST_NOTE - '…'.len_utf8()))
}

/// The longest start of the text that fits into so many bytes.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_772_352_000_123);

    fn workload() -> Subject {
        let key =
            WorkloadKey { namespace: "pay".into(), kind: WorkloadKind::CronJob, name: "nightly".into() };
        Subject::Workload { key, uid: "u-1".into() }
    }

    #[test]
    fn event_of_a_workload_is_written_beside_it() {
        let announcer = Announcer::new("nightcap-0");
        let note = "nightly is asleep".into();
        let call = announcer.call(&workload(), Severity::Warning, "SleepRefused", &note, NOW);
        let body = json!({
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": { "generateName": "nightly-", "namespace": "pay" },
            "eventTime": "2026-03-01T08:00:00.123000Z",
            "reportingController": "nightcap.dev/nightcap",
            "reportingInstance": "nightcap-0",
            "action": "SleepRefused",
            "reason": "SleepRefused",
            "type": "Warning",
            "note": "nightly is asleep",
            "regarding": {
                "apiVersion": "batch/v1", "kind": "CronJob", "namespace": "pay", "name": "nightly", "uid": "u-1"
            },
        });
        assert_eq!(call, Some(Call::create("/apis/events.k8s.io/v1/namespaces/pay/events", body)));
    }

    #[test]
    fn event_of_a_namespace_is_told_inside_it_and_of_a_node_in_default() {
        let space = Subject::Namespace { name: "pay".into(), uid: "u-2".into() };
        let (namespace, about) = regarding(&space);
        assert_eq!(namespace, "pay");
        let whole = json!({ "apiVersion": "v1", "kind": "Namespace", "namespace": "pay", "name": "pay", "uid": "u-2" });
        assert_eq!(about, whole);
        let node = Subject::Node { name: "n1".into(), uid: "u-3".into() };
        let (namespace, about) = regarding(&node);
        assert_eq!(namespace, "default");
        assert_eq!(about, json!({ "apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u-3" }));
    }

    #[test]
    fn same_words_are_said_once_in_ten_minutes() {
        let announcer = Announcer::new("");
        let say = |note: &str, at| {
            announcer.call(&workload(), Severity::Normal, "Commanded", &note.into(), at).is_some()
        };
        assert!(say("woken by ann", NOW));
        assert!(!say("woken by ann", NOW + Millis::MINUTE));
        assert!(say("woken by bob", NOW + Millis::MINUTE));
        assert!(say("woken by ann", NOW + SAID));
    }

    #[test]
    fn long_note_is_cut_between_characters() {
        let note = "ü".repeat(600);
        let cut = cut_note(&note);
        assert_eq!(cut, format!("{}…", "ü".repeat(510)));
        assert!(cut.len() <= LONGEST_NOTE);
        assert_eq!(cut_note("short"), "short");
    }
}
