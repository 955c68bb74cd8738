//! The bill of materials: every package that the program is built of, as CycloneDX 1.5 has it. It is made of
//! `cargo metadata` and the lock file, and has no time and no serial number: the same sources give the same bill.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::workspace::Workspace;

/// The package that is released.
const PROGRAM: &str = "tieout";

/// A package of the program.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// Its licence, as it names it itself; a package of ours has the workspace's.
    pub(super) licence: String,
    /// Where its sources lie.
    pub(super) folder: PathBuf,
    /// Its sum in the lock file; nothing for a package of ours.
    checksum: Option<String>,
    repository: Option<String>,
    /// Whether it only helps to build: a build script's, say.
    build_only: bool,
    needs: BTreeSet<String>,
}

impl Package {
    /// Where everybody finds it.
    fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }

    /// Whether it is ours.
    pub(super) fn is_own(&self) -> bool {
        self.checksum.is_none()
    }
}

/// What the program is built of.
pub(super) struct Materials {
    /// The packages by cargo's own id, the program's own among them.
    pub(super) packages: BTreeMap<String, Package>,
    program: String,
}

impl Materials {
    /// Of this workspace, for this machine.
    pub(super) fn of(workspace: &Workspace) -> Result<Self> {
        let metadata = metadata(workspace)?;
        let sums = checksums(workspace)?;
        let program = array(&metadata["workspace_members"])
            .filter_map(Value::as_str)
            .find(|id| id.contains(&format!("/{PROGRAM}#")))
            .context("cargo metadata names no program")?
            .to_owned();
        let needs = needs(&metadata);
        let linked = reached(&program, &needs, false);
        let all = reached(&program, &needs, true);
        let mut packages = BTreeMap::new();
        for package in array(&metadata["packages"]) {
            let id = text(package, "id");
            if !all.contains(id) {
                continue;
            }
            let (name, version) = (text(package, "name"), text(package, "version"));
            let manifest = PathBuf::from(text(package, "manifest_path"));
            let key = (name.to_owned(), version.to_owned());
            let found = Package {
                name: name.to_owned(),
                version: version.to_owned(),
                licence: text(package, "license").to_owned(),
                folder: manifest.parent().map(PathBuf::from).unwrap_or_default(),
                checksum: sums.get(&key).cloned(),
                repository: package["repository"].as_str().map(str::to_owned),
                build_only: !linked.contains(id),
                needs: needs
                    .get(id)
                    .into_iter()
                    .flatten()
                    .map(|(id, _)| id.clone())
                    .filter(|id| all.contains(id))
                    .collect(),
            };
            packages.insert(id.to_owned(), found);
        }
        Ok(Self { packages, program })
    }

    /// The program's version.
    pub(super) fn version(&self) -> &str {
        let program = self.packages.get(&self.program);
        program.map_or("", |package| package.version.as_str())
    }

    /// The bill.
    pub(super) fn cyclonedx(&self) -> Value {
        let purl = |id: &String| self.packages.get(id).map(Package::purl);
        let others = self.packages.iter().filter(|(id, _)| **id != self.program);
        let components: Vec<Value> = others.map(|(_, package)| component(package)).collect();
        let dependencies: Vec<Value> = self
            .packages
            .values()
            .map(|package| {
                let on: BTreeSet<String> = package.needs.iter().filter_map(purl).collect();
                json!({"ref": package.purl(), "dependsOn": on})
            })
            .collect();
        let mut program = self.packages.get(&self.program).map(component);
        if let Some(program) = &mut program {
            program["type"] = json!("application");
        }
        json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {"component": program},
            "components": components,
            "dependencies": dependencies,
        })
    }
}

