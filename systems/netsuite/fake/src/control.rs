//! The panel's NetSuite side: what a person does in NetSuite's own pages, and the account's switches.

mod person;

use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use crate::ledger::{self, LedgerError, PeriodState};
use crate::options::Quirks;
use crate::problem::Problem;
use crate::suiteql::Page;
use crate::{NetSuiteFake, lock};

/// The most rows that `query` shows.
const ROWS_MAX: usize = 100_000;

/// A feature, with the tables and columns that go with it.
type Feature = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

/// The features that can be switched.
const FEATURES: [Feature; 12] = [
    ("SUBSIDIARIES", &[], &[]),
    (
        "DEPARTMENTS",
        &["department"],
        &[("transactionline", "department")],
    ),
    (
        "CLASSES",
        &["classification"],
        &[("transactionline", "class")],
    ),
    (
        "LOCATIONS",
        &["location"],
        &[("transactionline", "location")],
    ),
    (
        "MULTICURRENCY",
        &["currency"],
        &[
            ("transaction", "currency"),
            ("transaction", "exchangerate"),
            ("vendor", "currency"),
            ("customer", "currency"),
            ("account", "currency"),
        ],
    ),
    ("APPROVALROUTING", &[], &[("transaction", "approvalstatus")]),
    ("RESTWEBSERVICES", &[], &[]),
    ("OAUTH2", &[], &[]),
    ("TBA", &[], &[]),
    ("WEBSERVICESEXTERNAL", &[], &[]),
    ("CUSTOMCODE", &[], &[]),
    ("SERVERSIDESCRIPTING", &[], &[]),
];

/// The columns that vanish with a feature.
pub(crate) fn columns_of_feature(feature: &str) -> impl Iterator<Item = (String, String)> {
    FEATURES
        .iter()
        .filter(move |(name, _, _)| *name == feature)
        .flat_map(|(_, _, columns)| columns.iter())
        .map(|(table, column)| ((*table).to_owned(), (*column).to_owned()))
}

/// The tables that vanish with a feature.
pub(crate) fn tables_of_feature(feature: &str) -> impl Iterator<Item = String> {
    FEATURES
        .iter()
        .filter(move |(name, _, _)| *name == feature)
        .flat_map(|(_, tables, _)| tables.iter())
        .map(|table| (*table).to_owned())
}

/// `POST /control/netsuite/…`
pub(crate) fn control(
    fake: &NetSuiteFake,
    path: &[&str],
    body: &Value,
) -> Result<Value, ControlError> {
    match path {
        ["periods", period] => set_period(fake, period, body),
        ["features"] => set_features(fake, body),
        ["role"] => change_role(fake, body),
        ["switches"] => set_switches(fake, body),
        ["limits"] => set_limits(fake, body),
        ["query"] => query(fake, body),
        ["scripts"] => fake.scripts.control(body),
        ["bundle"] => crate::records::bundle::control(fake, body),
        ["integrations"] => fake.credentials.control_integrations(body),
        ["tokens"] => fake.credentials.control_tokens(body),
        ["certificates"] => fake.credentials.control_certificates(body),
        [record] => person::make(fake, record, body),
        [record, id] => person::act(fake, record, id, body),
        _ => Err(ControlError::missing(
            "netsuite: use {record}, {record}/{id}, periods/{id}, features, role, switches, limits, query, scripts, bundle, integrations, tokens or certificates",
        )),
    }
}

/// A refusal of the record service, told at the panel.
fn told(problem: Problem) -> ControlError {
    let status = if problem.status == 404 { 404 } else { 400 };
    let place = match &problem.place {
        Some(crate::problem::Place::Body(path)) => format!("{path}: "),
        _ => String::new(),
    };
    ControlError {
        status,
        message: format!("{place}{}", problem.detail),
    }
}

/// A refusal of the ledger, told at the panel.
fn refused(error: &LedgerError) -> ControlError {
    let status = match error {
        LedgerError::NotFound { .. } => 404,
        LedgerError::InUse { .. } => 409,
        _ => 400,
    };
    ControlError {
        status,
        message: error.to_string(),
    }
}

