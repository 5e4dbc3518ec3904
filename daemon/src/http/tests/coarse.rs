//! Answers out of a history in which only days are left say so.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use chrono_tz::Tz;
use nightcap_core::engine::{Engine, Settings};
use nightcap_core::units::{Instant, Millis, parse_rfc3339};
use nightcap_history::{Archive, Retention};

use super::ask;
use crate::api::{CostReport, Money};
use crate::http::{AppState, OpenAccess};
use crate::test_cluster;

const DAY: &str = "2026-03-02T00:00:00Z,2026-03-03T00:00:00Z";
const PARTS: [&str; 3] = [
    "2026-03-02T00:00:00Z,2026-03-02T01:00:00Z",
    "2026-03-02T01:00:00Z,2026-03-02T05:00:00Z",
    "2026-03-02T05:00:00Z,2026-03-03T00:00:00Z",
];

fn later() -> Instant {
    parse_rfc3339("2026-03-06T00:00:00Z").unwrap()
}

/// A day of which the hours are gone.
fn write(folder: &Path) -> Archive {
    let archive = Archive::open(folder, "test").unwrap();
    let snapshot = test_cluster::engine().snapshot(test_cluster::now());
    let day = parse_rfc3339("2026-03-02T00:00:00Z").unwrap();
    let closed: Vec<_> = snapshot.hours.iter().filter(|hour| !hour.open && hour.start >= day).collect();
    assert!(closed.len() > 4);
    for hour in closed {
        archive.write_hour(hour).unwrap();
    }
    archive
        .keep_up(later(), &Retention { hourly: Millis::from_hours(48), daily: Millis::from_hours(240) })
        .unwrap();
    archive
}

/// What a user who types it sees.
fn typed(folder: &Path, window: &str, output: &str) -> String {
    let folder = folder.to_str().unwrap();
    let line = ["nightcap", "cost", "--data-dir", folder, "--window", window, "-o", output];
    crate::cli::answer(line.map(Into::into)).unwrap()
}

fn report(folder: &Path, window: &str) -> CostReport {
    serde_json::from_str(&typed(folder, window, "json")).unwrap()
}

#[test]
fn a_part_of_a_day_is_coarse_and_the_whole_is_not() {
    let folder = tempfile::tempdir().unwrap();
    drop(write(folder.path()));
    let whole = report(folder.path(), DAY);
    let parts = PARTS.map(|part| report(folder.path(), part));
    assert!(whole.steps[0].total > Money::default());
    assert_eq!(
        (whole.steps[0].coarse, parts.each_ref().map(|part| part.steps[0].coarse)),
        (false, [true; 3])
    );
    assert_eq!(parts.iter().map(|part| part.steps[0].total).sum::<Money>(), whole.steps[0].total);

    let marks = |window| {
        let text = typed(folder.path(), window, "csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let nth = reader.headers().unwrap().iter().position(|name| name == "coarse").unwrap();
        let marks: Vec<String> = reader.records().map(|row| row.unwrap()[nth].to_owned()).collect();
        assert!(!marks.is_empty());
        marks
    };
    assert!(marks(DAY).iter().all(|mark| mark == "false"));
    assert!(marks(PARTS[1]).iter().all(|mark| mark == "true"));

    let note = "Coarse: hours that are not kept any more count in proportion to time, out of their days.\n";
    assert!(!typed(folder.path(), DAY, "table").contains(note));
    assert!(typed(folder.path(), PARTS[1], "table").contains(note));
}

#[tokio::test]
async fn the_opencost_api_warns() {
    let folder = tempfile::tempdir().unwrap();
    let archive = write(folder.path());
    let nothing =
        Engine::new(Settings { cluster: "test".into(), ..Settings::new(Instant(0)) }).snapshot(later());
    let state = AppState::new(test_cluster::handle_of(nothing), Arc::new(OpenAccess), Tz::UTC)
        .with_history(Some(Arc::new(archive)));
    let warning = async |path: &str, window: &str| {
        let request = Request::get(format!("{path}?window={window}")).body(Body::empty()).unwrap();
        ask(&state, request).await.json()["warning"].as_str().unwrap_or_default().to_owned()
    };
    let told = "part of the window is known by the day only";
    for path in ["/allocation", "/allocation/summary"] {
        assert!(warning(path, PARTS[1]).await.contains(told), "{path}");
        assert!(!warning(path, DAY).await.contains(told), "{path}");
    }
}
