//! `tieout preferences`: shows where each comes from; changes are made in `tieout.toml` and kept in the
//! history.

pub(crate) mod first_sync;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tieout_desk::preferences::{Standing, at, differences, facts, plain, unfit, versions};
use tieout_domain::code::Code;
use tieout_domain::other_sync::{Meaning, OtherSync};
use tieout_flows::Preferences;
use tieout_flows::preferences::{Entry, catalogue};
use toml_edit::{DocumentMut, Item, Table};

use crate::assemble::actor;
use crate::cli::Global;
use crate::config::{Config, ConnectionConfig, held};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `preferences` takes.
#[derive(Debug, Args)]
pub struct PreferencesArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Every preference, its value, and where that comes from.
    Show {
        /// Which connections; all if none is named.
        #[arg(value_name = "CONN")]
        connections: Vec<String>,
    },
    /// Changes one, in tieout.toml.
    Set {
        /// Which connection.
        #[arg(value_name = "CONN")]
        connection: String,
        /// Which, such as transactions.payment_account.
        key: String,
        /// Its new value.
        value: String,
        /// Say yes to the first sync, where switching receivables.reconcile on begins it.
        #[arg(long)]
        yes: bool,
    },
    /// Writes a connection's preferences as TOML.
    Export {
        /// Which connection.
        #[arg(value_name = "CONN")]
        connection: String,
        /// Where to; standard output if not given.
        file: Option<PathBuf>,
    },
    /// Takes preferences over from an exported file.
    Import {
        /// Which connection.
        #[arg(value_name = "CONN")]
        connection: String,
        /// The file.
        #[arg(required_unless_present = "from_netsuite")]
        file: Option<PathBuf>,
        /// Read NetSuite's own record "Bill.com Preferences" instead: shows what it says, and changes nothing
        /// without --yes.
        #[arg(long, conflicts_with = "file")]
        from_netsuite: bool,
        /// Take over what is shown.
        #[arg(long, requires = "from_netsuite")]
        yes: bool,
    },
    /// What was changed when, and by whom.
    History {
        /// Which connection.
        #[arg(value_name = "CONN")]
        connection: String,
    },
    /// What differs from another connection, an exported file or an earlier version.
    #[command(disable_version_flag = true)]
    Diff {
        /// Which connection.
        #[arg(value_name = "CONN")]
        connection: String,
        /// The other connection, or a file.
        #[arg(required_unless_present = "version")]
        other: Option<String>,
        /// An earlier version of the same connection's; 0 is before the first change.
        #[arg(long, value_name = "N", conflicts_with = "other")]
        version: Option<usize>,
    },
}

/// Carries out the action.
pub async fn run(global: &Global, args: &PreferencesArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        Action::Show { connections } => show(global, &home.config, connections),
        Action::Set {
            connection,
            key,
            value,
            yes,
        } => {
            let mut changed = of(&home.config, connection)?;
            let before = changed.clone();
            changed.set(key, value).map_err(|error| unfit(&error))?;
            first_sync::ask(global, &home, connection, (&before, &mut changed), *yes).await?;
            change(&home, connection, &before, &changed, &actor()).await?;
            Ok(Exit::Done)
        }
        Action::Export { connection, file } => export(&home.config, connection, file.as_deref()),
        Action::Import {
            connection,
            file: Some(file),
            ..
        } => {
            let before = of(&home.config, connection)?;
            change(&home, connection, &before, &read(file)?, &actor()).await?;
            Ok(Exit::Done)
        }
        Action::Import {
            connection, yes, ..
        } => take_over(global, &home, connection, *yes).await,
        Action::History { connection } => history(global, &home, connection).await,
        Action::Diff {
            connection,
            other,
            version,
        } => {
            let (there, name) = match (other, version) {
                (Some(other), _) => (other_of(&home.config, other)?, other.clone()),
                (None, version) => {
                    let version = version.unwrap_or_default();
                    let versions = versions(&home.store, connection).await?;
                    let now = of(&home.config, connection)?;
                    let there = at(&now, &versions, connection, version)?;
                    (there, format!("version {version}"))
                }
            };
            diff(global, &home.config, connection, &there, &name)
        }
    }
}

