//! What is wrong with a configuration: everything at once.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Why there is no configuration.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {reason}; check the path given by --config or NIGHTCAP_CONFIG", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is no YAML.
    #[error("the configuration is no YAML: {0}")]
    Syntax(String),
    /// Some values cannot be used.
    #[error("{}", list(.0))]
    Settings(Vec<SettingError>),
}

fn list(errors: &[SettingError]) -> String {
    let head = match errors.len() {
        1 => "1 error in the configuration:".to_owned(),
        n => format!("{n} errors in the configuration:"),
    };
    errors.iter().fold(head, |lines, error| format!("{lines}\n  {error}"))
}

/// One value that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingError {
    /// The key in the file, the variable or the flag, such as `log.level`, `NIGHTCAP_LOG_LEVEL` or `--mode`.
    pub place: String,
    /// What is wrong, with the value, and what would be right.
    pub problem: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}
