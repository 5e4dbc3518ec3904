//! The text format of metrics, read to the last digit.

use std::collections::BTreeMap;

use anyhow::Context;

/// One line of `/metrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The metric's name.
    pub name: String,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// The value, as written.
    pub value: String,
}

/// All samples of a metrics page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposition(pub Vec<Line>);

impl Exposition {
    /// Reads the text format; comments are left out.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read = |line: &str| parse_line(line).with_context(|| format!("not a sample: {line}"));
        Ok(Self(lines.map(read).collect::<anyhow::Result<_>>()?))
    }

    /// The samples of this name whose labels include these.
    pub fn find<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = &'a Line> {
        let has = |line: &Line| {
            labels.iter().all(|(key, value)| line.labels.get(*key).is_some_and(|found| found == value))
        };
        self.0.iter().filter(move |line| line.name == name && has(line))
    }

    /// The value of the one sample of this name whose labels include these.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> anyhow::Result<f64> {
        let found: Vec<&Line> = self.find(name, labels).collect();
        let [line] = found.as_slice() else {
            anyhow::bail!("{} samples of {name}{labels:?}, not 1", found.len());
        };
        Ok(line.value.parse()?)
    }
}

fn parse_line(line: &str) -> Option<Line> {
    let Some((name, rest)) = line.split_once('{').filter(|(name, _)| !name.contains(' ')) else {
        let mut words = line.split_whitespace();
        let (name, value) = (words.next()?.to_owned(), words.next()?.to_owned());
        return Some(Line { name, labels: BTreeMap::new(), value });
    };
    let mut labels = BTreeMap::new();
    let mut chars = rest.chars();
    loop {
        let key: String = chars.by_ref().take_while(|c| *c != '=' && *c != '}').collect();
        let key = key.trim_matches([',', ' ']).to_owned();
        if key.is_empty() {
            break;
        }
        (chars.next()? == '"').then_some(())?;
        let mut value = String::new();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(match chars.next()? {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        }
        labels.insert(key, value);
        // What follows is a comma or the closing brace.
        if chars.clone().next()? == '}' {
            chars.next();
            break;
        }
    }
    let value = chars.as_str().split_whitespace().next()?.to_owned();
    Some(Line { name: name.to_owned(), labels, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_their_labels_and_as_written() {
        let text = "# HELP a Help.\n# TYPE a gauge\na{b=\"x, \\\"y\\\"}\",c=\"\\\\n\"} 0.10\nd 3 1700000000\ne{} NaN\n";
        let line = |name: &str, labels: &[(&str, &str)], value: &str| Line {
            name: name.to_owned(),
            labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            value: value.to_owned(),
        };
        let read = Exposition::parse(text).unwrap();
        let expected = [
            line("a", &[("b", "x, \"y\"}"), ("c", "\\n")], "0.10"),
            line("d", &[], "3"),
            line("e", &[], "NaN"),
        ];
        assert_eq!(read.0, expected);
        assert!((read.value("a", &[("c", "\\n")]).unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(
            read.value("a", &[("c", "z")]).unwrap_err().to_string(),
            "0 samples of a[(\"c\", \"z\")], not 1"
        );
    }
}
