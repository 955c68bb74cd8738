//! What a person or a script gives for a connection: flags before the file, the file before the
//! environment, and what is still missing is asked for.

use std::io::Read;
use std::path::Path;

use secrecy::SecretString;
use serde_json::Value;
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;
use tieout_flows::Preferences;
use tieout_kit::System;
use tieout_kit::system::CredentialKind;
use zeroize::Zeroizing;

use super::{Asking, ConnectArgs, Values};
use crate::config::{Config, ConnectionConfig};
use crate::failure::Failure;

/// A connection as it is to be.
pub(super) struct Given {
    /// Its name.
    pub(super) name: ConnectionName,
    /// Its pair.
    pub(super) pair: String,
    /// The ledger and the platform of the pair.
    pub(super) ledger: &'static System,
    /// See `ledger`.
    pub(super) platform: &'static System,
    /// The values of its table that are to be written.
    pub(super) values: Values,
    /// Whether it is in the configuration already.
    pub(super) existing: bool,
    /// Whether it is there and was disconnected.
    pub(super) disconnected: bool,
    /// What the sides' tables hold already, by system.
    kept: Values,
    /// What the template that it rests on holds, likewise.
    templated: Values,
}

impl Given {
    /// A text in a side's table, new or kept.
    pub(super) fn text(&self, system: &System, key: &str) -> Option<String> {
        let of = |values: &Values| {
            let text = values.get(system.id.as_str())?.get(key)?.as_str()?;
            (!text.trim().is_empty()).then(|| text.to_owned())
        };
        of(&self.values)
            .or_else(|| of(&self.kept))
            .or_else(|| of(&self.templated))
    }

    /// A side's table as far as it is given, without what stands for nothing.
    pub(super) fn table(&self, system: &System) -> Values {
        let mut table = Values::new();
        for values in [&self.templated, &self.kept, &self.values] {
            if let Some(Value::Object(given)) = values.get(system.id.as_str()) {
                table.extend(given.clone());
            }
        }
        table.retain(|_, value| !value.is_null());
        table
    }

    /// Takes over what isn't given yet.
    pub(super) fn fill(&mut self, earlier: Values) {
        fill(&mut self.values, earlier);
    }

    /// Sets a preference, by its dotted key.
    pub(super) fn put_preference(&mut self, key: &str, value: Value) {
        let parts: Vec<_> = std::iter::once("preferences")
            .chain(key.split('.'))
            .collect();
        put(&mut self.values, &parts, value);
    }

    /// Whether a side's table has the key, new or kept.
    fn has(&self, system: &System, key: &str) -> bool {
        [&self.values, &self.kept, &self.templated]
            .iter()
            .any(|values| {
                values
                    .get(system.id.as_str())
                    .is_some_and(|table| table.get(key).is_some())
            })
    }

    /// Sets a value in a side's table.
    pub(super) fn put(&mut self, system: &System, key: &str, value: Value) {
        put(&mut self.values, &[system.id.as_str(), key], value);
    }
}

/// Gathers all but the credentials, and asks for what a side needs.
pub(super) fn gather(
    args: &ConnectArgs,
    values: Values,
    config: &Config,
    asking: &Asking,
) -> Result<Given, Failure> {
    let mut given = begin(args, values, config, asking)?;
    for system in [given.ledger, given.platform] {
        missing(&mut given, system, asking)?;
    }
    Ok(given)
}

/// The connection's table from the file, if one is named.
pub(super) fn values(args: &ConnectArgs) -> Result<Values, Failure> {
    match &args.from {
        None => Ok(Values::new()),
        Some(path) => from_file(path, args.name.as_deref()),
    }
}

