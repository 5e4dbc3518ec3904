//! What the command line reads and writes, from fixed answers of a daemon.

use std::collections::BTreeMap;
use std::ffi::OsString;

use chrono_tz::Tz;
use nightcap_core::cluster::OwnerKind;
use nightcap_core::money::Confidence;
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Instant, Millis, Period, PicoUsd, Step, parse_rfc3339};

use super::args::{
    ActArgs, CostArgs, ExportFormat, Format, How, KeepAwakeArgs, OutputArgs, ShareArgs, Target, WakeArgs,
};
use super::*;
use crate::api::{
    BudgetForecast, BudgetJump, BudgetList, BudgetMatched, BudgetReport, BudgetSelector, ConfidenceShare,
    CostReport, CostRow, CostStep, CountersReport, Counts, Labels, Money, NextReport, NodeList, NodeReport,
    PriceReport, ProblemReport, RowKind, SavingsReport, SavingsRow, SpaceDetail, SpaceList, SpaceReport,
    Status, UsageReport, WindowReport, WishReport, WorkloadReport,
};

fn at(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

fn usd(text: &str) -> Money {
    text.parse().unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn window() -> WindowReport {
    WindowReport { start: at("2026-03-01T00:00:00Z"), end: at("2026-03-04T12:00:00Z") }
}

fn cost_row(team: &str, space: &str, cost: &str, cpu: &str, memory: &str, share: f64) -> CostRow {
    let idle = team == "__idle__";
    CostRow {
        kind: if idle { RowKind::Idle } else { RowKind::Group },
        key: if idle { Labels::new() } else { labels(&[("team", team), ("space", space)]) },
        name: if idle { team.to_owned() } else { format!("{team}/{space}") },
        cost: usd(cost),
        cpu_cost: usd(cpu),
        memory_cost: usd(memory),
        share,
        cpu_core_hours: 12.5,
        memory_gib_hours: 50.0,
        ..CostRow::default()
    }
}

fn cost_report(idle: bool) -> CostReport {
    let mut rows = vec![
        CostRow { prorated: true, ..cost_row("commerce", "shop-dev", "1204.5", "804.5", "400", 0.602_25) },
        CostRow {
            late: true,
            ..cost_row("data, and more", "lab", "0.123456789012", "0.1", "0.023456789012", 0.000_06)
        },
        cost_row("unowned", "__unallocated__", "95.376543210988", "95.376543210988", "0", 0.047_69),
    ];
    if idle {
        rows.push(cost_row("__idle__", "", "700", "350", "350", 0.35));
    }
    CostReport {
        cluster: "demo".into(),
        at: at("2026-03-04T12:00:00Z"),
        settled: at("2026-03-04T11:55:00Z"),
        window: window(),
        by: vec!["team".into(), "space".into()],
        currency: "USD".into(),
        steps: vec![CostStep {
            window: window(),
            rows,
            idle: usd("700"),
            total: usd("2000"),
            allocated: usd("1300"),
            saved: usd("31.25"),
            by_confidence: BTreeMap::from([
                (Confidence::List, usd("1640")),
                (Confidence::Estimated, usd("360")),
            ]),
            prorated: true,
            provisional: true,
            ..CostStep::default()
        }],
        warnings: vec!["counting began 2026-03-01T00:00:00Z".into()],
    }
}

#[test]
fn cost_is_a_table_whose_total_is_the_bill() {
    assert_eq!(
        cost::as_table(&cost_report(true), Tz::UTC),
        "\
Cost of demo by team, space, 2026-03-01 00:00 to 2026-03-04 12:00 UTC (3 d 12 h), in USD.

TEAM            SPACE         COST    SHARE       CPU  MEMORY
commerce        shop-dev  1,204.50   60.2 %    804.50  400.00  p
data, and more  lab           0.12    0.0 %      0.10   0.023  l
unowned         -            95.38    4.8 %     95.38       0
idle                        700.00   35.0 %    350.00  350.00
-----                     --------  -------  --------  ------
total                     2,000.00  100.0 %  1,249.98  750.02

The total is the bill: what everything cost, $700.00 of it idle.
Sleep saved $31.25 in the same time.
Prices: list 82.0 %, estimated 18.0 %.
Provisional: what is after 11:55 may still change.
p: the window cuts an hour, which counts in proportion to time.
l: holds a correction from a fact that came late.
Note: counting began 2026-03-01T00:00:00Z
"
    );
}

#[test]
fn cost_without_idle_says_what_is_left_out() {
    let text = cost::as_table(&cost_report(false), Tz::Europe__Berlin);
    let after = text.split_once("shown").unwrap().1.trim_start();
    assert_eq!(
        after,
        "\
1,300.00  65.0 %  899.98  400.02

The bill is $2,000.00: idle, $700.00, is left out.
Sleep saved $31.25 in the same time.
Prices: list 82.0 %, estimated 18.0 %.
Provisional: what is after 12:55 may still change.
p: the window cuts an hour, which counts in proportion to time.
l: holds a correction from a fact that came late.
Note: counting began 2026-03-01T00:00:00Z
"
    );
}

#[test]
fn cost_as_csv_has_all_decimals() {
    assert_eq!(
        cost::as_csv(&cost_report(true)).unwrap(),
        "\
window_start,window_end,team,space,cost_usd,cpu_cost_usd,memory_cost_usd,gpu_cost_usd,storage_cost_usd,load_balancer_cost_usd,network_zone_cost_usd,network_region_cost_usd,network_internet_cost_usd,control_plane_cost_usd,fixed_cost_usd,idle_share_cost_usd,shared_share_cost_usd,overhead_share_cost_usd,share,cpu_core_hours,memory_gib_hours,gpu_hours,storage_gib_hours,network_gib,load_balancer_hours,prorated,coarse,late,backfilled
2026-03-01T00:00:00Z,2026-03-04T12:00:00Z,commerce,shop-dev,1204.5,804.5,400.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.60225,12.5,50,0,0,0,0,true,false,false,false
2026-03-01T00:00:00Z,2026-03-04T12:00:00Z,\"data, and more\",lab,0.123456789012,0.1,0.023456789012,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.00006,12.5,50,0,0,0,0,false,false,true,false
2026-03-01T00:00:00Z,2026-03-04T12:00:00Z,unowned,__unallocated__,95.376543210988,95.376543210988,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.04769,12.5,50,0,0,0,0,false,false,false,false
2026-03-01T00:00:00Z,2026-03-04T12:00:00Z,__idle__,,700.0,350.0,350.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.35,12.5,50,0,0,0,0,false,false,false,false
"
    );
}

#[test]
fn cost_shows_every_part_that_somebody_pays_for() {
    let mut report = cost_report(true);
    let step = &mut report.steps[0];
    step.rows[0].storage_cost = usd("0.5");
    step.rows[0].idle_share_cost = usd("4");
    step.rows.insert(3, CostRow { kind: RowKind::Others, groups: 7, cost: usd("1"), ..CostRow::default() });
    step.rows.push(CostRow {
        kind: RowKind::Overhead,
        name: "__overhead__".into(),
        cost: usd("0.1"),
        control_plane_cost: usd("0.1"),
        ..CostRow::default()
    });
    step.filtered = usd("3");
    let text = cost::as_table(&report, Tz::UTC);
    let lines: Vec<_> = text.lines().skip(2).take(9).collect();
    assert_eq!(
        lines,
        [
            "TEAM            SPACE         COST    SHARE       CPU  MEMORY  STORAGE  OVERHEAD  IDLE",
            "commerce        shop-dev  1,204.50   60.2 %    804.50  400.00     0.50         0  4.00  p",
            "data, and more  lab           0.12    0.0 %      0.10   0.023        0         0     0  l",
            "unowned         -            95.38    4.8 %     95.38       0        0         0     0",
            "7 others                      1.00    0.0 %         0       0        0         0     0",
            "idle                        700.00   35.0 %    350.00  350.00        0         0     0",
            "overhead                      0.10    0.0 %         0       0        0      0.10     0",
            "-----                     --------  -------  --------  ------     ----      ----  ----",
            "shown                     2,001.10  100.0 %  1,249.98  750.02     0.50      0.10  4.00",
        ]
    );
    assert!(
        text.contains("The bill is $2,000.00: the filter leaves out $3.00; nobody's share changes by it.")
    );
}

#[test]
fn cost_asks_for_what_the_flags_say() {
    let line = "nightcap cost --by label:app --step month --accumulate --filter team:shop --top 5 --timezone Europe/Berlin \
                --share --share-idle weighted --shared-namespaces infra-* --shared-labels app:dns --idle-by-node --no-idle";
    let Command::Cost(args) =
        <Args as clap::Parser>::try_parse_from(line.split_whitespace()).unwrap().command
    else {
        panic!("not cost")
    };
    let asked: Vec<String> =
        cost::query(&args).iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        asked,
        [
            "by=label:app",
            "window=7d",
            "idle=false",
            "step=month",
            "accumulate=true",
            "filter=team:shop",
            "top=5",
            "timezone=Europe/Berlin",
            "share=true",
            "share_idle=weighted",
            "idle_by_node=true",
            "shared_namespaces=infra-*",
            "shared_labels=app:dns",
        ]
    );
}

#[test]
fn savings_end_in_their_total() {
    let row = |team: &str, saved: &str| SavingsRow {
        key: labels(&[("team", team)]),
        name: team.into(),
        saved: usd(saved),
        cpu_freed_core_hours: 20.0,
        memory_freed_gib_hours: 80.0,
        asleep_workload_hours: 60.5,
        ..SavingsRow::default()
    };
    let report = SavingsReport {
        cluster: "demo".into(),
        at: at("2026-03-04T12:00:00Z"),
        window: window(),
        by: vec!["team".into()],
        currency: "USD".into(),
        rows: vec![row("commerce", "30.75"), row("data", "0.5")],
        saved: usd("31.25"),
        cost: usd("2000"),
        prorated: false,
        provisional: true,
        warnings: vec![],
    };
    assert_eq!(
        savings::as_table(&report, Tz::UTC),
        "\
Saved by sleep in demo by team, 2026-03-01 00:00 to 2026-03-04 12:00 UTC (3 d 12 h), in USD.

TEAM      SAVED  WORKLOAD-HOURS  CORE-HOURS  GIB-HOURS
commerce  30.75            60.5        20.0       80.0
data       0.50            60.5        20.0       80.0
-----     -----           -----        ----      -----
total     31.25           121.0        40.0      160.0

Saved are the requests that were freed, over the hours each workload slept, at the cluster's prices; the nodes cost $2,000.00 in the same time.
Provisional: the last minutes may still change.
"
    );
    assert_eq!(
        savings::as_csv(&report).unwrap(),
        "\
window_start,window_end,team,saved_usd,asleep_workload_hours,cpu_freed_core_hours,memory_freed_gib_hours
2026-03-01T00:00:00Z,2026-03-04T12:00:00Z,commerce,30.75,60.5,20,80
2026-03-01T00:00:00Z,2026-03-04T12:00:00Z,data,0.5,60.5,20,80
"
    );
    let nothing = SavingsReport { rows: vec![], ..report };
    assert!(savings::as_table(&nothing, Tz::UTC).ends_with("\n\nNothing has slept in this window.\n"));
}

fn node(name: &str, price: Option<PriceReport>) -> NodeReport {
    NodeReport {
        name: name.into(),
        provider: "aws".into(),
        provider_id: String::new(),
        region: "eu-central-1".into(),
        zone: "eu-central-1a".into(),
        instance_type: "m5.xlarge".into(),
        capacity_type: "on-demand".into(),
        arch: "amd64".into(),
        cpu_cores: 3.92,
        memory_gib: 14.9,
        gpus: 0.0,
        pods: 12,
        ready: true,
        created: at("2026-03-01T00:00:00Z"),
        hourly_cost: price.as_ref().map(|price| price.hourly).unwrap_or_default(),
        cpu_hourly_cost: Money::default(),
        memory_hourly_cost: Money::default(),
        gpu_hourly_cost: Money::default(),
        price,
    }
}

#[test]
fn prices_say_where_they_come_from_and_how_sure_they_are() {
    let price = PriceReport {
        hourly: usd("0.23"),
        confidence: Confidence::List,
        source: "karpenter-aws".into(),
        date: "2026-01-15".into(),
        reason: "list price of m5.xlarge".into(),
    };
    let list = NodeList {
        at: at("2026-03-04T12:00:00Z"),
        nodes: vec![node("a", Some(price)), node("b", None)],
        hourly_cost: usd("0.23"),
    };
    assert_eq!(
        prices::as_table(&list),
        "\
Nodes and their prices per hour.

NODE   TYPE       REGION        BOUGHT     CORES   GIB  GPUS  USD/H  CONFIDENCE  SOURCE                       HOW IT WAS FOUND
a      m5.xlarge  eu-central-1  on-demand    3.9  14.9     0   0.23  list        karpenter-aws of 2026-01-15  list price of m5.xlarge
b      m5.xlarge  eu-central-1  on-demand    3.9  14.9     0      -  none        -                            No price has been found yet.
-----                                                          ----
total                                                          0.23
"
    );
    assert_eq!(
        prices::as_csv(&list).unwrap(),
        "\
node,provider,region,zone,instance_type,capacity_type,cpu_cores,memory_gib,gpus,hourly_cost_usd,confidence,source,date,reason
a,aws,eu-central-1,eu-central-1a,m5.xlarge,on-demand,3.92,14.9,0,0.23,list,karpenter-aws,2026-01-15,list price of m5.xlarge
b,aws,eu-central-1,eu-central-1a,m5.xlarge,on-demand,3.92,14.9,0,,,,,
"
    );
}

fn budget() -> BudgetReport {
    BudgetReport {
        name: "shop-week".to_owned(),
        selector: BudgetSelector { teams: vec!["shop".to_owned()], ..BudgetSelector::default() },
        period: "week".to_owned(),
        zone: "UTC".to_owned(),
        window: WindowReport { start: at("2026-03-02T00:00:00Z"), end: at("2026-03-09T00:00:00Z") },
        amount: usd("100"),
        spent: usd("61.234567890123"),
        used_ratio: 0.612_345,
        marks: vec![50, 80, 100],
        marks_reached: vec![50],
        missing_hours: 3,
        pace_percent: Some(12),
        forecast: BudgetForecast {
            expected: usd("112.5"),
            low: usd("98"),
            high: usd("131.25"),
            confidence: "medium".to_owned(),
            reason: "by the norm of 300 hours: less than 4 weeks of history".to_owned(),
            breach: Some(at("2026-03-07T14:00:00Z")),
        },
        jump: Some(BudgetJump {
            span: "hour".to_owned(),
            window: WindowReport { start: at("2026-03-04T11:00:00Z"), end: at("2026-03-04T12:00:00Z") },
            cost: usd("3"),
            norm: usd("0.4"),
            score: 17.5,
        }),
        matched: BudgetMatched { spaces: 2, workloads: 7, names: vec!["shop-dev".to_owned()] },
        problem: None,
    }
}

#[test]
fn budgets_tell_amount_forecast_and_what_to_look_at() {
    let other = BudgetReport {
        name: "lost".to_owned(),
        spent: usd("0"),
        used_ratio: 0.0,
        missing_hours: 0,
        forecast: BudgetForecast { breach: None, ..budget().forecast },
        jump: None,
        matched: BudgetMatched::default(),
        problem: Some("amount: \"abc\" is none".to_owned()),
        ..budget()
    };
    let list = BudgetList {
        at: at("2026-03-04T12:30:00Z"),
        currency: "USD".to_owned(),
        budgets: vec![other, budget()],
    };
    assert_eq!(
        budgets::as_table(&list, Tz::UTC),
        "Budgets and what to expect of them, in USD.

BUDGET     PERIOD  SPENT  AMOUNT    USED  FORECAST    LOW    HIGH  CONFIDENCE  BREACH     SPACES
lost       week        0  100.00   0.0 %    112.50  98.00  131.25  medium      -               0
shop-week  week    61.23  100.00  61.2 %    112.50  98.00  131.25  medium      Sat 14:00       2

lost: cannot be understood: amount: \"abc\" is none; what it said before holds.
lost: matches no space: look at the spelling of its selector.
shop-week: the last hour cost 3.00, where 0.40 is usual.
shop-week: 3 hours of the period were not counted.
"
    );
    let only = BudgetList { budgets: vec![budget()], ..list.clone() };
    assert_eq!(
        budgets::as_csv(&only).unwrap(),
        "budget,period,period_start,period_end,amount_usd,spent_usd,forecast_usd,forecast_low_usd,forecast_high_usd,confidence,breach,missing_hours,spaces
shop-week,week,2026-03-02T00:00:00Z,2026-03-09T00:00:00Z,100.0,61.234567890123,112.5,98.0,131.25,medium,2026-03-07T14:00:00Z,3,2
"
    );
    let none = BudgetList { budgets: vec![], ..list };
    assert!(budgets::as_table(&none, Tz::UTC).starts_with("There are no budgets"));
}

#[test]
fn coverage_says_how_much_rests_on_what() {
    let price = |hourly: &str, confidence, source: &str| PriceReport {
        hourly: usd(hourly),
        confidence,
        source: source.into(),
        date: String::new(),
        reason: String::new(),
    };
    let list = NodeList {
        at: at("2026-03-04T12:00:00Z"),
        nodes: vec![
            node("a", Some(price("0.75", Confidence::List, "karpenter-aws"))),
            node("b", Some(price("0.25", Confidence::Default, "default-rates"))),
            node("c", None),
        ],
        hourly_cost: usd("1.00"),
    };
    assert_eq!(
        price_coverage::write(&list, Format::Table).unwrap(),
        "\
What the prices of nodes rest on.

CONFIDENCE  NODES  USD/H   SHARE  SOURCES        WHICH
list            1   0.75  75.0 %  karpenter-aws  a
default         1   0.25  25.0 %  default-rates  b
none            1      0   0.0 %                 c
-----           -   ----
total           3   1.00
"
    );
    assert_eq!(
        price_coverage::write(&list, Format::Csv).unwrap(),
        "\
confidence,nodes,hourly_cost_usd,share,sources,node_names
list,1,0.75,0.75,karpenter-aws,a
default,1,0.25,0.25,default-rates,b
none,1,0.0,0,,c
"
    );
    assert_eq!(price_coverage::write(&list, Format::Json).unwrap().lines().count(), 1);
}

fn price_answer(line: &[&str]) -> Result<String, String> {
    let line = ["nightcap", "prices"].iter().chain(line).map(OsString::from);
    let args = super::parse(line).map_err(|error| error.to_string())?;
    let answer = super::dispatch(args).map_err(|failure| failure.to_string())?;
    String::from_utf8(answer).map_err(|error| error.to_string())
}

#[test]
fn a_price_is_looked_up_without_a_daemon() {
    assert_eq!(
        price_answer(&["lookup", "m5.xlarge", "--provider", "aws", "--region", "us-east-1", "-o", "csv"])
            .unwrap(),
        "provider,region,name,capacity_type,per,usd,confidence,source,date,reason\n\
         aws,us-east-1,m5.xlarge,on-demand,hour,0.192,list,karpenter-aws,2026-07-20,on-demand price of m5.xlarge in us-east-1\n"
    );
    let list =
        price_answer(&["list", "--provider", "aws", "--region", "us-east-1", "--type", "m5.x", "-o", "csv"])
            .unwrap();
    assert_eq!(
        list,
        "provider,region,name,capacity_type,per,usd,confidence,source,date,reason\n\
         aws,us-east-1,m5.xlarge,on-demand,hour,0.192,list,karpenter-aws,2026-07-20,\n\
         aws,us-east-1,m5.xlarge,spot,hour,0.06528,estimated,spot-advisor-derived,2025-07-28,\n"
    );
    assert_eq!(
        price_answer(&["lookup", "m5.huge", "--provider", "aws", "--region", "us-east-1"]).unwrap_err(),
        "no price is known for \"m5.huge\" of aws in \"us-east-1\": check the spelling, or `nightcap prices list` what there is"
    );
    assert_eq!(
        price_answer(&["list", "--region", "mars-1"]).unwrap_err(),
        "no list price is known for that: leave out --region or --type to see more"
    );
    let wrong = price_answer(&["lookup", "x", "--provider", "ibm", "--region", "r"]).unwrap_err();
    assert!(wrong.contains("\"ibm\" is no provider: use aws, azure, gcp or unknown"), "{wrong}");
}

#[test]
fn a_provider_is_asked_and_the_answer_kept_for_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    // A port on which nobody listens: nothing comes, and nothing is written.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = folder.path().join("config.yaml");
    std::fs::write(
        &config,
        format!(
            "prices: {{live: {{gcp: {{url: 'http://127.0.0.1:{port}', api_key_env: NIGHTCAP_NO_KEY}}}}}}"
        ),
    )
    .unwrap();
    let (config, data_dir) = (config.to_str().unwrap(), folder.path().to_str().unwrap());
    let ask = |provider| {
        price_answer(&[
            "refresh",
            "x",
            "--provider",
            provider,
            "--region",
            "r",
            "--config",
            config,
            "--data-dir",
            data_dir,
        ])
    };
    assert_eq!(
        ask("gcp").unwrap_err(),
        "prices.live.gcp is enabled without an API key: set the variable NIGHTCAP_NO_KEY, or api_key_file"
    );
    assert_eq!(ask("unknown").unwrap_err(), "unknown has no prices to ask for: use aws, azure or gcp");
    assert!(!folder.path().join("prices").exists());
}

