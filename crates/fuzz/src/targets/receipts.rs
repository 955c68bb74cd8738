//! What the answers to a write must hold: a receipt is of a call that succeeded, names the record that was written, and
//! shows no other.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;
use tieout_domain::document::{InvoiceStatus, Payment, PaymentStatus, ReceiptStatus, UseOf};
use tieout_domain::port::{Action, Answer, Order, Receipt};
use tieout_domain::{Amount, Document, RemoteId, SystemId};

use super::ports::kept;
use crate::answers::Exchange;

const NETSUITE: &str = "netsuite";
const BILL: &str = "bill";
const INVOICED: &str = "invoiced";
const ALTERNATIVE_PAYMENTS: &str = "alternative-payments";

/// Holds the answers against the orders, and against what was sent and answered.
///
/// # Panics
/// Where they don't fit.
pub(super) fn hold(system: SystemId, orders: &[Order], answers: &[Answer], sent: &[Exchange]) {
    assert_eq!(answers.len(), orders.len(), "one answer for each order");
    let applied = orders.iter().zip(answers);
    let applied: Vec<(&Order, &Receipt)> = applied
        .filter_map(|(order, answer)| match answer {
            Answer::Applied(receipt) => Some((order, receipt)),
            Answer::Failed(_) => None,
        })
        .collect();
    let mut ids = BTreeSet::new();
    for (order, receipt) in &applied {
        is_named(order, receipt);
        assert!(
            ids.insert(&receipt.id),
            "one record for two orders: {answers:?}"
        );
        if let Some(observed) = &receipt.observed {
            kept(observed);
            assert_eq!(observed.id, receipt.id, "the receipt shows another record");
            let (shown, asked) = (observed.document.kind(), order.document.kind());
            assert_eq!(shown, asked, "the receipt shows another kind");
            shows(system.as_str(), order, receipt.adopted, &observed.document);
        }
    }
    is_written(&applied, sent);
}

/// The record has an id: the order's own, where that names one.
fn is_named(order: &Order, receipt: &Receipt) {
    let id = receipt.id.as_str().trim();
    assert!(!id.is_empty(), "applied to a record without an id");
    if let Some(target) = &order.target {
        assert_eq!(receipt.id, *target, "applied to another record");
    }
}

/// Behind everything that wasn't there already is a write that succeeded: one of the order's own record, and as many
/// records in all as were written.
fn is_written(applied: &[(&Order, &Receipt)], sent: &[Exchange]) {
    let written = || {
        sent.iter()
            .filter(|exchange| exchange.success && writes(exchange))
    };
    let mut new = 0;
    for (order, _) in applied.iter().filter(|(_, receipt)| !receipt.adopted) {
        new += 1;
        if let Some(target) = &order.target {
            let own = written().any(|exchange| is_about(exchange, target));
            assert!(own, "`{target}` was applied without a success: {sent:?}");
        }
    }
    let most: usize = written().map(records).sum();
    assert!(
        new <= most,
        "{new} applied, and {most} were written with success: {sent:?}"
    );
}

/// Whether a call changes something. A query goes by `POST`, as it is longer than an address may be.
fn writes(exchange: &Exchange) -> bool {
    exchange.method != Method::GET && !exchange.path.ends_with("/suiteql")
}

/// How many records a call writes: one, or as many as the list that it carries has.
fn records(exchange: &Exchange) -> usize {
    let list: Option<Vec<Value>> = serde_json::from_slice(&exchange.body).ok();
    list.map_or(1, |list| list.len())
}

fn is_about(exchange: &Exchange, target: &RemoteId) -> bool {
    exchange.path.split('/').any(|part| part == target.as_str())
}

/// What a receipt shows is the record that the order is about.
fn shows(system: &str, order: &Order, adopted: bool, there: &Document) {
    match order.action {
        Action::Create => {
            shows_own_key(system, order, adopted, there);
            certain_of_new(system, &order.document, adopted).hold(there, &order.document);
        }
        Action::Amend if adopted => {
            certain_of_old(system, there).hold(there, &order.document);
        }
        // The service may show what it hasn't worked out yet: the next look decides.
        Action::Amend => {}
        Action::Void if !adopted && system == BILL => {}
        Action::Void => assert!(has_ended(there), "not voided: {there:?}"),
        Action::Archive if adopted => assert!(is_put_away(there), "not put away: {there:?}"),
        Action::Restore if adopted => assert!(!is_written_off(there), "put away: {there:?}"),
        Action::Archive | Action::Restore => {}
    }
}

