//! Receivables with Alternative Payments: the accounts that payouts need, what a company's people and its customers do,
//! and what both services hold in the end.

mod acts;
mod holdings;

use anyhow::Result;

pub(super) use acts::Payers;
pub(super) use holdings::books;

use super::receivables::{Records, act, edit};

/// The platform.
const PLATFORM: &str = "alternative-payments";

/// What has to be chosen before anything is written to the ledger.
pub(super) fn preferences() -> Result<toml::Table> {
    let chosen = "[receivables]\nreconcile = true\nfailed_payments = \"reverse\"\ndeposit_accounts = [\"undeposited\"]\n\
                  bank_account = \"1000\"\nfee_account = \"6900\"\nclearing_account = \"1090\"\n\
                  standalone_account = \"2100\"\n";
    Ok(chosen.parse()?)
}

/// The ledger's record that a platform's was made for.
fn mark(record: &serde_json::Value) -> Option<String> {
    let external = record["external_id"].as_str()?;
    let id = external.strip_prefix("ns:")?.rsplit(':').next()?;
    Some(id.to_owned())
}
