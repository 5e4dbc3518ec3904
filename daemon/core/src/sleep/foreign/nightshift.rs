//! nightshift: a list of edges such as `Mon-Fri 9:00 replicas=1 state=restore`, of which the last one counts.
//!
//! Days are three letters in any case, joined by commas, ranges must not wrap over Sunday, which is the last day. The
//! zone is one for the whole tool.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::wish::next_change;
use super::{Ask, ForeignWish, Tool};
use crate::cluster::Keys;
use crate::units::{Instant, local_instant};

const SCHEDULE: &str = "joyrex2001.com/nightshift.schedule";
const IGNORE: &str = "joyrex2001.com/nightshift.ignore";
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// How far back and ahead an edge is looked for: each day of the week comes within it.
const REACH: u64 = 8;

/// What happens to the saved state at an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SavedState {
    /// Nothing.
    None,
    /// The present size is saved.
    Save,
    /// The saved size is restored.
    Restore,
}

impl SavedState {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Save => "save",
            Self::Restore => "restore",
        }
    }
}

/// One edge of a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShiftEdge {
    days: [bool; 7],
    hour: u32,
    minute: u32,
    settings: BTreeMap<String, String>,
}

/// What an edge does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shift {
    /// To how many replicas.
    pub replicas: u32,
    /// Whether these are the saved ones.
    pub restored: bool,
    /// Whether the present ones are saved before.
    pub saved: bool,
}

impl ShiftEdge {
    /// Reads one edge.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str, value: &str| format!("in {text:?}: {value:?} is no {what}");
        let lower = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = lower.replace(", ", ",").replace("- ", "-");
        let mut words = lower.split(' ');
        let days = words.next().unwrap_or_default();
        let days = parse_days(days).ok_or_else(|| wrong("list of days such as Mon-Fri or Sat,Sun", days))?;
        let time = words.next().unwrap_or_default();
        let read = |text: &str, below: u32| text.parse::<u32>().ok().filter(|number| *number < below);
        let (hour, minute) = time
            .split_once(':')
            .and_then(|(hour, minute)| Some((read(hour, 24)?, read(minute, 60)?)))
            .ok_or_else(|| wrong("time such as 9:00", time))?;
        let mut settings = BTreeMap::new();
        for word in words {
            match word.split('=').collect::<Vec<_>>()[..] {
                [key, value] => settings.insert(key.to_owned(), value.to_owned()),
                _ => return Err(wrong("setting such as replicas=1", word)),
            };
        }
        Ok(Self { days, hour, minute, settings })
    }

    /// Its days, by their names.
    pub fn days(&self) -> Vec<&'static str> {
        DAYS.into_iter().zip(self.days).filter(|(_, on)| *on).map(|(name, _)| name).collect()
    }

    /// Its time of the day.
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    /// What is written behind the time.
    pub const fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// What it does with the saved state.
    pub fn state(&self) -> Result<SavedState, String> {
        match self.settings.get("state").map(String::as_str) {
            None => Ok(SavedState::None),
            Some("save") => Ok(SavedState::Save),
            Some("restore") => Ok(SavedState::Restore),
            Some(other) => Err(format!("{other:?} is no state: use save or restore")),
        }
    }

    /// What it does to an object whose saved size is `saved`.
    pub fn apply(&self, saved: Option<u32>) -> Result<Shift, String> {
        let state = self.state()?;
        if let (SavedState::Restore, Some(replicas)) = (state, saved) {
            return Ok(Shift { replicas, restored: true, saved: false });
        }
        let replicas = match self.settings.get("replicas") {
            Some(text) => text.parse().map_err(|_| format!("{text:?} is no number of replicas"))?,
            None => return Err("neither replicas nor a saved size is given".to_owned()),
        };
        Ok(Shift { replicas, restored: false, saved: state == SavedState::Save })
    }

    /// Its time on the local day that `now` lies in, whether that is one of its days or not.
    pub fn on_the_day_of(&self, now: Instant, zone: Tz) -> Option<Instant> {
        self.on(local_day(now, zone)?, zone)
    }

    /// The first edge at `now` or later; none if it has no day.
    pub fn next(&self, now: Instant, zone: Tz) -> Option<Instant> {
        let today = local_day(now, zone)?;
        let days = (0..=REACH).filter_map(|ahead| today.checked_add_days(Days::new(ahead)));
        days.filter(|day| self.is_on(*day)).filter_map(|day| self.on(day, zone)).find(|at| *at >= now)
    }

    /// The last edge at `now` or earlier.
    pub fn last(&self, now: Instant, zone: Tz) -> Option<Instant> {
        let today = local_day(now, zone)?;
        let days = (0..=REACH).filter_map(|back| today.checked_sub_days(Days::new(back)));
        days.filter(|day| self.is_on(*day)).filter_map(|day| self.on(day, zone)).find(|at| *at <= now)
    }

    fn is_on(&self, day: NaiveDate) -> bool {
        let index = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or(0);
        self.days.get(index).copied().unwrap_or(false)
    }

    fn on(&self, day: NaiveDate, zone: Tz) -> Option<Instant> {
        NaiveTime::from_hms_opt(self.hour, self.minute, 0).map(|time| local_instant(day.and_time(time), zone))
    }
}

