//! What SQLite doesn't have: the engine's own scalar functions, all named `ns_…`.
//!
//! They take and give the engine's representations (amounts in units, dates as sortable text). What
//! depends on the session is read from the thread that runs the query.

use std::cell::RefCell;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Type, Value, ValueRef};
use rust_decimal::Decimal;

use super::text::{argument, instr, like, number_format, pad, regexp, substr};
use super::{DateFormat, Session, datetime};
use crate::schema::{PLACES, UNIT, from_units, to_units};

thread_local! {
    static SESSION: RefCell<(TimeZone, DateFormat)> =
        const { RefCell::new((TimeZone::UTC, DateFormat::MonthDayYear)) };
}

/// Makes this thread answer for a session until the next call.
pub(super) fn enter(session: &Session) {
    SESSION.with(|slot| *slot.borrow_mut() = (session.time_zone.clone(), session.date_format));
}

fn zone() -> TimeZone {
    SESSION.with(|slot| slot.borrow().0.clone())
}

fn format() -> DateFormat {
    SESSION.with(|slot| slot.borrow().1)
}

/// A value that can't be what it must: Oracle's ORA-01722, ORA-01861 and their like.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadValue(pub(super) String);

pub(super) fn bad(message: impl Into<String>) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(Box::new(BadValue(message.into())))
}

pub(super) fn text(context: &Context<'_>, position: usize) -> rusqlite::Result<Option<String>> {
    Ok(match context.get_raw(position) {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(value.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| bad("not a text"))?;
            if text.is_empty() {
                None
            } else {
                Some(text.to_owned())
            }
        }
    })
}

pub(super) fn integer(context: &Context<'_>, position: usize) -> rusqlite::Result<Option<i64>> {
    Ok(match context.get_raw(position) {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value),
        other if other.data_type() == Type::Text => {
            let text = text(context, position)?.unwrap_or_default();
            Some(
                text.trim()
                    .parse()
                    .map_err(|_| bad(format!("invalid number {text}")))?,
            )
        }
        _ => return Err(bad("invalid number")),
    })
}

fn moment(text: &str) -> rusqlite::Result<DateTime> {
    datetime::read(text).ok_or_else(|| bad(format!("{text} is no date")))
}

/// Digits to units; `None` if the text is no number.
pub(super) fn units(text: &str) -> Option<i64> {
    let trimmed = text.trim();
    let number = Decimal::from_str_exact(trimmed)
        .or_else(|_| Decimal::from_scientific(trimmed))
        .ok()?;
    to_units(number)
}

fn checked(value: Option<Decimal>) -> rusqlite::Result<i64> {
    value
        .and_then(to_units)
        .ok_or_else(|| bad("numeric overflow"))
}

type Body = fn(&Context<'_>) -> rusqlite::Result<Value>;

pub(super) fn optional<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, Into::into)
}

/// Applies `apply` to the first argument unless it is null.
fn on_text(
    context: &Context<'_>,
    apply: impl FnOnce(String) -> rusqlite::Result<Value>,
) -> rusqlite::Result<Value> {
    text(context, 0)?.map_or(Ok(Value::Null), apply)
}

fn two_units(
    context: &Context<'_>,
    apply: impl FnOnce(Decimal, Decimal) -> rusqlite::Result<i64>,
) -> rusqlite::Result<Value> {
    let (Some(left), Some(right)) = (integer(context, 0)?, integer(context, 1)?) else {
        return Ok(Value::Null);
    };
    apply(from_units(left), from_units(right)).map(Value::Integer)
}

fn to_char_zoned(at: Timestamp, zone: &TimeZone, format: &str) -> rusqlite::Result<Value> {
    let zoned = at.to_zoned(zone.clone());
    let name = zone.iana_name().unwrap_or("UTC").to_owned();
    datetime::to_char(
        zoned.datetime(),
        format,
        Some((&name, zoned.offset().seconds())),
    )
    .map(Value::Text)
    .ok_or_else(|| bad(format!("date format not recognized: {format}")))
}

/// Zone abbreviations of `NEW_TIME`, in hours.
fn abbreviation(name: &str) -> Option<i64> {
    Some(match name.to_ascii_uppercase().as_str() {
        "GMT" => 0,
        "AST" => -4,
        "ADT" => -3,
        "EST" => -5,
        "EDT" => -4,
        "CST" => -6,
        "CDT" => -5,
        "MST" => -7,
        "MDT" => -6,
        "PST" => -8,
        "PDT" => -7,
        _ => return None,
    })
}

