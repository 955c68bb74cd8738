//! Vendor credits (README §Vendor credits).

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::bills::Coding;
use crate::ids::Kind;
use crate::json::Json;
use crate::list::{Cell, Listing, Of, page};
use crate::money::{has_fractions_of_a_cent, number};
use crate::organization::{Organization, time_text};
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply, reference};
use crate::shape::{Field, Rule, entries, may, need, pick};

/// How many entries a bulk call takes.
const BULK: usize = 50;

/// A vendor credit.
#[derive(Debug, Clone)]
pub(crate) struct Credit {
    pub(crate) vendor: u32,
    pub(crate) reference: Box<str>,
    pub(crate) date: Date,
    pub(crate) description: Option<Box<str>>,
    pub(crate) lines: Vec<CreditLine>,
    pub(crate) account: Option<u32>,
    pub(crate) bank: Option<u32>,
    pub(crate) uses: Vec<Use>,
}

/// A line of a vendor credit.
#[derive(Debug, Clone)]
pub(crate) struct CreditLine {
    pub(crate) id: u32,
    pub(crate) amount: Decimal,
    pub(crate) description: Option<Box<str>>,
    pub(crate) coding: Coding,
}

/// What of a credit was used where.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) bill: u32,
    /// The payment it was used in; without one, it is set aside on the bill.
    pub(crate) payment: Option<u32>,
    pub(crate) amount: Decimal,
}

static CODING: &[Field] = &[
    may("chartOfAccountId", Rule::Text(20)),
    may("accountingClassId", Rule::Text(20)),
    may("departmentId", Rule::Text(20)),
    may("locationId", Rule::Text(20)),
    may("itemId", Rule::Text(20)),
    may("employeeId", Rule::Text(20)),
    may("jobId", Rule::Text(20)),
    may("customerId", Rule::Text(20)),
];
static LINE: &[Field] = &[
    may("id", Rule::Text(20)),
    need("amount", Rule::Number),
    may("description", Rule::Text(4000)),
    may("classifications", Rule::Part(CODING)),
];
static CREDIT: &[Field] = &[
    need("vendorId", Rule::Text(20)),
    need("referenceNumber", Rule::Text(100)),
    need("creditDate", Rule::Day),
    may("description", Rule::Text(4000)),
    need("vendorCreditLineItems", Rule::Parts(LINE)),
    may("applyToChartOfAccountId", Rule::Text(20)),
    may("applyToBankAccountId", Rule::Text(20)),
];

const LISTING: Listing = Listing {
    kind: Kind::Credit,
    filters: &[
        ("vendorId", "eq in", Of::Id(Kind::Vendor)),
        ("referenceNumber", "eq sw", Of::Text),
        ("creditDate", "gt gte lt lte", Of::Day),
        ("status", "eq ne in", Of::Text),
    ],
    sorts: &["creditDate", "amount", "appliedAmount", "referenceNumber"],
};

impl Credit {
    pub(crate) fn amount(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }

    pub(crate) fn applied(&self) -> Decimal {
        self.uses.iter().map(|used| used.amount).sum()
    }

    fn status(&self) -> &'static str {
        match (self.applied(), self.amount()) {
            (applied, _) if applied.is_zero() => "NOT_APPLIED",
            (applied, amount) if applied >= amount => "FULLY_APPLIED",
            _ => "PARTIALLY_APPLIED",
        }
    }
}

