//! How a node's price is split over its resources: a word, ratios, or rates.

use nightcap_core::money::Split;
use nightcap_core::units::Rate;
use nightcap_pricing::DefaultRates;
use serde_json::{Map, Value};

use super::reader::{Reader, shown};

/// One core worth more than so many GiB of memory is a typing error. Millionths of it fit 32 bits.
const MOST_PER_GIB: f64 = 4_000.0;
/// No machine costs more, let alone a part of one.
const MOST_HOURLY_USD: f64 = 1_000.0;

const RATIOS: [&str; 2] = ["cpu_per_gib", "gpu_per_gib"];
const RATES: [&str; 3] = ["cpu_core_hourly_usd", "ram_gib_hourly_usd", "gpu_hourly_usd"];

pub(super) fn split(reader: &mut Reader<'_>) -> Split {
    let default = Split::default();
    match reader.value("split") {
        None => default,
        Some(Value::String(word)) if word == "opencost" => default,
        Some(Value::String(word)) if word == "aws" => Split::AWS,
        Some(Value::Object(map)) => {
            let set = |names: &[&'static str]| -> Vec<&'static str> {
                names.iter().copied().filter(|name| map.get(*name).is_some_and(|v| !v.is_null())).collect()
            };
            let (ratios, rates) = (set(&RATIOS), set(&RATES));
            match (ratios.as_slice(), rates.is_empty()) {
                ([ratio, ..], false) => {
                    let problem = format!("{ratio} stands beside {}: give ratios or rates", rates.join(", "));
                    reader.error("split", problem);
                    default
                }
                (_, true) => by_ratios(reader, map),
                ([], false) => by_rates(reader, map).unwrap_or(default),
            }
        }
        Some(other) => {
            let problem = format!(
                "{} is no split: use opencost, aws, or a map with {}, or with {}",
                shown(other),
                RATIOS.join(" and "),
                RATES.join(", "),
            );
            reader.error("split", problem);
            default
        }
    }
}

fn by_ratios(reader: &mut Reader<'_>, map: &Map<String, Value>) -> Split {
    let default = Split::default();
    let mut worth = |name: &str, default| match map.get(name) {
        None | Some(Value::Null) => default,
        Some(value) => millionths(value).unwrap_or_else(|| {
            let problem = format!("{} is not allowed: write a number from 0 to {MOST_PER_GIB}", shown(value));
            reader.error(&format!("split.{name}"), problem);
            default
        }),
    };
    let [cpu, gpu] = RATIOS;
    Split::per_gib(worth(cpu, default.cpu_core), worth(gpu, default.gpu))
}

fn millionths(value: &Value) -> Option<u32> {
    let number = value.as_f64().filter(|number| (0.0..=MOST_PER_GIB).contains(number))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked just before")]
    Some((number * 1e6).round() as u32)
}

fn by_rates(reader: &mut Reader<'_>, map: &Map<String, Value>) -> Option<Split> {
    // A rate for GPUs may be left out: then one costs what it does by the default prices.
    let default_gpu = reader.value("prices.defaults").and_then(|defaults| defaults.get("gpu_hourly_usd"));
    let default_gpu =
        default_gpu.cloned().unwrap_or_else(|| Value::from(DefaultRates::default().gpu_hourly_usd));
    let rates = RATES.map(|name| {
        let path = format!("split.{name}");
        let value = match (map.get(name).filter(|value| !value.is_null()), name) {
            (Some(value), _) => value,
            (None, "gpu_hourly_usd") => &default_gpu,
            (None, _) => {
                reader.error(&path, "is missing: rates need a core's and a GiB's");
                return None;
            }
        };
        let rate = value
            .as_f64()
            .filter(|usd| (0.0..=MOST_HOURLY_USD).contains(usd))
            .and_then(Rate::from_usd_per_hour);
        match rate {
            Some(Rate(0)) => {
                let problem = format!(
                    "{} would give it away, and the others would pay for it: write dollars per hour, more than 0",
                    shown(value)
                );
                reader.error(&path, problem);
                None
            }
            Some(rate) => Some(rate),
            None => {
                let problem = format!(
                    "{} is not allowed: write dollars per hour, more than 0 and up to {MOST_HOURLY_USD}",
                    shown(value)
                );
                reader.error(&path, problem);
                None
            }
        }
    });
    let [Some(cpu_core), Some(ram_gib), Some(gpu)] = rates else { return None };
    Split::by_rates(cpu_core, ram_gib, gpu)
}
