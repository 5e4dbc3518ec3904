//! What holds of every question to every ledger: the parts equal the whole, whatever is grouped, cut, filtered, spread
//! or left out, to the pico-dollar.

#![expect(clippy::unwrap_used, reason = "test code: a wrong literal should fail loudly")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Attribution, WorkloadKind};
use nightcap_core::money::query::{
    self, Details, Dimension, Filter, Query, SharedRules, Sharing, Spread, Table, TableBuilder,
};
use nightcap_core::money::{AssetKind, ByResource, Confidence, Hour};
use nightcap_core::units::{Instant, Millis, PicoUsd, Window};
use proptest::prelude::*;
use support::T0;
use support::rows::{
    asset, flat, flat_asset, holder, hour_of, node_name, payer_of, pod_name, share, start_of,
};

const HOURS: i64 = 3;

/// What a pod or another asset pays within an hour: who, where, when, and how much.
#[derive(Clone, Debug)]
struct Fact {
    hour: i64,
    who: usize,
    node: usize,
    from: i64,
    length: i64,
    cost: [i128; 3],
    flat: Option<(usize, bool)>,
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let amount = prop_oneof![3 => 0i128..5, 5 => 0i128..1_000_000_000_000_000];
    let fact = (
        0..HOURS,
        0usize..6,
        0usize..3,
        0i64..3_600_000,
        1i64..3_600_000,
        [amount.clone(), amount.clone(), amount],
        prop::option::weighted(0.4, (0usize..5, any::<bool>())),
    )
        .prop_map(|(hour, who, node, from, length, cost, flat)| Fact {
            hour,
            who,
            node,
            from,
            length,
            cost,
            flat,
        });
    prop::collection::vec(fact, 0..40)
}

fn payers() -> Vec<Arc<Attribution>> {
    vec![
        payer_of("shop", "shop-dev", WorkloadKind::Deployment, "web"),
        payer_of("shop", "shop-prod", WorkloadKind::StatefulSet, "db"),
        payer_of("data", "data", WorkloadKind::Job, "train"),
        payer_of("unowned", "kube-system", WorkloadKind::DaemonSet, "log"),
        Arc::new(Attribution::line("__overhead__")),
        Arc::new(Attribution::line("__shared__")),
    ]
}

/// The hours of the facts: each node and hour with an idle part of its own.
fn hours(facts: &[Fact], idle: &[[i128; 3]]) -> Vec<Arc<Hour>> {
    let payers = payers();
    let nodes: Vec<_> = ["n1", "n2", "n3"].into_iter().map(node_name).collect();
    let mut hours: Vec<Hour> = (0..HOURS).map(|nth| Hour::new(start_of(nth))).collect();
    for (nth, fact) in facts.iter().enumerate() {
        let start = start_of(fact.hour) + Millis(fact.from);
        let window = Window::new(start, (start + Millis(fact.length)).min(hour_of(fact.hour).end));
        let hour = &mut hours[usize::try_from(fact.hour).unwrap()];
        let payer = &payers[fact.who];
        let pod = pod_name(&payer.namespace, &format!("pod-{}", nth % 7));
        if let Some((kind, mounted)) = fact.flat {
            let asset = flat_asset(AssetKind::ALL[kind], &format!("asset-{}", nth % 4));
            let pod = (mounted && fact.who < 4).then_some(&pod);
            hour.flat.push(flat(&asset, payer, pod, window, PicoUsd(fact.cost[0])));
        } else {
            let payer = &payers[fact.who % 4];
            let cost = ByResource::from_array(fact.cost.map(PicoUsd));
            hour.allocations.push(share(&holder(&nodes[fact.node], &pod, payer), window, cost));
        }
    }
    for (nth, hour) in hours.iter_mut().enumerate() {
        for (node, name) in nodes.iter().enumerate() {
            let idle = ByResource::from_array(idle[nth * 3 + node].map(PicoUsd));
            let confidence = [Confidence::Exact, Confidence::List, Confidence::Default][node];
            let window = hour_of(i64::try_from(nth).unwrap());
            let row = asset(name, window, &hour.allocations, idle, confidence);
            hour.assets.push(row);
        }
    }
    hours.into_iter().map(Arc::new).collect()
}

fn idles() -> impl Strategy<Value = Vec<[i128; 3]>> {
    prop::collection::vec([0i128..1_000_000_000_000, 0i128..7, 0i128..1_000_000_000_000], 9)
}

fn spreads() -> impl Strategy<Value = Spread> {
    prop::sample::select(vec![Spread::None, Spread::Weighted, Spread::Even])
}

