//! Numbers of JSON and of the metrics' text, to the last digit: money is compared as it was written, never as a float.

use anyhow::{Context, bail};
use serde_json::Value;

/// Decimals of a dollar that are kept: pico-dollars.
const DECIMALS: usize = 12;

/// Reads JSON with every number kept as the text it was written as, in a JSON string.
pub fn parse(json: &str) -> anyhow::Result<Value> {
    let mut quoted = String::with_capacity(json.len() + json.len() / 8);
    let (mut in_text, mut escaped, mut in_number) = (false, false, false);
    for c in json.chars() {
        let number = !in_text
            && (c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E') && (in_number || c == '-'));
        if number != in_number {
            quoted.push('"');
            in_number = number;
        }
        if in_text && escaped {
            escaped = false;
        } else if in_text && c == '\\' {
            escaped = true;
        } else if c == '"' {
            in_text = !in_text;
        }
        quoted.push(c);
    }
    if in_number {
        quoted.push('"');
    }
    serde_json::from_str(&quoted).with_context(|| format!("not JSON: {json}"))
}

/// A decimal number in 10^-12; what has more decimals than that is an error, not rounded.
pub fn pico(text: &str) -> anyhow::Result<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let number: i128 = format!("{whole}{fraction}").parse().with_context(|| format!("no number: {text}"))?;
    let places = i32::try_from(DECIMALS)? + exponent - i32::try_from(fraction.len())?;
    let factor =
        10_i128.checked_pow(places.unsigned_abs()).with_context(|| format!("out of range: {text}"))?;
    let value = if places >= 0 {
        number.checked_mul(factor).with_context(|| format!("out of range: {text}"))?
    } else if number % factor == 0 {
        number / factor
    } else {
        bail!("more than {DECIMALS} decimals: {text}");
    };
    Ok(if mantissa.starts_with('-') { -value } else { value })
}

/// The number at a JSON pointer of what [`parse`] has read, in 10^-12.
pub fn pico_at(json: &Value, pointer: &str) -> anyhow::Result<i128> {
    let found = json.pointer(pointer).and_then(Value::as_str);
    pico(found.with_context(|| format!("no number at {pointer} of {json}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_stay_as_they_were_written() {
        let json = r#"{"a": 0.1000000000000000055, "b": [-1, 2E3,5], "c": "x 1.5 \"2\"", "d": null, "e": 7}"#;
        let expected = json!({"a": "0.1000000000000000055", "b": ["-1", "2E3", "5"], "c": "x 1.5 \"2\"", "d": null, "e": "7"});
        assert_eq!(parse(json).unwrap(), expected);
        assert_eq!(parse("12").unwrap(), json!("12"));
    }

    #[test]
    fn numbers_are_read_in_pico() {
        for (text, expected) in [
            ("0.0", 0),
            ("1", 1_000_000_000_000),
            ("-0.000000000001", -1),
            ("1.5e-3", 1_500_000_000),
            ("0.10000000000000", 100_000_000_000),
        ] {
            assert_eq!(pico(text).unwrap(), expected, "{text}");
        }
        for text in ["", "x", "0.0000000000001", "1e60"] {
            assert!(pico(text).is_err(), "{text}");
        }
        assert_eq!(pico_at(&parse(r#"{"a": [{"b": 2.5}]}"#).unwrap(), "/a/0/b").unwrap(), 2_500_000_000_000);
    }
}
