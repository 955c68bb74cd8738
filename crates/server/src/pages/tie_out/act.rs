//! What people do with a report: make it, take its differences on, sign it, look for drift.

use axum::extract::Path;
use axum::response::Redirect;
use tieout_desk::tie_out::drift::{self, Looked};
use tieout_desk::tie_out::{self, sign_off};
use tieout_domain::RecordRef;
use tieout_domain::code::Code;
use tieout_flows::tie_out::input::Note;

use super::super::fields::Fields;
use super::super::{PageError, allowed};
use super::{address, scope, signatures};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// The page that an act leads back to, with what was done.
fn back(connection: &ConnectionInfo, fields: &Fields, done: &str) -> Redirect {
    let page = address(
        &connection.name,
        fields.get("period"),
        fields.get("currency"),
    );
    Redirect::to(&page.with("done", done).to_string())
}

pub(super) async fn make(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, _) = allowed(&view, &person, &connection, Role::Operator)?;
    let scope = scope(fields.get("period"), fields.get("currency"));
    let made = view.program.tie_out(&connection.name, &scope).await?;
    tie_out::keep(&view.store.connection(&connection.name)?, &made).await?;
    Ok(back(&connection, &fields, "made"))
}

/// Somebody takes differences on.
pub(super) async fn own(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, store) = allowed(&view, &person, &connection, Role::Operator)?;
    let records: Vec<RecordRef> = fields
        .all("record")
        .filter_map(|text| text.parse().ok())
        .collect();
    let usage = |cause: &str| PageError::usage(Code::new("form-incomplete"), cause);
    if records.is_empty() {
        return Err(usage("no difference was chosen"));
    }
    let owner = fields
        .given("owner")
        .ok_or_else(|| usage("say who looks after it"))?;
    let comment = fields
        .given("comment")
        .ok_or_else(|| usage("say what there is to say of it"))?;
    let note = Note {
        owner: owner.to_owned(),
        comment: comment.to_owned(),
    };
    tie_out::own(&store, &records, &note, &person.actor()).await?;
    let page = address(
        &connection.name,
        fields.get("period"),
        fields.get("currency"),
    )
    .with("done", "owned")
    .with("n", &records.len().to_string());
    Ok(Redirect::to(&page.to_string()))
}

/// Signs what the person has seen: a preparer signs the report as the books are now, and only if that is what was
/// looked at; a reviewer signs the very report that was prepared.
pub(super) async fn sign(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, store) = allowed(&view, &person, &connection, Role::Approver)?;
    let scope = scope(fields.get("period"), fields.get("currency"));
    let (comment, actor) = (fields.get("comment").trim(), person.actor());
    if fields.get("role") == sign_off::Role::Reviewer.as_str() {
        let read = fields.get(signatures::READ);
        let signed = sign_off::review(&store, &scope, Some(read), comment, &actor).await;
        return match signed {
            Err(error) if error.code == sign_off::PREPARED_ANEW => {
                Ok(back(&connection, &fields, "prepared-anew"))
            }
            signed => signed
                .map(|_| back(&connection, &fields, "reviewed"))
                .map_err(PageError::from),
        };
    }
    let seen = tie_out::kept(&store, fields.get("period"), scope.currency.as_deref()).await?;
    let made = view.program.tie_out(&connection.name, &scope).await?;
    tie_out::keep(&store, &made).await?;
    let looked_at = seen.as_ref().filter(|seen| {
        seen.report.made_at.to_string() == fields.get("made") && tie_out::say_the_same(seen, &made)
    });
    if looked_at.is_none() {
        return Ok(back(&connection, &fields, "changed"));
    }
    sign_off::prepare(&store, &made, comment, &actor).await?;
    Ok(back(&connection, &fields, "prepared"))
}

/// Holds what was signed against what is there now.
pub(super) async fn drift(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, store) = allowed(&view, &person, &connection, Role::Operator)?;
    let scope = scope(fields.get("period"), fields.get("currency"));
    let signed = sign_off::last(&store, &scope, None).await?;
    let now = view.program.tie_out(&connection.name, &scope).await?;
    let looked = Looked {
        sha256: signed.signature.sha256.clone(),
        at: view.clock.now(),
        drift: drift::drift(&store, &signed, now).await?,
    };
    drift::keep(&store, &signed, &looked).await?;
    Ok(back(&connection, &fields, "drift"))
}
