//! Which wish wins. One documented precedence, the same for every reader:
//!
//! protected > asleep elsewhere > `keep-awake-until` > `asleep-until` > `exclude` > enforced policies > workload schedule >
//! workload's foreign keys > namespace schedule > namespace's foreign keys > tier > policies > default.
//!
//! * On each step the workload's own annotation comes before its namespace's.
//! * Of two policies of a step the one of the higher priority comes first, then the one whose name comes first.
//! * Policies and the default count in mode `act` only. What does not count is shown in its place, and gives way to the
//!   next that does; in `observe`, where nothing is done, it still is what is wished.
//! * A tier of critical or production is nobody's own wish: it hides what comes behind it, policies that are not enforced
//!   and the default, and nothing before it.
//! * `foreign_place` says what holds of foreign keys, those of other sleep tools.

use std::sync::Arc;

use serde::Serialize;

use super::foreign_place::{ForeignLevels, asleep_elsewhere, next_foreign_edge, place};
use super::policy::{Policy, PolicyLevels};
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
    /// The policies that are about the namespace, if there are some.
    pub policies: Option<PolicyLevels<'a>>,
    /// What other sleep tools' users have written on either, if anything.
    pub foreign: Option<ForeignLevels<'a>>,
}

/// One wish of the chain, as `explain` shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own that a reader asks")]
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
    /// Whether the mode lets it act: policies and the default act only in [`Mode::Act`].
    pub counts: bool,
    /// Whether it is the one that decides; where nothing may be done, the one that would.
    pub won: bool,
    /// Who is said to have wished it, of what commands write.
    pub by: Option<Arc<str>>,
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

/// Decides, and gives the whole chain of wishes, the strongest first; `won` marks the one that decides.
pub fn decide(levels: Levels<'_>, mode: Mode, now: Instant) -> (Decision, Vec<Wish>) {
    let (mut wishes, shown, silent_until) = chain(levels, mode, now);
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
    let acting = wishes.iter().position(|wish| wish.counts);
    let winner = acting.filter(|_| mode != Mode::Observe).unwrap_or(0);
    let acting = acting.and_then(|at| wishes.get(at));
    let asleep = mode != Mode::Observe && acting.is_some_and(|wish| wish.asleep);
    // In observe nothing stays asleep by Nightcap's hand, so that only the hand of others keeps it off.
    let hands_off = acting.is_some_and(|wish| wish.hands_off && (wish.asleep || mode != Mode::Observe));
    let (wished, first) = (first.asleep && !first.hands_off, Arc::clone(&first.source));
    let (policy, why) = match wishes.get_mut(winner) {
        Some(winner) => {
            winner.won = true;
            (Arc::clone(&winner.source), Arc::clone(&winner.why))
        }
        None => (first, "".into()),
    };
    let decision = Decision { asleep, wished, hands_off, policy, why, next_change };
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
    let first_policy = |enforced| {
        let policies = levels.policies.filter(|policies| policies.count)?;
        policies.matching(enforced).next().map(|policy| policy.wishes_of(policies.team))
    };
    // One that keeps things awake has no edges.
    if let Some(wishes) = first_policy(true) {
        return next_own_edge(wishes, now, asleep);
    }
    for (place, wishes) in [("workload", levels.workload), ("namespace", Some(levels.namespace))] {
        if let Some(schedule) = wishes.filter(|wishes| wishes.has_schedule()) {
            return next_own_edge(schedule, now, asleep);
        }
        if let Ok(edge) = next_foreign_edge(&levels, place, asleep, now) {
            return edge;
        }
    }
    if levels.tier.is_some() {
        return None;
    }
    next_own_edge(first_policy(false).unwrap_or(levels.defaults), now, asleep)
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
            let wish = awake(&format!("{place} keep-awake-until"), &until.to_rfc3339(), why, Some(until));
            out.push(wish.written_by(wishes));
        }
    }
    for (place, wishes) in each() {
        match wishes.asleep_until {
            Some(AsleepUntil::At(until)) if until > now => {
                let why = format!("Put to sleep until {until}.");
                let source = format!("{place} asleep-until");
                out.push(plain(&source, &until.to_rfc3339(), true, why, Some(until)).written_by(wishes));
            }
            Some(AsleepUntil::Manual) => {
                let why = "Put to sleep until somebody wakes it.".to_owned();
                let wish = plain(&format!("{place} asleep-until"), "manual", true, why, None);
                out.push(wish.written_by(wishes));
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
    out.extend(of_policies(&levels, true, now));
    let foreign = place(&levels, now);
    out.extend(levels.workload.and_then(|wishes| scheduled("workload", wishes, now, true)));
    out.extend(foreign.workload);
    out.extend(scheduled("namespace", levels.namespace, now, true));
    out.extend(foreign.namespace);
    if let Some(tier) = levels.tier {
        let why = format!("Its tier is {}: only its own wishes put it to sleep.", tier.name());
        out.push(awake("namespace tier", tier.name(), why, None));
    }
    out.extend(of_policies(&levels, false, now));
    out.extend(scheduled("default", levels.defaults, now, mode >= Mode::Act));
    (out, foreign.shown, foreign.silent_until)
}

/// The policies of one rank, the first one first.
fn of_policies<'a>(
    levels: &Levels<'a>,
    enforced: bool,
    now: Instant,
) -> impl Iterator<Item = Wish> + use<'a> {
    let policies = levels.policies;
    policies.into_iter().flat_map(move |policies| {
        policies.matching(enforced).filter_map(move |policy| of_policy(policy, policies, now))
    })
}

