//! `OpenCost`'s API, by the field names of its reference and the law that rows and idle are the bill.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::get;
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
    gpuCount,ramCost,overhead";

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
    assert_eq!(fields(row), names(ROW_FIELDS));
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
            "/allocation?window=today&aggregate=container",
            "aggregate cannot be that (\"container\"): costs are kept per pod, not per container; use pod",
        ),
        (
            "/allocation?window=today&includeIdle=perhaps",
            "includeIdle is neither true nor false (\"perhaps\")",
        ),
        (
            "/allocation?window=today&accumulate=week",
            "accumulate is none of true, false and all (\"week\"): for hours, days or weeks use step=1h, step=1d or step=7d",
        ),
        (
            "/allocation?window=today&filter=namespace:x",
            "filter is not supported (\"namespace:x\"): aggregate by what you would filter by, and pick the row",
        ),
        (
            "/allocation/summary?window=today&shareIdle=some",
            "shareIdle is none of weighted, even and none (\"some\")",
        ),
        (
            "/assets?window=today&colour=red",
            "there is no such parameter (\"colour\"): known are window, filter",
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
