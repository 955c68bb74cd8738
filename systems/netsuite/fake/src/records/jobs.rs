//! Asynchronous requests: jobs, idempotency keys, and batches of records (README, section *Asynchronous*).

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};

use super::{carry_out, with_header};
use crate::auth::Caller;
use crate::http_surface::{COLLECTION, Call, SINGULAR, json_response};
use crate::json::Json;
use crate::problem::{Place, Problem};
use crate::query::count;
use crate::schema::stamp;
use crate::{NetSuiteFake, lock};

const IDEMPOTENCY_KEY: &str = "x-netsuite-idempotency-key";
/// The most records of a batch.
const LARGEST_BATCH: usize = 100;

/// The jobs of the account.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    jobs: BTreeMap<u64, Job>,
    keys: BTreeMap<String, u64>,
}

#[derive(Debug, Clone)]
struct Job {
    started: String,
    tasks: Vec<Outcome>,
}

/// The synchronous answer a task would have given.
#[derive(Debug, Clone)]
struct Outcome {
    status: StatusCode,
    location: Option<String>,
    body: Option<Json>,
}

impl Outcome {
    fn of(result: Result<Response, Problem>) -> Self {
        match result {
            Ok(response) => Self {
                status: response.status(),
                location: response
                    .headers()
                    .get(http::header::LOCATION)
                    .and_then(|location| location.to_str().ok())
                    .map(str::to_owned),
                body: None,
            },
            Err(problem) => Self {
                status: StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST),
                location: None,
                body: Some(problem.body()),
            },
        }
    }
}

/// Takes a request on and answers 202 with the job's address.
pub(crate) fn submit(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
    path: &[&str],
) -> Result<Response, Problem> {
    let key = call
        .header(IDEMPOTENCY_KEY)
        .map(|key| format!("{}:{key}", caller.integration));
    if let Some(key) = &key {
        let sound = key
            .rsplit(':')
            .next()
            .is_some_and(|key| uuid::Uuid::parse_str(key).is_ok());
        if !sound {
            return Err(Problem::header(
                "X-NetSuite-Idempotency-Key",
                "The key must be a UUID.",
            ));
        }
        if let Some(job) = lock(&fake.jobs.0).keys.get(key) {
            return Err(Problem::new(
                400,
                "IDEMPOTENCY_ERROR",
                "A request with this idempotency key has been submitted before.",
            )
            .titled("Conflict")
            .at(Place::Header("X-NetSuite-Idempotency-Key".to_owned()))
            .with_header(http::header::LOCATION, address(call, *job)));
        }
    }
    let started = stamp(fake.now());
    let tasks = if is_batch(call, path) {
        batch(fake, call, caller, path)?
    } else {
        vec![Outcome::of(carry_out(fake, call, caller, path))]
    };
    let mut table = lock(&fake.jobs.0);
    let id = table.jobs.len() as u64 + 1;
    table.jobs.insert(id, Job { started, tasks });
    if let Some(key) = key {
        table.keys.insert(key, id);
    }
    let response = StatusCode::ACCEPTED.into_response();
    let response = with_header(response, "location", &address(call, id));
    Ok(with_header(response, "preference-applied", "respond-async"))
}

fn address(call: &Call, id: u64) -> String {
    format!("{}/services/rest/async/v1/job/{id}", call.origin())
}

fn is_batch(call: &Call, path: &[&str]) -> bool {
    path.len() == 1
        && call
            .header("content-type")
            .is_some_and(|media| media.contains("type=collection"))
}

