//! Lines of invoices and credit memos on their way out.

use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::document::{SalesLine, SalesLineKind};
use tieout_domain::{Amount, Fault, RemoteId};

use crate::records::{Body, reference};

/// The item lines: taxes and discounts are items, too, so that the total is the sum of what is sent, to the cent.
pub(super) fn items(lines: &[SalesLine]) -> Result<Vec<Body>, Fault> {
    (1..)
        .zip(lines)
        .map(|(number, line)| item(number, line))
        .collect()
}

fn item(number: usize, line: &SalesLine) -> Result<Body, Fault> {
    let Some(item) = &line.item else {
        return Err(Fault::Refused {
            code: Code::new("bad-reference"),
            field: Some("item".to_owned()),
            cause: format!(
                "line {number} ({}) names no item, and NetSuite takes no line of an invoice without one",
                line.name
            ),
        });
    };
    let mut body = Body::default();
    body.set("item", reference(item));
    if line.line_kind == SalesLineKind::Item {
        body.amount("quantity", line.quantity);
        body.amount("rate", line.rate);
    } else if line.line_kind == SalesLineKind::Discount {
        // A discount isn't counted: its rate is its amount.
        body.amount("rate", line.amount);
    }
    body.amount("amount", line.amount);
    let description = [line.description.as_str(), line.name.as_str()];
    if let Some(text) = description.into_iter().find(|text| !text.is_empty()) {
        body.set("description", json!(text));
    }
    body.reference("department", line.department.as_ref());
    body.reference("class", line.class.as_ref());
    body.reference("location", line.location.as_ref());
    Ok(body)
}

/// What of a line makes money: its item and its amount, in the order of the lines.
fn money(lines: &[SalesLine]) -> Vec<(Option<&RemoteId>, Amount)> {
    // A line of nothing adds nothing, and may be left out over there.
    let counts = lines.iter().filter(|line| !line.amount.is_zero());
    counts
        .map(|line| (line.item.as_ref(), line.amount))
        .collect()
}

/// Whether two lists of lines are the same sale. How a person worded a line is theirs.
pub(super) fn same(one: &[SalesLine], other: &[SalesLine]) -> bool {
    money(one) == money(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: SalesLineKind, item: Option<&str>, amount: &str) -> SalesLine {
        SalesLine {
            id: None,
            line_kind: kind,
            item: item.map(Into::into),
            name: "Advice".to_owned(),
            description: String::new(),
            quantity: "2".parse().unwrap(),
            rate: "5.25".parse().unwrap(),
            amount: amount.parse().unwrap(),
            department: None,
            class: None,
            location: None,
        }
    }

    #[test]
    fn a_line_without_an_item_is_refused_by_its_number() {
        let lines = [
            line(SalesLineKind::Item, Some("9"), "10.5"),
            line(SalesLineKind::Item, None, "1"),
        ];
        let fault = items(&lines).unwrap_err();
        assert!(fault.to_string().contains("line 2"), "{fault}");
        assert_eq!(fault.code().as_str(), "bad-reference");
    }

    #[test]
    fn a_discount_has_a_rate_and_no_quantity_and_a_tax_neither() {
        let lines = [
            line(SalesLineKind::Item, Some("9"), "10.5"),
            line(SalesLineKind::Discount, Some("11"), "-1.05"),
            line(SalesLineKind::Tax, Some("12"), "0.84"),
        ];
        let sent = items(&lines).unwrap();
        let has = |at: usize| (sent[at].has("quantity"), sent[at].has("rate"));
        assert_eq!(
            [has(0), has(1), has(2)],
            [(true, true), (false, true), (false, false)]
        );
    }

    #[test]
    fn wording_makes_no_other_sale_and_a_cent_does() {
        let one = [line(SalesLineKind::Item, Some("9"), "10.5")];
        let mut worded = one.clone();
        worded[0].description = "By the hour".to_owned();
        worded[0].line_kind = SalesLineKind::Tax;
        assert!(same(&one, &worded));
        worded[0].amount = "10.51".parse().unwrap();
        assert!(!same(&one, &worded));
    }
}
