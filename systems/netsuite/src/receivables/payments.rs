//! Customer payments, and what else settles invoices: journal entries that were applied to them, and applications of
//! what customers deposited beforehand. A write-off settles as a payment or as an entry.

use async_trait::async_trait;
use tieout_domain::document::{
    CustomerPayment, KeptIn, PaymentUse, ReceiptMethod, ReceiptStatus, UseOf,
};
use tieout_domain::{Amount, Document, Fault, Kind, RemoteId};

use crate::bills::{changed_or_followed, currency, external_id, letter};
use crate::call::Client;
use crate::lines::{Lines, Link, SALES_LINES};
use crate::payments::payers_from;
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, optional};
use crate::vendor_credits::unused;

const COLUMNS: Columns = Columns {
    family: "customer payments",
    columns: &[
        column("t.id", "id"),
        column("t.type", "type"),
        column("t.tranid", "tranid"),
        optional("t.otherrefnum", "checknumber", "otherrefnum"),
        column("t.entity", "entity"),
        column("TO_CHAR(t.trandate, 'YYYY-MM-DD')", "trandate"),
        column("t.status", "status"),
        optional("t.currency", "currency", "currency"),
        column("t.foreigntotal", "total"),
        optional(
            "t.foreignpaymentamountunused",
            "unused",
            "foreignpaymentamountunused",
        ),
        column("t.memo", "memo"),
        column("t.postingperiod", "period"),
        column("t.posting", "posting"),
        column("t.voided", "voided"),
        optional("t.externalid", "externalid", "externalid"),
        column(
            "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
            "modified",
        ),
        ASKED,
    ],
};

/// What the account is called where customers' money waits for a deposit.
const UNDEPOSITED_FUNDS: &str = "Undeposited Funds";

#[derive(Clone, Copy)]
pub(crate) struct Receipts;

#[async_trait]
impl Source for Receipts {
    fn kind(&self) -> Kind {
        Kind::CustomerPayment
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        payers_from(client, "'CustPymt', 'DepAppl'", "CustInvc")
    }

    /// A deposit follows a payment and changes its state.
    fn changed(&self, since: &str) -> String {
        format!(
            "({} OR {})",
            changed_or_followed(since, ""),
            super::credit_memos::changed_or_refunded(since)
        )
    }

    fn version(&self, row: &Row) -> String {
        let words = ["modified", "status", "voided", "unused"].map(|name| row.text(name));
        words.join("/")
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let subsidiary = client.settings.subsidiary.as_ref();
        let payment = |row: &Row, lines: &Lines, links: &[Link]| {
            let read = match moves_no_cash(row) {
                Some(what) => without_cash(what, row, links, shape, subsidiary),
                None => payment(row, lines, links, shape, subsidiary),
            };
            read.map(Document::CustomerPayment)
        };
        client.with_links(SALES_LINES, rows, payment).await
    }
}

fn payment(
    row: &Row,
    lines: &Lines,
    links: &[Link],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<CustomerPayment, Unreadable> {
    let total = row.need_amount("total")?.abs();
    Ok(CustomerPayment {
        customer: row.id("entity"),
        total,
        unapplied: unused(row, total, links)?,
        uses: links.iter().filter_map(use_of).collect(),
        kept_in: kept_in(lines),
        receivables_account: lines.other_account(),
        ..bare(row, shape, subsidiary)?
    })
}

/// What settles invoices without cash, by its type.
fn moves_no_cash(row: &Row) -> Option<&'static str> {
    match row.text("type") {
        "Journal" => Some("journal entry"),
        "DepAppl" => Some("deposit application"),
        _ => None,
    }
}

