//! `nightcap_*`, from one snapshot and the running totals.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use nightcap_core::engine::{
    BudgetView, HistoryOperation, Kind, PolicyView, Snapshot, SpaceState, SpaceView,
};
use nightcap_core::money::Confidence;
use nightcap_core::units::{Instant, PicoUsd, Rate};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::family::Metric;
use super::totals::Sums;

const BUILD: Metric = Metric::new("nightcap_build_info", "Version of the daemon, always 1");
const CLUSTER: Metric = Metric::new("nightcap_cluster_info", "Name of the cluster and mode, always 1");
const SNAPSHOT_AT: Metric =
    Metric::new("nightcap_snapshot_timestamp_seconds", "Instant of the picture that is shown");
const START_AT: Metric = Metric::new("nightcap_start_timestamp_seconds", "From when money is counted");
const SETTLED_AT: Metric = Metric::new(
    "nightcap_settled_timestamp_seconds",
    "Up to here money does not change any more, corrections apart",
);
const SYNCED: Metric = Metric::new("nightcap_synced", "1 when every kind of object has been listed once");
const LEADS: Metric = Metric::new("nightcap_leads", "1 where this daemon is the one that acts");
const WATCH_LISTED: Metric =
    Metric::new("nightcap_watch_listed", "1 when objects of this kind have been listed once");
const WATCH_BROKEN: Metric = Metric::new("nightcap_watch_broken", "1 while the watch of this kind is broken");
const NODES: Metric = Metric::new("nightcap_nodes", "Nodes");
const PODS: Metric = Metric::new("nightcap_pods", "Pods that hold a node");
const SPACES: Metric = Metric::new("nightcap_spaces", "Spaces by state");
const CLUSTER_COST: Metric =
    Metric::new("nightcap_cluster_cost_dollars", "What everything on the bill has cost since counting began");
const IDLE_COST: Metric =
    Metric::new("nightcap_idle_cost_dollars", "The part of the cluster's cost that no pod pays");
const LINE_COST: Metric =
    Metric::new("nightcap_line_cost_dollars", "What belongs to no team, since counting began, by line");
const TEAM_COST: Metric =
    Metric::new("nightcap_team_cost_dollars", "What the team has cost since counting began");
const SPACE_COST: Metric =
    Metric::new("nightcap_space_cost_dollars", "What the space has cost since counting began");
const SAVED: Metric =
    Metric::new("nightcap_saved_dollars", "What sleep has saved the team since counting began");
const CLUSTER_HOURLY: Metric =
    Metric::new("nightcap_cluster_hourly_cost_dollars", "What all nodes cost per hour now");
const IDLE_HOURLY: Metric = Metric::new(
    "nightcap_idle_hourly_cost_dollars",
    "The part of the cluster's hourly cost that no pod pays now",
);
const TEAM_HOURLY: Metric =
    Metric::new("nightcap_team_hourly_cost_dollars", "What the team's pods cost per hour now");
const SPACE_HOURLY: Metric =
    Metric::new("nightcap_space_hourly_cost_dollars", "What the space's pods cost per hour now");
const SPACE_SAVING: Metric = Metric::new(
    "nightcap_space_saving_hourly_dollars",
    "What the space would cost per hour more if it were awake",
);
const SPACE_WOULD_SAVE: Metric = Metric::new(
    "nightcap_space_would_save_hourly_dollars",
    "What the space would save per hour if it slept as it should: the forecast of observe mode",
);
const SPACE_ASLEEP: Metric =
    Metric::new("nightcap_space_asleep", "1 while everything in the space that can sleep sleeps");
const SPACE_SINCE: Metric = Metric::new(
    "nightcap_space_state_since_timestamp_seconds",
    "Since when the space sleeps, or is awake after a sleep, if that is known",
);
const NODE_PRICE: Metric =
    Metric::new("nightcap_node_price_info", "Where the node's price comes from and how sure it is, always 1");
const PRICED_NODES: Metric = Metric::new("nightcap_priced_nodes", "Nodes by the confidence of their price");
const PRICED_HOURLY: Metric = Metric::new(
    "nightcap_priced_hourly_cost_dollars",
    "Hourly cost of nodes now by the confidence of their price",
);
const PROBLEMS: Metric = Metric::new("nightcap_problems", "What needs a person, by reason");
const USAGE_NEWEST: Metric =
    Metric::new("nightcap_usage_newest_timestamp_seconds", "Instant of the newest usage sample");
