//! From what was typed to what can be used: every check, and every error at once.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono_tz::Tz;
use nightcap_core::cluster::{TeamRule, TeamRules, differs_by_pod};
use nightcap_core::engine::FixedCost;
use nightcap_core::schedule::parse_zone;
use nightcap_core::sleep::foreign::Tool;
use nightcap_core::sleep::{Mode, Spec, Wishes};
use nightcap_core::units::{Millis, Rate, parse_duration};
use nightcap_history::Retention;
use nightcap_pricing::live::LiveSettings;
use nightcap_pricing::{DefaultRates, PriceError, PriceRule, PriceSettings};
use reqwest::Url;
use serde::de::DeserializeOwned;

use super::error::ConfigError;
use super::holidays;
use super::kinds::kinds;
use super::raw::Raw;
use super::reader::Reader;
use super::sharing::sharing;
use super::split::split;
use super::validated::{Config, Log, LogFormat, LogLevel, Usage, UsageSource};

/// metrics-server measures every 15 s at best; with more than an hour between samples there is nothing to hold forward.
const USAGE_INTERVAL: [Millis; 2] = [Millis::from_secs(10), Millis::HOUR];
/// A row takes some 200 bytes, so the most is about 20 GB.
const KEEP_ROWS: std::ops::RangeInclusive<usize> = 1_000..=100_000_000;
/// An API server's default limit on writes in flight is 200; more than that only queues there.
const CONCURRENCY: std::ops::RangeInclusive<usize> = 1..=200;
/// More pods than a node takes at all; with 0 there is no limit.
const WAKE_PODS: std::ops::RangeInclusive<usize> = 0..=1_000;
/// As everywhere where a month becomes hours.
const HOURS_PER_MONTH: f64 = 730.0;

impl Config {
    /// Checks what was typed.
    pub fn validate(raw: &Raw) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(raw);
        let config = read(&mut reader);
        let errors = reader.finish();
        if errors.is_empty() { Ok(config) } else { Err(ConfigError::Settings(errors)) }
    }
}

fn read(reader: &mut Reader<'_>) -> Config {
    let default = Config::default();
    let annotation_prefix: Arc<str> =
        reader.parse("annotation_prefix", dns_subdomain).unwrap_or(default.annotation_prefix);
    let timezone = reader.parse("timezone", parse_zone).unwrap_or(default.timezone);
    Config {
        cluster: reader.text("cluster").map_or(default.cluster, Into::into),
        listen: reader.parse("listen", address).unwrap_or(default.listen),
        mode: reader.parse("mode", str::parse::<Mode>).unwrap_or(default.mode),
        kubeconfig: reader.text("kubeconfig").map(Into::into),
        data_dir: reader.text("data_dir").map(Into::into),
        timezone,
        team_timezones: team_timezones(reader),
        calendars: holidays::calendars(reader),
        team_holidays: holidays::of_teams(reader),
        teams: teams(reader, &annotation_prefix),
        annotation_prefix,
        protected: protected(reader),
        read: foreign_tools(reader),
        kinds: kinds(reader),
        wake_gate: reader.parse("sleep.wake_gate", gate).unwrap_or(default.wake_gate),
        wake_pods_per_node: reader
            .whole("sleep.wake_pods_per_node", WAKE_PODS)
            .and_then(|pods| u32::try_from(pods).ok())
            .unwrap_or(default.wake_pods_per_node),
        default_wishes: Wishes {
            uptime: reader.parse("sleep.default.uptime", |text| spec(text, timezone)),
            downtime: reader.parse("sleep.default.downtime", |text| spec(text, timezone)),
            ..Wishes::default()
        },
        usage: Usage {
            interval: reader.parse("usage.interval", interval).unwrap_or(default.usage.interval),
            source: reader.parse("usage.source", usage_source).unwrap_or_default(),
        },
        network_counters: network_counters(reader),
        prices: prices(reader),
        split: split(reader),
        keep_rows: reader.whole("history.keep_rows", KEEP_ROWS).unwrap_or(default.keep_rows),
        retention: Retention {
            hourly: reader.parse("history.keep_hours", kept).unwrap_or(default.retention.hourly),
            daily: reader.parse("history.keep_days", kept).unwrap_or(default.retention.daily),
        },
        fixed: fixed(reader),
        sharing: sharing(reader),
        log: Log {
            format: reader.parse("log.format", log_format).unwrap_or_default(),
            level: reader.parse("log.level", log_level).unwrap_or_default(),
        },
        concurrency: reader.whole("act.concurrency", CONCURRENCY).unwrap_or(default.concurrency),
        leader_elect: reader.switch("leader_elect"),
        lease_namespace: reader.text("lease_namespace").map(ToOwned::to_owned),
    }
}

