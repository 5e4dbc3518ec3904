//! `OpenCost`'s API, by the field names of its reference and the law that rows and idle are the bill.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{get, get_rich};
use crate::api::Money;

/// opencost/opencost `core/pkg/opencost/allocation_json.go`, in its order.
const ROW_FIELDS: &str = "name, properties, window, start, end, minutes, cpuCores, cpuCoreRequestAverage, \
    cpuCoreUsageAverage, cpuCoreHours, cpuCost, cpuCostAdjustment, cpuCostIdle, cpuEfficiency, gpuCount, \
    gpuRequestAverage, gpuUsageAverage, gpuHours, gpuCost, gpuCostAdjustment, gpuCostIdle, gpuEfficiency, \
    networkTransferBytes, networkReceiveBytes, networkCost, networkCrossZoneCost, networkCrossRegionCost, \
    networkInternetCost, networkCostAdjustment, loadBalancerCost, loadBalancerCostAdjustment, pvBytes, pvByteHours, \
    pvCost, pvs, pvCostAdjustment, ramBytes, ramByteRequestAverage, ramByteUsageAverage, ramByteHours, ramCost, \
    ramCostAdjustment, ramCostIdle, ramEfficiency, externalCost, sharedCost, totalCost, totalEfficiency, \
    rawAllocationOnly, proportionalAssetResourceCosts, lbAllocations, sharedCostBreakdown";

const SUMMARY_FIELDS: &str = "name,start,end,cpuCoreRequestAverage,cpuCoreUsageAverage,cpuCost,cpuCostIdle,\
    gpuRequestAverage,gpuUsageAverage,gpuCost,gpuCostIdle,networkCost,loadBalancerCost,pvCost,ramByteRequestAverage,\
    ramByteUsageAverage,ramCost,ramCostIdle,sharedCost,externalCost,efficiency";

const NODE_FIELDS: &str = "type,properties,labels,window,start,end,minutes,adjustment,totalCost,nodeType,pool,cpuCores,\
    ramBytes,cpuCoreHours,ramByteHours,GPUHours,cpuBreakdown,ramBreakdown,preemptible,discount,cpuCost,gpuCost,\
    gpuCount,ramCost,overhead,cpuCoreHoursCharged,ramByteHoursCharged,gpuHoursCharged";

fn names(list: &str) -> BTreeSet<&str> {
    list.split(',').map(str::trim).collect()
}

