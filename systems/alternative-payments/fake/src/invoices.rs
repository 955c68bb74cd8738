//! Invoices (README §Invoices).

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::account::Account;
use crate::call::{Answer, Call};
use crate::capability::{Capabilities, Capability};
use crate::customers::text;
use crate::json::Json;
use crate::money::{amount, number};
use crate::pages;
use crate::payments::Payment;
use crate::problem::Problem;
use crate::table::{Record as _, Stamp, record};
use crate::webhooks::{self, Topic};

/// An invoice.
#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub(crate) stamp: Stamp,
    pub(crate) customer: String,
    pub(crate) due: Date,
    pub(crate) number: String,
    memo: Option<String>,
    lines: Vec<Line>,
    external_id: Option<String>,
    archived: bool,
    /// The payments that are to it, in the order in which they came.
    pub(crate) payments: Vec<String>,
    /// Whether it was told of as paid.
    was_paid: bool,
}

record!(Invoice, "inv", |invoice| invoice.archived);

/// A line of an invoice.
#[derive(Debug, Clone)]
struct Line {
    description: String,
    quantity: u32,
    /// Of the line, not of one.
    amount: Decimal,
}

impl Invoice {
    /// The sum of its lines.
    pub(crate) fn total(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }
}

/// What has become of an invoice's amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What is settled.
    pub(crate) settled: Decimal,
    /// What payments that are under way would settle.
    under_way: Decimal,
    /// What isn't settled.
    pub(crate) balance: Decimal,
    /// Whether a payment through the service, under way or done, is to it.
    was_used: bool,
}

impl Standing {
    /// What can still be paid.
    pub(crate) fn open(self) -> Decimal {
        self.balance - self.under_way
    }

    fn is_paid(self) -> bool {
        self.balance <= Decimal::ZERO
    }
}

/// What has become of an invoice's amount.
pub(crate) fn standing(account: &Account, invoice: &Invoice) -> Standing {
    let payments = || {
        let all = invoice.payments.iter();
        all.filter_map(|id| account.payments.get(id))
    };
    let sum = |counts: fn(&Payment) -> bool| -> Decimal {
        let shares = payments().filter(|payment| counts(payment));
        shares.map(|payment| payment.share(invoice.id())).sum()
    };
    let settled = sum(Payment::settles);
    Standing {
        settled,
        under_way: sum(Payment::is_under_way),
        balance: invoice.total() - settled,
        was_used: payments()
            .any(|payment| !payment.is_external() && (payment.settles() || payment.is_under_way())),
    }
}

/// The status that follows from what an invoice is paid, and from the day.
fn status(account: &Account, invoice: &Invoice, standing: Standing) -> &'static str {
    if invoice.archived {
        "archived"
    } else if standing.is_paid() {
        "paid"
    } else if !standing.under_way.is_zero() {
        "processing"
    } else if invoice.due < account.today() {
        "overdue"
    } else {
        "open"
    }
}

/// Makes one and gives its identifier.
pub(crate) fn create(account: &mut Account, body: &Json) -> Result<String, Problem> {
    let customer = text(body, "customer_id")?.unwrap_or_default();
    if account.customers.get(customer).is_none() {
        return Err(Problem::field("customer_id", "There is no such customer"));
    }
    if text(body, "currency")? != Some("USD") {
        return Err(Problem::field("currency", "currency must be USD"));
    }
    let external_id = external_id(account, body)?;
    let due = due(body)?.ok_or_else(|| Problem::field("due_date", "due_date is required"))?;
    let lines =
        lines(body)?.ok_or_else(|| Problem::field("line_items", "line_items is required"))?;
    let (number, memo) = if account.switches.own_numbers {
        (text(body, "invoice_number")?, text(body, "memo")?)
    } else {
        (None, None)
    };
    let number = number.map_or_else(|| generated(account), str::to_owned);
    let invoice = Invoice {
        stamp: account.stamp::<Invoice>(),
        customer: customer.to_owned(),
        due,
        number,
        memo: memo.map(str::to_owned),
        lines,
        external_id,
        archived: false,
        payments: Vec::new(),
        was_paid: false,
    };
    let id = invoice.stamp.id.clone();
    account.invoices.insert(invoice);
    webhooks::tell(account, Topic::InvoiceCreated, &id);
    Ok(id)
}

/// The next number that the service makes up.
fn generated(account: &mut Account) -> String {
    account.numbered += 1;
    format!("INV-{:06}", account.numbered)
}

/// What a caller calls it, which none that isn't archived may have.
fn external_id(account: &Account, body: &Json) -> Result<Option<String>, Problem> {
    if !account.switches.has(Capability::InvoiceExternalId) {
        return Ok(None);
    }
    let Some(wanted) = text(body, "external_id")? else {
        return Ok(None);
    };
    let mut others = account.invoices.rows().filter(|one| !one.archived);
    if others.any(|one| one.external_id.as_deref() == Some(wanted)) {
        return Err(Problem::taken());
    }
    Ok(Some(wanted.to_owned()))
}

fn due(body: &Json) -> Result<Option<Date>, Problem> {
    let wrong = |_| Problem::field("due_date", "due_date is not a day, YYYY-MM-DD");
    let given = text(body, "due_date")?;
    given.map(|day| day.parse().map_err(wrong)).transpose()
}

/// The lines of a body; there is one at least, and they come to nothing below zero.
fn lines(body: &Json) -> Result<Option<Vec<Line>>, Problem> {
    let Some(Json::List(given)) = body.get("line_items") else {
        return Ok(None);
    };
    let lines: Vec<Line> = given.iter().map(line).collect::<Result<_, _>>()?;
    let total: Decimal = lines.iter().map(|line| line.amount).sum();
    if lines.is_empty() || total < Decimal::ZERO {
        let message = "line_items must be one or more, of zero or more together";
        return Err(Problem::field("line_items", message));
    }
    Ok(Some(lines))
}

