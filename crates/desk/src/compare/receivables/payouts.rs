//! What payouts and the deposits for them say. What each is made of is told in one list, so that the two can be held
//! against each other line by line.

use tieout_domain::document::{Deposit, PartOf, Payout, PayoutStatus};
use tieout_domain::{Amount, Currency, Kind, RemoteId};

use super::super::{Names, Told, ToldLine, Value, aside, day, money, plain};

pub(super) fn tell_payout(names: &Names<'_>, payout: &Payout) -> Told {
    let part = |part: &tieout_domain::document::PayoutPart| {
        let called = match &part.of {
            PartOf::Payment(id) => payment(names, id),
            PartOf::Refund { payment: id } => of(names, "refund", id.as_ref()),
            PartOf::Failure { payment: id } => of(names, "failed", id.as_ref()),
            PartOf::Chargeback { payment: id } => of(names, "chargeback", id.as_ref()),
            PartOf::ChargebackWon { payment: id } => of(names, "dispute won", id.as_ref()),
            PartOf::Fee => "fee".to_owned(),
            PartOf::DisputeFee => "dispute fee".to_owned(),
            PartOf::Adjustment => "adjustment".to_owned(),
            PartOf::Other(word) => word.clone(),
        };
        line(called, part.memo.clone(), part.amount, payout.currency)
    };
    Told {
        fields: vec![
            ("Number", plain(payout.number.clone())),
            ("Date", day(Some(payout.date))),
            ("Total", money(payout.total, payout.currency)),
            ("Status on the platform", status(&payout.status)),
        ],
        lines: payout.parts.iter().map(part).collect(),
        pays: Vec::new(),
    }
}

pub(super) fn tell_deposit(names: &Names<'_>, deposit: &Deposit) -> Told {
    let payments = deposit.payments.iter().map(|taken| {
        let called = payment(names, &taken.payment);
        line(called, String::new(), taken.amount, deposit.currency)
    });
    let others = deposit.lines.iter().map(|other| {
        let account = names.label(Kind::Account, &other.account);
        line(account, other.memo.clone(), other.amount, deposit.currency)
    });
    Told {
        fields: vec![
            ("Number", plain(deposit.number.clone())),
            ("Date", day(Some(deposit.date))),
            ("Total", money(deposit.total, deposit.currency)),
            (
                "Account",
                plain(names.label(Kind::Account, &deposit.account)),
            ),
            ("Memo", aside(deposit.memo.clone())),
        ],
        lines: payments.chain(others).collect(),
        pays: Vec::new(),
    }
}

fn payment(names: &Names<'_>, id: &RemoteId) -> String {
    names.label(Kind::CustomerPayment, id)
}

fn of(names: &Names<'_>, what: &str, id: Option<&RemoteId>) -> String {
    id.map_or_else(
        || what.to_owned(),
        |id| format!("{what} of {}", payment(names, id)),
    )
}

fn line(account: String, memo: String, amount: Amount, currency: Currency) -> ToldLine {
    ToldLine {
        account,
        dimensions: String::new(),
        memo,
        amount: amount.of(currency),
    }
}

fn status(status: &PayoutStatus) -> Value {
    plain(match status {
        PayoutStatus::UnderWay => "under way",
        PayoutStatus::Paid => "paid",
        PayoutStatus::Failed => "failed",
        PayoutStatus::Canceled => "canceled",
        PayoutStatus::Other(word) => word,
    })
}
