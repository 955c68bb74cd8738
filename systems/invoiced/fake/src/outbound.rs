//! What the service would have sent or charged, for tests that nothing is started for what is imported.

use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::life::{DAY, is_open};
use crate::shape::id;

/// Days between two reminders, and how many there are at most.
const REMINDER_DAYS: i64 = 7;
const REMINDERS: i64 = 8;

/// Messages and charges, in the order in which they started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbound {
    /// Mails, text messages and letters.
    pub(crate) messages: Vec<Json>,
    /// Charges that the service started, by itself or because it was asked to.
    pub(crate) charges: Vec<Json>,
    /// The last identifier of a line, a discount or a tax.
    lines: i64,
}

impl Outbound {
    /// An identifier for a line, a discount or a tax.
    pub(crate) fn next_line(&mut self) -> i64 {
        self.lines += 1;
        self.lines
    }
}

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody asked for it.
    Asked,
    /// The account mails new invoices by itself.
    NewInvoice,
    /// The account mails receipts by itself.
    Receipt,
    /// Its customer is chased.
    Reminder,
}

impl Why {
    fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::NewInvoice => "new-invoice",
            Self::Receipt => "receipt",
            Self::Reminder => "reminder",
        }
    }
}

/// Takes note of a message about an object, and gives it.
pub(crate) fn message(account: &mut Account, kind: Kind, place: i64, by: &str, why: Why) -> Json {
    let about = account
        .table(kind)
        .get(place)
        .cloned()
        .unwrap_or(Json::Null);
    let customer = match kind {
        Kind::Customer => Some(place),
        _ => id(&about, "customer"),
    };
    let to = customer
        .and_then(|customer| account.table(Kind::Customer).get(customer))
        .and_then(|customer| customer.text("email"))
        .map(str::to_owned);
    let number = account.outbound.messages.len() + 1;
    let message = Json::whole([
        ("id", format!("msg_{number:06}").into()),
        ("object", by.into()),
        ("about", kind.object().into()),
        ("about_id", place.into()),
        ("customer", customer.into()),
        ("to", to.into()),
        ("why", why.name().into()),
        ("state", "sent".into()),
        ("created_at", account.now().into()),
    ]);
    account.outbound.messages.push(message.clone());
    message
}

/// Mails an invoice that was just issued, where the account does so by itself.
pub(crate) fn mail_new(account: &mut Account, place: i64) {
    let open = account.table(Kind::Invoice).get(place).is_some_and(is_open);
    if account.switches.email_new_invoices && open {
        message(account, Kind::Invoice, place, "email", Why::NewInvoice);
        account.change_quietly(Kind::Invoice, place, |invoice| {
            invoice.put("_sent", true.into())
        });
        crate::life::refresh(account, Kind::Invoice, place, false);
    }
}

/// Mails a payment's receipt, where the account does so by itself.
pub(crate) fn mail_receipt(account: &mut Account, place: i64) {
    if account.switches.email_receipts {
        message(account, Kind::Payment, place, "email", Why::Receipt);
    }
}

/// Reminds of an invoice that is past due: the day after, and every week then, while its customer is chased.
pub(crate) fn remind(account: &mut Account, place: i64) {
    let Ok(invoice) = account.get(Kind::Invoice, place) else {
        return;
    };
    if invoice.text("status") != Some("past_due") {
        return;
    }
    let chased = id(invoice, "customer")
        .and_then(|customer| account.table(Kind::Customer).get(customer))
        .is_some_and(|customer| customer.flag("chase") == Some(true));
    let Some(due) = id(invoice, "due_date") else {
        return;
    };
    if !chased {
        return;
    }
    let since = account.now() - due - DAY;
    let wanted = if since < 0 {
        0
    } else {
        (since / (REMINDER_DAYS * DAY) + 1).min(REMINDERS)
    };
    let sent = id(invoice, "_reminders").unwrap_or(0);
    // What was late before the sandbox started was reminded of before.
    let told = if account.loading.is_some() {
        wanted
    } else {
        sent
    };
    for _ in told..wanted {
        message(account, Kind::Invoice, place, "email", Why::Reminder);
    }
    if wanted > sent {
        account.change_quietly(Kind::Invoice, place, |invoice| {
            invoice.put("_reminders", wanted.into());
        });
    }
    if wanted < REMINDERS {
        let next = due + DAY + wanted * REMINDER_DAYS * DAY;
        account.next_due = account.next_due.min(next);
    }
}