/// Gathers what flags, the table of a file and the environment give.
pub(super) fn begin(
    args: &ConnectArgs,
    mut values: Values,
    config: &Config,
    asking: &Asking,
) -> Result<Given, Failure> {
    for text in &args.values {
        set(&mut values, text)?;
    }
    let name = name(args, asking)?;
    let mut given = put_together(
        name,
        values,
        config,
        args.replace,
        |values, known, template| pair(args, values, known, template, asking),
    )?;
    for (system, flag) in [
        (given.ledger, &args.ledger_credential),
        (given.platform, &args.platform_credential),
    ] {
        if let Some(name) = flag {
            given.put(system, "credential", Value::String(name.clone()));
        }
        from_environment(&mut given, system);
    }
    Ok(given)
}

/// A connection as its table, the configuration and its template have it. `pair` tells the pair where it can be told
/// only now.
pub(super) fn put_together(
    name: ConnectionName,
    mut values: Values,
    config: &Config,
    replace: bool,
    pair: impl FnOnce(&Values, Option<&ConnectionConfig>, &Values) -> Result<String, Failure>,
) -> Result<Given, Failure> {
    let known = config.connections.get(&name);
    let disconnected = known.is_some_and(|known| !known.enabled);
    if known.is_some() && !disconnected && !replace {
        let cause = format!(
            "there is a connection `{name}` in {} already",
            config.path.display()
        );
        return Err(Failure::usage(Code::new("connection-exists"), cause));
    }
    let template = template(&values, known, config)?;
    let pair = pair(&values, known, &template)?;
    let Some((ledger, platform)) = tieout_systems::pair(&pair) else {
        let cause = format!("`{pair}` is no pair; there are {}", pairs().join(", "));
        return Err(Failure::usage(Code::new("config-value"), cause));
    };
    if text_of(&template, "pair") != Some(&pair) {
        values.insert("pair".to_owned(), Value::String(pair.clone()));
    }
    if disconnected {
        // Connecting again resumes (scenario 212).
        values.insert("enabled".to_owned(), Value::Null);
    }
    Ok(Given {
        name,
        pair,
        ledger: ledger.system,
        platform: platform.system,
        values,
        existing: known.is_some(),
        disconnected,
        kept: known.map(kept).unwrap_or_default(),
        templated: template,
    })
}

fn name(args: &ConnectArgs, asking: &Asking) -> Result<ConnectionName, Failure> {
    let text = match &args.name {
        Some(name) => name.clone(),
        None => asking.ask("name of the connection, such as acme-us")?,
    };
    if text.is_empty() {
        let cause = "the connection has no name; write `tieout connect NAME`";
        return Err(Failure::usage(Code::new("connect-incomplete"), cause));
    }
    text.parse().map_err(|error: tieout_domain::IdError| {
        Failure::usage(Code::new("config-value"), error.to_string())
    })
}

pub(super) fn text_of<'a>(values: &'a Values, key: &str) -> Option<&'a str> {
    values.get(key).and_then(Value::as_str)
}

/// The table of the template that the connection names, as the configuration has it; empty where it names none.
fn template(
    values: &Values,
    known: Option<&ConnectionConfig>,
    config: &Config,
) -> Result<Values, Failure> {
    let kept = known.and_then(|known| known.template.as_ref());
    let named = text_of(values, "template").or_else(|| kept.map(|(name, _)| name.as_str()));
    let Some(name) = named else {
        return Ok(Values::new());
    };
    let mut document = document(&config.path)?;
    let templates = match document.remove("templates") {
        Some(Value::Object(templates)) => templates,
        _ => Values::new(),
    };
    match templates.get(name) {
        Some(Value::Object(template)) => Ok(template.clone()),
        _ => {
            let known: Vec<_> = templates.keys().map(String::as_str).collect();
            let cause = format!(
                "`{name}` is no template of {}; there are {}",
                config.path.display(),
                known.join(", ")
            );
            Err(Failure::usage(Code::new("config-value"), cause))
        }
    }
}

pub(super) fn pairs() -> Vec<String> {
    tieout_systems::pairs().map(|(name, ..)| name).collect()
}

