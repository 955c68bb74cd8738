//! A write's body, checked against the catalogue and read field by field.
//!
//! A name the record type doesn't have is dropped with a warning in a header unless the caller asked for
//! an error (`X-NetSuite-PropertyNameValidation`): the default that loses a mistyped department for weeks.

use axum::response::Response;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Desk, RecordType, failure, with_header};
use crate::json::Json;
use crate::ledger;
use crate::problem::{Place, Problem};

/// What a field's absence, null or value means for a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Patch<T> {
    /// Not sent: stays as it is.
    Absent,
    /// Sent as null: cleared.
    Clear,
    /// Sent.
    Set(T),
}

impl<T> Patch<T> {
    /// Changes an optional value.
    pub(crate) fn onto(self, value: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new),
        }
    }

    /// Changes a value that null sets to `empty`.
    pub(crate) fn over(self, value: &mut T, empty: T) {
        match self {
            Self::Absent => {}
            Self::Clear => *value = empty,
            Self::Set(new) => *value = new,
        }
    }

    /// The value sent, if any.
    pub(crate) fn set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Clear => None,
        }
    }
}

/// How strictly names or values are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Error,
    Warning,
    Ignore,
}

/// A body on its way into a record.
pub(crate) struct Writing<'a> {
    desk: &'a Desk<'a>,
    /// The record type it is for.
    pub(crate) record: &'static RecordType,
    body: Json,
    values: Strictness,
    warnings: Vec<String>,
    replaced: Vec<String>,
}

/// Fields that every element and reference may carry without meaning anything.
const MEANINGLESS: [&str; 3] = ["links", "refName", "totalResults"];

impl<'a> Writing<'a> {
    /// Checks the names of a body.
    pub(crate) fn new(
        desk: &'a Desk<'a>,
        record: &'static RecordType,
        body: Json,
    ) -> Result<Self, Problem> {
        let names = strictness(
            desk,
            "x-netsuite-propertynamevalidation",
            Strictness::Warning,
        )?;
        let values = strictness(
            desk,
            "x-netsuite-propertyvaluevalidation",
            Strictness::Error,
        )?;
        let Json::Object(fields) = body else {
            return Err(Problem::new(
                400,
                "INVALID_CONTENT",
                "Invalid content in the request body. Error: expected an object.",
            ));
        };
        let replaced = desk
            .call
            .parameter("replace")
            .map(|list| list.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default();
        let mut writing = Self {
            desk,
            record,
            body: Json::Null,
            values,
            warnings: Vec::new(),
            replaced,
        };
        let fields = writing.known(fields, names)?;
        if names != Strictness::Warning {
            writing.warnings.clear();
        }
        writing.body = Json::Object(fields);
        Ok(writing)
    }

    /// The fields the record type has; the others are refused or dropped.
    fn known(
        &mut self,
        fields: Vec<(String, Json)>,
        names: Strictness,
    ) -> Result<Vec<(String, Json)>, Problem> {
        let mut kept = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            if let Some(sublist) = self.record.sublist(&name) {
                let value = self.known_elements(&name, sublist.fields, value, names)?;
                kept.push((name, value));
            } else if self.has(&name) || MEANINGLESS.contains(&name.as_str()) {
                kept.push((name, value));
            } else {
                self.unknown(&name, names)?;
            }
        }
        Ok(kept)
    }

