//! A payout that has its deposit: what became of the two since.

use tieout_domain::Document;
use tieout_domain::code::Code;
use tieout_domain::document::PayoutStatus;

use super::This;
use crate::projection::same_writable;
use crate::verdict::{blocked, conflict, done, noop};
use crate::{Link, Verdict};

pub(super) fn decide(this: &This<'_>, link: &Link) -> Verdict {
    let label = this.label();
    let seen = this.books.record(&link.target).filter(|seen| !seen.gone);
    let Some((document, deposit)) = seen.and_then(|seen| match &seen.document {
        Document::Deposit(deposit) => Some((&seen.document, deposit)),
        _ => None,
    }) else {
        let cause = format!("the deposit of {label} was deleted in the ledger");
        return blocked(Code::new("deposit-deleted"), cause);
    };
    if let Some(verdict) = failed(this) {
        return verdict;
    }
    let edited = match &link.applied {
        Some(applied) => !same_writable(applied, document),
        None => false,
    };
    if edited || Some(deposit.total) != this.net() {
        let cause = format!(
            "{label}: its deposit is {}, {} arrived{}",
            deposit.total.of(deposit.currency),
            this.payout.total.of(this.payout.currency),
            if edited {
                "; somebody edited the deposit in the ledger"
            } else {
                ""
            }
        );
        let code = Code::new("deposit-edited");
        return if this.accepted(&code) {
            noop(code, cause)
        } else {
            conflict(code, cause)
        };
    }
    done()
}

/// The money did not stay: the deposit is a person's to take back.
fn failed(this: &This<'_>) -> Option<Verdict> {
    let label = this.label();
    match &this.payout.status {
        PayoutStatus::Other(word) if !this.gone => {
            let cause = format!("{label} has the status `{word}`, which tieout doesn't know");
            Some(blocked(Code::new("unknown-status"), cause))
        }
        PayoutStatus::Paid | PayoutStatus::UnderWay if !this.gone => None,
        _ => {
            let code = Code::new("payout-failed");
            let cause = format!(
                "{label} of {} failed or was called off after it was deposited: delete the deposit, or correct it",
                this.payout.total.of(this.payout.currency)
            );
            Some(if this.accepted(&code) {
                noop(code, cause)
            } else {
                blocked(code, cause)
            })
        }
    }
}
