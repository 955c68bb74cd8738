//! Acts. Every form that changes something is sent with `POST`, carries the person's token, and leads back to a
//! page that says what was done.

use maud::{Markup, html};

use super::Address;
use crate::people::Person;

/// The field in which a form brings the person's token along.
pub const TOKEN: &str = "form_token";

/// A form with one button.
pub fn button(person: &Person, action: &Address, content: &Markup, label: &str) -> Markup {
    html! {
        form method="post" action=(action) { (token(person)) (content) button type="submit" { (label) } }
    }
}

/// An act that is unfolded first: what it means, its fields, and its button. Works without a script.
pub struct Act<'a> {
    /// What it is called, on what unfolds it and on its button.
    pub name: &'a str,
    /// What it does, in a sentence.
    pub means: &'a str,
    /// Where it is sent.
    pub action: Address,
    /// What it asks for.
    pub fields: Markup,
    /// Whether it stops something or can't be taken back.
    pub danger: bool,
}

/// Shows it.
pub fn act(person: &Person, act: &Act<'_>) -> Markup {
    html! {
        details.act {
            summary { (act.name) }
            form method="post" action=(act.action) {
                (token(person))
                @if !act.means.is_empty() { p { (act.means) } }
                (act.fields)
                button.main[!act.danger].danger[act.danger] type="submit" { (act.name) }
            }
        }
    }
}

/// The hidden field with the person's token.
pub fn token(person: &Person) -> Markup {
    html! { input type="hidden" name=(TOKEN) value=(person.form_token); }
}

/// A line of text. `id` is unique on the page.
pub fn text(id: &str, name: &str, label: &str, value: &str, required: bool) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            input type="text" id=(id) name=(name) value=(value) required[required] autocomplete="off";
        }
    }
}

/// Why: part of the history. `id` is unique on the page.
pub fn reason(id: &str, required: bool) -> Markup {
    html! {
        div.field {
            label for=(id) { "Reason" @if !required { " (may be empty)" } }
            textarea id=(id) name="reason" required[required] maxlength="1000" {}
            span.hint { "Becomes part of the history, with your name." }
        }
    }
}

/// A box to check.
pub fn check(name: &str, value: &str, label: &str, checked: bool) -> Markup {
    html! {
        label.check { input type="checkbox" name=(name) value=(value) checked[checked]; (label) }
    }
}
