//! Patterns with `*` (any text) and `?` (any one character), blind to case.

/// A pattern, kept in lower case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pattern(Vec<char>);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_lowercase().chars().collect())
    }

    /// Whether it matches the whole of `text`.
    ///
    /// Takes one step back to the last `*` at a mismatch, so it needs no more than length × length steps.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        let (mut at, mut in_text) = (0, 0);
        let mut last_star: Option<(usize, usize)> = None;
        while in_text < text.len() {
            match self.0.get(at) {
                Some('*') => {
                    last_star = Some((at, in_text));
                    at += 1;
                }
                Some(c) if *c == '?' || Some(c) == text.get(in_text) => {
                    at += 1;
                    in_text += 1;
                }
                _ => match last_star {
                    Some((star, from)) => {
                        last_star = Some((star, from + 1));
                        at = star + 1;
                        in_text = from + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0.iter().skip(at).all(|c| *c == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_texts_in_any_case() {
        for (pattern, text, expected) in [
            ("m5.*", "m5.xlarge", true),
            ("m5.*", "m5d.xlarge", false),
            ("M5.*", "m5.xlarge", true),
            ("standard_d?s_v3", "Standard_D4s_v3", true),
            ("standard_d?s_v3", "Standard_D16s_v3", false),
            ("eu-*-1", "eu-central-1", true),
            ("eu-*-1", "eu-west-2", false),
            ("*a*b*", "xaxaxb", true),
            ("*ab", "aab", true),
            ("*", "", true),
            ("?", "", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
