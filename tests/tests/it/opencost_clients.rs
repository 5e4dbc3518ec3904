//! Clients of `OpenCost`'s API that others wrote read the daemon as they read `OpenCost`, and say what it says.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use nightcap_tests::exact::{pico, pico_at};
use nightcap_tests::{Daemon, DaemonOptions, OpenCostClients, exact, wait};
use serde_json::{Value, json};

/// A month of a simulated platform that hardly moves on: its days that are over are the same for everybody.
async fn demo() -> Daemon {
    let mut daemon = Daemon::start(DaemonOptions::demo().args(["--speed", "1"])).unwrap();
    daemon.wait_ready().await.unwrap();
    daemon
}

fn clients() -> OpenCostClients {
    OpenCostClients::ensure().unwrap()
}

fn text<'a>(json: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    json.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no text at {pointer}"))
}

/// Cost and number of rows by team.
type ByTeam = BTreeMap<String, (i128, usize)>;

/// What our API says of the days: by namespace, controller and label, summed by the label as `unalloc` does.
async fn by_label(daemon: &Daemon, days: &str) -> anyhow::Result<ByTeam> {
    let by = "namespace,controller,label:team";
    let report = daemon.get_exact(&format!("/api/v1/cost?by={by}&idle=true&window={days}")).await?;
    let mut sums = ByTeam::new();
    for row in report.pointer("/steps/0/rows").and_then(Value::as_array).context("no rows")? {
        let team = row.pointer("/key/label:team").and_then(Value::as_str).unwrap_or("__unallocated__");
        let team = if team == "__unallocated__" { "<unallocated>" } else { team };
        let sum = sums.entry(team.to_owned()).or_default();
        *sum = (sum.0 + pico_at(row, "/cost")?, sum.1 + 1);
    }
    Ok(sums)
}

#[tokio::test]
async fn unalloc_attributes_the_bill_to_the_same_teams() {
    let (daemon, clients) = (demo().await, clients());
    // It asks for whole days that end today. Around midnight the answers may be of different ones.
    let (told, ours) = wait::until("answers of the same days", wait::PATIENCE, async || {
        let args = ["report", "--dimension", "team", "--days", "7", "--json"];
        let told: Value = serde_json::from_str(&clients.unalloc(&daemon.url(), &args).await?)?;
        let day = |bound: &str| -> anyhow::Result<String> {
            let at = text(&told, &format!("/provenance/window/{bound}"))?;
            Ok(at.get(..10).context("no day")?.to_owned())
        };
        let days = format!("{},{}", day("start")?, day("end")?);
        let before = by_label(&daemon, &days).await?;
        let told_again: Value = serde_json::from_str(&clients.unalloc(&daemon.url(), &args).await?)?;
        ensure!(
            told["buckets"] == told_again["buckets"],
            "{} and {}",
            told["buckets"],
            told_again["buckets"]
        );
        Ok((told, before))
    })
    .await
    .map_err(|error| daemon.explain(error))
    .unwrap();

    let buckets = told["buckets"].as_array().unwrap().iter().map(|bucket| {
        let amount = pico(text(bucket, "/amount_usd").unwrap()).unwrap();
        let rows = usize::try_from(bucket["row_count"].as_u64().unwrap()).unwrap();
        (text(bucket, "/key").unwrap().to_owned(), (amount, rows))
    });
    assert_eq!(buckets.collect::<ByTeam>(), ours);
    let teams: Vec<&str> = ours.keys().map(String::as_str).collect();
    let expected =
        ["checkout", "data-platform", "identity", "notifications", "payments", "platform", "qa", "search"];
    assert_eq!(teams, [&["<unallocated>"], expected.as_slice()].concat());
    let total = ours.values().map(|(amount, _)| amount).sum::<i128>();
    assert!(total > 0);
    assert_eq!(
        [text(&told, "/total_usd"), text(&told, "/unallocated_usd")].map(|sum| pico(sum.unwrap()).unwrap()),
        [total, ours["<unallocated>"].0]
    );
    assert_eq!(told.pointer("/provenance/inputs/0/status"), Some(&json!("loaded")));
}

