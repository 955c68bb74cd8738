//! `tieout ping`: signs in on both sides and reads one record each.

use serde_json::{Value, json};
use tieout_domain::Fault;
use tieout_domain::port::{Identity, Ports};
use tieout_engine::Connection;

use super::sync::connections;
use crate::bulk;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::trial::refuse_a_fifth;

/// Pings both sides of the connections. One that fails doesn't hide the others.
pub async fn run(global: &Global, names: &[String]) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let mut failed = false;
    let mut pings = Vec::new();
    let connections = connections(global, &home, names).await?;
    bulk::each(&connections, both, async |(connection, answers)| {
        let name = connection.store.name().to_string();
        for (side, ports, result) in answers {
            failed |= result.is_err();
            if !global.json {
                tell(&name, ports.system.as_str(), &result);
            }
            pings.push(entry(&name, side, ports.system.as_str(), &result));
        }
    })
    .await;
    if global.json {
        output::json(&json!({ "pings": pings }));
    }
    Ok(if failed { Exit::Side } else { Exit::Done })
}

/// Asks a side, unless one more refusal could lock somebody out.
async fn ping(ports: &Ports) -> Result<Identity, Fault> {
    let name = format!("the credential for {}", ports.system);
    if let Err(Failure { code, cause, .. }) = refuse_a_fifth(&name, ports).await {
        return Err(Fault::Denied { code, cause });
    }
    ports.whole.ping().await
}

/// How a side of a connection answered.
type Answer<'a> = (&'static str, &'a Ports, Result<Identity, Fault>);

async fn both(connection: &Connection) -> (&Connection, [Answer<'_>; 2]) {
    let sides = &connection.sides;
    let (ledger, platform) = tokio::join!(ping(&sides.ledger), ping(&sides.platform));
    let answers = [
        ("ledger", &sides.ledger, ledger),
        ("platform", &sides.platform, platform),
    ];
    (connection, answers)
}

/// Prints how a side answered.
pub(super) fn tell(connection: &str, system: &str, result: &Result<Identity, Fault>) {
    match result {
        Ok(identity) => {
            let details: Vec<_> = identity
                .details
                .iter()
                .map(|(label, value)| format!("{label} {value}"))
                .collect();
            let details = if details.is_empty() {
                String::new()
            } else {
                format!(", {}", details.join(", "))
            };
            let text = format!(
                "{connection}: {system} ok: {} ({}){details}",
                identity.name, identity.id
            );
            output::line(&text);
        }
        Err(fault) => {
            let code = fault.code();
            output::line(&format!("{connection}: {system} failed[{code}]: {fault}"));
            if !code.fix().is_empty() {
                output::line(&format!("  fix: {}", code.fix()));
            }
        }
    }
}

/// How a side answered, as JSON.
pub(super) fn entry(
    connection: &str,
    side: &str,
    system: &str,
    result: &Result<Identity, Fault>,
) -> Value {
    match result {
        Ok(identity) => json!({
            "connection": connection, "side": side, "system": system, "status": "ok",
            "identity": identity,
        }),
        Err(fault) => json!({
            "connection": connection, "side": side, "system": system, "status": "failed",
            "code": fault.code(), "cause": fault.to_string(), "fix": fault.code().fix(),
        }),
    }
}
