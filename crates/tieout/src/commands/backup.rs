//! `tieout backup FOLDER`: a copy of the home while it is in use.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::json;
use tieout_domain::{Clock as _, Timestamp};
use tieout_store::{ChainHead, StoreError};

use crate::beside::{Beside, write};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::{CONFIG, Home};
use crate::output;
use crate::seams::WallClock;

/// What `backup` takes.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Where to: a folder that isn't there yet; in one that is there, a new one named by the moment.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// The copy of the store in a backup.
pub const STORE: &str = "tieout.db";

/// What a backup holds.
pub const MANIFEST: &str = "manifest.json";

/// What a backup says about itself.
#[derive(Debug, Serialize)]
struct Manifest {
    /// Which tieout made it.
    tieout: &'static str,
    /// When.
    made: Timestamp,
    /// The size of the store in bytes.
    bytes: u64,
    /// How far each history goes.
    chains: Vec<ChainHead>,
}

/// Makes a backup.
pub async fn run(global: &Global, args: &BackupArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let made = WallClock.now();
    let goal = goal(&args.folder, made);
    if goal.exists() {
        return Err(StoreError::BackupExists { path: goal }.into());
    }
    let beside = Beside::of(&goal)?;
    let copy = home.store.backup(&beside.path().join(STORE)).await?;
    let config = home.folder.join(CONFIG);
    let text =
        std::fs::read(&config).map_err(|error| Failure::file("can't read", &config, &error))?;
    write(&beside.path().join(CONFIG), &text)?;
    let manifest = Manifest {
        tieout: env!("CARGO_PKG_VERSION"),
        made,
        bytes: copy.bytes,
        chains: copy.chains,
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    write(&beside.path().join(MANIFEST), text.as_bytes())?;
    beside.finish()?;
    home.store.backed_up().await?;
    report(global, &goal, &manifest);
    Ok(Exit::Done)
}

fn goal(folder: &Path, made: Timestamp) -> PathBuf {
    if folder.is_dir() {
        let moment = format!("{made:.0}").replace(':', "");
        folder.join(format!("tieout-{moment}"))
    } else {
        folder.to_owned()
    }
}

fn report(global: &Global, goal: &Path, manifest: &Manifest) {
    if global.json {
        output::json(&json!({"folder": goal, "manifest": manifest}));
        return;
    }
    output::line(&format!(
        "copied to {}: {} bytes, checked",
        goal.display(),
        manifest.bytes
    ));
    for chain in &manifest.chains {
        output::line(&format!(
            "  {}: {} entries, {}",
            chain.chain, chain.entries, chain.hash
        ));
    }
    output::line(
        "the key that opens the sealed credentials is not in it: keep a copy of the key apart from this one",
    );
}
