//! Takes values out of the raw tree, and collects everything that is wrong instead of stopping at the first.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::SettingError;
use super::keys::{KEYS, names_below};
use super::raw::Raw;

/// Long enough to recognise a value, short enough for a line.
const SHOWN: usize = 80;

#[derive(Debug)]
pub(super) struct Reader<'a> {
    raw: &'a Raw,
    errors: Vec<SettingError>,
}

impl<'a> Reader<'a> {
    /// Notes the unknown keys at once.
    pub(super) fn new(raw: &'a Raw) -> Self {
        let mut reader = Self { raw, errors: Vec::new() };
        reader.check_names("", &raw.tree);
        reader
    }

    pub(super) fn finish(self) -> Vec<SettingError> {
        self.errors
    }

    pub(super) fn error(&mut self, path: &str, problem: impl Into<String>) {
        let place = self.raw.origins.get(path).map_or(path, String::as_str).to_owned();
        self.errors.push(SettingError { place, problem: problem.into() });
    }

    fn check_names(&mut self, path: &str, value: &Value) {
        let known = names_below(path);
        let may_be_word = KEYS.iter().any(|key| key.path == path);
        let map = match value {
            // Nothing below this path is a key of ours, or nothing is set.
            _ if known.is_empty() => return,
            Value::Null => return,
            Value::Object(map) => map,
            _ if may_be_word => return,
            other => {
                let place = if path.is_empty() { "the file" } else { path };
                let example = known.first().copied().unwrap_or_default();
                return self.error(
                    place,
                    format!("{} is no map: write keys below it, such as `{example}:`", shown(other)),
                );
            }
        };
        for (name, value) in map {
            let below = join(path, name);
            if known.contains(&name.as_str()) {
                self.check_names(&below, value);
            } else {
                let place = if path.is_empty() { "at the top".to_owned() } else { format!("in {path}") };
                self.error(&below, format!("unknown key; known {place}: {}", known.join(", ")));
            }
        }
    }

    /// The value at a path; none if it is not set.
    pub(super) fn value(&self, path: &str) -> Option<&'a Value> {
        let mut value = &self.raw.tree;
        for name in path.split('.') {
            value = value.as_object()?.get(name)?;
        }
        (!value.is_null()).then_some(value)
    }

    pub(super) fn text(&mut self, path: &str) -> Option<&'a str> {
        let value = self.value(path)?;
        let text = self.as_text(path, value)?.trim();
        if text.is_empty() {
            self.error(path, "is empty: give it a value, or remove it");
            return None;
        }
        Some(text)
    }

    /// A text, understood by `parse`, whose errors name the value and what to do.
    pub(super) fn parse<T, E: Display>(
        &mut self,
        path: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(path)?;
        parse(text).map_err(|error| self.error(path, error.to_string())).ok()
    }

    pub(super) fn whole(&mut self, path: &str, range: RangeInclusive<usize>) -> Option<usize> {
        let value = self.value(path)?;
        let number = value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| range.contains(n));
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.error(
                path,
                format!("{} is not allowed: write a whole number from {least} to {most}", shown(value)),
            );
        }
        number
    }

    pub(super) fn texts(&mut self, path: &str) -> Option<Vec<&'a str>> {
        let value = self.value(path)?;
        let Some(items) = value.as_array() else {
            self.error(path, format!("{} is no list: write [a, b]", shown(value)));
            return None;
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let place = self.item(path, index);
            let text = self.as_text(&place, item).map(str::trim);
            if text == Some("") {
                self.error(&place, "is empty: give it a value, or remove it");
            }
            texts.extend(text.filter(|text| !text.is_empty()));
        }
        Some(texts)
    }

    /// Notes patterns that no namespace can match.
    pub(super) fn namespace_patterns(&mut self, path: &str, patterns: &[&str]) {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '*';
        for pattern in patterns.iter().filter(|pattern| !pattern.chars().all(allowed)) {
            let problem = format!(
                "{pattern:?} matches no namespace: use lower-case letters, digits and `-`, and `*` for any text"
            );
            self.error(path, problem);
        }
    }

    /// `true` or `false`; a variable's is a text.
    pub(super) fn switch(&mut self, path: &str) -> Option<bool> {
        let value = self.value(path)?;
        let on = value.as_bool();
        if on.is_none() {
            self.error(path, format!("{} is neither true nor false", shown(value)));
        }
        on
    }

    pub(super) fn map(&mut self, path: &str) -> Option<&'a Map<String, Value>> {
        let value = self.value(path)?;
        let map = value.as_object();
        if map.is_none() {
            self.error(path, format!("{} is no map: write `name: value` lines below it", shown(value)));
        }
        map
    }

    /// A list whose items say themselves what is wrong with them; none stands for one that cannot be used, so that the
    /// others keep their places.
    pub(super) fn items<T: DeserializeOwned>(&mut self, path: &str) -> Option<Vec<Option<T>>> {
        let value = self.value(path)?;
        let Some(items) = value.as_array() else {
            self.error(path, format!("{} is no list: begin each item with `-`", shown(value)));
            return None;
        };
        let items: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.structure(&format!("{path}[{index}]"), item))
            .collect();
        Some(items)
    }

    pub(super) fn structure<T: DeserializeOwned>(&mut self, path: &str, value: &Value) -> Option<T> {
        T::deserialize(value)
            .map_err(|error| self.error(path, format!("{} cannot be used: {error}", shown(value))))
            .ok()
    }

    pub(super) fn as_text(&mut self, path: &str, value: &'a Value) -> Option<&'a str> {
        let text = value.as_str();
        if text.is_none() {
            self.error(path, format!("{} is no text: put it in quotes, or give one value", shown(value)));
        }
        text
    }

    /// The place of an item of a list; the items of a variable's list have no places of their own.
    fn item(&self, path: &str, index: usize) -> String {
        if self.raw.origins.contains_key(path) { path.to_owned() } else { format!("{path}[{index}]") }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A value as people would recognise it.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
