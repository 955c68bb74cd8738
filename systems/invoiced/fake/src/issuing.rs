//! What happens when an invoice or a credit note is issued: credits are applied, mails go out.

use rust_decimal::Decimal;

use crate::account::Account;
use crate::applications::{self, Share};
use crate::documents;
use crate::json::Json;
use crate::kind::Kind;
use crate::life::{self, is_open};
use crate::money::amount;
use crate::outbound;
use crate::payments::{self, New};
use crate::problem::Problem;
use crate::shape::id;

/// `POST /invoices`: gives its place.
pub(crate) fn invoice(account: &mut Account, body: &Json) -> Result<i64, Problem> {
    let place = documents::create(account, Kind::Invoice, body)?;
    issued(account, place);
    Ok(place)
}

/// `PATCH /invoices/:id`: a draft may be issued by it.
pub(crate) fn update(account: &mut Account, place: i64, body: &Json) -> Result<(), Problem> {
    let was_draft = account.get(Kind::Invoice, place)?.flag("draft") == Some(true);
    documents::update(account, Kind::Invoice, place, body)?;
    if was_draft {
        issued(account, place);
    }
    Ok(())
}

/// An invoice may just have been issued.
fn issued(account: &mut Account, place: i64) {
    let Ok(invoice) = account.get(Kind::Invoice, place) else {
        return;
    };
    if !is_open(invoice) || account.loading.is_some() {
        return;
    }
    let invoice = invoice.clone();
    if account.switches.auto_apply_credits {
        take_credit(account, place, &invoice);
    }
    outbound::mail_new(account, place);
}

/// A new invoice takes what credit its customer has: the account's setting is on by default.
fn take_credit(account: &mut Account, place: i64, invoice: &Json) {
    let Some(customer) = id(invoice, "customer") else {
        return;
    };
    let currency = invoice.text("currency").unwrap_or_default().to_owned();
    let credit = account.credit(customer, &currency);
    let amount = credit.min(amount(invoice, "balance"));
    if amount > Decimal::ZERO {
        let shares = vec![applications::spent(place, amount)];
        without_money(account, customer, currency, shares);
    }
}

/// `POST /credit_notes`: gives its place. One that names an invoice is applied to it as far as both go.
pub(crate) fn credit_note(account: &mut Account, body: &Json) -> Result<i64, Problem> {
    let place = documents::create(account, Kind::CreditNote, body)?;
    let note = account.get(Kind::CreditNote, place)?.clone();
    let Some(invoice) = id(&note, "invoice") else {
        return Ok(place);
    };
    let open = account.get(Kind::Invoice, invoice)?;
    let customer = id(&note, "customer");
    let apply = is_open(open)
        && note.text("status") == Some("open")
        && id(open, "customer") == customer
        && open.text("currency") == note.text("currency");
    let value = amount(&note, "balance").min(amount(open, "balance"));
    if let (true, Some(customer)) = (apply, customer) {
        let share = applications::noted(place, invoice, value);
        let currency = note.text("currency").unwrap_or_default().to_owned();
        without_money(account, customer, currency, vec![share]);
    }
    Ok(place)
}

/// A payment that moves no money, only credit.
fn without_money(account: &mut Account, customer: i64, currency: String, shares: Vec<Share>) {
    let new = New {
        customer: Some(customer),
        currency,
        amount: Decimal::ZERO,
        shares,
        method: "other".to_owned(),
        source: "keyed".to_owned(),
        charge: Json::Null,
        arrives: None,
    };
    payments::make(account, new, Vec::new());
}

/// A document was sent to its customer.
pub(crate) fn sent(account: &mut Account, kind: Kind, place: i64) {
    if matches!(kind, Kind::Invoice | Kind::Estimate) {
        account.change_quietly(kind, place, |document| document.put("_sent", true.into()));
        life::refresh(account, kind, place, true);
    }
}
