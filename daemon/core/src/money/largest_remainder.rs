//! Rounding of parts so that they add up to what their whole is rounded to.

use std::cmp::Reverse;

use crate::units::{Cost, PicoUsd};

/// Rounds each part down to whole pico-dollars and gives what is missing to `total` to those that lost most, the
/// first among equals. `total` is what the sum of the parts rounds down to.
pub(super) fn round_down_to(total: PicoUsd, parts: &[Cost]) -> Vec<PicoUsd> {
    let mut rounded: Vec<PicoUsd> = parts.iter().map(|part| part.floor_pico()).collect();
    let given: PicoUsd = rounded.iter().copied().sum();
    let mut losers: Vec<_> =
        parts.iter().enumerate().map(|(index, part)| (Reverse(part.remainder()), index)).collect();
    losers.sort_unstable();
    for (&(_, index), _) in losers.iter().zip(0..(total - given).0) {
        rounded[index] += PicoUsd(1);
    }
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_add_up_and_lose_less_than_one(costs in prop::collection::vec(0i128..1 << 70, 1..20)) {
            let parts: Vec<Cost> = costs.into_iter().map(Cost).collect();
            let total = parts.iter().copied().sum::<Cost>().floor_pico();
            let rounded = round_down_to(total, &parts);
            prop_assert_eq!(rounded.iter().copied().sum::<PicoUsd>(), total);
            for (part, rounded) in parts.iter().zip(rounded) {
                prop_assert!((0..=1).contains(&(rounded - part.floor_pico()).0));
            }
        }
    }
}
