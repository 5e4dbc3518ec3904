//! What the command line does with the kubeconfig itself, without a daemon: the same engine decides, on one look at
//! the cluster, and its actions are done at once.

use std::path::Path;

use anyhow::Context;
use nightcap_cluster::{Cluster, KeepKeys, Listing};
use nightcap_core::engine::{Action, Engine, Event, Kind, Outcome};
use nightcap_core::sleep::{Command, Mode};
use nightcap_core::units::{Instant, Millis};

use super::acts::{End, Wish};
use crate::api::{Act, ActReport};
use crate::config::{Config, Raw, process_variables};
use crate::runtime::Clock;

/// So often the cluster is looked at again, when somebody changes it in between.
const LOOKS: usize = 5;

/// Writes a wish to the cluster, and does what follows from it.
pub async fn act(kubeconfig: Option<&Path>, wish: &Wish) -> anyhow::Result<Vec<ActReport>> {
    let config = Config::validate(&Raw::read(None, process_variables(), &[])?)?;
    let kubeconfig = kubeconfig.or(config.kubeconfig.as_deref());
    let cluster = Cluster::connect(kubeconfig).await.context("cannot find the cluster")?;
    let keep = KeepKeys::for_teams(&config.teams);
    let now = Clock::system().now();
    let spaces = match wish {
        Wish::Sleep { space, .. } | Wish::Wake { space } | Wish::KeepAwake { space, .. } => {
            vec![space.clone()]
        }
        Wish::WakeAll => sleeping(&cluster, &keep, &config).await?,
    };
    let direct = Direct { cluster: &cluster, keep: &keep, config: &config, now };
    let (mut reports, mut failures) = (Vec::with_capacity(spaces.len()), Vec::new());
    for space in spaces {
        // One that fails does not keep the others from their due.
        match direct.act(&space, wish).await {
            Ok(report) => reports.push(report),
            Err(error) => failures.push(format!("{space}: {error:#}")),
        }
    }
    anyhow::ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(reports)
}

/// The bearer token of the kubeconfig's user, if it has one.
pub async fn kubeconfig_token(kubeconfig: Option<&Path>) -> anyhow::Result<Option<String>> {
    // No kubeconfig at all is no error here: the daemon says what it wants.
    let Ok(cluster) = Cluster::connect(kubeconfig).await else { return Ok(None) };
    Ok(cluster.bearer_token().await?)
}

/// The namespaces in which something carries our mark.
async fn sleeping(cluster: &Cluster, keep: &KeepKeys, config: &Config) -> anyhow::Result<Vec<String>> {
    let mark = format!("{}/original", config.annotation_prefix);
    let listing = cluster.list(None, keep, &config.kinds).await?;
    let mut names: Vec<String> = listing
        .workloads
        .iter()
        .filter(|workload| workload.annotations.contains_key(mark.as_str()))
        .map(|workload| workload.key.namespace.to_string())
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

struct Direct<'a> {
    cluster: &'a Cluster,
    keep: &'a KeepKeys,
    config: &'a Config,
    now: Instant,
}