/// The display text of a status letter.
fn status_name(kind: &str, letter: &str) -> String {
    let text = match (kind, letter) {
        ("VendBill" | "CustInvc" | "VendCred" | "CustCred", "A") => "Open",
        ("VendBill" | "CustInvc", "B") => "Paid In Full",
        ("VendBill", "C") => "Cancelled",
        ("VendBill" | "CustInvc", "D") => "Pending Approval",
        ("VendBill" | "CustInvc", "E") => "Rejected",
        ("VendCred" | "CustCred", "B") => "Fully Applied",
        (_, "V") => "Voided",
        ("VendPymt", "Z") => "Online Bill Pay Pending Accounting Approval",
        ("VendPymt", "D") | ("Journal", "A") => "Pending Approval",
        ("VendPymt", "E") | ("Journal", "C") => "Rejected",
        ("VendPymt", "A" | "F") => "Approved",
        ("Journal", "B") => "Approved for Posting",
        ("CustPymt", "A") => "Unapplied",
        ("CustPymt", "B") => "Not Deposited",
        ("CustPymt", "C") => "Deposited",
        ("CustPymt", "R") => "Payment Rejected",
        _ => letter,
    };
    format!("{} : {text}", type_name(kind))
}

/// The display text of a type code.
fn type_name(kind: &str) -> &str {
    match kind {
        "VendBill" => "Bill",
        "VendPymt" => "Bill Payment",
        "VendCred" => "Bill Credit",
        "CustInvc" => "Invoice",
        "CustPymt" => "Payment",
        "CustCred" => "Credit Memo",
        "CustRfnd" => "Customer Refund",
        "DepAppl" => "Deposit Application",
        other => other,
    }
}