fn component(package: &Package) -> Value {
    let mut told = json!({
        "type": "library",
        "bom-ref": package.purl(),
        "name": package.name,
        "version": package.version,
        "purl": package.purl(),
        "scope": if package.build_only { "excluded" } else { "required" },
        "licenses": [{"expression": package.licence.replace('/', " OR ")}],
    });
    if let Some(checksum) = &package.checksum {
        told["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    if let Some(url) = &package.repository {
        told["externalReferences"] = json!([{"type": "vcs", "url": url}]);
    }
    told
}

/// What each package needs, each with whether the program itself does, or only its building.
type Needs = BTreeMap<String, Vec<(String, bool)>>;

fn needs(metadata: &Value) -> Needs {
    let nodes = array(&metadata["resolve"]["nodes"]);
    let kinds = |dependency: &Value| -> Vec<String> {
        array(&dependency["dep_kinds"])
            .map(|kind| kind["kind"].as_str().unwrap_or("normal").to_owned())
            .collect()
    };
    nodes
        .map(|node| {
            let on = array(&node["deps"]).filter_map(|dependency| {
                let kinds = kinds(dependency);
                let linked = kinds.iter().any(|kind| kind == "normal");
                let builds = kinds.iter().any(|kind| kind == "build");
                (linked || builds).then(|| (text(dependency, "pkg").to_owned(), linked))
            });
            (text(node, "id").to_owned(), on.collect())
        })
        .collect()
}

/// What is needed from a package on, with or without what only builds.
fn reached(from: &str, needs: &Needs, building: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(id) = open.pop() {
        for (on, linked) in needs.get(&id).into_iter().flatten() {
            if (*linked || building) && !found.contains(on) {
                open.push(on.clone());
            }
        }
        found.insert(id);
    }
    found
}

fn metadata(workspace: &Workspace) -> Result<Value> {
    let target = std::process::Command::new("rustc").arg("-vV").output()?;
    let target = String::from_utf8_lossy(&target.stdout).into_owned();
    let target = target.lines().find_map(|line| line.strip_prefix("host: "));
    let output = workspace
        .cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", target.context("rustc names no host")?])
        .output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).with_context(|| format!("cargo metadata: {words}"))
}

/// The sums of the lock file, by name and version.
fn checksums(workspace: &Workspace) -> Result<BTreeMap<(String, String), String>> {
    let lock: toml::Table = workspace.read("Cargo.lock")?.parse()?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let sums = packages.into_iter().flatten().filter_map(|package| {
        let key = (text(package, "name")?, text(package, "version")?);
        Some((key, text(package, "checksum")?))
    });
    Ok(sums.collect())
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The packages that cargo would build the program of: told by another command than the bill is made by.
    fn built(workspace: &Workspace) -> BTreeSet<(String, String)> {
        let output = workspace
            .cargo()
            .args(["tree", "--locked", "--package", PROGRAM])
            .args(["--edges", "normal,build", "--prefix", "none"])
            .args(["--no-dedupe", "--format", "{p}"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next()?.to_owned();
            Some((name, words.next()?.trim_start_matches('v').to_owned()))
        };
        text.lines().filter_map(line).collect()
    }

    #[test]
    fn every_package_that_the_program_has_is_in_the_bill() {
        let workspace = Workspace::here().unwrap();
        let materials = Materials::of(&workspace).unwrap();
        let bill = materials.cyclonedx();
        let listed: BTreeSet<(String, String)> = array(&bill["components"])
            .chain([&bill["metadata"]["component"]])
            .map(|it| (text(it, "name").to_owned(), text(it, "version").to_owned()))
            .collect();
        let built = built(&workspace);
        assert!(built.len() > 200, "{}", built.len());
        // Cargo's metadata joins what all members ask of a library: a package more may be named, never one less.
        let missing: Vec<_> = built.difference(&listed).collect();
        assert!(missing.is_empty(), "{missing:?}");

        // Each is in the lock file, where those that aren't ours have a sum.
        let lock: toml::Table = workspace.read("Cargo.lock").unwrap().parse().unwrap();
        for package in materials.packages.values() {
            let known = lock["package"].as_array().unwrap().iter().any(|it| {
                it["name"].as_str() == Some(&package.name)
                    && it["version"].as_str() == Some(&package.version)
                    && it.get("checksum").is_some() != package.is_own()
            });
            assert!(known, "{package:?}");
            assert!(!package.licence.is_empty(), "{package:?}");
        }
    }

    #[test]
    fn the_bill_holds_together() {
        let workspace = Workspace::here().unwrap();
        let bill = Materials::of(&workspace).unwrap().cyclonedx();
        let mut known = BTreeSet::from([text(&bill["metadata"]["component"], "bom-ref")]);
        for component in array(&bill["components"]) {
            assert!(known.insert(text(component, "bom-ref")), "{component}");
        }
        for dependency in array(&bill["dependencies"]) {
            assert!(known.contains(text(dependency, "ref")));
            for on in array(&dependency["dependsOn"]) {
                assert!(known.contains(on.as_str().unwrap()), "{on}");
            }
        }
        let scopes = |scope: &str| {
            let all = array(&bill["components"]);
            all.filter(|it| text(it, "scope") == scope).count()
        };
        assert!(scopes("required") > 100 && scopes("excluded") > 0);
    }
}
