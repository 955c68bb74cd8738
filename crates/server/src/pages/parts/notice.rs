//! What was done, what is wrong, and why there is nothing to see.

use maud::{Markup, html};
use tieout_domain::code::Code;

use super::badge::Tone;

/// A notice above the content.
pub fn notice(tone: Tone, content: &Markup) -> Markup {
    html! { div class={ "notice " (tone.class()) } role="status" { (content) } }
}

/// What was done, after an act has led back to its page: the address carries the word (and a number), never the
/// text, so that nobody's link can put words into the program's mouth. `{n}` in a text stands for the number.
pub fn done(word: Option<&str>, number: Option<u64>, texts: &[(&str, &str)]) -> Markup {
    let text = texts
        .iter()
        .find(|(known, _)| Some(*known) == word)
        .map(|(_, text)| text.replace("{n}", &number.unwrap_or_default().to_string()));
    html! {
        @if let Some(text) = text { (notice(Tone::Good, &html! { p { (text) } })) }
    }
}

/// There is nothing, and why.
pub fn empty(what: &str, why: &str) -> Markup {
    html! { div.empty { strong { (what) } (why) } }
}

/// A text of ours, in which what is between backquotes is typed word for word.
pub fn prose(text: &str) -> Markup {
    html! {
        @for (at, piece) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

/// What to do about a code, and who does it.
pub fn remedy(code: &Code) -> Markup {
    let Some(page) = code.page() else {
        return html! {};
    };
    html! {
        p.remedy { strong { "What to do: " } (prose(&page.fix())) @if !page.who().is_empty() { " (" (page.who()) ")" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_in_our_own_words_alone() {
        let texts = [("ignored", "{n} records are left alone.")];
        let said = |word| done(Some(word), Some(3), &texts).into_string();
        assert!(said("ignored").contains("3 records are left alone."));
        assert_eq!(said("Call 555-0100"), "");
    }

    #[test]
    fn commands_stand_out_and_markup_is_text() {
        assert_eq!(
            prose("run `tieout ping <CONN>`, then wait").into_string(),
            "run <code>tieout ping &lt;CONN&gt;</code>, then wait"
        );
    }
}