/// A record of another event is told by its external id, or by the mark that it bears.
fn shows_own_key(system: &str, order: &Order, adopted: bool, there: &Document) {
    let wanted = &order.document;
    // There, what was just told is told from another by its invoice and its amount. That keys come back as they were sent is
    // documented nowhere: a service that writes them otherwise would be told again and again.
    let by_content = system == ALTERNATIVE_PAYMENTS && !adopted;
    if let Some(key) = there.external_id().filter(|_| !by_content) {
        let own = wanted.external_id().unwrap_or(&order.key);
        assert!(
            key.as_str().eq_ignore_ascii_case(own.as_str()),
            "{system}: another event's record: {there:?}"
        );
    }
    if let (Some(there), Some(wanted)) = (there.marker(), wanted.marker()) {
        assert_eq!(there, wanted, "{system}: the copy of another record");
    }
}

/// What of a record certainly is what was asked for.
#[derive(Debug, Clone, Copy)]
struct Certain {
    /// Whose it is.
    owner: bool,
    number: bool,
    total: bool,
}

const ALL: Certain = Certain {
    owner: true,
    number: true,
    total: true,
};

const NOTHING: Certain = Certain {
    owner: false,
    number: false,
    total: false,
};

/// What is certain of a record that an order made.
fn certain_of_new(system: &str, wanted: &Document, adopted: bool) -> Certain {
    match (system, wanted) {
        // What is found under the key of a write is what it made, whatever people have done to it since.
        (NETSUITE, _) if !adopted => NOTHING,
        // The number of a credit memo is people's own.
        (NETSUITE, Document::CreditMemo(_)) => Certain {
            number: false,
            ..ALL
        },
        // Totals are worked out over there; where one differs, the next look decides.
        (INVOICED, Document::Invoice(_) | Document::CreditMemo(_)) => Certain {
            total: false,
            ..ALL
        },
        // An invoice with our mark is adopted, and changed in a write of its own.
        (ALTERNATIVE_PAYMENTS, Document::Invoice(_)) if adopted => NOTHING,
        // The service may number what it makes by itself.
        (ALTERNATIVE_PAYMENTS, _) => Certain {
            number: false,
            ..ALL
        },
        _ => ALL,
    }
}

/// What is certain of a record that was found to be as an order wanted it.
fn certain_of_old(system: &str, there: &Document) -> Certain {
    match (system, there) {
        // What it is applied to is looked at, and nothing else.
        (NETSUITE, Document::VendorCredit(_)) => NOTHING,
        (NETSUITE, Document::CreditMemo(_)) => Certain {
            number: false,
            ..ALL
        },
        (NETSUITE, _) => ALL,
        // Lines are compared. Of a total that isn't theirs, the next look decides.
        (_, there) => Certain {
            number: system != ALTERNATIVE_PAYMENTS,
            total: adds_up(there),
            ..ALL
        },
    }
}

impl Certain {
    fn hold(self, there: &Document, wanted: &Document) {
        if self.owner {
            assert_eq!(there.vendor(), wanted.vendor(), "another vendor's record");
            assert!(
                there.customer() == wanted.customer() || pays_the_same(there, wanted),
                "another customer's record: {there:?}"
            );
        }
        if self.number {
            assert_eq!(number(there), number(wanted), "another number");
        }
        if self.total {
            assert_eq!(total(there), total(wanted), "another total");
        }
    }
}

fn total(document: &Document) -> Option<Amount> {
    document.amount().map(|money| money.amount)
}

/// The number by which people tell one record from another.
fn number(document: &Document) -> Option<&str> {
    match document {
        Document::Bill(bill) => Some(bill.number.trim()),
        Document::VendorCredit(credit) => Some(credit.number.trim()),
        Document::Invoice(invoice) => Some(invoice.number.trim()),
        Document::CreditMemo(memo) => Some(memo.number.trim()),
        Document::CustomerPayment(payment) => Some(payment.number.trim()),
        _ => None,
    }
}

/// Whether a document's lines, where it has them, come to its total.
fn adds_up(document: &Document) -> bool {
    let lines: Vec<Amount> = match document {
        Document::Bill(bill) => bill.lines.iter().map(|line| line.amount).collect(),
        Document::VendorCredit(credit) => credit.lines.iter().map(|line| line.amount).collect(),
        Document::Invoice(invoice) => invoice.lines.iter().map(|line| line.amount).collect(),
        Document::CreditMemo(memo) => memo.lines.iter().map(|line| line.amount).collect(),
        _ => return true,
    };
    Amount::total(lines).ok() == total(document)
}

