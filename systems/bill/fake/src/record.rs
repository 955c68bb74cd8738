//! `POST /v3/bills/record-payment`: a payment made elsewhere (README §Payments made elsewhere).

use rust_decimal::Decimal;

use crate::bills::{self, CREDIT_USE, Coding};
use crate::credits;
use crate::ids::Kind;
use crate::json::Json;
use crate::money::has_fractions_of_a_cent;
use crate::organization::Organization;
use crate::payments::{self, Order, Recorded, Share};
use crate::problem::Problem;
use crate::route::{Answer, Reply, reference};
use crate::shape::{Field, Rule, may, need, pick};

static PART: &[Field] = &[
    need("billId", Rule::Text(20)),
    need("amount", Rule::Number),
    may("vendorCredits", Rule::Parts(CREDIT_USE)),
];
static CODING: &[Field] = &[may("chartOfAccountId", Rule::Text(20))];
static RECORD: &[Field] = &[
    need("vendorId", Rule::Text(20)),
    need("processDate", Rule::Day),
    need("toPrintCheck", Rule::Flag),
    need("payments", Rule::Parts(PART)),
    may("classifications", Rule::Part(CODING)),
    may("description", Rule::Text(4000)),
    may("syncReference", Rule::Text(255)),
    may("allowExport", Rule::Flag),
];

/// Records one payment over bills of one vendor. No money moves, and no second factor is asked for.
pub(crate) fn record(org: &mut Organization, body: &Json) -> Answer {
    let body = pick(RECORD, body, false)?;
    let id = body.text("vendorId").unwrap_or_default();
    let vendor = reference(org, Kind::Vendor, "vendorId", id, org.vendors.len())?;
    if body.list("payments").is_empty() {
        return Err(Problem::must("payments: must not be empty"));
    }
    let mut parts: Vec<Share> = Vec::new();
    for entry in body.list("payments") {
        let part = part(org, entry, vendor)?;
        if parts.iter().any(|(bill, ..)| *bill == part.0) {
            return Err(Problem::value("payments: a bill is given twice"));
        }
        parts.push(part);
    }
    let coding = Coding::read(org, &body, true, &[])?;
    let recorded = Recorded {
        to_print_check: body.flag("toPrintCheck") == Some(true),
        sync_reference: body.text("syncReference").map(str::to_owned),
        allow_export: body.flag("allowExport"),
        coding,
    };
    let order = Order {
        process_date: body
            .day("processDate")
            .ok_or_else(|| Problem::must("processDate: must not be null"))?,
        funding: None,
        method: "OFFLINE".to_owned(),
        status: "PROCESSED".to_owned(),
        description: body.text("description").map(str::to_owned),
        transaction_number: None,
        options: Json::Null,
        recorded: Some(recorded),
    };
    let place = payments::place(org, vendor, parts, order);
    Ok(Reply::ok(payments::render(org, place)))
}

fn part(org: &Organization, entry: &Json, vendor: u32) -> Result<Share, Problem> {
    let id = entry.text("billId").unwrap_or_default();
    let bill = reference(org, Kind::Bill, "billId", id, org.bills.len())?;
    let row = org.bills.at(bill);
    if row.body.vendor != vendor {
        return Err(Problem::new(
            422,
            "BDC_1118",
            format!("billId: {id} is another vendor's"),
        ));
    }
    if row.archived {
        return Err(Problem::value(format!("billId: {id} is archived")));
    }
    let amount = entry.number("amount").unwrap_or_default();
    if amount < Decimal::ZERO || has_fractions_of_a_cent(amount) {
        return Err(Problem::must(
            "amount: must not be negative, with two decimals at most",
        ));
    }
    let uses = entry.list("vendorCredits").iter();
    let uses = uses.map(|entry| credits::usable(org, entry, vendor, None));
    let uses = uses.collect::<Result<Vec<_>, _>>()?;
    let credit: Decimal = uses.iter().map(|(_, amount)| amount).sum();
    let figures = bills::figures(org, bill);
    if amount + credit > figures.due {
        let due = figures.due;
        return Err(Problem::value(format!(
            "amount: more than the {due} due on {id}"
        )));
    }
    // A bill that credits have brought to zero is marked as paid with nothing.
    let settled = figures.due.is_zero() && figures.status != "PAID";
    if (amount + credit).is_zero() && !settled {
        return Err(Problem::must("amount: must be greater than 0"));
    }
    Ok((bill, amount, uses))
}
