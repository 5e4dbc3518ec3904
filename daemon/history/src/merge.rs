//! Rows of files become fewer rows: those that agree in what the question needs, within one unit of time, are one.
//!
//! Sums of money are integers, so that what is merged adds up to what it came from, to the pico-dollar.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use nightcap_core::units::{Instant, PicoUsd, Window};

use crate::frame::{Cells, Kind, NOTHING, Texts};
use crate::layout::Resolution;
use crate::parquet::Decoder;
use crate::schema::{Schema, WINDOW_END, WINDOW_START, period};

/// Texts of a day, each once, by number. One for all columns, so that equal texts have equal numbers everywhere.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    codes: HashMap<Arc<str>, u32>,
    values: Vec<Arc<str>>,
}

impl Interner {
    pub(crate) fn code(&mut self, text: &Arc<str>) -> u32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(NOTHING);
        self.codes.insert(Arc::clone(text), code);
        self.values.push(Arc::clone(text));
        code
    }

    pub(crate) fn get(&self, code: u32) -> Option<&Arc<str>> {
        self.values.get(code as usize)
    }
}

/// Which columns of a table make up the key, and where in it they are.
#[derive(Debug)]
pub(crate) struct Plan {
    schema: &'static Schema,
    /// By text column: its place in the key, if it is wanted.
    places: Vec<Option<usize>>,
    rates: bool,
    width: usize,
    /// Rows of one key merge only if one begins where the other ends: their lengths are summed by the reader.
    adjacent_only: bool,
    /// Columns of which only a part is wanted.
    kept: Vec<(usize, Keep)>,
}

/// What of a text is kept.
#[derive(Debug)]
pub(crate) enum Keep {
    /// Of labels, those with these keys.
    Labels(BTreeSet<Arc<str>>),
    /// Names of lines, such as `__overhead__`.
    Lines,
    /// That there is one.
    Presence,
}

impl Plan {
    /// Reads the text columns for which `wanted` says so, and the price where `rates`.
    pub(crate) fn new(schema: &'static Schema, wanted: impl Fn(usize) -> bool, rates: bool) -> Self {
        let mut width = 0;
        let mut places = Vec::with_capacity(schema.texts.len());
        for column in 0..schema.texts.len() {
            let place = wanted(column).then_some(width);
            width += usize::from(place.is_some());
            places.push(place);
        }
        let rates = rates && !schema.rates.is_empty();
        let width = width + usize::from(rates) + schema.flags.len();
        Self { schema, places, rates, width, adjacent_only: false, kept: Vec::new() }
    }

    /// Of the texts in `column`, only this.
    pub(crate) fn keeping(mut self, column: usize, keep: Keep) -> Self {
        self.kept.push((column, keep));
        self
    }

    /// Only rows that meet in time become one.
    pub(crate) const fn adjacent_only(mut self) -> Self {
        self.adjacent_only = true;
        self
    }
}

/// A row group, as far as it is needed.
#[derive(Debug)]
struct Group {
    periods: Vec<Instant>,
    starts: Vec<Instant>,
    ends: Vec<Instant>,
    /// By place in the key, then by row.
    keys: Vec<Vec<u32>>,
    sums: Vec<Vec<PicoUsd>>,
    numbers: Vec<Vec<f64>>,
}

/// The rows of one unit of time. What belongs to row `n` lies at `n` times the width of its kind.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    keys: Vec<u32>,
    windows: Vec<Window>,
    sums: Vec<i128>,
    numbers: Vec<f64>,
    /// By key: the newest row, plus one.
    newest: Vec<u32>,
}

/// Where rows of a period go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) unit: usize,
    /// Rows that lie wholly in here may become one.
    pub(crate) merge_within: Option<Window>,
}

/// All rows of a table for some units of time.
#[derive(Debug)]
pub(crate) struct Merging {
    plan: Plan,
    ids: HashMap<Arc<[u32]>, u32>,
    keys: Vec<Arc<[u32]>>,
    units: Vec<Rows>,
}

/// One merged row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// Rows of equal keys have equal texts, price and marks.
    pub(crate) key: u32,
    codes: &'a [u32],
    plan: &'a Plan,
    pub(crate) window: Window,
    pub(crate) sums: &'a [i128],
    pub(crate) numbers: &'a [f64],
}

