//! Payments that came another way, told to the service (README §Two layers, `external-payments`).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::account::Account;
use crate::customers::text;
use crate::invoices;
use crate::json::Json;
use crate::money::amount;
use crate::payments::{self, Payment, Status, Way};
use crate::problem::Problem;
use crate::table::Record as _;
use crate::webhooks::{self, Topic};

/// Takes note of one and gives its identifier.
pub(crate) fn create(account: &mut Account, invoice: &str, body: &Json) -> Result<String, Problem> {
    let there = account.invoice(invoice)?;
    if there.is_archived() {
        return Err(Problem::archived());
    }
    let amount = amount(body, "amount")?;
    let open = invoices::standing(account, there).open();
    if amount <= Decimal::ZERO || amount > open {
        let message = format!("amount must be above zero, and at most the {open} that is open");
        return Err(Problem::field("amount", message));
    }
    let customer = there.customer.clone();
    let external_id = text(body, "external_id")?.map(str::to_owned);
    free(account, external_id.as_deref())?;
    let paid_at = paid_at(body)?.unwrap_or_else(|| account.now());
    let stamp = account.stamp::<Payment>();
    let payment = Payment {
        customer,
        due: None,
        way: Way::External {
            external_id,
            paid_at,
        },
        status: Status::Succeeded,
        sub_total: amount,
        fees: Vec::new(),
        shares: vec![(invoice.to_owned(), amount)],
        succeeded_at: Some(stamp.created_at),
        stamp,
    };
    let id = payments::enter(account, payment);
    webhooks::tell(account, Topic::InvoiceUpdated, invoice);
    Ok(id)
}

/// Takes one back: it vanishes, and the invoice owes what it did.
pub(crate) fn delete(account: &mut Account, invoice: &str, id: &str) -> Result<(), Problem> {
    account.invoice(invoice)?;
    let payment = account.payment(id)?;
    if !payment.is_external() || payment.share(invoice).is_zero() {
        return Err(Problem::missing());
    }
    account.payments.remove(id);
    invoices::touch(account, invoice, None);
    webhooks::tell(account, Topic::InvoiceUpdated, invoice);
    Ok(())
}

/// Refuses an external identifier that another one has which wasn't taken back.
fn free(account: &Account, wanted: Option<&str>) -> Result<(), Problem> {
    let Some(wanted) = wanted else { return Ok(()) };
    let taken = account.payments.rows().any(|payment| {
        matches!(&payment.way, Way::External { external_id, .. } if external_id.as_deref() == Some(wanted))
    });
    if taken {
        return Err(Problem::taken());
    }
    Ok(())
}

/// When it was paid: a time, or a day.
fn paid_at(body: &Json) -> Result<Option<Timestamp>, Problem> {
    let Some(given) = text(body, "paid_at")? else {
        return Ok(None);
    };
    let day = || {
        let day = given.parse::<Date>().ok()?;
        let at = day.to_zoned(TimeZone::UTC).ok()?;
        Some(at.timestamp())
    };
    let read = given.parse().ok().or_else(day);
    let wrong = || Problem::field("paid_at", "paid_at is not a time in RFC 3339");
    read.map(Some).ok_or_else(wrong)
}