fn pair(
    args: &ConnectArgs,
    values: &Values,
    known: Option<&ConnectionConfig>,
    template: &Values,
    asking: &Asking,
) -> Result<String, Failure> {
    let in_file = text_of(values, "pair")
        .or_else(|| text_of(template, "pair"))
        .map(str::to_owned);
    let told = args
        .pair
        .clone()
        .or(in_file)
        .or_else(|| known.map(|known| known.pair.clone()));
    if let Some(told) = told {
        return Ok(told);
    }
    let all = pairs();
    if let [only] = told_by(values).as_slice() {
        return Ok(only.clone());
    }
    let answer = asking.ask(&format!("which pair ({})", all.join(", ")))?;
    if answer.is_empty() {
        let cause = format!("`--pair` is missing: one of {}", all.join(", "));
        return Err(Failure::usage(Code::new("connect-incomplete"), cause));
    }
    Ok(answer)
}

/// The pairs of whose platform something is given, by a flag, the file or the environment: where it is one, that is the
/// pair which is meant.
fn told_by(values: &Values) -> Vec<String> {
    let given = |system: &'static System| {
        let told = |name: &str| std::env::var_os(variable(system, name)).is_some();
        let settings = system.settings.iter().map(|setting| setting.name);
        let kinds = system.credentials.iter().flat_map(|kind| kind.fields);
        values.contains_key(system.id.as_str())
            || settings.chain(kinds.map(|field| field.name)).any(told)
    };
    tieout_systems::pairs()
        .filter(|(_, _, platform)| given(platform.system))
        .map(|(name, ..)| name)
        .collect()
}

fn kept(known: &ConnectionConfig) -> Values {
    let mut kept = Values::new();
    for (entry, settings) in [
        (known.ledger, &known.ledger_settings),
        (known.platform, &known.platform_settings),
    ] {
        kept.insert(entry.system.id.to_string(), Value::Object(settings.clone()));
    }
    kept
}

/// Reads a file, TOML or JSON, as a table.
pub(super) fn document(path: &Path) -> Result<Values, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|error| Failure::file("can't read", path, &error))?;
    let wrong = |cause: String| {
        Failure::usage(
            Code::new("config-syntax"),
            format!("{}: {cause}", path.display()),
        )
    };
    let value: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?
    } else {
        let table: toml::Table = toml::from_str(&text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            wrong(format!("line {line}: {}", error.message()))
        })?;
        serde_json::to_value(table).map_err(|error| wrong(error.to_string()))?
    };
    let Value::Object(table) = value else {
        return Err(wrong("it must be the connection's table".to_owned()));
    };
    Ok(table)
}

/// Reads the connection's table, or a whole configuration that holds it.
fn from_file(path: &Path, name: Option<&str>) -> Result<Values, Failure> {
    let mut table = document(path)?;
    let wrong = |cause: String| {
        Failure::usage(
            Code::new("config-syntax"),
            format!("{}: {cause}", path.display()),
        )
    };
    let Some(Value::Object(mut all)) = table.remove("connections") else {
        return Ok(table);
    };
    let chosen = match name {
        Some(name) => all.remove(name),
        None if all.len() == 1 => all.into_iter().next().map(|(_, only)| only),
        None => None,
    };
    match chosen {
        Some(Value::Object(chosen)) => Ok(chosen),
        _ => Err(wrong("it holds no connection of this name".to_owned())),
    }
}

/// `--set`: a dotted key and its value. Preferences read theirs from a text; a system's are texts, or TOML
/// after `:=`.
pub(super) fn set(values: &mut Values, text: &str) -> Result<(), Failure> {
    let wrong = |cause: String| Failure::usage(Code::new("config-value"), cause);
    let Some((key, given)) = text.split_once('=') else {
        let cause = format!("--set {text}: write KEY=VALUE, such as netsuite.account=1234567");
        return Err(wrong(cause));
    };
    let value = if let Some(key) = key.strip_suffix(':') {
        let document: toml::Table = toml::from_str(&format!("value = {given}"))
            .map_err(|error| wrong(format!("--set {key}: {}", error.message())))?;
        let value = document
            .get("value")
            .and_then(|value| serde_json::to_value(value).ok());
        value.unwrap_or(Value::Null)
    } else if let Some(preference) = key.strip_prefix("preferences.") {
        let mut preferences = Preferences::default();
        preferences
            .set(preference, given)
            .map_err(|error| wrong(error.to_string()))?;
        preferences
            .get(preference)
            .map_err(|error| wrong(error.to_string()))?
    } else {
        value(given)
    };
    let parts: Vec<_> = key.trim_end_matches(':').split('.').collect();
    put(values, &parts, value);
    Ok(())
}

