//! What people do to mappings.

use axum::extract::Path;
use axum::response::Redirect;
use tieout_desk::approval;
use tieout_desk::mapping::{self, Said};
use tieout_domain::RemoteId;

use super::super::approvals::{ASKED, asked_address};
use super::super::fields::Fields;
use super::super::{PageError, allowed};
use super::preview::{NOTHING, SHOWN};
use super::{address, row_address};
use crate::people::{Person, Role};
use crate::view::View;

/// Reads both sides and suggests.
pub(super) async fn propose(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, _) = allowed(&view, &person, &connection, Role::Operator)?;
    let kind = mapping::known_kind(&connection.flows, fields.get("kind"))?;
    let open = view.program.propose_mappings(&connection.name).await?;
    let back = address(&connection.name, kind)
        .with("done", "proposed")
        .with("n", &open.to_string());
    Ok(Redirect::to(&back.to_string()))
}

/// Confirms what is suggested and was looked at, as it was looked at: what leads elsewhere by now is left out, and the
/// page says how many did.
pub(super) async fn confirm(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, store) = allowed(&view, &person, &connection, Role::Approver)?;
    let kind = mapping::known_kind(&connection.flows, fields.get("kind"))?;
    let looked_at: Vec<(&str, &str)> = fields.all("from").zip(fields.all(SHOWN)).collect();
    let wanted = |entry: &tieout_store::MapEntry| {
        let to = entry.to.as_ref().map_or("", RemoteId::as_str);
        entry.kind == kind.as_str() && looked_at.contains(&(entry.from.as_str(), to))
    };
    let asked = fields.all("from").count();
    let left = |count: usize| match asked.saturating_sub(count) {
        0 => String::new(),
        left => left.to_string(),
    };
    let two = mapping::takes_two(kind) && view.takes_two_people(&connection.name).await?;
    if two && let Some(proposal) = mapping::confirmation(&store, wanted).await? {
        let from: Vec<&str> = fields.all("from").collect();
        let subject = format!("{kind} {}", from.join(", "));
        let what = ("mapping", subject.as_str());
        let why = "suggested, and looked at";
        approval::request(&store, what, &proposal, why, person.by(&person.actor())).await?;
        let asked = asked_address().with("left", &left(proposal.facts.len()));
        return Ok(Redirect::to(&asked.to_string()));
    }
    // Where it takes two, there is nothing left to confirm here.
    let count = match two {
        true => 0,
        false => mapping::confirm(&store, wanted, &person.actor()).await?,
    };
    let back = address(&connection.name, kind)
        .with("done", "confirmed")
        .with("n", &count.to_string())
        .with("left", &left(count));
    Ok(Redirect::to(&back.to_string()))
}

/// Sets one mapping, or takes it back.
pub(super) async fn set(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, store) = allowed(&view, &person, &connection, Role::Approver)?;
    let kind = mapping::known_kind(&connection.flows, fields.get("kind"))?;
    let to = fields.given("to").filter(|to| *to != NOTHING);
    let said = Said {
        kind,
        from: fields.get("from"),
        to,
        why: fields.reason()?,
    };
    if mapping::takes_two(kind) && view.takes_two_people(&connection.name).await? {
        let proposal = mapping::proposal(&store, &said).await?;
        let subject = format!("{kind} {}", said.from);
        let (what, by) = (("mapping", subject.as_str()), person.actor());
        approval::request(&store, what, &proposal, said.why, person.by(&by)).await?;
        return Ok(Redirect::to(ASKED));
    }
    mapping::set(&store, &said, &person.actor()).await?;
    let back = row_address(&connection.name, kind, &RemoteId::new(said.from))
        .with("done", if to.is_some() { "set" } else { "removed" });
    Ok(Redirect::to(&back.to_string()))
}
