//! How much depends on a namespace, as its people say.

use serde::{Deserialize, Serialize};

/// The tier of a namespace. What is critical or in production is not put to sleep by anybody's default.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The business stands still without it.
    Critical,
    /// Users depend on it.
    Production,
    /// Tried here before it goes to production.
    Staging,
    /// Developed here.
    Dev,
}

impl Tier {
    /// The tier that a label's value names, in any case. Anything else names none: `tier: frontend` is a frontend.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        [Self::Critical, Self::Production, Self::Staging, Self::Dev]
            .into_iter()
            .find(|tier| tier.name().eq_ignore_ascii_case(text))
    }

    /// Its name, such as `production`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Dev => "dev",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_four_names_are_tiers() {
        for (text, tier) in [
            ("critical", Some(Tier::Critical)),
            ("Production", Some(Tier::Production)),
            (" staging ", Some(Tier::Staging)),
            ("dev", Some(Tier::Dev)),
            ("frontend", None),
            ("", None),
        ] {
            assert_eq!(Tier::parse(text), tier, "{text:?}");
        }
    }
}
