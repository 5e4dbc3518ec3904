//! A move of a pod, a label or a namespace from one team to another: each is charged for its seconds, no more.
#![allow(clippy::unwrap_used, reason = "test code: a wrong literal should fail loudly")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{
    Keys, Namespace, OwnerFacts, OwnerKeys, Pod, PodPhase, TeamRules, Workload, WorkloadKey, WorkloadKind,
};
use nightcap_core::engine::{Engine, Event, Kind, Settings};
use nightcap_core::money::Split;
use nightcap_core::units::Instant;
use support::scene::deployment;
use support::{T0, assert_conserved, at, node, price, res};

/// What a quarter of the node costs a second.
const A_SECOND: i128 = 25_000_000;
const HOUR: i64 = 3_600;

fn keys(pairs: &[(&str, &str)]) -> Keys {
    pairs.iter().map(|&(k, v)| (k.into(), v.into())).collect()
}

/// A node of which the pods of these tests take a quarter each.
fn engine() -> Engine {
    let mut settings = Settings::new(T0);
    settings.split = Split::per_gib(4_000_000, 0);
    let mut engine = Engine::new(settings);
    engine.apply(Event::Node(node("n", T0)), T0);
    engine.apply(Event::NodePriced { uid: "uid-n".into(), price: price(0.36) }, T0);
    for kind in Kind::ALL {
        let uids = if kind == Kind::Node { vec!["uid-n".into()] } else { Vec::new() };
        engine.apply(Event::Listed { kind, uids }, T0);
    }
    engine
}