fn wakes() -> NextReport {
    NextReport {
        at: at("2026-03-02T07:00:00Z"),
        asleep: false,
        policy: "namespace uptime".into(),
        why: "Within its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`.".into(),
    }
}

fn space() -> SpaceReport {
    SpaceReport {
        name: "shop-dev".into(),
        team: "commerce".into(),
        team_kind: OwnerKind::Team,
        team_rule: "annotation nightcap.dev/team of the namespace".into(),
        owner: "alice".into(),
        owner_kind: OwnerKind::User,
        owner_rule: "annotation openshift.io/requester of the namespace".into(),
        tier: None,
        state: "asleep".into(),
        since: Some(at("2026-02-27T19:04:00Z")),
        should_sleep: true,
        wished_asleep: true,
        policy: "namespace uptime".into(),
        why: "Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`.".into(),
        next_change: Some(at("2026-03-02T07:00:00Z")),
        next: Some(wakes()),
        hourly_cost: usd("0.01"),
        hourly_saving: usd("0.42"),
        hourly_would_save: Money::default(),
        workloads: 2,
        workloads_asleep: 1,
        bare_pods: 1,
    }
}

#[test]
fn a_space_is_told_by_state_cause_next_and_money() {
    let now = at("2026-03-01T11:00:00Z");
    let tell = |space: &SpaceReport, mode| words::story(space, mode, now, Tz::Europe__Berlin);
    assert_eq!(
        tell(&space(), Mode::Ask),
        "Asleep since Fri 20:04. Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`. Wakes Mon 08:00. Saves $0.42 an hour."
    );
    let observed = SpaceReport {
        state: "awake".into(),
        since: None,
        should_sleep: false,
        hourly_cost: usd("0.43"),
        hourly_saving: Money::default(),
        hourly_would_save: usd("0.42"),
        ..space()
    };
    assert_eq!(
        tell(&observed, Mode::Observe),
        "Awake. Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`. Would wake Mon 08:00. Costs $0.43 an hour. \
         Would sleep, but the mode is observe. That would save $0.42 an hour."
    );
    let falling = SpaceReport { state: "falling".into(), next: None, ..space() };
    assert_eq!(
        tell(&falling, Mode::Act),
        "Falling asleep: 1 of 2 workloads sleep. Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`. \
         Costs $0.010 an hour. Saves $0.42 an hour."
    );
    let kept = SpaceReport {
        state: "waking".into(),
        since: Some(now),
        should_sleep: false,
        wished_asleep: false,
        policy: "namespace keep-awake-until".into(),
        why: "Kept awake until 2026-03-01T13:00:00Z.".into(),
        next: Some(NextReport { at: at("2026-03-01T13:00:00Z"), asleep: true, ..wakes() }),
        hourly_saving: Money::default(),
        ..space()
    };
    assert_eq!(
        tell(&kept, Mode::Act),
        "Waking since 12:00: sizes are restored, pods are not ready yet. Kept awake until 14:00. \
         Sleeps 14:00. Costs $0.010 an hour."
    );
}

