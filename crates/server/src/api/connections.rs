//! Connections: what there is, and how each stands.

use std::collections::BTreeMap;

use axum::Json;
use axum::routing::get;
use http::Method;
use serde_json::{Value, json};
use tieout_domain::State as Standing;
use tieout_domain::code::Code;
use tieout_engine::{InitialSync, initial_sync};
use tieout_store::ConnectionStore;

use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, by_name, count, list, maybe, object, of, switch, text};
use super::taking::{Asked, Named, Nothing};
use crate::program::ConnectionInfo;
use crate::view::View;

/// What can be asked of connections.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listConnections", Method::GET, "/connections"),
            "ConnectionList",
            "All connections.",
            get(all),
        ),
        Operation::new(
            ("getConnection", Method::GET, "/connections/{connection}"),
            "ConnectionStanding",
            "One connection, with each flow's population by state and what stops its writes.",
            get(one),
        ),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let connection = json!({
        "name": text(), "pair": text(), "tenant": maybe(text()), "enabled": switch(), "ledger": text(), "platform": text(),
        "time_zone": maybe(text()), "schedule": maybe(text()), "flows": list(text()),
        "next_run": maybe(super::schema::instant()), "running": switch(),
    });
    let mut standing = connection.clone();
    standing["counts"] = by_name(by_name(count()));
    standing["stops"] = list(of("Stop"));
    standing["status"] = json!({"enum": ["pending", "connected"]});
    standing["initial"] = maybe(json!({"type": "object"}));
    vec![
        ("Connection", object(connection, &[])),
        ("ConnectionList", all_of("Connection")),
        ("ConnectionStanding", object(standing, &[])),
    ]
}

/// The store of the connection of this name.
pub(super) fn store(view: &View, name: &str) -> Result<ConnectionStore, Problem> {
    view.connection(name).ok_or_else(|| {
        let cause = format!("`{name}` is no connection");
        Problem::missing(Code::new("unknown-connection"), cause)
    })
}

fn shown(connection: &ConnectionInfo) -> Value {
    json!({
        "name": connection.name, "pair": connection.pair, "tenant": connection.tenant, "enabled": connection.enabled,
        "ledger": connection.ledger, "platform": connection.platform,
        "time_zone": connection.time_zone.iana_name(), "schedule": connection.schedule,
        "flows": connection.flows, "next_run": connection.next_run, "running": connection.running,
    })
}

async fn all(view: View, Asked(Nothing {}): Asked<Nothing>) -> Json<Value> {
    let all: Vec<Value> = view.program.connections().iter().map(shown).collect();
    Json(json!({ "items": all }))
}

async fn one(
    view: View,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let known = view.program.connections();
    let found = known
        .iter()
        .find(|connection| connection.name == *store.name());
    let mut told = found.map_or(Value::Null, shown);
    let counts: BTreeMap<String, BTreeMap<&str, u64>> = store
        .counts()
        .await?
        .into_iter()
        .map(|(flow, counts)| {
            let states = Standing::ALL.iter().map(|state| state.as_str());
            (flow, states.zip(counts).collect())
        })
        .collect();
    told["counts"] = json!(counts);
    told["stops"] = json!(store.stops().await?);
    let initial = initial_sync(&store).await?;
    let pending = initial.as_ref().is_some_and(InitialSync::is_pending);
    told["status"] = json!(if pending { "pending" } else { "connected" });
    told["initial"] = json!(initial);
    Ok(Json(told))
}
