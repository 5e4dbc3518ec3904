//! Sleep policies on a real API server, and the guard of who may write which wish.

use anyhow::{Context, ensure};
use nightcap_tests::objects::deployment;
use nightcap_tests::{ControlPlane, Options, wait, workloads};
use serde_json::{Value, json};

use crate::stage::{self, Stage, annotate, space, until_as, until_asleep, uptime_elsewhere};

async fn object(plane: &ControlPlane, kind: &str, name: &str) -> anyhow::Result<Value> {
    let text = plane.kubectl(&["get", kind, name, "-o", "json"]).await?;
    Ok(serde_json::from_str(&text)?)
}

fn file(path: &str) -> String {
    std::fs::read_to_string(nightcap_tests::workspace().join(path)).unwrap()
}

/// Waits until a policy's status has these conditions, and gives back all of it.
async fn status(stage: &Stage, name: &str, accepted: &str, generation: i64) -> Value {
    let what = format!("the status of {name}");
    let found = wait::until(&what, wait::PATIENCE, async || {
        let found = object(&stage.plane, "sleeppolicy", name).await?;
        let status = &found["status"];
        ensure!(status["observedGeneration"] == generation, "{status}");
        let conditions = status["conditions"].as_array().context("no conditions")?;
        let shown = conditions.iter().find(|one| one["type"] == "Accepted").context("not told")?;
        ensure!(shown["status"] == accepted, "{status}");
        Ok(status.clone())
    });
    found.await.map_err(|error| stage.daemon.explain(error)).unwrap()
}

