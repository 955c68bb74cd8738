//! Records: finding one by whatever is known of it, and its whole life on both sides.

use axum::Json;
use axum::routing::get;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tieout_desk::record::{find, life};
use tieout_domain::code::Code;
use tieout_domain::{RecordRef, RemoteId};

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, instant, list, maybe, object, of, switch, text};
use super::taking::{Asked, Named, Nothing};
use crate::view::View;

/// What can be asked of records.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("findRecords", Method::GET, "/connections/{connection}/records"),
            "FoundList",
            "The records that a text names: an id, a number, a name, an external id, of either side.",
            get(sought),
        )
        .query(
            "q",
            json!({"type": "string", "minLength": 1, "maxLength": 200}),
            "What is known of it; required.",
        ),
        Operation::new(
            (
                "getRecord",
                Method::GET,
                "/connections/{connection}/records/{side}/{kind}/{id}",
            ),
            "Life",
            "Everything that is known of a record: both sides, links, where it stands, its history.",
            get(one),
        ),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let found = json!({"record": of("RecordRef"), "address": maybe(text())});
    let observed = json!({
        "id": text(), "version": text(), "created": maybe(instant()), "document": of("Document"),
    });
    let mirrored = json!({
        "side": {"enum": ["ledger", "platform"]}, "observed": of("Observed"), "fingerprint": text(),
        "match_key": text(), "gone": switch(),
    });
    let link = json!({
        "flow": text(), "record": of("RecordRef"), "role": text(), "target": of("RecordRef"),
        "key": maybe(text()), "how": text(), "applied": maybe(of("Document")), "confirmed": switch(),
        "drift": maybe(text()), "seq": {"type": "integer", "minimum": 0},
    });
    let life = json!({
        "record": of("RecordRef"), "address": maybe(text()), "now": maybe(of("Mirrored")),
        "states": list(of("Item")), "links": list(of("Link")), "history": list(of("Entry")),
    });
    vec![
        ("Found", object(found, &[])),
        ("FoundList", all_of("Found")),
        ("Observed", object(observed, &[])),
        ("Mirrored", object(mirrored, &[])),
        ("Link", object(link, &[])),
        ("Life", object(life, &[])),
    ]
}

/// What is sought.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sought {
    #[serde(default)]
    q: String,
}

async fn sought(
    view: View,
    Named(name): Named<String>,
    Asked(asked): Asked<Sought>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let text = asked.q.trim();
    if text.is_empty() || text.chars().count() > 200 {
        let cause = "`q` is what is known of the record, 200 characters at most";
        return Err(Problem::malformed(cause));
    }
    let found: Vec<Value> = find(&store, text)
        .await?
        .into_iter()
        .map(|record| {
            let address = view.program.address(store.name(), &record);
            json!({"record": record, "address": address})
        })
        .collect();
    Ok(Json(json!({ "items": found })))
}

async fn one(
    view: View,
    Named((name, side, kind, id)): Named<(String, String, String, String)>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let unknown = || {
        let cause = format!("`{side}/{kind}/{id}` is no record that is known");
        Problem::missing(Code::new("unknown-record"), cause)
    };
    let side = side.parse().map_err(|_| unknown())?;
    let named = kind.parse().map_err(|_| unknown())?;
    let record = RecordRef::new(side, named, RemoteId::from(id.as_str()));
    let found = find(&store, &record.to_string()).await?;
    let record = found.into_iter().next().ok_or_else(unknown)?;
    let address = view.program.address(store.name(), &record);
    let life = life(&store, record).await?;
    Ok(Json(json!({
        "record": life.record, "address": address, "now": life.now, "states": life.items,
        "links": life.links, "history": life.history,
    })))
}