/// `/v3/vendor-credits/…`
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("GET", []) => list(org, call),
        ("POST", []) => {
            let credit = draft(org, &call.json()?, None, false)?;
            let place = create(org, credit);
            Ok(Reply::created(render(org, place)))
        }
        ("POST", ["bulk"]) => {
            let body = call.json()?;
            let mut drafts = Vec::new();
            for (index, entry) in entries(&body, BULK)?.iter().enumerate() {
                let credit = draft(org, entry, None, false);
                drafts.push(credit.map_err(|fault| fault.in_entry(index))?);
            }
            let places = drafts
                .into_iter()
                .map(|credit| create(org, credit))
                .collect();
            Ok(Reply::created(wrap(org, places)))
        }
        (method @ ("PUT" | "PATCH"), ["bulk"]) => {
            let body = call.json()?;
            let mut drafts = Vec::new();
            for (index, entry) in entries(&body, BULK)?.iter().enumerate() {
                let id = entry
                    .text("id")
                    .ok_or_else(|| Problem::must(format!("[{index}].id: must not be null")))?;
                let place = org.place(Kind::Credit, id, org.credits.len())?;
                let credit = draft(org, entry, Some(place), method == "PATCH");
                drafts.push((place, credit.map_err(|fault| fault.in_entry(index))?));
            }
            let places = drafts.iter().map(|(place, _)| *place).collect();
            for (place, credit) in drafts {
                store(org, place, credit);
            }
            Ok(Reply::ok(wrap(org, places)))
        }
        ("POST", ["bulk", "archive"]) => {
            let ids = call.ids();
            let places = ids
                .iter()
                .map(|id| org.place(Kind::Credit, id, org.credits.len()));
            let places = places.collect::<Result<Vec<_>, _>>()?;
            for place in &places {
                archivable(org, *place)?;
            }
            for place in &places {
                archive(org, *place);
            }
            Ok(Reply::ok(wrap(org, places)))
        }
        (method, [id, rest @ ..]) => {
            let place = org.place(Kind::Credit, id, org.credits.len())?;
            match (method, rest) {
                ("GET", []) => {}
                ("PUT" | "PATCH", []) => {
                    let credit = draft(org, &call.json()?, Some(place), method == "PATCH")?;
                    store(org, place, credit);
                }
                ("POST", ["archive"]) => {
                    archivable(org, place)?;
                    archive(org, place);
                }
                // There is no way back for an archived vendor credit.
                _ => return Err(Problem::path()),
            }
            Ok(Reply::ok(render(org, place)))
        }
        _ => Err(Problem::path()),
    }
}

fn list(org: &Organization, call: &Call) -> Answer {
    let cell = |place: u32, field: &str| {
        let credit = &org.credits.at(place).body;
        match field {
            "vendorId" => Cell::Id(credit.vendor),
            "referenceNumber" => Cell::Text(credit.reference.to_string()),
            "creditDate" => Cell::Day(credit.date),
            "status" => Cell::Text(credit.status().to_owned()),
            "amount" => Cell::Number(credit.amount()),
            "appliedAmount" => Cell::Number(credit.applied()),
            _ => Cell::Unset,
        }
    };
    let scope = (&org.ids, &call.query, org.options.archived_in_lists);
    page(
        &org.credits,
        &LISTING,
        scope,
        |_| None,
        cell,
        |place| render(org, place),
    )
    .map(Reply::ok)
}

