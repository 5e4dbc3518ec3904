//! Reading: hour after hour out of the files, in bounded memory, merged as far as the question allows.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use nightcap_core::money::query::{Field, Needs};
use nightcap_core::money::{Hour, NodeName};
use nightcap_core::units::{Instant, Window};

use crate::day::{DayFiles, Source, Unread, is_fresh, open};
use crate::layout::{Day, Hours, Resolution, Table, days, hour_of, table_folder};
use crate::merge::{Merging, Route};
use crate::plan::{assets_plan, charges_plan, savings_plan};
use crate::rows::{Charge, Maker};
use crate::schema::{Allocation, Asset};
use crate::{Archive, Damaged, HistoryError, coarse};

/// Rows that are held at once when a question leaves them as many as there are pods.
const ROWS_AT_ONCE: usize = 50_000;
/// How often a day is looked at again because a file was replaced while it was read.
const LOOKS: usize = 8;

/// Hours out of the archive, in order of time.
///
/// Rows that agree in what is needed, and lie wholly within one step, come as one. They come in an [`Hour`] that starts
/// with the first hour of theirs and may hold several; every sum over the rows of a step is what it is over the rows as
/// they were written. Several [`Hour`]s may have the same start: each then holds nodes of one price confidence.
#[derive(Debug)]
pub struct HourStream<'a> {
    archive: &'a Archive,
    window: Window,
    needs: Needs,
    /// Hours come as they were written, row by row.
    verbatim: bool,
    /// Days that are still to come.
    days: VecDeque<Day>,
    /// Parts of the day at hand that are still to come.
    batches: VecDeque<Batch>,
    loaded: Option<Loaded>,
    ready: VecDeque<Hour>,
    damaged: BTreeSet<Damaged>,
    excluded: BTreeSet<PathBuf>,
    coarse: bool,
}

/// A stretch of time whose rows come together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Unit {
    window: Window,
    hours: Hours,
    /// The step it lies in wholly, if it does: then its rows may become one.
    merge_within: Option<Window>,
}

#[derive(Debug)]
struct Batch {
    day: Day,
    units: Vec<Unit>,
}

/// The rows of a batch, merged.
#[derive(Debug)]
struct Loaded {
    units: VecDeque<(usize, Unit)>,
    maker: Maker,
    charges: Merging,
    assets: Merging,
    savings: Merging,
    /// Rows stand for the day as a whole: they are cut to the units afterwards.
    cut_to: Option<Vec<Unit>>,
}

impl<'a> HourStream<'a> {
    pub(crate) fn new(
        archive: &'a Archive,
        window: Window,
        needs: Needs,
        verbatim: bool,
    ) -> Result<Self, HistoryError> {
        let mut found = BTreeSet::new();
        for resolution in Resolution::ALL {
            let folder = table_folder(archive.root(), Table::Allocations, resolution, archive.cluster());
            let days = days(&folder).map_err(|error| HistoryError::read(&folder, error))?;
            found.extend(days.into_iter().filter(|day| !day.window().intersect(window).is_empty()));
        }
        Ok(Self {
            archive,
            window,
            needs,
            verbatim,
            days: found.into_iter().collect(),
            batches: VecDeque::new(),
            loaded: None,
            ready: VecDeque::new(),
            damaged: BTreeSet::new(),
            excluded: BTreeSet::new(),
            coarse: false,
        })
    }

    /// Files that were left out so far, and why.
    pub fn damaged(&self) -> impl Iterator<Item = &Damaged> {
        self.damaged.iter()
    }

    /// Whether part of the window is known by the day only, and was cut in proportion to time.
    pub const fn is_coarse(&self) -> bool {
        self.coarse
    }

    fn read_day(&mut self, day: Day) -> Result<(), HistoryError> {
        let units = self.units(day);
        if !self.needs.is_fine() || units.len() == 1 {
            self.batches.push_back(Batch { day, units });
            return Ok(());
        }
        let rows = self.rows_an_hour(day)?;
        let at_once = (ROWS_AT_ONCE / rows.max(1)).max(1);
        self.batches.extend(units.chunks(at_once).map(|units| Batch { day, units: units.to_vec() }));
        Ok(())
    }