/// What the schema is for.
async fn refuses_what_cannot_be_meant(plane: &ControlPlane) {
    for (spec, word) in [
        ("uptime: always", "name something"),
        ("namespaces: [], uptime: always", "name something"),
        (r#"namespaces: ["*"]"#, "wish something"),
        (r#"namespaces: ["*"], exclude: false"#, "wish something"),
        (r#"namespaces: ["*"], exclude: true, uptime: always"#, "exclude: true keeps awake"),
        (r#"namespaces: ["Dev"], uptime: always"#, "spec.namespaces[0]"),
        (r#"namespaces: ["*"], uptime: "8 to 20""#, "spec.uptime"),
        (r#"namespaces: ["*"], downtime: """#, "spec.downtime"),
        (r#"namespaces: ["*"], uptime: always, timezone: "not a zone""#, "spec.timezone"),
        (r#"namespaces: ["*"], uptime: always, priority: 1000001"#, "spec.priority"),
        (
            "uptime: always, workloadSelector: {matchExpressions: [{key: a, operator: Near}]}",
            "spec.workloadSelector.matchExpressions[0].operator",
        ),
        (
            "uptime: always, workloadSelector: {matchExpressions: [{key: a, operator: In}]}",
            "In and NotIn need values",
        ),
    ] {
        let text = format!(
            "apiVersion: nightcap.dev/v1alpha1\nkind: SleepPolicy\nmetadata: {{name: bad}}\nspec: {{{spec}}}\n"
        );
        let refused = plane.apply(&text).await.unwrap_err();
        let words = format!("{refused:#}");
        assert!(words.contains(word), "{text}: {words}");
    }
}

#[tokio::test]
async fn policy_puts_namespaces_to_sleep_and_says_so() {
    let plane = stage::cluster(Options::default()).await;
    plane.apply(&file("deploy/crds/sleep-policy.yaml")).await.unwrap();
    plane.kubectl(&["wait", "--for=condition=Established", "crd/sleeppolicies.nightcap.dev"]).await.unwrap();
    refuses_what_cannot_be_meant(&plane).await;
    plane.apply(&file("examples/sleep-policy.yaml")).await.unwrap();

    let client = plane.client().unwrap();
    for name in ["dev-1", "dev-2", "other"] {
        space(&client, name, &[]).await;
        deployment(name, "web").replicas(2).create(&client).await.unwrap();
        wait::deployment_ready(&client, name, "web").await.unwrap();
    }
    let before = workloads(&client, "dev-1").await.unwrap();
    let calendar = plane.kubeconfig().with_file_name("own.txt");
    std::fs::write(&calendar, "2020-01-01 long ago\n").unwrap();
    let config = json!({ "holidays": { "own": calendar } });
    let mut daemon = nightcap_tests::Daemon::start(stage::daemon(&plane, "act", &config)).unwrap();
    daemon.wait_ready().await.unwrap();
    let stage = Stage { plane, daemon };

    let uptime = uptime_elsewhere(stage.plane.now().await.unwrap());
    let nights = |uptime: &str, more: &str| {
        format!(
            "apiVersion: nightcap.dev/v1alpha1\nkind: SleepPolicy\nmetadata: {{name: nights}}\n\
             spec: {{namespaces: [\"dev-*\"], priority: 100, uptime: \"{uptime}\"{more}}}\n"
        )
    };
    stage.plane.apply(&nights(&uptime, ", holidays: [own]")).await.unwrap();
    for name in ["dev-1", "dev-2"] {
        let asleep = until_asleep(&client, name, &before).await;
        asleep.map_err(|error| stage.daemon.explain(error)).unwrap();
    }
    assert_eq!(workloads(&client, "other").await.unwrap(), before);
    // Those that sleep are still matched, and decided about.
    let said = status(&stage, "nights", "True", 1).await;
    assert_eq!(said["matched"], json!({ "namespaces": 2, "workloads": 2, "names": ["dev-1", "dev-2"] }));
    assert_eq!(said["deciding"], 2);
    assert!(said["nextChange"].is_string(), "{said}");
    let explained = stage.daemon.get_json("/api/v1/spaces/dev-1").await.unwrap();
    let chain: Vec<[&str; 2]> = explained["wishes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wish| [wish["source"].as_str().unwrap(), if wish["won"] == true { "won" } else { "" }])
        .collect();
    assert_eq!(chain, [["policy nights", "won"], ["policy dev-nights", ""]]);
    assert_eq!(explained["space"]["next"]["asleep"], false);
    assert_eq!(explained["space"]["next"]["at"], said["nextChange"]);

    // People's own wish comes first, until the policy is enforced.
    annotate(&stage.plane, "dev-2", &["nightcap.dev/uptime=always"]).await;
    until_as(&client, "dev-2", &before).await.map_err(|error| stage.daemon.explain(error)).unwrap();
    stage.plane.apply(&nights(&uptime, ", enforced: true")).await.unwrap();
    until_asleep(&client, "dev-2", &before).await.map_err(|error| stage.daemon.explain(error)).unwrap();
    status(&stage, "nights", "True", 2).await;

    // The schema knows no zones and calendars: the last good version holds on, and the value is named.
    stage.plane.apply(&nights("00:00-24:00 Europe/Berln", "")).await.unwrap();
    let said = status(&stage, "nights", "False", 3).await;
    let message = said["conditions"][0]["message"].as_str().unwrap();
    assert!(message.contains("\"Europe/Berln\" is no known time zone"), "{message}");
    assert_eq!(said["matched"]["namespaces"], 2);
    stage.plane.apply(&nights("always", ", holidays: [mars]")).await.unwrap();
    let said = status(&stage, "nights", "False", 4).await;
    assert_eq!(
        said["conditions"][0]["message"],
        "holidays: \"mars\" is no calendar that the daemon's configuration names: use own"
    );
    let metrics = stage.daemon.get_text("/metrics").await.unwrap();
    for line in [
        r#"nightcap_sleep_policy_accepted{sleep_policy="nights"} 0"#,
        r#"nightcap_sleep_policy_accepted{sleep_policy="dev-nights"} 1"#,
        r#"nightcap_problems{reason="unreadable"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    let list = stage.daemon.get_json("/api/v1/policies").await.unwrap();
    let names: Vec<&str> =
        list["policies"].as_array().unwrap().iter().map(|policy| policy["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["nights", "previews", "shop-databases", "dev-nights"]);

    // Gone from the cluster: what slept by them wakes.
    stage.plane.kubectl(&["delete", "sleeppolicies", "--all"]).await.unwrap();
    for name in ["dev-1", "dev-2"] {
        until_as(&client, name, &before).await.map_err(|error| stage.daemon.explain(error)).unwrap();
    }
}

/// Two people who may edit all that is in `guarded` and `free`; one of them may also exempt.
const PEOPLE: &str = "
apiVersion: v1
kind: List
items:
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: edits-namespaces}
  rules:
  - {apiGroups: [\"\"], resources: [namespaces], verbs: [get, patch, update, create]}
  - {apiGroups: [apps], resources: [deployments], verbs: [get, patch, update, create]}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: edits-namespaces}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edits-namespaces}
  subjects: [{kind: User, name: ann}, {kind: User, name: pia}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: exempts}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: nightcap-exempt}
  subjects: [{kind: User, name: pia}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: edits, namespace: guarded}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
  subjects: [{kind: User, name: ann}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: marks}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: nightcap-marks}
  subjects: [{kind: User, name: the-daemon}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: daemon-edits}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edits-namespaces}
  subjects: [{kind: User, name: the-daemon}]
";

#[tokio::test]
async fn policy_guards_who_may_write_which_wish() {
    let plane = stage::cluster(Options::default()).await;
    let client = plane.client().unwrap();
    space(&client, "guarded", &[]).await;
    space(&client, "free", &[]).await;
    plane.kubectl(&["label", "namespace", "guarded", "nightcap.dev/enforced=true"]).await.unwrap();
    for name in ["guarded", "free"] {
        deployment(name, "web").replicas(1).create(&client).await.unwrap();
    }
    plane.apply(&file("deploy/manifests/validating-admission-policy.yaml")).await.unwrap();
    plane.apply(PEOPLE).await.unwrap();

    let act = async |who: &str, what: &[&str]| {
        let who = format!("--as={who}");
        let mut args = what.to_vec();
        args.extend(["--overwrite", &who]);
        plane.kubectl(&args).await.map_err(|error| format!("{error:#}"))
    };
    let on = |space, wish| vec!["annotate", "namespace", space, wish];
    // The policy counts some moments after it was written, roles likewise.
    wait::until("the guard to stand", wait::PATIENCE, async || {
        let refused = act("ann", &on("free", "nightcap.dev/asleep={}")).await;
        ensure!(refused.is_err(), "not refused");
        let allowed = act("ann", &on("guarded", "nightcap.dev/keep-awake-until=2020-01-01T00:00:00Z")).await;
        allowed.map_err(anyhow::Error::msg)?;
        let exempt = act("pia", &on("guarded", "nightcap.dev/exclude=false")).await;
        exempt.map(drop).map_err(anyhow::Error::msg)
    })
    .await
    .unwrap();

    let workload = |space, wish| vec!["annotate", "deployment", "web", wish, "-n", space];
    let label = |space, wish| vec!["label", "namespace", space, wish];
    let refused =
        "may not change nightcap.dev/exclude in guarded, where sleep is enforced: it needs the verb exempt";
    for (who, what, words) in [
        ("ann", on("guarded", "nightcap.dev/exclude=true"), Some(refused)),
        ("ann", on("guarded", "nightcap.dev/exclude-"), Some(refused)),
        ("ann", workload("guarded", "nightcap.dev/exclude=true"), Some(refused)),
        ("pia", on("guarded", "nightcap.dev/exclude=true"), None),
        ("pia", workload("guarded", "nightcap.dev/exclude=true"), None),
        // What changes nothing of it is nobody's business.
        ("ann", on("guarded", "example.com/note=x"), None),
        ("ann", on("guarded", "nightcap.dev/exclude=true"), None),
        ("ann", workload("guarded", "example.com/note=x"), None),
        ("ann", on("free", "nightcap.dev/exclude=true"), None),
        ("ann", on("free", "nightcap.dev/uptime=always"), None),
        ("ann", on("guarded", "nightcap.dev/uptime=always"), Some("it needs the verb schedule")),
        ("ann", on("guarded", "nightcap.dev/sleep-after=1h"), Some("it needs the verb schedule")),
        ("ann", on("guarded", "nightcap.dev/asleep-until=manual"), None),
        ("pia", on("guarded", "nightcap.dev/asleep-until-"), Some("it needs the verb sleep")),
        ("pia", on("guarded", "nightcap.dev/keep-awake-until-"), Some("it needs the verb wake")),
        (
            "ann",
            label("guarded", "nightcap.dev/enforced-"),
            Some("may not change the label nightcap.dev/enforced"),
        ),
        (
            "ann",
            label("free", "nightcap.dev/enforced=true"),
            Some("may not change the label nightcap.dev/enforced"),
        ),
        ("ann", workload("free", "nightcap.dev/original={\"replicas\":9}"), Some("it needs the verb mark")),
        ("pia", workload("free", "nightcap.dev/original={\"replicas\":9}"), Some("it needs the verb mark")),
        ("the-daemon", workload("free", "nightcap.dev/original={\"replicas\":9}"), None),
        ("ann", workload("free", "nightcap.dev/original-"), Some("it needs the verb mark")),
        ("the-daemon", on("guarded", "nightcap.dev/keep-awake-until=2020-01-02T00:00:00Z"), None),
        ("pia", label("guarded", "nightcap.dev/enforced-"), None),
        ("ann", on("guarded", "nightcap.dev/uptime=always"), None),
    ] {
        match (act(who, &what).await, words) {
            (Ok(_), None) => {}
            (Err(told), Some(words)) => {
                assert!(told.contains(words) && told.contains(who), "{told}\n{words}");
            }
            (found, _) => panic!("{who} {what:?}: {found:?}"),
        }
    }

    // A Deployment's controller copies marks to its ReplicaSet, and is not kept from it.
    wait::until("the mark to be copied", wait::PATIENCE, async || {
        let copied = r"jsonpath={.items[*].metadata.annotations.nightcap\.dev/original}";
        let found = plane.kubectl(&["get", "replicasets", "-n", "free", "-o", copied]).await?;
        ensure!(found == r#"{"replicas":9}"#, "{found}");
        Ok(())
    })
    .await
    .unwrap();
}
