//! A store that is older than what was done: put back from a backup, then lost altogether. Each time a sync must
//! notice it and write nothing, and after the recovery both sides must be as they were: nothing made twice.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use http::Method;
use serde_json::{Value, json};

use crate::crash::{Books, People, compare, compare_states};
use crate::home::{CONNECTION, Home};
use crate::panel::{Caller, Platform, marker};
use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// A refusal for safety.
const REFUSED: i32 = 5;

/// Of a thousand links, one may be a person's to find.
const LOST_PER_MILLE_MAX: u64 = 1;

/// How much to lose.
#[derive(Debug, Args)]
pub(crate) struct RecoverArguments {
    /// At least so many bills are made in the time that the store forgets.
    #[arg(long, default_value_t = 1000)]
    bills: u32,
    /// Use the development build.
    #[arg(long)]
    debug: bool,
}

/// Builds, and walks; true if nothing was made twice and nothing lost.
pub(crate) fn run(workspace: &Workspace, arguments: &RecoverArguments) -> Result<bool> {
    let program = workspace.tieout(!arguments.debug)?;
    let caller = Caller::new()?;
    // Not every bill of a world goes to BILL.
    let size = (arguments.bills.saturating_mul(3)).to_string();
    let vendors = (arguments.bills / 5).max(20).to_string();
    let world = ["--seed", "1", "--bills", &size, "--vendors", &vendors].map(str::to_owned);
    let sandbox = Sandbox::start(&program, &world)?;
    let home = Home::connected(&program, &sandbox)?;
    let night = home.path().join("last-night");
    home.must(&["backup", &night.display().to_string()], None)?;
    live(&home, &sandbox, &caller)?;
    let lived = home.sync()?;
    let platform = Platform::sign_in(&caller, &sandbox.described["bill"])?;
    let is_marked = |bill: &&Value| bill["description"].as_str().and_then(marker).is_some();
    let made = platform.list("bills")?.iter().filter(is_marked).count();
    println!("{made} bills were made after the backup");
    if made < arguments.bills as usize {
        bail!(
            "that is less than {}: the world has too few",
            arguments.bills
        );
    }
    let sides = Sides {
        sandbox: &sandbox,
        caller: &caller,
        state: sandbox.state(&caller)?,
        books: Books::read(&sandbox, &caller)?,
    };

    println!("the store is put back from the backup");
    forget(&home, false)?;
    std::fs::copy(night.join("tieout.db"), home.path().join("tieout.db"))?;
    let mut same = sides.refused(&home)?;
    same &= sides.recovered(&home)?;
    let restored = sides.ended(&home)?;
    same &= alike(&lived, &restored);

    println!("the store is lost");
    forget(&home, true)?;
    home.must(&["init"], None)?;
    home.seal(&sandbox)?;
    same &= sides.refused(&home)?;
    same &= sides.recovered(&home)?;
    let suggest = ["map", "suggest", CONNECTION, "--confirm-exact"];
    home.must(&suggest, None)?;
    let rebuilt = sides.ended(&home)?;
    same &= alike(&lived, &rebuilt);
    home.must(&["audit", "verify"], None)?;
    println!(
        "{}",
        if same {
            "0 duplicates, nothing lost"
        } else {
            "DIFFERENT"
        }
    );
    Ok(same)
}

/// A company's life: bills go out, are paid on both sides, some of it is undone, and all is paid again.
fn live(home: &Home, sandbox: &Sandbox, caller: &Caller) -> Result<()> {
    let people = People { sandbox, caller };
    let minute = json!({"advance": "1 minute"});
    for act in 0..4 {
        match act {
            1 => people.pay()?,
            2 => people.undo()?,
            3 => people.pay_again()?,
            _ => {}
        }
        home.sync()?;
        // Voids are decided after a while.
        sandbox.panel(caller, Method::POST, "clock", Some(&minute))?;
    }
    home.sync()?;
    Ok(())
}

/// Both sides, as they must stay.
struct Sides<'a> {
    sandbox: &'a Sandbox,
    caller: &'a Caller,
    state: Value,
    books: Books,
}

impl Sides<'_> {
    /// A sync notices by itself, and refuses.
    fn refused(&self, home: &Home) -> Result<bool> {
        let sync = home.run(&["sync", CONNECTION, "--json"], None)?;
        let told: Value = serde_json::from_str(&sync.stdout).context("sync --json")?;
        let reason = &told["runs"][0]["stopped"]["reason"];
        println!("  sync ended with {}: {reason}", sync.status);
        Ok(sync.status == REFUSED && self.stayed("the refused sync")?)
    }

    /// A recovery tells what it linked, and writes nothing.
    fn recovered(&self, home: &Home) -> Result<bool> {
        let start = Instant::now();
        let recover = home.must(&["recover", CONNECTION, "--json"], None)?;
        let told: Value = serde_json::from_str(&recover.stdout).context("recover --json")?;
        println!("  recovered in {:.1} s", start.elapsed().as_secs_f64());
        for linked in told["recovery"]["linked"].as_array().into_iter().flatten() {
            println!(
                "    {} {} by {} ({})",
                linked["count"], linked["flow"], linked["how"], linked["tier"]
            );
        }
        let calls = &told["recovery"]["calls"];
        println!("    calls {calls}");
        self.stayed("the recovery")
    }

    /// Released, it syncs as ever.
    fn ended(&self, home: &Home) -> Result<Value> {
        let release = ["recover", CONNECTION, "--release", "--reason", "a walk"];
        home.must(&release, None)?;
        let report = home.sync()?;
        if !self.stayed("the sync after the release")? {
            bail!("the sync after the release wrote");
        }
        Ok(report)
    }

    fn stayed(&self, what: &str) -> Result<bool> {
        let mut changes = compare_states(&self.state, &self.sandbox.state(self.caller)?);
        let books = Books::read(self.sandbox, self.caller)?;
        changes.extend(compare(&self.books, &books).told());
        for change in changes.iter().take(20) {
            println!("  {what} changed {change}");
        }
        Ok(changes.is_empty())
    }
}

/// Removes the database; with everything that lies beside it, or without.
fn forget(home: &Home, all: bool) -> Result<()> {
    for entry in std::fs::read_dir(home.path())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let own = ["tieout.db", "tieout.db-wal", "tieout.db-shm"].contains(&name.as_str());
        if own || all && is_beside(&path) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn is_beside(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "witness")
}

/// Whether as many records of each document flow are agreed on as before.
fn alike(before: &Value, after: &Value) -> bool {
    let agreed = |report: &Value, flow: &str| {
        let states = &report["runs"][0]["flows"][flow];
        let of = |state: &str| states[state].as_u64().unwrap_or(0);
        of("DONE") + of("REVERSED")
    };
    let mut alike = true;
    for flow in ["vendors", "bills", "vendor-credits", "bill-payments"] {
        let (was, is) = (agreed(before, flow), agreed(after, flow));
        let lost = was.saturating_sub(is);
        let kept = lost * 1000 <= was * LOST_PER_MILLE_MAX;
        let mark = if kept { "kept    " } else { "TOO FEW " };
        println!("  {mark}  {flow}: {is} of {was} are agreed on");
        alike &= kept;
    }
    alike
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_in_a_thousand_is_too_many() {
        let report =
            |bills: u64| json!({"runs": [{"flows": {"bills": {"DONE": bills, "REVERSED": 1}}}]});
        assert!(alike(&report(2000), &report(1998)));
        assert!(!alike(&report(2000), &report(1997)));
    }
}
