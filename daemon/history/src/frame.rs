//! A table in memory: named columns of equal length. What the schema fills and the Parquet layer stores.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use nightcap_core::units::{Instant, PicoUsd};

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text, or nothing.
    Text,
    /// Dollars with twelve decimals, exactly: `DECIMAL(38, 12)` in Parquet.
    Money,
    /// A floating-point number.
    Number,
    /// Milliseconds since the epoch, UTC.
    Instant,
    /// True or false.
    Flag,
}

/// The values of a column.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Text, or nothing.
    Text(Texts),
    /// Dollars, exactly.
    Money(Vec<PicoUsd>),
    /// Floating-point numbers.
    Number(Vec<f64>),
    /// Instants.
    Instant(Vec<Instant>),
    /// True or false.
    Flag(Vec<bool>),
}

impl Cells {
    /// No values of a kind.
    pub fn none(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Texts::default()),
            Kind::Money => Self::Money(Vec::new()),
            Kind::Number => Self::Number(Vec::new()),
            Kind::Instant => Self::Instant(Vec::new()),
            Kind::Flag => Self::Flag(Vec::new()),
        }
    }

    /// `rows` values that say nothing: what a file reads as in a column it does not have.
    pub(crate) fn blank(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Text => Self::Text(Texts { codes: vec![NOTHING; rows], ..Texts::default() }),
            Kind::Money => Self::Money(vec![PicoUsd(0); rows]),
            Kind::Number => Self::Number(vec![0.0; rows]),
            Kind::Instant => Self::Instant(vec![Instant(0); rows]),
            Kind::Flag => Self::Flag(vec![false; rows]),
        }
    }

    /// Adds others of the same kind; those of another kind are left out.
    pub(crate) fn append(&mut self, others: Self) {
        match (self, others) {
            (Self::Text(texts), Self::Text(others)) => {
                texts.append(&others, &(0..others.codes.len()).collect::<Vec<_>>());
            }
            (Self::Money(values), Self::Money(others)) => values.extend(others),
            (Self::Number(values), Self::Number(others)) => values.extend(others),
            (Self::Instant(values), Self::Instant(others)) => values.extend(others),
            (Self::Flag(values), Self::Flag(others)) => values.extend(others),
            _ => {}
        }
    }

    /// Some of them.
    pub(crate) fn slice(&self, rows: std::ops::Range<usize>) -> Self {
        match self {
            Self::Text(texts) => {
                let mut part = Texts::default();
                part.append(texts, &rows.collect::<Vec<_>>());
                Self::Text(part)
            }
            Self::Money(values) => Self::Money(values[rows].to_vec()),
            Self::Number(values) => Self::Number(values[rows].to_vec()),
            Self::Instant(values) => Self::Instant(values[rows].to_vec()),
            Self::Flag(values) => Self::Flag(values[rows].to_vec()),
        }
    }

    /// What they are.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Money(_) => Kind::Money,
            Self::Number(_) => Kind::Number,
            Self::Instant(_) => Kind::Instant,
            Self::Flag(_) => Kind::Flag,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.codes.len(),
            Self::Money(values) => values.len(),
            Self::Number(values) => values.len(),
            Self::Instant(values) => values.len(),
            Self::Flag(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The code of a cell without text.
pub(crate) const NOTHING: u32 = u32::MAX;

/// Texts, each different one kept once: rows repeat them a thousand times.
#[derive(Clone, Default, Debug)]
pub struct Texts {
    codes: Vec<u32>,
    values: Vec<Arc<str>>,
    known: HashMap<Arc<str>, u32>,
}

impl Texts {
    /// Adds a row with this text, or none.
    pub fn push(&mut self, text: Option<&str>) {
        let code = self.code(text, |text| text.into());
        self.codes.push(code);
    }

    /// Adds a row with this text, whose memory is shared.
    pub fn push_shared(&mut self, text: Option<&Arc<str>>) {
        let code = match text {
            None => NOTHING,
            Some(text) => self.code(Some(text), |_| Arc::clone(text)),
        };
        self.codes.push(code);
    }

    fn code(&mut self, text: Option<&str>, own: impl FnOnce(&str) -> Arc<str>) -> u32 {
        let Some(text) = text else { return NOTHING };
        // Rows are sorted or come node by node: mostly it is the one from before.
        if let Some(&last) = self.codes.last()
            && let Some(known) = self.values.get(last as usize)
            && **known == *text
        {
            return last;
        }
        if let Some(&code) = self.known.get(text) {
            return code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(NOTHING);
        let value = own(text);
        self.values.push(Arc::clone(&value));
        self.known.insert(value, code);
        code
    }

    /// The text of a row.
    pub fn get(&self, row: usize) -> Option<&Arc<str>> {
        self.values.get(*self.codes.get(row)? as usize)
    }

    /// Adds some rows of other texts.
    pub(crate) fn append(&mut self, other: &Self, rows: &[usize]) {
        let mut codes: Vec<Option<u32>> = vec![None; other.values.len()];
        for &row in rows {
            let code =
                match other.codes.get(row).and_then(|&code| codes.get_mut(code as usize).zip(other.get(row)))
                {
                    None => NOTHING,
                    Some((known, text)) => {
                        *known.get_or_insert_with(|| self.code(Some(text), |_| Arc::clone(text)))
                    }
                };
            self.codes.push(code);
        }
    }

    /// By number: the place of the text among all of them in order.
    pub(crate) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_unstable_by(|&a, &b| self.values[a].cmp(&self.values[b]));
        let mut ranks = vec![0; order.len()];
        for (rank, code) in (0..).zip(order) {
            ranks[code] = rank;
        }
        ranks
    }

    /// Puts the rows in another order.
    pub(crate) fn permute(&mut self, order: &[usize]) {
        self.codes = order.iter().map(|&row| self.codes[row]).collect();
    }

    /// Each row's number: rows with equal numbers have equal texts.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The different texts, by number.
    pub(crate) fn values(&self) -> &[Arc<str>] {
        &self.values
    }

    /// Each row's text.
    pub fn iter(&self) -> impl Iterator<Item = Option<&Arc<str>>> {
        (0..self.codes.len()).map(|row| self.get(row))
    }
}

impl<'a> FromIterator<Option<&'a str>> for Texts {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(iter: I) -> Self {
        let mut texts = Self::default();
        for text in iter {
            texts.push(text);
        }
        texts
    }
}

/// A named column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name, with the unit of its values.
    pub name: Cow<'static, str>,
    /// Its values.
    pub cells: Cells,
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<Cow<'static, str>>, cells: Cells) -> Self {
        Self { name: name.into(), cells }
    }
}
