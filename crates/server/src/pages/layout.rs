//! What all pages have around them.

use maud::{DOCTYPE, Markup, html};

use crate::people::Person;

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
const MENU: [(&str, &str); 7] = [
    ("/", "Overview"),
    ("/exceptions", "Exceptions"),
    ("/records", "Records"),
    ("/mappings", "Mappings"),
    ("/tie-out", "Tie-out"),
    ("/runs", "Runs"),
    ("/audit", "Audit log"),
];

/// A page with its frame.
pub fn page(layout: &Layout<'_>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (layout.title) " · tieout" }
                link rel="stylesheet" href="/assets/style.css";
                script src="/assets/script.js" defer {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    a.brand href="/" { "tieout" }
                    nav aria-label="Main" {
                        @for (address, name) in MENU {
                            a href=(address) aria-current=[(address == layout.place).then_some("page")] { (name) }
                        }
                    }
                    div.who { (layout.person.name) " (" (layout.person.role) ")" }
                }
                main id="content" { h1 { (layout.title) } (content) }
            }
        }
    }
}
