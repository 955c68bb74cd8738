//! Payments: through the service, and those that are told of (README §Payments).

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::account::Account;
use crate::call::{Answer, Call};
use crate::capability::{Capabilities, Capability};
use crate::fees::{self, Fee, Method};
use crate::held::{self, Cause};
use crate::invoices;
use crate::json::Json;
use crate::money::number;
use crate::pages;
use crate::problem::Problem;
use crate::table::{Record as _, Stamp, record};
use crate::webhooks::{self, Topic};

/// How long a bank debit is under way.
const BANK_DEBIT: SignedDuration = SignedDuration::from_hours(48);

/// A payment.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) stamp: Stamp,
    pub(crate) customer: String,
    pub(crate) due: Option<Date>,
    /// How it came, and what is particular to that.
    pub(crate) way: Way,
    pub(crate) status: Status,
    /// What settles invoices.
    pub(crate) sub_total: Decimal,
    pub(crate) fees: Vec<Fee>,
    /// Invoices, and how much of the payment is for each.
    pub(crate) shares: Vec<(String, Decimal)>,
    /// When it succeeded first, whatever became of it since.
    pub(crate) succeeded_at: Option<Timestamp>,
}

record!(Payment, "pay");

/// How a payment came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Way {
    /// Through the service.
    Through(Method),
    /// Another way: the service was told of it.
    External {
        external_id: Option<String>,
        paid_at: Timestamp,
    },
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Processing,
    Succeeded,
    Failed,
    Refunded,
    Chargeback,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
            Self::Chargeback => "chargeback",
        }
    }
}

impl Payment {
    /// Whether it is for what it is for: also where the money was given back later. A failure alone opens an invoice
    /// again.
    pub(crate) fn settles(&self) -> bool {
        !self.is_under_way() && self.status != Status::Failed
    }

    /// Whether its money isn't there yet.
    pub(crate) fn is_under_way(&self) -> bool {
        self.status == Status::Processing
    }

    /// Whether it came another way than through the service.
    pub(crate) fn is_external(&self) -> bool {
        matches!(self.way, Way::External { .. })
    }

    /// What the customer paid.
    pub(crate) fn total(&self) -> Decimal {
        self.sub_total + fees::sum(&self.fees, true)
    }

    /// How much of it is for an invoice.
    pub(crate) fn share(&self, invoice: &str) -> Decimal {
        let own = self.shares.iter().filter(|(id, _)| id == invoice);
        own.map(|(_, amount)| amount).sum()
    }

    /// The name of how it came.
    pub(crate) fn method(&self) -> &'static str {
        match self.way {
            Way::Through(method) => method.name(),
            Way::External { .. } => "external",
        }
    }

    fn kind(&self) -> &'static str {
        if self.is_external() {
            "external"
        } else {
            "payment"
        }
    }
}

/// What a customer pays.
pub(crate) struct Pays {
    /// Invoices of one customer, and how much for each.
    pub(crate) shares: Vec<(String, Decimal)>,
    pub(crate) method: Method,
    /// What the service keeps, where it isn't the method's price.
    pub(crate) fee: Option<Decimal>,
    /// Whether the customer pays the fee on top.
    pub(crate) covers_fees: bool,
}

/// A customer pays; gives the payment's identifier.
pub(crate) fn pay(account: &mut Account, pays: Pays) -> Result<String, Problem> {
    // Nothing is left where nothing is open.
    let first = pays.shares.first().ok_or_else(Problem::paid)?;
    let invoice = account.invoice(&first.0)?;
    let (customer, due) = (invoice.customer.clone(), invoice.due);
    for (id, amount) in &pays.shares {
        let invoice = account.invoice(id)?;
        if invoice.is_archived() {
            return Err(Problem::archived());
        }
        let open = invoices::standing(account, invoice).open();
        if *amount <= Decimal::ZERO || *amount > open || invoice.customer != customer {
            let message = format!("{amount} can't be paid of {id}, of which {open} is open");
            return Err(Problem::field("amount", message));
        }
    }
    let sub_total = pays.shares.iter().map(|(_, amount)| amount).sum();
    let fee = pays.fee.unwrap_or_else(|| pays.method.price(sub_total));
    let payment = Payment {
        stamp: account.stamp::<Payment>(),
        customer,
        due: Some(due),
        way: Way::Through(pays.method),
        status: Status::Processing,
        sub_total,
        fees: vec![Fee::new(pays.method, fee, pays.covers_fees)],
        shares: pays.shares,
        succeeded_at: None,
    };
    let id = enter(account, payment);
    match pays.method {
        Method::Card => succeed(account, &id)?,
        Method::BankDebit => {
            let arrives = account.later(BANK_DEBIT);
            account.held.under_way.insert((arrives, id.clone()));
        }
    }
    Ok(id)
}

/// Adds a payment, and notes it with its invoices.
pub(crate) fn enter(account: &mut Account, payment: Payment) -> String {
    let id = payment.stamp.id.clone();
    let invoices: Vec<String> = payment.shares.iter().map(|(one, _)| one.clone()).collect();
    account.payments.insert(payment);
    for invoice in invoices {
        invoices::touch(account, &invoice, Some(&id));
    }
    id
}

