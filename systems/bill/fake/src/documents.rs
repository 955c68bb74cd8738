//! Documents of bills and attachments of the rest (README §Documents).

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::ids::Kind;
use crate::json::Json;
use crate::organization::{Organization, time_text};
use crate::problem::Problem;
use crate::route::{Answer, Body, Call, Reply};

/// The largest file that is taken.
const BYTES_MAX: usize = 6 * 1024 * 1024;
/// How long an upload is looked at before it becomes a document.
const UPLOAD: SignedDuration = SignedDuration::from_secs(2);

/// A file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    owner: (Kind, u32),
    name: String,
    content: Bytes,
}

/// `/v3/documents/…`: an upload has an identifier of its own until it is looked at.
pub(crate) fn documents(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("POST", ["bills", id]) => {
            let bill = org.place(Kind::Bill, id, org.bills.len())?;
            let place = store(org, call, (Kind::Bill, bill))?;
            Ok(Reply::ok(Json::object([
                ("uploadId", org.ids.text(Kind::Upload, place).into()),
                ("status", "IN_PROGRESS".into()),
            ])))
        }
        ("GET", ["upload-status"]) => {
            let mut all = Vec::new();
            for id in call.ids() {
                let place = org.place(Kind::Upload, &id, org.files.len())?;
                let done = uploaded(org, place);
                let document = done.then(|| org.ids.text(Kind::Document, place));
                let status = if done { "UPLOADED" } else { "IN_PROGRESS" };
                all.push(Json::object([
                    ("uploadId", id.into()),
                    ("documentId", document.into()),
                    ("status", status.into()),
                ]));
            }
            Ok(Reply::ok(Json::List(all)))
        }
        ("GET", ["bills", id]) => {
            let bill = org.place(Kind::Bill, id, org.bills.len())?;
            let owned = org.files.rows().filter(|(place, row)| {
                row.body.owner == (Kind::Bill, bill) && uploaded(org, *place)
            });
            let found = owned
                .map(|(place, _)| render(org, Kind::Document, place))
                .collect::<Vec<_>>();
            Ok(Reply::ok(Json::object([("results", found.into())])))
        }
        ("GET", [id]) => {
            let place = org.place(Kind::Document, id, org.files.len())?;
            Ok(Reply::ok(render(org, Kind::Document, place)))
        }
        ("GET", [id, "content"]) => {
            let place = org.place(Kind::Document, id, org.files.len())?;
            Ok(content(org, place))
        }
        _ => Err(Problem::path()),
    }
}

/// The documents of bills, for checkers.
pub(crate) fn records(org: &Organization) -> Vec<Value> {
    let rows = org.files.rows();
    let of_bills = rows.filter(|(_, row)| row.body.owner.0 == Kind::Bill);
    let told = of_bills.map(|(place, row)| {
        json!({
            "id": org.ids.text(Kind::Document, place),
            "bill": org.ids.text(Kind::Bill, row.body.owner.1),
            "name": row.body.name,
            "content": String::from_utf8_lossy(&row.body.content),
        })
    });
    told.collect()
}

/// `/v3/attachments/…`: no waiting; deleting is final.
pub(crate) fn attachments(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        (method, [area @ ("vendors" | "customers" | "invoices"), id]) => {
            let (kind, length) = match *area {
                "vendors" => (Kind::Vendor, org.vendors.len()),
                "customers" => (Kind::Customer, org.receivables.customers.len()),
                _ => (Kind::Invoice, org.receivables.invoices.len()),
            };
            let owner = (kind, org.place(kind, id, length)?);
            match method {
                "POST" => {
                    let place = store(org, call, owner)?;
                    Ok(Reply::created(render(org, Kind::Attachment, place)))
                }
                "GET" => {
                    let rows = org.files.rows();
                    let owned = rows.filter(|(_, row)| row.body.owner == owner && !row.archived);
                    let found = owned.map(|(place, _)| render(org, Kind::Attachment, place));
                    let found = found.collect::<Vec<_>>();
                    Ok(Reply::ok(Json::object([("results", found.into())])))
                }
                _ => Err(Problem::path()),
            }
        }
        (method, [id, rest @ ..]) => {
            let place = org.place(Kind::Attachment, id, org.files.len())?;
            if org.files.at(place).archived {
                return Err(Problem::missing(id));
            }
            match (method, rest) {
                ("GET", []) => Ok(Reply::ok(render(org, Kind::Attachment, place))),
                ("GET", ["content"]) => Ok(content(org, place)),
                ("DELETE", []) => {
                    let row = org.files.at_mut(place);
                    row.archived = true;
                    row.body.content = Bytes::new();
                    Ok(Reply::nothing())
                }
                _ => Err(Problem::path()),
            }
        }
        _ => Err(Problem::path()),
    }
}

fn store(org: &mut Organization, call: &Call, owner: (Kind, u32)) -> Result<u32, Problem> {
    let name = call
        .query
        .get("name")
        .ok_or_else(|| Problem::must("name: must not be null"))?;
    if call.body.is_empty() {
        return Err(Problem::must("Required request body is missing"));
    }
    if call.body.len() > BYTES_MAX {
        return Err(Problem::must("A file may have 6 MB at most"));
    }
    let file = File {
        owner,
        name: name.to_owned(),
        content: call.body.clone(),
    };
    let stamp = org.stamp();
    Ok(org.files.push(file, stamp))
}

fn uploaded(org: &Organization, place: u32) -> bool {
    let wait = i64::try_from(UPLOAD.as_micros()).unwrap_or_default();
    org.now().as_microsecond() >= org.files.at(place).created + wait
}

fn content(org: &Organization, place: u32) -> Reply {
    Reply {
        status: 200,
        body: Body::File(org.files.at(place).body.content.clone()),
    }
}

fn render(org: &Organization, kind: Kind, place: u32) -> Json {
    let row = org.files.at(place);
    let id = org.ids.text(kind, place);
    let area = if kind == Kind::Document {
        "documents"
    } else {
        "attachments"
    };
    let (owner, owner_place) = row.body.owner;
    let owner_field = if kind == Kind::Document {
        "billId"
    } else {
        "entityId"
    };
    Json::object([
        ("id", id.as_str().into()),
        (owner_field, org.ids.text(owner, owner_place).into()),
        ("name", row.body.name.as_str().into()),
        (
            "downloadLink",
            format!("/connect/v3/{area}/{id}/content").into(),
        ),
        ("scanStatus", "CLEAN".into()),
        ("numOfPages", 1u32.into()),
        ("createdBy", org.user().into()),
        ("createdTime", time_text(row.created).into()),
        ("updatedTime", time_text(row.updated).into()),
    ])
}
