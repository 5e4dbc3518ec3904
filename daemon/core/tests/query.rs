//! Questions to one hour worked by hand: groups, lines, sharing, filters, top-n.

#![expect(clippy::unwrap_used, reason = "test code: a wrong literal should fail loudly")]

mod support;

use std::sync::Arc;

use nightcap_core::money::query::{
    self, Details, Dimension, Filter, Query, SharedRules, Sharing, Spread, Table,
};
use nightcap_core::money::{AssetKind, Hour};
use nightcap_core::units::{PicoUsd, Window};
use support::rows::{hour_of, ms, usd, worked_hour};

fn ask(change: impl FnOnce(&mut Query)) -> Table {
    ask_in(hour_of(0), change)
}

fn ask_in(window: Window, change: impl FnOnce(&mut Query)) -> Table {
    let hours: Vec<Arc<Hour>> = vec![Arc::new(worked_hour())];
    let mut query = Query::new("c".into(), window);
    change(&mut query);
    let table = query::tables(&hours, query).swap_remove(0);
    let lines: PicoUsd = table.lines.iter().map(|line| line.group.costs.total()).sum();
    assert_eq!(table.allocated() + lines + table.filtered, table.total, "{table:#?}");
    assert_eq!(table.by_confidence.values().copied().sum::<PicoUsd>(), table.total);
    table
}

/// Every row by name with its total in dollars.
fn rows(table: &Table) -> Vec<(String, f64)> {
    let groups = table.groups.iter().map(|(key, group)| (key.join("/"), group.costs.total().usd()));
    let others =
        table.others.iter().map(|others| ("__others__".to_owned(), others.group.costs.total().usd()));
    let lines = table.lines.iter().map(|line| {
        let node = line.node.as_ref().map(|node| format!("{}/", node.name)).unwrap_or_default();
        (format!("{node}{}", line.name), line.group.costs.total().usd())
    });
    groups.chain(others).chain(lines).collect()
}

fn told(expected: &[(&str, f64)]) -> Vec<(String, f64)> {
    expected.iter().map(|&(name, usd)| (name.to_owned(), usd)).collect()
}

fn by(text: &str) -> Vec<Dimension> {
    Dimension::parse_list(text).unwrap().into_iter().map(|(_, dimension)| dimension).collect()
}

const LINES: [(&str, f64); 4] =
    [("__idle__", 9.0), ("__shared__", 7.0), ("__overhead__", 0.1), ("__unmounted__", 0.125)];

#[test]
fn every_grouping_has_the_same_lines_and_the_same_sum() {
    let kinds: &[(&str, &[(&str, f64)])] = &[
        ("team", &[("data", 10.25), ("shop", 6.5875), ("unowned", 1.0)]),
        ("namespace", &[("data", 10.25), ("kube-system", 1.0), ("shop-dev", 6.5875)]),
        ("cluster", &[("c", 17.8375)]),
        ("controller", &[("daemonset:log", 1.0), ("deployment:train", 10.0), ("deployment:web", 6.5625)]),
        ("label:app", &[("__unallocated__", 0.275), ("log", 1.0), ("train", 10.0), ("web", 6.5625)]),
        ("asset", &[("load-balancer", 0.025), ("network", 0.0625), ("node", 17.0), ("volume", 0.75)]),
        ("service", &[("__unallocated__", 17.8125), ("web", 0.025)]),
    ];
    for &(text, expected) in kinds {
        let table = ask(|query| query.by = by(text));
        let mut expected = told(expected);
        expected.extend(told(&LINES));
        if text == "controller" {
            // What has neither a pod nor a workload is unmounted: 0.25 in data, 0.025 of the load balancer.
            expected.last_mut().unwrap().1 = 0.4;
        }
        assert_eq!(rows(&table), expected, "{text}");
    }
}

