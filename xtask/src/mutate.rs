//! Takes away, one at a time, what keeps a record from being made twice, and sees the simulation of each pair notice.
//! A simulation that doesn't would prove nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

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
        edits: &[Edit {
            file: "crates/engine/src/settle.rs",
            find: "    settled_at(write, settle) <= looked_at\n",
            put: "    settled_at(write, settle) <= looked_at || true\n",
        }],
    },
    Mutation {
        name: "fence",
        what: "the fence: commits under a lease that has passed on, and requests after its end",
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
        edits: &[Edit {
            file: "systems/kit/src/governor/concurrency.rs",
            find: "            Slots::Own => return Next::Begin,",
            put: "            _ if true => return Next::Begin,",
        }],
    },
    Mutation {
        name: "intent",
        what: "the journal's word, before a write is sent, that it may have been",
        edits: &[Edit {
            file: "crates/engine/src/send.rs",
            find: "        for call in &self.announced {\n            writes.entry",
            put: "        for call in &self.announced[..0] {\n            writes.entry",
        }],
    },
    Mutation {
        name: "echo",
        what: "the check whether a payment is tieout's own, come back",
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
    // Kept, so that the next time only what has changed is built again.
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
    let wanted =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|one| one == name);
    let in_pair = |name: &str| arguments.pair.as_deref().is_none_or(|one| one == name);
    if !simulate::pairs().any(in_pair) {
        let known: Vec<_> = simulate::pairs().collect();
        bail!("the pairs are {}", known.join(" and "));
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
        for pair in simulate::pairs().filter(|pair| in_pair(pair)) {
            let noticed = noticed(&program, pair)?;
            all &= noticed;
            let said = if noticed { "noticed" } else { "NOT NOTICED" };
            println!("  {pair}: {said}");
        }
    }
    Ok(all)
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

/// Whether this simulation complains of a pair's worlds.
fn noticed(program: &Path, pair: &str) -> Result<bool> {
    let output = Command::new(program)
        .args(["live", "--pair", pair, "--fail-fast"])
        .args(["--seeds", &SEEDS.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    for line in said
        .lines()
        .filter(|line| line.starts_with("seed "))
        .take(3)
    {
        println!("  {line}");
    }
    Ok(!output.status.success())
}

#[cfg(test)]
mod tests {
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
}