fn fields(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[derive(Deserialize)]
struct Sets {
    data: Vec<BTreeMap<String, Row>>,
}

#[derive(Deserialize)]
struct Assets {
    data: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    total_cost: Money,
    cpu_cost: Money,
    ram_cost: Money,
    gpu_cost: Money,
}

async fn sets(query: &str) -> Vec<BTreeMap<String, Row>> {
    let answer = get(&format!("/allocation?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    serde_json::from_str::<Sets>(&answer.text).unwrap().data
}

async fn bill(window: &str) -> Money {
    let answer = get(&format!("/assets?window={window}")).await;
    assert_eq!(answer.status, 200, "{window}: {}", answer.text);
    serde_json::from_str::<Assets>(&answer.text).unwrap().data.values().map(|asset| asset.total_cost).sum()
}

#[tokio::test]
async fn row_has_the_fields_of_the_reference() {
    let answer = get("/allocation?window=2026-03-02T01:00:00Z,2026-03-02T03:00:00Z&aggregate=namespace,pod")
        .await
        .json();
    assert_eq!(fields(&answer), names("code,status,data"));
    let row = &answer["data"][0]["shop-dev/web-2"];
    // Aggregated, there is nothing of a single pod.
    let mut expected = names(ROW_FIELDS);
    expected.remove("rawAllocationOnly");
    assert_eq!(fields(row), expected);
    let raw = get("/allocation?window=2026-03-02T01:00:00Z,2026-03-02T03:00:00Z").await.json();
    assert_eq!(fields(&raw["data"][0]["test/n1/shop-dev/web-2"]), names(ROW_FIELDS));
    let none =
        ["Adjustment", "CostIdle", "network", "loadBalancer", "gpu", "pvB", "pvCost", "external", "shared"];
    let told: BTreeMap<_, _> = row
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, value)| !none.iter().any(|n| name.contains(n)) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    assert_eq!(
        json!(told),
        json!({
            "name": "shop-dev/web-2",
            "properties": {
                "cluster": "test", "node": "n1", "controller": "web", "controllerKind": "deployment",
                "namespace": "shop-dev", "pod": "web-2", "providerID": "aws:///eu-central-1a/i-n1",
                "labels": {"owner": "shop-leads", "team": "shop"},
            },
            "window": {"start": "2026-03-02T01:00:00Z", "end": "2026-03-02T03:00:00Z"},
            "start": "2026-03-02T01:00:00Z", "end": "2026-03-02T03:00:00Z", "minutes": 120.0,
            "cpuCores": 1.0, "cpuCoreRequestAverage": 1.0, "cpuCoreUsageAverage": 0.0, "cpuCoreHours": 2.0,
            "cpuCost": 0.062_494_201_97, "cpuEfficiency": 0.0,
            "ramBytes": 4_294_967_296.0, "ramByteRequestAverage": 4_294_967_296.0, "ramByteUsageAverage": 0.0,
            "ramByteHours": 8_589_934_592.0, "ramCost": 0.033_505_798_03, "ramEfficiency": 0.0,
            "totalCost": 0.096, "totalEfficiency": 0.0,
        })
    );
    for (name, value) in
        row.as_object().unwrap().iter().filter(|(name, _)| none.iter().any(|n| name.contains(n)))
    {
        assert!(value.is_null() || *value == json!(0.0), "{name} is {value}");
    }
}

#[tokio::test]
async fn rows_and_idle_are_the_bill_to_the_last_digit() {
    for window in [
        "today",
        "1h",
        "7d",
        "45m%20offset%2015m",
        "2026-03-02T01:00:00Z,2026-03-02T03:00:00Z",
        "2026-03-02T00:07:13Z,2026-03-02T09:59:59Z",
        "2026-03-02T10:29:59Z,2026-03-02T10:30:00Z",
        "2026-03-01T00:00:00Z,2026-03-01T10:00:00Z",
    ] {
        let bill = bill(window).await;
        for aggregate in
            ["team", "owner", "space", "namespace,pod", "cluster", "node", "controllerKind", "job"]
        {
            for extra in [
                "",
                "&idleByNode=true",
                "&step=1h13m",
                "&step=1h&accumulate=true",
                "&shareIdle=true",
                "&shareIdle=even",
            ] {
                let query = format!("window={window}&aggregate={aggregate}&includeIdle=true{extra}");
                let sets = sets(&query).await;
                let rows = || sets.iter().flat_map(BTreeMap::values);
                assert_eq!(rows().map(|row| row.total_cost).sum::<Money>(), bill, "{query}");
                for row in rows() {
                    assert_eq!(row.cpu_cost + row.ram_cost + row.gpu_cost, row.total_cost, "{query}");
                }
            }
        }
    }
}

#[tokio::test]
async fn idle_is_named_as_asked() {
    let named = async |query: &str| -> Vec<Vec<String>> {
        sets(query).await.iter().map(|set| set.keys().cloned().collect()).collect()
    };
    assert_eq!(named("window=today&aggregate=team").await, [["data", "shop"]]);
    assert_eq!(named("window=today&aggregate=team&includeIdle=true").await, [["__idle__", "data", "shop"]]);
    assert_eq!(
        named("window=today&aggregate=team&includeIdle=true&idleByNode=true").await,
        [["data", "n1/__idle__", "n2/__idle__", "shop"]]
    );
    assert_eq!(
        named("window=today&aggregate=team&includeIdle=true&shareIdle=weighted").await,
        [["data", "shop"]]
    );
    assert_eq!(
        named("window=today&step=5h").await[0],
        ["test/n1/shop-dev/web-1", "test/n1/shop-dev/web-2", "test/n2/data/train-1"]
    );
    assert_eq!(named("window=today&step=5h").await.len(), 3);
}

#[tokio::test]
async fn both_names_of_a_path_answer_the_same() {
    for (short, long) in
        [("/allocation", "/allocation/compute"), ("/allocation/summary", "/allocation/compute/summary")]
    {
        let query = "?window=today&aggregate=team&includeIdle=true";
        assert_eq!(get(&format!("{short}{query}")).await.json(), get(&format!("{long}{query}")).await.json());
    }
}

#[tokio::test]
async fn summary_has_its_own_shape() {
    let answer = get("/allocation/summary?window=today&aggregate=team&step=6h").await.json();
    let data = &answer["data"];
    assert_eq!(fields(data), names("step,sets,window"));
    assert_eq!(data["step"], json!(21_600_000_000_000_i64));
    assert_eq!(data["sets"].as_array().unwrap().len(), 2);
    assert_eq!(fields(&data["sets"][0]), names("allocations,window"));
    let row = &data["sets"][0]["allocations"]["shop"];
    assert_eq!(fields(row), names(SUMMARY_FIELDS));
    assert_eq!((&row["cpuCost"], &row["start"]), (&json!(0.218_729_706_895), &json!("2026-03-02T01:00:00Z")));
}

#[tokio::test]
async fn asset_has_the_fields_of_the_reference() {
    let answer = get("/assets?window=today").await.json();
    let data = answer["data"].as_object().unwrap();
    let keys: Vec<_> = data.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "AWS/__undefined__/__undefined__/Compute/test/Node/Kubernetes/aws:///eu-central-1a/i-n1/n1",
            "AWS/__undefined__/__undefined__/Compute/test/Node/Kubernetes/aws:///eu-central-1a/i-n2/n2",
        ]
    );
    let node = &data[keys[0]];
    assert_eq!(fields(node), names(NODE_FIELDS));
    assert_eq!(
        (&node["type"], &node["minutes"], &node["totalCost"], &node["cpuCores"], &node["GPUHours"]),
        (&json!("Node"), &json!(630.0), &json!(2.016), &json!(4.0), &json!(0.0))
    );
}