fn namespace(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Event {
    Event::Namespace(Namespace {
        uid: format!("uid-{name}").into(),
        name: name.into(),
        resource_version: "1".into(),
        created: T0,
        labels: keys(labels),
        annotations: keys(annotations),
        terminating: false,
    })
}

fn pod(namespace: &str, name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Pod {
    let rules = OwnerKeys::of(&TeamRules::default());
    Pod {
        uid: format!("uid-{namespace}-{name}").into(),
        namespace: namespace.into(),
        name: name.into(),
        node: Some("n".into()),
        owner: None,
        requests: res(1_000, 4_096),
        bound: Some(T0),
        ended: None,
        phase: PodPhase::Running,
        ready: true,
        claims: Vec::new(),
        facts: OwnerFacts::read(&rules, &keys(labels), &keys(annotations), name, namespace).map(Arc::new),
    }
}

fn web(labels: &[(&str, &str)]) -> Workload {
    Workload { labels: keys(labels), ..deployment("shop", "web", 1) }
}

/// Applies each event at its second, ticking every half minute as the daemon does, and gives the seconds that each
/// team and space paid for.
fn seconds(events: Vec<(i64, Event)>, until: i64) -> BTreeMap<(String, String), i128> {
    let mut engine = engine();
    let mut events = events.into_iter().peekable();
    for second in 0..=until {
        while let Some((_, event)) = events.next_if(|(due, _)| *due <= second) {
            engine.apply(event, at(second));
        }
        if second % 30 == 0 {
            engine.tick(at(second));
        }
    }
    paid(&mut engine, at(until))
}

fn paid(engine: &mut Engine, now: Instant) -> BTreeMap<(String, String), i128> {
    let picture = engine.snapshot(now);
    assert_conserved(&picture.hours);
    let mut paid: BTreeMap<(String, String), i128> = BTreeMap::new();
    for row in picture.hours.iter().flat_map(|hour| &hour.allocations) {
        let of = &row.holder.attribution;
        let cost: i128 = row.cost.get().to_array().iter().map(|part| part.0).sum();
        *paid.entry((of.team.to_string(), of.space.to_string())).or_default() += cost;
    }
    assert!(paid.values().all(|cost| cost % A_SECOND == 0), "{paid:?}");
    for cost in paid.values_mut() {
        *cost /= A_SECOND;
    }
    paid
}

fn expected(pairs: &[(&str, &str, i128)]) -> BTreeMap<(String, String), i128> {
    pairs.iter().map(|&(team, space, s)| ((team.to_owned(), space.to_owned()), s)).collect()
}

#[test]
fn label_of_a_pod_moves_its_cost_from_that_second_on() {
    let labelled = |team: &str| Event::Pod(pod("shop", "web-1", &[("team", team)], &[]));
    let events = vec![
        (0, namespace("shop", &[("team", "shop")], &[])),
        (0, labelled("search")),
        (617, labelled("payments")),
        (1_000, labelled("payments")),
        (HOUR + 41, Event::Pod(pod("shop", "web-1", &[], &[]))),
    ];
    assert_eq!(
        seconds(events, 2 * HOUR),
        expected(&[
            ("search", "shop", 617),
            ("payments", "shop", i128::from(HOUR) + 41 - 617),
            ("shop", "shop", i128::from(HOUR) - 41),
        ])
    );
}

#[test]
fn label_of_a_namespace_moves_all_its_pods_but_those_with_their_own() {
    let events = vec![
        (0, namespace("shop", &[("team", "search")], &[])),
        (0, Event::Workload(web(&[]))),
        (0, Event::Pod(pod("shop", "a", &[], &[]))),
        (0, Event::Pod(pod("shop", "b", &[("app", "b")], &[]))),
        (0, Event::Pod(pod("shop", "c", &[("team", "data")], &[]))),
        (1_801, namespace("shop", &[("team", "payments")], &[])),
    ];
    assert_eq!(
        seconds(events, HOUR),
        expected(&[
            ("search", "shop", 2 * 1_801),
            ("payments", "shop", 2 * (i128::from(HOUR) - 1_801)),
            ("data", "shop", i128::from(HOUR)),
        ])
    );
}

#[test]
fn label_of_a_workload_moves_its_pods() {
    let owner =
        || Some(WorkloadKey { namespace: "shop".into(), kind: WorkloadKind::Deployment, name: "web".into() });
    let of_web =
        |labels: &[(&str, &str)]| Event::Pod(Pod { owner: owner(), ..pod("shop", "web-1", labels, &[]) });
    let events = vec![
        (0, namespace("shop", &[], &[])),
        (0, Event::Workload(web(&[("team", "search")]))),
        // Its own labels do not say whose it is.
        (0, of_web(&[("app", "web")])),
        (100, Event::Workload(web(&[("team", "payments")]))),
        // A label that takes it from its Deployment: nothing owns it any more.
        (1_000, Event::Pod(pod("shop", "web-1", &[("app", "debug")], &[]))),
        (1_500, Event::Workload(web(&[("team", "data")]))),
    ];
    assert_eq!(
        seconds(events, HOUR),
        expected(&[
            ("search", "shop", 100),
            ("payments", "shop", 900),
            ("unowned", "shop", i128::from(HOUR) - 1_000),
        ])
    );
}

#[test]
fn order_in_which_objects_are_first_seen_does_not_matter() {
    let events = [
        namespace("shop", &[("team", "search")], &[]),
        Event::Workload(web(&[])),
        Event::Pod(pod("shop", "web-1", &[("app", "web")], &[])),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let events = order.iter().zip([0, 20, 45]).map(|(&nth, at)| (at, events[nth].clone())).collect();
        assert_eq!(seconds(events, HOUR), expected(&[("search", "shop", i128::from(HOUR))]), "{order:?}");
    }
}

/// The marks of a pod that vCluster `dev` has synced from its namespace `pay`.
fn synced(team: &str) -> Vec<(&str, &str)> {
    vec![
        ("vcluster.loft.sh/managed-by", "dev"),
        ("vcluster.loft.sh/namespace", "pay"),
        ("vcluster.loft.sh/ns-label-dev-x-ca8b22d0db", team),
    ]
}

#[test]
fn virtual_namespaces_and_the_control_plane_are_spaces_of_their_own() {
    let owners = r#"[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"db","uid":"1","controller":true}]"#;
    let inner = |team: &str| {
        Event::Pod(pod(
            "host",
            "db-0-x-pay-x-dev",
            &synced(team),
            &[("vcluster.loft.sh/owner-references", owners)],
        ))
    };
    let events = vec![
        (0, namespace("host", &[("team", "platform")], &[])),
        (0, Event::Pod(pod("host", "dev-0", &[("app", "vcluster"), ("release", "dev")], &[]))),
        (0, Event::Pod(pod("host", "plain", &[], &[]))),
        (0, inner("search")),
        // The virtual namespace is given to another team.
        (333, inner("payments")),
        // The host namespace too: that moves what nobody inside claims.
        (2_000, namespace("host", &[("team", "infra")], &[])),
    ];
    let rest = i128::from(HOUR) - 2_000;
    assert_eq!(
        seconds(events, HOUR),
        expected(&[
            ("platform", "host/dev", 2_000),
            ("infra", "host/dev", rest),
            ("platform", "host", 2_000),
            ("infra", "host", rest),
            ("search", "host/dev/pay", 333),
            ("payments", "host/dev/pay", i128::from(HOUR) - 333),
        ])
    );
}

#[test]
fn namespace_made_by_a_vcluster_has_the_owner_of_its_control_planes() {
    let made = |annotation: &str| {
        let labels =
            [("vcluster.loft.sh/vcluster-name", "dev"), ("vcluster.loft.sh/vcluster-namespace", "host")];
        namespace("vcluster-01-23", &labels, &[("vcluster.loft.sh/object-name", annotation)])
    };
    let pod = |name| {
        let labels = [("vcluster.loft.sh/managed-by", "dev")];
        Event::Pod(pod("vcluster-01-23", name, &labels, &[("vcluster.loft.sh/object-name", name)]))
    };
    // The pods are seen first, then where they are, then whose that is.
    let events = vec![
        (0, pod("web")),
        (10, made("pay")),
        (20, namespace("host", &[("team", "platform")], &[])),
        (1_000, namespace("host", &[("team", "infra")], &[])),
    ];
    assert_eq!(
        seconds(events, HOUR),
        expected(
            &[("platform", "host/dev/pay", 1_000), ("infra", "host/dev/pay", i128::from(HOUR) - 1_000),]
        )
    );
}

#[test]
fn workload_inside_a_vcluster_is_not_taken_for_one_of_the_host() {
    let owners = r#"[{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"1","controller":true}]"#;
    let mut engine = engine();
    engine.apply(namespace("shop", &[("team", "platform")], &[]), T0);
    engine.apply(Event::Workload(web(&[("team", "of-the-host")])), T0);
    let annotations = [("vcluster.loft.sh/owner-references", owners)];
    engine.apply(Event::Pod(pod("shop", "web-x-pay-x-dev", &synced(""), &annotations)), T0);
    engine.apply(Event::Workload(web(&[("team", "still-of-the-host")])), at(10));
    let hour = i128::from(HOUR);
    assert_eq!(paid(&mut engine, at(HOUR)), expected(&[("platform", "shop/dev/pay", hour)]));
    let picture = engine.snapshot(at(HOUR));
    let of = &picture.pods[0].holder.attribution;
    let virtual_web =
        WorkloadKey { namespace: "shop".into(), kind: WorkloadKind::Deployment, name: "web".into() };
    assert_eq!((of.workload.as_ref(), of.virtual_namespace.as_deref()), (Some(&virtual_web), Some("pay")));
    assert_eq!(picture.spaces[0].bare_pods, 1);
}
