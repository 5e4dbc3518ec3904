//! Every key of the configuration, once: what is known, how it is typed, and which variable overrides it.

/// How the value of a key is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// One word or sentence.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list of texts; in a variable joined by commas.
    List,
    /// Holds more than one value: in the file only.
    Structure,
}

/// One key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key {
    /// Where it stands in the file, such as `log.level`.
    pub(super) path: &'static str,
    /// How its value is written.
    pub(super) kind: Kind,
}

impl Key {
    /// The variable that overrides it, such as `NIGHTCAP_LOG_LEVEL`; none for what a variable cannot hold.
    pub(super) fn variable(self) -> Option<String> {
        (self.kind != Kind::Structure)
            .then(|| format!("NIGHTCAP_{}", self.path.replace('.', "_").to_uppercase()))
    }
}

const fn key(path: &'static str, kind: Kind) -> Key {
    Key { path, kind }
}

/// All keys, in the order of the example.
pub(super) const KEYS: [Key; 60] = [
    key("cluster", Kind::Text),
    key("listen", Kind::Text),
    key("mode", Kind::Text),
    key("kubeconfig", Kind::Text),
    key("data_dir", Kind::Text),
    key("timezone", Kind::Text),
    key("team_timezones", Kind::Structure),
    key("holidays", Kind::Structure),
    key("team_holidays", Kind::Structure),
    key("annotation_prefix", Kind::Text),
    key("teams.rules", Kind::Structure),
    key("teams.team_keys", Kind::List),
    key("teams.owner_keys", Kind::List),
    key("owners.users", Kind::Structure),
    key("owners.projects", Kind::Structure),
    key("owners.department_keys", Kind::List),
    key("owners.tier_key", Kind::Text),
    key("labels", Kind::List),
    key("sleep.protected", Kind::List),
    key("sleep.read", Kind::List),
    key("sleep.kinds", Kind::Structure),
    key("sleep.wake_gate", Kind::Text),
    key("sleep.wake_pods_per_node", Kind::Number),
    key("sleep.default.uptime", Kind::Text),
    key("sleep.default.downtime", Kind::Text),
    key("usage.interval", Kind::Text),
    key("usage.source", Kind::Text),
    key("network.counters", Kind::List),
    key("prices.price_rules", Kind::Structure),
    key("prices.defaults", Kind::Structure),
    key("prices.storage", Kind::Structure),
    key("prices.load_balancer_hourly_usd", Kind::Structure),
    key("prices.control_plane_hourly_usd", Kind::Structure),
    key("prices.egress", Kind::Structure),
    key("prices.csv", Kind::Text),
    key("prices.live", Kind::Structure),
    // A word or a map: the word fits into a variable.
    key("split", Kind::Text),
    key("split.cpu_per_gib", Kind::Structure),
    key("split.gpu_per_gib", Kind::Structure),
    key("split.cpu_core_hourly_usd", Kind::Structure),
    key("split.ram_gib_hourly_usd", Kind::Structure),
    key("split.gpu_hourly_usd", Kind::Structure),
    key("history.keep_rows", Kind::Number),
    key("history.keep_hours", Kind::Text),
    key("history.keep_days", Kind::Text),
    key("costs.fixed", Kind::Structure),
    key("costs.shared.namespaces", Kind::List),
    key("costs.shared.labels", Kind::List),
    key("costs.shared.daemonsets", Kind::Switch),
    key("costs.shared.system", Kind::Switch),
    key("costs.shared.load_balancers", Kind::Switch),
    key("costs.share.idle", Kind::Text),
    key("costs.share.idle_by_node", Kind::Switch),
    key("costs.share.shared", Kind::Text),
    key("costs.share.overhead", Kind::Text),
    key("log.format", Kind::Text),
    key("log.level", Kind::Text),
    key("act.concurrency", Kind::Number),
    key("leader_elect", Kind::Switch),
    key("lease_namespace", Kind::Text),
];

/// The names a map at `path` may hold; empty if `path` is a key whose value is checked elsewhere.
pub(super) fn names_below(path: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = KEYS
        .iter()
        .filter_map(|key| {
            if path.is_empty() { Some(key.path) } else { key.path.strip_prefix(path)?.strip_prefix('.') }
        })
        .filter_map(|rest| rest.split('.').next())
        .collect();
    names.dedup();
    names
}