const USAGE_FRESH: Metric = Metric::new("nightcap_usage_fresh_pods", "Pods with a fresh usage sample");
const USAGE_FAILING: Metric = Metric::new("nightcap_usage_failing", "1 while usage cannot be read");
const ACTIONS: Metric = Metric::new("nightcap_actions", "Writes to the cluster by outcome");
const IN_FLIGHT: Metric = Metric::new("nightcap_actions_in_flight", "Writes to the cluster under way");
const LATE_FACTS: Metric = Metric::new(
    "nightcap_late_facts",
    "Facts that came after their time was settled, and became corrections",
);
const LATE_LOST: Metric = Metric::new(
    "nightcap_late_corrections_lost",
    "Corrections that could not be made, since their hours are kept by the day only, or nowhere",
);
const HISTORY_FAILURES: Metric =
    Metric::new("nightcap_history_failures", "What could not be done to the history, by operation");
const HISTORY_DONE: Metric = Metric::new(
    "nightcap_history_success_timestamp_seconds",
    "When an operation on the history was done last",
);
const UNREADABLE: Metric = Metric::new("nightcap_unreadable", "Objects or values that could not be read");

const POLICY_ACCEPTED: Metric = Metric::new(
    "nightcap_sleep_policy_accepted",
    "1 while the newest version of the sleep policy is understood",
);
const POLICY_WORKLOADS: Metric =
    Metric::new("nightcap_sleep_policy_workloads", "Workloads that the sleep policy is about");
const POLICY_DECIDING: Metric = Metric::new(
    "nightcap_sleep_policy_deciding_workloads",
    "Workloads for which the sleep policy decides now",
);

const BUDGET_AMOUNT: Metric = Metric::new("nightcap_budget_amount_usd", "What may be spent in a period");
const BUDGET_SPENT: Metric =
    Metric::new("nightcap_budget_spent_usd", "What was spent so far in the period, the open hour included");
const BUDGET_FORECAST: Metric =
    Metric::new("nightcap_budget_forecast_usd", "What is expected to be spent by the end of the period");
const BUDGET_USED: Metric = Metric::new("nightcap_budget_used_ratio", "Spent by amount: 1 is all of it");

/// Reasons of problems that are shown with 0 while there is none, so that an alert has something to look at.
const REASONS: [&str; 10] = [
    "bad-annotation",
    "bad-original",
    "default-price",
    "history",
    "history-damaged",
    "original-lost",
    "unreadable",
    "usage-missing",
    "watch",
    "write-failed",
];

/// Everything about the cluster.
#[derive(Debug)]
pub(super) struct ClusterCollector {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) sums: Sums,
}

impl Collector for ClusterCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.encode_picture(encoder)?;
        if !self.snapshot.leads {
            return self.encode_health(encoder);
        }
        self.encode_totals(encoder)?;
        self.encode_hourly(encoder)?;
        self.encode_spaces(encoder)?;
        self.encode_policies(encoder)?;
        self.encode_budgets(encoder)?;
        self.encode_prices(encoder)?;
        self.encode_health(encoder)
    }
}

impl ClusterCollector {
    fn encode_picture(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let snapshot = &self.snapshot;
        BUILD.values(encoder, [([("version", env!("CARGO_PKG_VERSION"))], 1.0)])?;
        let mode = snapshot.mode.to_string();
        CLUSTER.values(encoder, [([("cluster", &*snapshot.cluster), ("mode", mode.as_str())], 1.0)])?;
        SNAPSHOT_AT.value(encoder, seconds(snapshot.at))?;
        START_AT.value(encoder, seconds(snapshot.start))?;
        SETTLED_AT.value(encoder, seconds(snapshot.settled))?;
        SYNCED.value(encoder, flag(snapshot.synced))?;
        LEADS.value(encoder, flag(snapshot.leads))?;
        let listed = |kind: Kind| flag(!snapshot.missing.contains(&kind));
        WATCH_LISTED.values(encoder, Kind::ALL.map(|kind| ([("kind", kind.plural())], listed(kind))))?;
        let broken = |kind: Kind| {
            flag(snapshot.problems.iter().any(|p| p.reason == "watch" && *p.object == *kind.plural()))
        };
        WATCH_BROKEN.values(encoder, Kind::ALL.map(|kind| ([("kind", kind.plural())], broken(kind))))?;
        NODES.value(encoder, snapshot.nodes.len() as f64)?;
        PODS.value(encoder, snapshot.pods.len() as f64)
    }

