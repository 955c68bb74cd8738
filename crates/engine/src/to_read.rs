//! What must be read of both sides for some flows.

use std::collections::BTreeSet;

use tieout_domain::{Kind, Side};
use tieout_flows::Flow;

/// What must be read for these flows: what they look at, what they write, for payments the documents that they pay
/// and the accounts that fund or keep them, for payouts the payments and deposits, and for invoices the items and terms
/// that they name.
pub(crate) fn to_read(flows: &[&dyn Flow]) -> Vec<(Side, Kind)> {
    let mut kinds = BTreeSet::new();
    for flow in flows {
        kinds.extend(flow.population().iter().chain(flow.writes()).copied());
    }
    if kinds.iter().any(|(_, kind)| *kind == Kind::Payment) {
        kinds.extend([(Side::Ledger, Kind::Bill), (Side::Platform, Kind::Bill)]);
        kinds.insert((Side::Platform, Kind::FundingAccount));
    }
    let either = |kinds: [Kind; 3]| {
        let sides = [Side::Ledger, Side::Platform];
        kinds
            .into_iter()
            .flat_map(move |kind| sides.map(|side| (side, kind)))
    };
    if kinds.iter().any(|(_, kind)| *kind == Kind::CustomerPayment) {
        kinds.extend(either([Kind::Customer, Kind::Invoice, Kind::CreditMemo]));
        kinds.insert((Side::Ledger, Kind::Account));
    }
    if kinds.contains(&(Side::Platform, Kind::Payout)) {
        // A payout's payments must be in the books, and its deposit may be there already, made by hand.
        kinds.extend(either([
            Kind::Customer,
            Kind::Invoice,
            Kind::CustomerPayment,
        ]));
        kinds.extend([(Side::Ledger, Kind::Account), (Side::Ledger, Kind::Deposit)]);
    }
    if kinds.iter().any(|(_, kind)| *kind == Kind::Invoice) {
        kinds.extend(either([Kind::Customer, Kind::Item, Kind::Terms]));
    }
    kinds.into_iter().collect()
}
