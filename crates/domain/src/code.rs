//! Codes: every failure and every reason that a person can see has one, and each has a page under
//! `docs/errors`, which is built into the program. `tieout explain CODE` prints it.

use std::borrow::Cow;
use std::fmt;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

static PAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../docs/errors");

/// A code: lower-case words joined by `-`, such as `unmapped-account`.
///
/// Write it as `Code::new("…")` with the literal in place: a test looks for these literals and holds them
/// against the pages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(Cow<'static, str>);

impl Code {
    /// The code of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A code read back from the store or typed by a person.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(Cow::Owned(text.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its page, if there is one.
    #[must_use]
    pub fn page(&self) -> Option<Page> {
        let file = PAGES.get_file(format!("{}.md", self.0))?;
        Some(Page {
            text: file.contents_utf8()?,
        })
    }

    /// What to do next: the page's first paragraph under `## Fix`, in one line. Empty without a page.
    #[must_use]
    pub fn fix(&self) -> String {
        self.page().map(Page::fix).unwrap_or_default()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The page of a code, in Markdown:
///
/// ```text
/// # unmapped-account: an account has no counterpart
///
/// Who: whoever keeps the account mapping
///
/// ## Means
/// ## Causes
/// ## Fix
/// ```
///
/// and, where people come with somebody else's words, `## Also seen as` with one message a line.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    text: &'static str,
}

impl Page {
    /// The names of all pages, sorted.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<_> = PAGES
            .files()
            .filter_map(|file| file.path().file_name()?.to_str()?.strip_suffix(".md"))
            .filter(|name| *name != "README")
            .collect();
        names.sort_unstable();
        names
    }

    /// The whole page.
    #[must_use]
    pub fn text(self) -> &'static str {
        self.text
    }

    /// What follows the code in the heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        let heading = self.text.lines().next().unwrap_or_default();
        heading.split_once(": ").map_or(heading, |(_, title)| title)
    }

    /// Who can put it right.
    #[must_use]
    pub fn who(self) -> &'static str {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix("Who: "))
            .unwrap_or_default()
    }

    /// The words of others that lead here: messages of the services and of other programs.
    pub fn also_seen_as(self) -> impl Iterator<Item = &'static str> {
        self.text
            .split_once("\n## Also seen as\n")
            .map_or("", |(_, rest)| rest)
            .lines()
            .filter_map(|line| line.strip_prefix("- "))
    }

    /// The first paragraph under `## Fix`, in one line and without the marks of emphasis.
    #[must_use]
    pub fn fix(self) -> String {
        let fix = self
            .text
            .split_once("\n## Fix\n")
            .map_or("", |(_, rest)| rest.trim_start());
        let paragraph = fix.split("\n\n").next().unwrap_or_default();
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        without_emphasis(&line)
    }
}

/// A text without its asterisks, apart from those in code.
fn without_emphasis(text: &str) -> String {
    let mut parts = text.split('`').enumerate();
    let plain = parts.by_ref().map(|(nth, part)| match nth % 2 {
        0 => part.replace('*', ""),
        _ => part.to_owned(),
    });
    plain.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_is_told_without_the_marks_of_emphasis() {
        let text = "Choose them on *Set Up Accounts*, or set `*:USD=1000`.";
        let told = "Choose them on Set Up Accounts, or set `*:USD=1000`.";
        assert_eq!(without_emphasis(text), told);
    }
}