fn sharings() -> impl Strategy<Value = Sharing> {
    (spreads(), any::<bool>(), spreads(), spreads(), any::<[bool; 4]>()).prop_map(
        |(idle, idle_by_node, shared, overhead, [system, daemonsets, load_balancers, label])| Sharing {
            idle,
            idle_by_node,
            rules: SharedRules {
                namespaces: Vec::new(),
                labels: if label { vec![("app".into(), "d*".into())] } else { Vec::new() },
                daemonsets,
                system,
                load_balancers,
            },
            shared,
            overhead,
            extra_monthly: PicoUsd(0),
        },
    )
}

fn groupings() -> impl Strategy<Value = Vec<Dimension>> {
    let lists = [
        "team",
        "namespace",
        "namespace,pod",
        "pod",
        "node",
        "controller",
        "label:app,team",
        "asset",
        "cluster",
    ];
    let read = |list: &str| {
        Dimension::parse_list(list).unwrap().into_iter().map(|(_, dimension)| dimension).collect()
    };
    let mut all: Vec<Vec<Dimension>> = lists.into_iter().map(read).collect();
    all.push(Vec::new());
    prop::sample::select(all)
}

fn filters() -> impl Strategy<Value = Filter> {
    let texts = [
        "",
        r#"team:"shop""#,
        r#"namespace!:"data""#,
        r#"node:"n1""#,
        r#"asset:"node"+team!:"unowned""#,
        r#"pod~>:"-3"|controllerKind:"job""#,
        r#"label[app]:"web","db""#,
        r#"namespace:"nowhere""#,
    ];
    prop::sample::select(texts.map(|text| Filter::parse(text).unwrap()).to_vec())
}

fn windows() -> impl Strategy<Value = Window> {
    (0i64..HOURS * 3_600_000, 0i64..HOURS * 3_600_000, any::<bool>()).prop_map(|(a, b, hourly)| {
        let edge = |ms: i64| if hourly { T0 + Millis(ms / 3_600_000 * 3_600_000) } else { T0 + Millis(ms) };
        Window::new(edge(a.min(b)), edge(a.max(b)) + Millis::HOUR)
    })
}

fn ask(hours: &[Arc<Hour>], window: Window, by: &[Dimension], filter: &Filter, sharing: &Sharing) -> Table {
    let query = Query {
        by: by.to_vec(),
        filter: filter.clone(),
        sharing: sharing.clone(),
        ..Query::new("c".into(), window)
    };
    query::tables(hours, query).swap_remove(0)
}

fn lines(table: &Table) -> PicoUsd {
    table.lines.iter().map(|line| line.group.costs.total()).sum()
}