fn workload(kind: &str, name: &str) -> WorkloadReport {
    WorkloadReport {
        kind: kind.into(),
        name: name.into(),
        replicas: Some(2),
        suspended: None,
        switched_off: None,
        ready_replicas: 2,
        asleep: false,
        asleep_since: None,
        asleep_why: None,
        asleep_policy: None,
        asleep_by: None,
        original_replicas: None,
        original_suspended: None,
        should_sleep: true,
        policy: "namespace uptime".into(),
        why: "Outside its uptime.".into(),
        next_change: Some(at("2026-03-02T07:00:00Z")),
        next: None,
        wishes: None,
        refusal: None,
        local_volumes: Vec::new(),
        hourly_cost: usd("0.2"),
    }
}

fn detail() -> SpaceDetail {
    let wish = |source: &str, asleep, counts| WishReport {
        source: source.into(),
        value: "x".into(),
        asleep,
        why: "Because of it.".into(),
        until: Some(at("2026-03-02T07:00:00Z")),
        counts,
        won: counts,
        hands_off: false,
        by: None,
        warnings: if counts { Vec::new() } else { vec!["look at it".into()] },
    };
    SpaceDetail {
        at: at("2026-03-01T11:00:00Z"),
        mode: Mode::Ask,
        space: space(),
        wishes: vec![wish("namespace uptime", true, true), wish("default downtime", false, false)],
        workloads: vec![
            WorkloadReport {
                replicas: Some(0),
                ready_replicas: 0,
                asleep: true,
                asleep_since: Some(at("2026-02-27T19:04:00Z")),
                asleep_why: Some("Its uptime ended.".into()),
                asleep_policy: Some("namespace uptime".into()),
                asleep_by: Some("nightcap".into()),
                original_replicas: Some(3),
                ..workload("Deployment", "web")
            },
            WorkloadReport {
                refusal: Some("it would lose its claims.".into()),
                ..workload("StatefulSet", "db")
            },
        ],
        problems: vec![ProblemReport {
            object: "namespace shop-dev".into(),
            reason: "bad-annotation".into(),
            message: "nightcap.dev/downtime: \"25:00\" is no time of day".into(),
            since: at("2026-03-01T10:00:00Z"),
        }],
    }
}