/// Yesterday and the day before, as instants, by the daemon's clock.
async fn two_days(daemon: &Daemon) -> String {
    let report = daemon.get_json("/api/v1/cost?window=yesterday&timezone=UTC").await.unwrap();
    let end: k8s_openapi::jiff::Timestamp = text(&report, "/window/end").unwrap().parse().unwrap();
    let start = end - k8s_openapi::jiff::SignedDuration::from_hours(48);
    format!("{start},{end}")
}

/// The `data` of one of `OpenCost`'s answers, numbers as they are written.
async fn data(daemon: &Daemon, path: &str) -> Value {
    daemon.get_exact(path).await.unwrap()["data"].take()
}

/// JSON with numbers as a client writes floats: `24.0` for `24`, and the shortest text that is the same float.
fn as_floats(json: &Value) -> Value {
    match json {
        Value::String(text) => text.parse::<f64>().map_or_else(|_| json.clone(), |number| json!(number)),
        Value::Array(list) => list.iter().map(as_floats).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), as_floats(value))).collect(),
        other => other.clone(),
    }
}

fn total(rows: &Value) -> i128 {
    rows.as_object().unwrap().values().map(|row| pico_at(row, "/totalCost").unwrap()).sum()
}

#[tokio::test]
async fn a_kubecost_mcp_server_hands_on_what_the_daemon_says() {
    let (daemon, clients) = (demo().await, clients());
    let window = two_days(&daemon).await;
    // Where Kubecost has its API, which is the program's default, and where OpenCost has it.
    for prefix in [None, Some("")] {
        let mut mcp =
            clients.mcp(&daemon.url(), prefix).await.map_err(|error| daemon.explain(error)).unwrap();
        let healthy = mcp.call("health", json!({})).await.unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&healthy).unwrap(),
            json!({"reachable": true, "status_code": 200, "ok": true, "has_allocation_data": true})
        );

        let ask = json!({"window": window, "aggregate": "team", "include_idle": true});
        let told = exact::parse(&mcp.call("get_allocation", ask).await.unwrap()).unwrap();
        let path = format!("/allocation?window={window}&aggregate=team&accumulate=true&includeIdle=true");
        let allocation = data(&daemon, &path).await;
        assert_eq!(as_floats(&told), as_floats(&allocation), "{prefix:?}");
        // To the pico-dollar, not only as floats.
        let assets = exact::parse(&mcp.call("get_assets", json!({"window": window})).await.unwrap()).unwrap();
        assert_eq!(as_floats(&assets), as_floats(&data(&daemon, &format!("/assets?window={window}")).await));
        let bill =
            daemon.get_exact(&format!("/api/v1/cost?by=team&idle=true&window={window}")).await.unwrap();
        let bill = pico_at(&bill, "/steps/0/total").unwrap();
        assert_eq!([total(&told[0]), total(&assets)], [bill, bill], "{prefix:?}");

        let ask = json!({"window": window, "aggregate": "label:team,namespace", "accumulate": false, "step": "1d",
            "include_idle": true, "share_idle": true});
        let steps = exact::parse(&mcp.call("get_allocation", ask).await.unwrap()).unwrap();
        let path = format!(
            "/allocation?window={window}&aggregate=label:team,namespace&step=1d&includeIdle=true&shareIdle=true"
        );
        assert_eq!(as_floats(&steps), as_floats(&data(&daemon, &path).await));
        assert_eq!(steps.as_array().unwrap().iter().map(total).collect::<Vec<_>>().len(), 2);
        assert_eq!(steps.as_array().unwrap().iter().map(total).sum::<i128>(), bill);

        // What it makes of the numbers itself: each team's cost and efficiency, to four decimals.
        let ask = json!({"window": window, "aggregate": "team", "top": 1000});
        let told: Value = serde_json::from_str(&mcp.call("get_efficiency", ask).await.unwrap()).unwrap();
        let rounded = |number: f64| format!("{number:.4}");
        let told: BTreeMap<&str, [String; 2]> = told["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                let number = |key: &str| rounded(item[key].as_f64().unwrap());
                (item["name"].as_str().unwrap(), ["totalCost", "totalEfficiency"].map(number))
            })
            .collect();
        let rows = as_floats(&allocation[0]);
        let ours: BTreeMap<&str, [String; 2]> = rows
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "__idle__")
            .map(|(name, row)| {
                let number = |key: &str| rounded(row[key].as_f64().unwrap());
                (name.as_str(), ["totalCost", "totalEfficiency"].map(number))
            })
            .collect();
        assert_eq!(told, ours);
    }
}
