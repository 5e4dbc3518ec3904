//! Chance that a seed decides, apart from the world's own.

use nightcap_core::units::Millis;

/// `SplitMix64`, Vigna's: small, and good enough to choose instants with.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x5EED_C4A5)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `least` up to and with `most`.
    pub(super) fn between(&mut self, least: Millis, most: Millis) -> Millis {
        let width = u64::try_from(most.0 - least.0).unwrap_or_default() + 1;
        Millis(least.0 + i64::try_from(self.draw() % width).unwrap_or_default())
    }

    /// Once in `many`.
    pub(super) fn once_in(&mut self, many: u64) -> bool {
        self.draw().is_multiple_of(many)
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let many = u64::try_from(all.len()).unwrap_or(1);
        all[usize::try_from(self.draw() % many).unwrap_or_default()]
    }
}
