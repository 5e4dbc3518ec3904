//! Which wish wins. One documented precedence, the same for every reader:
//!
//! asleep elsewhere > `keep-awake-until` > `asleep-until` > `exclude` > workload schedule > workload's foreign keys >
//! namespace schedule > namespace's foreign keys > tier > default.
//! On each step the workload's own annotation comes before its namespace's. `foreign_place` says what holds of foreign
//! keys, those of other sleep tools.

use std::sync::Arc;

use serde::Serialize;

use super::foreign_place::{ForeignLevels, asleep_elsewhere, next_foreign_edge, place};
use super::{AsleepUntil, Mode, Wishes};
use crate::cluster::Tier;
use crate::units::Instant;

/// The wishes that meet on one workload, or on a namespace as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Levels<'a> {
    /// The workload's own; `None` when the namespace as a whole is asked about.
    pub workload: Option<&'a Wishes>,
    /// The namespace's.
    pub namespace: &'a Wishes,
    /// The configured default.
    pub defaults: &'a Wishes,
    /// The pattern that protects the namespace, if one does.
    pub protected: Option<&'a str>,
    /// The tier for which only the namespace's and the workload's own wishes count, if it is of such a one.
    pub tier: Option<Tier>,
    /// What other sleep tools' users have written on either, if anything.
    pub foreign: Option<ForeignLevels<'a>>,
}

/// One wish of the chain, as `explain` shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Wish {
    /// Where it stands, such as `namespace uptime`.
    pub source: Arc<str>,
    /// The value, as written.
    pub value: Arc<str>,
    /// Whether it wishes sleep now.
    pub asleep: bool,
    /// One sentence.
    pub why: Arc<str>,
    /// When it will wish otherwise, or end.
    pub until: Option<Instant>,
    /// Whether the mode lets it act: the default policy, for one, acts only in [`Mode::Act`].
    pub counts: bool,
    /// It wishes that nothing is done: neither put to sleep nor woken.
    pub hands_off: bool,
    /// What a reader should know of its value.
    pub warnings: Vec<Arc<str>>,
}

/// What should be, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Decision {
    /// What is to be done in this mode.
    pub asleep: bool,
    /// What the winning wish says, whatever the mode.
    pub wished: bool,
    /// Nothing is to be done, whether it is up or down now.
    pub hands_off: bool,
    /// Where the winning wish stands; `no wish` if there is none.
    pub policy: Arc<str>,
    /// One sentence.
    pub why: Arc<str>,
    /// The next instant at which this may be otherwise.
    pub next_change: Option<Instant>,
}

/// Decides, and gives the whole chain of wishes, the winner first.
pub fn decide(levels: Levels<'_>, mode: Mode, now: Instant) -> (Decision, Vec<Wish>) {
    let (wishes, shown, silent_until) = chain(levels, mode, now);
    let ends = wishes.iter().filter_map(|wish| wish.until).chain(silent_until);
    let next_change = ends.filter(|&at| at > now).min();
    let Some(first) = wishes.first() else {
        let decision = Decision {
            asleep: false,
            wished: false,
            hands_off: false,
            policy: "no wish".into(),
            why: "Nothing asks it to sleep.".into(),
            next_change,
        };
        return (decision, shown);
    };
    // A wish that may not act in this mode gives way to the next that may, but is still what was wished.
    let acting = wishes.iter().find(|wish| wish.counts);
    let asleep = mode != Mode::Observe && acting.is_some_and(|wish| wish.asleep);
    // In observe nothing stays asleep by Nightcap's hand, so that only the hand of others keeps it off.
    let hands_off = acting.is_some_and(|wish| wish.hands_off && (wish.asleep || mode != Mode::Observe));
    let winner = acting.filter(|_| mode != Mode::Observe).unwrap_or(first);
    let decision = Decision {
        asleep,
        wished: first.asleep && !first.hands_off,
        hands_off,
        policy: Arc::clone(&winner.source),
        why: Arc::clone(&winner.why),
        next_change,
    };
    (decision, wishes.into_iter().chain(shown).collect())
}

/// The next instant, strictly later, at which the schedule puts the object to sleep.
pub fn next_sleep(levels: Levels<'_>, now: Instant) -> Option<Instant> {
    next_edge(levels, now, true)
}

/// The next instant, strictly later, at which the schedule wakes the object.
pub fn next_wake(levels: Levels<'_>, now: Instant) -> Option<Instant> {
    next_edge(levels, now, false)
}

fn next_edge(levels: Levels<'_>, now: Instant, asleep: bool) -> Option<Instant> {
    for (place, wishes) in [("workload", levels.workload), ("namespace", Some(levels.namespace))] {
        if let Some(schedule) = wishes.filter(|wishes| wishes.has_schedule()) {
            return next_own_edge(schedule, now, asleep);
        }
        if let Ok(edge) = next_foreign_edge(&levels, place, asleep, now) {
            return edge;
        }
    }
    let defaults = Some(levels.defaults).filter(|_| levels.tier.is_none());
    next_own_edge(defaults.filter(|wishes| wishes.has_schedule())?, now, asleep)
}

