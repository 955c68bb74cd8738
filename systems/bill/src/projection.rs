//! What of a document this system writes: the part that must be as it was decided on before it is written
//! over, and needs no write when it is as wanted.

use serde_json::{Value, json};
use tieout_domain::Document;
use tieout_domain::document::{Address, Line};

use crate::text::{DESCRIPTION_MAX, cut, description};

/// The written part, in a form that compares.
pub(crate) fn written(document: &Document) -> Value {
    match document {
        Document::Account(a) => json!([a.number.trim(), a.name.trim(), a.parent]),
        Document::Dimension(d) => json!([d.name.trim(), d.parent]),
        Document::Vendor(v) => json!([
            v.name.trim(),
            v.email.trim(),
            v.phone.trim(),
            v.account_number.trim(),
            address(v.address.as_ref()),
        ]),
        Document::Bill(b) => json!([
            b.vendor,
            b.number,
            b.date,
            b.due.unwrap_or(b.date),
            b.payables_account,
            memo(&description(&b.memo, b.marker.as_ref())),
            b.purchase_order.trim(),
            lines(&b.lines),
        ]),
        Document::VendorCredit(c) => json!([
            c.vendor,
            c.number,
            c.date,
            memo(&description(&c.memo, c.marker.as_ref())),
            lines(&c.lines),
        ]),
        Document::Payment(p) => json!([p.vendor, p.date, p.total, p.applications]),
        // Nothing else is written here.
        _ => Value::Null,
    }
}

/// Whether nobody changed the written part between the decision and now.
pub(crate) fn untouched(expected: &Document, there: &Document) -> bool {
    let (mut expected, mut there) = (written(expected), written(there));
    forgive_unset_account(&mut expected, &mut there);
    expected == there
}

/// Whether what is wanted is there already, its marker included.
pub(crate) fn as_wanted(wanted: &Document, there: &Document) -> bool {
    let marked = match (wanted, there) {
        (Document::Bill(a), Document::Bill(b)) => a.marker.is_none() || a.marker == b.marker,
        (Document::VendorCredit(a), Document::VendorCredit(b)) => {
            a.marker.is_none() || a.marker == b.marker
        }
        _ => true,
    };
    marked && untouched(wanted, there)
}

/// A bill that names no payables account leaves the choice to BILL.
fn forgive_unset_account(a: &mut Value, b: &mut Value) {
    const PAYABLES_ACCOUNT: usize = 4;
    if let (Value::Array(a), Value::Array(b)) = (a, b)
        && a.len() == 8
        && b.len() == 8
        && (a[PAYABLES_ACCOUNT].is_null() || b[PAYABLES_ACCOUNT].is_null())
    {
        a[PAYABLES_ACCOUNT] = Value::Null;
        b[PAYABLES_ACCOUNT] = Value::Null;
    }
}

/// The memo in a description, whatever white space people put into it.
fn memo(description: &str) -> String {
    let (memo, _) = crate::text::memo_and_marker(description);
    memo.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines without ids, in an order of their own: BILL may show them in another.
fn lines(lines: &[Line]) -> Value {
    let mut texts: Vec<String> = lines
        .iter()
        .map(|line| {
            let text = memo(&cut(line.memo.trim(), DESCRIPTION_MAX));
            json!([
                line.amount,
                line.account,
                line.department,
                line.class,
                line.location,
                text
            ])
            .to_string()
        })
        .collect();
    texts.sort();
    json!(texts)
}

fn address(address: Option<&Address>) -> Value {
    let empty = Address::default();
    let a = address.unwrap_or(&empty);
    json!([&a.line1, &a.line2, &a.city, &a.state, &a.zip, &a.country].map(|part| part.trim()))
}