/// Whether both are payments, and what is shown of the one's invoices is the other's: whose they are follows from that.
fn pays_the_same(there: &Document, wanted: &Document) -> bool {
    match (there, wanted) {
        (Document::CustomerPayment(there), Document::CustomerPayment(wanted)) => {
            let is_wanted = |of: &UseOf| wanted.uses.iter().any(|part| part.of == *of);
            there.uses.iter().all(|part| is_wanted(&part.of))
        }
        _ => false,
    }
}

/// Whether it is voided, or about to be.
fn has_ended(document: &Document) -> bool {
    match document {
        Document::Invoice(invoice) => invoice.status == InvoiceStatus::Voided,
        Document::CreditMemo(memo) => memo.status == InvoiceStatus::Voided,
        Document::CustomerPayment(payment) => payment.status == ReceiptStatus::Voided,
        Document::Payment(payment) => is_ending(payment),
        _ => false,
    }
}

fn is_ending(payment: &Payment) -> bool {
    let asked = payment.void.as_ref().is_some_and(|void| !void.rejected);
    let ended = [
        PaymentStatus::Voided,
        PaymentStatus::VoidPending,
        PaymentStatus::Canceled,
    ];
    asked || ended.contains(&payment.status)
}

/// Whether nobody is to pay it any more: what was put away on one platform is written off, and voided on the other.
fn is_put_away(document: &Document) -> bool {
    let voided = matches!(document, Document::Invoice(it) if it.status == InvoiceStatus::Voided);
    voided || is_written_off(document)
}

fn is_written_off(document: &Document) -> bool {
    matches!(document, Document::Invoice(it) if it.status == InvoiceStatus::WrittenOff)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tieout_domain::port::Observed;
    use tieout_domain::{Key, Kind};

    use super::super::documents::order;
    use super::*;

    const PLATFORM: SystemId = SystemId::new(BILL);

    fn call(path: &str, body: &str) -> Exchange {
        Exchange {
            method: Method::POST,
            path: path.to_owned(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            success: true,
        }
    }

    fn applied(id: &str, document: Option<Document>) -> Answer {
        let observed = document.map(|document| Observed {
            id: id.into(),
            version: String::new(),
            created: None,
            document,
        });
        Answer::Applied(Receipt {
            id: id.into(),
            observed,
            adopted: false,
        })
    }

    fn bills() -> Vec<Order> {
        (0..2)
            .map(|nth| order(Kind::Bill, Action::Create, nth))
            .collect()
    }

    #[test]
    fn a_bulk_call_writes_as_many_records_as_it_carries() {
        let answers = [applied("1", None), applied("2", None)];
        let bulk = [call("/v3/bills/bulk", "[{},{}]")];
        hold(PLATFORM, &bills(), &answers, &bulk);
        let each = [call("/v3/bills", "{}"), call("/v3/bills", "{}")];
        hold(PLATFORM, &bills(), &answers, &each);
    }

    #[test]
    #[should_panic(expected = "2 applied, and 1 were written")]
    fn one_success_is_not_that_of_two_orders() {
        let answers = [applied("1", None), applied("2", None)];
        hold(PLATFORM, &bills(), &answers, &[call("/v3/bills", "{}")]);
    }

    #[test]
    #[should_panic(expected = "1 applied, and 0 were written")]
    fn a_query_writes_nothing() {
        let query = [call("/services/rest/query/v1/suiteql", "{}")];
        hold(PLATFORM, &bills()[..1], &[applied("1", None)], &query);
    }

    #[test]
    #[should_panic(expected = "`400` was applied without a success")]
    fn the_success_of_another_record_is_none() {
        let orders = [order(Kind::Bill, Action::Amend, 0)];
        let sent = [call("/v3/bills/401", "{}")];
        hold(PLATFORM, &orders, &[applied("400", None)], &sent);
    }

    #[test]
    #[should_panic(expected = "another total")]
    fn a_credit_over_another_amount_is_another() {
        let orders = [order(Kind::VendorCredit, Action::Create, 0)];
        let mut there = orders[0].document.clone();
        if let Document::VendorCredit(credit) = &mut there {
            credit.total = Amount::ONE;
        }
        let sent = [call("/v3/vendor-credits", "{}")];
        hold(PLATFORM, &orders, &[applied("1", Some(there))], &sent);
    }

    #[test]
    #[should_panic(expected = "another event's record")]
    fn a_deposit_under_another_key_is_another() {
        let orders = [order(Kind::Deposit, Action::Create, 0)];
        let mut there = orders[0].document.clone();
        if let Document::Deposit(deposit) = &mut there {
            deposit.external_id = Some(Key::of(["somebody", "else"]));
        }
        let sent = [call("/services/rest/record/v1/deposit/eid:a", "{}")];
        let answers = [applied("1", Some(there))];
        hold(SystemId::new(NETSUITE), &orders, &answers, &sent);
    }
}
