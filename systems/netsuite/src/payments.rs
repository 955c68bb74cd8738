//! Vendor payments, and journal entries that were applied to bills: both pay (scenario 124).

use async_trait::async_trait;
use tieout_domain::document::{Application, CreditUse, Method, Payment, PaymentStatus};
use tieout_domain::{Amount, Document, Fault, Kind, RemoteId};

use crate::bills::{currency, exchange_rate, external_id, letter};
use crate::call::Client;
use crate::lines::{LINES, Lines, Link};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, optional};
use crate::vendor_credits::application;

const COLUMNS: Columns = Columns {
    family: "payments",
    columns: &[
        column("t.id", "id"),
        column("t.type", "type"),
        column("t.tranid", "tranid"),
        column("t.entity", "entity"),
        column("TO_CHAR(t.trandate, 'YYYY-MM-DD')", "trandate"),
        column("t.status", "status"),
        optional("t.approvalstatus", "approvalstatus", "approvalstatus"),
        optional("t.currency", "currency", "currency"),
        optional("t.exchangerate", "exchangerate", "exchangerate"),
        column("t.foreigntotal", "total"),
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

#[derive(Clone, Copy)]
pub(crate) struct Payments;

/// `FROM` and `WHERE` of one type of payments, and of journal entries that pay documents of one type.
pub(crate) fn payers_from(client: &Client, payments: &str, paid: &str) -> String {
    let paid = format!("k.linktype = 'Payment' AND b.type = '{paid}'");
    match &client.settings.subsidiary {
        None => format!(
            "FROM transaction t WHERE (t.type IN ({payments}) OR (t.type = 'Journal' AND t.id IN \
             (SELECT k.nextdoc FROM nexttransactionlinelink k \
             JOIN transaction b ON b.id = k.previousdoc WHERE {paid})))"
        ),
        Some(subsidiary) => format!(
            "FROM transaction t LEFT JOIN transactionline ml ON ml.transaction = t.id \
             AND ml.mainline = 'T' WHERE ((t.type IN ({payments}) AND ml.subsidiary = {subsidiary}) \
             OR (t.type = 'Journal' AND t.id IN (SELECT k.nextdoc \
             FROM nexttransactionlinelink k JOIN transaction b ON b.id = k.previousdoc \
             JOIN transactionline bl ON bl.transaction = b.id AND bl.mainline = 'T' \
             WHERE {paid} AND bl.subsidiary = {subsidiary})))"
        ),
    }
}

#[async_trait]
impl Source for Payments {
    fn kind(&self) -> Kind {
        Kind::Payment
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        payers_from(client, "'VendPymt'", "VendBill")
    }

    fn version(&self, row: &Row) -> String {
        format!(
            "{}/{}/{}",
            row.text("modified"),
            row.text("status"),
            row.text("voided")
        )
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let subsidiary = client.settings.subsidiary.as_ref();
        let payment = |row: &Row, lines: &Lines, links: &[Link]| {
            let read = if row.text("type") == "Journal" {
                journal
            } else {
                payment
            };
            read(row, lines, links, shape, subsidiary).map(Document::Payment)
        };
        client.with_links(LINES, rows, payment).await
    }
}

fn payment(
    row: &Row,
    lines: &Lines,
    links: &[Link],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Payment, Unreadable> {
    let (credits, paid): (Vec<&Link>, Vec<&Link>) =
        links.iter().partition(|link| link.paid_type == "VendCred");
    let mut applications: Vec<Application> = paid.into_iter().map(application).collect();
    // The service doesn't tell which bill a credit in a payment went to; the payment did use it.
    if let Some(first) = applications.first_mut() {
        first.credits = credits
            .into_iter()
            .map(|link| CreditUse {
                credit: link.previous.clone(),
                amount: link.amount,
            })
            .collect();
    }
    share(lines.discount(), &mut applications);
    // Negative over there: money that leaves.
    let total = row.need_amount("total")?.abs();
    let funded = exchange_rate(row, shape, subsidiary).and_then(|rate| {
        let worth = rate.worth(total).ok()?;
        Some(worth.of(rate.base()))
    });
    Ok(Payment {
        total,
        funded,
        applications,
        method: Method::Other("vendor payment".to_owned()),
        account: lines.main_account(),
        payables_account: lines.other_account(),
        ..bare(row, row.need_id("entity")?, shape, subsidiary)?
    })
}

/// Takes the discount off what the documents were relieved of. Which of them it went to is not told: it is taken
/// for the first ones'.
fn share(mut discount: Amount, applications: &mut [Application]) {
    for application in applications {
        let part = discount.min(application.amount);
        if !part.is_positive() {
            return;
        }
        let rest = [application.amount, -part].into_iter().sum();
        (application.amount, application.discount) = (rest, part);
        discount = [discount, -part].into_iter().sum();
    }
}

/// A journal entry that closes bills, as the payment it amounts to: its cash is what it applies.
fn journal(
    row: &Row,
    lines: &Lines,
    links: &[Link],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Payment, Unreadable> {
    let links: Vec<&Link> = links
        .iter()
        .filter(|link| link.paid_type == "VendBill")
        .collect();
    let vendor = links.iter().find_map(|link| link.vendor.clone());
    let vendor = vendor.or_else(|| lines.all().find_map(|line| line.id("entity")));
    let vendor = vendor.ok_or_else(|| Unreadable("`entity` names no vendor".to_owned()))?;
    if links
        .iter()
        .any(|link| link.vendor.as_ref().is_some_and(|other| *other != vendor))
    {
        return Err(Unreadable(
            "it is applied to bills of several vendors".to_owned(),
        ));
    }
    let total = Amount::total(links.iter().map(|link| link.amount))
        .map_err(|error| Unreadable(error.to_string()))?;
    Ok(Payment {
        total,
        applications: links.into_iter().map(application).collect(),
        method: Method::Other("journal entry".to_owned()),
        ..bare(row, vendor, shape, subsidiary)?
    })
}

fn bare(
    row: &Row,
    vendor: RemoteId,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Payment, Unreadable> {
    let status = status(row);
    Ok(Payment {
        vendor,
        number: row.string("tranid"),
        date: row.need_date("trandate")?,
        currency: currency(row, shape, subsidiary)?,
        total: Amount::ZERO,
        funded: None,
        applications: Vec::new(),
        method: Method::Other(String::new()),
        outside: false,
        reference: String::new(),
        funding: None,
        check_number: String::new(),
        confirmation: String::new(),
        card_last4: String::new(),
        cleared: None,
        void: None,
        account: None,
        payables_account: None,
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        department: None,
        class: None,
        location: None,
        memo: row.string("memo"),
        posted: row.flag("posting") && status != PaymentStatus::Approving,
        status,
        external_id: external_id(row),
    })
}

/// README §Statuses. A payment that waits for approval is not posted (scenario 149).
fn status(row: &Row) -> PaymentStatus {
    if row.flag("voided") || letter(row) == "V" {
        return PaymentStatus::LedgerVoided;
    }
    match (row.text("approvalstatus"), letter(row)) {
        ("1", _) | ("", "D") => PaymentStatus::Approving,
        ("3", _) | ("", "E") => PaymentStatus::Canceled,
        _ => PaymentStatus::Processed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::LedgerCurrency;
    use crate::testing::row;

    fn shape() -> Shape {
        Shape {
            currencies: vec![LedgerCurrency {
                id: "1".into(),
                symbol: "USD".to_owned(),
                base: true,
            }],
            ..Shape::default()
        }
    }

    fn link(previous: &str, kind: &str, amount: &str) -> Link {
        Link {
            previous: previous.into(),
            line: None,
            paid_type: kind.to_owned(),
            vendor: Some("12".into()),
            amount: amount.parse().unwrap(),
        }
    }

    #[test]
    fn s124_a_journal_entry_applied_to_a_bill_counts_as_its_payment() {
        let row = row(&[
            ("id", "9"),
            ("type", "Journal"),
            ("trandate", "2026-06-12"),
            ("currency", "1"),
            ("posting", "T"),
        ]);
        let links = [
            link("4001", "VendBill", "40"),
            link("4002", "VendBill", "2.5"),
        ];
        let payment = journal(&row, &Lines::default(), &links, &shape(), None).unwrap();
        assert_eq!(payment.total.to_string(), "42.5");
        assert_eq!(payment.method, Method::Other("journal entry".to_owned()));
        assert_eq!(payment.vendor, "12".into());
    }

    #[test]
    fn s085_a_discount_is_no_cash_and_relieves_the_bill_beside_it() {
        let payables = |line: &str, amount: &str| {
            row(&[("line", line), ("amount", amount), ("account", "111")])
        };
        let main = row(&[
            ("line", "0"),
            ("mainline", "T"),
            ("amount", "-148"),
            ("account", "1"),
        ]);
        let discount = row(&[("line", "3"), ("amount", "-2"), ("account", "60")]);
        let head = row(&[
            ("id", "9"),
            ("entity", "12"),
            ("trandate", "2026-06-12"),
            ("currency", "1"),
            ("total", "-148"),
            ("posting", "T"),
        ]);
        let links = [
            link("4001", "VendBill", "100"),
            link("4002", "VendBill", "50"),
        ];
        let lines = Lines::of(vec![main, payables("1", "150"), discount]);
        let read = payment(&head, &lines, &links, &shape(), None).unwrap();
        let parts = read.applications.iter();
        let parts: Vec<_> = parts
            .map(|part| (part.amount.to_string(), part.discount.to_string()))
            .collect();
        let expected = [("98", "2"), ("50", "0")];
        assert_eq!(parts, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(read.total.to_string(), "148");
    }

    #[test]
    fn s150_a_payment_in_transit_relieves_payables_as_soon_as_it_posts_whatever_its_status_is_called()
     {
        for letter in ["A", "I", "VendPymt:T", ""] {
            for (posting, counts) in [("T", true), ("F", false)] {
                let head = row(&[
                    ("id", "9"),
                    ("entity", "12"),
                    ("trandate", "2026-06-12"),
                    ("currency", "1"),
                    ("total", "-100"),
                    ("status", letter),
                    ("posting", posting),
                ]);
                let read = payment(&head, &Lines::default(), &[], &shape(), None).unwrap();
                assert_eq!(
                    (read.posted, read.status),
                    (counts, PaymentStatus::Processed)
                );
            }
        }
    }

    #[test]
    fn s149_a_payment_that_waits_for_approval_is_not_posted() {
        let mut fields = vec![
            ("id", "9"),
            ("entity", "12"),
            ("trandate", "2026-06-12"),
            ("currency", "1"),
            ("total", "-100"),
            ("posting", "F"),
            ("approvalstatus", "1"),
        ];
        let waiting = payment(&row(&fields), &Lines::default(), &[], &shape(), None).unwrap();
        assert!(!waiting.posted);
        assert_eq!(waiting.status, PaymentStatus::Approving);
        assert_eq!(waiting.total.to_string(), "100");
        fields.extend([("posting", "T"), ("approvalstatus", "2"), ("voided", "T")]);
        let voided = payment(&row(&fields), &Lines::default(), &[], &shape(), None).unwrap();
        assert_eq!(voided.status, PaymentStatus::LedgerVoided);
    }
}
