//! Reads the instance table: inflated line by line, never whole in memory.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use nightcap_core::cluster::{CapacityType, Provider};

use crate::PriceError;
use crate::csv_text::{decimal, fields};
use crate::family::{family, is_proportional};
use crate::instance_table::{InstanceTable, Machine, Market, NO_FAMILY, Origin};

const TABLE: &str = "instance_prices.csv.gz";
/// What the table holds at the time of writing; only reserves memory.
const EXPECTED_ROWS: usize = 120_000;

/// Reads a compressed table.
pub(crate) fn instance_table(gzip: &[u8]) -> Result<InstanceTable, PriceError> {
    let mut input = BufReader::with_capacity(64 << 10, GzDecoder::new(gzip));
    let mut loader = Loader::new();
    let mut line = Vec::with_capacity(256);
    for number in 1.. {
        let wrong = |problem: String| PriceError::Table { table: TABLE, line: number, problem };
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(|error| wrong(error.to_string()))? == 0 {
            break;
        }
        let text = std::str::from_utf8(line.trim_ascii_end()).map_err(|error| wrong(error.to_string()))?;
        if number > 1 {
            loader.row(text).ok_or_else(|| wrong(format!("cannot read {text:?}")))?;
        }
    }
    loader.finish().ok_or_else(|| PriceError::Table {
        table: TABLE,
        line: 0,
        problem: "rows are not sorted by provider, region, capacity and type".to_owned(),
    })
}

/// The table under construction; machines are numbered as they come, and renumbered by name at the end.
struct Loader {
    table: InstanceTable,
    /// Of the provider at hand: the rows are sorted by provider.
    numbers: HashMap<Box<str>, u16>,
}

impl Loader {
    fn new() -> Self {
        let table = InstanceTable {
            types: Vec::with_capacity(EXPECTED_ROWS),
            micro_usd_per_hour: Vec::with_capacity(EXPECTED_ROWS),
            row_origins: Vec::with_capacity(EXPECTED_ROWS),
            ..InstanceTable::default()
        };
        Self { table, numbers: HashMap::new() }
    }

    fn row(&mut self, line: &str) -> Option<()> {
        let [provider, region, name, vcpus, memory_gib, gpus, usd, capacity, date, source] = fields(line)?;
        let provider = parse_provider(provider)?;
        let capacity_type = match capacity {
            "on-demand" => CapacityType::OnDemand,
            "spot" => CapacityType::Spot,
            _ => return None,
        };
        self.enter_market(provider, region, capacity_type);
        let machine = match self.numbers.get(name) {
            Some(number) => *number,
            None => self.add_machine(provider, name, [vcpus, memory_gib, gpus])?,
        };
        let origin = self.origin(source, date)?;
        self.table.types.push(machine);
        self.table.micro_usd_per_hour.push(u32::try_from(decimal(usd, 6)?).ok()?);
        self.table.row_origins.push(origin);
        self.table.markets.last_mut()?.rows.end += 1;
        Some(())
    }

    fn enter_market(&mut self, provider: Provider, region: &str, capacity_type: CapacityType) {
        let last = self.table.markets.last();
        if last.is_some_and(|last| {
            last.provider == provider && *last.region == *region && last.capacity_type == capacity_type
        }) {
            return;
        }
        if last.is_none_or(|last| last.provider != provider) {
            self.numbers.clear();
        }
        let start = self.table.types.len();
        let market = Market { provider, region: region.into(), capacity_type, rows: start..start };
        self.table.markets.push(market);
    }

    fn add_machine(&mut self, provider: Provider, name: &str, shape: [&str; 3]) -> Option<u16> {
        let [vcpus, memory_gib, gpus] = shape.map(|text| if text.is_empty() { "0" } else { text });
        let number = u16::try_from(self.table.machines.len()).ok()?;
        let family = if is_proportional(provider, name) {
            let next = u16::try_from(self.table.families.len()).ok().filter(|next| *next != NO_FAMILY)?;
            *self
                .table
                .families
                .entry((provider, family(provider, name).to_ascii_lowercase()))
                .or_insert(next)
        } else {
            NO_FAMILY
        };
        self.table.machines.push(Machine {
            provider,
            name: name.into(),
            vcpus: vcpus.parse().ok()?,
            memory_mib: u32::try_from(decimal(memory_gib, 6)?.checked_mul(1024)? / 1_000_000).ok()?,
            gpus: gpus.parse().ok()?,
            family,
        });
        self.numbers.insert(name.into(), number);
        Some(number)
    }

