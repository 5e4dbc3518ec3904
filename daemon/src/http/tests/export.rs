//! `/api/v1/cost` and `/api/v1/export` over a bill with everything on it.

use nightcap_history::{Cells, Kind, read_parquet};

use super::get_rich;
use crate::api::{CostReport, CostRow, CostStep, Money, RowKind};
use crate::export::{FOCUS_COLUMNS, FOCUS_VERSION};

const HOUR: &str = "2026-03-02T01:00:00Z,2026-03-02T02:00:00Z";

async fn report(query: &str) -> CostReport {
    let answer = get_rich(&format!("/api/v1/cost?window={HOUR}&{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

/// A CSV's head and its rows.
async fn csv(query: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let answer = get_rich(&format!("/api/v1/export?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let cells = |record: &csv::StringRecord| record.iter().map(ToOwned::to_owned).collect();
    let head = cells(reader.headers().unwrap());
    let rows = reader.records().map(|record| cells(&record.unwrap())).collect();
    (head, rows)
}

fn column(head: &[String], name: &str) -> usize {
    head.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}"))
}

#[tokio::test]
async fn rows_tell_every_part_and_the_lines_of_their_own() {
    let report = report("by=namespace&idle=true").await;
    let step = &report.steps[0];
    let kinds: Vec<_> = step.rows.iter().map(|row| (row.name.as_str(), row.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("data", RowKind::Group),
            ("shop-dev", RowKind::Group),
            ("__idle__", RowKind::Idle),
            ("__shared__", RowKind::Shared),
            ("__overhead__", RowKind::Overhead),
        ]
    );
    assert_eq!(step.rows.iter().map(|row| row.cost).sum::<Money>(), step.total);
    for row in &step.rows {
        let parts = [
            row.cpu_cost,
            row.memory_cost,
            row.gpu_cost,
            row.storage_cost,
            row.load_balancer_cost,
            row.network_zone_cost,
            row.network_region_cost,
            row.network_internet_cost,
            row.control_plane_cost,
            row.fixed_cost,
            row.idle_share_cost,
            row.shared_share_cost,
            row.overhead_share_cost,
        ];
        assert_eq!(parts.into_iter().sum::<Money>(), row.cost, "{}", row.name);
    }
    let shop = &step.rows[1];
    assert_eq!(
        (
            shop.storage_cost.to_string(),
            shop.load_balancer_cost.to_string(),
            shop.network_internet_cost.to_string()
        ),
        ("0.08".to_owned(), "0.025".to_owned(), "0.06".to_owned())
    );
    assert_eq!((step.shared.to_string(), step.overhead.to_string()), ("0.5".to_owned(), "0.1".to_owned()));
}

#[tokio::test]
async fn what_is_asked_for_is_spread_filtered_and_ranked() {
    let spread =
        report("by=namespace&idle=true&share_idle=weighted&share_shared=even&share_overhead=weighted").await;
    let step = &spread.steps[0];
    // No pod held the GPU in this hour, so that nobody can be charged for it.
    assert_eq!(
        step.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
        ["data", "shop-dev", "__idle__"]
    );
    assert_eq!(spread.warnings[0], "the rows include shares of idle, shared, overhead cost, as asked");
    assert_eq!(step.rows.iter().map(|row| row.cost).sum::<Money>(), step.total);

    let some = report(
        "by=namespace&share_idle=weighted&share_shared=even&share_overhead=weighted&filter=namespace:%22shop-dev%22",
    )
    .await;
    assert_eq!(some.steps[0].rows, [step.rows[1].clone()]);
    assert_eq!(some.steps[0].rows[0].cost + some.steps[0].filtered, step.total);

    let top = report("by=pod&top=1&shared_namespaces=dat*").await;
    let rows: Vec<_> = top.steps[0].rows.iter().map(|row| (row.name.as_str(), row.groups)).collect();
    assert_eq!(
        rows,
        [("web-1", 1), ("__others__", 1), ("__shared__", 0), ("__overhead__", 0), ("__unmounted__", 0)]
    );
}

#[tokio::test]
async fn steps_follow_the_calendar_of_the_reader() {
    let answer = get_rich("/api/v1/cost?window=today&step=day&timezone=Asia/Kolkata").await;
    let report: CostReport = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(report.window.start.to_rfc3339(), "2026-03-01T18:30:00Z");
    assert_eq!(report.steps.len(), 1);
    let answer = get_rich(
        "/api/v1/cost?window=2026-03-02T00:00:00Z,2026-03-02T10:00:00Z&step=day&timezone=America/Chicago",
    )
    .await;
    let report: CostReport = serde_json::from_str(&answer.text).unwrap();
    let edges: Vec<_> = report.steps.iter().map(|step| step.window.start.to_rfc3339()).collect();
    assert_eq!(edges, ["2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z"]);
}

#[tokio::test]
async fn exports_add_up_to_the_bill() {
    let bill = report("by=cluster").await.steps[0].total;
    let sum = |head: &[String], rows: &[Vec<String>], name: &str| -> Money {
        let column = column(head, name);
        rows.iter().map(|row| row[column].parse::<Money>().unwrap()).sum()
    };
    let (head, rows) = csv(&format!("window={HOUR}&format=csv")).await;
    assert_eq!(head[..4], ["window_start", "window_end", "namespace", "controller"]);
    assert_eq!(sum(&head, &rows, "cost_usd"), bill);
    for by in ["namespace,controller", "team", "pod,node"] {
        for more in ["", "&share_idle=even&share_shared=weighted", "&top=1"] {
            let (head, rows) = csv(&format!("window={HOUR}&format=focus&by={by}{more}")).await;
            for name in ["BilledCost", "EffectiveCost", "ListCost", "ContractedCost"] {
                assert_eq!(sum(&head, &rows, name), bill, "{by} {more}");
            }
        }
    }
    let answer = get_rich(&format!("/api/v1/export?window={HOUR}&format=json")).await;
    let exported: CostReport = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(exported.steps.iter().map(|step| step.total).sum::<Money>(), bill);
    let answer = get_rich("/api/v1/export?format=xml").await;
    assert_eq!(answer.code(), (400, "bad-value".to_owned()));
}

#[tokio::test]
async fn focus_row_is_as_the_specification_has_it() {
    let (head, rows) = csv(&format!("window={HOUR}&format=focus&by=namespace,pod")).await;
    assert_eq!(head, FOCUS_COLUMNS);
    let row = rows
        .iter()
        .find(|row| row[column(&head, "ChargeDescription")] == "CPU of shop-dev/web-1")
        .expect("web-1 has CPU");
    let told: Vec<(&str, &str)> = head
        .iter()
        .zip(row)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let cost = row[column(&head, "BilledCost")].as_str();
    assert_eq!(
        told,
        [
            ("AvailabilityZone", "eu-central-1a"),
            ("BilledCost", cost),
            ("BillingAccountId", "test"),
            ("BillingAccountName", "test"),
            ("BillingAccountType", "Kubernetes cluster"),
            ("BillingCurrency", "USD"),
            ("BillingPeriodEnd", "2026-04-01T00:00:00Z"),
            ("BillingPeriodStart", "2026-03-01T00:00:00Z"),
            ("ChargeCategory", "Usage"),
            ("ChargeDescription", "CPU of shop-dev/web-1"),
            ("ChargeFrequency", "Usage-Based"),
            ("ChargePeriodEnd", "2026-03-02T02:00:00Z"),
            ("ChargePeriodStart", "2026-03-02T01:00:00Z"),
            ("ConsumedQuantity", "1"),
            ("ConsumedUnit", "Core Hours"),
            ("ContractedCost", cost),
            ("EffectiveCost", cost),
            ("InvoiceIssuerName", "Nightcap"),
            ("ListCost", cost),
            ("PricingCategory", "Standard"),
            ("PricingQuantity", "1"),
            ("PricingUnit", "Core Hours"),
            ("ProviderName", "AWS"),
            ("PublisherName", "Nightcap"),
            ("RegionId", "eu-central-1"),
            ("RegionName", "eu-central-1"),
            ("ResourceId", "test/shop-dev/web-1"),
            ("ResourceName", "shop-dev/web-1"),
            ("ResourceType", "Pod"),
            ("ServiceCategory", "Compute"),
            ("ServiceName", "Kubernetes nodes"),
            ("ServiceSubcategory", "Containers"),
            ("SubAccountId", "shop-dev"),
            ("SubAccountName", "shop-dev"),
            ("SubAccountType", "Kubernetes namespace"),
            ("Tags", r#"{"namespace":"shop-dev","owner":"shop-leads","pod":"web-1","team":"shop"}"#),
            ("x_Cluster", "test"),
            ("x_Component", "CPU"),
            ("x_Node", "n1"),
            ("x_Owner", "shop-leads"),
            ("x_Pod", "web-1"),
            ("x_Prorated", "false"),
            ("x_Provisional", "false"),
            ("x_Space", "shop-dev"),
            ("x_Team", "shop"),
            ("x_Late", "false"),
            ("x_WorkloadKind", "Deployment"),
            ("x_WorkloadName", "web"),
        ]
    );
}

#[test]
fn docs_name_every_column_of_focus() {
    let docs = include_str!("../../../../docs/exports.md");
    assert!(docs.contains(&format!("FOCUS {FOCUS_VERSION}")));
    for name in FOCUS_COLUMNS {
        assert!(docs.contains(&format!("`{name}`")), "docs/exports.md does not name {name}");
    }
}

/// The name of a column, and its amount in a row.
type Amount = (&'static str, fn(&CostRow) -> Money);

#[tokio::test]
async fn parquet_is_the_json_of_the_same_question_to_the_pico_dollar() {
    let query = format!("window={HOUR}&by=namespace,label:team&idle=true&share_shared=weighted&step=30m");
    let answer = get_rich(&format!("/api/v1/export?{query}&format=parquet")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let header = |name: &str| answer.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "application/vnd.apache.parquet");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"nightcap-cost-test-20260302T010000Z-20260302T020000Z.parquet\""
    );

    let told = get_rich(&format!("/api/v1/export?{query}&format=json")).await;
    let told: CostReport = serde_json::from_str(&told.text).unwrap();
    let rows: Vec<(&CostStep, &CostRow)> =
        told.steps.iter().flat_map(|step| step.rows.iter().map(move |row| (step, row))).collect();
    assert_eq!(told.steps.len(), 2);
    assert!(rows.len() > 6, "{rows:?}");
    let amounts: [Amount; 14] = [
        ("cost_usd", |row| row.cost),
        ("cpu_cost_usd", |row| row.cpu_cost),
        ("memory_cost_usd", |row| row.memory_cost),
        ("gpu_cost_usd", |row| row.gpu_cost),
        ("storage_cost_usd", |row| row.storage_cost),
        ("load_balancer_cost_usd", |row| row.load_balancer_cost),
        ("network_zone_cost_usd", |row| row.network_zone_cost),
        ("network_region_cost_usd", |row| row.network_region_cost),
        ("network_internet_cost_usd", |row| row.network_internet_cost),
        ("control_plane_cost_usd", |row| row.control_plane_cost),
        ("fixed_cost_usd", |row| row.fixed_cost),
        ("idle_share_cost_usd", |row| row.idle_share_cost),
        ("shared_share_cost_usd", |row| row.shared_share_cost),
        ("overhead_share_cost_usd", |row| row.overhead_share_cost),
    ];
    let read =
        |name: &str, kind: Kind| read_parquet(answer.bytes.clone(), &[(name, kind)]).unwrap().remove(0).cells;
    for (name, of) in amounts {
        let Cells::Money(found) = read(name, Kind::Money) else { panic!("{name} is no money") };
        assert_eq!(found, rows.iter().map(|(_, row)| of(row).0).collect::<Vec<_>>(), "{name}");
    }
    let Cells::Money(costs) = read("cost_usd", Kind::Money) else { panic!("cost_usd is no money") };
    assert_eq!(Money(costs.into_iter().sum()), told.steps.iter().map(|step| step.total).sum());
    let Cells::Text(namespaces) = read("namespace", Kind::Text) else { panic!("namespace is no text") };
    let names =
        rows.iter().map(|(_, row)| Some(row.key.get("namespace").map_or(row.name.as_str(), String::as_str)));
    assert_eq!(
        namespaces.iter().map(|text| text.map(|text| &**text)).collect::<Vec<_>>(),
        names.collect::<Vec<_>>()
    );
    let Cells::Number(hours) = read("cpu_core_hours", Kind::Number) else { panic!("no numbers") };
    assert_eq!(hours, rows.iter().map(|(_, row)| row.cpu_core_hours).collect::<Vec<_>>());
    let Cells::Instant(starts) = read("window_start", Kind::Instant) else { panic!("no instants") };
    assert_eq!(starts, rows.iter().map(|(step, _)| step.window.start).collect::<Vec<_>>());
    let Cells::Flag(marks) = read("prorated", Kind::Flag) else { panic!("no marks") };
    assert_eq!(marks, rows.iter().map(|(_, row)| row.prorated).collect::<Vec<_>>());
}

#[tokio::test]
async fn parquet_of_no_row_has_its_columns() {
    let none = "window=2026-03-01T01:00:00Z,2026-03-01T01:00:00Z&by=team&format=parquet";
    let answer = get_rich(&format!("/api/v1/export?{none}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let read = read_parquet(answer.bytes, &[("team", Kind::Text), ("cost_usd", Kind::Money)]).unwrap();
    assert_eq!(read.iter().map(|column| column.cells.len()).collect::<Vec<_>>(), [0, 0]);
}
