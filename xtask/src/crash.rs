//! Kills a sync with SIGKILL at random moments, syncs once more, and compares the end with a run that
//! nobody disturbed: the same state on both sides, no bill twice, a history that verifies.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use clap::Args;
use http::Method;
use serde_json::{Value, json};

use crate::home::Home;
use crate::panel::{Caller, PlatformBill, bills};
use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// Every third bill is paid between the two syncs.
const PAID_SHARE: usize = 3;

/// What a state says about its moment rather than about the books.
const OF_THE_MOMENT: [&str; 8] = [
    "now", "clock", "session", "sessions", "token", "tokens", "logins", "updated",
];

/// How to kill.
#[derive(Debug, Args)]
pub(crate) struct CrashArguments {
    /// How many times.
    #[arg(long, default_value_t = 10)]
    kills: u32,
    /// Decides the moments; chosen by the clock, and printed, if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Bills in the sandbox's world.
    #[arg(long, default_value_t = 400)]
    bills: u32,
    /// Vendors in the sandbox's world.
    #[arg(long, default_value_t = 80)]
    vendors: u32,
    /// Use the release build.
    #[arg(long)]
    release: bool,
}

impl CrashArguments {
    /// A short slice with so many kills.
    pub(crate) fn slice(kills: u32) -> Self {
        Self {
            kills,
            seed: None,
            bills: 150,
            vendors: 60,
            release: false,
        }
    }

    fn world(&self) -> Vec<String> {
        let (bills, vendors) = (self.bills.to_string(), self.vendors.to_string());
        ["--seed", "1", "--bills", &bills, "--vendors", &vendors]
            .map(str::to_owned)
            .to_vec()
    }
}

/// Builds, and walks.
pub(crate) fn run(workspace: &Workspace, arguments: &CrashArguments) -> Result<bool> {
    let program = workspace.tieout(arguments.release)?;
    walk(&program, arguments)
}

/// Walks; true if every killed run ended as the undisturbed one.
pub(crate) fn walk(program: &Path, arguments: &CrashArguments) -> Result<bool> {
    let seed = arguments.seed.unwrap_or_else(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        since.as_secs() ^ u64::from(since.subsec_nanos())
    });
    println!("seed {seed} (repeat with --seed {seed})");
    let mut dice = Dice(seed);
    let caller = Caller::new()?;
    let undisturbed = round(program, arguments, &caller, None)?;
    println!(
        "undisturbed: {:?} and {:?}",
        undisturbed.took[0], undisturbed.took[1]
    );
    let mut left = arguments.kills;
    let mut same = true;
    let mut rounds = 0;
    while left > 0 {
        rounds += 1;
        if rounds > arguments.kills.saturating_add(3) {
            bail!("{left} kills are left: syncs end before they can be killed; use more bills");
        }
        let mut killing = Killing {
            dice: &mut dice,
            left: &mut left,
            took: undisturbed.took,
        };
        let ended = round(program, arguments, &caller, Some(&mut killing))?;
        println!("round {rounds}: {left} kills left");
        let mut differences = compare(&undisturbed.state, &ended.state);
        let (wanted, found) = (&undisturbed.markers, &ended.markers);
        differences.extend(
            wanted
                .difference(found)
                .map(|marker| format!("{marker} is not in BILL")),
        );
        differences.extend(
            found
                .difference(wanted)
                .map(|marker| format!("{marker} is in BILL")),
        );
        for difference in differences.iter().take(40) {
            println!("  differs: {difference}");
        }
        same &= differences.is_empty();
    }
    println!(
        "{} kills in {rounds} rounds: {}",
        arguments.kills,
        if same { "same" } else { "DIFFERENT" }
    );
    Ok(same)
}

/// How a round ended.
struct Ended {
    state: Value,
    markers: BTreeSet<String>,
    took: [Duration; 2],
}

/// When to kill.
struct Killing<'a> {
    dice: &'a mut Dice,
    left: &'a mut u32,
    took: [Duration; 2],
}

/// One world, one home: a sync, payments in BILL, a sync. Killed on the way, or not.
fn round(
    program: &Path,
    arguments: &CrashArguments,
    caller: &Caller,
    mut killing: Option<&mut Killing<'_>>,
) -> Result<Ended> {
    let sandbox = Sandbox::start(program, &arguments.world())?;
    let home = Home::connected(program, &sandbox)?;
    let mut took = [Duration::ZERO; 2];
    for (phase, took) in took.iter_mut().enumerate() {
        if let Some(killing) = killing.as_deref_mut() {
            killing.kill(&home, phase)?;
        }
        let start = Instant::now();
        home.sync()?;
        *took = start.elapsed();
        if phase == 0 {
            pay(&sandbox, caller)?;
        }
    }
    let bills = bills(caller, &sandbox.described["bill"])?;
    never_twice(&bills)?;
    home.must(&["audit", "verify"], None)?;
    let markers = bills.into_iter().filter_map(|bill| bill.marker).collect();
    Ok(Ended {
        state: sandbox.state(caller)?,
        markers,
        took,
    })
}

