//! Takes away, one at a time, what keeps a record from being made twice, and sees the simulation of each pair notice.
//! A simulation that doesn't would prove nothing, nor would one that complains of something else, or complains anyway.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::simulate;
use crate::workspace::Workspace;

/// Within how many worlds it must be noticed.
const SEEDS: u64 = 200;

/// What to take away.
#[derive(Debug, Args)]
pub(crate) struct MutateArguments {
    /// Only the mutations of these names.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Only in this pair's worlds.
    #[arg(long)]
    pair: Option<String>,
}

/// Something that is taken away.
struct Mutation {
    name: &'static str,
    what: &'static str,
    /// The simulation's checks of which one must complain: those that see what comes of it.
    checks: &'static [&'static str],
    edits: &'static [Edit],
}

/// A place in the sources, exactly as it stands there and only once, and what is put in its place.
struct Edit {
    file: &'static str,
    find: &'static str,
    put: &'static str,
}

const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "look-up",
        what: "the look on the far side before a write is sent again, as a blind retry does",
        checks: &["once"],
        edits: &[
            Edit {
                file: "crates/engine/src/settle.rs",
                find: "            Ok(candidates) => candidates,",
                put: "            Ok(_) => Vec::new(),",
            },
            Edit {
                file: "crates/engine/src/settle.rs",
                find: "            let settled = write_settled(&write, writer.settle(), looked_at);",
                put: "            let settled = true;",
            },
        ],
    },
    Mutation {
        name: "settling",
        what: "the quarantine: the wait until an unanswered write can't be carried out any more",
        checks: &["once"],
        edits: &[Edit {
            file: "crates/engine/src/settle.rs",
            find: "    settled_at(write, settle) <= looked_at\n",
            put: "    settled_at(write, settle) <= looked_at || true\n",
        }],
    },
    Mutation {
        name: "fence",
        what: "the fence: commits under a lease that has passed on, and requests after its end",
        checks: &["once", "history"],
        edits: &[
            Edit {
                file: "crates/store/src/commit.rs",
                find: "    if current == given {",
                put: "    if current == given || true {",
            },
            Edit {
                file: "crates/store/src/lease.rs",
                find: "        if done == 1 {",
                put: "        if done == 1 || true {",
            },
            Edit {
                file: "systems/kit/src/guard.rs",
                find: "        if left.is_zero() {\n            let why = if",
                put: "        if left.is_zero() && false {\n            let why = if",
            },
        ],
    },
    Mutation {
        name: "slots",
        what: "the slots for calls at once that all processes share: each counts by itself",
        checks: &["at-once"],
        edits: &[Edit {
            file: "systems/kit/src/governor/concurrency.rs",
            find: "            Slots::Own => return Next::Begin,",
            put: "            Slots::Own => return Next::Begin,\n            _ if true => return Next::Begin,",
        }],
    },
    Mutation {
        name: "intent",
        what: "the journal's word, before a write is sent, that it may have been",
        checks: &["once", "history"],
        edits: &[Edit {
            file: "crates/engine/src/send.rs",
            find: "        for call in &self.announced {\n            writes.entry",
            put: "        for call in &self.announced[..0] {\n            writes.entry",
        }],
    },
    Mutation {
        name: "echo",
        what: "the check whether a payment is tieout's own, come back",
        checks: &["echo"],
        edits: &[
            Edit {
                file: "crates/flows/src/bill_payments.rs",
                find: "        (linked || recorded).then(|| {",
                put: "        (linked && recorded && false).then(|| {",
            },
            Edit {
                file: "crates/flows/src/bill_payments/outside.rs",
                find: "    ours || books.links_to(record).iter().any(|link| link.flow == NAME)",
                put: "    false && (ours || books.links_to(record).iter().any(|link| link.flow == NAME))",
            },
            Edit {
                file: "crates/flows/src/receivables/payments.rs",
                find: "        if this.is_copy() {",
                put: "        if this.is_copy() && false {",
            },
        ],
    },
];

