//! The record service: verbs over record types (README, section *Records*).

mod body;
pub(crate) mod bundle;
mod catalog;
pub(crate) mod custom;
mod deposits;
pub(crate) mod documents;
mod entities;
mod failure;
pub(crate) mod jobs;
mod journals;
mod lists;
mod metadata;
pub(crate) mod payments;
mod read;
mod refine;

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode};
use rusqlite::Connection;

use crate::NetSuiteFake;
use crate::auth::Caller;
use crate::auth::role::Level;
use crate::http_surface::{COLLECTION, Call, SINGULAR, json_response, no_content};
use crate::json::Json;
use crate::ledger;
use crate::problem::{Place, Problem};
use crate::query;
use body::Writing;
pub(crate) use catalog::{Family, RecordType};
pub(crate) use failure::Refusal;

/// The largest page of a list, and how many pages its `totalResults` counts.
const LARGEST_PAGE: usize = 1000;

/// What a call has to do with records.
pub(crate) struct Desk<'a> {
    pub(crate) fake: &'a NetSuiteFake,
    pub(crate) call: &'a Call,
    pub(crate) caller: &'a Caller,
    pub(crate) books: &'a Connection,
}

/// How a write addresses its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// A new one, perhaps with this external id.
    New(Option<&'a str>),
    /// An existing one.
    Existing(i64),
}

/// Answers a call below `/services/rest/record/v1`.
pub(crate) fn dispatch(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
    path: &[&str],
) -> Result<Response, Problem> {
    if let ["metadata-catalog", rest @ ..] = path {
        return metadata::dispatch(fake, call, caller, rest);
    }
    if call.prefers("respond-async") && call.method != Method::GET {
        return jobs::submit(fake, call, caller, path);
    }
    carry_out(fake, call, caller, path)
}

/// Carries a call out now.
pub(crate) fn carry_out(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
    path: &[&str],
) -> Result<Response, Problem> {
    let Some((name, rest)) = path.split_first() else {
        return Err(Problem::new(
            404,
            "INVALID_URL",
            "A record type is missing.",
        ));
    };
    if name.to_ascii_lowercase().starts_with("customrecord_") {
        return custom::dispatch(fake, call, caller, name, rest);
    }
    let record = RecordType::find(name)
        .filter(|record| record.name != "subsidiary" || fake.one_world)
        .ok_or_else(|| {
            Problem::missing(format!("Record type '{name}' does not exist."))
                .at(Place::Address((*name).to_owned()))
        })?;
    fake.with_books(|books| {
        Desk {
            fake,
            call,
            caller,
            books,
        }
        .serve(record, rest)
    })
}