impl Killing<'_> {
    /// Starts syncs and kills them at moments spread over the time that an undisturbed one takes. Ends when
    /// one gets through before its moment comes.
    fn kill(&mut self, home: &Home, phase: usize) -> Result<()> {
        let planned = if phase == 0 {
            (*self.left).div_ceil(2)
        } else {
            *self.left
        };
        for _ in 0..planned {
            let most = self.took[phase].as_millis().max(20);
            // Each killed sync leaves less to do for the next: the moments draw nearer to its start.
            let within = most * 2 / u128::from(planned.max(2));
            let after = self.dice.below(u64::try_from(within)?.max(20));
            let mut sync = home.start_sync()?;
            std::thread::sleep(Duration::from_millis(after));
            if sync.try_wait()?.is_some() {
                println!("  a sync got through within {after} ms");
                return Ok(());
            }
            sync.kill()?;
            sync.wait()?;
            *self.left -= 1;
            println!("  killed after {after} ms, in sync {}", phase + 1);
        }
        Ok(())
    }
}

/// Pays every third bill that came from the ledger, as a person in BILL would.
fn pay(sandbox: &Sandbox, caller: &Caller) -> Result<()> {
    let mut marked: Vec<_> = bills(caller, &sandbox.described["bill"])?
        .into_iter()
        .filter(|bill| !bill.archived)
        .filter_map(|bill| Some((bill.marker?, bill.id)))
        .collect();
    // Ids differ from world to world; markers don't.
    marked.sort();
    let ids: Vec<_> = marked
        .into_iter()
        .step_by(PAID_SHARE)
        .map(|(_, id)| id)
        .collect();
    if ids.is_empty() {
        bail!("the sync brought no bill with a marker to BILL");
    }
    let body = json!({"bills": ids, "method": "ACH", "status": "PROCESSED"});
    sandbox
        .panel(caller, Method::POST, "bill/pay", Some(&body))
        .map(drop)
}

/// No bill of the ledger has two copies in BILL.
fn never_twice(bills: &[PlatformBill]) -> Result<()> {
    let mut markers: Vec<_> = bills
        .iter()
        .filter(|bill| !bill.archived)
        .filter_map(|bill| bill.marker.as_ref())
        .collect();
    markers.sort();
    if let Some(twice) = markers.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("{} is in BILL twice", twice[0]);
    }
    Ok(())
}

/// Where two states differ, apart from what belongs to the moment.
fn compare(left: &Value, right: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    compare_at("", left, right, &mut differences);
    differences
}

fn compare_at(place: &str, left: &Value, right: &Value, differences: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let names: BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for name in names
                .into_iter()
                .filter(|name| !OF_THE_MOMENT.contains(&name.as_str()))
            {
                let absent = Value::Null;
                let (left, right) = (left.get(name), right.get(name));
                let (left, right) = (left.unwrap_or(&absent), right.unwrap_or(&absent));
                compare_at(&format!("{place}/{name}"), left, right, differences);
            }
        }
        _ if left != right => differences.push(format!("{place}: {left}, killed: {right}")),
        _ => {}
    }
}

/// A small generator (SplitMix64): the same seed gives the same moments on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(marker: &str, archived: bool) -> PlatformBill {
        PlatformBill {
            id: "00n1".to_owned(),
            marker: Some(marker.to_owned()),
            archived,
        }
    }

    #[test]
    fn a_bill_that_is_there_twice_is_found() {
        assert!(never_twice(&[bill("ns:1:2", false), bill("ns:1:2", false)]).is_err());
        assert!(never_twice(&[bill("ns:1:2", false), bill("ns:1:2", true)]).is_ok());
    }

    #[test]
    fn states_are_compared_apart_from_their_moment() {
        let left = json!({"bill": {"bills": {"count": 3}, "sessions": 1}, "now": "a"});
        let same = json!({"bill": {"bills": {"count": 3}, "sessions": 9}, "now": "b"});
        let other = json!({"bill": {"bills": {"count": 4}}});
        assert!(compare(&left, &same).is_empty());
        assert_eq!(compare(&left, &other), ["/bill/bills/count: 3, killed: 4"]);
    }

    #[test]
    fn a_seed_decides_the_moments() {
        let draw = |seed| {
            let mut dice = Dice(seed);
            (0..5).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
