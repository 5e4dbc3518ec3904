//! Expectations worked out by hand, and laws.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::units::{Instant, Millis, PicoUsd, Window, parse_rfc3339};

/// A dollar.
const USD: i128 = 1_000_000_000_000;

fn at(text: &str) -> Instant {
    parse_rfc3339(text).unwrap()
}

fn usd(dollars: i128) -> PicoUsd {
    PicoUsd(dollars * USD)
}

fn raw(amount: &str, period: &str) -> RawBudget {
    RawBudget {
        amount: amount.to_owned(),
        period: period.to_owned(),
        teams: vec!["payments".to_owned()],
        ..RawBudget::default()
    }
}

fn spec(amount: &str, period: &str) -> BudgetSpec {
    raw(amount, period).read().unwrap()
}

/// Each hour of these whole days costs what the function says.
fn book(from: Instant, hours: i64, cost: impl Fn(Instant) -> PicoUsd) -> BudgetBook {
    let mut book = BudgetBook::new(from);
    for hour in 0..hours {
        let start = from + Millis::from_hours(hour);
        book.closed(HourSum { start, whole: cost(start), before: PicoUsd(0) });
    }
    book
}

/// Office hours cost ten dollars, all others one.
fn office(start: Instant) -> PicoUsd {
    let slot = period::hour_of_week(start, Tz::UTC);
    if slot / 24 < 5 && (8..18).contains(&(slot % 24)) { usd(10) } else { usd(1) }
}

fn assessed(spec: &BudgetSpec, book: &BudgetBook, now: Instant) -> BudgetStatus {
    let past = Past::of(book, spec, Tz::UTC, now);
    assess(spec, Tz::UTC, (book, &past), &[], Matched::default(), now)
}