fn team_timezones(reader: &mut Reader<'_>) -> std::collections::BTreeMap<Arc<str>, Tz> {
    let zones = reader.map("team_timezones").into_iter().flatten();
    zones
        .filter_map(|(team, value)| {
            let path = format!("team_timezones.{team}");
            let name = reader.as_text(&path, value)?;
            let zone =
                parse_zone(name.trim()).map_err(|error| reader.error(&path, error.to_string())).ok()?;
            Some((team.as_str().into(), zone))
        })
        .collect()
}

fn teams(reader: &mut Reader<'_>, prefix: &Arc<str>) -> TeamRules {
    let default = TeamRules::default();
    let rules: Vec<Option<TeamRule>> = reader.items("teams.rules").unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        let Some(rule) = rule else { continue };
        let place = format!("teams.rules[{index}]");
        let texts = [("namespace", &rule.namespace), ("owner", &rule.owner)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        for (name, value) in texts.chain([("team", rule.team.as_str())]) {
            if value.trim().is_empty() {
                reader.error(&format!("{place}.{name}"), "is empty: give it a value, or remove the rule");
            }
        }
        if rule.namespace.is_none() && rule.labels.is_empty() {
            reader.error(
                &place,
                format!("the rule for {:?} has no condition: give it a namespace or labels", rule.team),
            );
        }
    }
    let keys = |texts: Option<Vec<&str>>, default: Vec<Arc<str>>| {
        texts.map_or(default, |texts| texts.into_iter().map(Into::into).collect())
    };
    TeamRules {
        prefix: Arc::clone(prefix),
        rules: rules.into_iter().flatten().collect(),
        team_keys: keys(reader.texts("teams.team_keys"), default.team_keys),
        owner_keys: keys(reader.texts("teams.owner_keys"), default.owner_keys),
        department_keys: keys(reader.texts("owners.department_keys"), default.department_keys),
        users: names(reader, "owners.users").into_iter().collect(),
        projects: names(reader, "owners.projects").into_iter().collect(),
        tier_key: reader.text("owners.tier_key").map_or(default.tier_key, Into::into),
        labels: labels(reader).unwrap_or(default.labels),
    }
}

/// A map from one name to another.
fn names(reader: &mut Reader<'_>, path: &str) -> Vec<(Arc<str>, Arc<str>)> {
    let mut names = Vec::new();
    for (from, value) in reader.map(path).into_iter().flatten() {
        let place = format!("{path}.{from}");
        let Some(to) = reader.as_text(&place, value).map(str::trim) else { continue };
        if to.is_empty() {
            reader.error(&place, "is empty: give it a value, or remove it");
        }
        names.push((from.trim().into(), to.into()));
    }
    names
}

fn labels(reader: &mut Reader<'_>) -> Option<Vec<Arc<str>>> {
    let keys = reader.texts("labels")?;
    for key in &keys {
        if differs_by_pod(key) {
            reader.error(
                "labels",
                format!("{key:?} differs from pod to pod, so that every row would be one pod: group by pod instead"),
            );
        }
    }
    Some(keys.into_iter().map(Into::into).collect())
}

fn protected(reader: &mut Reader<'_>) -> Vec<Arc<str>> {
    let patterns = reader.texts("sleep.protected").unwrap_or_default();
    reader.namespace_patterns("sleep.protected", &patterns);
    patterns.into_iter().map(Into::into).collect()
}

/// Each tool once, in the order in which they are named.
fn foreign_tools(reader: &mut Reader<'_>) -> Vec<Tool> {
    let mut tools: Vec<Tool> = Vec::new();
    for name in reader.texts("sleep.read").unwrap_or_default() {
        match name.parse::<Tool>() {
            Ok(tool) if !tools.contains(&tool) => tools.push(tool),
            Ok(_) => {}
            Err(error) => reader.error("sleep.read", error.to_string()),
        }
    }
    tools
}

fn prices(reader: &mut Reader<'_>) -> PriceSettings {
    let rules: Vec<Option<PriceRule>> = reader.items("prices.price_rules").unwrap_or_default();
    // Something harmless in the place of a rule that cannot be used: the others keep their numbers.
    let free = || PriceRule { hourly_usd: Some(0.0), ..PriceRule::default() };
    let settings = PriceSettings {
        price_rules: rules.into_iter().map(|rule| rule.unwrap_or_else(free)).collect(),
        defaults: match reader.value("prices.defaults") {
            Some(value) => reader.structure("prices.defaults", value).unwrap_or_default(),
            None => DefaultRates::default(),
        },
        storage: part(reader, "prices.storage"),
        load_balancer_hourly_usd: part(reader, "prices.load_balancer_hourly_usd"),
        control_plane_hourly_usd: part(reader, "prices.control_plane_hourly_usd"),
        egress: part(reader, "prices.egress"),
        csv: reader.text("prices.csv").map(Into::into),
        live: match reader.value("prices.live") {
            Some(value) => reader.structure("prices.live", value).unwrap_or_default(),
            None => LiveSettings::default(),
        },
    };
    match settings.check() {
        Ok(()) => {}
        Err(PriceError::Settings(errors)) => {
            for error in errors {
                reader.error(&format!("prices.{}", error.path), format!("{} {}", error.value, error.problem));
            }
        }
        Err(error @ PriceError::Table { .. }) => reader.error("prices", error.to_string()),
    }
    settings
}

