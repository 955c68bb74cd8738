//! What a stopped connect was given: the connection's table so far, in the home. Credentials are in it by
//! name only; they are sealed as soon as they are entered.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;

use super::super::Values;
use crate::commands::preferences::replace;
use crate::failure::Failure;

/// What stands before the name in a file's.
const PREFIX: &str = "connecting-";
const SUFFIX: &str = ".json";

fn path(home: &Path, name: &ConnectionName) -> PathBuf {
    home.join(format!("{PREFIX}{name}{SUFFIX}"))
}

/// What was given so far, if a connect of this name was stopped.
pub(in super::super) fn read(
    home: &Path,
    name: &ConnectionName,
) -> Result<Option<Values>, Failure> {
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

/// The names of all connects that were stopped, in order.
pub(in super::super) fn all(home: &Path) -> Result<Vec<ConnectionName>, Failure> {
    let wrong = |error: &std::io::Error| Failure::file("can't read", home, error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(home).map_err(|error| wrong(&error))? {
        let file = entry.map_err(|error| wrong(&error))?.file_name();
        let name = file.to_str().and_then(|file| file.strip_prefix(PREFIX));
        let name = name.and_then(|file| file.strip_suffix(SUFFIX));
        names.extend(name.and_then(|name| name.parse().ok()));
    }
    names.sort();
    Ok(names)
}

/// Keeps what is given so far.
pub(in super::super) fn write(
    home: &Path,
    name: &ConnectionName,
    values: &Values,
) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(values).unwrap_or_default();
    replace(&path(home, name), &text)
}

/// Forgets it: the connection is stored.
pub(in super::super) fn forget(home: &Path, name: &ConnectionName) {
    let _ = std::fs::remove_file(path(home, name));
}
