//! Patterns in which `*` stands for any text.

/// Whether `text` matches `pattern`, in which each `*` stands for any text.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|tail| {
            if rest.is_empty() {
                return true;
            }
            (0..=tail.len()).any(|at| tail.is_char_boundary(at) && glob(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("shop-*", "shop-dev", true),
            ("shop-*", "shop", false),
            ("*", "", true),
            ("*-dev", "shop-dev", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("shop", "shop-dev", false),
            ("host/dev/*", "host/dev/pay", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