fn amounts(table: &Table) -> BTreeMap<Vec<Arc<str>>, PicoUsd> {
    table.groups.iter().map(|(key, group)| (key.clone(), group.costs.total())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn parts_are_the_whole_whatever_is_asked(
        facts in facts(), idle in idles(), window in windows(), by in groupings(), filter in filters(),
        sharing in sharings(), top in prop::option::of(0usize..4), details in any::<[bool; 3]>(),
    ) {
        let hours = hours(&facts, &idle);
        let query = Query {
            by: by.clone(),
            filter: filter.clone(),
            sharing: sharing.clone(),
            top,
            details: Details { assets: details[0], nodes: details[1], labels: details[2] },
            ..Query::new("c".into(), window)
        };
        let table = query::tables(&hours, query).swap_remove(0);
        prop_assert_eq!(table.allocated() + lines(&table) + table.filtered, table.total);
        prop_assert_eq!(table.total, query::assets(&hours, window).total(), "rows and assets of one window");
        prop_assert_eq!(table.by_confidence.values().copied().sum::<PicoUsd>(), table.total);
        let plain = ask(&hours, window, &by, &filter, &sharing);
        prop_assert_eq!((plain.total, plain.allocated()), (table.total, table.allocated()), "details and top cost nothing");
        for line in &table.lines {
            let costs = line.group.costs;
            prop_assert!(costs.node.to_array().iter().all(|part| part.0 >= 0), "{:?}", line);
        }
        if filter.is_all() {
            prop_assert_eq!(table.filtered, PicoUsd(0));
        }
    }

    #[test]
    fn filter_changes_nobodys_share(
        facts in facts(), idle in idles(), window in windows(), sharing in sharings(),
    ) {
        let hours = hours(&facts, &idle);
        let by = [Dimension::Namespace];
        let all = ask(&hours, window, &by, &Filter::All, &sharing);
        for filter in [r#"namespace:"shop-dev","data""#, r#"namespace!:"shop-dev""#, r#"team:"shop""#] {
            // Each of these takes namespaces as a whole.
            let some = ask(&hours, window, &by, &Filter::parse(filter).unwrap(), &sharing);
            for (key, group) in &some.groups {
                prop_assert_eq!(group.costs, all.groups[key].costs);
            }
            prop_assert_eq!(some.total, all.total);
        }
    }

    #[test]
    fn filter_and_its_opposite_are_the_whole(
        facts in facts(), idle in idles(), window in windows(), by in groupings(),
    ) {
        // Without sharing to the pico-dollar; what is spread is rounded once for each.
        let hours = hours(&facts, &idle);
        let shown = |text: &str| {
            let table = ask(&hours, window, &by, &Filter::parse(text).unwrap(), &Sharing::default());
            table.allocated() + lines(&table)
        };
        let whole = ask(&hours, window, &by, &Filter::All, &Sharing::default()).total;
        for (one, other) in [
            (r#"team:"shop""#, r#"team!:"shop""#),
            (r#"pod<~:"pod-1","pod-2""#, r#"pod!<~:"pod-1","pod-2""#),
            (r#"label[app]:"web""#, r#"label[app]!:"web""#),
        ] {
            prop_assert_eq!(shown(one) + shown(other), whole, "{}", one);
        }
    }

    #[test]
    fn group_sums_are_the_ungrouped_total(
        facts in facts(), idle in idles(), window in windows(), by in groupings(), filter in filters(),
    ) {
        let hours = hours(&facts, &idle);
        // By pod and the like, what is unmounted is a line: so lines count too.
        let shown = |by: &[Dimension]| {
            let table = ask(&hours, window, by, &filter, &Sharing::default());
            table.allocated() + lines(&table)
        };
        prop_assert_eq!(shown(&by), shown(&[]));
    }

    #[test]
    fn cutting_a_window_changes_no_sum(
        facts in facts(), idle in idles(), by in groupings(), filter in filters(),
        cuts in prop::collection::vec(0i64..HOURS * 3_600_000, 0..6),
    ) {
        let hours = hours(&facts, &idle);
        let whole = Window::new(T0, start_of(HOURS));
        let mut edges: Vec<Instant> = cuts.into_iter().map(|ms| T0 + Millis(ms)).collect();
        edges.extend([whole.start, whole.end]);
        edges.sort_unstable();
        edges.dedup();
        let steps: Vec<Window> = edges.windows(2).map(|pair| Window::new(pair[0], pair[1])).collect();
        let full = ask(&hours, whole, &by, &filter, &Sharing::default());
        let query = Query { steps: steps.clone(), by: by.clone(), filter: filter.clone(), ..Query::new("c".into(), whole) };
        let parts = query::tables(&hours, query);
        prop_assert_eq!(parts.iter().map(|part| part.total).sum::<PicoUsd>(), full.total);
        prop_assert_eq!(parts.iter().map(|part| part.filtered).sum::<PicoUsd>(), full.filtered);
        for (key, amount) in amounts(&full) {
            let sum: PicoUsd = parts.iter().filter_map(|part| part.groups.get(&key)).map(|g| g.costs.total()).sum();
            prop_assert_eq!(sum, amount);
        }
        for (part, &step) in parts.iter().zip(&steps) {
            // All steps in one pass are what each of them is on its own.
            prop_assert_eq!(amounts(part), amounts(&ask(&hours, step, &by, &filter, &Sharing::default())));
            let cut = facts.iter().any(|fact| {
                let start = start_of(fact.hour) + Millis(fact.from);
                let row = Window::new(start, (start + Millis(fact.length)).min(hour_of(fact.hour).end));
                let inside = row.intersect(step);
                !inside.is_empty() && inside != row
            });
            let aligned = step.start.0 % 3_600_000 == 0 && step.end.0 % 3_600_000 == 0;
            prop_assert_eq!(part.prorated, cut || !aligned, "a window that cuts says so");
        }
    }

    #[test]
    fn order_of_rows_and_hours_changes_nothing(
        facts in facts(), idle in idles(), by in groupings(), filter in filters(), sharing in sharings(),
    ) {
        let hours = hours(&facts, &idle);
        let window = Window::new(T0, start_of(HOURS));
        let query = Query { by, filter, sharing, ..Query::new("c".into(), window) };
        let straight = query::tables(&hours, query.clone()).swap_remove(0);
        let mut builder = TableBuilder::new(query);
        for hour in hours.iter().rev() {
            let mut turned = Hour::clone(hour);
            turned.allocations.reverse();
            turned.assets.reverse();
            turned.flat.reverse();
            // Holders of an archive are made anew for every hour, and the hour is gone before the next one.
            for row in &mut turned.allocations {
                row.holder = Arc::new((*row.holder).clone());
            }
            builder.add(&turned);
        }
        let turned = builder.finish().swap_remove(0);
        let costs = |table: &Table| -> Vec<_> {
            table.groups.iter().map(|(key, group)| (key.clone(), group.costs, group.common.clone().node)).collect()
        };
        prop_assert_eq!(costs(&straight), costs(&turned));
        prop_assert_eq!(
            straight.lines.iter().map(|line| (line.name.to_string(), line.group.costs)).collect::<Vec<_>>(),
            turned.lines.iter().map(|line| (line.name.to_string(), line.group.costs)).collect::<Vec<_>>()
        );
    }
}
