//! The history: entry by entry, and whether it holds.

use axum::Json;
use axum::routing::get;
use http::Method;
use serde_json::{Value, json};
use tieout_store::Verification;

use super::connections::store;
use super::operation::Operation;
use super::paging::{Paging, page};
use super::problem::Problem;
use super::schema::{Schema, count, instant, list, maybe, object, of, page_of, switch, text};
use super::taking::{Asked, Named, Nothing};
use crate::people::Role;
use crate::view::View;

/// What can be asked of the history.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listEntries", Method::GET, "/connections/{connection}/entries"),
            "EntryPage",
            "A connection's history, the oldest entry first.",
            get(of_connection),
        )
        .paged(),
        Operation::new(
            ("listInstallationEntries", Method::GET, "/entries"),
            "EntryPage",
            "The installation's own history: credentials, preferences, people; the oldest entry first.",
            get(of_installation),
        )
        .paged(),
        Operation::new(
            ("verify", Method::GET, "/verification"),
            "Verification",
            "Checks all chains and the state beside them. Reads everything: ask it seldom.",
            get(verify),
        )
        .needs(Role::Operator),
    ]
}

/// Its schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let fact = json!({"fact": text(), "is": {"type": "object"}});
    let entry = json!({
        "chain": text(), "seq": count(), "at": instant(), "actor": text(), "run": maybe(text()),
        "record": maybe(of("RecordRef")), "fact": of("Fact"), "erased": switch(), "hash": text(),
    });
    let head = json!({"chain": text(), "entries": count(), "erased": count(), "hash": text()});
    let fault = json!({"chain": text(), "seq": maybe(count()), "cause": text()});
    let verification = json!({
        "holds": switch(), "chains": list(of("ChainHead")), "faults": list(of("VerificationFault")),
    });
    vec![
        ("Fact", object(fact, &["is"])),
        ("Entry", object(entry, &[])),
        ("EntryPage", page_of("Entry")),
        ("ChainHead", object(head, &[])),
        ("VerificationFault", object(fault, &[])),
        ("Verification", object(verification, &[])),
    ]
}

async fn of_connection(
    view: View,
    Named(name): Named<String>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let limit = paging.limit()?;
    let after = paging.after::<u64>()?.unwrap_or_default();
    let entries = store.entries_after(after, limit).await?;
    Ok(Json(page(&entries, limit, |entry| entry.seq)))
}

async fn of_installation(view: View, Asked(paging): Asked<Paging>) -> Result<Json<Value>, Problem> {
    let limit = paging.limit()?;
    let after = paging.after::<u64>()?.unwrap_or_default();
    let entries = view
        .whole()?
        .installation()
        .entries_after(after, limit)
        .await?;
    Ok(Json(page(&entries, limit, |entry| entry.seq)))
}

async fn verify(view: View, Asked(Nothing {}): Asked<Nothing>) -> Result<Json<Value>, Problem> {
    let found: Verification = view.whole()?.verify().await?;
    let mut told = json!(found);
    told["holds"] = json!(found.holds());
    Ok(Json(told))
}
