//! Own prices in a CSV with the columns of OpenCost's custom pricing: by machine, by region and type, by GPU, by volume.

use std::collections::BTreeMap;
use std::path::Path;

use nightcap_core::cluster::{Node, NodeFacts};
use nightcap_core::units::PicoUsd;

use crate::live::price_text;
use crate::live::{LiveError, Rejected};
use crate::usual::MAX_HOURLY_USD;

/// What a line needs; `EndTimestamp` and `Version` may be missing.
const NEEDED: [&str; 6] =
    ["InstanceID", "Region", "AssetClass", "InstanceIDField", "InstanceType", "MarketPriceHourly"];
/// How a node's label is named in `InstanceIDField`.
const LABEL: &str = "metadata.labels.";

/// A price of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    /// The line number, the header being 1.
    number: usize,
    hourly: PicoUsd,
    /// `EndTimestamp` as written; of two lines for one thing the later counts.
    end: String,
}

/// The prices of such a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CsvPrices {
    /// Field and value to price: a machine.
    nodes: BTreeMap<(String, String), Line>,
    /// Region and instance type, in lower case, to prices: the mean counts.
    classes: BTreeMap<(String, String), Vec<PicoUsd>>,
    /// Label and value, in lower case, to the price of one GPU.
    gpus: BTreeMap<(String, String), Line>,
    /// Volume name or storage class to the price of a GiB.
    volumes: BTreeMap<String, Line>,
}

/// A price the file has.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct CsvPrice {
    pub(crate) hourly_usd: f64,
    pub(crate) reason: String,
    pub(crate) date: String,
}

impl CsvPrices {
    /// Reads a file. Lines that cannot be used are returned beside it; a file that cannot be read is an error.
    pub fn read(path: &Path) -> Result<(Self, Vec<Rejected>), LiveError> {
        let wrong = |problem: String| LiveError::Disk { path: path.to_owned(), problem };
        let text =
            std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        Self::parse(&text).map_err(wrong)
    }

    /// The same, of a text.
    pub fn parse(text: &str) -> Result<(Self, Vec<Rejected>), String> {
        let mut lines = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let header = lines.headers().map_err(|error| error.to_string())?.clone();
        let column = |name: &str| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
        let missing: Vec<&str> = NEEDED.into_iter().filter(|name| column(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(format!("the columns {} are missing in its first line", missing.join(", ")));
        }
        let (mut prices, mut rejected) = (Self::default(), Vec::new());
        for (index, line) in lines.records().enumerate() {
            let row = || format!("line {}", index + 2);
            let line = match line {
                Ok(line) => line,
                Err(error) => {
                    rejected.push(Rejected::new(row(), error.to_string()));
                    continue;
                }
            };
            let field = |name: &str| column(name).and_then(|at| line.get(at)).unwrap_or_default().trim();
            if let Err(reason) = prices.line(index + 2, &field) {
                rejected.push(Rejected::new(row(), reason));
            }
        }
        Ok((prices, rejected))
    }

    fn line<'a>(&mut self, number: usize, field: &impl Fn(&str) -> &'a str) -> Result<(), String> {
        let hourly = price_text(field("MarketPriceHourly"))?;
        if hourly.usd() > MAX_HOURLY_USD {
            return Err(format!("the price {} $/h is absurd: at most {MAX_HOURLY_USD} $/h", hourly.usd()));
        }
        let line = Line { number, hourly, end: field("EndTimestamp").to_owned() };
        let (id, id_field) = (field("InstanceID"), field("InstanceIDField"));
        match field("AssetClass").to_ascii_lowercase().as_str() {
            "node" => {
                let (region, name) = (field("Region"), field("InstanceType"));
                if id.is_empty() && name.is_empty() {
                    return Err("it names neither InstanceID nor InstanceType".to_owned());
                }
                if !id.is_empty() {
                    let known = ["", "spec.providerID", "metadata.name"].contains(&id_field);
                    if !known && !id_field.starts_with(LABEL) {
                        return Err(format!(
                            "InstanceIDField {id_field:?} is not known: use spec.providerID, metadata.name or {LABEL}KEY"
                        ));
                    }
                    let id_field = if id_field.is_empty() { "spec.providerID" } else { id_field };
                    keep_later(&mut self.nodes, (id_field.to_owned(), id.to_owned()), line);
                }
                if !name.is_empty() {
                    let class = (region.to_ascii_lowercase(), name.to_ascii_lowercase());
                    self.classes.entry(class).or_default().push(hourly);
                }
            }
            "gpu" => {
                let key = id_field.strip_prefix(LABEL).unwrap_or(id_field);
                let key = if key.is_empty() { "gpu.nvidia.com/class" } else { key };
                keep_later(&mut self.gpus, (key.to_owned(), id.to_ascii_lowercase()), line);
            }
            "pv" => {
                let key = if id.is_empty() { field("InstanceType") } else { id };
                keep_later(&mut self.volumes, key.to_owned(), line);
            }
            other => return Err(format!("AssetClass {other:?} is not known: use node, pv or gpu")),
        }
        Ok(())
    }

