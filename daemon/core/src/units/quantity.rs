//! Kubernetes quantities such as `250m`, `1.5Gi` or `12e3`, read into exact integers.

use thiserror::Error;

use super::{Bytes, Cpu, Gpu};

/// A text that is no quantity, or one that this resource cannot have.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum QuantityError {
    /// Not of the form `<number><suffix>`.
    #[error("{0:?} is no quantity: expected a number with an optional suffix such as m, k, Mi or e3")]
    Malformed(String),
    /// Below zero.
    #[error("{0:?} is negative")]
    Negative(String),
    /// More than 64 bits can hold.
    #[error("{0:?} is too large")]
    TooLarge(String),
}

/// CPU: `2` cores, `250m`, `250918273n`.
pub fn parse_cpu(text: &str) -> Result<Cpu, QuantityError> {
    scaled(text, 1_000_000_000).map(Cpu)
}

/// Memory and other byte counts: `512Mi`, `1.5G`, `128974848`.
pub fn parse_bytes(text: &str) -> Result<Bytes, QuantityError> {
    scaled(text, 1).map(Bytes)
}

/// GPUs: `1`.
pub fn parse_gpu(text: &str) -> Result<Gpu, QuantityError> {
    scaled(text, 1_000).map(Gpu)
}

/// The value times `unit`, rounded up as Kubernetes does: a fraction of the smallest unit still takes one.
fn scaled(text: &str, unit: u128) -> Result<u64, QuantityError> {
    let malformed = || QuantityError::Malformed(text.to_owned());
    let too_large = || QuantityError::TooLarge(text.to_owned());
    let unsigned = match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| b == b'0' || b == b'.') && !rest.is_empty() => rest,
        Some(_) => return Err(QuantityError::Negative(text.to_owned())),
        None => text.strip_prefix('+').unwrap_or(text),
    };
    let split = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(split);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || whole.len() + fraction.len() > 30 {
        return Err(malformed());
    }
    let digits: u128 = format!("{whole}{fraction}").parse().map_err(|_| malformed())?;
    let (multiplier, exponent) = suffix_scale(suffix).ok_or_else(malformed)?;
    let places = i32::try_from(fraction.len()).map_err(|_| malformed())?;
    let numerator = digits.checked_mul(unit).and_then(|n| n.checked_mul(multiplier)).ok_or_else(too_large)?;
    let power = exponent - places;
    let value = if power >= 0 {
        let factor = 10u128.checked_pow(power.unsigned_abs()).ok_or_else(too_large)?;
        numerator.checked_mul(factor).ok_or_else(too_large)?
    } else {
        match 10u128.checked_pow(power.unsigned_abs()) {
            Some(divisor) => numerator.div_ceil(divisor),
            None => u128::from(numerator > 0),
        }
    };
    u64::try_from(value).map_err(|_| too_large())
}

/// A suffix as binary multiplier and decimal exponent.
fn suffix_scale(suffix: &str) -> Option<(u128, i32)> {
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (-40..=40).contains(&exponent).then_some((1, exponent))?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_suffix_is_read_exactly() {
        for (text, nanocores) in [
            ("2", 2_000_000_000),
            ("250m", 250_000_000),
            ("0.1", 100_000_000),
            ("250918273n", 250_918_273),
            ("1500u", 1_500_000),
            ("1e-3", 1_000_000),
            ("1E2", 100_000_000_000),
            (".5", 500_000_000),
            ("5.", 5_000_000_000),
            ("-0", 0),
        ] {
            assert_eq!(parse_cpu(text), Ok(Cpu(nanocores)), "{text}");
        }
        for (text, bytes) in [
            ("128974848", 128_974_848),
            ("129e6", 129_000_000),
            ("129M", 129_000_000),
            ("123Mi", 128_974_848),
            ("1.5Gi", 1_610_612_736),
            ("1.5", 2),
            ("100m", 1),
            ("0", 0),
        ] {
            assert_eq!(parse_bytes(text), Ok(Bytes(bytes)), "{text}");
        }
        assert_eq!(parse_gpu("2"), Ok(Gpu(2_000)));
    }

    #[test]
    fn what_is_no_quantity_names_the_value() {
        for text in ["", "m", "1.2.3", "12XB", "1 Gi", "e3", "0x10", "NaN", "１"] {
            assert_eq!(parse_bytes(text), Err(QuantityError::Malformed(text.to_owned())), "{text}");
        }
        assert_eq!(parse_cpu("-250m"), Err(QuantityError::Negative("-250m".to_owned())));
        assert_eq!(parse_bytes("100Ei"), Err(QuantityError::TooLarge("100Ei".to_owned())));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse_cpu(&text);
        }

        #[test]
        fn whole_numbers_are_themselves(n in 0u64..1_000_000_000_000) {
            prop_assert_eq!(parse_bytes(&n.to_string()), Ok(Bytes(n)));
            prop_assert_eq!(parse_bytes(&format!("{n}Ki")), Ok(Bytes(n * 1024)));
        }
    }
}