fn draft(
    org: &Organization,
    body: &Json,
    before: Option<u32>,
    partial: bool,
) -> Result<Credit, Problem> {
    let body = pick(CREDIT, body, partial)?;
    let old = before.map(|place| &org.credits.at(place).body);
    let vendor = match body.text("vendorId") {
        Some(id) => reference(org, Kind::Vendor, "vendorId", id, org.vendors.len())?,
        None => old.map_or(0, |old| old.vendor),
    };
    if org.vendors.at(vendor).archived && old.is_none() {
        return Err(Problem::value("vendorId: the vendor is archived"));
    }
    let account_id = body.text("applyToChartOfAccountId");
    let bank_id = body.text("applyToBankAccountId");
    if account_id.is_some() && bank_id.is_some() {
        return Err(Problem::value(
            "applyToChartOfAccountId and applyToBankAccountId can't be given together",
        ));
    }
    let accounts = org.lists.of(Kind::Account).len();
    let account =
        account_id.map(|id| reference(org, Kind::Account, "applyToChartOfAccountId", id, accounts));
    let banks = org.funding.banks.len();
    let bank = bank_id.map(|id| reference(org, Kind::Bank, "applyToBankAccountId", id, banks));
    let mut lines = Vec::new();
    for (index, entry) in body.list("vendorCreditLineItems").iter().enumerate() {
        let known = entry
            .text("id")
            .and_then(|id| org.ids.place(Kind::CreditLine, id));
        let previous = old.and_then(|old| old.lines.iter().find(|line| Some(line.id) == known));
        let amount = entry.number("amount").or(previous.map(|line| line.amount));
        let amount = amount.filter(|amount| !has_fractions_of_a_cent(*amount));
        let amount = amount.ok_or_else(|| {
            Problem::must(format!(
                "vendorCreditLineItems[{index}].amount: must not be null"
            ))
        })?;
        lines.push(CreditLine {
            id: previous.map_or(u32::MAX, |line| line.id),
            amount,
            description: entry.text("description").map(Into::into),
            coding: Coding::read(org, entry, false, &[])?,
        });
    }
    let kept = old.filter(|_| partial && lines.is_empty());
    let today = org.today();
    let credit = Credit {
        vendor,
        reference: body
            .text("referenceNumber")
            .or(old.map(|old| &*old.reference))
            .unwrap_or_default()
            .into(),
        date: body
            .day("creditDate")
            .or(old.map(|old| old.date))
            .unwrap_or(today),
        description: {
            let kept = old
                .filter(|_| partial)
                .and_then(|old| old.description.as_deref());
            body.text("description").or(kept).map(Into::into)
        },
        lines: kept.map_or(lines, |old| old.lines.clone()),
        account: account
            .transpose()?
            .or(old.and_then(|old| old.account).filter(|_| partial)),
        bank: bank
            .transpose()?
            .or(old.and_then(|old| old.bank).filter(|_| partial)),
        uses: old.map(|old| old.uses.clone()).unwrap_or_default(),
    };
    if credit.lines.is_empty() {
        return Err(Problem::must("vendorCreditLineItems: must not be empty"));
    }
    if credit.amount() < credit.applied() || credit.amount() < Decimal::ZERO {
        return Err(Problem::value(
            "The credit can't be less than what is applied of it",
        ));
    }
    Ok(credit)
}

fn number_lines(org: &mut Organization, credit: &mut Credit) {
    for line in credit.lines.iter_mut().filter(|line| line.id == u32::MAX) {
        line.id = org.credit_lines;
        org.credit_lines += 1;
    }
}

/// Adds a credit that has been looked at.
pub(crate) fn create(org: &mut Organization, mut credit: Credit) -> u32 {
    number_lines(org, &mut credit);
    let stamp = org.stamp();
    org.credits.push(credit, stamp)
}

fn store(org: &mut Organization, place: u32, mut credit: Credit) {
    number_lines(org, &mut credit);
    let stamp = org.stamp();
    org.credits.at_mut(place).body = credit;
    org.credits.touch(place, stamp);
}

fn archivable(org: &Organization, place: u32) -> Result<(), Problem> {
    if org.credits.at(place).body.applied().is_zero() {
        return Ok(());
    }
    Err(Problem::forbidden(
        "A vendor credit that is applied can't be archived",
    ))
}

fn archive(org: &mut Organization, place: u32) {
    let stamp = org.stamp();
    org.credits.at_mut(place).archived = true;
    org.credits.touch(place, stamp);
}

/// Reads the use of a credit: it must be this vendor's and have enough left. What `bill` has set aside
/// already counts as left.
pub(crate) fn usable(
    org: &Organization,
    entry: &Json,
    vendor: u32,
    bill: Option<u32>,
) -> Result<(u32, Decimal), Problem> {
    let id = entry.text("id").unwrap_or_default();
    let place = reference(org, Kind::Credit, "vendorCredits", id, org.credits.len())?;
    let row = org.credits.at(place);
    if row.archived || row.body.vendor != vendor {
        return Err(Problem::value(format!(
            "vendorCredits: {id} is archived or another vendor's"
        )));
    }
    let amount = entry.number("amount").unwrap_or_default();
    let own = row
        .body
        .uses
        .iter()
        .filter(|used| used.payment.is_none() && Some(used.bill) == bill);
    let left =
        row.body.amount() - row.body.applied() + own.map(|used| used.amount).sum::<Decimal>();
    if amount <= Decimal::ZERO || amount > left || has_fractions_of_a_cent(amount) {
        return Err(Problem::value(format!(
            "vendorCredits: {id} has {left} left"
        )));
    }
    Ok((place, amount))
}

