//! The older text format, for whoever does not ask for OpenMetrics: `curl | promtool check metrics`, simple agents.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The content type of the text that [`classic`] gives.
pub const CLASSIC_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The same metrics in the older format. There a counter's comments name it with its `_total`, and nothing marks the end.
pub fn classic(openmetrics: &str) -> String {
    let counters: BTreeSet<&str> = openmetrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(openmetrics.len());
    for line in openmetrics.lines() {
        let comment = ["# HELP ", "# TYPE "].into_iter().find_map(|start| {
            let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
            Some((start, name, rest))
        });
        // Writing to a String cannot fail.
        let _ = match comment {
            Some((start, name, rest)) if counters.contains(name) => {
                writeln!(text, "{start}{name}_total {rest}")
            }
            None if line.starts_with('#') => Ok(()),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_in_full_and_the_end_is_not_marked() {
        let openmetrics = "# HELP a Help of a.\n# TYPE a counter\na_total{b=\"# TYPE c counter\"} 1\n\
            # HELP c Help.\n# TYPE c gauge\n# UNIT c seconds\nc 2.5\n# EOF\n";
        let expected = "# HELP a_total Help of a.\n# TYPE a_total counter\na_total{b=\"# TYPE c counter\"} 1\n\
            # HELP c Help.\n# TYPE c gauge\nc 2.5\n";
        assert_eq!(classic(openmetrics), expected);
    }
}
