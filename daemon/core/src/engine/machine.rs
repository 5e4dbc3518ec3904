//! The engine: one state, fed by events, asked by ticks. Deterministic to the byte: `now` is an argument, maps are
//! ordered, nothing is read from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::asset_state::AssetState;
use super::budgets::Budgets;
use super::errand::Errand;
use super::fight::Fights;
use super::names::PodNames;
use super::policies::Policies;
use super::problems::Problems;
use super::vclusters::Deletions;
use super::wake_gate::Wakes;
use super::{Action, ActionId, Counters, Event, HistoryHealth, Kind, Settings, UsageHealth};
use crate::cluster::{Attribution, Keys, Namespace, Node, OwnerFacts, Resolver, Tier, Workload, WorkloadKey};
use crate::money::{Ledger, NodePrice, PodName};
use crate::sleep::foreign::{Foreign, ForeignSleep};
use crate::sleep::policy::Policy;
use crate::sleep::{Decision, Known, Mark, Original, Upcoming, Wishes};
use crate::units::{Instant, Millis};

/// How often the ledger settles while nothing else happens.
const SETTLE_EVERY: Millis = Millis::MINUTE;

/// A pod that the engine knows. There are many: what the ledger knows of it is not kept twice.
#[derive(Debug)]
pub(super) struct PodState {
    pub(super) name: Arc<PodName>,
    pub(super) node: Option<Arc<str>>,
    /// Who pays; its workload is the pod's owner.
    pub(super) attribution: Arc<Attribution>,
    /// What its labels tell of that; shared with its like.
    pub(super) facts: Option<Arc<OwnerFacts>>,
    /// The second of the newest usage sample since the epoch, good until 2106; 0 before the first.
    sampled_s: u32,
    pub(super) ended: bool,
}

impl PodState {
    /// A pod that has not been measured yet.
    pub(super) const fn new(
        name: Arc<PodName>,
        node: Option<Arc<str>>,
        attribution: Arc<Attribution>,
        facts: Option<Arc<OwnerFacts>>,
        ended: bool,
    ) -> Self {
        Self { name, node, attribution, facts, sampled_s: 0, ended }
    }

    /// It was measured at `at`.
    pub(super) fn measured(&mut self, at: Instant) {
        self.sampled_s = self.sampled_s.max(u32::try_from(at.0 / 1_000).unwrap_or_default());
    }

    /// Whether it was measured later than `at`.
    pub(super) fn is_measured_since(&self, at: Instant) -> bool {
        self.sampled_s > 0 && i64::from(self.sampled_s) * 1_000 > at.0
    }
}

/// A decision, and what follows next.
pub(super) type Foreseen = (Decision, Option<Upcoming>);

/// A namespace that the engine knows.
#[derive(Debug)]
pub(super) struct SpaceEntry {
    pub(super) namespace: Namespace,
    pub(super) wishes: Wishes,
    /// What other sleep tools' users have written on it.
    pub(super) foreign: Option<Box<Foreign>>,
    pub(super) attribution: Arc<Attribution>,
    pub(super) tier: Option<Tier>,
    /// The policies that are about it, the first one first.
    pub(super) policies: Vec<Arc<Policy>>,
    /// What follows next, as long as the decision is this one.
    pub(super) foreseen: Option<Foreseen>,
    /// Since when it is asleep, or awake after a sleep.
    pub(super) since: Option<Instant>,
    pub(super) was_asleep: bool,
    /// Who gave the last command; goes into the mark of the sleep it causes.
    pub(super) commanded_by: Option<Arc<str>>,
    pub(super) errand: Errand,
}

/// A workload that the engine knows.
#[derive(Debug)]
pub(super) struct WorkloadEntry {
    pub(super) workload: Workload,
    /// Most workloads wish nothing of their own.
    pub(super) wishes: Option<Box<Wishes>>,
    /// Nor has it keys of other sleep tools.
    pub(super) foreign: Option<Box<Foreign>>,
    /// Only what sleeps, or slept, has marks.
    pub(super) known: Option<Box<Known>>,
    pub(super) attribution: Arc<Attribution>,
    /// Woken by us and not ready yet.
    pub(super) waking: bool,
    /// It was seen asleep by our hand, and nothing has been said since that it should not be.
    pub(super) slept: bool,
    pub(super) refusal: Option<Arc<str>>,
    /// What follows next, where that is decided apart from its space.
    pub(super) foreseen: Option<Box<Foreseen>>,
    pub(super) errand: Errand,
}