/// A part of the price settings; as if left out where it cannot be used.
fn part<T: DeserializeOwned + Default>(reader: &mut Reader<'_>, path: &str) -> T {
    reader.value(path).and_then(|value| reader.structure(path, value)).unwrap_or_default()
}

fn network_counters(reader: &mut Reader<'_>) -> Vec<Url> {
    let urls = reader.texts("network.counters").unwrap_or_default().into_iter();
    let read = |text: &str| match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        _ => {
            let problem = format!("{text:?} is no address: write http://HOST:PORT/metrics");
            reader.error("network.counters", problem);
            None
        }
    };
    urls.filter_map(read).collect()
}

/// A fixed sum as it is written.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixed {
    name: String,
    monthly_usd: f64,
}

fn fixed(reader: &mut Reader<'_>) -> Vec<FixedCost> {
    let items: Vec<Option<Fixed>> = reader.items("costs.fixed").unwrap_or_default();
    let mut costs: Vec<FixedCost> = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let Some(Fixed { name, monthly_usd }) = item else { continue };
        let path = format!("costs.fixed[{index}]");
        if name.trim().is_empty() || costs.iter().any(|known| *known.name == *name) {
            reader.error(
                &format!("{path}.name"),
                format!("{name:?} is empty or there already: name each sum once"),
            );
            continue;
        }
        match Rate::from_usd_per_hour(monthly_usd / HOURS_PER_MONTH) {
            Some(hourly) => costs.push(FixedCost { name: name.into(), hourly }),
            None => reader.error(
                &format!("{path}.monthly_usd"),
                format!("{monthly_usd} is no sum of money: write dollars a month, 0 or more"),
            ),
        }
    }
    costs
}

/// How long history is kept: at least a day, so that whole days can be told.
fn gate(text: &str) -> Result<Millis, String> {
    let length = parse_duration(text).map_err(|error| error.to_string())?;
    if (Millis(0)..=Millis::HOUR).contains(&length) {
        return Ok(length);
    }
    Err(format!("{text:?} is not allowed: write a duration of at most 1h; 0s waits for nothing"))
}

fn kept(text: &str) -> Result<Millis, String> {
    let length = parse_duration(text).map_err(|error| error.to_string())?;
    if (Millis::DAY..=Millis(100 * 366 * Millis::DAY.0)).contains(&length) {
        return Ok(length);
    }
    Err(format!("{text:?} is not allowed: write a duration from 1d to 36600d"))
}

fn spec(text: &str, zone: Tz) -> Result<Spec, String> {
    Spec::parse(text, zone).map_err(|error| error.to_string())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is no address: write IP:PORT such as 127.0.0.1:9095, or 0.0.0.0:9095 for everybody")
    })
}

fn interval(text: &str) -> Result<Millis, String> {
    let [least, most] = USAGE_INTERVAL;
    let interval = parse_duration(text).map_err(|error| error.to_string())?;
    if (least..=most).contains(&interval) {
        return Ok(interval);
    }
    Err(format!("{text:?} is not allowed: write a duration from 10s to 1h"))
}

fn usage_source(text: &str) -> Result<UsageSource, String> {
    match text {
        "metrics-server" => Ok(UsageSource::MetricsServer),
        "none" => Ok(UsageSource::None),
        _ => Err(format!("{text:?} is no source of usage: use metrics-server or none")),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is no log format: use text or json")),
    }
}

fn log_level(text: &str) -> Result<LogLevel, String> {
    [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace]
        .into_iter()
        .find(|level| level.name() == text)
        .ok_or_else(|| format!("{text:?} is no log level: use error, warn, info, debug or trace"))
}

/// What Kubernetes accepts before the `/` of an annotation's key.
fn dns_subdomain(text: &str) -> Result<Arc<str>, String> {
    let label = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(label) {
        return Ok(text.into());
    }
    Err(format!(
        "{text:?} is no prefix of annotations: write a domain name in lower case such as nightcap.dev"
    ))
}
