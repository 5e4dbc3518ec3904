//! What is kept over a restart: from when money is counted, what was held before, and the gap, which is marked.

use anyhow::{Context, bail, ensure};
use nightcap_tests::objects::{deployment, namespace};
use nightcap_tests::{Daemon, Options, wait};
use serde_json::{Value, json};

use crate::stage;

/// The row of a namespace since counting began.
async fn row(daemon: &Daemon, since: &str) -> anyhow::Result<Value> {
    let status = daemon.get_json("/api/v1/status").await?;
    let at = status["at"].as_str().context("no instant")?;
    let report = daemon.get_json(&format!("/api/v1/cost?by=namespace&window={since},{at}")).await?;
    let rows = report["steps"][0]["rows"].as_array().context("no rows")?;
    let row = rows.iter().find(|row| row["name"] == "kept").context("no row of the namespace")?;
    Ok(row.clone())
}

#[tokio::test]
async fn a_restart_goes_on_from_where_the_daemon_was() {
    let plane = stage::cluster(Options::default()).await;
    let client = plane.client().unwrap();
    namespace("kept").label("team", "storage").create(&client).await.unwrap();
    deployment("kept", "web").replicas(2).requests("100m", "128Mi").create(&client).await.unwrap();
    wait::deployment_ready(&client, "kept", "web").await.unwrap();
    let mut daemon = Daemon::start(stage::daemon(&plane, "observe", &json!({}))).unwrap();
    daemon.wait_ready().await.unwrap();
    let start = daemon.get_json("/api/v1/status").await.unwrap()["start"].as_str().unwrap().to_owned();
    let cost = |row: &Value| row["cost"].as_f64().unwrap_or_default();
    let before = wait::until("the pods to cost something", wait::PATIENCE, async || {
        let row = row(&daemon, &start).await?;
        ensure!(cost(&row) > 0.0, "{row}");
        Ok(row)
    })
    .await
    .unwrap();
    assert_eq!(before["backfilled"], false);

    // Asked to stop, it writes what it knows; killed, it has what it wrote last.
    daemon.terminate().await.unwrap();
    daemon.start_again().unwrap();
    daemon.wait_ready().await.unwrap();
    for _ in 0..2 {
        let status = daemon.get_json("/api/v1/status").await.unwrap();
        assert_eq!(status["start"], start, "counting goes on");
        let after = wait::until("the gap to be on the bill", wait::PATIENCE, async || {
            let row = row(&daemon, &start).await?;
            if row["backfilled"] != true || cost(&row) < cost(&before) {
                bail!("{row}");
            }
            Ok(row)
        })
        .await
        .map_err(|error| daemon.explain(error))
        .unwrap();
        assert_eq!(after["kind"], "group");
        daemon.kill9();
        daemon.start_again().unwrap();
        daemon.wait_ready().await.unwrap();
    }
}
