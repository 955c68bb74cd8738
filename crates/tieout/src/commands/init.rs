//! `tieout init`: creates the home. Never overwrites what is there.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tieout_store::{KeySource, Seams, Store, Vault};

use super::preferences::replace;
use crate::cli::Global;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::home::CONFIG;
use crate::output;
use crate::seams::WallClock;
use crate::store_options::{store_options, url_of_environment};

/// What `init` takes.
#[derive(Debug, Args)]
pub struct InitArgs {}

/// Creates what is missing of the home.
pub async fn run(global: &Global, _args: &InitArgs) -> Result<Exit, Failure> {
    let place = global.place();
    let folder = place.folder();
    let made = create(&folder, &place.key_source()).await?;
    let what: Vec<_> = made.iter().map(String::as_str).collect();
    if global.json {
        output::json(&json!({"home": folder.display().to_string(), "made": what}));
    } else if !global.quiet {
        if made.is_empty() {
            output::line(&format!("{} is complete already", folder.display()));
        } else {
            output::line(&format!("made {} in {}", what.join(", "), folder.display()));
        }
        if let KeySource::File(file) = place.key_source() {
            output::line(&format!(
                "back up {} apart from the home: without it the sealed credentials can't be opened",
                file.display()
            ));
        }
    }
    Ok(Exit::Done)
}

/// Creates what is missing, and says what was.
pub async fn create(folder: &Path, key: &KeySource) -> Result<Vec<String>, Failure> {
    let mut made = Vec::new();
    private_folder(folder)?;
    let path = folder.join(CONFIG);
    if !path.exists() {
        // Its `store.url` may hold a password. Replacing a file makes one that only its owner can read.
        replace(&path, &template())?;
        made.push(CONFIG.to_owned());
    }
    let config = Config::read(&path)?;
    if let KeySource::File(file) = key
        && !file.exists()
    {
        Vault::create_key_file(file)?;
        made.push(
            file.file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
        );
    }
    let options = store_options(&config.store, folder)?;
    let file = options.url.strip_prefix("sqlite:");
    let new = file.is_some_and(|path| !Path::new(path).exists());
    let store = Store::open_with(&options, Seams::of(Arc::new(WallClock))).await?;
    store.vault(key).await?;
    if new {
        made.push("the store".to_owned());
    }
    Ok(made)
}

/// Makes a folder that only its owner can look into.
fn private_folder(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| Failure::file("can't make", folder, &error))
}

/// What `init` writes. Where the environment names the store, the file leaves it to it.
fn template() -> String {
    match url_of_environment() {
        Some(_) => TEMPLATE.replacen("\nurl = ", "\n# url = ", 1),
        None => TEMPLATE.to_owned(),
    }
}

/// The configuration that `init` writes: everything is there, commented out.
const TEMPLATE: &str = r#"# tieout. Paths are relative to this file. `tieout preferences show` tells every preference.

[store]
url = "sqlite:tieout.db"                 # or postgres://tieout@db1,db2/tieout?sslmode=verify-full&sslrootcert=ca.pem
# password_file = "store.password"       # of a server; or TIEOUT_STORE_PASSWORD

# [server]
# listen = "127.0.0.1:8700"              # where `tieout serve` listens; a proxy in front of it speaks TLS
# public_url = "https://tieout.example.com" # how others reach it; without it, no webhooks

# A connection: one NetSuite account and subsidiary with one organization of a platform.
#
# [connections.acme-us]
# pair = "netsuite-bill"
# time_zone = "America/Los_Angeles"      # the company's; decides what day it is
# schedule = "every 15 minutes"          # or five cron fields, or "never"
# quiet = "22:00-06:00"                  # when nothing starts by itself
#
# [connections.acme-us.netsuite]
# account = "1234567_SB1"                # Setup > Company > Company Information > Account ID
# subsidiary = "3"                       # required on OneWorld, refused elsewhere
# credential = "acme-netsuite"           # tieout credentials set acme-netsuite --kind netsuite-m2m
#
# [connections.acme-us.bill]
# organization = "00801ABCDEFGHIJKLMNO"
# environment = "sandbox"                # or production; never mixed with the other side's
# credential = "acme-bill"               # tieout credentials set acme-bill --kind bill
#
# [connections.acme-us.preferences.lists]
# create_missing = false                 # create missing accounts and dimensions in BILL
#
# [connections.acme-us.preferences.transactions]
# bills_from = "2026-01-01"              # no default: every open bill
# payment_account = "1090"               # the clearing account that payments are posted from
"#;