const SCALARS: &[(&str, Body)] = &[
    ("ns_int", |c| Ok(optional(integer(c, 0)?))),
    ("ns_dec", |c| {
        on_text(c, |text| {
            units(&text)
                .map(Value::Integer)
                .ok_or_else(|| bad(format!("invalid number {text}")))
        })
    }),
    ("ns_num", |c| {
        Ok(optional(
            integer(c, 0)?.map(|units| from_units(units).to_string()),
        ))
    }),
    ("ns_mul", |c| two_units(c, |a, b| checked(a.checked_mul(b)))),
    ("ns_div", |c| {
        two_units(c, |a, b| {
            if b.is_zero() {
                Err(bad("divisor is equal to zero"))
            } else {
                checked(a.checked_div(b))
            }
        })
    }),
    ("ns_mod", |c| {
        two_units(c, |a, b| {
            if b.is_zero() {
                checked(Some(a))
            } else {
                checked(a.checked_rem(b))
            }
        })
    }),
    ("ns_round", |c| {
        let (Some(value), places) = (integer(c, 0)?, integer(c, 1)?.unwrap_or(0)) else {
            return Ok(Value::Null);
        };
        round(value, places, true)
    }),
    ("ns_trunc_num", |c| {
        let (Some(value), places) = (integer(c, 0)?, integer(c, 1)?.unwrap_or(0)) else {
            return Ok(Value::Null);
        };
        round(value, places, false)
    }),
    ("ns_ceil", |c| {
        Ok(optional(integer(c, 0)?.map(|v| {
            v.div_euclid(UNIT) + i64::from(v.rem_euclid(UNIT) != 0)
        })))
    }),
    ("ns_floor", |c| {
        Ok(optional(integer(c, 0)?.map(|v| v.div_euclid(UNIT))))
    }),
    ("ns_power", |c| {
        two_units(c, |base, exponent| {
            let times =
                u32::try_from(exponent.trunc().mantissa()).map_err(|_| bad("numeric overflow"))?;
            if times > 64 {
                return Err(bad("numeric overflow"));
            }
            let mut value = Some(Decimal::ONE);
            for _ in 0..times {
                value = value.and_then(|value| value.checked_mul(base));
            }
            checked(value)
        })
    }),
    ("ns_local", |c| {
        on_text(c, |text| Ok(optional(datetime::local(&text, &zone()))))
    }),
    ("ns_utc", |c| {
        on_text(c, |text| Ok(optional(datetime::utc(&text, &zone(), false))))
    }),
    ("ns_before", |c| on_text(c, |text| shifted(&text, false))),
    ("ns_after", |c| on_text(c, |text| shifted(&text, true))),
    ("ns_show", |c| {
        on_text(c, |text| Ok(optional(datetime::display(&text, format()))))
    }),
    ("ns_date_in", |c| {
        on_text(c, |text| {
            datetime::from_display(&text, format())
                .map(Value::Text)
                .ok_or_else(|| bad(format!("{text} is not in the date format of the account")))
        })
    }),
    ("ns_to_char_date", |c| {
        on_text(c, |text_| {
            let format = argument(c, 1)?.unwrap_or_default();
            datetime::to_char(moment(&text_)?, &format, None)
                .map(Value::Text)
                .ok_or_else(|| bad(format!("date format not recognized: {format}")))
        })
    }),
    ("ns_to_char_stamp", |c| {
        on_text(c, |text_| {
            let format = argument(c, 1)?.unwrap_or_default();
            let at = crate::schema::parse_stamp(&text_).ok_or_else(|| bad("no timestamp"))?;
            to_char_zoned(at, &zone(), &format)
        })
    }),
    ("ns_to_char_num", |c| {
        let (Some(value), Some(format)) = (integer(c, 0)?, argument(c, 1)?) else {
            return Ok(Value::Null);
        };
        number_format(from_units(value), &format)
            .map(Value::Text)
            .ok_or_else(|| bad(format!("invalid number format {format}")))
    }),
    ("ns_to_date", |c| {
        on_text(c, |text_| {
            let format = argument(c, 1)?.unwrap_or_default();
            let (at, _) = datetime::from_char(&text_, &format)
                .ok_or_else(|| bad(format!("{text_} does not match the format {format}")))?;
            Ok(Value::Text(datetime::write(at)))
        })
    }),
    ("ns_to_stamp", |c| {
        on_text(c, |text_| {
            let format = argument(c, 1)?.unwrap_or_default();
            let (at, offset) = datetime::from_char(&text_, &format)
                .ok_or_else(|| bad(format!("{text_} does not match the format {format}")))?;
            let zone = match offset {
                Some(seconds) => jiff::tz::Offset::from_seconds(seconds)
                    .map(TimeZone::fixed)
                    .map_err(|_| bad("time zone out of range"))?,
                None => zone(),
            };
            Ok(optional(datetime::utc(&datetime::write(at), &zone, false)))
        })
    }),
    ("ns_from_tz", |c| {
        on_text(c, |text_| {
            let zone = named_zone(&argument(c, 1)?.unwrap_or_default())?;
            Ok(optional(datetime::utc(&text_, &zone, false)))
        })
    }),
    ("ns_at_zone", |c| {
        on_text(c, |text_| {
            let zone = named_zone(&argument(c, 1)?.unwrap_or_default())?;
            Ok(optional(datetime::local(&text_, &zone)))
        })
    }),
    ("ns_at_utc", |c| {
        on_text(c, |text| {
            Ok(optional(datetime::local(&text, &TimeZone::UTC)))
        })
    }),
    ("ns_new_time", |c| {
        on_text(c, |text_| {
            let hours = |position: usize| -> rusqlite::Result<i64> {
                let name = argument(c, position)?.unwrap_or_default();
                abbreviation(&name).ok_or_else(|| bad(format!("invalid time zone {name}")))
            };
            let moved = moment(&text_)?
                .checked_add(jiff::SignedDuration::from_hours(hours(2)? - hours(1)?))
                .map_err(|_| bad("date out of range"))?;
            Ok(Value::Text(datetime::write(moved)))
        })
    }),
    ("ns_trunc_date", |c| {
        on_text(c, |text_| {
            let unit = argument(c, 1)?.unwrap_or_else(|| "DD".to_owned());
            datetime::truncate(moment(&text_)?, &unit)
                .map(|at| Value::Text(datetime::write(at)))
                .ok_or_else(|| bad(format!("bad date unit {unit}")))
        })
    }),
    ("ns_add_months", |c| {
        let (Some(text_), Some(months)) = (text(c, 0)?, integer(c, 1)?) else {
            return Ok(Value::Null);
        };
        let months = i32::try_from(months / UNIT).map_err(|_| bad("date out of range"))?;
        let moved = datetime::add_months(moment(&text_)?, months);
        moved
            .map(|at| Value::Text(datetime::write(at)))
            .ok_or_else(|| bad("date out of range"))
    }),
    ("ns_months_between", |c| {
        let (Some(later), Some(earlier)) = (text(c, 0)?, text(c, 1)?) else {
            return Ok(Value::Null);
        };
        let (a, b) = (moment(&later)?, moment(&earlier)?);
        let months = (i64::from(a.year()) - i64::from(b.year())) * 12 + i64::from(a.month())
            - i64::from(b.month());
        let both_last =
            a.date() == a.date().last_of_month() && b.date() == b.date().last_of_month();
        let days = if both_last {
            0
        } else {
            i64::from(a.day()) - i64::from(b.day())
        };
        let value = Decimal::from(months) + Decimal::from(days) / Decimal::from(31);
        checked(Some(value)).map(Value::Integer)
    }),
    ("ns_last_day", |c| {
        on_text(c, |text| {
            let at = moment(&text)?;
            Ok(Value::Text(datetime::write(
                at.date().last_of_month().to_datetime(at.time()),
            )))
        })
    }),
    ("ns_date_add", |c| {
        let (Some(text_), Some(days)) = (text(c, 0)?, integer(c, 1)?) else {
            return Ok(Value::Null);
        };
        let seconds =
            (i128::from(days) * 86_400 + i128::from(UNIT / 2)).div_euclid(i128::from(UNIT));
        let seconds = i64::try_from(seconds).map_err(|_| bad("date out of range"))?;
        let moved = moment(&text_)?
            .checked_add(jiff::SignedDuration::from_secs(seconds))
            .map_err(|_| bad("date out of range"))?;
        Ok(Value::Text(datetime::write(moved)))
    }),
    ("ns_date_diff", |c| {
        let (Some(later), Some(earlier)) = (text(c, 0)?, text(c, 1)?) else {
            return Ok(Value::Null);
        };
        let seconds = moment(&later)?.duration_since(moment(&earlier)?).as_secs();
        checked(Decimal::from(seconds).checked_div(Decimal::from(86_400))).map(Value::Integer)
    }),
    ("ns_extract", |c| {
        on_text(c, |text_| {
            let at = moment(&text_)?;
            let value = match argument(c, 1)?.unwrap_or_default().as_str() {
                "YEAR" => i64::from(at.year()),
                "MONTH" => i64::from(at.month()),
                "DAY" => i64::from(at.day()),
                "HOUR" => i64::from(at.hour()),
                "MINUTE" => i64::from(at.minute()),
                _ => i64::from(at.second()),
            };
            Ok(Value::Integer(value))
        })
    }),
    ("ns_like", |c| {
        let (Some(subject), Some(pattern)) = (text(c, 0)?, text(c, 1)?) else {
            return Ok(Value::Null);
        };
        let escape = argument(c, 2)?.and_then(|text| text.chars().next());
        let subject: Vec<char> = subject.chars().collect();
        let pattern: Vec<char> = pattern.chars().collect();
        Ok(Value::Integer(i64::from(like(&subject, &pattern, escape))))
    }),
    ("ns_upper", |c| {
        on_text(c, |text| Ok(Value::Text(text.to_uppercase())))
    }),
    ("ns_lower", |c| {
        on_text(c, |text| Ok(Value::Text(text.to_lowercase())))
    }),
    ("ns_initcap", |c| {
        on_text(c, |text| {
            let mut fresh = true;
            let mut out = String::new();
            for letter in text.chars() {
                if fresh {
                    out.extend(letter.to_uppercase());
                } else {
                    out.extend(letter.to_lowercase());
                }
                fresh = !letter.is_alphanumeric();
            }
            Ok(Value::Text(out))
        })
    }),
    ("ns_substr", |c| {
        on_text(c, |text| {
            let Some(start) = integer(c, 1)? else {
                return Ok(Value::Null);
            };
            let length = if c.len() > 2 {
                Some(integer(c, 2)?.unwrap_or(0))
            } else {
                None
            };
            Ok(optional(substr(&text, start, length)))
        })
    }),
    ("ns_instr", |c| {
        let (Some(subject), Some(sought)) = (text(c, 0)?, text(c, 1)?) else {
            return Ok(Value::Null);
        };
        let start = if c.len() > 2 {
            integer(c, 2)?.unwrap_or(1)
        } else {
            1
        };
        let nth = if c.len() > 3 {
            integer(c, 3)?.unwrap_or(1)
        } else {
            1
        };
        Ok(Value::Integer(instr(&subject, &sought, start, nth)))
    }),
    ("ns_lpad", |c| pad(c, true)),
    ("ns_rpad", |c| pad(c, false)),
    ("ns_replace", |c| {
        on_text(c, |subject| {
            let Some(sought) = argument(c, 1)? else {
                return Ok(Value::Text(subject));
            };
            let replaced = subject.replace(&sought, &argument(c, 2)?.unwrap_or_default());
            Ok(if replaced.is_empty() {
                Value::Null
            } else {
                Value::Text(replaced)
            })
        })
    }),
    ("ns_translate", |c| {
        on_text(c, |subject| {
            let (Some(from), Some(to)) = (argument(c, 1)?, argument(c, 2)?) else {
                return Ok(Value::Null);
            };
            let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
            let out: String = subject
                .chars()
                .filter_map(|letter| match from.iter().position(|&f| f == letter) {
                    Some(position) => to.get(position).copied(),
                    None => Some(letter),
                })
                .collect();
            Ok(if out.is_empty() {
                Value::Null
            } else {
                Value::Text(out)
            })
        })
    }),
    ("ns_regexp_like", |c| regexp(c, "like")),
    ("ns_regexp_replace", |c| regexp(c, "replace")),
    ("ns_regexp_count", |c| regexp(c, "count")),
    ("ns_regexp_substr", |c| regexp(c, "substr")),
    ("ns_regexp_instr", |c| regexp(c, "instr")),
    ("ns_status", |c| {
        let (Some(kind), Some(letter)) = (text(c, 0)?, text(c, 1)?) else {
            return Ok(Value::Null);
        };
        Ok(Value::Text(status_name(&kind, &letter)))
    }),
    ("ns_type", |c| {
        on_text(c, |kind| Ok(Value::Text(type_name(&kind).to_owned())))
    }),
    ("ns_null", |c| on_text(c, |text| Ok(Value::Text(text)))),
];