#[test]
fn explain_shows_the_chain_with_the_wish_that_decides() {
    assert_eq!(
        explain::as_text(&detail(), Tz::Europe__Berlin),
        "\
shop-dev, team commerce (annotation nightcap.dev/team of the namespace), owner alice (user by annotation openshift.io/requester of the namespace)
Asleep since Fri 20:04. Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`. Wakes Mon 08:00. Saves $0.42 an hour.
Pods that belong to nothing that can sleep, and so stay awake: 1.

Wishes, the strongest first:
     WHERE             WISHES  VALUE  WHY
  >  namespace uptime  sleep   x      Because of it. Until Mon 08:00.
     default downtime  awake   x      Because of it. Until Mon 08:00. Does not count in this mode.
  Note: look at it

Next, Mon 08:00: it is awake, or left alone, by namespace uptime. Within its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`.

WORKLOAD        STATE                WHY                                      USD/H AWAKE
deployment/web  asleep, wakes to 3   Its uptime ended.                               0.20
statefulset/db  awake, 2 of 2 ready  Cannot sleep: it would lose its claims.         0.20

Needs attention since 11:00: namespace shop-dev: nightcap.dev/downtime: \"25:00\" is no time of day

Times are in Europe/Berlin; now is 12:00.
"
    );
}

#[test]
fn explain_of_one_workload_finds_it_or_names_the_others() {
    let detail = detail();
    let found = explain::find(&detail, "deployments", "web").unwrap();
    assert_eq!(
        explain::workload_text(&detail, found, Tz::Europe__Berlin),
        "\
shop-dev/deployment/web
Asleep, wakes to 3, since Fri 20:04, by nightcap. Its uptime ended. Saves $0.20 an hour by its requests.

Wishes, the strongest first:
     WHERE             WISHES  VALUE  WHY
  >  namespace uptime  sleep   x      Because of it. Until Mon 08:00.
     default downtime  awake   x      Because of it. Until Mon 08:00. Does not count in this mode.
  Note: look at it

Nothing that is written now will change that.

Decided by: namespace uptime. Times are in Europe/Berlin.
"
    );
    assert_eq!(
        explain::find(&detail, "deployment", "wbe").unwrap_err().to_string(),
        "shop-dev has no workload deployment/wbe that can sleep; it has: deployment/web, statefulset/db"
    );
}