impl WorkloadEntry {
    /// Whether Nightcap has put it to sleep.
    pub(super) fn is_marked(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.marked)
    }

    /// Whether it sleeps by Nightcap's hand.
    pub(super) fn is_asleep(&self) -> bool {
        self.is_marked() && self.workload.size.is_down()
    }

    /// The mark of another tool's sleep; of what Nightcap has put to sleep itself no other mark counts.
    pub(super) fn asleep_elsewhere(&self) -> Option<&ForeignSleep> {
        self.foreign.as_ref().filter(|_| !self.is_marked()).and_then(|foreign| foreign.sleep())
    }

    /// What it was before it fell asleep.
    pub(super) fn original(&self) -> Option<&Original> {
        self.known.as_ref().and_then(|known| known.original.as_ref())
    }

    /// The mark of its sleep.
    pub(super) fn mark(&self) -> Option<&Mark> {
        self.known.as_ref().and_then(|known| known.mark.as_ref())
    }
}

/// What an action was for, until its outcome comes.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Target {
    Sleep(WorkloadKey),
    Wake(WorkloadKey),
    Namespace(Arc<str>),
    Budget(Arc<str>),
    Policy(Arc<str>),
    Pod { namespace: Arc<str>, uid: Arc<str> },
}

/// The one state machine.
#[derive(Debug)]
pub struct Engine {
    pub(super) settings: Settings,
    pub(super) ledger: Ledger,
    pub(super) nodes: BTreeMap<Arc<str>, Arc<Node>>,
    pub(super) prices: BTreeMap<Arc<str>, Arc<NodePrice>>,
    /// Boxed, as the workloads are: the slots of a tree are half empty.
    pub(super) pods: BTreeMap<Arc<str>, Box<PodState>>,
    /// The newest pod of each namespace and name: the metrics API knows no UID.
    pub(super) pod_names: PodNames,
    pub(super) spaces: BTreeMap<Arc<str>, SpaceEntry>,
    pub(super) workloads: BTreeMap<WorkloadKey, Box<WorkloadEntry>>,
    pub(super) assets: AssetState,
    pub(super) budgets: Budgets,
    pub(super) policies: Policies,
    pub(super) owners: Resolver,
    pub(super) attributions: BTreeSet<Arc<Attribution>>,
    /// What pods tell of whose they are, each once.
    pub(super) facts: BTreeSet<Arc<OwnerFacts>>,
    /// Labels of attributions, each set once.
    pub(super) label_sets: BTreeSet<Arc<Keys>>,
    /// Texts that many attributions share.
    pub(super) texts: BTreeSet<Arc<str>>,
    /// Whether it acts; who does not still counts all the money, on its own volume.
    pub(super) leads: bool,
    pub(super) listed: BTreeSet<Kind>,
    pub(super) problems: Problems,
    pub(super) usage: UsageHealth,
    pub(super) history: HistoryHealth,
    pub(super) counters: Counters,
    pub(super) targets: BTreeMap<ActionId, Target>,
    /// Pods of sleeping vClusters that are being deleted, by UID.
    pub(super) deletions: Deletions,
    /// Wakes under way.
    pub(super) wakes: Wakes,
    /// Sleeps that somebody undoes.
    pub(super) fights: Fights,
    pub(super) next_action: u64,
    /// Spaces to look at on the next tick.
    pub(super) dirty: BTreeSet<Arc<str>>,
    /// When spaces are to be looked at again although nothing happens to them.
    pub(super) due: BTreeSet<(Instant, Arc<str>)>,
    pub(super) out: Vec<Action>,
    pub(super) settled_at: Instant,
    /// When the checkpoint that this life goes on from was taken; `None` once all kinds are listed.
    pub(super) resumed: Option<Instant>,
}