    fn encode_totals(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let sums = &self.sums;
        let by_team = |sums: &BTreeMap<Arc<str>, PicoUsd>| -> Vec<_> {
            sums.iter().map(|(team, sum)| ([("team", Arc::clone(team))], sum.usd())).collect()
        };
        CLUSTER_COST.count(encoder, sums.cluster.usd())?;
        IDLE_COST.count(encoder, sums.idle.usd())?;
        let lines = sums.lines.iter().map(|(line, sum)| ([("line", Arc::clone(line))], sum.usd()));
        LINE_COST.counts(encoder, lines)?;
        TEAM_COST.counts(encoder, by_team(&sums.teams))?;
        let spaces = sums.spaces.iter().map(|((space, team), sum)| (labels(space, team), sum.usd()));
        SPACE_COST.counts(encoder, spaces)?;
        SAVED.counts(encoder, by_team(&sums.saved))
    }

    fn encode_hourly(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all: Rate = self.snapshot.nodes.iter().map(|node| node.rates.total()).sum();
        let mut paid = Rate(0);
        let mut teams: BTreeMap<&Arc<str>, Rate> = BTreeMap::new();
        let mut spaces: BTreeMap<(&Arc<str>, &Arc<str>), Rate> = BTreeMap::new();
        for pod in &self.snapshot.pods {
            paid += pod.hourly;
            let of = &pod.holder.attribution;
            *teams.entry(&of.team).or_default() += pod.hourly;
            *spaces.entry((&of.space, &of.team)).or_default() += pod.hourly;
        }
        CLUSTER_HOURLY.value(encoder, all.usd_per_hour())?;
        IDLE_HOURLY.value(encoder, (all - paid).usd_per_hour())?;
        TEAM_HOURLY.values(
            encoder,
            teams.into_iter().map(|(team, rate)| ([("team", &**team)], rate.usd_per_hour())),
        )?;
        let spaces =
            spaces.into_iter().map(|((space, team), rate)| (labels(space, team), rate.usd_per_hour()));
        SPACE_HOURLY.values(encoder, spaces)
    }

    fn encode_spaces(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let spaces = &self.snapshot.spaces;
        let states = [
            ("asleep", SpaceState::Asleep),
            ("awake", SpaceState::Awake),
            ("falling", SpaceState::Falling),
            ("waking", SpaceState::Waking),
        ];
        let count = |state| spaces.iter().filter(|space| space.state == state).count() as f64;
        SPACES.values(encoder, states.map(|(name, state)| ([("state", name)], count(state))))?;
        let of_each = |value: fn(&SpaceView) -> f64| {
            spaces.iter().map(move |space| (labels(&space.name, &space.team), value(space)))
        };
        SPACE_ASLEEP.values(encoder, of_each(|space| flag(space.state == SpaceState::Asleep)))?;
        let since =
            spaces.iter().filter_map(|space| Some((labels(&space.name, &space.team), seconds(space.since?))));
        SPACE_SINCE.values(encoder, since)?;
        SPACE_SAVING.values(encoder, of_each(|space| space.saving.usd_per_hour()))?;
        SPACE_WOULD_SAVE.values(encoder, of_each(|space| space.would_save.usd_per_hour()))
    }

    fn encode_policies(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let of_each = |value: fn(&PolicyView) -> f64| {
            let policies = self.snapshot.policies.iter();
            policies.map(move |policy| ([("sleep_policy", &*policy.name)], value(policy)))
        };
        POLICY_ACCEPTED.values(encoder, of_each(|policy| flag(policy.problem.is_none())))?;
        POLICY_WORKLOADS.values(encoder, of_each(|policy| policy.matched.workloads as f64))?;
        POLICY_DECIDING.values(encoder, of_each(|policy| policy.matched.deciding as f64))
    }