/// A value that was typed: nothing stands for nothing.
pub(super) fn value(text: &str) -> Value {
    if text.trim().is_empty() {
        Value::Null
    } else {
        Value::String(text.trim().to_owned())
    }
}

fn fill(values: &mut Values, earlier: Values) {
    for (key, value) in earlier {
        match (values.get_mut(&key), value) {
            (Some(Value::Object(there)), Value::Object(inner)) => fill(there, inner),
            (Some(_), _) => {}
            (None, value) => {
                values.insert(key, value);
            }
        }
    }
}

fn put(values: &mut Values, parts: &[&str], value: Value) {
    match parts {
        [] => {}
        [key] => {
            values.insert((*key).to_owned(), value);
        }
        [first, rest @ ..] => {
            let inner = values.entry((*first).to_owned()).or_insert(Value::Null);
            if !inner.is_object() {
                *inner = Value::Object(Values::new());
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// The environment's variable for a setting or a credential's field: `TIEOUT_NETSUITE_ACCOUNT`.
pub(super) fn variable(system: &System, key: &str) -> String {
    format!("TIEOUT_{}_{key}", system.id)
        .to_ascii_uppercase()
        .replace('-', "_")
}

fn from_environment(given: &mut Given, system: &'static System) {
    for setting in system.settings {
        let tells = |values: &Values| {
            let table = values.get(system.id.as_str());
            table.is_some_and(|table| table.get(setting.name).is_some())
        };
        if tells(&given.values) || tells(&given.templated) {
            continue;
        }
        if let Ok(text) = std::env::var(variable(system, setting.name)) {
            given.put(system, setting.name, value(&text));
        }
    }
}

/// Asks for what a side needs and nobody gave; where nobody can be asked, names it.
fn missing(given: &mut Given, system: &'static System, asking: &Asking) -> Result<(), Failure> {
    for setting in system
        .settings
        .iter()
        .filter(|s| s.required && s.name != "credential")
    {
        if given.has(system, setting.name) {
            continue;
        }
        let answer = asking.ask(&format!(
            "{} {} ({})",
            system.title, setting.label, setting.help
        ))?;
        if answer.is_empty() {
            let cause = format!(
                "{}'s {} is missing; give --set {}.{}=… or {}: {}",
                system.title,
                setting.label,
                system.id,
                setting.name,
                variable(system, setting.name),
                setting.help
            );
            return Err(Failure::usage(Code::new("connect-incomplete"), cause));
        }
        given.put(system, setting.name, Value::String(answer));
    }
    Ok(())
}

/// The first kind of which the environment has any field. One that is not whole is refused where it is
/// sealed, by the field's name.
pub(super) fn credential_from_environment(
    system: &'static System,
) -> Result<Option<(&'static CredentialKind, SecretString)>, Failure> {
    for kind in system.credentials {
        let mut fields = Values::new();
        for field in kind.fields {
            if let Ok(text) = std::env::var(variable(system, field.name)) {
                fields.insert(field.name.to_owned(), Value::String(text));
            }
        }
        if fields.is_empty() {
            continue;
        }
        if let Some(absent) = kind
            .fields
            .iter()
            .find(|field| field.required && !fields.contains_key(field.name))
        {
            let cause = format!("{} is not set", variable(system, absent.name));
            return Err(Failure::usage(Code::new("connect-incomplete"), cause));
        }
        let text = Zeroizing::new(Value::Object(fields).to_string());
        return Ok(Some((kind, text.as_str().to_owned().into())));
    }
    Ok(None)
}
