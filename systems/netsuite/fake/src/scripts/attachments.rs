//! Files of the cabinet that people attach to transactions.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use crate::json::Json;
use crate::ledger::LedgerError;
use crate::lock;

/// Ids of files begin here, so that none is taken for a transaction's.
const FIRST_ID: i64 = 900_001;
/// Files of a page; a bill is never cut in two.
const FILES_MAX: usize = 100;

/// How much of a bill's files is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// All of them.
    All,
    /// Those that were attached or replaced since.
    Changed,
}

/// The bills whose files are listed: those that are open or wait for approval, and of what has changed also the files of
/// closed ones, which may be open again when they are asked for next.
pub(super) fn listed_bills(
    books: &Connection,
    since: Option<i64>,
) -> Result<BTreeMap<i64, Listed>, LedgerError> {
    let sql = "SELECT id, status IN ('A', 'D') AND (?1 IS NULL OR lastmodifieddate >= DATETIME(?1, 'unixepoch')) \
               FROM \"transaction\" WHERE type = 'VendBill'";
    let mut query = books.prepare_cached(sql)?;
    let found = query.query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut listed = BTreeMap::new();
    for row in found {
        let (id, all) = row?;
        if all {
            listed.insert(id, Listed::All);
        } else if since.is_some() {
            listed.insert(id, Listed::Changed);
        }
    }
    Ok(listed)
}

/// What is asked of the list of all bills' files.
pub(super) struct Asked {
    /// The account's time, in seconds.
    pub(super) now: i64,
    /// Only what was attached or replaced since.
    pub(super) since: Option<i64>,
    /// Only bills after this one.
    pub(super) after: i64,
}

/// The attached files of an account.
#[derive(Debug, Default)]
pub(crate) struct Attachments(Mutex<Vec<Attached>>);

/// A file, and the transaction that it is attached to.
#[derive(Debug)]
pub(crate) struct Attached {
    id: i64,
    transaction: i64,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// When it was attached or replaced, in seconds.
    changed: i64,
}

impl Attached {
    /// What it is, by its name.
    pub(crate) fn media_type(&self) -> &'static str {
        let ending = self.name.rsplit('.').next().unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "pdf" => "application/pdf",
            "png" => "image/png",
            "jpg" | "jpeg" => "image/jpeg",
            "txt" => "text/plain",
            "csv" => "text/csv",
            _ => "application/octet-stream",
        }
    }

    fn told(&self) -> Json {
        let size = i64::try_from(self.bytes.len()).unwrap_or(i64::MAX);
        Json::object([
            ("id", Json::text(self.id.to_string())),
            ("name", Json::text(&*self.name)),
            ("mediaType", Json::text(self.media_type())),
            ("size", Json::integer(size)),
            ("sha256", Json::text(self.sha256())),
        ])
    }

    fn sha256(&self) -> String {
        let hash = digest::digest(&digest::SHA256, &self.bytes);
        let bytes = hash.as_ref().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Attachments {
    /// The panel's `attach`: `{"name", "content"}`, or `{"name", "base64"}` for what is no text; with `file` it replaces
    /// what a file holds.
    pub(crate) fn attach(
        &self,
        transaction: i64,
        body: &Value,
        now: i64,
    ) -> Result<Value, ControlError> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let name = text("name").filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| ControlError::bad("attach needs \"name\""))?;
        let bytes = match (text("content"), text("base64")) {
            (Some(content), None) => content.as_bytes().to_vec(),
            (None, Some(encoded)) => STANDARD
                .decode(encoded)
                .map_err(|_| ControlError::bad("attach: \"base64\" isn't Base64"))?,
            _ => {
                return Err(ControlError::bad(
                    "attach needs \"content\", or \"base64\" for what is no text",
                ));
            }
        };
        let mut all = lock(&self.0);
        if let Some(file) = text("file") {
            let mut files = all.iter_mut();
            let held = files.find(|one| one.id.to_string() == file);
            let held = held.ok_or_else(|| ControlError::bad("attach: no such file"))?;
            (held.name, held.bytes, held.changed) = (name.to_owned(), bytes, now);
            return Ok(json!(file));
        }
        let id = all.last().map_or(FIRST_ID, |last| last.id + 1);
        all.push(Attached {
            id,
            transaction,
            name: name.to_owned(),
            bytes,
            changed: now,
        });
        Ok(json!(id.to_string()))
    }

    /// The files of a transaction, without what is in them.
    pub(super) fn list(&self, transaction: i64) -> Json {
        let all = lock(&self.0);
        let own = all.iter().filter(|one| one.transaction == transaction);
        Json::object([("files", Json::Array(own.map(Attached::told).collect()))])
    }

    /// Every file with the transaction that it is attached to, for checkers.
    pub(crate) fn records(&self) -> Vec<Value> {
        let all = lock(&self.0);
        let told = all.iter().map(|one| {
            json!({
                "id": one.id.to_string(), "transaction": one.transaction.to_string(),
                "name": one.name, "content": String::from_utf8_lossy(&one.bytes),
            })
        });
        told.collect()
    }

    /// A page of the files of these bills.
    pub(super) fn page(&self, bills: &BTreeMap<i64, Listed>, asked: &Asked) -> Json {
        let all = lock(&self.0);
        let mut of_bills: BTreeMap<i64, Vec<Json>> = BTreeMap::new();
        for one in all.iter().filter(|one| one.transaction > asked.after) {
            let changed = asked.since.is_none_or(|since| one.changed >= since);
            let told = match bills.get(&one.transaction) {
                Some(Listed::All) => true,
                Some(Listed::Changed) => changed,
                None => false,
            };
            if told {
                of_bills
                    .entry(one.transaction)
                    .or_default()
                    .push(one.told());
            }
        }
        let (mut listed, mut files, mut next, mut last) = (Vec::new(), 0, Json::Null, 0);
        for (bill, told) in of_bills {
            if files >= FILES_MAX {
                next = Json::text(last.to_string());
                break;
            }
            last = bill;
            files += told.len();
            listed.push(Json::object([
                ("id", Json::text(bill.to_string())),
                ("files", Json::Array(told)),
            ]));
        }
        Json::object([
            ("asked", Json::integer(asked.now)),
            ("bills", Json::Array(listed)),
            ("next", next),
        ])
    }

    /// Does something with a file; `None` where there is none of this id.
    pub(super) fn with<T>(&self, id: i64, work: impl FnOnce(&Attached) -> T) -> Option<T> {
        lock(&self.0).iter().find(|one| one.id == id).map(work)
    }
}