fn next_own_edge(schedule: &Wishes, now: Instant, asleep: bool) -> Option<Instant> {
    let first = schedule.next_schedule_change(now)?;
    if schedule.schedule_sleeps(first) == Some(asleep) {
        return Some(first);
    }
    schedule.next_schedule_change(first)
}

/// All wishes that have something to say at `now`, strongest first; those that are only shown; and when one of these will
/// have something to say.
fn chain(levels: Levels<'_>, mode: Mode, now: Instant) -> (Vec<Wish>, Vec<Wish>, Option<Instant>) {
    let places = [("workload", levels.workload), ("namespace", Some(levels.namespace))];
    let each = || places.iter().filter_map(|&(place, wishes)| wishes.map(|w| (place, w)));
    let mut out = Vec::new();
    if let Some(pattern) = levels.protected {
        out.push(awake("protected", pattern, format!("Protected by the pattern {pattern}."), None));
    }
    out.extend(levels.foreign.and_then(|foreign| foreign.sleep).map(asleep_elsewhere));
    for (place, wishes) in each() {
        if let Some(until) = wishes.keep_awake_until.filter(|&until| until > now) {
            let why = format!("Kept awake until {until}.");
            out.push(awake(&format!("{place} keep-awake-until"), &until.to_rfc3339(), why, Some(until)));
        }
    }
    for (place, wishes) in each() {
        match wishes.asleep_until {
            Some(AsleepUntil::At(until)) if until > now => {
                let why = format!("Put to sleep until {until}.");
                let source = format!("{place} asleep-until");
                out.push(plain(&source, &until.to_rfc3339(), true, why, Some(until)));
            }
            Some(AsleepUntil::Manual) => {
                let why = "Put to sleep until somebody wakes it.".to_owned();
                out.push(plain(&format!("{place} asleep-until"), "manual", true, why, None));
            }
            _ => {}
        }
    }
    for (place, wishes) in each() {
        if wishes.exclude {
            out.push(awake(&format!("{place} exclude"), "true", "Excluded from sleep.".to_owned(), None));
        }
        if wishes.unknown {
            let why = format!("A wish of its {place} cannot be read, so it stays awake.");
            out.push(awake(&format!("{place} annotation"), "unreadable", why, None));
        }
    }
    let foreign = place(&levels, now);
    out.extend(levels.workload.and_then(|wishes| scheduled("workload", wishes, now, true)));
    out.extend(foreign.workload);
    out.extend(scheduled("namespace", levels.namespace, now, true));
    out.extend(foreign.namespace);
    if let Some(tier) = levels.tier {
        let why = format!("Its tier is {}: only its own wishes put it to sleep.", tier.name());
        out.push(awake("namespace tier", tier.name(), why, None));
    }
    out.extend(scheduled("default", levels.defaults, now, mode >= Mode::Act));
    (out, foreign.shown, foreign.silent_until)
}

/// A wish without anything to warn of.
fn plain(source: &str, value: &str, asleep: bool, why: String, until: Option<Instant>) -> Wish {
    Wish {
        source: source.into(),
        value: value.into(),
        asleep,
        why: why.into(),
        until,
        counts: true,
        hands_off: false,
        warnings: Vec::new(),
    }
}

fn awake(source: &str, value: &str, why: String, until: Option<Instant>) -> Wish {
    plain(source, value, false, why, until)
}

fn scheduled(place: &str, wishes: &Wishes, now: Instant, counts: bool) -> Option<Wish> {
    let asleep = wishes.schedule_sleeps(now)?;
    let up = wishes.uptime.as_ref().map(|s| ("uptime", &s.text, s.spec.holds(now)));
    let down = wishes.downtime.as_ref().map(|s| ("downtime", &s.text, s.spec.holds(now)));
    // The spec that a reader should look at: the one that puts it to sleep, else the one that keeps it awake.
    let (name, text, holds) = match (up, down) {
        (Some(up), Some(down)) if asleep && down.2 => (down.0, down.1, up.2 && down.2),
        (Some(up), _) => up,
        (None, Some(down)) => down,
        (None, None) => return None,
    };
    let why = match (name, holds || asleep && name == "downtime") {
        ("uptime", true) => format!("Within its uptime `{text}`."),
        ("uptime", false) => format!("Outside its uptime `{text}`."),
        (_, true) => format!("Within its downtime `{text}`."),
        (_, false) => format!("Outside its downtime `{text}`."),
    };
    let until = wishes.next_schedule_change(now);
    Some(Wish { counts, ..plain(&format!("{place} {name}"), text, asleep, why, until) })
}