/// `periods/{id}`: an id, or a name such as `Jun 2026`. `"non_ledger_changes": true` beside the state is the
/// period's "Allow Non-G/L Changes".
fn set_period(fake: &NetSuiteFake, period: &str, body: &Value) -> Result<Value, ControlError> {
    let state = match body.get("state").and_then(Value::as_str) {
        Some("open") => PeriodState::Open,
        Some("locked") => PeriodState::Locked,
        Some("closed") => PeriodState::Closed,
        _ => {
            return Err(ControlError::bad(format!(
                "periods/{period}: needs \"state\": open, locked or closed"
            )));
        }
    };
    let context = fake.context(None);
    fake.with_books(|books| {
        let named: Option<(i64, String)> = books
            .query_row(
                "SELECT id, periodname FROM accountingperiod
                 WHERE id = CAST(?1 AS INTEGER) OR periodname = ?1 COLLATE NOCASE
                 ORDER BY periodname = ?1 COLLATE NOCASE DESC LIMIT 1",
                [period],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .ok();
        let (id, name) = named
            .ok_or_else(|| ControlError::missing(format!("periods/{period}: no such period")))?;
        ledger::set_period(books, &context, id, state).map_err(|error| refused(&error))?;
        if let Some(allowed) = body.get("non_ledger_changes").and_then(Value::as_bool) {
            books
                .execute(
                    "UPDATE accountingperiod SET allownonglchanges = ?2 WHERE id = ?1",
                    (id, ledger::flag(allowed)),
                )
                .map_err(|error| refused(&LedgerError::Store(error)))?;
        }
        Ok(json!({"id": id.to_string(), "name": name, "state": body["state"]}))
    })
}

/// `features`: `{"DEPARTMENTS": false}`
fn set_features(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    let wanted = body
        .get("features")
        .unwrap_or(body)
        .as_object()
        .ok_or_else(|| {
            ControlError::bad("features: must be an object of feature name to true or false")
        })?;
    for (name, on) in wanted {
        let feature = name.to_ascii_uppercase();
        if !FEATURES.iter().any(|(known, _, _)| *known == feature) {
            let known: Vec<&str> = FEATURES.iter().map(|(known, _, _)| *known).collect();
            return Err(ControlError::bad(format!(
                "features.{name}: unknown; use {}",
                known.join(", ")
            )));
        }
        let on = on
            .as_bool()
            .ok_or_else(|| ControlError::bad(format!("features.{name}: must be true or false")))?;
        if on {
            lock(&fake.shape).features_off.remove(&feature);
        } else {
            lock(&fake.shape).features_off.insert(feature.clone());
        }
        fake.credentials.set_feature(&feature, on);
        fake.with_books(|books| {
            books.execute(
                "UPDATE companyfeaturesetup SET isactive = ?2 WHERE id = ?1 COLLATE NOCASE",
                [feature.as_str(), ledger::flag(on)],
            )
        })
        .map_err(|error| refused(&LedgerError::Store(error)))?;
    }
    let off: Vec<String> = lock(&fake.shape).features_off.iter().cloned().collect();
    Ok(json!({"off": off}))
}

/// `role`: `{"permissions": {"Bills": "none"}, "hide": {"tables": […], "columns": ["transaction.memo"]}}`;
/// `{"restore": true}` shows everything again.
fn change_role(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    if body.get("restore").and_then(Value::as_bool) == Some(true) {
        let mut shape = lock(&fake.shape);
        shape.hidden_tables.clear();
        shape.hidden_columns.clear();
        drop(shape);
        fake.credentials
            .change_roles(|role| *role = crate::auth::role::Role::integration());
        return Ok(json!({"restored": true}));
    }
    // Judged on a copy first: a role is changed whole or not at all.
    fake.credentials.role().change(body)?;
    fake.credentials.change_roles(|role| {
        if let Err(error) = role.change(body) {
            tracing::error!(%error, "a change judged sound was refused");
        }
    });
    let hide = body.get("hide").cloned().unwrap_or_default();
    let names = |key: &str| -> Result<Vec<String>, ControlError> {
        match hide.get(key) {
            None => Ok(Vec::new()),
            Some(list) => list
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| name.as_str().map(str::to_ascii_lowercase))
                .collect::<Option<_>>()
                .ok_or_else(|| ControlError::bad(format!("hide.{key}: must be an array of names"))),
        }
    };
    let tables = names("tables")?;
    let columns: Vec<(String, String)> = names("columns")?
        .into_iter()
        .map(|name| {
            name.split_once('.')
                .map(|(table, column)| (table.to_owned(), column.to_owned()))
                .ok_or_else(|| {
                    ControlError::bad(format!("hide.columns: \"{name}\" must be table.column"))
                })
        })
        .collect::<Result<_, _>>()?;
    let mut shape = lock(&fake.shape);
    shape.hidden_tables.extend(tables);
    shape.hidden_columns.extend(columns);
    Ok(json!({
        "role": fake.credentials.role().name(),
        "hidden_tables": shape.hidden_tables,
        "hidden_columns": shape.hidden_columns.iter()
            .map(|(table, column)| format!("{table}.{column}")).collect::<Vec<_>>(),
    }))
}

/// `switches`: any of [`Quirks`]' fields.
fn set_switches(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    let mut merged = serde_json::to_value(fake.quirks())
        .map_err(|error| ControlError::bad(error.to_string()))?;
    let wanted = body
        .as_object()
        .ok_or_else(|| ControlError::bad("switches: must be an object"))?;
    for (name, value) in wanted {
        merged[name] = value.clone();
    }
    let quirks: Quirks = serde_json::from_value(merged.clone())
        .map_err(|error| ControlError::bad(format!("switches: {error}")))?;
    *lock(&fake.quirks) = quirks;
    Ok(merged)
}

/// `query`: `{"q": "SELECT …"}`: SuiteQL without a sign-in, as an administrator sees it, all rows at once.
/// It shows the books as they are: lagging look-ups are none of its business.
fn query(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    let sql = body
        .get("q")
        .and_then(Value::as_str)
        .ok_or_else(|| ControlError::bad("query: needs \"q\": a SELECT"))?;
    let session = fake.session(&person::person());
    let page = Page {
        limit: ROWS_MAX,
        offset: 0,
    };
    let answer = fake
        .with_books(|books| fake.engine.run(books, sql, &[], page, &session))
        .map_err(|error| ControlError::bad(error.to_string()))?;
    Ok(json!({"items": answer.items}))
}

/// `limits`: `{"concurrency": 3}`; 0 is an account whose other integrations use all there is.
fn set_limits(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    let limit = body
        .get("concurrency")
        .and_then(Value::as_u64)
        .and_then(|limit| usize::try_from(limit).ok())
        .ok_or_else(|| ControlError::bad("limits: needs \"concurrency\": a whole number"))?;
    fake.limits.set_limit(limit);
    Ok(json!({"concurrency": limit}))
}
