//! `prices lookup`, `list` and `refresh`: prices as such, without a daemon.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use nightcap_core::cluster::{CapacityType, NodeFacts, Provider};
use nightcap_core::money::{NodePrice, NodePricer};
use nightcap_core::units::{Bytes, Cpu, Gpu, PicoUsd, Resources};
use nightcap_pricing::live::store::Store;
use nightcap_pricing::live::{Item, Outcome, Refresher, Wanted, providers};
use nightcap_pricing::{CsvPrices, PriceBook};
use serde::Serialize;

use super::args::{Format, ListArgs, LookupArgs, OutputArgs, PriceFiles, RefreshArgs};
use super::failure::Failure;
use super::money::amount;
use super::table::{csv, numbers, render, words};
use crate::config::{Config, Flag, Raw, process_variables};
use crate::runtime::{Clock, surroundings};

/// A line of an answer.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct PriceLine {
    provider: Provider,
    region: String,
    name: String,
    capacity_type: String,
    /// `hour`, or `month` for disks.
    per: &'static str,
    usd: String,
    #[serde(skip)]
    pico: PicoUsd,
    confidence: String,
    source: String,
    date: String,
    reason: String,
}

/// The price a node of this type would get.
pub(super) fn lookup(args: &LookupArgs) -> Result<String, Failure> {
    let (_, book) = book(&args.files)?;
    let facts = NodeFacts {
        provider: args.provider.0,
        region: args.region.as_str().into(),
        instance_type: args.instance_type.as_str().into(),
        capacity_type: capacity_type(args.spot),
        os: "linux".into(),
        ..NodeFacts::default()
    };
    let shape = book.shape(args.provider.0, &args.instance_type);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cores, GiB and GPUs of a machine are small positive numbers"
    )]
    let capacity = shape.map_or_else(Resources::default, |shape| Resources {
        cpu: Cpu::from_cores(shape.vcpus as u64),
        memory: Bytes((shape.memory_gib * 1024.0) as u64 * (1 << 20)),
        gpu: Gpu::from_devices(shape.gpus as u64),
    });
    let NodePrice { hourly, confidence, source, reason, .. } = book.price(&facts, capacity);
    if hourly.0 == 0 && &*source.id == "default-rates" {
        return Err(Failure::failed(format!(
            "no price is known for {:?} of {} in {:?}: check the spelling, or `nightcap prices list` what there is",
            args.instance_type, args.provider.0, args.region
        )));
    }
    let pico = PicoUsd(i128::from(hourly.0));
    let line = PriceLine {
        provider: args.provider.0,
        region: args.region.clone(),
        name: args.instance_type.clone(),
        capacity_type: facts.capacity_type.to_string(),
        per: "hour",
        usd: pico.exact().to_string(),
        pico,
        confidence: confidence.to_string(),
        source: source.id.to_string(),
        date: source.date.to_string(),
        reason: reason.to_string(),
    };
    write(&[line], args.output)
}

/// The list prices there are: what was refreshed, and the embedded table.
pub(super) fn list(args: &ListArgs) -> Result<String, Failure> {
    let (_, book) = book(&args.files)?;
    let wanted = |provider: Provider, region: &str, name: &str| {
        args.provider.is_none_or(|wanted| wanted.0 == provider)
            && args.region.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(region))
            && args
                .instance_type
                .as_deref()
                .is_none_or(|wanted| name.to_ascii_lowercase().starts_with(&wanted.to_ascii_lowercase()))
    };
    let mut lines: Vec<PriceLine> = book
        .quotes()
        .iter()
        .map(quote_line)
        .filter(|line| wanted(line.provider, &line.region, &line.name))
        .collect();
    let offers = book.offers().filter(|offer| {
        let quoted =
            book.quotes().instance(offer.provider, offer.region, offer.instance_type, offer.capacity_type);
        quoted.is_none() && wanted(offer.provider, offer.region, offer.instance_type)
    });
    lines.extend(offers.map(|offer| {
        let pico = PicoUsd(i128::from(offer.hourly.0));
        PriceLine {
            provider: offer.provider,
            region: offer.region.to_owned(),
            name: offer.instance_type.to_owned(),
            capacity_type: offer.capacity_type.to_string(),
            per: "hour",
            usd: pico.exact().to_string(),
            pico,
            confidence: offer.confidence.to_string(),
            source: offer.source.id.to_string(),
            date: offer.source.date.to_string(),
            reason: String::new(),
        }
    }));
    if lines.is_empty() {
        return Err(Failure::failed(
            "no list price is known for that: leave out --region or --type to see more",
        ));
    }
    write(&lines, args.output)
}

fn quote_line(quote: &nightcap_pricing::live::Quote) -> PriceLine {
    let (name, capacity_type, per) = match &quote.item {
        Item::Instance { instance_type, capacity_type } => (instance_type, capacity_type.to_string(), "hour"),
        Item::Disk { storage_type } => (storage_type, String::new(), "month"),
        Item::Service { service } => (service, String::new(), "hour"),
    };
    PriceLine {
        provider: quote.provider,
        region: quote.region.to_string(),
        name: name.to_string(),
        capacity_type,
        per,
        usd: quote.price.exact().to_string(),
        pico: quote.price,
        confidence: "list".to_owned(),
        source: quote.source.to_string(),
        date: quote.as_of.to_string(),
        reason: String::new(),
    }
}