fn named_zone(name: &str) -> rusqlite::Result<TimeZone> {
    if let Some((sign, rest)) = name
        .split_at_checked(1)
        .filter(|(sign, _)| matches!(*sign, "+" | "-"))
    {
        let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
        let seconds = hours
            .parse::<i32>()
            .ok()
            .zip(minutes.parse::<i32>().ok())
            .filter(|(h, m)| *h < 24 && *m < 60)
            .map(|(h, m)| h * 3600 + m * 60)
            .ok_or_else(|| bad(format!("invalid time zone {name}")))?;
        let offset = jiff::tz::Offset::from_seconds(if sign == "-" { -seconds } else { seconds });
        return offset
            .map(TimeZone::fixed)
            .map_err(|_| bad("time zone out of range"));
    }
    if matches!(name.to_ascii_uppercase().as_str(), "UTC" | "GMT") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| bad(format!("invalid time zone {name}")))
}

fn round(units: i64, places: i64, half_up: bool) -> rusqlite::Result<Value> {
    if places >= i64::from(PLACES) {
        return Ok(Value::Integer(units));
    }
    let drop = u32::try_from(i64::from(PLACES) - places).unwrap_or(38);
    if drop > 18 {
        return Ok(Value::Integer(0));
    }
    let step = 10_i64.pow(drop);
    let cut = units / step;
    let rest = units % step;
    let up = half_up && rest.unsigned_abs() * 2 >= step.unsigned_abs();
    let value = if up { cut + units.signum() } else { cut };
    value
        .checked_mul(step)
        .map(Value::Integer)
        .ok_or_else(|| bad("numeric overflow"))
}

/// A local date-time in UTC, an hour before or after: a bound that lets SQLite use an index, beside the
/// exact comparison of local times.
fn shifted(text: &str, after: bool) -> rusqlite::Result<Value> {
    let Some(stamp) = datetime::utc(text, &zone(), after) else {
        return Ok(Value::Null);
    };
    let at = crate::schema::parse_stamp(&stamp).ok_or_else(|| bad("no timestamp"))?;
    let hour = jiff::SignedDuration::from_hours(if after { 1 } else { -1 });
    let moved = at.checked_add(hour).map_err(|_| bad("date out of range"))?;
    Ok(Value::Text(crate::schema::stamp(moved)))
}

/// Gives a connection the engine's functions.
///
/// # Errors
/// When SQLite refuses.
pub(crate) fn install(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    for (name, body) in SCALARS {
        connection.create_scalar_function(*name, -1, flags, body)?;
    }
    Ok(())
}

/// A date as the session prints it.
pub(super) fn show_date(text: &str) -> Option<String> {
    datetime::display(text, format())
}

/// A stamp as the session prints it: the day, in its zone.
pub(super) fn show_stamp(text: &str) -> Option<String> {
    show_date(&datetime::local(text, &zone())?)
}
