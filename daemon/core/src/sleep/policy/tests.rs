//! What policies say, whom they are about, and in which order they count.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::*;
use crate::schedule::Calendar;
use crate::units::{Instant, parse_rfc3339};

fn at(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

fn raw() -> RawPolicy {
    RawPolicy {
        namespaces: vec!["dev-*".to_owned()],
        uptime: Some("Mon-Fri 08:00-20:00".to_owned()),
        ..RawPolicy::default()
    }
}

fn keys(of: &[(&str, &str)]) -> Keys {
    of.iter().map(|&(key, value)| (key.into(), value.into())).collect()
}

fn selector(labels: &[(&str, &str)], expressions: &[(&str, &str, &[&str])]) -> RawSelector {
    let expression = |&(key, operator, values): &(&str, &str, &[&str])| RawExpression {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
    };
    RawSelector {
        labels: labels.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect(),
        expressions: expressions.iter().map(expression).collect(),
    }
}

fn settings() -> SleepSettings {
    let christmas: Calendar =
        [(NaiveDate::from_ymd_opt(2026, 12, 25).unwrap(), "Christmas".into())].into_iter().collect();
    let mut settings = SleepSettings::new(Tz::Europe__Berlin);
    settings.team_zones.insert("apac".into(), Tz::Asia__Kolkata);
    let teams = BTreeMap::from([("rest".into(), vec!["de".into()])]);
    settings.with_holidays(BTreeMap::from([("de".into(), Arc::new(christmas))]), &teams)
}

fn policy(name: &str, raw: &RawPolicy) -> Policy {
    Policy::new(&name.into(), raw.read().unwrap(), &settings()).unwrap()
}

#[test]
fn what_cannot_be_understood_is_named_with_its_value() {
    let with = |change: fn(&mut RawPolicy)| {
        let mut raw = raw();
        change(&mut raw);
        raw
    };
    for (raw, expected) in [
        (with(|raw| raw.namespaces.clear()), "names nothing: give namespaces, namespaceSelector"),
        (with(|raw| raw.uptime = None), "wishes nothing: give uptime, downtime or exclude: true"),
        (with(|raw| raw.exclude = true), "exclude: true stands beside uptime"),
        (with(|raw| raw.namespaces.push("Dev".to_owned())), "namespaces: \"Dev\" matches no namespace"),
        (with(|raw| raw.teams.push(" ".to_owned())), "teams: an empty pattern matches nothing"),
        (
            with(|raw| raw.uptime = Some("Funday 08:00-20:00".to_owned())),
            "uptime: in \"Funday 08:00-20:00\": \"Funday\" is no day",
        ),
        (
            with(|raw| raw.downtime = Some("25:00-26:00".to_owned())),
            "downtime: in \"25:00-26:00\": \"25:00\"",
        ),
        (with(|raw| raw.timezone = Some("Mars".to_owned())), "timezone: \"Mars\" is no known time zone"),
        (with(|raw| raw.priority = 1_000_001), "priority: 1000001 is no priority"),
        (
            with(|raw| raw.workload_selector = Some(selector(&[], &[("tier", "Near", &["a"])]))),
            "workloadSelector: \"Near\" is no operator: use In, NotIn, Exists or DoesNotExist",
        ),
        (
            with(|raw| raw.namespace_selector = Some(selector(&[], &[("tier", "In", &[])]))),
            "namespaceSelector: \"tier In\" needs values",
        ),
        (
            with(|raw| raw.namespace_selector = Some(selector(&[], &[("tier", "Exists", &["a"])]))),
            "namespaceSelector: \"tier Exists\" takes no values",
        ),
    ] {
        let error = raw.read().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
    let unknown = RawPolicy { holidays: Some(vec!["fr".to_owned()]), ..raw() }.read().unwrap();
    let error = Policy::new(&"p".into(), unknown, &settings()).unwrap_err().to_string();
    assert_eq!(error, "holidays: \"fr\" is no calendar that the daemon's configuration names: use de");
}

#[test]
fn selectors_read_labels_as_kubernetes_does() {
    let of = |raw: RawSelector| raw.read("workloadSelector").unwrap();
    let web = keys(&[("app", "web"), ("tier", "front")]);
    for (selector, expected) in [
        (selector(&[], &[]), true),
        (selector(&[("app", "web")], &[]), true),
        (selector(&[("app", "db")], &[]), false),
        (selector(&[("missing", "")], &[]), false),
        (selector(&[], &[("app", "In", &["db", "web"])]), true),
        (selector(&[], &[("app", "In", &["db"])]), false),
        (selector(&[], &[("app", "NotIn", &["web"])]), false),
        (selector(&[], &[("missing", "NotIn", &["web"])]), true),
        (selector(&[], &[("app", "Exists", &[]), ("missing", "DoesNotExist", &[])]), true),
        (selector(&[("app", "web")], &[("tier", "DoesNotExist", &[])]), false),
    ] {
        assert_eq!(of(selector.clone()).matches(&web), expected, "{selector:?}");
    }
}

#[test]
fn all_that_is_given_must_match() {
    let spec = RawPolicy {
        teams: vec!["pay*".to_owned()],
        namespace_selector: Some(selector(&[("env", "dev")], &[])),
        ..raw()
    }
    .read()
    .unwrap();
    let dev = keys(&[("env", "dev")]);
    assert!(spec.matches_namespace("dev-1", &dev, "payments"));
    assert!(!spec.matches_namespace("prod-1", &dev, "payments"));
    assert!(!spec.matches_namespace("dev-1", &dev, "search"));
    assert!(!spec.matches_namespace("dev-1", &Keys::new(), "payments"));
}

#[test]
fn enforced_come_first_then_priority_then_name() {
    let of =
        |name: &str, enforced, priority| Arc::new(policy(name, &RawPolicy { enforced, priority, ..raw() }));
    let mut all =
        vec![of("b", false, 0), of("z", true, -1), of("a", false, 0), of("c", false, 7), of("y", true, 3)];
    rank(&mut all);
    let names: Vec<&str> = all.iter().map(|policy| &**policy.name()).collect();
    assert_eq!(names, ["y", "z", "c", "a", "b"]);
    assert_eq!(&**all[0].source(), "enforced policy y");
    assert_eq!(&**all[4].source(), "policy b");
}

#[test]
fn zone_and_holidays_are_its_own_else_the_teams_else_the_configured() {
    let plain = policy("p", &raw());
    // 08:30 in Kolkata on a Friday that is Christmas; in Berlin it is 04:00.
    let (early, noon) = (at("2026-12-25T03:00:00Z"), at("2026-12-25T11:00:00Z"));
    let sleeps = |policy: &Policy, team: &str, at| policy.wishes_of(team).schedule_sleeps(at).unwrap();
    assert!(!sleeps(&plain, "apac", early) && sleeps(&plain, "other", early));
    assert!(!sleeps(&plain, "other", noon) && sleeps(&plain, "rest", noon), "the team's holidays");
    let none = policy("p", &RawPolicy { holidays: Some(Vec::new()), ..raw() });
    assert!(!sleeps(&none, "rest", noon), "a policy that names no calendar has no holidays");
    let own = RawPolicy {
        holidays: Some(vec!["de".to_owned()]),
        timezone: Some("America/New_York".to_owned()),
        ..raw()
    };
    let own = policy("p", &own);
    for team in ["apac", "rest", "other"] {
        assert!(sleeps(&own, team, at("2026-12-25T15:00:00Z")));
        // Christmas ends by the policy's clock; the next uptime is on Monday.
        let next = own.wishes_of(team).next_schedule_change(noon);
        assert_eq!(next, Some(at("2026-12-28T13:00:00Z")));
    }
}
