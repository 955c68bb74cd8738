//! Who signed a month, who can sign next, and what has changed since.

use maud::{Markup, html};
use tieout_desk::tie_out::Made;
use tieout_desk::tie_out::drift::{self, Drift};
use tieout_desk::tie_out::sign_off::{Role as As, Signed};
use tieout_domain::ConnectionName;
use tieout_flows::tie_out::Status;

use super::super::PageError;
use super::super::parts::badge::Tone;
use super::super::parts::{Address, Cell, Column, Table, amount, form, notice, time};
use super::address;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// The field that tells which report a reviewer has read, by its SHA-256.
pub(super) const READ: &str = "sha256";

/// The signatures of the month, and the forms to sign.
pub(super) fn show(
    person: &Person,
    connection: &ConnectionInfo,
    made: &Made,
    signed: &[Signed],
) -> Markup {
    let currency = made.report.currency.to_string();
    let own: Vec<_> = signed
        .iter()
        .filter(|one| one.currency == currency)
        .collect();
    let prepared = own
        .iter()
        .rev()
        .find(|one| one.signature.role == As::Preparer.as_str());
    let reviewed = own.iter().rev().find(|one| {
        let same = |prepared: &&&Signed| prepared.signature.sha256 == one.signature.sha256;
        one.signature.role == As::Reviewer.as_str() && prepared.as_ref().is_some_and(same)
    });
    html! {
        section.signatures {
            h2 { "Signatures" }
            (signature(connection, "Preparer", prepared.copied()))
            (signature(connection, "Reviewer", reviewed.copied()))
            @if !person.may(Role::Approver) { p.soft { "Signing takes the role of an approver." } }
            @else {
                @if let (Some(prepared), None) = (prepared, reviewed) { (review(person, connection, prepared)) }
                (prepare(person, connection, made, prepared.is_some()))
            }
        }
    }
}

fn signature(connection: &ConnectionInfo, role: &str, signed: Option<&Signed>) -> Markup {
    html! {
        p {
            strong { (role) } ": "
            @if let Some(one) = signed {
                (one.signature.who) ", " (time::moment(one.signature.at, &connection.time_zone))
                @if !one.signature.comment.is_empty() { ": " (one.signature.comment) }
                ". "
                a href=(address(&connection.name, &one.period, &one.currency).with("signed", "yes")) { "What was signed" }
                " " code { (one.signature.sha256) }
            } @else { span.soft { "nobody yet" } }
        }
    }
}

fn review(person: &Person, connection: &ConnectionInfo, prepared: &Signed) -> Markup {
    if prepared.signature.who == person.actor() {
        return html! { p.soft { "You prepared it: somebody else reviews it." } };
    }
    let fields = html! {
        (scope(&prepared.period, &prepared.currency, As::Reviewer))
        input type="hidden" name=(READ) value=(prepared.signature.sha256);
        (form::text("review-comment", "comment", "Comment (may be empty)", "", false))
    };
    sign(
        person,
        connection,
        "Sign as reviewer",
        "You have read the very report that the preparer signed, and agree.",
        fields,
    )
}

fn prepare(person: &Person, connection: &ConnectionInfo, made: &Made, again: bool) -> Markup {
    let report = &made.report;
    if matches!(report.status, Status::NotTied | Status::Incomplete) {
        return html! { p.soft { "A report that is " (report.status.as_str()) " can't be signed." } };
    }
    let fields = html! {
        (scope(&made.month(), &report.currency.to_string(), As::Preparer))
        input type="hidden" name="made" value=(report.made_at);
        (form::text("prepare-comment", "comment", "Comment (may be empty)", "", false))
    };
    let name = if again {
        "Sign anew as preparer"
    } else {
        "Sign as preparer"
    };
    sign(
        person,
        connection,
        name,
        "The report is made once more and frozen under its hash, if the books are still as shown here.",
        fields,
    )
}

fn scope(period: &str, currency: &str, role: As) -> Markup {
    html! {
        input type="hidden" name="period" value=(period);
        input type="hidden" name="currency" value=(currency);
        input type="hidden" name="role" value=(role.as_str());
    }
}

fn sign(
    person: &Person,
    connection: &ConnectionInfo,
    name: &str,
    means: &str,
    fields: Markup,
) -> Markup {
    let action = Address::of(["tie-out", connection.name.as_str(), "sign"]);
    form::act(
        person,
        &form::Act {
            name,
            means,
            action,
            fields,
            danger: false,
        },
    )
}

/// What has changed since the month was signed, for each currency that was.
pub(super) async fn drift(
    view: &View,
    person: &Person,
    connection: &ConnectionInfo,
    signed: &[Signed],
) -> Result<Markup, PageError> {
    let store = view.store.connection(&connection.name)?;
    let mut shown = Vec::new();
    for (at, one) in signed.iter().enumerate() {
        if signed
            .iter()
            .skip(at + 1)
            .any(|later| later.currency == one.currency)
        {
            continue;
        }
        let looked = drift::kept(&store, one).await?;
        shown.push(html! {
            h3 { (one.period) " in " (one.currency) }
            @match &looked {
                Some(looked) => {
                    p.soft { "Looked at " (time::moment(looked.at, &connection.time_zone)) "." }
                    (changes(&connection.name, &looked.drift))
                },
                None => { p.soft { "Nobody has looked since it was signed." } },
            }
            @if person.may(Role::Operator) { (look(person, connection, one)) }
        });
    }
    Ok(html! {
        @if !shown.is_empty() {
            section { h2 { "Changed since it was signed" } @for one in &shown { (one) } }
        }
    })
}

fn look(person: &Person, connection: &ConnectionInfo, signed: &Signed) -> Markup {
    let action = Address::of(["tie-out", connection.name.as_str(), "drift"]);
    let fields = html! {
        input type="hidden" name="period" value=(signed.period);
        input type="hidden" name="currency" value=(signed.currency);
    };
    form::button(person, &action, &fields, "Read both sides and compare")
}

fn changes(connection: &ConnectionName, drift: &Drift) -> Markup {
    if drift.is_none() {
        return notice::notice(
            Tone::Good,
            &html! { p { "Nothing has changed: what was signed still stands." } },
        );
    }
    let currency = drift.was.currency;
    let mut table = Table::new(
        "drift",
        "Documents",
        [
            Column::text("Document"),
            Column::text(drift.was.book.party_title()),
            Column::money("Open when signed"),
            Column::money("Open now"),
            Column::text("Since"),
        ],
    );
    for one in &drift.documents {
        table.row([
            Cell::link(
                &Address::record(connection, &one.record),
                one.label.as_str(),
            ),
            Cell::text(one.vendor.as_str()),
            Cell::money(Some(one.was.of(currency))),
            Cell::money(Some(one.is.of(currency))),
            Cell::text(one.since.join("; ")),
        ]);
    }
    html! {
        (notice::notice(Tone::Bad, &html! { p { strong { "Changed since sign-off." } " It was " (drift.was.status.as_str()) " and is " (drift.status.as_str()) "." } }))
        ul {
            @for figure in &drift.figures {
                li {
                    (figure.figure) ": " (amount::money(figure.was.of(currency))) " was signed, "
                    (amount::money(figure.is.of(currency))) " now"
                }
            }
        }
        (table.show(&Address::of(["tie-out", connection.as_str()])))
    }
}
