//! Money on the wire: a JSON number with all its decimals, written and read without a float in between.

use std::borrow::Cow;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use nightcap_core::units::{PicoUsd, Rate, Usd};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use thiserror::Error;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Decimals of a dollar that are kept: pico-dollars.
const DECIMALS: usize = 12;

/// An amount in US dollars, exact to 10^-12.
///
/// Reading works with `serde_json` only, and not inside of flattened or untagged types, which buffer numbers as floats.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Money(pub PicoUsd);

/// A text that is no amount of money.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0:?} is no amount of money: expected a decimal number with at most twelve decimals")]
pub struct NotMoney(String);

impl Money {
    /// In dollars, for display.
    pub fn usd(self) -> f64 {
        self.0.usd()
    }
}

impl From<PicoUsd> for Money {
    fn from(amount: PicoUsd) -> Self {
        Self(amount)
    }
}

impl From<Rate> for Money {
    /// Dollars per hour.
    fn from(rate: Rate) -> Self {
        Self(PicoUsd(i128::from(rate.0)))
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0 + rhs.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, rhs: Self) {
        self.0 += rhs.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Usd(self.0).fmt(f)
    }
}

impl FromStr for Money {
    type Err = NotMoney;

    /// Reads a JSON number. What has more than twelve decimals is refused, not rounded.
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        read(text).ok_or_else(|| NotMoney(text.chars().take(60).collect()))
    }
}

fn read(text: &str) -> Option<Money> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i128 = digits.parse().ok()?;
    let places = i32::try_from(DECIMALS).ok()? + exponent - i32::try_from(fraction.len()).ok()?;
    let pico = if number == 0 {
        0
    } else if places >= 0 {
        number.checked_mul(10_i128.checked_pow(places.unsigned_abs())?)?
    } else {
        let divisor = 10_i128.checked_pow(places.unsigned_abs())?;
        if number % divisor != 0 {
            return None;
        }
        number / divisor
    };
    Some(Money(PicoUsd(if mantissa.starts_with('-') { -pico } else { pico })))
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Usd(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        let object: Object = ObjectBuilder::new()
            .schema_type(Type::Number)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
            .description(Some("US dollars, a decimal number with up to twelve decimals; parse it as a decimal to add exactly."))
            .build();
        RefOr::T(Schema::Object(object))
    }
}

impl ToSchema for Money {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Money")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_to_the_last_digit() {
        for (text, pico) in [
            ("0.0", 0),
            ("0", 0),
            ("-0.0", 0),
            ("12", 12_000_000_000_000),
            ("-0.000000000001", -1),
            ("123456789.123456789012", 123_456_789_123_456_789_012),
            ("1.5e-3", 1_500_000_000),
            ("2E2", 200_000_000_000_000),
            ("0.1230000000000000", 123_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Money(PicoUsd(pico))), "{text}");
        }
    }

    #[test]
    fn what_is_no_exact_amount_is_refused_by_its_name() {
        for text in [
            "",
            "-",
            ".5",
            "1,5",
            "0.0000000000001",
            "1e40",
            "null",
            "\"1\"",
            "1e",
            "99999999999999999999999999999999999999",
        ] {
            let error = text.parse::<Money>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_the_wire(pico in -(1i128 << 100)..(1i128 << 100)) {
            let money = Money(PicoUsd(pico));
            let text = serde_json::to_string(&[money]).unwrap();
            prop_assert_eq!(serde_json::from_str::<[Money; 1]>(&text).unwrap(), [money]);
        }
    }
}
