//! Names of time zones, read strictly.

use chrono_tz::{TZ_VARIANTS, Tz};
use thiserror::Error;

/// A name that is no IANA time zone.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{name:?} is no known time zone: {}", advice(*suggestion))]
pub struct ZoneError {
    /// The name as written.
    pub name: String,
    /// The zone that differs only in upper and lower case, if there is one.
    pub suggestion: Option<&'static str>,
}

fn advice(suggestion: Option<&'static str>) -> String {
    match suggestion {
        Some(name) => format!("did you mean {name}?"),
        None => "use an IANA name such as Europe/Berlin or UTC".to_owned(),
    }
}

/// Reads an IANA zone name, case included. An unknown name is an error, never UTC: a schedule that is silently
/// some hours off is worse than one that is refused.
pub fn parse_zone(name: &str) -> Result<Tz, ZoneError> {
    name.parse()
        .map_err(|_| ZoneError { name: name.to_owned(), suggestion: zone_in_any_case(name).map(Tz::name) })
}

/// The zone of that name, whatever the case of its letters.
pub(super) fn zone_in_any_case(name: &str) -> Option<Tz> {
    TZ_VARIANTS.iter().copied().find(|zone| zone.name().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_exact_name() {
        assert_eq!(parse_zone("Europe/Berlin"), Ok(Tz::Europe__Berlin));
        assert_eq!(parse_zone("Etc/GMT+2"), Ok(Tz::Etc__GMTPlus2));
    }

    #[test]
    fn an_unknown_zone_is_an_error_that_names_it() {
        let text = |name| parse_zone(name).map_err(|error| error.to_string());
        assert_eq!(
            text("Mars/Olympus"),
            Err(r#""Mars/Olympus" is no known time zone: use an IANA name such as Europe/Berlin or UTC"#
                .into())
        );
        assert_eq!(
            text("europe/berlin"),
            Err(r#""europe/berlin" is no known time zone: did you mean Europe/Berlin?"#.into())
        );
    }
}
