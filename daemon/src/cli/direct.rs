//! Acts without a daemon: the same engine decides, over one look at the cluster instead of watches.
//!
//! Only the named space is read (with `wake --all` every space), so nothing else can be touched. To wake or keep awake
//! the engine runs in [`Mode::Observe`], which only wakes what Nightcap put to sleep; to sleep it runs in
//! [`Mode::Ask`], in which the wish just written is the strongest that counts.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use nightcap_cluster::{Cluster, KeepKeys, Listing};
use nightcap_core::engine::{Action, Engine, Event, Kind, Outcome};
use nightcap_core::sleep::{AnnotationPatch, Command, Mode};
use nightcap_core::units::Instant;

use super::acts::{End, Wish};
use crate::api::{Act, ActReport};
use crate::config::{Config, Raw, process_variables};
use crate::runtime::Clock;

/// Who asks, as marks and messages name them: the API server's audit log knows the person.
const BY: &str = "nightcap --direct";
/// Somebody may change an object between the look and the write; then it is looked at again, so often.
const ROUNDS: usize = 5;

/// Writes a wish to the cluster, and does at once what a daemon would do about it.
pub async fn act(kubeconfig: Option<&Path>, wish: &Wish) -> anyhow::Result<Vec<ActReport>> {
    // What a daemon takes from its file is taken from variables here: the prefix of annotations, the zone.
    let config = Config::validate(&Raw::parse("", process_variables(), &[])?)?;
    let cluster = Cluster::connect(kubeconfig).await?;
    let clock = Clock::system();
    let space = wish.space();
    let keep = KeepKeys::for_teams(&config.teams);
    let look = async || {
        cluster.list(space, &keep).await.with_context(|| match space {
            Some(name) => format!("cannot read space {name:?} at {}", cluster.server()),
            None => format!("cannot read the spaces at {}", cluster.server()),
        })
    };

    let now = clock.now();
    let mut session = Session::new(&config, wish, now);
    session.observe(look().await?, now);
    let reports = session.command(wish, now);
    for _ in 0..ROUNDS {
        let now = clock.now();
        let actions = session.tick(now);
        if actions.is_empty() {
            break;
        }
        for (id, outcome) in cluster.apply(&actions).await {
            session.ended(&actions, id, outcome, now);
        }
        session.observe(look().await?, clock.now());
    }
    session.conclude(reports)
}

