//! Checks the price settings and says everything that is wrong with them at once.

use std::fmt::Display;

use nightcap_core::money::PriceSource;

use super::amounts::{self, Amounts};
use super::pattern::Pattern;
use super::{Effect, Matcher, Rule};
use crate::settings::{DefaultRates, PriceRule, PriceSettings, RuleMatch};
use crate::usual::MAX_HOURLY_USD;
use crate::{PriceError, SettingError};

/// A factor above this is a mistyped one.
const MAX_FACTOR: f64 = 100.0;

/// The rules, ready to match.
pub(crate) fn check(settings: &PriceSettings) -> Result<Vec<Rule>, PriceError> {
    let mut errors = Errors(Vec::new());
    check_defaults(&settings.defaults, &mut errors);
    settings.live.check(&mut errors.0);
    for (path, usd, most, unit) in settings.assets().amounts(MAX_HOURLY_USD) {
        errors.number(path, usd, most, unit);
    }
    let gpu_usd = settings.defaults.gpu_hourly_usd;
    let rules = settings.price_rules.iter().enumerate();
    let rules = rules.filter_map(|(index, rule)| check_rule(index, rule, gpu_usd, &mut errors)).collect();
    if errors.0.is_empty() { Ok(rules) } else { Err(PriceError::Settings(errors.0)) }
}

pub(super) struct Errors(Vec<SettingError>);

impl Errors {
    pub(super) fn add(&mut self, path: String, value: &dyn Display, problem: &str) {
        self.0.push(SettingError { path, value: value.to_string(), problem: problem.to_owned() });
    }

    pub(super) fn number(&mut self, path: String, value: f64, most: f64, unit: &str) {
        if !value.is_finite() {
            self.add(path, &value, "is no number");
        } else if value < 0.0 {
            self.add(path, &value, "is negative: a price is 0 or more");
        } else if value > most {
            self.add(path, &value, &format!("is too much: at most {most}{unit}"));
        }
    }
}

fn check_defaults(defaults: &DefaultRates, errors: &mut Errors) {
    for (name, value, most, unit) in [
        ("cpu_core_hourly_usd", defaults.cpu_core_hourly_usd, MAX_HOURLY_USD, " $/h"),
        ("ram_gib_hourly_usd", defaults.ram_gib_hourly_usd, MAX_HOURLY_USD, " $/h"),
        ("gpu_hourly_usd", defaults.gpu_hourly_usd, MAX_HOURLY_USD, " $/h"),
        ("spot_cpu_core_hourly_usd", defaults.spot_cpu_core_hourly_usd, MAX_HOURLY_USD, " $/h"),
        ("spot_ram_gib_hourly_usd", defaults.spot_ram_gib_hourly_usd, MAX_HOURLY_USD, " $/h"),
        ("spot_gpu_hourly_usd", defaults.spot_gpu_hourly_usd, MAX_HOURLY_USD, " $/h"),
        ("on_demand_multiplier", defaults.on_demand_multiplier, MAX_FACTOR, ""),
        ("spot_multiplier", defaults.spot_multiplier, MAX_FACTOR, ""),
        (
            "spot_ratio",
            defaults.spot_ratio.unwrap_or_default(),
            1.0,
            ": spot does not cost more than on demand",
        ),
    ] {
        errors.number(format!("defaults.{name}"), value, most, unit);
    }
}

fn check_rule(index: usize, rule: &PriceRule, default_gpu_usd: f64, errors: &mut Errors) -> Option<Rule> {
    let place = format!("price_rules[{index}]");
    let amounts = Amounts::read(&place, rule, errors);
    let rates = (amounts.cpu_core_usd, amounts.ram_gib_usd, amounts.gpu_usd);
    let effect = match (amounts.node_usd.as_slice(), rule.adjust.as_deref(), rates) {
        ([usd], None, (None, None, None)) => Some(Effect::Hourly { usd: *usd }),
        ([], Some(text), (None, None, None)) => {
            let factor = parse_adjust(text);
            if factor.is_none() {
                let problem = "is no change of a price: write a sign and a percentage from -100% to +900%, such as \"-28%\"";
                errors.add(format!("{place}.adjust"), &format!("{text:?}"), problem);
            }
            factor.map(|factor| Effect::Adjust { factor, text: text.trim().to_owned() })
        }
        ([], None, (Some(cpu_core_usd), Some(ram_gib_usd), gpu)) => {
            Some(Effect::Rates { cpu_core_usd, ram_gib_usd, gpu_usd: gpu.unwrap_or(default_gpu_usd) })
        }
        _ => {
            let problem = "a rule needs hourly_usd, or monthly_usd, or adjust, or cpu_core_hourly_usd with ram_gib_hourly_usd, and only one of these";
            errors.add(place.clone(), &what_is_set(rule), problem);
            None
        }
    };
    let source = PriceSource { id: place.into(), date: "".into() };
    Some(Rule { matcher: matcher(&rule.matches), effect: effect?, source })
}

