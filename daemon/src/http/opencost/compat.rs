//! `compat=opencost`: numbers as `OpenCost` would tell them, where they can be had from what is kept.
//!
//! docs/opencost.md lists what this changes and what it does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::money::AssetKind;
use nightcap_core::money::query::{AssetPart, Group};
use nightcap_core::units::{PicoUsd, Window};

use crate::http::error::Refusal;
use crate::http::params::Params;

/// A hundred-thousandth of a dollar.
const STEP: i128 = 10_000_000;

/// Whose way numbers are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compat {
    /// To the last digit, adding up.
    Exact,
    /// As `OpenCost` does.
    OpenCost,
}

impl Compat {
    pub(super) fn read(params: &mut Params) -> Result<Self, Refusal> {
        match params.take("compat").map(|value| value.to_ascii_lowercase()).as_deref() {
            None | Some("none") => Ok(Self::Exact),
            Some("opencost") => Ok(Self::OpenCost),
            Some(other) => Err(Refusal::bad("bad-value", "compat is neither opencost nor none").value(other)),
        }
    }

    pub(super) fn is_on(self) -> bool {
        self == Self::OpenCost
    }

    /// An amount as it is told: `OpenCost` rounds to five decimals, halves away from zero.
    pub(super) fn told(self, amount: PicoUsd) -> PicoUsd {
        if self == Self::Exact {
            return amount;
        }
        let half = if amount.0 < 0 { -STEP / 2 } else { STEP / 2 };
        PicoUsd((amount.0 + half) / STEP * STEP)
    }

    /// What a group pays for its part of a volume. `OpenCost` counts the time a pod has it twice: as the pod's hours,
    /// and again as their share of the time the volume was there.
    pub(super) fn volume(self, part: &AssetPart, there: &BTreeMap<Arc<str>, Window>) -> PicoUsd {
        if self == Self::Exact || !part.mounted || part.asset.kind != AssetKind::Volume {
            return part.cost;
        }
        let Some(there) = there.get(&part.asset.uid).map(|window| window.length().0).filter(|&ms| ms > 0)
        else {
            return part.cost;
        };
        PicoUsd(part.cost.0 * i128::from(part.window.length().0.min(there)) / i128::from(there))
    }

    /// What a group pays for volumes.
    pub(super) fn storage(self, group: &Group, there: &BTreeMap<Arc<str>, Window>) -> PicoUsd {
        if self == Self::Exact {
            return group.costs.storage;
        }
        let volumes = group.assets.values().filter(|part| part.asset.kind == AssetKind::Volume);
        volumes.map(|part| self.volume(part, there)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_as_opencost_does() {
        for (pico, rounded) in [
            (0, 0),
            (4_999_999, 0),
            (5_000_000, 10_000_000),
            (-5_000_000, -10_000_000),
            (123_456_789_012, 123_460_000_000),
        ] {
            assert_eq!(Compat::OpenCost.told(PicoUsd(pico)), PicoUsd(rounded));
            assert_eq!(Compat::Exact.told(PicoUsd(pico)), PicoUsd(pico));
        }
    }
}
