//! The small values: what is read prints back to itself.

use jiff::civil::Date;
use serde_json::{Map, Value, json};
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

/// A plain number is the number that its digits say: compared by the digits themselves.
fn plainly(text: &str, amount: Amount) {
    let text = text.trim();
    if text.is_empty()
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte))
    {
        return;
    }
    let trimmed = |text: &str| {
        let negative = text.starts_with('-');
        let (whole, fraction) = text
            .trim_start_matches('-')
            .split_once('.')
            .unwrap_or((text.trim_start_matches('-'), ""));
        let (whole, fraction) = (
            whole.trim_start_matches('0').to_owned(),
            fraction.trim_end_matches('0').to_owned(),
        );
        let zero = whole.is_empty() && fraction.is_empty();
        (negative && !zero, whole, fraction)
    };
    assert_eq!(trimmed(text), trimmed(&amount.to_string()), "{text}");
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

/// A settling time, in the settings of both systems.
pub(super) fn durations(bytes: &[u8]) {
    let (line, _) = first_line(bytes);
    let table = |table: Value| table.as_object().cloned().unwrap_or_default();
    let bill = table(
        json!({"organization": "008", "environment": "sandbox", "credential": "a", "settle": line}),
    );
    settled(
        &tieout_bill::SYSTEM,
        &bill,
        r#"{"dev_key":"k","username":"u@e.example","password":"p"}"#,
        "bill",
    );
    let netsuite = table(
        json!({"account": "1234567_SB1", "subsidiary": "3", "credential": "a", "settle": line}),
    );
    let tokens =
        r#"{"consumer_key":"ck","consumer_secret":"cs","token_id":"tk","token_secret":"ts"}"#;
    settled(&tieout_netsuite::SYSTEM, &netsuite, tokens, "netsuite-tba");
}

fn settled(system: &System, table: &Map<String, Value>, fields: &str, kind: &str) {
    let credential = Credential {
        kind: kind.to_owned(),
        fields: fields.to_owned().into(),
    };
    let nowhere = std::sync::Arc::new(Answers::of(b"lost", |_| None));
    match (system.connect)(table, credential, stage::kit(nowhere)) {
        Ok(ports) => {
            for writer in ports.write.values() {
                assert!(writer.settle() <= std::time::Duration::MAX);
            }
        }
        Err(error) => {
            place::assert_explained(&error.code, &error.cause);
            assert!(error.cause.contains("settle"), "{}", error.cause);
        }
    }
}
