//! What the marks on a workload say, kept in step with the savings; and values that cannot be read.

use std::sync::Arc;

use super::machine::WorkloadEntry;
use super::{Action, Engine, Severity, Subject};
use crate::cluster::{Workload, WorkloadKey};
use crate::sleep::{BadValue, Known, Mark, Original};
use crate::units::Instant;

impl Engine {
    /// Keeps the savings in step with the mark.
    pub(super) fn count_sleep(&mut self, key: &WorkloadKey, entry: &WorkloadEntry, now: Instant) {
        if !entry.is_asleep() {
            // What woke while the daemon was not running did so at a time that no object proves.
            self.ledger.awake(key, self.resumed.unwrap_or(now));
            return;
        }
        let mark = entry.mark();
        // A suspended CronJob frees what its runs would have used; that is not known, and not guessed.
        let replicas = entry.original().and_then(|original| original.replicas).unwrap_or(0);
        let by_size = || entry.workload.pod_requests.times(u64::from(replicas));
        let freed = mark.and_then(|mark| mark.freed).map_or_else(by_size, Into::into);
        let policy = mark.map_or_else(|| "unknown".into(), |m| Arc::clone(&m.policy));
        let since = mark.map_or(now, |m| m.since.min(now));
        self.ledger.asleep(key, &entry.attribution, &policy, freed, since);
    }

    /// Reads mark and original; what cannot be read is reported, and its last good reading holds on.
    pub(super) fn read_marks(
        &mut self,
        workload: &Workload,
        before: Option<&Known>,
        subject: &Subject,
        now: Instant,
    ) -> Option<Known> {
        let settings = &self.settings.sleep;
        let mark_text = workload.annotations.get(&settings.key("asleep"));
        let original_text = workload.annotations.get(&settings.key("original"));
        let object = workload.key.to_string();
        let mut bad = None;
        let original = original_text.and_then(|text| match Original::parse(text) {
            Ok(original) => Some(original),
            Err(error) => {
                bad = Some(error.to_string());
                before.and_then(|known| known.original.clone())
            }
        });
        let known = Known {
            mark: mark_text.and_then(|text| Mark::parse(text).ok()),
            original,
            marked: mark_text.is_some() || original_text.is_some(),
        };
        match bad {
            Some(message) => {
                if self.problems.raise(&object, "bad-original", "", message.clone(), now) {
                    self.out.push(Action::Announce {
                        subject: subject.clone(),
                        severity: Severity::Warning,
                        reason: "BadOriginal",
                        note: message.into(),
                    });
                }
            }
            None => self.problems.clear(&object, "bad-original"),
        }
        known.marked.then_some(known)
    }

    pub(super) fn report_bad(&mut self, object: &str, subject: &Subject, bad: &[BadValue], now: Instant) {
        let keys: Vec<&str> = bad.iter().map(|value| &*value.key).collect();
        self.problems.keep(object, "bad-annotation", &keys);
        for value in bad {
            if self.problems.raise(object, "bad-annotation", &value.key, value.message.clone(), now) {
                self.counters.unreadable += 1;
                self.out.push(Action::Announce {
                    subject: subject.clone(),
                    severity: Severity::Warning,
                    reason: "BadAnnotation",
                    note: value.message.as_str().into(),
                });
            }
        }
    }
}
