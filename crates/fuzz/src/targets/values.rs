//! The small values: what is read prints back to itself.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::{Value, json};
use tieout_domain::{Amount, ConnectionName, Currency, Key, Marker, RecordRef, Timestamp};
use tieout_kit::wire::Exact;
use tieout_kit::{Credential, System};

use crate::answers::{Answers, first_line};
use crate::{place, stage};

/// Amounts, one on each line.
pub(super) fn amounts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut read = Vec::new();
    for line in text.lines().take(8) {
        match line.parse::<Amount>() {
            Ok(amount) => {
                amount_keeps(amount);
                plainly(line, amount);
                read.push(amount);
            }
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains(line.trim()), "`{line}` isn't named: {error}");
                place::assert_named(&error);
            }
        }
        // On the wire, in JSON: exactly the same, or refused.
        if let Ok(exact) = serde_json::from_str::<Exact>(line) {
            amount_keeps(exact.0);
            plainly(line.trim().trim_matches('"'), exact.0);
            let wire = serde_json::to_string(&exact).expect("an amount can be written");
            assert_eq!(
                serde_json::from_str::<Exact>(&wire).ok(),
                Some(exact),
                "{wire}"
            );
        }
    }
    for pair in read.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        assert_eq!(a.plus(b), b.plus(a), "{a} + {b}");
        if let Ok(sum) = a.plus(b) {
            assert_eq!(sum.minus(b), Ok(a), "{a} + {b} is not exactly {sum}");
            assert_eq!(sum.minus(a), Ok(b), "{a} + {b} is not exactly {sum}");
        }
    }
}

fn amount_keeps(amount: Amount) {
    let text = amount.to_string();
    assert_eq!(text.parse::<Amount>().as_ref(), Ok(&amount), "{text}");
    let json = serde_json::to_string(&amount).expect("an amount can be written");
    assert_eq!(
        serde_json::from_str::<Amount>(&json).ok(),
        Some(amount),
        "{json}"
    );
    assert_eq!((-(-amount)), amount);
    assert!(!(amount.is_negative() && amount.is_positive()));
    let money = amount.of(Currency::USD).to_string();
    let plain: String = money.chars().filter(|c| *c != ',').collect();
    // The currency's own digits are shown, also where they are one more than can be held.
    let plain = plain
        .trim_end_matches(" USD")
        .trim_end_matches('0')
        .trim_end_matches('.');
    let plain = if plain.is_empty() || plain == "-" {
        "0"
    } else {
        plain
    };
    assert_eq!(plain.parse::<Amount>().as_ref(), Ok(&amount), "{money}");
}

/// A number is the number that its digits say: compared by the digits themselves, as no float could keep them.
fn plainly(text: &str, amount: Amount) {
    if let Some(written) = digits(text.trim()) {
        assert_eq!(Some(written), digits(&amount.to_string()), "{text}");
    }
}

/// An exponent beyond this is no amount's.
const EXPONENT_MAX: i64 = 100;

/// Whether a number is below zero, its digits before the point and those behind it, without zeros that say nothing.
/// `None` for what isn't written in digits alone.
fn digits(text: &str) -> Option<(bool, String, String)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let is_digits = |byte: u8| byte.is_ascii_digit() || b"+-.".contains(&byte);
    if mantissa.is_empty() || !mantissa.bytes().all(is_digits) || exponent.abs() > EXPONENT_MAX {
        return None;
    }
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.trim_start_matches(['+', '-']);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // With a zero for each place that the point moves by, it always falls among digits.
    let zeros = |places: i64| "0".repeat(usize::try_from(places).unwrap_or(0));
    let (before, after) = (zeros(-exponent), zeros(exponent));
    let point = whole.len() + after.len();
    let all = format!("{before}{whole}{fraction}{after}");
    let (whole, fraction) = all.split_at(point);
    let (whole, fraction) = (
        whole.trim_start_matches('0').to_owned(),
        fraction.trim_end_matches('0').to_owned(),
    );
    let zero = whole.is_empty() && fraction.is_empty();
    Some((negative && !zero, whole, fraction))
}

/// Names, days and instants: each line is tried as all of them.
pub(super) fn names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines().take(8) {
        printed(line.parse::<Currency>(), line);
        printed(line.parse::<ConnectionName>(), line);
        printed(line.parse::<RecordRef>(), line);
        if let Ok(day) = line.parse::<Date>() {
            assert_eq!(day.to_string().parse::<Date>().ok(), Some(day));
        }
        if let Ok(moment) = line.parse::<Timestamp>() {
            assert_eq!(moment.to_string().parse::<Timestamp>().ok(), Some(moment));
        }
        if let Some(marker) = Marker::find_in(line) {
            assert_eq!(Marker::find_in(&marker.to_string()), Some(marker.clone()));
            assert!(
                line.contains(&marker.to_string()),
                "{marker} isn't in {line}"
            );
        }
        let key = Key::of(line.split('/'));
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(key.as_str().chars().all(fits), "{key}");
        assert_eq!(Key::of([key.as_str()]), key);
    }
}