/// Takes each away in a copy of the workspace; true if each was noticed.
pub(crate) fn run(workspace: &Workspace, arguments: &MutateArguments) -> Result<bool> {
    let wanted =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|one| one == name);
    let in_pair = |name: &str| arguments.pair.as_deref().is_none_or(|one| one == name);
    let pairs: Vec<&str> = simulate::pairs().filter(|pair| in_pair(pair)).collect();
    if pairs.is_empty() {
        let known: Vec<_> = simulate::pairs().collect();
        bail!("the pairs are {}", known.join(" and "));
    }
    let copy = copied(workspace)?;
    println!("with everything in its place:");
    let program = build(workspace, &copy)?;
    for pair in &pairs {
        live(&program, pair, &[])?.must_be_clean()?;
        println!("  {pair}: clean");
    }
    let mut all = true;
    for mutation in MUTATIONS.iter().filter(|mutation| wanted(mutation.name)) {
        println!("without {}: {}", mutation.name, mutation.what);
        for edit in mutation.edits {
            put(&copy, edit.file, edit.find, edit.put)?;
        }
        let program = build(workspace, &copy);
        for edit in mutation.edits {
            put(&copy, edit.file, edit.put, edit.find)?;
        }
        let program = program?;
        for pair in &pairs {
            let lived = live(&program, pair, mutation.checks)?;
            all &= lived.noticed.is_some();
            println!("  {pair}: {}", lived.told(mutation.checks));
        }
    }
    Ok(all)
}

/// A copy of the workspace. It is kept, so that the next time only what has changed is built again.
fn copied(workspace: &Workspace) -> Result<PathBuf> {
    let copy = workspace
        .root()
        .join("target")
        .join("mutated")
        .join("source");
    for path in workspace.files()? {
        let (from, to) = (workspace.root().join(&path), copy.join(&path));
        let text = std::fs::read(from)?;
        if std::fs::read(&to).is_ok_and(|there| there == text) {
            continue;
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(to, text)?;
    }
    Ok(copy)
}

fn put(root: &Path, file: &str, find: &str, put: &str) -> Result<()> {
    let path = root.join(file);
    let text = std::fs::read_to_string(&path).with_context(|| file.to_owned())?;
    if text.matches(find).count() != 1 {
        bail!(
            "{file}: `{}` is not there once: bring the mutation up to date",
            find.trim()
        );
    }
    Ok(std::fs::write(path, text.replace(find, put))?)
}

/// Builds the simulation of the workspace that lies there.
fn build(workspace: &Workspace, root: &Path) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    // The libraries are built once for both.
    let target = workspace.root().join("target").join("mutated");
    cargo.current_dir(root);
    simulate::fast(cargo, &target)
}