#[tokio::test]
async fn errors_come_in_opencosts_envelope() {
    for (path, message) in [
        ("/allocation", "a window is needed: add e.g. window=today or window=7d"),
        (
            "/allocation?window=today&aggregate=team,annotation:x",
            "aggregate: \"annotation:x\" cannot be grouped by: annotations are not kept with the rows; use a label: label:KEY (\"team,annotation:x\")",
        ),
        (
            "/allocation?window=today&includeIdle=perhaps",
            "includeIdle is neither true nor false (\"perhaps\")",
        ),
        (
            "/allocation?window=today&accumulate=fortnight",
            "accumulate is none of true, false, all, hour, day, week, month and quarter (\"fortnight\")",
        ),
        (
            "/allocation?window=today&filter=namespace",
            "the filter cannot be read at \"\": expected one of : !: ~: !~: <~: !<~: ~>: !~>: (\"namespace\")",
        ),
        (
            "/allocation?window=today&shareLabels=app",
            "shareLabels takes labels with their values (\"app\"): write KEY:VALUE, such as app:ingress",
        ),
        ("/allocation?window=today&shareCost=-1", "shareCost is no sum of dollars a month (\"-1\")"),
        ("/allocation?window=today&costMetric=hourly", "costMetric is not cumulative (\"hourly\")"),
        ("/allocation?window=today&format=pdf", "format is none of json and csv (\"pdf\")"),
        ("/allocation?window=today&compat=kubecost", "compat is neither opencost nor none (\"kubecost\")"),
        (
            "/allocation?window=today&timezone=Bonn",
            "timezone is no zone of the IANA database (\"Bonn\"): write e.g. Europe/Berlin or UTC",
        ),
        (
            "/allocation/summary?window=today&shareIdle=some",
            "shareIdle: \"some\" is none of weighted, even and none",
        ),
        (
            "/assets?window=today&colour=red",
            "there is no such parameter (\"colour\"): known are compat, timezone, window, filter, accumulate",
        ),
    ] {
        let answer = get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (400, json!({"code": 400, "status": "error", "message": message, "data": null})),
            "{path}"
        );
    }
    let answer = get("/allocation?window=%22%0Asoon").await.json();
    assert_eq!((&answer["code"], &answer["data"]), (&json!(400), &Value::Null));
}

