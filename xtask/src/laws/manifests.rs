//! The laws about dependencies. A crate exists where the absence of a dependency is worth enforcing; here
//! it is enforced.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::workspace::{Manifest, Workspace};

/// What a crate of ours may know of ours, by its folder. Clients and fakes of the systems follow
/// [`may_know`]'s own rule, so that a new system needs no line here.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("crates/domain", &[]),
    ("crates/flows", &["tieout-domain"]),
    ("crates/report", &["tieout-domain", "tieout-flows"]),
    ("crates/store", &["tieout-domain"]),
    (
        "crates/engine",
        &["tieout-domain", "tieout-flows", "tieout-store"],
    ),
    (
        "crates/server",
        &[
            "tieout-domain",
            "tieout-flows",
            "tieout-store",
            "tieout-engine",
            "tieout-report",
            "tieout-desk",
        ],
    ),
    (
        "crates/desk",
        &[
            "tieout-domain",
            "tieout-flows",
            "tieout-store",
            "tieout-engine",
            "tieout-report",
        ],
    ),
    ("systems/kit", &["tieout-domain"]),
    ("xtask", &["tieout-kit", "tieout-flows"]),
    ("fuzz", &["tieout-fuzz"]),
];

/// The crates that put everything together.
const WIRING: [&str; 3] = ["crates/tieout", "crates/sim", "crates/fuzz"];

/// Libraries that only these folders may use.
const OWNERS: &[(&str, &[&str])] = &[
    ("reqwest", &["systems/kit"]),
    ("lettre", &["crates/tieout"]),
    ("sqlx", &["crates/store"]),
    ("rusqlite", &["systems/netsuite/fake"]),
    ("sqlparser", &["systems/netsuite/fake"]),
    ("clap", &["crates/tieout", "crates/sim", "xtask"]),
    ("anyhow", &["crates/tieout", "crates/sim", "xtask"]),
];

/// Libraries that would bring I/O, a runtime or a clock into the pure crates.
const IMPURE: [&str; 10] = [
    "tokio",
    "reqwest",
    "sqlx",
    "rusqlite",
    "axum",
    "hyper",
    "hyper-util",
    "rand",
    "uuid",
    "tracing",
];

/// The crates that are pure.
const PURE: [&str; 3] = ["crates/domain", "crates/flows", "crates/report"];

/// A system never depends on another one, the engine or the store; a fake never on its client, nor a client
/// on its fake; only the command line and the simulation wire.
pub(super) fn downward(workspace: &Workspace) -> Result<Vec<String>> {
    let manifests = workspace.manifests()?;
    let ours: BTreeSet<_> = manifests
        .iter()
        .map(|manifest| manifest.name.clone())
        .collect();
    let mut breaches = Vec::new();
    for manifest in &manifests {
        let folder = folder(manifest);
        let known = dependencies(manifest, true)
            .into_iter()
            // For its own tests a crate may be another one of itself, with more in it.
            .filter(|name| ours.contains(name) && *name != manifest.name);
        for name in known {
            if !may_know(&folder, &name) {
                breaches.push(format!(
                    "{}: {} must not know {name}",
                    folder, manifest.name
                ));
            }
        }
    }
    Ok(breaches)
}

/// Whether a crate in this folder may depend on this crate of ours.
fn may_know(folder: &str, name: &str) -> bool {
    if let Some((_, allowed)) = MAY_KNOW.iter().find(|(known, _)| *known == folder) {
        return allowed.contains(&name);
    }
    if WIRING.contains(&folder) {
        return name != "xtask";
    }
    if folder == "systems" {
        return ![
            "tieout-engine",
            "tieout-store",
            "tieout-flows",
            "tieout",
            "xtask",
        ]
        .contains(&name);
    }
    // A client or a fake: the nouns and the kit alone.
    folder.starts_with("systems/") && ["tieout-domain", "tieout-kit"].contains(&name)
}

