//! `tieout credentials`: sealed once, shared by name, never shown again.

pub(crate) mod certificate;
mod check;
pub(crate) mod set;

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Clock as _, Timestamp};
use tieout_kit::system::{CredentialField, CredentialKind, EXPIRES};
use tieout_store::CredentialRow;
use zeroize::{Zeroize as _, Zeroizing};

use crate::assemble::actor;
use crate::cli::Global;
use crate::expiry::Expiry;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::seams::WallClock;

/// What `credentials` takes.
#[derive(Debug, Args)]
pub struct CredentialsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Seals a credential: JSON from standard input or a file, or field by field from a prompt.
    Set {
        /// The name by which connections refer to it.
        name: String,
        /// Its kind, such as netsuite-m2m or bill.
        #[arg(long)]
        kind: String,
        /// Read the JSON from this file instead of standard input.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Seal it without signing in for the connections that use it.
        #[arg(long)]
        no_check: bool,
        /// Run the connections that use it afterwards. So it is anyway where its new value was proven; this makes
        /// the command end as the runs do.
        #[arg(long)]
        sync: bool,
        /// Run nothing afterwards.
        #[arg(long, conflicts_with = "sync")]
        no_sync: bool,
    },
    /// Lists names, kinds, versions, who uses them, and when they expire.
    List,
    /// Signs in with credentials, for every connection that uses them. A fifth refused sign-in is never risked.
    Check {
        /// Which; all if none is named.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Guided renewal of a credential, for all of its connections at once.
    Rotate(RotateArgs),
    /// Makes a key pair and a certificate for signing in; then takes the id that the upload gave it.
    Certificate(certificate::CertificateArgs),
    /// Seals everything with another key while everything goes on; the old one opens nothing more.
    RotateKey(super::rotate_key::RotateKeyArgs),
    /// Forgets a credential that no connection uses.
    Remove {
        /// Its name.
        name: String,
    },
}

/// What `credentials rotate` takes.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// The credential's name.
    pub name: String,
    #[command(flatten)]
    pub(super) renewal: super::reconnect::RenewalArgs,
}

/// Carries out the action.
pub async fn run(global: &Global, args: &CredentialsArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        Action::Set {
            name,
            kind,
            file,
            no_check,
            sync,
            no_sync,
        } => {
            let kind = known_kind(kind)?;
            let fields = read(kind, file.as_ref())?;
            let set = set::replace(&home, name, kind, fields, !no_check, &actor()).await?;
            let runs = if *no_sync {
                None
            } else {
                set.run(global, &home).await?
            };
            set.tell(global, runs.as_ref());
            Ok(runs.map_or(Exit::Done, |runs| match runs.exit() {
                // What waits for a person waited before: the credential is set.
                Exit::Exceptions if !sync => Exit::Done,
                exit => exit,
            }))
        }
        Action::List => list(global, &home).await,
        Action::Check { names } => check::run(global, &home, names).await,
        Action::Rotate(args) => {
            super::reconnect::rotate(global, &home, &args.name, &args.renewal).await
        }
        Action::Certificate(args) => certificate::run(global, &home, args).await,
        Action::RotateKey(args) => super::rotate_key::run(global, &home, args).await,
        Action::Remove { name } => remove(&home, name).await,
    }
}

/// Checks the fields of a credential and seals it.
pub async fn seal(
    home: &Home,
    name: &str,
    kind: &CredentialKind,
    fields: SecretString,
    actor: &str,
) -> Result<u64, Failure> {
    checked(kind, fields.expose_secret())?;
    let vault = home.vault().await?;
    Ok(home
        .store
        .credentials()
        .set(&vault, name, kind.name, fields, actor)
        .await?)
}

/// The kind of this name, of any system.
pub fn known_kind(name: &str) -> Result<&'static CredentialKind, Failure> {
    let all = || {
        let systems = tieout_systems::ALL.iter();
        systems
            .flat_map(|entry| entry.system.credentials)
            .chain(crate::kinds::OWN)
    };
    all().find(|kind| kind.name == name).ok_or_else(|| {
        let known: Vec<_> = all().map(|kind| kind.name).collect();
        let cause = format!(
            "`{name}` is no kind of credential; there are {}",
            known.join(", ")
        );
        Failure::usage(Code::new("credential-kind"), cause)
    })
}

/// Parsed secrets, wiped when they are no longer needed.
struct Wiped(Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every field must be there, be text and not be empty; unknown ones are refused. Values are never named.
///
/// # Errors
/// `credential-malformed`, with the line or the field.
pub fn checked(kind: &CredentialKind, json: &str) -> Result<(), Failure> {
    let malformed = |cause: String| Failure::usage(Code::new("credential-malformed"), cause);
    let names: Vec<_> = kind.fields.iter().map(|field| field.name).collect();
    let shape = || format!("a JSON object with `{}`", names.join("`, `"));
    let value: Value = serde_json::from_str(json).map_err(|error| {
        malformed(format!(
            "line {}, column {}: this is not {}",
            error.line(),
            error.column(),
            shape()
        ))
    })?;
    let value = Wiped(value);
    let Value::Object(fields) = &value.0 else {
        return Err(malformed(format!("this is not {}", shape())));
    };
    for CredentialField { name, required, .. } in kind.fields {
        match fields.get(*name) {
            Some(Value::String(text)) if *name == EXPIRES.name => {
                known_day(text).map_err(malformed)?
            }
            Some(Value::String(text)) if !text.trim().is_empty() => {}
            None if !required => {}
            Some(Value::String(_)) => return Err(malformed(format!("`{name}` is empty"))),
            Some(_) => return Err(malformed(format!("`{name}` must be text"))),
            None => return Err(malformed(format!("`{name}` is missing"))),
        }
    }
    match fields.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(malformed(format!("`{key}` is no field of {}", kind.name))),
        None => Ok(()),
    }
}