const HOUR: &str = "2026-03-02T01:00:00Z,2026-03-02T02:00:00Z";

#[tokio::test]
async fn row_with_everything_is_as_the_reference_has_it() {
    let query = format!(
        "/allocation?window={HOUR}&aggregate=namespace,pod,container&includeProportionalAssetResourceCosts=true\
         &includeSharedCostBreakdown=true&shareIdle=weighted&shareSplit=even&shareTenancyCosts=true"
    );
    let answer = get_rich(&query).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let row = answer.json()["data"][0]["shop-dev/web-1/web-1"].clone();
    // Amounts that the other tests work out are taken from the row itself.
    let expected = r#"{
        "name": "shop-dev/web-1/web-1",
        "properties": {
            "cluster": "test", "container": "web-1", "node": "n1", "controller": "web",
            "controllerKind": "deployment", "namespace": "shop-dev", "pod": "web-1", "services": ["web"],
            "labels": {"owner": "shop-leads", "team": "shop"},
            "providerID": "aws:///eu-central-1a/i-n1"
        },
        "window": {"start": "2026-03-02T01:00:00Z", "end": "2026-03-02T02:00:00Z"},
        "start": "2026-03-02T01:00:00Z", "end": "2026-03-02T02:00:00Z", "minutes": 60.0,
        "cpuCores": 1.0, "cpuCoreRequestAverage": 1.0, "cpuCoreUsageAverage": 0.0, "cpuCoreHours": 1.0,
        "cpuCost": $cpuCost, "cpuCostAdjustment": 0.0, "cpuCostIdle": $cpuCostIdle, "cpuEfficiency": 0.0,
        "gpuCount": 0.0, "gpuRequestAverage": 0.0, "gpuUsageAverage": 0.0, "gpuHours": 0.0, "gpuCost": 0.0,
        "gpuCostAdjustment": 0.0, "gpuCostIdle": 0.0, "gpuEfficiency": 0.0,
        "networkTransferBytes": 536870912.0, "networkReceiveBytes": 0.0, "networkCost": 0.06,
        "networkCrossZoneCost": 0.0, "networkCrossRegionCost": 0.0, "networkInternetCost": 0.06,
        "networkCostAdjustment": 0.0,
        "loadBalancerCost": 0.025, "loadBalancerCostAdjustment": 0.0,
        "pvBytes": 5000000000.0, "pvByteHours": 5000000000.0, "pvCost": 0.04, "pvCostAdjustment": 0.0,
        "pvs": {"cluster=test:name=pv-web": {
            "byteHours": 5000000000.0, "cost": 0.04, "providerID": "vol-1", "adjustment": 0.0
        }},
        "ramBytes": 4294967296.0, "ramByteRequestAverage": 4294967296.0, "ramByteUsageAverage": 0.0,
        "ramByteHours": 4294967296.0, "ramCost": $ramCost, "ramCostAdjustment": 0.0,
        "ramCostIdle": $ramCostIdle, "ramEfficiency": 0.0,
        "externalCost": 0.0, "sharedCost": 0.15, "totalCost": $totalCost, "totalEfficiency": 0.0,
        "proportionalAssetResourceCosts": {"test,n1": {
            "cluster": "test", "name": "n1", "type": "Node", "providerID": "aws:///eu-central-1a/i-n1",
            "cpuPercentage": 0.25, "gpuPercentage": 0.0, "ramPercentage": 0.25, "loadBalancerPercentage": 0.0,
            "pvPercentage": 0.0, "nodeResourceCostPercentage": 0.25
        }},
        "lbAllocations": {"shop-dev/web": {
            "service": "shop-dev/web", "cost": 0.025, "private": false, "ip": "192.0.2.1", "hours": 1.0,
            "adjustment": 0.0
        }},
        "sharedCostBreakdown": {
            "__shared__": {
                "name": "__shared__", "totalCost": 0.125, "cpuCost": 0.0, "gpuCost": 0.0, "ramCost": 0.0,
                "pvCost": 0.0, "networkCost": 0.0, "loadBalancerCost": 0.0, "externalCost": 0.125
            },
            "__overhead__": {
                "name": "__overhead__", "totalCost": 0.025, "cpuCost": 0.0, "gpuCost": 0.0, "ramCost": 0.0,
                "pvCost": 0.0, "networkCost": 0.0, "loadBalancerCost": 0.0, "externalCost": 0.025
            }
        }
    }"#;
    // Longer names first: one begins with another.
    let mut expected = expected.to_owned();
    for name in ["cpuCostIdle", "cpuCost", "ramCostIdle", "ramCost", "totalCost"] {
        expected = expected.replace(&format!("${name}"), &row[name].to_string());
    }
    assert_eq!(row, serde_json::from_str::<Value>(&expected).unwrap());
    // By namespace, pod and container four rows share evenly: two pods, and what is unmounted in two namespaces.
}