impl Row<'_> {
    /// The number of a text; none where there is none, or nobody asked.
    pub(crate) fn code(&self, column: usize) -> u32 {
        self.plan.places.get(column).copied().flatten().map_or(NOTHING, |place| self.codes[place])
    }

    /// The numbers of texts.
    pub(crate) fn codes(&self, columns: Range<usize>) -> impl Iterator<Item = u32> {
        columns.map(|column| self.code(column))
    }

    /// The number of the rate, which the interner knows by its digits.
    pub(crate) fn rate(&self) -> u32 {
        if self.plan.rates { self.codes[self.plan.width - self.plan.schema.flags.len() - 1] } else { NOTHING }
    }

    pub(crate) fn flag(&self, flag: usize) -> bool {
        let flags = self.plan.schema.flags.len();
        flag < flags && self.codes[self.plan.width - flags + flag] == 1
    }
}

impl Merging {
    pub(crate) fn new(plan: Plan, units: usize) -> Self {
        let mut rows = Vec::new();
        rows.resize_with(units, Rows::default);
        Self { plan, ids: HashMap::new(), keys: Vec::new(), units: rows }
    }

    /// Takes in a file. On an error part of it may be in already: the caller begins again without it.
    pub(crate) fn add(
        &mut self,
        decoder: &Decoder,
        resolution: Resolution,
        interner: &mut Interner,
        route: impl Fn(Instant) -> Option<Route>,
    ) -> Result<(), String> {
        for group in 0..decoder.groups() {
            let group = self.plan.read(decoder, group, resolution, interner)?;
            self.add_group(&group, &route);
        }
        Ok(())
    }

    fn add_group(&mut self, group: &Group, route: impl Fn(Instant) -> Option<Route>) {
        let mut last: Option<(usize, u32)> = None;
        let mut key = vec![0; self.plan.width];
        for row in 0..group.periods.len() {
            let Some(Route { unit, merge_within }) = route(group.periods[row]) else { continue };
            // Sorted files repeat a key hour after hour, and coarse questions nearly always.
            let same = last.filter(|&(before, _)| group.keys.iter().all(|codes| codes[row] == codes[before]));
            let id = if let Some((_, id)) = same {
                id
            } else {
                for (code, codes) in key.iter_mut().zip(&group.keys) {
                    *code = codes[row];
                }
                self.id(&key)
            };
            last = Some((row, id));
            let window = Window::new(group.starts[row], group.ends[row]);
            let merge =
                merge_within.is_some_and(|within| within.start <= window.start && window.end <= within.end);
            self.units[unit].add(id, window, merge, self.plan.adjacent_only, group, row);
        }
    }

    fn id(&mut self, key: &[u32]) -> u32 {
        if let Some(&id) = self.ids.get(key) {
            return id;
        }
        let id = u32::try_from(self.keys.len()).unwrap_or(NOTHING);
        let key: Arc<[u32]> = key.into();
        self.keys.push(Arc::clone(&key));
        self.ids.insert(key, id);
        id
    }

    /// The rows of a unit, which are not kept any longer.
    pub(crate) fn take(&mut self, unit: usize) -> Rows {
        self.units.get_mut(unit).map(std::mem::take).unwrap_or_default()
    }

    /// Reads what was taken.
    pub(crate) fn rows<'a>(&'a self, rows: &'a Rows) -> impl Iterator<Item = Row<'a>> {
        let (sums, numbers) = (self.plan.schema.sums.len(), self.plan.schema.numbers.len());
        rows.keys.iter().zip(&rows.windows).enumerate().map(move |(nth, (&key, &window))| Row {
            key,
            codes: &self.keys[key as usize],
            plan: &self.plan,
            window,
            sums: &rows.sums[nth * sums..(nth + 1) * sums],
            numbers: &rows.numbers[nth * numbers..(nth + 1) * numbers],
        })
    }
}

