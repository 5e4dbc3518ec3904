//! People put spaces to sleep and wake them through the daemon, as far as their rights in the cluster go.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use k8s_openapi::jiff::SignedDuration;
use nightcap_tests::objects::deployment;
use nightcap_tests::{Answer, wait, workloads};
use serde_json::{Value, json};

use crate::stage::{self, space, until_as, until_asleep};

/// Who may do what in namespace `ours`: a service account for each, bound to a role of these verbs.
const RIGHTS: &str = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: stranger, namespace: ours}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: sleeper, namespace: ours}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: owner, namespace: ours}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: sleeper, namespace: ours}
  rules: [{apiGroups: [nightcap.dev], resources: [spaces], verbs: [sleep]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: owner, namespace: ours}
  rules: [{apiGroups: [nightcap.dev], resources: [spaces], verbs: [sleep, wake]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: sleeper, namespace: ours}
  subjects: [{kind: ServiceAccount, name: sleeper, namespace: ours}]
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: sleeper}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: owner, namespace: ours}
  subjects: [{kind: ServiceAccount, name: owner, namespace: ours}]
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: owner}
";

/// A report without what depends on the moment.
fn report(answer: &Answer) -> Value {
    let mut report: Value = serde_json::from_str(&answer.body).unwrap();
    let report_map = report.as_object_mut().unwrap();
    assert!(report_map.remove("at").is_some_and(|at| at.is_string()));
    assert!(report_map.remove("message").is_some_and(|message| message.is_string()));
    report
}

#[tokio::test]
async fn who_may_act_acts_and_nobody_else() {
    let stage = stage::acting().await;
    let client = stage.client();
    for name in ["ours", "theirs"] {
        space(&client, name, &[]).await;
        deployment(name, "web").replicas(2).create(&client).await.unwrap();
        wait::deployment_ready(&client, name, "web").await.unwrap();
    }
    stage.plane.apply(RIGHTS).await.unwrap();
    let before = workloads(&client, "ours").await.unwrap();
    let theirs = workloads(&client, "theirs").await.unwrap();
    let mut tokens = BTreeMap::new();
    for name in ["stranger", "sleeper", "owner"] {
        tokens.insert(name, stage.plane.token_for_service_account("ours", name).await.unwrap());
    }
    let daemon = &stage.daemon;
    let act = async |space: &str, act: &str, who: &str, body: Value| {
        let token = tokens.get(who).map_or(who, String::as_str);
        let token = (!token.is_empty()).then_some(token);
        daemon.post(&format!("/api/v1/spaces/{space}/{act}"), token, &body).await.unwrap()
    };

    // The daemon has seen the namespace, and the authorizer the role.
    wait::until("the space to be known", wait::PATIENCE, async || {
        daemon.get_text("/api/v1/spaces/ours").await.map(drop)
    })
    .await
    .unwrap();
    let slept = wait::until("the role to count", wait::PATIENCE, async || {
        let answer = act("ours", "sleep", "owner", json!({})).await;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        Ok(answer)
    })
    .await
    .unwrap();
    assert_eq!(
        report(&slept),
        json!({
            "space": "ours",
            "act": "sleep",
            "by": "system:serviceaccount:ours:owner",
            "annotations": {
                "nightcap.dev/asleep-until": "manual",
                "nightcap.dev/keep-awake-until": null,
                "nightcap.dev/override-by": "system:serviceaccount:ours:owner",
            },
        })
    );
    let asleep = until_asleep(&client, "ours", &before).await.map_err(|e| daemon.explain(e)).unwrap();
    let mark: Value = serde_json::from_str(asleep["deployment/web"].asleep.as_ref().unwrap()).unwrap();
    assert_eq!(
        [&mark["by"], &mark["policy"], &mark["why"]],
        [
            &json!("system:serviceaccount:ours:owner"),
            &json!("namespace asleep-until"),
            &json!("Put to sleep until somebody wakes it, by system:serviceaccount:ours:owner."),
        ]
    );

    // Who is nobody, who has no right, who has another, who has it elsewhere.
    let mut refused = Vec::new();
    for (space, what, who) in [
        ("ours", "wake", ""),
        ("ours", "wake", "rubbish"),
        ("ours", "wake", "stranger"),
        ("ours", "wake", "sleeper"),
        ("ours", "keep-awake", "sleeper"),
        ("theirs", "sleep", "owner"),
    ] {
        refused.push(act(space, what, who, json!({"for": "1h"})).await.status);
    }
    assert_eq!(refused, [401, 401, 403, 403, 403, 403]);
    assert_eq!(workloads(&client, "ours").await.unwrap(), asleep);
    assert_eq!(workloads(&client, "theirs").await.unwrap(), theirs);

    // By command line: wake, keep awake, and what is not allowed.
    let owner = tokens["owner"].as_str();
    daemon.cli_text(&["wake", "ours", "--token", owner]).await.unwrap();
    until_as(&client, "ours", &before).await.map_err(|e| daemon.explain(e)).unwrap();
    daemon.cli_text(&["sleep", "ours", "--token", owner]).await.unwrap();
    until_asleep(&client, "ours", &before).await.map_err(|e| daemon.explain(e)).unwrap();
    let now = stage.plane.now().await.unwrap();
    daemon.cli_text(&["keep-awake", "ours", "--for", "3h", "--token", owner]).await.unwrap();
    until_as(&client, "ours", &before).await.map_err(|e| daemon.explain(e)).unwrap();
    let end = (now + SignedDuration::from_hours(3)).to_string();
    wait::until("the wish to be shown", wait::PATIENCE, async || {
        let shown = daemon.get_json("/api/v1/spaces/ours").await?;
        let first = shown["wishes"].as_array().and_then(|wishes| wishes.first()).context("no wish")?;
        ensure!(first["source"] == "namespace keep-awake-until", "{first}");
        let value = first["value"].as_str().context("no value")?;
        ensure!(value >= end.trim_end_matches('Z'), "{value} is before {end}");
        Ok(())
    })
    .await
    .unwrap();
    let output = daemon.cli(&["sleep", "ours", "--token", &tokens["stranger"]]).await.unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(1), String::new()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("system:serviceaccount:ours:stranger"), "{said}");
    let output = daemon.cli(&["sleep", "ours", "--token", ""]).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(workloads(&client, "ours").await.unwrap(), before);
}
