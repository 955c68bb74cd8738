//! Mail: what is said of what happened, in plain text and in simple HTML, with the link to where it is put right.
//!
//! Words from outside, a vendor's name in a cause for one, are escaped in the HTML and can't reach a header: a
//! subject is one line of printable characters, whatever is put into it.

use maud::{DOCTYPE, html};
use serde::{Deserialize, Serialize};
use tieout_domain::Money;

use crate::notices::Happened;

mod words;

/// How long a subject may be.
const SUBJECT_MAX: usize = 150;

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// One line.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl Said {
    /// As the outbox keeps it.
    #[must_use]
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Read back from the outbox.
    ///
    /// # Errors
    /// In words, if it is none.
    pub fn of_body(body: &str) -> Result<Self, String> {
        serde_json::from_str(body).map_err(|error| format!("this is no mail: {error}"))
    }
}

/// What is said of something that happened.
#[must_use]
pub fn said(happened: &Happened, public_url: Option<&str>) -> Said {
    let words = words::of(happened);
    let link = public_url.map(|url| format!("{url}{}", happened.page()));
    let mut text = words.paragraphs.join("\n\n");
    if let Some(link) = &link {
        text.push_str(&format!("\n\n{}: {link}", words.link));
    }
    text.push_str("\n\n-- \ntieout. Who gets this is the preference miscellaneous.notify.\n");
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            body {
                @for paragraph in &words.paragraphs { p { (paragraph) } }
                @if let Some(link) = &link { p { a href=(link) { (words.link) } } }
                p { small { "tieout. Who gets this is the preference miscellaneous.notify." } }
            }
        }
    };
    Said {
        subject: one_line(&words.subject),
        text,
        html: html.into_string(),
    }
}

/// Text that can stand in a header: no control characters, no line breaks of any kind, not too long.
#[must_use]
pub fn one_line(text: &str) -> String {
    let plain = text.chars().map(|c| {
        let breaks = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}');
        if breaks { ' ' } else { c }
    });
    let text: String = plain.collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(SUBJECT_MAX).collect()
}

/// Amounts for people.
fn money(amounts: &[Money]) -> String {
    let all: Vec<String> = amounts.iter().map(ToString::to_string).collect();
    all.join(" and ")
}
