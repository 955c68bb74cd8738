//! `tieout credentials rotate-key`: another key for what is sealed, while everything goes on.
//!
//! The new key is on the disk before the store takes it, and the old one is never removed: wherever this is
//! killed, one of the two opens the store.

use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tieout_domain::code::Code;
use tieout_store::{KeySource, Vault};

use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `credentials rotate-key` takes.
#[derive(Debug, Args)]
pub struct RotateKeyArgs {
    /// Seal with the key in this file from now on; it is made if it isn't there.
    #[arg(long, value_name = "FILE", conflicts_with = "to_passphrase")]
    to_key_file: Option<PathBuf>,
    /// Seal with a passphrase from now on: asked for, or taken from TIEOUT_NEW_PASSPHRASE.
    #[arg(long)]
    to_passphrase: bool,
}

/// Rotates the key; without a goal, the home's own key file gets another key.
pub async fn run(global: &Global, home: &Home, args: &RotateKeyArgs) -> Result<Exit, Failure> {
    let old = home.vault().await?;
    let told = match (&args.to_key_file, args.to_passphrase) {
        (Some(file), _) => {
            made(file)?;
            rotate(home, &old, &KeySource::File(file.clone())).await?;
            format!(
                "from now on give `--key-file {0}`, or TIEOUT_KEY_FILE; back up {0} apart from the home",
                file.display()
            )
        }
        (None, true) => {
            rotate(home, &old, &KeySource::Passphrase(passphrase()?)).await?;
            "from now on give the new passphrase in TIEOUT_PASSPHRASE".to_owned()
        }
        (None, false) => {
            let next = home.next_key().ok_or_else(elsewhere)?;
            made(&next)?;
            rotate(home, &old, &KeySource::File(next)).await?;
            let before = home.take_next_key()?;
            format!(
                "the old key is kept in {}, for backups made before; back up the new one apart from the home",
                before.display()
            )
        }
    };
    if global.json {
        output::json(&json!({"rotated": true}));
    } else if !global.quiet {
        output::line(&format!("the key was rotated: {told}"));
    }
    Ok(Exit::Done)
}

async fn rotate(home: &Home, old: &Vault, new: &KeySource) -> Result<(), Failure> {
    home.store.rotate_key(old, new, &actor()).await?;
    Ok(())
}

/// A key file that is there stays as it is: a rotation that was cut short goes on with the key it made.
fn made(file: &Path) -> Result<(), Failure> {
    if file.exists() {
        return Ok(());
    }
    Ok(Vault::create_key_file(file)?)
}

fn elsewhere() -> Failure {
    let cause = "the key isn't the home's own file: say `--to-key-file FILE` or `--to-passphrase`";
    Failure::usage(Code::new("usage"), cause)
}

/// A mistyped passphrase would lock everything up: a person gives it twice.
fn passphrase() -> Result<SecretString, Failure> {
    if let Ok(given) = std::env::var("TIEOUT_NEW_PASSPHRASE") {
        return Ok(given.into());
    }
    let asked = |label: &str| {
        rpassword::prompt_password(label)
            .map(SecretString::from)
            .map_err(|error| {
                let cause = format!("can't read from the terminal: {error}");
                Failure::failed(Code::new("file"), cause)
            })
    };
    let (once, twice) = (asked("new passphrase: ")?, asked("again: ")?);
    if once.expose_secret() != twice.expose_secret() {
        let cause = "the two passphrases differ; nothing was changed";
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    Ok(once)
}