#[tokio::test]
async fn everything_on_the_bill_is_in_rows_and_in_assets() {
    let total = |answer: &super::Answer| -> Money {
        serde_json::from_str::<Sets>(&answer.text)
            .unwrap()
            .data
            .iter()
            .flat_map(BTreeMap::values)
            .map(|row| row.total_cost)
            .sum()
    };
    for window in [HOUR, "today", "2026-03-02T01:07:13Z,2026-03-02T01:41:59Z"] {
        let assets = get_rich(&format!("/assets?window={window}")).await;
        let bill: Money =
            serde_json::from_str::<Totals>(&assets.text).unwrap().data.values().map(|a| a.total_cost).sum();
        for aggregate in
            ["team", "namespace", "pod", "cluster", "node", "label:app", "all", "controller,service"]
        {
            for extra in [
                "",
                "&shareIdle=true&idleByNode=true",
                "&shareSplit=even&shareTenancyCosts=true",
                "&shareNamespaces=shop-*&shareLB=true&shareIdle=even",
                "&step=hour&timezone=Asia/Kolkata",
                "&accumulateBy=day&step=20m",
            ] {
                let answer = get_rich(&format!(
                    "/allocation?window={window}&aggregate={aggregate}&includeIdle=true{extra}"
                ))
                .await;
                assert_eq!(answer.status, 200, "{}", answer.text);
                assert_eq!(total(&answer), bill, "{window} {aggregate} {extra}");
            }
        }
    }
    let plain = total(&get_rich(&format!("/allocation?window={HOUR}&idle=true")).await);
    let with_cost = total(&get_rich(&format!("/allocation?window={HOUR}&idle=true&shareCost=730")).await);
    assert_eq!(
        with_cost.0 - plain.0,
        "1".parse::<Money>().unwrap().0,
        "a sum a month is one for each of 730 hours"
    );
}

#[derive(Deserialize)]
struct Totals {
    data: BTreeMap<String, Total>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    total_cost: Money,
}

