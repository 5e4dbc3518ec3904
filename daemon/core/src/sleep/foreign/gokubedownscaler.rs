//! `downscaler/*` as `GoKubeDownscaler` reads them: by scopes, workload > namespace > command line > environment >
//! defaults, of which the first that says something counts.
//!
//! * Excluded: `exclude` of the first scope that has one, or an `exclude-until` of any scope in the future. What is
//!   excluded is left alone, or woken where `upscale-excluded` says so.
//! * In each scope `force-uptime` and `force-downtime` come first; one that does not hold neither hides the times of its
//!   scope nor stops the search. Both at once are an error.
//! * `downtime`: down within, up outside; `uptime` the reverse; both in one scope are an error, as is one of them beside
//!   a period. `downscale-period` and `upscale-period`: down or up within, nothing outside.
//! * A value that cannot be read, or is missing its zone, is an error: nothing is done with the object.

use std::fmt;
use std::sync::Arc;

use super::Ask;
use super::duration::seconds_or_go;
use super::wish::Reading;
use crate::cluster::Keys;
use crate::schedule::CheckOptions;
use crate::schedule::dialect::{ForeignSpec, gokubedownscaler};
use crate::units::{Instant, Millis, parse_rfc3339};

pub(super) const DOWNSCALE_REPLICAS: &str = "downscaler/downscale-replicas";

/// Where values are written, strongest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ScopeName {
    /// Annotations of the workload.
    Workload,
    /// Annotations of its namespace.
    Namespace,
    /// Arguments of the tool.
    Cli,
    /// Its environment.
    Env,
    /// What it does without any of these.
    Default,
}

impl ScopeName {
    /// All of them, strongest first.
    pub const ALL: [Self; 5] = [Self::Workload, Self::Namespace, Self::Cli, Self::Env, Self::Default];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Namespace => "namespace",
            Self::Cli => "cli",
            Self::Env => "env",
            Self::Default => "default",
        }
    }
}

/// A number of replicas, or what stands for one in a kind that is turned otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replicas {
    /// So many.
    Absolute(i64),
    /// So many of a hundred.
    Percent(i64),
    /// On or off.
    Bool(bool),
    /// A word, such as a Service's type.
    Text(Arc<str>),
}

impl Replicas {
    /// Reads `5`, `50%`, `true`, `false` or a word.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(percent) = text.strip_suffix('%').and_then(|number| number.parse().ok()) {
            return if (0..=100).contains(&percent) {
                Ok(Self::Percent(percent))
            } else {
                Err(format!("{text:?} is not from 0% to 100%"))
            };
        }
        if let Ok(number) = text.parse::<i64>() {
            return if number >= 0 {
                Ok(Self::Absolute(number))
            } else {
                Err(format!("{text:?} is less than none"))
            };
        }
        match text {
            "true" => Ok(Self::Bool(true)),
            "false" => Ok(Self::Bool(false)),
            "" => Err("no number of replicas is given".to_owned()),
            _ => Ok(Self::Text(text.into())),
        }
    }
}

impl fmt::Display for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(number) => write!(f, "{number}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Bool(on) => write!(f, "{on}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What one scope asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scaling {
    /// It says nothing.
    None,
    /// It says that nothing is to be done.
    Ignore,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Both at once, which is an error.
    Multiple,
}

impl Scaling {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ignore => "ignore",
            Self::Up => "up",
            Self::Down => "down",
            Self::Multiple => "multiple",
        }
    }
}

/// A spec with its key and text.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Span {
    key: &'static str,
    text: Arc<str>,
    spec: ForeignSpec,
}

impl Span {
    fn holds(&self, at: Instant) -> Result<bool, String> {
        self.spec.holds(at).map_err(|error| format!("{}: {error}", self.key))
    }
}

/// The values of one scope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    downtime: Option<Span>,
    uptime: Option<Span>,
    downscale_period: Option<Span>,
    upscale_period: Option<Span>,
    force_downtime: Option<Span>,
    force_uptime: Option<Span>,
    exclude: Option<Span>,
    exclude_until: Option<(Instant, Arc<str>)>,
    upscale_excluded: Option<bool>,
    /// Whether what a workload owns is turned in its place.
    pub scale_children: Option<bool>,
    /// Replicas while down.
    pub downscale_replicas: Option<Replicas>,
    /// How old an object has to be to be put to sleep.
    pub grace: Option<Millis>,
}