/// What closes invoices without cash, as the payment it amounts to: its total is what it applies.
fn without_cash(
    what: &str,
    row: &Row,
    links: &[Link],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<CustomerPayment, Unreadable> {
    let links: Vec<&Link> = links
        .iter()
        .filter(|link| link.paid_type == "CustInvc")
        .collect();
    let total = Amount::total(links.iter().map(|link| link.amount))
        .map_err(|error| Unreadable(error.to_string()))?;
    let mut customers: Vec<&RemoteId> = links
        .iter()
        .filter_map(|link| link.vendor.as_ref())
        .collect();
    customers.dedup();
    Ok(CustomerPayment {
        // An entry may settle invoices of several customers; then it is nobody's alone.
        customer: match customers[..] {
            [one] => Some(one.clone()),
            _ => None,
        },
        total,
        uses: links.into_iter().filter_map(use_of).collect(),
        method: ReceiptMethod::Other(what.to_owned()),
        ..bare(row, shape, subsidiary)?
    })
}

/// What a link uses cash for. What is paid back is told by the refund.
fn use_of(link: &Link) -> Option<PaymentUse> {
    let of = match link.paid_type.as_str() {
        "CustRfnd" => return None,
        "CustInvc" => UseOf::Invoice(link.previous.clone()),
        "Journal" => UseOf::JournalEntry {
            entry: link.previous.clone(),
            line: link.line,
        },
        other => UseOf::Other(format!("{other} {}", link.previous)),
    };
    Some(PaymentUse {
        of,
        amount: link.amount,
    })
}

/// Undeposited Funds is known by its name, with or without a number in front.
pub(crate) fn is_undeposited_funds(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with(&UNDEPOSITED_FUNDS.to_lowercase())
}

fn kept_in(lines: &Lines) -> Option<KeptIn> {
    let account = lines.main_account()?;
    if is_undeposited_funds(lines.main_account_name()) {
        Some(KeptIn::UndepositedFunds)
    } else {
        Some(KeptIn::Account(account))
    }
}

fn bare(
    row: &Row,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<CustomerPayment, Unreadable> {
    let numbers = [row.text("checknumber"), row.text("tranid")];
    let number = numbers.into_iter().find(|number| !number.is_empty());
    Ok(CustomerPayment {
        customer: None,
        number: number.unwrap_or_default().to_owned(),
        date: row.need_date("trandate")?,
        currency: currency(row, shape, subsidiary)?,
        total: Amount::ZERO,
        unapplied: Amount::ZERO,
        uses: Vec::new(),
        method: ReceiptMethod::Other("customer payment".to_owned()),
        status: status(row),
        charge: None,
        kept_in: None,
        receivables_account: None,
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        memo: row.string("memo"),
        marker: None,
        external_id: external_id(row),
    })
}

/// README §Receivables has the letters.
fn status(row: &Row) -> ReceiptStatus {
    if row.flag("voided") || letter(row) == "V" {
        return ReceiptStatus::Voided;
    }
    if row.text("posting") == "F" {
        return ReceiptStatus::PendingApproval;
    }
    match letter(row) {
        _ if moves_no_cash(row).is_some() => ReceiptStatus::Received,
        "A" | "B" => ReceiptStatus::Received,
        "C" => ReceiptStatus::Deposited,
        "R" => ReceiptStatus::Failed,
        other => ReceiptStatus::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn a_payment_is_received_once_it_posts_and_deposited_once_it_is() {
        for (kind, letter, posting, voided, expected) in [
            ("CustPymt", "A", "T", "F", ReceiptStatus::Received),
            ("CustPymt", "B", "T", "F", ReceiptStatus::Received),
            ("CustPymt", "C", "T", "F", ReceiptStatus::Deposited),
            ("CustPymt", "R", "T", "F", ReceiptStatus::Failed),
            ("CustPymt", "C", "T", "T", ReceiptStatus::Voided),
            ("CustPymt", "A", "F", "F", ReceiptStatus::PendingApproval),
            ("Journal", "B", "T", "F", ReceiptStatus::Received),
            ("DepAppl", "", "T", "F", ReceiptStatus::Received),
            ("DepAppl", "", "T", "T", ReceiptStatus::Voided),
            (
                "CustPymt",
                "Z",
                "T",
                "F",
                ReceiptStatus::Other("Z".to_owned()),
            ),
        ] {
            let row = row(&[
                ("type", kind),
                ("status", letter),
                ("posting", posting),
                ("voided", voided),
            ]);
            assert_eq!(status(&row), expected, "{kind} {letter}");
        }
    }

    #[test]
    fn undeposited_funds_is_known_by_its_name_and_any_other_account_by_its_id() {
        let lines = |name: &str| {
            Lines::of(vec![row(&[
                ("mainline", "T"),
                ("account", "116"),
                ("accountname", name),
            ])])
        };
        for name in ["Undeposited Funds", "1099 Undeposited Funds"] {
            assert_eq!(kept_in(&lines(name)), Some(KeptIn::UndepositedFunds));
        }
        let bank = KeptIn::Account("116".into());
        assert_eq!(kept_in(&lines("1000 Operating Checking")), Some(bank));
    }
}
