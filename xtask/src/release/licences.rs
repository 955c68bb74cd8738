//! The licences of everything in the program, as their authors wrote them: each text once, with the packages that
//! bring it along.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::materials::Materials;

/// How the names of files with a licence begin.
const NAMES: [&str; 5] = ["licen", "copying", "copyright", "notice", "unlicense"];

/// All of them.
pub(super) fn text(materials: &Materials) -> Result<String> {
    let mut packages = String::new();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in materials.packages.values().filter(|it| !it.is_own()) {
        let name = format!("{} {}", package.name, package.version);
        packages.push_str(&format!("{name}: {}\n", package.licence));
        for text in
            of(&package.folder).with_context(|| format!("reading {}", package.folder.display()))?
        {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    let mut all = format!(
        "tieout is built of the packages below. The licence of each is what it names itself; the texts that they\n\
         bring along follow, each once.\n\n{packages}"
    );
    for (text, names) in texts {
        let names: Vec<_> = names.into_iter().collect();
        all.push_str(&format!("\n{}\n{}\n\n", "=".repeat(78), names.join(", ")));
        all.push_str(text.trim_end());
        all.push('\n');
    }
    Ok(all)
}

/// The licences in a package's folder.
fn of(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_lowercase();
        // A licence's name may also be that of a module.
        let is_code = name.ends_with(".rs") || name.ends_with(".toml");
        if path.is_file() && !is_code && NAMES.iter().any(|begins| name.starts_with(begins)) {
            let bytes = fs::read(&path)?;
            texts.push(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
        }
    }
    texts.sort();
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_known_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| fs::write(folder.path().join(name), name).unwrap();
        [
            "LICENSE-MIT",
            "COPYING",
            "licence.txt",
            "license.rs",
            "README.md",
        ]
        .into_iter()
        .for_each(put);
        assert_eq!(
            of(folder.path()).unwrap(),
            ["COPYING", "LICENSE-MIT", "licence.txt"]
        );
    }
}