/// Only the kit sends HTTP; only the store, and NetSuite's fake for SuiteQL, speak SQL; the pure crates
/// have no I/O.
pub(super) fn owners(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for manifest in workspace.manifests()? {
        let folder = folder(&manifest);
        for name in dependencies(&manifest, true) {
            let owner = OWNERS.iter().find(|(library, _)| *library == name);
            if owner.is_some_and(|(_, folders)| !folders.contains(&folder.as_str())) {
                breaches.push(format!("{folder}: {name} belongs elsewhere"));
            }
        }
        for name in dependencies(&manifest, false) {
            if PURE.contains(&folder.as_str()) && IMPURE.contains(&name.as_str()) {
                breaches.push(format!("{folder} is pure and must not use {name}"));
            }
        }
    }
    Ok(breaches)
}

/// Every manifest takes the workspace's lints, which forbid unsafe code, and the workspace's versions.
pub(super) fn shared(workspace: &Workspace) -> Result<Vec<String>> {
    let root = workspace.root_manifest()?;
    let mut breaches = Vec::new();
    let lints = root.get("workspace").and_then(|table| table.get("lints"));
    let unsafe_code = lints
        .and_then(|lints| lints.get("rust")?.get("unsafe_code"))
        .and_then(toml::Value::as_str);
    if unsafe_code != Some("forbid") {
        breaches.push("Cargo.toml: the lints must forbid unsafe code".to_owned());
    }
    for manifest in workspace.manifests()? {
        let folder = folder(&manifest);
        let takes = manifest
            .table
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        if takes.and_then(toml::Value::as_bool) != Some(true) {
            breaches.push(format!("{folder}: no `[lints] workspace = true`"));
        }
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(toml::Value::Table(table)) = manifest.table.get(section) else {
                continue;
            };
            for (name, value) in table {
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    breaches.push(format!(
                        "{folder}: {name} must take the workspace's version"
                    ));
                }
            }
        }
    }
    Ok(breaches)
}

fn folder(manifest: &Manifest) -> String {
    let folder = manifest.path.parent().unwrap_or(Path::new(""));
    folder.to_string_lossy().replace('\\', "/")
}

/// The names of what a package depends on; with those of its tests, if asked.
fn dependencies(manifest: &Manifest, with_tests: bool) -> BTreeSet<String> {
    let mut sections = vec!["dependencies", "build-dependencies"];
    if with_tests {
        sections.push("dev-dependencies");
    }
    let mut names = BTreeSet::new();
    let targets = manifest.table.get("target").and_then(toml::Value::as_table);
    let tables = std::iter::once(&manifest.table).chain(
        targets
            .into_iter()
            .flatten()
            .filter_map(|(_, target)| target.as_table()),
    );
    for table in tables {
        for section in &sections {
            let Some(toml::Value::Table(dependencies)) = table.get(*section) else {
                continue;
            };
            for (key, value) in dependencies {
                let renamed = value.get("package").and_then(toml::Value::as_str);
                names.insert(renamed.unwrap_or(key).to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fake_and_its_client_are_strangers() {
        assert!(!may_know("systems/bill/fake", "tieout-bill"));
        assert!(!may_know("systems/bill", "tieout-bill-fake"));
        assert!(may_know("systems/bill/fake", "tieout-kit"));
    }

    #[test]
    fn systems_know_neither_each_other_nor_the_engine() {
        for name in [
            "tieout-netsuite",
            "tieout-engine",
            "tieout-store",
            "tieout-flows",
        ] {
            assert!(!may_know("systems/bill", name), "{name}");
        }
    }

    #[test]
    fn a_new_crate_knows_nothing_until_it_is_given_a_place() {
        assert!(!may_know("crates/new", "tieout-engine"));
    }

    #[test]
    fn dependencies_of_tests_and_targets_count() {
        let text = "[package]\nname = \"a\"\n[dev-dependencies]\nb = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nc = { version = \"1\", package = \"d\" }\n";
        let manifest = Manifest {
            path: "a/Cargo.toml".into(),
            name: "a".to_owned(),
            table: text.parse().unwrap(),
        };
        let names = |with_tests| {
            dependencies(&manifest, with_tests)
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(names(true), ["b", "d"]);
        assert_eq!(names(false), ["d"]);
    }
}
