//! The law about codes: every failure that a person can see has a code, every code has a page that says
//! what it means, its causes and the fix, and no page is about a code that nothing uses.

use std::collections::BTreeMap;

use anyhow::Result;
use regex::Regex;

use super::sources::{is_test, without_tests};
use crate::workspace::Workspace;

/// The folder of the pages.
pub(crate) const PAGES: &str = "docs/errors/";

/// The headings of a page, in their order.
const HEADINGS: [&str; 3] = ["## Means", "## Causes", "## Fix"];

/// Codes without a page, pages without a code, pages that aren't formed as they should be.
pub(super) fn pages(workspace: &Workspace) -> Result<Vec<String>> {
    let used = used(workspace)?;
    let mut pages = BTreeMap::new();
    for (path, text) in workspace.texts(".md")? {
        let name = path.to_string_lossy().replace('\\', "/");
        if let Some(code) = name
            .strip_prefix(PAGES)
            .and_then(|name| name.strip_suffix(".md"))
            && code != "README"
        {
            pages.insert(code.to_owned(), text);
        }
    }
    let mut breaches = Vec::new();
    for (code, place) in &used {
        if !pages.contains_key(code) {
            breaches.push(format!("{place}: `{code}` has no page {PAGES}{code}.md"));
        }
    }
    for (code, text) in &pages {
        if !used.contains_key(code) {
            breaches.push(format!("{PAGES}{code}.md: nothing uses this code"));
        }
        if let Some(fault) = malformed(code, text) {
            breaches.push(format!("{PAGES}{code}.md: {fault}"));
        }
    }
    Ok(breaches)
}

/// The codes that the program uses, with the first place of each.
fn used(workspace: &Workspace) -> Result<BTreeMap<String, String>> {
    let literal = Regex::new(r#"\bCode::new\(\s*"([^"]+)""#)?;
    let mut used = BTreeMap::new();
    for (path, text) in workspace.texts(".rs")? {
        if path.starts_with("xtask") || is_test(&path) {
            continue;
        }
        for found in literal.captures_iter(&code_of(without_tests(&text))) {
            used.entry(found[1].to_owned())
                .or_insert_with(|| path.display().to_string());
        }
    }
    Ok(used)
}

fn code_of(text: &str) -> String {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// What is wrong with a page's form.
fn malformed(code: &str, text: &str) -> Option<String> {
    let name = Regex::new("^[a-z0-9]+(-[a-z0-9]+)*$").ok()?;
    if !name.is_match(code) {
        return Some("a code is lower-case words joined by `-`".to_owned());
    }
    let heading = format!("# {code}: ");
    if text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix(&heading))
        .is_none_or(str::is_empty)
    {
        return Some(format!("its first line must read `{heading}…`"));
    }
    if !text.lines().any(|line| {
        line.strip_prefix("Who: ")
            .is_some_and(|who| !who.is_empty())
    }) {
        return Some("no line says who can put it right (`Who: …`)".to_owned());
    }
    let found: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("## "))
        .collect();
    if found.iter().take(3).ne(HEADINGS.iter()) {
        return Some(format!("its headings must be {}", HEADINGS.join(", ")));
    }
    let mut sections = text.split("\n## ").skip(1);
    sections.find_map(|section| {
        let (title, body) = section.split_once('\n').unwrap_or((section, ""));
        body.trim()
            .is_empty()
            .then(|| format!("nothing stands under `{title}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "# a-b: it broke\n\nWho: you\n\n## Means\n\nx\n\n## Causes\n\ny\n\n## Fix\n\nz\n";

    #[test]
    fn a_good_page_passes() {
        assert_eq!(malformed("a-b", GOOD), None);
    }

    #[test]
    fn a_page_without_a_fix_doesnt() {
        assert!(malformed("a-b", &GOOD.replace("z\n", "")).is_some());
        assert!(malformed("a-b", &GOOD.replace("## Fix", "## Repair")).is_some());
        assert!(malformed("a-c", GOOD).is_some());
        assert!(malformed("a-b", &GOOD.replace("Who: you", "")).is_some());
    }
}