/// Asks a provider now, and keeps the answer where the daemon finds it.
pub(super) async fn refresh(args: &RefreshArgs) -> Result<String, Failure> {
    let clock = Clock::system();
    let (config, book) = book(&args.files)?;
    let mut settings = config.prices.live.clone();
    // Who is asked for by name is asked, switched on or not.
    settings.aws.enabled = args.provider.0 == Provider::Aws;
    settings.azure.enabled = args.provider.0 == Provider::Azure;
    settings.gcp.enabled = args.provider.0 == Provider::Gcp;
    let (sources, problems) = providers(&settings, &surroundings(&book, &clock));
    if let Some(problem) = problems.first() {
        return Err(Failure::failed(problem.to_string()));
    }
    if sources.is_empty() {
        return Err(Failure::usage(format!(
            "{} has no prices to ask for: use aws, azure or gcp",
            args.provider.0
        )));
    }
    let types = || args.instance_types.iter().map(|name| Arc::from(name.as_str())).collect();
    let wanted = Wanted {
        provider: args.provider.0,
        region: args.region.as_str().into(),
        on_demand: types(),
        spot: if args.spot { types() } else { BTreeSet::new() },
        disks: true,
    };
    let store = config.data_dir.as_deref().map(Store::new);
    let (mut refresher, unusable) = Refresher::new(sources, store.clone());
    for problem in &unusable {
        warn(&problem.to_string());
    }
    let outcomes = refresher.refresh(&[wanted], clock.now()).await;
    for outcome in &outcomes {
        let problems = outcome.rejected.iter().map(ToString::to_string);
        let failures = outcome.failures.iter().map(|(region, problem)| format!("{region}: {problem}"));
        let not_saved = outcome.not_saved.iter().map(ToString::to_string);
        for problem in problems.chain(failures).chain(not_saved) {
            warn(&problem);
        }
    }
    let fetched: usize = outcomes.iter().map(|outcome| outcome.fetched).sum();
    if fetched == 0 || !outcomes.iter().all(Outcome::is_complete) {
        return Err(Failure::failed(format!(
            "{fetched} prices came, not all that were asked for; what was known before stays in force"
        )));
    }
    let lines: Vec<PriceLine> = refresher
        .quotes()
        .iter()
        .filter(|quote| *quote.region == *args.region && quote.provider == args.provider.0)
        .map(quote_line)
        .collect();
    write(&lines, args.output)
}

fn warn(problem: &str) {
    use std::io::Write as _;
    // Nothing is left to tell a broken pipe to.
    let _ = writeln!(std::io::stderr(), "nightcap: {}", super::table::plain(problem));
}

/// The configuration, and the book as the daemon would have it at its start.
fn book(files: &PriceFiles) -> Result<(Config, PriceBook), Failure> {
    let data_dir = files.data_dir.as_deref().map(|path: &Path| Flag {
        flag: "--data-dir",
        path: "data_dir",
        value: path.to_string_lossy().into_owned(),
    });
    let flags: Vec<Flag> = data_dir.into_iter().collect();
    let config = Raw::read(files.config.as_deref(), process_variables(), &flags)
        .and_then(|raw| Config::validate(&raw))
        .map_err(|error| Failure::usage(error.to_string()))?;
    let mut book = PriceBook::embedded(&config.prices).map_err(|error| Failure::failed(error.to_string()))?;
    if let Some(path) = &config.prices.csv {
        let (csv, rejected) = CsvPrices::read(path).map_err(|error| Failure::failed(error.to_string()))?;
        for rejected in &rejected {
            warn(&format!("{}: {rejected}", path.display()));
        }
        book = book.with_csv(csv);
    }
    if let Some(data_dir) = &config.data_dir {
        let store = Store::new(data_dir);
        let mut quotes = Vec::new();
        for source in nightcap_pricing::live::SOURCES {
            match store.load(source) {
                Ok(parsed) => quotes.extend(parsed.quotes),
                Err(problem) => warn(&problem.to_string()),
            }
        }
        book = book.with_quotes(&quotes.into_iter().collect(), Clock::system().now());
    }
    Ok((config, book))
}

const fn capacity_type(spot: bool) -> CapacityType {
    if spot { CapacityType::Spot } else { CapacityType::OnDemand }
}

pub(super) fn write(lines: &[PriceLine], args: OutputArgs) -> Result<String, Failure> {
    match args.output {
        Format::Json => serde_json::to_string(lines)
            .map(|json| json + "\n")
            .map_err(|error| Failure::failed(format!("cannot write the answer as JSON: {error}"))),
        Format::Csv => csv(
            &[
                "provider",
                "region",
                "name",
                "capacity_type",
                "per",
                "usd",
                "confidence",
                "source",
                "date",
                "reason",
            ],
            lines.iter().map(|line| {
                vec![
                    line.provider.to_string(),
                    line.region.clone(),
                    line.name.clone(),
                    line.capacity_type.clone(),
                    line.per.to_owned(),
                    line.usd.clone(),
                    line.confidence.clone(),
                    line.source.clone(),
                    line.date.clone(),
                    line.reason.clone(),
                ]
            }),
        ),
        Format::Table => {
            let columns = [
                words("PROVIDER"),
                words("REGION"),
                words("NAME"),
                words("BOUGHT"),
                numbers("USD"),
                words("PER"),
                words("CONFIDENCE"),
                words("SOURCE"),
                words("HOW IT WAS FOUND"),
            ];
            let known = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
            let rows: Vec<Vec<String>> = lines
                .iter()
                .map(|line| {
                    let source = if line.date.is_empty() {
                        line.source.clone()
                    } else {
                        format!("{} of {}", line.source, line.date)
                    };
                    vec![
                        line.provider.to_string(),
                        known(&line.region),
                        line.name.clone(),
                        known(&line.capacity_type),
                        amount(line.pico),
                        line.per.to_owned(),
                        line.confidence.clone(),
                        source,
                        known(&line.reason),
                    ]
                })
                .collect();
            Ok(render(&columns, &rows, None))
        }
    }
}
