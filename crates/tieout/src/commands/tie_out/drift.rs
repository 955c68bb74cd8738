//! `tieout tie-out drift`: what has changed in a period since it was signed.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};
use tieout_domain::{Amount, RecordRef};
use tieout_flows::tie_out::{OpenDocument, Report};
use tieout_store::ConnectionStore;

use super::sign::{Signed, signatures};
use super::{ScopeArgs, make, the_only};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use tieout_desk::story::sentence;

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

/// A document that has not the same open any more.
struct Changed {
    record: RecordRef,
    label: String,
    vendor: String,
    was: Amount,
    is: Amount,
    /// The version that the service gives it now: the time of its last change there.
    version: String,
    /// What tieout's own history knows of it since.
    since: Vec<String>,
}

/// Makes each signed report anew and holds it against what was signed.
pub(super) async fn run(global: &Global, home: &Home, args: &DriftArgs) -> Result<Exit, Failure> {
    let names: Vec<String> = args.connection.iter().cloned().collect();
    let (name, _) = the_only(home.config.chosen(&names)?)?;
    let store = home.store.connection(name);
    // The last signature of each period and currency counts.
    let mut signed: BTreeMap<(String, String), Signed> = BTreeMap::new();
    for one in signatures(&store).await? {
        let wanted = args
            .period
            .as_ref()
            .is_none_or(|period| *period == one.period);
        if wanted {
            signed.insert((one.period.clone(), one.currency.clone()), one);
        }
    }
    let mut told = Vec::new();
    for ((period, currency), signed) in &signed {
        let scope = ScopeArgs {
            connection: Some(name.to_string()),
            period: Some(period.clone()),
            currency: Some(currency.clone()),
        };
        let made = make(global, home, &scope).await?;
        let was = signed.report(&store).await?;
        let before = signed.documents(&store).await?;
        let changed = changed(&store, before, made.documents, signed.seq).await?;
        let figures = figures(&was, &made.report);
        if !global.json {
            print(signed, &was, &figures, &changed);
        }
        told.push(json!({
            "period": period, "currency": currency, "sha256": signed.signature.sha256,
            "signed": {"by": signed.signature.who, "at": signed.signature.at},
            "status": {"was": was.status, "is": made.report.status},
            "figures": figures, "documents": changed.iter().map(Changed::told).collect::<Vec<_>>(),
        }));
    }
    if global.json {
        output::json(&json!({"connection": name, "drift": told}));
    } else if told.is_empty() {
        output::line("nothing is signed yet");
    }
    Ok(Exit::Done)
}

/// Documents of which another amount is open now.
async fn changed(
    store: &ConnectionStore,
    before: Vec<OpenDocument>,
    now: Vec<OpenDocument>,
    seq: u64,
) -> Result<Vec<Changed>, Failure> {
    let mut documents: BTreeMap<RecordRef, Changed> = BTreeMap::new();
    let mut put = |document: OpenDocument, is_now: bool| {
        let changed = documents
            .entry(document.record.clone())
            .or_insert_with(|| Changed {
                record: document.record,
                label: document.label,
                vendor: document.vendor,
                was: Amount::ZERO,
                is: Amount::ZERO,
                version: String::new(),
                since: Vec::new(),
            });
        let amount = if is_now {
            &mut changed.is
        } else {
            &mut changed.was
        };
        *amount = [*amount, document.open].into_iter().sum();
    };
    before.into_iter().for_each(|one| put(one, false));
    now.into_iter().for_each(|one| put(one, true));
    documents.retain(|_, changed| changed.was != changed.is);
    let mut all: Vec<Changed> = documents.into_values().collect();
    for changed in &mut all {
        let RecordRef { side, kind, id } = &changed.record;
        let known = store.known(*side, *kind, std::slice::from_ref(id)).await?;
        changed.version = known
            .get(id)
            .map(|known| known.version.clone())
            .unwrap_or_default();
        let history = store.history(&changed.record).await?;
        changed.since = history
            .iter()
            .filter(|entry| entry.seq > seq)
            .filter_map(sentence)
            .collect();
    }
    Ok(all)
}

impl Changed {
    fn told(&self) -> Value {
        json!({
            "record": self.record, "label": self.label, "vendor": self.vendor,
            "open": {"was": self.was, "is": self.is},
            "changed_there": self.version, "since": self.since,
        })
    }
}

/// The figures of the legs that are not what they were.
fn figures(was: &Report, is: &Report) -> Vec<Value> {
    let mut changed = Vec::new();
    for (was, is) in was.legs.iter().zip(&is.legs) {
        for (was_figure, is_figure) in [(&was.left, &is.left), (&was.right, &is.right)] {
            if was_figure.amount != is_figure.amount {
                changed.push(json!({
                    "leg": was.leg, "figure": was_figure.label,
                    "was": was_figure.amount, "is": is_figure.amount,
                }));
            }
        }
    }
    changed
}

fn print(signed: &Signed, was: &Report, figures: &[Value], changed: &[Changed]) {
    let head = format!(
        "{} in {}, signed by {} on {:.0}",
        signed.period, signed.currency, signed.signature.who, signed.signature.at
    );
    if figures.is_empty() && changed.is_empty() {
        output::line(&format!("{head}: nothing has changed since"));
        return;
    }
    output::line(&format!("{head}: CHANGED SINCE SIGN-OFF"));
    let currency = was.currency;
    for figure in figures {
        let text = |name: &str| figure[name].as_str().unwrap_or_default().to_owned();
        output::line(&format!(
            "  leg {}: {}: {} was signed, {} now",
            figure["leg"],
            text("figure"),
            text("was"),
            text("is")
        ));
    }
    for one in changed {
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
