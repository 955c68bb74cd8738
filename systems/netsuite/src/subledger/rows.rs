//! Rows of control accounts, read.

use tieout_domain::RemoteId;
use tieout_domain::subledger::{Balance, Movement, Posting, PostingKind};

use super::text::After;
use crate::bills::{currency, external_id};
use crate::probe::Shape;
use crate::suiteql::{Row, Unreadable};

/// The place of a posting in the order of pages.
pub(super) fn key(row: &Row) -> Result<After, Unreadable> {
    let number = |name: &str| {
        row.number(name)
            .ok_or_else(|| Unreadable(format!("`{name}` is `{}`: no id", row.text(name))))
    };
    Ok(After {
        id: number("id")?,
        account: number("account")?,
        party: number("party")?,
    })
}

/// What kind of transaction a type code means.
pub(super) fn kind(row: &Row) -> Result<PostingKind, Unreadable> {
    Ok(match row.text("type") {
        "" => return Err(Unreadable("`type` is missing".to_owned())),
        "VendBill" => PostingKind::Bill,
        "VendCred" => PostingKind::VendorCredit,
        "VendPymt" => PostingKind::Payment,
        "CustInvc" => PostingKind::Invoice,
        "CustCred" => PostingKind::CreditMemo,
        "CustPymt" => PostingKind::CustomerPayment,
        "CustRfnd" => PostingKind::CustomerRefund,
        "Deposit" => PostingKind::Deposit,
        "Journal" => PostingKind::Journal,
        "FxReval" => PostingKind::Revaluation,
        other => PostingKind::Other(other.to_owned()),
    })
}

pub(super) fn count(row: &Row, name: &str) -> Result<u64, Unreadable> {
    row.text(name)
        .parse()
        .map_err(|_| Unreadable(format!("`{name}` is `{}`: no count", row.text(name))))
}

pub(super) fn posting(
    row: &Row,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Posting, Unreadable> {
    Ok(Posting {
        id: row.need_id("id")?,
        kind: kind(row)?,
        account: row.need_id("account")?,
        number: row.string("tranid"),
        external_id: external_id(row),
        party: row.id("party").filter(|id| id.as_str() != "0"),
        party_name: row.string("partyname"),
        date: row.need_date("trandate")?,
        due: row.date("duedate")?,
        period_end: row.need_date("periodend")?,
        currency: currency(row, shape, subsidiary)?,
        amount: row.need_amount("amount")?,
        open: row.need_amount("openamount")?,
        memo: row.string("memo"),
        deposit: row.id("deposit"),
    })
}

pub(super) fn balance(
    row: &Row,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Balance, Unreadable> {
    Ok(Balance {
        account: row.need_id("account")?,
        currency: currency(row, shape, subsidiary)?,
        amount: row.need_amount("amount")?,
        base: row.need_amount("base")?,
        lines: count(row, "lines")?,
    })
}

pub(super) fn movement(
    row: &Row,
    kind: PostingKind,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Movement, Unreadable> {
    Ok(Movement {
        kind,
        currency: currency(row, shape, subsidiary)?,
        amount: row.need_amount("amount")?,
        count: count(row, "documents")?,
    })
}
