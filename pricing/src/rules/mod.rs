//! The user's own price rules, checked and ready to match.

mod amounts;
mod check;
mod pattern;

use nightcap_core::cluster::{CapacityType, NodeFacts, Provider};
use nightcap_core::money::PriceSource;

pub(crate) use check::check;
use pattern::Pattern;

use crate::family::family;

/// A rule that has passed the check.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Rule {
    pub(crate) matcher: Matcher,
    pub(crate) effect: Effect,
    /// Names the rule by its place, such as `price_rules[0]`.
    pub(crate) source: PriceSource,
}

/// What a rule does to the price.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Effect {
    /// The whole node costs this much.
    Hourly { usd: f64 },
    /// What the node would cost without the rule, times this.
    Adjust { factor: f64, text: String },
    /// So much per core, GiB and GPU.
    Rates { cpu_core_usd: f64, ram_gib_usd: f64, gpu_usd: f64 },
}

/// Which nodes a rule is for; `None` matches all.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Matcher {
    instance_type: Option<Pattern>,
    region: Option<Pattern>,
    family: Option<Pattern>,
    capacity: Option<CapacityType>,
    provider: Option<Provider>,
    labels: Vec<(String, Pattern)>,
}

impl Matcher {
    pub(crate) fn matches(&self, facts: &NodeFacts) -> bool {
        let pattern =
            |pattern: &Option<Pattern>, text: &str| pattern.as_ref().is_none_or(|p| p.matches(text));
        self.provider.is_none_or(|provider| provider == facts.provider)
            && self.capacity.is_none_or(|capacity| capacity == facts.capacity_type)
            && self.labels.iter().all(|(key, pattern)| {
                facts.labels.get(key.as_str()).is_some_and(|value| pattern.matches(value))
            })
            && pattern(&self.instance_type, &facts.instance_type)
            && pattern(&self.region, &facts.region)
            && self.family.as_ref().is_none_or(|p| p.matches(&family(facts.provider, &facts.instance_type)))
    }
}