/// A bill sets credits aside, in place of what it had set aside before.
pub(crate) fn set_aside(org: &mut Organization, bill: u32, credits: &[(u32, Decimal)]) {
    let before = |used: &Use| used.payment.is_none() && used.bill == bill;
    let vendor = org.bills.at(bill).body.vendor;
    let affected: Vec<u32> = org
        .credits
        .rows()
        .filter(|(place, row)| {
            row.body.vendor == vendor
                && (row.body.uses.iter().any(before)
                    || credits.iter().any(|(credit, _)| credit == place))
        })
        .map(|(place, _)| place)
        .collect();
    for place in affected {
        let stamp = org.stamp();
        let uses = &mut org.credits.at_mut(place).body.uses;
        uses.retain(|used| !before(used));
        for (_, amount) in credits.iter().filter(|(credit, _)| *credit == place) {
            uses.push(Use {
                bill,
                payment: None,
                amount: *amount,
            });
        }
        org.credits.touch(place, stamp);
    }
}

/// A payment uses a credit.
pub(crate) fn apply(org: &mut Organization, credit: u32, used: Use) {
    let stamp = org.stamp();
    org.credits.at_mut(credit).body.uses.push(used);
    org.credits.touch(credit, stamp);
}

/// A payment is void: what it used is free again.
pub(crate) fn release(org: &mut Organization, credit: u32, payment: u32) {
    let stamp = org.stamp();
    org.credits
        .at_mut(credit)
        .body
        .uses
        .retain(|used| used.payment != Some(payment));
    org.credits.touch(credit, stamp);
}

fn wrap(org: &Organization, places: Vec<u32>) -> Json {
    let credits: Vec<Json> = places.into_iter().map(|place| render(org, place)).collect();
    Json::object([("vendorCredits", credits.into())])
}

/// The sum of all credits, and of what is applied of them.
pub(crate) fn totals(org: &Organization) -> (Decimal, Decimal) {
    let credits = || org.credits.rows().filter(|(_, row)| !row.archived);
    (
        credits().map(|(_, row)| row.body.amount()).sum(),
        credits().map(|(_, row)| row.body.applied()).sum(),
    )
}

fn render(org: &Organization, place: u32) -> Json {
    let row = org.credits.at(place);
    let credit = &row.body;
    let lines: Vec<Json> = credit
        .lines
        .iter()
        .map(|line| {
            Json::object([
                ("id", org.ids.text(Kind::CreditLine, line.id).into()),
                ("amount", number(line.amount)),
                ("description", line.description.as_deref().into()),
                ("classifications", line.coding.render(org)),
            ])
        })
        .collect();
    let uses: Vec<Json> = credit
        .uses
        .iter()
        .map(|used| {
            Json::object([
                ("billId", org.ids.text(Kind::Bill, used.bill).into()),
                (
                    "paymentId",
                    used.payment
                        .map(|place| org.ids.text(Kind::Payment, place))
                        .into(),
                ),
                ("amount", number(used.amount)),
            ])
        })
        .collect();
    Json::object([
        ("id", org.ids.text(Kind::Credit, place).into()),
        ("archived", row.archived.into()),
        ("vendorId", org.ids.text(Kind::Vendor, credit.vendor).into()),
        ("referenceNumber", (&*credit.reference).into()),
        ("creditDate", credit.date.into()),
        ("description", credit.description.as_deref().into()),
        ("amount", number(credit.amount())),
        ("appliedAmount", number(credit.applied())),
        ("status", credit.status().into()),
        ("applyToChartOfAccountId", {
            credit
                .account
                .map(|place| org.ids.text(Kind::Account, place))
                .into()
        }),
        (
            "applyToBankAccountId",
            credit
                .bank
                .map(|place| org.ids.text(Kind::Bank, place))
                .into(),
        ),
        ("vendorCreditLineItems", lines.into()),
        ("usage", uses.into()),
        ("createdTime", time_text(row.created).into()),
        ("updatedTime", time_text(row.updated).into()),
    ])
}
