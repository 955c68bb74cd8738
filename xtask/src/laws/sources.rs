//! The laws about sources.

use std::path::Path;

use anyhow::Result;
use regex::Regex;

use crate::workspace::Workspace;

/// No file is longer than this, its tests aside.
const LINES_MAX: usize = 700;

/// A file longer than this is pointed out.
const LINES_AIM: usize = 500;

/// Where a clock may be read: the command line's seam, the fakes' own clock, the moment by which a fake judges
/// signatures, which real services judge by the wall clock too, and where a developer is told how long it took.
const CLOCKS: [&str; 4] = [
    "crates/sim/src/main.rs",
    "crates/tieout/src/seams.rs",
    "systems/kit/src/fake/clock.rs",
    "systems/netsuite/fake/src/options.rs",
];

/// Where chance may enter.
const CHANCE: [&str; 3] = ["crates/tieout/src/", "systems/kit/src/seams.rs", "xtask/"];

/// Where amounts are reckoned or kept.
const MONEY: [&str; 3] = ["crates/domain/", "crates/flows/", "crates/store/"];

/// Nothing reads a clock of its own.
pub(super) fn time(workspace: &Workspace) -> Result<Vec<String>> {
    let clocks = Regex::new(r"\b(SystemTime|Timestamp|Instant|Zoned|Utc|Local)::now\b")?;
    find(workspace, &clocks, |path| {
        !CLOCKS.contains(&path) && !path.starts_with("xtask/")
    })
}

/// Nothing draws a random number or identifier of its own.
pub(super) fn chance(workspace: &Workspace) -> Result<Vec<String>> {
    let chance = Regex::new(r"\b(Uuid::(new_v4|now_v7)|thread_rng|rand::rng|from_os_rng)\b")?;
    find(workspace, &chance, |path| {
        !CHANCE.iter().any(|place| path.starts_with(place))
    })
}

/// No binary float where amounts are reckoned, and none is taken out of JSON anywhere.
pub(super) fn floats(workspace: &Workspace) -> Result<Vec<String>> {
    let float = Regex::new(r"\b(f64|f32)\b")?;
    let mut found = find(workspace, &float, |path| {
        MONEY.iter().any(|place| path.starts_with(place))
    })?;
    let taken = Regex::new(r"\.as_f64\(|from_f64|to_f64\(|from_f64_retain")?;
    found.extend(find(workspace, &taken, |path| !path.starts_with("xtask/"))?);
    Ok(found)
}

/// What a page or an operation is handed is cut to its person's reach: none of them takes the whole app.
pub(super) fn views(workspace: &Workspace) -> Result<Vec<String>> {
    let whole = Regex::new(r"State<App>|: &?App\b|\bapp\.(store|program)\b")?;
    let faces = ["crates/server/src/pages/", "crates/server/src/api/"];
    find(workspace, &whole, |path| {
        // The API's router is put together of all of it.
        let router = path == "crates/server/src/api/mod.rs";
        !router && faces.iter().any(|face| path.starts_with(face))
    })
}

/// No placeholder, no test that is switched off, no lint on unsafe code lifted.
pub(super) fn unfinished(workspace: &Workspace) -> Result<Vec<String>> {
    let marks = Regex::new(concat!(
        r"\b(to",
        r"do|unimple",
        r"mented|db",
        r"g)!\(|#\[ig",
        r"nore|allow\(unsafe_co",
        r"de"
    ))?;
    let mut found = Vec::new();
    for (path, text) in workspace.texts(".rs")? {
        found.extend(matches(&path, &text, &marks));
    }
    Ok(found)
}

/// No file is too long.
pub(super) fn lengths(workspace: &Workspace) -> Result<Vec<String>> {
    Ok(longer_than(workspace, LINES_MAX)?
        .into_iter()
        .map(|(path, lines)| {
            format!("{path}: {lines} lines without its tests; {LINES_MAX} is the most")
        })
        .collect())
}

/// Files that are longer than they should be, though not too long.
pub(super) fn long_files(workspace: &Workspace) -> Result<Vec<String>> {
    Ok(longer_than(workspace, LINES_AIM)?
        .into_iter()
        .filter(|(_, lines)| *lines <= LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines; {LINES_AIM} is the aim"))
        .collect())
}

fn longer_than(workspace: &Workspace, most: usize) -> Result<Vec<(String, usize)>> {
    let mut long = Vec::new();
    for (path, text) in workspace.texts(".rs")? {
        let lines = without_tests(&text).lines().count();
        if lines > most && !is_test(&path) {
            long.push((path.display().to_string(), lines));
        }
    }
    Ok(long)
}

/// Finds a pattern in the code (not in comments, not in tests) of the files of these paths.
fn find(
    workspace: &Workspace,
    pattern: &Regex,
    applies: impl Fn(&str) -> bool,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, text) in workspace.texts(".rs")? {
        let name = path.to_string_lossy().replace('\\', "/");
        if applies(&name) && !is_test(&path) {
            found.extend(matches(&path, without_tests(&text), pattern));
        }
    }
    Ok(found)
}

fn matches(path: &Path, text: &str, pattern: &Regex) -> Vec<String> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter_map(|(number, line)| Some((number, pattern.find(line)?)))
        .map(|(number, found)| format!("{}:{}: {}", path.display(), number + 1, found.as_str()))
        .collect()
}

/// Whether a file holds nothing but tests, or an example that measures.
pub(super) fn is_test(path: &Path) -> bool {
    let in_tests = path
        .components()
        .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "examples");
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    in_tests || stem == "tests" || stem.ends_with("_tests") || stem == "testing"
}

/// A file's text up to its tests, which stand at its end.
pub(super) fn without_tests(text: &str) -> &str {
    let mut from = 0;
    while let Some(at) = text[from..].find("\n#[cfg(test)]\n") {
        let mark = from + at + 1;
        let item = text[mark..].split_once('\n').map_or("", |(_, rest)| rest);
        // A module with a body; one that lies in a file of its own is no end.
        if item
            .lines()
            .find(|line| !line.starts_with("#["))
            .is_some_and(|line| line.ends_with('{'))
        {
            return &text[..mark];
        }
        from = mark;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_where_the_tests_begin() {
        let text =
            "fn a() {}\n\n#[cfg(test)]\nmod far;\n\nfn b() {}\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert!(without_tests(text).contains("fn b"));
        assert!(!without_tests(text).contains("mod tests"));
    }

    #[test]
    fn comments_are_no_code() {
        let pattern = Regex::new("Instant::now").unwrap();
        let text = "// Instant::now\n/// Instant::now\nlet a = Instant::now();\n";
        assert_eq!(
            matches(Path::new("a.rs"), text, &pattern),
            ["a.rs:3: Instant::now"]
        );
    }
}