fn of_policy(policy: &Policy, levels: PolicyLevels<'_>, now: Instant) -> Option<Wish> {
    let counts = levels.count;
    if policy.excludes() {
        let why = format!("Kept awake by the policy {}.", policy.name());
        return Some(Wish { counts, ..awake(policy.source(), "exclude", why, None) });
    }
    let wish = scheduled("", policy.wishes_of(levels.team), now, counts)?;
    Some(Wish { source: Arc::clone(policy.source()), ..wish })
}

impl Wish {
    /// With the name of who wrote the override, if that is told.
    fn written_by(mut self, wishes: &Wishes) -> Self {
        if let Some(by) = &wishes.override_by {
            self.why = format!("{}, by {by}.", self.why.trim_end_matches('.')).into();
            self.by = Some(Arc::clone(by));
        }
        self
    }
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
        won: false,
        by: None,
        hands_off: false,
        warnings: Vec::new(),
    }
}

fn awake(source: &str, value: &str, why: String, until: Option<Instant>) -> Wish {
    plain(source, value, false, why, until)
}

fn scheduled(place: &str, wishes: &Wishes, now: Instant, counts: bool) -> Option<Wish> {
    let asleep = wishes.schedule_sleeps(now)?;
    let up =
        wishes.uptime.as_ref().zip(wishes.uptime_holds(now)).map(|(s, holds)| ("uptime", &s.text, holds));
    let down = wishes.downtime.as_ref().map(|s| ("downtime", &s.text, s.spec.holds(now)));
    // The spec that a reader should look at: the one that puts it to sleep, else the one that keeps it awake.
    let (name, text, holds) = match (up, down) {
        (Some(up), Some(down)) if asleep && down.2 => (down.0, down.1, up.2 && down.2),
        (Some(up), _) => up,
        (None, Some(down)) => down,
        (None, None) => return None,
    };
    let holiday =
        wishes.days_off.as_ref().filter(|_| name == "uptime" && !holds).and_then(|off| off.name_at(now));
    let why = match (name, holds || asleep && name == "downtime") {
        ("uptime", false) if holiday.is_some_and(|name| name.is_empty()) => {
            format!("Outside its uptime `{text}`: it is a holiday.")
        }
        ("uptime", false) if holiday.is_some() => {
            let holiday = holiday.map(|name| &**name).unwrap_or_default();
            format!("Outside its uptime `{text}`: it is a holiday, {holiday}.")
        }
        ("uptime", true) => format!("Within its uptime `{text}`."),
        ("uptime", false) => format!("Outside its uptime `{text}`."),
        (_, true) => format!("Within its downtime `{text}`."),
        (_, false) => format!("Outside its downtime `{text}`."),
    };
    let until = wishes.next_schedule_change(now);
    Some(Wish { counts, ..plain(&format!("{place} {name}"), text, asleep, why, until) })
}
