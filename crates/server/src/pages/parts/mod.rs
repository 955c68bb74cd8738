//! What pages are put together from. Each piece is a function that gives markup, or a small value that can be
//! shown; none of them reads anything.
//!
//! | piece | shows |
//! |---|---|
//! | [`Table`] | rows, and the same as CSV |
//! | [`badge`] | a state, a status: a word with a mark, never a colour alone |
//! | [`amount`] | money |
//! | [`time`] | moments in the company's zone, and how long ago |
//! | [`Address`] | links with what they ask for |
//! | [`form`] | acts: every form carries the person's token |
//! | [`filter`] | what a list is narrowed by, and its pages |
//! | [`notice`] | what was done, what is wrong, why there is nothing |
//! | [`chart`] | bars over days |

mod address;
pub mod amount;
pub mod badge;
pub mod chart;
pub mod filter;
pub mod form;
pub mod notice;
mod table;
pub mod time;

pub use address::Address;
pub use table::{Cell, Column, Table, csv_asked};

use maud::{Markup, html};

/// Names and what they are, one under the other. What is empty is left out by whoever makes them.
pub fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, Markup)>) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in facts { dt { (name) } dd { (value) } }
        }
    }
}

/// Neighbouring pages: address, name, and whether it is this one.
pub fn tabs(label: &str, tabs: &[(Address, &str, bool)]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            @for (address, name, here) in tabs {
                a href=(address) aria-current=[here.then_some("page")] { (name) }
            }
        }
    }
}

/// The way back up: address and name, the outermost first.
pub fn crumbs(steps: &[(Address, &str)]) -> Markup {
    html! {
        nav.crumbs aria-label="Where this is" {
            @for (address, name) in steps { a href=(address) { (name) } " › " }
        }
    }
}
