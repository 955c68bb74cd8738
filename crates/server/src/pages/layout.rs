//! What all pages have around them.

use maud::{DOCTYPE, Markup, html};

use super::parts::form;
use crate::people::{Person, Role};

/// What a page says of itself.
pub struct Layout<'a> {
    /// The title, without the program's name.
    pub title: &'a str,
    /// Who looks at it.
    pub person: &'a Person,
    /// Which part of the menu it belongs to, by address: `/exceptions`.
    pub place: &'a str,
}

/// The menu: address and name.
const MENU: [(&str, &str); 8] = [
    ("/", "Overview"),
    ("/exceptions", "Exceptions"),
    ("/records", "Records"),
    ("/mappings", "Mappings"),
    ("/tie-out", "Tie-out"),
    ("/runs", "Runs"),
    ("/audit", "Audit log"),
    ("/approvals", "Approvals"),
];

/// A page with its frame, its title as the heading.
pub fn page(layout: &Layout<'_>, content: &Markup) -> Markup {
    let heading = html! { h1 { (layout.title) } };
    bare_page(layout, &html! { (heading) (content) })
}

/// A page that is found under others: the way back up, and its title as the heading.
pub fn page_under(way: &Markup, layout: &Layout<'_>, content: &Markup) -> Markup {
    let heading = html! { (way) h1 { (layout.title) } };
    bare_page(layout, &html! { (heading) (content) })
}

/// A page with its frame, whose content brings its own heading.
pub fn bare_page(layout: &Layout<'_>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(layout.title))
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    a.brand href="/" { img src="/assets/logo.svg" alt="" width="28" height="28"; "tieout" }
                    nav aria-label="Main" {
                        @for (address, name) in MENU {
                            a href=(address) aria-current=[(address == layout.place).then_some("page")] { (name) }
                        }
                    }
                    form.find method="get" action="/records" role="search" aria-label="All records" {
                        input type="search" name="q" placeholder="Number, name or id" aria-label="Find a record by number, name or id" title="Press / to come here";
                    }
                    div.who {
                        @if layout.person.may(Role::Admin) && !layout.person.reach.is_limited() { a href="/users" { "Users" } }
                        a href="/account" { (layout.person.name) ", " (layout.person.role) }
                        form method="post" action="/sign-out" { (form::token(layout.person)) button type="submit" { "Sign out" } }
                    }
                }
                main id="content" tabindex="-1" { (content) }
                footer.foot { "tieout " (env!("CARGO_PKG_VERSION")) ". NetSuite keeps the books, the platform moves the money." }
            }
        }
    }
}

/// The head of every page, signed in or not.
pub(super) fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · tieout" }
            link rel="icon" type="image/svg+xml" href="/assets/logo.svg";
            link rel="stylesheet" href="/assets/style.css";
            script src="/assets/script.js" defer {}
        }
    }
}

/// A page for somebody who isn't signed in: no menu, one thing to do.
pub fn plain_page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body {
                header.top { a.brand href="/" { img src="/assets/logo.svg" alt="" width="28" height="28"; "tieout" } }
                main id="content" { h1 { (title) } (content) }
            }
        }
    }
}