impl Engine {
    /// An engine that knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        let ledger =
            Ledger::new(settings.start, settings.split, settings.scrape_interval, settings.keep_rows);
        let mut engine = Self {
            ledger,
            settled_at: settings.start,
            resumed: None,
            owners: Resolver::new(settings.teams.clone()),
            settings,
            nodes: BTreeMap::new(),
            prices: BTreeMap::new(),
            pods: BTreeMap::new(),
            pod_names: PodNames::default(),
            spaces: BTreeMap::new(),
            workloads: BTreeMap::new(),
            assets: AssetState::default(),
            budgets: Budgets::default(),
            policies: Policies::default(),
            attributions: BTreeSet::new(),
            facts: BTreeSet::new(),
            label_sets: BTreeSet::new(),
            texts: BTreeSet::new(),
            leads: true,
            listed: BTreeSet::new(),
            problems: Problems::default(),
            usage: UsageHealth::default(),
            history: HistoryHealth::default(),
            counters: Counters::default(),
            targets: BTreeMap::new(),
            deletions: Deletions::new(),
            wakes: Wakes::default(),
            fights: Fights::new(),
            next_action: 0,
            dirty: BTreeSet::new(),
            due: BTreeSet::new(),
            out: Vec::new(),
        };
        engine.charge_fixed();
        engine
    }

    /// Takes one fact in, at `now`.
    pub fn apply(&mut self, event: Event, now: Instant) {
        match event {
            Event::Node(node) => self.observe_node(node, now),
            Event::NodeGone { uid, at } => self.node_gone(&uid, at),
            Event::NodePriced { uid, price } => self.node_priced(&uid, price, now),
            Event::Namespace(namespace) => self.observe_namespace(namespace, now),
            Event::NamespaceGone { uid } => self.namespace_gone(&uid, now),
            Event::Pod(pod) => self.observe_pod(pod, now),
            Event::PodGone { uid, at } => self.pod_gone(&uid, at),
            Event::Workload(workload) => self.observe_workload(workload, now),
            Event::WorkloadGone { uid } => self.workload_gone(&uid, now),
            Event::Listed { kind, uids } => self.observe_list(kind, uids, now),
            Event::Watch { kind, problem } => self.watch_changed(kind, problem, now),
            Event::OperatorKind { resource, object, problem } => {
                self.operator_kind_changed(&resource, object.as_deref(), problem, now);
            }
            Event::Unreadable { kind, object, reason } => self.unreadable(kind, &object, &reason, now),
            Event::Volume(volume) => self.observe_volume(&volume, now),
            Event::VolumeGone { uid, at } => self.volume_gone(&uid, at),
            Event::Claim(claim) => self.observe_claim(claim, now),
            Event::ClaimGone { uid, at } => self.claim_gone(&uid, at),
            Event::Service(service) => self.observe_service(&service, now),
            Event::ServiceGone { uid, at } => self.service_gone(&uid, at),
            Event::AssetPriced { uid, price } => self.asset_priced(&uid, price, now),
            Event::ControlPlanePriced(price) => self.control_plane_priced(price, now),
            Event::EgressPriced(prices) => self.egress_priced(prices, now),
            Event::Traffic(samples) => self.observe_traffic(samples, now),
            Event::SleepPolicy(policy) => self.observe_policy(*policy, now),
            Event::SleepPolicyGone { uid } => self.policy_gone(&uid, now),
            Event::Budget(budget) => self.observe_budget(*budget, now),
            Event::BudgetGone { uid } => self.budget_gone(&uid),
            Event::BudgetHistory { uid, hours } => self.budget_history(&uid, hours, now),
            Event::History { operation, failed } => self.history_went(operation, failed, now),
            Event::HistoryDamaged(files) => self.history_damaged(&files, now),
            Event::Usage(samples) => self.observe_usage(samples, now),
            Event::UsageFailed { reason } => self.usage_failed(reason, now),
            Event::Leads(leads) => self.leads = leads,
            Event::Command(command) => self.command(&command, now),
            Event::Ended { id, outcome, .. } => self.ended(id, outcome, now),
        }
    }

    /// Compares what should be with what is, and says what to do about it. Asking twice gives nothing new.
    pub fn tick(&mut self, now: Instant) -> Vec<Action> {
        if now.since(self.settled_at) >= SETTLE_EVERY && self.resumed.is_none() {
            self.before_closing_budgets();
            self.ledger.settle(now);
            self.close_budgets();
            if now.hour() > self.settled_at.hour() {
                self.forget_payers();
            }
            self.settled_at = now;
            self.check_usage(now);
        }
        if self.is_synced() && self.leads {
            self.look_at_spaces(now);
            self.look_at_policies(now);
            self.look_at_budgets(now);
        }
        std::mem::take(&mut self.out)
    }

    /// Forgets attributions that no pod, workload or row carries any more: every run of a Job is one of its own.
    fn forget_payers(&mut self) {
        self.attributions.retain(|payer| Arc::strong_count(payer) > 1);
        self.facts.retain(|facts| Arc::strong_count(facts) > 1);
        self.label_sets.retain(|labels| Arc::strong_count(labels) > 1);
        self.texts.retain(|text| Arc::strong_count(text) > 1);
    }

    /// The next instant at which [`Self::tick`] has something to do even if no event comes.
    pub fn next_tick(&self) -> Instant {
        let settle = self.settled_at + SETTLE_EVERY;
        let due = self
            .due
            .first()
            .map(|(at, _)| *at)
            .into_iter()
            .chain(self.budgets.due())
            .chain(self.policies.due());
        if self.is_synced() && self.leads { due.fold(settle, Instant::min) } else { settle }
    }

    /// The next instant at which a space is to be looked at although nothing happens to it: settling apart, which may
    /// wait when simulated time is to pass fast.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().filter(|_| self.is_synced() && self.leads).map(|(at, _)| *at)
    }

    /// Whether every kind has been listed: before that nothing is decided, since half a picture shows nobody at work.
    pub fn is_synced(&self) -> bool {
        Kind::ALL.iter().all(|kind| self.listed.contains(kind))
    }

    /// UIDs of all namespaces and workloads that it knows.
    pub fn known_uids(&self) -> Vec<Arc<str>> {
        let spaces = self.spaces.values().map(|space| Arc::clone(&space.namespace.uid));
        spaces.chain(self.workloads.values().map(|entry| Arc::clone(&entry.workload.uid))).collect()
    }

    /// All nodes that it knows.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().map(|node| &**node)
    }

    /// The settings it was made with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }
}
