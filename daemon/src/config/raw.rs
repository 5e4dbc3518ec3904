//! The configuration as typed: the file's tree with variables and flags laid over it, nothing checked yet.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::keys::{KEYS, Kind};

/// One value given on the command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flag {
    /// The flag, such as `--mode`.
    pub flag: &'static str,
    /// The key it overrides, such as `mode`.
    pub path: &'static str,
    /// The value as typed.
    pub value: String,
}

/// What a configuration is made of. A flag comes before a variable, a variable before the file.
#[derive(Clone, PartialEq, Debug)]
pub struct Raw {
    pub(super) tree: Value,
    /// Which variable or flag gave the value at a path; what is not in here comes from the file.
    pub(super) origins: BTreeMap<String, String>,
}

impl Raw {
    /// From a file, if one is given, the process's variables, and flags.
    pub fn read(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[Flag],
    ) -> Result<Self, ConfigError> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                path: path.to_owned(),
                reason: error.to_string(),
            })?,
            None => String::new(),
        };
        Self::parse(&text, variables, flags)
    }

    /// From a file's text, variables, and flags.
    pub fn parse(
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[Flag],
    ) -> Result<Self, ConfigError> {
        let tree: Option<Value> =
            serde_saphyr::from_str(text).map_err(|error| ConfigError::Syntax(error.to_string()))?;
        let tree = tree.filter(|tree| !tree.is_null()).unwrap_or_else(|| Value::Object(Map::new()));
        let mut raw = Self { tree, origins: BTreeMap::new() };
        let variables: BTreeMap<String, String> = variables.into_iter().collect();
        for key in KEYS {
            let Some(variable) = key.variable() else { continue };
            // An empty variable is how a manifest says "not set".
            if let Some(value) = variables.get(&variable).filter(|value| !value.is_empty()) {
                raw.lay_over(key.path, key.kind, value, variable);
            }
        }
        for Flag { flag, path, value } in flags {
            raw.lay_over(path, Kind::Text, value, (*flag).to_owned());
        }
        Ok(raw)
    }

    fn lay_over(&mut self, path: &str, kind: Kind, value: &str, origin: String) {
        let value = match kind {
            Kind::Number => value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from),
            Kind::Switch => value.parse::<bool>().map_or_else(|_| Value::from(value), Value::from),
            Kind::List => value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect(),
            Kind::Text | Kind::Structure => Value::from(value),
        };
        let mut place = &mut self.tree;
        for name in path.split('.') {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            // Something else than a map stands in the way: that is an error of the file, reported when it is checked.
            let Some(map) = place.as_object_mut() else { return };
            place = map.entry(name).or_insert(Value::Null);
        }
        *place = value;
        self.origins.insert(path.to_owned(), origin);
    }
}

/// The process's variables that concern Nightcap. A variable that is no Unicode is none of ours.
pub fn process_variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("NIGHTCAP_"))
}
