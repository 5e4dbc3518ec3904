//! Where other tools' wishes stand in the chain: behind Nightcap's own of the same level, before the default.
//!
//! * A namespace or workload with a schedule or an exclusion of Nightcap's own ignores the foreign keys of its level, and
//!   says so. Overrides (`keep-awake-until`, `asleep-until`) stand before all of them anyway and hide nothing.
//! * Only tools that `sleep.read` names count; what others carry is shown, behind everything else, as not read. Of two
//!   that are read, the one named first comes first.
//! * A foreign wish is the namespace's own: it opts in, so it counts in mode `ask` too, and for every tier.
//! * Where a tool would leave an object alone, so does Nightcap: neither put to sleep nor woken. The same where it wants
//!   some replicas to stay while down, which Nightcap does not do.
//! * What another tool has put to sleep is treated as asleep and left alone, whatever anybody wishes.

use std::sync::Arc;

use chrono_tz::Tz;

use super::foreign::{Ask, Foreign, ForeignSleep, ForeignSubject, ForeignWish, Tool, foreign_wish};
use super::{Levels, Wish, Wishes};
use crate::units::Instant;

/// What a namespace and a workload carry of other tools.
#[derive(Clone, Copy, Debug)]
pub struct ForeignLevels<'a> {
    /// The tools whose wishes count, first one first.
    pub read: &'a [Tool],
    /// Zone of schedules of tools that have one zone for everything.
    pub zone: Tz,
    /// The workload: what it carries, which it is, when it was created. `None` when the namespace is asked about.
    pub workload: Option<(Option<&'a Foreign>, ForeignSubject<'a>, Instant)>,
    /// What the namespace carries.
    pub namespace: Option<&'a Foreign>,
    /// The mark of another tool's sleep; of what carries Nightcap's mark none is to be given.
    pub sleep: Option<&'a ForeignSleep>,
}

/// The foreign wishes by their place.
#[derive(Default)]
pub(super) struct Placed {
    /// Behind the workload's own.
    pub(super) workload: Vec<Wish>,
    /// Behind the namespace's own.
    pub(super) namespace: Vec<Wish>,
    /// Behind everything: ignored, or not read, or without anything to say now.
    pub(super) shown: Vec<Wish>,
    /// When one that has nothing to say now will have.
    pub(super) silent_until: Option<Instant>,
}

const fn is_set(wishes: &Wishes) -> bool {
    wishes.has_schedule() || wishes.exclude || wishes.unknown
}

/// What the read tools ask for, strongest first, with the word for where the key stands.
fn read(levels: &Levels<'_>, now: Instant) -> Vec<(&'static str, ForeignWish)> {
    let Some(foreign) = levels.foreign else { return Vec::new() };
    foreign.read.iter().filter_map(|tool| wish_of(*tool, levels, &foreign, true, now)).collect()
}

/// What one tool asks for. Keys of a level that has Nightcap's own are left out if `own_first`.
fn wish_of(
    tool: Tool,
    levels: &Levels<'_>,
    foreign: &ForeignLevels<'_>,
    own_first: bool,
    now: Instant,
) -> Option<(&'static str, ForeignWish)> {
    let hides = |wishes: Option<&Wishes>| own_first && wishes.is_some_and(is_set);
    let own_hidden = hides(levels.workload);
    let workload =
        foreign.workload.map(|(of, subject, created)| (of.filter(|_| !own_hidden), subject, created));
    let namespace = foreign.namespace.filter(|_| !hides(Some(levels.namespace)));
    let wish = foreign_wish(tool, workload, namespace, foreign.zone, now)?;
    let of_workload = workload.and_then(|(of, ..)| of).is_some_and(|of| of.keys().contains_key(&wish.key));
    Some((if of_workload { "workload" } else { "namespace" }, wish))
}