    /// The stretches of a day whose rows come together: the hours of one step, or an hour that a step cuts.
    fn units(&self, day: Day) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        for hour in 0..24 {
            let span = day.hour(hour);
            if span.intersect(self.window).is_empty() {
                continue;
            }
            let merge_within = if self.verbatim { None } else { self.step_around(span) };
            match units.last_mut() {
                Some(unit) if merge_within.is_some() && unit.merge_within == merge_within => {
                    unit.window = Window::new(unit.window.start, span.end);
                    unit.hours = unit.hours.or(Hours::one(hour));
                }
                _ => units.push(Unit { window: span, hours: Hours::one(hour), merge_within }),
            }
        }
        units
    }

    /// The step that `span` lies in wholly.
    fn step_around(&self, span: Window) -> Option<Window> {
        let steps = self.needs.steps();
        if steps.is_empty() {
            return (self.window.start <= span.start && span.end <= self.window.end).then_some(self.window);
        }
        self.needs.step_of(span).and_then(|nth| steps.get(nth).copied())
    }

    /// How many charges an hour of the day has, about.
    fn rows_an_hour(&self, day: Day) -> Result<usize, HistoryError> {
        let files = self.list(day)?;
        let newest = files.hourly(&self.excluded).into_iter().next();
        let rows = newest.and_then(|source| {
            let file = files.of(&source, Table::Allocations)?;
            let decoder = open(&file.path, file.name.crc).ok()?;
            let rows: usize = (0..decoder.groups()).map(|group| decoder.rows(group)).sum();
            Some(rows / source.name.hours.iter().count().max(1))
        });
        Ok(rows.unwrap_or(0))
    }

    fn leave_out(&mut self, damaged: Damaged) {
        self.archive.met.note(&damaged);
        self.damaged.insert(damaged);
    }

    fn list(&self, day: Day) -> Result<DayFiles, HistoryError> {
        DayFiles::list(self.archive.root(), self.archive.cluster(), day)
    }

    fn load(&mut self, batch: &Batch) -> Result<Loaded, HistoryError> {
        let mut looks = 0;
        loop {
            let files = self.list(batch.day)?;
            for path in &files.foreign {
                let reason = "it is no file of Nightcap's: move it elsewhere".to_owned();
                self.leave_out(Damaged { path: path.as_path().into(), reason });
            }
            let sources = self.choose(&files, batch);
            match self.merge(&files, &sources, batch) {
                Ok(loaded) => return Ok(loaded),
                Err((_, Unread::Gone)) if looks < LOOKS => looks += 1,
                Err((path, unread)) => {
                    let damaged = match unread {
                        Unread::Damaged(damaged) => damaged,
                        Unread::Gone => {
                            Damaged { path: path.as_path().into(), reason: "it is not there".to_owned() }
                        }
                    };
                    self.leave_out(damaged);
                    self.excluded.insert(path);
                }
            }
        }
    }

    /// The sets of files that answer best.
    fn choose(&self, files: &DayFiles, batch: &Batch) -> Vec<Source> {
        let hourly = files.hourly(&self.excluded);
        let Some(daily) = files.daily(&self.excluded) else { return hourly };
        let known = hourly.iter().fold(Hours::NONE, |known, source| known.or(source.hours));
        let is_more = !daily.hours.without(known).is_empty();
        let whole_day = matches!(&batch.units[..], [Unit { merge_within: Some(step), .. }]
            if step.intersect(batch.day.window()) == batch.day.window());
        if is_more || (whole_day && is_fresh(&daily, &hourly)) { vec![daily] } else { hourly }
    }

    fn merge(
        &mut self,
        files: &DayFiles,
        sources: &[Source],
        batch: &Batch,
    ) -> Result<Loaded, (PathBuf, Unread)> {
        let needs = &self.needs;
        let by_the_day = sources.iter().any(|source| source.resolution == Resolution::Daily);
        let day = batch.day.window();
        let whole = Unit { window: day, hours: Hours::DAY, merge_within: Some(day) };
        let units = if by_the_day { vec![whole] } else { batch.units.clone() };
        let mut loaded = Loaded {
            maker: Maker::default(),
            charges: Merging::new(charges_plan(needs), units.len()),
            assets: Merging::new(assets_plan(needs), units.len()),
            savings: Merging::new(savings_plan(), units.len()),
            units: units.iter().copied().enumerate().collect(),
            cut_to: None,
        };
        if by_the_day && batch.units.iter().map(|unit| unit.window).ne([day]) {
            loaded.cut_to = Some(batch.units.clone());
        }
        for source in sources {
            // Rows of the day as a whole all carry its start, whichever hours they stand for.
            let counting = if by_the_day { Hours::DAY } else { source.hours };
            let routes = routes(&units, counting);
            for table in Table::ALL {
                let merging = match table {
                    Table::Allocations => &mut loaded.charges,
                    Table::Assets => &mut loaded.assets,
                    Table::Savings => &mut loaded.savings,
                };
                let Some(file) = files.of(source, table) else {
                    let folder =
                        table_folder(self.archive.root(), table, source.resolution, self.archive.cluster());
                    let path = folder.join(batch.day.folder()).join(source.name.of_any_content());
                    if self.excluded.contains(&path) {
                        continue;
                    }
                    return Err((path, Unread::Gone));
                };
                // The table that decides is damaged as a set; of the others only their own rows are missing.
                if self.excluded.contains(&file.path) || routes.iter().all(Option::is_none) {
                    continue;
                }
                let taken = open(&file.path, file.name.crc).and_then(|decoder| {
                    merging
                        .add(&decoder, source.resolution, &mut loaded.maker.interner, |period| {
                            route(&routes, batch.day, period)
                        })
                        .map_err(|reason| {
                            Unread::Damaged(Damaged { path: file.path.as_path().into(), reason })
                        })
                });
                taken.map_err(|unread| (file.path.clone(), unread))?;
            }
        }
        Ok(loaded)
    }

    fn give(&mut self, loaded: &mut Loaded, nth: usize, unit: Unit) {
        let split = unit.merge_within.is_some() || !self.needs.has(Field::Node);
        let mut hours: BTreeMap<u32, Hour> = BTreeMap::new();
        let first = |code: u32| if split { code } else { 0 };
        let mut nodes: HashMap<u32, Arc<NodeName>> = HashMap::new();
        let rows = loaded.assets.take(nth);
        for row in loaded.assets.rows(&rows) {
            let asset = loaded.maker.asset(&row);
            let uid = row.code(Asset::NodeUid as usize);
            nodes.insert(uid, Arc::clone(&asset.node));
            let place = first(row.code(Asset::Confidence as usize));
            hours.entry(place).or_insert_with(|| Hour::new(unit.window.start)).assets.push(asset);
        }
        drop(rows);
        let rows = loaded.charges.take(nth);
        for row in loaded.charges.rows(&rows) {
            let charge = loaded.maker.charge(&row, |uid| nodes.get(&uid).map(Arc::clone));
            let place = first(row.code(Allocation::Confidence as usize));
            let hour = hours.entry(place).or_insert_with(|| Hour::new(unit.window.start));
            match charge {
                Charge::Pod(rows) => hour.allocations.extend(rows),
                Charge::Flat(row) => hour.flat.push(row),
            }
        }
        drop(rows);
        let rows = loaded.savings.take(nth);
        for row in loaded.savings.rows(&rows) {
            let saved = loaded.maker.saved(&row);
            let hour = hours.entry(first(0)).or_insert_with(|| Hour::new(unit.window.start));
            hour.saved.push(saved);
        }
        let mut hours: Vec<Hour> = hours.into_values().collect();
        // The newest price of a node is the last that is seen.
        hours.sort_by_key(|hour| hour.assets.iter().map(|asset| asset.window.end).max());
        match &loaded.cut_to {
            None => self.ready.extend(hours),
            Some(units) => {
                self.coarse = true;
                for unit in units {
                    self.ready.extend(hours.iter().map(|hour| coarse::cut(hour, unit.window)));
                }
            }
        }
    }
}