fn printed<T, E>(read: Result<T, E>, line: &str)
where
    T: std::fmt::Display + std::str::FromStr + PartialEq + std::fmt::Debug,
    E: std::fmt::Display,
{
    match read {
        Ok(value) => assert_eq!(value.to_string().parse::<T>().ok().as_ref(), Some(&value)),
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains(line), "`{line}` isn't named: {error}");
            place::assert_named(&error);
        }
    }
}

/// A system whose settings name a settling time.
struct Settling {
    system: &'static System,
    /// Its settings, apart from that.
    table: Value,
    kind: &'static str,
    fields: &'static str,
}

/// No longer than this would anybody wait for a write without an answer.
const DAY: Duration = Duration::from_secs(86_400);

/// A settling time, in the settings of all systems.
pub(super) fn durations(bytes: &[u8]) {
    let (line, _) = first_line(bytes);
    let systems = [
        Settling {
            system: &tieout_bill::SYSTEM,
            table: json!({"organization": "008", "environment": "sandbox", "credential": "a"}),
            kind: "bill",
            fields: r#"{"dev_key":"k","username":"u@e.example","password":"p"}"#,
        },
        Settling {
            system: &tieout_netsuite::SYSTEM,
            table: json!({"account": "1234567_SB1", "subsidiary": "3", "credential": "a"}),
            kind: "netsuite-tba",
            fields: r#"{"consumer_key":"ck","consumer_secret":"cs","token_id":"tk","token_secret":"ts"}"#,
        },
        Settling {
            system: &tieout_invoiced::SYSTEM,
            table: json!({"environment": "sandbox", "time_zone": "America/New_York", "credential": "a"}),
            kind: "invoiced",
            fields: r#"{"api_key":"key"}"#,
        },
        Settling {
            system: &tieout_alternative_payments::SYSTEM,
            table: json!({"environment": "demo", "capabilities": "all", "credential": "a"}),
            kind: "alternative-payments",
            fields: r#"{"client_id":"id","client_secret":"secret"}"#,
        },
    ];
    for of in systems {
        settled(&of, &line);
    }
}

/// Every writer waits just as long as was written, or the settings are refused.
fn settled(of: &Settling, line: &str) {
    let mut table = of.table.as_object().cloned().unwrap_or_default();
    table.insert("settle".to_owned(), json!(line));
    let credential = Credential {
        kind: of.kind.to_owned(),
        fields: of.fields.to_owned().into(),
    };
    let written = |text: &str| {
        let span = text.parse::<SignedDuration>().ok()?;
        Duration::try_from(span).ok()
    };
    let may_be = |span: Duration| span <= DAY;
    let nowhere = std::sync::Arc::new(Answers::of(b"lost", |_| None));
    match (of.system.connect)(&table, credential, stage::kit(nowhere)) {
        Ok(ports) => {
            let written = written(line.trim());
            assert!(written.is_some_and(may_be), "{}: `{line}`", ports.system);
            for (kind, writer) in &ports.write {
                let settle = writer.settle();
                assert_eq!(Some(settle), written, "{} {kind}: `{line}`", ports.system);
            }
        }
        Err(error) => {
            place::assert_explained(&error.code, &error.cause);
            assert!(error.cause.contains("settle"), "{}", error.cause);
            assert!(!written(line).is_some_and(may_be), "{}", error.cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_compared_wherever_the_point_stands() {
        let same = [
            ("100.10", "0100.1"),
            ("-1.2E7", "-12000000"),
            ("15e-3", "0.015"),
            ("-0.00", "0"),
            (".5", "0.5"),
            ("+3", "3"),
        ];
        for (one, other) in same {
            assert_eq!(digits(one), digits(other), "{one}");
        }
        for (one, other) in [("1", "-1"), ("1e2", "10"), ("0.1", "0.10000000000000001")] {
            assert_ne!(digits(one), digits(other), "{one}");
        }
        assert_eq!(digits("ten"), None);
    }

    #[test]
    #[should_panic(expected = "9007199254740993")]
    fn what_a_float_makes_of_an_amount_is_noticed() {
        plainly("9007199254740993", "9007199254740992".parse().unwrap());
    }
}