    fn known_elements(
        &mut self,
        sublist: &str,
        known: &[&str],
        value: Json,
        names: Strictness,
    ) -> Result<Json, Problem> {
        let items = match &value {
            Json::Null => return Ok(Json::Null),
            Json::Object(_) => value.get("items").and_then(Json::as_array),
            _ => None,
        };
        let Some(items) = items else {
            return Err(Problem::content(
                sublist,
                format!(
                    "Invalid content in the request body. Error: {sublist} must be an object with \
                     the array 'items'."
                ),
            ));
        };
        let mut checked = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Json::Object(fields) = item else {
                return Err(Problem::content(
                    format!("{sublist}.items[{index}]"),
                    "Invalid content in the request body. Error: expected an object.",
                ));
            };
            let mut kept = Vec::with_capacity(fields.len());
            for (name, value) in fields {
                if known.contains(&name.as_str())
                    || MEANINGLESS.contains(&name.as_str())
                    || self.is_custom(name)
                {
                    kept.push((name.clone(), value.clone()));
                } else {
                    self.unknown(&format!("{sublist}.items[{index}].{name}"), names)?;
                }
            }
            checked.push(Json::Object(kept));
        }
        Ok(Json::object([("items", Json::Array(checked))]))
    }

    fn has(&self, name: &str) -> bool {
        let known = self.record.field(name).is_some_and(|field| {
            self.desk.fake.one_world || !matches!(field.column, Some("subsidiary" | "x_subsidiary"))
        });
        known || self.is_custom(name)
    }

    /// Whether it is a custom field of the account.
    fn is_custom(&self, name: &str) -> bool {
        name.starts_with("cust")
            && self
                .desk
                .books
                .prepare_cached("SELECT 1 FROM customfield WHERE scriptid = ?1 COLLATE NOCASE")
                .and_then(|mut statement| statement.exists([name]))
                .unwrap_or(false)
    }

    fn unknown(&mut self, path: &str, names: Strictness) -> Result<(), Problem> {
        let told = format!(
            "Unknown field name '{path}' for the record '{}'.",
            self.record.name
        );
        if names == Strictness::Error {
            return Err(
                Problem::new(400, "NONEXISTENT_FIELD", told).at(Place::Body(path.to_owned()))
            );
        }
        self.warnings.push(told);
        Ok(())
    }

    /// Puts the warnings into the answer's headers.
    pub(crate) fn warned(&self, response: Response) -> Response {
        if self.warnings.is_empty() {
            return response;
        }
        let text = self.warnings.join(" ");
        let response = with_header(response, "x-netsuite-propertyvalidation", "Warning");
        with_header(response, "x-netsuite-warning", &text)
    }

    /// Whether the caller asked for a sublist to be replaced rather than merged.
    pub(crate) fn replaces(&self, sublist: &str) -> bool {
        self.replaced.iter().any(|name| name == sublist)
    }

    /// The whole body as a part to read from.
    pub(crate) fn head(&self) -> Part<'_> {
        Part {
            writing: self,
            path: String::new(),
            json: &self.body,
        }
    }

    /// A sublist: `Clear` for null, `Set` with its elements.
    pub(crate) fn sublist(&self, name: &str) -> Patch<Vec<Part<'_>>> {
        match self.body.get(name) {
            None => Patch::Absent,
            Some(Json::Null) => Patch::Clear,
            Some(list) => {
                let items = list
                    .get("items")
                    .and_then(Json::as_array)
                    .unwrap_or_default();
                Patch::Set(
                    items
                        .iter()
                        .enumerate()
                        .map(|(index, json)| Part {
                            writing: self,
                            path: format!("{name}.items[{index}]"),
                            json,
                        })
                        .collect(),
                )
            }
        }
    }

    /// Merges what is only kept into a record's stored extras. Null removes.
    pub(crate) fn extras(&self, stored: Option<&str>) -> Option<String> {
        let mut kept: Vec<(String, Json)> = match stored.map(Json::parse) {
            Some(Ok(Json::Object(fields))) => fields,
            _ => Vec::new(),
        };
        for (name, value) in self.body.fields() {
            let only_kept = match self.record.field(name) {
                Some(field) => field.kept,
                None => self.is_custom(name),
            };
            if !only_kept {
                continue;
            }
            kept.retain(|(other, _)| other != name);
            if *value != Json::Null {
                kept.push((name.clone(), value.clone()));
            }
        }
        (!kept.is_empty()).then(|| Json::Object(kept).to_string())
    }
}

fn strictness(desk: &Desk<'_>, header: &str, default: Strictness) -> Result<Strictness, Problem> {
    match desk
        .call
        .header(header)
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None => Ok(default),
        Some("error") => Ok(Strictness::Error),
        Some("warning") => Ok(Strictness::Warning),
        Some("ignore") => Ok(Strictness::Ignore),
        Some(_) => Err(Problem::header(header, "Use Error, Warning or Ignore.")),
    }
}

/// A part of a body: its head, or an element of a sublist.
#[derive(Clone)]
pub(crate) struct Part<'a> {
    writing: &'a Writing<'a>,
    path: String,
    json: &'a Json,
}