fn status() -> Status {
    Status {
        cluster: "demo".into(),
        mode: Mode::Ask,
        at: at("2026-03-01T11:00:00Z"),
        start: at("2026-02-01T00:00:00Z"),
        settled: at("2026-03-01T10:55:00Z"),
        version: "0.1.0".into(),
        synced: true,
        missing: vec![],
        counts: Counts {
            nodes: 6,
            pods: 112,
            spaces: 14,
            spaces_asleep: 5,
            workloads: 60,
            workloads_asleep: 21,
            actions_in_flight: 0,
        },
        hourly_cost: usd("3.2"),
        hourly_saving: usd("0.42"),
        hourly_would_save: usd("0.1"),
        cost: usd("2153.1"),
        saved: usd("310"),
        usage: UsageReport { newest: Some(at("2026-03-01T10:59:30Z")), fresh_pods: 110, problem: None },
        price_confidence: vec![ConfidenceShare {
            confidence: Confidence::List,
            hourly_cost: usd("3.2"),
            share: 1.0,
        }],
        problems: detail().problems,
        counters: CountersReport::default(),
    }
}

#[test]
fn status_tells_what_is_there_and_what_needs_attention() {
    let spaces = SpaceList { at: status().at, mode: Mode::Ask, spaces: vec![space()] };
    assert_eq!(
        status::as_text(&status(), &spaces, Tz::Europe__Berlin),
        "\
Cluster demo, mode ask, Sun 2026-03-01 12:00 Europe/Berlin.
Costs $3.20 an hour: 6 nodes, 112 pods. Prices: list 100.0 %.
5 of 14 spaces asleep (21 of 60 workloads), saving $0.42 an hour.
Would save $0.10 an hour more if everything slept that should.
Since 2026-02-01 01:00: cost $2,153.10, saved $310.00.
Usage: 110 of 112 pods measured, last 11:59.

SPACE     TEAM      STATE   SINCE      NEXT       USD/H  SAVES/H  WHY
shop-dev  commerce  asleep  Fri 20:04  Mon 08:00  0.010     0.42  Outside its uptime `Mon-Fri 08:00-20:00 Europe/Berlin`.

Needs attention:
  namespace shop-dev: nightcap.dev/downtime: \"25:00\" is no time of day (bad-annotation, since 11:00)
"
    );
}