/// The bearer token of the kubeconfig's user, if there is one.
pub async fn kubeconfig_token(kubeconfig: Option<&Path>) -> anyhow::Result<Option<String>> {
    match Cluster::connect(kubeconfig).await {
        Ok(cluster) => Ok(cluster.bearer_token().await?),
        // Nobody has named a kubeconfig, and there is none in the usual places: the daemon may need no token.
        Err(_) if kubeconfig.is_none() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// One act: an engine, and what became of what it wanted.
#[derive(Debug)]
struct Session {
    engine: Engine,
    /// Workloads that were changed, as `Kind namespace/name`.
    changed: BTreeSet<String>,
    /// What did not work, in words.
    failures: BTreeSet<String>,
    /// What somebody else changed between the look and the write, and is not settled yet.
    conflicts: BTreeSet<String>,
}

impl Session {
    fn new(config: &Config, wish: &Wish, now: Instant) -> Self {
        let mut settings = config.settings(now);
        settings.mode = if matches!(wish, Wish::Sleep { .. }) { Mode::Ask } else { Mode::Observe };
        Self {
            engine: Engine::new(settings),
            changed: BTreeSet::new(),
            failures: BTreeSet::new(),
            conflicts: BTreeSet::new(),
        }
    }

    /// Takes in everything that was found, in place of what was known.
    fn observe(&mut self, listing: Listing, now: Instant) {
        let Listing { namespaces, workloads, unreadable } = listing;
        let mut uids = Vec::new();
        for kind in Kind::ALL {
            let of_kind = workloads.iter().filter(|workload| kind_of(&workload.key.kind) == Some(kind));
            let found: Vec<Arc<str>> = match kind {
                Kind::Namespace => namespaces.iter().map(|namespace| Arc::clone(&namespace.uid)).collect(),
                _ => of_kind.map(|workload| Arc::clone(&workload.uid)).collect(),
            };
            uids.push((kind, found));
        }
        let facts =
            namespaces.into_iter().map(Event::Namespace).chain(workloads.into_iter().map(Event::Workload));
        let lists = uids.into_iter().map(|(kind, uids)| Event::Listed { kind, uids });
        for event in facts.chain(lists) {
            self.engine.apply(event, now);
        }
        self.failures
            .extend(unreadable.iter().map(|it| format!("{} was left alone: {}", it.object, it.reason)));
    }

    /// Gives the engine the command, and says what is written for it.
    fn command(&mut self, wish: &Wish, now: Instant) -> Vec<ActReport> {
        let commands = match wish {
            Wish::Sleep { space, until } => {
                vec![(
                    Act::Sleep,
                    Command::Sleep { namespace: space.as_str().into(), until: *until, by: BY.into() },
                )]
            }
            Wish::Wake { space } => vec![wake(space)],
            Wish::WakeAll => self.sleeping(now).iter().map(|space| wake(space)).collect(),
            Wish::KeepAwake { space, end } => {
                let until = match *end {
                    End::At(at) => at,
                    End::After(length) => now + length,
                };
                vec![(
                    Act::KeepAwake,
                    Command::KeepAwake { namespace: space.as_str().into(), until, by: BY.into() },
                )]
            }
        };
        let mut reports = Vec::new();
        for (act, command) in commands {
            if let Some(written) = self.engine.preview(&command, now) {
                reports.push(report(act, command.namespace(), &written, now));
                self.engine.apply(Event::Command(command), now);
            }
        }
        reports
    }

    /// Spaces in which something sleeps by Nightcap's hand.
    fn sleeping(&mut self, now: Instant) -> Vec<Arc<str>> {
        let snapshot = self.engine.snapshot(now);
        let sleeps =
            |space: &&nightcap_core::engine::SpaceView| space.workloads.iter().any(|w| w.mark.is_some());
        snapshot.spaces.iter().filter(sleeps).map(|space| Arc::clone(&space.name)).collect()
    }

    /// What is to be written now.
    fn tick(&mut self, now: Instant) -> Vec<Action> {
        let mut actions = self.engine.tick(now);
        actions.retain(|action| !matches!(action, Action::Announce { .. }));
        actions
    }

    fn ended(
        &mut self,
        actions: &[Action],
        id: nightcap_core::engine::ActionId,
        outcome: Outcome,
        now: Instant,
    ) {
        let target = actions.iter().find_map(|action| match action {
            Action::Workload { id: of, patch } if *of == id => Some(Some(patch.target.clone())),
            Action::Namespace { id: of, .. } if *of == id => Some(None),
            _ => None,
        });
        let Some(target) = target else { return };
        let name = target.as_ref().map_or_else(|| "the namespace".to_owned(), ToString::to_string);
        match &outcome {
            Outcome::Done { .. } => {
                self.conflicts.remove(&name);
                self.changed.extend(target.is_some().then_some(name));
            }
            Outcome::Conflict => {
                self.conflicts.insert(name);
            }
            // What is gone needs nothing any more.
            Outcome::NotFound => {
                self.conflicts.remove(&name);
            }
            Outcome::Refused { reason } | Outcome::Retry { reason, .. } => {
                self.failures.insert(format!("{name} could not be changed: {reason}"));
            }
        }
        self.engine.apply(Event::Ended { id, target, outcome }, now);
    }

    /// The reports with what was done, or everything that went wrong.
    fn conclude(self, mut reports: Vec<ActReport>) -> anyhow::Result<Vec<ActReport>> {
        let unsettled = self.conflicts.iter().map(|name| {
            format!("{name} was changed by somebody else at the same time: run the command again")
        });
        let failures: Vec<String> = self.failures.iter().cloned().chain(unsettled).collect();
        if !failures.is_empty() {
            anyhow::bail!(
                "workloads changed: {}; not all went well:\n{}",
                self.changed.len(),
                failures.join("\n")
            );
        }
        for report in &mut reports {
            let of_space = format!(" {}/", report.space);
            let count = self.changed.iter().filter(|name| name.contains(&of_space)).count();
            report.message += "; workloads changed: ";
            report.message += &count.to_string();
        }
        Ok(reports)
    }
}

const fn kind_of(kind: &nightcap_core::cluster::WorkloadKind) -> Option<Kind> {
    use nightcap_core::cluster::WorkloadKind;
    match kind {
        WorkloadKind::Deployment => Some(Kind::Deployment),
        WorkloadKind::StatefulSet => Some(Kind::StatefulSet),
        WorkloadKind::CronJob => Some(Kind::CronJob),
        _ => None,
    }
}

fn wake(space: &str) -> (Act, Command) {
    (Act::Wake, Command::Wake { namespace: space.into(), by: BY.into() })
}

fn report(act: Act, space: &str, written: &AnnotationPatch, at: Instant) -> ActReport {
    let end = written.values().find_map(Option::as_deref).unwrap_or("manual");
    let until = if end == "manual" { "until somebody wakes it".to_owned() } else { format!("until {end}") };
    let message = match act {
        Act::Sleep => format!("{space} goes to sleep {until}"),
        Act::Wake | Act::KeepAwake => format!("{space} is kept awake {until}"),
    };
    let text = |value: &Option<Arc<str>>| value.as_deref().map(ToOwned::to_owned);
    let annotations = written.iter().map(|(key, value)| (key.to_string(), text(value))).collect();
    ActReport { at, space: space.to_owned(), act, by: BY.to_owned(), annotations, message }
}

#[cfg(test)]
mod tests {
    use nightcap_core::cluster::{Keys, Namespace, Size, Workload, WorkloadKey, WorkloadKind};
    use nightcap_core::units::{Millis, Resources, parse_rfc3339};

    use super::*;

    fn now() -> Instant {
        parse_rfc3339("2026-03-02T10:30:00Z").unwrap()
    }

    fn listing(namespace: &str, replicas: u32, annotations: &[(&str, &str)]) -> Listing {
        let annotations: Keys = annotations.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        Listing {
            namespaces: vec![Namespace {
                uid: format!("uid-{namespace}").into(),
                name: namespace.into(),
                resource_version: "1".into(),
                created: Instant(0),
                labels: Keys::default(),
                annotations: Keys::default(),
                terminating: false,
            }],
            workloads: vec![Workload {
                key: WorkloadKey {
                    namespace: namespace.into(),
                    kind: WorkloadKind::Deployment,
                    name: "web".into(),
                },
                uid: format!("uid-web-{namespace}").into(),
                resource_version: "1".into(),
                created: Instant(0),
                size: Size::Replicas(replicas),
                ready_replicas: replicas,
                pod_requests: Resources::default(),
                labels: Keys::default(),
                annotations,
                deletes_claims_when_scaled: false,
                rolling_out: false,
                controlled: false,
            }],
            unreadable: vec![],
        }
    }

    const ASLEEP: [(&str, &str); 2] = [
        (
            "nightcap.dev/asleep",
            r#"{"since":"2026-03-01T08:00:00Z","why":"It ended.","policy":"namespace uptime","by":"nightcap"}"#,
        ),
        ("nightcap.dev/original", r#"{"replicas":3}"#),
    ];

    fn session(wish: &Wish, listing: Listing) -> Session {
        let mut session = Session::new(&Config::default(), wish, now());
        session.observe(listing, now());
        session
    }

    /// What is written, in short: an annotation of the namespace, or a workload with its new size.
    fn written(actions: &[Action]) -> Vec<String> {
        let short = |action: &Action| match action {
            Action::Workload { patch, .. } => format!("{} {:?}", patch.target, patch.size),
            Action::Namespace { annotations, .. } => format!("{annotations:?}"),
            Action::Announce { .. } => "announcement".to_owned(),
        };
        actions.iter().map(short).collect()
    }

    #[test]
    fn sleep_writes_the_wish_and_puts_to_sleep_at_once() {
        let wish = Wish::Sleep { space: "shop".into(), until: None };
        let mut session = session(&wish, listing("shop", 3, &[]));
        let reports = session.command(&wish, now());
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].message, "shop goes to sleep until somebody wakes it");
        let actions = session.tick(now());
        assert_eq!(
            written(&actions),
            [
                r#"{"nightcap.dev/asleep-until": Some("manual"), "nightcap.dev/keep-awake-until": None}"#,
                "Deployment shop/web Some(Replicas(0))"
            ]
        );
    }

    #[test]
    fn wake_restores_what_another_daemon_put_to_sleep() {
        let wish = Wish::Wake { space: "shop".into() };
        let mut session = session(&wish, listing("shop", 0, &ASLEEP));
        let reports = session.command(&wish, now());
        assert_eq!(reports[0].message, "shop is kept awake until 2026-03-02T12:30:00Z");
        let actions = session.tick(now());
        assert_eq!(written(&actions)[1..], ["Deployment shop/web Some(Replicas(3))"]);
        for action in &actions {
            if let Action::Workload { id, .. } | Action::Namespace { id, .. } = action {
                session.ended(&actions, *id, Outcome::Done { resource_version: "2".into() }, now());
            }
        }
        let reports = session.conclude(reports).unwrap();
        assert_eq!(reports[0].message, "shop is kept awake until 2026-03-02T12:30:00Z; workloads changed: 1");
    }

    #[test]
    fn wake_all_names_only_what_sleeps() {
        let mut both = listing("shop", 0, &ASLEEP);
        let awake = listing("lab", 2, &[]);
        both.namespaces.extend(awake.namespaces);
        both.workloads.extend(awake.workloads);
        let mut session = session(&Wish::WakeAll, both);
        let spaces: Vec<String> =
            session.command(&Wish::WakeAll, now()).into_iter().map(|report| report.space).collect();
        assert_eq!(spaces, ["shop"]);
    }

    #[test]
    fn what_was_at_zero_before_stays_there() {
        let wish = Wish::KeepAwake { space: "shop".into(), end: End::After(Millis::HOUR) };
        let mut session = session(&wish, listing("shop", 0, &[]));
        session.command(&wish, now());
        assert_eq!(
            written(&session.tick(now())),
            [
                r#"{"nightcap.dev/asleep-until": None, "nightcap.dev/keep-awake-until": Some("2026-03-02T11:30:00Z")}"#
            ]
        );
    }

    #[test]
    fn what_goes_wrong_is_told_whole() {
        let wish = Wish::Sleep { space: "shop".into(), until: None };
        let mut session = session(&wish, listing("shop", 3, &[]));
        let reports = session.command(&wish, now());
        let actions = session.tick(now());
        for action in &actions {
            if let Action::Workload { id, .. } = action {
                session.ended(&actions, *id, Outcome::Refused { reason: "403: no rights".into() }, now());
            }
        }
        assert_eq!(
            session.conclude(reports).unwrap_err().to_string(),
            "workloads changed: 0; not all went well:\nDeployment shop/web could not be changed: 403: no rights"
        );
    }
}