    fn encode_budgets(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let of_each = |value: fn(&BudgetView) -> f64| {
            self.snapshot.budgets.iter().map(move |budget| {
                ([("budget", &*budget.name), ("period", budget.spec.period.name())], value(budget))
            })
        };
        BUDGET_AMOUNT.values(encoder, of_each(|budget| budget.status.amount.usd()))?;
        BUDGET_SPENT.values(encoder, of_each(|budget| budget.status.spent.usd()))?;
        BUDGET_FORECAST.values(encoder, of_each(|budget| budget.status.forecast.expected.usd()))?;
        BUDGET_USED.values(encoder, of_each(|budget| budget.status.used_ratio()))
    }

    fn encode_prices(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut sums: BTreeMap<Confidence, (f64, Rate)> =
            [Confidence::Exact, Confidence::List, Confidence::Estimated, Confidence::Default]
                .map(|confidence| (confidence, (0.0, Rate(0))))
                .into();
        let mut of_nodes = Vec::with_capacity(self.snapshot.nodes.len());
        for view in &self.snapshot.nodes {
            let Some(price) = &view.price else { continue };
            let (nodes, rate) = sums.entry(price.confidence).or_default();
            *nodes += 1.0;
            *rate += view.rates.total();
            let labels = [
                ("node", view.node.name.to_string()),
                ("confidence", price.confidence.to_string()),
                ("source", price.source.id.to_string()),
            ];
            of_nodes.push((labels, 1.0));
        }
        NODE_PRICE.values(encoder, of_nodes)?;
        let label = |confidence: &Confidence| [("confidence", confidence.to_string())];
        PRICED_NODES.values(encoder, sums.iter().map(|(c, (nodes, _))| (label(c), *nodes)))?;
        PRICED_HOURLY.values(encoder, sums.iter().map(|(c, (_, rate))| (label(c), rate.usd_per_hour())))
    }

    fn encode_health(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let snapshot = &self.snapshot;
        let mut reasons: BTreeMap<&str, f64> = REASONS.map(|reason| (reason, 0.0)).into();
        for problem in &snapshot.problems {
            *reasons.entry(problem.reason).or_default() += 1.0;
        }
        PROBLEMS.values(encoder, reasons.into_iter().map(|(reason, count)| ([("reason", reason)], count)))?;
        if let Some(newest) = snapshot.usage.newest {
            USAGE_NEWEST.value(encoder, seconds(newest))?;
        }
        USAGE_FRESH.value(encoder, snapshot.usage.fresh_pods as f64)?;
        USAGE_FAILING.value(encoder, flag(snapshot.usage.problem.is_some()))?;
        let counters = snapshot.counters;
        let outcomes = [
            ("slept", counters.slept),
            ("woken", counters.woken),
            ("conflict", counters.conflicts),
            ("retry", counters.retries),
            ("refused", counters.refused),
            ("fight", counters.fights),
        ];
        ACTIONS.counts(encoder, outcomes.map(|(outcome, count)| ([("outcome", outcome)], count as f64)))?;
        IN_FLIGHT.value(encoder, snapshot.in_flight as f64)?;
        LATE_FACTS.count(encoder, counters.late_facts as f64)?;
        let history = &snapshot.history;
        LATE_LOST.count(encoder, history.late_lost as f64)?;
        let failures = HistoryOperation::ALL.map(|operation| {
            let count = history.failures.get(&operation).copied().unwrap_or_default();
            ([("operation", operation.name())], count as f64)
        });
        HISTORY_FAILURES.counts(encoder, failures)?;
        let done = history.done.iter().map(|(of, at)| ([("operation", of.name())], seconds(*at)));
        HISTORY_DONE.values(encoder, done)?;
        UNREADABLE.count(encoder, counters.unreadable as f64)
    }
}

fn labels<'a>(space: &'a str, team: &'a str) -> [(&'static str, &'a str); 2] {
    [("space", space), ("team", team)]
}

fn seconds(at: Instant) -> f64 {
    at.0 as f64 / 1_000.0
}

const fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
