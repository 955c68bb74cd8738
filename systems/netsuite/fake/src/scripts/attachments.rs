//! Files of the cabinet that people attach to transactions.

use std::sync::Mutex;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use crate::json::Json;
use crate::lock;

/// Ids of files begin here, so that none is taken for a transaction's.
const FIRST_ID: i64 = 900_001;

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

    fn sha256(&self) -> String {
        let hash = digest::digest(&digest::SHA256, &self.bytes);
        let bytes = hash.as_ref().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Attachments {
    /// The panel's `attach`: `{"name", "content"}`, or `{"name", "base64"}` for what is no text.
    pub(crate) fn attach(&self, transaction: i64, body: &Value) -> Result<Value, ControlError> {
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
        let id = all.last().map_or(FIRST_ID, |last| last.id + 1);
        all.push(Attached {
            id,
            transaction,
            name: name.to_owned(),
            bytes,
        });
        Ok(json!(id.to_string()))
    }

    /// The files of a transaction, without what is in them.
    pub(super) fn list(&self, transaction: i64) -> Json {
        let all = lock(&self.0);
        let own = all.iter().filter(|one| one.transaction == transaction);
        let told = own.map(|one| {
            let size = i64::try_from(one.bytes.len()).unwrap_or(i64::MAX);
            Json::object([
                ("id", Json::text(one.id.to_string())),
                ("name", Json::text(&*one.name)),
                ("mediaType", Json::text(one.media_type())),
                ("size", Json::integer(size)),
                ("sha256", Json::text(one.sha256())),
            ])
        });
        Json::object([("files", Json::Array(told.collect()))])
    }

    /// Does something with a file; `None` where there is none of this id.
    pub(super) fn with<T>(&self, id: i64, work: impl FnOnce(&Attached) -> T) -> Option<T> {
        lock(&self.0).iter().find(|one| one.id == id).map(work)
    }
}
