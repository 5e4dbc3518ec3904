//! What files say, and what is said of bad ones.

use super::*;

fn days(text: &str) -> Vec<String> {
    let calendar = read_calendar(text).unwrap();
    let date = |day: &i64| chrono::NaiveDate::from_epoch_days(i32::try_from(*day).unwrap()).unwrap();
    calendar.days().iter().map(|(day, name)| format!("{} {name}", date(day))).collect()
}

fn errors(text: &str) -> Vec<String> {
    read_calendar(text).unwrap_err().iter().map(ToString::to_string).collect()
}

fn event(lines: &str) -> String {
    let body = format!("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
    body.replace('\n', "\r\n")
}

#[test]
fn plain_list_has_names_comments_and_blank_lines() {
    let text = "\u{feff}# Berlin\n2026-01-01 New Year\r\n\n2026-12-25\tChristmas #1 # the first\n 2026-12-26\n2026-01-01 twice\n";
    assert_eq!(days(text), ["2026-01-01 New Year", "2026-12-25 Christmas", "2026-12-26 "]);
    assert!(days("").is_empty());
}

#[test]
fn every_bad_line_of_a_plain_list_is_named() {
    let text = "2026-01-01\n2026-02-30 no day\n1.5.2026\n2026-1-6\n";
    let hint = "is no date: write YYYY-MM-DD and, if you like, a name";
    assert_eq!(
        errors(text),
        [
            format!("line 2: \"2026-02-30\" {hint}"),
            format!("line 3: \"1.5.2026\" {hint}"),
            format!("line 4: \"2026-1-6\" {hint}"),
        ]
    );
}

#[test]
fn events_of_some_days_end_before_their_end() {
    let three = event("SUMMARY:Company\\, closed\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227");
    let expected = ["2026-12-24 Company, closed", "2026-12-25 Company, closed", "2026-12-26 Company, closed"];
    assert_eq!(days(&three), expected);
    assert_eq!(days(&three.replace("DTEND;VALUE=DATE:20261227", "DURATION:P3D")), expected);
    assert_eq!(days(&event("DTSTART:20260501\nDTEND:20260501")), ["2026-05-01 "]);
    assert_eq!(days(&event("DTSTART:20260501\nDURATION:P1W")).len(), 7);
}

#[test]
fn yearly_rule_goes_on_without_its_exceptions() {
    let lines = "SUMMARY:Labour\n Day\nDTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY;UNTIL=20270501\nEXDATE;VALUE=DATE:20250501";
    assert_eq!(days(&event(lines)), ["2024-05-01 LabourDay", "2026-05-01 LabourDay", "2027-05-01 LabourDay"]);
    let endless = days(&event("DTSTART:20240501\nRRULE:FREQ=YEARLY"));
    assert_eq!((endless.len(), endless.last().unwrap().as_str()), (77, "2100-05-01 "));
    let thanksgiving = "SUMMARY:T\nDTSTART:20231123\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3";
    assert_eq!(days(&event(thanksgiving)), ["2023-11-23 T", "2024-11-28 T", "2025-11-27 T"]);
    let leap =
        days(&event("DTSTART:20240229\nRRULE:FREQ=YEARLY;COUNT=2\nRDATE;VALUE=DATE:20250228,20260228"));
    assert_eq!(leap, ["2024-02-29 ", "2025-02-28 ", "2026-02-28 ", "2028-02-29 "]);
}

#[test]
fn repeated_event_of_some_days_loses_its_exception_as_a_whole() {
    let lines = "DTSTART:20251224\nDTEND:20251226\nRRULE:FREQ=YEARLY;COUNT=3\nEXDATE:20261224";
    assert_eq!(days(&event(lines)), ["2025-12-24 ", "2025-12-25 ", "2027-12-24 ", "2027-12-25 "]);
}

#[test]
fn occurrence_that_was_moved_is_on_its_new_day_only() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20250601\nRRULE:FREQ=YEARLY;COUNT=3\nEND:VEVENT\n\
                BEGIN:VEVENT\nUID:a\nRECURRENCE-ID;VALUE=DATE:20260601\nDTSTART:20260602\nSUMMARY:moved\nEND:VEVENT\nEND:VCALENDAR";
    assert_eq!(days(text), ["2025-06-01 ", "2026-06-02 moved", "2027-06-01 "]);
}

#[test]
fn what_is_no_holiday_is_left_out() {
    let meeting = "DTSTART;TZID=\"Europe/Berlin:x\":20260501T090000\nDURATION:PT1H";
    assert!(days(&event(meeting)).is_empty());
    assert!(days(&event("DTSTART:20260501\nSTATUS:CANCELLED")).is_empty());
    let alarm = "DTSTART:20260501\nBEGIN:VALARM\nDTSTART:nonsense\nEND:VALARM\nSUMMARY:May";
    assert_eq!(days(&event(alarm)), ["2026-05-01 May"]);
}

#[test]
fn bad_events_are_named_with_line_and_value() {
    for (lines, expected) in [
        ("DTSTART:2026-05-01", "line 4: \"2026-05-01\" is no date: expected YYYYMMDD"),
        ("SUMMARY:x", "line 3: the event has no DTSTART"),
        (
            "DTSTART:20260501\nDTEND:20260401",
            "line 3: the event ends before it begins, or lasts more than 366 days",
        ),
        (
            "DTSTART:20260501\nnonsense",
            "line 5: \"nonsense\" is no property of iCalendar: expected NAME:VALUE",
        ),
        ("DTSTART:20260501\nEND:VTODO", "line 5: END:VTODO, but VEVENT is open since line 3"),
        (
            "DTSTART:20260501\nRRULE:FREQ=HOURLY",
            "line 5: \"FREQ=HOURLY\" repeats within a day: use YEARLY, MONTHLY, WEEKLY or DAILY",
        ),
    ] {
        assert_eq!(errors(&event(lines)), [expected], "{lines}");
    }
    let rule = errors(&event("DTSTART:20260501\nRRULE:FREQ=SOMETIMES"));
    assert!(rule[0].starts_with("line 5: \"FREQ=SOMETIMES\" is no rule of repetition: "), "{rule:?}");
    let cut = errors("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260501\n");
    assert_eq!(cut, ["line 2: VEVENT has no end: the file is cut"]);
}