/// A day that a credential may end with; nothing stands for no day.
fn known_day(text: &str) -> Result<(), String> {
    let text = text.trim();
    if text.is_empty() || text.parse::<Date>().is_ok() {
        return Ok(());
    }
    Err("`expires` is no day; write one such as 2027-06-30".to_owned())
}

fn read(kind: &CredentialKind, file: Option<&PathBuf>) -> Result<SecretString, Failure> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| Failure::file("can't read", path, &error))?;
        return Ok(text.as_str().into());
    }
    if std::io::stdin().is_terminal() {
        return prompt(kind);
    }
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| {
            Failure::failed(
                Code::new("file"),
                format!("can't read standard input: {error}"),
            )
        })?;
    Ok(text.as_str().into())
}

fn unread(error: std::io::Error) -> Failure {
    Failure::failed(
        Code::new("file"),
        format!("can't read from the terminal: {error}"),
    )
}

fn asked(label: &str) -> Result<String, Failure> {
    eprint!("{label}");
    let mut text = String::new();
    std::io::stdin().read_line(&mut text).map_err(unread)?;
    Ok(text)
}

/// Asks for the fields one by one; secret ones are not echoed.
pub fn prompt(kind: &CredentialKind) -> Result<SecretString, Failure> {
    let mut fields = Map::new();
    for field in kind.fields {
        let label = format!("{}: ", field.label);
        let text = Zeroizing::new(if field.name.ends_with("_pem") {
            // Several lines: a terminal takes one, so its file is asked for.
            let path = PathBuf::from(asked(&format!("{} in which file: ", field.label))?.trim());
            std::fs::read_to_string(&path)
                .map_err(|error| Failure::file("can't read", &path, &error))?
        } else if field.secret {
            rpassword::prompt_password(label).map_err(unread)?
        } else {
            asked(&label)?
        });
        if !field.required && text.trim().is_empty() {
            continue;
        }
        fields.insert(field.name.to_owned(), Value::String(text.trim().to_owned()));
    }
    let mut fields = Value::Object(fields);
    let text = Zeroizing::new(fields.to_string());
    wipe(&mut fields);
    Ok(text.as_str().into())
}

/// What uses a credential: connections, and what the configuration of the server names it for.
fn used_by(home: &Home, name: &str) -> Vec<String> {
    let uses = crate::trial::uses(home, name);
    let mut used: Vec<String> = uses
        .iter()
        .map(|user| user.connection.to_string())
        .collect();
    used.dedup();
    used.extend(home.config.uses_itself(name));
    used
}

/// A credential, as it is listed.
pub(crate) struct Listed {
    /// What is kept of it in the clear.
    pub(crate) row: CredentialRow,
    /// Its end, where it tells one.
    pub(crate) expiry: Option<Expiry>,
    /// When it was last used, to the hour.
    pub(crate) used: Option<Timestamp>,
}

/// All credentials by name.
pub(crate) async fn listed(home: &Home) -> Result<Vec<Listed>, Failure> {
    let vault = home.vault().await?;
    let credentials = home.store.credentials();
    let today = today();
    let mut moments = home.store.moments().await?;
    let mut rows = Vec::new();
    for row in credentials.list().await? {
        let (_, fields) = credentials.get(&vault, &row.name).await?;
        let expiry = Expiry::of(fields.expose_secret(), today);
        let used = moments.credentials.remove(&row.name);
        rows.push(Listed { row, expiry, used });
    }
    Ok(rows)
}

async fn list(global: &Global, home: &Home) -> Result<Exit, Failure> {
    let rows = listed(home).await?;
    if global.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|Listed { row, expiry, used }| {
                json!({
                    "name": row.name, "kind": row.kind, "version": row.version,
                    "set_at": row.set_at, "set_by": row.set_by,
                    "used_by": used_by(home, &row.name), "last_used": used,
                    "expires": expiry.map(|expiry| expiry.expires),
                    "days_left": expiry.map(|expiry| expiry.days_left),
                    "warning": expiry.and_then(|expiry| expiry.warning()),
                })
            })
            .collect();
        output::json(&json!({ "credentials": rows }));
        return Ok(Exit::Done);
    }
    let rows = rows
        .into_iter()
        .map(|Listed { row, expiry, used }| {
            let users = used_by(home, &row.name).join(", ");
            let end = expiry.map(|expiry| expiry.warning().unwrap_or(expiry.expires.to_string()));
            vec![
                row.name,
                row.kind,
                row.version.to_string(),
                format!("{:.0}", row.set_at),
                users,
                used.map(|at| format!("{at:.0}")).unwrap_or_default(),
                end.unwrap_or_default(),
            ]
        })
        .collect();
    output::line(&output::table(
        &[
            "name",
            "kind",
            "version",
            "set at",
            "used by",
            "last used",
            "expires",
        ],
        rows,
        &[2],
    ));
    Ok(Exit::Done)
}

/// Today, where certificates are judged: in UTC.
fn today() -> Date {
    WallClock.now().to_zoned(TimeZone::UTC).date()
}

async fn remove(home: &Home, name: &str) -> Result<Exit, Failure> {
    let users = used_by(home, name);
    if !users.is_empty() {
        let cause = format!("`{name}` is used by {}", users.join(", "));
        return Err(Failure::usage(Code::new("credential-in-use"), cause));
    }
    home.store.credentials().remove(name, &actor()).await?;
    Ok(Exit::Done)
}