/// One task for each record of a collection, in order.
fn batch(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
    path: &[&str],
) -> Result<Vec<Outcome>, Problem> {
    let body = call.json()?;
    let items = body.get("items").and_then(Json::as_array).ok_or_else(|| {
        Problem::content(
            "items",
            "Invalid content in the request body. Error: 'items' is missing.",
        )
    })?;
    if items.len() > LARGEST_BATCH {
        return Err(Problem::content(
            "items",
            "A batch holds at most 100 records.",
        ));
    }
    let outcomes = items.iter().map(|item| {
        let id = item
            .get("id")
            .and_then(Json::as_identifier)
            .map(str::to_owned);
        let external = item.get("externalId").and_then(Json::as_text);
        let at = match (&call.method, id, external) {
            (&Method::PATCH, Some(id), _) => Some(id),
            (&Method::PUT | &Method::PATCH, _, Some(external)) => Some(format!("eid:{external}")),
            _ => None,
        };
        let mut one = call.clone();
        one.headers.insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        one.body = Bytes::from(item.to_string());
        let mut path = path.to_vec();
        path.extend(at.as_deref());
        Outcome::of(carry_out(fake, &one, caller, &path))
    });
    Ok(outcomes.collect())
}

/// `GET /services/rest/async/v1/job/{id}[/task[/{id}[/result]]]`
pub(crate) fn dispatch(
    fake: &NetSuiteFake,
    call: &Call,
    path: &[&str],
) -> Result<Response, Problem> {
    if call.method != Method::GET {
        return Err(Problem::method(&call.method));
    }
    let ["job", id, rest @ ..] = path else {
        return Err(Problem::new(404, "INVALID_URL", "Resource does not exist."));
    };
    let missing = || Problem::missing(format!("The job '{id}' does not exist."));
    let number: u64 = id.parse().map_err(|_| missing())?;
    let job = lock(&fake.jobs.0)
        .jobs
        .get(&number)
        .cloned()
        .ok_or_else(missing)?;
    let base = address(call, number);
    match rest {
        [] => Ok(json_response(
            StatusCode::OK,
            SINGULAR,
            &told(&job, number, &base),
        )),
        ["task"] => {
            let items: Vec<Json> = (1..=job.tasks.len())
                .map(|task| {
                    let link = Json::object([
                        ("rel", Json::text("self")),
                        ("href", Json::text(format!("{base}/task/{task}"))),
                    ]);
                    Json::object([
                        ("links", Json::Array(vec![link])),
                        ("id", Json::text(task.to_string())),
                    ])
                })
                .collect();
            let body = Json::object([
                ("links", Json::Array(Vec::new())),
                ("count", count(items.len())),
                ("hasMore", Json::Bool(false)),
                ("offset", count(0)),
                ("totalResults", count(items.len())),
                ("items", Json::Array(items)),
            ]);
            Ok(json_response(StatusCode::OK, COLLECTION, &body))
        }
        ["task", task, rest @ ..] => {
            let task: usize = task.parse().map_err(|_| missing())?;
            let outcome = task
                .checked_sub(1)
                .and_then(|at| job.tasks.get(at))
                .ok_or_else(missing)?;
            match rest {
                [] => {
                    let body = told(&job, task as u64, &format!("{base}/task/{task}"));
                    Ok(json_response(StatusCode::OK, SINGULAR, &body))
                }
                ["result"] => Ok(replay(outcome)),
                _ => Err(missing()),
            }
        }
        _ => Err(missing()),
    }
}

fn told(job: &Job, id: u64, address: &str) -> Json {
    let time = format!("{}Z", job.started.replace(' ', "T"));
    let link = Json::object([("rel", Json::text("self")), ("href", Json::text(address))]);
    Json::object([
        ("links", Json::Array(vec![link])),
        ("completed", Json::Bool(true)),
        ("progress", Json::text("succeeded")),
        ("startTime", Json::text(&time)),
        ("endTime", Json::text(&time)),
        ("id", Json::text(id.to_string())),
    ])
}

fn replay(outcome: &Outcome) -> Response {
    let response = match &outcome.body {
        Some(body) => json_response(
            outcome.status,
            "application/vnd.oracle.resource+json; type=error; charset=UTF-8",
            body,
        ),
        None => outcome.status.into_response(),
    };
    match &outcome.location {
        Some(location) => with_header(response, "location", location),
        None => response,
    }
}