#[test]
fn unmounted_keeps_its_namespace_where_it_has_one() {
    let table = ask(|query| query.by = by("namespace,pod"));
    assert_eq!(
        rows(&table)[..5],
        told(&[
            ("data/__unmounted__", 0.25),
            ("data/train-1", 10.0),
            ("kube-system/log-1", 1.0),
            ("shop-dev/__unmounted__", 0.025),
            ("shop-dev/web-1", 6.5625),
        ])
    );
    let table = ask(|query| query.by = by("pod"));
    assert_eq!(rows(&table)[..3], told(&[("log-1", 1.0), ("train-1", 10.0), ("web-1", 6.5625)]));
    assert_eq!(table.line("__unmounted__"), usd(0.4));
}

#[test]
fn costs_are_told_by_component() {
    let table = ask(|query| query.by = by("team"));
    let shop = &table.groups[&vec![Arc::from("shop")]];
    let costs = shop.costs;
    assert_eq!(
        (costs.node.cpu, costs.node.memory, costs.node.gpu, costs.storage, costs.load_balancer),
        (usd(4.0), usd(2.0), usd(0.0), usd(0.5), usd(0.025))
    );
    assert_eq!(
        (costs.network.internet, costs.network.zone, costs.own()),
        (usd(0.0625), usd(0.0), usd(6.5875))
    );
    assert_eq!((shop.volume_byte_hours, shop.network_bytes, shop.load_balancer_hours), (10.0, 10.0, 10.0));
    assert_eq!((table.total, table.nodes.total(), table.idle.total()), (usd(34.0625), usd(26.0), usd(9.0)));
}

#[test]
fn idle_is_spread_by_resource_in_proportion_to_what_is_paid_for_it() {
    let table = ask(|query| {
        query.by = by("team");
        query.sharing.idle = Spread::Weighted;
    });
    // CPU 3 over 4 : 1 : 2, memory 4 over 2 : 0 : 2, GPU 2 all to data.
    let idle = |team: &str| table.groups[&vec![Arc::from(team)]].costs.idle.to_array().map(|part| part.0);
    assert_eq!(idle("shop"), [1_714_285_714_286, 2_000_000_000_000, 0]);
    assert_eq!(idle("unowned"), [428_571_428_571, 0, 0]);
    assert_eq!(idle("data"), [857_142_857_143, 2_000_000_000_000, 2_000_000_000_000]);
    assert_eq!(table.line("__idle__"), usd(0.0));
    assert_eq!(table.idle.total(), usd(9.0), "told however it is spread");
}

#[test]
fn idle_by_node_stays_on_its_node() {
    let table = ask(|query| {
        query.by = by("team");
        query.sharing = Sharing { idle: Spread::Weighted, idle_by_node: true, ..Sharing::default() };
    });
    let idle = |team: &str| table.groups[&vec![Arc::from(team)]].costs.idle.to_array().map(PicoUsd::usd);
    // n1: CPU 3 over 4 : 1, memory 1 to shop. n2: memory 3 and GPU 2 to data.
    assert_eq!(
        (idle("shop"), idle("unowned"), idle("data")),
        ([2.4, 1.0, 0.0], [0.6, 0.0, 0.0], [0.0, 3.0, 2.0])
    );
    let table = ask(|query| query.sharing.idle_by_node = true);
    assert_eq!(rows(&table)[1..3], told(&[("n1/__idle__", 4.0), ("n2/__idle__", 5.0)]));
}

#[test]
fn idle_that_nobody_can_be_charged_for_stays() {
    let gpu = |filter: &str| {
        ask(|query| {
            query.by = by("team");
            query.sharing = Sharing { idle: Spread::Even, ..Sharing::default() };
            query.filter = Filter::parse(filter).unwrap();
        })
    };
    let table = gpu("");
    assert_eq!(table.groups[&vec![Arc::from("shop")]].costs.idle.gpu, PicoUsd(666_666_666_667));
    assert_eq!(table.groups[&vec![Arc::from("unowned")]].costs.idle.gpu, PicoUsd(666_666_666_666));
    let mut hour = worked_hour();
    hour.allocations.truncate(2);
    let mut query = Query::new("c".into(), hour_of(0));
    query.sharing.idle = Spread::Weighted;
    let table = query::tables(&[Arc::new(hour)], query).swap_remove(0);
    assert_eq!(table.line("__idle__"), usd(2.0), "no pod has a GPU");
}

