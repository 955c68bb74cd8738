//! A side: which account, how tieout signs in, and which part of the account.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use tieout_desk::DeskError;
use tieout_domain::ConnectionName;

use super::super::PageError;
use super::super::credentials::{entry, guide, renew};
use super::super::parts::badge::{Tone, badge};
use super::super::parts::{Address, facts, form, notice};
use super::{act_address, connects, named};
use crate::people::{Person, Role};
use crate::program::{ConnectChoices, ConnectSide, CredentialKindInfo};
use crate::view::View;

/// The name of the field that tells which side a form is of.
pub(super) const SYSTEM: &str = "system";

/// What stands before a setting's name in the form.
pub(super) const SETTING: &str = "setting.";

/// Shows a side, and tells whether it lets us in and nothing is left to choose.
pub(super) async fn show(
    view: &View,
    person: &Person,
    name: &ConnectionName,
    side: &ConnectSide,
) -> (bool, Markup) {
    let (is_in, rest) = match &side.understood {
        Err(_) => (false, settings(person, name, side)),
        Ok(follows) => {
            let (is_in, rest) = signing_in(view, person, name, side).await;
            let change = settings(person, name, side);
            let told = html! {
                (facts(follows.iter().map(|(label, value)| (*label, html! { (value) }))))
                details.act { summary { "Another account" } (change) }
                (rest)
            };
            (is_in, told)
        }
    };
    let content = html! {
        section.panel id=(side.system) {
            div.head { h2 { (side.title) } @if is_in { (badge(Tone::Good, "lets us in")) } }
            (rest)
        }
    };
    (is_in, content)
}

fn hidden(person: &Person, side: &ConnectSide) -> Markup {
    html! { (form::token(person)) input type="hidden" name=(SYSTEM) value=(side.system); }
}

/// What a side needs before anybody can sign in.
fn settings(person: &Person, name: &ConnectionName, side: &ConnectSide) -> Markup {
    let given = side
        .settings
        .iter()
        .any(|setting| !setting.value.is_empty());
    html! {
        @if let (Err(why), true) = (&side.understood, given) { (notice::notice(Tone::Bad, &html! { p { (why) } })) }
        form method="post" action=(act_address(name, "settings")) {
            (hidden(person, side))
            @for setting in &side.settings {
                @let id = format!("{}-{}", side.system, setting.name);
                @let help = format!("{id}-help");
                div.field {
                    label for=(id) { (setting.label) }
                    input type="text" id=(id) name={ (SETTING) (setting.name) } value=(setting.value) required autocomplete="off" spellcheck="false" aria-describedby=(help);
                    span.hint id=(help) { (notice::prose(setting.help)) }
                }
            }
            button.main type="submit" { "Go on" }
        }
    }
}

/// The credential, and what it opens.
async fn signing_in(
    view: &View,
    person: &Person,
    name: &ConnectionName,
    side: &ConnectSide,
) -> (bool, Markup) {
    let Some(credential) = &side.credential else {
        return (false, credentials(person, name, side));
    };
    let looked = match connects(view) {
        Ok(connects) => connects.choices(name, side.system).await,
        // Without it there would be no such page.
        Err(_) => return (false, html! {}),
    };
    let another = html! {
        form method="post" action=(act_address(name, "credential")) {
            (hidden(person, side))
            button type="submit" { "Use another credential" }
        }
    };
    let (is_in, told) = match looked {
        Ok(listed) => part(person, name, side, &listed),
        Err(error) => (false, refused(&error)),
    };
    let content = html! {
        p { "Signs in with the sealed credential " code { (credential) } "." }
        (told)
        (another)
    };
    (is_in, content)
}

fn refused(error: &DeskError) -> Markup {
    notice::notice(
        Tone::Bad,
        &html! { p { (error.cause) } (notice::remedy(&error.code)) },
    )
}

/// What the account calls itself: who connects confirms that it is the one that is meant.
fn identity(listed: &ConnectChoices) -> Markup {
    let lines = listed.identity.iter();
    html! {
        @if !listed.identity.is_empty() {
            (facts(lines.map(|(label, value)| (label.as_str(), html! { (value) }))))
        }
    }
}