impl Direct<'_> {
    async fn act(&self, space: &str, wish: &Wish) -> anyhow::Result<ActReport> {
        let (command, act) = self.command(space, wish);
        let mut engine = self.look(space).await?;
        let written = engine.preview(&command, self.now)?;
        engine.apply(Event::Command(command), self.now);
        let mut actions: Vec<Action> =
            engine.tick(self.now).into_iter().filter(|a| matches!(a, Action::Namespace { .. })).collect();
        let mut done = 0;
        for _ in 0..LOOKS {
            done += self.perform(&actions).await?;
            // The wish stands on the namespace now: what follows from it is decided on what is there now.
            engine = self.look(space).await?;
            actions = engine.tick(self.now);
            actions.retain(|action| !matches!(action, Action::Announce { .. }));
            if actions.is_empty() {
                let annotations = written
                    .iter()
                    .map(|(key, value)| (key.to_string(), value.as_ref().map(ToString::to_string)))
                    .collect();
                let by = "kubeconfig".to_owned();
                let left_alone = refused(&mut engine, self.now) + &self.unreadable(space).await?;
                let message = message(space, act, done) + &left_alone;
                return Ok(ActReport {
                    at: self.now,
                    space: space.to_owned(),
                    act,
                    by,
                    annotations,
                    message,
                });
            }
        }
        anyhow::bail!(
            "somebody keeps changing its workloads; the wish is written, and a daemon or the same command again will finish"
        )
    }

    /// An engine that has seen the space as it is now. It acts on the space's own wishes, as in `ask`.
    async fn look(&self, space: &str) -> anyhow::Result<Engine> {
        // What cannot be read is told at the end (`unreadable`) and keeps nothing else from its due.
        let Listing { namespaces, workloads, .. } =
            self.cluster.list(Some(space), self.keep, &self.config.kinds).await?;
        let mut settings = self.config.settings(self.now);
        settings.mode = Mode::Ask;
        // Nobody stays to see what gets ready: all is woken at once.
        settings.sleep.wake_gate = Millis(0);
        let mut engine = Engine::new(settings);
        for namespace in namespaces {
            engine.apply(Event::Namespace(namespace), self.now);
        }
        for workload in workloads {
            engine.apply(Event::Workload(workload), self.now);
        }
        // Each kind counts as listed; the names do not matter, since nothing is known that could be missing.
        let uids = engine.known_uids();
        for kind in Kind::ALL {
            engine.apply(Event::Listed { kind, uids: uids.clone() }, self.now);
        }
        Ok(engine)
    }

    /// A sentence for each object of the space that cannot be read, and so was left alone.
    async fn unreadable(&self, space: &str) -> anyhow::Result<String> {
        let Listing { unreadable, .. } =
            self.cluster.list(Some(space), self.keep, &self.config.kinds).await?;
        let sentences: Vec<String> =
            unreadable.iter().map(|u| format!(" {} was left alone: {}.", u.object, u.reason)).collect();
        Ok(sentences.concat())
    }

    fn command(&self, space: &str, wish: &Wish) -> (Command, Act) {
        let (namespace, by) = (space.into(), "kubeconfig".into());
        match wish {
            Wish::Sleep { until, .. } => (Command::Sleep { namespace, until: *until, by }, Act::Sleep),
            Wish::Wake { .. } | Wish::WakeAll => (Command::Wake { namespace, by }, Act::Wake),
            Wish::KeepAwake { end, .. } => {
                let until = match end {
                    End::After(length) => self.now + *length,
                    End::At(at) => *at,
                };
                (Command::KeepAwake { namespace, until, by }, Act::KeepAwake)
            }
        }
    }

    /// Does the actions; a conflict is no error, since the next look decides again. Returns how many workloads changed.
    async fn perform(&self, actions: &[Action]) -> anyhow::Result<usize> {
        let mut done = 0;
        for (id, outcome) in self.cluster.apply(actions).await {
            match outcome {
                Outcome::Done { .. } => {
                    done += usize::from(
                        actions.iter().any(|a| matches!(a, Action::Workload { id: i, .. } if *i == id)),
                    );
                }
                Outcome::Conflict | Outcome::NotFound => {}
                Outcome::Refused { reason } | Outcome::Retry { reason, .. } => anyhow::bail!("{reason}"),
            }
        }
        Ok(done)
    }
}

/// A sentence for each workload that should sleep and must not.
fn refused(engine: &mut Engine, now: Instant) -> String {
    let snapshot = engine.snapshot(now);
    let workloads = snapshot.spaces.iter().flat_map(|space| &space.workloads);
    let sentences: Vec<String> =
        workloads.filter_map(|w| w.refusal.as_ref().map(|refusal| format!(" {refusal}."))).collect();
    sentences.concat()
}

fn message(space: &str, act: Act, workloads: usize) -> String {
    let what = match act {
        Act::Sleep => "is put to sleep",
        Act::Wake => "is woken",
        Act::KeepAwake => "is kept awake",
    };
    format!("{space} {what}: {workloads} workloads changed, without a daemon.")
}