#[test]
fn shared_namespaces_labels_and_daemonsets_are_one_line_or_spread() {
    let with = |rules: SharedRules, shared| {
        ask(|query| {
            query.by = by("namespace");
            query.sharing = Sharing { rules, shared, ..Sharing::default() };
        })
    };
    let system = SharedRules { system: true, ..SharedRules::default() };
    assert_eq!(
        rows(&with(system.clone(), Spread::None))[..4],
        told(&[("data", 10.25), ("shop-dev", 6.5875), ("__idle__", 9.0), ("__shared__", 8.0)])
    );
    for rules in [
        system,
        SharedRules { daemonsets: true, ..SharedRules::default() },
        SharedRules { namespaces: vec!["kube-*".into()], ..SharedRules::default() },
        SharedRules { labels: vec![("app".into(), "log".into())], ..SharedRules::default() },
    ] {
        assert_eq!(
            rows(&with(rules.clone(), Spread::Even)),
            told(&[
                ("data", 14.25),
                ("shop-dev", 10.5875),
                ("__idle__", 9.0),
                ("__overhead__", 0.1),
                ("__unmounted__", 0.125)
            ]),
            "{rules:?}"
        );
    }
    let balancers = SharedRules { load_balancers: true, ..SharedRules::default() };
    assert_eq!(with(balancers, Spread::None).line("__shared__"), usd(7.025));
}

#[test]
fn what_is_shared_brings_its_part_of_idle() {
    let table = ask(|query| {
        query.by = by("namespace");
        query.sharing = Sharing {
            idle: Spread::Weighted,
            rules: SharedRules { system: true, ..SharedRules::default() },
            ..Sharing::default()
        };
    });
    let shared = table.lines.iter().find(|line| &*line.name == "__shared__").unwrap();
    assert_eq!(shared.group.costs.idle.cpu, PicoUsd(428_571_428_571));
    let spread = ask(|query| {
        query.by = by("namespace");
        query.sharing = Sharing {
            idle: Spread::Weighted,
            rules: SharedRules { system: true, ..SharedRules::default() },
            shared: Spread::Even,
            ..Sharing::default()
        };
    });
    let parts: PicoUsd = spread.groups.values().map(|group| group.costs.shared).sum();
    assert_eq!(parts, usd(8.0) + PicoUsd(428_571_428_571));
}

#[test]
fn overhead_is_spread_and_unmounted_never_is() {
    let table = ask(|query| {
        query.by = by("team");
        query.sharing = Sharing {
            idle: Spread::Weighted,
            shared: Spread::Weighted,
            overhead: Spread::Even,
            ..Sharing::default()
        };
    });
    let over: Vec<i128> = table.groups.values().map(|group| group.costs.overhead.0).collect();
    assert_eq!(over, [33_333_333_334, 33_333_333_333, 33_333_333_333]);
    let names: Vec<_> = table.lines.iter().map(|line| &*line.name).collect();
    assert_eq!(names, ["__unmounted__"]);
}

#[test]
fn sum_that_is_on_no_bill_is_added_by_time() {
    let table = ask_in(ms(0, 1_800_000), |query| {
        query.by = by("team");
        query.sharing = Sharing { extra_monthly: usd(730.0), ..Sharing::default() };
    });
    assert_eq!(table.line("__shared__"), usd(3.5) + usd(0.5));
    assert!(table.prorated);
}

