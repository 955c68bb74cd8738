//! What a list is narrowed by, and its pages. All of it is in the address, so that a list can be sent to a
//! colleague.

use maud::{Markup, html};

use super::Address;

/// A field of a filter.
pub enum Field<'a> {
    /// Words.
    Text {
        /// Its name in the address.
        name: &'a str,
        /// What people call it.
        label: &'a str,
        /// What it is now.
        value: &'a str,
    },
    /// A day.
    Day {
        /// Its name in the address.
        name: &'a str,
        /// What people call it.
        label: &'a str,
        /// What it is now: `2026-06-12`.
        value: &'a str,
    },
    /// One of several; the first is "any".
    Choice {
        /// Its name in the address.
        name: &'a str,
        /// What people call it.
        label: &'a str,
        /// What it is now.
        value: &'a str,
        /// What there is to choose from.
        choices: Vec<String>,
    },
}

/// The form. Its button's name says what it does.
pub fn filter(action: &Address, fields: &[Field<'_>], button: &str) -> Markup {
    html! {
        form.filter method="get" action=(action) role="search" {
            @for field in fields { (shown(field)) }
            button type="submit" { (button) }
        }
    }
}

fn shown(field: &Field<'_>) -> Markup {
    match field {
        Field::Text { name, label, value } => input("text", name, label, value),
        Field::Day { name, label, value } => input("date", name, label, value),
        Field::Choice {
            name,
            label,
            value,
            choices,
        } => html! {
            div.field {
                label for={ "filter-" (name) } { (label) }
                select id={ "filter-" (name) } name=(name) {
                    option value="" { "any" }
                    @for choice in choices {
                        option value=(choice) selected[choice == value] { (choice) }
                    }
                }
            }
        },
    }
}

fn input(kind: &str, name: &str, label: &str, value: &str) -> Markup {
    html! {
        div.field {
            label for={ "filter-" (name) } { (label) }
            input type=(kind) id={ "filter-" (name) } name=(name) value=(value);
        }
    }
}

/// The way to the first and the next page of a list, where there are any.
pub fn pages(first: Option<&Address>, next: Option<&Address>) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav.pages aria-label="Pages" {
                span { @if let Some(first) = first { a href=(first) { "← To the first page" } } }
                span { @if let Some(next) = next { a href=(next) rel="next" { "Next page →" } } }
            }
        }
    }
}