impl Scope {
    /// Reads annotations, or the arguments of the tool written as such.
    pub fn read(keys: &Keys, options: &CheckOptions) -> Result<Self, String> {
        let text = |key: &str| keys.get(key);
        let span = |key: &'static str| -> Result<Option<Span>, String> {
            let Some(text) = text(key) else { return Ok(None) };
            let spec = gokubedownscaler::parse(text, options).map_err(|error| format!("{key}: {error}"))?;
            Ok(Some(Span { key, text: Arc::clone(text), spec }))
        };
        let boolean = |key: &str| -> Result<Option<bool>, String> {
            let parse = |text: &Arc<str>| -> Result<bool, String> {
                match &**text {
                    "true" | "True" | "TRUE" | "t" | "T" | "1" => Ok(true),
                    "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(false),
                    _ => Err(format!("{key}: {text:?} is neither true nor false")),
                }
            };
            text(key).map(parse).transpose()
        };
        let instant = |text: &Arc<str>| -> Result<(Instant, Arc<str>), String> {
            let at = parse_rfc3339(text)
                .ok_or_else(|| format!("downscaler/exclude-until: {text:?} is no RFC 3339 instant"))?;
            Ok((at, Arc::clone(text)))
        };
        let replicas = |text: &Arc<str>| {
            Replicas::parse(text).map_err(|reason| format!("{DOWNSCALE_REPLICAS}: {reason}"))
        };
        let grace = |text: &Arc<str>| {
            seconds_or_go(text)
                .ok_or_else(|| format!("downscaler/grace-period: {text:?} is no duration such as 900 or 15m"))
        };
        let scope = Self {
            downtime: span("downscaler/downtime")?,
            uptime: span("downscaler/uptime")?,
            downscale_period: span("downscaler/downscale-period")?,
            upscale_period: span("downscaler/upscale-period")?,
            force_downtime: span("downscaler/force-downtime")?,
            force_uptime: span("downscaler/force-uptime")?,
            exclude: span("downscaler/exclude")?,
            exclude_until: text("downscaler/exclude-until").map(instant).transpose()?,
            upscale_excluded: boolean("downscaler/upscale-excluded")?,
            scale_children: boolean("downscaler/scale-children")?,
            downscale_replicas: text(DOWNSCALE_REPLICAS).map(replicas).transpose()?,
            grace: text("downscaler/grace-period").map(grace).transpose()?,
        };
        scope.compatible()?;
        Ok(scope)
    }

    /// Times that exclude each other must not stand in one scope.
    fn compatible(&self) -> Result<(), String> {
        let times = self.uptime.as_ref().or(self.downtime.as_ref());
        let periods = self.upscale_period.as_ref().or(self.downscale_period.as_ref());
        let both = match (&self.uptime, &self.downtime) {
            (Some(up), Some(down)) => Some((up, down)),
            _ => times.zip(periods),
        };
        match both {
            Some((one, other)) => {
                Err(format!("{} and {} exclude each other in one place", one.key, other.key))
            }
            None => Ok(()),
        }
    }

    /// What `force-uptime` and `force-downtime` say.
    pub fn forced(&self, at: Instant) -> Result<Scaling, String> {
        let holds = |span: &Option<Span>| span.as_ref().map(|span| span.holds(at)).transpose();
        Ok(match (holds(&self.force_downtime)?, holds(&self.force_uptime)?) {
            (Some(true), Some(true)) => Scaling::Multiple,
            (Some(true), _) => Scaling::Down,
            (_, Some(true)) => Scaling::Up,
            (None, None) => Scaling::None,
            _ => Scaling::Ignore,
        })
    }

    /// What the times and periods say.
    pub fn timed(&self, at: Instant) -> Result<Scaling, String> {
        if let Some(down) = &self.downtime {
            return Ok(if down.holds(at)? { Scaling::Down } else { Scaling::Up });
        }
        if let Some(up) = &self.uptime {
            return Ok(if up.holds(at)? { Scaling::Up } else { Scaling::Down });
        }
        let holds = |span: &Option<Span>| span.as_ref().map(|span| span.holds(at)).transpose();
        Ok(match (holds(&self.downscale_period)?, holds(&self.upscale_period)?) {
            (None, None) => Scaling::None,
            (Some(true), Some(true)) => Scaling::Multiple,
            (Some(true), _) => Scaling::Down,
            (_, Some(true)) => Scaling::Up,
            _ => Scaling::Ignore,
        })
    }

    fn spans(&self) -> impl Iterator<Item = &Span> {
        let spans = [
            &self.downtime,
            &self.uptime,
            &self.downscale_period,
            &self.upscale_period,
            &self.force_downtime,
            &self.force_uptime,
            &self.exclude,
        ];
        spans.into_iter().flatten()
    }

    fn decides(&self) -> Option<&Span> {
        let spans = [&self.downtime, &self.uptime, &self.downscale_period, &self.upscale_period];
        spans.into_iter().flatten().next()
    }
}

/// The scopes that meet on one object, strongest first.
pub type Scopes<'a> = [(ScopeName, &'a Scope)];

/// What the scopes ask for together, exclusion apart.
pub fn current_scaling(scopes: &Scopes<'_>, at: Instant) -> Result<Scaling, String> {
    for (_, scope) in scopes {
        match scope.forced(at)? {
            Scaling::None | Scaling::Ignore => {}
            forced => return Ok(forced),
        }
        match scope.timed(at)? {
            Scaling::None => {}
            timed => return Ok(timed),
        }
    }
    Ok(Scaling::None)
}