fn typed(line: &str) -> Result<Args, String> {
    parse(line.split(' ').map(OsString::from)).map_err(|error| error.to_string())
}

#[test]
fn lines_are_read() {
    let table = OutputArgs::default();
    let act = ActArgs::default();
    for (line, expected) in [
        (
            "nightcap cost",
            Command::Cost(CostArgs { by: "team".into(), window: "7d".into(), ..CostArgs::default() }),
        ),
        (
            "nightcap cost --by team,space --window today --step 1h --no-idle -o csv",
            Command::Cost(CostArgs {
                by: "team,space".into(),
                window: "today".into(),
                step: Some(Step::Every(Millis::HOUR)),
                no_idle: true,
                output: OutputArgs { output: Format::Csv },
                ..CostArgs::default()
            }),
        ),
        (
            "nightcap cost --by label:app --step month --accumulate --filter team:shop --top 5 --timezone Europe/Berlin \
             --share-idle weighted --share-shared even --share-overhead none --shared-system --format focus",
            Command::Cost(CostArgs {
                by: "label:app".into(),
                window: "7d".into(),
                step: Some(Step::Calendar(Period::Month)),
                accumulate: true,
                filter: Some("team:shop".into()),
                top: Some(5),
                timezone: Some(Tz::Europe__Berlin),
                format: Some(ExportFormat::Focus),
                share: ShareArgs {
                    share_idle: Some(How::Weighted),
                    share_shared: Some(How::Even),
                    share_overhead: Some(How::None),
                    shared_system: true,
                    ..ShareArgs::default()
                },
                ..CostArgs::default()
            }),
        ),
        (
            "nightcap keep-awake shop-dev --for 1h30m",
            Command::KeepAwake(KeepAwakeArgs {
                space: "shop-dev".into(),
                duration: Some(Millis::from_minutes(90)),
                until: None,
                act,
            }),
        ),
        ("nightcap wake --all", Command::Wake(WakeArgs { space: None, all: true, act })),
        (
            "nightcap wake shop-dev --direct -o json",
            Command::Wake(WakeArgs {
                space: Some("shop-dev".into()),
                all: false,
                act: ActArgs { direct: true, output: OutputArgs { output: Format::Json } },
            }),
        ),
        ("nightcap status", Command::Status(table)),
    ] {
        assert_eq!(typed(line).map(|args| args.command), Ok(expected), "{line}");
    }
}