impl<'a> Part<'a> {
    /// The path of a field, for refusals.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// A field as it is.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a Json> {
        self.json.get(name)
    }

    /// An object within: an address.
    pub(crate) fn inner(&self, name: &str) -> Option<Part<'a>> {
        let json = self.json.get(name)?;
        Some(Part {
            writing: self.writing,
            path: self.path(name),
            json,
        })
    }

    fn read<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl Fn(&Json) -> Option<T>,
    ) -> Result<Patch<T>, Problem> {
        match self.json.get(name) {
            None => Ok(Patch::Absent),
            Some(Json::Null) => Ok(Patch::Clear),
            Some(value) => match read(value) {
                Some(value) => Ok(Patch::Set(value)),
                None if self.writing.values == Strictness::Error => Err(self.invalid(name, wanted)),
                None => Ok(Patch::Absent),
            },
        }
    }

    /// A refusal of a field's value.
    pub(crate) fn invalid(&self, name: &str, wanted: &str) -> Problem {
        let value = self.json.get(name).map(Json::to_string).unwrap_or_default();
        Problem::content(
            self.path(name),
            format!(
                "Invalid Field Value {value} for the following field: {name}. Expected {wanted}."
            ),
        )
    }

    /// A text. The empty text clears, as it does in the pages.
    pub(crate) fn text(&self, name: &str) -> Result<Patch<String>, Problem> {
        let text = self.read(name, "a string", |json| {
            json.as_identifier().map(str::to_owned)
        })?;
        Ok(match text {
            Patch::Set(text) if text.is_empty() => Patch::Clear,
            other => other,
        })
    }

    /// An exact number.
    pub(crate) fn decimal(&self, name: &str) -> Result<Patch<Decimal>, Problem> {
        self.read(name, "a number", Json::as_decimal)
    }

    /// A boolean.
    pub(crate) fn boolean(&self, name: &str) -> Result<Patch<bool>, Problem> {
        self.read(name, "true or false", Json::as_bool)
    }

    /// A date `YYYY-MM-DD`.
    pub(crate) fn date(&self, name: &str) -> Result<Patch<Date>, Problem> {
        self.read(name, "a date YYYY-MM-DD", |json| {
            let text = json.as_text()?;
            Date::strptime("%Y-%m-%d", text).ok()
        })
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Result<Patch<i64>, Problem> {
        self.read(name, "a whole number", |json| {
            json.as_identifier()?.parse().ok()
        })
    }

    /// The id of an enumeration: `{"id": "2"}`, `"2"` or `2`.
    pub(crate) fn choice(&self, name: &str) -> Result<Patch<String>, Problem> {
        self.read(name, "an object with an id", |json| {
            json.get("id")
                .unwrap_or(json)
                .as_identifier()
                .map(str::to_owned)
        })
    }

    /// A reference `{"id": "1"}` or `{"externalId": "x"}` into one of `tables`.
    pub(crate) fn reference(
        &self,
        name: &str,
        tables: &[&'static str],
    ) -> Result<Patch<i64>, Problem> {
        let Some(value) = self.json.get(name) else {
            return Ok(Patch::Absent);
        };
        if *value == Json::Null {
            return Ok(Patch::Clear);
        }
        let found = if let Some(id) = value.get("id") {
            id.as_identifier()
                .and_then(|id| id.trim().parse::<i64>().ok())
        } else if let Some(external) = value.get("externalId").and_then(Json::as_text) {
            self.by_external_id(tables, external)?
        } else {
            None
        };
        match found {
            Some(id) => Ok(Patch::Set(id)),
            None if self.writing.values != Strictness::Error => Ok(Patch::Absent),
            None => {
                let given = value
                    .get("id")
                    .or_else(|| value.get("externalId"))
                    .and_then(Json::as_identifier)
                    .map_or_else(|| value.to_string(), str::to_owned);
                Err(Problem::content(
                    self.path(name),
                    format!("Invalid Field Value {given} for the following field: {name}"),
                ))
            }
        }
    }

    fn by_external_id(
        &self,
        tables: &[&'static str],
        external: &str,
    ) -> Result<Option<i64>, Problem> {
        for table in tables {
            let found = ledger::by_external_id(self.writing.desk.books, table, None, external)
                .map_err(|error| failure::store(&error))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// What is only kept of an element: everything but `read`.
    pub(crate) fn extras(&self, read: &[&str]) -> Option<String> {
        let kept: Vec<(String, Json)> = self
            .json
            .fields()
            .iter()
            .filter(|(name, value)| {
                !read.contains(&name.as_str())
                    && !MEANINGLESS.contains(&name.as_str())
                    && *value != Json::Null
            })
            .cloned()
            .collect();
        (!kept.is_empty()).then(|| Json::Object(kept).to_string())
    }
}