#[test]
fn periods_begin_and_end_at_local_midnight() {
    let week = |starts| Period::Week(starts);
    let berlin = Tz::Europe__Berlin;
    for (period, zone, now, start, end) in [
        (Period::Month, Tz::UTC, "2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        (Period::Month, Tz::UTC, "2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        // Clocks are put forward on the 29th: the month has an hour less.
        (Period::Month, berlin, "2026-03-15T12:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
        (
            week(WeekStart::Monday),
            berlin,
            "2026-03-29T21:59:59Z",
            "2026-03-22T23:00:00Z",
            "2026-03-29T22:00:00Z",
        ),
        (
            week(WeekStart::Sunday),
            berlin,
            "2026-03-29T12:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-04-04T22:00:00Z",
        ),
        // Here the clocks are put forward at midnight: the day begins at one.
        (
            week(WeekStart::Sunday),
            Tz::Asia__Beirut,
            "2026-03-30T00:00:00Z",
            "2026-03-28T22:00:00Z",
            "2026-04-04T21:00:00Z",
        ),
        (
            Period::Month,
            Tz::Asia__Kolkata,
            "2026-03-15T12:00:00Z",
            "2026-02-28T18:30:00Z",
            "2026-03-31T18:30:00Z",
        ),
    ] {
        assert_eq!(period.around(at(now), zone), Window::new(at(start), at(end)), "{now} {zone}");
    }
}

#[test]
fn what_cannot_be_understood_is_named_with_its_value() {
    let error = |raw: RawBudget| raw.read().unwrap_err().to_string();
    for amount in ["abc", "", "-5", "0", "0.00", "1e3", "1.234", "1,5", "1234567890123"] {
        let expected =
            format!("amount: {amount:?} is no positive amount of dollars: write e.g. \"1500\" or \"499.50\"");
        assert_eq!(error(raw(amount, "month")), expected);
    }
    assert_eq!(error(raw("5", "year")), "period: \"year\" is no period: use week or month");
    let zone = RawBudget { time_zone: Some("Mars".to_owned()), ..raw("5", "week") };
    assert!(error(zone).starts_with("timeZone: \"Mars\" is no known time zone"));
    let start = RawBudget { week_start: Some("Friday".to_owned()), ..raw("5", "week") };
    assert_eq!(error(start), "weekStart: \"Friday\" is no start of a week: use Monday or Sunday");
    let mark = RawBudget { marks: Some(vec![50, 0]), ..raw("5", "week") };
    assert_eq!(error(mark), "marks: 0 is no mark: use whole percents from 1 to 1000, such as 80");
    let nobody = RawBudget { teams: Vec::new(), ..raw("5", "week") };
    assert!(error(nobody).starts_with("selector: names nobody"));
    let empty = RawBudget { spaces: vec![" ".to_owned()], ..raw("5", "week") };
    assert!(error(empty).starts_with("selector.spaces: an empty pattern"));
}

#[test]
fn what_is_written_is_read_to_the_cent() {
    let read = RawBudget { marks: Some(vec![100, 50, 100]), ..raw("499.5", "week") }.read().unwrap();
    let expected = BudgetSpec {
        selector: Selector { teams: vec!["payments".into()], ..Selector::default() },
        amount: PicoUsd(499_500_000_000_000),
        period: Period::Week(WeekStart::Monday),
        zone: None,
        marks: vec![50, 100],
    };
    assert_eq!(read, expected);
    assert_eq!(spec("1500", "month").marks, DEFAULT_MARKS);
}

#[test]
fn with_four_even_weeks_a_forecast_is_exact_and_sure() {
    // Four weeks up to Monday, 2 March; then two days of the week that the budget is about.
    let from = at("2026-02-02T00:00:00Z");
    let book = book(from, (28 + 2) * 24, office);
    let status = assessed(&spec("700", "week"), &book, at("2026-03-04T00:00:00Z"));
    // A working day costs 10 × 10 + 14 × 1, a day of the weekend 24.
    let forecast = Forecast {
        expected: usd(5 * 114 + 2 * 24),
        low: usd(618),
        high: usd(618),
        confidence: Confidence::High,
        reason: "by the norm of 4 weeks, which are alike".into(),
        breach: None,
    };
    let expected = BudgetStatus {
        period: Window::new(at("2026-03-02T00:00:00Z"), at("2026-03-09T00:00:00Z")),
        zone: Tz::UTC,
        amount: usd(700),
        spent: usd(228),
        percent: 32,
        reached: Vec::new(),
        missing_hours: 0,
        forecast,
        pace_percent: Some(0),
        jump: None,
        matched: Matched::default(),
    };
    assert_eq!(status, expected);
}

#[test]
fn the_expected_line_crosses_the_amount_at_an_instant() {
    let book = book(at("2026-02-02T00:00:00Z"), 30 * 24, office);
    let status = assessed(&spec("300", "week"), &book, at("2026-03-04T00:00:00Z"));
    // $228 are spent, eight hours cost a dollar each, then ten an hour: $64 more are there at 14:24.
    assert_eq!(status.forecast.breach, Some(at("2026-03-04T14:24:00Z")));
    assert_eq!(status.reached, [50]);
    let status = assessed(&spec("200", "week"), &book, at("2026-03-04T00:00:00Z"));
    // It passed $200 on Tuesday: 114 + 8 + 7 × 10 are $192 at 15:00, $202 at 16:00.
    assert_eq!(status.forecast.breach, Some(at("2026-03-03T16:00:00Z")));
    assert_eq!((status.percent, status.reached), (114, vec![50, 80, 100]));
}

#[test]
fn the_last_day_sets_the_level_within_bounds() {
    let from = at("2026-02-02T00:00:00Z");
    let tuesday = at("2026-03-03T00:00:00Z");
    for (percent, counted) in [(150, 150), (50, 50), (400, 200), (10, 50)] {
        let book = book(from, 30 * 24, |start| {
            let usual = office(start);
            if start < tuesday { usual } else { PicoUsd(usual.0 * percent / 100) }
        });
        let status = assessed(&spec("5000", "week"), &book, at("2026-03-04T00:00:00Z"));
        // Slots with five samples, one of them the strange day: the median does not move.
        let left = (3 * 114 + 2 * 24) * USD * counted / 100;
        let spent = 114 * USD + 114 * USD * percent / 100;
        assert_eq!(status.forecast.expected, PicoUsd(spent + left), "{percent} %");
    }
}

#[test]
fn with_little_history_the_mean_of_what_was_counted_goes_on() {
    let book = book(at("2026-03-02T00:00:00Z"), 48, |_| usd(2));
    let status = assessed(&spec("300", "week"), &book, at("2026-03-04T00:00:00Z"));
    let forecast = Forecast {
        expected: usd(7 * 48),
        low: usd(96 + 120),
        high: usd(96 + 360),
        confidence: Confidence::Low,
        reason: "by the mean of 48 hours: there is less than a week of history".into(),
        breach: Some(at("2026-03-08T06:00:00Z")),
    };
    assert_eq!((status.forecast, status.pace_percent), (forecast, None));
}

#[test]
fn hours_that_nobody_counted_are_said_to_be_missing() {
    let book = book(at("2026-02-02T00:00:00Z"), 28 * 24, office);
    let status = assessed(&spec("300", "week"), &book, at("2026-03-03T00:00:00Z"));
    assert_eq!((status.spent, status.missing_hours), (usd(0), 24));
    assert_eq!(status.forecast.confidence, Confidence::Low);
    assert_eq!(
        &*status.forecast.reason,
        "24 of 24 hours of this period were not counted: what was spent in them is not known"
    );
    let nothing = assessed(&spec("300", "week"), &BudgetBook::default(), at("2026-03-02T00:00:00Z"));
    assert_eq!(&*nothing.forecast.reason, "nothing has been counted yet");
    assert_eq!(nothing.forecast.expected, usd(0));
}

#[test]
fn a_monday_is_no_jump_and_a_jump_is_one() {
    let from = at("2026-02-02T00:00:00Z");
    let until_monday_ten = (28 * 24) + 10;
    let even = book(from, until_monday_ten, office);
    let budget = spec("700", "week");
    assert_eq!(assessed(&budget, &even, at("2026-03-02T10:05:00Z")).jump, None, "Monday, ten times Sunday");
    let last = at("2026-03-02T09:00:00Z");
    let hour = book(from, until_monday_ten, |start| if start == last { usd(30) } else { office(start) });
    let expected = Jump {
        span: JumpSpan::Hour,
        window: Window::new(last, last + Millis::HOUR),
        cost: usd(30),
        norm: usd(10),
        score_tenths: 200,
    };
    assert_eq!(assessed(&budget, &hour, at("2026-03-02T10:05:00Z")).jump, Some(expected));
    // The same in a budget of millions is nothing anybody needs to know.
    assert_eq!(assessed(&spec("1000000", "week"), &hour, at("2026-03-02T10:05:00Z")).jump, None);
    // All of Sunday as dear as a working day.
    let sunday = Window::new(at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z"));
    let day = book(from, until_monday_ten, |start| {
        if sunday.start <= start && start < sunday.end { usd(5) } else { office(start) }
    });
    let expected =
        Jump { span: JumpSpan::Day, window: sunday, cost: usd(120), norm: usd(24), score_tenths: 400 };
    assert_eq!(assessed(&budget, &day, at("2026-03-02T10:05:00Z")).jump, Some(expected));
    let short = book(from, 14 * 24, |start| if start < from + Millis::DAY { usd(1) } else { usd(50) });
    assert_eq!(assessed(&budget, &short, at("2026-02-16T00:05:00Z")).jump, None, "two weeks are no norm");
}

#[test]
fn the_first_hour_is_no_measure_and_an_hour_told_again_is_replaced() {
    let start = at("2026-03-02T00:40:00Z");
    let mut book = BudgetBook::new(start);
    let sum = |hour: i64, dollars: i128| HourSum {
        start: start.hour() + Millis::from_hours(hour),
        whole: usd(dollars),
        before: PicoUsd(0),
    };
    for hour in [sum(0, 1), sum(1, 3), sum(2, 5), sum(1, 4)] {
        book.closed(hour);
    }
    book.seed([sum(1, 100), sum(-1, 2)]);
    let all = Window::new(start - Millis::DAY, start + Millis::DAY);
    assert_eq!(book.spent(all), usd(1 + 4 + 5 + 2));
    let norm = Norm::of(&book, start + Millis::DAY, Tz::UTC);
    assert_eq!((norm.hours(), norm.slot(start, Tz::UTC).samples), (3, 0));
    assert_eq!(norm.slot(start + Millis::HOUR, Tz::UTC).median, usd(4));
}

#[test]
fn a_book_stays_small() {
    let book = book(at("2026-01-01T00:00:00Z"), 5_000, |_| usd(1));
    assert_eq!(i64::try_from(book.len()), Ok(HOURS_KEPT));
}

proptest! {
    #[test]
    fn periods_meet_and_hold_their_instant(seconds in 0i64..4_000_000_000, zone in 0usize..600, month: bool) {
        let zone = chrono_tz::TZ_VARIANTS[zone % chrono_tz::TZ_VARIANTS.len()];
        let now = Instant(seconds * 1_000);
        let period = if month { Period::Month } else { Period::Week(WeekStart::Monday) };
        let window = period.around(now, zone);
        prop_assert!(window.start <= now && now < window.end, "{now} {zone}");
        prop_assert_eq!(period.around(window.start, zone), window);
        let before = period.around(Instant(window.start.0 - 1), zone);
        prop_assert_eq!(before.end, window.start);
        let hours = window.length().0 / Millis::HOUR.0;
        let (least, most) = if month { (27 * 24, 32 * 24) } else { (6 * 24, 8 * 24) };
        prop_assert!((least..=most).contains(&hours), "{hours} {zone}");
    }

    #[test]
    fn forecasts_never_fall_below_what_is_spent(
        costs in prop::collection::vec(0i64..5_000_000_000_000, 1..1_600),
        minutes in 0i64..100_000,
        month: bool,
    ) {
        let from = at("2026-02-02T00:00:00Z");
        let book = book(from, i64::try_from(costs.len()).unwrap(), |start| {
            PicoUsd(costs[usize::try_from(start.since(from).0 / Millis::HOUR.0).unwrap()].into())
        });
        let now = from + Millis::from_minutes(minutes);
        let known = book.last().unwrap().next_hour().max(now);
        let status = assessed(&spec("700", if month { "month" } else { "week" }), &book, known);
        let forecast = &status.forecast;
        prop_assert!(status.spent <= forecast.low && forecast.low <= forecast.expected);
        prop_assert!(forecast.expected <= forecast.high);
        prop_assert_eq!(forecast.breach.is_some(), forecast.expected > status.amount);
        let at_once = book.spent(Window::new(status.period.start, known));
        prop_assert_eq!(status.spent, at_once);
    }

    #[test]
    fn windows_that_meet_add_up(costs in prop::collection::vec((0i64..1_000, 0i64..1_000), 100), day in 0i64..4) {
        let zone = Tz::Asia__Kolkata;
        let from = at("2026-03-01T00:00:00Z");
        let mut book = BudgetBook::new(from);
        for (hour, (after, before)) in costs.iter().enumerate() {
            let start = from + Millis::from_hours(i64::try_from(hour).unwrap());
            let cut = period::midnight_inside(start, zone).is_some();
            let before = if cut { PicoUsd((*before).into()) } else { PicoUsd(0) };
            book.closed(HourSum { start, whole: before + PicoUsd((*after).into()), before });
        }
        let whole = Window::new(from, from + Millis::from_hours(100));
        let middle = period::day_around(from + Millis(day * Millis::DAY.0), zone).end;
        let parts = book.spent(Window::new(whole.start, middle)) + book.spent(Window::new(middle, whole.end));
        prop_assert_eq!(parts, book.spent(whole));
    }
}