#[test]
fn targets_of_explain_are_spaces_or_workloads() {
    for (text, workload) in
        [("shop-dev", None), ("shop-dev/Deployment/web", Some(("deployment".to_owned(), "web".to_owned())))]
    {
        let Ok(Args { command: Command::Explain(args), .. }) = typed(&format!("nightcap explain {text}"))
        else {
            panic!("{text}");
        };
        assert_eq!(args.target, Target { space: "shop-dev".into(), workload });
    }
}

#[test]
fn wrong_lines_are_refused_with_the_value() {
    for (line, named) in [
        ("nightcap explain a/b", "\"a/b\" names neither a space nor a workload"),
        ("nightcap sleep ../x", "\"../x\" is no name of a space"),
        ("nightcap sleep a --until tomorrow", "\"tomorrow\" is no RFC 3339 instant"),
        ("nightcap keep-awake a", "--for <DURATION>|--until <TIME>"),
        ("nightcap keep-awake a --for 1h --until 2026-03-02T08:00:00Z", "cannot be used with"),
        ("nightcap keep-awake a --for 0h", "\"0h\" is no time at all"),
        ("nightcap wake", "<SPACE>"),
        ("nightcap wake a --all", "cannot be used with"),
        ("nightcap cost --step x", "\"x\" is no duration"),
        ("nightcap demo --speed 0", "0 is not in"),
        ("nightcap schedule check --at 2026-03-02T08:00:00Z --dialect cron x", "\"cron\" is no dialect"),
        ("nightcap fly", "fly"),
    ] {
        let error = typed(line).unwrap_err();
        assert!(error.contains(named), "{line}: {error}");
    }
}