#[tokio::test]
async fn assets_of_every_type_have_their_fields() {
    let answer = get_rich(&format!("/assets?window={HOUR}")).await.json();
    let data = answer["data"].as_object().unwrap();
    let types: BTreeMap<&str, &Value> =
        data.values().map(|asset| (asset["type"].as_str().unwrap(), asset)).collect();
    assert_eq!(
        types.keys().copied().collect::<Vec<_>>(),
        ["ClusterManagement", "Disk", "LoadBalancer", "Network", "Node", "Shared"]
    );
    let common = "type,properties,labels,window,start,end,minutes,adjustment,totalCost";
    for (kind, extra) in [
        ("ClusterManagement", ""),
        ("Network", ""),
        ("Shared", ""),
        ("LoadBalancer", ",private,ip"),
        (
            "Disk",
            ",byteHours,bytes,byteHoursUsed,byteUsageMax,breakdown,storageClass,volumeName,claimName,claimNamespace",
        ),
    ] {
        assert_eq!(fields(types[kind]), names(&format!("{common}{extra}")), "{kind}");
    }
    let disk = &data["__undefined__/__undefined__/__undefined__/Storage/test/Disk/Kubernetes/vol-1/pv-web"];
    assert_eq!(
        (&disk["totalCost"], &disk["bytes"], &disk["claimName"], &disk["storageClass"]),
        (&json!(0.08), &json!(1e10), &json!("data-web"), &json!("gp3"))
    );
    let named = async |filter: &str| -> Vec<String> {
        let answer = get_rich(&format!("/assets?window={HOUR}&filter={filter}")).await.json();
        answer["data"]
            .as_object()
            .unwrap()
            .values()
            .map(|a| a["properties"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(named("assetType:%22disk%22").await, ["pv-web", "pv-old"]);
    assert_eq!(named("category:%22Network%22%2Bname!:%22internet%22").await, ["shop-dev/web"]);
    assert_eq!(named("team:%22data%22").await, ["pv-old"]);
    assert_eq!(named("provider:%22aws%22").await, ["n1", "n2"]);
}

#[tokio::test]
async fn filter_shows_rows_and_changes_none() {
    let rows = async |extra: &str| -> BTreeMap<String, Value> {
        let answer = get_rich(&format!(
            "/allocation?window={HOUR}&aggregate=namespace&shareIdle=true&shareSplit=weighted{extra}"
        ))
        .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        serde_json::from_value(answer.json()["data"][0].clone()).unwrap()
    };
    let all = rows("").await;
    let some = rows("&filter=namespace:%22shop-dev%22").await;
    assert_eq!(some.keys().collect::<Vec<_>>(), ["shop-dev"]);
    assert_eq!(some["shop-dev"], all["shop-dev"]);
    // A + that became a space on its way.
    assert_eq!(rows("&filter=namespace:%22shop-dev%22+controllerKind:%22deployment%22").await.len(), 1);
}

#[tokio::test]
async fn rows_come_page_by_page_and_as_csv() {
    let names = async |extra: &str| -> Vec<String> {
        let answer = get_rich(&format!("/allocation?window={HOUR}&aggregate=pod&includeIdle=true{extra}"))
            .await
            .json();
        answer["data"][0].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(
        names("").await,
        ["__idle__", "__overhead__", "__shared__", "__unmounted__", "web-1", "web-2"]
    );
    assert_eq!(names("&offset=1&limit=2").await, ["__overhead__", "__shared__"]);
    assert_eq!(names("&offset=9").await, Vec::<String>::new());
    let answer = get_rich(&format!("/allocation?window={HOUR}&aggregate=pod&format=csv")).await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<_> = answer.text.lines().collect();
    assert!(
        lines[0].starts_with("name,cluster,node,namespace,controllerKind,controller,pod,windowStart"),
        "{}",
        lines[0]
    );
    assert!(lines[0].ends_with(",sharedCost,externalCost,totalCost"), "{}", lines[0]);
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("web-2,test,n1,shop-dev,deployment,web,web-2,2026-03-02T01:00:00Z"))
    );
    assert!(
        lines.iter().any(
            |line| line.starts_with("__overhead__,test,,__overhead__,") && line.ends_with(",0.1,0.0,0.1")
        )
    );
}

#[tokio::test]
async fn compat_tells_numbers_as_opencost_does() {
    let rows = async |extra: &str| {
        let answer =
            get_rich(&format!("/allocation?window={HOUR}&aggregate=pod&includeIdle=true{extra}")).await;
        answer.json()["data"][0].clone()
    };
    let (exact, compat) = (rows("").await, rows("&compat=opencost").await);
    let keys: Vec<_> = compat.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["__idle__", "__unmounted__", "web-1", "web-2"], "no rows for overhead and fixed sums");
    // Half of the hour, of a volume that was there for all of it: half, counted twice.
    assert_eq!((&exact["web-1"]["pvCost"], &compat["web-1"]["pvCost"]), (&json!(0.04), &json!(0.02)));
    assert_eq!(compat["web-1"]["pvs"]["cluster=test:name=pv-web"]["cost"], json!(0.02));
    assert_eq!(exact["web-2"]["cpuCost"], json!(0.031_247_100_985));
    assert_eq!(compat["web-2"]["cpuCost"], json!(0.03125));
}

#[tokio::test]
async fn clients_of_kubecost_find_the_same_below_model() {
    for path in [
        "/allocation?window=today&aggregate=team",
        "/allocation/compute?window=today",
        "/allocation/summary?window=today",
        "/allocation/compute/summary?window=today",
        "/assets?window=today",
        "/assets?window=today&accumulate=true",
    ] {
        let (here, there) = (get(path).await, get(&format!("/model{path}")).await);
        assert_eq!((here.status, &here.text), (there.status, &there.text), "{path}");
        assert_eq!(here.status, 200, "{path}");
    }
    assert_eq!(get("/model/api/v1/status").await.status, 404);
    assert_eq!(get("/assets?window=today&accumulate=day").await.status, 400);
}

#[tokio::test]
async fn labels_that_rows_are_grouped_by_are_in_their_properties() {
    let answer = get("/allocation?window=today&aggregate=namespace,label:team,product").await.json();
    let rows = answer["data"][0].as_object().unwrap();
    let mut labelled = 0;
    for (name, row) in rows.iter().filter(|(name, _)| !name.contains("__overhead__")) {
        let [_, team, product] = name.split('/').collect::<Vec<_>>()[..] else { panic!("{name}") };
        let pairs = [("team", team), ("app", product)].into_iter().filter(|(_, of)| *of != "__unallocated__");
        let expected: BTreeMap<&str, &str> = pairs.collect();
        labelled += expected.len();
        let found = row["properties"]["labels"].as_object().cloned().unwrap_or_default();
        assert_eq!(json!(found), json!(expected), "{name}");
    }
    assert!(labelled > 0, "{:?}", rows.keys());
}

#[tokio::test]
async fn lines_have_as_many_parts_as_the_rows_beside_them() {
    let names = async |aggregate: &str| -> Vec<String> {
        let path = format!("/allocation?window=today&aggregate={aggregate}&includeIdle=true");
        let answer = get_rich(&path).await.json();
        let rows = answer["data"][0].as_object().unwrap().keys();
        rows.filter(|name| name.contains("__overhead__") || name.contains("__idle__")).cloned().collect()
    };
    assert_eq!(names("team").await, ["__idle__", "__overhead__"]);
    assert_eq!(names("cluster").await, ["__idle__", "__overhead__"]);
    assert_eq!(names("cluster,namespace").await, ["__idle__", "test/__overhead__"]);
    assert_eq!(
        names("namespace,controller,label:team").await,
        ["__idle__", "__overhead__/__overhead__/__overhead__"]
    );
}

#[tokio::test]
async fn filters_of_kubecost_before_it_had_a_language_say_the_same() {
    let rows = async |query: &str| -> Vec<String> {
        let answer = get(&format!("/allocation?window=today&aggregate=namespace,pod&{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        answer.json()["data"][0].as_object().unwrap().keys().cloned().collect()
    };
    let all = rows("filterNamespaces=&filterLabels=").await;
    assert_eq!(all, rows("").await);
    for (old, new) in [
        ("filterNamespaces=shop-dev", "filter=namespace:%22shop-dev%22"),
        (
            "filterNamespaces=shop-dev,nothing-*",
            "filter=namespace:%22shop-dev%22%7Cnamespace%3C~:%22nothing-%22",
        ),
        ("filterLabels=team:shop", "filter=label[team]:%22shop%22"),
        (
            "filterNamespaces=shop-*&filterControllerKinds=deployment&filter=pod:%22web-2%22",
            "filter=namespace%3C~:%22shop-%22%2BcontrollerKind:%22deployment%22%2Bpod:%22web-2%22",
        ),
    ] {
        let found = rows(old).await;
        assert_eq!(found, rows(new).await, "{old}");
        assert!(!found.is_empty() && found.len() < all.len(), "{old}: {found:?}");
    }
    let answer = get("/allocation?window=today&filterNamespaces=a%22b").await;
    assert_eq!(answer.status, 400, "{}", answer.text);
}
