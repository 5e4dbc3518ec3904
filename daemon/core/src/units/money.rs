//! Money in integers. Rates are rounded once, when they are made; amounts are never rounded until printed.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize, Serializer};

use super::Millis;

/// Pico-dollars (10^-12 USD) in a dollar.
const PICO: i128 = 1_000_000_000_000;
/// Milliseconds in an hour: the other factor between a [`Cost`] and a [`PicoUsd`].
const MS_PER_HOUR: i128 = 3_600_000;

/// A price per hour in whole pico-dollars. Holds up to 18 million dollars an hour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub u64);

impl Rate {
    /// From dollars per hour, rounded to the nearest pico-dollar. `None` for what is no price: negative, not a
    /// number, or above a million dollars an hour.
    pub fn from_usd_per_hour(usd: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "range checked just before"
        )]
        (usd.is_finite() && (0.0..=1e6).contains(&usd)).then(|| Self((usd * 1e12).round() as u64))
    }

    /// In dollars per hour, for display.
    pub fn usd_per_hour(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// What this rate costs over `time`, exactly. A negative time costs a negative amount.
    pub fn over(self, time: Millis) -> Cost {
        Cost(i128::from(self.0) * i128::from(time.0))
    }
}

impl Add for Rate {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign for Rate {
    fn add_assign(&mut self, rhs: Self) {
        *self = *self + rhs;
    }
}

impl Sub for Rate {
    type Output = Self;
    /// Saturates at zero.
    fn sub(self, rhs: Self) -> Self {
        Self(self.0.saturating_sub(rhs.0))
    }
}

impl Sum for Rate {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self(0), Add::add)
    }
}

macro_rules! signed_sum {
    ($name:ident) => {
        impl Add for $name {
            type Output = Self;
            fn add(self, rhs: Self) -> Self {
                Self(self.0 + rhs.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, rhs: Self) -> Self {
                Self(self.0 - rhs.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, rhs: Self) {
                self.0 += rhs.0;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, rhs: Self) {
                self.0 -= rhs.0;
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self(0), Add::add)
            }
        }
    };
}

/// An exact amount of money: rate × time, in (pico-dollars per hour) × milliseconds.
///
/// Sums of these are exact whatever the grouping; divide only to show ([`Cost::floor_pico`], [`Cost::usd`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cost(pub i128);
signed_sum!(Cost);

impl Cost {
    /// From whole pico-dollars.
    pub const fn from_pico(pico: PicoUsd) -> Self {
        Self(pico.0 * MS_PER_HOUR)
    }

    /// Whole pico-dollars, rounded down, and what that loses in 1/3,600,000 pico-dollars: the key of
    /// largest-remainder rounding.
    pub const fn split(self) -> (PicoUsd, i128) {
        // What an hour costs nearly always fits 64 bits, where dividing by a constant is a multiplication; closing an
        // hour does this for every pod.
        if self.0 >= 0 && self.0 <= u64::MAX as i128 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "range checked just before"
            )]
            let small = self.0 as u64;
            return (PicoUsd((small / 3_600_000) as i128), (small % 3_600_000) as i128);
        }
        (PicoUsd(self.0.div_euclid(MS_PER_HOUR)), self.0.rem_euclid(MS_PER_HOUR))
    }

    /// Whole pico-dollars, rounded down. The remainder is below one pico-dollar.
    pub const fn floor_pico(self) -> PicoUsd {
        self.split().0
    }

    /// What rounding down loses, in 1/3,600,000 pico-dollars.
    pub const fn remainder(self) -> i128 {
        self.split().1
    }

    /// In dollars, for display.
    pub fn usd(self) -> f64 {
        self.0 as f64 / (PICO * MS_PER_HOUR) as f64
    }
}

/// An amount of money in whole pico-dollars (10^-12 USD): what a closed hour is stored in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PicoUsd(pub i128);
signed_sum!(PicoUsd);

impl PicoUsd {
    /// From dollars, to the nearest pico-dollar; `None` if not a number or absurdly large.
    pub fn from_usd(usd: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "range checked just before")]
        (usd.is_finite() && usd.abs() < 1e15).then(|| Self((usd * 1e12).round() as i128))
    }

    /// In dollars, for display.
    pub fn usd(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// As a dollar amount that prints all twelve decimals.
    pub const fn exact(self) -> Usd {
        Usd(self)
    }
}

/// A dollar amount that is shown exactly: `0.123456789012`, in JSON as a number with all its decimals.
///
/// A reader that parses JSON numbers as decimals can add parts and gets the whole to the last digit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Usd(pub PicoUsd);

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pico = self.0.0;
        let sign = if pico < 0 { "-" } else { "" };
        let (whole, fraction) =
            (pico.unsigned_abs() / PICO.unsigned_abs(), pico.unsigned_abs() % PICO.unsigned_abs());
        if fraction == 0 {
            return write!(f, "{sign}{whole}.0");
        }
        let digits = format!("{fraction:012}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::value::RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn floor_and_remainder_make_the_whole(cost in -(1i128 << 80)..(1i128 << 80), shift in 0u32..80) {
            let cost = Cost(cost >> shift);
            let (floor, remainder) = cost.split();
            prop_assert!((0..MS_PER_HOUR).contains(&remainder));
            prop_assert_eq!(floor.0 * MS_PER_HOUR + remainder, cost.0);
        }
    }

    #[test]
    fn exact_dollars_show_every_digit_and_no_more() {
        for (pico, text) in [
            (0, "0.0"),
            (1, "0.000000000001"),
            (-1_500_000_000_000, "-1.5"),
            (1_702_010_000_000_000, "1702.01"),
        ] {
            assert_eq!(PicoUsd(pico).exact().to_string(), text);
            assert_eq!(serde_json::to_string(&PicoUsd(pico).exact()).unwrap(), text);
        }
    }
}