/// The preferences of one connection.
pub(super) fn of(config: &Config, connection: &str) -> Result<Preferences, Failure> {
    let names = [connection.to_owned()];
    let chosen = config.chosen(&names)?;
    Ok(chosen
        .first()
        .map(|(_, config)| config.preferences.clone())
        .unwrap_or_default())
}

/// A connection's preferences, each with where it comes from.
pub(crate) fn standing(connection: &ConnectionConfig) -> Vec<Standing> {
    let named = |keys: &[String], key: &str| keys.iter().any(|other| other == key);
    let one = |entry: Entry| {
        let template = connection.template.as_ref();
        let from = match template.filter(|(_, keys)| named(keys, entry.key)) {
            Some((name, _)) => format!("template {name}"),
            None if named(&connection.named_preferences, entry.key) => "tieout.toml".to_owned(),
            None => "default".to_owned(),
        };
        let value = connection.preferences.get(entry.key);
        Standing {
            value: value.unwrap_or(Value::Null),
            from,
            entry,
        }
    };
    catalogue().into_iter().map(one).collect()
}

fn show(global: &Global, config: &Config, names: &[String]) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    for (name, connection) in config.chosen(names)? {
        let mut rows = Vec::new();
        let mut values = Vec::new();
        let mut heading = "";
        for Standing { entry, value, from } in standing(connection) {
            if heading != entry.heading {
                heading = entry.heading;
                rows.push(vec![heading.to_owned()]);
            }
            let about = entry.about.to_owned();
            rows.push(vec![
                format!("  {}", entry.key),
                plain(&value),
                from.clone(),
                about,
            ]);
            values.push(json!({
                "key": entry.key, "heading": entry.heading, "value": value, "default": entry.default,
                "from": from, "allowed": entry.allowed(), "about": entry.about,
            }));
        }
        if !global.json {
            output::line(name.as_str());
            output::line(&output::table(
                &["preference", "value", "from", "what it does"],
                rows,
                &[],
            ));
        }
        all.push(json!({"connection": name, "preferences": values}));
    }
    if global.json {
        output::json(&json!({ "connections": all }));
    }
    Ok(Exit::Done)
}

/// Lists the versions: when, who, what.
async fn history(global: &Global, home: &Home, connection: &str) -> Result<Exit, Failure> {
    of(&home.config, connection)?;
    let versions = versions(&home.store, connection).await?;
    if global.json {
        let versions: Vec<_> = (1..)
            .zip(&versions)
            .map(|(number, version)| {
                let changes: Vec<_> = version
                    .changes
                    .iter()
                    .map(|(key, before, after)| json!({"key": key, "before": before, "after": after}))
                    .collect();
                json!({"version": number, "at": version.at, "who": version.actor, "changes": changes})
            })
            .collect();
        output::json(&json!({"connection": connection, "versions": versions}));
        return Ok(Exit::Done);
    }
    let mut rows = Vec::new();
    for (number, version) in (1..).zip(versions) {
        for (key, before, after) in version.changes {
            rows.push(vec![
                number.to_string(),
                format!("{:.0}", version.at),
                version.actor.clone(),
                key,
                before,
                after,
            ]);
        }
    }
    let header = ["version", "when", "who", "preference", "before", "after"];
    output::line(&output::table(&header, rows, &[0]));
    Ok(Exit::Done)
}

/// Writes what differs into `tieout.toml`, keeping everything else as it stands, and into the history. What others have
/// changed since `before` was read stays, and the history says what was there when it was changed.
pub(crate) async fn change(
    home: &Home,
    connection: &str,
    before: &Preferences,
    after: &Preferences,
    actor: &str,
) -> Result<(), Failure> {
    let wanted = differences(before, after);
    let path = &home.config.path;
    let _held = held(path).await?;
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::file("can't read", path, &error))?;
    let now = of(&Config::parse(&text, path)?, connection);
    let now = now.as_ref().unwrap_or(before);
    let changes: Vec<_> = wanted
        .into_iter()
        .filter_map(|(key, _, value)| {
            let now = now.get(key).ok()?;
            (now != value).then_some((key, now, value))
        })
        .collect();
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Failure::usage(
            Code::new("config-syntax"),
            format!("{}: {error}", path.display()),
        )
    })?;
    for (key, _, value) in &changes {
        place(&mut document, connection, key, value);
    }
    let text = document.to_string();
    // What would be refused at the next command is refused now.
    Config::parse(&text, path)?;
    replace(path, &text)?;
    home.store
        .installation()
        .commit(actor, facts(connection, changes))
        .await?;
    Ok(())
}