/// Lives through a pair's worlds, until one of these checks complains.
fn live(program: &Path, pair: &str, checks: &[&str]) -> Result<Lived> {
    let mut simulation = Command::new(program)
        .args(["live", "--pair", pair, "--seeds", &SEEDS.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let said = simulation.stdout.take().context("its output is piped")?;
    let mut lived = Lived::default();
    for line in BufReader::new(said).lines() {
        lived.hear(&line?, checks);
        if lived.noticed.is_some() {
            simulation.kill()?;
            break;
        }
    }
    lived.ended = Some(simulation.wait()?);
    Ok(lived)
}

/// What the worlds of a pair came to.
#[derive(Debug, Default)]
struct Lived {
    /// The complaint of a check that was listened for.
    noticed: Option<String>,
    /// What else was said of single worlds.
    others: Vec<String>,
    /// How many worlds there were, where all were lived through.
    worlds: Option<u64>,
    ended: Option<ExitStatus>,
}

impl Lived {
    fn hear(&mut self, line: &str, checks: &[&str]) {
        if complaint(line).is_some_and(|check| checks.contains(&check)) {
            self.noticed = Some(line.to_owned());
        } else if line.starts_with("seed ") {
            self.others.push(line.to_owned());
        }
        self.worlds = self.worlds.or(lived_through(line));
    }

    /// Nothing was said of any world, and there were as many as there should be.
    ///
    /// # Errors
    /// If it wasn't so: a complaint would then say nothing of what was taken away.
    fn must_be_clean(&self) -> Result<()> {
        let good = self.ended.is_some_and(|ended| ended.success());
        if good && self.others.is_empty() && self.worlds == Some(SEEDS) {
            return Ok(());
        }
        bail!(
            "the simulation isn't clean before anything is taken away: {}",
            self.instead()
        )
    }

    fn told(&self, checks: &[&str]) -> String {
        match &self.noticed {
            Some(line) => format!("noticed: {line}"),
            None => format!("NOT NOTICED by {}: {}", checks.join(" or "), self.instead()),
        }
    }

    /// How it ended, and the first of what was said.
    fn instead(&self) -> String {
        let worlds = self
            .worlds
            .map_or("not all".to_owned(), |it| it.to_string());
        let ended = self.ended.map_or_else(String::new, |it| it.to_string());
        let mut told = format!("{worlds} worlds, {ended}");
        for line in self.others.iter().take(3) {
            told.push_str("\n    ");
            told.push_str(line);
        }
        told
    }
}

/// The check that complains in a line such as `seed 7: once: bills: 4001 is on the platform as […]`.
fn complaint(line: &str) -> Option<&str> {
    let (seed, said) = line.strip_prefix("seed ")?.split_once(": ")?;
    seed.parse::<u64>().ok()?;
    Some(said.split_once(": ")?.0)
}

/// The number of worlds in a line such as `200 worlds in 31.4 s, 0 in which something must not have been; …`.
fn lived_through(line: &str) -> Option<u64> {
    line.split_once(" worlds in ")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;

    use super::*;

    #[test]
    fn what_is_to_be_taken_away_is_still_there() {
        let workspace = Workspace::here().unwrap();
        for edit in MUTATIONS.iter().flat_map(|mutation| mutation.edits) {
            let text = workspace.read(edit.file).unwrap();
            assert_eq!(
                text.matches(edit.find).count(),
                1,
                "{}: {}",
                edit.file,
                edit.find
            );
        }
    }

    #[test]
    fn the_simulation_has_the_checks_that_must_complain() {
        let workspace = Workspace::here().unwrap();
        let named = Regex::new(r#"violation\(\s*"([a-z-]+)""#).unwrap();
        let mut known = BTreeSet::new();
        for (path, text) in workspace.texts(".rs").unwrap() {
            if path.starts_with("crates/sim/src") {
                known.extend(named.captures_iter(&text).map(|found| found[1].to_owned()));
            }
        }
        for mutation in MUTATIONS {
            assert!(!mutation.checks.is_empty(), "{}", mutation.name);
            for check in mutation.checks {
                assert!(known.contains(*check), "{}: {check}", mutation.name);
            }
        }
    }

    #[test]
    fn the_simulation_still_says_it_in_these_words() {
        let workspace = Workspace::here().unwrap();
        let text = workspace.read("crates/sim/src/main.rs").unwrap();
        for words in [
            r#"println!("{of}: {}: {} {repeat}", violation.check, violation.what)"#,
            r#"&format!("seed {seed}")"#,
            r#""{lived} worlds in {:.1} s, {failed} in which"#,
        ] {
            assert!(text.contains(words), "{words}");
        }
    }

    fn heard(output: &str, checks: &[&str]) -> Lived {
        let mut lived = Lived::default();
        for line in output.lines() {
            lived.hear(line, checks);
        }
        lived
    }

    const TWICE: &str = "seed 3: rest: it goes on writing for ever (repeat with --first 3 --seeds 1)
seed 7: once: bills: 4001 is on the platform as [\"00n1\", \"00n2\"] (repeat with --first 7 --seeds 1)
calls
  bill: 312
200 worlds in 31.4 s, 2 in which something must not have been; duplicates 1, lost 0
";

    #[test]
    fn only_a_check_that_is_about_it_notices() {
        let lived = heard(TWICE, &["once"]);
        assert!(lived.noticed.unwrap().starts_with("seed 7: once: "));
        assert_eq!(lived.worlds, Some(200));
        let lived = heard(TWICE, &["echo", "at-once"]);
        assert_eq!(lived.noticed, None);
        assert_eq!(lived.others.len(), 2);
        let told = lived.told(&["echo", "at-once"]);
        assert!(told.starts_with("NOT NOTICED by echo or at-once"), "{told}");
        assert!(told.contains("seed 3: rest: "), "{told}");
    }

    #[test]
    fn a_failure_that_is_no_complaint_notices_nothing() {
        for output in [
            "",
            "error: invalid value 'netsuite' for '--pair <PAIR>'",
            "seed 4: a sync in calm weather: once more: no space left",
            "seed 4: its history ends with a and then with b",
            "seeds: once: twice",
            "seed x: once: twice",
        ] {
            assert_eq!(
                heard(output, &["once", "history"]).noticed,
                None,
                "{output}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_complains_anyway_is_no_baseline() {
        use std::os::unix::process::ExitStatusExt as _;

        let ended = |output: &str, code: i32| {
            let mut lived = heard(output, &[]);
            lived.ended = Some(ExitStatus::from_raw(code << 8));
            lived.must_be_clean()
        };
        let clean =
            "200 worlds in 31.4 s, 0 in which something must not have been; duplicates 0, lost 0";
        assert!(ended(clean, 0).is_ok());
        assert!(ended(clean, 101).is_err(), "it ended in a panic");
        assert!(
            ended("3 worlds in 1.0 s, 0 in which", 0).is_err(),
            "it was cut short"
        );
        assert!(ended("", 0).is_err(), "no world was lived through");
        let error = ended(TWICE, 1).unwrap_err().to_string();
        assert!(error.contains("seed 3: rest: "), "{error}");
    }
}
