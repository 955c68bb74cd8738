//! What of receivables is written.

use tieout_domain::document::{
    Customer, CustomerPayment, CustomerRefund, Deposit, PaymentUse, SalesLine, SalesLineKind,
};
use tieout_domain::{Amount, Document, RemoteId};

use super::{Difference, plain_memo, same_address, text};

/// What of an invoice or a credit memo differs; everything where the two are not of one kind.
#[must_use]
pub fn sale_differences(a: &Document, b: &Document) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut note = |same: bool, difference| {
        if !same && !differences.contains(&difference) {
            differences.push(difference);
        }
    };
    match (a, b) {
        (Document::Invoice(a), Document::Invoice(b)) => {
            note(a.customer == b.customer, Difference::Customer);
            note(a.total == b.total, Difference::Total);
            // Where no due date is asked for, the other side reckons one by its terms.
            note(a.due.is_none() || a.due == b.due, Difference::Due);
            note(text(&a.number) == text(&b.number), Difference::Number);
            note(a.date == b.date, Difference::Date);
            note(sold(&a.lines) == sold(&b.lines), Difference::Coding);
            note(plain_memo(&a.memo) == plain_memo(&b.memo), Difference::Text);
            let same_order = text(&a.purchase_order) == text(&b.purchase_order);
            note(same_order, Difference::Text);
            note(a.marker.is_none() || a.marker == b.marker, Difference::Text);
        }
        (Document::CreditMemo(a), Document::CreditMemo(b)) => {
            note(a.customer == b.customer, Difference::Customer);
            note(a.total == b.total, Difference::Total);
            note(text(&a.number) == text(&b.number), Difference::Number);
            note(a.date == b.date, Difference::Date);
            note(sold(&a.lines) == sold(&b.lines), Difference::Coding);
            note(plain_memo(&a.memo) == plain_memo(&b.memo), Difference::Text);
            note(a.marker.is_none() || a.marker == b.marker, Difference::Text);
        }
        _ => note(false, Difference::Coding),
    }
    differences
}

/// What each item comes to, and without items what is sold, taxed and discounted: a platform's taxes and discounts
/// have no item, and the two sides split them differently.
fn sold(lines: &[SalesLine]) -> Sold<'_> {
    let bare = |kind: fn(SalesLineKind) -> bool| {
        let these = lines
            .iter()
            .filter(move |line| line.item.is_none() && kind(line.line_kind));
        these.map(|line| line.amount)
    };
    let mut items: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((line.item.as_ref()?, line.amount)))
        .collect();
    items.sort();
    let mut free: Vec<_> =
        bare(|kind| matches!(kind, SalesLineKind::Item | SalesLineKind::Shipping)).collect();
    free.sort();
    let tax = bare(|kind| kind == SalesLineKind::Tax).sum();
    let discount = bare(|kind| kind == SalesLineKind::Discount).sum();
    (items, free, tax, discount)
}

type Sold<'a> = (Vec<(&'a RemoteId, Amount)>, Vec<Amount>, Amount, Amount);

pub(super) fn same_customer(a: &Customer, b: &Customer) -> bool {
    text(&a.name) == text(&b.name)
        && text(&a.email) == text(&b.email)
        && text(&a.phone) == text(&b.phone)
        && same_address(a.address.as_ref(), b.address.as_ref())
        && (a.terms.is_none() || a.terms == b.terms)
        && a.parent == b.parent
        && (a.marker.is_none() || a.marker == b.marker)
}

pub(super) fn same_receipt(a: &CustomerPayment, b: &CustomerPayment) -> bool {
    a.customer == b.customer
        && a.total == b.total
        && a.date == b.date
        && a.currency == b.currency
        && (a.kept_in.is_none() || b.kept_in.is_none() || a.kept_in == b.kept_in)
        && same_uses(&a.uses, &b.uses)
        && text(&a.number) == text(&b.number)
}

/// Whether the same is used for the same, whatever the order. What is kept as credit is what is left over: not
/// every side says so.
pub(crate) fn same_uses(a: &[PaymentUse], b: &[PaymentUse]) -> bool {
    let list = |uses: &[PaymentUse]| {
        let mut list: Vec<_> = uses
            .iter()
            .filter(|it| !it.amount.is_zero() && it.of != tieout_domain::document::UseOf::Credit)
            .cloned()
            .collect();
        list.sort();
        list
    };
    list(a) == list(b)
}

/// Whether a deposit takes the same payments to the same account, beside the same other lines.
pub(super) fn same_deposit(a: &Deposit, b: &Deposit) -> bool {
    let payments = |deposit: &Deposit| {
        let mut list = deposit.payments.clone();
        list.sort();
        list
    };
    let lines = |deposit: &Deposit| {
        let lines = deposit.lines.iter();
        let mut list: Vec<_> = lines
            .map(|line| (line.account.clone(), line.amount))
            .collect();
        list.sort();
        list
    };
    a.account == b.account
        && a.date == b.date
        && a.currency == b.currency
        && a.total == b.total
        && payments(a) == payments(b)
        && lines(a) == lines(b)
}

pub(super) fn same_refund(a: &CustomerRefund, b: &CustomerRefund) -> bool {
    a.customer == b.customer
        && a.total == b.total
        && a.date == b.date
        && super::same_applications(&a.applications, &b.applications)
}
