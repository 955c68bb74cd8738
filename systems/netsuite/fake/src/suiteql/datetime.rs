//! Oracle's date formats over local date-times.
//!
//! A date inside the engine is a text that sorts: `2026-06-30`, or `2026-06-30 13:05:00` when it has a
//! time other than midnight. The shorter text sorts before all times of its day, as it must.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::DateFormat;
use crate::schema::parse_stamp;

/// Reads the engine's own text.
pub(super) fn read(text: &str) -> Option<DateTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize, to: usize| text.get(from..to)?.parse::<i8>().ok();
    let (year, month, day) = (number(0, 4)?, small(5, 7)?, small(8, 10)?);
    let (hour, minute, second) = if text.len() >= 19 {
        (small(11, 13)?, small(14, 16)?, small(17, 19)?)
    } else {
        (0, 0, 0)
    };
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// Writes the engine's own text.
pub(super) fn write(at: DateTime) -> String {
    let day = format!("{:04}-{:02}-{:02}", at.year(), at.month(), at.day());
    if at.hour() == 0 && at.minute() == 0 && at.second() == 0 {
        return day;
    }
    format!(
        "{day} {:02}:{:02}:{:02}",
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// A stored UTC stamp as a local date-time.
pub(super) fn local(stamp: &str, zone: &TimeZone) -> Option<String> {
    Some(write(zone.to_datetime(parse_stamp(stamp)?)))
}

/// A local date-time as a stored UTC stamp; a time that occurs twice is the earlier or `later` one.
pub(super) fn utc(text: &str, zone: &TimeZone, later: bool) -> Option<String> {
    let ambiguous = zone.to_ambiguous_timestamp(read(text)?);
    let at = if later {
        ambiguous.later()
    } else {
        ambiguous.earlier()
    }
    .ok()?;
    Some(crate::schema::stamp(at))
}

/// As the account's users see a day.
pub(super) fn display(text: &str, format: DateFormat) -> Option<String> {
    let at = read(text)?;
    let (year, month, day) = (at.year(), at.month(), at.day());
    Some(match format {
        DateFormat::MonthDayYear => format!("{month}/{day}/{year}"),
        DateFormat::DayMonthYear => format!("{day}/{month}/{year}"),
        DateFormat::DotDayMonthYear => format!("{day:02}.{month:02}.{year}"),
        DateFormat::YearMonthDay => format!("{year}-{month:02}-{day:02}"),
    })
}

/// A bare text where a date is wanted: it must be in the account's own format.
pub(super) fn from_display(text: &str, format: DateFormat) -> Option<String> {
    let (separator, order) = match format {
        DateFormat::MonthDayYear => ('/', [2, 0, 1]),
        DateFormat::DayMonthYear => ('/', [2, 1, 0]),
        DateFormat::DotDayMonthYear => ('.', [2, 1, 0]),
        DateFormat::YearMonthDay => ('-', [0, 1, 2]),
    };
    let parts: Vec<i16> = text
        .trim()
        .split(separator)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    if parts.len() != 3 {
        return None;
    }
    let small = |position: usize| i8::try_from(parts[position]).ok();
    let date = Date::new(parts[order[0]], small(order[1])?, small(order[2])?).ok()?;
    Some(write(date.at(0, 0, 0, 0)))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The elements of a format, longest first, so that `HH24` is not read as `HH`.
const ELEMENTS: [&str; 32] = [
    "SSSSS", "MONTH", "HH24", "HH12", "YYYY", "RRRR", "IYYY", "A.M.", "P.M.", "YYY", "MON", "DAY",
    "DDD", "TZH", "TZM", "TZR", "TZD", "YY", "RR", "MM", "DD", "DY", "HH", "MI", "SS", "AM", "PM",
    "WW", "IW", "FF", "D", "Q",
];

#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// An element, upper-case, and the element as written (its case is the output's case).
    Element(&'static str, String),
    Literal(String),
}

/// Takes a format apart; `None` for a letter that is no element.
fn parts(format: &str) -> Option<Vec<Part>> {
    let mut rest = format;
    let mut found = Vec::new();
    'next: while let Some(first) = rest.chars().next() {
        if first == '"' {
            let end = rest[1..].find('"')? + 1;
            found.push(Part::Literal(rest[1..end].to_owned()));
            rest = &rest[end + 1..];
            continue;
        }
        if rest
            .get(..2)
            .is_some_and(|two| two.eq_ignore_ascii_case("FM") || two.eq_ignore_ascii_case("FX"))
        {
            found.push(Part::Element("FM", String::new()));
            rest = &rest[2..];
            continue;
        }
        for element in ELEMENTS {
            let Some(written) = rest.get(..element.len()) else {
                continue;
            };
            if written.eq_ignore_ascii_case(element) {
                let mut length = element.len();
                if element == "FF" && rest[length..].starts_with(|c: char| c.is_ascii_digit()) {
                    length += 1;
                }
                found.push(Part::Element(element, rest[..length].to_owned()));
                rest = &rest[length..];
                continue 'next;
            }
        }
        if first.is_ascii_alphanumeric() {
            return None;
        }
        found.push(Part::Literal(first.to_string()));
        rest = &rest[first.len_utf8()..];
    }
    Some(found)
}

fn cased(name: &str, written: &str) -> String {
    let mut letters = written.chars().filter(|c| c.is_alphabetic());
    let first_upper = letters.next().is_some_and(char::is_uppercase);
    let second_upper = letters.next().is_some_and(char::is_uppercase);
    match (first_upper, second_upper) {
        (true, true) => name.to_uppercase(),
        (true, false) => name.to_owned(),
        _ => name.to_lowercase(),
    }
}

/// `TO_CHAR` of a date-time. `None` when the format isn't one.
pub(super) fn to_char(at: DateTime, format: &str, offset: Option<(&str, i32)>) -> Option<String> {
    let mut text = String::new();
    let mut fill = true;
    for part in parts(format)? {
        let (element, written) = match part {
            Part::Literal(literal) => {
                text.push_str(&literal);
                continue;
            }
            Part::Element(element, written) => (element, written),
        };
        let number = |value: i32, width: usize| {
            if fill {
                format!("{value:0width$}")
            } else {
                value.to_string()
            }
        };
        let twelve = i32::from((at.hour() + 11) % 12 + 1);
        let seconds =
            i32::from(at.hour()) * 3600 + i32::from(at.minute()) * 60 + i32::from(at.second());
        let month = MONTHS[usize::try_from(at.month() - 1).unwrap_or(0)];
        let weekday = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0);
        let padded = |name: &str| {
            if fill {
                format!("{name:<9}")
            } else {
                name.to_owned()
            }
        };
        let piece = match element {
            "FM" => {
                fill = !fill;
                String::new()
            }
            "YYYY" | "RRRR" => number(i32::from(at.year()), 4),
            "IYYY" => number(i32::from(at.date().iso_week_date().year()), 4),
            "YYY" => number(i32::from(at.year() % 1000), 3),
            "YY" | "RR" => number(i32::from(at.year() % 100), 2),
            "MM" => number(i32::from(at.month()), 2),
            "MON" => cased(&month[..3], &written),
            "MONTH" => padded(&cased(month, &written)),
            "DD" => number(i32::from(at.day()), 2),
            "DDD" => number(i32::from(at.day_of_year()), 3),
            "D" => number(i32::from(at.weekday().to_sunday_one_offset()), 1),
            "DY" => cased(&DAYS[weekday][..3], &written),
            "DAY" => padded(&cased(DAYS[weekday], &written)),
            "HH24" => number(i32::from(at.hour()), 2),
            "HH12" | "HH" => number(twelve, 2),
            "MI" => number(i32::from(at.minute()), 2),
            "SS" => number(i32::from(at.second()), 2),
            "SSSSS" => number(seconds, 5),
            "FF" => "0".repeat(written[2..].parse().unwrap_or(6)),
            "AM" | "PM" => cased(if at.hour() < 12 { "Am" } else { "Pm" }, &written),
            "A.M." | "P.M." => cased(if at.hour() < 12 { "A.m." } else { "P.m." }, &written),
            "Q" => ((at.month() - 1) / 3 + 1).to_string(),
            "WW" => number((i32::from(at.day_of_year()) - 1) / 7 + 1, 2),
            "IW" => number(i32::from(at.date().iso_week_date().week()), 2),
            "TZH" => {
                let seconds = offset?.1;
                format!(
                    "{}{:02}",
                    if seconds < 0 { '-' } else { '+' },
                    seconds.abs() / 3600
                )
            }
            "TZM" => format!("{:02}", offset?.1.abs() % 3600 / 60),
            "TZR" | "TZD" => offset?.0.to_owned(),
            _ => return None,
        };
        text.push_str(&piece);
    }
    Some(text)
}

/// `TO_DATE` and `TO_TIMESTAMP`: reads a text by a format. The offset in seconds where the format has one.
pub(super) fn from_char(text: &str, format: &str) -> Option<(DateTime, Option<i32>)> {
    let mut rest = text.trim();
    let (mut year, mut month, mut day) = (None, 1_i8, 1_i8);
    let (mut hour, mut minute, mut second) = (0_i8, 0_i8, 0_i8);
    let (mut afternoon, mut twelve) = (None, false);
    let mut offset: Option<i32> = None;
    for part in parts(format)? {
        let (element, _) = match part {
            Part::Literal(literal) => {
                if rest.is_empty() {
                    // Oracle lets a text end early: the rest is midnight.
                    break;
                }
                if let Some(after) = rest.strip_prefix(literal.as_str()) {
                    rest = after;
                } else if rest.starts_with(|c: char| !c.is_alphanumeric()) {
                    // Any punctuation stands for any other.
                    rest = &rest[rest.chars().next()?.len_utf8()..];
                } else {
                    return None;
                }
                continue;
            }
            Part::Element(element, written) => (element, written),
        };
        if element == "FM" {
            continue;
        }
        if rest.is_empty() {
            break;
        }
        let mut digits = |most: usize| -> Option<i32> {
            let length = rest
                .bytes()
                .take(most)
                .take_while(u8::is_ascii_digit)
                .count();
            let value = rest.get(..length)?.parse().ok()?;
            rest = &rest[length..];
            Some(value)
        };
        match element {
            "YYYY" | "RRRR" => year = Some(digits(4)?),
            "YY" | "RR" => {
                let value = digits(4)?;
                year = Some(if value < 50 {
                    2000 + value
                } else if value < 100 {
                    1900 + value
                } else {
                    value
                });
            }
            "MM" => month = i8::try_from(digits(2)?).ok()?,
            "DD" => day = i8::try_from(digits(2)?).ok()?,
            "HH24" => hour = i8::try_from(digits(2)?).ok()?,
            "HH12" | "HH" => {
                hour = i8::try_from(digits(2)?).ok()?;
                twelve = true;
            }
            "MI" => minute = i8::try_from(digits(2)?).ok()?,
            "SS" => second = i8::try_from(digits(2)?).ok()?,
            "FF" => {
                digits(9)?;
            }
            "MON" | "MONTH" => {
                let position = MONTHS.iter().position(|name| {
                    let name = if element == "MON" { &name[..3] } else { name };
                    rest.get(..name.len())
                        .is_some_and(|start| start.eq_ignore_ascii_case(name))
                })?;
                rest = &rest[if element == "MON" {
                    3
                } else {
                    MONTHS[position].len()
                }..];
                month = i8::try_from(position + 1).ok()?;
            }
            "AM" | "PM" | "A.M." | "P.M." => {
                afternoon = Some(rest.starts_with(['P', 'p']));
                rest = rest.get(element.len()..)?;
            }
            "TZH" => {
                let negative = rest.starts_with('-');
                rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
                let length = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
                let hours: i32 = rest.get(..length)?.parse().ok()?;
                rest = &rest[length..];
                offset = Some(if negative { -hours } else { hours } * 3600);
            }
            "TZM" => {
                let minutes = digits(2)?;
                let hours = offset.unwrap_or(0);
                offset = Some(if hours < 0 {
                    hours - minutes * 60
                } else {
                    hours + minutes * 60
                });
            }
            _ => return None,
        }
    }
    if !rest.trim().is_empty() {
        return None;
    }
    if twelve {
        hour = match (afternoon, hour) {
            (Some(true), 12) => 12,
            (Some(true), hour) => hour + 12,
            (_, 12) => 0,
            (_, hour) => hour,
        };
    }
    let at = DateTime::new(
        i16::try_from(year?).ok()?,
        month,
        day,
        hour,
        minute,
        second,
        0,
    )
    .ok()?;
    Some((at, offset))
}

/// `TRUNC` of a date-time to a unit.
pub(super) fn truncate(at: DateTime, unit: &str) -> Option<DateTime> {
    let day = at.date();
    let midnight = |date: Date| date.at(0, 0, 0, 0);
    Some(match unit.to_ascii_uppercase().as_str() {
        "DD" | "DDD" | "J" => midnight(day),
        "MM" | "MONTH" | "MON" => midnight(day.first_of_month()),
        "YYYY" | "YEAR" | "YY" | "Y" => midnight(day.first_of_year()),
        "Q" => midnight(Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).ok()?),
        "IW" => {
            let back = i64::from(day.weekday().to_monday_zero_offset());
            midnight(day.checked_sub(jiff::Span::new().days(back)).ok()?)
        }
        "D" | "DAY" | "DY" => {
            let back = i64::from(day.weekday().to_sunday_zero_offset());
            midnight(day.checked_sub(jiff::Span::new().days(back)).ok()?)
        }
        "HH" | "HH24" | "HH12" => day.at(at.hour(), 0, 0, 0),
        "MI" => day.at(at.hour(), at.minute(), 0, 0),
        _ => return None,
    })
}

/// `ADD_MONTHS`: the last day of a month stays a last day.
pub(super) fn add_months(at: DateTime, months: i32) -> Option<DateTime> {
    let moved = at
        .checked_add(jiff::Span::new().try_months(months).ok()?)
        .ok()?;
    let was_last = at.date() == at.date().last_of_month();
    Some(if was_last {
        moved.date().last_of_month().to_datetime(moved.time())
    } else {
        moved
    })
}