#[test]
fn kubectl_sees_its_own_name_in_the_help() {
    let help = typed("/usr/local/bin/kubectl-nightcap wake").unwrap_err();
    assert!(help.contains("Usage: kubectl nightcap wake"), "{help}");
    let help = typed("/usr/local/bin/nightcap wake").unwrap_err();
    assert!(help.contains("Usage: nightcap wake"), "{help}");
}

#[test]
fn the_interface_is_consistent() {
    Args::command().debug_assert();
}

#[test]
fn tiny_and_huge_amounts_survive() {
    assert_eq!(money::amount(PicoUsd(i128::MAX / 4)).chars().filter(char::is_ascii_digit).count(), 28);
}

#[test]
fn parquet_is_for_files_only() {
    let told = |format, is_terminal| {
        let args = CostArgs { format, ..CostArgs::default() };
        cost::check_place(&args, is_terminal).map_err(|failure| failure.to_string())
    };
    assert_eq!(
        told(Some(ExportFormat::Parquet), true).unwrap_err(),
        "--format parquet writes a file, and this is a terminal: write e.g. nightcap cost --format parquet > cost.parquet"
    );
    assert_eq!(told(Some(ExportFormat::Parquet), false), Ok(()));
    assert_eq!([told(Some(ExportFormat::Focus), true), told(None, true)], [Ok(()), Ok(())]);
    let args = CostArgs { format: Some(ExportFormat::Parquet), ..CostArgs::default() };
    assert!(cost::query(&args).contains(&("format", "parquet".to_owned())));
}