/// `-28%` as 0.72. The sign is asked for: `28%` could be meant either way.
fn parse_adjust(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let percent: f64 = number.starts_with(['+', '-']).then(|| number.parse().ok())??;
    (-100.0..=900.0).contains(&percent).then_some((100.0 + percent) / 100.0)
}

fn what_is_set(rule: &PriceRule) -> String {
    let mut names: Vec<String> = Vec::new();
    for (name, usd, other) in amounts::named(rule) {
        names.extend(usd.map(|_| format!("{name}_usd")));
        names.extend(other.map(|_| name.to_owned()));
    }
    names.extend(rule.adjust.as_ref().map(|_| "adjust".to_owned()));
    if names.is_empty() { "sets no price:".to_owned() } else { format!("sets {}:", names.join(", ")) }
}

fn matcher(matches: &RuleMatch) -> Matcher {
    let pattern = |text: &Option<String>| text.as_deref().map(Pattern::new);
    Matcher {
        instance_type: pattern(&matches.instance_type),
        region: pattern(&matches.region),
        family: pattern(&matches.family),
        capacity: matches.capacity,
        provider: matches.provider,
        labels: matches.label.iter().map(|(key, text)| (key.clone(), Pattern::new(text))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adjustment_is_a_signed_percentage() {
        for (text, factor) in [
            ("-28%", Some(0.72)),
            ("+10%", Some(1.1)),
            (" -0.5 % ", Some(0.995)),
            ("-100%", Some(0.0)),
            ("28%", None),
            ("-28", None),
            ("-101%", None),
            ("+nan%", None),
            ("+inf%", None),
            ("-%", None),
            ("", None),
        ] {
            assert_eq!(parse_adjust(text), factor, "{text}");
        }
    }

    #[test]
    fn all_errors_come_at_once_and_name_their_values() {
        let settings: PriceSettings = serde_json::from_str(
            r#"{"price_rules": [
                {"hourly_usd": -1},
                {"adjust": "28%"},
                {"match": {"family": "m5"}},
                {"hourly_usd": 1, "adjust": "-5%"},
                {"cpu_core_hourly_usd": 2000, "ram_gib_hourly_usd": 0},
                {"cpu_core_hourly_usd": 0.02, "gpu_hourly_usd": 1},
                {"hourly_usd": 0.071}
            ], "defaults": {"spot_ratio": 1.5, "spot_multiplier": -0.1}}"#,
        )
        .unwrap();
        let settings = PriceSettings {
            defaults: DefaultRates { ram_gib_hourly_usd: f64::NAN, ..settings.defaults },
            ..settings
        };
        assert_eq!(
            check(&settings).unwrap_err().to_string(),
            "9 errors in the price settings:
  defaults.ram_gib_hourly_usd: NaN is no number
  defaults.spot_multiplier: -0.1 is negative: a price is 0 or more
  defaults.spot_ratio: 1.5 is too much: at most 1: spot does not cost more than on demand
  price_rules[0].hourly_usd: -1 is negative: a price is 0 or more
  price_rules[1].adjust: \"28%\" is no change of a price: write a sign and a percentage from -100% to +900%, such as \"-28%\"
  price_rules[2]: sets no price: a rule needs hourly_usd, or monthly_usd, or adjust, or cpu_core_hourly_usd with ram_gib_hourly_usd, and only one of these
  price_rules[3]: sets hourly_usd, adjust: a rule needs hourly_usd, or monthly_usd, or adjust, or cpu_core_hourly_usd with ram_gib_hourly_usd, and only one of these
  price_rules[4].cpu_core_hourly_usd: 2000 is too much: at most 1000 $/h
  price_rules[5]: sets cpu_core_hourly_usd, gpu_hourly_usd: a rule needs hourly_usd, or monthly_usd, or adjust, or cpu_core_hourly_usd with ram_gib_hourly_usd, and only one of these"
        );
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for (json, named) in [
            (r#"{"rules": []}"#, "`rules`"),
            (r#"{"price_rules": [{"price": 1}]}"#, "`price`"),
            (r#"{"price_rules": [{"match": {"zone": "a"}, "hourly_usd": 1}]}"#, "`zone`"),
            (r#"{"price_rules": [{"match": {"capacity": "SPOT"}, "hourly_usd": 1}]}"#, "`SPOT`"),
            (r#"{"defaults": {"cpu": 1}}"#, "`cpu`"),
        ] {
            let error = serde_json::from_str::<PriceSettings>(json).unwrap_err().to_string();
            assert!(error.contains(named), "{json}: {error}");
        }
    }
}
