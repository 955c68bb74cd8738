//! Tenants, as people name them on the pages of users and of tokens.

use std::collections::BTreeSet;

use maud::{Markup, html};
use tieout_domain::code::Code;
use tieout_domain::{Reach, TenantName};

use super::PageError;

/// The tenants in a field, with commas or spaces between; none for all.
pub(super) fn named(text: &str) -> Result<Vec<TenantName>, PageError> {
    let names = text
        .split([',', ' ', '\n', '\r'])
        .filter(|name| !name.is_empty());
    let read = names.map(|name| {
        let read = name.parse();
        read.map_err(|error| PageError::usage(Code::new("request-malformed"), format!("{error}")))
    });
    read.collect()
}

/// The field for them, with those that connections belong to. Where there are none, nothing.
pub(super) fn field(id: &str, chosen: &[TenantName], known: &BTreeSet<TenantName>) -> Markup {
    if chosen.is_empty() && known.is_empty() {
        return html! {};
    }
    let known: Vec<_> = known.iter().map(TenantName::as_str).collect();
    html! {
        div.field {
            label for=(id) { "Only these tenants" }
            input type="text" id=(id) name="tenants" value=(joined(chosen));
            span.hint { "Nothing for all. There are " (known.join(", ")) "." }
        }
    }
}

/// What somebody limited to these sees; everything if none is named.
pub(super) fn seen(tenants: &[TenantName]) -> String {
    of(&Reach::of(tenants))
}

/// What somebody of this reach sees.
pub(super) fn of(reach: &Reach) -> String {
    match reach {
        Reach::All => "everything".to_owned(),
        Reach::Tenants(tenants) if tenants.is_empty() => "nothing".to_owned(),
        Reach::Tenants(tenants) => {
            let names: Vec<_> = tenants.iter().map(TenantName::as_str).collect();
            format!("only {}", names.join(", "))
        }
    }
}

fn joined(tenants: &[TenantName]) -> String {
    let names: Vec<_> = tenants.iter().map(TenantName::as_str).collect();
    names.join(", ")
}