/// The money of a payment under way has come.
pub(crate) fn succeed(account: &mut Account, id: &str) -> Result<(), Problem> {
    let payment = account.payment(id)?;
    if payment.status != Status::Processing {
        return Err(Problem::bad("Only a payment under way can succeed"));
    }
    held::add(account, Cause::Payment, id, None);
    let now = account.now();
    turn(account, id, Status::Succeeded, |payment| {
        payment.succeeded_at = Some(now);
    });
    webhooks::tell(account, Topic::PaymentSucceeded, id);
    Ok(())
}

/// The money of a payment doesn't come, or goes back after it had come.
pub(crate) fn fail(account: &mut Account, id: &str) -> Result<(), Problem> {
    let payment = account.payment(id)?;
    match payment.status {
        _ if payment.is_external() => return Err(external()),
        Status::Processing => {}
        Status::Succeeded => held::add(account, Cause::Failure, id, None),
        _ => return Err(Problem::bad("The money of this payment went back already")),
    }
    turn(account, id, Status::Failed, |_| {});
    webhooks::tell(account, Topic::PaymentFailed, id);
    Ok(())
}

/// The customer's bank takes the money back, and it costs a fee.
pub(crate) fn charge_back(account: &mut Account, id: &str) -> Result<(), Problem> {
    let payment = account.payment(id)?;
    if payment.is_external() {
        return Err(external());
    }
    if payment.status != Status::Succeeded {
        return Err(Problem::bad(
            "Only a payment that succeeded can be charged back",
        ));
    }
    held::add(account, Cause::Chargeback, id, None);
    held::add(account, Cause::DisputeFee, id, None);
    turn(account, id, Status::Chargeback, |_| {});
    webhooks::tell(account, Topic::PaymentChargeback, id);
    Ok(())
}

/// The dispute is won: the money comes again, the fee doesn't.
pub(crate) fn win(account: &mut Account, id: &str) -> Result<(), Problem> {
    if account.payment(id)?.status != Status::Chargeback {
        return Err(Problem::bad("Only a chargeback can be won"));
    }
    held::add(account, Cause::ChargebackReversal, id, None);
    turn(account, id, Status::Succeeded, |_| {});
    webhooks::tell(account, Topic::PaymentSucceeded, id);
    Ok(())
}

/// The refusal of what moves money that never passed through the service.
pub(crate) fn external() -> Problem {
    Problem::bad("This payment came another way than through the service")
}

/// Moves a payment to a status, and what hangs on it.
pub(crate) fn turn(
    account: &mut Account,
    id: &str,
    status: Status,
    work: impl FnOnce(&mut Payment),
) {
    account.held.under_way.retain(|(_, payment)| payment != id);
    account.change(
        |all| &mut all.payments,
        id,
        |payment| {
            payment.status = status;
            work(payment);
        },
    );
    let Ok(payment) = account.payment(id) else {
        return;
    };
    let invoices: Vec<String> = payment.shares.iter().map(|(one, _)| one.clone()).collect();
    for invoice in invoices {
        invoices::touch(account, &invoice, None);
    }
}

/// `GET /payments`.
pub(crate) fn list(account: &Account, call: &Call<'_>) -> Answer {
    let query = &call.query;
    let found = account.payments.rows().filter(|payment| {
        let is_to = |wanted: &str| payment.shares.iter().any(|(id, _)| id == wanted);
        query.allows("type", payment.kind())
            && query.allows("status", payment.status.name())
            && query.allows("customer_id", &payment.customer)
            && query.allows("payment_method", payment.method())
            && query.get("invoice_id").is_none_or(is_to)
    });
    pages::page(account, call, found, |one| {
        show(one, account.switches.capabilities)
    })
}

/// One as it is answered. Which invoice it pays is told only where that capability is.
pub(crate) fn show(payment: &Payment, capabilities: Capabilities) -> Json {
    let fees = payment.fees.iter().map(Fee::of_payment);
    let mut shown = Json::whole([
        ("id", payment.id().into()),
        ("customer_id", payment.customer.as_str().into()),
        ("due_date", payment.due.into()),
        ("payment_method", payment.method().into()),
        ("status", payment.status.name().into()),
        ("sub_total", number(payment.sub_total)),
        ("total", number(payment.total())),
        ("fees", fees.collect::<Vec<_>>().into()),
        ("created_at", pages::time(payment.stamp.created_at)),
    ]);
    if capabilities.has(Capability::Allocations) {
        let shares = payment.shares.iter().map(|(invoice, amount)| {
            Json::whole([
                ("invoice_id", invoice.as_str().into()),
                ("amount", number(*amount)),
            ])
        });
        shown.put("allocations", shares.collect::<Vec<_>>().into());
    }
    if capabilities.has(Capability::ExternalPayments)
        && let Way::External {
            external_id,
            paid_at,
        } = &payment.way
    {
        shown.put("external_id", external_id.as_deref().into());
        shown.put("paid_at", pages::time(*paid_at));
    }
    if capabilities.has(Capability::ChangedSince) {
        shown.put("updated_at", pages::time(payment.stamp.updated_at));
    }
    shown
}
