//! The laws about words: the repository stands alone, on any machine.

use std::path::Path;

use anyhow::Result;
use regex::Regex;

use crate::workspace::Workspace;

/// Where every package comes from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Paths that exist on one machine only.
const MACHINES: &str = r"(?:^|[^\w./-])/(?:work|root|home|Users)/[\w.]|(?:^|[^\w./])\.\./shared\b";

/// No path that exists on one machine only.
pub(super) fn machines(workspace: &Workspace) -> Result<Vec<String>> {
    everywhere(workspace, &Regex::new(MACHINES)?)
}

/// No private key: tests make their own.
pub(super) fn private_keys(workspace: &Workspace) -> Result<Vec<String>> {
    everywhere(workspace, &Regex::new(r"BEGIN ([A-Z]+ )?PRIVATE KEY")?)
}

/// Nothing in the lock file comes from anywhere but crates.io, and no configuration turns it elsewhere.
pub(super) fn registries(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for path in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock: toml::Table = workspace.read(path)?.parse()?;
        let packages = lock.get("package").and_then(toml::Value::as_array);
        for package in packages.into_iter().flatten() {
            let source = package.get("source").and_then(toml::Value::as_str);
            if source.is_some_and(|source| source != CRATES_IO) {
                let name = package
                    .get("name")
                    .and_then(toml::Value::as_str)
                    .unwrap_or_default();
                breaches.push(format!("{path}: {name} comes from elsewhere"));
            }
        }
    }
    let configuration: toml::Table = workspace.read(".cargo/config.toml")?.parse()?;
    for key in ["source", "registry", "registries"] {
        if configuration.contains_key(key) {
            breaches.push(format!(
                ".cargo/config.toml: `{key}` turns packages elsewhere"
            ));
        }
    }
    Ok(breaches)
}

/// Every relative link in a page leads to a file.
pub(super) fn links(workspace: &Workspace) -> Result<Vec<String>> {
    let link = Regex::new(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")?;
    let mut breaches = Vec::new();
    for (path, text) in workspace.texts(".md")? {
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let folder = path.parent().unwrap_or(Path::new(""));
            if !workspace.root().join(folder).join(target).exists() {
                breaches.push(format!("{}: {target} doesn't exist", path.display()));
            }
        }
    }
    Ok(breaches)
}

/// Finds a pattern in all text files; those that are others' words aside.
fn everywhere(workspace: &Workspace, pattern: &Regex) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, text) in workspace.texts("")? {
        if path == Path::new("LICENSE") || path.ends_with("laws/words.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = pattern.find(line) {
                let place = format!("{}:{}", path.display(), number + 1);
                found.push(format!("{place}: {}", word.as_str().trim()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_machine_are_told_from_paths_of_a_service() {
        let machines = Regex::new(MACHINES).unwrap();
        for bad in [
            concat!("/", "work/main/x"),
            concat!("see `/", "root/.cargo`"),
            "(/home/someone/a)",
            "../shared/data",
        ] {
            assert!(machines.is_match(bad), "{bad}");
        }
        for good in [
            "https://example.com/home/a",
            "a/work/b",
            "/app/home.nl",
            "/homework/x",
        ] {
            assert!(!machines.is_match(good), "{good}");
        }
    }
}