impl Iterator for HourStream<'_> {
    type Item = Result<Hour, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(hour) = self.ready.pop_front() {
                return Some(Ok(hour));
            }
            if let Some(mut loaded) = self.loaded.take() {
                if let Some((nth, unit)) = loaded.units.pop_front() {
                    self.give(&mut loaded, nth, unit);
                    self.loaded = Some(loaded);
                }
                continue;
            }
            if let Some(batch) = self.batches.pop_front() {
                match self.load(&batch) {
                    Ok(loaded) => self.loaded = Some(loaded),
                    Err(error) => return Some(Err(error)),
                }
                continue;
            }
            let day = self.days.pop_front()?;
            if let Err(error) = self.read_day(day) {
                return Some(Err(error));
            }
        }
    }
}

/// Where the rows of each hour of the day go, for the hours that count.
fn routes(units: &[Unit], counting: Hours) -> [Option<Route>; 24] {
    let mut routes = [None; 24];
    for (nth, unit) in units.iter().enumerate() {
        for hour in unit.hours.and(counting).iter() {
            routes[usize::from(hour)] = Some(Route { unit: nth, merge_within: unit.merge_within });
        }
    }
    routes
}

fn route(routes: &[Option<Route>; 24], day: Day, period: Instant) -> Option<Route> {
    if Day::of(period) == day { routes[usize::from(hour_of(period))] } else { None }
}
