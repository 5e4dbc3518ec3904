//! The amounts of a rule, in dollars or in another currency, as dollars per hour.

use super::check::Errors;
use crate::settings::PriceRule;
use crate::usual::{HOURS_PER_MONTH, MAX_HOURLY_USD};

/// No currency's unit is worth more; the dearest is worth some three dollars.
const MAX_FX: f64 = 10.0;

/// What a rule says of money, in dollars per hour.
#[derive(Default)]
pub(super) struct Amounts {
    /// Of the whole node; one of these is right.
    pub(super) node_usd: Vec<f64>,
    pub(super) cpu_core_usd: Option<f64>,
    pub(super) ram_gib_usd: Option<f64>,
    pub(super) gpu_usd: Option<f64>,
}

/// Each amount by its name without `_usd`: in dollars, and in the rule's currency.
pub(super) fn named(rule: &PriceRule) -> [(&'static str, Option<f64>, Option<f64>); 5] {
    [
        ("hourly", rule.hourly_usd, rule.hourly),
        ("monthly", rule.monthly_usd, rule.monthly),
        ("cpu_core_hourly", rule.cpu_core_hourly_usd, rule.cpu_core_hourly),
        ("ram_gib_hourly", rule.ram_gib_hourly_usd, rule.ram_gib_hourly),
        ("gpu_hourly", rule.gpu_hourly_usd, rule.gpu_hourly),
    ]
}

impl Amounts {
    pub(super) fn read(place: &str, rule: &PriceRule, errors: &mut Errors) -> Self {
        let mut amounts = Self::default();
        let fx = fx(place, rule, errors);
        for (name, usd, other) in named(rule) {
            let (hours, unit) = if name == "monthly" { (HOURS_PER_MONTH, " $/month") } else { (1.0, " $/h") };
            let most = MAX_HOURLY_USD * hours;
            let amount = match (usd, other) {
                (None, None) => continue,
                (Some(usd), None) => {
                    errors.number(format!("{place}.{name}_usd"), usd, most, unit);
                    if let Some(currency) = &rule.currency {
                        let problem = format!(
                            "is in dollars in a rule in {currency}: write {name}, or leave currency out"
                        );
                        errors.add(format!("{place}.{name}_usd"), &usd, &problem);
                    }
                    usd
                }
                (None, Some(other)) => {
                    if rule.currency.is_none() {
                        let problem = format!("names no currency: write {name}_usd, or set currency and fx");
                        errors.add(format!("{place}.{name}"), &other, &problem);
                    }
                    let usd = other * fx;
                    errors.number(format!("{place}.{name}"), usd, most, unit);
                    usd
                }
                (Some(_), Some(other)) => {
                    let problem = format!("stands beside {name}_usd: set one of the two");
                    errors.add(format!("{place}.{name}"), &other, &problem);
                    other
                }
            } / hours;
            match name {
                "cpu_core_hourly" => amounts.cpu_core_usd = Some(amount),
                "ram_gib_hourly" => amounts.ram_gib_usd = Some(amount),
                "gpu_hourly" => amounts.gpu_usd = Some(amount),
                _ => amounts.node_usd.push(amount),
            }
        }
        amounts
    }
}

/// Dollars for one unit of the rule's currency.
fn fx(place: &str, rule: &PriceRule, errors: &mut Errors) -> f64 {
    match (&rule.currency, rule.fx) {
        (None, None) => return 1.0,
        (None, Some(fx)) => errors.add(format!("{place}.fx"), &fx, "needs currency beside it, such as EUR"),
        (Some(currency), None) => {
            let problem = "needs fx beside it: the dollars for one unit of it";
            errors.add(format!("{place}.currency"), &format!("{currency:?}"), problem);
        }
        (Some(currency), Some(fx)) => {
            if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
                let problem = "is no currency: write three capitals, such as EUR";
                errors.add(format!("{place}.currency"), &format!("{currency:?}"), problem);
            }
            if fx.total_cmp(&0.0).is_eq() {
                errors.add(
                    format!("{place}.fx"),
                    &fx,
                    "makes everything free: write the dollars for one unit",
                );
            }
            errors.number(format!("{place}.fx"), fx, MAX_FX, " $ for one unit");
        }
    }
    rule.fx.unwrap_or(1.0)
}
