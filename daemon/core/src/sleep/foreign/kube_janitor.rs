//! kube-janitor: when an object is to be deleted.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};

use crate::cluster::Keys;
use crate::units::{Instant, Millis};

const TTL: &str = "janitor/ttl";
const EXPIRES: &str = "janitor/expires";
const UNITS: [(&str, i64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// How long something may live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ttl {
    /// For ever.
    Forever,
    /// So long from its creation on.
    For(Millis),
}

/// When an object is to be deleted, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeleteWish {
    /// When; `None` if never.
    pub at: Option<Instant>,
    /// The key that says so.
    pub key: Arc<str>,
    /// Its value, as written.
    pub value: Arc<str>,
    /// One sentence.
    pub why: Arc<str>,
}

/// Reads `7d`, `90s` and the like, or `forever`.
pub fn parse_ttl(text: &str) -> Result<Ttl, String> {
    if text == "forever" {
        return Ok(Ttl::Forever);
    }
    let wrong =
        || format!("{text:?} is no time to live: write a whole number with s, m, h, d or w, or forever");
    let (_, unit) = UNITS.iter().find(|(name, _)| text.ends_with(name)).ok_or_else(wrong)?;
    let number =
        text.get(..text.len() - 1).filter(|n| n.bytes().all(|b| b.is_ascii_digit())).ok_or_else(wrong)?;
    let seconds =
        number.parse::<i64>().ok().and_then(|n| n.checked_mul(*unit)).and_then(|s| s.checked_mul(1_000));
    seconds.map(|millis| Ttl::For(Millis(millis))).ok_or_else(wrong)
}

/// Reads `2019-02-25T09:26:14Z`, `2008-09-26T01:51` or `2008-09-26`, all of them UTC.
pub fn parse_expiry(text: &str) -> Result<Instant, String> {
    let time = |form| NaiveDateTime::parse_from_str(text, form).ok();
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(NaiveDateTime::from);
    let at = time("%Y-%m-%dT%H:%M:%SZ").or_else(|| time("%Y-%m-%dT%H:%M")).or_else(date);
    at.map(|at| Instant(at.and_utc().timestamp_millis())).ok_or_else(|| {
        format!("{text:?} is no time such as 2019-02-25T09:26:14Z, 2008-09-26T01:51 or 2008-09-26")
    })
}

/// Writes whole seconds as that tool does: `1m1s`, `2w`, `-1s`.
pub fn format_seconds(seconds: i64) -> String {
    let mut text = if seconds < 0 { "-".to_owned() } else { String::new() };
    let mut rest = seconds.unsigned_abs();
    for (name, length) in UNITS {
        let count = rest / length.unsigned_abs();
        if count > 0 {
            text.push_str(&count.to_string());
            text.push_str(name);
            rest %= length.unsigned_abs();
        }
    }
    if seconds == 0 { "0s".to_owned() } else { text }
}

/// When the annotations want an object deleted that was created at `created`; a value that cannot be read is told.
pub fn delete_wish(keys: &Keys, created: Instant) -> Result<Option<DeleteWish>, String> {
    let wish = |key: &str, value: &Arc<str>, at: Option<Instant>, why: String| {
        Some(DeleteWish { at, key: key.into(), value: Arc::clone(value), why: why.into() })
    };
    if let Some(value) = keys.get(TTL) {
        return Ok(match parse_ttl(value).map_err(|reason| format!("{TTL}: {reason}"))? {
            Ttl::Forever => wish(TTL, value, None, "It may stay for ever.".to_owned()),
            Ttl::For(length) => wish(TTL, value, Some(created + length), format!("It may live for {value}.")),
        });
    }
    let Some(value) = keys.get(EXPIRES) else { return Ok(None) };
    let at = parse_expiry(value).map_err(|reason| format!("{EXPIRES}: {reason}"))?;
    Ok(wish(EXPIRES, value, Some(at), format!("It expires at {at}.")))
}