/// Sets a connection's preferences to what they were when this was exported.
pub(super) async fn put_back(
    home: &Home,
    connection: &str,
    text: &str,
    actor: &str,
) -> Result<(), Failure> {
    let wanted: Preferences = toml::from_str(text)
        .map_err(|error| Failure::usage(Code::new("config-value"), error.to_string()))?;
    let now = of(&Config::read(&home.config.path)?, connection)?;
    change(home, connection, &now, &wanted, actor).await
}

/// Sets a preference in the document. Nothing (null) means the default: the key is taken out.
fn place(document: &mut DocumentMut, connection: &str, key: &str, value: &Value) {
    let Some((heading, key)) = key.split_once('.') else {
        return;
    };
    let mut table: &mut Item = document.as_item_mut();
    for part in ["connections", connection, "preferences", heading] {
        if table.get(part).is_none() {
            let mut new = Table::new();
            new.set_implicit(part == "preferences");
            table[part] = Item::Table(new);
        }
        table = &mut table[part];
    }
    match edited(value) {
        Some(value) => table[key] = Item::Value(value),
        None => {
            if let Some(table) = table.as_table_like_mut() {
                table.remove(key);
            }
        }
    }
}

/// Another sync's preferences, as the ledger keeps them: every field, and what it amounts to here.
pub(super) fn shown_other(other: &OtherSync) -> String {
    let mut text = format!("{}, record {}", other.title, other.id);
    if let Some(subsidiary) = &other.subsidiary {
        text.push_str(&format!(", subsidiary {subsidiary}"));
    }
    for field in &other.fields {
        let meaning = match &field.meaning {
            Meaning::Preference(key, value) => format!("{key} = {value}"),
            Meaning::Settled(why) => why.clone(),
            Meaning::Unknown => "not known: look at it yourself".to_owned(),
        };
        text.push_str(&format!("\n  {} = {}: {meaning}", field.name, field.value));
    }
    text
}

/// Preferences with those of another sync in them, and what of it was unfit and left out.
pub(super) fn taken_over(before: &Preferences, other: &OtherSync) -> (Preferences, Vec<String>) {
    let mut taken = before.clone();
    let mut unfit = Vec::new();
    for field in &other.fields {
        if let Meaning::Preference(key, value) = &field.meaning
            && !value.is_empty()
            && let Err(error) = taken.set(key, value)
        {
            unfit.push(format!("{}: {error}", field.name));
        }
    }
    (taken, unfit)
}

/// Records in the history how a connection's preferences stand in this configuration, if they differ from what
/// they were.
pub(super) async fn version(
    home: &Home,
    config: &Config,
    connection: &str,
    before: &Preferences,
    actor: &str,
) -> Result<(), Failure> {
    let facts = facts(connection, differences(before, &of(config, connection)?));
    if !facts.is_empty() {
        home.store.installation().commit(actor, facts).await?;
    }
    Ok(())
}

fn edited(value: &Value) -> Option<toml_edit::Value> {
    match value {
        Value::String(text) => Some(text.as_str().into()),
        Value::Bool(switch) => Some((*switch).into()),
        Value::Number(number) => number.as_i64().map(Into::into),
        Value::Array(items) => Some(
            items
                .iter()
                .filter_map(edited)
                .collect::<toml_edit::Array>()
                .into(),
        ),
        Value::Null | Value::Object(_) => None,
    }
}

/// Replaces a file whole: a killed process leaves the old one or the new one.
pub fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let wrong = |error: &std::io::Error| Failure::file("can't write", path, error);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .map_err(|error| wrong(&error))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| wrong(&error))?;
    file.as_file().sync_all().map_err(|error| wrong(&error))?;
    file.persist(path).map_err(|error| wrong(&error.error))?;
    Ok(())
}