#[test]
fn filter_shows_some_rows_and_changes_nobodys_share() {
    let sharing = Sharing {
        idle: Spread::Weighted,
        shared: Spread::Even,
        overhead: Spread::Weighted,
        ..Sharing::default()
    };
    let with = |filter: &str| {
        ask(|query| {
            query.by = by("team");
            query.sharing = sharing.clone();
            query.filter = Filter::parse(filter).unwrap();
        })
    };
    let all = with("");
    for (filter, teams) in [
        (r#"team:"shop""#, &["shop"][..]),
        (r#"team!:"shop""#, &["data", "unowned"]),
        (r#"namespace~:"sh"|namespace:"data""#, &["data", "shop"]),
        (r#"node:"n9""#, &[]),
    ] {
        let some = with(filter);
        assert_eq!(some.groups.keys().map(|key| &*key[0]).collect::<Vec<_>>(), teams, "{filter}");
        for (key, group) in &some.groups {
            assert_eq!(group.costs, all.groups[key].costs, "{filter}");
        }
        assert_eq!(some.total, all.total);
    }
    // Of a group that is shown in part, the part brings its part of what is spread.
    let nodes = with(r#"team:"shop"+asset:"node""#);
    let rest = with(r#"team:"shop"+asset!:"node""#);
    let costs = |table: &Table| table.groups[&vec![Arc::from("shop")]].costs;
    assert_eq!(costs(&nodes).node.total(), usd(6.0));
    let both = costs(&nodes).total() + costs(&rest).total();
    assert!((both.0 - costs(&all).total().0).abs() <= 2, "{both:?}");
}

#[test]
fn lines_pass_a_filter_by_their_own_name() {
    let with = |filter: &str| rows(&ask(|query| query.filter = Filter::parse(filter).unwrap()));
    assert_eq!(with(r#"namespace:"shop-dev""#), told(&[("", 6.5875)]));
    assert_eq!(with(r#"namespace:"__idle__""#), told(&[("__idle__", 9.0)]));
    assert_eq!(with(r#"node:"n1""#), told(&[("", 7.0), ("__idle__", 4.0)]));
    assert_eq!(
        with(r#"namespace!:"data""#),
        told(&[
            ("", 7.5875),
            ("__idle__", 9.0),
            ("__shared__", 7.0),
            ("__overhead__", 0.1),
            ("__unmounted__", 0.125)
        ])
    );
}

#[test]
fn the_costliest_are_kept_and_the_others_summed() {
    let table = ask(|query| {
        query.by = by("team");
        query.top = Some(1);
    });
    assert_eq!(rows(&table)[..3], told(&[("data", 10.25), ("__others__", 7.5875), ("__idle__", 9.0)]));
    let others = table.others.unwrap();
    assert_eq!((others.count, others.group.common.team, others.group.load_balancer_hours), (2, None, 10.0));
    assert!(ask(|query| query.top = Some(1)).others.is_none(), "one group is no more than one");
}

#[test]
fn details_are_kept_where_asked() {
    let table = ask(|query| {
        query.by = by("namespace");
        query.details = Details { assets: true, nodes: true, labels: true };
    });
    let shop = &table.groups[&vec![Arc::from("shop-dev")]];
    let assets: Vec<_> = shop.assets.iter().map(|((kind, _), part)| (*kind, part.cost)).collect();
    assert_eq!(
        assets,
        [
            (AssetKind::Volume, usd(0.5)),
            (AssetKind::LoadBalancer, usd(0.025)),
            (AssetKind::Network, usd(0.0625))
        ]
    );
    let part = &shop.nodes["uid-n1"];
    assert_eq!((part.cost.cpu, part.whole.cpu), (usd(4.0), usd(8.0)));
    assert_eq!(shop.common.node.as_ref().map(|node| &*node.name), Some("n1"));
    assert_eq!(shop.common.labels.as_ref().map(|labels| labels.len()), Some(0), "the load balancer has none");
    let plain = ask(|query| query.by = by("namespace"));
    assert!(plain.groups.values().all(|group| group.assets.is_empty() && group.nodes.is_empty()));
    assert_eq!(rows(&plain), rows(&table));
}

#[test]
fn assets_are_the_bill_and_show_over_commitment() {
    let hours = [Arc::new(worked_hour())];
    let table = query::assets(&hours, hour_of(0));
    assert_eq!(table.total(), usd(34.0625));
    let names: Vec<_> = table.flat.iter().map(|sum| &*sum.asset.name).collect();
    assert_eq!(names, ["pv-lost", "pv-old", "pv-web", "shop-dev/web", "fee", "internet", "support"]);
    let n1 = &table.nodes[0];
    assert_eq!((n1.cost.total(), n1.idle.total()), (usd(11.0), usd(4.0)));
    assert!(n1.charged.cpu_core_hours > n1.capacity.cpu_core_hours);
}