impl Rows {
    fn add(&mut self, key: u32, window: Window, merge: bool, adjacent_only: bool, group: &Group, row: usize) {
        let slot = key as usize;
        if slot >= self.newest.len() {
            self.newest.resize(slot + 1, 0);
        }
        if merge && self.newest[slot] > 0 {
            let nth = self.newest[slot] as usize - 1;
            let known = &mut self.windows[nth];
            if !adjacent_only || known.end == window.start {
                *known = Window::new(known.start.min(window.start), known.end.max(window.end));
                let (sums, numbers) = (group.sums.len(), group.numbers.len());
                for (sum, values) in self.sums[nth * sums..].iter_mut().zip(&group.sums) {
                    *sum += values[row].0;
                }
                for (sum, values) in self.numbers[nth * numbers..].iter_mut().zip(&group.numbers) {
                    *sum += values[row];
                }
                return;
            }
        }
        self.keys.push(key);
        self.windows.push(window);
        self.sums.extend(group.sums.iter().map(|values| values[row].0));
        self.numbers.extend(group.numbers.iter().map(|values| values[row]));
        if merge {
            self.newest[slot] = u32::try_from(self.windows.len()).unwrap_or(0);
        }
    }
}

impl Plan {
    fn read(
        &self,
        decoder: &Decoder,
        group: usize,
        resolution: Resolution,
        interner: &mut Interner,
    ) -> Result<Group, String> {
        let mut keys = Vec::with_capacity(self.width);
        for (column, name) in self.schema.texts.iter().enumerate() {
            if self.places[column].is_some() {
                let Cells::Text(texts) = decoder.read(group, name, Kind::Text)? else { continue };
                let keep = self.kept.iter().find(|(kept, _)| *kept == column);
                keys.push(codes(&texts, keep.map(|(_, keep)| keep), interner));
            }
        }
        if self.rates {
            let mut digits = Texts::default();
            for rate in money(decoder, group, self.schema.rates[0])? {
                digits.push(Some(&rate.0.to_string()));
            }
            keys.push(codes(&digits, None, interner));
        }
        for name in self.schema.flags {
            let Cells::Flag(flags) = decoder.read(group, name, Kind::Flag)? else { continue };
            keys.push(flags.into_iter().map(u32::from).collect());
        }
        Ok(Group {
            periods: instants(decoder, group, period(resolution))?,
            starts: instants(decoder, group, WINDOW_START)?,
            ends: instants(decoder, group, WINDOW_END)?,
            keys,
            sums: self
                .schema
                .sums
                .iter()
                .map(|name| money(decoder, group, name))
                .collect::<Result<_, _>>()?,
            numbers: self
                .schema
                .numbers
                .iter()
                .map(|name| numbers(decoder, group, name))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn instants(decoder: &Decoder, group: usize, name: &str) -> Result<Vec<Instant>, String> {
    Ok(match decoder.read(group, name, Kind::Instant)? {
        Cells::Instant(values) => values,
        _ => Vec::new(),
    })
}

fn money(decoder: &Decoder, group: usize, name: &str) -> Result<Vec<PicoUsd>, String> {
    Ok(match decoder.read(group, name, Kind::Money)? {
        Cells::Money(values) => values,
        _ => Vec::new(),
    })
}

fn numbers(decoder: &Decoder, group: usize, name: &str) -> Result<Vec<f64>, String> {
    Ok(match decoder.read(group, name, Kind::Number)? {
        Cells::Number(values) => values,
        _ => Vec::new(),
    })
}

/// The texts' numbers in the interner, each different text looked up once.
fn codes(texts: &Texts, keep: Option<&Keep>, interner: &mut Interner) -> Vec<u32> {
    let codes: Vec<u32> = texts
        .values()
        .iter()
        .map(|text| match keep {
            None => interner.code(text),
            Some(keep) => keep.of(text).map_or(NOTHING, |text| interner.code(&text)),
        })
        .collect();
    texts.codes().iter().map(|&code| codes.get(code as usize).copied().unwrap_or(NOTHING)).collect()
}

impl Keep {
    fn of(&self, text: &Arc<str>) -> Option<Arc<str>> {
        match self {
            Self::Labels(keys) => {
                let mut all: BTreeMap<Arc<str>, Arc<str>> = serde_json::from_str(text).ok()?;
                all.retain(|key, _| keys.contains(key));
                if all.is_empty() { None } else { serde_json::to_string(&all).ok().map(Into::into) }
            }
            Self::Lines => (text.starts_with("__") && text.ends_with("__")).then(|| Arc::clone(text)),
            Self::Presence => Some(Arc::default()),
        }
    }
}
