//! Before writing to the ledger is switched on: how much the first sync takes, asked about once.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tieout_desk::first_sync::{ALL, YES, words};

use super::super::parts::{self, Address, form};
use super::super::{Layout, PageError, bare_page, plan};
use super::{address, field_name};
use crate::people::Person;
use crate::program::ConnectionInfo;
use crate::view::View;

/// The field that tells what a person answered.
pub(super) const ANSWER: &str = "first-sync";
/// Switch it on, and let what the first sync takes wait.
pub(super) const LATER: &str = "later";

/// Shows how much it is, and asks. Both answers carry along what else was to be changed.
pub(super) async fn question(
    view: &View,
    person: &Person,
    connection: &ConnectionInfo,
    carried: &Markup,
) -> Result<Response, PageError> {
    let extent = view.program.first_sync(&connection.name).await?;
    let yes = field_name(YES);
    let take = html! { (carried) input type="hidden" name=(yes) value=(ALL); };
    let wait = html! { (carried) input type="hidden" name=(ANSWER) value=(LATER); };
    let here = address(connection);
    let content = html! {
        (parts::crumbs(&[
            (Address::connection(&connection.name), connection.name.as_str()),
            (here.clone(), "Preferences"),
        ]))
        h1 { "The first sync to " (connection.ledger) }
        p { "Both sides were read just now. What began on " (connection.platform) " and would be written to " (connection.ledger) ": " strong { (words(&extent)) } "." }
        p { "A day from which on invoices are taken, " code { "receivables.go_live" } ", leaves older ones out. " a href=(plan::address(connection)) { "What a sync would do" } ", record by record." }
        (form::button(person, &here, &take, "Switch it on and take all of it"))
        (form::button(person, &here, &wait, "Switch it on and let it wait"))
        p { a href=(here) { "Leave it switched off" } }
    };
    let layout = Layout {
        title: &format!("{}: the first sync", connection.name),
        person,
        place: "/",
    };
    Ok(bare_page(&layout, &content).into_response())
}
