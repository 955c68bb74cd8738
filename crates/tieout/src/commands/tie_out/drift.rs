//! `tieout tie-out drift`: what has changed in a period since it was signed.

use clap::Args;
use serde_json::json;
use tieout_desk::tie_out::drift::{Drift, drift};
use tieout_desk::tie_out::sign_off::{self, Signed};

use super::{ScopeArgs, make};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `tie-out drift` takes.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Which connection.
    #[arg(value_name = "CONN")]
    pub connection: Option<String>,
    /// Only of this month, as 2026-06; all that were signed if none is named.
    #[arg(long, value_name = "MONTH")]
    pub period: Option<String>,
}

/// Makes each signed report anew and holds it against what was signed.
pub(super) async fn run(global: &Global, home: &Home, args: &DriftArgs) -> Result<Exit, Failure> {
    let mut scope = ScopeArgs {
        connection: args.connection.clone(),
        period: None,
        currency: None,
    };
    let store = scope.store(home)?;
    let mut told = Vec::new();
    // The last signature of each period and currency counts.
    for ((period, currency), signed) in sign_off::latest(&store).await? {
        if args.period.as_ref().is_some_and(|only| *only != period) {
            continue;
        }
        scope.connection = Some(store.name().to_string());
        scope.period = Some(period);
        scope.currency = Some(currency);
        let made = make(global, home, &scope).await?;
        let drift = drift(&store, &signed, made).await?;
        if !global.json {
            print(&signed, &drift);
        }
        told.push(drift.to_json(&signed));
    }
    if global.json {
        output::json(&json!({"connection": store.name(), "drift": told}));
    } else if told.is_empty() {
        output::line("nothing is signed yet");
    }
    Ok(Exit::Done)
}

fn print(signed: &Signed, drift: &Drift) {
    let head = format!(
        "{} in {}, signed by {} on {:.0}",
        signed.period, signed.currency, signed.signature.who, signed.signature.at
    );
    if drift.is_none() {
        output::line(&format!("{head}: nothing has changed since"));
        return;
    }
    output::line(&format!("{head}: CHANGED SINCE SIGN-OFF"));
    let currency = drift.was.currency;
    for figure in &drift.figures {
        output::line(&format!(
            "  leg {}: {}: {} was signed, {} now",
            figure.leg.number(),
            figure.figure,
            figure.was,
            figure.is
        ));
    }
    for one in &drift.documents {
        output::line(&format!(
            "  {} of {} ({}): {} open was signed, {} now; changed there {}",
            one.label,
            one.vendor,
            one.record,
            one.was.of(currency),
            one.is.of(currency),
            one.version
        ));
        for line in &one.since {
            output::line(&format!("    {line}"));
        }
    }
}
