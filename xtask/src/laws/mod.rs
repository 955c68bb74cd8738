//! The laws: what ARCHITECTURE.md promises, held against manifests, sources and pages.
//!
//! Each law lists its breaches; a test below demands that there are none. `cargo xtask laws` prints them.

mod codes;
mod manifests;
mod sources;
mod words;

use anyhow::Result;

use crate::workspace::Workspace;

/// Lists the breaches of one law, each with its place.
type Check = fn(&Workspace) -> Result<Vec<String>>;

/// All laws.
const LAWS: &[(&str, Check)] = &[
    ("dependencies point downward", manifests::downward),
    ("a library has one owner", manifests::owners),
    ("manifests share lints and versions", manifests::shared),
    ("time is passed in", sources::time),
    ("chance is passed in", sources::chance),
    ("no float touches money", sources::floats),
    (
        "pages and operations see what their person reaches",
        sources::views,
    ),
    ("nothing is left unfinished", sources::unfinished),
    ("a file has one reason to exist", sources::lengths),
    ("a code has a page, a page has a code", codes::pages),
    ("nothing names a machine", words::machines),
    ("no private key is kept", words::private_keys),
    ("packages come from crates.io", words::registries),
    ("links lead somewhere", words::links),
];

/// A law and its breaches.
pub(crate) struct Held {
    /// The law.
    pub(crate) law: &'static str,
    /// Where it is broken.
    pub(crate) breaches: Vec<String>,
}

/// Holds all laws.
pub(crate) fn all(workspace: &Workspace) -> Result<Vec<Held>> {
    LAWS.iter()
        .map(|(law, check)| {
            Ok(Held {
                law,
                breaches: check(workspace)?,
            })
        })
        .collect()
}

/// Prints what holds and what doesn't; true if all do.
pub(crate) fn print(workspace: &Workspace) -> Result<bool> {
    let mut all_hold = true;
    for held in all(workspace)? {
        let mark = if held.breaches.is_empty() {
            "holds "
        } else {
            "BROKEN"
        };
        println!("{mark} {}", held.law);
        for breach in &held.breaches {
            println!("       {breach}");
        }
        all_hold &= held.breaches.is_empty();
    }
    for note in sources::long_files(&Workspace::here()?)? {
        println!("note   {note}");
    }
    Ok(all_hold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_laws_hold() {
        let workspace = Workspace::here().unwrap();
        let broken: Vec<_> = all(&workspace)
            .unwrap()
            .into_iter()
            .flat_map(|held| {
                held.breaches
                    .into_iter()
                    .map(move |b| format!("{}: {b}", held.law))
            })
            .collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }
}