/// Which part of the account, where it has parts.
fn part(
    person: &Person,
    name: &ConnectionName,
    side: &ConnectSide,
    listed: &ConnectChoices,
) -> (bool, Markup) {
    let Some(first) = listed.choices.first() else {
        let told = html! {
            (identity(listed))
            p.soft { "The account has no parts to choose from." }
        };
        return (true, told);
    };
    let id = format!("{}-{}", side.system, first.setting);
    let content = html! {
        (identity(listed))
        form method="post" action=(act_address(name, "choose")) {
            (hidden(person, side))
            div.field {
                label for=(id) { "Which " (first.setting) }
                select id=(id) name="value" {
                    @for choice in &listed.choices {
                        option value=(choice.value) selected[listed.chosen.as_ref() == Some(&choice.value)] { (choice.name) " (" (choice.value) ")" }
                    }
                }
            }
            @if listed.chosen.is_some() { button type="submit" { "Choose another" } }
            @else { button.main type="submit" { "Choose" } }
        }
    };
    (listed.chosen.is_some(), content)
}

/// Which credential: one that is sealed already, or a new one of any kind.
fn credentials(person: &Person, name: &ConnectionName, side: &ConnectSide) -> Markup {
    let id = format!("{}-credential", side.system);
    html! {
        @if !side.fitting.is_empty() {
            form method="post" action=(act_address(name, "credential")) {
                (hidden(person, side))
                div.field {
                    label for=(id) { "A credential that is sealed already" }
                    select id=(id) name="credential" { @for one in &side.fitting { option value=(one) { (one) } } }
                }
                button type="submit" { "Sign in with it" }
            }
        }
        @for (at, kind) in side.kinds.iter().enumerate() {
            details open[at == 0 && side.fitting.is_empty()] {
                summary { "A new " code { (kind.name) } @if at == 0 && side.kinds.len() > 1 { ", the best kind" } }
                (new(person, name, side, kind))
            }
        }
    }
}

/// A new credential: how a person comes by one, and its fields.
fn new(
    person: &Person,
    name: &ConnectionName,
    side: &ConnectSide,
    kind: &CredentialKindInfo,
) -> Markup {
    let place = kind.name;
    let made = side.certificate.as_ref().filter(|(of, _)| *of == kind.name);
    let has_key = kind.fields.iter().any(|field| field.lines);
    // What the key pair brings along isn't asked for.
    let asked = kind
        .fields
        .iter()
        .filter(|field| made.is_none() || !(field.lines || field.name == "expires"));
    html! {
        @for guide in kind.guides.iter().filter(|guide| !guide.renewal) { (guide::list(&guide.steps)) }
        @if let Some((_, text)) = made {
            (renew::pem(text, &Address::of(["connect", name.as_str(), "certificate", side.system])))
        } @else if has_key {
            form method="post" action=(act_address(name, "key")) {
                (hidden(person, side))
                input type="hidden" name="kind" value=(kind.name);
                button type="submit" { "Make a key pair and its certificate here" }
            }
            p.soft { "Or bring your own:" }
        }
        form method="post" action=(act_address(name, "enter")) autocomplete="off" {
            (hidden(person, side))
            input type="hidden" name="kind" value=(kind.name);
            @for field in asked { (entry::input(place, field)) }
            button.main type="submit" { "Seal it and sign in" }
        }
    }
}

/// The certificate to upload, as a file.
pub(super) async fn file(
    view: View,
    person: Person,
    Path((name, system)): Path<(String, String)>,
) -> Result<Response, PageError> {
    person.must(Role::Admin)?;
    let standing = connects(&view)?.standing(&named(&name)?).await?;
    let sides = standing.map(|standing| standing.sides);
    let mut sides = sides.into_iter().flatten();
    let side = sides.find(|side| side.system == system);
    let (_, text) = side
        .and_then(|side| side.certificate)
        .ok_or(PageError::Missing)?;
    Ok(renew::pem_file("certificate", text))
}
