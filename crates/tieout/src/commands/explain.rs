//! `tieout explain CODE`: what a code means, its causes, and the fix.

use clap::Args;
use serde_json::json;
use tieout_domain::code::{Code, Page};

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::output;
use tieout_desk::search;

/// What `explain` takes.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, as it was shown: unmapped-account, or BLOCKED(unmapped-account); or the words of a message
    /// of NetSuite, BILL or another sync. All codes if not given.
    #[arg(value_name = "CODE")]
    pub words: Vec<String>,
}

/// Prints the page of a code, or the list of all.
pub fn run(global: &Global, args: &ExplainArgs) -> Result<Exit, Failure> {
    if args.words.is_empty() {
        return Ok(list(global));
    }
    let asked = &args.words.join(" ");
    let name = plain(asked);
    let code = Code::from_text(name.clone());
    let Some(page) = code.page() else {
        let found = search::pages(asked);
        if found.is_empty() {
            return Err(unknown(asked, &name));
        }
        causes(global, &found);
        return Ok(Exit::Done);
    };
    if global.json {
        output::json(&json!({
            "code": code, "title": page.title(), "who": page.who(), "fix": page.fix(),
            "text": page.text(),
        }));
    } else {
        output::line(page.text().trim_end());
    }
    Ok(Exit::Done)
}

/// Lists what may be behind a message, the likeliest first.
fn causes(global: &Global, found: &[&'static str]) {
    let pages: Vec<_> = found
        .iter()
        .filter_map(|name| Some((*name, Code::from_text(*name).page()?)))
        .collect();
    if global.json {
        let codes: Vec<_> = pages
            .iter()
            .map(|(name, page)| {
                json!({"code": name, "title": page.title(), "who": page.who(), "fix": page.fix()})
            })
            .collect();
        output::json(&json!({ "codes": codes }));
        return;
    }
    output::line("This may be behind it; `tieout explain CODE` says more:");
    for (name, page) in pages {
        output::line(&format!(
            "\n{name}: {}\n  fix: {}",
            page.title(),
            page.fix()
        ));
    }
}

/// The code's own name, out of what people copy: `error[x]`, `BLOCKED(x)`, capitals.
fn plain(asked: &str) -> String {
    let inner = asked
        .split_once(['(', '['])
        .map_or(asked, |(_, rest)| rest.trim_end_matches([')', ']', ':']));
    inner.trim().to_ascii_lowercase().replace('_', "-")
}

fn unknown(asked: &str, name: &str) -> Failure {
    let mut near: Vec<_> = Page::names()
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .collect();
    near.sort_unstable();
    let near: Vec<_> = near.into_iter().take(3).map(|(_, known)| known).collect();
    let cause = format!("`{asked}` is no code; the nearest are {}", near.join(", "));
    Failure::usage(Code::new("unknown-code"), cause)
}

fn list(global: &Global) -> Exit {
    let pages: Vec<_> = Page::names()
        .into_iter()
        .filter_map(|name| Some((name, Code::from_text(name).page()?)))
        .collect();
    if global.json {
        let codes: Vec<_> = pages
            .iter()
            .map(|(name, page)| json!({"code": name, "title": page.title(), "who": page.who()}))
            .collect();
        output::json(&json!({ "codes": codes }));
    } else {
        let rows = pages
            .iter()
            .map(|(name, page)| vec![(*name).to_owned(), page.title().to_owned()])
            .collect();
        output::line(&output::table(&["code", "means"], rows, &[]));
    }
    Exit::Done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_was_copied() {
        for asked in [
            "zero",
            "ZERO",
            "SKIPPED(zero)",
            "error[zero]",
            "error[zero]:",
        ] {
            assert_eq!(plain(asked), "zero", "{asked}");
        }
    }
}
