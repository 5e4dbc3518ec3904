//! What the daemon's readers wait for, and the memory it takes meanwhile: questions over 30 days × 10,000 pods from
//! Parquet, `/allocation` of a day by pod, `/metrics`, all through HTTP, all in one run.
//!
//! `make bench`; figures and how to read them are in docs/benchmarks.md. With `--test`, as `cargo test` runs it, a small
//! cluster and two days only, to see that it runs. The month behind is written by a process of its own: a daemon that
//! has been running for a month has long given that memory back.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant as Monotonic};

use nightcap::http::{AppState, OpenAccess, router};
use nightcap::runtime::{Actor, Clock, Handle, bind, run_engine, serve};
use nightcap_core::engine::{Action, Engine, Settings};
use nightcap_core::units::{Instant, Millis};
use nightcap_history::{Archive, Retention};
use nightcap_pricing::{PriceBook, PriceSettings};
use nightcap_sim::{World, history, scale};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Sunday, 1 March 2026, 00:00 UTC.
const START: Instant = Instant(1_772_323_200_000);
/// What the daemon itself has seen before it is asked: two closed hours, and an open one full of samples.
const SEEN: Millis = Millis::from_minutes(130);
/// Times each question is asked; the median is shown.
const TIMES: usize = 11;
const CLUSTER: &str = "bench";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (days, pods) =
        if arguments.iter().any(|argument| argument == "--test") { (2, 300) } else { (30, 10_000) };
    if let Some(at) = arguments.iter().position(|argument| argument == "--write") {
        return write(Path::new(&arguments[at + 1]), days, pods);
    }
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let root = folder.path().join("history");
    let mut writer = Command::new(&arguments[0]);
    writer.arg("--write").arg(&root).args(arguments.iter().filter(|argument| *argument == "--test"));
    assert!(writer.status().expect("this program can be run").success());
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(ask(&root, days, pods));
}

/// An engine and a world that begin at `from`.
fn begin(pods: usize, seed: u64, from: Instant, scrape: Millis) -> (Engine, World) {
    let mut settings = Settings::new(from);
    settings.cluster = CLUSTER.into();
    settings.scrape_interval = scrape;
    let mut world = World::new(scale::spec(pods), seed, from);
    world.scrape_every(scrape);
    (Engine::new(settings), world)
}

fn prices() -> PriceBook {
    PriceBook::embedded(&PriceSettings::default()).expect("the tables are embedded")
}

/// The month behind: the simulated cluster's own days, with a usage sample of every pod each quarter of an hour.
fn write(root: &Path, days: i64, pods: usize) {
    const SCRAPE: Millis = Millis::from_minutes(15);
    let archive = Archive::open(root, CLUSTER).expect("the folder can be written");
    let prices = prices();
    let began = Monotonic::now();
    for day in 0..days {
        // A day is a life of its own: what is behind it is in the archive.
        let from = START + Millis::from_hours(24 * day);
        let to = from + Millis::DAY;
        let (mut engine, mut world) = begin(pods, u64::try_from(day).unwrap_or_default(), from, SCRAPE);
        for hour in 0..24 {
            let from = from + Millis::from_hours(hour);
            history::run(&mut engine, &mut world, &prices, from, from + Millis::HOUR, SCRAPE);
            keep(&archive, &mut engine, from + Millis::HOUR, to);
        }
        history::run(&mut engine, &mut world, &prices, to, to + SCRAPE, SCRAPE);
        keep(&archive, &mut engine, to + SCRAPE, to);
        archive.keep_up(to + Millis::from_hours(3), &Retention::default()).expect("there is room");
    }
    let bytes = archive.size_bytes().expect("it can be listed") as f64;
    let pod_days = f64::from(u32::try_from(days).unwrap_or(1)) * pods as f64;
    println!("{days} days of {pods} pods written in {:.0} s", began.elapsed().as_secs_f64());
    println!("  a pod's day            {:>8.0} B", bytes / pod_days);
}

