//! The fields of a credential in a form. What is typed is held only until it is sealed, and never sent back to the page.

use maud::{Markup, html};
use secrecy::SecretString;
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use super::super::fields::Fields;
use crate::program::CredentialFieldInfo;

/// What stands before a field's name in the form.
const PREFIX: &str = "field.";

/// An input for a field. `place` keeps its id apart from those of other forms of the page.
pub(in crate::pages) fn input(place: &str, field: &CredentialFieldInfo) -> Markup {
    let id = format!("{place}-{}", field.name);
    let name = format!("{PREFIX}{}", field.name);
    html! {
        div.field {
            label for=(id) { (field.label) @if !field.required { " (may be empty)" } }
            @if field.lines {
                textarea id=(id) name=(name) rows="6" required[field.required] autocomplete="off" spellcheck="false" {}
            } @else if field.secret {
                input type="password" id=(id) name=(name) required[field.required] autocomplete="new-password";
            } @else {
                input type="text" id=(id) name=(name) required[field.required] autocomplete="off" spellcheck="false";
            }
        }
    }
}

/// The fields that were sent, as JSON. An empty one that may be left out is left out; what is missing is the program's
/// to say.
pub(in crate::pages) fn sent(known: &[CredentialFieldInfo], fields: &Fields) -> SecretString {
    let mut values = Map::new();
    for (name, text) in fields.with_prefix(PREFIX) {
        let field = known.iter().find(|field| field.name == name);
        let required = field.is_some_and(|field| field.required);
        let text = text.trim();
        if required || !text.is_empty() {
            values.insert(name.to_owned(), Value::from(text));
        }
    }
    let mut values = Value::Object(values);
    let json = SecretString::from(values.to_string());
    if let Value::Object(values) = &mut values {
        for (_, value) in values {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
    json
}
