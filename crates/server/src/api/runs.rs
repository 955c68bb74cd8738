//! Runs: past ones, one entry by entry, and a new one.

use std::collections::BTreeMap;

use axum::Json;
use axum::routing::{get, post};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_store::{ConnectionStore, RunId, RunRow};

use super::connections::store;
use super::operation::Operation;
use super::paging::{Paging, page};
use super::problem::Problem;
use super::schema::{Schema, by_name, count, instant, list, maybe, object, page_of, switch, text};
use super::taking::{Asked, Named, Nothing, Taken};
use crate::people::{Person, Role};
use crate::program::SyncAsked;
use crate::view::View;

const RUNS: &str = "/connections/{connection}/runs";

/// What can be asked of runs.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listRuns", Method::GET, RUNS),
            "RunPage",
            "Past runs, the newest first.",
            get(all),
        )
        .paged(),
        Operation::new(
            ("startRun", Method::POST, RUNS),
            "RunAsked",
            "Asks for a run; one that is on already is joined.",
            post(start),
        )
        .needs(Role::Operator)
        .takes("RunRequest")
        .succeeds(StatusCode::ACCEPTED)
        .asks_a_side(),
        Operation::new(
            (
                "getRun",
                Method::GET,
                "/connections/{connection}/runs/{run}",
            ),
            "Run",
            "One run.",
            get(one),
        ),
        Operation::new(
            (
                "listRunEntries",
                Method::GET,
                "/connections/{connection}/runs/{run}/entries",
            ),
            "EntryPage",
            "What happened in a run, in the order in which it happened.",
            get(entries),
        )
        .paged(),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let run = json!({
        "id": text(), "trigger": text(), "flows": list(text()), "actor": text(), "started": instant(),
        "ended": maybe(instant()), "status": {"enum": ["running", "done", "exceptions", "failed"]},
        "counts": by_name(by_name(count())), "calls": by_name(count()),
        "allowances": by_name(count()), "cause": text(),
    });
    let asked = json!({
        "flows": {"type": "array", "items": text(), "description": "Only these flows; all if none is named."},
        "only": {
            "type": "array", "items": text(),
            "description": "Only these records, by id, number or side/kind/id, and what they depend on.",
        },
        "whole": {"type": "boolean", "description": "Read everything again instead of what changed."},
    });
    let mut asked = object(asked, &["flows", "only", "whole"]);
    asked["example"] = json!({"flows": ["bills"]});
    vec![
        ("Run", object(run, &[])),
        ("RunPage", page_of("Run")),
        ("RunRequest", asked),
        (
            "RunAsked",
            object(json!({"connection": text(), "asked": switch()}), &[]),
        ),
    ]
}

async fn all(
    view: View,
    Named(name): Named<String>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let limit = paging.limit()?;
    let allowances = allowances(&view, &store);
    let runs = match paging.after::<RunId>()? {
        None => store.runs(limit).await?,
        Some(last) => store.runs_before(&last, limit).await?,
    };
    let told: Vec<Told> = runs
        .into_iter()
        .map(|run| Told {
            run,
            allowances: allowances.clone(),
        })
        .collect();
    Ok(Json(page(&told, limit, |told: &Told| told.run.id.clone())))
}

/// A run, with what its calls are held against.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    run: RunRow,
    /// How many calls its systems allow in an hour.
    allowances: BTreeMap<String, u64>,
}

fn allowances(view: &View, store: &ConnectionStore) -> BTreeMap<String, u64> {
    let connection = view.known(store.name().as_str());
    connection.map(|it| it.allowances).unwrap_or_default()
}

/// What a new run is asked to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunRequest {
    #[serde(default)]
    flows: Vec<String>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    whole: bool,
}

async fn start(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<RunRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let store = store(&view, &name)?;
    let asked = SyncAsked {
        flows: request.flows,
        only: request.only,
        whole: request.whole,
        by: person.actor(),
    };
    view.program.sync(store.name(), asked).await?;
    let told = json!({"connection": name, "asked": true});
    Ok((StatusCode::ACCEPTED, Json(told)))
}

async fn found(store: &ConnectionStore, run: &str) -> Result<RunRow, Problem> {
    let found = store.run(&RunId::new(run)).await?;
    found.ok_or_else(|| {
        let cause = format!("`{run}` is no run of {}", store.name());
        Problem::missing(Code::new("unknown-run"), cause)
    })
}

async fn one(
    view: View,
    Named((name, run)): Named<(String, String)>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Told>, Problem> {
    let store = store(&view, &name)?;
    Ok(Json(Told {
        run: found(&store, &run).await?,
        allowances: allowances(&view, &store),
    }))
}

async fn entries(
    view: View,
    Named((name, run)): Named<(String, String)>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let run = found(&store, &run).await?;
    let limit = paging.limit()?;
    let after = paging.after::<u64>()?.unwrap_or_default();
    let entries = store.run_facts(&run.id, after, limit).await?;
    Ok(Json(page(&entries, limit, |entry| entry.seq)))
}