fn local_day(at: Instant, zone: Tz) -> Option<NaiveDate> {
    DateTime::from_timestamp_millis(at.0).map(|at| at.with_timezone(&zone).date_naive())
}

fn parse_days(text: &str) -> Option<[bool; 7]> {
    let day = |text: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (day(first)?, day(last).filter(|last| Some(*last) > day(first))?),
            None => (day(part)?, day(part)?),
        };
        days.get_mut(first..=last)?.fill(true);
    }
    Some(days)
}

/// A whole schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShiftSchedule {
    text: Arc<str>,
    edges: Vec<ShiftEdge>,
    zone: Tz,
}

impl ShiftSchedule {
    /// Reads edges joined by `;`.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, String> {
        let edges = text.split(';').filter(|part| !part.trim().is_empty()).map(ShiftEdge::parse);
        Ok(Self { text: text.into(), edges: edges.collect::<Result<_, _>>()?, zone })
    }

    /// All edges after `past` and up to `now`, in order: what a pass that was late has to make up for.
    pub fn between(&self, past: Instant, now: Instant) -> Vec<Instant> {
        let mut found = Vec::new();
        for edge in &self.edges {
            let mut at = past;
            while let Some(next) =
                edge.next(Instant(at.0.saturating_add(1)), self.zone).filter(|next| *next <= now)
            {
                found.push(next);
                at = next;
            }
        }
        found.sort_unstable();
        found
    }

    /// The edge that counts at `at`, of two at once the one that is written later.
    fn last(&self, at: Instant) -> Option<&ShiftEdge> {
        let all = self.edges.iter().filter_map(|edge| Some((edge.last(at, self.zone)?, edge)));
        all.max_by_key(|(last, _)| *last).map(|(_, edge)| edge)
    }

    fn next_edge(&self, after: Instant) -> Option<Instant> {
        let from = Instant(after.0.saturating_add(1));
        self.edges.iter().filter_map(|edge| edge.next(from, self.zone)).min()
    }

    fn ask(&self, at: Instant) -> Option<(Ask, &ShiftEdge)> {
        let edge = self.last(at)?;
        let down = edge.settings.get("replicas").is_some_and(|text| text.parse() == Ok(0u32));
        let restores = edge.state() == Ok(SavedState::Restore);
        Some((if down && !restores { Ask::Sleep } else { Ask::Awake }, edge))
    }
}

/// Whether it is one of the keys.
pub(super) fn reads(key: &str) -> bool {
    key.starts_with("joyrex2001.com/nightshift.")
}

/// What the annotations ask for; the workload's schedule stands in for its namespace's.
pub(super) fn wish(own: Option<&Keys>, namespace: &Keys, zone: Tz, now: Instant) -> Option<ForeignWish> {
    let get = |key: &str| own.and_then(|keys| keys.get(key)).or_else(|| namespace.get(key));
    let made = |ask, key: &str, value: &Arc<str>, why: String, until, warnings| ForeignWish {
        tool: Tool::Nightshift,
        ask,
        replicas: 0,
        key: key.into(),
        value: Arc::clone(value),
        why: why.into(),
        until,
        warnings,
    };
    if let Some(value) = get(IGNORE).filter(|value| value.eq_ignore_ascii_case("true")) {
        return Some(made(
            Ask::LeaveAlone,
            IGNORE,
            value,
            "Ignored by nightshift.".to_owned(),
            None,
            Vec::new(),
        ));
    }
    let value = get(SCHEDULE)?;
    match ShiftSchedule::parse(value, zone) {
        Err(problem) => {
            let why = "Its schedule cannot be read, so nothing is done.".to_owned();
            let warnings = vec![format!("{SCHEDULE}: {problem}").into()];
            Some(made(Ask::LeaveAlone, SCHEDULE, value, why, None, warnings))
        }
        Ok(schedule) => {
            let (ask, edge) = schedule.ask(now)?;
            let why = format!("Its last edge was {} of {}.", edge.time(), edge.days().join(","));
            let until =
                next_change(now, |at| schedule.ask(at).map(|(ask, _)| ask), |at| schedule.next_edge(at));
            let triggers = schedule.edges.iter().any(|edge| edge.settings.contains_key("trigger"));
            let warnings = triggers.then(|| Arc::from("its triggers are not called")).into_iter().collect();
            Some(made(ask, SCHEDULE, &schedule.text, why, until, warnings))
        }
    }
}