fn export(config: &Config, connection: &str, file: Option<&Path>) -> Result<Exit, Failure> {
    let text = documented(&of(config, connection)?)?;
    match file {
        None => output::line(text.trim_end()),
        Some(path) => {
            std::fs::write(path, text)
                .map_err(|error| Failure::file("can't write", path, &error))?;
        }
    }
    Ok(Exit::Done)
}

/// The preferences as TOML, each with what it does and may be above it; one without a value as a comment.
fn documented(preferences: &Preferences) -> Result<String, Failure> {
    let failed = |cause: String| Failure::failed(Code::new("file"), cause);
    let mut text = String::new();
    let mut heading = "";
    for entry in catalogue() {
        let Some((table, key)) = entry.key.split_once('.') else {
            continue;
        };
        if heading != table {
            heading = table;
            let blank = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{blank}[{table}]\n"));
        }
        let value = preferences.get(entry.key);
        let value = value.map_err(|error| failed(error.to_string()))?;
        text.push_str(&format!("# {}: {}\n", entry.about, entry.allowed()));
        text.push_str(&match edited(&value) {
            Some(value) => format!("{key} = {value}\n"),
            None => format!("# {key} =\n"),
        });
    }
    Ok(text)
}

fn read(path: &Path) -> Result<Preferences, Failure> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::file("can't read", path, &error))?;
    toml::from_str(&text).map_err(|error| {
        Failure::usage(
            Code::new("config-value"),
            format!("{}: {error}", path.display()),
        )
    })
}

/// The preferences of another connection, or of a file.
fn other_of(config: &Config, other: &str) -> Result<Preferences, Failure> {
    let known = config.connections.keys().any(|name| name.as_str() == other);
    if known {
        of(config, other)
    } else {
        read(Path::new(other))
    }
}

/// Reads the other sync's own preferences, shows them, and takes them over if told to.
async fn take_over(
    global: &Global,
    home: &Home,
    connection: &str,
    yes: bool,
) -> Result<Exit, Failure> {
    let names = [connection.to_owned()];
    let before = of(&home.config, connection)?;
    let mut after = before.clone();
    let mut found = Vec::new();
    let mut unfit = Vec::new();
    for side in super::sync::connections(global, home, &names).await? {
        let others = side.sides.ledger.whole.other_syncs().await;
        found.extend(others.map_err(|fault| Failure {
            code: fault.code(),
            cause: fault.to_string(),
            exit: Exit::Side,
        })?);
    }
    for other in &found {
        let (taken, left_out) = taken_over(&after, other);
        after = taken;
        unfit.extend(left_out);
    }
    let changes = differences(&before, &after);
    if global.json {
        let changes: Vec<_> = changes
            .iter()
            .map(|(key, before, after)| json!({"key": key, "before": before, "after": after}))
            .collect();
        output::json(
            &json!({"records": found, "changes": changes, "unfit": unfit, "applied": yes}),
        );
    } else {
        for other in &found {
            output::line(&shown_other(other));
        }
        if found.is_empty() {
            output::line("NetSuite shows no record of BILL's own preferences for this connection");
        }
        for cause in &unfit {
            output::line(&format!("not taken over: {cause}"));
        }
        for (key, before, after) in &changes {
            output::line(&format!(
                "{key}: {} becomes {}",
                plain(before),
                plain(after)
            ));
        }
        if !yes && !changes.is_empty() {
            output::line("nothing was changed: --yes takes it over");
        }
    }
    if yes {
        change(home, connection, &before, &after, &actor()).await?;
    }
    Ok(Exit::Done)
}

fn diff(
    global: &Global,
    config: &Config,
    connection: &str,
    there: &Preferences,
    other: &str,
) -> Result<Exit, Failure> {
    let changes = differences(&of(config, connection)?, there);
    if global.json {
        let changes: Vec<_> = changes
            .iter()
            .map(|(key, here, there)| json!({"key": key, "here": here, "there": there}))
            .collect();
        output::json(&json!({ "differences": changes }));
    } else {
        let rows = changes
            .iter()
            .map(|(key, here, there)| vec![(*key).to_owned(), plain(here), plain(there)])
            .collect();
        output::line(&output::table(
            &["preference", connection, other],
            rows,
            &[],
        ));
    }
    Ok(Exit::Done)
}