    /// Labels of nodes by which lines name machines or GPUs.
    pub fn node_labels(&self) -> impl Iterator<Item = &str> {
        let nodes = self.nodes.keys().filter_map(|(field, _)| field.strip_prefix(LABEL));
        nodes.chain(self.gpus.keys().map(|(key, _)| key.as_str()))
    }

    /// The price of a node: its own line, else that of its region and type; with its GPUs, if they have lines.
    pub(crate) fn node(&self, facts: &NodeFacts, node: Option<&Node>, gpus: f64) -> Option<CsvPrice> {
        let own = node.and_then(|node| self.own_line(node));
        let mut price = match own {
            Some((id, line)) => CsvPrice {
                hourly_usd: line.hourly.usd(),
                reason: format!("{} $/h for {id} by line {} of the CSV", line.hourly.usd(), line.number),
                date: line.end.get(..10).unwrap_or_default().to_owned(),
            },
            None => self.class(facts)?,
        };
        let gpu = self.gpus.iter().find(|((key, value), _)| {
            facts.labels.get(key.as_str()).is_some_and(|own| own.eq_ignore_ascii_case(value))
        });
        if let Some((_, line)) = gpu.filter(|_| gpus > 0.0) {
            price.hourly_usd += gpus * line.hourly.usd();
            let gpu = format!(", plus {gpus} GPU × {} $/h by line {}", line.hourly.usd(), line.number);
            price.reason.push_str(&gpu);
        }
        Some(price)
    }

    fn own_line<'a>(&'a self, node: &Node) -> Option<(&'a str, &'a Line)> {
        self.nodes.iter().find_map(|((field, id), line)| {
            let own = match field.as_str() {
                "metadata.name" => Some(&node.name),
                "spec.providerID" => Some(&node.provider_id),
                label => node.facts.labels.get(label.strip_prefix(LABEL)?),
            };
            let is = own.is_some_and(|own| {
                // `aws:///us-east-1a/i-0abc` is also known as `i-0abc`.
                **own == **id || (field == "spec.providerID" && own.rsplit('/').next() == Some(id.as_str()))
            });
            is.then_some((id.as_str(), line))
        })
    }

    fn class(&self, facts: &NodeFacts) -> Option<CsvPrice> {
        let of = |region: &str| {
            self.classes.get(&(region.to_ascii_lowercase(), facts.instance_type.to_ascii_lowercase()))
        };
        let prices = of(&facts.region).or_else(|| of(""))?;
        let count = prices.len();
        let hourly_usd = prices.iter().map(|price| price.usd()).sum::<f64>() / count as f64;
        let mean = if count > 1 { format!(", the mean of {count} lines") } else { String::new() };
        let reason =
            format!("{hourly_usd} $/h for {} in {:?} by the CSV{mean}", facts.instance_type, &*facts.region);
        Some(CsvPrice { hourly_usd, reason, date: String::new() })
    }

    /// The price of a GiB of a volume and hour, by its name, else by its storage class.
    pub(crate) fn volume(&self, name: &str, class: &str) -> Option<(f64, String)> {
        let of = |key: &str| self.volumes.get_key_value(key).filter(|_| !key.is_empty());
        let (key, line) = of(name).or_else(|| of(class))?;
        let usd = line.hourly.usd();
        Some((usd, format!("{usd} $ per GiB and hour for {key} by line {} of the CSV", line.number)))
    }
}

fn keep_later<K: Ord>(lines: &mut BTreeMap<K, Line>, key: K, line: Line) {
    match lines.get(&key) {
        Some(known) if known.end > line.end => {}
        _ => {
            lines.insert(key, line);
        }
    }
}
