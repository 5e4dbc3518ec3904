//! The plain CSV our tables are written in: one header line, commas, no quotes (a test holds that).

use crate::PriceError;

/// The fields of a line, if there are just `N`.
pub(crate) fn fields<const N: usize>(line: &str) -> Option<[&str; N]> {
    let mut fields = [""; N];
    let mut parts = line.split(',');
    for field in &mut fields {
        *field = parts.next()?;
    }
    parts.next().is_none().then_some(fields)
}

/// Reads every line below the header of an embedded table.
pub(crate) fn rows<const N: usize, T>(
    table: &'static str,
    text: &'static str,
    read: impl Fn([&'static str; N]) -> Option<T>,
) -> Result<Vec<T>, PriceError> {
    let wrong =
        |line, text: &str| PriceError::Table { table, line, problem: format!("cannot read {text:?}") };
    text.lines()
        .enumerate()
        .skip(1)
        .map(|(index, line)| fields(line).and_then(&read).ok_or_else(|| wrong(index + 1, line)))
        .collect()
}

/// A decimal such as `0.192` in units of 10^-`places`, exactly. `None` if it has more decimals, or is no number.
pub(crate) fn decimal(text: &str, places: u32) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let missing = places.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
    let scaled = number(whole)?.checked_mul(10u64.checked_pow(places)?)?;
    scaled.checked_add(number(fraction)?.checked_mul(10u64.checked_pow(missing)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_read_exactly_or_not_at_all() {
        for (text, micro) in [
            ("0.192", Some(192_000)),
            ("492.48", Some(492_480_000)),
            ("3", Some(3_000_000)),
            ("0.000001", Some(1)),
            ("0.0000001", None),
            ("1e-3", None),
            ("-1", None),
            ("+1", None),
            (".5", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(decimal(text, 6), micro, "{text}");
        }
    }

    #[test]
    fn no_table_needs_quotes() {
        for text in [
            include_str!("../tables/aws_region_factors.csv"),
            include_str!("../tables/service_prices.csv"),
            include_str!("../tables/storage_prices.csv"),
        ] {
            assert!(!text.contains('"'));
        }
    }

    #[test]
    fn a_line_has_just_its_fields() {
        assert_eq!(fields::<3>("a,,c"), Some(["a", "", "c"]));
        assert_eq!(fields::<3>("a,b"), None);
        assert_eq!(fields::<3>("a,b,c,d"), None);
    }
}