    /// A handful in all, so a search is faster than a map.
    fn origin(&mut self, id: &str, date: &str) -> Option<u8> {
        let known = self.table.origins.iter().position(|o| *o.source.id == *id && *o.source.date == *date);
        let index = known.unwrap_or_else(|| {
            self.table.origins.push(Origin::new(id, date));
            self.table.origins.len() - 1
        });
        u8::try_from(index).ok()
    }

    /// Renumbers the machines in the order of their names, so that a row is found by its number.
    fn finish(mut self) -> Option<InstanceTable> {
        let table = &mut self.table;
        let mut order: Vec<u16> = (0..u16::try_from(table.machines.len()).ok()?).collect();
        let key = |number: &u16| table.machines.get(usize::from(*number)).map(|m| (m.provider, &*m.name));
        order.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        let mut ranks = vec![0; order.len()];
        for (rank, old) in (0u16..).zip(&order) {
            *ranks.get_mut(usize::from(*old))? = rank;
        }
        for machine in &mut table.types {
            *machine = *ranks.get(usize::from(*machine))?;
        }
        table.machines.sort_unstable_by(|a, b| (a.provider, &a.name).cmp(&(b.provider, &b.name)));
        table.machines.shrink_to_fit();
        table.markets.shrink_to_fit();
        table.families.shrink_to_fit();
        let place = |market: &Market| (market.provider, market.region.clone(), market.capacity_type);
        let markets_sorted = table.markets.is_sorted_by(|a, b| place(a) < place(b));
        let rows_sorted = table.markets.iter().all(|market| {
            table.types.get(market.rows.clone()).is_some_and(|types| types.is_sorted_by(|a, b| a < b))
        });
        (markets_sorted && rows_sorted).then_some(self.table)
    }
}

pub(crate) fn parse_provider(text: &str) -> Option<Provider> {
    Some(match text {
        "aws" => Provider::Aws,
        "azure" => Provider::Azure,
        "gcp" => Provider::Gcp,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const HEADER: &str =
        "provider,region,instance_type,vcpu,memory_gib,gpu_count,usd_per_hour,capacity,source_date,source_id";

    fn load(lines: &[&str]) -> Result<InstanceTable, PriceError> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all([&[HEADER], lines].concat().join("\n").as_bytes()).unwrap();
        instance_table(&gzip.finish().unwrap())
    }

    #[test]
    fn machines_are_numbered_by_name_whatever_order_they_come_in() {
        let table = load(&[
            "aws,a-1,m5.large,2,8,0,0.1,on-demand,2026-01-01,s",
            "aws,b-1,c5.large,2,,0,0.2,on-demand,2026-01-01,s",
            "aws,b-1,m5.large,2,8,0,0.3,on-demand,2026-01-01,s",
        ])
        .unwrap();
        let names: Vec<&str> = table.machines.iter().map(|machine| &*machine.name).collect();
        assert_eq!((names, table.types), (vec!["c5.large", "m5.large"], vec![1, 0, 1]));
    }

    #[test]
    fn a_bad_row_is_named_with_its_line() {
        let good = "aws,a-1,m5.large,2,8,0,0.1,on-demand,2026-01-01,s";
        for bad in [
            "aws,a-1,m5.xlarge,4,16,0,0.2,on-demand,2026-01-01",
            "ibm,a-1,m5.xlarge,4,16,0,0.2,on-demand,2026-01-01,s",
            "aws,a-1,m5.xlarge,4,16,0,-0.2,on-demand,2026-01-01,s",
            "aws,a-1,m5.xlarge,4,16,0,0.2,reserved,2026-01-01,s",
            "aws,a-1,m5.xlarge,four,16,0,0.2,on-demand,2026-01-01,s",
        ] {
            let problem = format!("cannot read {bad:?}");
            assert_eq!(load(&[good, bad]).unwrap_err(), PriceError::Table { table: TABLE, line: 3, problem });
        }
    }

    #[test]
    fn unsorted_rows_and_broken_files_are_refused() {
        let [first, second] =
            ["m5.large", "m5.xlarge"].map(|name| format!("aws,a-1,{name},2,8,0,0.1,on-demand,2026-01-01,s"));
        assert!(load(&[&first, &second]).is_ok());
        assert!(load(&[&second, &first]).is_err());
        assert!(load(&[&first, &first]).is_err());
        assert!(instance_table(b"no gzip").is_err());
    }
}
