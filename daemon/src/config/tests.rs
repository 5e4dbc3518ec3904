//! The configuration as a whole: defaults, precedence, and all errors at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use nightcap_core::cluster::{TeamRule, TeamRules, UserMap};
use nightcap_core::money::Split;
use nightcap_core::money::query::{SharedRules, Sharing, Spread};
use nightcap_core::schedule::TimeSpec;
use nightcap_core::sleep::foreign::Tool;
use nightcap_core::sleep::{DEFAULT_PROTECTED, Mode, Spec, Wishes};
use nightcap_core::units::{Instant, Millis, PicoUsd};
use nightcap_pricing::live::{AzureSettings, LiveSettings};
use nightcap_pricing::{DefaultRates, EgressRules, PriceRule, PriceSettings, RuleMatch, StorageRules};

use super::keys::{KEYS, Kind};
use super::*;

const EXAMPLE: &str = include_str!("../../../examples/config.yaml");
const DOCUMENT: &str = include_str!("../../../docs/configuration.md");

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn flag(flag: &'static str, path: &'static str, value: &str) -> Flag {
    Flag { flag, path, value: value.to_owned() }
}

fn config(text: &str) -> Result<Config, ConfigError> {
    Config::validate(&Raw::parse(text, [], &[])?)
}

fn errors(text: &str) -> Vec<String> {
    match config(text) {
        Err(ConfigError::Settings(errors)) => errors.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_key_is_optional() {
    for text in ["", "# nothing\n", "{}", "teams:\nsleep:\n  default:\nsplit:\nlog: {level: }"] {
        assert_eq!(config(text), Ok(Config::default()), "{text:?}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one file with every key, and what it is read as")]
fn every_key_is_read() {
    let text = r#"
cluster: staging
listen: 0.0.0.0:9095
mode: act
kubeconfig: /etc/nightcap/kubeconfig
data_dir: /var/lib/nightcap
timezone: Europe/Berlin
team_timezones: {data: Asia/Kolkata}
annotation_prefix: sleep.example.com
teams:
  rules: [{namespace: "shop-*", team: commerce}, {labels: {unit: "4711*"}, team: data, owner: bob}]
  team_keys: [team, app.example.com/team]
  owner_keys: []
owners:
  users: {alice: commerce}
  projects: {p-abc12: Payments}
  department_keys: [cost-center]
  tier_key: class
labels: [app]
sleep:
  protected: [db-*]
  read: [gokubedownscaler, loft, loft]
  default: {uptime: "Mon-Fri 08:00-20:00", downtime: never}
usage: {interval: 30s, source: none}
network: {counters: ["http://10.0.0.7:3001/metrics"]}
prices:
  price_rules: [{match: {region: eu-*}, adjust: "-28%"}]
  defaults: {cpu_core_hourly_usd: 0.04}
  csv: /etc/nightcap/prices.csv
  live: {refresh_every: 6h, azure: {enabled: true}}
  storage: {gib_month_usd: 0.05, classes: {fast: 0.12}}
  load_balancer_hourly_usd: 0.03
  control_plane_hourly_usd: 0
  egress: {internet_gib_usd: 0.05}
split: {cpu_per_gib: 9.5}
history: {keep_rows: 5000}
log: {format: json, level: debug}
costs:
  shared: {namespaces: [ingress, "mon-*"], labels: ["app:dns", team = core], daemonsets: true}
  share: {idle: even, shared: none, idle_by_node: true}
act: {concurrency: 64}
"#;
    let spec =
        |text: &str| Spec { text: text.into(), spec: TimeSpec::parse(text, Tz::Europe__Berlin).unwrap() };
    let prefix: Arc<str> = "sleep.example.com".into();
    let expected = Config {
        cluster: "staging".into(),
        listen: "0.0.0.0:9095".parse().unwrap(),
        mode: Mode::Act,
        kubeconfig: Some("/etc/nightcap/kubeconfig".into()),
        data_dir: Some("/var/lib/nightcap".into()),
        timezone: Tz::Europe__Berlin,
        team_timezones: BTreeMap::from([("data".into(), Tz::Asia__Kolkata)]),
        calendars: BTreeMap::new(),
        team_holidays: BTreeMap::new(),
        annotation_prefix: Arc::clone(&prefix),
        teams: TeamRules {
            prefix,
            rules: vec![
                TeamRule { namespace: Some("shop-*".into()), team: "commerce".into(), ..TeamRule::default() },
                TeamRule {
                    labels: BTreeMap::from([("unit".into(), "4711*".into())]),
                    team: "data".into(),
                    owner: Some("bob".into()),
                    ..TeamRule::default()
                },
            ],
            team_keys: vec!["team".into(), "app.example.com/team".into()],
            owner_keys: vec![],
            department_keys: vec!["cost-center".into()],
            users: UserMap::from_iter([("alice".into(), "commerce".into())]),
            projects: BTreeMap::from([("p-abc12".into(), "Payments".into())]),
            tier_key: "class".into(),
            labels: vec!["app".into()],
        },
        protected: vec!["db-*".into()],
        read: vec![Tool::GoKubeDownscaler, Tool::Loft],
        default_wishes: Wishes {
            uptime: Some(spec("Mon-Fri 08:00-20:00")),
            downtime: Some(spec("never")),
            ..Wishes::default()
        },
        usage: Usage { interval: Millis::from_secs(30), source: UsageSource::None },
        network_counters: vec!["http://10.0.0.7:3001/metrics".parse().unwrap()],
        prices: PriceSettings {
            price_rules: vec![PriceRule {
                matches: RuleMatch { region: Some("eu-*".into()), ..RuleMatch::default() },
                adjust: Some("-28%".into()),
                ..PriceRule::default()
            }],
            defaults: DefaultRates { cpu_core_hourly_usd: 0.04, ..DefaultRates::default() },
            csv: Some("/etc/nightcap/prices.csv".into()),
            live: LiveSettings {
                refresh_every: "6h".to_owned(),
                azure: AzureSettings { enabled: true, ..AzureSettings::default() },
                ..LiveSettings::default()
            },
            storage: StorageRules { gib_month_usd: Some(0.05), classes: [("fast".to_owned(), 0.12)].into() },
            load_balancer_hourly_usd: Some(0.03),
            control_plane_hourly_usd: Some(0.0),
            egress: EgressRules { internet_gib_usd: Some(0.05), ..EgressRules::default() },
        },
        split: Split { cpu_core: 9_500_000, ..Split::default() },
        keep_rows: 5_000,
        sharing: Sharing {
            idle: Spread::Even,
            idle_by_node: true,
            rules: SharedRules {
                namespaces: vec!["ingress".into(), "mon-*".into()],
                labels: vec![("app".into(), "dns".into()), ("team".into(), "core".into())],
                daemonsets: true,
                ..SharedRules::default()
            },
            shared: Spread::None,
            overhead: Spread::Weighted,
            extra_monthly: PicoUsd(0),
        },
        log: Log { format: LogFormat::Json, level: LogLevel::Debug },
        concurrency: 64,
        ..Config::default()
    };
    assert_eq!(config(text), Ok(expected));
}

#[test]
fn a_flag_comes_before_a_variable_before_the_file_before_the_default() {
    let file = "mode: ask\nlisten: 127.0.0.1:1\ncluster: file";
    let environment =
        [("NIGHTCAP_MODE", "act"), ("NIGHTCAP_LISTEN", "127.0.0.1:2"), ("NIGHTCAP_CLUSTER", "")];
    let raw = Raw::parse(file, variables(&environment), &[flag("--mode", "mode", "observe")]).unwrap();
    let expected = Config {
        mode: Mode::Observe,
        listen: "127.0.0.1:2".parse().unwrap(),
        cluster: "file".into(),
        ..Config::default()
    };
    assert_eq!(Config::validate(&raw), Ok(expected));
}

#[test]
fn variables_hold_numbers_lists_and_nested_keys() {
    let raw = Raw::parse(
        "split: {cpu_per_gib: 1}",
        variables(&[
            ("NIGHTCAP_ACT_CONCURRENCY", "8"),
            ("NIGHTCAP_SLEEP_PROTECTED", "db-*, cache"),
            ("NIGHTCAP_SPLIT", "aws"),
            ("NIGHTCAP_LOG_LEVEL", "warn"),
            // What Kubernetes sets for a Service of our name is none of ours.
            ("NIGHTCAP_PORT", "tcp://10.0.0.1:9095"),
            ("NIGHTCAP_SERVICE_HOST", "10.0.0.1"),
        ]),
        &[],
    );
    let expected = Config {
        concurrency: 8,
        protected: vec!["db-*".into(), "cache".into()],
        split: Split::AWS,
        log: Log { format: LogFormat::Text, level: LogLevel::Warn },
        ..Config::default()
    };
    assert_eq!(Config::validate(&raw.unwrap()), Ok(expected));
}

#[test]
fn all_errors_are_told_at_once_with_place_value_and_advice() {
    let file = r#"
clustr: a
cluster: 5
listen: localhost
timezone: europe/berlin
team_timezones: {data: Mars/Olympus}
annotation_prefix: Not_A_Domain
teams:
  rules: [{namespace: "a"}, {namespace: "", team: b}, {team: c}]
  team_keys: team
owners: {users: {alice: 5, bob: ""}, tier: class}
labels: [app, pod-template-hash]
sleep:
  protected: [Kube]
  read: [keda, borg]
  default: {uptime: "Mon-Fry 08:00-20:00"}
  sleep_after: 2h
usage: {interval: 1s, source: prometheus}
network: {counters: ["10.0.0.7:3001"]}
prices:
  price_rules: [{price: 1}, {hourly_usd: -1}]
  live: {refresh_every: 1m, aws: {bulk_url: pricing.example.com}}
  storage: {gib_month_usd: -0.1, gib: 1}
  load_balancer_hourly_usd: much
  egress: {zone_gib_usd: -1}
split: {cpu_per_gib: -2}
history: {keep_rows: 5}
act: [1]
"#;
    let raw =
        Raw::parse(file, variables(&[("NIGHTCAP_LOG_LEVEL", "loud")]), &[flag("--mode", "mode", "sleep")]);
    let error = Config::validate(&raw.unwrap()).unwrap_err().to_string();
    assert_eq!(
        error,
        r#"33 errors in the configuration:
  act: [1] is no map: write keys below it, such as `concurrency:`
  clustr: unknown key; known at the top: cluster, listen, mode, kubeconfig, data_dir, timezone, team_timezones, holidays, team_holidays, annotation_prefix, teams, owners, labels, sleep, usage, network, prices, split, history, costs, log, act, leader_elect, lease_namespace
  owners.tier: unknown key; known in owners: users, projects, department_keys, tier_key
  sleep.sleep_after: unknown key; known in sleep: protected, read, kinds, wake_gate, wake_pods_per_node, default
  annotation_prefix: "Not_A_Domain" is no prefix of annotations: write a domain name in lower case such as nightcap.dev
  timezone: "europe/berlin" is no known time zone: did you mean Europe/Berlin?
  cluster: 5 is no text: put it in quotes, or give one value
  listen: "localhost" is no address: write IP:PORT such as 127.0.0.1:9095, or 0.0.0.0:9095 for everybody
  --mode: "sleep" is no mode: use observe, ask or act
  team_timezones.data: "Mars/Olympus" is no known time zone: use an IANA name such as Europe/Berlin or UTC
  teams.rules[0]: {"namespace":"a"} cannot be used: missing field `team`
  teams.rules[1].namespace: is empty: give it a value, or remove the rule
  teams.rules[2]: the rule for "c" has no condition: give it a namespace or labels
  teams.team_keys: "team" is no list: write [a, b]
  owners.users.alice: 5 is no text: put it in quotes, or give one value
  owners.users.bob: is empty: give it a value, or remove it
  labels: "pod-template-hash" differs from pod to pod, so that every row would be one pod: group by pod instead
  sleep.protected: "Kube" matches no namespace: use lower-case letters, digits and `-`, and `*` for any text
  sleep.read: "borg" is no tool whose wishes are read: use one of kube-downscaler, gokubedownscaler, kube-green, loft, nightshift, snorlax, slumlord, keda, kube-janitor
  sleep.default.uptime: in "Mon-Fry 08:00-20:00": "Fry" is no day of the week: use Mon, Tue, Wed, Thu, Fri, Sat or Sun, or a range such as Mon-Fri
  usage.interval: "1s" is not allowed: write a duration from 10s to 1h
  usage.source: "prometheus" is no source of usage: use metrics-server or none
  network.counters: "10.0.0.7:3001" is no address: write http://HOST:PORT/metrics
  prices.price_rules[0]: {"price":1} cannot be used: unknown field `price`, expected one of `match`, `hourly_usd`, `monthly_usd`, `adjust`, `cpu_core_hourly_usd`, `ram_gib_hourly_usd`, `gpu_hourly_usd`, `currency`, `fx`, `hourly`, `monthly`, `cpu_core_hourly`, `ram_gib_hourly`, `gpu_hourly`
  prices.storage: {"gib":1,"gib_month_usd":-0.1} cannot be used: unknown field `gib`, expected `gib_month_usd` or `classes`
  prices.load_balancer_hourly_usd: "much" cannot be used: invalid type: string "much", expected f64
  prices.live.refresh_every: "1m" is not allowed: write a duration from 10m to 30d
  prices.live.aws.bulk_url: "pricing.example.com" is no base URL: begin it with https:// or http://
  prices.egress.zone_gib_usd: -1 is negative: a price is 0 or more
  prices.price_rules[1].hourly_usd: -1 is negative: a price is 0 or more
  split.cpu_per_gib: -2 is not allowed: write a number from 0 to 4000
  history.keep_rows: 5 is not allowed: write a whole number from 1000 to 100000000
  NIGHTCAP_LOG_LEVEL: "loud" is no log level: use error, warn, info, debug or trace"#
    );
}

#[test]
fn a_split_may_be_given_by_rates() {
    for (text, split) in [
        ("{cpu_core_hourly_usd: 0.03, ram_gib_hourly_usd: 0.005, gpu_hourly_usd: 1.2}", [6, 1, 240]),
        // A GPU costs the default rate unless another is given.
        ("{cpu_core_hourly_usd: 0.05, ram_gib_hourly_usd: 0.01}", [5, 1, 95]),
        (
            "{cpu_core_hourly_usd: 1, ram_gib_hourly_usd: 1000, gpu_hourly_usd: 250, cpu_per_gib: }",
            [1, 1000, 250],
        ),
    ] {
        let [cpu_core, ram_gib, gpu] = split;
        let expected = Config { split: Split { cpu_core, ram_gib, gpu }, ..Config::default() };
        assert_eq!(config(&format!("split: {text}")), Ok(expected), "{text}");
    }
    let cheap = "prices: {defaults: {gpu_hourly_usd: 0.5}}\nsplit: {cpu_core_hourly_usd: 0.05, ram_gib_hourly_usd: 0.01}";
    assert_eq!(config(cheap).unwrap().split, Split { cpu_core: 5, ram_gib: 1, gpu: 50 });
}

#[test]
fn rates_of_a_split_that_cannot_be_used_are_named() {
    let missing = "is missing: rates need a core's and a GiB's";
    let allowed = "is not allowed: write dollars per hour, more than 0 and up to 1000";
    let free = "would give it away, and the others would pay for it: write dollars per hour, more than 0";
    for (text, expected) in [
        (
            "{gpu_hourly_usd: 1}",
            vec![
                format!("split.cpu_core_hourly_usd: {missing}"),
                format!("split.ram_gib_hourly_usd: {missing}"),
            ],
        ),
        (
            "{cpu_core_hourly_usd: 0, ram_gib_hourly_usd: 0.0, gpu_hourly_usd: 0}",
            vec![
                format!("split.cpu_core_hourly_usd: 0 {free}"),
                format!("split.ram_gib_hourly_usd: 0.0 {free}"),
                format!("split.gpu_hourly_usd: 0 {free}"),
            ],
        ),
        (
            "{cpu_core_hourly_usd: -1, ram_gib_hourly_usd: 1001, gpu_hourly_usd: much}",
            vec![
                format!("split.cpu_core_hourly_usd: -1 {allowed}"),
                format!("split.ram_gib_hourly_usd: 1001 {allowed}"),
                format!("split.gpu_hourly_usd: \"much\" {allowed}"),
            ],
        ),
        (
            "{cpu_core_hourly_usd: 1, ram_gib_hourly_usd: 1, gpu_per_gib: 3}",
            vec![
            "split: gpu_per_gib stands beside cpu_core_hourly_usd, ram_gib_hourly_usd: give ratios or rates"
                .to_owned(),
        ],
        ),
    ] {
        assert_eq!(errors(&format!("split: {text}")), expected, "{text}");
    }
    assert_eq!(
        errors(
            "prices: {defaults: {gpu_hourly_usd: 0}}\nsplit: {cpu_core_hourly_usd: 1, ram_gib_hourly_usd: 1}"
        ),
        [format!("split.gpu_hourly_usd: 0 {free}")]
    );
}

#[test]
fn sharing_comes_from_variables_too() {
    let variables = variables(&[
        ("NIGHTCAP_COSTS_SHARED_NAMESPACES", "ingress, mon-*"),
        ("NIGHTCAP_COSTS_SHARED_SYSTEM", "true"),
        ("NIGHTCAP_COSTS_SHARE_OVERHEAD", "even"),
    ]);
    let file = "costs: {shared: {namespaces: [other], system: false, load_balancers: true}}";
    let config = Config::validate(&Raw::parse(file, variables, &[]).unwrap()).unwrap();
    let rules = SharedRules {
        namespaces: vec!["ingress".into(), "mon-*".into()],
        system: true,
        load_balancers: true,
        ..SharedRules::default()
    };
    assert_eq!(config.sharing, Sharing { rules, overhead: Spread::Even, ..Sharing::weighted() });
}

#[test]
fn sharing_that_cannot_be_used_is_named() {
    let file = r#"
costs:
  shared: {namespaces: [Ingress], labels: [app, "app:"], daemonsets: "yes", nodes: true}
  share: {idle: fairly, overhead: 1}
"#;
    let variables = variables(&[("NIGHTCAP_COSTS_SHARED_SYSTEM", "often")]);
    let error = Config::validate(&Raw::parse(file, variables, &[]).unwrap()).unwrap_err().to_string();
    assert_eq!(
        error,
        r#"8 errors in the configuration:
  costs.shared.nodes: unknown key; known in costs.shared: namespaces, labels, daemonsets, system, load_balancers
  costs.shared.namespaces: "Ingress" matches no namespace: use lower-case letters, digits and `-`, and `*` for any text
  costs.shared.labels: "app" is no label with a value: write KEY:VALUE, such as app:ingress
  costs.shared.labels: "app:" is no label with a value: write KEY:VALUE, such as app:ingress
  costs.shared.daemonsets: "yes" is neither true nor false
  NIGHTCAP_COSTS_SHARED_SYSTEM: "often" is neither true nor false
  costs.share.idle: "fairly" is none of weighted, even and none
  costs.share.overhead: 1 is no text: put it in quotes, or give one value"#
    );
}

#[test]
fn what_stands_in_the_way_is_named() {
    assert_eq!(
        errors("- a\n- b\n"),
        [r#"the file: ["a","b"] is no map: write keys below it, such as `cluster:`"#]
    );
    assert_eq!(
        errors("split: half"),
        [
            r#"split: "half" is no split: use opencost, aws, or a map with cpu_per_gib and gpu_per_gib, or with cpu_core_hourly_usd, ram_gib_hourly_usd, gpu_hourly_usd"#
        ]
    );
    assert_eq!(
        errors("split: {ram: 1}"),
        [
            "split.ram: unknown key; known in split: cpu_per_gib, gpu_per_gib, cpu_core_hourly_usd, ram_gib_hourly_usd, gpu_hourly_usd"
        ]
    );
    assert_eq!(errors("mode: ''"), ["mode: is empty: give it a value, or remove it"]);
}

#[test]
fn what_is_no_yaml_says_where() {
    let error = config("mode: [act\nlisten: x").unwrap_err().to_string();
    assert!(error.starts_with("the configuration is no YAML: ") && error.contains("line"), "{error}");
    let error = config("mode: act\nmode: ask").unwrap_err().to_string();
    assert!(error.contains("duplicate"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = std::path::Path::new("/nowhere/nightcap.yaml");
    let error = Raw::read(Some(path), [], &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot read the configuration /nowhere/nightcap.yaml: No such file or directory (os error 2); \
         check the path given by --config or NIGHTCAP_CONFIG"
    );
}

#[test]
fn the_engine_gets_what_was_configured() {
    let text = "cluster: c\nmode: ask\ntimezone: Asia/Kolkata\nteam_timezones: {a: UTC}\nannotation_prefix: x.example\n\
                sleep: {protected: [db], default: {uptime: always}}\nusage: {interval: 15s}\nsplit: aws\nhistory: {keep_rows: 1000}";
    let settings = config(text).unwrap().settings(Instant(7));
    let protected: Vec<&str> = settings.sleep.protected.iter().map(|pattern| &**pattern).collect();
    assert_eq!(protected, [DEFAULT_PROTECTED.as_slice(), &["db"]].concat());
    assert_eq!(
        (&*settings.cluster, settings.start, settings.mode, settings.split, settings.keep_rows),
        ("c", Instant(7), Mode::Ask, Split::AWS, 1_000)
    );
    assert_eq!(settings.scrape_interval, Millis::from_secs(15));
    assert_eq!((&*settings.teams.prefix, &*settings.sleep.prefix), ("x.example", "x.example"));
    assert_eq!((settings.sleep.zone, settings.sleep.zone_of("a")), (Tz::Asia__Kolkata, Tz::UTC));
    assert!(settings.sleep.defaults.uptime.is_some());
}

#[test]
fn the_example_shows_every_key_and_holds_the_defaults() {
    assert_eq!(config(EXAMPLE), Ok(Config::default()));
    let raw = Raw::parse(EXAMPLE, [], &[]).unwrap();
    for key in KEYS {
        let mut value = Some(&raw.tree);
        for name in key.path.split('.') {
            value = value.and_then(|value| value.get(name));
        }
        // `split` is shown as a word, its numbers in the comment beside it.
        assert!(value.is_some() || key.path.starts_with("split."), "the example does not show {}", key.path);
    }
}

#[test]
fn the_document_names_every_key_and_variable() {
    for key in KEYS {
        assert!(DOCUMENT.contains(&format!("`{}`", key.path)), "docs/configuration.md: {}", key.path);
        if let Some(variable) = key.variable() {
            assert!(DOCUMENT.contains(&format!("`{variable}`")), "docs/configuration.md: {variable}");
        }
        assert_eq!(key.variable().is_none(), key.kind == Kind::Structure);
    }
}

#[test]
fn calendars_are_read_from_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let plain = file("plain.txt", "2026-12-25 Christmas\n");
    let ics = file("de.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260501\nEND:VEVENT\nEND:VCALENDAR\n");
    let text = format!("holidays: {{plain: {plain}, de: {ics}}}\nteam_holidays: {{shop: [de, plain]}}\n");
    let config = Config::validate(&Raw::parse(&text, [], &[]).unwrap()).unwrap();
    let day = |text: &str| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap();
    assert_eq!(config.calendars["plain"].name_of(day("2026-12-25")).map(|name| &**name), Some("Christmas"));
    assert!(config.calendars["de"].name_of(day("2026-05-01")).is_some());
    let settings = config.settings(Instant(0));
    let noon = nightcap_core::units::parse_rfc3339("2026-05-01T12:00:00Z").unwrap();
    let off = settings.sleep.days_off_of("shop").unwrap();
    assert!(off.name_at(noon).is_some());
    assert!(settings.sleep.days_off_of("data").is_none());

    // All that is wrong at once, each with its file and line.
    let bad = file("bad.txt", "2026-01-01\n1.5.2026\nsome day\n");
    let empty = file("empty.txt", "# none\n");
    let text = format!(
        "holidays: {{bad: {bad}, empty: {empty}, gone: {bad}.gone, odd: 7}}\nteam_holidays: {{shop: [fr], data: de}}\n"
    );
    let error = Config::validate(&Raw::parse(&text, [], &[]).unwrap()).unwrap_err().to_string();
    let hint = "is no date: write YYYY-MM-DD and, if you like, a name";
    for line in [
        "7 errors in the configuration:".to_owned(),
        format!("holidays.bad: {bad}, line 2: \"1.5.2026\" {hint}"),
        format!("holidays.bad: {bad}, line 3: \"some\" {hint}"),
        format!("holidays.empty: {empty} names no day: write dates, or events of whole days"),
        format!("holidays.gone: cannot read the file \"{bad}.gone\": No such file or directory (os error 2)"),
        "holidays.odd: 7 is no text".to_owned(),
        "team_holidays.data: \"de\" cannot be used".to_owned(),
        "team_holidays.shop: \"fr\" is no calendar: name it below holidays, with its file".to_owned(),
    ] {
        assert!(error.contains(&line), "{error}\n{line}");
    }
}

#[test]
fn kinds_are_turned_off_as_described() {
    let config = config(
        "sleep: {kinds: [{group: example.com, kind: Farm, replicas: /spec/workers}, \
         {group: example.com, kind: Mill, off: {/spec/brake: true}}, {group: argoproj.io, kind: Rollout, off: false}]}",
    )
    .unwrap();
    let off = |group: &str, kind: &str| {
        let kind = config.kinds.switch_of(group, kind, None);
        kind.map(|kind| serde_json::to_string(&kind.off).unwrap())
    };
    assert_eq!(off("example.com", "Farm").as_deref(), Some(r#"{"/spec/workers":0}"#));
    assert_eq!(off("example.com", "Mill").as_deref(), Some(r#"{"/spec/brake":true}"#));
    assert_eq!(off("argoproj.io", "Rollout"), None);
    assert_eq!(
        off("keda.sh", "ScaledJob").as_deref(),
        Some(r#"{"/metadata/annotations/autoscaling.keda.sh~1paused":"true"}"#)
    );
}

#[test]
fn kinds_that_cannot_be_used_are_all_named() {
    let found = errors(
        "sleep: {kinds: [{group: apps, kind: Deployment, replicas: /spec/replicas}, {group: example.com, kind: Farm}, \
         {group: example.com, kind: Farm, off: 1}, {group: a.b, kind: C, off: {spec: 1}}, {group: a.b, kind: D, off: {}}, \
         {group: a.b, kind: E, off: false, replicas: /spec/a}, {group: a.b, kind: F, on: 1}]}",
    );
    let wanted = [
        r#"sleep.kinds[6]: {"group":"a.b","kind":"F","on":1} cannot be used: unknown field `on`, expected one of `group`, `kind`, `replicas`, `off`"#,
        r#"sleep.kinds[0]: "apps" is no group of custom resources: write it as in apiVersion, such as argoproj.io"#,
        "sleep.kinds[1]: give `replicas`, the place of its number of pods, or `off`",
        "sleep.kinds[2]: Farm of example.com is there twice: remove one",
        "sleep.kinds[2]: off: 1 is neither false, which leaves the kind alone, nor a map of places and values",
        r#"sleep.kinds[3]: "spec" is no JSON pointer to a place in an object: write one such as /spec/replicas"#,
        "sleep.kinds[4]: nothing says how it is turned off: give `off` with at least one place and value",
        "sleep.kinds[5]: give `replicas` or `off`, not both",
    ];
    assert_eq!(found, wanted);
}
