//! What can be wrong with the price tables or the price settings.

use std::fmt;

use thiserror::Error;

/// Why there is no price book.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum PriceError {
    /// An embedded table cannot be read. Only a broken build does this.
    #[error("price table {table}, line {line}: {problem}")]
    Table {
        /// File name of the table.
        table: &'static str,
        /// Line number, the header being 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The price settings cannot be used. Holds everything that is wrong with them.
    #[error("{} in the price settings:{}", count(.0), list(.0))]
    Settings(Vec<SettingError>),
}

fn count(errors: &[SettingError]) -> String {
    if errors.len() == 1 { "1 error".to_owned() } else { format!("{} errors", errors.len()) }
}

fn list(errors: &[SettingError]) -> String {
    errors.iter().fold(String::new(), |lines, error| lines + "\n  " + &error.to_string())
}

/// One setting that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingError {
    /// Where it stands, such as `price_rules[2].hourly_usd`.
    pub path: String,
    /// The value as it was read.
    pub value: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.path, self.value, self.problem)
    }
}
