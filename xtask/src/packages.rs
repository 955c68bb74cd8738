//! The dependencies: their licences, the ones that are banned, features that must stay off, and advisories.
//!
//! What is allowed and what is banned stands in `deny.toml` alone, so that cargo-deny and this agree; this
//! needs no tool.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::steps::End;
use crate::workspace::Workspace;

/// The workspaces, and licences that one alone may have: nothing of the fuzzer is built into tieout.
const WORKSPACES: [(&str, &[&str]); 2] = [("Cargo.toml", &[]), ("fuzz/Cargo.toml", &["NCSA"])];

/// Features that would change how numbers are read or written everywhere, because features unite.
const FEATURES_OFF: &[(&str, &str)] = &[
    ("serde_json", "arbitrary_precision"),
    ("serde_json", "float_roundtrip"),
    ("rust_decimal", "serde"),
    ("rust_decimal", "serde-float"),
    ("rust_decimal", "serde-arbitrary-precision"),
];

/// Prints what is wrong; true if nothing is.
pub(crate) fn print(workspace: &Workspace) -> Result<bool> {
    let faults = check(workspace)?;
    for fault in &faults {
        println!("{fault}");
    }
    match advisories(workspace)? {
        End::Skipped(why) => println!("advisories skipped: {why}"),
        End::Failed { why, .. } => {
            println!("{why}");
            return Ok(false);
        }
        End::Passed { .. } => {}
    }
    Ok(faults.is_empty())
}

/// Licences that aren't allowed, packages that are banned, features that are on.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let policy: toml::Table = workspace
        .read("deny.toml")?
        .parse()
        .context("reading deny.toml")?;
    let allowed = strings(policy.get("licenses").and_then(|table| table.get("allow")));
    let banned: BTreeSet<_> = policy
        .get("bans")
        .and_then(|table| table.get("deny")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|ban| ban.get("crate")?.as_str().map(str::to_owned))
        .collect();
    let mut faults = Vec::new();
    for (manifest, own) in WORKSPACES {
        let metadata = metadata(workspace, manifest)?;
        let mut allowed = allowed.clone();
        allowed.extend(own.iter().map(|licence| (*licence).to_owned()));
        for package in array(&metadata, "/packages") {
            if package.get("source").is_none_or(Value::is_null) {
                continue;
            }
            let name = text(package, "name");
            let licence = text(package, "license");
            if licence.is_empty() {
                faults.push(format!("{name}: no licence is named"));
            } else if !permitted(licence, &allowed) {
                faults.push(format!("{name}: `{licence}` is not allowed by deny.toml"));
            }
        }
    }
    let metadata = metadata(workspace, "Cargo.toml")?;
    for name in linked(workspace)? {
        if banned.contains(&name) {
            faults.push(format!(
                "{name} is banned by deny.toml, and something uses it"
            ));
        }
    }
    for node in array(&metadata, "/resolve/nodes") {
        let id = text(node, "id");
        for (package, feature) in FEATURES_OFF {
            let is_it = id.contains(&format!("#{package}@"));
            if is_it && array(node, "/features").any(|on| on.as_str() == Some(feature)) {
                faults.push(format!("{package}: the feature `{feature}` must stay off"));
            }
        }
    }
    Ok(faults)
}

/// Known advisories against the dependencies, where a tool and its database can be reached.
pub(crate) fn advisories(workspace: &Workspace) -> Result<End> {
    for (tool, arguments) in [("deny", &["check", "advisories"][..]), ("audit", &[][..])] {
        let mut asked = workspace.cargo();
        let there = asked.args([tool, "--version"]).output();
        if !there.is_ok_and(|output| output.status.success()) {
            continue;
        }
        let output = workspace.cargo().arg(tool).args(arguments).output()?;
        let words = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        if output.status.success() {
            return Ok(End::ok());
        }
        let unreachable = [
            "failed to fetch",
            "unable to fetch",
            "couldn't fetch",
            "network",
        ];
        let lowered = words.to_lowercase();
        if unreachable.iter().any(|word| lowered.contains(word)) {
            return Ok(End::Skipped(format!(
                "cargo {tool} can't reach its database"
            )));
        }
        println!("{words}");
        return Ok(End::failed(format!("cargo {tool} found advisories")));
    }
    Ok(End::Skipped(
        "neither cargo-deny nor cargo-audit is installed".to_owned(),
    ))
}

fn metadata(workspace: &Workspace, manifest: &str) -> Result<Value> {
    let output = workspace
        .cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--manifest-path", manifest])
        .output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).with_context(|| format!("cargo metadata: {words}"))
}

/// The names of the packages that are really built for this machine: the lock file also names those that
/// only other targets use.
fn linked(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let output = workspace
        .cargo()
        .args([
            "tree",
            "--workspace",
            "--locked",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect())
}

fn strings(value: Option<&toml::Value>) -> BTreeSet<String> {
    let list = value.and_then(toml::Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

fn array<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a licence expression can be met with these licences alone. `/` is an old way to write OR; an
/// exception only adds to what a licence permits.
fn permitted(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut at = 0;
    any_of(&words, &mut at, allowed) && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    if words.get(*at) == Some(&"(") {
        *at += 1;
        let met = any_of(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return met && closed;
    }
    let met = words.get(*at).is_some_and(|name| allowed.contains(*name));
    *at += 1;
    if words.get(*at) == Some(&"WITH") {
        *at += 2;
    }
    met
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(expression: &str) -> bool {
        let list = ["MIT", "Apache-2.0", "ISC"].map(str::to_owned);
        permitted(expression, &list.into_iter().collect())
    }

    #[test]
    fn expressions_are_read_as_they_are_meant() {
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "ISC AND (GPL-3.0 OR MIT)",
            "Apache-2.0 WITH LLVM-exception",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(GPL-3.0 OR LGPL-3.0) AND MIT",
            "",
            "MIT MIT",
        ] {
            assert!(!allowed(bad), "{bad}");
        }
    }
}