impl Desk<'_> {
    fn serve(&self, record: &'static RecordType, rest: &[&str]) -> Result<Response, Problem> {
        let method = &self.call.method;
        match rest {
            [] if method == Method::GET => self.list(record),
            [] if method == Method::POST => self.create(record),
            [] if method == Method::DELETE && self.call.parameter("ids").is_some() => {
                self.delete_many(record)
            }
            [id] if method == Method::GET => {
                self.allow(record, Level::Edit)?;
                let id = self.existing(record, id)?;
                read::record(self, record, id)
            }
            [id] if method == Method::PATCH => self.change(record, id),
            [id] if method == Method::PUT => self.upsert(record, id),
            [id] if method == Method::DELETE => {
                self.allow(record, Level::Full)?;
                let id = self.existing(record, id)?;
                self.delete(record, id)?;
                Ok(no_content(None))
            }
            [id, "!transform", target] if method == Method::POST => {
                self.transform(record, id, target)
            }
            [id, "!attach" | "!detach", "contact" | "file" | "user", _]
                if method == Method::POST =>
            {
                self.allow(record, Level::Edit)?;
                self.existing(record, id)?;
                Ok(no_content(None))
            }
            [id, action] if action.starts_with('@') && method == Method::POST => {
                self.action(record, id, action)
            }
            [id, sublist] if method == Method::GET => {
                self.allow(record, Level::Edit)?;
                let id = self.existing(record, id)?;
                read::sublist(self, record, id, sublist)
            }
            [] | [_] | [_, _] => Err(Problem::method(method)),
            _ => Err(Problem::new(404, "INVALID_URL", "Resource does not exist.")),
        }
    }

    /// Refuses a role that lacks the record type's permission at this level.
    fn allow(&self, record: &RecordType, level: Level) -> Result<(), Problem> {
        if self.caller.role.may(record.permission, level) {
            Ok(())
        } else {
            Err(Problem::forbidden(record.permission))
        }
    }

    /// Where a record lies.
    pub(crate) fn location(&self, record: &RecordType, id: i64) -> String {
        format!(
            "{}/services/rest/record/v1/{}/{id}",
            self.call.origin(),
            record.name
        )
    }

    /// The id that an internal id or `eid:…` in a path names; refuses what doesn't exist the way the
    /// service does: 404 for entities and lists, 400 for transactions.
    pub(crate) fn existing(&self, record: &RecordType, address: &str) -> Result<i64, Problem> {
        let missing = || {
            Problem::missing(
                "The record instance does not exist. Provide a valid record instance ID.",
            )
            .at(Place::Address(address.to_owned()))
        };
        if let Some(external) = address.strip_prefix("eid:") {
            return self.by_external_id(record, external)?.ok_or_else(missing);
        }
        let id: i64 = address.parse().map_err(|_| {
            Problem::new(
                400,
                "INVALID_URL",
                format!("Invalid value '{address}' for the resource ID in the request URL."),
            )
        })?;
        if self.exists(record, id)? {
            Ok(id)
        } else if record.is_transaction() {
            Err(wrong_transaction())
        } else {
            Err(missing())
        }
    }

    fn exists(&self, record: &RecordType, id: i64) -> Result<bool, Problem> {
        let sql = format!(
            "SELECT 1 FROM \"{}\" WHERE id = ?1{}",
            record.table,
            read::filter_sql(record)
        );
        self.books
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.exists([id]))
            .map_err(|error| failure::store(&error))
    }

    fn by_external_id(&self, record: &RecordType, external: &str) -> Result<Option<i64>, Problem> {
        if external.is_empty() {
            return Err(Problem::new(
                400,
                "INVALID_URL",
                "The external ID is empty.",
            ));
        }
        ledger::by_external_id(self.books, record.table, record.code(), external)
            .map_err(|error| failure::store(&error))
    }

    fn create(&self, record: &'static RecordType) -> Result<Response, Problem> {
        self.allow(record, Level::Create)?;
        let writing = Writing::new(self, record, self.call.json()?)?;
        let id = self.write(&writing, Target::New(None))?;
        Ok(writing.warned(no_content(Some(self.location(record, id)))))
    }

    fn change(&self, record: &'static RecordType, address: &str) -> Result<Response, Problem> {
        self.allow(record, Level::Edit)?;
        let id = self.existing(record, address)?;
        let writing = Writing::new(self, record, self.call.json()?)?;
        self.uncontended(record, id)?;
        self.write(&writing, Target::Existing(id))?;
        Ok(writing.warned(no_content(Some(self.location(record, id)))))
    }

    fn upsert(&self, record: &'static RecordType, address: &str) -> Result<Response, Problem> {
        let Some(external) = address.strip_prefix("eid:") else {
            return Err(Problem::new(
                400,
                "INVALID_URL",
                "PUT needs an external ID in the request URL: use eid:<external ID>.",
            ));
        };
        self.allow(record, Level::Edit)?;
        let found = self.by_external_id(record, external)?;
        let writing = Writing::new(self, record, self.call.json()?)?;
        let target = match found {
            Some(id) => {
                self.uncontended(record, id)?;
                Target::Existing(id)
            }
            None => Target::New(Some(external)),
        };
        let id = self.write(&writing, target)?;
        let location = self
            .fake
            .quirks()
            .put_location
            .then(|| self.location(record, id));
        Ok(writing.warned(no_content(location)))
    }

    /// Writes what a body says and returns the record's id.
    fn write(&self, writing: &Writing<'_>, target: Target<'_>) -> Result<i64, Problem> {
        let written = match writing.record.family {
            Family::Bill(kind) => documents::write(self, writing, kind, target),
            Family::Payment(kind) => payments::write(self, writing, kind, target),
            Family::Deposit => deposits::write(self, writing, target),
            Family::Journal => journals::write(self, writing, target),
            Family::Entity(kind) => entities::write(self, writing, kind, target),
            Family::List => lists::write(self, writing, target),
        };
        written.map_err(|refusal| refusal.told(self.fake, writing.record))
    }

    /// Writes what a person typed: no permission is asked for, names are judged strictly.
    pub(crate) fn write_as_person(
        &self,
        record: &'static RecordType,
        body: Json,
        target: Target<'_>,
    ) -> Result<i64, Problem> {
        let writing = Writing::new(self, record, body)?;
        self.write(&writing, target)
    }

    /// Deletes a record.
    pub(crate) fn delete(&self, record: &'static RecordType, id: i64) -> Result<(), Problem> {
        self.uncontended(record, id)?;
        let context = self.fake.context(Some(self.caller));
        let deleted = match record.family {
            Family::Entity(_) => ledger::delete_entity(self.books, &context, id),
            Family::List => lists::delete(self, record, id),
            _ => ledger::delete(self.books, &context, id),
        };
        deleted.map_err(|error| Refusal::from(error).told(self.fake, record))
    }

    /// `DELETE ?ids=1,eid:x`
    fn delete_many(&self, record: &'static RecordType) -> Result<Response, Problem> {
        self.allow(record, Level::Full)?;
        let ids = self.call.parameter("ids").unwrap_or_default();
        let ids: Vec<i64> = ids
            .split(',')
            .map(|address| self.existing(record, address.trim()))
            .collect::<Result<_, _>>()?;
        for id in ids {
            self.delete(record, id)?;
        }
        Ok(no_content(None))
    }

    /// Refuses a write that met somebody else's.
    fn uncontended(&self, record: &RecordType, id: i64) -> Result<(), Problem> {
        if self.fake.takes_contention(record.table, id) {
            let code = self.fake.quirks().record_changed_code;
            return Err(Problem::new(400, code, "Record has been changed."));
        }
        Ok(())
    }

    /// `POST /{type}/{id}/!transform/{target}`: the target's defaults come from the source.
    fn transform(
        &self,
        source: &'static RecordType,
        address: &str,
        target: &str,
    ) -> Result<Response, Problem> {
        let allowed = match source.name {
            "vendorBill" => &["vendorPayment", "vendorCredit"][..],
            "vendor" => &["vendorBill", "vendorPayment"],
            "invoice" => &["customerPayment", "creditMemo"],
            "customer" => &["customerPayment", "invoice"],
            "creditMemo" => &["customerRefund"],
            _ => &[],
        };
        let target = RecordType::find(target)
            .filter(|target| allowed.contains(&target.name))
            .ok_or_else(|| {
                Problem::new(
                    400,
                    "INVALID_URL",
                    format!(
                        "Record type '{}' can't be transformed to '{target}'.",
                        source.name
                    ),
                )
            })?;
        self.allow(source, Level::Edit)?;
        self.allow(target, Level::Create)?;
        let id = self.existing(source, address)?;
        let sent = if self.call.body.is_empty() {
            Json::Object(Vec::new())
        } else {
            self.call.json()?
        };
        let writing = Writing::new(self, target, sent)?;
        let made = match target.family {
            Family::Bill(kind) => documents::transform(self, &writing, kind, source, id),
            Family::Payment(kind) => payments::transform(self, &writing, kind, source, id),
            _ => return Err(Problem::method(&self.call.method)),
        };
        let made = made.map_err(|refusal| refusal.told(self.fake, target))?;
        let location = self
            .fake
            .quirks()
            .transform_location
            .then(|| self.location(target, made));
        Ok(writing.warned(no_content(location)))
    }

    /// `POST /{type}/{id}/@{action}`. Actions answer refusals with the flat body.
    fn action(
        &self,
        record: &'static RecordType,
        address: &str,
        action: &str,
    ) -> Result<Response, Problem> {
        self.allow(record, Level::Edit)?;
        self.existing(record, address).map_err(Problem::flat)?;
        if record.name != "vendorPayment" || !action.eq_ignore_ascii_case("@confirm") {
            return Err(Problem::new(
                400,
                "INVALID_URL",
                format!(
                    "Action '{action}' is not supported for record type '{}'.",
                    record.name
                ),
            )
            .flat());
        }
        let body = Json::object([
            ("links", Json::Array(Vec::new())),
            ("result", Json::Bool(true)),
        ]);
        Ok(json_response(StatusCode::OK, SINGULAR, &body))
    }

    /// A list: ids and links alone, in no order a client could rely on, and a total that stops counting at
    /// a thousand pages.
    fn list(&self, record: &'static RecordType) -> Result<Response, Problem> {
        self.allow(record, Level::Edit)?;
        if self.call.parameter("ids").is_some() {
            return self.list_of_ids(record);
        }
        let page = query::page(self.call, LARGEST_PAGE)?;
        let condition = refine::condition(self, record, self.call.parameter("q"))?;
        let from = format!(
            "FROM \"{}\" WHERE 1 = 1{}{}",
            record.table,
            read::filter_sql(record),
            condition.sql
        );
        let values = rusqlite::params_from_iter(condition.values.iter());
        let store = |error: rusqlite::Error| failure::store(&error);
        let total: i64 = self
            .books
            .query_row(&format!("SELECT COUNT(*) {from}"), values, |row| row.get(0))
            .map_err(store)?;
        let total = usize::try_from(total).unwrap_or_default();
        let sql = format!(
            "SELECT id {from} ORDER BY (id * 7919 + 13) % 10007, id LIMIT {} OFFSET {}",
            page.limit, page.offset
        );
        let mut statement = self.books.prepare(&sql).map_err(store)?;
        let ids: Vec<i64> = statement
            .query_map(rusqlite::params_from_iter(condition.values.iter()), |row| {
                row.get(0)
            })
            .and_then(Iterator::collect)
            .map_err(store)?;
        let base = format!(
            "{}/services/rest/record/v1/{}",
            self.call.origin(),
            record.name.to_ascii_lowercase()
        );
        let items: Vec<Json> = ids
            .iter()
            .map(|id| {
                let link = Json::object([
                    ("rel", Json::text("self")),
                    ("href", Json::text(format!("{base}/{id}"))),
                ]);
                Json::object([
                    ("links", Json::Array(vec![link])),
                    ("id", Json::text(id.to_string())),
                ])
            })
            .collect();
        let told = total.min(page.limit * LARGEST_PAGE);
        let body = Json::object([
            ("links", query::links(&base, page, told, None)),
            ("count", query::count(items.len())),
            ("hasMore", Json::Bool(page.offset + items.len() < total)),
            ("items", Json::Array(items)),
            ("offset", query::count(page.offset)),
            ("totalResults", query::count(told)),
        ]);
        Ok(json_response(StatusCode::OK, COLLECTION, &body))
    }

    /// `GET ?expandRecords=true&ids=1,eid:x`
    fn list_of_ids(&self, record: &'static RecordType) -> Result<Response, Problem> {
        let addresses = self.call.parameter("ids").unwrap_or_default();
        let items: Vec<Json> = addresses
            .split(',')
            .map(|address| {
                let id = self.existing(record, address.trim())?;
                read::whole(self, record, id)
            })
            .collect::<Result<_, _>>()?;
        let body = Json::object([
            ("links", Json::Array(Vec::new())),
            ("count", query::count(items.len())),
            ("hasMore", Json::Bool(false)),
            ("offset", query::count(0)),
            ("totalResults", query::count(items.len())),
            ("items", Json::Array(items)),
        ]);
        Ok(json_response(StatusCode::OK, COLLECTION, &body))
    }
}

/// What a wrong transaction id is told: 400, not 404.
pub(crate) fn wrong_transaction() -> Problem {
    Problem::user("Error while accessing a resource. Transaction type specified is incorrect.")
}

/// Adds a header to an answer when its value is one.
pub(crate) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
