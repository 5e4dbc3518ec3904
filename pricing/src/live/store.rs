//! The last good prices on disk, in a CSV of our own: what the daemon starts with, network or not.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use nightcap_core::cluster::{CapacityType, Provider};

use super::quote::{disk, instance, price_text};
use super::{Item, LiveError, Parsed, Quote, Rejected};

/// Below the data directory.
const FOLDER: &str = "prices";
const HEADER: [&str; 8] = ["provider", "region", "item", "name", "capacity", "usd", "as_of", "source"];

/// Where the copies lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Below a data directory.
    pub fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER) }
    }

    /// The file of a source.
    pub fn path(&self, source: &str) -> PathBuf {
        self.folder.join(format!("{source}.csv"))
    }

    /// What is known of a source; nothing if there is no file yet. A file that cannot be used stays where it is.
    pub fn load(&self, source: &str) -> Result<Parsed, LiveError> {
        let path = self.path(source);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Parsed::default()),
            Err(error) => return Err(disk_error(path, format!("cannot be read ({error}) and is not used"))),
        };
        parse(&text).map_err(|problem| {
            let then = "it is not used; the next refresh puts it aside as .broken and writes a new one";
            disk_error(path, format!("{problem}; {then}"))
        })
    }

    /// Writes all of a source's quotes, or nothing: a crash leaves the old file or the new one.
    pub fn save<'a>(&self, source: &str, quotes: impl Iterator<Item = &'a Quote>) -> Result<(), LiveError> {
        let path = self.path(source);
        let text = write(quotes).map_err(|problem| disk_error(path.clone(), problem))?;
        let replace = || -> std::io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            let unusable = fs::read_to_string(&path).is_ok_and(|old| parse(&old).is_err());
            if unusable {
                fs::rename(&path, path.with_extension("csv.broken"))?;
            }
            let temporary = path.with_extension("csv.new");
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        replace().map_err(|error| {
            disk_error(
                path.clone(),
                format!("cannot be written ({error}); the prices are kept in memory only"),
            )
        })
    }
}

fn disk_error(path: PathBuf, problem: String) -> LiveError {
    LiveError::Disk { path, problem }
}

/// Reads a copy; a broken line hurts only itself.
fn parse(text: &str) -> Result<Parsed, String> {
    let mut lines = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = lines.headers().map_err(|error| error.to_string())?;
    if !header.iter().eq(HEADER) {
        let shown: String = text.lines().next().unwrap_or_default().chars().take(80).collect();
        return Err(format!("its first line is {shown:?}, not {:?}", HEADER.join(",")));
    }
    let mut parsed = Parsed::default();
    for (index, line) in lines.records().enumerate() {
        let row = || format!("line {}", index + 2);
        match line {
            Ok(line) => match quote(&line.iter().collect::<Vec<_>>()) {
                Ok(quote) => parsed.quotes.push(quote),
                Err(reason) => parsed.rejected.push(Rejected::new(row(), reason)),
            },
            Err(error) => parsed.rejected.push(Rejected::new(row(), error.to_string())),
        }
    }
    Ok(parsed)
}

fn quote(fields: &[&str]) -> Result<Quote, String> {
    let [provider, region, item, name, capacity, usd, as_of, source] = *fields else {
        return Err(format!("it has {} fields, not {}", fields.len(), HEADER.len()));
    };
    let provider = match provider {
        "aws" => Provider::Aws,
        "azure" => Provider::Azure,
        "gcp" => Provider::Gcp,
        other => return Err(format!("{other:?} is no provider")),
    };
    let item = match (item, capacity) {
        ("instance", "on-demand") => instance(name, CapacityType::OnDemand),
        ("instance", "spot") => instance(name, CapacityType::Spot),
        ("disk", _) => disk(name),
        ("service", _) => Item::Service { service: name.into() },
        _ => return Err(format!("{item:?} {capacity:?} is nothing that has a price")),
    };
    if chrono::NaiveDate::parse_from_str(as_of, "%Y-%m-%d").is_err() || as_of.len() != 10 {
        return Err(format!("{as_of:?} is no day"));
    }
    let price = price_text(usd)?;
    Ok(Quote { provider, region: region.into(), item, price, as_of: as_of.into(), source: source.into() })
}

fn write<'a>(quotes: impl Iterator<Item = &'a Quote>) -> Result<String, String> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    let wrong = |error: csv::Error| error.to_string();
    lines.write_record(HEADER).map_err(wrong)?;
    for quote in quotes {
        let (item, name, capacity) = match &quote.item {
            Item::Instance { instance_type, capacity_type } => {
                ("instance", instance_type, capacity_type.to_string())
            }
            Item::Disk { storage_type } => ("disk", storage_type, String::new()),
            Item::Service { service } => ("service", service, String::new()),
        };
        let (provider, usd) = (quote.provider.to_string(), quote.price.exact().to_string());
        lines
            .write_record([
                &provider,
                &*quote.region,
                item,
                name,
                &capacity,
                &usd,
                &quote.as_of,
                &quote.source,
            ])
            .map_err(wrong)?;
    }
    let bytes = lines.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
