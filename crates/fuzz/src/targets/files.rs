//! Files that people write: a refusal names the place in them.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;
use tieout::commands::{credentials as credential_command, sync};
use tieout::config::Config;
use tieout_kit::fake::world::{World, dataset as csv, generate::Shape};
use tieout_kit::fake::{Chassis, FakeClock};
use tieout_kit::{Credential, System};

use crate::answers::{Answers, first_line};
use crate::{place, stage};

const CONFIG: &str = "tieout.toml";

/// The text of a configuration.
pub(super) fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Config::parse(text, Path::new(CONFIG)) {
        Err(failure) => {
            place::assert_explained(&failure.code, &failure.cause);
            let lines = text.lines().count().max(1);
            assert!(failure.cause.starts_with(CONFIG), "{}", failure.cause);
            place::assert_named(&failure.cause.replacen(&format!("{CONFIG}:"), "line ", 1));
            if let Some(line) = line_of(&failure.cause) {
                assert!(
                    (1..=lines + 1).contains(&line),
                    "line {line} of {lines}: {}",
                    failure.cause
                );
            }
        }
        Ok(config) => {
            for connection in config.connections.values() {
                connects(connection.ledger.system, &connection.ledger_settings);
                connects(connection.platform.system, &connection.platform_settings);
            }
        }
    }
}

/// The number behind the file's name.
fn line_of(cause: &str) -> Option<usize> {
    cause
        .strip_prefix(CONFIG)?
        .strip_prefix(':')?
        .split(':')
        .next()?
        .parse()
        .ok()
}

fn connects(system: &System, settings: &serde_json::Map<String, Value>) {
    let (kind, fields) = match system.id.as_str() {
        "bill" => (
            "bill",
            r#"{"dev_key":"k","username":"u@e.example","password":"p"}"#,
        ),
        "invoiced" => ("invoiced", r#"{"api_key":"k"}"#),
        "alternative-payments" => (
            "alternative-payments",
            r#"{"client_id":"i","client_secret":"s"}"#,
        ),
        _ => (
            "netsuite-tba",
            r#"{"consumer_key":"ck","consumer_secret":"cs","token_id":"tk","token_secret":"ts"}"#,
        ),
    };
    let credential = Credential {
        kind: kind.to_owned(),
        fields: fields.to_owned().into(),
    };
    let nowhere = std::sync::Arc::new(Answers::of(b"lost", |_| None));
    if let Err(error) = (system.connect)(settings, credential, stage::kit(nowhere)) {
        place::assert_explained(&error.code, &error.cause);
        let named = system
            .settings
            .iter()
            .any(|setting| error.cause.contains(setting.name));
        assert!(named || place::is_named(&error.cause), "{}", error.cause);
    }
}

/// The text of a file of plans.
pub(super) fn plans(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match sync::plans_of(text, Path::new("plan.json")) {
        Err(failure) => {
            place::assert_explained(&failure.code, &failure.cause);
            assert!(failure.cause.starts_with("plan.json"), "{}", failure.cause);
            place::assert_named(&failure.cause);
        }
        Ok(plans) => {
            let printed = serde_json::json!({ "plans": plans }).to_string();
            let back = sync::plans_of(&printed, Path::new("plan.json"));
            assert_eq!(back.ok().as_ref(), Some(&plans));
            for plan in &plans {
                assert_eq!(plan.compare(plan), Ok(()));
            }
        }
    }
}

/// The kind of a credential, then its JSON.
pub(super) fn credentials(bytes: &[u8]) {
    let (kind, json) = first_line(bytes);
    let kind =
        credential_command::known_kind(&kind).or_else(|_| credential_command::known_kind("bill"));
    let (Ok(kind), Ok(json)) = (kind, std::str::from_utf8(json)) else {
        return;
    };
    let refused = match credential_command::checked(kind, json) {
        Err(failure) => {
            place::assert_explained(&failure.code, &failure.cause);
            place::assert_named(&failure.cause);
            Some(failure.cause)
        }
        // What passes is taken by its system, or refused by it in words.
        Ok(()) => connected(kind.name, json),
    };
    let Some(cause) = refused else { return };
    for secret in values(json) {
        // Short ones, and words of the message itself, are in any text.
        let is_secret = secret.len() >= 16 && !secret.contains(['`', ' ']);
        assert!(
            !is_secret || !cause.contains(&secret),
            "a secret is shown: {cause}"
        );
    }
}

/// What the credential's system says against it.
fn connected(kind: &str, json: &str) -> Option<String> {
    let entry = tieout_systems::ALL.iter().find(|entry| {
        entry
            .system
            .credentials
            .iter()
            .any(|known| known.name == kind)
    })?;
    let settings = match entry.system.id.as_str() {
        "bill" => r#"{"organization":"008","environment":"sandbox","credential":"a"}"#,
        "invoiced" => r#"{"environment":"sandbox","time_zone":"UTC","credential":"a"}"#,
        "alternative-payments" => r#"{"environment":"demo","credential":"a"}"#,
        _ => r#"{"account":"1234567_SB1","subsidiary":"3","credential":"a"}"#,
    };
    let settings = serde_json::from_str(settings).ok()?;
    let credential = Credential {
        kind: kind.to_owned(),
        fields: json.to_owned().into(),
    };
    let nowhere = std::sync::Arc::new(Answers::of(b"lost", |_| None));
    let error = (entry.system.connect)(&settings, credential, stage::kit(nowhere)).err()?;
    place::assert_explained(&error.code, &error.cause);
    Some(error.cause)
}

/// The texts of an object's fields.
fn values(json: &str) -> Vec<String> {
    let object = serde_json::from_str::<Value>(json).unwrap_or_default();
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter_map(|(_, value)| Some(value.as_str()?.trim().to_owned()))
        .collect()
}

/// A file of payables lines.
pub(super) fn dataset(bytes: &[u8]) {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    let shape = SHAPE.get_or_init(|| Shape::new(jiff::civil::date(2026, 6, 20)));
    match csv::read(bytes, shape) {
        Err(error) => {
            let text = error.to_string();
            assert!(
                matches!(error, csv::DatasetError::Empty) || text.contains("line "),
                "{text}"
            );
        }
        Ok(world) if unusual(&world, bytes) => sandboxed(&world),
        Ok(_) => {}
    }
}

/// Making a sandbox of a world takes milliseconds: only of a few of those that it might just not bear.
fn unusual(world: &World, bytes: &[u8]) -> bool {
    let large = rust_decimal::Decimal::from(890_000_000_000_i64);
    let sum = bytes
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    sum == 0
        && world
            .bills
            .iter()
            .any(|bill| bill.total().abs() > large || !(1900..2200).contains(&bill.date.year()))
}

fn sandboxed(world: &World) {
    for entry in tieout_systems::ALL {
        let chassis = Chassis::new(FakeClock::at(stage::start()), 1);
        drop((entry.fake)(chassis, world, 1).state());
    }
}
