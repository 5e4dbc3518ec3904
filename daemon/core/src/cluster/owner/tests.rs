//! The order of the rules, and every platform's keys.

use std::collections::BTreeMap;

use super::*;
use crate::cluster::{Claim, ClaimKey, Keys, Namespace, Service, Size, Workload, WorkloadKey, WorkloadKind};
use crate::units::{Bytes, Instant, Resources};

fn keys(pairs: &[(&str, &str)]) -> Keys {
    pairs.iter().map(|&(k, v)| (k.into(), v.into())).collect()
}

fn namespace(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Namespace {
    Namespace {
        uid: format!("uid-{name}").into(),
        name: name.into(),
        resource_version: "1".into(),
        created: Instant(0),
        labels: keys(labels),
        annotations: keys(annotations),
        terminating: false,
    }
}

fn shop(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Namespace {
    namespace("shop-dev", labels, annotations)
}

fn workload(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Workload {
    Workload {
        key: WorkloadKey { namespace: "shop-dev".into(), kind: WorkloadKind::Deployment, name: "web".into() },
        uid: "w".into(),
        resource_version: "1".into(),
        created: Instant(0),
        size: Size::Replicas(1),
        ready_replicas: 1,
        wanted_pods: None,
        switch: None,
        pod_requests: Resources::default(),
        labels: keys(labels),
        annotations: keys(annotations),
        deletes_claims_when_scaled: false,
        rolling_out: false,
        running: false,
        local_volumes: Vec::new(),
        controller: None,
        resource: None,
        governs: None,
    }
}

fn facts(rules: &TeamRules, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Option<OwnerFacts> {
    OwnerFacts::read(&OwnerKeys::of(rules), &keys(labels), &keys(annotations), "web-1", "shop-dev")
}

/// Team, its kind and its rule; owner, its kind and its rule.
type Answer = ((String, OwnerKind, String), (String, OwnerKind, String));

fn answer(of: &Attribution) -> Answer {
    (
        (of.team.to_string(), of.team_kind, of.team_rule.to_string()),
        (of.owner.to_string(), of.owner_kind, of.owner_rule.to_string()),
    )
}

fn said(name: &str, kind: OwnerKind, rule: &str) -> (String, OwnerKind, String) {
    (name.to_owned(), kind, rule.to_owned())
}

fn nobody() -> (String, OwnerKind, String) {
    said(UNOWNED, OwnerKind::Unknown, "no rule matched")
}

fn of_space(rules: &TeamRules, namespace: &Namespace) -> Answer {
    answer(&Resolver::new(rules.clone()).space(namespace, &|_| None))
}

/// Whose a pod of the workload is, if there is one, with these labels of its own.
fn of_pod(rules: &TeamRules, ns: &Namespace, w: Option<&Workload>, pod: Option<&OwnerFacts>) -> Attribution {
    let owner = w.map(|w| (&w.key, Some(w)));
    Resolver::new(rules.clone()).pod(&ns.name, owner, pod, &|name| (*name == *ns.name).then_some(ns))
}

fn rule(namespace: Option<&str>, labels: &[(&str, &str)], team: &str) -> TeamRule {
    TeamRule {
        namespace: namespace.map(ToOwned::to_owned),
        labels: labels.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect(),
        team: team.to_owned(),
        owner: None,
    }
}

#[test]
fn each_platform_names_its_owner() {
    use OwnerKind::{Project, Team, Tenant, User};
    let rules = TeamRules {
        users: [("alice".into(), "payments".into())].into_iter().collect(),
        projects: BTreeMap::from([("p-known".into(), "Shop Front".into())]),
        ..TeamRules::default()
    };
    let cases: &[(&str, bool, &str, OwnerKind, &str)] = &[
        // key, in a label, value, kind, name
        ("loft.sh/team", true, "search", Team, "search"),
        ("loft.sh/user", true, "bob", User, "bob"),
        ("loft.sh/user", true, "alice", User, "alice"),
        ("loft.sh/project", true, "api-framework", Project, "api-framework"),
        ("loft.sh/space-instance-project", true, "spaces", Project, "spaces"),
        ("loft.sh/vcluster-instance-project", true, "clusters", Project, "clusters"),
        ("projectcapsule.dev/tenant", true, "solar", Tenant, "solar"),
        ("capsule.clastix.io/tenant", true, "oil", Tenant, "oil"),
        ("kiosk.sh/account", true, "acme", Tenant, "acme"),
        ("kiosk.sh/account", false, "acme", Tenant, "acme"),
        ("field.cattle.io/projectId", true, "p-unknown", Project, "p-unknown"),
        ("field.cattle.io/projectId", false, "c-m-1:p-unknown", Project, "p-unknown"),
        ("field.cattle.io/creatorId", false, "u-abcde", User, "u-abcde"),
        ("acme.tree.hnc.x-k8s.io/depth", true, "2", Tenant, "acme"),
        ("hnc.x-k8s.io/subnamespace-of", false, "acme-web", Tenant, "acme-web"),
        ("openshift.io/requester", false, "bob", User, "bob"),
        ("fleet.gke.io/fleet-scope", true, "frontend", Team, "frontend"),
        ("kubesphere.io/workspace", true, "demo", Tenant, "demo"),
        ("kubesphere.io/creator", false, "bob", User, "bob"),
        ("toolkit.fluxcd.io/tenant", true, "dev-team", Team, "dev-team"),
    ];
    for &(key, is_label, value, kind, name) in cases {
        let pair = [(key, value)];
        let (ns, what) =
            if is_label { (shop(&pair, &[]), "label") } else { (shop(&[], &pair), "annotation") };
        let text = format!("{what} {key} of the namespace");
        let team = match (kind, name) {
            (User, "alice") => {
                said("payments", Team, &format!("{text}: alice is in this team by the map of users"))
            }
            (User, _) => nobody(),
            _ => said(name, kind, &text),
        };
        assert_eq!(of_space(&rules, &ns), (team, said(name, kind, &text)), "{key}={value}");
        // The other way of writing is none of the platform's, where only one is.
        if !["kiosk.sh/account", "field.cattle.io/projectId"].contains(&key) {
            let ns = if is_label { shop(&[], &pair) } else { shop(&pair, &[]) };
            assert_eq!(of_space(&rules, &ns), (nobody(), nobody()), "{key}={value} at the wrong place");
        }
    }
    for id in ["p-known", "c-m-1:p-known"] {
        let text = format!("label field.cattle.io/projectId of the namespace: {id} by the map of projects");
        let found = said("Shop Front", Project, &text);
        let ns = shop(&[("field.cattle.io/projectId", id)], &[]);
        assert_eq!(of_space(&rules, &ns), (found.clone(), found), "{id}");
    }
}

#[test]
fn root_of_a_tree_is_its_farthest_ancestor() {
    let rules = TeamRules::default();
    let depth = |name: &str| format!("{name}.tree.hnc.x-k8s.io/depth");
    let (own, parent, root) = (depth("shop-dev"), depth("shop"), depth("acme"));
    let ns = shop(&[(&own, "0"), (&parent, "1"), (&root, "10"), (&depth("bad"), "far")], &[]);
    let found = said("acme", OwnerKind::Tenant, &format!("label {root} of the namespace"));
    assert_eq!(of_space(&rules, &ns), (found.clone(), found));

    // A namespace that stands alone carries its own name: that is no owner as long as anything else is.
    let alone = shop(&[(&own, "0"), ("team", "search")], &[]);
    let itself = said("shop-dev", OwnerKind::Tenant, &format!("label {own} of the namespace"));
    let team = said("search", OwnerKind::Team, "label team of the namespace");
    assert_eq!(of_space(&rules, &alone), (team, itself.clone()));
    assert_eq!(of_space(&rules, &shop(&[(&own, "0")], &[])), (itself.clone(), itself));
}

#[test]
fn rules_are_asked_in_their_order() {
    // Each line takes the winner before it away.
    let mut annotations = vec![
        ("nightcap.dev/team", "own"),
        ("openshift.io/requester", "alice"),
        ("field.cattle.io/creatorId", "u-1"),
        ("kubesphere.io/creator", "bob"),
    ];
    let mut labels = vec![
        ("loft.sh/team", "loft-team"),
        ("loft.sh/user", "alice"),
        ("loft.sh/project", "loft-project"),
        ("capsule.clastix.io/tenant", "capsule"),
        ("kiosk.sh/account", "kiosk"),
        ("field.cattle.io/projectId", "p-1"),
        ("root.tree.hnc.x-k8s.io/depth", "1"),
        ("fleet.gke.io/fleet-scope", "fleet"),
        ("kubesphere.io/workspace", "workspace"),
        ("toolkit.fluxcd.io/tenant", "flux"),
        ("team", "label"),
        ("department", "dept"),
    ];
    let mut rules = TeamRules {
        rules: vec![rule(Some("shop-*"), &[], "configured")],
        users: [("alice".into(), "of-alice".into())].into_iter().collect(),
        ..TeamRules::default()
    };
    let order = [
        ("own", "nightcap.dev/team"),
        ("configured", "rule"),
        ("loft-team", "loft.sh/team"),
        ("of-alice", "loft.sh/user"),
        ("loft-project", "loft.sh/project"),
        ("capsule", "capsule.clastix.io/tenant"),
        ("kiosk", "kiosk.sh/account"),
        ("p-1", "field.cattle.io/projectId"),
        ("root", "root.tree.hnc.x-k8s.io/depth"),
        ("of-alice", "openshift.io/requester"),
        ("fleet", "fleet.gke.io/fleet-scope"),
        ("workspace", "kubesphere.io/workspace"),
        ("flux", "toolkit.fluxcd.io/tenant"),
        ("label", "team"),
        ("dept", "department"),
    ];
    for (team, key) in order {
        let ((found, ..), _) = of_space(&rules, &shop(&labels, &annotations));
        assert_eq!(found, team, "{key}");
        if key == "rule" {
            rules.rules.clear();
        }
        labels.retain(|(known, _)| *known != key);
        annotations.retain(|(known, _)| *known != key);
    }
    let (team, owner) = of_space(&rules, &shop(&labels, &annotations));
    assert_eq!(team, nobody());
    assert_eq!(owner.0, "u-1", "{owner:?}");
}

#[test]
fn pod_comes_before_workload_before_namespace() {
    let rules = TeamRules { rules: vec![rule(Some("shop-*"), &[], "commerce")], ..TeamRules::default() };
    let plain = TeamRules::default();
    let own = ("nightcap.dev/team", "payments");
    let team = |rules: &TeamRules, ns: &Namespace, w: Option<&Workload>, pod: Option<&OwnerFacts>| {
        let of = of_pod(rules, ns, w, pod);
        (of.team.to_string(), of.team_rule.to_string())
    };
    let said = |team: &str, rule: &str| (team.to_owned(), rule.to_owned());
    let ns = shop(&[("team", "search")], &[own]);
    let w = workload(&[("team", "data")], &[("nightcap.dev/team", "platform")]);
    let pod = facts(&plain, &[("team", "ml")], &[("nightcap.dev/team", "infra")]);
    let labelled = facts(&plain, &[("team", "ml")], &[]);
    for (rules, ns, w, pod, expected) in [
        (&rules, &ns, Some(&w), pod.as_ref(), said("infra", "annotation nightcap.dev/team of the pod")),
        (&rules, &ns, Some(&w), None, said("platform", "annotation nightcap.dev/team of the workload")),
        (&rules, &ns, None, None, said("payments", "annotation nightcap.dev/team of the namespace")),
        (
            &rules,
            &shop(&[("team", "search")], &[]),
            Some(&workload(&[("team", "data")], &[])),
            labelled.as_ref(),
            said("commerce", "rule for namespaces shop-*"),
        ),
        (
            &plain,
            &shop(&[("team", "search")], &[]),
            Some(&workload(&[("team", "data")], &[])),
            labelled.as_ref(),
            said("ml", "label team of the pod"),
        ),
        (
            &plain,
            &shop(&[("team", "search")], &[]),
            Some(&workload(&[("team", "data")], &[])),
            None,
            said("data", "label team of the workload"),
        ),
        (
            &plain,
            &shop(&[("team", "search")], &[]),
            None,
            None,
            said("search", "label team of the namespace"),
        ),
        (&plain, &shop(&[("team", " ")], &[]), None, None, said(UNOWNED, "no rule matched")),
    ] {
        assert_eq!(team(rules, ns, w, pod), expected);
    }
}

#[test]
fn configured_rules_hold_when_all_their_conditions_do() {
    let rules = TeamRules {
        rules: vec![
            TeamRule {
                owner: Some("head-of-data".into()),
                ..rule(Some("shop-*"), &[("unit", "47*")], "data")
            },
            rule(None, &[("unit", "*")], "other"),
        ],
        ..TeamRules::default()
    };
    let pod = |unit: &str| facts(&rules, &[("unit", unit)], &[]);
    let ns = shop(&[("unit", "4711")], &[]);
    let both = (
        said("data", OwnerKind::Team, "rule for namespaces shop-* and label unit=47*"),
        said("head-of-data", OwnerKind::Unknown, "rule for namespaces shop-* and label unit=47*"),
    );
    assert_eq!(of_space(&rules, &ns), both);
    // The pod's label counts, not that of its namespace.
    let of = of_pod(&rules, &ns, None, pod("12").as_ref());
    assert_eq!(answer(&of), (said("other", OwnerKind::Team, "rule for label unit=*"), nobody()));
    assert_eq!(of_space(&rules, &shop(&[], &[])), (nobody(), nobody()));
}

#[test]
fn person_in_an_owner_annotation_or_label_is_known_by_the_map() {
    let rules = TeamRules {
        users: [("alice".into(), "payments".into())].into_iter().collect(),
        ..TeamRules::default()
    };
    for (ns, place) in [
        (shop(&[], &[("nightcap.dev/owner", "alice")]), "annotation nightcap.dev/owner of the namespace"),
        (shop(&[("owner", "alice")], &[]), "label owner of the namespace"),
    ] {
        let team = format!("{place}: alice is in this team by the map of users");
        let expected = (said("payments", OwnerKind::Team, &team), said("alice", OwnerKind::User, place));
        assert_eq!(of_space(&rules, &ns), expected);
    }
    let stranger = shop(&[("owner", "bob")], &[]);
    let owner = said("bob", OwnerKind::Unknown, "label owner of the namespace");
    assert_eq!(of_space(&rules, &stranger), (nobody(), owner));
}

#[test]
fn labels_of_rows_are_the_innermost_and_only_those_asked_for() {
    let rules = TeamRules::default();
    let ns = shop(&[("env", "dev"), ("team", "search"), ("kubernetes.io/metadata.name", "shop-dev")], &[]);
    let w = workload(&[("app", "web"), ("env", "test"), ("chart", "web-1.2")], &[]);
    let pod = facts(
        &rules,
        &[("app", "web-canary"), ("pod-template-hash", "abc"), ("controller-uid", "1"), ("tier", "frontend")],
        &[],
    );
    let of = of_pod(&rules, &ns, Some(&w), pod.as_ref());
    let expected = [("app", "web-canary"), ("env", "test"), ("team", "search"), ("tier", "frontend")];
    assert_eq!(*of.labels, keys(&expected));
    assert_eq!(facts(&rules, &[("pod-template-hash", "abc"), ("job-name", "x")], &[("a", "b")]), None);
}

#[test]
fn claims_and_services_have_owners_too() {
    let resolver = Resolver::new(TeamRules::default());
    let ns = shop(&[("team", "search")], &[]);
    let find = |name: &str| (*name == *ns.name).then_some(&ns);
    let claim = |name: &str, labels: &[(&str, &str)]| Claim {
        key: ClaimKey { namespace: "shop-dev".into(), name: name.into() },
        uid: "c".into(),
        created: Instant(0),
        volume: None,
        requested: Bytes(0),
        labels: keys(labels),
        annotations: Keys::new(),
    };
    let of = |claim: &Claim| resolver.claim(claim, |name| name == "dev", &find);
    let own = of(&claim("db", &[("team", "data")]));
    assert_eq!((&*own.team, &*own.team_rule, &*own.space), ("data", "label team of the claim", "shop-dev"));
    for (name, space) in [
        ("data-dev-0", "shop-dev/dev"),
        ("data-dev-etcd-2", "shop-dev/dev"),
        ("data-dev", "shop-dev"),
        ("data-other-0", "shop-dev"),
    ] {
        assert_eq!(&*of(&claim(name, &[])).space, space, "{name}");
    }
    let labelled = of(&claim("data-old-0", &[("app", "vcluster"), ("release", "old")]));
    assert_eq!(labelled.vcluster.as_deref(), Some("shop-dev/old"));

    let service = Service {
        uid: "s".into(),
        namespace: "shop-dev".into(),
        name: "web-x-pay-x-dev".into(),
        created: Instant(0),
        class: "".into(),
        address: "".into(),
        labels: keys(&[("vcluster.loft.sh/managed-by", "dev"), ("vcluster.loft.sh/namespace", "pay")]),
        annotations: keys(&[("vcluster.loft.sh/object-name", "web")]),
    };
    let of = resolver.service(&service, &find);
    assert_eq!((&*of.space, of.workload, &*of.team), ("shop-dev/dev/pay", None, "search"));
}

#[test]
fn inside_a_vcluster_comes_before_what_its_platform_says_of_it() {
    let rules = TeamRules {
        rules: vec![
            rule(Some("shop-dev/dev/lab-*"), &[], "lab"),
            rule(Some("shop-*"), &[("unit", "47")], "of-the-host"),
        ],
        ..TeamRules::default()
    };
    let in_namespace = |name: &'static str| {
        vec![
            ("vcluster.loft.sh/managed-by", "dev"),
            ("vcluster.loft.sh/namespace", name),
            ("loft.sh/project", "api-framework"),
        ]
    };
    let ns_label = ("vcluster.loft.sh/ns-label-dev-x-ca8b22d0db", "payments");
    let host = shop(&[("team", "platform"), ("unit", "47")], &[("nightcap.dev/team", "infra")]);
    let quiet = shop(&[("team", "platform")], &[]);
    let mut labelled = in_namespace("pay");
    labelled.push(ns_label);
    let cases = [
        (&host, labelled, "payments", "label team of the virtual namespace"),
        (&host, in_namespace("lab-1"), "lab", "rule for namespaces shop-dev/dev/lab-*"),
        (&host, in_namespace("pay"), "infra", "annotation nightcap.dev/team of the namespace"),
        (&quiet, in_namespace("pay"), "api-framework", "label loft.sh/project of the pod"),
    ];
    for (ns, labels, team, rule) in cases {
        let of = of_pod(&rules, ns, None, facts(&rules, &labels, &[]).as_ref());
        assert_eq!((&*of.team, &*of.team_rule), (team, rule), "{labels:?}");
    }
}

#[test]
fn tier_is_read_from_its_label() {
    let custom = TeamRules { tier_key: "class".into(), ..TeamRules::default() };
    for (rules, labels, expected) in [
        (&TeamRules::default(), [("tier", "production")], Some(Tier::Production)),
        (&TeamRules::default(), [("tier", "web")], None),
        (&custom, [("class", "critical")], Some(Tier::Critical)),
        (&custom, [("tier", "critical")], None),
    ] {
        assert_eq!(Resolver::new(rules.clone()).tier(&shop(&labels, &[])), expected, "{labels:?}");
    }
}