/// Writes the hours that are closed and not written yet.
fn keep(archive: &Archive, engine: &mut Engine, now: Instant, end: Instant) {
    for hour in engine.snapshot(now).hours.iter().filter(|hour| !hour.open && hour.start < end) {
        let window = nightcap_core::units::Window::new(hour.start, hour.start + Millis::HOUR);
        if archive.kept(window).expect("it can be listed").is_empty() {
            archive.write_hour(hour).expect("there is room");
        }
    }
}

/// The daemon acts on nobody here.
struct Nobody;

impl Actor for Nobody {
    fn perform(&mut self, _: Action) {}
}

async fn ask(root: &Path, days: i64, pods: usize) {
    let end = START + Millis::from_hours(24 * days);
    let now = end + SEEN;
    let prices = Arc::new(prices());
    let (mut engine, mut world) = begin(pods, 1, end, Millis::MINUTE);
    history::run(&mut engine, &mut world, &*prices, end, now, Millis::MINUTE);
    drop(world); // its memory is given back before anything is weighed
    let clock = Clock::simulated(now, 1);
    let (inputs, queue) = mpsc::channel(1_024);
    let handle = Handle::new(inputs, clock.clone());
    let stop = CancellationToken::new();
    let engine = tokio::spawn(run_engine(engine, queue, prices, clock, Nobody, stop.clone()));
    let archive = Archive::open(root, CLUSTER).expect("it was just written");
    let state =
        AppState::new(handle, Arc::new(OpenAccess), chrono_tz::UTC).with_history(Some(Arc::new(archive)));
    let listener = bind(([127, 0, 0, 1], 0).into()).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let http = tokio::spawn(serve(listener, router(state), stop.clone()));

    println!(
        "{days} days × {pods} pods, through HTTP: first, median of {TIMES}; size; memory so far, and at most"
    );
    println!("  before any question        {}", memory());
    let month = format!("{},{}", START.to_rfc3339(), end.to_rfc3339());
    let day = format!("{},{}", (end - Millis::DAY).to_rfc3339(), end.to_rfc3339());
    let hour = format!("{},{}", end.to_rfc3339(), (end + Millis::HOUR).to_rfc3339());
    let client = reqwest::Client::new();
    for (name, path) in [
        ("/metrics", "/metrics".to_owned()),
        ("month by team", format!("/api/v1/cost?by=team&window={month}")),
        ("month by space", format!("/api/v1/cost?by=space&window={month}")),
        ("month by team, per day", format!("/api/v1/cost?by=team&step=1d&window={month}")),
        ("/allocation, hour by pod", format!("/allocation?aggregate=pod&window={hour}")),
        ("/allocation, hour by space", format!("/allocation?aggregate=namespace&window={hour}")),
        ("/allocation, day by pod", format!("/allocation?aggregate=pod&accumulate=true&window={day}")),
        ("/metrics again", "/metrics".to_owned()),
    ] {
        let url = format!("http://{address}{path}");
        let mut times = Vec::new();
        let mut size = 0;
        for _ in 0..TIMES {
            let began = Monotonic::now();
            let answer = client.get(&url).send().await.expect("it answers");
            assert!(answer.status().is_success(), "{url}: {}", answer.text().await.unwrap_or_default());
            size = answer.bytes().await.expect("it answers whole").len();
            times.push(began.elapsed());
        }
        println!(
            "  {name:<26} {:>6.0} {:>6.0} ms {:>7.1} MB {}",
            ms(times[0]),
            ms(median(times)),
            size as f64 / 1e6,
            memory()
        );
    }
    stop.cancel();
    engine.await.expect("the engine ends well");
    http.await.expect("the server ends well").expect("the server ends well");
}

/// Resident memory now, and at most so far.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| -> f64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        let kib: f64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
        kib / 1024.0
    };
    format!("{:>5.0} {:>5.0} MiB", of("VmRSS"), of("VmHWM"))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
