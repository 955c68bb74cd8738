//! Imports: asking for one, those under way, and what each came to, record by record.

use axum::Json;
use axum::routing::{get, post};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tieout_desk::import::{self, Came, Ended, Import, Row, Standing};
use tieout_domain::code::Code;

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, by_name, count, instant, list, maybe, object, of, text};
use super::taking::{Asked, Named, Nothing, Taken};
use crate::people::{Person, Role};
use crate::view::View;

const IMPORTS: &str = "/connections/{connection}/imports";

/// What can be asked of imports.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listImports", Method::GET, IMPORTS),
            "ImportList",
            "Imports: those that have not come to their end, with how far they are, and then those that have, the latest \
             first.",
            get(all),
        ),
        Operation::new(
            ("startImport", Method::POST, IMPORTS),
            "Import",
            "Asks for an import of a list; one that has not come to its end is the one that is meant.",
            post(start),
        )
        .needs(Role::Operator)
        .takes("ImportRequest")
        .succeeds(StatusCode::ACCEPTED),
        Operation::new(
            (
                "getImport",
                Method::GET,
                "/connections/{connection}/imports/{import}",
            ),
            "ImportResult",
            "What an import came to, record by record, with the way to both sides.",
            get(one),
        ),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let lists: Vec<&str> = Import::ALL.map(Import::as_str).to_vec();
    let import = json!({
        "import": maybe(count()), "list": {"enum": lists}, "state": {"enum": ["pending", "ended"]},
        "asked_by": text(), "at": instant(), "runs": list(text()), "done": maybe(count()), "total": maybe(count()),
        "counts": by_name(count()),
    });
    let mut result = import.clone();
    result["records"] = list(of("ImportedRecord"));
    let results: Vec<&str> = Came::ALL.map(Came::as_str).to_vec();
    let record = json!({
        "record": text(), "label": text(), "amount": maybe(of("Money")), "result": {"enum": results},
        "target": maybe(text()), "code": maybe(text()), "cause": text(),
        "links": object(json!({"ledger": maybe(text()), "platform": maybe(text())}), &[]),
    });
    let mut request = object(json!({"list": {"enum": lists}}), &[]);
    request["example"] = json!({"list": "customers"});
    vec![
        ("Import", object(import, &[])),
        ("ImportList", all_of("Import")),
        ("ImportRequest", request),
        ("ImportedRecord", object(record, &[])),
        ("ImportResult", object(result, &[])),
    ]
}

fn pending(standing: &Standing) -> Value {
    json!({
        "import": null, "list": standing.import, "state": "pending", "asked_by": standing.by, "at": standing.asked,
        "runs": standing.runs, "done": standing.done, "total": standing.total, "counts": {},
    })
}

fn ended(ended: &Ended) -> Value {
    json!({
        "import": ended.seq, "list": ended.list, "state": "ended", "asked_by": ended.asked_by, "at": ended.at,
        "runs": ended.runs, "done": null, "total": null, "counts": ended.counts,
    })
}

async fn all(
    view: View,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let mut items: Vec<Value> = import::pending(&store).await?.iter().map(pending).collect();
    items.extend(
        import::ended_after(&store, 0)
            .await?
            .iter()
            .rev()
            .map(ended),
    );
    Ok(Json(json!({ "items": items })))
}

/// Which list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportRequest {
    list: String,
}

async fn start(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<ImportRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let store = store(&view, &name)?;
    let known = view.known(&name);
    let flows = known.map(|it| it.flows).unwrap_or_default();
    let (by, now) = (person.actor(), view.clock.now());
    let standing = import::ask(&store, &flows, &request.list, &by, now).await?;
    Ok((StatusCode::ACCEPTED, Json(pending(&standing))))
}

async fn one(
    view: View,
    Named((name, import)): Named<(String, u64)>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let Some(found) = import::find(&store, import).await? else {
        let cause = format!("`{import}` is no import of {name}");
        return Err(Problem::missing(Code::new("unknown-record"), cause));
    };
    let rows = import::rows(&store, &found).await?;
    let record = |row: &Row| {
        let address = |record| view.program.address(store.name(), record);
        json!({
            "record": row.record.to_string(), "label": row.label, "amount": row.amount, "result": row.came,
            "target": row.target.as_ref().map(ToString::to_string), "code": row.code, "cause": row.cause,
            "links": {
                "ledger": address(&row.record),
                "platform": row.target.as_ref().and_then(address),
            },
        })
    };
    let mut told = ended(&found);
    told["records"] = rows.iter().map(record).collect();
    Ok(Json(told))
}