pub(super) fn place(levels: &Levels<'_>, now: Instant) -> Placed {
    let Some(foreign) = levels.foreign else { return Placed::default() };
    let mut placed = Placed::default();
    let read = read(levels, now);
    for (place, wish) in &read {
        if wish.ask == Ask::Nothing {
            placed.silent_until = placed.silent_until.into_iter().chain(wish.until).min();
            placed.shown.push(uncounted(place, wish, "", wish.warnings.clone()));
            continue;
        }
        let of_level = if *place == "workload" { &mut placed.workload } else { &mut placed.namespace };
        of_level.push(counted(place, wish));
    }
    for tool in Tool::ALL {
        let is_read = foreign.read.contains(&tool);
        let Some((place, wish)) = wish_of(tool, levels, &foreign, false, now) else { continue };
        if !is_read && wish.ask == Ask::Nothing {
            continue;
        }
        if is_read && read.iter().any(|(_, counted)| counted.tool == tool && counted.key == wish.key) {
            continue;
        }
        placed.shown.push(if is_read {
            let reason = format!("ignored, since its {place} has a wish of Nightcap's own");
            let warning = format!("{} {:?}: {reason}", wish.key, wish.value);
            uncounted(place, &wish, &format!("It is {reason}."), vec![warning.into()])
        } else {
            uncounted(place, &wish, &format!("Not read: sleep.read does not name {tool}."), Vec::new())
        });
    }
    placed
}

fn says(wish: &ForeignWish) -> String {
    format!("{}, as {} reads it.", wish.why.trim_end_matches('.'), wish.tool)
}

/// A wish that counts, as the chain shows it.
fn counted(place: &str, wish: &ForeignWish) -> Wish {
    let keeps_some = wish.ask == Ask::Sleep && wish.replicas > 0;
    let (mut why, mut warnings) = (says(wish), wish.warnings.clone());
    if keeps_some {
        let rest = format!("It wants {} replicas to stay, so it is left alone.", wish.replicas);
        warnings.push(format!("{} {:?}: {rest}", wish.key, wish.value).into());
        why = format!("{why} {rest}");
    }
    Wish {
        source: source(place, wish),
        value: Arc::clone(&wish.value),
        asleep: wish.ask == Ask::Sleep && !keeps_some,
        hands_off: wish.ask == Ask::LeaveAlone || keeps_some,
        why: why.into(),
        until: wish.until,
        counts: true,
        won: false,
        by: None,
        warnings,
    }
}

/// A wish that is only shown.
fn uncounted(place: &str, wish: &ForeignWish, reason: &str, warnings: Vec<Arc<str>>) -> Wish {
    let why = format!("{reason} {}", says(wish)).trim_start().into();
    Wish { why, counts: false, warnings, ..counted(place, wish) }
}

fn source(place: &str, wish: &ForeignWish) -> Arc<str> {
    // What nobody can read has no key that decides.
    let key = if wish.key.is_empty() { wish.tool.name() } else { &wish.key };
    format!("{place} {key}").into()
}

/// The wish that stands for another tool's sleep.
pub(super) fn asleep_elsewhere(mark: &ForeignSleep) -> Wish {
    Wish {
        source: "asleep elsewhere".into(),
        value: format!("{}: {}", mark.key, mark.value).into(),
        asleep: true,
        hands_off: true,
        why: mark.to_string().into(),
        until: None,
        counts: true,
        won: false,
        by: None,
        warnings: Vec::new(),
    }
}

/// The next instant, strictly later, at which the foreign wishes of a level begin to ask for sleep, or for waking; `None`
/// if they never do. `Err` if there are none that ask for anything.
pub(super) fn next_foreign_edge(
    levels: &Levels<'_>,
    place: &str,
    asleep: bool,
    now: Instant,
) -> Result<Option<Instant>, ()> {
    /// A wish goes to and fro, or over a stretch of being left alone: more than a few edges are never needed.
    const MOST_EDGES: usize = 16;
    let first = |at: Instant| {
        let mut all = read(levels, at).into_iter();
        all.find(|(of, wish)| *of == place && wish.ask != Ask::Nothing).map(|(_, wish)| wish)
    };
    let mut wish = first(now).ok_or(())?;
    let wanted = if asleep { Ask::Sleep } else { Ask::Awake };
    for _ in 0..MOST_EDGES {
        let Some(at) = wish.until else { return Ok(None) };
        match first(at) {
            Some(next) if next.ask == wanted => return Ok(Some(at)),
            Some(next) => wish = next,
            None => return Ok(None),
        }
    }
    Ok(None)
}