fn line(given: &Json) -> Result<Line, Problem> {
    let whole = given.number("quantity").and_then(|number| {
        let whole = number.fract().is_zero().then_some(number)?;
        u32::try_from(whole).ok().filter(|whole| *whole > 0)
    });
    let wrong = || Problem::field("quantity", "quantity must be a whole number, 1 or more");
    let description = text(given, "description")?.filter(|text| !text.is_empty());
    let nameless = || Problem::field("description", "description is required");
    Ok(Line {
        description: description.ok_or_else(nameless)?.to_owned(),
        quantity: whole.ok_or_else(wrong)?,
        amount: amount(given, "amount")?,
    })
}

/// Changes one that nothing was paid of through the service.
pub(crate) fn amend(account: &mut Account, id: &str, body: &Json) -> Result<(), Problem> {
    let invoice = account.invoice(id)?;
    let standing = standing(account, invoice);
    if invoice.archived {
        return Err(Problem::archived());
    }
    if standing.was_used {
        return Err(Problem::paid());
    }
    let mut after = invoice.clone();
    after.due = due(body)?.unwrap_or(after.due);
    after.lines = lines(body)?.unwrap_or(after.lines);
    if let Some(memo) = text(body, "memo")? {
        after.memo = Some(memo.to_owned());
    }
    if after.total() < standing.settled {
        let message = "line_items must come to what is settled already, or to more";
        return Err(Problem::field("line_items", message));
    }
    account.change(|all| &mut all.invoices, id, |invoice| *invoice = after);
    webhooks::tell(account, Topic::InvoiceUpdated, id);
    tell_if_paid(account, id);
    Ok(())
}

/// Archives one that is neither paid nor being paid; again is as good as once.
pub(crate) fn archive(account: &mut Account, id: &str) -> Result<(), Problem> {
    let invoice = account.invoice(id)?;
    if invoice.archived {
        return Ok(());
    }
    let standing = standing(account, invoice);
    if standing.was_used || (standing.is_paid() && !standing.settled.is_zero()) {
        return Err(Problem::paid());
    }
    account.change(|all| &mut all.invoices, id, |one| one.archived = true);
    webhooks::tell(account, Topic::InvoiceArchived, id);
    Ok(())
}

/// Takes note that a payment to an invoice came, or became something else.
pub(crate) fn touch(account: &mut Account, id: &str, payment: Option<&str>) {
    account.change(
        |all| &mut all.invoices,
        id,
        |invoice| {
            invoice.payments.extend(payment.map(str::to_owned));
        },
    );
    tell_if_paid(account, id);
}

/// Tells of an invoice that is paid by now, each time that it becomes so.
fn tell_if_paid(account: &mut Account, id: &str) {
    let Ok(invoice) = account.invoice(id) else {
        return;
    };
    let is_paid = standing(account, invoice).is_paid();
    let was_paid = invoice.was_paid;
    if let Some(invoice) = account.invoices.get_mut(id) {
        invoice.was_paid = is_paid;
    }
    if is_paid && !was_paid {
        webhooks::tell(account, Topic::InvoicePaid, id);
    }
}

/// `GET /invoices`.
pub(crate) fn list(account: &Account, call: &Call<'_>) -> Answer {
    let query = &call.query;
    let (from, to) = (query.day("due_date_start")?, query.day("due_date_end")?);
    let by_external_id = account.switches.has(Capability::InvoiceExternalId);
    let external_id = query.get("external_id").filter(|_| by_external_id);
    let found = account.invoices.rows().filter(|invoice| {
        let status = || status(account, invoice, standing(account, invoice));
        from.is_none_or(|from| invoice.due >= from)
            && to.is_none_or(|to| invoice.due <= to)
            && query.allows("customer_id", &invoice.customer)
            && external_id.is_none_or(|wanted| invoice.external_id.as_deref() == Some(wanted))
            && query.get("status").is_none_or(|wanted| wanted == status())
    });
    pages::page(account, call, found, |one| {
        show(account, one, account.switches.capabilities)
    })
}

/// One as it is answered.
pub(crate) fn show(account: &Account, invoice: &Invoice, capabilities: Capabilities) -> Json {
    let standing = standing(account, invoice);
    let lines = invoice.lines.iter().map(|line| {
        Json::whole([
            ("description", line.description.as_str().into()),
            ("quantity", line.quantity.into()),
            ("amount", number(line.amount)),
        ])
    });
    let mut shown = Json::whole([
        ("id", invoice.id().into()),
        ("customer_id", invoice.customer.as_str().into()),
        ("currency", "USD".into()),
        ("due_date", invoice.due.into()),
        ("invoice_number", invoice.number.as_str().into()),
        ("memo", invoice.memo.as_deref().unwrap_or_default().into()),
        ("status", status(account, invoice, standing).into()),
        ("sub_total", number(invoice.total())),
        ("total", number(invoice.total())),
        ("line_items", lines.collect::<Vec<_>>().into()),
        ("last_notification_at", Json::Null),
        ("created_at", pages::time(invoice.stamp.created_at)),
    ]);
    if capabilities.has(Capability::Balances) {
        shown.put("balance", number(standing.balance));
        shown.put("amount_paid", number(standing.settled));
    }
    if capabilities.has(Capability::InvoiceExternalId) {
        shown.put("external_id", invoice.external_id.as_deref().into());
    }
    if capabilities.has(Capability::ChangedSince) {
        shown.put("updated_at", pages::time(invoice.stamp.updated_at));
    }
    shown
}
