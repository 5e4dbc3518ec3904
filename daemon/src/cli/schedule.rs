//! `schedule check`: what a time spec says at an instant.

use nightcap_core::schedule::{Check, CheckOptions, check};
use nightcap_core::units::Instant;

use super::args::{CheckArgs, Format};
use super::failure::Failure;
use super::when::{clock, length};

/// The answer, as text.
pub(super) fn answer(args: &CheckArgs, zone: chrono_tz::Tz) -> Result<String, Failure> {
    let options = CheckOptions {
        default_timezone: args.default_timezone.clone(),
        default_weekframe: args.default_weekframe.clone(),
    };
    let found = check(&args.spec, args.dialect, args.at, &options)
        .map_err(|error| Failure::usage(error.to_string()))?;
    match args.output.output {
        Format::Json => serde_json::to_string(&found)
            .map(|json| json + "\n")
            .map_err(|error| Failure::failed(format!("cannot write the answer as JSON: {error}"))),
        Format::Csv => Ok(format!(
            "holds,next_change\n{},{}\n",
            found.holds,
            found.next_change.map(Instant::to_rfc3339).unwrap_or_default()
        )),
        Format::Table => Ok(sentence(args, found, zone)),
    }
}

fn sentence(args: &CheckArgs, found: Check, zone: chrono_tz::Tz) -> String {
    let verb = if found.holds { "Holds" } else { "Does not hold" };
    let next = match found.next_change {
        Some(next) => format!(
            "{} at {} ({}), in {}.",
            if found.holds { "Ends" } else { "Begins" },
            next.to_rfc3339(),
            local(next, args.at, zone),
            length(next.since(args.at))
        ),
        None => "That never changes.".to_owned(),
    };
    format!("{verb} at {}. {next}\n", args.at.to_rfc3339())
}

fn local(
    at: nightcap_core::units::Instant,
    now: nightcap_core::units::Instant,
    zone: chrono_tz::Tz,
) -> String {
    format!("{} {}", clock(at, now, zone), zone.name())
}
