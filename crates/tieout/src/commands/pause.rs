//! `tieout pause` and `tieout resume`: the kill switch (scenario 239).
//!
//! What it does is [the desk's](tieout_desk::pause). A call that was made before may still be carried out over
//! there; `pause` names those and waits for nothing.

use clap::Args;
use serde::Serialize;
use serde_json::json;
use tieout_desk::pause;
use tieout_domain::ConnectionName;
use tieout_domain::port::Ports;
use tieout_store::{ConnectionStore, OpenWrite, Stop};

use super::connect::moving_over::refuse_unfinished;
use super::reconnect::leave_paused;
use super::sync;
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::other_sync;
use crate::output;

/// What `pause` takes.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// Which connections; if none is named, all of them by one switch of the installation.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// Why; part of the history. Stopping is not held up for want of one.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}

/// What `resume` takes.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Which connections; if none is named, the switch of the installation is put back.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// Why; part of the history.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// A call that may still be carried out.
#[derive(Debug, Serialize)]
struct UnderWay {
    connection: ConnectionName,
    write: OpenWrite,
}

/// Stops remote writes.
pub async fn pause(global: &Global, args: &PauseArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let stores = chosen(&home, &args.connections)?;
    if args.connections.is_empty() {
        pause::pause_all(&home.store.installation(), &args.reason, &actor()).await?;
    } else {
        for store in &stores {
            pause::pause(store, &args.reason, &actor()).await?;
            // A renewal may have paused it before, and must not let it go on when it ends.
            leave_paused(&home, store.name(), &actor()).await?;
        }
    }
    let mut under_way = Vec::new();
    for store in &stores {
        let sent = pause::under_way(store).await?;
        under_way.extend(sent.into_iter().map(|write| UnderWay {
            connection: store.name().clone(),
            write,
        }));
    }
    let stops = in_force(&home, &stores).await?;
    if global.json {
        output::json(&json!({"stops": stops, "under_way": under_way}));
        return Ok(Exit::Done);
    }
    for stop in &stops {
        output::line(&stop.to_string());
    }
    output::line(&match under_way.len() {
        0 => "no call is under way".to_owned(),
        1 => "1 call may still be under way; its outcome is looked up by the next sync:".to_owned(),
        more => {
            format!(
                "{more} calls may still be under way; their outcome is looked up by the next sync:"
            )
        }
    });
    for UnderWay { connection, write } in &under_way {
        let since = write
            .attempted_at
            .map(|at| format!(", sent {at:.0}"))
            .unwrap_or_default();
        output::line(&format!(
            "  {connection}: {} {} for {}{since}",
            write.order.action.as_str(),
            write.order.document.kind(),
            write.record
        ));
    }
    Ok(Exit::Done)
}

/// Lets them go on.
pub async fn resume(global: &Global, args: &ResumeArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let stores = chosen(&home, &args.connections)?;
    refuse_beside_another_sync(global, &home, &args.connections, &stores).await?;
    let mut resumed = 0;
    if args.connections.is_empty() {
        let installation = home.store.installation();
        resumed += usize::from(pause::resume_all(&installation, &args.reason, &actor()).await?);
    } else {
        for store in &stores {
            resumed += usize::from(pause::resume(store, &args.reason, &actor()).await?);
        }
    }
    let stops = in_force(&home, &stores).await?;
    if global.json {
        output::json(&json!({"resumed": resumed, "stops": stops}));
        return Ok(Exit::Done);
    }
    output::line(match resumed {
        0 => "nothing was paused there",
        _ => "remote writes go on",
    });
    for stop in &stops {
        output::line(&format!("still in force: {stop}"));
    }
    Ok(Exit::Done)
}

/// What is about to write must not write beside BILL's own sync (scenario 249). A side that can't be asked holds nobody
/// up: what goes on was live before.
async fn refuse_beside_another_sync(
    global: &Global,
    home: &Home,
    names: &[String],
    stores: &[ConnectionStore],
) -> Result<(), Failure> {
    for store in stores {
        let stops = store.stops().await?;
        let own = |stop: &Stop| stop.connection.is_some();
        let lifted = if names.is_empty() {
            pause::is_paused(&stops, None) && !stops.iter().any(own)
        } else {
            pause::is_paused(&stops, Some(store.name()))
        };
        if !lifted {
            continue;
        }
        let made = sync::connections(global, home, &[store.name().to_string()]).await;
        let ledgers = made.as_ref().map_err(|failure| failure.cause.as_str());
        let ledgers = ledgers.map(|made| made.iter().map(|connection| &connection.sides.ledger));
        match ledgers {
            Ok(ledgers) => {
                for ledger in ledgers {
                    refuse_to_go_on(home, store.name(), Ok(ledger)).await?;
                }
            }
            Err(cause) => refuse_to_go_on(home, store.name(), Err(cause)).await?,
        }
    }
    Ok(())
}

/// Refuses to let a connection write that is being moved over, or beside BILL's own sync; the ledger's side, or why it
/// can't be asked.
pub(crate) async fn refuse_to_go_on(
    home: &Home,
    name: &ConnectionName,
    ledger: Result<&Ports, &str>,
) -> Result<(), Failure> {
    refuse_unfinished(home, name).await?;
    match ledger {
        Ok(ledger) => other_sync::refuse_if_seen(home, name, ledger).await,
        Err(cause) => {
            tracing::warn!("`{name}`: whether BILL's own sync is at work can't be seen: {cause}");
            Ok(())
        }
    }
}

fn chosen(home: &Home, names: &[String]) -> Result<Vec<ConnectionStore>, Failure> {
    let chosen = home.config.chosen(names)?;
    Ok(chosen
        .into_iter()
        .map(|(name, _)| home.store.connection(name))
        .collect())
}

/// What is in force for these connections and for all, each once.
async fn in_force(home: &Home, stores: &[ConnectionStore]) -> Result<Vec<Stop>, Failure> {
    let mut all = home.store.installation().stops().await?;
    for store in stores {
        for stop in store.stops().await? {
            if !all.contains(&stop) {
                all.push(stop);
            }
        }
    }
    Ok(all)
}