/// Whether the scopes exclude an object.
pub fn is_excluded(scopes: &Scopes<'_>, at: Instant) -> Result<bool, String> {
    Ok(excluded_by(scopes, at)?.is_some())
}

/// The scope, the key and the value that exclude an object.
type Exclusion<'a> = (ScopeName, &'static str, &'a Arc<str>);

fn excluded_by<'a>(scopes: &'a Scopes<'_>, at: Instant) -> Result<Option<Exclusion<'a>>, String> {
    let until = scopes.iter().find_map(|(name, scope)| {
        let (_, text) = scope.exclude_until.as_ref().filter(|(until, _)| at < *until)?;
        Some((*name, "downscaler/exclude-until", text))
    });
    for (name, scope) in scopes {
        if let Some(exclude) = &scope.exclude {
            if exclude.holds(at)? {
                return Ok(Some((*name, exclude.key, &exclude.text)));
            }
            break;
        }
    }
    Ok(until)
}

/// Replicas while down, by the first scope that says so.
pub fn downscale_replicas(scopes: &Scopes<'_>) -> Replicas {
    let first = scopes.iter().find_map(|(_, scope)| scope.downscale_replicas.clone());
    first.unwrap_or(Replicas::Absolute(0))
}

/// How old an object has to be to be put to sleep, by the first scope that says so.
pub fn grace(scopes: &Scopes<'_>) -> Millis {
    scopes.iter().find_map(|(_, scope)| scope.grace).unwrap_or(Millis::from_minutes(15))
}

/// When an object began, for its grace: by an annotation if one is configured and there, else by its creation.
pub fn begun(key: Option<&str>, annotations: &Keys, created: Instant) -> Result<Instant, String> {
    match key.and_then(|key| annotations.get_key_value(key)) {
        None => Ok(created),
        Some((key, text)) => {
            parse_rfc3339(text).ok_or_else(|| format!("{key}: {text:?} is no RFC 3339 instant"))
        }
    }
}

/// What the tool would do with an object, and what decided.
pub(super) fn reading(scopes: &Scopes<'_>, at: Instant) -> Result<Reading, String> {
    if let Some((scope, key, value)) = excluded_by(scopes, at)? {
        let woken = scopes.iter().find_map(|(_, scope)| scope.upscale_excluded).unwrap_or(false);
        let scope = scope.name();
        return Ok(if woken {
            Reading::new(Ask::Awake, key, value, format!("Excluded by its {scope}, and woken if it sleeps."))
        } else {
            Reading::new(Ask::LeaveAlone, key, value, format!("Excluded by its {scope}."))
        });
    }
    for (name, scope) in scopes {
        let forced = scope.forced(at)?;
        if forced == Scaling::Multiple {
            return Err("downscaler/force-uptime and downscaler/force-downtime exclude each other".to_owned());
        }
        let force = match forced {
            Scaling::Down => scope.force_downtime.as_ref().map(|span| (span, Ask::Sleep, "Forced down")),
            Scaling::Up => scope.force_uptime.as_ref().map(|span| (span, Ask::Awake, "Forced up")),
            _ => None,
        };
        if let Some((span, ask, why)) = force {
            return Ok(Reading::new(ask, span.key, &span.text, format!("{why} by its {}.", name.name())));
        }
        let Some(span) = scope.decides() else { continue };
        let name = name.name();
        let (span, ask, place) = match (scope.timed(at)?, &scope.upscale_period) {
            (Scaling::Multiple, _) => {
                return Err("downscaler/upscale-period and downscaler/downscale-period overlap".to_owned());
            }
            (Scaling::Up, Some(up)) => (up, Ask::Awake, "Within"),
            (Scaling::Up, None) => {
                (span, Ask::Awake, if span.key.ends_with("uptime") { "Within" } else { "Outside" })
            }
            (Scaling::Down, _) => {
                (span, Ask::Sleep, if span.key.ends_with("uptime") { "Outside" } else { "Within" })
            }
            _ => (span, Ask::LeaveAlone, "Outside"),
        };
        let what = span.key.trim_start_matches("downscaler/").replace('-', " ");
        return Ok(Reading::new(
            ask,
            span.key,
            &span.text,
            format!("{place} the {what} `{}` of its {name}.", span.text),
        ));
    }
    Ok(Reading::new(Ask::Nothing, "downscaler", "", "Nothing at this time."))
}

/// The next instant, strictly later, at which a value that [`reading`] looks at changes.
pub(super) fn next_edge(scopes: &Scopes<'_>, at: Instant) -> Option<Instant> {
    let spans =
        scopes.iter().flat_map(|(_, scope)| scope.spans()).filter_map(|span| span.spec.next_change(at));
    let untils = scopes.iter().filter_map(|(_, scope)| scope.exclude_until.as_ref().map(|(until, _)| *until));
    spans.chain(untils.filter(|until| *until > at)).min()
}
