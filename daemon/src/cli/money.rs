//! Amounts as people read them: two decimals and thousands separators from one on, two significant figures below.

use nightcap_core::units::PicoUsd;

/// One dollar.
const PICO: i128 = 1_000_000_000_000;

/// Below this an amount is only said to be small.
const SMALLEST: i128 = PICO / 1_000_000;

/// An amount without its currency, which stands in the table's head.
pub(super) fn amount(usd: PicoUsd) -> String {
    let sign = if usd.0 < 0 { "-" } else { "" };
    let pico = usd.0.abs();
    if pico == 0 {
        return "0".to_owned();
    }
    if pico < SMALLEST {
        return if usd.0 < 0 { ">-0.000001" } else { "<0.000001" }.to_owned();
    }
    if pico < PICO
        && let Some(small) = two_figures(pico)
    {
        return format!("{sign}{small}");
    }
    let cents = divide(pico, PICO / 100);
    format!("{sign}{}.{:02}", grouped(&(cents / 100).to_string()), cents % 100)
}

/// An amount in a sentence: `$0.42`.
pub(super) fn dollars(usd: PicoUsd) -> String {
    let text = amount(usd);
    match text.strip_prefix('-') {
        Some(positive) => format!("-${positive}"),
        None if text.starts_with(['<', '>']) => format!("{} $", text.replacen(['<', '>'], "below ", 1)),
        None => format!("${text}"),
    }
}

/// Two significant figures of an amount below one; none if it rounds up to one.
fn two_figures(pico: i128) -> Option<String> {
    // The place of the last figure that is kept: a tenth of the first figure's.
    let mut place = PICO / 10;
    let mut decimals = 1;
    while pico < place {
        place /= 10;
        decimals += 1;
    }
    let figures = divide(pico, place / 10);
    // 0.0998 rounds to 0.10: one figure more than kept, the same digits.
    let (figures, decimals) = if figures >= 100 { (10, decimals - 1) } else { (figures, decimals) };
    (decimals > 0).then(|| format!("0.{figures:0>width$}", width = decimals + 1))
}

/// To the nearest whole, halves up.
const fn divide(value: i128, by: i128) -> i128 {
    (value + by / 2) / by
}

/// A plain number with one decimal.
pub(super) fn one_decimal(number: f64) -> String {
    let text = format!("{number:.1}");
    match text.split_once('.') {
        Some((whole, tenths)) => format!("{}.{tenths}", grouped(whole)),
        None => text,
    }
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_read_them() {
        for (usd, expected) in [
            (0.0, "0"),
            (0.000_000_4, "<0.000001"),
            (0.000_001, "0.0000010"),
            (0.001_234, "0.0012"),
            (0.099_8, "0.10"),
            (0.4, "0.40"),
            (0.424_9, "0.42"),
            (0.994, "0.99"),
            (0.995, "1.00"),
            (1.0, "1.00"),
            (1.005, "1.01"),
            (999.999, "1,000.00"),
            (1_234.5, "1,234.50"),
            (9_876_543.21, "9,876,543.21"),
            (-0.31, "-0.31"),
            (-1_234.5, "-1,234.50"),
        ] {
            let Some(pico) = PicoUsd::from_usd(usd) else { panic!("{usd}") };
            assert_eq!(amount(pico), expected, "{usd}");
        }
    }

    #[test]
    fn plain_numbers_have_one_decimal() {
        for (number, expected) in
            [(0.0, "0.0"), (60.55, "60.5"), (999.96, "1,000.0"), (1_234_567.0, "1,234,567.0")]
        {
            assert_eq!(one_decimal(number), expected);
        }
    }

    #[test]
    fn amounts_in_sentences_carry_their_currency() {
        for (pico, expected) in [
            (420_000_000_000, "$0.42"),
            (-2_000_000_000_000, "-$2.00"),
            (0, "$0"),
            (7, "below 0.000001 $"),
            (-7, "below -0.000001 $"),
        ] {
            assert_eq!(dollars(PicoUsd(pico)), expected);
        }
    }
}
