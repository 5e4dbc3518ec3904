//! The configuration, checked: what the daemon runs on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chrono_tz::Tz;
use nightcap_core::cluster::{OperatorKinds, TeamRules};
use nightcap_core::engine::{FixedCost, Settings};
use nightcap_core::money::Split;
use nightcap_core::money::query::Sharing;
use nightcap_core::schedule::Calendar;
use nightcap_core::sleep::foreign::Tool;
use nightcap_core::sleep::{Mode, SleepSettings, Wishes};
use nightcap_core::units::{Instant, Millis};
use nightcap_history::Retention;
use nightcap_pricing::PriceSettings;
use reqwest::Url;

/// Where the daemon listens unless told otherwise: this machine only. The chart sets `0.0.0.0:9095` in the pod.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:9095";

/// The configuration of the daemon.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// Name of the cluster, in every row.
    pub cluster: Arc<str>,
    /// Where the page, the API and the metrics are served.
    pub listen: SocketAddr,
    /// What the daemon may do.
    pub mode: Mode,
    /// The kubeconfig; none means the usual places: `KUBECONFIG`, `~/.kube/config`, the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// Where history is kept; none means in memory only.
    pub data_dir: Option<PathBuf>,
    /// Zone of time specs that name none.
    pub timezone: Tz,
    /// Zones of teams; they come before `timezone`.
    pub team_timezones: BTreeMap<Arc<str>, Tz>,
    /// Calendars of holidays, by name.
    pub calendars: BTreeMap<Arc<str>, Arc<Calendar>>,
    /// The calendars of teams, by name.
    pub team_holidays: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Prefix of Nightcap's annotations.
    pub annotation_prefix: Arc<str>,
    /// Who owns what.
    pub teams: TeamRules,
    /// Namespaces that are never touched, beside the built-in ones.
    pub protected: Vec<Arc<str>>,
    /// Other sleep tools whose wishes count.
    pub read: Vec<Tool>,
    /// How operators' objects are turned off.
    pub kinds: OperatorKinds,
    /// How long a wake waits at most for what comes before it; zero: nothing waits.
    pub wake_gate: Millis,
    /// How many pods for each node may be woken and not ready yet; zero: any number.
    pub wake_pods_per_node: u32,
    /// Wishes for namespaces that have none of their own.
    pub default_wishes: Wishes,
    /// How usage is measured.
    pub usage: Usage,
    /// Where counters of network traffic are read.
    pub network_counters: Vec<Url>,
    /// Own prices, and rates of last resort.
    pub prices: PriceSettings,
    /// How a node's price is split over its resources.
    pub split: Split,
    /// What is for everybody, and how it is spread where a question asks to share and does not say how.
    pub sharing: Sharing,
    /// How many allocation rows of closed hours are kept in memory.
    pub keep_rows: usize,
    /// How long the history is kept, by the hour and by the day.
    pub retention: Retention,
    /// Fixed sums a month that everybody shares.
    pub fixed: Vec<FixedCost>,
    /// How the daemon logs.
    pub log: Log,
    /// How many patches may be under way at once.
    pub concurrency: usize,
    /// Whether several daemons agree by a Lease on which of them acts; `None`: inside a cluster they do.
    pub leader_elect: Option<bool>,
    /// The namespace of the Lease; `None`: the daemon's own.
    pub lease_namespace: Option<String>,
}

/// How usage is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// How often.
    pub interval: Millis,
    /// Where.
    pub source: UsageSource,
}

/// Where usage is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UsageSource {
    /// The metrics API, which metrics-server serves.
    #[default]
    MetricsServer,
    /// Nowhere: requests alone count.
    None,
}

/// How the daemon logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Log {
    /// One line of text or of JSON an event.
    pub format: LogFormat,
    /// From which severity on.
    pub level: LogLevel,
}

/// How a log line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// From which severity on is logged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What somebody should look at.
    Warn,
    /// What was done.
    #[default]
    Info,
    /// What was decided.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Its name, as `tracing` reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cluster: "cluster".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 9095)),
            mode: Mode::Observe,
            kubeconfig: None,
            data_dir: None,
            timezone: Tz::UTC,
            team_timezones: BTreeMap::new(),
            calendars: BTreeMap::new(),
            team_holidays: BTreeMap::new(),
            annotation_prefix: "nightcap.dev".into(),
            teams: TeamRules::default(),
            protected: Vec::new(),
            read: Vec::new(),
            kinds: OperatorKinds::default(),
            wake_gate: Millis::from_minutes(2),
            wake_pods_per_node: 10,
            default_wishes: Wishes::default(),
            usage: Usage { interval: Millis::MINUTE, source: UsageSource::MetricsServer },
            network_counters: Vec::new(),
            prices: PriceSettings::default(),
            split: Split::default(),
            sharing: Sharing::weighted(),
            keep_rows: 100_000,
            retention: Retention::default(),
            fixed: Vec::new(),
            log: Log { format: LogFormat::Text, level: LogLevel::Info },
            concurrency: 24,
            leader_elect: None,
            lease_namespace: None,
        }
    }
}

impl Config {
    /// The engine's settings, for a life that counts money from `start`.
    pub fn settings(&self, start: Instant) -> Settings {
        let mut sleep = SleepSettings::new(self.timezone);
        sleep.prefix = Arc::clone(&self.annotation_prefix);
        sleep.team_zones.clone_from(&self.team_timezones);
        sleep.protected.extend(self.protected.iter().cloned());
        sleep.read.clone_from(&self.read);
        sleep.wake_gate = self.wake_gate;
        sleep.wake_pods_per_node = self.wake_pods_per_node;
        sleep.defaults = self.default_wishes.clone();
        let sleep = sleep.with_holidays(self.calendars.clone(), &self.team_holidays);
        Settings {
            cluster: Arc::clone(&self.cluster),
            start,
            mode: self.mode,
            split: self.split,
            teams: self.teams.clone(),
            sleep,
            fixed: self.fixed.clone(),
            scrape_interval: self.usage.interval,
            keep_rows: self.keep_rows,
        }
    }
}
