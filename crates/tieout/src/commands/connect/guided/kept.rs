//! What a stopped connect was given: the connection's table so far, in the home. Credentials are in it by
//! name only; they are sealed as soon as they are entered.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;

use super::super::Values;
use crate::commands::preferences::replace;
use crate::failure::Failure;

fn path(home: &Path, name: &ConnectionName) -> PathBuf {
    home.join(format!("connecting-{name}.json"))
}

/// What was given so far, if a connect of this name was stopped.
pub(super) fn read(home: &Path, name: &ConnectionName) -> Result<Option<Values>, Failure> {
    let path = path(home, name);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| Failure::file("can't read", &path, &error))?,
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(values)) => Ok(Some(values)),
        _ => {
            let cause = format!("{} is not what `connect` keeps: remove it", path.display());
            Err(Failure::usage(Code::new("config-syntax"), cause))
        }
    }
}

/// Keeps what is given so far.
pub(super) fn write(home: &Path, name: &ConnectionName, values: &Values) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(values).unwrap_or_default();
    replace(&path(home, name), &text)
}

/// Forgets it: the connection is stored.
pub(super) fn forget(home: &Path, name: &ConnectionName) {
    let _ = std::fs::remove_file(path(home, name));
}
